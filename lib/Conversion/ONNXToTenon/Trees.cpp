//===- Trees.cpp - Ensembles of decision trees ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The nodes of all trees are one table. A row of numbers and a tree have a place in it, the tree's root at first; a
// step compares a number with what the node there says and goes on to one of two others, a leaf to itself. After as
// many steps as the deepest tree has levels each place is a leaf, which has a weight for each target.
//

#include "MachineLearning.h"

#include "llvm/ADT/DenseMap.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
enum class Mode { leq, lt, gte, gt, eq, neq, member };

struct TreeNode {
  int64_t feature = 0, yes = -1, no = -1; ///< a leaf goes on to itself
  double split = 0;
  Mode mode = Mode::leq;
  bool takesMissing = false; ///< whether NaN goes on to `yes`
  bool isLeaf = true;
};

struct LeafWeight {
  int64_t node, target;
  double weight;
};

struct Forest {
  SmallVector<TreeNode> nodes;
  SmallVector<int64_t> roots;
  SmallVector<LeafWeight> weights;
  int64_t targets = 1;
};

enum class Aggregate { average, sum, min, max };

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

SmallVector<int64_t> integersOr(Node &node, StringRef name) {
  return node.integers(name).value_or(SmallVector<int64_t>());
}

std::optional<Mode> modeOf(StringRef name) {
  static const llvm::StringMap<Mode> modes = {{"BRANCH_LEQ", Mode::leq}, {"BRANCH_LT", Mode::lt},
                                              {"BRANCH_GTE", Mode::gte}, {"BRANCH_GT", Mode::gt},
                                              {"BRANCH_EQ", Mode::eq},   {"BRANCH_NEQ", Mode::neq}};
  auto known = modes.find(name);
  return known == modes.end() ? std::nullopt : std::optional(known->second);
}

/// Nodes by their tree and number.
using NodeIds = llvm::DenseMap<std::pair<int64_t, int64_t>, int64_t>;

/// The form up to version 4: lists of nodes that trees and numbers name, and of weights, whose names begin with `leaf`.
std::optional<Forest> forestOfLists(Node &node, StringRef leaf) {
  SmallVector<int64_t> trees = integersOr(node, "nodes_treeids"), ids = integersOr(node, "nodes_nodeids"),
                       features = integersOr(node, "nodes_featureids"), yes = integersOr(node, "nodes_truenodeids"),
                       no = integersOr(node, "nodes_falsenodeids"),
                       missing = integersOr(node, "nodes_missing_value_tracks_true");
  SmallVector<double> splits = numbersOf(node, "nodes_values");
  auto modes = dyn_cast_if_present<ArrayAttr>(node.attribute("nodes_modes"));
  size_t count = ids.size();
  if (count == 0 || trees.size() != count || features.size() != count || yes.size() != count || no.size() != count ||
      splits.size() != count || !modes || modes.size() != count) {
    node.error() << "expects tree, number, feature, value, mode and both next nodes for each of " << count << " nodes";
    return std::nullopt;
  }
  if (!missing.empty() && missing.size() != count)
    node.error() << "expects " << count << " values in nodes_missing_value_tracks_true, but has " << missing.size();
  if (node.hasFailed())
    return std::nullopt;
  Forest forest;
  NodeIds places;
  for (size_t i = 0; i < count; ++i)
    if (!places.try_emplace({trees[i], ids[i]}, i).second) {
      node.error() << "has node " << ids[i] << " of tree " << trees[i] << " twice";
      return std::nullopt;
    }
  for (size_t i = 0; i < count; ++i) {
    auto name = dyn_cast<StringAttr>(modes[i]);
    TreeNode entry;
    entry.yes = entry.no = i;
    if (!name || name.getValue() != "LEAF") {
      auto mode = name ? modeOf(name.getValue()) : std::nullopt;
      auto first = places.find({trees[i], yes[i]}), second = places.find({trees[i], no[i]});
      if (!mode || first == places.end() || second == places.end()) {
        node.error() << "expects a known mode and next nodes that exist, but node " << ids[i] << " of tree " << trees[i]
                     << " has " << modes[i] << ", " << yes[i] << " and " << no[i];
        return std::nullopt;
      }
      entry = {features[i],     first->second, second->second, splits[i], *mode, !missing.empty() && missing[i] != 0,
               /*isLeaf=*/false};
    }
    forest.nodes.push_back(entry);
  }
  // A tree begins with the first of its nodes.
  llvm::DenseSet<int64_t> begun;
  for (size_t i = 0; i < count; ++i)
    if (begun.insert(trees[i]).second)
      forest.roots.push_back(i);
  SmallVector<int64_t> leafTrees = integersOr(node, (leaf + "_treeids").str()),
                       leafNodes = integersOr(node, (leaf + "_nodeids").str()),
                       leafTargets = integersOr(node, (leaf + "_ids").str());
  SmallVector<double> weights = numbersOf(node, (leaf + "_weights").str());
  if (leafTrees.size() != weights.size() || leafNodes.size() != weights.size() ||
      leafTargets.size() != weights.size()) {
    node.error() << "expects tree, node, target and weight of " << weights.size() << " leaves";
    return std::nullopt;
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    auto place = places.find({leafTrees[i], leafNodes[i]});
    if (place == places.end()) {
      node.error() << "has a weight of node " << leafNodes[i] << " of tree " << leafTrees[i]
                   << ", which there is none of";
      return std::nullopt;
    }
    // Only leaves are reached at last.
    if (forest.nodes[place->second].isLeaf)
      forest.weights.push_back({place->second, leafTargets[i], weights[i]});
  }
  return forest;
}

/// The form of version 5: nodes and leaves have lists of their own. A set of members is a chain of comparisons.
std::optional<Forest> forestOfTensors(Node &node) {
  SmallVector<int64_t> features = integersOr(node, "nodes_featureids"), yes = integersOr(node, "nodes_truenodeids"),
                       yesLeaf = integersOr(node, "nodes_trueleafs"), no = integersOr(node, "nodes_falsenodeids"),
                       noLeaf = integersOr(node, "nodes_falseleafs"), roots = integersOr(node, "tree_roots"),
                       targets = integersOr(node, "leaf_targetids"),
                       missing = integersOr(node, "nodes_missing_value_tracks_true");
  SmallVector<double> splits = numbersOf(node, "nodes_splits"), modes = numbersOf(node, "nodes_modes"),
                      weights = numbersOf(node, "leaf_weights"), members = numbersOf(node, "membership_values");
  size_t count = splits.size(), leaves = weights.size();
  if (modes.size() != count || features.size() != count || yes.size() != count || yesLeaf.size() != count ||
      no.size() != count || noLeaf.size() != count || targets.size() != leaves || roots.empty()) {
    node.error() << "expects feature, split, mode and both next places for each of " << count
                 << " nodes, a target for each of " << leaves << " leaves, and roots";
    return std::nullopt;
  }
  if (!missing.empty() && missing.size() != count)
    node.error() << "expects " << count << " values in nodes_missing_value_tracks_true, but has " << missing.size();
  if (node.hasFailed())
    return std::nullopt;
  Forest forest;
  int64_t extra = count + leaves;
  forest.nodes.resize(extra);
  for (size_t i = 0; i < leaves; ++i) {
    forest.nodes[count + i].yes = forest.nodes[count + i].no = count + i;
    forest.weights.push_back({int64_t(count + i), targets[i], weights[i]});
  }
  const double *member = members.begin();
  for (size_t i = 0; i < count; ++i) {
    auto next = [&](int64_t place, int64_t isLeaf) { return isLeaf ? place + int64_t(count) : place; };
    if (modes[i] < 0 || modes[i] > 6 || yes[i] < 0 || yes[i] >= int64_t(yesLeaf[i] ? leaves : count) || no[i] < 0 ||
        no[i] >= int64_t(noLeaf[i] ? leaves : count)) {
      node.error() << "expects a known mode and next places that exist, but node " << i << " has " << modes[i] << ", "
                   << yes[i] << " and " << no[i];
      return std::nullopt;
    }
    TreeNode entry{features[i],     next(yes[i], yesLeaf[i]), next(no[i], noLeaf[i]),
                   splits[i],       Mode(int64_t(modes[i])),  !missing.empty() && missing[i] != 0,
                   /*isLeaf=*/false};
    if (entry.mode == Mode::member) {
      // Its values end with NaN.
      SmallVector<double> values;
      while (member != members.end() && !std::isnan(*member))
        values.push_back(*member++);
      if (member == members.end()) {
        node.error() << "expects the values of node " << i << " in membership_values to end with NaN";
        return std::nullopt;
      }
      ++member;
      entry.mode = Mode::eq;
      entry.split = values.empty() ? std::numeric_limits<double>::quiet_NaN() : values[0];
      TreeNode *last = &entry;
      SmallVector<TreeNode> chain;
      for (double value : ArrayRef(values).drop_front(values.empty() ? 0 : 1)) {
        chain.push_back(entry);
        chain.back().split = value;
      }
      int64_t behind = entry.no;
      for (size_t link = 0; link < chain.size(); ++link) {
        last->no = extra + link;
        last = &chain[link];
      }
      last->no = behind;
      extra += chain.size();
      forest.nodes.append(chain);
    }
    forest.nodes[i] = entry;
  }
  for (int64_t root : roots) {
    if (root < 0 || root >= int64_t(count)) {
      node.error() << "expects roots that are nodes, but has " << root;
      return std::nullopt;
    }
    // A tree of one leaf is a node whose next places are both that leaf.
    forest.roots.push_back(root);
  }
  return forest;
}

/// How many levels of nodes there are above the leaves; an error where there is no end.
std::optional<int64_t> depthOf(Node &node, const Forest &forest) {
  SmallVector<int64_t> level(forest.roots), next;
  for (int64_t depth = 0; depth <= (int64_t)forest.nodes.size(); ++depth) {
    llvm::DenseSet<int64_t> seen;
    for (int64_t place : level)
      if (const TreeNode &entry = forest.nodes[place]; !entry.isLeaf)
        for (int64_t after : {entry.yes, entry.no})
          if (seen.insert(after).second)
            next.push_back(after);
    if (next.empty())
      return depth;
    level = std::move(next);
    next.clear();
  }
  node.error() << "has a tree whose nodes go on in a circle";
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Traversal
//===----------------------------------------------------------------------===//

class Traversal {
public:
  Traversal(Node &node, Forest forest) : node(node), forest(std::move(forest)) {}

  /// The leaf of each row and tree, `[N, T]`; null after an error.
  Value leaves() {
    Value x = node[0];
    if (rankOf(x) == 1)
      x = node.unsqueeze(x, {0});
    if (rankOf(x) != 2) {
      node.error() << "expects rows of numbers, but has " << typeOf(node[0]);
      return {};
    }
    AffineExpr width = node.sizeOf(x, 1);
    for (const TreeNode &entry : forest.nodes)
      if (!entry.isLeaf &&
          (entry.feature < 0 || (isStatic(width) && entry.feature >= SizeAnalysis::staticSize(width)))) {
        node.error() << "expects numbers of features below the " << typeOf(x).getDimSize(1) << " of " << typeOf(x)
                     << ", but a node has " << entry.feature;
        return {};
      }
    auto depth = depthOf(node, forest);
    if (!depth)
      return {};
    compute = elementOf(x).isF64() ? elementOf(x) : node.builder.getF32Type();
    x = node.cast(x, compute);
    places = {node.sizeOf(x, 0), node.size(forest.roots.size())};
    Value feature = table([](const TreeNode &entry, int64_t) { return entry.feature; });
    Value yes = table([](const TreeNode &entry, int64_t) { return entry.yes; });
    Value no = table([](const TreeNode &entry, int64_t) { return entry.no; });
    SmallVector<double> numbers;
    for (const TreeNode &entry : forest.nodes)
      numbers.push_back(entry.split);
    split = node.numbersConstant(numbers, compute);
    Value at = node.broadcast(node.integersConstant(forest.roots), {1}, places);
    IndexMode mode = isStatic(width) ? IndexMode::clamp : IndexMode::error;
    for (int64_t step = 0; step < *depth; ++step) {
      Value number = node.gather(x, node.unsqueeze(take(feature, at), {2}), {1}, 1, mode);
      at = node.select(goesOn(number, at), take(yes, at), take(no, at));
    }
    return at;
  }

  /// What these places have in a table of all nodes.
  Value take(Value table, Value at) { return onnx::take(node, table, at, 0, IndexMode::clamp); }

  Forest &getForest() { return forest; }
  Type compute; ///< of numbers and weights

private:
  template <typename F> Value table(F f) {
    SmallVector<int64_t> values;
    for (auto [i, entry] : llvm::enumerate(forest.nodes))
      values.push_back(f(entry, i));
    return node.integersConstant(values);
  }

  Value goesOn(Value number, Value at) {
    Value limit = take(split, at), result;
    auto isUsed = [&](Mode mode) {
      return llvm::any_of(forest.nodes, [&](const TreeNode &entry) { return !entry.isLeaf && entry.mode == mode; });
    };
    static constexpr Predicate predicates[] = {Predicate::le, Predicate::lt, Predicate::ge,
                                               Predicate::gt, Predicate::eq, Predicate::ne};
    Value modes;
    for (auto [i, predicate] : llvm::enumerate(predicates)) {
      if (!isUsed(Mode(i)))
        continue;
      Value holds = node.compare(predicate, number, limit);
      if (!result) {
        result = holds;
        continue;
      }
      if (!modes)
        modes = take(table([](const TreeNode &entry, int64_t) { return int64_t(entry.mode); }), at);
      result = node.select(node.compare(Predicate::eq, modes, double(i)), holds, result);
    }
    if (!result)
      result = node.broadcast(node.boolean(true), {}, places);
    if (llvm::none_of(forest.nodes, [](const TreeNode &entry) { return entry.takesMissing; }))
      return result;
    Value takesMissing = take(table([](const TreeNode &entry, int64_t) { return entry.takesMissing; }), at);
    Value isMissing = IsNanOp::create(node.builder, node.loc, typeOf(result), number);
    return node.binary<OrOp>(result, node.binary<AndOp>(isMissing, node.compare(Predicate::ne, takesMissing, 0.0)));
  }

  Node &node;
  Forest forest;
  Sizes places;
  Value split;
};

/// For each row and target what its leaves give together, `[N, targets]`.
Value aggregate(Node &node, Traversal &traversal, Value leaves, Aggregate how) {
  Forest &forest = traversal.getForest();
  int64_t targets = forest.targets, count = forest.nodes.size();
  double infinity = std::numeric_limits<double>::infinity();
  bool isBound = how == Aggregate::min || how == Aggregate::max;
  // Leaves without a weight have no part in a bound.
  double none = how == Aggregate::min ? infinity : how == Aggregate::max ? -infinity : 0;
  SmallVector<double> weights(targets * count, none);
  for (const LeafWeight &weight : forest.weights) {
    double &there = weights[weight.node * targets + weight.target];
    there = isBound ? weight.weight : there + weight.weight;
  }
  Sizes sizes = {node.size(count), node.size(targets)};
  Value table = node.reshape(node.numbersConstant(weights, traversal.compute), sizes);
  Value reached = traversal.take(table, leaves);
  Combiner combiner = how == Aggregate::min ? Combiner::min : how == Aggregate::max ? Combiner::max : Combiner::sum;
  Value y = node.reduce(combiner, reached, {1});
  if (how == Aggregate::average)
    y = node.binary<DivOp>(y, double(forest.roots.size()));
  if (isBound)
    y = node.select(node.compare(Predicate::eq, y, none), node.splat(0, y), y);
  return y;
}

std::optional<Aggregate> aggregateOf(Node &node) {
  StringRef name = node.string("aggregate_function", "SUM");
  static const llvm::StringMap<Aggregate> known = {
      {"AVERAGE", Aggregate::average}, {"SUM", Aggregate::sum}, {"MIN", Aggregate::min}, {"MAX", Aggregate::max}};
  auto found = known.find(name);
  if (found == known.end())
    node.error() << "expects aggregate_function SUM, AVERAGE, MIN or MAX, but has '" << name << "'";
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

bool haveTargets(Node &node, Forest &forest, int64_t targets) {
  forest.targets = targets;
  if (targets < 1 || targets > (int64_t(1) << 20)) {
    node.error() << "expects targets, but has " << targets;
    return false;
  }
  for (const LeafWeight &weight : forest.weights)
    if (weight.target < 0 || weight.target >= targets) {
      node.error() << "expects targets below " << targets << ", but a leaf has " << weight.target;
      return false;
    }
  return true;
}

/// Plus a number for each target, if there are some.
Value withBase(Node &node, Value y, ArrayRef<double> base) {
  if (base.empty())
    return y;
  if (base.size() != 1 && (int64_t)base.size() != typeOf(y).getDimSize(1)) {
    node.error() << "expects " << typeOf(y).getDimSize(1) << " base_values, but has " << base.size();
    return y;
  }
  Value numbers = node.numbersConstant(base, elementOf(y));
  return node.binary<AddOp>(y, node.broadcast(base.size() == 1 ? node.reshape(numbers, {}) : numbers,
                                              base.size() == 1 ? ArrayRef<int64_t>() : ArrayRef<int64_t>{1},
                                              node.sizesOf(y)));
}

//===----------------------------------------------------------------------===//
// Regressors
//===----------------------------------------------------------------------===//

Results regress(Node &node, std::optional<Forest> forest, std::optional<Aggregate> how, int64_t targets,
                ArrayRef<double> base, StringRef transform, Type element) {
  if (!forest || !how || node.hasFailed() || !haveTargets(node, *forest, targets))
    return failure();
  Traversal traversal(node, std::move(*forest));
  Value leaves = traversal.leaves();
  if (!leaves)
    return failure();
  Value y = withBase(node, aggregate(node, traversal, leaves, *how), base);
  if (targets > 1 || transform == "PROBIT")
    y = transformedScores(node, y, transform);
  return node.hasFailed() ? Results(failure()) : Results(node.cast(y, element));
}

Results treeEnsembleRegressor(Node &node) {
  return regress(node, forestOfLists(node, "target"), aggregateOf(node), node.integer("n_targets", 1),
                 numbersOf(node, "base_values"), node.string("post_transform", "NONE"), node.builder.getF32Type());
}

Results treeEnsemble(Node &node) {
  static constexpr StringRef transforms[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
  int64_t how = node.integer("aggregate_function", 1), transform = node.integer("post_transform", 0);
  if (how < 0 || how > 3 || transform < 0 || transform >= (int64_t)std::size(transforms))
    return node.error() << "expects a known aggregate_function and post_transform, but has " << how << " and "
                        << transform;
  return regress(node, forestOfTensors(node), Aggregate(how), node.integer("n_targets", 1), {}, transforms[transform],
                 elementOf(node[0]));
}

//===----------------------------------------------------------------------===//
// Classifiers
//===----------------------------------------------------------------------===//

/// Two classes as ONNX Runtime takes them: where leaves weigh one class only its number is that of the second one.
Results classifyInTwo(Node &node, Forest &forest, Value scores, ArrayRef<double> base, StringRef transform) {
  auto column = [&](int64_t i) { return node.squeeze(node.slice(scores, 1, node.size(i), node.size(1)), {1}); };
  auto pair = [&](Value a, Value b) { return node.concat({node.unsqueeze(a, {1}), node.unsqueeze(b, {1})}, 1); };
  bool weighs[2] = {false, false}, areAllPositive = true;
  for (const LeafWeight &weight : forest.weights) {
    weighs[weight.target] = true;
    areAllPositive &= weight.weight >= 0;
  }
  bool isSingle = weighs[0] != weighs[1];
  if (base.size() > 2)
    return node.error() << "expects at most two base_values of two classes, but has " << base.size();
  Value first = column(0), second = column(1);
  bool hasTwo = weighs[1];
  if (base.size() == 2 && weighs[1]) {
    second = node.binary<AddOp>(first, base[1]);
    first = node.unary<NegOp>(second);
  } else if (!base.empty()) {
    first = node.binary<AddOp>(first, base[0]);
    if (base.size() == 2) {
      second = node.binary<AddOp>(second, base[1]);
      hasTwo = true;
    }
  }
  Value decides = weighs[1] ? second : first;
  Value isSecond = node.compare(Predicate::gt, decides, isSingle && areAllPositive ? 0.5 : 0.0);
  Value label = node.cast(isSecond, node.builder.getI64Type());
  if (hasTwo)
    return {label, transformedScores(node, pair(first, second), transform)};
  if (transform == "PROBIT")
    return node.unsupported() << "post_transform PROBIT of one score for two classes";
  // Weights that are all positive add up to a probability.
  if (isSingle && areAllPositive && transform != "LOGISTIC")
    return {label, pair(node.binary<SubOp>(node.splat(1, first), first), first)};
  Value both = pair(node.unary<NegOp>(first), first);
  return {label, transform == "LOGISTIC" ? transformedScores(node, both, transform) : both};
}

/// The scores with those of classes that no leaf scored below all others, as they are no candidates.
Value whereScored(Node &node, Traversal &traversal, Value leaves, Value scores) {
  Forest &forest = traversal.getForest();
  int64_t targets = forest.targets, count = forest.nodes.size();
  SmallVector<double> scored(targets * count, 0);
  for (const LeafWeight &weight : forest.weights)
    scored[weight.node * targets + weight.target] = 1;
  Value table = node.reshape(node.numbersConstant(scored, traversal.compute), {node.size(count), node.size(targets)});
  Value isScored = node.reduce(Combiner::max, traversal.take(table, leaves), {1});
  return node.select(node.compare(Predicate::gt, isScored, 0.0), scores,
                     node.splat(-std::numeric_limits<double>::infinity(), scores));
}

Results treeEnsembleClassifier(Node &node) {
  auto forest = forestOfLists(node, "class");
  auto labels = ClassLabels::of(node);
  if (!forest || !labels || !haveTargets(node, *forest, labels->count))
    return failure();
  SmallVector<double> base = numbersOf(node, "base_values");
  StringRef transform = node.string("post_transform", "NONE");
  Traversal traversal(node, std::move(*forest));
  Value leaves = traversal.leaves();
  if (!leaves)
    return failure();
  Value scores = aggregate(node, traversal, leaves, Aggregate::sum);
  Results result = failure();
  if (labels->count == 2) {
    result = classifyInTwo(node, traversal.getForest(), scores, base, transform);
  } else {
    scores = withBase(node, scores, base);
    Value ranked = base.empty() ? whereScored(node, traversal, leaves, scores) : scores;
    Value best =
        ArgReduceOp::create(node.builder, node.loc, node.typeFor(node.builder.getI64Type(), {node.sizeOf(scores, 0)}),
                            Combiner::max, ranked, 1, /*last=*/false);
    result = {best, transformedScores(node, scores, transform)};
  }
  if (result.isFailure || node.hasFailed())
    return failure();
  return {labels->at(node, result.values[0]), node.cast(result.values[1], node.builder.getF32Type())};
}
} // namespace

void onnx::addTreeConverters(ConverterTable &table) {
  table.add("ai.onnx.ml.TreeEnsemble", 5, 1, 1, treeEnsemble);
  table.add("ai.onnx.ml.TreeEnsembleClassifier", 1, 1, 1, treeEnsembleClassifier);
  table.add("ai.onnx.ml.TreeEnsembleRegressor", 1, 1, 1, treeEnsembleRegressor);
}

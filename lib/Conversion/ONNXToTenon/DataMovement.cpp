//===- DataMovement.cpp - ONNX operators that give the same elements under other sizes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Graph.h"
#include "Indexing.h"
#include "RuntimeAxes.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

/// 0 copies the operand's size unless `allowzero` is set, -1 is what is left. Sizes that follow from other
/// sizes are taken as they are; for those that are read from data the same is decided at run time.
class Reshape {
public:
  Reshape(Node &node, Sizes target) : node(node), source(node.sizesOf(node[0])), target(std::move(target)) {}

  Results convert() {
    std::optional<size_t> inferred;
    for (auto [i, extent] : llvm::enumerate(target)) {
      if (isStatic(extent, -1)) {
        if (std::exchange(inferred, i))
          return node.error() << "expects at most one size -1";
        continue;
      }
      if (!copyZero(i, extent))
        return failure();
    }
    if (inferred)
      inferStatic(*inferred);
    else
      inferData();
    return node.hasFailed() ? Results(failure()) : Results(node.reshape(node[0], target));
  }

private:
  bool isRead(AffineExpr extent) {
    return llvm::any_of(node.sizes.valuesOf(extent), [](Value value) { return value.getDefiningOp<ItemOp>(); });
  }

  bool copyZero(size_t i, AffineExpr &extent) {
    if (!node.flag("allowzero")) {
      if (isStatic(extent, 0) && i >= source.size()) {
        node.error() << "copies size " << i << " of an operand of rank " << source.size();
        return false;
      }
      if (isStatic(extent, 0))
        extent = source[i];
      else if (isRead(extent) && i < source.size())
        extent = node.choose(extent, node.size(0), source[i], extent);
    }
    if (isStatic(extent) && SizeAnalysis::staticSize(extent) < 0)
      node.error() << "expects sizes of -1 or more, but has " << SizeAnalysis::staticSize(extent);
    return !node.hasFailed();
  }

  void inferStatic(size_t inferred) {
    Sizes others(target);
    others.erase(others.begin() + inferred);
    AffineExpr all = node.product(source), rest = node.product(others);
    if (isStatic(all) && isStatic(rest)) {
      int64_t total = SizeAnalysis::staticSize(all), divisor = SizeAnalysis::staticSize(rest);
      if (divisor == 0 || total % divisor != 0)
        node.error() << "cannot divide " << total << " elements into rows of " << divisor;
    }
    target[inferred] = node.quotient(source, others);
  }

  /// Any size that is read may be -1: the others' product counts it as 1.
  void inferData() {
    SmallVector<size_t> read;
    Sizes factors(target);
    for (auto [i, extent] : llvm::enumerate(target))
      if (isDataSize(extent)) {
        read.push_back(i);
        factors[i] = node.choose(extent, node.size(-1), node.size(1), extent);
      }
    if (read.empty())
      return;
    AffineExpr rest = node.quotient(source, factors);
    for (size_t i : read)
      target[i] = node.choose(target[i], node.size(-1), rest, target[i]);
  }
  /// Whether a size is read from data, or chosen for one that is.
  bool isDataSize(AffineExpr extent) {
    return llvm::any_of(node.sizes.valuesOf(extent), [](Value value) {
      auto chosen = value.getDefiningOp<arith::SelectOp>();
      return value.getDefiningOp<ItemOp>() || (chosen && chosen.getFalseValue().getDefiningOp<ItemOp>());
    });
  }

  Node &node;
  Sizes source, target;
};

Results reshape(Node &node) {
  auto target = node.elements(node[1], node.statedRank(0));
  return target ? Reshape(node, *target).convert() : Results(failure());
}

/// The sizes are an attribute in the first version.
Results reshapeAttribute(Node &node) {
  auto shape = node.integers("shape");
  if (!shape)
    return node.error() << "expects the attribute 'shape'";
  return Reshape(node, llvm::map_to_vector(*shape, [&](int64_t size) { return node.size(size); })).convert();
}

Results flatten(Node &node) {
  Sizes sizes = node.sizesOf(node[0]);
  int64_t axis = node.integer("axis", 1), rank = sizes.size();
  if (axis < -rank || axis > rank)
    return node.error() << "expects an axis from " << -rank << " to " << rank << ", but has " << axis;
  axis += axis < 0 ? rank : 0;
  return node.reshape(node[0],
                      {node.product(ArrayRef(sizes).take_front(axis)), node.product(ArrayRef(sizes).drop_front(axis))});
}

/// Axes are an attribute or, from version 13 on, an operand.
std::optional<SmallVector<int64_t>> axesOf(Node &node) {
  return node.has(1) ? node.constantIntegers(node[1]) : node.integers("axes");
}

/// Of the dimensions that are dropped each has size 1, as long as the number of elements stays.
Results squeezeGiven(Node &node) {
  int64_t rank = rankOf(node[0]);
  auto stated = node.statedRank(0);
  auto axes = RuntimeAxes::read(node, node[1], rank, stated ? std::optional(rank - *stated) : std::nullopt);
  return axes ? Results(node.reshape(node[0], axes->drop(node.sizesOf(node[0]), rank - (int64_t)axes->count())))
              : Results(failure());
}

Results unsqueezeGiven(Node &node) {
  RankedTensorType type = typeOf(node[1]);
  auto stated = node.statedRank(0);
  int64_t inserted = type.hasStaticShape() ? type.getNumElements() : stated ? *stated - rankOf(node[0]) : -1;
  auto axes = RuntimeAxes::read(node, node[1], rankOf(node[0]) + inserted, inserted);
  return axes ? Results(node.reshape(node[0], axes->insertOnes(node.sizesOf(node[0])))) : Results(failure());
}

/// Without axes all dimensions of size 1 are dropped. Which of the symbolic sizes are 1 follows from the rank that
/// the model states for the result; where it states none, they aren't. Both is checked at run time.
class SqueezeOnes {
public:
  explicit SqueezeOnes(Node &node) : node(node), sizes(node.sizesOf(node[0])) {}

  Results convert() {
    SmallVector<int64_t> symbolic;
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      if (isStatic(size, 1))
        dropped.push_back(dim);
      else if (!isStatic(size))
        symbolic.push_back(dim);
    }
    int64_t count = 0, most = symbolic.size(), rest = sizes.size() - dropped.size();
    if (auto rank = node.graph.statedRank(node.op->getResult(0)))
      count = rest - *rank;
    if (count < 0 || count > most)
      count = 0;
    if (count > 0 && count < most && !choose(symbolic, count))
      return node.unsupported() << "without axes, dimensions of size 1 are dropped, but which of " << typeOf(node[0])
                                << " have it is not known when compiling";
    if (count == most)
      dropped.append(symbolic);
    for (int64_t dim : symbolic)
      if (llvm::is_contained(dropped, dim))
        node.expectEqual(sizes[dim], node.size(1),
                         "a size isn't 1, but the model states a result without its dimension");
      else
        node.expectEqual(node.choose(sizes[dim], node.size(1), node.size(1), node.size(0)), node.size(0),
                         "a size is 1, whose dimension ONNX drops, but the model was compiled for others");
    llvm::sort(dropped);
    return node.squeeze(node[0], dropped);
  }

private:
  /// Drops those that leave what the model states; false where several choices do.
  bool choose(ArrayRef<int64_t> symbolic, int64_t count) {
    auto stated = dyn_cast<RankedTensorType>(node.op->getResult(0).getType());
    if (!stated || symbolic.size() > 8)
      return false;
    std::optional<unsigned> chosen;
    for (unsigned set = 0; set < 1u << symbolic.size(); ++set) {
      if (llvm::popcount(set) != count || !leaves(stated.getShape(), symbolic, set))
        continue;
      if (chosen)
        return false;
      chosen = set;
    }
    for (auto [i, dim] : llvm::enumerate(symbolic))
      if (chosen && *chosen >> i & 1)
        dropped.push_back(dim);
    return chosen.has_value();
  }

  /// Whether the sizes without a set of the symbolic ones may be the stated ones.
  bool leaves(ArrayRef<int64_t> stated, ArrayRef<int64_t> symbolic, unsigned set) {
    SmallVector<int64_t> left;
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      auto it = llvm::find(symbolic, (int64_t)dim);
      bool isDropped = it == symbolic.end() ? isStatic(size, 1) : set >> (it - symbolic.begin()) & 1;
      if (!isDropped)
        left.push_back(SizeAnalysis::staticSize(size));
    }
    return left.size() == stated.size() && llvm::all_of(llvm::zip(left, stated), [](auto pair) {
             auto [size, wanted] = pair;
             return ShapedType::isDynamic(size) == ShapedType::isDynamic(wanted) &&
                    (ShapedType::isDynamic(size) || size == wanted);
           });
  }

  Node &node;
  Sizes sizes;
  SmallVector<int64_t> dropped;
};

Results squeeze(Node &node) {
  auto axes = axesOf(node);
  if (node.has(1) && !axes)
    return squeezeGiven(node);
  if (!axes)
    return SqueezeOnes(node).convert();
  SmallVector<int64_t> dims = node.dimensions(*axes, rankOf(node[0]));
  return node.hasFailed() ? Results(failure()) : Results(node.squeeze(node[0], dims));
}

Results unsqueeze(Node &node) {
  auto axes = axesOf(node);
  if (node.has(1) && !axes)
    return unsqueezeGiven(node);
  if (!axes)
    return node.error() << "expects axes";
  SmallVector<int64_t> dims = node.dimensions(*axes, rankOf(node[0]) + axes->size());
  return node.hasFailed() ? Results(failure()) : Results(node.unsqueeze(node[0], dims));
}

Results transpose(Node &node) {
  int64_t rank = rankOf(node[0]);
  auto permutation = node.integers("perm");
  if (!permutation)
    permutation = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
  SmallVector<int64_t> sorted(*permutation);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, rank)))
    return node.error() << "expects a permutation of " << rank << " dimensions as 'perm'";
  return node.transpose(node[0], *permutation);
}

//===----------------------------------------------------------------------===//
// Repetition
//===----------------------------------------------------------------------===//

/// A shape of unknown length has the rank that the model states for the result; or it may be shorter, where the operand
/// has this rank.
std::optional<Sizes> targetOf(Node &node) {
  Value shape = node[1];
  int64_t rank = rankOf(node[0]);
  auto stated = node.statedRank(0);
  if (rankOf(shape) != 1 || typeOf(shape).hasStaticShape() || !stated || *stated != rank)
    return node.elements(shape, stated);
  AffineExpr missing = node.sizes.simplify(node.size(rank) - node.sizeOf(shape, 0));
  AffineExpr ones = node.largest(missing, node.size(0));
  node.expectEqual(missing, ones, "the shape is longer than the rank of the result in the model");
  shape = node.pad(shape, node.scalarInteger(1, elementOf(shape)), ones, node.size(0));
  return node.elements(node.reshape(shape, node.size(rank)));
}

Results expand(Node &node) {
  auto shape = targetOf(node);
  if (!shape)
    return failure();
  Sizes sizes = node.sizesOf(node[0]);
  auto target = node.broadcastSizes(*shape, sizes);
  if (!target)
    return failure();
  // Sizes of the operand that are static are those of the result, whatever the shape says.
  size_t common = std::min(sizes.size(), shape->size());
  for (auto [from, to] : llvm::zip(ArrayRef(sizes).take_back(common), ArrayRef(*shape).take_back(common)))
    if (isStatic(from) && !isStatic(to) && !isStatic(from, 1))
      node.expectEqual(node.choose(to, node.size(1), from, to), from,
                       "a size is neither 1 nor what it is broadcast to");
  return node.broadcastTo(node[0], *target);
}

/// Every dimension behind a new one that counts the repetitions.
Results tile(Node &node) {
  Value x = node[0];
  auto repeats = node.elements(node[1], rankOf(x));
  if (!repeats)
    return failure();
  if ((int64_t)repeats->size() != rankOf(x))
    return node.error() << "expects " << rankOf(x) << " repeats, but has " << repeats->size();
  Sizes apart, joined;
  SmallVector<int64_t> dims;
  for (auto [extent, count] : llvm::zip(node.sizesOf(x), *repeats)) {
    if (isStatic(count) && SizeAnalysis::staticSize(count) < 0)
      return node.error() << "expects repeats that aren't negative, but has " << SizeAnalysis::staticSize(count);
    if (!isStatic(count, 1))
      apart.push_back(count);
    dims.push_back(apart.size());
    apart.push_back(extent);
    joined.push_back(node.product({count, extent}));
  }
  return node.reshape(node.broadcast(x, dims, apart), joined);
}

/// So many times along one axis, in the first version.
Results tileAlong(Node &node) {
  Value x = node[0];
  Type i64 = node.builder.getI64Type();
  auto axis = node.constantIntegers(node.cast(node[2], i64));
  Value count = node.single(node[1], "one number of tiles");
  auto repeats = count ? node.elements(node.cast(count, i64)) : std::nullopt;
  if (!axis || axis->size() != 1)
    return node.unsupported() << "an axis that is not known when compiling";
  int64_t dim = node.dimension(axis->front(), rankOf(x));
  if (!repeats || node.hasFailed())
    return failure();
  Sizes apart = node.sizesOf(x), joined = apart;
  joined[dim] = node.product({repeats->front(), apart[dim]});
  apart.insert(apart.begin() + dim, repeats->front());
  SmallVector<int64_t> dims;
  for (int64_t i = 0; i < rankOf(x); ++i)
    dims.push_back(i < dim ? i : i + 1);
  return node.reshape(node.broadcast(x, dims, apart), joined);
}

//===----------------------------------------------------------------------===//
// Concat and blocks of space
//===----------------------------------------------------------------------===//

Results concat(Node &node) {
  if (!node.hasAttribute("axis") && node.version() >= 4)
    return node.error() << "expects the attribute 'axis'";
  int64_t dim = node.dimension(node.integer("axis", 1), rankOf(node[0]));
  for (Value value : node.all()) {
    if (!value)
      return node.error() << "expects no operand to be left out";
    if (rankOf(value) != rankOf(node[0]))
      return node.error() << "expects operands of one rank, but has " << typeOf(node[0]) << " and " << typeOf(value);
  }
  return node.hasFailed() ? Results(failure()) : Results(node.concat(node.all(), dim));
}

/// `[N, C, H, W]` for blocks of b x b; nothing after an error.
std::optional<Sizes> blockOperand(Node &node, int64_t &block) {
  block = node.integer("blocksize", 0);
  if (rankOf(node[0]) != 4 || block < 1) {
    node.error() << "expects an operand of rank 4 and a positive blocksize, but has " << typeOf(node[0]) << " and "
                 << block;
    return std::nullopt;
  }
  return node.sizesOf(node[0]);
}

Results depthToSpace(Node &node) {
  int64_t block;
  auto sizes = blockOperand(node, block);
  if (!sizes)
    return failure();
  StringRef mode = node.string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    return node.error() << "expects mode DCR or CRD, but has '" << mode << "'";
  AffineExpr b = node.size(block), n = (*sizes)[0], h = (*sizes)[2], w = (*sizes)[3];
  if (isStatic((*sizes)[1]) && SizeAnalysis::staticSize((*sizes)[1]) % (block * block) != 0)
    return node.error() << "expects channels that " << block * block << " divides, but has "
                        << SizeAnalysis::staticSize((*sizes)[1]);
  AffineExpr depth = node.quotient((*sizes)[1], {b, b});
  Value apart = mode == "DCR" ? node.transpose(node.reshape(node[0], {n, b, b, depth, h, w}), {0, 3, 4, 1, 5, 2})
                              : node.transpose(node.reshape(node[0], {n, depth, b, b, h, w}), {0, 1, 4, 2, 5, 3});
  return node.reshape(apart, {n, depth, node.product({h, b}), node.product({w, b})});
}

Results spaceToDepth(Node &node) {
  int64_t block;
  auto sizes = blockOperand(node, block);
  if (!sizes)
    return failure();
  StringRef mode = node.string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    return node.error() << "expects mode DCR or CRD, but has '" << mode << "'";
  AffineExpr b = node.size(block), n = (*sizes)[0], c = (*sizes)[1];
  for (size_t i : {2, 3})
    if (isStatic((*sizes)[i]) && SizeAnalysis::staticSize((*sizes)[i]) % block != 0)
      return node.error() << "expects sizes that " << block << " divides, but has "
                          << SizeAnalysis::staticSize((*sizes)[i]);
  AffineExpr h = node.quotient((*sizes)[2], b), w = node.quotient((*sizes)[3], b);
  Value apart = node.reshape(node[0], {n, c, h, b, w, b});
  apart = mode == "DCR" ? node.transpose(apart, {0, 3, 5, 1, 2, 4}) : node.transpose(apart, {0, 1, 3, 5, 2, 4});
  return node.reshape(apart, {n, node.product({c, b, b}), h, w});
}
//===----------------------------------------------------------------------===//
// Col2Im
//===----------------------------------------------------------------------===//

/// Adds windows up where they overlap, one axis after the other.
class Fold {
public:
  explicit Fold(Node &node) : node(node) {}

  Results convert() {
    if (!check())
      return failure();
    size_t spatial = block.size();
    Sizes sizes = {node.sizeOf(node[0], 0), channels}, places;
    for (size_t i = 0; i < spatial; ++i) {
      sizes.push_back(block[i]);
      AffineExpr rest = image[i] + (pads[i] + pads[i + spatial]) - (block[i] - 1) * dilations[i] - 1;
      places.push_back(node.sizes.simplify(rest.floorDiv(strides[i]) + 1));
    }
    node.expectEqual(node.sizeOf(node[0], 2), node.product(places), "Col2Im has another number of windows");
    if (node.hasFailed())
      return failure();
    Value x = node[0];
    AffineExpr inner = node.size(1);
    for (size_t i = spatial; i-- > 0;) {
      AffineExpr outer = node.product(ArrayRef(sizes).take_front(2 + i));
      AffineExpr between = node.product(ArrayRef(places).take_front(i));
      x = node.reshape(x, {outer, block[i], between, places[i], inner});
      x = isStatic(block[i]) ? foldAxis(x, i) : foldAxisByData(x, i);
      inner = node.product({inner, image[i]});
    }
    Sizes result = {sizes[0], sizes[1]};
    llvm::append_range(result, image);
    return node.reshape(x, result);
  }

private:
  bool check() {
    Value x = node[0];
    if (rankOf(x) != 3) {
      node.error() << "expects rows of windows [N, C * taps, L], but has " << typeOf(x);
      return false;
    }
    auto count = spatialCount();
    auto known = node.elements(node[2], count), stated = node.elements(node[1], count);
    if (!stated || !known)
      return false;
    block = *known;
    image = *stated;
    size_t spatial = block.size();
    if (spatial < 1 || image.size() != spatial) {
      node.error() << "expects as many sizes of the image as of a block, but has " << image.size() << " and "
                   << spatial;
      return false;
    }
    strides = node.integers("strides", spatial, 1);
    dilations = node.integers("dilations", spatial, 1);
    pads = node.integers("pads", 2 * spatial, 0);
    SmallVector<int64_t> positive = strides;
    positive.append(dilations);
    for (AffineExpr extent : block)
      if (isStatic(extent))
        positive.push_back(SizeAnalysis::staticSize(extent));
    for (int64_t number : positive)
      if (number < 1 || number > longest)
        node.error() << "expects block sizes, strides and dilations from 1 to " << longest << ", but has " << number;
    if (node.hasFailed())
      return false;
    AffineExpr taps = node.product(block);
    node.expectMultiple(node.sizeOf(x, 1), taps, "rows for whole blocks");
    channels = node.quotient(node.sizeOf(x, 1), taps);
    return !node.hasFailed();
  }

  /// How many dimensions an image has, as whatever is known says it.
  std::optional<int64_t> spatialCount() {
    for (size_t i : {1, 2})
      if (typeOf(node[i]).hasStaticShape())
        return typeOf(node[i]).getNumElements();
    for (StringRef name : {"strides", "dilations", "pads"})
      if (auto list = node.integers(name))
        return name == "pads" ? list->size() / 2 : list->size();
    auto stated = node.statedRank(0);
    return stated ? std::optional(*stated - 2) : std::nullopt;
  }

  /// `[A, taps, B, places, D]` as `[A, B, extent, D]`.
  Value foldAxis(Value x, size_t i) {
    Sizes sizes = node.sizesOf(x);
    int64_t stride = strides[i];
    AffineExpr spread = node.sizes.simplify(sizes[3] * stride);
    Value zero = node.scalar(0, elementOf(x)), sum;
    // Windows side by side aren't added.
    int64_t taps = SizeAnalysis::staticSize(block[i]);
    if (stride == taps && dilations[i] == 1 && pads[i] == 0 && spread == image[i])
      return node.reshape(node.transpose(x, {0, 2, 3, 1, 4}), {sizes[0], sizes[2], spread, sizes[4]});
    for (int64_t tap = 0; tap < taps; ++tap) {
      Value term = node.squeeze(node.slice(x, 1, node.size(tap), node.size(1)), {1});
      if (stride > 1) {
        Sizes none(5, node.size(0)), between = none;
        between[3] = node.size(stride - 1);
        term = node.pad(node.unsqueeze(term, {3}), zero, none, between);
        term = node.reshape(term, {sizes[0], sizes[2], spread, sizes[4]});
      }
      Sizes low(4, node.size(0)), high = low;
      low[2] = node.size(tap * dilations[i] - pads[i]);
      high[2] = node.sizes.simplify(image[i] - low[2] - spread);
      term = node.pad(term, zero, low, high);
      sum = sum ? node.binary<AddOp>(sum, term) : term;
    }
    return sum;
  }

  /// The same for as many taps as data says: each place of the image reads those windows that it is in, and a zero in
  /// place of the others.
  Value foldAxisByData(Value x, size_t i) {
    Type i64 = node.builder.getI64Type();
    Sizes sizes = node.sizesOf(x), places = {image[i], sizes[1]};
    AffineExpr count = node.product({sizes[1], sizes[3]});
    Value rows = node.reshape(node.transpose(x, {0, 2, 1, 3, 4}), {sizes[0], sizes[2], count, sizes[4]});
    Sizes none(4, node.size(0)), one = none;
    one[2] = node.size(1);
    rows = node.pad(rows, node.scalar(0, elementOf(x)), none, one);
    Value tap = node.iota(places, 1, i64), at = node.binary<AddOp>(node.iota(places, 0, i64), double(pads[i]));
    at = node.binary<SubOp>(at, node.binary<MulOp>(tap, double(dilations[i])));
    Value window = node.binary<DivOp>(at, double(strides[i]));
    Value isInside = node.compare(Predicate::eq, node.binary<MulOp>(window, double(strides[i])), at);
    Value windows = numberOf(node, sizes[3]);
    isInside = node.binary<AndOp>(isInside, node.compare(Predicate::ge, at, 0.0));
    isInside = node.binary<AndOp>(isInside, node.compare(Predicate::lt, window, windows));
    Value place = node.binary<AddOp>(node.binary<MulOp>(tap, windows), window);
    place = node.select(isInside, place, numberOf(node, count));
    return node.reduce(Combiner::sum, take(node, rows, place, 2), {3});
  }

  /// Of what is written out tap by tap.
  static constexpr int64_t longest = 256;

  Node &node;
  SmallVector<int64_t> strides, dilations, pads;
  Sizes block, image;
  AffineExpr channels;
};

Results col2Im(Node &node) { return Fold(node).convert(); }
} // namespace

void onnx::addDataMovementConverters(ConverterTable &table) {
  table.add("Reshape", 1, 1, 1, reshapeAttribute, Accepts::tensors);
  table.add("Reshape", 5, 2, 2, reshape, Accepts::tensors);
  table.add("Flatten", 1, 1, 1, flatten, Accepts::tensors);
  table.add("Squeeze", 1, 1, 1, squeeze, Accepts::tensors);
  table.add("Squeeze", 13, 1, 2, squeeze, Accepts::tensors);
  table.add("Unsqueeze", 1, 1, 1, unsqueeze, Accepts::tensors);
  table.add("Unsqueeze", 13, 2, 2, unsqueeze, Accepts::tensors);
  table.add("Transpose", 1, 1, 1, transpose, Accepts::tensors);
  table.add("Expand", 8, 2, 2, expand, Accepts::tensors);
  table.add("Tile", 1, 3, 3, tileAlong, Accepts::tensors);
  table.add("Tile", 6, 2, 2, tile, Accepts::tensors);
  table.add("Concat", 1, 1, ConverterTable::variadic, concat, Accepts::tensors);
  table.add("Col2Im", 18, 3, 3, col2Im);
  table.add("DepthToSpace", 1, 1, 1, depthToSpace, Accepts::tensors);
  table.add("SpaceToDepth", 1, 1, 1, spaceToDepth, Accepts::tensors);
}

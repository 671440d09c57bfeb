//===- SupportVectors.cpp - Models of support vectors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Loop.h"
#include "MachineLearning.h"

#include <algorithm>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// Rows of numbers, and how near each is to support vectors; without those there are coefficients of features.
class SupportVectors {
public:
  explicit SupportVectors(Node &node)
      : node(node), coefficients(numbersOf(node, "coefficients")), rho(numbersOf(node, "rho")),
        f32(node.builder.getF32Type()) {
    rows = node.cast(node[0], f32);
    if (rankOf(rows) == 1)
      rows = node.unsqueeze(rows, {0});
    if (rankOf(rows) != 2 || coefficients.empty() || rho.empty())
      node.error() << "expects rows of numbers, coefficients and rho, but has " << typeOf(node[0]) << ", "
                   << coefficients.size() << " and " << rho.size();
  }

  AffineExpr count() { return node.sizeOf(rows, 0); }

  /// `[N, vectors]`; null after an error.
  Value kernels(int64_t vectors) {
    SmallVector<double> numbers = numbersOf(node, "support_vectors");
    SmallVector<double> parameters = numbersOf(node, "kernel_params");
    parameters.resize(3);
    StringRef kind = node.string("kernel_type", "LINEAR");
    if (numbers.empty() || numbers.size() % vectors != 0) {
      node.error() << "expects " << vectors << " support vectors, but has " << numbers.size() << " numbers";
      return {};
    }
    int64_t features = numbers.size() / vectors;
    if (!expectFeatures(features))
      return {};
    Value table = node.reshape(node.numbersConstant(numbers, f32), {node.size(vectors), node.size(features)});
    double gamma = parameters[0], offset = parameters[1], degree = parameters[2];
    if (kind == "RBF") {
      Sizes pairs = {count(), node.size(vectors), node.size(features)};
      Value difference = node.binary<SubOp>(node.broadcast(rows, {0, 2}, pairs), node.broadcast(table, {1, 2}, pairs));
      Value distance = node.reduce(Combiner::sum, node.binary<MulOp>(difference, difference), {2});
      return node.unary<ExpOp>(node.binary<MulOp>(distance, -gamma));
    }
    Value product = multiplied(table);
    if (kind == "LINEAR")
      return product;
    Value moved = node.binary<AddOp>(node.binary<MulOp>(product, gamma), offset);
    if (kind == "SIGMOID")
      return node.unary<TanhOp>(moved);
    if (kind == "POLY")
      return node.binary<PowOp>(moved, degree);
    node.error() << "expects kernel_type LINEAR, POLY, RBF or SIGMOID, but has '" << kind << "'";
    return {};
  }

  /// `[N, outputs]` of coefficients for each of them; null after an error.
  Value linear(int64_t outputs) {
    if (coefficients.size() % outputs != 0)
      node.error() << "expects coefficients for each of " << outputs << " results, but has " << coefficients.size();
    int64_t features = coefficients.size() / outputs;
    if (node.hasFailed() || !expectFeatures(features))
      return {};
    Value table = node.reshape(node.numbersConstant(coefficients, f32), {node.size(outputs), node.size(features)});
    return node.binary<AddOp>(multiplied(table), rho.front());
  }

  Node &node;
  SmallVector<double> coefficients, rho;
  Type f32;

private:
  bool expectFeatures(int64_t features) {
    AffineExpr width = node.sizeOf(rows, 1);
    if (isStatic(width) && !isStatic(width, features))
      node.error() << "expects " << features << " features, but has " << typeOf(rows);
    else
      node.expectEqual(width, node.size(features), (node.name() + " has rows of another number of features").str());
    return !node.hasFailed();
  }

  Value multiplied(Value table) { return node.contract(rows, table, 3, {0, 1}, {2, 1}, {0, 2}, f32); }

  Value rows;
};

/// A sum, or with `one_class` whether it is positive, as 1 or -1.
Results svmRegressor(Node &node) {
  SupportVectors model(node);
  int64_t vectors = node.integer("n_supports", 0);
  StringRef transform = node.string("post_transform", "NONE");
  if (node.hasFailed())
    return failure();
  // There is nothing to compare one number with, and ONNX Runtime transforms it as little.
  if (transform != "NONE" && !transform.starts_with("SOFTMAX"))
    return node.unsupported() << "post_transform " << transform << " of a regression; apply it behind the model";
  Value y;
  if (vectors > 0) {
    Value kernels = model.kernels(vectors);
    if (!kernels)
      return failure();
    if ((int64_t)model.coefficients.size() != vectors)
      return node.error() << "expects " << vectors << " coefficients, but has " << model.coefficients.size();
    Value weights =
        node.reshape(node.numbersConstant(model.coefficients, model.f32), {node.size(vectors), node.size(1)});
    y = node.contract(kernels, weights, 3, {0, 1}, {1, 2}, {0, 2}, model.f32);
    y = node.binary<AddOp>(y, model.rho.front());
  } else {
    y = model.linear(1);
  }
  if (!y || !node.flag("one_class"))
    return y ? Results(y) : Results(failure());
  return node.select(node.compare(Predicate::gt, y, 0.0), node.splat(1, y), node.splat(-1, y));
}

//===----------------------------------------------------------------------===//
// Classification
//===----------------------------------------------------------------------===//

class SvmClassifier {
public:
  SvmClassifier(Node &node, ClassLabels &labels)
      : node(node), labels(labels), model(node), classes(labels.count), pairs(classes * (classes - 1) / 2) {}

  Results convert() {
    perClass = node.integers("vectors_per_class").value_or(perClass);
    if (node.hasFailed())
      return failure();
    int64_t vectors = 0;
    for (int64_t each : perClass) {
      if (each < 0)
        return node.error() << "expects counts in vectors_per_class, but has " << each;
      vectors += each;
    }
    StringRef transform = node.string("post_transform", "NONE");
    Value scores, best;
    if (vectors == 0) {
      scores = model.linear(classes);
      best = scores ? largest(scores) : Value();
    } else {
      scores = decide(vectors);
      best = scores ? largest(votes(scores)) : Value();
      if (scores && node.hasAttribute("prob_a"))
        scores = probabilities(scores);
    }
    if (!scores)
      return failure();
    if (typeOf(scores).getDimSize(1) > 1)
      scores = transformedScores(node, scores, transform);
    else
      scores = bothOf(scores, transform);
    return node.hasFailed() ? Results(failure()) : Results({labels.at(node, best), scores});
  }

private:
  Value largest(Value scores) {
    return ArgReduceOp::create(node.builder, node.loc, node.typeFor(node.builder.getI64Type(), {model.count()}),
                               Combiner::max, scores, 1, /*last=*/false);
  }

  /// Of each pair of classes whether the first is it: `[N, pairs]`, positive where it is.
  Value decide(int64_t vectors) {
    if ((int64_t)perClass.size() != classes || classes < 2 ||
        (int64_t)model.coefficients.size() != (classes - 1) * vectors || (int64_t)model.rho.size() != pairs) {
      node.error() << "expects counts of vectors for each of " << classes << " classes, " << (classes - 1) * vectors
                   << " coefficients and " << pairs << " numbers in rho, but has " << perClass.size() << ", "
                   << model.coefficients.size() << " and " << model.rho.size();
      return {};
    }
    Value kernels = model.kernels(vectors);
    if (!kernels)
      return {};
    // What a pair doesn't ask has a weight of zero.
    SmallVector<double> weights(vectors * pairs);
    SmallVector<int64_t> starts = {0};
    for (int64_t each : perClass)
      starts.push_back(starts.back() + each);
    int64_t pair = 0;
    for (int64_t i = 0; i < classes; ++i)
      for (int64_t j = i + 1; j < classes; ++j, ++pair) {
        for (int64_t v = starts[i]; v < starts[i + 1]; ++v)
          weights[v * pairs + pair] = model.coefficients[(j - 1) * vectors + v];
        for (int64_t v = starts[j]; v < starts[j + 1]; ++v)
          weights[v * pairs + pair] = model.coefficients[i * vectors + v];
      }
    Value table = node.reshape(node.numbersConstant(weights, model.f32), {node.size(vectors), node.size(pairs)});
    Value sums = node.contract(kernels, table, 3, {0, 1}, {1, 2}, {0, 2}, model.f32);
    return node.binary<AddOp>(sums, node.along(node.numbersConstant(model.rho, model.f32), 1, sums));
  }

  /// How many pairs each class wins.
  Value votes(Value scores) {
    SmallVector<double> first(pairs * classes), second(pairs * classes);
    int64_t pair = 0;
    for (int64_t i = 0; i < classes; ++i)
      for (int64_t j = i + 1; j < classes; ++j, ++pair) {
        first[pair * classes + i] = 1;
        second[pair * classes + j] = 1;
      }
    Value isFirst = node.cast(node.compare(Predicate::gt, scores, 0.0), model.f32);
    Value isSecond = node.binary<SubOp>(node.splat(1, isFirst), isFirst);
    auto count = [&](Value won, ArrayRef<double> table) {
      Value matrix = node.reshape(node.numbersConstant(table, model.f32), {node.size(pairs), node.size(classes)});
      return node.contract(won, matrix, 3, {0, 1}, {1, 2}, {0, 2}, model.f32);
    };
    return node.binary<AddOp>(count(isFirst, first), count(isSecond, second));
  }

  /// "Probability Estimates for Multi-class Classification by Pairwise Coupling" (Wu, Lin, Weng, 2004), algorithm 2, as
  /// LIBSVM does it: rows that have converged stay.
  Value probabilities(Value scores) {
    SmallVector<double> a = numbersOf(node, "prob_a"), b = numbersOf(node, "prob_b");
    if ((int64_t)a.size() != pairs || (int64_t)b.size() != pairs) {
      node.error() << "expects prob_a and prob_b for each of " << pairs << " pairs, but has " << a.size() << " and "
                   << b.size();
      return {};
    }
    constexpr double least = 1e-7;
    auto along = [&](ArrayRef<double> numbers) {
      return node.along(node.numbersConstant(numbers, model.f32), 1, scores);
    };
    Value won = node.binary<AddOp>(node.binary<MulOp>(scores, along(a)), along(b));
    won = node.clamp(node.unary<SigmoidOp>(node.unary<NegOp>(won)), least, 1 - least);
    Value lost = node.binary<SubOp>(node.splat(1, won), won);
    auto numberOf = [&](int64_t i, int64_t j) { return i * classes - i * (i + 1) / 2 + j - i - 1; };
    auto column = [&](Value x, int64_t i) { return node.slice(x, 1, node.size(i), node.size(1)); };
    auto over = [&](int64_t i, int64_t j) {
      return i < j ? column(won, numberOf(i, j)) : column(lost, numberOf(j, i));
    };
    // Rows of `[N, classes, classes]`.
    SmallVector<Value> rows;
    for (int64_t i = 0; i < classes; ++i) {
      SmallVector<Value> row(classes);
      for (int64_t j = 0; j < classes; ++j) {
        if (i == j)
          continue;
        Value other = over(j, i), square = node.binary<MulOp>(other, other);
        row[i] = row[i] ? node.binary<AddOp>(row[i], square) : square;
        row[j] = node.unary<NegOp>(node.binary<MulOp>(other, over(i, j)));
      }
      rows.push_back(node.concat(row, 1));
    }
    SmallVector<Value> stacked;
    for (Value row : rows)
      stacked.push_back(node.unsqueeze(row, {1}));
    Value matrix = node.concat(stacked, 1);
    Sizes sizes = {model.count(), node.size(classes)};
    Value even = node.broadcast(node.scalar(1.0 / classes, model.f32), {}, sizes);
    auto body = [&](Value, ArrayRef<Value> carried) -> std::optional<LoopBuilder::Yielded> {
      Value p = carried.front(), q = node.contract(matrix, p, 3, {0, 1, 2}, {0, 2}, {0, 1}, model.f32);
      Value whole = node.reduce(Combiner::sum, node.binary<MulOp>(p, q), {1}, /*keepDims=*/true);
      Value error = node.unary<AbsOp>(node.binary<SubOp>(q, node.broadcastTo(whole, sizes)));
      error = node.reduce(Combiner::max, error, {1}, /*keepDims=*/true);
      Value isOpen = node.compare(Predicate::ge, error, 0.005 / classes), old = p;
      for (int64_t i = 0; i < classes; ++i) {
        Value own = column(rows[i], i), there = column(q, i);
        Value step = node.binary<DivOp>(node.binary<SubOp>(whole, there), own);
        Value grown = node.binary<AddOp>(step, 1.0), all = node.broadcastTo(grown, sizes);
        Value more = node.binary<AddOp>(node.binary<MulOp>(step, own), node.binary<MulOp>(there, 2.0));
        whole = node.binary<AddOp>(whole, node.binary<MulOp>(step, more));
        whole = node.binary<DivOp>(whole, node.binary<MulOp>(grown, grown));
        q = node.binary<AddOp>(q, node.binary<MulOp>(node.broadcastTo(step, sizes), rows[i]));
        q = node.binary<DivOp>(q, all);
        Value at = node.broadcast(oneAt(i), {1}, sizes);
        p = node.binary<AddOp>(p, node.binary<MulOp>(node.broadcastTo(step, sizes), at));
        p = node.binary<DivOp>(p, all);
      }
      p = node.select(node.broadcastTo(isOpen, sizes), p, old);
      Value goesOn = node.reduce(Combiner::max, node.cast(isOpen, node.builder.getI32Type()), {0, 1});
      if (node.hasFailed())
        return std::nullopt;
      return LoopBuilder::Yielded{node.cast(goesOn, node.builder.getI1Type()), {p}, {}};
    };
    Value most = node.scalarInteger(std::max<int64_t>(100, classes), node.builder.getI64Type());
    auto values = LoopBuilder(node, {even}).build(most, node.boolean(true), body);
    return values ? values->front() : Value();
  }

  Value oneAt(int64_t i) {
    SmallVector<double> numbers(classes);
    numbers[i] = 1;
    return node.numbersConstant(numbers, model.f32);
  }

  /// A score for the first of two classes as one for each of them, as ONNX Runtime has them.
  Value bothOf(Value score, StringRef transform) {
    if (transform == "PROBIT") {
      node.unsupported() << "post_transform PROBIT of one score for two classes";
      return score;
    }
    Value other = node.unary<NegOp>(score);
    if (transform == "LOGISTIC")
      return node.unary<SigmoidOp>(node.concat({other, score}, 1));
    return node.concat({transform == "NONE" ? other : node.binary<AddOp>(other, 1.0), score}, 1);
  }

  Node &node;
  ClassLabels &labels;
  SupportVectors model;
  int64_t classes, pairs;
  SmallVector<int64_t> perClass;
};

Results svmClassifier(Node &node) {
  auto labels = ClassLabels::of(node);
  return labels ? SvmClassifier(node, *labels).convert() : Results(failure());
}
} // namespace

void onnx::addSupportVectorConverters(ConverterTable &table) {
  table.add("ai.onnx.ml.SVMClassifier", 1, 1, 1, svmClassifier);
  table.add("ai.onnx.ml.SVMRegressor", 1, 1, 1, svmRegressor);
}

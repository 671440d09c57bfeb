//===- Normalization.cpp - ONNX operators that normalise ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Normalization.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

Value onnx::normalize(Node &node, Value x, ArrayRef<int64_t> dims, double epsilon, bool rms) {
  return NormalizeOp::create(node.builder, node.loc, x.getType(), x, dims, APFloat(epsilon), rms);
}

SmallVector<int64_t> onnx::dimsFrom(int64_t first, Value x) {
  return llvm::to_vector(llvm::seq<int64_t>(first, rankOf(x)));
}

Value onnx::meanOf(Node &node, Value x, ArrayRef<int64_t> dims) {
  return node.reduce(Combiner::mean, node.cast(x, node.builder.getF32Type()), dims, /*keepDims=*/true);
}

Value onnx::inverseDeviation(Node &node, Value x, ArrayRef<int64_t> dims, double epsilon, bool rms) {
  x = node.cast(x, node.builder.getF32Type());
  if (!rms)
    x = node.binary<SubOp>(x, node.broadcastTo(meanOf(node, x, dims), node.sizesOf(x)));
  Value variance = node.reduce(Combiner::mean, node.binary<MulOp>(x, x), dims, /*keepDims=*/true);
  return node.unary<RsqrtOp>(node.binary<AddOp>(variance, epsilon));
}

Value onnx::normalizeGroups(Node &node, Value x, int64_t groups, Value scale, Value bias, double epsilon,
                            bool perGroup) {
  AffineExpr channels = node.sizeOf(x, 1);
  if (groups < 1 || (isStatic(channels) && SizeAnalysis::staticSize(channels) % groups != 0)) {
    node.error() << "expects groups that divide the channels, but has " << groups;
    return {};
  }
  Sizes sizes = node.sizesOf(x);
  Sizes grouped = {sizes[0], node.size(groups), node.quotient(channels, node.size(groups))};
  grouped.append(sizes.begin() + 2, sizes.end());
  Value y = node.reshape(x, grouped);
  y = normalize(node, y, dimsFrom(2, y), epsilon);
  if (!perGroup)
    y = node.reshape(y, sizes);
  y = node.binary<MulOp>(y, node.along(scale, 1, y));
  y = node.binary<AddOp>(y, node.along(bias, 1, y));
  return node.reshape(y, sizes);
}

namespace {
/// Whether these operands are vectors.
bool areVectors(Node &node, ArrayRef<size_t> operands) {
  for (size_t i : operands)
    if (rankOf(node[i]) != 1) {
      node.error() << "expects a vector as operand " << i << ", but has " << typeOf(node[i]);
      return false;
    }
  return true;
}

/// (x - mean) / sqrt(variance + epsilon) * scale + bias as x * s + t, with s and t that don't depend on x: one of each
/// per channel, or before version 9 with `spatial = 0` one per element of a batch entry. In training mean and variance
/// are those of x, and what the node keeps of them is a result.
class BatchNormalization {
public:
  explicit BatchNormalization(Node &node)
      : node(node), x(node[0]), channels(rankOf(node[0]) == 1 ? 0 : 1), isPerElement(!node.flag("spatial", true)) {
    if (node.version() < 7)
      isTraining = !node.flag("is_test");
    else if (node.version() < 14)
      isTraining = node.isUsed(1) || node.isUsed(2) || node.isUsed(3) || node.isUsed(4);
    else
      isTraining = node.flag("training_mode");
  }

  Results convert() {
    int64_t rank = isPerElement ? rankOf(x) - 1 : 1;
    for (size_t i : {1, 2, 3, 4})
      if (rankOf(x) < 1 || rankOf(node[i]) != rank)
        return node.error() << "expects an operand of rank 1 or more, and tensors of rank " << rank
                            << " as operands 1 to 4, but has " << typeOf(x) << " and " << typeOf(node[i]);
    for (size_t i = 1; i < node.op->getNumResults(); ++i)
      if (node.isUsed(i) && !isTraining)
        return node.unsupported() << "statistics as results outside of training";
    Value mean = node[3], variance = node[4];
    statistics = elementOf(variance);
    if (isTraining)
      measure(mean, variance);
    Value divisor = node.unary<SqrtOp>(node.binary<AddOp>(variance, node.number("epsilon", 1e-5f)));
    Value scale = node.binary<DivOp>(node.cast(node[1], statistics), divisor);
    Value shift =
        node.binary<SubOp>(node.cast(node[2], statistics), node.binary<MulOp>(node.cast(mean, statistics), scale));
    Value wide = node.cast(x, statistics);
    Value y = node.binary<AddOp>(node.binary<MulOp>(wide, spread(scale)), spread(shift));
    y = node.cast(y, elementOf(x));
    if (!isTraining)
      return y;
    return {y, running(3, mean), running(4, variance), node.cast(mean, elementOf(node[3])),
            node.cast(variance, elementOf(node[4]))};
  }

private:
  /// Of all but the channels.
  void measure(Value &mean, Value &variance) {
    SmallVector<int64_t> dims;
    for (int64_t dim = 0; dim < rankOf(x); ++dim)
      if (isPerElement ? dim == 0 : dim != channels)
        dims.push_back(dim);
    Value wide = node.cast(x, statistics);
    mean = node.reduce(Combiner::mean, wide, dims);
    Value away = node.binary<SubOp>(wide, spread(mean));
    variance = node.reduce(Combiner::mean, node.binary<MulOp>(away, away), dims);
  }

  /// The statistics of each element.
  Value spread(Value x) {
    int64_t first = isPerElement ? 1 : channels;
    return node.broadcast(x, llvm::to_vector(llvm::seq<int64_t>(first, first + rankOf(x))), node.sizesOf(this->x));
  }

  Value running(size_t operand, Value current) {
    double momentum = node.number("momentum", 0.9f);
    Value kept = node.binary<MulOp>(node[operand], momentum);
    return node.binary<AddOp>(kept, node.binary<MulOp>(node.cast(current, elementOf(node[operand])), 1 - momentum));
  }

  Node &node;
  Value x;
  int64_t channels;
  bool isPerElement, isTraining = false;
  Type statistics;
};

Results batchNormalization(Node &node) { return BatchNormalization(node).convert(); }

Results layerNormalization(Node &node) {
  Value x = node[0];
  int64_t axis = node.dimension(node.integer("axis", -1), rankOf(x));
  double epsilon = node.number("epsilon", 1e-5f);
  if (node.hasFailed())
    return failure();
  SmallVector<int64_t> dims = dimsFrom(axis, x);
  Value y = normalize(node, x, dims, epsilon);
  y = node.binary<MulOp>(y, node.broadcastTo(node[1], node.sizesOf(x)));
  if (node.has(2))
    y = node.binary<AddOp>(y, node.broadcastTo(node[2], node.sizesOf(x)));
  return {y, node.isUsed(1) ? meanOf(node, x, dims) : Value(),
          node.isUsed(2) ? inverseDeviation(node, x, dims, epsilon) : Value()};
}

Results rmsNormalization(Node &node) {
  Value x = node[0];
  int64_t axis = node.dimension(node.integer("axis", -1), rankOf(x));
  if (node.hasFailed())
    return failure();
  // The scale's element type is the result's: what is normalised is rounded to it once.
  Type element = elementOf(node[1]);
  if (element != elementOf(x) && elementOf(x).getIntOrFloatBitWidth() < 32)
    x = node.cast(x, node.builder.getF32Type());
  Value y = node.cast(normalize(node, x, dimsFrom(axis, x), node.number("epsilon", 1e-5f), /*rms=*/true), element);
  return node.binary<MulOp>(y, node.broadcastTo(node[1], node.sizesOf(x)));
}

Results instanceNormalization(Node &node) {
  Value x = node[0];
  if (rankOf(x) < 3 || !areVectors(node, {1, 2}))
    return node.error() << "expects an operand of rank 3 or more, but has " << typeOf(x);
  Value y = normalize(node, x, dimsFrom(2, x), node.number("epsilon", 1e-5f));
  y = node.binary<MulOp>(y, node.along(node[1], 1, x));
  return node.binary<AddOp>(y, node.along(node[2], 1, x));
}

/// Scale and bias are per group before version 21, then per channel.
Results groupNormalization(Node &node) {
  Value x = node[0];
  if (rankOf(x) < 2 || !areVectors(node, {1, 2}))
    return node.error() << "expects an operand of rank 2 or more, but has " << typeOf(x);
  Value y = normalizeGroups(node, x, node.integer("num_groups", 0), node[1], node[2], node.number("epsilon", 1e-5f),
                            /*perGroup=*/node.version() < 21);
  return y ? Results(y) : Results(failure());
}

/// (x - mean) / (deviation + 1e-9), as the standard's function body.
Results meanVarianceNormalization(Node &node) {
  Value x = node[0];
  SmallVector<int64_t> dims = node.dimensions(node.integers("axes").value_or(SmallVector<int64_t>{0, 2, 3}), rankOf(x));
  if (node.hasFailed())
    return failure();
  Value mean = node.reduce(Combiner::mean, x, dims, /*keepDims=*/true);
  Value centred = node.binary<SubOp>(x, node.broadcastTo(mean, node.sizesOf(x)));
  Value variance = node.reduce(Combiner::mean, node.binary<MulOp>(centred, centred), dims, /*keepDims=*/true);
  Value deviation = node.binary<AddOp>(node.unary<SqrtOp>(variance), 1e-9);
  return node.binary<DivOp>(centred, node.broadcastTo(deviation, node.sizesOf(x)));
}

/// x / (bias + alpha / size * sum of squares over neighbouring channels)^beta
Results localResponse(Node &node) {
  Value x = node[0];
  int64_t reach = node.integer("size", 0), rank = rankOf(x);
  if (reach < 1 || rank < 2)
    return node.error() << "expects a positive size and an operand of rank 2 or more, but has " << reach << " and "
                        << typeOf(x);
  double alpha = node.number("alpha", 1e-4f), beta = node.number("beta", 0.75), bias = node.number("bias", 1);
  SmallVector<int64_t> sizes(rank - 1, 1), ones(rank - 1, 1), pads(2 * (rank - 1), 0);
  sizes[0] = reach;
  pads[0] = (reach - 1) / 2;
  pads[rank - 1] = reach - 1 - pads[0];
  Value squares = node.sized<WindowOp>(rank, elementOf(x), Combiner::sum, node.binary<MulOp>(x, x), sizes, ones, ones,
                                       pads, /*ceil=*/false, /*count_pads=*/false);
  if (!squares)
    return failure();
  Value base = node.binary<AddOp>(node.binary<MulOp>(squares, alpha / reach), bias);
  return node.binary<DivOp>(x, node.binary<PowOp>(base, beta));
}

//===----------------------------------------------------------------------===//
// Softmax and its relatives
//===----------------------------------------------------------------------===//

/// One axis; before version 13 all from `axis` on.
std::optional<SmallVector<int64_t>> softmaxDims(Node &node) {
  Value x = node[0];
  bool flattens = node.version() < 13;
  int64_t axis = node.integer("axis", flattens ? 1 : -1);
  if (flattens && axis == rankOf(x)) // nothing is left: each element on its own
    return SmallVector<int64_t>();
  int64_t dim = node.dimension(axis, rankOf(x));
  if (node.hasFailed())
    return std::nullopt;
  return flattens ? dimsFrom(dim, x) : SmallVector<int64_t>{dim};
}

template <bool log> Results softmax(Node &node) {
  auto dims = softmaxDims(node);
  if (!dims)
    return failure();
  return SoftmaxOp::create(node.builder, node.loc, node[0].getType(), node[0], *dims, log).getResult();
}

/// 1 at the first of the largest elements, 0 elsewhere.
Results hardmax(Node &node) {
  auto dims = softmaxDims(node);
  if (!dims)
    return failure();
  Value x = node[0];
  Sizes sizes = node.sizesOf(x), flat = sizes;
  if (dims->empty())
    return node.splat(1, x);
  flat.resize(dims->front() + 1);
  flat[dims->front()] = node.product(ArrayRef(sizes).slice(dims->front(), dims->size()));
  flat.append(sizes.begin() + dims->back() + 1, sizes.end());
  int64_t dim = dims->front();
  Value rows = node.reshape(x, flat);
  // There may be no element, which has no place; NaN counts as the largest.
  Type i64 = node.builder.getI64Type();
  Value largest = node.broadcastTo(node.reduce(Combiner::max, rows, {dim}, /*keepDims=*/true), flat);
  Value isLargest = node.compare(Predicate::eq, rows, largest);
  Value isNan = IsNanOp::create(node.builder, node.loc, typeOf(rows).clone(node.builder.getI1Type()), rows);
  Value place = node.iota(flat, dim, i64), none = node.splat(double(1LL << 62), place);
  Value places = node.select(node.binary<OrOp>(isLargest, isNan), place, none);
  Value first = node.broadcastTo(node.reduce(Combiner::min, places, {dim}, /*keepDims=*/true), flat);
  return node.reshape(node.cast(node.compare(Predicate::eq, place, first), elementOf(x)), sizes);
}
} // namespace

void onnx::addNormalizationConverters(ConverterTable &table) {
  table.add("BatchNormalization", 1, 5, 5, batchNormalization);
  // ONNX Runtime's fusions write it at any version.
  table.add("LayerNormalization", 1, 2, 3, layerNormalization);
  table.add("RMSNormalization", 23, 2, 2, rmsNormalization);
  table.add("InstanceNormalization", 1, 3, 3, instanceNormalization);
  table.add("GroupNormalization", 18, 3, 3, groupNormalization);
  table.add("MeanVarianceNormalization", 9, 1, 1, meanVarianceNormalization);
  table.add("LRN", 1, 1, 1, localResponse);
  table.add("Softmax", 1, 1, 1, softmax<false>);
  table.add("LogSoftmax", 1, 1, 1, softmax<true>);
  table.add("Hardmax", 1, 1, 1, hardmax);
}

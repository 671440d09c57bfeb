//===- MicrosoftArrays.cpp - ONNX Runtime's operators on arrays of any kind ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Contraction.h"
#include "Indexing.h"
#include "Microsoft.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
Results expandDims(Node &node) {
  auto axis = node.constantIntegers(node[1]);
  if (!axis || axis->size() != 1)
    return node.unsupported() << "an axis that is not known when compiling";
  int64_t dim = node.dimension(axis->front(), rankOf(node[0]) + 1);
  return node.hasFailed() ? Results(failure()) : Results(node.unsqueeze(node[0], {dim}));
}

/// Windows of `size` along one dimension, `step` apart, as a last dimension.
Results unfoldTensor(Node &node) {
  Value x = node[0];
  int64_t dim = node.dimension(node.integer("dim", -1), rankOf(x));
  int64_t size = node.integer("size", 0), step = node.integer("step", 1);
  if (size < 1 || step < 1)
    return node.error() << "expects a positive size and step, but has " << size << " and " << step;
  if (node.hasFailed())
    return failure();
  Type i64 = node.builder.getI64Type();
  AffineExpr count = node.sizes.simplify((node.sizeOf(x, dim) - size).floorDiv(step) + 1);
  Sizes windows = {node.largest(count, node.size(0)), node.size(size)};
  Value place =
      node.binary<AddOp>(node.binary<MulOp>(node.iota(windows, 0, i64), double(step)), node.iota(windows, 1, i64));
  return node.moveDim(take(node, x, place, dim), dim + 1, rankOf(x));
}

Results torchEmbedding(Node &node) { return take(node, node[0], node[1], 0); }

Results sample(Node &node) { return node[0]; }

/// Distances between the rows of two matrices.
Results distances(Node &node) {
  StringRef metric = node.string("metric", "sqeuclidean");
  if (metric != "sqeuclidean" && metric != "euclidean")
    return node.unsupported() << "the metric '" << metric << "'";
  if (rankOf(node[0]) != 2 || rankOf(node[1]) != 2)
    return node.error() << "expects matrices, but has " << typeOf(node[0]) << " and " << typeOf(node[1]);
  Sizes pairs = {node.sizeOf(node[0], 0), node.sizeOf(node[1], 0), node.sizeOf(node[0], 1)};
  Value apart = node.binary<SubOp>(node.broadcast(node[0], {0, 2}, pairs), node.broadcast(node[1], {1, 2}, pairs));
  Value y = node.reduce(Combiner::sum, node.binary<MulOp>(apart, apart), {2});
  return metric == "euclidean" ? node.unary<SqrtOp>(y) : y;
}

/// Whether no element of any operand is NaN or infinite, or one of both.
Results isAllFinite(Node &node) {
  bool onlyInfinite = node.flag("isinf_only"), onlyNan = node.flag("isnan_only");
  Type i1 = node.builder.getI1Type(), i32 = node.builder.getI32Type();
  Value result;
  for (Value x : node.all()) {
    Value isNan = IsNanOp::create(node.builder, node.loc, typeOf(x).clone(i1), x);
    Value isInfinite = node.compare(Predicate::eq, node.unary<AbsOp>(x), std::numeric_limits<double>::infinity());
    Value isBad = onlyInfinite ? isInfinite : onlyNan ? isNan : node.binary<OrOp>(isNan, isInfinite);
    SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
    Value isFine = node.compare(Predicate::eq, node.reduce(Combiner::sum, node.cast(isBad, i32), all), 0.0);
    result = result ? node.binary<AndOp>(result, isFine) : isFine;
  }
  return result;
}

/// Products of complex numbers, whose parts are the last dimension; with `conjugate` of the second operand's
/// conjugate.
template <bool conjugate> Results complexProduct(Node &node) {
  SmallVector<Value> values(node.all());
  if (rankOf(values[0]) < 1 || typeOf(values[0]).getShape().back() != 2)
    return node.error() << "expects a last dimension of 2, but has " << typeOf(values[0]);
  if (!node.broadcastAll(values))
    return failure();
  int64_t last = rankOf(values[0]) - 1;
  auto part = [&](Value x, int64_t i) { return node.slice(x, last, node.size(i), node.size(1)); };
  auto product = [&](int64_t i, int64_t j) { return node.binary<MulOp>(part(values[0], i), part(values[1], j)); };
  Value real =
      conjugate ? node.binary<AddOp>(product(0, 0), product(1, 1)) : node.binary<SubOp>(product(0, 0), product(1, 1));
  Value imaginary =
      conjugate ? node.binary<SubOp>(product(1, 0), product(0, 1)) : node.binary<AddOp>(product(0, 1), product(1, 0));
  return node.concat({real, imaginary}, last);
}

//===----------------------------------------------------------------------===//
// Hashes
//===----------------------------------------------------------------------===//

/// MurmurHash3 for 32 bits (Appleby, 2011) of the bytes of each integer, in blocks of 4.
Results murmurHash(Node &node) {
  Value x = node[0];
  auto type = dyn_cast<IntegerType>(elementOf(x));
  if (!type || type.getWidth() < 32)
    return node.unsupported() << "hashes of " << elementOf(x) << "; hash integers of 32 or 64 bits";
  Type ui32 = node.builder.getIntegerType(32, /*isSigned=*/false), ui64 = node.builder.getIntegerType(64, false);
  auto rotated = [&](Value x, int64_t by) {
    Value high = node.binary<ShlOp>(x, double(by)), low = node.binary<ShrOp>(x, double(32 - by));
    return node.binary<OrOp>(high, low);
  };
  auto mixed = [&](Value x, int64_t by) { return node.binary<XorOp>(x, node.binary<ShrOp>(x, double(by))); };
  Value hash = node.broadcast(node.scalarInteger(node.integer("seed", 0), ui32), {}, node.sizesOf(x));
  for (int64_t block = 0; block < type.getWidth() / 32; ++block) {
    Value bits = x;
    if (block > 0)
      bits = node.binary<ShrOp>(node.cast(x, ui64), 32.0);
    bits = rotated(node.binary<MulOp>(node.cast(bits, ui32), double(0xcc9e2d51)), 15);
    hash = rotated(node.binary<XorOp>(hash, node.binary<MulOp>(bits, double(0x1b873593))), 13);
    hash = node.binary<AddOp>(node.binary<MulOp>(hash, 5.0), double(0xe6546b64));
  }
  hash = mixed(node.binary<XorOp>(hash, double(type.getWidth() / 8)), 16);
  hash = mixed(node.binary<MulOp>(hash, double(0x85ebca6b)), 13);
  hash = mixed(node.binary<MulOp>(hash, double(0xc2b2ae35)), 16);
  return node.flag("positive", true) ? hash : node.cast(hash, node.builder.getI32Type());
}

//===----------------------------------------------------------------------===//
// Pools with a mask
//===----------------------------------------------------------------------===//

/// The largest of each window; in each row of a window nothing counts from the first place on that the mask
/// hides. It doesn't hide the first place of an image.
Results maxPoolWithMask(Node &node) {
  Value x = node[0], mask = node[1];
  int64_t rank = rankOf(x), spatial = rank - 2;
  auto kernel = node.integers("kernel_shape");
  if (rank < 3 || rankOf(mask) != rank || !kernel || (int64_t)kernel->size() != spatial)
    return node.error() << "expects images and a mask of their rank, and a kernel_shape for the spatial "
                           "dimensions, but has "
                        << typeOf(x) << " and " << typeOf(mask);
  constexpr double least = std::numeric_limits<float>::lowest();
  auto windows = windowsOf(node, x, node.constants(*kernel), least);
  if (!windows || node.hasFailed())
    return failure();
  Value isSeen = node.compare(Predicate::ne, mask, 0.0), isOrigin;
  for (int64_t dim = 2; spatial > 1 && dim < rank; ++dim) {
    Value isFirst = node.compare(Predicate::eq, node.iota(node.sizesOf(mask), dim, node.builder.getI64Type()), 0.0);
    isOrigin = isOrigin ? node.binary<AndOp>(isOrigin, isFirst) : isFirst;
  }
  if (isOrigin)
    isSeen = node.binary<OrOp>(isSeen, isOrigin);
  isSeen = node.broadcastTo(isSeen, node.sizesOf(node[0]));
  Sizes low(rank, node.size(0)), high = low, offsets = low, sizes = node.sizesOf(x), strides(rank, node.size(1));
  for (int64_t i = 0; i < spatial; ++i) {
    low[i + 2] = node.size(windows->pads[i]);
    high[i + 2] = node.size(windows->pads[spatial + i]);
  }
  // Padding hides nothing, and is less than all.
  x = node.pad(x, node.scalar(least, elementOf(x)), low, high);
  for (int64_t dim = 2; dim < rank; ++dim) {
    AffineExpr grown = node.sizeOf(x, dim) - node.sizeOf(isSeen, dim) - low[dim];
    high[dim] = node.sizes.simplify(grown);
    strides[dim] = node.size(windows->strides[dim - 2]);
    sizes[dim] =
        node.sizes.simplify((node.sizeOf(x, dim) - (*kernel)[dim - 2]).floorDiv(windows->strides[dim - 2]) + 1);
  }
  isSeen = node.pad(isSeen, node.boolean(true), low, high);
  Value result, isRowSeen;
  int64_t taps = llvm::product_of(*kernel);
  for (int64_t tap = 0; tap < taps && !node.hasFailed(); ++tap) {
    int64_t rest = tap;
    for (int64_t dim = rank - 1; dim >= 2; rest /= (*kernel)[dim - 2], --dim)
      offsets[dim] = node.size(rest % (*kernel)[dim - 2]);
    Value isHere = node.slice(isSeen, offsets, sizes, strides);
    isRowSeen = tap % kernel->back() == 0 ? isHere : node.binary<AndOp>(isRowSeen, isHere);
    Value value = node.select(isRowSeen, node.slice(x, offsets, sizes, strides), node.scalar(least, elementOf(x)));
    result = result ? node.binary<MaxOp>(result, value) : value;
  }
  return result;
}
} // namespace

void onnx::addMicrosoftArrayConverters(ConverterTable &table) {
  table.add("com.microsoft.ExpandDims", 1, 2, 2, expandDims);
  table.add("com.microsoft.UnfoldTensor", 1, 1, 1, unfoldTensor);
  table.add("com.microsoft.TorchEmbedding", 1, 2, 4, torchEmbedding);
  table.add("com.microsoft.SampleOp", 1, 1, 1, sample);
  table.add("com.microsoft.CDist", 1, 2, 2, distances);
  table.add("com.microsoft.IsAllFinite", 1, 1, ConverterTable::variadic, isAllFinite);
  table.add("com.microsoft.ComplexMul", 1, 2, 2, complexProduct<false>);
  table.add("com.microsoft.ComplexMulConj", 1, 2, 2, complexProduct<true>);
  table.add("com.microsoft.MurmurHash3", 1, 1, 1, murmurHash);
  table.add("com.microsoft.MaxpoolWithMask", 1, 2, 2, maxPoolWithMask);
}

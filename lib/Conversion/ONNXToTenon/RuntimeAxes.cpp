//===- RuntimeAxes.cpp - Dimensions that are chosen at run time ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuntimeAxes.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

static constexpr const char *kDifferentAxes = "the axes aren't as many different dimensions of the operand";

//===----------------------------------------------------------------------===//
// NamedDims
//===----------------------------------------------------------------------===//

AffineExpr NamedDims::lookUp(AffineExpr index, ArrayRef<AffineExpr> table) {
  AffineExpr result = node.size(0);
  for (int64_t i = (int64_t)table.size() - 1; i >= 0; --i)
    result = node.choose(index, node.size(i), table[i], result);
  return result;
}

AffineExpr NamedDims::unnamedBefore(int64_t dim) {
  AffineExpr count = node.size(dim);
  for (AffineExpr isNamed : ArrayRef(named).take_front(dim))
    count = count - isNamed;
  return node.sizes.simplify(count);
}

Sizes NamedDims::drop(ArrayRef<AffineExpr> entries, int64_t kept) {
  Sizes result;
  for (int64_t i = 0; i < kept; ++i) {
    AffineExpr entry = node.size(0);
    for (int64_t dim = rank - 1; dim >= i; --dim) {
      AffineExpr place = node.choose(named[dim], node.size(1), node.size(-1), unnamedBefore(dim));
      entry = node.choose(place, node.size(i), entries[dim], entry);
    }
    result.push_back(entry);
  }
  return result;
}

Sizes NamedDims::insertOnes(ArrayRef<AffineExpr> entries) {
  Sizes result;
  for (int64_t dim = 0; dim < rank; ++dim)
    result.push_back(node.choose(named[dim], node.size(1), node.size(1), lookUp(unnamedBefore(dim), entries)));
  return result;
}

/// Each dimension becomes two, of which one has its size and the other 1: the first where it is named, else the second.
Value NamedDims::reduce(Combiner combiner, Value x) {
  Sizes apart;
  SmallVector<int64_t> dims;
  for (auto [extent, isNamed] : llvm::zip_equal(node.sizesOf(x), named)) {
    dims.push_back(apart.size());
    apart.push_back(node.choose(isNamed, node.size(1), extent, node.size(1)));
    apart.push_back(node.choose(isNamed, node.size(1), node.size(1), extent));
  }
  return node.reduce(combiner, node.reshape(x, apart), dims);
}

//===----------------------------------------------------------------------===//
// RuntimeAxes
//===----------------------------------------------------------------------===//

std::optional<RuntimeAxes> RuntimeAxes::read(Node &node, Value axes, int64_t rank, std::optional<int64_t> count) {
  auto stated = node.elements(axes, count);
  if (!stated)
    return std::nullopt;
  if ((int64_t)stated->size() > rank) {
    node.error() << "expects at most " << rank << " different axes, but has " << stated->size();
    return std::nullopt;
  }
  RuntimeAxes result(node, rank);
  for (AffineExpr axis : *stated)
    result.places.push_back(node.fromEnd(axis, node.size(rank)));
  // Of those outside of the tensor none is named, of equal ones one.
  AffineExpr total = node.size(0);
  for (int64_t dim = 0; dim < rank; ++dim) {
    AffineExpr isNamed = node.size(0);
    for (AffineExpr place : result.places)
      isNamed = node.choose(place, node.size(dim), node.size(1), isNamed);
    result.named.push_back(isNamed);
    total = total + isNamed;
  }
  node.expectEqual(node.sizes.simplify(total), node.size(result.count()), kDifferentAxes);
  return result;
}

AffineExpr RuntimeAxes::choose(size_t i, ArrayRef<AffineExpr> table) { return lookUp(places[i], table); }

Sizes RuntimeAxes::spread(ArrayRef<AffineExpr> perAxis, ArrayRef<AffineExpr> otherwise) {
  Sizes result(otherwise);
  for (auto [dim, entry] : llvm::enumerate(result))
    for (auto [place, chosen] : llvm::zip(places, perAxis))
      entry = node.choose(place, node.size(dim), chosen, entry);
  return result;
}

Value RuntimeAxes::around(Value x, ArrayRef<AffineExpr> sizes, size_t i, AffineExpr last) {
  Sizes before, behind;
  for (int64_t dim = 0; dim < rank; ++dim) {
    before.push_back(node.product(sizes.take_front(dim)));
    behind.push_back(node.product(sizes.drop_front(dim + 1)));
  }
  Sizes result = {choose(i, before), choose(i, sizes), choose(i, behind)};
  if (last)
    result.push_back(last);
  return node.reshape(x, result);
}

//===----------------------------------------------------------------------===//
// UncountedAxes
//===----------------------------------------------------------------------===//

std::optional<UncountedAxes> UncountedAxes::read(Node &node, Value axes, int64_t rank) {
  Type i64 = node.builder.getI64Type();
  if (rankOf(axes) != 1 || !elementOf(axes).isInteger()) {
    node.error() << "expects a vector of integers as axes, but has " << typeOf(axes);
    return std::nullopt;
  }
  UncountedAxes result(node, rank);
  result.length = node.sizeOf(axes, 0);
  Sizes both = {result.length, node.size(rank)};
  axes = node.cast(axes, i64);
  Value isNegative = node.compare(Predicate::lt, axes, 0.0);
  axes = node.select(isNegative, node.binary<AddOp>(axes, double(rank)), axes);
  result.isAxis = node.compare(Predicate::eq, node.broadcast(axes, {0}, both), node.iota(both, 1, i64));
  auto counts = node.elements(node.reduce(Combiner::sum, node.cast(result.isAxis, i64), {0}));
  if (!counts)
    return std::nullopt;
  AffineExpr total = node.size(0);
  for (AffineExpr count : *counts) {
    result.named.push_back(node.choose(count, node.size(0), node.size(0), node.size(1)));
    total = total + result.named.back();
  }
  // Of those outside of the tensor none is named, of equal ones one.
  node.expectEqual(node.sizes.simplify(total), result.length, kDifferentAxes);
  return result;
}

std::optional<UncountedAxes> UncountedAxes::first(Node &node, AffineExpr count, int64_t rank) {
  return read(node, node.iota({count}, 0, node.builder.getI64Type()), rank);
}

void UncountedAxes::nameAllIfNone() {
  for (AffineExpr &isNamed : named)
    isNamed = node.choose(length, node.size(0), node.size(1), isNamed);
}

void UncountedAxes::expectCount(int64_t count) {
  AffineExpr total = node.size(0);
  for (AffineExpr isNamed : named)
    total = total + isNamed;
  node.expectEqual(node.sizes.simplify(total), node.size(count),
                   "the axes aren't as many as follow from the ranks in the model");
}

Sizes UncountedAxes::spread(Value perAxis, int64_t otherwise) {
  Value each = node.broadcast(node.cast(perAxis, node.builder.getI64Type()), {0}, node.sizesOf(isAxis));
  Value perDim = node.reduce(Combiner::sum, node.select(isAxis, each, node.splat(0, each)), {0});
  Sizes result = node.elements(perDim).value_or(Sizes(rank, node.size(0)));
  for (auto [entry, isNamed] : llvm::zip_equal(result, named))
    entry = node.choose(isNamed, node.size(1), entry, node.size(otherwise));
  return result;
}

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

std::optional<RuntimeAxes> RuntimeAxes::read(Node &node, Value axes, int64_t rank) {
  auto stated = node.elements(axes);
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
  AffineExpr named = node.size(0);
  for (int64_t dim = 0; dim < rank; ++dim)
    named = named + result.isNamed(dim);
  node.expectEqual(node.sizes.simplify(named), node.size(result.count()),
                   "the axes aren't as many different dimensions of the operand");
  return result;
}

AffineExpr RuntimeAxes::lookUp(AffineExpr index, ArrayRef<AffineExpr> table) {
  AffineExpr result = node.size(0);
  for (int64_t i = (int64_t)table.size() - 1; i >= 0; --i)
    result = node.choose(index, node.size(i), table[i], result);
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

Sizes RuntimeAxes::replace(size_t i, ArrayRef<AffineExpr> entries, AffineExpr by) {
  Sizes result(entries);
  for (auto [dim, entry] : llvm::enumerate(result))
    entry = node.choose(places[i], node.size(dim), by, entry);
  return result;
}

AffineExpr RuntimeAxes::isNamed(int64_t dim) {
  AffineExpr result = node.size(0);
  for (AffineExpr place : places)
    result = node.choose(place, node.size(dim), node.size(1), result);
  return result;
}

AffineExpr RuntimeAxes::unnamedBefore(int64_t dim) {
  AffineExpr count = node.size(dim);
  for (int64_t before = 0; before < dim; ++before)
    count = count - isNamed(before);
  return node.sizes.simplify(count);
}

Sizes RuntimeAxes::drop(ArrayRef<AffineExpr> entries) {
  Sizes result;
  for (int64_t kept = 0; kept < rank - (int64_t)count(); ++kept) {
    AffineExpr entry = node.size(0);
    for (int64_t dim = rank - 1; dim >= kept; --dim) {
      AffineExpr place = node.choose(isNamed(dim), node.size(1), node.size(-1), unnamedBefore(dim));
      entry = node.choose(place, node.size(kept), entries[dim], entry);
    }
    result.push_back(entry);
  }
  return result;
}

Sizes RuntimeAxes::insertOnes(ArrayRef<AffineExpr> entries) {
  Sizes result;
  for (int64_t dim = 0; dim < rank; ++dim)
    result.push_back(node.choose(isNamed(dim), node.size(1), node.size(1), lookUp(unnamedBefore(dim), entries)));
  return result;
}

Value RuntimeAxes::around(Value x, ArrayRef<AffineExpr> sizes, size_t i) {
  Sizes before, behind;
  for (int64_t dim = 0; dim < rank; ++dim) {
    before.push_back(node.product(sizes.take_front(dim)));
    behind.push_back(node.product(sizes.drop_front(dim + 1)));
  }
  return node.reshape(x, {choose(i, before), choose(i, sizes), choose(i, behind)});
}

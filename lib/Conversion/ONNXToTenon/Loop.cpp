//===- Loop.cpp - Regions that repeat, and sizes across their borders ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Loop.h"
#include "Values.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

/// Whether a value is computed in a region, which may not be part of an op yet, as those around it may not.
static bool isInside(Value value, Region &region) {
  Region *current = value.getParentRegion();
  while (current && current != &region) {
    Operation *parent = current->getParentOp();
    current = parent ? parent->getParentRegion() : nullptr;
  }
  return current;
}

Sizes onnx::sizesOutside(Node &node, Value value, Region &region) {
  Sizes sizes = node.sizesOf(value);
  for (AffineExpr &size : sizes)
    if (llvm::any_of(node.sizes.valuesOf(size), [&](Value v) { return isInside(v, region); }))
      size = AffineExpr();
  return sizes;
}

void onnx::bindSizes(Node &node, Value tensor, ArrayRef<AffineExpr> known) {
  RankedTensorType type = typeOf(tensor);
  if (type.hasStaticShape() || llvm::none_of(known, [](AffineExpr size) { return size && !isStatic(size); }))
    return;
  SmallVector<OpFoldResult> bound;
  for (auto [dim, size] : llvm::enumerate(known)) {
    if (!type.isDynamicDim(dim))
      bound.push_back(node.builder.getIndexAttr(type.getDimSize(dim)));
    else if (size)
      bound.push_back(node.materialize(size));
    else
      bound.push_back(
          SizeOp::create(node.builder, node.loc, node.builder.getIndexType(), tensor, (int64_t)dim)
              .getResult());
  }
  SmallVector<Value> dynamic;
  SmallVector<int64_t> fixed;
  dispatchIndexOpFoldResults(bound, dynamic, fixed);
  BindShapeOp::create(node.builder, node.loc, tensor, dynamic, fixed);
}

static bool isTrue(Node &node, Value condition) {
  auto known = node.constantIntegers(condition);
  return known && known->size() == 1 && known->front() != 0;
}

//===----------------------------------------------------------------------===//
// LoopBuilder
//===----------------------------------------------------------------------===//

LoopBuilder::LoopBuilder(Node &node, ArrayRef<Value> initial) : node(node), initial(initial) {
  for (Value value : initial) {
    bool isTensor = isa<RankedTensorType>(value.getType());
    assumed.push_back(isTensor ? node.sizesOf(value) : Sizes());
    held.push_back(isTensor ? Type() : value.getType());
  }
}

std::optional<SmallVector<Value>> LoopBuilder::build(Value tripCount, Value condition, Body body) {
  while (true) {
    Region &region = node.graph.newRegion();
    auto yielded = attempt(region, body);
    if (!yielded)
      return std::nullopt;
    if (!weaken(region, yielded->carried))
      return finish(region, *yielded, tripCount, condition);
    if (node.hasFailed())
      return std::nullopt;
  }
}

Type LoopBuilder::carriedType(size_t i) {
  if (held[i])
    return held[i];
  SmallVector<int64_t> shape;
  for (AffineExpr size : assumed[i])
    shape.push_back(SizeAnalysis::staticSize(size));
  return RankedTensorType::get(shape, elementOf(initial[i]));
}

std::optional<LoopBuilder::Yielded> LoopBuilder::attempt(Region &region, Body body) {
  Graph::Inside inside(node.graph, region);
  Block &block = region.front();
  Value iteration = block.addArgument(RankedTensorType::get({}, node.builder.getI64Type()), node.loc);
  SmallVector<Value> carried;
  for (size_t i = 0; i < initial.size(); ++i)
    carried.push_back(block.addArgument(carriedType(i), node.loc));
  for (auto [value, sizes] : llvm::zip(carried, assumed))
    if (isa<RankedTensorType>(value.getType()))
      bindSizes(node, value, sizes);
  auto yielded = body(iteration, carried);
  if (!yielded || node.hasFailed())
    return std::nullopt;
  SmallVector<Value> values = {yielded->condition};
  values.append(yielded->carried);
  values.append(yielded->scanned);
  tenon::YieldOp::create(node.builder, node.loc, values);
  return yielded;
}

bool LoopBuilder::weaken(Region &region, ArrayRef<Value> carried) {
  bool changed = false;
  for (auto [i, value] : llvm::enumerate(carried)) {
    if (held[i]) {
      Type joined = joinTypes(held[i], value.getType());
      if (!joined) {
        node.unsupported() << "carried value " << i << " changes from " << held[i] << " to " << value.getType();
        return true;
      }
      changed |= std::exchange(held[i], joined) != joined;
      continue;
    }
    if (!isa<RankedTensorType>(value.getType())) {
      node.unsupported() << "carried value " << i << " changes from " << typeOf(initial[i]) << " to " << value.getType();
      return true;
    }
    if (elementOf(value) != elementOf(initial[i]) || rankOf(value) != rankOf(initial[i])) {
      node.unsupported() << "carried value " << i << " changes from " << typeOf(initial[i]) << " to "
                         << typeOf(value);
      return true;
    }
    for (auto [size, next] : llvm::zip(assumed[i], sizesOutside(node, value, region)))
      if (size && size != next) {
        size = AffineExpr();
        changed = true;
      }
  }
  return changed;
}

SmallVector<Value> LoopBuilder::finish(Region &region, Yielded &yielded, Value tripCount, Value condition) {
  SmallVector<Type> types;
  SmallVector<Sizes> known;
  for (size_t i = 0; i < initial.size(); ++i) {
    types.push_back(carriedType(i));
    known.push_back(assumed[i]);
  }
  for (Value value : yielded.scanned) {
    Sizes sizes = sizesOutside(node, value, region);
    sizes.insert(sizes.begin(), iterations(tripCount, condition, yielded.condition));
    SmallVector<int64_t> shape;
    for (AffineExpr size : sizes)
      shape.push_back(SizeAnalysis::staticSize(size));
    types.push_back(RankedTensorType::get(shape, elementOf(value)));
    known.push_back(sizes);
  }
  auto op = LoopOp::create(node.builder, node.loc, types, tripCount, condition, initial);
  op.getBody().takeBody(region);
  for (auto [result, sizes] : llvm::zip(op.getResults(), known))
    if (isa<RankedTensorType>(result.getType()))
      bindSizes(node, result, sizes);
  return llvm::to_vector_of<Value>(op.getResults());
}

AffineExpr LoopBuilder::iterations(Value tripCount, Value condition, Value goesOn) {
  auto count = node.sizes.elementsOf(tripCount);
  if (!isTrue(node, condition) || !isTrue(node, goesOn) || !count || !count->front())
    return {};
  return node.largest(count->front(), node.size(0));
}

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
          SizeOp::create(node.builder, node.loc, node.builder.getIndexType(), tensor, (int64_t)dim).getResult());
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

LoopBuilder::LoopBuilder(Node &node, ArrayRef<Value> initial, ArrayRef<bool> isRead)
    : node(node), initial(initial), isRead(isRead), isReplaced(initial.size(), false) {
  this->isRead.resize(initial.size(), true);
  for (Value value : initial) {
    bool isTensor = isa<RankedTensorType>(value.getType());
    assumed.push_back(isTensor ? node.sizesOf(value) : Sizes());
    held.push_back(isTensor ? Type() : value.getType());
  }
}

namespace {
/// Keeps the errors that are emitted while it lives.
class HeldErrors {
public:
  explicit HeldErrors(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
            return failure();
          errors.push_back(std::move(diagnostic));
          return success();
        }) {}

  SmallVector<Diagnostic> errors;

private:
  ScopedDiagnosticHandler handler;
};
} // namespace

std::optional<SmallVector<Value>> LoopBuilder::build(Value tripCount, Value condition, Body body) {
  MLIRContext *context = node.builder.getContext();
  SmallVector<Diagnostic> errors;
  {
    HeldErrors held(context);
    if (auto values = buildLoop(tripCount, condition, body))
      return values;
    errors = std::move(held.errors);
  }
  // What fails on a placeholder may never see one: in the first iteration, conditions on its number are decided.
  if (!isPeeled && !changing && !node.hasFailed()) {
    HeldErrors held(context);
    if (auto values = peel(tripCount, condition, body))
      return values;
  }
  for (Diagnostic &error : errors)
    context->getDiagEngine().emit(std::move(error));
  return std::nullopt;
}

std::optional<SmallVector<Value>> LoopBuilder::buildLoop(Value tripCount, Value condition, Body body) {
  while (true) {
    Region &region = node.graph.newRegion();
    auto yielded = attempt(region, body);
    if (!yielded)
      return std::nullopt;
    if (!weaken(region, yielded->carried)) {
      if (hasPlaceholder)
        expectIteration(tripCount, condition);
      return finish(region, *yielded, tripCount, condition);
    }
    if (changing && !isPeeled)
      return peel(tripCount, condition, body);
    if (changing)
      node.unsupported() << "carried value " << changing->first << " changes from "
                         << initial[changing->first].getType() << " to " << changing->second;
    if (node.hasFailed())
      return std::nullopt;
  }
}

std::optional<SmallVector<Value>> LoopBuilder::peel(Value tripCount, Value condition, Body body) {
  expectIteration(tripCount, condition);
  auto first = body(node.scalarInteger(0, node.builder.getI64Type()), initial);
  if (!first || node.hasFailed())
    return std::nullopt;
  LoopBuilder rest(node, first->carried);
  rest.isPeeled = true;
  auto values =
      rest.build(node.binary<SubOp>(tripCount, 1.0), first->condition, [&](Value iteration, ArrayRef<Value> carried) {
        return body(node.binary<AddOp>(iteration, 1.0), carried);
      });
  if (!values)
    return std::nullopt;
  for (auto [scanned, value] : llvm::zip(llvm::drop_begin(*values, initial.size()), first->scanned))
    scanned = node.concat({node.unsqueeze(value, {0}), scanned}, 0);
  return node.hasFailed() ? std::nullopt : values;
}

void LoopBuilder::expectIteration(Value tripCount, Value condition) {
  Value runs = node.binary<AndOp>(condition, node.compare(Predicate::gt, tripCount, 0.0));
  if (auto count = node.elements(node.cast(runs, node.builder.getI64Type())))
    node.expectEqual(count->front(), node.size(1),
                     "the loop has no iteration, and what it starts with has another type or rank than they give");
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
    Type joined = held[i] ? joinTypes(held[i], value.getType()) : Type();
    auto type = dyn_cast<RankedTensorType>(value.getType());
    bool keepsKind =
        held[i] ? bool(joined)
                : type && type.getElementType() == elementOf(initial[i]) && type.getRank() == rankOf(initial[i]);
    if (!keepsKind) {
      changed = true;
      if (replaceInitial(i, value, region))
        continue;
      changing = {i, value.getType()};
      return true;
    }
    if (held[i]) {
      changed |= std::exchange(held[i], joined) != joined;
      continue;
    }
    for (auto [size, next] : llvm::zip(assumed[i], sizesOutside(node, value, region)))
      if (size && size != next) {
        size = AffineExpr();
        changed = true;
      }
  }
  return changed;
}

bool LoopBuilder::replaceInitial(size_t i, Value next, Region &region) {
  auto type = dyn_cast<RankedTensorType>(next.getType());
  if (held[i] || !type || !type.getElementType().isIntOrFloat() || std::exchange(isReplaced[i], true))
    return false;
  Sizes sizes = sizesOutside(node, next, region);
  if (!isRead[i]) {
    Sizes some = llvm::map_to_vector(sizes, [&](AffineExpr size) { return size ? size : node.size(0); });
    initial[i] = node.broadcast(node.scalar(0, type.getElementType()), {}, some);
    hasPlaceholder |= node.isUsed(i);
  } else if (isSingle(initial[i]) && isSingle(next) && elementOf(initial[i]) == type.getElementType()) {
    initial[i] = node.reshape(initial[i], sizes);
  } else {
    return false;
  }
  assumed[i] = sizes;
  return true;
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

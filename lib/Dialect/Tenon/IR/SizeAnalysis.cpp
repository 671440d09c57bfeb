//===- SizeAnalysis.cpp - Sizes of tensors as expressions ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tenon/IR/ShapeArithmetic.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon;

/// Shape tensors are short; anything longer is data.
static constexpr int64_t maxElements = 64;

AffineExpr SizeAnalysis::constant(int64_t value) { return getAffineConstantExpr(value, context); }

AffineExpr SizeAnalysis::simplify(AffineExpr expression) {
  return expression ? simplifyAffineExpr(expression, 0, symbols.size()) : expression;
}

int64_t SizeAnalysis::staticSize(AffineExpr expression) {
  auto constant = llvm::dyn_cast_if_present<AffineConstantExpr>(expression);
  return constant ? constant.getValue() : ShapedType::kDynamic;
}

AffineExpr SizeAnalysis::symbolFor(Value value, int64_t dim) {
  auto [it, inserted] = positions.try_emplace({value, dim}, symbols.size());
  if (inserted)
    symbols.push_back({value, dim});
  return getAffineSymbolExpr(it->second, context);
}

void SizeAnalysis::replace(Value value, Value by) {
  sizes[by] = sizesOf(value);
  if (auto known = elementsOf(value))
    elements[by] = known;
}

SmallVector<Value> SizeAnalysis::valuesOf(AffineExpr expression) {
  SmallVector<Value> values;
  expression.walk([&](AffineExpr part) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
      values.push_back(symbols[symbol.getPosition()].first);
  });
  return values;
}

void SizeAnalysis::resolve(Value value, int64_t dim, Value index) {
  auto it = positions.find({value, dim});
  if (it == positions.end())
    return;
  unsigned position = it->second;
  symbols[position] = {index, -1};
  positions[{index, -1}] = position;
}

void SizeAnalysis::erase(Value value) {
  sizes.erase(value);
  elements.erase(value);
}

//===----------------------------------------------------------------------===//
// Index values
//===----------------------------------------------------------------------===//

AffineExpr SizeAnalysis::expressionOf(Value index) {
  APInt number;
  if (matchPattern(index, m_ConstantInt(&number)))
    return constant(number.getSExtValue());
  Operation *op = index.getDefiningOp();
  auto binary = [&](auto combine) {
    return simplify(combine(expressionOf(op->getOperand(0)), expressionOf(op->getOperand(1))));
  };
  if (isa_and_present<arith::AddIOp>(op))
    return binary([](AffineExpr a, AffineExpr b) { return a + b; });
  if (isa_and_present<arith::SubIOp>(op))
    return binary([](AffineExpr a, AffineExpr b) { return a - b; });
  if (isa_and_present<arith::MulIOp>(op))
    return binary([](AffineExpr a, AffineExpr b) { return a * b; });
  if (auto apply = dyn_cast_if_present<affine::AffineApplyOp>(op)) {
    AffineMap map = apply.getAffineMap();
    SmallVector<AffineExpr> operands;
    for (Value operand : apply.getMapOperands())
      operands.push_back(expressionOf(operand));
    auto dims = ArrayRef(operands).take_front(map.getNumDims());
    return simplify(map.getResult(0).replaceDimsAndSymbols(dims, ArrayRef(operands).drop_front(map.getNumDims())));
  }
  if (auto size = dyn_cast_if_present<SizeOp>(op))
    return sizesOf(size.getOperand())[size.getDim()];
  if (auto item = dyn_cast_if_present<ItemOp>(op))
    if (auto known = elementsOf(item.getOperand());
        known && item.getPosition() < known->size() && (*known)[item.getPosition()])
      return (*known)[item.getPosition()];
  return symbolFor(index, -1);
}

AffineExpr SizeAnalysis::expressionOf(OpFoldResult size) {
  if (auto attribute = dyn_cast<Attribute>(size))
    return constant(cast<IntegerAttr>(attribute).getInt());
  return expressionOf(cast<Value>(size));
}

SmallVector<AffineExpr> SizeAnalysis::expressionsOf(ArrayRef<OpFoldResult> list) {
  return llvm::map_to_vector(list, [&](OpFoldResult size) { return expressionOf(size); });
}

/// Symbols are known from the start of their function on, wherever in it they stand: one that stands behind the
/// insertion point moves to the front.
static void makeAvailable(OpBuilder &builder, SymbolOp symbol) {
  Block *block = symbol->getBlock();
  bool isAtEnd = builder.getInsertionPoint() == builder.getBlock()->end();
  if (isAtEnd && builder.getBlock() == block)
    return;
  // Null in a region that is no op's yet: that is built in front of where it comes to stand.
  Operation *user = isAtEnd ? builder.getBlock()->getParentOp() : &*builder.getInsertionPoint();
  user = user ? block->findAncestorOpInBlock(*user) : nullptr;
  if (!user || symbol->isBeforeInBlock(user))
    return;
  if (user == symbol)
    builder.setInsertionPointAfter(symbol);
  symbol->moveBefore(block, block->begin());
}

OpFoldResult SizeAnalysis::materialize(OpBuilder &builder, Location loc, AffineExpr expression) {
  expression = simplify(expression);
  if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    return builder.getIndexAttr(constant.getValue());
  // Only the symbols that occur become operands.
  SmallVector<Value> operands;
  SmallVector<AffineExpr> renumbered(symbols.size(), constant(0));
  llvm::SmallVector<bool> used(symbols.size(), false);
  expression.walk([&](AffineExpr part) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
      used[symbol.getPosition()] = true;
  });
  for (auto [position, isUsed] : llvm::enumerate(used)) {
    if (!isUsed)
      continue;
    auto [value, dim] = symbols[position];
    if (auto symbol = value.getDefiningOp<SymbolOp>())
      makeAvailable(builder, symbol);
    renumbered[position] = getAffineSymbolExpr(operands.size(), context);
    operands.push_back(dim < 0 ? value : SizeOp::create(builder, loc, builder.getIndexType(), value, dim).getResult());
  }
  expression = expression.replaceSymbols(renumbered);
  if (isa<AffineSymbolExpr>(expression))
    return operands.front();
  return affine::AffineApplyOp::create(builder, loc, AffineMap::get(0, operands.size(), expression), operands)
      .getResult();
}

SmallVector<OpFoldResult> SizeAnalysis::materialize(OpBuilder &builder, Location loc,
                                                    ArrayRef<AffineExpr> expressions) {
  return llvm::map_to_vector(expressions, [&](AffineExpr size) { return materialize(builder, loc, size); });
}

std::optional<AffineMap> SizeAnalysis::mapOf(AffineExpr expression, ValueRange indices) {
  SmallVector<AffineExpr> renumbered(symbols.size());
  for (auto [position, index] : llvm::enumerate(indices))
    if (auto it = positions.find({index, -1}); it != positions.end())
      renumbered[it->second] = getAffineSymbolExpr(position, context);
  bool known = true;
  expression = simplify(expression);
  expression.walk([&](AffineExpr part) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
      known &= bool(renumbered[symbol.getPosition()]);
  });
  if (!known)
    return std::nullopt;
  for (AffineExpr &symbol : renumbered)
    symbol = symbol ? symbol : constant(0);
  return AffineMap::get(0, indices.size(), expression.replaceSymbols(renumbered), context);
}

//===----------------------------------------------------------------------===//
// Sizes of tensors
//===----------------------------------------------------------------------===//

SmallVector<AffineExpr> SizeAnalysis::sizesOf(Value tensor) {
  if (auto it = sizes.find(tensor); it != sizes.end())
    return it->second;
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type)
    return {};
  auto complete = [&](SmallVector<AffineExpr> result) {
    result.resize(type.getRank());
    for (auto [dim, size] : llvm::enumerate(result)) {
      if (!type.isDynamicDim(dim))
        size = constant(type.getDimSize(dim));
      else if (!size)
        size = symbolFor(tensor, dim);
      size = simplify(size);
    }
    return result;
  };
  if (type.hasStaticShape())
    return sizes[tensor] = complete({});
  // A value that follows from itself, as in IR that doesn't verify yet, follows from nothing.
  sizes[tensor] = SmallVector<AffineExpr>(type.getRank(), getAffineConstantExpr(ShapedType::kDynamic, context));
  SmallVector<AffineExpr> result = complete(computeSizes(tensor));
  sizes[tensor] = result;
  return result;
}

/// The sizes of an operand's dimensions, found in the iteration space of an op, give those of a result.
static SmallVector<AffineExpr> sizesFromMaps(SizeAnalysis &analysis, IndexingMapsInterface op, unsigned result) {
  SmallVector<AffineExpr> space(op.getLoopIterators().size());
  for (auto [operand, map] : llvm::zip(op->getOperands(), op.getOperandMaps()))
    for (auto [size, expression] : llvm::zip(analysis.sizesOf(operand), map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expression)) {
        AffineExpr &known = space[dim.getPosition()];
        if (!known || isa<AffineConstantExpr>(size))
          known = size;
      }
  return llvm::map_to_vector(op.getResultMaps()[result].getResults(),
                             [&](AffineExpr e) { return space[cast<AffineDimExpr>(e).getPosition()]; });
}

SmallVector<AffineExpr> SizeAnalysis::inferredSizesOf(OpResult result) {
  if (auto stated = dyn_cast<SizesInterface>(result.getOwner()))
    return stated.resultSizes(*this, result.getResultNumber());
  if (auto maps = dyn_cast<IndexingMapsInterface>(result.getOwner()))
    return sizesFromMaps(*this, maps, result.getResultNumber());
  return {};
}

SmallVector<AffineExpr> SizeAnalysis::computeSizes(Value tensor) {
  for (Operation *user : tensor.getUsers())
    if (auto bind = dyn_cast<BindShapeOp>(user)) {
      SmallVector<AffineExpr> result;
      for (OpFoldResult bound : bind.getMixedSizes()) {
        // Of a size that is bound to itself nothing is said.
        auto value = dyn_cast<Value>(bound);
        auto own = value ? value.getDefiningOp<SizeOp>() : SizeOp();
        result.push_back(own && own.getOperand() == tensor ? AffineExpr() : expressionOf(bound));
      }
      return result;
    }
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return {};
  if (isa<SizesInterface, IndexingMapsInterface>(op))
    return inferredSizesOf(cast<OpResult>(tensor));
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return sizesOf(cast.getSource());
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return expressionsOf(empty.getMixedSizes());
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    return sizesOf(destination.getTiedOpOperand(cast<OpResult>(tensor))->get());
  return {};
}

//===----------------------------------------------------------------------===//
// Shape arithmetic
//===----------------------------------------------------------------------===//

std::optional<SmallVector<AffineExpr>> SizeAnalysis::elementsOf(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || !type.hasStaticShape() || !type.getElementType().isInteger() || type.getNumElements() > maxElements)
    return std::nullopt;
  if (auto it = elements.find(tensor); it != elements.end())
    return it->second;
  auto result = computeElements(tensor);
  elements[tensor] = result;
  return result;
}

std::optional<SmallVector<AffineExpr>> SizeAnalysis::computeElements(Value tensor) {
  if (auto op = tensor.getDefiningOp<ShapeArithmeticInterface>())
    return op.resultElements(*this);
  if (auto cast = tensor.getDefiningOp<tensor::CastOp>())
    return elementsOf(cast.getSource());
  return std::nullopt;
}

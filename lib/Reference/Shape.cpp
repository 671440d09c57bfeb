//===- Shape.cpp - Sizes as values in the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon::reference;

//===----------------------------------------------------------------------===//
// tenon
//===----------------------------------------------------------------------===//

static llvm::Error evaluateSymbol(Call &call) {
  StringRef name = cast<tenon::SymbolOp>(call.op).getName();
  std::optional<int64_t> size = call.interpreter.sizeOfSymbol(name);
  // A symbol that nothing uses needs no size.
  if (!size && !call.op->use_empty())
    return call.fail("size '" + name + "' is bound by no input");
  call.results.push_back(size.value_or(0));
  return llvm::Error::success();
}

static llvm::Error evaluateBindShape(Call &call) {
  SmallVector<int64_t> sizes = mixedValues(call, cast<tenon::BindShapeOp>(call.op).getStaticSizes(), 1);
  if (ArrayRef<int64_t>(sizes) != call.tensor(0).getShape())
    return call.fail("expects sizes " + describeShape(sizes) + ", but has " + call.tensor(0).describe());
  return llvm::Error::success();
}

static llvm::Error evaluateSize(Call &call) {
  int64_t dim = cast<tenon::SizeOp>(call.op).getDim();
  if (dim < 0 || dim >= call.tensor(0).getRank())
    return call.fail("has no dimension " + llvm::Twine(dim) + " in " + call.tensor(0).describe());
  call.results.push_back(call.tensor(0).getDimSize(dim));
  return llvm::Error::success();
}

static llvm::Error evaluateFromSizes(Call &call) {
  SmallVector<int64_t> sizes = mixedValues(call, cast<tenon::FromSizesOp>(call.op).getStaticSizes(), 0);
  auto type = cast<RankedTensorType>(call.op->getResult(0).getType());
  if (!type.hasStaticShape() || type.getNumElements() != (int64_t)sizes.size())
    return call.fail("gives " + llvm::Twine(sizes.size()) + " sizes");
  return push(call, storeAll(type.getElementType(), type.getShape(), std::vector<int64_t>(sizes.begin(), sizes.end())));
}

static llvm::Error evaluateItem(Call &call) {
  const Tensor &operand = call.tensor(0);
  int64_t position = cast<tenon::ItemOp>(call.op).getPosition(), value;
  Format format(operand.getElementType());
  if (!format.valid || format.isFloat())
    return call.fail("expects integers, but has " + operand.describe());
  if (position < 0 || position >= operand.getNumElements())
    return call.fail("has no element " + llvm::Twine(position) + " in " + operand.describe());
  format.load(operand.getData(), position, 1, &value);
  call.results.push_back(value);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// arith
//===----------------------------------------------------------------------===//

/// Values of narrow integer types are kept sign-extended, those of i1 as 0 and 1.
static int64_t wrap(Type type, int64_t value) {
  unsigned bits = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  if (bits >= 64)
    return value;
  return bits == 1 ? value & 1 : int64_t(uint64_t(value) << (64 - bits)) >> (64 - bits);
}

static llvm::Error giveIndex(Call &call, int64_t value) {
  Type type = call.op->getResult(0).getType();
  if (!type.isIntOrIndex() || (!type.isIndex() && type.getIntOrFloatBitWidth() > 64))
    return call.fail("is only known on index values and integers up to 64 bits");
  call.results.push_back(wrap(type, value));
  return llvm::Error::success();
}

static llvm::Error evaluateArithConstant(Call &call) {
  TypedAttr value = cast<arith::ConstantOp>(call.op).getValue();
  if (isa<RankedTensorType>(value.getType()))
    return push(call, Tensor::fromAttribute(value));
  auto integer = dyn_cast<IntegerAttr>(value);
  if (!integer || integer.getValue().getSignificantBits() > 64)
    return call.fail("is only known on tensors, index values and integers up to 64 bits");
  return giveIndex(call, integer.getValue().getSExtValue());
}

using IndexFormula = std::optional<int64_t> (*)(int64_t, int64_t);

template <IndexFormula formula> static llvm::Error evaluateIndex(Call &call) {
  for (const tenon::reference::Value &operand : call.operands)
    if (!std::holds_alternative<int64_t>(operand))
      return call.fail("is only known on index values");
  std::optional<int64_t> value = formula(call.index(0), call.operands.size() > 1 ? call.index(1) : 0);
  if (!value)
    return call.fail("has no value for " + llvm::Twine(call.index(0)) + " and " + llvm::Twine(call.index(1)));
  return giveIndex(call, *value);
}

using Result = std::optional<int64_t>;
static Result add(int64_t a, int64_t b) { return int64_t(uint64_t(a) + uint64_t(b)); }
static Result subtract(int64_t a, int64_t b) { return int64_t(uint64_t(a) - uint64_t(b)); }
static Result multiply(int64_t a, int64_t b) { return int64_t(uint64_t(a) * uint64_t(b)); }
static bool undefinedQuotient(int64_t a, int64_t b) { return b == 0 || (a == INT64_MIN && b == -1); }
static Result divide(int64_t a, int64_t b) { return undefinedQuotient(a, b) ? Result() : a / b; }
static Result remainder(int64_t a, int64_t b) { return undefinedQuotient(a, b) ? Result() : a % b; }
static Result floorDivide(int64_t a, int64_t b) {
  return undefinedQuotient(a, b) ? Result() : llvm::divideFloorSigned(a, b);
}
static Result ceilDivide(int64_t a, int64_t b) {
  return undefinedQuotient(a, b) ? Result() : llvm::divideCeilSigned(a, b);
}
static Result divideUnsigned(int64_t a, int64_t b) { return b == 0 ? Result() : int64_t(uint64_t(a) / uint64_t(b)); }
static Result ceilDivideUnsigned(int64_t a, int64_t b) {
  return b == 0 ? Result() : int64_t(llvm::divideCeil(uint64_t(a), uint64_t(b)));
}
static Result remainderUnsigned(int64_t a, int64_t b) { return b == 0 ? Result() : int64_t(uint64_t(a) % uint64_t(b)); }
static Result least(int64_t a, int64_t b) { return std::min(a, b); }
static Result greatest(int64_t a, int64_t b) { return std::max(a, b); }
static Result bitAnd(int64_t a, int64_t b) { return a & b; }
static Result bitOr(int64_t a, int64_t b) { return a | b; }
static Result bitXor(int64_t a, int64_t b) { return a ^ b; }
static Result identity(int64_t a, int64_t) { return a; }

static llvm::Error evaluateCompareIndex(Call &call) {
  for (const tenon::reference::Value &operand : call.operands)
    if (!std::holds_alternative<int64_t>(operand))
      return call.fail("is only known on index values");
  int64_t a = call.index(0), b = call.index(1);
  return giveIndex(call, arith::applyCmpPredicate(cast<arith::CmpIOp>(call.op).getPredicate(),
                                                  APInt(64, a, /*isSigned=*/true), APInt(64, b, /*isSigned=*/true)));
}

static llvm::Error evaluateSelectIndex(Call &call) {
  if (!std::holds_alternative<int64_t>(call.operands[0]))
    return call.fail("is only known on a condition of type i1");
  call.results.push_back(call.operands[call.index(0) ? 1 : 2]);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// affine and tensor
//===----------------------------------------------------------------------===//

std::optional<int64_t> tenon::reference::valueOf(AffineExpr expression, ArrayRef<int64_t> dims,
                                                 ArrayRef<int64_t> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expression))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expression))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expression);
  Result a = valueOf(binary.getLHS(), dims, symbols), b = valueOf(binary.getRHS(), dims, symbols);
  if (!a || !b)
    return std::nullopt;
  int64_t value;
  switch (expression.getKind()) {
  case AffineExprKind::Add:
    return __builtin_add_overflow(*a, *b, &value) ? Result() : value;
  case AffineExprKind::Mul:
    return __builtin_mul_overflow(*a, *b, &value) ? Result() : value;
  case AffineExprKind::Mod:
    return *b <= 0 ? Result() : llvm::mod(*a, *b);
  case AffineExprKind::FloorDiv:
    return *b <= 0 ? Result() : llvm::divideFloorSigned(*a, *b);
  case AffineExprKind::CeilDiv:
    return *b <= 0 ? Result() : llvm::divideCeilSigned(*a, *b);
  default:
    return std::nullopt;
  }
}

static llvm::Error valuesOf(Call &call, AffineMap map, SmallVectorImpl<int64_t> &results) {
  SmallVector<int64_t> operands;
  for (unsigned i = 0; i < call.operands.size(); ++i)
    operands.push_back(call.index(i));
  for (AffineExpr expression : map.getResults()) {
    Result value = valueOf(expression, ArrayRef(operands).take_front(map.getNumDims()),
                           ArrayRef(operands).drop_front(map.getNumDims()));
    if (!value)
      return call.fail("overflows or divides by a number that isn't positive, with operands " +
                       describeShape(operands));
    results.push_back(*value);
  }
  return llvm::Error::success();
}

static llvm::Error evaluateAffineApply(Call &call) {
  SmallVector<int64_t> values;
  if (llvm::Error error = valuesOf(call, cast<affine::AffineApplyOp>(call.op).getAffineMap(), values))
    return error;
  return giveIndex(call, values.front());
}

static llvm::Error evaluateAffineMin(Call &call) {
  SmallVector<int64_t> values;
  if (llvm::Error error = valuesOf(call, cast<affine::AffineMinOp>(call.op).getAffineMap(), values))
    return error;
  return giveIndex(call, *llvm::min_element(values));
}

static llvm::Error evaluateAffineMax(Call &call) {
  SmallVector<int64_t> values;
  if (llvm::Error error = valuesOf(call, cast<affine::AffineMaxOp>(call.op).getAffineMap(), values))
    return error;
  return giveIndex(call, *llvm::max_element(values));
}

static llvm::Error evaluateTensorCast(Call &call) {
  if (!isa<RankedTensorType>(call.op->getOperand(0).getType()))
    return call.fail("is only known on ranked tensors");
  call.results.push_back(call.operands[0]); // the result's sizes are checked by the caller
  return llvm::Error::success();
}

void tenon::reference::registerShape(Interpreter &interpreter) {
  interpreter.registerOp(tenon::SymbolOp::getOperationName(), evaluateSymbol);
  interpreter.registerOp(tenon::BindShapeOp::getOperationName(), evaluateBindShape);
  interpreter.registerOp(tenon::SizeOp::getOperationName(), evaluateSize);
  interpreter.registerOp(tenon::FromSizesOp::getOperationName(), evaluateFromSizes);
  interpreter.registerOp(tenon::ItemOp::getOperationName(), evaluateItem);
  interpreter.registerOp("arith.constant", evaluateArithConstant);
  interpreter.registerOp("arith.addi", evaluateIndex<add>);
  interpreter.registerOp("arith.subi", evaluateIndex<subtract>);
  interpreter.registerOp("arith.muli", evaluateIndex<multiply>);
  interpreter.registerOp("arith.divsi", evaluateIndex<divide>);
  interpreter.registerOp("arith.remsi", evaluateIndex<remainder>);
  interpreter.registerOp("arith.floordivsi", evaluateIndex<floorDivide>);
  interpreter.registerOp("arith.ceildivsi", evaluateIndex<ceilDivide>);
  interpreter.registerOp("arith.divui", evaluateIndex<divideUnsigned>);
  interpreter.registerOp("arith.ceildivui", evaluateIndex<ceilDivideUnsigned>);
  interpreter.registerOp("arith.remui", evaluateIndex<remainderUnsigned>);
  interpreter.registerOp("arith.minsi", evaluateIndex<least>);
  interpreter.registerOp("arith.maxsi", evaluateIndex<greatest>);
  interpreter.registerOp("arith.andi", evaluateIndex<bitAnd>);
  interpreter.registerOp("arith.ori", evaluateIndex<bitOr>);
  interpreter.registerOp("arith.xori", evaluateIndex<bitXor>);
  interpreter.registerOp("arith.index_cast", evaluateIndex<identity>);
  interpreter.registerOp("arith.extsi", evaluateIndex<identity>);
  interpreter.registerOp("arith.trunci", evaluateIndex<identity>);
  interpreter.registerOp("arith.cmpi", evaluateCompareIndex);
  interpreter.registerOp("arith.select", evaluateSelectIndex);
  interpreter.registerOp("affine.apply", evaluateAffineApply);
  interpreter.registerOp("affine.min", evaluateAffineMin);
  interpreter.registerOp("affine.max", evaluateAffineMax);
  interpreter.registerOp("tensor.cast", evaluateTensorCast);
}

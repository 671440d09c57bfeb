//===- ShapeArithmetic.cpp - Sizes as elements of tensors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/ShapeArithmetic.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include <functional>

using namespace mlir;
using namespace tenon;

#include "tenon/Dialect/Tenon/IR/ShapeArithmeticInterface.cpp.inc"

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// What is known of expressions
//===----------------------------------------------------------------------===//

bool tenon::isNonNegative(AffineExpr expression) {
  bool result = true;
  expression.walk([&](AffineExpr part) {
    if (auto constant = dyn_cast<AffineConstantExpr>(part))
      result &= constant.getValue() >= 0;
  });
  return result;
}

/// Whether a comparison holds for all sizes or for none, as 1 or 0; null where it depends on them.
static AffineExpr decide(SizeAnalysis &sizes, Predicate predicate, AffineExpr a, AffineExpr b) {
  AffineExpr difference = sizes.simplify(a - b);
  // Of sizes it is known that they aren't negative; of data that is read as a size it isn't.
  bool areSizes = llvm::none_of(sizes.valuesOf(difference), [](Value value) {
    return isa_and_present<ItemOp, arith::SelectOp, arith::MinSIOp>(value.getDefiningOp());
  });
  auto isAtLeast = [&](AffineExpr expression, int64_t least) {
    expression = sizes.simplify(expression - least);
    if (auto number = dyn_cast<AffineConstantExpr>(expression))
      return number.getValue() >= 0;
    return areSizes && isNonNegative(expression);
  };
  bool ge = isAtLeast(difference, 0), gt = isAtLeast(difference, 1), le = isAtLeast(-difference, 0),
       lt = isAtLeast(-difference, 1);
  auto decided = [&](bool holds, bool fails) { return holds || fails ? sizes.constant(holds) : AffineExpr(); };
  switch (predicate) {
  case Predicate::eq:
    return decided(ge && le, gt || lt);
  case Predicate::ne:
    return decided(gt || lt, ge && le);
  case Predicate::lt:
    return decided(lt, ge);
  case Predicate::le:
    return decided(le, gt);
  case Predicate::gt:
    return decided(gt, le);
  case Predicate::ge:
    return decided(ge, lt);
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

namespace {
/// `elements(op, sizes)` says it of each kind of op.
template <typename OpT> struct Model : ShapeArithmeticInterface::ExternalModel<Model<OpT>, OpT> {
  ShapeElements resultElements(Operation *op, SizeAnalysis &sizes) const { return elements(cast<OpT>(op), sizes); }
  static ShapeElements elements(OpT op, SizeAnalysis &sizes);
};

/// What `combine` makes of each pair of elements of which something is known.
ShapeElements combined(Operation *op, SizeAnalysis &sizes, function_ref<AffineExpr(AffineExpr, AffineExpr)> combine) {
  ShapeElements lhs = sizes.elementsOf(op->getOperand(0)), rhs = sizes.elementsOf(op->getOperand(1));
  if (!lhs || !rhs)
    return std::nullopt;
  SmallVector<AffineExpr> result;
  for (auto [a, b] : llvm::zip(*lhs, *rhs))
    result.push_back(a && b ? sizes.simplify(combine(a, b)) : AffineExpr());
  return result;
}

/// What `change` makes of each element of which something is known.
ShapeElements changed(Value operand, SizeAnalysis &sizes, function_ref<AffineExpr(AffineExpr)> change) {
  ShapeElements elements = sizes.elementsOf(operand);
  if (elements)
    for (AffineExpr &element : *elements)
      element = element ? sizes.simplify(change(element)) : element;
  return elements;
}

/// The larger or the smaller one of each pair.
ShapeElements chosen(Operation *op, SizeAnalysis &sizes, bool isLarger) {
  return combined(op, sizes, [&](AffineExpr a, AffineExpr b) -> AffineExpr {
    AffineExpr isAtLeast = decide(sizes, Predicate::ge, a, b);
    return !isAtLeast ? AffineExpr() : (SizeAnalysis::staticSize(isAtLeast) != 0) == isLarger ? a : b;
  });
}
} // namespace

template <> ShapeElements Model<AddOp>::elements(AddOp op, SizeAnalysis &sizes) {
  return combined(op, sizes, [](AffineExpr a, AffineExpr b) { return a + b; });
}

template <> ShapeElements Model<SubOp>::elements(SubOp op, SizeAnalysis &sizes) {
  return combined(op, sizes, [](AffineExpr a, AffineExpr b) { return a - b; });
}

template <> ShapeElements Model<MulOp>::elements(MulOp op, SizeAnalysis &sizes) {
  return combined(op, sizes, [](AffineExpr a, AffineExpr b) { return a * b; });
}

/// Of what may be negative, a quotient of integers is rounded towards zero, an expression down.
template <> ShapeElements Model<DivOp>::elements(DivOp op, SizeAnalysis &sizes) {
  return combined(op, sizes, [](AffineExpr a, AffineExpr b) -> AffineExpr {
    int64_t divisor = SizeAnalysis::staticSize(b);
    return divisor > 0 && isNonNegative(a) ? a.floorDiv(divisor) : AffineExpr();
  });
}

template <> ShapeElements Model<ModOp>::elements(ModOp op, SizeAnalysis &sizes) {
  return combined(op, sizes, [](AffineExpr a, AffineExpr b) -> AffineExpr {
    int64_t divisor = SizeAnalysis::staticSize(b);
    return divisor > 0 ? a % divisor : AffineExpr();
  });
}

template <> ShapeElements Model<MaxOp>::elements(MaxOp op, SizeAnalysis &sizes) {
  return chosen(op, sizes, /*isLarger=*/true);
}

template <> ShapeElements Model<MinOp>::elements(MinOp op, SizeAnalysis &sizes) {
  return chosen(op, sizes, /*isLarger=*/false);
}

template <> ShapeElements Model<NegOp>::elements(NegOp op, SizeAnalysis &sizes) {
  return changed(op.getOperand(), sizes, [](AffineExpr element) { return -element; });
}

template <> ShapeElements Model<AbsOp>::elements(AbsOp op, SizeAnalysis &sizes) {
  return changed(op.getOperand(), sizes, [&](AffineExpr element) -> AffineExpr {
    AffineExpr isNegative = decide(sizes, Predicate::lt, element, sizes.constant(0));
    return !isNegative ? AffineExpr() : SizeAnalysis::staticSize(isNegative) != 0 ? -element : element;
  });
}

template <> ShapeElements Model<CompareOp>::elements(CompareOp op, SizeAnalysis &sizes) {
  return combined(op, sizes, [&](AffineExpr a, AffineExpr b) { return decide(sizes, op.getPredicate(), a, b); });
}

template <> ShapeElements Model<SelectOp>::elements(SelectOp op, SizeAnalysis &sizes) {
  ShapeElements condition = sizes.elementsOf(op.getCondition()), x = sizes.elementsOf(op.getTrueValue()),
                y = sizes.elementsOf(op.getFalseValue());
  if (!condition || !x || !y)
    return std::nullopt;
  SmallVector<AffineExpr> result;
  for (auto [c, a, b] : llvm::zip(*condition, *x, *y))
    result.push_back(a == b ? a : !c ? AffineExpr() : SizeAnalysis::staticSize(c) != 0 ? a : b);
  return result;
}

/// A conversion keeps a size when it loses no bits that sizes have.
template <> ShapeElements Model<CastOp>::elements(CastOp op, SizeAnalysis &sizes) {
  return typeOf(op.getResult()).getElementTypeBitWidth() >= 32 ? sizes.elementsOf(op.getOperand()) : std::nullopt;
}

template <> ShapeElements Model<ConstantOp>::elements(ConstantOp op, SizeAnalysis &sizes) {
  auto dense = dyn_cast<DenseIntElementsAttr>(op.getValue());
  if (!dense)
    return std::nullopt;
  bool isUnsigned = dense.getElementType().isUnsignedInteger() || dense.getElementType().isInteger(1);
  return llvm::map_to_vector(dense.getValues<APInt>(), [&](const APInt &element) {
    return sizes.constant(isUnsigned ? element.getZExtValue() : element.getSExtValue());
  });
}

template <> ShapeElements Model<FromSizesOp>::elements(FromSizesOp op, SizeAnalysis &sizes) {
  return sizes.expressionsOf(op.getMixedSizes());
}

template <> ShapeElements Model<IotaOp>::elements(IotaOp op, SizeAnalysis &sizes) {
  if (typeOf(op.getResult()).getRank() != 1)
    return std::nullopt;
  return llvm::map_to_vector(llvm::seq<int64_t>(0, typeOf(op.getResult()).getNumElements()),
                             [&](int64_t i) { return sizes.constant(i); });
}

template <> ShapeElements Model<ReshapeOp>::elements(ReshapeOp op, SizeAnalysis &sizes) {
  return sizes.elementsOf(op.getOperand());
}

template <> ShapeElements Model<BroadcastOp>::elements(BroadcastOp op, SizeAnalysis &sizes) {
  ShapeElements operand = sizes.elementsOf(op.getOperand());
  if (!operand || operand->size() != 1)
    return std::nullopt;
  return SmallVector<AffineExpr>(typeOf(op.getResult()).getNumElements(), operand->front());
}

template <> ShapeElements Model<ConcatOp>::elements(ConcatOp op, SizeAnalysis &sizes) {
  if (typeOf(op.getResult()).getRank() != 1)
    return std::nullopt;
  SmallVector<AffineExpr> result;
  for (Value operand : op.getOperands()) {
    int64_t size = typeOf(operand).getDimSize(0);
    if (ShapedType::isDynamic(size))
      return std::nullopt;
    if (ShapeElements part = sizes.elementsOf(operand))
      result.append(*part);
    else
      result.append(size, AffineExpr());
  }
  return result;
}

template <> ShapeElements Model<SliceOp>::elements(SliceOp op, SizeAnalysis &sizes) {
  if (typeOf(op.getResult()).getRank() != 1)
    return std::nullopt;
  ShapeElements operand = sizes.elementsOf(op.getOperand());
  std::optional<int64_t> offset = getConstantIntValue(op.getMixedOffsets()[0]);
  std::optional<int64_t> stride = getConstantIntValue(op.getMixedStrides()[0]);
  if (!operand || !offset || !stride)
    return std::nullopt;
  SmallVector<AffineExpr> result;
  for (int64_t i = 0; i < typeOf(op.getResult()).getNumElements(); ++i) {
    int64_t place = *offset + i * *stride;
    if (place < 0 || place >= (int64_t)operand->size())
      return std::nullopt;
    result.push_back((*operand)[place]);
  }
  return result;
}

template <> ShapeElements Model<GatherOp>::elements(GatherOp op, SizeAnalysis &sizes) {
  ShapeElements operand = sizes.elementsOf(op.getOperand()), indices = sizes.elementsOf(op.getIndices());
  if (!operand || !indices || typeOf(op.getOperand()).getRank() != 1)
    return std::nullopt;
  SmallVector<AffineExpr> result;
  for (AffineExpr index : *indices) {
    int64_t position = SizeAnalysis::staticSize(index), size = operand->size();
    if (ShapedType::isDynamic(position) || position < -size || position >= size)
      return std::nullopt;
    result.push_back((*operand)[position < 0 ? position + size : position]);
  }
  return result;
}

template <> ShapeElements Model<ReduceOp>::elements(ReduceOp op, SizeAnalysis &sizes) {
  ShapeElements operand = sizes.elementsOf(op.getOperand());
  bool isSum = op.getCombiner() == Combiner::sum, isProduct = op.getCombiner() == Combiner::prod;
  RankedTensorType type = typeOf(op.getResult());
  if (!operand || type.getRank() != 0 || (!isSum && !isProduct) || type.getElementType().isInteger(1) ||
      llvm::is_contained(*operand, AffineExpr()))
    return std::nullopt;
  AffineExpr all = sizes.constant(isProduct);
  for (AffineExpr element : *operand)
    all = sizes.simplify(isSum ? all + element : all * element);
  return SmallVector<AffineExpr>{all};
}

template <typename... Ops> static void attach(MLIRContext *context) {
  (Ops::template attachInterface<Model<Ops>>(*context), ...);
}

void tenon::attachShapeArithmetic(MLIRContext *context) {
  attach<AddOp, SubOp, MulOp, DivOp, ModOp, MaxOp, MinOp, NegOp, AbsOp, CompareOp, SelectOp, CastOp, ConstantOp,
         FromSizesOp, IotaOp, ReshapeOp, BroadcastOp, ConcatOp, SliceOp, GatherOp, ReduceOp>(context);
}

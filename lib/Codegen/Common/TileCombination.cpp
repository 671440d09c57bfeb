//===- TileCombination.cpp - How tiles are combined ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileCombination.h"

#include "tenon/Codegen/Common/ElementEmitter.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;

TileCombination::TileCombination(TileBuilder &builder, Combiner combiner, Type element)
    : wide(element), builder(builder), combiner(combiner == Combiner::mean ? Combiner::sum : combiner),
      element(element) {
  if (isPacked(element) && isa<IntegerType>(element))
    wide = IntegerType::get(element.getContext(), 8, llvm::cast<IntegerType>(element).getSignedness());
  else if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32)
    wide = Float32Type::get(element.getContext());
}

TypedAttr TileCombination::identity() const {
  Builder attributes(wide.getContext());
  bool isLeast = combiner == Combiner::max, isMost = combiner == Combiner::min;
  if (auto floating = dyn_cast<FloatType>(wide)) {
    if (isLeast || isMost)
      return attributes.getFloatAttr(wide, APFloat::getInf(floating.getFloatSemantics(), /*Negative=*/isLeast));
    return attributes.getFloatAttr(wide, combiner == Combiner::prod);
  }
  unsigned width = wide.getIntOrFloatBitWidth();
  bool isUnsigned = wide.isUnsignedInteger() || width == 1;
  if (isLeast)
    return attributes.getIntegerAttr(wide, isUnsigned ? APInt::getMinValue(width) : APInt::getSignedMinValue(width));
  if (isMost)
    return attributes.getIntegerAttr(wide, isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width));
  return attributes.getIntegerAttr(wide, APInt(width, combiner == Combiner::prod));
}

Value TileCombination::combine(Value a, Value b) const {
  bool isBool = wide.isInteger(1);
  switch (combiner) {
  case Combiner::prod:
    return isBool ? builder.create<AndOp>(a, b) : builder.create<MulOp>(a, b);
  case Combiner::min:
    return builder.create<MinOp>(a, b);
  case Combiner::max:
    return builder.create<MaxOp>(a, b);
  default:
    return isBool ? builder.create<OrOp>(a, b) : builder.create<AddOp>(a, b);
  }
}

Value TileCombination::choose(Value a, Value b) const {
  auto type = llvm::cast<RankedTensorType>(b.getType());
  Value isBeyond = builder.create<CompareOp>(type.clone(IntegerType::get(type.getContext(), 1)),
                                             combiner == Combiner::min ? Predicate::lt : Predicate::gt, b, a);
  return builder.create<SelectOp>(type, isBeyond, b, a);
}

Value TileCombination::cast(Value tile, Type to) const {
  auto type = llvm::cast<RankedTensorType>(tile.getType());
  return type.getElementType() == to ? tile : builder.create<CastOp>(type.clone(to), tile);
}

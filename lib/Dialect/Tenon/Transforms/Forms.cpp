//===- Forms.cpp - What a value of the graph is made of ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Forms.h"

#include <cmath>

using namespace mlir;
using namespace tenon;

std::optional<double> tenon::numberOf(Value value) {
  auto number = dyn_cast_if_present<FloatAttr>(splatOf(value));
  if (!number)
    return std::nullopt;
  APFloat real = number.getValue();
  bool losesInfo;
  real.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return real.convertToDouble();
}

bool tenon::isNearly(double number, double expected, Value value) {
  auto type = dyn_cast<FloatType>(getElementTypeOrSelf(value.getType()));
  if (!type)
    return false;
  // Exporters write constants of a few digits into wider types.
  double ulps = std::ldexp(4.0, -int(type.getFPMantissaWidth()));
  return std::abs(number - expected) <= std::max(ulps, 2e-6) * std::abs(expected);
}

std::optional<Spread> tenon::spreadOf(Value value) {
  auto broadcast = value.getDefiningOp<BroadcastOp>();
  if (!broadcast)
    return std::nullopt;
  return Spread{broadcast.getOperand(), broadcast};
}

FailureOr<ReduceOp> tenon::reductionOf(Value value, BroadcastOp broadcast) {
  auto reshape = value.getDefiningOp<ReshapeOp>();
  auto reduce = reshape ? reshape.getOperand().getDefiningOp<ReduceOp>() : value.getDefiningOp<ReduceOp>();
  if (!reduce)
    return failure();
  int64_t rank = cast<RankedTensorType>(reduce.getOperand().getType()).getRank();
  if (cast<RankedTensorType>(broadcast.getType()).getRank() != rank)
    return failure();
  SmallVector<int64_t> kept, all;
  for (int64_t dim = 0; dim < rank; ++dim) {
    all.push_back(dim);
    if (!llvm::is_contained(reduce.getDims(), dim))
      kept.push_back(dim);
  }
  if (!reshape) {
    if (ArrayRef(kept) != broadcast.getDims())
      return failure();
    return reduce;
  }
  // The reduced dimensions stay with size 1.
  auto shape = cast<RankedTensorType>(reshape.getType()).getShape();
  if ((int64_t)shape.size() != rank || ArrayRef(all) != broadcast.getDims())
    return failure();
  for (int64_t dim : reduce.getDims())
    if (shape[dim] != 1)
      return failure();
  SizeAnalysis sizes(reduce.getContext());
  SmallVector<AffineExpr> before = sizes.sizesOf(reduce.getResult()), after = sizes.sizesOf(reshape.getResult());
  for (auto [i, dim] : llvm::enumerate(kept))
    if (before[i] != after[dim])
      return failure();
  return reduce;
}

bool tenon::isUsedBy(Value value, ArrayRef<Operation *> users) {
  return llvm::all_of(value.getUsers(), [&](Operation *user) { return llvm::is_contained(users, user); });
}

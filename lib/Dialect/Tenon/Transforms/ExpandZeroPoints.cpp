//===- ExpandZeroPoints.cpp - Products of quantised numbers as they are stored ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// sum (a - p) (b - q) = sum a b - q sum a - p (sum b - K q), also modulo 2^32. Sums of constants are constants.
//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tenon;

namespace tenon {
#define GEN_PASS_DEF_EXPANDZEROPOINTSPASS
#include "tenon/Dialect/Tenon/Transforms/Passes.h.inc"
} // namespace tenon

namespace {
bool isByte(Value value) { return getElementTypeOrSelf(value).isInteger(8); }
RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Integers of 32 bits that are numbers of 8 bits, less their zero points.
struct Centred {
  Value stored;
  Value zero;                ///< of 8 or 32 bits; null where there is none
  SmallVector<int64_t> dims; ///< of what is stored, for those of the zero points
  bool isConstant() const { return (bool)stored.getDefiningOp<ConstantOp>(); }
};

/// Whether all elements of a constant, which may be cast, are `number`.
bool isConstantOf(Value value, int64_t number) {
  while (auto cast = value.getDefiningOp<CastOp>())
    value = cast.getOperand();
  auto constant = value.getDefiningOp<ConstantOp>();
  auto elements = constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue()) : DenseIntElementsAttr();
  return elements && llvm::all_of(elements.getValues<APInt>(), [&](const APInt &element) {
           return (elements.getElementType().isUnsignedInteger() ? element.getZExtValue() : element.getSExtValue()) ==
                  number;
         });
}

std::optional<Centred> centred(Value value) {
  auto storedOf = [](Value wide) {
    auto cast = wide.getDefiningOp<CastOp>();
    return cast && isByte(cast.getOperand()) && getElementTypeOrSelf(wide).isSignlessInteger(32) ? cast.getOperand()
                                                                                                 : Value();
  };
  if (Value stored = storedOf(value))
    return Centred{stored, Value(), {}};
  auto sub = value.getDefiningOp<SubOp>();
  Value stored = sub ? storedOf(sub.getLhs()) : Value();
  if (!stored)
    return std::nullopt;
  // Widened before or after they are repeated.
  auto narrow = [](Value value) {
    auto cast = value.getDefiningOp<CastOp>();
    return cast && isByte(cast.getOperand()) ? cast.getOperand() : value;
  };
  Value zero = narrow(sub.getRhs());
  Centred result{stored, zero, llvm::to_vector(llvm::seq<int64_t>(0, typeOf(stored).getRank()))};
  if (auto broadcast = zero.getDefiningOp<BroadcastOp>()) {
    result.zero = narrow(broadcast.getOperand());
    result.dims = llvm::to_vector(broadcast.getDims());
  }
  if (isConstantOf(result.zero, 0))
    result.zero = Value();
  return result;
}

class Expansion {
public:
  explicit Expansion(Operation *op) : op(op), b(op), loc(op->getLoc()), sizes(op->getContext()) {}

  /// Whether the op was replaced.
  bool run(ContractOp contract);
  bool run(ConvOp conv);

private:
  Type i32() { return b.getI32Type(); }
  Value wide(Value value) {
    return getElementTypeOrSelf(value) == i32() ? value
                                                : CastOp::create(b, loc, typeOf(value).clone(i32()), value).getResult();
  }
  Value splat(int64_t number, RankedTensorType type) {
    auto scalar = RankedTensorType::get({}, i32());
    Value constant =
        ConstantOp::create(b, loc, scalar, DenseElementsAttr::get(scalar, Attribute(b.getI32IntegerAttr(number))));
    return type.getRank() == 0 ? constant : broadcast(constant, {}, staticSizes(type));
  }
  SmallVector<AffineExpr> staticSizes(RankedTensorType type) {
    return llvm::map_to_vector(type.getShape(), [&](int64_t size) { return sizes.constant(size); });
  }
  Value broadcast(Value value, ArrayRef<int64_t> dims, ArrayRef<AffineExpr> extents) {
    SmallVector<Value> dynamic;
    SmallVector<int64_t> fixed;
    dispatchIndexOpFoldResults(sizes.materialize(b, loc, extents), dynamic, fixed);
    return BroadcastOp::create(b, loc, RankedTensorType::get(fixed, getElementTypeOrSelf(value)), value, dynamic, dims,
                               fixed);
  }
  Value sum(Value stored, ArrayRef<int64_t> dims) {
    SmallVector<int64_t> shape;
    for (auto [dim, size] : llvm::enumerate(typeOf(stored).getShape()))
      if (!llvm::is_contained(dims, (int64_t)dim))
        shape.push_back(size);
    return ReduceOp::create(b, loc, RankedTensorType::get(shape, i32()), Combiner::sum, wide(stored), dims);
  }
  /// Constants without a sign as ones with a sign: instructions want one operand of either kind.
  bool addSign(Centred &constant);
  void replace(Value result) {
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }

  Operation *op;
  OpBuilder b;
  Location loc;
  SizeAnalysis sizes;
};
} // namespace

bool Expansion::addSign(Centred &constant) {
  if (!getElementTypeOrSelf(constant.stored).isUnsignedInteger())
    return true;
  constexpr int64_t shift = 128;
  RankedTensorType type = typeOf(constant.stored);
  Value moved = SubOp::create(b, loc, wide(constant.stored), splat(shift, type));
  constant.stored = CastOp::create(b, loc, type.clone(b.getI8Type()), moved);
  if (!constant.zero) {
    constant.zero = splat(-shift, RankedTensorType::get({}, i32()));
    constant.dims.clear();
  } else if (isConstantOf(constant.zero, shift)) {
    constant.zero = Value();
  } else if (typeOf(constant.zero).hasStaticShape()) {
    constant.zero = SubOp::create(b, loc, wide(constant.zero), splat(shift, typeOf(constant.zero)));
  } else {
    return false;
  }
  return true;
}

bool Expansion::run(ContractOp contract) {
  std::optional<Centred> lhs = centred(contract.getLhs()), rhs = centred(contract.getRhs());
  if (!lhs || !rhs || lhs->isConstant() == rhs->isConstant() ||
      !getElementTypeOrSelf(contract.getResult()).isSignlessInteger(32))
    return false;
  SmallVector<AffineMap> maps = llvm::to_vector(contract.getIndexingMaps().getAsValueRange<AffineMapAttr>());
  AffineMap result = maps[2];
  std::optional<unsigned> depth;
  for (unsigned dim = 0; dim < result.getNumDims(); ++dim) {
    if (result.isFunctionOfDim(dim))
      continue;
    if (depth || !maps[0].isFunctionOfDim(dim) || !maps[1].isFunctionOfDim(dim))
      return false;
    depth = dim;
  }
  if (!depth)
    return false;
  AffineExpr summed = getAffineDimExpr(*depth, op->getContext());
  Centred *operands[] = {&*lhs, &*rhs};
  unsigned constant = rhs->isConstant(), other = 1 - constant;
  int64_t depthDims[] = {*maps[0].getResultPosition(summed), *maps[1].getResultPosition(summed)};
  int64_t count = typeOf(operands[constant]->stored).getDimSize(depthDims[constant]);
  // Dimensions of the result for those of an operand; nothing where they aren't in order.
  auto placesOf = [&](unsigned operand, ArrayRef<int64_t> dims) -> std::optional<SmallVector<int64_t>> {
    SmallVector<int64_t> places;
    for (int64_t dim : dims) {
      std::optional<unsigned> place = result.getResultPosition(maps[operand].getResult(dim));
      if (!place || (!places.empty() && (int64_t)*place < places.back()))
        return std::nullopt;
      places.push_back(*place);
    }
    return places;
  };
  SmallVector<int64_t> keptDims[2];
  for (unsigned i = 0; i < 2; ++i) {
    for (int64_t dim = 0; dim < typeOf(operands[i]->stored).getRank(); ++dim)
      if (dim != depthDims[i])
        keptDims[i].push_back(dim);
    if (!placesOf(i, keptDims[i]) || !placesOf(i, operands[i]->dims))
      return false;
  }
  if (!addSign(*operands[constant]))
    return false;
  SmallVector<AffineExpr> extents = sizes.sizesOf(contract.getResult());
  auto spread = [&](unsigned operand, Value value, ArrayRef<int64_t> dims) {
    return broadcast(value, *placesOf(operand, dims), extents);
  };
  Value y = ContractOp::create(b, loc, contract.getType(), lhs->stored, rhs->stored, contract.getIndexingMaps());
  auto subtract = [&](Value a, Value b1) { y = SubOp::create(b, loc, y, MulOp::create(b, loc, a, b1)); };
  if (Value zero = operands[constant]->zero)
    subtract(spread(other, sum(operands[other]->stored, depthDims[other]), keptDims[other]),
             spread(constant, wide(zero), operands[constant]->dims));
  if (Value zero = operands[other]->zero) {
    Value sums = sum(operands[constant]->stored, depthDims[constant]);
    if (Value both = operands[constant]->zero) {
      // In the sums' own dimensions.
      SmallVector<int64_t> dims = llvm::map_to_vector(operands[constant]->dims, [&](int64_t dim) {
        return int64_t(llvm::find(keptDims[constant], dim) - keptDims[constant].begin());
      });
      Value all = broadcast(wide(both), dims, staticSizes(typeOf(sums)));
      sums = SubOp::create(b, loc, sums, MulOp::create(b, loc, all, splat(count, typeOf(sums))));
    }
    subtract(spread(other, wide(zero), operands[other]->dims), spread(constant, sums, keptDims[constant]));
  }
  replace(y);
  return true;
}

bool Expansion::run(ConvOp conv) {
  std::optional<Centred> input = centred(conv.getInput()), filter = centred(conv.getFilter());
  if (!input || !filter || !filter->isConstant() || conv.getChannelsLast() ||
      !getElementTypeOrSelf(conv.getResult()).isSignlessInteger(32) || (input->zero && !input->dims.empty()))
    return false;
  // Sums of windows would be needed else.
  bool isUnsigned = getElementTypeOrSelf(filter->stored).isUnsignedInteger();
  if (isUnsigned ? !filter->zero || !isConstantOf(filter->zero, 128) : (bool)filter->zero)
    return false;
  addSign(*filter);
  Value image = input->stored;
  ArrayRef<int64_t> pads = conv.getPads();
  int64_t spatial = pads.size() / 2;
  if (llvm::any_of(pads, [](int64_t pad) { return pad != 0; })) {
    // What is outside is zero: the zero point, as it is stored.
    RankedTensorType type = typeOf(image);
    auto scalar = RankedTensorType::get({}, type.getElementType());
    Value outside = input->zero;
    if (!outside)
      outside =
          ConstantOp::create(b, loc, scalar, DenseElementsAttr::get(scalar, b.getZeroAttr(type.getElementType())));
    else if (outside.getType() != scalar)
      outside = CastOp::create(b, loc, scalar, outside);
    SmallVector<int64_t> low(type.getRank()), high(type.getRank()), shape(type.getShape());
    for (int64_t i = 0; i < spatial; ++i) {
      low[2 + i] = pads[i];
      high[2 + i] = pads[i + spatial];
      if (!type.isDynamicDim(2 + i))
        shape[2 + i] += pads[i] + pads[i + spatial];
    }
    image = PadOp::create(b, loc, type.clone(shape), PadMode::constant, image, outside, ValueRange(), ValueRange(), low,
                          high);
  }
  SmallVector<int64_t> none(pads.size(), 0), summed = llvm::to_vector(llvm::seq<int64_t>(1, 2 + spatial));
  Value y = ConvOp::create(b, loc, conv.getType(), image, filter->stored, conv.getStrides(), conv.getDilations(), none,
                           conv.getGroups(), /*channels_last=*/false);
  if (input->zero) {
    Value sums = sum(filter->stored, summed);
    Value zeros = broadcast(wide(input->zero), {}, staticSizes(typeOf(sums)));
    Value offsets = MulOp::create(b, loc, zeros, sums);
    y = SubOp::create(b, loc, y, broadcast(offsets, {1}, sizes.sizesOf(conv.getResult())));
  }
  replace(y);
  return true;
}

namespace {
struct ExpandZeroPointsPass : tenon::impl::ExpandZeroPointsPassBase<ExpandZeroPointsPass> {
  void runOnOperation() override {
    SmallVector<Operation *> products;
    getOperation()->walk([&](Operation *op) {
      if (isa<ContractOp, ConvOp>(op))
        products.push_back(op);
    });
    for (Operation *op : products) {
      if (auto contract = dyn_cast<ContractOp>(op))
        Expansion(op).run(contract);
      else
        Expansion(op).run(cast<ConvOp>(op));
    }
  }
};
} // namespace

//===- ExpandZeroPoints.cpp - Products of quantised numbers as they are stored ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// sum (a - p) (b - q) = sum a b - q sum a - p (sum b - K q), also modulo 2^32. Sums of constants are constants. Of
// numbers that were dequantised first the sum is exact, and is multiplied with both scales at last.
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
/// Between bytes with a sign and those without.
constexpr int64_t kSignShift = 128;

bool isByte(Value value) { return getElementTypeOrSelf(value).isInteger(8); }
RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Numbers of 8 bits, less their zero points, times their scales.
struct Quantized {
  Value stored;
  Value zero = {};                     ///< of 8 or 32 bits; null where there is none
  SmallVector<int64_t> zeroDims = {};  ///< of what is stored, for those of the zero points
  bool hasStoredZero = true;           ///< whether zero points are numbers that the type of what is stored has
  Value scale = {};                    ///< null where there is none
  SmallVector<int64_t> scaleDims = {}; ///< alike
  bool isConstant() const {
    Value source = stored;
    while (auto transpose = source.getDefiningOp<TransposeOp>())
      source = transpose.getOperand();
    return (bool)source.getDefiningOp<ConstantOp>();
  }
};

/// Whether all elements of a constant, which may be cast, are `number`.
bool isConstantOf(Value value, int64_t number) {
  while (auto cast = value.getDefiningOp<CastOp>())
    value = cast.getOperand();
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return false;
  if (auto blob = dyn_cast<tenon::BlobAttr>(constant.getValue())) {
    llvm::Expected<ArrayRef<char>> bytes = blob.getData();
    if (!bytes)
      return llvm::consumeError(bytes.takeError()), false;
    return isByte(value) && llvm::all_of(*bytes, [&](char byte) { return byte == char(number); });
  }
  auto elements = dyn_cast<DenseIntElementsAttr>(constant.getValue());
  return elements && llvm::all_of(elements.getValues<APInt>(), [&](const APInt &element) {
           return (elements.getElementType().isUnsignedInteger() ? int64_t(element.getZExtValue())
                                                                 : element.getSExtValue()) == number;
         });
}

/// Whether the elements of a constant of 32 bits are numbers of a type of 8 bits.
bool isConstantWithin(Value value, Type byte) {
  DenseIntElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)))
    return false;
  bool isUnsigned = byte.isUnsignedInteger();
  return llvm::all_of(elements.getValues<APInt>(), [&](const APInt &element) {
    int64_t number = element.getSExtValue();
    return isUnsigned ? number >= 0 && number <= 255 : number >= -128 && number <= 127;
  });
}

/// What was repeated, and along which dimensions it lies.
std::pair<Value, SmallVector<int64_t>> repeated(Value value) {
  if (auto broadcast = value.getDefiningOp<BroadcastOp>())
    return {broadcast.getOperand(), llvm::to_vector(broadcast.getDims())};
  return {value, llvm::to_vector(llvm::seq<int64_t>(0, typeOf(value).getRank()))};
}

/// Integers of 32 bits, or any numbers that are cast from them or from what is stored.
std::optional<Quantized> centred(Value value) {
  auto cast = value.getDefiningOp<CastOp>();
  if (cast && isByte(cast.getOperand()))
    return Quantized{cast.getOperand()};
  if (cast && isa<FloatType>(getElementTypeOrSelf(value)))
    value = cast.getOperand();
  auto sub = value.getDefiningOp<SubOp>();
  cast = sub ? sub.getLhs().getDefiningOp<CastOp>() : CastOp();
  if (!cast || !isByte(cast.getOperand()) || !getElementTypeOrSelf(value).isSignlessInteger(32))
    return std::nullopt;
  Quantized result{cast.getOperand()};
  // Zero points are widened before or after they are repeated.
  auto narrow = [](Value value) {
    auto cast = value.getDefiningOp<CastOp>();
    return cast && isByte(cast.getOperand()) ? cast.getOperand() : value;
  };
  std::tie(result.zero, result.zeroDims) = repeated(narrow(sub.getRhs()));
  result.zero = narrow(result.zero);
  result.hasStoredZero = getElementTypeOrSelf(result.zero) == getElementTypeOrSelf(result.stored) ||
                         isConstantWithin(result.zero, getElementTypeOrSelf(result.stored));
  if (isConstantOf(result.zero, 0))
    result.zero = Value();
  return result;
}

std::optional<Quantized> quantized(Value value) {
  // What is turned once it is dequantised could have been before.
  if (auto transpose = value.getDefiningOp<TransposeOp>()) {
    std::optional<Quantized> result = quantized(transpose.getOperand());
    if (!result || !result->isConstant())
      return std::nullopt;
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    for (SmallVector<int64_t> *dims : {&result->zeroDims, &result->scaleDims}) {
      for (int64_t &dim : *dims)
        dim = llvm::find(permutation, dim) - permutation.begin();
      if (!llvm::is_sorted(*dims))
        return std::nullopt;
    }
    OpBuilder builder(transpose);
    result->stored =
        TransposeOp::create(builder, transpose.getLoc(), typeOf(value).clone(getElementTypeOrSelf(result->stored)),
                            result->stored, permutation);
    return result;
  }
  Type element = getElementTypeOrSelf(value);
  if (element.isSignlessInteger(32))
    return centred(value);
  auto mul = value.getDefiningOp<MulOp>();
  if (!element.isF32() || !mul)
    return std::nullopt;
  Value operands[] = {mul.getLhs(), mul.getRhs()};
  for (unsigned i = 0; i < 2; ++i)
    // Sums of numbers that are further from their zero points need not fit.
    if (std::optional<Quantized> result = centred(operands[i]); result && result->hasStoredZero) {
      std::tie(result->scale, result->scaleDims) = repeated(operands[1 - i]);
      return result;
    }
  return std::nullopt;
}

/// Whether no sum of so many products of bytes, less their zero points, is beyond a limit.
bool fits(int64_t products, int64_t limit = INT32_MAX) {
  return !ShapedType::isDynamic(products) && products <= limit / (255 * 255);
}

class Expansion {
public:
  explicit Expansion(Operation *op) : op(op), b(op), loc(op->getLoc()), sizes(op->getContext()) {}

  /// Whether the op was replaced.
  bool run(ContractOp contract);
  bool run(ConvOp conv);

private:
  /// Products of numbers that are both computed have no runs, but register tiles in f32, where their sums are exact.
  bool runInFloats(ContractOp contract) {
    auto real = [&](Value value) -> Value {
      return CastOp::create(b, loc, typeOf(value).clone(b.getF32Type()), value);
    };
    Value y = ContractOp::create(b, loc, typeOf(contract.getResult()).clone(b.getF32Type()), real(contract.getLhs()),
                                 real(contract.getRhs()), contract.getIndexingMaps());
    op->getResult(0).replaceAllUsesWith(CastOp::create(b, loc, typeOf(contract.getResult()), y));
    op->erase();
    return true;
  }
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
  bool addSign(Quantized &constant);
  /// And what is computed without one.
  void removeSign(Quantized &computed);
  Value withoutSign(Value stored);
  Value numberOf(double number, Value like);
  /// Gives the sums; those of dequantised numbers times the scales, which lie along dimensions of the result.
  void replace(Value result, ArrayRef<std::pair<Value, SmallVector<int64_t>>> scales) {
    if (Type element = getElementTypeOrSelf(op->getResult(0)); element != i32()) {
      result = CastOp::create(b, loc, typeOf(result).clone(element), result);
      SmallVector<AffineExpr> extents = sizes.sizesOf(op->getResult(0));
      // The product of a scale for all with one per channel is as short as that.
      auto [first, firstDims] = scales[0];
      auto [second, secondDims] = scales[1];
      if (!firstDims.empty())
        std::swap(first, second), std::swap(firstDims, secondDims);
      if (firstDims.empty()) {
        first = broadcast(first, {}, sizes.sizesOf(second));
        second = MulOp::create(b, loc, first, second);
      } else {
        result = MulOp::create(b, loc, result, broadcast(first, firstDims, extents));
      }
      result = MulOp::create(b, loc, result, broadcast(second, secondDims, extents));
    }
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }

  Operation *op;
  OpBuilder b;
  Location loc;
  SizeAnalysis sizes;
};
} // namespace

bool Expansion::addSign(Quantized &constant) {
  if (!getElementTypeOrSelf(constant.stored).isUnsignedInteger())
    return true;
  constexpr int64_t shift = kSignShift;
  RankedTensorType type = typeOf(constant.stored);
  Value moved = SubOp::create(b, loc, wide(constant.stored), splat(shift, type));
  constant.stored = CastOp::create(b, loc, type.clone(b.getI8Type()), moved);
  if (!constant.zero) {
    constant.zero = splat(-shift, RankedTensorType::get({}, i32()));
    constant.zeroDims.clear();
  } else if (isConstantOf(constant.zero, shift)) {
    constant.zero = Value();
  } else if (typeOf(constant.zero).hasStaticShape()) {
    constant.zero = SubOp::create(b, loc, wide(constant.zero), splat(shift, typeOf(constant.zero)));
  } else {
    return false;
  }
  return true;
}

/// The number, repeated to the sizes of a value.
Value Expansion::numberOf(double number, Value like) {
  Type element = getElementTypeOrSelf(like);
  auto scalar = RankedTensorType::get({}, element);
  Attribute attribute = isa<FloatType>(element) ? Attribute(b.getFloatAttr(element, number))
                                                : Attribute(b.getIntegerAttr(element, int64_t(number)));
  Value constant = ConstantOp::create(b, loc, scalar, DenseElementsAttr::get(scalar, attribute));
  return typeOf(like).getRank() == 0 ? constant : broadcast(constant, {}, sizes.sizesOf(like));
}

void Expansion::removeSign(Quantized &computed) {
  if (!getElementTypeOrSelf(computed.stored).isSignlessInteger(8))
    return;
  computed.stored = withoutSign(computed.stored);
  if (computed.zero) {
    Value zero = wide(computed.zero);
    computed.zero = AddOp::create(b, loc, zero, numberOf(kSignShift, zero));
  } else {
    computed.zero = splat(kSignShift, RankedTensorType::get({}, i32()));
    computed.zeroDims.clear();
  }
}

/// Bytes that are 128 more. What was quantised is quantised so, and what else reads it moves it back.
Value Expansion::withoutSign(Value stored) {
  RankedTensorType type = typeOf(stored).clone(IntegerType::get(b.getContext(), 8, IntegerType::Unsigned));
  auto quantised = stored.getDefiningOp<CastOp>();
  auto high = quantised ? quantised.getOperand().getDefiningOp<MinOp>() : MinOp();
  auto low = high ? high.getLhs().getDefiningOp<MaxOp>() : MaxOp();
  auto is = [](Value value, double number) {
    auto constant = dyn_cast_if_present<FloatAttr>(splatOf(value));
    return constant && constant.getValueAsDouble() == number;
  };
  Value number = low ? low.getLhs() : Value();
  double shift = kSignShift;
  if (auto sum = number ? number.getDefiningOp<AddOp>() : AddOp())
    if (auto zero = dyn_cast_if_present<FloatAttr>(splatOf(sum.getRhs())); zero && zero.getValue().isInteger()) {
      number = sum.getLhs();
      shift += zero.getValueAsDouble();
    }
  // Of fractions the cast would cut off other parts.
  bool isWhole = number && number.getDefiningOp<RoundOp>();
  if (!isWhole || !is(high.getRhs(), 127) || !is(low.getRhs(), -128))
    return CastOp::create(b, loc, type, AddOp::create(b, loc, wide(stored), numberOf(kSignShift, wide(stored))));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfter(quantised);
  number = AddOp::create(b, loc, number, numberOf(shift, number));
  number = MaxOp::create(b, loc, number, numberOf(0, number));
  number = MinOp::create(b, loc, number, numberOf(255, number));
  Value result = CastOp::create(b, loc, type, number);
  Value back = SubOp::create(b, loc, wide(result), numberOf(kSignShift, wide(result)));
  Value restored = CastOp::create(b, loc, stored.getType(), back);
  stored.replaceAllUsesWith(restored);
  return result;
}

bool Expansion::run(ContractOp contract) {
  std::optional<Quantized> lhs = quantized(contract.getLhs()), rhs = quantized(contract.getRhs());
  Type element = getElementTypeOrSelf(contract.getResult());
  if (!lhs || !rhs || (bool)lhs->scale != (bool)rhs->scale ||
      (lhs->scale ? !element.isF32() : !element.isSignlessInteger(32)))
    return false;
  bool isOneConstant = lhs->isConstant() != rhs->isConstant();
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
  Quantized *operands[] = {&*lhs, &*rhs};
  unsigned constant = rhs->isConstant(), other = 1 - constant;
  int64_t depthDims[] = {*maps[0].getResultPosition(summed), *maps[1].getResultPosition(summed)};
  int64_t count = typeOf(operands[constant]->stored).getDimSize(depthDims[constant]);
  if (!isOneConstant)
    return !lhs->scale && lhs->hasStoredZero && rhs->hasStoredZero && fits(count, 1 << 24) && runInFloats(contract);
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
    if (!placesOf(i, keptDims[i]) || !placesOf(i, operands[i]->zeroDims) || !placesOf(i, operands[i]->scaleDims))
      return false;
  }
  if (lhs->scale && !fits(count))
    return false;
  if (!addSign(*operands[constant]))
    return false;
  removeSign(*operands[other]);
  SmallVector<AffineExpr> extents = sizes.sizesOf(contract.getResult());
  auto spread = [&](unsigned operand, Value value, ArrayRef<int64_t> dims) {
    return broadcast(value, *placesOf(operand, dims), extents);
  };
  Value y = ContractOp::create(b, loc, typeOf(contract.getResult()).clone(i32()), lhs->stored, rhs->stored,
                               contract.getIndexingMaps());
  // Of one zero point for all, the products are as few as the sums.
  auto subtract = [&](unsigned operand, Value zero, ArrayRef<int64_t> zeroDims, Value sums) {
    unsigned summed = 1 - operand;
    Value product;
    if (zeroDims.empty()) {
      Value zeros = broadcast(zero, {}, sizes.sizesOf(sums));
      product = spread(summed, MulOp::create(b, loc, zeros, sums), keptDims[summed]);
    } else {
      product = MulOp::create(b, loc, spread(summed, sums, keptDims[summed]), spread(operand, zero, zeroDims));
    }
    y = SubOp::create(b, loc, y, product);
  };
  if (Value zero = operands[constant]->zero)
    subtract(constant, wide(zero), operands[constant]->zeroDims, sum(operands[other]->stored, depthDims[other]));
  if (Value zero = operands[other]->zero) {
    Value sums = sum(operands[constant]->stored, depthDims[constant]);
    if (Value both = operands[constant]->zero) {
      // In the sums' own dimensions.
      SmallVector<int64_t> dims = llvm::map_to_vector(operands[constant]->zeroDims, [&](int64_t dim) {
        return int64_t(llvm::find(keptDims[constant], dim) - keptDims[constant].begin());
      });
      Value all = broadcast(wide(both), dims, staticSizes(typeOf(sums)));
      sums = SubOp::create(b, loc, sums, MulOp::create(b, loc, all, splat(count, typeOf(sums))));
    }
    subtract(other, wide(zero), operands[other]->zeroDims, sums);
  }
  if (lhs->scale)
    replace(y, {{lhs->scale, *placesOf(0, lhs->scaleDims)}, {rhs->scale, *placesOf(1, rhs->scaleDims)}});
  else
    replace(y, {});
  return true;
}

bool Expansion::run(ConvOp conv) {
  std::optional<Quantized> input = quantized(conv.getInput()), filter = quantized(conv.getFilter());
  Type element = getElementTypeOrSelf(conv.getResult());
  // The border is a number of the image's type.
  if (!input || !filter || !input->hasStoredZero || !filter->hasStoredZero || !filter->isConstant() ||
      conv.getChannelsLast() || (bool)input->scale != (bool)filter->scale ||
      (input->zero && !input->zeroDims.empty()) || (input->scale ? !element.isF32() : !element.isSignlessInteger(32)))
    return false;
  RankedTensorType taps = typeOf(filter->stored);
  bool isPerFilter = filter->scaleDims.empty() || filter->scaleDims == SmallVector<int64_t>{0};
  if (input->scale && (!input->scaleDims.empty() || !isPerFilter ||
                       !fits(taps.getNumElements() / std::max<int64_t>(taps.getDimSize(0), 1))))
    return false;
  // Zero points of filters want sums of windows, which are few unless channels come in groups.
  bool isUnsigned = getElementTypeOrSelf(filter->stored).isUnsignedInteger();
  bool isCentred = isUnsigned ? filter->zero && isConstantOf(filter->zero, kSignShift) : !filter->zero;
  bool isZeroPerFilter = filter->zeroDims.empty() || filter->zeroDims == SmallVector<int64_t>{0};
  if ((!isCentred &&
       (conv.getGroups() != 1 || !isZeroPerFilter || (filter->zero && !typeOf(filter->zero).hasStaticShape()))) ||
      !addSign(*filter))
    return false;
  removeSign(*input);
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
  Value y = ConvOp::create(b, loc, typeOf(conv.getResult()).clone(i32()), image, filter->stored, conv.getStrides(),
                           conv.getDilations(), none, conv.getGroups(), /*channels_last=*/false);
  SmallVector<AffineExpr> extents = sizes.sizesOf(conv.getResult());
  if (filter->zero) {
    Value channels = sum(image, {1});
    SmallVector<int64_t> places(typeOf(y).getShape()), dims = llvm::to_vector(llvm::seq<int64_t>(0, 2 + spatial));
    places.erase(places.begin() + 1);
    dims.erase(dims.begin() + 1);
    Value windows = WindowOp::create(b, loc, RankedTensorType::get(places, i32()), Combiner::sum, channels,
                                     taps.getShape().drop_front(2), conv.getStrides(), conv.getDilations(), none,
                                     /*ceil=*/false, /*count_pads=*/false, /*channels_last=*/false);
    SmallVector<int64_t> along(filter->zeroDims.size(), 1);
    y = SubOp::create(
        b, loc, y,
        MulOp::create(b, loc, broadcast(windows, dims, extents), broadcast(wide(filter->zero), along, extents)));
  }
  if (input->zero) {
    Value sums = sum(filter->stored, summed);
    if (filter->zero) {
      Value all = broadcast(wide(filter->zero), filter->zeroDims, staticSizes(typeOf(sums)));
      int64_t count = taps.getNumElements() / std::max<int64_t>(taps.getDimSize(0), 1);
      sums = SubOp::create(b, loc, sums, MulOp::create(b, loc, all, splat(count, typeOf(sums))));
    }
    Value zeros = broadcast(wide(input->zero), {}, staticSizes(typeOf(sums)));
    Value offsets = MulOp::create(b, loc, zeros, sums);
    y = SubOp::create(b, loc, y, broadcast(offsets, {1}, extents));
  }
  if (input->scale)
    replace(y, {{input->scale, {}},
                {filter->scale, filter->scaleDims.empty() ? SmallVector<int64_t>{} : SmallVector<int64_t>{1}}});
  else
    replace(y, {});
  return true;
}

namespace {
struct ExpandZeroPointsPass : tenon::impl::ExpandZeroPointsPassBase<ExpandZeroPointsPass> {
  using ExpandZeroPointsPassBase::ExpandZeroPointsPassBase;
  void runOnOperation() override {
    SmallVector<Operation *> products;
    getOperation()->walk([&](Operation *op) {
      bool isFloat = op->getNumResults() == 1 && isa<FloatType>(getElementTypeOrSelf(op->getResult(0)));
      if (isa<ContractOp, ConvOp>(op) && (dequantized || !isFloat))
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

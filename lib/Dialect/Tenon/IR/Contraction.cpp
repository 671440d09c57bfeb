//===- Contraction.cpp - Sums of products ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/Verification.h"

using namespace mlir;
using namespace tenon;

/// Whether operands can be converted to the type that products are summed in without losing digits.
static LogicalResult verifyProducts(Operation *op, ValueRange operands, Value result) {
  Type sum = getElementTypeOrSelf(result);
  unsigned width = sum.getIntOrFloatBitWidth();
  if (isa<FloatType>(sum) && width < 16)
    return op->emitOpError("can't sum products in ") << sum << ", which is only stored";
  if (sum.isF16() || sum.isBF16())
    width = 32;
  for (Value operand : operands) {
    Type element = getElementTypeOrSelf(operand);
    bool isFloat = isa<FloatType>(element);
    if (isFloat != isa<FloatType>(sum) || (isFloat && element.getIntOrFloatBitWidth() > width))
      return op->emitOpError("can't sum products of ") << element << " in " << sum;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// ContractOp
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> ContractOp::getLoopIterators() {
  AffineMap result = getResultMaps().front();
  SmallVector<utils::IteratorType> iterators(result.getNumDims(), utils::IteratorType::reduction);
  for (AffineExpr expression : result.getResults())
    iterators[cast<AffineDimExpr>(expression).getPosition()] = utils::IteratorType::parallel;
  return iterators;
}

SmallVector<AffineMap> ContractOp::getOperandMaps() {
  auto maps = getIndexingMaps().getAsValueRange<AffineMapAttr>();
  SmallVector<AffineMap> all(maps.begin(), maps.end());
  return {all[0], all[1]};
}

SmallVector<AffineMap> ContractOp::getResultMaps() { return {cast<AffineMapAttr>(getIndexingMaps()[2]).getValue()}; }

LogicalResult ContractOp::verify() {
  if (getIndexingMaps().size() != 3)
    return emitOpError("expects 3 indexing maps, one per operand and result, but has ") << getIndexingMaps().size();
  Value values[] = {getLhs(), getRhs(), getResult()};
  const char *names[] = {"lhs", "rhs", "result"};
  unsigned dims = cast<AffineMapAttr>(getIndexingMaps()[0]).getValue().getNumDims();
  SmallVector<int64_t> sizes(dims, ShapedType::kDynamic);
  SmallVector<bool> inOperand(dims, false);
  for (auto [i, attribute] : llvm::enumerate(getIndexingMaps())) {
    AffineMap map = cast<AffineMapAttr>(attribute).getValue();
    auto type = cast<RankedTensorType>(values[i].getType());
    if (map.getNumDims() != dims || map.getNumSymbols() != 0 || !map.isProjectedPermutation())
      return emitOpError("expects the map of ")
             << names[i] << " to be a projected permutation of " << dims << " dimensions";
    if (map.getNumResults() != type.getRank())
      return emitOpError("expects the map of ")
             << names[i] << " to have " << type.getRank() << " results, but it has " << map.getNumResults();
    for (auto [expression, size] : llvm::zip(map.getResults(), type.getShape())) {
      unsigned position = cast<AffineDimExpr>(expression).getPosition();
      inOperand[position] = inOperand[position] || i < 2;
      if (ShapedType::isDynamic(size))
        continue;
      if (!ShapedType::isDynamic(sizes[position]) && sizes[position] != size)
        return emitOpError("expects one size of dimension d")
               << position << ", but has " << sizes[position] << " and " << size;
      sizes[position] = size;
    }
  }
  for (auto [position, present] : llvm::enumerate(inOperand))
    if (!present)
      return emitOpError("expects dimension d") << position << " in an operand";
  return verifyProducts(*this, {getLhs(), getRhs()}, getResult());
}

//===----------------------------------------------------------------------===//
// ConvOp
//===----------------------------------------------------------------------===//

LogicalResult ConvOp::verify() {
  auto input = cast<RankedTensorType>(getInput().getType());
  auto filter = cast<RankedTensorType>(getFilter().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  int64_t spatial = input.getRank() - 2;
  if (spatial < 1 || filter.getRank() != input.getRank() || result.getRank() != input.getRank())
    return emitOpError("expects input, filter and result of one rank of at least 3, but has ranks ")
           << input.getRank() << ", " << filter.getRank() << " and " << result.getRank();
  if ((int64_t)getStrides().size() != spatial || (int64_t)getDilations().size() != spatial ||
      (int64_t)getPads().size() != 2 * spatial)
    return emitOpError("expects ") << spatial << " strides and dilations and " << 2 * spatial << " pads";
  if (failed(verifyPositive(*this, "strides", getStrides())) ||
      failed(verifyPositive(*this, "dilations", getDilations())) || failed(verifyPads(*this, getPads())) ||
      failed(verifyProducts(*this, {getInput(), getFilter()}, getResult())))
    return failure();
  if (static_cast<int64_t>(getGroups()) < 1)
    return emitOpError("expects a positive number of groups, but has ") << static_cast<int64_t>(getGroups());
  int64_t channels = input.getDimSize(getChannelDim()), perGroup = filter.getDimSize(getSummedDim());
  if (!ShapedType::isDynamic(channels) && !ShapedType::isDynamic(perGroup) &&
      channels != perGroup * (int64_t)getGroups())
    return emitOpError("expects input channels (")
           << channels << ") to be groups (" << getGroups() << ") x filter channels (" << perGroup << ")";
  int64_t filters = filter.getDimSize(getFilterDim());
  if (!ShapedType::isDynamic(filters) && filters % (int64_t)getGroups() != 0)
    return emitOpError("expects groups (") << getGroups() << ") to divide the filters (" << filters << ")";
  return verifyResultSizes(cast<OpResult>(getResult()));
}

/// The dimensions of the result as it is written, then the channels of a group, then the taps.
SmallVector<utils::IteratorType> ConvOp::getLoopIterators() {
  size_t spatial = getStrides().size();
  SmallVector<utils::IteratorType> iterators(2 + spatial, utils::IteratorType::parallel);
  iterators.append(1 + spatial, utils::IteratorType::reduction);
  return iterators;
}

SmallVector<AffineMap> ConvOp::getOperandMaps() {
  int64_t spatial = getStrides().size(), groups = getGroups(), dims = 3 + 2 * spatial;
  auto dim = [&](int64_t i) { return getAffineDimExpr(i, getContext()); };
  AffineExpr filters = dim(getChannelDim()), channel = dim(2 + spatial);
  auto filter = cast<RankedTensorType>(getFilter().getType());
  int64_t count = filter.getDimSize(getFilterDim()), perGroup = filter.getDimSize(getSummedDim());
  AffineExpr inputChannel = channel;
  if (groups != 1 && perGroup == 1 && count == groups)
    inputChannel = filters;
  else if (groups != 1)
    // Of unknown numbers the quotient isn't affine: the group is the one symbol of the map.
    inputChannel = ShapedType::isDynamic(count) || ShapedType::isDynamic(perGroup)
                       ? getAffineSymbolExpr(0, getContext()) + channel
                       : filters.floorDiv(std::max<int64_t>(count / groups, 1)) * perGroup + channel;
  SmallVector<AffineExpr> input(2 + spatial), weight(2 + spatial);
  input[0] = dim(0);
  input[getChannelDim()] = inputChannel;
  weight[getFilterDim()] = filters;
  weight[getSummedDim()] = channel;
  for (int64_t i = 0; i < spatial; ++i) {
    AffineExpr tap = dim(3 + spatial + i);
    input[getSpatialDim() + i] =
        windowPlace(dim(getSpatialDim() + i), tap, getStrides()[i], getDilations()[i], getPads()[i]);
    weight[getTapDim() + i] = tap;
  }
  unsigned symbols = groups != 1 && inputChannel.isFunctionOfSymbol(0);
  return {AffineMap::get(dims, symbols, input, getContext()), AffineMap::get(dims, 0, weight, getContext())};
}

SmallVector<AffineMap> ConvOp::getResultMaps() {
  int64_t spatial = getStrides().size();
  return {AffineMap::getMultiDimIdentityMap(3 + 2 * spatial, getContext()).getMajorSubMap(2 + spatial)};
}

SmallVector<AffineExpr> ConvOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  SmallVector<AffineExpr> input = sizes.sizesOf(getInput()), filter = sizes.sizesOf(getFilter());
  size_t spatial = getStrides().size();
  SmallVector<AffineExpr> result(input);
  result[getChannelDim()] = filter[getFilterDim()];
  for (size_t i = 0; i < spatial; ++i) {
    AffineExpr &size = result[getSpatialDim() + i];
    AffineExpr extent =
        size + (getPads()[i] + getPads()[i + spatial]) - (filter[getTapDim() + i] - 1) * getDilations()[i] - 1;
    size = extent.floorDiv(getStrides()[i]) + 1;
  }
  return result;
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonContraction.cpp.inc"

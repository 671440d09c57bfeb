//===- VerifyTiles.cpp - What tiles and memory of programs must be ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramVerification.h"
#include "tenon/Dialect/Tenon/IR/Verification.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace tenon::tile;

bool tenon::tile::isTile(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  int64_t elements = 1;
  return tensor && llvm::all_of(tensor.getShape(), [&](int64_t size) {
           return !ShapedType::isDynamic(size) &&
                  !__builtin_mul_overflow(elements, std::max<int64_t>(size, 1), &elements) && elements <= kLargest;
         });
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

/// Adds `scale * expression` to the coefficients of its dimensions and, behind them, the constant; false if it isn't
/// linear.
static bool addLinear(AffineExpr expression, int64_t scale, MutableArrayRef<int64_t> coefficients) {
  auto isSmall = [](int64_t value) { return -kLargest <= value && value <= kLargest; };
  if (!isSmall(scale))
    return false;
  auto constant = dyn_cast<AffineConstantExpr>(expression);
  if (constant || isa<AffineDimExpr>(expression)) {
    if (constant && !isSmall(constant.getValue()))
      return false;
    int64_t &sum = constant ? coefficients.back() : coefficients[cast<AffineDimExpr>(expression).getPosition()];
    sum += scale * (constant ? constant.getValue() : 1);
    return isSmall(sum);
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expression);
  if (!binary)
    return false;
  if (expression.getKind() == AffineExprKind::Add)
    return addLinear(binary.getLHS(), scale, coefficients) && addLinear(binary.getRHS(), scale, coefficients);
  auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return expression.getKind() == AffineExprKind::Mul && factor && isSmall(factor.getValue()) &&
         addLinear(binary.getLHS(), scale * factor.getValue(), coefficients);
}

static unsigned bytesOf(Type element) { return std::max(1u, element.getIntOrFloatBitWidth() / 8); }

FailureOr<MemRefType> tenon::tile::viewType(function_ref<InFlightDiagnostic()> emitError, MemRefType source,
                                            AffineMap map, AffineMap sizes, Type elementType) {
  auto [sourceStrides, offset] = source.getStridesAndOffset();
  if (map.getNumResults() != source.getRank() || map.getNumSymbols() != 0)
    return emitError() << "expects " << source.getRank() << " expressions of dimensions, but has "
                       << AffineMapAttr::get(map);
  if (sizes.getNumResults() != map.getNumDims())
    return emitError() << "expects " << map.getNumDims() << " sizes, but has " << sizes.getNumResults();
  int64_t ratio = bytesOf(source.getElementType()) / bytesOf(elementType);
  if (bytesOf(source.getElementType()) % bytesOf(elementType) != 0 ||
      (ratio != 1 && (sourceStrides.empty() || sourceStrides.back() != 1)))
    return emitError() << "expects elements whose size divides that of contiguous elements of " << source
                       << ", but has " << elementType;
  SmallVector<int64_t> strides(map.getNumDims(), 0);
  int64_t base = 0;
  auto add = [](int64_t &sum, int64_t factor, int64_t stride) {
    if (factor == 0)
      return true;
    if (ShapedType::isDynamic(sum) || ShapedType::isDynamic(stride)) {
      sum = ShapedType::kDynamic;
      return true;
    }
    int64_t product;
    return !__builtin_mul_overflow(factor, stride, &product) && !__builtin_add_overflow(sum, product, &sum);
  };
  bool fits = add(base, ratio, offset);
  for (auto [i, expression] : llvm::enumerate(map.getResults())) {
    SmallVector<int64_t> coefficients(map.getNumDims() + 1, 0);
    if (!addLinear(expression, 1, coefficients))
      return emitError() << "expects linear expressions, but has " << describe(expression);
    // The last dimension counts the view's elements.
    int64_t scale = (int64_t)i + 1 == source.getRank() ? 1 : ratio;
    fits &= add(base, coefficients.back() * scale, sourceStrides[i]);
    for (unsigned d = 0; d < map.getNumDims(); ++d)
      fits &= add(strides[d], coefficients[d] * scale, sourceStrides[i]);
  }
  if (!fits)
    return emitError() << "expects strides within 64 bits";
  SmallVector<int64_t> shape;
  for (AffineExpr size : sizes.getResults()) {
    auto constant = dyn_cast<AffineConstantExpr>(size);
    if (constant && (constant.getValue() < 0 || constant.getValue() > kMostElements))
      return emitError() << "expects sizes from 0 to " << kMostElements << ", but has " << constant.getValue();
    shape.push_back(constant ? constant.getValue() : ShapedType::kDynamic);
  }
  auto layout = StridedLayoutAttr::get(source.getContext(), base, strides);
  return MemRefType::get(shape, elementType, layout, source.getMemorySpace());
}

LogicalResult ViewOp::verify() {
  auto source = cast<MemRefType>(getSource().getType()), result = cast<MemRefType>(getResult().getType());
  if (failed(verifyMemory(*this, source)) || failed(verifyMemory(*this, result)) ||
      failed(verifyExpressions(*this, "sizes", getSizes(), getIndices().size(), getMap().getNumDims())))
    return failure();
  FailureOr<MemRefType> expected =
      viewType([&] { return emitOpError(); }, source, getMap(), getSizes(), result.getElementType());
  if (failed(expected))
    return failure();
  if (result.getShape() != expected->getShape() || result.getMemorySpace() != expected->getMemorySpace() ||
      result.getStridesAndOffset() != expected->getStridesAndOffset())
    return emitOpError("expects the view to be ") << *expected << ", but it is " << result;
  return success();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

SmallVector<int64_t> LoadOp::getTileDims() {
  return dimsOr(getDims(), cast<RankedTensorType>(getTile().getType()).getRank(), getCoordinates().getNumResults());
}
SmallVector<int64_t> LoadOp::getTileSteps() {
  return getSteps() ? SmallVector<int64_t>(*getSteps()) : SmallVector<int64_t>(getTileDims().size(), 1);
}
SmallVector<int64_t> StoreOp::getTileDims() {
  return dimsOr(getDims(), cast<RankedTensorType>(getTile().getType()).getRank(), getCoordinates().getNumResults());
}
SmallVector<int64_t> StoreOp::getTileSteps() {
  return getSteps() ? SmallVector<int64_t>(*getSteps()) : SmallVector<int64_t>(getTileDims().size(), 1);
}

/// Gathered coordinates: tiles of integers along one dimension of the tile, that of the first.
template <typename Op> static LogicalResult verifyGathered(Op op, RankedTensorType tile, ArrayRef<int64_t> dims) {
  ArrayRef<int64_t> gathered = op.getGathered().value_or(ArrayRef<int64_t>());
  int64_t rank = op.getCoordinates().getNumResults();
  if (gathered.size() != op.getPlaces().size() || !llvm::is_sorted(gathered, std::less_equal<int64_t>()) ||
      llvm::any_of(gathered, [&](int64_t dim) { return dim < 0 || dim >= rank; }))
    return op.emitOpError("expects a tile for each gathered coordinate, in their order");
  if (gathered.empty())
    return success();
  const auto *along = llvm::find(dims, gathered.front());
  if (along == dims.end() ||
      llvm::any_of(gathered.drop_front(), [&](int64_t dim) { return llvm::is_contained(dims, dim); }))
    return op.emitOpError("expects the first gathered coordinate, and no other one, among the tile's dims");
  int64_t size = tile.getDimSize(along - dims.begin());
  for (Type type : op.getPlaces().getTypes())
    if (auto place = cast<RankedTensorType>(type); place != op.getPlaces().getTypes().front() ||
                                                   place.getShape() != ArrayRef(size) ||
                                                   !isa<IntegerType>(place.getElementType()))
      return op.emitOpError("expects gathered coordinates that are one type of ")
             << size << " integers, but has " << place;
  return success();
}

template <typename Op> static LogicalResult verifyAccess(Op op, int64_t leastExtent) {
  auto memory = cast<MemRefType>(op.getMemref().getType());
  auto tile = cast<RankedTensorType>(op.getTile().getType());
  if (failed(verifyTile(op, tile)) || failed(verifyMemory(op, memory, /*mayBePacked=*/true)))
    return failure();
  if (tile.getElementType() != memory.getElementType())
    return op.emitOpError("expects elements of ") << memory << ", but has " << tile;
  if (failed(verifyExpressions(op, "coordinates", op.getCoordinates(), op.getIndices().size(), memory.getRank())))
    return failure();
  if (!op.getDims() && tile.getRank() > memory.getRank())
    return op.emitOpError("expects a tile of at most ") << memory.getRank() << " dimensions, but has " << tile;
  SmallVector<int64_t> dims = op.getTileDims();
  if (failed(verifyDims(op, dims, tile.getRank(), memory.getRank())) ||
      failed(verifySteps(op, op.getTileSteps(), tile.getRank())) || failed(verifyGathered(op, tile, dims)))
    return failure();
  return verifyExtents(op, op.getExtents(), op.getExtentIndices().size(), tile.getShape(), leastExtent);
}

LogicalResult LoadOp::verify() {
  if (failed(verifySingle(*this, {0})))
    return failure();
  if (failed(verifyAccess(*this, getFill() ? 0 : 1)))
    return failure();
  if (getFill() && getFill()->getType() != getElementTypeOrSelf(getTile().getType()))
    return emitOpError("expects a fill of the tile's elements, but has ") << *getFill();
  return success();
}

LogicalResult StoreOp::verify() {
  if (failed(verifySingle(*this, {0, 1})))
    return failure();
  return verifyAccess(*this, 1);
}

LogicalResult PrefetchOp::verify() {
  if ((getLevel() != 1 && getLevel() != 2) || (int64_t)getLines() < 1 || getLines() > 64)
    return emitOpError("expects level 1 or 2 and 1 to 64 lines, but has ") << getLevel() << " and " << getLines();
  return verifyExpressions(*this, "coordinates", getCoordinates(), getIndices().size(),
                           cast<MemRefType>(getMemref().getType()).getRank());
}

LogicalResult TopKRowOp::verify() {
  if (failed(verifySingle(*this, {0})))
    return failure();
  auto source = cast<MemRefType>(getSource().getType());
  int64_t rank = source.getRank(), dim = getDim();
  if (failed(verifyMemory(*this, source)))
    return failure();
  if (dim < 0 || dim >= rank)
    return emitOpError("expects a dimension of ") << source << ", but has " << dim;
  if (!getValues() && !getPositions())
    return emitOpError("expects values, positions or both");
  SmallVector<int64_t> counts;
  for (auto [result, element] : {std::pair(getValues(), source.getElementType()),
                                 std::pair(getPositions(), Type(IntegerType::get(getContext(), 64)))}) {
    if (!result)
      continue;
    auto type = cast<MemRefType>(result.getType());
    if (failed(verifyMemory(*this, type)))
      return failure();
    bool fits = type.getRank() == rank && type.getElementType() == element;
    for (int64_t d = 0; d < rank && fits; ++d)
      fits = d == dim || succeeded(verifyCompatibleDims({source.getDimSize(d), type.getDimSize(d)}));
    if (!fits)
      return emitOpError("expects results of ")
             << element << " with sizes of " << source << " but along dimension " << dim << ", but has " << type;
    counts.push_back(type.getDimSize(dim));
  }
  if (failed(verifyCompatibleDims(counts)))
    return emitOpError("expects as many values as positions, but has ") << counts.front() << " and " << counts.back();
  if (failed(verifyExpressions(*this, "coordinates", getCoordinates(), getIndices().size(), rank)))
    return failure();
  if (getCoordinates().getResult(dim) != getAffineConstantExpr(0, getContext()))
    return emitOpError("expects a row from place 0 of dimension ") << dim << " on";
  if ((int64_t)getLanes() < 1 || getLanes() > chunk || !llvm::isPowerOf2_64(getLanes()))
    return emitOpError("expects a power of two of lanes up to ") << chunk << ", but has " << (int64_t)getLanes();
  if (!getScratch())
    return llvm::any_of(counts, [](int64_t count) { return !ShapedType::isDynamic(count) && count <= mostKept; })
               ? success()
               : emitOpError("expects scratch for more than ") << mostKept << " results";
  auto scratch = cast<MemRefType>(getScratch().getType());
  auto memory = dyn_cast_if_present<MemoryAttr>(scratch.getMemorySpace());
  if (scratch.getRank() != 1 || !scratch.getElementType().isInteger(8) || !memory ||
      memory.getKind() != MemoryKind::workgroup)
    return emitOpError("expects scratch that is bytes of a workgroup, but has ") << scratch;
  return success();
}

LogicalResult CopyOp::verify() {
  if (failed(verifySingle(*this, {0, 2})))
    return failure();
  auto source = cast<MemRefType>(getSource().getType()), target = cast<MemRefType>(getTarget().getType());
  if (failed(verifyMemory(*this, source)) || failed(verifyMemory(*this, target)) ||
      failed(verifyExpressions(*this, "coordinates", getSourceCoordinates(), getSourceIndices().size(),
                               source.getRank())) ||
      failed(
          verifyExpressions(*this, "coordinates", getTargetCoordinates(), getTargetIndices().size(), target.getRank())))
    return failure();
  if (source.getElementType() != target.getElementType() ||
      isIn(getSource(), MemoryKind::workgroup) == isIn(getTarget(), MemoryKind::workgroup))
    return emitOpError("expects scratch of the group on one side, with elements of the other, but has ")
           << source << " and " << target;
  int64_t rank = getTile().size();
  if (rank == 0 || rank > std::min(source.getRank(), target.getRank()) ||
      llvm::any_of(getTile(), [](int64_t size) { return size < 1 || size > kLargest; }))
    return emitOpError("expects a tile along the last dimensions of ") << source << " and " << target;
  if (getSteps() && failed(verifySteps(*this, *getSteps(), rank)))
    return failure();
  if (getTma() && (getExtents() || getSteps()))
    return emitOpError("expects no extents and steps of a copy by TMA");
  return verifyExtents(*this, getExtents(), getExtentIndices().size(), getTile(), 0);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

LogicalResult PositionOp::verify() {
  auto tile = cast<RankedTensorType>(getResult().getType());
  if (failed(verifyTile(*this, tile)) || failed(verifyExpressions(*this, "index", getIndex(), getIndices().size(), 1)))
    return failure();
  if (getDim() && ((int64_t)*getDim() < 0 || (int64_t)*getDim() >= tile.getRank()))
    return emitOpError("expects a dimension of ") << tile << ", but has " << (int64_t)*getDim();
  return success();
}

LogicalResult FillOp::verify() {
  auto tile = cast<RankedTensorType>(getResult().getType());
  if (failed(verifyTile(*this, tile)))
    return failure();
  if (getValue().getType() != tile.getElementType())
    return emitOpError("expects a value of the tile's elements, but has ") << getValue();
  return verifyExtents(*this, getExtents(), getExtentIndices().size(), tile.getShape(), 0);
}

int64_t MmaOp::getFactor() {
  auto lhs = cast<RankedTensorType>(getLhs().getType()), rhs = cast<RankedTensorType>(getRhs().getType()),
       acc = cast<RankedTensorType>(getAcc().getType());
  return rhs.getRank() + lhs.getRank() == acc.getRank() + 3 ? rhs.getShape().back() : 1;
}

LogicalResult MmaOp::verify() {
  auto lhs = cast<RankedTensorType>(getLhs().getType()), rhs = cast<RankedTensorType>(getRhs().getType()),
       acc = cast<RankedTensorType>(getAcc().getType());
  for (Type type : {lhs, rhs, acc})
    if (failed(verifyTile(*this, type)))
      return failure();
  if (acc.getNumElements() == 0)
    return emitOpError("expects sums of at least one row and column, but has ") << acc;
  int64_t rows = lhs.getRank() - 1, columns = acc.getRank() - rows, packed = rhs.getRank() - columns - 1;
  if (rows < 0 || columns < 1 || packed < 0 || packed > 1)
    return emitOpError("expects [R.., K], [K, N..] or [K / f, N.., f], and [R.., N..], but has ")
           << lhs << ", " << rhs << " and " << acc;
  int64_t depth = lhs.getShape().back(), factor = packed ? rhs.getShape().back() : 1;
  ArrayRef<int64_t> rowSizes = lhs.getShape().drop_back(), columnSizes = rhs.getShape().drop_front().drop_back(packed);
  SmallVector<int64_t> expected(rowSizes);
  llvm::append_range(expected, columnSizes);
  if (rhs.getDimSize(0) * factor != depth || acc.getShape() != ArrayRef(expected))
    return emitOpError("expects [R.., K], [K, N..] or [K / f, N.., f], and [R.., N..], but has ")
           << lhs << ", " << rhs << " and " << acc;
  auto isFloat = [](RankedTensorType type) { return isa<FloatType>(type.getElementType()); };
  if (isFloat(lhs) != isFloat(acc) || isFloat(rhs) != isFloat(acc) || !acc.getElementType().isIntOrFloat() ||
      !lhs.getElementType().isIntOrFloat() || !rhs.getElementType().isIntOrFloat() ||
      (isFloat(acc) && lhs.getElementType() != rhs.getElementType()))
    return emitOpError("expects floating-point numbers of one type or integers as operands and as sums, but has ")
           << lhs << ", " << rhs << " and " << acc;
  if (InstructionAttr via = getViaAttr()) {
    auto product = [](ArrayRef<int64_t> sizes) {
      return std::accumulate(sizes.begin(), sizes.end(), int64_t(1), std::multiplies<int64_t>());
    };
    if (product(rowSizes) % via.getM() != 0 || product(columnSizes) % via.getN() != 0 || depth % via.getK() != 0)
      return emitOpError("expects rows, columns and depth that are multiples of ")
             << via.getM() << ", " << via.getN() << " and " << via.getK() << ", but has " << lhs << " and " << rhs;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Compute
//===----------------------------------------------------------------------===//

SmallVector<int64_t> ComputeOp::getTileDims() {
  return dimsOr(getDims(), cast<RankedTensorType>(getResultTypes().front()).getRank(),
                getCoordinates().getNumResults());
}

ComputeOp::Place ComputeOp::getPlace(unsigned i) {
  auto tile = cast<RankedTensorType>(getInputs()[i].getType());
  unsigned used = 0;
  for (unsigned before = 0; before < i; ++before)
    if (auto map = dyn_cast<AffineMapAttr>(getPlaces()[before]))
      used += map.getValue().getNumInputs();
  if (auto map = dyn_cast<AffineMapAttr>(getPlaces()[i])) {
    AffineMap place = map.getValue();
    return {place, getPlaceIndices().slice(used, place.getNumInputs()),
            dimsOr(std::nullopt, tile.getRank(), place.getNumResults())};
  }
  return {getCoordinates(), getIndices(), getTileDims()};
}

/// One input: memory as a whole tensor, or a tile of one.
static LogicalResult verifyInput(ComputeOp op, unsigned i) {
  Type type = op.getInputs()[i].getType();
  auto whole = dyn_cast<RankedTensorType>(op.getBody().getArgument(i).getType());
  if (auto memory = dyn_cast<MemRefType>(type)) {
    if (failed(verifyMemory(op, memory, /*mayBePacked=*/true)))
      return failure();
    if (isa<AffineMapAttr>(op.getPlaces()[i]) || !whole || whole.getShape() != memory.getShape() ||
        whole.getElementType() != memory.getElementType())
      return op.emitOpError("expects argument ")
             << i << " to be the tensor in " << memory << ", but it is " << op.getBody().getArgument(i).getType();
    return success();
  }
  auto tile = cast<RankedTensorType>(type);
  if (failed(verifyTile(op, tile)))
    return failure();
  ComputeOp::Place place = op.getPlace(i);
  int64_t rank = place.coordinates.getNumResults();
  if (!whole || whole.getElementType() != tile.getElementType() || whole.getRank() != rank ||
      (int64_t)place.dims.size() != tile.getRank() || tile.getRank() > rank)
    return op.emitOpError("expects argument ") << i << " to be a tensor of rank " << rank << ", of which " << tile
                                               << " is a tile, but it is " << op.getBody().getArgument(i).getType();
  return success();
}

LogicalResult ComputeOp::verify() {
  if (getNumResults() == 0)
    return emitOpError("expects a result");
  auto tile = cast<RankedTensorType>(getResultTypes().front());
  int64_t rank = getCoordinates().getNumResults();
  for (Type type : getResultTypes())
    if (failed(verifyTile(*this, type)) || cast<RankedTensorType>(type).getShape() != tile.getShape())
      return emitOpError("expects results that are tiles of one shape, but has ") << getResultTypes();
  if (failed(verifyExpressions(*this, "coordinates", getCoordinates(), getIndices().size(), rank)))
    return failure();
  if (!getDims() && tile.getRank() > rank)
    return emitOpError("expects a tile of at most ") << rank << " dimensions, but has " << tile;
  if (failed(verifyDims(*this, getTileDims(), tile.getRank(), rank)) ||
      failed(verifyExtents(*this, getExtents(), getExtentIndices().size(), tile.getShape(), 1)))
    return failure();
  size_t placeIndices = 0;
  for (Attribute place : getPlaces()) {
    auto map = dyn_cast<AffineMapAttr>(place);
    if (!map && !isa<UnitAttr>(place))
      return emitOpError("expects a place or none for each input, but has ") << place;
    placeIndices += map ? map.getValue().getNumInputs() : 0;
  }
  if (getPlaces().size() != getInputs().size() || placeIndices != getPlaceIndices().size() ||
      getBody().getNumArguments() != getInputs().size())
    return emitOpError("expects a place, with its operands, and an argument for each of ")
           << getInputs().size() << " inputs";
  for (unsigned i = 0; i < getInputs().size(); ++i)
    if (failed(verifyInput(*this, i)))
      return failure();
  YieldOp yield = yieldOf(getBody());
  if (yield.getNumOperands() != getNumResults())
    return emitOpError("expects to yield ") << getNumResults() << " tensors, but yields " << yield.getNumOperands();
  for (auto [yielded, result] : llvm::zip(yield.getOperandTypes(), getResultTypes()))
    if (auto whole = dyn_cast<RankedTensorType>(yielded);
        !whole || whole.getRank() != rank || whole.getElementType() != getElementTypeOrSelf(result))
      return emitOpError("expects to yield tensors of rank ")
             << rank << " with elements of " << result << ", but yields " << yielded;
  return success();
}

LogicalResult ComputeOp::verifyRegions() {
  WalkResult result = getBody().walk([&](Operation *op) -> WalkResult {
    if (op != yieldOf(getBody()) && isa_and_nonnull<TileDialect>(op->getDialect()))
      return op->emitOpError("is no part of a compute");
    for (Value operand : op->getOperands())
      if (!getBody().isAncestor(operand.getParentRegion()) && isa<TensorType, BaseMemRefType>(operand.getType()) &&
          !isTile(operand.getType()))
        return op->emitOpError("uses a value from outside of its compute that is no index and no tile");
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

//===- LowerFragments.cpp - Register tiles that instructions hold as matrices ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// An instruction that multiplies matrices has registers of its own, fragments. They are read from memory whose rows are
// one stride apart, are carried by loops, and go back to memory: everything else works on vectors.
//

#include "ProgramLowering.h"
#include "tenon/Codegen/Common/ProductsInterface.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

InstructionAttr ProgramLowering::fragmentsVia(Value tile) {
  auto ofMma = [](MmaOp mma) {
    InstructionAttr via = mma.getViaAttr();
    return via && via.getM() > 1 ? via : InstructionAttr();
  };
  auto ofCarried = [](ForOp loop, unsigned number) {
    return fragmentsVia(loop.getBody().getArgument(loop.getNumPlaces() + number));
  };
  if (auto mma = tile.getDefiningOp<MmaOp>())
    return ofMma(mma);
  if (auto loop = tile.getDefiningOp<ForOp>())
    return ofCarried(loop, cast<OpResult>(tile).getResultNumber());
  if (!isa<BlockArgument>(tile))
    return nullptr;
  for (OpOperand &use : tile.getUses()) {
    InstructionAttr via;
    if (auto mma = dyn_cast<MmaOp>(use.getOwner()); mma && mma.getAcc() == tile)
      via = ofMma(mma);
    else if (auto loop = dyn_cast<ForOp>(use.getOwner()))
      via = ofCarried(loop, use.getOperandNumber() - loop.getInit().getBeginOperandIndex());
    if (via)
      return via;
  }
  return nullptr;
}

bool ProgramLowering::staysInFragments(Value tile) {
  return llvm::all_of(tile.getUsers(), [](Operation *user) { return isa<MmaOp, ForOp, StoreOp, tile::YieldOp>(user); });
}

std::pair<Value, Value> ProgramLowering::addressOf(Value memref, ArrayRef<Coordinate> at, ArrayRef<int64_t> dims,
                                                   ArrayRef<int64_t> within) {
  const Buffer &buffer = bufferOf(memref);
  Value bytes = e.index(cast<MemRefType>(buffer.memref.getType()).getElementTypeBitWidth() / 8);
  Coordinates place(at);
  for (auto [dim, offset] : llvm::zip(dims, within))
    place[dim] = e.add(place[dim], {Value(), 0, Value(), offset});
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(builder, e.loc, buffer.memref);
  return {e.add(start, e.mul(e.offsetOf(buffer, place), bytes)), e.mul(e.index(buffer.strides[dims.front()]), bytes)};
}

/// Whether all of a tile is there.
static bool isWhole(std::optional<AffineMap> extents, ArrayRef<int64_t> shape) {
  return !extents || llvm::all_of(llvm::zip(extents->getResults(), shape), [](auto pair) {
    auto constant = dyn_cast<AffineConstantExpr>(std::get<0>(pair));
    return constant && constant.getValue() == std::get<1>(pair);
  });
}

/// A tile that is read from memory, row by row one stride apart; null if it isn't.
static LoadOp loadOf(Value tile) {
  auto load = tile.getDefiningOp<LoadOp>();
  bool isPlain = load && !load.getFill() && !load.getGathered() &&
                 llvm::all_of(load.getTileSteps(), [](int64_t step) { return step == 1; }) &&
                 isWhole(load.getExtents(), cast<RankedTensorType>(tile.getType()).getShape());
  return isPlain ? load : LoadOp();
}

FailureOr<SmallVector<Value>> ProgramLowering::fragmentsOf(Value tile, InstructionAttr via) {
  if (const SmallVector<Value> *known = e.registersOf(tile); known && fragmentsVia(tile))
    return *known;
  auto type = cast<RankedTensorType>(tile.getType());
  auto target = cast<ProductsInterface>(program->getParentOfType<VariantOp>().getTarget());
  LoadOp load = loadOf(tile);
  auto constant = tile.getDefiningOp<ConstantOp>();
  auto numbers = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  bool isZero = numbers && numbers.isSplat() && matchPattern(numbers.getSplatValue<TypedAttr>(), m_Zero());
  if (type.getRank() != 2 || (!load && !isZero)) {
    emitError(tile.getLoc()) << "sums of a matrix instruction begin as zeros, or in memory";
    return failure();
  }
  SmallVector<Value> fragments;
  int64_t bytes = via.getN() * type.getElementTypeBitWidth() / 8;
  Coordinates at = load ? coordinatesOf(load.getCoordinates(), load.getIndices()) : Coordinates();
  for (int64_t row = 0; row < type.getDimSize(0); row += via.getM())
    for (int64_t column = 0; column < type.getDimSize(1); column += via.getN()) {
      auto [address, stride] =
          load ? addressOf(load.getMemref(), at, load.getTileDims(), {row, column}) : std::pair<Value, Value>();
      fragments.push_back(target.emitFragment(builder, e.loc, via.getM(), bytes, address, stride));
    }
  return fragments;
}

LogicalResult ProgramLowering::storeFragments(StoreOp store, InstructionAttr via) {
  auto type = cast<RankedTensorType>(store.getTile().getType());
  if (!isWhole(store.getExtents(), type.getShape()) || store.getGathered() ||
      llvm::any_of(store.getTileSteps(), [](int64_t step) { return step != 1; }))
    return refuse(store);
  FailureOr<SmallVector<Value>> fragments = fragmentsOf(store.getTile(), via);
  if (failed(fragments))
    return failure();
  auto target = cast<ProductsInterface>(program->getParentOfType<VariantOp>().getTarget());
  Coordinates at = coordinatesOf(store.getCoordinates(), store.getIndices());
  int64_t bytes = via.getN() * type.getElementTypeBitWidth() / 8;
  auto *fragment = fragments->begin();
  for (int64_t row = 0; row < type.getDimSize(0); row += via.getM())
    for (int64_t column = 0; column < type.getDimSize(1); column += via.getN()) {
      auto [address, stride] = addressOf(store.getMemref(), at, store.getTileDims(), {row, column});
      target.storeFragment(builder, e.loc, via.getM(), bytes, address, stride, *fragment++);
    }
  return success();
}

LogicalResult ProgramLowering::emitFragments(MmaOp mma) {
  InstructionAttr via = mma.getViaAttr();
  auto variant = program->getParentOfType<VariantOp>();
  auto target = variant ? dyn_cast<ProductsInterface>(variant.getTarget()) : ProductsInterface();
  LoadOp lhs = loadOf(mma.getLhs()), rhs = loadOf(mma.getRhs());
  auto type = cast<RankedTensorType>(mma.getResult().getType());
  if (!target || !lhs || !rhs || type.getRank() != 2 || lhs.getTile().getType().getRank() != 2 ||
      !staysInFragments(mma.getResult()))
    return mma.emitOpError("expects to read both operands of ")
           << via.getName()
           << " from memory whose rows are one stride apart, and sums that are stored before they are used";
  FailureOr<SmallVector<Value>> sums = fragmentsOf(mma.getAcc(), via);
  if (failed(sums))
    return failure();
  // So many products of a column lie one behind the other.
  int64_t inner = mma.getFactor(), depth = lhs.getTile().getType().getShape().back();
  auto blockOf = [&](LoadOp load, ArrayRef<int64_t> within, int64_t rows, int64_t bytes) {
    auto [address, stride] = addressOf(load.getMemref(), coordinatesOf(load.getCoordinates(), load.getIndices()),
                                       load.getTileDims(), within);
    return target.emitFragment(builder, e.loc, rows, bytes, address, stride);
  };
  auto bytesOf = [](LoadOp load, int64_t elements) {
    return elements * load.getTile().getType().getElementTypeBitWidth() / 8;
  };
  for (int64_t k = 0; k < depth; k += via.getK()) {
    SmallVector<Value> columns;
    for (int64_t column = 0; column < type.getDimSize(1); column += via.getN())
      columns.push_back(blockOf(rhs, {k / inner, column, 0}, via.getK() / inner, bytesOf(rhs, via.getN() * inner)));
    auto *sum = sums->begin();
    for (int64_t row = 0; row < type.getDimSize(0); row += via.getM()) {
      Value factors = blockOf(lhs, {row, k}, via.getM(), bytesOf(lhs, via.getK()));
      for (Value factor : columns) {
        *sum = target.emitProducts(builder, e.loc, via, *sum, factors, factor);
        if (!*sum++)
          return refuse(mma);
      }
    }
  }
  e.addRegisters(mma.getResult(), *sums);
  return success();
}

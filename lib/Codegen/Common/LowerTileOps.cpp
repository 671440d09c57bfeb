//===- LowerTileOps.cpp - Memory and tiles of programs, as vectors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramLowering.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

static ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

/// Whether a value is the constant.
static bool isConstant(Value value, int64_t expected) {
  return getConstantIntValue(value) == std::optional(expected);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

LogicalResult ProgramLowering::emit(BindOp bind) {
  shapes[bind.getMemref()] = sizesOf(bind.getSizes(), bind.getSizeIndices());
  if (bind.getStrides())
    strides[bind.getMemref()] = valuesOf(*bind.getStrides(), bind.getStrideIndices());
  return success();
}

LogicalResult ProgramLowering::emit(ScratchOp scratch) {
  auto type = cast<MemRefType>(scratch.getResult().getType());
  Type storage = storageType(type.getElementType());
  if (!type.hasStaticShape() || !storage ||
      cast<MemoryAttr>(type.getMemorySpace()).getKind() != MemoryKind::workgroup)
    return refuse(scratch);
  constexpr int64_t lineBytes = 64;
  Buffer buffer;
  buffer.strides.resize(type.getRank());
  int64_t count = 1;
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    buffer.strides[dim] = builder.getIndexAttr(count);
    if (__builtin_mul_overflow(count, type.getDimSize(dim), &count) || count > mostScratchBytes)
      break;
  }
  scratchBytes += llvm::alignTo(count * std::max<int64_t>(storage.getIntOrFloatBitWidth() / 8, 1), lineBytes);
  if (count > mostScratchBytes || scratchBytes > mostScratchBytes)
    return scratch.emitOpError() << "is more than the stack has for a program's scratch, " << mostScratchBytes
                                 << " bytes";
  buffer.memref = memref::AllocaOp::create(builder, e.loc, MemRefType::get({count}, storage),
                                           builder.getI64IntegerAttr(lineBytes));
  e.addBuffer(scratch.getResult(), std::move(buffer));
  return success();
}

LogicalResult ProgramLowering::emit(ViewOp view) {
  auto source = cast<MemRefType>(view.getSource().getType()),
       result = cast<MemRefType>(view.getResult().getType());
  if (source.getElementType() != result.getElementType())
    return refuse(view);
  if (!e.bufferOf(view.getSource()) && !source.hasStaticShape() && !shapes.contains(view.getSource()))
    return view.emitOpError("expects the bind of its memory in front of it");
  const Buffer &memory = bufferOf(view.getSource());
  AffineMap map = view.getMap();
  // Expressions are linear: what one dimension adds shows where the others are 0.
  auto strideOf = [&](function_ref<int64_t(AffineExpr)> factorOf) -> OpFoldResult {
    int64_t fixed = 0;
    Value dynamic;
    for (auto [expression, stride] : llvm::zip(map.getResults(), memory.strides)) {
      int64_t factor = factorOf(expression);
      if (std::optional<int64_t> known = getConstantIntValue(stride)) {
        fixed += factor * *known;
      } else if (factor != 0) {
        Value scaled = e.mul(e.index(factor), e.index(stride));
        dynamic = dynamic ? e.add(dynamic, scaled) : scaled;
      }
    }
    return dynamic ? OpFoldResult(e.add(dynamic, e.index(fixed))) : OpFoldResult(builder.getIndexAttr(fixed));
  };
  auto valueAt = [&](AffineExpr expression, std::optional<unsigned> dim) {
    SmallVector<AffineExpr> place(map.getNumDims(), builder.getAffineConstantExpr(0));
    if (dim)
      place[*dim] = builder.getAffineConstantExpr(1);
    return cast<AffineConstantExpr>(expression.replaceDims(place)).getValue();
  };
  Buffer buffer{memory.memref, {}, /*isStrided=*/true, memory.start};
  for (unsigned dim = 0; dim < map.getNumDims(); ++dim)
    buffer.strides.push_back(
        strideOf([&](AffineExpr x) { return valueAt(x, dim) - valueAt(x, std::nullopt); }));
  Value start = e.index(strideOf([&](AffineExpr x) { return valueAt(x, std::nullopt); }));
  if (!isConstant(start, 0))
    buffer.start = buffer.start ? e.add(buffer.start, start) : start;
  e.addBuffer(view.getResult(), std::move(buffer));
  return success();
}

LogicalResult ProgramLowering::emit(PrefetchOp prefetch) {
  const Buffer &buffer = bufferOf(prefetch.getMemref());
  unsigned bits = cast<MemRefType>(buffer.memref.getType()).getElementTypeBitWidth();
  Value place = e.offsetOf(buffer, coordinatesOf(prefetch.getCoordinates(), prefetch.getIndices()));
  constexpr int64_t lineBits = 512;
  for (int64_t line = 0; line < (int64_t)prefetch.getLines(); ++line)
    memref::PrefetchOp::create(builder, e.loc, buffer.memref, e.add(place, e.index(line * lineBits / bits)),
                               prefetch.getWrite(), /*localityHint=*/prefetch.getLevel() == 1 ? 3 : 2,
                               /*isDataCache=*/true);
  return success();
}

const Buffer &ProgramLowering::bufferOf(Value memref) {
  if (!e.bufferOf(memref)) {
    auto type = cast<MemRefType>(memref.getType());
    auto stated = shapes.find(memref);
    SmallVector<AffineExpr> extents =
        stated != shapes.end()
            ? stated->second
            : llvm::map_to_vector(type.getShape(), [&](int64_t size) { return sizes.constant(size); });
    if (auto layout = type.getStridesAndOffset().first;
        !type.getLayout().isIdentity() && !strides.contains(memref))
      strides[memref] = llvm::map_to_vector(layout, [&](int64_t stride) { return e.index(stride); });
    std::optional<ValueRange> given;
    if (auto rows = strides.find(memref); rows != strides.end())
      given = ValueRange(rows->second).drop_back();
    e.addBuffer(memref, e.makeBuffer(bases.lookup(memref), extents, given));
  }
  return *e.bufferOf(memref);
}

//===----------------------------------------------------------------------===//
// Rows and pieces
//===----------------------------------------------------------------------===//

/// Places in a box, row by row.
static SmallVector<Coordinates> placesIn(ArrayRef<int64_t> shape) {
  SmallVector<Coordinates> result;
  Coordinates place(shape.size());
  auto nest = [&](auto &nest, size_t dim) -> void {
    if (dim == shape.size()) {
      result.push_back(place);
      return;
    }
    for (place[dim].offset = 0; place[dim].offset < shape[dim]; ++place[dim].offset)
      nest(nest, dim + 1);
  };
  nest(nest, 0);
  return result;
}

LogicalResult ProgramLowering::forEachRow(Value tile, function_ref<LogicalResult(Coordinates)> f) {
  ArrayRef<int64_t> shape = shapeOf(tile);
  e.lanes = shape.empty() ? 1 : shape.back();
  for (Coordinates &place : placesIn(shape.empty() ? shape : shape.drop_back())) {
    if (!shape.empty())
      place.push_back({Value(), shape.back() == 1 ? 0 : 1, Value()});
    if (failed(f(place)))
      return failure();
  }
  return success();
}

LogicalResult ProgramLowering::appendPieces(Value tile, Coordinates place, SmallVectorImpl<Value> &pieces) {
  // LLVM keeps vectors in registers whose number of lanes is a power of two.
  int64_t all = e.lanes, lanes = all & -all;
  Value valid = e.valid;
  LogicalResult result = success();
  e.lanes = lanes;
  for (int64_t first = 0; first < all && succeeded(result); first += lanes) {
    if (!place.empty())
      place.back() = {Value(), lanes == 1 ? 0 : 1, Value(), first};
    if (valid && first > 0)
      e.valid = arith::MaxSIOp::create(builder, e.loc, e.sub(valid, e.index(first)), e.index(0));
    FailureOr<Value> piece = e.at(tile, place);
    result = success(succeeded(piece));
    if (succeeded(result))
      pieces.push_back(lanes == 1 ? *piece : e.asVector(*piece));
  }
  e.valid = valid;
  e.lanes = all;
  return result;
}

FailureOr<SmallVector<Value>> ProgramLowering::registersOf(Value tile) {
  if (const SmallVector<Value> *known = e.registersOf(tile))
    return *known;
  SmallVector<Value> pieces;
  if (failed(
          forEachRow(tile, [&](Coordinates place) { return appendPieces(tile, std::move(place), pieces); })))
    return failure();
  return pieces;
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

LogicalResult ProgramLowering::emit(ComputeOp compute) {
  Coordinates at = coordinatesOf(compute.getCoordinates(), compute.getIndices());
  for (auto [i, input] : llvm::enumerate(compute.getInputs())) {
    BlockArgument whole = compute.getBody().getArgument(i);
    if (isa<MemRefType>(input.getType())) {
      e.addBuffer(whole, Buffer(bufferOf(input)));
      continue;
    }
    ComputeOp::Place place = compute.getPlace(i);
    // At one place they are one value: bases are compared.
    Coordinates from =
        isa<AffineMapAttr>(compute.getPlaces()[i]) ? coordinatesOf(place.coordinates, place.operands) : at;
    e.addTile(whole, {input, from, place.dims, /*isKnown=*/true});
  }
  auto yield = cast<tile::YieldOp>(compute.getBody().front().getTerminator());
  for (auto [result, value] : llvm::zip(compute.getResults(), yield.getValues()))
    e.addTile(result, {value, at, compute.getTileDims(), /*isKnown=*/false});
  return emitTile(compute);
}

LogicalResult ProgramLowering::emit(LoadOp load) {
  bool isPlain = !load.getFill() && load.getPlaces().empty() &&
                 llvm::all_of(load.getTileSteps(), [](int64_t step) { return step == 1; });
  if (!isPlain)
    return refuse(load);
  bufferOf(load.getMemref());
  ElementEmitter::Part part{load.getMemref(), coordinatesOf(load.getCoordinates(), load.getIndices()),
                            load.getTileDims(), /*isKnown=*/false};
  if (load.getExtents()) {
    ArrayRef<int64_t> shape = shapeOf(load.getTile());
    for (auto [extent, size] : llvm::zip(valuesOf(*load.getExtents(), load.getExtentIndices()), shape)) {
      SmallVector<Value> &places = part.places.emplace_back();
      if (isConstant(extent, size))
        continue;
      // What lies beyond reads the last element again.
      Value last = e.sub(extent, e.index(1));
      places.push_back(e.index(0));
      for (int64_t place = 1; place < size; ++place)
        places.push_back(builder.createOrFold<arith::MinSIOp>(e.loc, e.index(place), last));
      if (part.places.size() == shape.size())
        part.valid = extent;
    }
  }
  e.addTile(load.getTile(), std::move(part));
  return emitTile(load);
}

/// Whether `op` writes where `tile`, or what that asks, reads.
static bool writesWhatIsRead(Operation *op, Operation *tile) {
  if (isMemoryEffectFree(op) || isa<LoadOp, ComputeOp, PrefetchOp>(op))
    return false;
  auto store = dyn_cast<StoreOp>(op);
  auto target = store ? dyn_cast<BlockArgument>(store.getMemref()) : BlockArgument();
  auto program = op->getParentOfType<ProgramOp>();
  if (!target || target.getOwner() != &program.getBody().front())
    return true;
  // Results are not read, but where they lie in an operand.
  return (bool)program.getArgAttr(target.getArgNumber(), kTiedAttr);
}

static bool isAsked(Operation *op) {
  SmallVector<Operation *> users(op->getUsers());
  if (users.empty())
    return true;
  bool isOnce =
      llvm::all_of(op->getResults(), [](Value tile) { return tile.use_empty() || tile.hasOneUse(); }) &&
      llvm::all_of(users, [&](Operation *user) { return user->getBlock() == op->getBlock(); });
  if (!isOnce)
    return false;
  // What is read is read in front of the next write to its memory.
  SmallPtrSet<Operation *, 4> waiting(llvm::from_range, users);
  for (Operation *next = op->getNextNode(); next && !waiting.empty(); next = next->getNextNode()) {
    waiting.erase(next);
    if (!waiting.empty() && writesWhatIsRead(next, op))
      return false;
  }
  return true;
}

LogicalResult ProgramLowering::emitTile(Operation *op) {
  if (llvm::any_of(op->getResults(), [](Value tile) { return !isTile(tile.getType()); }))
    return refuse(op);
  if (op->hasTrait<OpTrait::ConstantLike>() || isAsked(op))
    return success();
  for (Value tile : op->getResults()) {
    FailureOr<SmallVector<Value>> pieces = registersOf(tile);
    if (failed(pieces))
      return failure();
    e.addRegisters(tile, *pieces);
  }
  return success();
}

Value ProgramLowering::isWithin(ArrayRef<Coordinate> row, ArrayRef<Value> extents, ArrayRef<int64_t> shape) {
  Value result;
  for (auto [place, extent, size] : llvm::zip(row.drop_back(), extents, shape)) {
    if (isConstant(extent, size) || place.offset == 0)
      continue;
    Value isBelow =
        arith::CmpIOp::create(builder, e.loc, arith::CmpIPredicate::slt, e.index(place.offset), extent);
    result = result ? arith::AndIOp::create(builder, e.loc, result, isBelow).getResult() : isBelow;
  }
  return result;
}

LogicalResult ProgramLowering::emit(StoreOp store) {
  Value tile = store.getTile();
  ArrayRef<int64_t> shape = shapeOf(tile);
  if (!store.getPlaces().empty() ||
      llvm::any_of(store.getTileSteps(), [](int64_t step) { return step != 1; }))
    return refuse(store);
  Coordinates at = coordinatesOf(store.getCoordinates(), store.getIndices());
  SmallVector<Value> extents;
  if (store.getExtents())
    extents = valuesOf(*store.getExtents(), store.getExtentIndices());
  bool isPartial = !extents.empty() && !isConstant(extents.back(), shape.back());
  Value previous = std::exchange(e.valid, isPartial ? extents.back() : Value());
  LogicalResult result = forEachRow(tile, [&](Coordinates within) -> LogicalResult {
    auto storeRow = [&]() -> LogicalResult {
      FailureOr<Value> element = e.at(tile, within);
      if (failed(element))
        return failure();
      Coordinates place = at;
      for (auto [dim, coordinate] : llvm::zip(store.getTileDims(), within))
        place[dim] = e.add(place[dim], coordinate);
      e.store(*element, bufferOf(store.getMemref()), place);
      return success();
    };
    Value condition = extents.empty() ? Value() : isWithin(within, extents, shape);
    return condition ? emitIf(condition, storeRow) : storeRow();
  });
  e.valid = previous;
  return result;
}

/// For each product of the depth the columns, then row by row an element of the first operand in all lanes:
/// no register beyond the sums, the columns and this one, also where strides are dynamic.
LogicalResult ProgramLowering::emit(MmaOp mma) {
  auto lhs = cast<RankedTensorType>(mma.getLhs().getType()),
       rhs = cast<RankedTensorType>(mma.getRhs().getType());
  Type element = cast<RankedTensorType>(mma.getAcc().getType()).getElementType();
  if (mma.getVia() || mma.getFactor() != 1 || !(element.isF32() || element.isF64()) ||
      lhs.getElementType() != element)
    return refuse(mma);
  FailureOr<SmallVector<Value>> sums = registersOf(mma.getAcc());
  if (failed(sums))
    return failure();
  SmallVector<Coordinates> rows = placesIn(lhs.getShape().drop_back());
  SmallVector<Coordinates> columnRows = placesIn(rhs.getShape().drop_front().drop_back());
  for (int64_t k = 0; k < lhs.getShape().back(); ++k) {
    SmallVector<Value> columns;
    e.lanes = rhs.getShape().back();
    for (const Coordinates &row : columnRows) {
      Coordinates place = {{Value(), 0, Value(), k}};
      llvm::append_range(place, row);
      place.push_back({Value(), e.lanes == 1 ? 0 : 1, Value()});
      if (failed(appendPieces(mma.getRhs(), place, columns)))
        return failure();
    }
    auto *sum = sums->begin();
    for (Coordinates place : rows) {
      place.push_back({Value(), 0, Value(), k});
      FailureOr<Value> scalar = e.at(mma.getLhs(), place);
      if (failed(scalar))
        return failure();
      Value factor = *scalar;
      if (auto type = dyn_cast<VectorType>(columns.front().getType()))
        factor = vector::BroadcastOp::create(builder, e.loc, type, factor);
      for (Value column : columns) {
        *sum = isa<VectorType>(factor.getType())
                   ? vector::FMAOp::create(builder, e.loc, factor, column, *sum).getResult()
                   : math::FmaOp::create(builder, e.loc, factor, column, *sum).getResult();
        ++sum;
      }
    }
  }
  e.addRegisters(mma.getResult(), *sums);
  return success();
}

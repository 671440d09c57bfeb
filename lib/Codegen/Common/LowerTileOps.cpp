//===- LowerTileOps.cpp - Memory and tiles of programs, as vectors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Combination.h"
#include "ProgramLowering.h"
#include "Shuffles.h"
#include "tenon/Codegen/Common/ProductsInterface.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

static ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

/// Whether a value is the constant.
static bool isConstant(Value value, int64_t expected) { return getConstantIntValue(value) == std::optional(expected); }

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

LogicalResult ProgramLowering::emit(BindOp bind) {
  shapes[bind.getMemref()] = sizesOf(bind.getSizes(), bind.getSizeIndices());
  if (bind.getStrides())
    strides[bind.getMemref()] = valuesOf(*bind.getStrides(), bind.getStrideIndices());
  return success();
}

LogicalResult ProgramLowering::emit(ScratchOp op) {
  auto type = cast<MemRefType>(op.getResult().getType());
  Type storage = storageType(type.getElementType());
  if (!storage)
    return refuse(op);
  SmallVector<Value> given = op.getSizes() ? valuesOf(*op.getSizes(), op.getIndices()) : SmallVector<Value>();
  auto next = given.begin();
  SmallVector<Value> shape = llvm::map_to_vector(
      type.getShape(), [&](int64_t size) { return ShapedType::isDynamic(size) ? *next++ : e.index(size); });
  auto multiply = [&](Value a, Value b) { return builder.createOrFold<arith::MulIOp>(e.loc, a, b); };
  Buffer buffer;
  buffer.strides.resize(type.getRank());
  Value count = e.index(1);
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    buffer.strides[dim] = getAsOpFoldResult(count);
    count = multiply(count, shape[dim]);
  }
  ScratchPlace place = places.lookup(op);
  std::optional<int64_t> known = getConstantIntValue(count);
  if (place == ScratchPlace::stack) {
    buffer.memref = memref::AllocaOp::create(builder, e.loc, MemRefType::get({*known}, storage),
                                             builder.getI64IntegerAttr(scratchAlignment));
  } else {
    ScratchMemory &memory = scratch[place == ScratchPlace::launch];
    Value start = memory.next ? memory.next : e.index(0);
    Value bytes = multiply(count, e.index(std::max<int64_t>(storage.getIntOrFloatBitWidth() / 8, 1)));
    Value lines = builder.createOrFold<arith::CeilDivUIOp>(e.loc, bytes, e.index(scratchAlignment));
    memory.next = e.add(start, multiply(lines, e.index(scratchAlignment)));
    Value all = memref::ReinterpretCastOp::create(
        builder, e.loc, MemRefType::get(ShapedType::kDynamic, builder.getI8Type()), memory.base,
        OpFoldResult(builder.getIndexAttr(0)), ArrayRef<OpFoldResult>{memory.next},
        ArrayRef<OpFoldResult>{builder.getIndexAttr(1)});
    buffer.memref =
        memref::ViewOp::create(builder, e.loc, MemRefType::get(known.value_or(ShapedType::kDynamic), storage), all,
                               start, known ? ValueRange() : ValueRange(count));
  }
  if (!type.hasStaticShape())
    shapes[op.getResult()] = llvm::map_to_vector(shape, [&](Value size) { return sizes.expressionOf(size); });
  e.addBuffer(op.getResult(), std::move(buffer));
  return success();
}

LogicalResult ProgramLowering::emit(ViewOp view) {
  auto source = cast<MemRefType>(view.getSource().getType()), result = cast<MemRefType>(view.getResult().getType());
  if (source.getElementType() != result.getElementType())
    return refuse(view);
  bool isStated = source.hasStaticShape() && ShapedType::isStaticShape(source.getStridesAndOffset().first);
  if (!e.bufferOf(view.getSource()) && !isStated && !shapes.contains(view.getSource()))
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
    buffer.strides.push_back(strideOf([&](AffineExpr x) { return valueAt(x, dim) - valueAt(x, std::nullopt); }));
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
    if (auto layout = type.getStridesAndOffset().first; !type.getLayout().isIdentity() && !strides.contains(memref))
      strides[memref] = llvm::map_to_vector(layout, [&](int64_t stride) { return e.index(stride); });
    std::optional<ValueRange> given;
    if (auto rows = strides.find(memref); rows != strides.end())
      given = ValueRange(rows->second).drop_back();
    Buffer buffer = e.makeBuffer(bases.lookup(memref), extents, given);
    // Each unit and each vector would read it again, and compute again what is made of it alone.
    auto argument = dyn_cast<BlockArgument>(memref);
    if (argument && type.getRank() == 0 && argument.getOwner() == &program.getBody().front() &&
        argument.getArgNumber() < program.getFirstResult() && !isPacked(type.getElementType()))
      buffer.only = memref::LoadOp::create(builder, e.loc, buffer.memref, e.index(0));
    e.addBuffer(memref, std::move(buffer));
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

/// Whether a tile is used as places that are gathered only, after arithmetic on each of them: they are scalars then.
static bool isGatheredBy(Value tile) {
  auto type = cast<RankedTensorType>(tile.getType());
  if (type.getRank() != 1 || !isa<IntegerType>(type.getElementType()))
    return false;
  return llvm::all_of(tile.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (auto load = dyn_cast<LoadOp>(user))
      return llvm::is_contained(load.getPlaces(), tile);
    return user->hasTrait<OpTrait::Elementwise>() && user->getNumResults() == 1 &&
           user->getResult(0).getType() == tile.getType() && isGatheredBy(user->getResult(0));
  });
}

FailureOr<SmallVector<Value>> ProgramLowering::registersOf(Value tile) {
  if (const SmallVector<Value> *known = e.registersOf(tile))
    return *known;
  SmallVector<Value> pieces;
  if (isGatheredBy(tile)) {
    e.lanes = 1;
    for (const Coordinates &place : placesIn(shapeOf(tile))) {
      FailureOr<Value> element = e.at(tile, place);
      if (failed(element))
        return failure();
      pieces.push_back(*element);
    }
    return pieces;
  }
  if (failed(forEachRow(tile, [&](Coordinates place) { return appendPieces(tile, std::move(place), pieces); })))
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
  SmallVector<Value> extents = partsOf(compute.getExtents(), compute.getExtentIndices(), compute.getResult(0));
  for (auto [result, value] : llvm::zip(compute.getResults(), yield.getValues()))
    e.addTile(result,
              {value, at, compute.getTileDims(), /*isKnown=*/false, {}, extents.empty() ? Value() : extents.back()});
  return emitTile(compute);
}

LogicalResult ProgramLowering::emit(LoadOp load) {
  SmallVector<int64_t> steps = load.getTileSteps();
  // Lanes lie next to each other.
  if (load.getFill() || (!steps.empty() && steps.back() != 1))
    return refuse(load);
  Coordinates at = coordinatesOf(load.getCoordinates(), load.getIndices());
  if (std::optional<int64_t> dim = turnedDim(load))
    return emitTurned(load, *dim, at);
  ElementEmitter::Part part{load.getMemref(), at, load.getTileDims(), /*isKnown=*/false};
  part.steps = steps;
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
  if (load.getGathered())
    for (auto [dim, places] : llvm::zip(*load.getGathered(), load.getPlaces()))
      part.gathered.push_back({dim, places});
  e.addTile(load.getTile(), std::move(part));
  return emitTile(load);
}

SmallVector<Value> ProgramLowering::partsOf(std::optional<AffineMap> extents, ValueRange indices, Value tile) {
  SmallVector<Value> result(shapeOf(tile).size());
  if (extents)
    result = valuesOf(*extents, indices);
  for (auto [extent, size] : llvm::zip(result, shapeOf(tile)))
    if (extent && isConstant(extent, size))
      extent = Value();
  return result;
}

/// Of a tile whose lanes don't lie next to each other in memory: the dimension whose elements do.
static std::optional<int64_t> contiguousDim(const Buffer &buffer, ArrayRef<int64_t> dims) {
  auto isContiguous = [&](int64_t dim) { return getConstantIntValue(buffer.strides[dim]) == 1; };
  if (dims.size() < 2 || isContiguous(dims.back()))
    return std::nullopt;
  const int64_t *found = llvm::find_if(dims, isContiguous);
  return found == dims.end() ? std::nullopt : std::optional<int64_t>(found - dims.begin());
}

/// Places of the other dimensions of a tile.
static SmallVector<Coordinates> placesWithout(int64_t dim, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> outer(shape);
  outer[dim] = outer.back() = 1;
  return placesIn(outer);
}

static Coordinates placeOf(ElementEmitter &e, ArrayRef<Coordinate> at, ArrayRef<int64_t> dims,
                           ArrayRef<Coordinate> within) {
  Coordinates place(at);
  for (auto [dim, coordinate] : llvm::zip(dims, within))
    place[dim] = e.add(place[dim], coordinate);
  return place;
}

std::optional<int64_t> ProgramLowering::turnedDim(LoadOp load) {
  ArrayRef<int64_t> shape = shapeOf(load.getTile());
  // Elements of the first operand are asked for one by one.
  if (load->hasOneUse() && isa<MmaOp>(*load->user_begin()) && load->use_begin()->getOperandNumber() == 0)
    return std::nullopt;
  std::optional<int64_t> dim = contiguousDim(bufferOf(load.getMemref()), load.getTileDims());
  bool isTurned = dim && shape[*dim] == shape.back() && shape.back() > 1 && llvm::isPowerOf2_64(shape.back()) &&
                  !getElementTypeOrSelf(load.getTile().getType()).isInteger(1) &&
                  llvm::all_of(load.getTileSteps(), [](int64_t step) { return step == 1; });
  return isTurned ? dim : std::nullopt;
}

LogicalResult ProgramLowering::emitTurned(LoadOp load, int64_t dim, ArrayRef<Coordinate> at) {
  ArrayRef<int64_t> shape = shapeOf(load.getTile());
  Type element = getElementTypeOrSelf(load.getTile().getType());
  SmallVector<int64_t> dims = load.getTileDims();
  SmallVector<Value> parts = partsOf(load.getExtents(), load.getExtentIndices(), load.getTile());
  Value rows = std::exchange(parts[dim], Value()), columns = std::exchange(parts.back(), Value());
  if (llvm::any_of(parts, [](Value part) { return (bool)part; }))
    return refuse(load);
  int64_t lanes = e.lanes = shape.back(), used = columns ? getConstantIntValue(columns).value_or(lanes) : lanes;
  SmallVector<Value> registers(load.getTile().getType().getNumElements() / lanes);
  llvm::SaveAndRestore valid(e.valid, rows);
  for (Coordinates place : placesWithout(dim, shape)) {
    place[dim].step = 1;
    SmallVector<Value> block;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      // Lanes that aren't in use are read at the last place of all.
      if (lane >= used) {
        block.push_back(block.front());
        continue;
      }
      place.back() = {Value(), 0, Value(), lane};
      if (columns && lane > 0 && used == lanes)
        place.back() = {arith::MinUIOp::create(builder, e.loc, e.index(lane), e.sub(columns, e.index(1))), 0, Value()};
      FailureOr<Value> vector = e.load(bufferOf(load.getMemref()), element, placeOf(e, at, dims, place));
      if (failed(vector))
        return failure();
      block.push_back(*vector);
    }
    for (auto [row, vector] : llvm::enumerate(turn(e, block))) {
      int64_t number = 0;
      for (size_t d = 0; d + 1 < shape.size(); ++d)
        number = number * shape[d] + ((int64_t)d == dim ? row : place[d].offset);
      registers[number] = vector;
    }
  }
  e.addRegisters(load.getTile(), registers);
  return success();
}

std::optional<int64_t> ProgramLowering::interleavedDim(StoreOp store, ArrayRef<Coordinate> at) {
  const Buffer &buffer = bufferOf(store.getMemref());
  SmallVector<int64_t> dims = store.getTileDims();
  std::optional<int64_t> dim = contiguousDim(buffer, dims);
  SmallVector<Value> parts = partsOf(store.getExtents(), store.getExtentIndices(), store.getTile());
  if (!dim || llvm::any_of(parts, [](Value part) { return (bool)part; }))
    return std::nullopt;
  bool areRows = getConstantIntValue(buffer.strides[dims.back()]) == std::optional(shapeOf(store.getTile())[*dim]);
  return areRows && at[dims[*dim]] == Coordinate() ? dim : std::nullopt;
}

LogicalResult ProgramLowering::emitInterleaved(StoreOp store, int64_t dim, ArrayRef<Coordinate> at) {
  ArrayRef<int64_t> shape = shapeOf(store.getTile());
  SmallVector<int64_t> dims = store.getTileDims();
  e.lanes = shape.back();
  llvm::SaveAndRestore valid(e.valid, Value());
  for (Coordinates place : placesWithout(dim, shape)) {
    SmallVector<Value> columns;
    Coordinates column = place;
    column.back().step = 1;
    for (column[dim].offset = 0; column[dim].offset < shape[dim]; ++column[dim].offset) {
      FailureOr<Value> vector = e.at(store.getTile(), column);
      if (failed(vector))
        return failure();
      columns.push_back(e.asVector(*vector));
    }
    for (auto [i, vector] : llvm::enumerate(interleave(e, columns))) {
      place[dim] = {Value(), 1, Value(), (int64_t)i * e.lanes};
      e.store(vector, bufferOf(store.getMemref()), placeOf(e, at, dims, place));
    }
  }
  return success();
}

SmallVector<Type> ProgramLowering::registerTypes(Value tile) {
  int64_t all = shapeOf(tile).empty() ? 1 : shapeOf(tile).back(), lanes = all & -all;
  Type element = registerType(getElementTypeOrSelf(tile.getType()));
  int64_t count = lanes == 0 ? 0 : cast<RankedTensorType>(tile.getType()).getNumElements() / lanes;
  return SmallVector<Type>(count, lanes > 1 ? VectorType::get(lanes, element) : element);
}

/// Rows are combined one after the other, lanes at last.
LogicalResult ProgramLowering::emit(ReduceOp reduce) {
  auto operand = cast<RankedTensorType>(reduce.getOperand().getType()),
       result = cast<RankedTensorType>(reduce.getType());
  ArrayRef<int64_t> shape = operand.getShape();
  bool acrossLanes = llvm::is_contained(reduce.getDims(), operand.getRank() - 1);
  // What there is one of per row has a last dimension of size 1.
  bool isRow = acrossLanes && result.getRank() > 0 && result.getShape().back() != 1;
  if (!isTile(operand) || !isTile(result) || shape.empty() || operand.getNumElements() == 0 || isRow)
    return refuse(reduce);
  Combination combination(e, reduce.getCombiner(), operand.getElementType());
  SmallVector<int64_t> kept(shape), inner(operand.getRank(), 1);
  int64_t count = 1;
  for (int64_t dim : reduce.getDims()) {
    count *= shape[dim];
    std::swap(kept[dim], inner[dim]);
  }
  kept.back() = inner.back() = 1;
  Value number = reduce.getCombiner() == Combiner::mean ? e.index(count) : Value();
  e.lanes = shape.back();
  SmallVector<Value> registers;
  for (Coordinates &row : placesIn(kept)) {
    SmallVector<Value> sums;
    for (Coordinates &place : placesIn(inner)) {
      for (auto [coordinate, outer] : llvm::zip(place, row))
        coordinate.offset += outer.offset;
      SmallVector<Value> pieces;
      if (failed(appendPieces(reduce.getOperand(), place, pieces)))
        return failure();
      for (auto [i, piece] : llvm::enumerate(pieces)) {
        Value next = combination.widen(piece);
        i < sums.size() ? void(sums[i] = combination.combine(sums[i], next)) : sums.push_back(next);
      }
    }
    if (acrossLanes) {
      for (Value piece : ArrayRef(sums).drop_front())
        sums.front() = combination.combine(sums.front(), piece);
      sums = {combination.across(sums.front())};
    }
    for (Value sum : sums)
      registers.push_back(combination.finish(sum, number));
  }
  e.addRegisters(reduce.getResult(), registers);
  return success();
}

LogicalResult ProgramLowering::emit(FillOp fill) {
  Type element = getElementTypeOrSelf(fill.getType());
  if (!isTile(fill.getType()) || !storageType(element))
    return refuse(fill);
  SmallVector<Value> parts = partsOf(fill.getExtents(), fill.getExtentIndices(), fill.getTile());
  auto isBelow = [&](int64_t place, Value extent) -> Value {
    return arith::CmpIOp::create(builder, e.loc, arith::CmpIPredicate::slt, e.index(place), extent);
  };
  SmallVector<Value> registers;
  LogicalResult result = forEachRow(fill.getTile(), [&](Coordinates place) -> LogicalResult {
    SmallVector<Value> pieces;
    if (failed(appendPieces(fill.getTile(), place, pieces)))
      return failure();
    Value rowIsWithin;
    for (size_t dim = 0; dim + 1 < parts.size(); ++dim)
      if (parts[dim]) {
        Value within = isBelow(place[dim].offset, parts[dim]);
        rowIsWithin = rowIsWithin ? arith::AndIOp::create(builder, e.loc, rowIsWithin, within).getResult() : within;
      }
    Value other = e.constant(fill.getValue(), element);
    for (auto [i, piece] : llvm::enumerate(pieces)) {
      auto type = dyn_cast<VectorType>(piece.getType());
      Value filled = type ? vector::BroadcastOp::create(builder, e.loc, type, other).getResult() : other;
      auto select = [&](Value condition) { piece = arith::SelectOp::create(builder, e.loc, condition, piece, filled); };
      if (!parts.empty() && parts.back()) {
        int64_t lanes = type ? type.getDimSize(0) : 1, first = i * lanes;
        Value left = e.sub(parts.back(), e.index(first));
        select(type ? vector::CreateMaskOp::create(builder, e.loc, type.clone(builder.getI1Type()), left).getResult()
                    : isBelow(first, parts.back()));
      }
      if (rowIsWithin)
        select(rowIsWithin);
      registers.push_back(piece);
    }
    return success();
  });
  e.addRegisters(fill.getResult(), registers);
  return result;
}

LogicalResult ProgramLowering::emit(PositionOp position) {
  if (!isTile(position.getType()))
    return refuse(position);
  Coordinate base = coordinatesOf(position.getIndex(), position.getIndices()).front();
  Type element = registerType(getElementTypeOrSelf(position.getType()));
  std::optional<int64_t> dim = position.getDim();
  SmallVector<Value> registers;
  LogicalResult result = forEachRow(position.getResult(), [&](Coordinates place) -> LogicalResult {
    int64_t all = e.lanes, lanes = e.lanes = isGatheredBy(position.getResult()) ? 1 : all & -all;
    for (int64_t first = 0; first < all; first += lanes) {
      if (!place.empty())
        place.back() = {Value(), lanes == 1 ? 0 : 1, Value(), first};
      Value value = e.positions(dim ? e.add(base, place[*dim]) : base);
      value = arith::IndexCastOp::create(builder, e.loc, e.typeLike(value, element), value);
      registers.push_back(lanes > 1 ? e.asVector(value) : value);
    }
    e.lanes = all;
    return success();
  });
  e.addRegisters(position.getResult(), registers);
  return result;
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
  bool isOnce = llvm::all_of(op->getResults(), [](Value tile) { return tile.use_empty() || tile.hasOneUse(); }) &&
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
    Value isBelow = arith::CmpIOp::create(builder, e.loc, arith::CmpIPredicate::slt, e.index(place.offset), extent);
    result = result ? arith::AndIOp::create(builder, e.loc, result, isBelow).getResult() : isBelow;
  }
  return result;
}

LogicalResult ProgramLowering::emit(StoreOp store) {
  if (InstructionAttr via = fragmentsVia(store.getTile()))
    return storeFragments(store, via);
  Value tile = store.getTile();
  ArrayRef<int64_t> shape = shapeOf(tile);
  auto memory = cast<MemRefType>(store.getMemref().getType());
  // Of elements that share bytes whole bytes of a row are written.
  bool isShared = isPacked(memory.getElementType()), isRow = shape.size() == 1 && memory.getRank() == 1;
  if (!store.getPlaces().empty() || llvm::any_of(store.getTileSteps(), [](int64_t step) { return step != 1; }) ||
      (isShared && !isRow))
    return refuse(store);
  Coordinates at = coordinatesOf(store.getCoordinates(), store.getIndices());
  if (std::optional<int64_t> dim = interleavedDim(store, at))
    return emitInterleaved(store, *dim, at);
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
      Coordinates place = placeOf(e, at, store.getTileDims(), within);
      if (isShared)
        e.storePacked(*element, memory.getElementType(), bufferOf(store.getMemref()), place);
      else
        e.store(*element, bufferOf(store.getMemref()), place);
      return success();
    };
    Value condition = extents.empty() ? Value() : isWithin(within, extents, shape);
    return condition ? emitIf(condition, storeRow) : storeRow();
  });
  e.valid = previous;
  return result;
}

/// For each run of products those of the columns, as many together as an instruction has sums, then row by row a run of
/// the first operand for all of them.
LogicalResult ProgramLowering::emitVia(MmaOp mma) {
  InstructionAttr via = mma.getViaAttr();
  if (via.getM() > 1)
    return emitFragments(mma);
  auto variant = program->getParentOfType<VariantOp>();
  auto target = variant ? dyn_cast<ProductsInterface>(variant.getTarget()) : ProductsInterface();
  auto lhs = cast<RankedTensorType>(mma.getLhs().getType()), rhs = cast<RankedTensorType>(mma.getRhs().getType());
  int64_t run = via.getK(), lanes = via.getN(), columns = rhs.getShape()[1];
  if (!target || via.getM() != 1 || mma.getFactor() != run || rhs.getRank() != 3 || columns % lanes != 0)
    return refuse(mma);
  FailureOr<SmallVector<Value>> sums = registersOf(mma.getAcc());
  if (failed(sums))
    return failure();
  // Registers of the instruction's size, row by row.
  int64_t all = cast<VectorType>(sums->front().getType()).getDimSize(0);
  SmallVector<Value> parts;
  for (Value piece : *sums)
    for (int64_t lane = 0; lane < all; lane += lanes)
      parts.push_back(all == lanes
                          ? piece
                          : vector::ExtractStridedSliceOp::create(builder, e.loc, piece, lane, lanes, 1).getResult());
  auto asBits = [&](int64_t number) { return VectorType::get(number, builder.getI32Type()); };
  for (int64_t first = 0; first < lhs.getShape().back(); first += run) {
    SmallVector<Value> factors;
    e.lanes = lanes * run;
    for (int64_t column = 0; column < columns; column += lanes) {
      // Runs of neighbouring columns lie one behind the other.
      Coordinates place = {{Value(), 0, Value(), first / run}, {Value(), 0, Value(), column}, {Value(), 1, Value()}};
      FailureOr<Value> factor = e.at(mma.getRhs(), place);
      if (failed(factor))
        return failure();
      factors.push_back(*factor);
    }
    e.lanes = run;
    auto *part = parts.begin();
    for (Coordinates place : placesIn(lhs.getShape().drop_back())) {
      place.push_back({Value(), 1, Value(), first});
      FailureOr<Value> factor = e.at(mma.getLhs(), place);
      if (failed(factor))
        return failure();
      Value bits = vector::BitCastOp::create(builder, e.loc, asBits(1), *factor);
      bits = vector::BroadcastOp::create(builder, e.loc, asBits(lanes),
                                         vector::ExtractOp::create(builder, e.loc, bits, 0).getResult());
      Type type = VectorType::get(lanes * run, getElementTypeOrSelf(factor->getType()));
      Value inAllLanes = vector::BitCastOp::create(builder, e.loc, type, bits);
      for (Value column : factors) {
        *part = target.emitProducts(builder, e.loc, via, *part, inAllLanes, column);
        if (!*part++)
          return refuse(mma);
      }
    }
  }
  auto *part = parts.begin();
  for (Value &piece : *sums) {
    if (all == lanes) {
      piece = *part++;
      continue;
    }
    piece = arith::ConstantOp::create(builder, e.loc, builder.getZeroAttr(piece.getType()));
    for (int64_t lane = 0; lane < all; lane += lanes)
      piece = vector::InsertStridedSliceOp::create(builder, e.loc, *part++, piece, lane, 1);
  }
  e.addRegisters(mma.getResult(), *sums);
  return success();
}

/// For each product of the depth the columns, then row by row an element of the first operand in all lanes:
/// no register beyond the sums, the columns and this one, also where strides are dynamic.
LogicalResult ProgramLowering::emit(MmaOp mma) {
  auto lhs = cast<RankedTensorType>(mma.getLhs().getType()), rhs = cast<RankedTensorType>(mma.getRhs().getType());
  Type element = cast<RankedTensorType>(mma.getAcc().getType()).getElementType();
  if (mma.getVia())
    return emitVia(mma);
  bool isFloat = element.isF32() || element.isF64();
  if (mma.getFactor() != 1 || !(isFloat || element.isInteger(32)) || lhs.getElementType() != element)
    return refuse(mma);
  auto multiplyAdd = [&](Value factor, Value column, Value sum) -> Value {
    if (!isFloat)
      return arith::AddIOp::create(builder, e.loc, sum, arith::MulIOp::create(builder, e.loc, factor, column));
    if (isa<VectorType>(factor.getType()))
      return vector::FMAOp::create(builder, e.loc, factor, column, sum);
    return math::FmaOp::create(builder, e.loc, factor, column, sum);
  };
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
        *sum = multiplyAdd(factor, column, *sum);
        ++sum;
      }
    }
  }
  e.addRegisters(mma.getResult(), *sums);
  return success();
}

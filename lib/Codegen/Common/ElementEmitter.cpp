//===- ElementEmitter.cpp - Elements of a kernel's values, in registers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/ElementEmitter.h"
#include "NarrowFloats.h"
#include "tenon/Codegen/Common/ProductsInterface.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/IR/Accuracy.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;

#include "tenon/Codegen/Common/ElementInterface.cpp.inc"
#include "tenon/Codegen/Common/ProductsInterface.cpp.inc"

bool codegen::isPacked(Type element) { return element.isIntOrFloat() && StorageFormat(element).sharesBytes(); }

Type codegen::registerType(Type element) {
  if (auto integer = dyn_cast<IntegerType>(element))
    return IntegerType::get(element.getContext(), isPacked(element) ? 8 : integer.getWidth());
  if (isStorageFloat(element))
    return IntegerType::get(element.getContext(), 8);
  return element;
}

Type codegen::storageType(Type element) {
  if (element.isF32() || element.isF64() || element.isF16() || element.isBF16())
    return element;
  if (isStorageFloat(element))
    return IntegerType::get(element.getContext(), 8);
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer || !llvm::is_contained({1u, 2u, 4u, 8u, 16u, 32u, 64u}, integer.getWidth()))
    return Type();
  return IntegerType::get(element.getContext(), std::max(8u, integer.getWidth()));
}

arith::FastMathFlagsAttr ElementEmitter::contraction() const {
  bool rounds = tile::accuracyOf(builder.getInsertionBlock()->getParentOp()) == tile::Accuracy::strict;
  return arith::FastMathFlagsAttr::get(builder.getContext(),
                                       rounds ? arith::FastMathFlags::none : arith::FastMathFlags::contract);
}

const Buffer *ElementEmitter::bufferOf(Value tensor) const {
  auto it = buffers.find(tensor);
  return it == buffers.end() ? nullptr : &it->second;
}

Buffer ElementEmitter::makeBuffer(Value base, ArrayRef<AffineExpr> extents, std::optional<ValueRange> given) {
  Buffer buffer;
  OpFoldResult count;
  if (given) {
    buffer.isStrided = true;
    buffer.strides = getAsOpFoldResult(*given);
    buffer.strides.push_back(builder.getIndexAttr(1));
    Value last = index(1);
    for (auto [stride, extent] : llvm::zip(buffer.strides, extents))
      last = add(last, mul(sub(index(extent), index(1)), index(stride)));
    count = last;
  } else {
    AffineExpr stride = sizes.constant(1);
    buffer.strides.resize(extents.size());
    for (int64_t i = (int64_t)extents.size() - 1; i >= 0; --i) {
      buffer.strides[i] = sizes.materialize(builder, loc, stride);
      stride = stride * extents[i];
    }
    count = sizes.materialize(builder, loc, stride);
  }
  auto type = MemRefType::get({getConstantIntValue(count).value_or(ShapedType::kDynamic)},
                              cast<MemRefType>(base.getType()).getElementType());
  buffer.memref =
      memref::ReinterpretCastOp::create(builder, loc, type, base, OpFoldResult(builder.getIndexAttr(0)),
                                        ArrayRef<OpFoldResult>{count}, ArrayRef<OpFoldResult>{builder.getIndexAttr(1)});
  return buffer;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

FailureOr<Value> ElementEmitter::at(Value tensor, ArrayRef<Coordinate> coordinates) {
  if (const SmallVector<Value> *vectors = registersOf(tensor))
    return at(tensor, *vectors, coordinates);
  for (const Known &entry : llvm::reverse(known))
    if (entry.tensor == tensor && ArrayRef(entry.coordinates) == coordinates && entry.lanes == lanesAt(coordinates))
      return entry.element;
  FailureOr<Value> element = failure();
  Type type = getElementTypeOrSelf(tensor.getType());
  if (const Buffer *buffer = bufferOf(tensor)) {
    element = load(*buffer, type, coordinates);
  } else if (auto part = parts.find(tensor); part != parts.end()) {
    return at(tensor, Part(part->second), coordinates);
  } else if (auto op = dyn_cast_if_present<ElementInterface>(tensor.getDefiningOp())) {
    element = op.emitElement(*this, coordinates);
  } else if (Operation *op = tensor.getDefiningOp()) {
    op->emitError() << "'" << op->getName() << "' can't be computed element by element";
  }
  if (succeeded(element))
    define(tensor, coordinates, *element);
  return element;
}

Coordinate ElementEmitter::within(const Part &part, size_t dim, const Coordinate &coordinate) {
  if (dim >= part.places.size() || part.places[dim].empty() || !coordinate.isUniform())
    return coordinate;
  ArrayRef<Value> places = part.places[dim];
  if (!coordinate.base)
    return coordinate.offset == 0 ? coordinate : Coordinate{places[coordinate.offset], 0, Value()};
  return {builder.createOrFold<arith::MinSIOp>(loc, first(coordinate), places.back()), 0, Value()};
}

FailureOr<Value> ElementEmitter::at(Value tensor, const Part &part, ArrayRef<Coordinate> coordinates) {
  Coordinates places;
  if (!part.isKnown) {
    places = part.at;
    for (auto [i, dim] : llvm::enumerate(part.dims)) {
      Coordinate place = within(part, i, coordinates[i]);
      if (part.gathered.empty() || dim != part.gathered.front().first) {
        if (!part.steps.empty() && part.steps[i] != 1)
          place = {place.base ? mul(place.base, index(part.steps[i])) : Value(), 0, Value(),
                   place.offset * part.steps[i]};
        places[dim] = add(places[dim], place);
        continue;
      }
      for (auto [gathered, tile] : part.gathered) {
        FailureOr<Value> element = at(tile, place);
        if (failed(element))
          return failure();
        Type type = typeLike(*element, builder.getIndexType());
        places[gathered] = coordinate(builder.createOrFold<arith::IndexCastOp>(loc, type, *element));
      }
    }
    Value previous = std::exchange(valid, part.valid ? part.valid : valid);
    FailureOr<Value> element = at(part.source, places);
    valid = previous;
    return element;
  }
  auto refuse = [&] { return emitError(loc) << "what is computed asks for another tile than the one that is known"; };
  ArrayRef<int64_t> shape = cast<RankedTensorType>(part.source.getType()).getShape();
  places.resize(part.dims.size());
  for (auto [dim, coordinate] : llvm::enumerate(coordinates)) {
    Coordinate from = part.at[dim];
    Coordinate within{Value(), coordinate.step, Value(), coordinate.offset - from.offset};
    const auto *known = llvm::find(part.dims, (int64_t)dim);
    bool isThere = !coordinate.lanes && coordinate.base == from.base;
    if (known == part.dims.end() ? !(coordinate == from) : !isThere)
      return refuse();
    if (known == part.dims.end())
      continue;
    size_t place = known - part.dims.begin();
    if (within.offset < 0 || within.offset >= shape[place])
      return refuse();
    places[place] = within;
  }
  return at(part.source, places);
}

FailureOr<Value> ElementEmitter::at(Value tile, ArrayRef<Value> vectors, ArrayRef<Coordinate> coordinates) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(tile.getType()).getShape();
  if (shape.empty())
    return vectors.front();
  int64_t row = 0, width = shape.back();
  int64_t offset = 0, step = coordinates.back().step;
  for (auto [coordinate, size] : llvm::zip(coordinates, shape)) {
    std::optional<int64_t> base = coordinate.base ? getConstantIntValue(coordinate.base) : std::optional<int64_t>(0);
    offset = coordinate.offset + base.value_or(-1);
    if (!base || coordinate.lanes || offset < 0 || offset >= size)
      return emitError(loc) << "elements of a tile in registers can't be chosen at run time";
    row = row * size + offset;
  }
  auto type = dyn_cast<VectorType>(vectors.front().getType());
  int64_t pieceLanes = type ? type.getDimSize(0) : 1;
  Value piece = vectors[row / pieceLanes];
  if (step == 0)
    return type ? vector::ExtractOp::create(builder, loc, piece, offset % pieceLanes).getResult() : piece;
  if (step == 1 && type && lanes == pieceLanes && offset % lanes == 0)
    return piece;
  if (step != 1 || offset != 0 || lanes != width)
    return emitError(loc) << "of rows of a tile in registers whole ones or their parts can be read only";
  Value whole = arith::ConstantOp::create(
      builder, loc, builder.getZeroAttr(VectorType::get(lanes, getElementTypeOrSelf(piece.getType()))));
  for (int64_t lane = 0; lane < width; lane += pieceLanes) {
    piece = vectors[row / pieceLanes + lane / pieceLanes];
    whole = type ? vector::InsertStridedSliceOp::create(builder, loc, piece, whole, lane, 1).getResult()
                 : vector::InsertOp::create(builder, loc, piece, whole, lane).getResult();
  }
  return whole;
}

void ElementEmitter::define(Value tensor, ArrayRef<Coordinate> coordinates, Value element) {
  known.push_back({tensor, Coordinates(coordinates), lanesAt(coordinates), element});
}

int64_t ElementEmitter::lanesAt(ArrayRef<Coordinate> coordinates) const {
  return llvm::all_of(coordinates, [](const Coordinate &place) { return place.isUniform(); }) ? 0 : lanes;
}

/// Where elements lie in a flat buffer.
static Coordinate flatten(ElementEmitter &emitter, const Buffer &buffer, ArrayRef<Coordinate> coordinates) {
  Coordinate result{buffer.start ? buffer.start : emitter.index(0), 0, Value()};
  auto addScaled = [&](Value index, OpFoldResult stride) {
    result.base = emitter.add(result.base, emitter.mul(index, emitter.index(stride)));
  };
  int64_t distance = 0; // that is known
  Value lanes;
  bool dynamicStep = false;
  for (auto [coordinate, stride] : llvm::zip(coordinates, buffer.strides)) {
    std::optional<int64_t> fixed = getConstantIntValue(stride);
    dynamicStep |= coordinate.step != 0 && !fixed;
  }
  for (auto [coordinate, stride] : llvm::zip(coordinates, buffer.strides)) {
    std::optional<int64_t> fixed = getConstantIntValue(stride);
    if (coordinate.lanes || (dynamicStep && coordinate.step != 0)) {
      Value positions = emitter.asVector(emitter.positions(coordinate));
      Value scaled = emitter.mul(positions, emitter.asVector(emitter.index(stride)));
      lanes = lanes ? emitter.add(lanes, scaled) : scaled;
      continue;
    }
    if (coordinate.base)
      addScaled(coordinate.base, stride);
    if (fixed)
      distance += coordinate.offset * *fixed;
    else if (coordinate.offset != 0)
      addScaled(emitter.index(coordinate.offset), stride);
    if (coordinate.step != 0)
      result.step += coordinate.step * *fixed;
  }
  result.base = emitter.add(result.base, emitter.index(distance));
  if (lanes) {
    lanes = emitter.add(lanes, emitter.asVector(emitter.positions(result)));
    return {Value(), 0, lanes};
  }
  return result;
}

Value ElementEmitter::offsetOf(const Buffer &buffer, ArrayRef<Coordinate> coordinates) {
  return flatten(*this, buffer, coordinates).base;
}

FailureOr<Value> ElementEmitter::load(const Buffer &buffer, Type element, ArrayRef<Coordinate> coordinates) {
  Coordinate place = flatten(*this, buffer, coordinates);
  Type storage = storageType(element);
  Value result;
  auto vector = VectorType::get(lanes, storage);
  auto loadScalar = [&](Value position) -> Value {
    if (!isPacked(element))
      return memref::LoadOp::create(builder, loc, buffer.memref, position);
    // Several to a byte, the first in its lowest bits: moved to the top, then down again with the sign or with zeros.
    int64_t bits = element.getIntOrFloatBitWidth(), perByte = 8 / bits;
    Value number = index(perByte), byte = arith::DivUIOp::create(builder, loc, position, number);
    Value behind = sub(index(perByte - 1), arith::RemUIOp::create(builder, loc, position, number));
    Value distance = arith::IndexCastOp::create(builder, loc, storage, mul(behind, index(bits)));
    Value all = memref::LoadOp::create(builder, loc, buffer.memref, byte), rest = integer(storage, 8 - bits);
    Value top = arith::ShLIOp::create(builder, loc, all, distance);
    if (element.isUnsignedInteger() || isa<FloatType>(element))
      return arith::ShRUIOp::create(builder, loc, top, rest);
    return arith::ShRSIOp::create(builder, loc, top, rest);
  };
  if (buffer.only) {
    result = buffer.only;
  } else if (place.isUniform()) {
    result = loadScalar(place.base);
  } else if (place.step == 1 && !valid && !isPacked(element)) {
    result = vector::LoadOp::create(builder, loc, vector, buffer.memref, place.base);
  } else if (place.step == 1 && !isPacked(element)) {
    Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector));
    result = vector::MaskedLoadOp::create(builder, loc, vector, buffer.memref, place.base, mask(), zero);
  } else if (place.step > 1 && place.step <= maxStep && !valid && !isPacked(element) && lanes > 2) {
    result = loadSteps(buffer, vector, place);
  } else {
    result = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector));
    for (int64_t lane = 0; lane < lanes; ++lane) {
      // A lane that isn't in use reads where the first one does.
      Value position, first;
      if (place.lanes) {
        position = vector::ExtractOp::create(builder, loc, place.lanes, lane);
        first = vector::ExtractOp::create(builder, loc, place.lanes, 0);
      } else {
        position = add(place.base, index(lane * place.step));
        first = place.base;
      }
      if (valid && lane > 0) {
        Value used = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, index(lane), valid);
        position = arith::SelectOp::create(builder, loc, used, position, first);
      }
      Value scalar = loadScalar(position);
      result = vector::InsertOp::create(builder, loc, scalar, result, lane);
    }
  }
  if (!element.isInteger(1))
    return result;
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(result.getType()));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, result, zero).getResult();
}

void ElementEmitter::storePacked(Value element, Type type, const Buffer &buffer, ArrayRef<Coordinate> coordinates) {
  Coordinate place = flatten(*this, buffer, coordinates);
  int64_t bits = type.getIntOrFloatBitWidth(), count = 8 / bits, all = std::max(lanes, count);
  auto vector = VectorType::get(all, builder.getI8Type()), part = VectorType::get(all / count, builder.getI8Type());
  auto constant = [&](VectorType like, int64_t value) -> Value {
    auto byte = builder.getIntegerAttr(builder.getI8Type(), value);
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(like, Attribute(byte)));
  };
  // Lanes that aren't in use are zeros, as those behind the last element are.
  Value zero = constant(vector, 0), whole = element;
  if (!isa<VectorType>(element.getType()))
    whole = lanes >= count ? vector::BroadcastOp::create(builder, loc, vector, element).getResult()
                           : vector::InsertOp::create(builder, loc, element, zero, 0).getResult();
  if (valid)
    whole = arith::SelectOp::create(builder, loc, mask(), whole, zero);
  whole = arith::AndIOp::create(builder, loc, whole, constant(vector, (1 << bits) - 1));
  Value bytes;
  for (int64_t i = 0; i < count; ++i) {
    SmallVector<int64_t> sources;
    for (int64_t lane = i; lane < all; lane += count)
      sources.push_back(lane);
    Value next = vector::ShuffleOp::create(builder, loc, whole, whole, sources);
    if (i > 0)
      next = arith::ShLIOp::create(builder, loc, next, constant(part, i * bits));
    bytes = bytes ? arith::OrIOp::create(builder, loc, bytes, next).getResult() : next;
  }
  Value byte = arith::DivUIOp::create(builder, loc, place.base, index(count));
  vector::StoreOp::create(builder, loc, bytes, buffer.memref, byte);
}

/// As many vectors as steps, which end with the last lane: nothing behind that is read. Each puts in what it has.
Value ElementEmitter::loadSteps(const Buffer &buffer, VectorType type, const Coordinate &place) {
  int64_t last = place.step * (lanes - 1) + 1 - lanes;
  bool isFloat = isa<FloatType>(type.getElementType());
  auto shuffled = isFloat && type.getElementTypeBitWidth() == 16 ? type.clone(builder.getI16Type()) : type;
  auto cast = [&](Value vector, VectorType to) -> Value {
    return vector.getType() == to ? vector : arith::BitcastOp::create(builder, loc, to, vector).getResult();
  };
  Value result;
  for (int64_t i = 0; i < place.step; ++i) {
    int64_t start = std::min(i * lanes, last);
    Value part = vector::LoadOp::create(builder, loc, type, buffer.memref, add(place.base, index(start)));
    part = cast(part, shuffled);
    SmallVector<int64_t> sources;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int64_t position = lane * place.step - start;
      bool isHere = position >= 0 && position < lanes;
      sources.push_back(i == 0 ? (isHere ? position : 0) : (isHere ? lanes + position : lane));
    }
    result = vector::ShuffleOp::create(builder, loc, result ? result : part, part, sources);
  }
  return cast(result, type);
}

void ElementEmitter::store(Value element, const Buffer &buffer, ArrayRef<Coordinate> coordinates) {
  Type storage = cast<MemRefType>(buffer.memref.getType()).getElementType();
  if (getElementTypeOrSelf(element.getType()) != storage)
    element = arith::ExtUIOp::create(builder, loc, typeLike(element, storage), element);
  Coordinate place = flatten(*this, buffer, coordinates);
  if (place.isUniform()) {
    memref::StoreOp::create(builder, loc, element, buffer.memref, place.base);
    return;
  }
  element = asVector(element);
  if (place.lanes || place.step != 1)
    storeLanes(element, buffer, place);
  else if (valid)
    vector::MaskedStoreOp::create(builder, loc, buffer.memref, place.base, mask(), element);
  else
    vector::StoreOp::create(builder, loc, element, buffer.memref, place.base);
}

void ElementEmitter::storeLanes(Value element, const Buffer &buffer, const Coordinate &place) {
  std::optional<int64_t> used = valid ? getConstantIntValue(valid) : lanes;
  for (int64_t lane = 0; lane < used.value_or(lanes); ++lane) {
    OpBuilder::InsertionGuard guard(builder);
    if (!used) {
      Value isUsed = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, index(lane), valid);
      auto branch = scf::IfOp::create(builder, loc, isUsed, /*withElseRegion=*/false);
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    Value position = place.lanes ? vector::ExtractOp::create(builder, loc, place.lanes, lane).getResult()
                                 : add(place.base, index(lane * place.step));
    Value scalar = vector::ExtractOp::create(builder, loc, element, lane);
    memref::StoreOp::create(builder, loc, scalar, buffer.memref, position);
  }
}

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

Value ElementEmitter::index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value ElementEmitter::index(OpFoldResult value) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return index(*constant);
  // Arithmetic in the kernel goes away with it.
  auto known = cast<Value>(value);
  if (isa_and_present<tile::KernelOp, tile::ComputeOp>(known.getParentRegion()->getParentOp()))
    return index(sizes.expressionOf(value));
  return known;
}

Value ElementEmitter::index(AffineExpr size) { return index(sizes.materialize(builder, loc, size)); }

Value ElementEmitter::size(Value tensor, int64_t dim) { return index(sizes.sizesOf(tensor)[dim]); }

static bool isIndexConstant(Value value, int64_t expected) {
  return getConstantIntValue(value) == std::optional<int64_t>(expected);
}

Value ElementEmitter::add(Value a, Value b) {
  if (isIndexConstant(a, 0))
    return b;
  if (isIndexConstant(b, 0))
    return a;
  return arith::AddIOp::create(builder, loc, a, b);
}

Value ElementEmitter::sub(Value a, Value b) {
  return isIndexConstant(b, 0) ? a : arith::SubIOp::create(builder, loc, a, b).getResult();
}

Value ElementEmitter::mul(Value a, Value b) {
  if (isIndexConstant(a, 1) || isIndexConstant(b, 0))
    return b;
  if (isIndexConstant(b, 1) || isIndexConstant(a, 0))
    return a;
  return arith::MulIOp::create(builder, loc, a, b);
}

SmallVector<Value> ElementEmitter::delinearize(Value linear, ArrayRef<Value> extents) {
  SmallVector<Value> result(extents.size());
  for (int64_t i = (int64_t)extents.size() - 1; i > 0; --i) {
    if (isIndexConstant(extents[i], 1)) {
      result[i] = index(0);
      continue;
    }
    result[i] = arith::RemUIOp::create(builder, loc, linear, extents[i]);
    linear = arith::DivUIOp::create(builder, loc, linear, extents[i]);
  }
  if (!result.empty())
    result[0] = isIndexConstant(extents[0], 1) ? index(0) : linear;
  return result;
}

Value ElementEmitter::number(Type type, double value) {
  if (!isa<FloatType>(type))
    return integer(type, (int64_t)value);
  return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, value));
}

Value ElementEmitter::integer(Type type, int64_t value) {
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, value));
}

Value ElementEmitter::constant(Attribute value, Type element) {
  Type type = registerType(element);
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(builder, loc, cast<FloatAttr>(value));
  // A type that is only stored is held as its bits, a packed one widened.
  auto floating = dyn_cast<FloatAttr>(value);
  APInt bits = floating ? floating.getValue().bitcastToAPInt() : cast<IntegerAttr>(value).getValue();
  unsigned width = type.getIntOrFloatBitWidth();
  bits = element.isUnsignedInteger() ? bits.zextOrTrunc(width) : bits.sextOrTrunc(width);
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, bits));
}

Value ElementEmitter::asVector(Value value) {
  if (isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(builder, loc, VectorType::get(lanes, value.getType()), value);
}

void ElementEmitter::unify(MutableArrayRef<Value> values) {
  if (llvm::any_of(values, [](Value value) { return isa<VectorType>(value.getType()); }))
    for (Value &value : values)
      value = asVector(value);
}

Type ElementEmitter::typeLike(Value value, Type scalar) const {
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    return VectorType::get(vector.getShape(), scalar);
  return scalar;
}

Value ElementEmitter::mask() {
  if (!valid)
    return Value();
  return vector::CreateMaskOp::create(builder, loc, VectorType::get(lanes, builder.getI1Type()), ValueRange(valid));
}

Value ElementEmitter::first(const Coordinate &coordinate) {
  if (!coordinate.base)
    return index(coordinate.offset);
  return coordinate.offset == 0 ? coordinate.base : add(coordinate.base, index(coordinate.offset));
}

Coordinate ElementEmitter::add(const Coordinate &a, const Coordinate &b) {
  if (a.lanes || b.lanes)
    return {Value(), 0, add(asVector(positions(a)), asVector(positions(b)))};
  Value base = a.base && b.base ? add(a.base, b.base) : a.base ? a.base : b.base;
  return {base, a.step + b.step, Value(), a.offset + b.offset};
}

Value ElementEmitter::positions(const Coordinate &coordinate) {
  if (coordinate.lanes)
    return coordinate.lanes;
  if (coordinate.step == 0)
    return first(coordinate);
  SmallVector<Attribute> offsets;
  for (int64_t lane = 0; lane < lanes; ++lane)
    offsets.push_back(builder.getIndexAttr(lane * coordinate.step));
  auto type = VectorType::get(lanes, builder.getIndexType());
  Value steps = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, offsets));
  return arith::AddIOp::create(builder, loc, asVector(first(coordinate)), steps);
}

Coordinate ElementEmitter::coordinate(Value positions) {
  if (isa<VectorType>(positions.getType()))
    return {Value(), 0, positions};
  return {positions, 0, Value()};
}

FailureOr<SmallVector<Value>> ElementEmitter::loop(Value low, Value high, ValueRange init, LoopBody body) {
  auto loop = scf::ForOp::create(builder, loc, low, high, index(1), init);
  OpBuilder::InsertionGuard guard(builder);
  Scope scope(*this);
  builder.setInsertionPointToStart(loop.getBody());
  FailureOr<SmallVector<Value>> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (failed(next))
    return failure();
  if (!init.empty())
    scf::YieldOp::create(builder, loc, *next);
  return SmallVector<Value>(loop.getResults());
}

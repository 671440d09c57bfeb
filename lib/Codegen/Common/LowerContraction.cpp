//===- LowerContraction.cpp - Register tiles of a contraction and its epilogue ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <set>

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
/// One operand as register tiles read it: offsets of a place in the iteration space, in elements.
class Operand {
public:
  Operand(KernelBody &body, Value tensor, AffineMap map)
      : e(body.e), buffer(*e.bufferOf(tensor)), map(map) {}

  Value memref() const { return buffer.memref; }

  /// The stride of a dimension of the iteration space.
  Value stride(unsigned dim) const {
    std::optional<unsigned> position = map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
    return position ? e.index(buffer.strides[*position]) : e.index(0);
  }

  /// The offset of places along some dimensions.
  Value offset(ArrayRef<unsigned> dims, ArrayRef<Value> places) const {
    Value result = e.index(0);
    for (auto [dim, place] : llvm::zip(dims, places))
      result = e.add(result, e.mul(place, stride(dim)));
    return result;
  }

  /// Whether the dimensions lie next to each other, in order: one stride leads through all of them.
  bool isContiguous(ArrayRef<unsigned> dims) const {
    if (buffer.isStrided)
      return dims.size() <= 1;
    for (auto [first, second] : llvm::zip(dims, dims.drop_front())) {
      auto a = map.getResultPosition(getAffineDimExpr(first, map.getContext()));
      auto b = map.getResultPosition(getAffineDimExpr(second, map.getContext()));
      if (*b != *a + 1)
        return false;
    }
    return true;
  }

private:
  ElementEmitter &e;
  const Buffer &buffer;
  AffineMap map;
};

class Contraction {
public:
  explicit Contraction(KernelBody &body)
      : body(body), e(body.e), op(body.structure.contract), roles(*contractionRoles(op)), packed(op.getRhs().getDefiningOp<UnpackOp>()),
        lhs(body, op.getLhs(), map(0)), rhs(body, packed ? packed.getOperand() : op.getRhs(), map(1)) {}

  LogicalResult run() {
    depth = sizeOf(roles.depth);
    columns = sizeOf(roles.column);
    rowExtents = llvm::map_to_vector(roles.rows, [&](unsigned dim) { return sizeOf(dim); });
    batchExtents = llvm::map_to_vector(roles.batch, [&](unsigned dim) { return sizeOf(dim); });
    rows = e.index(1);
    for (Value extent : rowExtents)
      rows = e.mul(rows, extent);
    Value blocks = ceilDiv(rows, blockRows), panels = ceilDiv(columns, panelColumns);
    return body.loop(body.begin, body.end, 1, [&](Value unit) {
      // Blocks of rows innermost: a panel stays in the cache while rows run past it.
      e.unit = unit;
      SmallVector<Value> place = e.delinearize(unit, {e.index(1), panels, blocks});
      Value outer = arith::DivUIOp::create(e.builder, e.loc, unit, e.mul(panels, blocks));
      batch = e.delinearize(outer, batchExtents);
      panel = place[1];
      firstRow = e.mul(place[2], e.index(blockRows));
      return emitPanel();
    });
  }

private:
  AffineMap map(unsigned i) { return cast<AffineMapAttr>(op.getIndexingMaps()[i]).getValue(); }

  Value sizeOf(unsigned dim) {
    AffineExpr expression = getAffineDimExpr(dim, op.getContext());
    Value operands[] = {op.getLhs(), op.getRhs()};
    Value result;
    for (unsigned i = 0; i < 2; ++i)
      if (auto position = map(i).getResultPosition(expression)) {
        AffineExpr size = e.sizes.sizesOf(operands[i])[*position];
        if (!result || isa<AffineConstantExpr>(size))
          result = e.index(size);
      }
    return result;
  }

  Value ceilDiv(Value value, int64_t by) {
    if (auto constant = getConstantIntValue(value))
      return e.index(llvm::divideCeil(*constant, by));
    return arith::CeilDivUIOp::create(e.builder, e.loc, value, e.index(by));
  }

  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(e.builder, e.loc, predicate, a, b);
  }

  /// The unit's panel, one register tile's columns after the other; the last ones may be fewer.
  LogicalResult emitPanel() {
    Value start = e.mul(panel, e.index(panelColumns));
    Value end = arith::MinUIOp::create(e.builder, e.loc, e.add(start, e.index(panelColumns)), columns);
    if (std::optional<int64_t> fixed = getConstantIntValue(columns); fixed && *fixed % e.lanes == 0)
      return body.loop(start, end, e.lanes, [&](Value column) { return emitColumns(column); });
    Value rest = arith::RemUIOp::create(e.builder, e.loc, e.sub(end, start), e.index(e.lanes));
    Value whole = e.sub(end, rest);
    if (failed(body.loop(start, whole, e.lanes, [&](Value column) { return emitColumns(column); })))
      return failure();
    return body.when(compare(arith::CmpIPredicate::sgt, rest, e.index(0)), [&] {
      e.valid = rest;
      LogicalResult result = emitColumns(whole);
      e.valid = Value();
      return result;
    });
  }

  /// The numbers of rows that register tiles can have.
  std::set<int64_t> tileHeights() {
    std::set<int64_t> heights;
    std::optional<int64_t> total = getConstantIntValue(rows);
    auto add = [&](int64_t count) {
      if (count <= 0)
        return;
      int64_t tiles = llvm::divideCeil(count, body.tileRows);
      heights.insert(count / tiles);
      if (count % tiles)
        heights.insert(count / tiles + 1);
    };
    if (total) {
      add(std::min(*total, blockRows));
      add(*total % blockRows);
    } else {
      for (int64_t height = 1; height <= body.tileRows; ++height)
        heights.insert(height);
    }
    return heights;
  }

  /// The unit's rows in tiles of nearly equal height: none is much lower than the registers allow.
  LogicalResult emitColumns(Value column) {
    Value left = e.sub(rows, firstRow);
    Value count = arith::MinUIOp::create(e.builder, e.loc, left, e.index(blockRows));
    Value tiles = arith::CeilDivUIOp::create(e.builder, e.loc, count, e.index(body.tileRows));
    Value low = arith::DivUIOp::create(e.builder, e.loc, count, tiles);
    Value higher = arith::RemUIOp::create(e.builder, e.loc, count, tiles);
    Value high = e.add(low, e.index(1));
    Value lowStart = e.mul(higher, high);
    for (int64_t height : tileHeights()) {
      Value isLow = compare(arith::CmpIPredicate::eq, low, e.index(height));
      Value isHigh = compare(arith::CmpIPredicate::eq, high, e.index(height));
      auto pick = [&](Value ifLow, Value ifHigh) {
        Value otherwise = arith::SelectOp::create(e.builder, e.loc, isHigh, ifHigh, e.index(0));
        return arith::SelectOp::create(e.builder, e.loc, isLow, ifLow, otherwise).getResult();
      };
      Value number = pick(e.sub(tiles, higher), higher), start = pick(lowStart, e.index(0));
      Value first = e.add(firstRow, start), last = e.add(first, e.mul(number, e.index(height)));
      if (failed(body.loop(first, last, height, [&](Value row) { return emitTile(row, height, column); })))
        return failure();
    }
    return success();
  }

  LogicalResult emitTile(Value row, int64_t height, Value column) {
    Value batchOffset = lhs.offset(roles.batch, batch);
    SmallVector<Value> offsets;
    SmallVector<SmallVector<Value>> places;
    bool contiguous = lhs.isContiguous(roles.rows);
    for (int64_t i = 0; i < height; ++i) {
      Value index = e.add(row, e.index(i));
      places.push_back(e.delinearize(index, rowExtents));
      if (roles.rows.empty())
        offsets.push_back(batchOffset);
      else if (contiguous)
        offsets.push_back(e.add(batchOffset, e.mul(index, lhs.stride(roles.rows.back()))));
      else
        offsets.push_back(e.add(batchOffset, lhs.offset(roles.rows, places.back())));
    }
    Value rhsOffset, rhsStride, limit;
    if (packed) {
      Value within = e.sub(column, e.mul(panel, e.index(panelColumns)));
      rhsOffset = e.add(e.mul(panel, e.mul(depth, e.index(panelColumns))), within);
      rhsStride = e.index(panelColumns);
    } else {
      rhsOffset = e.add(rhs.offset(roles.batch, batch), column);
      rhsStride = rhs.stride(roles.depth);
      limit = e.valid;
    }
    auto vector = VectorType::get(e.lanes, e.builder.getF32Type());
    auto tile = MicrokernelOp::create(e.builder, e.loc, SmallVector<Type>(height, vector), lhs.memref(), offsets,
                                      lhs.stride(roles.depth), rhs.memref(), rhsOffset, rhsStride, depth, limit);
    for (auto [i, sums] : llvm::enumerate(tile.getResults())) {
      ElementEmitter::Scope scope(e);
      Coordinates coordinates = resultCoordinates(places[i], column);
      e.define(op.getResult(), coordinates, sums);
      for (auto [result, output] : llvm::zip(body.results, body.outputs)) {
        FailureOr<Value> element = e.at(result, coordinates);
        if (failed(element))
          return failure();
        e.store(*element, output, coordinates);
      }
    }
    return success();
  }

  Coordinates resultCoordinates(ArrayRef<Value> rowPlace, Value column) {
    Coordinates coordinates;
    size_t nextRow = 0, nextBatch = 0;
    for (AffineExpr expression : map(2).getResults().drop_back()) {
      unsigned dim = cast<AffineDimExpr>(expression).getPosition();
      Value place = llvm::is_contained(roles.rows, dim) ? rowPlace[nextRow++] : batch[nextBatch++];
      coordinates.push_back({place, 0, Value()});
    }
    coordinates.push_back({column, 1, Value()});
    return coordinates;
  }

  KernelBody &body;
  ElementEmitter &e;
  ContractOp op;
  ContractionRoles roles;
  UnpackOp packed;
  Operand lhs, rhs;
  Value depth, columns, rows, panel, firstRow;
  SmallVector<Value> rowExtents, batchExtents, batch;
};
} // namespace

LogicalResult codegen::emitContraction(KernelBody &body) {
  ContractOp op = body.structure.contract;
  auto unpack = op.getRhs().getDefiningOp<UnpackOp>();
  for (Value operand : {op.getLhs(), unpack ? unpack.getOperand() : op.getRhs()})
    if (!body.e.bufferOf(operand))
      return op.emitOpError("expects operands that are the kernel's");
  return Contraction(body).run();
}

//===- LowerContraction.cpp - Register tiles of a contraction and its epilogue ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <set>

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
/// Most products that are summed before the next rows' turn: a longer row of tiles leaves the cache before
/// its columns come around again. The sums wait in a buffer of the unit.
constexpr int64_t depthBlock = 768;
/// Rows times products that one turn of a register tile's loop adds: enough to hide the loop's own
/// instructions.
constexpr int64_t turnSize = 12;

/// One operand as register tiles read it: offsets of a place in the iteration space, in elements.
class Operand {
public:
  Operand(KernelBody &body, Value tensor, AffineMap map) : e(body.e), buffer(*e.bufferOf(tensor)), map(map) {}

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
      : body(body), e(body.e), op(body.structure.contract), roles(*contractionRoles(op)),
        packed(op.getRhs().getDefiningOp<UnpackOp>()), lhs(body, op.getLhs(), map(0)),
        rhs(body, packed ? packed.getOperand() : op.getRhs(), map(1)) {}

  LogicalResult run() {
    depth = sizeOf(roles.depth);
    columns = sizeOf(roles.column);
    rowExtents = llvm::map_to_vector(roles.rows, [&](unsigned dim) { return sizeOf(dim); });
    batchExtents = llvm::map_to_vector(roles.batch, [&](unsigned dim) { return sizeOf(dim); });
    rows = e.index(1);
    for (Value extent : rowExtents)
      rows = e.mul(rows, extent);
    splitDepth();
    Value blocks = ceilDiv(rows, blockRows), panels = ceilDiv(columns, panelColumns);
    // Blocks of nearly equal size, so that few heights of tiles are needed.
    Value blockExtent = ceilDiv(rows, blocks);
    return body.loop(body.begin, body.end, 1, [&](Value unit) {
      // Blocks of rows innermost: a panel stays in the cache while rows run past it.
      e.unit = unit;
      SmallVector<Value> place = e.delinearize(unit, {e.index(1), panels, blocks});
      Value outer = arith::DivUIOp::create(e.builder, e.loc, unit, e.mul(panels, blocks));
      batch = e.delinearize(outer, batchExtents);
      panel = place[1];
      firstRow = e.mul(place[2], blockExtent);
      blockSize = arith::MinUIOp::create(e.builder, e.loc, e.sub(rows, firstRow), blockExtent);
      spreadPrefetch(compare(arith::CmpIPredicate::eq, place[2], e.index(0)));
      return emitUnit();
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

  Value ceilDiv(Value value, int64_t by) { return ceilDiv(value, e.index(by)); }
  Value ceilDiv(Value value, Value by) {
    return e.builder.createOrFold<arith::CeilDivUIOp>(e.loc, value, by);
  }

  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(e.builder, e.loc, predicate, a, b);
  }

  //===--------------------------------------------------------------------===//
  // The summed dimension in blocks
  //===--------------------------------------------------------------------===//

  /// A part of the summed dimension. What it adds to stands in `partialSums`, as does what it gives, but for
  /// the ends.
  struct Part {
    Value number, depth;
    bool isLast;
  };

  void splitDepth() {
    std::optional<int64_t> total = getConstantIntValue(depth);
    if (!total || *total < 2 * depthBlock)
      return;
    parts = llvm::divideCeil(*total, depthBlock);
    partDepth = llvm::alignTo(llvm::divideCeil(*total, parts), 4);
    lastDepth = *total - (parts - 1) * partDepth;
    auto type = MemRefType::get(blockRows * panelColumns, e.builder.getF32Type());
    partialSums = memref::AllocaOp::create(e.builder, e.loc, type, e.builder.getI64IntegerAttr(64));
  }

  /// The unit's rows times its panel, one part of the summed dimension after the other.
  LogicalResult emitUnit() {
    if (parts == 1)
      return emitPanel({e.index(0), depth, true});
    // Every part but the last is the same code: the first one adds to zeros.
    Value zeros = e.asVector(e.number(e.builder.getF32Type(), 0));
    Value end = e.mul(blockSize, e.index(panelColumns));
    if (failed(body.loop(e.index(0), end, e.lanes,
                         [&](Value place) {
                           vector::StoreOp::create(e.builder, e.loc, zeros, partialSums, place);
                           return success();
                         })) ||
        failed(body.loop(e.index(0), e.index(parts - 1), 1,
                         [&](Value number) { return emitPanel({number, e.index(partDepth), false}); })))
      return failure();
    return emitPanel({e.index(parts - 1), e.index(lastDepth), true});
  }

  Value partialSum(Value row, Value column) {
    Value within = e.sub(column, e.mul(panel, e.index(panelColumns)));
    return e.add(e.mul(e.sub(row, firstRow), e.index(panelColumns)), within);
  }

  //===--------------------------------------------------------------------===//
  // The next panel on its way into the cache
  //===--------------------------------------------------------------------===//

  /// The register tiles of a panel's first block of rows fetch the next panel, each an equal part of it.
  void spreadPrefetch(Value isFirstBlock) {
    if (!packed || !getConstantIntValue(depth))
      return;
    Value elements = e.mul(depth, e.index(panelColumns));
    Value rowVisits = e.mul(blockSize, e.index(parts * (panelColumns / e.lanes)));
    Value share = ceilDiv(elements, rowVisits);
    prefetchPerRow = arith::SelectOp::create(e.builder, e.loc, isFirstBlock, share, e.index(0));
  }

  /// Where a register tile begins to prefetch, and how far it goes from turn to turn.
  std::pair<Value, Value> prefetchOf(Value row, int64_t height, Value column, const Part &part,
                                     int64_t unroll) {
    if (!prefetchPerRow)
      return {};
    Value start = e.mul(panel, e.index(panelColumns));
    Value tile = arith::DivUIOp::create(e.builder, e.loc, e.sub(column, start), e.index(e.lanes));
    Value visit = e.add(e.mul(part.number, e.index(panelColumns / e.lanes)), tile);
    Value visits = e.add(e.mul(visit, blockSize), e.sub(row, firstRow));
    Value next = e.mul(e.add(panel, e.index(1)), e.mul(depth, e.index(panelColumns)));
    Value distance = e.mul(prefetchPerRow, e.index(height * unroll));
    return {e.add(next, e.mul(visits, prefetchPerRow)), ceilDiv(distance, part.depth)};
  }

  /// The unit's panel, one register tile's columns after the other; the last ones may be fewer.
  LogicalResult emitPanel(const Part &part) {
    Value start = e.mul(panel, e.index(panelColumns));
    Value end = arith::MinUIOp::create(e.builder, e.loc, e.add(start, e.index(panelColumns)), columns);
    if (std::optional<int64_t> fixed = getConstantIntValue(columns); fixed && *fixed % e.lanes == 0)
      return body.loop(start, end, e.lanes, [&](Value column) { return emitRows(column, part); });
    Value rest = arith::RemUIOp::create(e.builder, e.loc, e.sub(end, start), e.index(e.lanes));
    Value whole = e.sub(end, rest);
    if (failed(body.loop(start, whole, e.lanes, [&](Value column) { return emitRows(column, part); })))
      return failure();
    return body.when(compare(arith::CmpIPredicate::sgt, rest, e.index(0)), [&] {
      e.valid = rest;
      LogicalResult result = emitRows(whole, part);
      e.valid = Value();
      return result;
    });
  }

  /// The unit's rows in register tiles.
  LogicalResult emitRows(Value column, const Part &part) {
    return getConstantIntValue(rows) ? emitBalancedRows(column, part) : emitAnyRows(column, part);
  }

  /// The numbers of rows that tiles of nearly equal height have, of a known number of rows.
  std::set<int64_t> tileHeights() {
    std::set<int64_t> heights;
    int64_t total = *getConstantIntValue(rows);
    auto add = [&](int64_t count) {
      if (count <= 0)
        return;
      int64_t tiles = llvm::divideCeil(count, body.tileRows);
      heights.insert(count / tiles);
      if (count % tiles)
        heights.insert(count / tiles + 1);
    };
    int64_t extent = llvm::divideCeil(total, llvm::divideCeil(total, blockRows));
    add(extent);
    add(total % extent);
    return heights;
  }

  /// Tiles of nearly equal height: none is much lower than the registers allow.
  LogicalResult emitBalancedRows(Value column, const Part &part) {
    Value tiles = ceilDiv(blockSize, body.tileRows);
    Value low = arith::DivUIOp::create(e.builder, e.loc, blockSize, tiles);
    Value higher = arith::RemUIOp::create(e.builder, e.loc, blockSize, tiles);
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
      if (failed(emitTiles(e.add(firstRow, start), number, height, column, part, unrollOf(height))))
        return failure();
    }
    return success();
  }

  /// The highest tiles as long as there are rows for them, then each power of two at most once: few tiles in
  /// the code.
  LogicalResult emitAnyRows(Value column, const Part &part) {
    Value left = blockSize, first = firstRow;
    for (int64_t height = body.tileRows; height > 0;
         height = llvm::bit_floor((uint64_t)(height == 1 ? 0 : height - 1))) {
      Value number = arith::DivUIOp::create(e.builder, e.loc, left, e.index(height));
      int64_t unroll = height == body.tileRows ? unrollOf(height) : 1;
      if (failed(emitTiles(first, number, height, column, part, unroll)))
        return failure();
      first = e.add(first, e.mul(number, e.index(height)));
      left = arith::RemUIOp::create(e.builder, e.loc, left, e.index(height));
    }
    return success();
  }

  int64_t unrollOf(int64_t height) {
    return getConstantIntValue(depth) ? (int64_t)llvm::divideCeil(turnSize, height) : 1;
  }

  LogicalResult emitTiles(Value first, Value number, int64_t height, Value column, const Part &part,
                          int64_t unroll) {
    Value last = e.add(first, e.mul(number, e.index(height)));
    return body.loop(first, last, height,
                     [&](Value row) { return emitTile(row, height, column, part, unroll); });
  }

  LogicalResult emitTile(Value row, int64_t height, Value column, const Part &part, int64_t unroll) {
    Value firstProduct = e.mul(part.number, e.index(partDepth));
    Value batchOffset = e.add(lhs.offset(roles.batch, batch), e.mul(firstProduct, lhs.stride(roles.depth)));
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
    rhsOffset = e.add(rhsOffset, e.mul(firstProduct, rhsStride));
    auto vector = VectorType::get(e.lanes, e.builder.getF32Type());
    SmallVector<Value> init;
    for (int64_t i = 0; parts > 1 && i < height; ++i)
      init.push_back(vector::LoadOp::create(e.builder, e.loc, vector, partialSums,
                                            partialSum(e.add(row, e.index(i)), column)));
    auto [prefetch, prefetchStep] = prefetchOf(row, height, column, part, unroll);
    auto tile = MicrokernelOp::create(e.builder, e.loc, SmallVector<Type>(height, vector), lhs.memref(),
                                      offsets, lhs.stride(roles.depth), rhs.memref(), rhsOffset, rhsStride,
                                      part.depth, limit, unroll, prefetch, prefetchStep, init);
    if (!part.isLast) {
      for (auto [i, sums] : llvm::enumerate(tile.getResults()))
        vector::StoreOp::create(e.builder, e.loc, sums, partialSums,
                                partialSum(e.add(row, e.index(i)), column));
      return success();
    }
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
  Value depth, columns, rows, panel, firstRow, blockSize;
  int64_t parts = 1, partDepth = 0, lastDepth = 0; ///< of the summed dimension
  Value partialSums;                               ///< of a unit
  Value prefetchPerRow; ///< elements of the next panel for each row of each register tile, or null
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

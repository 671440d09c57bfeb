//===- LowerContraction.cpp - Register tiles of a contraction and its epilogue ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "tenon/Dialect/Tile/Analysis/ScheduleSpace.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <set>

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
/// As many rows are multiplied with columns of a second operand in memory before it pays to copy those, and so many
/// products at once.
constexpr int64_t minRowsToCopy = 48, maxDepthToCopy = 768;

/// One operand as register tiles read it: offsets of a place in the iteration space, in elements.
class Operand {
public:
  Operand(ElementEmitter &e, Buffer buffer, AffineMap map) : e(e), buffer(std::move(buffer)), map(map) {}

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
  Buffer buffer;
  AffineMap map;
};

/// Windows of an image as rows of a matrix: what lies together in them, and how the parts lie.
class Windows {
public:
  Windows(ElementEmitter &e, WindowRowsOp op) : e(e), op(op), image(*e.bufferOf(op.getOperand())) {
    run = cast<RankedTensorType>(op.getOperand().getType()).getShape().back();
    partTaps.assign(op.getSizes().begin(), op.getSizes().end());
    // Neighbours in a row of the image lie together, as long as a window has all of them.
    if (op.getDilations().back() == 1 && !isClipped())
      run *= partTaps.pop_back_val();
  }

  /// The rows: windows of the image under strides of their own.
  Buffer rows() {
    Buffer result = image;
    for (auto [i, stride] : llvm::enumerate(op.getStrides()))
      result.strides[1 + i] = e.mul(e.index(image.strides[1 + i]), e.index(stride));
    result.isStrided = true;
    return result;
  }

  /// Elements of the image per window, which share most of what they read.
  int64_t elementsPerRow() {
    return cast<RankedTensorType>(op.getOperand().getType()).getShape().back() * llvm::product_of(op.getStrides());
  }

  /// Products of one part, and the number of parts.
  int64_t partDepth() const { return run; }
  int64_t parts() const { return llvm::product_of(partTaps); }

  /// How far a part is from where the window would start in an image without border.
  Value offset(Value part) {
    Value result = e.index(0);
    for (auto [i, shift] : llvm::enumerate(shifts(part)))
      result = e.add(result, e.mul(shift, e.index(image.strides[1 + i])));
    return result;
  }

  /// Whether parts of windows may lie outside of the image: each part is one tap then.
  bool isClipped() { return op.getPads().has_value(); }

  /// The windows whose part lies inside, of `windows` along a spatial dimension: from the first to the second.
  std::pair<Value, Value> inside(Value part, unsigned dim, Value windows) {
    Value shift = shifts(part)[dim];
    // The first window from which on places are not below a bound.
    auto firstFrom = [&](Value bound) -> Value {
      Value distance = e.sub(bound, shift);
      if (op.getStrides()[dim] != 1)
        distance = arith::CeilDivSIOp::create(e.builder, e.loc, distance, e.index(op.getStrides()[dim]));
      distance = arith::MaxSIOp::create(e.builder, e.loc, distance, e.index(0));
      return arith::MinSIOp::create(e.builder, e.loc, distance, windows);
    };
    return {firstFrom(e.index(0)), firstFrom(e.size(op.getOperand(), 1 + dim))};
  }

private:
  /// How far a part is from the window's start, along each spatial dimension.
  SmallVector<Value> shifts(Value part) {
    SmallVector<Value> extents = llvm::map_to_vector(partTaps, [&](int64_t taps) { return e.index(taps); });
    SmallVector<Value> result = e.delinearize(part, extents);
    for (auto [i, shift] : llvm::enumerate(result))
      shift = e.sub(e.mul(shift, e.index(op.getDilations()[i])), e.index(op.getLowPad(i)));
    return result;
  }

  ElementEmitter &e;
  WindowRowsOp op;
  const Buffer &image;
  int64_t run; ///< elements of a window that lie next to each other
  SmallVector<int64_t> partTaps;
};

class Contraction {
public:
  explicit Contraction(KernelBody &body)
      : body(body), e(body.e), op(body.structure.contract), roles(*contractionRoles(op)),
        packed(op.getRhs().getDefiningOp<UnpackOp>()), turned(body.structure.turned), windows(windowsOf(e, op)),
        lhs(e, lhsBuffer(), map(0)), rhs(e, *e.bufferOf(packed ? packed.getOperand() : op.getRhs()), map(1)) {}

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
    if (turned)
      blockExtent = e.mul(ceilDiv(blockExtent, body.tiles.vectorLanes), e.index(body.tiles.vectorLanes));
    rowsAreInner =
        compare(arith::CmpIPredicate::ule, e.mul(rows, e.index(bytesPerRow())), e.index(body.tiles.residentBytes));
    return body.loop(body.begin, body.end, 1, [&](Value unit) {
      e.unit = unit;
      SmallVector<Value> place = e.delinearize(unit, {e.index(1), blocks, panels});
      SmallVector<Value> otherPlace = e.delinearize(unit, {e.index(1), panels, blocks});
      Value outer = arith::DivUIOp::create(e.builder, e.loc, unit, e.mul(panels, blocks));
      batch = e.delinearize(outer, batchExtents);
      panel = select(rowsAreInner, otherPlace[1], place[2]);
      firstRow = e.mul(select(rowsAreInner, otherPlace[2], place[1]), blockExtent);
      blockSize = arith::MinUIOp::create(e.builder, e.loc, e.sub(rows, firstRow), blockExtent);
      spreadPrefetch();
      return emitUnit();
    });
  }

private:
  static std::optional<Windows> windowsOf(ElementEmitter &e, ContractOp op) {
    auto windows = op.getLhs().getDefiningOp<WindowRowsOp>();
    return windows ? std::optional<Windows>(std::in_place, e, windows) : std::nullopt;
  }
  Buffer lhsBuffer() { return windows ? windows->rows() : *e.bufferOf(op.getLhs()); }

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
  Value ceilDiv(Value value, Value by) { return e.builder.createOrFold<arith::CeilDivUIOp>(e.loc, value, by); }

  Value select(Value condition, Value yes, Value no) {
    return e.builder.createOrFold<arith::SelectOp>(e.loc, condition, yes, no);
  }

  /// What a row of the first operand takes in the cache.
  int64_t bytesPerRow() {
    constexpr int64_t bytesOfElement = 4;
    if (windows)
      return windows->elementsPerRow() * bytesOfElement;
    return getConstantIntValue(depth).value_or(body.tiles.depthBlock) * bytesOfElement;
  }

  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return e.builder.createOrFold<arith::CmpIOp>(e.loc, predicate, a, b);
  }

  //===--------------------------------------------------------------------===//
  // The summed dimension in blocks
  //===--------------------------------------------------------------------===//

  /// A part of the summed dimension. What it gives stands in `partialSums`, unless it goes on to the ends; so does what
  /// it adds to, where there are several.
  struct Part {
    Value number, depth;
    bool isEnd;
  };

  /// A long row of tiles would leave the cache before its columns come around again: the sums of a part wait
  /// in a buffer of the unit.
  void splitDepth() {
    std::optional<int64_t> total = getConstantIntValue(depth);
    bool isClipped = windows && windows->isClipped();
    isSplit = isClipped || (total && *total >= 2 * body.tiles.depthBlock);
    auto type = MemRefType::get(blockRows * panelColumns, e.builder.getF32Type());
    auto allocate = [&] { return memref::AllocaOp::create(e.builder, e.loc, type, e.builder.getI64IntegerAttr(64)); };
    if (turned)
      turnedSums = allocate();
    if (isSplit || turned)
      partialSums = allocate();
    if (isSplit)
      cutDepth();
    std::optional<int64_t> count = getConstantIntValue(rows), mostProducts = isSplit ? partDepth : total;
    if (packed || windows || !count || *count < minRowsToCopy || !mostProducts || *mostProducts > maxDepthToCopy)
      return;
    auto copy = MemRefType::get(*mostProducts * panelColumns, e.builder.getF32Type());
    columnCopy = memref::AllocaOp::create(e.builder, e.loc, copy, e.builder.getI64IntegerAttr(64));
  }

  void cutDepth() {
    int64_t total = *getConstantIntValue(depth);
    if (windows && (windows->isClipped() || windows->parts() > 1)) {
      parts = windows->parts();
      partDepth = lastDepth = windows->partDepth();
    } else {
      parts = llvm::divideCeil(total, body.tiles.depthBlock);
      partDepth = llvm::alignTo(llvm::divideCeil(total, parts), 4);
      parts = llvm::divideCeil(total, partDepth);
      lastDepth = total - (parts - 1) * partDepth;
    }
  }

  /// Few rows read a panel once, as it lies in memory; more of them read it vector by vector, one tile after the other.
  LogicalResult emitUnit() {
    std::optional<int64_t> known = getConstantIntValue(rows), width = getConstantIntValue(columns);
    if (!packed || windows || turned || e.lanes >= panelColumns || (known && *known > body.tiles.wideRows))
      return emitParts();
    bool isWhole = width && *width % panelColumns == 0;
    if (known && isWhole)
      return emitWideRows();
    Value isWide = compare(arith::CmpIPredicate::ule, blockSize, e.index(body.tiles.wideRows));
    if (!isWhole) {
      Value end = e.mul(e.add(panel, e.index(1)), e.index(panelColumns));
      isWide = arith::AndIOp::create(e.builder, e.loc, isWide, compare(arith::CmpIPredicate::ule, end, columns));
    }
    Value truth = arith::ConstantIntOp::create(e.builder, e.loc, 1, 1);
    Value otherwise = arith::XOrIOp::create(e.builder, e.loc, isWide, truth);
    if (failed(body.when(isWide, [&] { return emitWideRows(); })))
      return failure();
    return body.when(otherwise, [&] { return emitParts(); });
  }

  LogicalResult emitWideRows() {
    return body.loop(firstRow, e.add(firstRow, blockSize), 1, [&](Value row) {
      SmallVector<Value> place = e.delinearize(row, rowExtents);
      auto vector = VectorType::get(panelColumns, e.builder.getF32Type());
      Value start = e.mul(panel, e.mul(depth, e.index(panelColumns)));
      int64_t unroll = getConstantIntValue(depth) ? 4 : 1;
      auto tile = MicrokernelOp::create(e.builder, e.loc, vector, lhs.memref(), rowOffset(row, place),
                                        lhs.stride(roles.depth), rhs.memref(), start, e.index(panelColumns), depth,
                                        /*columns=*/Value(), unroll, Value(), Value(), ValueRange());
      ElementEmitter::Scope scope(e);
      for (int64_t part = 0; part < panelColumns; part += e.lanes) {
        Value sums =
            vector::ExtractStridedSliceOp::create(e.builder, e.loc, tile.getResults().front(), part, e.lanes, 1);
        if (failed(finish(place, e.add(e.mul(panel, e.index(panelColumns)), e.index(part)), sums)))
          return failure();
      }
      return success();
    });
  }

  /// The unit's rows times its panel, one part of the summed dimension after the other.
  LogicalResult emitParts() {
    if (!isSplit) {
      LogicalResult result = emitPanel({e.index(0), depth, !turned});
      return turned && succeeded(result) ? emitTurnedEnds() : result;
    }
    // Every part but the last is the same code: the first one adds to zeros.
    auto vector = VectorType::get(body.tiles.vectorLanes, e.builder.getF32Type());
    Value zeros = arith::ConstantOp::create(e.builder, e.loc, e.builder.getZeroAttr(vector));
    Value end = e.mul(blockSize, e.index(panelColumns));
    if (failed(body.loop(e.index(0), end, body.tiles.vectorLanes, [&](Value place) {
          vector::StoreOp::create(e.builder, e.loc, zeros, partialSums, place);
          return success();
        })))
      return failure();
    if (windows && windows->isClipped())
      return emitClippedParts();
    if (failed(body.loop(e.index(0), e.index(parts - 1), 1,
                         [&](Value number) { return emitPanel({number, e.index(partDepth), false}); })))
      return failure();
    LogicalResult result = emitPanel({e.index(parts - 1), e.index(lastDepth), !turned});
    return turned && succeeded(result) ? emitTurnedEnds() : result;
  }

  /// Each part for the windows in which it is not border. Rows of windows are next to each other, so those are runs;
  /// the ends come when all parts have been added.
  LogicalResult emitClippedParts() {
    if (failed(body.loop(e.index(0), e.index(parts), 1, [&](Value number) {
          SmallVector<std::pair<Value, Value>> inside = insideAlongRows(number);
          Value length = rowExtents.back(), end = e.add(firstRow, blockSize);
          Value firstLine = arith::DivUIOp::create(e.builder, e.loc, firstRow, length), lastLine = ceilDiv(end, length);
          return body.loop(firstLine, lastLine, 1, [&](Value line) -> LogicalResult {
            Value start = e.mul(line, length);
            Value first = arith::MaxUIOp::create(e.builder, e.loc, e.add(start, inside.back().first), firstRow);
            Value last = arith::MinUIOp::create(e.builder, e.loc, e.add(start, inside.back().second), end);
            Value isInside = compare(arith::CmpIPredicate::slt, first, last);
            SmallVector<Value> place = e.delinearize(line, ArrayRef(rowExtents).drop_back());
            for (auto [position, range] : llvm::zip(place, inside))
              for (Value condition : {compare(arith::CmpIPredicate::uge, position, range.first),
                                      compare(arith::CmpIPredicate::ult, position, range.second)})
                isInside = arith::AndIOp::create(e.builder, e.loc, isInside, condition);
            return body.when(isInside, [&] {
              clippedRows = {first, e.sub(last, first)};
              LogicalResult result = emitPanel({number, e.index(partDepth), false});
              clippedRows.reset();
              return result;
            });
          });
        })))
      return failure();
    return turned ? emitTurnedEnds() : forEachColumn([&](Value column) { return emitEnds(column); });
  }

  /// For which rows a part of the windows is inside, along each dimension that they have.
  SmallVector<std::pair<Value, Value>> insideAlongRows(Value part) {
    SmallVector<std::pair<Value, Value>> result;
    for (auto [dim, extent] : llvm::zip(roles.rows, rowExtents)) {
      unsigned position = *map(0).getResultPosition(getAffineDimExpr(dim, op.getContext()));
      // In front of the spatial dimensions are the images.
      result.push_back(position == 0 ? std::pair(e.index(0), extent) : windows->inside(part, position - 1, extent));
    }
    return result;
  }

  /// What the kernel gives for the unit's rows, from their sums in the buffer.
  LogicalResult emitEnds(Value column) {
    auto vector = VectorType::get(e.lanes, e.builder.getF32Type());
    return e.loop(firstRow, e.add(firstRow, blockSize), e.delinearize(firstRow, rowExtents),
                  [&](Value row, ValueRange place) -> FailureOr<SmallVector<Value>> {
                    Value sums = vector::LoadOp::create(e.builder, e.loc, vector, partialSums, partialSum(row, column));
                    if (failed(finish(SmallVector<Value>(place), column, sums)))
                      return failure();
                    return placeAfter(SmallVector<Value>(place));
                  });
  }

  /// The same where rows are next to each other: the block of sums is turned, then read column by column.
  LogicalResult emitTurnedEnds() {
    ElementEmitter vectors(e, body.tiles.vectorLanes);
    KernelBody ends{body.kernel,  body.structure, vectors,    body.begin,   body.end,
                    body.results, body.outputs,   body.tiles, body.scratch, body.space};
    auto vector = VectorType::get(vectors.lanes, e.builder.getF32Type());
    auto placeOf = [&](Value row, Value column, int64_t columns) {
      return e.add(e.mul(row, e.index(columns)), column);
    };
    LogicalResult isTurned = ends.loop(e.index(0), blockSize, vectors.lanes, [&](Value row) {
      return ends.loop(e.index(0), e.index(panelColumns), vectors.lanes, [&](Value column) {
        SmallVector<Value> block;
        for (int64_t i = 0; i < vectors.lanes; ++i)
          block.push_back(vector::LoadOp::create(e.builder, e.loc, vector, partialSums,
                                                 placeOf(e.add(row, e.index(i)), column, panelColumns)));
        for (auto [i, sums] : llvm::enumerate(turn(vectors, block)))
          vector::StoreOp::create(e.builder, e.loc, sums, turnedSums,
                                  placeOf(e.add(column, e.index(i)), row, blockRows));
        return success();
      });
    });
    if (failed(isTurned))
      return failure();
    // Lines of rows that lie together, and what of them is in the block.
    size_t run = rowsTogether();
    ArrayRef<Value> outer = ArrayRef(rowExtents).drop_back(run);
    Value length = e.index(1), end = e.add(firstRow, blockSize), start = e.mul(panel, e.index(panelColumns));
    for (Value extent : ArrayRef(rowExtents).take_back(run))
      length = e.mul(length, extent);
    Value columnsEnd = arith::MinUIOp::create(e.builder, e.loc, e.add(start, e.index(panelColumns)), columns);
    return ends.loop(start, columnsEnd, 1, [&](Value column) {
      Value firstLine = arith::DivUIOp::create(e.builder, e.loc, firstRow, length), lastLine = ceilDiv(end, length);
      return ends.loop(firstLine, lastLine, 1, [&](Value line) {
        Value lineStart = e.mul(line, length);
        Value low = e.sub(arith::MaxUIOp::create(e.builder, e.loc, lineStart, firstRow), lineStart);
        Value high = e.sub(arith::MinUIOp::create(e.builder, e.loc, e.add(lineStart, length), end), lineStart);
        SmallVector<Value> place = e.delinearize(line, outer);
        place.resize(rowExtents.size());
        return ends.vectors(low, high, [&](Value position) -> LogicalResult {
          for (Value &inner : MutableArrayRef(place).drop_front(outer.size()))
            inner = e.index(0);
          place.back() = position;
          Value row = e.sub(e.add(lineStart, position), firstRow);
          Value sums = vector::LoadOp::create(e.builder, e.loc, vector, turnedSums,
                                              placeOf(e.sub(column, start), row, blockRows));
          Coordinates source = resultCoordinates(place, column), coordinates;
          source.back().step = 0;
          source[turned.getPermutation().back()].step = 1;
          for (int64_t dim : turned.getPermutation())
            coordinates.push_back(source[dim]);
          vectors.define(op.getResult(), source, sums);
          return storeAt(vectors, coordinates);
        });
      });
    });
  }

  /// How many of the last dimensions of rows run together in all that has the results' sizes: no op asks for a place
  /// along one of them.
  size_t rowsTogether() {
    ArrayRef<int64_t> permutation = turned.getPermutation();
    SmallVector<AffineExpr> space = e.sizes.sizesOf(turned.getResult());
    int64_t rank = permutation.size(), firstFree = 0;
    if (llvm::any_of(body.outputs, [](const Buffer &output) { return output.isStrided; }))
      return 1;
    for (BlockArgument argument : body.kernel.getBody().getArguments().drop_front(body.kernel.getNumSymbols()))
      if (e.bufferOf(argument)->isStrided && e.sizes.sizesOf(argument) == space)
        return 1;
    for (Operation &other : body.kernel.getBody().front().without_terminator()) {
      if (auto broadcast = dyn_cast<BroadcastOp>(other)) {
        for (int64_t dim : broadcast.getDims())
          firstFree = std::max(firstFree, dim + 1);
      } else if (other.getNumResults() == 1 && isa<RankedTensorType>(other.getResult(0).getType()) &&
                 !other.hasTrait<OpTrait::Elementwise>() &&
                 !isa<ConstantOp, ContractOp, UnpackOp, WindowRowsOp>(other) && &other != turned) {
        return 1;
      }
    }
    size_t run = 1;
    for (int64_t dim = rank - 2; dim >= firstFree && run < roles.rows.size() && firstFree < rank; --dim, ++run) {
      unsigned row = roles.rows[roles.rows.size() - 1 - run];
      if (*map(2).getResultPosition(getAffineDimExpr(row, op.getContext())) != permutation[dim])
        break;
    }
    return run;
  }

  Value partialSum(Value row, Value column) {
    Value within = e.sub(column, e.mul(panel, e.index(panelColumns)));
    return e.add(e.mul(e.sub(row, firstRow), e.index(panelColumns)), within);
  }

  //===--------------------------------------------------------------------===//
  // The next panel on its way into the cache
  //===--------------------------------------------------------------------===//

  /// Register tiles fetch the next panel, each an equal part of it: those of all rows that use this one.
  void spreadPrefetch() {
    if (!packed || !getConstantIntValue(depth))
      return;
    Value elements = e.mul(depth, e.index(panelColumns));
    prefetchRows = select(rowsAreInner, rows, blockSize);
    prefetchFirst = select(rowsAreInner, e.index(0), firstRow);
    prefetchPerRow = ceilDiv(elements, e.mul(prefetchRows, e.index(parts * (panelColumns / e.lanes))));
  }

  /// Where a register tile begins to prefetch, and how far it goes from turn to turn.
  std::pair<Value, Value> prefetchOf(Value row, int64_t height, Value column, const Part &part, int64_t unroll) {
    // What is left over of any number of rows is little: it fetches nothing.
    if (!prefetchPerRow || (!getConstantIntValue(rows) && height < body.tiles.tileRows))
      return {};
    Value start = e.mul(panel, e.index(panelColumns));
    Value tile = arith::DivUIOp::create(e.builder, e.loc, e.sub(column, start), e.index(e.lanes));
    Value visit = e.add(e.mul(part.number, e.index(panelColumns / e.lanes)), tile);
    Value visits = e.add(e.mul(visit, prefetchRows), e.sub(row, prefetchFirst));
    Value next = e.mul(e.add(panel, e.index(1)), e.mul(depth, e.index(panelColumns)));
    Value distance = e.mul(prefetchPerRow, e.index(height * unroll));
    return {e.add(next, e.mul(visits, prefetchPerRow)), ceilDiv(distance, part.depth)};
  }

  /// What register tiles don't read from front to back: of a second operand that isn't packed the same columns of the
  /// next panel, of which each tile of the block fetches some rows, and what the ends read. Results whose rows lie
  /// apart from each other, as they do then, too.
  void fetchAhead(Value row, ArrayRef<SmallVector<Value>> places, int64_t height, Value column, Value rhsStart,
                  Value rhsStride, const Part &part) {
    if (!packed) {
      Value hasFewRows = compare(arith::CmpIPredicate::ult, blockSize, e.index(body.tiles.fetchRows));
      Value share = select(hasFewRows, e.index(0), ceilDiv(e.mul(part.depth, e.index(height)), blockSize));
      Value first = e.builder.createOrFold<arith::DivUIOp>(e.loc, e.mul(e.sub(row, firstRow), share), e.index(height));
      Value start = e.add(e.add(rhsStart, e.index(panelColumns)), e.mul(first, rhsStride));
      auto next = scf::ForOp::create(e.builder, e.loc, e.index(0), share, e.index(1));
      OpBuilder::InsertionGuard guard(e.builder);
      e.builder.setInsertionPointToStart(next.getBody());
      fetch(rhs.memref(), e.add(start, e.mul(next.getInductionVar(), rhsStride)), /*isWrite=*/false);
    }
    if (!part.isEnd)
      return;
    auto fetchRows = [&](const Buffer &buffer, bool isWrite) {
      for (ArrayRef<Value> place : places) {
        Value start = e.index(0);
        for (auto [coordinate, stride] : llvm::zip(resultCoordinates(place, column), buffer.strides))
          start = e.add(start, e.mul(e.first(coordinate), e.index(stride)));
        fetch(buffer.memref, start, isWrite);
      }
    };
    for (BlockArgument argument : body.kernel.getBody().getArguments().drop_front(body.kernel.getNumSymbols()))
      if (argument != op.getLhs() && argument != op.getRhs() && e.sizes.sizesOf(argument) == body.structure.space)
        fetchRows(*e.bufferOf(argument), /*isWrite=*/false);
    if (!packed)
      for (const Buffer &output : body.outputs)
        fetchRows(output, /*isWrite=*/true);
  }

  void fetch(Value memref, Value place, bool isWrite) {
    memref::PrefetchOp::create(e.builder, e.loc, memref, place, isWrite, /*localityHint=*/2, /*isDataCache=*/true);
  }

  /// The unit's panel.
  LogicalResult emitPanel(const Part &part) {
    if (columnCopy && failed(copyColumns(part)))
      return failure();
    return forEachColumn([&](Value column) { return emitRows(column, part); });
  }

  /// The columns next to each other, as in a packed panel: rows of the operand that lie pages apart, or a power of two,
  /// take each other's place in the nearest cache, tile after tile.
  LogicalResult copyColumns(const Part &part) {
    auto vector = VectorType::get(body.tiles.vectorLanes, e.builder.getF32Type());
    Value start = e.mul(panel, e.index(panelColumns)), stride = rhs.stride(roles.depth);
    Value source =
        e.add(e.add(rhs.offset(roles.batch, batch), start), e.mul(e.mul(part.number, e.index(partDepth)), stride));
    std::optional<int64_t> width = getConstantIntValue(columns);
    bool isWhole = width && *width % panelColumns == 0;
    Value zero = arith::ConstantOp::create(e.builder, e.loc, e.builder.getZeroAttr(vector));
    SmallVector<Value> masks;
    for (int64_t lane = 0; !isWhole && lane < panelColumns; lane += vector.getDimSize(0)) {
      Value left = arith::MaxSIOp::create(e.builder, e.loc, e.sub(e.sub(columns, start), e.index(lane)), e.index(0));
      masks.push_back(
          vector::CreateMaskOp::create(e.builder, e.loc, vector.clone(e.builder.getI1Type()), ValueRange(left)));
    }
    return body.loop(e.index(0), part.depth, 1, [&](Value product) {
      Value from = e.add(source, e.mul(product, stride)), to = e.mul(product, e.index(panelColumns));
      for (int64_t i = 0; i * vector.getDimSize(0) < panelColumns; ++i) {
        Value lane = e.index(i * vector.getDimSize(0)), place = e.add(from, lane), read;
        if (isWhole)
          read = vector::LoadOp::create(e.builder, e.loc, vector, rhs.memref(), place);
        else
          read = vector::MaskedLoadOp::create(e.builder, e.loc, vector, rhs.memref(), place, masks[i], zero);
        vector::StoreOp::create(e.builder, e.loc, read, columnCopy, e.add(to, lane));
      }
      return success();
    });
  }

  /// One register tile's columns of the panel after the other; the last ones may be fewer.
  LogicalResult forEachColumn(function_ref<LogicalResult(Value)> emit) {
    Value start = e.mul(panel, e.index(panelColumns));
    Value end = arith::MinUIOp::create(e.builder, e.loc, e.add(start, e.index(panelColumns)), columns);
    if (std::optional<int64_t> fixed = getConstantIntValue(columns); fixed && *fixed % e.lanes == 0)
      return body.loop(start, end, e.lanes, emit);
    Value rest = arith::RemUIOp::create(e.builder, e.loc, e.sub(end, start), e.index(e.lanes));
    Value whole = e.sub(end, rest);
    if (failed(body.loop(start, whole, e.lanes, emit)))
      return failure();
    return body.when(compare(arith::CmpIPredicate::sgt, rest, e.index(0)), [&] {
      e.valid = rest;
      LogicalResult result = emit(whole);
      e.valid = Value();
      return result;
    });
  }

  /// The unit's rows in register tiles.
  LogicalResult emitRows(Value column, const Part &part) {
    if (clippedRows)
      return emitAnyRows(clippedRows->first, clippedRows->second, column, part);
    return getConstantIntValue(rows) ? emitBalancedRows(column, part) : emitAnyRows(firstRow, blockSize, column, part);
  }

  /// The numbers of rows that tiles of nearly equal height have, of a known number of rows.
  std::set<int64_t> tileHeights() {
    std::set<int64_t> heights;
    int64_t total = *getConstantIntValue(rows), step = turned ? body.tiles.vectorLanes : 1;
    if (total == 0)
      return heights;
    auto add = [&](int64_t count) {
      if (count <= 0)
        return;
      int64_t tiles = llvm::divideCeil(count, body.tiles.tileRows);
      heights.insert(count / tiles);
      if (count % tiles)
        heights.insert(count / tiles + 1);
    };
    int64_t extent = llvm::alignTo(llvm::divideCeil(total, llvm::divideCeil(total, blockRows)), step);
    add(std::min(extent, total));
    add(total % extent);
    return heights;
  }

  /// Tiles of nearly equal height: none is much lower than the registers allow.
  LogicalResult emitBalancedRows(Value column, const Part &part) {
    Value tiles = ceilDiv(blockSize, body.tiles.tileRows);
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
  LogicalResult emitAnyRows(Value first, Value left, Value column, const Part &part) {
    for (int64_t height = body.tiles.tileRows; height > 0; height = lowerTile(height)) {
      Value number = arith::DivUIOp::create(e.builder, e.loc, left, e.index(height));
      int64_t unroll = height == body.tiles.tileRows ? unrollOf(height) : 1;
      if (failed(emitTiles(first, number, height, column, part, unroll)))
        return failure();
      first = e.add(first, e.mul(number, e.index(height)));
      left = arith::RemUIOp::create(e.builder, e.loc, left, e.index(height));
    }
    return success();
  }

  int64_t unrollOf(int64_t height) {
    if (!getConstantIntValue(depth))
      return 1;
    int64_t unroll = llvm::divideCeil(body.tiles.turnSize, height);
    // Windows of few channels are short: no product is left over, and none is another row's in the same turn, which
    // LLVM would keep in a register.
    if (windows)
      for (int64_t turns = unroll; turns < 2 * unroll && turns <= windows->elementsPerRow(); ++turns)
        if (windows->partDepth() % turns == 0)
          return turns;
    return unroll;
  }

  LogicalResult emitTiles(Value first, Value number, int64_t height, Value column, const Part &part, int64_t unroll) {
    Value last = e.add(first, e.mul(number, e.index(height)));
    return body.loop(first, last, height, [&](Value row) { return emitTile(row, height, column, part, unroll); });
  }

  LogicalResult emitTile(Value row, int64_t height, Value column, const Part &part, int64_t unroll) {
    Value firstProduct = e.mul(part.number, e.index(partDepth));
    bool isPartOfWindows = windows && (windows->isClipped() || windows->parts() > 1);
    Value partOffset = isPartOfWindows ? windows->offset(part.number) : e.mul(firstProduct, lhs.stride(roles.depth));
    SmallVector<Value> offsets;
    SmallVector<SmallVector<Value>> places;
    for (int64_t i = 0; i < height; ++i) {
      Value index = e.add(row, e.index(i));
      places.push_back(i == 0 ? e.delinearize(row, rowExtents) : placeAfter(places.back()));
      offsets.push_back(e.add(rowOffset(index, places.back()), partOffset));
    }
    Value rhsOffset, rhsStride, limit, within = e.sub(column, e.mul(panel, e.index(panelColumns)));
    if (packed) {
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
    int64_t lanes = pieceLanes(), pieces = e.lanes / lanes;
    auto piece = VectorType::get(lanes, e.builder.getF32Type());
    auto sumsAt = [&](int64_t i) {
      return partialSum(e.add(row, e.index(i / pieces)), e.add(column, e.index(i % pieces * lanes)));
    };
    for (int64_t i = 0; isSplit && i < height * pieces; ++i)
      init.push_back(vector::LoadOp::create(e.builder, e.loc, piece, partialSums, sumsAt(i)));
    fetchAhead(row, places, height, column, rhsOffset, rhsStride, part);
    Value factors = rhs.memref();
    if (columnCopy) {
      factors = columnCopy;
      rhsOffset = within;
      rhsStride = e.index(panelColumns);
      limit = Value();
    }
    auto [prefetch, prefetchStep] = prefetchOf(row, height, column, part, unroll);
    auto multiply = [&](ArrayRef<Value> rowOffsets, Value rhsStart, Value products, Value prefetchStart,
                        ValueRange before) {
      auto product = MicrokernelOp::create(e.builder, e.loc, SmallVector<Type>(height, vector), lhs.memref(),
                                           rowOffsets, lhs.stride(roles.depth), factors, rhsStart, rhsStride, products,
                                           limit, unroll, prefetchStart, prefetchStep, joined(before, vector));
      return inPieces(product.getResults(), piece);
    };
    SmallVector<Value> tile;
    if (!isPartOfWindows || isSplit) {
      tile = multiply(offsets, rhsOffset, part.depth, prefetch, init);
    } else {
      // The sums stay in registers from part to part.
      int64_t run = windows->partDepth();
      Value zero = e.asVector(e.number(e.builder.getF32Type(), 0));
      FailureOr<SmallVector<Value>> sums =
          e.loop(e.index(windows->parts()), inPieces(SmallVector<Value>(height, zero), piece),
                 [&](Value number, ValueRange sums) -> FailureOr<SmallVector<Value>> {
                   Value offset = windows->offset(number), product = e.mul(number, e.index(run));
                   SmallVector<Value> rowOffsets =
                       llvm::map_to_vector(offsets, [&](Value row) { return e.add(row, offset); });
                   Value start =
                       prefetch ? e.add(prefetch, e.mul(number, e.mul(prefetchStep, e.index(run / unroll)))) : Value();
                   return multiply(rowOffsets, e.add(rhsOffset, e.mul(product, rhsStride)), e.index(run), start, sums);
                 });
      if (failed(sums))
        return failure();
      tile = *sums;
    }
    if (!part.isEnd) {
      for (auto [i, sums] : llvm::enumerate(tile))
        vector::StoreOp::create(e.builder, e.loc, sums, partialSums, sumsAt(i));
      return success();
    }
    // What depends on the column only is the same for all rows.
    ElementEmitter::Scope scope(e);
    for (auto [i, sums] : llvm::enumerate(joined(tile, vector)))
      if (failed(finish(places[i], column, sums)))
        return failure();
    return success();
  }

  /// The lanes of what a vector of sums is carried in: LLVM keeps those in registers whose number is a power of two.
  int64_t pieceLanes() const { return e.lanes & -e.lanes; }

  SmallVector<Value> inPieces(ValueRange sums, VectorType piece) {
    int64_t lanes = piece.getDimSize(0);
    if (lanes == e.lanes)
      return sums;
    SmallVector<Value> result;
    for (Value whole : sums)
      for (int64_t lane = 0; lane < e.lanes; lane += lanes)
        result.push_back(vector::ExtractStridedSliceOp::create(e.builder, e.loc, whole, lane, lanes, 1));
    return result;
  }

  SmallVector<Value> joined(ValueRange pieces, VectorType vector) {
    if (pieces.empty() || pieces.front().getType() == vector)
      return pieces;
    SmallVector<Value> result;
    for (auto [i, piece] : llvm::enumerate(pieces)) {
      int64_t lane = i * pieceLanes() % e.lanes;
      if (lane == 0)
        result.push_back(arith::ConstantOp::create(e.builder, e.loc, e.builder.getZeroAttr(vector)));
      result.back() = vector::InsertStridedSliceOp::create(e.builder, e.loc, piece, result.back(), lane, 1);
    }
    return result;
  }

  /// The place of the next row. Counting on costs no divisions; nor does LLVM compute those again for each
  /// product, as strength reduction does with places that depend on the row's number alone.
  SmallVector<Value> placeAfter(ArrayRef<Value> place) {
    SmallVector<Value> result(place);
    Value grows;
    for (size_t dim = place.size(); dim-- > 0;) {
      Value next = e.add(place[dim], e.index(1));
      if (grows)
        next = arith::SelectOp::create(e.builder, e.loc, grows, next, place[dim]);
      result[dim] = next;
      if (dim == 0)
        break;
      grows = compare(arith::CmpIPredicate::eq, next, rowExtents[dim]);
      result[dim] = arith::SelectOp::create(e.builder, e.loc, grows, e.index(0), next);
    }
    return result;
  }

  /// Where the first product's factor of a row of the unit lies.
  Value rowOffset(Value row, ArrayRef<Value> place) {
    Value batchOffset = lhs.offset(roles.batch, batch);
    if (roles.rows.empty())
      return batchOffset;
    if (lhs.isContiguous(roles.rows))
      return e.add(batchOffset, e.mul(row, lhs.stride(roles.rows.back())));
    return e.add(batchOffset, lhs.offset(roles.rows, place));
  }

  /// Computes the kernel's results from a row's sums, and stores them; within the scope of a register tile.
  LogicalResult finish(ArrayRef<Value> rowPlace, Value column, Value sums) {
    Coordinates coordinates = resultCoordinates(rowPlace, column);
    e.define(op.getResult(), coordinates, sums);
    return storeAt(e, coordinates);
  }

  /// Computes and stores the kernel's results.
  LogicalResult storeAt(ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
    for (auto [result, output] : llvm::zip(body.results, body.outputs)) {
      FailureOr<Value> element = e.at(result, coordinates);
      if (failed(element))
        return failure();
      e.store(*element, output, coordinates);
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
  TransposeOp turned; ///< what the results are made of, where rows are next to each other
  std::optional<Windows> windows;
  Operand lhs, rhs;
  Value depth, columns, rows, panel, firstRow, blockSize;
  int64_t parts = 1, partDepth = 0, lastDepth = 0;    ///< of the summed dimension
  bool isSplit = false;                               ///< whether tiles add to what parts before theirs gave
  Value partialSums, turnedSums, columnCopy;          ///< of a unit, or null
  std::optional<std::pair<Value, Value>> clippedRows; ///< the first row for which a part is inside, and how many follow
  /// Whether units run along the rows first: all of them stay in the second-level cache, and each panel comes
  /// once. Else a block of rows stays there, and the panels come once per block.
  Value rowsAreInner;
  Value prefetchRows,
      prefetchFirst;    ///< the rows that one panel is multiplied with in a row, and the first of them
  Value prefetchPerRow; ///< elements of the next panel for each row of each register tile, or null
  SmallVector<Value> rowExtents, batchExtents, batch;
};
} // namespace

LogicalResult codegen::emitContraction(KernelBody &body) {
  ContractOp op = body.structure.contract;
  auto unpack = op.getRhs().getDefiningOp<UnpackOp>();
  auto windows = op.getLhs().getDefiningOp<WindowRowsOp>();
  for (Value operand : {windows ? windows.getOperand() : op.getLhs(), unpack ? unpack.getOperand() : op.getRhs()})
    if (!body.e.bufferOf(operand))
      return op.emitOpError("expects operands that are the kernel's");
  return Contraction(body).run();
}

//===- BuildContraction.cpp - The tile program of a contraction and its epilogue ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A unit of work is a block of rows times a panel of columns. Where rows have several dimensions a register
// tile lies in a line of the last one, if tiles fit lines, so that its rows are one stride apart; else it
// goes on from line to line, and its rows' places are gathered. Where the number of rows is known all tiles
// have one height; the last one begins early enough to be whole, and computes some rows again, with equal
// bits. Where it isn't, whole tiles are followed by lower ones, whose rows beyond the end are the last one
// again.
//

#include "BuildContraction.h"
#include "tenon/Codegen/Common/TileBuilder.h"
#include "tenon/Codegen/Common/VectorSpace.h"
#include "tenon/Dialect/Tile/Analysis/ScheduleSpace.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
constexpr int64_t bytesOfElement = 4;
/// As many rows are multiplied with columns of a second operand in memory before it pays to copy those, and
/// so many products at once.
constexpr int64_t minRowsToCopy = 48, maxDepthToCopy = 768;

std::optional<int64_t> constantOf(AffineExpr expression) {
  auto constant = dyn_cast<AffineConstantExpr>(expression);
  return constant ? std::optional(constant.getValue()) : std::nullopt;
}

/// A register tile: where it lies, and of what size it is.
struct RegisterTile {
  SmallVector<AffineExpr> line; ///< coordinates of the row dimensions but the last one
  AffineExpr row;               ///< that of the first row along the last one
  AffineExpr turn;              ///< and where the loop over tiles is
  AffineExpr rows;              ///< how many of `height` there are
  int64_t height;
  AffineExpr column;  ///< the first one, within the panel
  AffineExpr columns; ///< how many of `width` there are
  int64_t width;
  /// Rows of the panel that were multiplied before it, as prefetching counts them; null where nothing is fetched.
  AffineExpr visit = {};
  /// The places of its rows along each row dimension, where they are gathered; null for dimensions of size 1.
  SmallVector<Value> places = {};
  /// The places of its rows in lines, where it goes on from line to line.
  SmallVector<std::pair<SmallVector<AffineExpr>, AffineExpr>> linesAndRows = {};
};

class ContractionBuilder {
public:
  ContractionBuilder(KernelOp kernel, const KernelStructure &structure, ScheduleAttr schedule)
      : b(kernel), op(structure.contract), roles(*contractionRoles(op)), packed(op.getRhs().getDefiningOp<UnpackOp>()),
        windows(op.getLhs().getDefiningOp<WindowRowsOp>()), schedule(schedule), lanes(lanesOf(schedule)),
        tileRows(knobOf(knob::tileRows)), depthBlock(knobOf(knob::depthBlock)),
        element(Float32Type::get(op.getContext())) {
    zero = b.constant(0);
    one = b.constant(1);
  }

  void run() {
    measure();
    makeViews();
    makeScratch();
    SmallVector<TileBuilder::Dim> dims =
        llvm::map_to_vector(batchSizes, [&](AffineExpr size) { return TileBuilder::Dim{zero, size}; });
    AffineExpr panels = columns.ceilDiv(panelColumns);
    std::optional<int64_t> resident = constantOf(lines * length * bytesPerRow());
    if (resident) {
      // Rows that stay in the cache are multiplied with panel after panel; of more rows, a block is.
      rowsAreInner = *resident <= knobOf(knob::residentBytes);
      TileBuilder::Dim panelDim{zero, panels}, blockDim{zero, blocks};
      dims.append(rowsAreInner ? std::initializer_list{panelDim, blockDim} : std::initializer_list{blockDim, panelDim});
    } else {
      dims.push_back({zero, panels * blocks});
    }
    b.grid(dims, [&](TileBuilder::Expressions at) {
      batch.assign(at.begin(), at.begin() + batchSizes.size());
      at = at.drop_front(batchSizes.size());
      if (resident) {
        panel = at[rowsAreInner ? 0 : 1];
        return emitUnit(at[rowsAreInner ? 1 : 0]);
      }
      SmallVector<AffineExpr> inner = b.delinearize(at[0], {panels, blocks}),
                              outer = b.delinearize(at[0], {blocks, panels});
      isResident = b.isAtMost(lines * length * bytesPerRow(), b.constant(knobOf(knob::residentBytes)));
      panel = b.select(isResident, inner[0], outer[1]);
      emitUnit(b.select(isResident, inner[1], outer[0]));
    });
  }

private:
  int64_t knobOf(StringRef name) { return *schedule.get(name); }
  AffineMap map(unsigned i) { return cast<AffineMapAttr>(op.getIndexingMaps()[i]).getValue(); }
  std::optional<unsigned> positionIn(unsigned operand, unsigned dim) {
    return map(operand).getResultPosition(getAffineDimExpr(dim, op.getContext()));
  }

  //===--------------------------------------------------------------------===//
  // Sizes
  //===--------------------------------------------------------------------===//

  AffineExpr sizeOf(unsigned dim) {
    Value operands[] = {op.getLhs(), op.getRhs()};
    AffineExpr result;
    for (unsigned i = 0; i < 2; ++i)
      if (auto position = positionIn(i, dim)) {
        AffineExpr size = b.size(b.sizes.sizesOf(operands[i])[*position]);
        if (!result || constantOf(size))
          result = size;
      }
    return result;
  }

  void measure() {
    depth = sizeOf(roles.depth);
    columns = sizeOf(roles.column);
    batchSizes = llvm::map_to_vector(roles.batch, [&](unsigned dim) { return sizeOf(dim); });
    rowSizes = llvm::map_to_vector(roles.rows, [&](unsigned dim) { return sizeOf(dim); });
    AffineExpr rows = one;
    for (AffineExpr size : rowSizes)
      rows = rows * size;
    blocks = rows.ceilDiv(blockRows);
    lines = one;
    length = rows;
    if (rowSizes.size() > 1) {
      isFlat = !fitLines(rows);
      if (!isFlat) {
        length = rowSizes.back();
        lines = rows.floorDiv(length);
        linesPerBlock = llvm::divideCeil(*constantOf(lines), std::max<int64_t>(*constantOf(blocks), 1));
      }
    }
    height = tileRows;
    if (std::optional<int64_t> known = constantOf(length))
      height = std::clamp<int64_t>(*known, 1, tileRows);
  }

  /// Whether tiles within lines are hardly more than tiles that go on from line to line.
  bool fitLines(AffineExpr rows) {
    // Places that are gathered take as long as some products.
    constexpr int64_t shortDepth = 64;
    double mostWaste = constantOf(depth).value_or(shortDepth) < shortDepth ? 1.1 : 1.02;
    std::optional<int64_t> total = constantOf(rows), line = constantOf(rowSizes.back());
    if (!total || !line || *total == 0)
      return false;
    int64_t tile = std::min(*line, tileRows);
    return llvm::alignTo(*line, tile) * (*total / *line) <= mostWaste * llvm::alignTo(*total, tile);
  }

  /// What a row of the first operand takes in the cache.
  int64_t bytesPerRow() {
    if (windows)
      return elementsPerWindow() * bytesOfElement;
    return constantOf(depth).value_or(depthBlock) * bytesOfElement;
  }

  /// Elements of the image per window, which share most of what they read.
  int64_t elementsPerWindow() {
    return cast<RankedTensorType>(windows.getOperand().getType()).getShape().back() *
           llvm::product_of(windows.getStrides());
  }

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  void makeViews() {
    rhs = b.memoryOf(packed ? packed.getOperand() : op.getRhs());
    if (windows)
      return makeWindows();
    lhs = b.memoryOf(op.getLhs());
    runDepth = depth;
    if (isFlat && rowsRunOn())
      collapseRows();
  }

  /// Whether the rows of the first operand lie one behind the other, from line to line.
  bool rowsRunOn() {
    if (!cast<MemRefType>(lhs.getType()).getLayout().isIdentity())
      return false;
    for (auto [first, second] : llvm::zip(roles.rows, ArrayRef(roles.rows).drop_front()))
      if (*positionIn(0, second) != *positionIn(0, first) + 1)
        return false;
    return true;
  }

  /// The first operand with one dimension of rows, the last one of several, which runs on into those before it.
  void collapseRows() {
    MLIRContext *context = op.getContext();
    SmallVector<AffineExpr> source, sizes;
    AffineExpr rows = one;
    for (AffineExpr size : rowSizes)
      rows = rows * size;
    for (AffineExpr expression : map(0).getResults()) {
      unsigned dim = cast<AffineDimExpr>(expression).getPosition();
      if (llvm::is_contained(roles.rows, dim) && dim != roles.rows.back()) {
        source.push_back(zero);
        continue;
      }
      source.push_back(getAffineDimExpr(sizes.size(), context));
      sizes.push_back(dim == roles.rows.back() ? rows : sizeOf(dim));
    }
    lhs = b.view(lhs, AffineMap::get(sizes.size(), 0, source, context), sizes);
    isCollapsed = true;
  }

  /// Windows of the image: parts whose elements run on in the image, as long as a window has all of them.
  void makeWindows() {
    MLIRContext *context = op.getContext();
    auto image = cast<RankedTensorType>(windows.getOperand().getType());
    unsigned next = 0;
    auto dim = [&] { return getAffineDimExpr(next++, context); };
    SmallVector<AffineExpr> source = {dim()}, sizes;
    for (AffineExpr size : b.sizes.sizesOf(op.getLhs()))
      sizes.push_back(b.size(size));
    sizes.pop_back();
    for (int64_t stride : windows.getStrides())
      source.push_back(dim() * stride);
    int64_t run = image.getShape().back();
    taps.assign(windows.getSizes().begin(), windows.getSizes().end());
    if (windows.getDilations().back() == 1)
      run *= taps.pop_back_val();
    for (auto [i, count] : llvm::enumerate(taps)) {
      source[1 + i] = source[1 + i] + dim() * windows.getDilations()[i];
      sizes.push_back(b.constant(count));
    }
    source.push_back(dim());
    sizes.push_back(b.constant(run));
    lhs = b.view(b.memoryOf(windows.getOperand()), AffineMap::get(next, 0, source, context), sizes);
    runDepth = b.constant(run);
    tap.assign(taps.size(), zero);
  }

  /// A long row of tiles would leave the cache before its columns come around again: the sums of a part wait
  /// in scratch.
  void makeScratch() {
    std::optional<int64_t> total = constantOf(depth), known = constantOf(length);
    isSplit = total && *total >= 2 * depthBlock && !isWide();
    partDepth = runDepth;
    if (isSplit && llvm::product_of(taps) <= 1) {
      parts = llvm::divideCeil(*total, depthBlock);
      int64_t products = llvm::alignTo(llvm::divideCeil(*total, parts), std::lcm<int64_t>(4, wholeUnroll()));
      parts = llvm::divideCeil(*total, products);
      partDepth = b.constant(products);
    } else if (isSplit) {
      parts = llvm::product_of(taps);
    }
    // Tiles behind whole ones may end later than these would.
    sumsRows = linesPerBlock * blockExtent() + (known ? 0 : restRows);
    if (isSplit)
      sums = b.scratch({sumsRows, panelColumns}, element);
    std::optional<int64_t> products = constantOf(isSplit ? partDepth : depth), rows = constantOf(lines * length);
    if (!packed && !windows && known && rows && *rows >= minRowsToCopy && products && *products <= maxDepthToCopy)
      copy = b.scratch({*products, panelColumns}, element);
    wholeInRows = knobOf(knob::epilogueRows) < height || (!known && !isFlat);
    if (height > 1 && (isSplit ? !known && wideHeight() > 1 : wholeInRows || !known))
      epilogue = b.scratch({height, lanes}, element);
  }

  /// Most rows of a block in a line, as a multiple of the tile's height.
  int64_t blockExtent() {
    if (hasLines())
      return llvm::alignTo(*constantOf(length), height);
    if (!constantOf(length))
      return llvm::alignTo(blockRows, height);
    return llvm::alignTo(llvm::divideCeil(*constantOf(length), std::max<int64_t>(*constantOf(blocks), 1)), height);
  }
  bool hasLines() { return rowSizes.size() > 1 && !isFlat; }

  //===--------------------------------------------------------------------===//
  // Units
  //===--------------------------------------------------------------------===//

  void emitUnit(AffineExpr block) {
    firstLine = firstRow = zero;
    endLine = one;
    endRow = length;
    if (hasLines()) {
      firstLine = block * linesPerBlock;
      endLine = b.min(firstLine + linesPerBlock, lines);
    } else if (constantOf(length) && constantOf(blocks) != 1) {
      firstRow = block * blockExtent();
      endRow = b.min(firstRow + blockExtent(), length);
    } else if (!constantOf(length)) {
      // Blocks of nearly equal size, the last of which may be empty.
      AffineExpr extent = b.ceilDiv(b.ceilDiv(length, blocks), b.constant(height)) * height;
      firstRow = b.min(b.mul(block, extent), length);
      endRow = b.min(firstRow + extent, length);
    }
    leftColumns = columns - panel * panelColumns;
    if (isWide())
      return emitWideRows();
    if (!constantOf(length) && packed && !windows)
      return b.when(
          b.isAtMost(endRow - firstRow, b.constant(knobOf(knob::wideRows))), [&] { emitWideRows(); },
          [&] { emitParts(); });
    emitParts();
  }

  /// Whether so few rows are there that each reads a panel once, as it lies in memory.
  bool isWide() {
    std::optional<int64_t> known = constantOf(lines * length);
    return packed && !windows && known && *known <= knobOf(knob::wideRows);
  }

  /// As many of them are multiplied at once: tiles that are as wide as a panel have sums to spare for a second row.
  int64_t wideHeight() { return std::min<int64_t>(lanes < panelColumns ? 1 : 2, height); }

  void emitWideRows() {
    forEachLine([&](ArrayRef<AffineExpr> line, AffineExpr) {
      auto emitRows = [&](AffineExpr row, int64_t rows) {
        AffineExpr left = constantOf(columns) && *constantOf(columns) % panelColumns == 0
                              ? b.constant(panelColumns)
                              : b.min(leftColumns, b.constant(panelColumns));
        AffineExpr extent = b.constant(rows);
        RegisterTile tile{SmallVector<AffineExpr>(line), row, row, extent, rows, zero, left, panelColumns};
        if (isGathered())
          tile.places = b.placesOf(tile.row, extent, rows, rowSizes);
        Value sums = multiply(tile, zeros(tile), zero, runDepth, constantOf(depth) ? 4 : 1);
        if (isFlat)
          tile.linesAndRows = linesAndRowsOf(tile);
        emitEnds(tile, sums);
      };
      int64_t step = wideHeight();
      AffineExpr whole = step > 1 ? firstRow + (endRow - firstRow).floorDiv(step) * step : firstRow;
      if (step > 1)
        b.loop({{firstRow, whole, step}}, [&](TileBuilder::Expressions at) { emitRows(at[0], step); });
      if (whole != endRow)
        b.loop({{whole, endRow}}, [&](TileBuilder::Expressions at) { emitRows(at[0], 1); });
    });
  }

  /// The unit's lines with the coordinates of each, and its number.
  void forEachLine(function_ref<void(ArrayRef<AffineExpr>, AffineExpr)> emit) {
    if (!hasLines())
      return emit({}, zero);
    b.loop({{firstLine, endLine}},
           [&](TileBuilder::Expressions at) { emit(b.delinearize(at[0], ArrayRef(rowSizes).drop_back()), at[0]); });
  }

  /// One part of the summed dimension after the other; the columns of a panel in register tiles.
  void emitParts() {
    if (!isSplit)
      return forEachColumn([&](AffineExpr column, AffineExpr left) { emitTiles(column, left, zero); }, zero);
    Value none = zerosOf({1, panelColumns});
    b.loop({{zero, b.constant(sumsRows)}}, [&](TileBuilder::Expressions at) { b.store(none, sums, {at[0], zero}); });
    b.loop({{zero, b.constant(parts)}}, [&](TileBuilder::Expressions at) {
      forEachColumn([&](AffineExpr column, AffineExpr left) { emitTiles(column, left, at[0]); }, at[0]);
    });
    forEachColumn([&](AffineExpr column, AffineExpr left) { emitSums(column, left); }, AffineExpr());
  }

  /// `part` is copied first, if there is one and columns are copied at all.
  void forEachColumn(function_ref<void(AffineExpr column, AffineExpr left)> emit, AffineExpr part) {
    std::optional<int64_t> known = constantOf(columns);
    bool isWhole = known && *known % lanes == 0;
    if (copy && part)
      copyColumns(part);
    auto emitColumn = [&](AffineExpr column) {
      AffineExpr left = isWhole ? b.constant(lanes) : b.min(leftColumns - column, b.constant(lanes));
      // Beyond the end there is nothing to read.
      if (packed || copy || isWhole || !part)
        return emit(column, left);
      b.peel(left, lanes, [&](AffineExpr extent) { emit(column, extent); });
    };
    if (lanes == panelColumns)
      return emitColumn(zero);
    AffineExpr end =
        known && *known % panelColumns == 0 ? b.constant(panelColumns) : b.min(leftColumns, b.constant(panelColumns));
    b.loop({{zero, end, lanes}}, [&](TileBuilder::Expressions at) { emitColumn(at[0]); });
  }

  /// The columns next to each other, as in a packed panel: rows of the operand that lie pages apart, or a
  /// power of two, take each other's place in the nearest cache, tile after tile.
  void copyColumns(AffineExpr part) {
    AffineExpr first = partStart(part), end = partEnd(part);
    auto copyRows = [&](AffineExpr left) {
      b.loop({{first, end}}, [&](TileBuilder::Expressions at) {
        Value row = b.load(rhs, rhsPlace(at[0], panel * panelColumns), {1, panelColumns}, {one, left}, rhsDims());
        b.store(row, copy, {at[0] - first, zero});
      });
    };
    std::optional<int64_t> known = constantOf(columns);
    if (known && *known % panelColumns == 0)
      return copyRows(b.constant(panelColumns));
    b.peel(b.min(leftColumns, b.constant(panelColumns)), panelColumns, copyRows);
  }

  AffineExpr partStart(AffineExpr part) { return isSplit ? part * *constantOf(partDepth) : zero; }
  AffineExpr partEnd(AffineExpr part) {
    if (!isSplit)
      return depth;
    bool isWhole = *constantOf(depth) % *constantOf(partDepth) == 0;
    AffineExpr end = partStart(part) + *constantOf(partDepth);
    return isWhole ? end : b.min(end, depth);
  }

  /// The unit's rows in register tiles.
  void emitTiles(AffineExpr column, AffineExpr left, AffineExpr part) {
    forEachLine([&](ArrayRef<AffineExpr> line, AffineExpr number) {
      auto emitAt = [&](AffineExpr turn, AffineExpr row, AffineExpr rows, int64_t height, bool fetches) {
        AffineExpr visit = fetches ? visitOf(number, turn, column, part) : AffineExpr();
        emitTile({SmallVector<AffineExpr>(line), row, turn, rows, height, column, left, lanes, visit}, part, number);
      };
      AffineExpr whole = endRow;
      if (!constantOf(length))
        whole = firstRow + (endRow - firstRow).floorDiv(height) * height;
      b.loop({{firstRow, whole, height}}, [&](TileBuilder::Expressions at) {
        emitAt(at[0], wholeRow(at[0]), b.constant(height), height, /*fetches=*/true);
      });
      int64_t rest = std::min(height, restRows);
      if (!constantOf(length))
        b.loop({{whole, endRow, rest, /*extent=*/true}},
               [&](TileBuilder::Expressions at) { emitAt(at[0], at[0], at[1], rest, /*fetches=*/false); });
    });
  }

  /// Where a tile begins that must be whole.
  AffineExpr wholeRow(AffineExpr turn) {
    std::optional<int64_t> known = constantOf(length);
    return known && *known % height != 0 ? b.min(turn, b.constant(*known - height)) : turn;
  }

  /// Where the sums of a row lie: lines behind each other.
  AffineExpr sumsRow(AffineExpr line, AffineExpr row) { return (line - firstLine) * blockExtent() + row - firstRow; }

  void emitTile(RegisterTile tile, AffineExpr part, AffineExpr line) {
    if (isFlat && !isSplit)
      tile.linesAndRows = linesAndRowsOf(tile);
    fetchAhead(tile, part);
    if (isGathered())
      tile.places = b.placesOf(tile.row, tile.rows, tile.height, rowSizes);
    if (!isSplit)
      return emitEnds(tile, multiplyParts(tile));
    SmallVector<AffineExpr> place = {sumsRow(line, tile.turn), tile.column};
    Value before = b.load(sums, place, shapeOf(tile, tile.width));
    Value after = llvm::product_of(taps) > 1 ? multiplyTap(tile, before, part)
                                             : multiply(tile, before, partStart(part), partEnd(part), unrollOf(tile));
    b.store(after, sums, place);
  }

  /// What the kernel gives, from the sums of all parts.
  void emitSums(AffineExpr column, AffineExpr left) {
    forEachLine([&](ArrayRef<AffineExpr> line, AffineExpr number) {
      b.loop({{firstRow, endRow, height}}, [&](TileBuilder::Expressions at) {
        AffineExpr rows = b.constant(height);
        if (!constantOf(length))
          rows = b.min(rows, endRow - at[0]);
        RegisterTile tile{SmallVector<AffineExpr>(line), wholeRow(at[0]), at[0], rows, height, column, left, lanes};
        emitRows(tile, sums, sumsRow(number, at[0]), column);
      });
    });
  }

  //===--------------------------------------------------------------------===//
  // Register tiles
  //===--------------------------------------------------------------------===//

  SmallVector<int64_t> rowShape(int64_t last, int64_t height) {
    return roles.rows.empty() ? SmallVector<int64_t>{last} : SmallVector<int64_t>{height, last};
  }
  SmallVector<int64_t> shapeOf(const RegisterTile &tile, int64_t last) { return rowShape(last, tile.height); }
  Value zerosOf(ArrayRef<int64_t> shape) { return b.splat(shape, FloatAttr::get(element, 0)); }
  Value zeros(const RegisterTile &tile) { return zerosOf(shapeOf(tile, tile.width)); }

  /// Products per turn of a whole tile's loop.
  int64_t wholeUnroll() {
    if (!constantOf(depth))
      return 1;
    int64_t unroll = llvm::divideCeil(knobOf(knob::turnSize), height);
    // No product is left over, if it may be. Of windows of few channels none is another row's in the same turn, which
    // LLVM would keep in a register.
    for (int64_t turns = unroll; turns < 2 * unroll && (!windows || turns <= elementsPerWindow()); ++turns)
      if (*constantOf(runDepth) % turns == 0)
        return turns;
    return unroll;
  }

  int64_t unrollOf(const RegisterTile &tile) { return tile.height == height ? wholeUnroll() : 1; }

  /// All products of a tile. The parts of a window are loops around those of a part.
  Value multiplyParts(const RegisterTile &tile) {
    int64_t unroll = unrollOf(tile);
    SmallVector<AffineExpr> place;
    AffineExpr number = zero;
    auto nest = [&](auto &nest, size_t dim, Value sums) -> Value {
      if (dim == taps.size()) {
        tap = place;
        return multiply(tile, sums, zero, runDepth, unroll, number);
      }
      if (taps[dim] == 1) {
        place.push_back(zero);
        return nest(nest, dim + 1, sums);
      }
      AffineExpr before = number;
      return b.carry({zero, b.constant(taps[dim])}, sums, [&](AffineExpr at, Value carried) {
        number = before * taps[dim] + at;
        place.resize(dim);
        place.push_back(at);
        return nest(nest, dim + 1, carried);
      });
    };
    return nest(nest, 0, zeros(tile));
  }

  /// The products of one part of windows.
  Value multiplyTap(const RegisterTile &tile, Value sums, AffineExpr part) {
    SmallVector<AffineExpr> extents = llvm::map_to_vector(taps, [&](int64_t count) { return b.constant(count); });
    tap = b.delinearize(part, extents);
    return multiply(tile, sums, zero, runDepth, unrollOf(tile), part);
  }

  /// Adds the products from `low` to `high`, of one part of windows.
  Value multiply(const RegisterTile &tile, Value sums, AffineExpr low, AffineExpr high, int64_t unroll,
                 AffineExpr part = AffineExpr()) {
    AffineExpr start = part ? part * runDepth : zero;
    auto loop = [&](AffineExpr from, AffineExpr to, int64_t products, Value sums) {
      return b.carry({from, to, products}, sums, [&](AffineExpr k, Value carried) {
        if (tile.visit && products == unroll)
          prefetchPanel(tile, isSplit ? k - low : start + k);
        SmallVector<AffineExpr> extents;
        if (!roles.rows.empty() && !isGathered())
          extents = {tile.rows, b.constant(products)};
        Value a = b.load(lhs, lhsPlace(tile, k), shapeOf(tile, products), extents, lhsDims(), gathered(tile));
        Value columns;
        if (packed)
          columns = b.load(rhs, {panel, start + k, tile.column}, {products, tile.width});
        else if (copy)
          columns = b.load(copy, {k - low, tile.column}, {products, tile.width});
        else
          columns = b.load(rhs, rhsPlace(start + k, panel * panelColumns + tile.column), {products, tile.width},
                           {b.constant(products), tile.columns}, rhsDims());
        return b.mma(a, columns, carried);
      });
    };
    auto count = constantOf(high - low);
    AffineExpr whole = high;
    bool leaves = unroll > 1 && !(count && *count % unroll == 0) && !(isSplit && *constantOf(depth) % unroll == 0);
    if (leaves)
      whole = count ? low + *count / unroll * unroll : low + (high - low).floorDiv(unroll) * unroll;
    sums = loop(low, whole, unroll, sums);
    return leaves ? loop(whole, high, 1, sums) : sums;
  }

  /// Where the factors of a tile's rows lie; gathered coordinates are none. Of windows the places within one are the
  /// last dimensions.
  SmallVector<AffineExpr> lhsPlace(const RegisterTile &tile, AffineExpr k) {
    SmallVector<AffineExpr> place;
    for (AffineExpr expression : map(0).getResults()) {
      unsigned dim = cast<AffineDimExpr>(expression).getPosition();
      bool isRow = llvm::is_contained(roles.rows, dim);
      if (isCollapsed && isRow && dim != roles.rows.back())
        continue;
      if (dim == roles.depth)
        llvm::append_range(place, tap);
      place.push_back(dim == roles.depth ? k : isGathered() && isRow ? zero : coordinateOf(tile, dim));
    }
    return place;
  }

  /// The dimension of the first operand that a dimension of the iteration space is.
  int64_t lhsDimOf(unsigned dim) {
    int64_t position = *positionIn(0, dim), collapsed = isCollapsed ? rowSizes.size() - 1 : 0;
    bool isBehind = isCollapsed && position >= *positionIn(0, roles.rows.back());
    return position + (dim == roles.depth ? taps.size() : 0) - (isBehind ? collapsed : 0);
  }
  bool isGathered() { return isFlat && !isCollapsed; }

  SmallVector<int64_t> lhsDims() {
    int64_t depthDim = lhsDimOf(roles.depth);
    if (roles.rows.empty())
      return {depthDim};
    if (!isGathered())
      return {lhsDimOf(roles.rows.back()), depthDim};
    return {gatheredDims().front(), depthDim};
  }

  /// Row dimensions whose coordinates are gathered, as dimensions of the first operand: those of more than
  /// one place.
  SmallVector<int64_t> gatheredDims() {
    SmallVector<int64_t> dims;
    for (auto [dim, size] : llvm::zip(roles.rows, rowSizes))
      if (size != one)
        dims.push_back(lhsDimOf(dim));
    llvm::sort(dims);
    return dims;
  }

  SmallVector<std::pair<int64_t, Value>> gathered(const RegisterTile &tile) {
    SmallVector<std::pair<int64_t, Value>> result;
    for (auto [i, place] : llvm::enumerate(tile.places))
      if (place)
        result.push_back({lhsDimOf(roles.rows[i]), place});
    llvm::sort(result, llvm::less_first());
    return result;
  }

  SmallVector<AffineExpr> rhsPlace(AffineExpr k, AffineExpr column) {
    return llvm::map_to_vector(map(1).getResults(), [&](AffineExpr expression) {
      unsigned dim = cast<AffineDimExpr>(expression).getPosition();
      return dim == roles.depth    ? k
             : dim == roles.column ? column
                                   : batch[llvm::find(roles.batch, dim) - roles.batch.begin()];
    });
  }
  SmallVector<int64_t> rhsDims() { return {*positionIn(1, roles.depth), *positionIn(1, roles.column)}; }

  /// The coordinate of a tile along a dimension of the iteration space, batches and rows.
  AffineExpr coordinateOf(const RegisterTile &tile, unsigned dim) {
    if (const auto *it = llvm::find(roles.batch, dim); it != roles.batch.end())
      return batch[it - roles.batch.begin()];
    size_t row = llvm::find(roles.rows, dim) - roles.rows.begin();
    return row + 1 == roles.rows.size() ? tile.row : tile.line[row];
  }

  //===--------------------------------------------------------------------===//
  // Results
  //===--------------------------------------------------------------------===//

  SmallVector<AffineExpr> resultPlace(const RegisterTile &tile, AffineExpr row, AffineExpr column) {
    SmallVector<AffineExpr> place;
    for (AffineExpr expression : map(2).getResults()) {
      unsigned dim = cast<AffineDimExpr>(expression).getPosition();
      bool isRow = !roles.rows.empty() && dim == roles.rows.back();
      place.push_back(dim == roles.column ? column : isRow ? row : coordinateOf(tile, dim));
    }
    return place;
  }
  SmallVector<int64_t> resultDims() {
    int64_t column = map(2).getNumResults() - 1;
    if (roles.rows.empty())
      return {column};
    return {*positionIn(2, roles.rows.back()), column};
  }

  /// The kernel's results of a tile, from its sums.
  void emitEnds(const RegisterTile &tile, Value sums) {
    bool isWhole = constantOf(tile.rows) == tile.height;
    if (tile.height > 1 && (wholeInRows || !isWhole)) {
      b.store(sums, epilogue, {zero, zero});
      return emitRows(tile, epilogue, zero, zero);
    }
    atColumns(tile, [&](AffineExpr extent) {
      for (auto [i, place] : llvm::enumerate(tile.linesAndRows)) {
        RegisterTile line = tile;
        line.line = place.first;
        emitResults(line, place.second, tile.height == 1 ? sums : b.rowOf(sums, i), {one, extent});
      }
      if (isFlat)
        return;
      SmallVector<AffineExpr> extents;
      if (!roles.rows.empty())
        extents.push_back(b.constant(tile.height));
      extents.push_back(extent);
      emitResults(tile, tile.row, sums, extents);
    });
  }

  /// Row by row, from sums in scratch.
  void emitRows(const RegisterTile &tile, Value memory, AffineExpr first, AffineExpr column) {
    atColumns(tile, [&](AffineExpr extent) {
      forEachRow(tile, [&](const RegisterTile &line, AffineExpr row, AffineExpr number) {
        Value sums = b.load(memory, {first + number, column}, rowShape(tile.width, 1));
        SmallVector<AffineExpr> extents(rowShape(0, 1).size(), one);
        extents.back() = extent;
        emitResults(line, row, sums, extents);
      });
    });
  }

  /// The rows of a tile, with their places in their lines and their numbers.
  void forEachRow(const RegisterTile &tile, function_ref<void(const RegisterTile &, AffineExpr, AffineExpr)> emit) {
    if (!isFlat)
      return b.loop({{zero, tile.rows}}, [&](TileBuilder::Expressions at) { emit(tile, tile.row + at[0], at[0]); });
    AffineExpr length = rowSizes.back(), end = tile.row + tile.rows;
    b.loop({{b.divide(tile.row, length), b.ceilDiv(end, length)}}, [&](TileBuilder::Expressions lines) {
      RegisterTile line = tile;
      line.line = b.delinearize(lines[0], ArrayRef(rowSizes).drop_back());
      AffineExpr start = b.mul(lines[0], length);
      b.loop({{b.max(tile.row, start), b.min(end, start + length)}},
             [&](TileBuilder::Expressions at) { emit(line, at[0] - start, at[0] - tile.row); });
    });
  }

  /// The places of the rows of a tile that goes on from line to line: at most once, if it isn't longer than a line.
  SmallVector<std::pair<SmallVector<AffineExpr>, AffineExpr>> linesAndRowsOf(const RegisterTile &tile) {
    SmallVector<std::pair<SmallVector<AffineExpr>, AffineExpr>> result;
    AffineExpr length = rowSizes.back();
    ArrayRef<AffineExpr> outer = ArrayRef(rowSizes).drop_back();
    std::optional<int64_t> known = constantOf(length);
    AffineExpr line = b.divide(tile.row, length), start = tile.row - b.mul(line, length);
    for (int64_t i = 0; i < tile.height; ++i) {
      if (i == 0) {
        result.push_back({b.delinearize(line, outer), start});
      } else if (known && *known >= tile.height) {
        Value isNext = b.isAtMost(length, start + i);
        AffineExpr row = b.select(isNext, start + i - length, start + i);
        result.push_back({b.delinearize(b.select(isNext, line + 1, line), outer), row});
      } else {
        SmallVector<AffineExpr> place = b.delinearize(tile.row + i, rowSizes);
        AffineExpr row = place.pop_back_val();
        result.push_back({place, row});
      }
    }
    return result;
  }

  void atColumns(const RegisterTile &tile, function_ref<void(AffineExpr)> emit) {
    bool isWhole =
        constantOf(tile.columns) == tile.width || (!packed && !copy && !isSplit && !constantOf(tile.columns));
    isWhole ? emit(tile.columns) : b.peel(tile.columns, tile.width, emit);
  }

  void emitResults(const RegisterTile &tile, AffineExpr row, Value sums, ArrayRef<AffineExpr> extents) {
    SmallVector<AffineExpr> place = resultPlace(tile, row, panel * panelColumns + tile.column);
    ArrayRef<int64_t> shape = cast<RankedTensorType>(sums.getType()).getShape();
    for (auto [i, result] : llvm::enumerate(
             b.compute(b.results(), place, shape, extents, resultDims(), TileBuilder::Known{op.getResult(), sums})))
      b.store(result, b.result(i), place, extents, resultDims());
  }

  //===--------------------------------------------------------------------===//
  // The next panel on its way into the cache
  //===--------------------------------------------------------------------===//

  /// Register tiles fetch the next panel, each an equal part of it: those of all rows that use this one.
  AffineExpr visitOf(AffineExpr line, AffineExpr row, AffineExpr column, AffineExpr part) {
    if (!packed || !constantOf(depth))
      return AffineExpr();
    AffineExpr rows, place, inAll = b.mul(line, length) + row,
                            inBlock = b.mul(line - firstLine, length) + row - firstRow;
    AffineExpr all = lines * length, block = hasLines() ? length * linesPerBlock : endRow - firstRow;
    if (isResident) {
      rows = b.select(isResident, all, block);
      place = b.select(isResident, inAll, inBlock);
    } else {
      rows = rowsAreInner ? all : b.constant(linesPerBlock * std::min(blockExtent(), *constantOf(length)));
      place = rowsAreInner ? inAll : inBlock;
    }
    int64_t tiles = panelColumns / lanes;
    perRow = b.ceilDiv(depth * panelColumns, rows * (parts * tiles));
    AffineExpr visit = part * tiles + column.floorDiv(lanes);
    return b.mul(b.mul(visit, rows) + place, perRow);
  }

  void prefetchPanel(const RegisterTile &tile, AffineExpr k) {
    AffineExpr step = b.ceilDiv(perRow * tile.height, isSplit ? partDepth : depth);
    b.prefetch(rhs, {panel + 1, zero, tile.visit + b.mul(k, step)});
  }

  /// What register tiles don't read from front to back: of a second operand that isn't packed the same
  /// columns of the next panel, of which each tile of the block fetches some rows, and what the ends read.
  /// Results whose rows lie apart from each other, as they do then, too.
  void fetchAhead(const RegisterTile &tile, AffineExpr part) {
    AffineExpr column = panel * panelColumns + tile.column;
    if (!packed) {
      AffineExpr products = isSplit ? partDepth : depth, rows = endRow - firstRow;
      AffineExpr share =
          b.ifAtMost(b.constant(knobOf(knob::fetchRows)), rows, b.ceilDiv(products * tile.height, rows), zero);
      AffineExpr first = partStart(part) + b.mul((tile.turn - firstRow).floorDiv(tile.height), share);
      if (share != zero)
        b.loop({{zero, share}},
               [&](TileBuilder::Expressions at) { b.prefetch(rhs, rhsPlace(first + at[0], column + panelColumns)); });
    }
    if (isSplit)
      return;
    auto fetchRows = [&](Value memory, bool isWrite) {
      for (int64_t i = 0; i < tile.height; ++i) {
        RegisterTile line = tile;
        AffineExpr row = tile.row + i;
        if (isFlat)
          std::tie(line.line, row) = tile.linesAndRows[i];
        b.prefetch(memory, resultPlace(line, row, column), isWrite);
      }
    };
    SmallVector<AffineExpr> space = b.sizes.sizesOf(op.getResult());
    for (BlockArgument tensor : b.kernel.getBody().getArguments().drop_front(b.kernel.getNumSymbols()))
      if (tensor != op.getLhs() && tensor != op.getRhs() && b.sizes.sizesOf(tensor) == space)
        fetchRows(b.memoryOf(tensor), /*isWrite=*/false);
    for (unsigned i = 0; !packed && i < b.kernel.getResultTypes().size(); ++i)
      fetchRows(b.result(i), /*isWrite=*/true);
  }

  TileBuilder b;
  ContractOp op;
  ContractionRoles roles;
  UnpackOp packed;
  WindowRowsOp windows;
  ScheduleAttr schedule;
  int64_t lanes, tileRows, depthBlock;
  Type element;
  AffineExpr zero, one;

  AffineExpr depth, columns, lines, length;
  SmallVector<AffineExpr> batchSizes, rowSizes;
  AffineExpr blocks;   ///< of rows: units of work
  bool isFlat = false; ///< whether tiles go on from line to line
  int64_t linesPerBlock = 1, height = 1;

  Value lhs, rhs;
  SmallVector<int64_t> taps; ///< of a window, those that don't run on in the image
  AffineExpr runDepth;       ///< products of a part of windows, or all
  int64_t parts = 1;         ///< of the summed dimension, where its sums wait in scratch
  AffineExpr partDepth;
  bool isSplit = false;
  bool isCollapsed = false; ///< whether the rows of the first operand are one dimension, though not those of results
  bool wholeInRows = false; ///< whether what follows a whole tile goes through scratch
  int64_t sumsRows = 0;
  Value sums, copy, epilogue; ///< scratch, or null

  bool rowsAreInner = false;
  Value isResident; ///< the same, where it shows at run time
  SmallVector<AffineExpr> batch, tap;
  AffineExpr panel, firstLine, endLine, firstRow, endRow, leftColumns;
  AffineExpr perRow; ///< elements of the next panel for each row of each register tile
};
} // namespace

void codegen::buildContraction(KernelOp kernel, const KernelStructure &structure, ScheduleAttr schedule) {
  ContractionBuilder(kernel, structure, schedule).run();
}

//===- BuildContraction.cpp - The tile program of a contraction and its epilogue ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A unit of work is a block of rows times a panel of columns. Where rows have several dimensions a register
// tile lies in a line of the last one, if tiles fit lines, so that its rows are one stride apart; else it
// goes on from line to line: the places of the unit's rows stand in a table, from which tiles gather. Where
// the length of a line is known all tiles have one height; the last one begins early enough to be whole, and
// computes some rows again, with equal bits. Where it isn't, whole tiles are followed by lower ones, whose
// rows beyond the end are the last one again.
//
// Sums go on to the kernel's results from registers, or, where that is much code, through scratch row by row.
// They wait there for the whole unit where the summed dimension comes in parts, where rows go on from line to
// line, and where they are turned, as results want whose rows are next to each other.
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
/// Places of rows that are computed at once.
constexpr int64_t placesPerStep = 8;

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
  Value places = {};     ///< of its rows in the first operand, where they are gathered
  AffineExpr place = {}; ///< of its only row there
};

class ContractionBuilder {
public:
  ContractionBuilder(KernelOp kernel, const KernelStructure &structure, ScheduleAttr schedule)
      : b(kernel), op(structure.contract), roles(*contractionRoles(op)), packed(constantDepth(op)),
        windows(op.getLhs().getDefiningOp<WindowRowsOp>()), turned(structure.turned), schedule(schedule),
        lanes(lanesOf(schedule)), vectorLanes(*schedule.get(knob::vectorBytes) / bytesOfElement),
        tileRows(knobOf(knob::tileRows)), depthBlock(knobOf(knob::depthBlock)),
        element(Float32Type::get(op.getContext())) {
    zero = b.constant(0);
    one = b.constant(1);
  }

  void build() {
    measure();
    makeViews();
    makeScratch();
    if (turned)
      makeTurnedResults();
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
    // Dimensions of one row are none, but the last one where all are.
    SmallVector<unsigned> rowDims(roles.rows);
    if (!isClipped())
      llvm::erase_if(roles.rows, [&](unsigned dim) { return sizeOf(dim) == one; });
    if (roles.rows.empty() && !rowDims.empty())
      roles.rows.push_back(rowDims.back());
    rowSizes = llvm::map_to_vector(roles.rows, [&](unsigned dim) { return sizeOf(dim); });
    AffineExpr rows = one;
    for (AffineExpr size : rowSizes)
      rows = rows * size;
    blocks = rows.ceilDiv(blockRows);
    lines = linesPerBlock = one;
    length = rows;
    if (isClipped()) {
      isFlat = true;
    } else if (rowSizes.size() > 1) {
      isFlat = !fitLines(rows);
      if (!isFlat) {
        length = rowSizes.back();
        lines = one;
        for (AffineExpr size : ArrayRef(rowSizes).drop_back())
          lines = lines * size;
        linesPerBlock = b.ceilDiv(lines, b.max(blocks, one));
        mostLines = constantOf(linesPerBlock).value_or(llvm::divideCeil(blockRows, *constantOf(length)));
      }
    }
    height = tileRows;
    if (std::optional<int64_t> known = constantOf(isClipped() ? rowSizes.back() : length))
      height = std::clamp<int64_t>(*known, 1, tileRows);
  }

  /// Whether windows reach over the border of the image, where their elements are zero.
  bool isClipped() { return windows && windows.getPads(); }

  /// Whether tiles within lines are hardly more than tiles that go on from line to line.
  bool fitLines(AffineExpr rows) {
    // Places that are gathered take as long as some products.
    constexpr int64_t shortDepth = 64;
    double mostWaste = constantOf(depth).value_or(shortDepth) < shortDepth ? 1.1 : 1.02;
    std::optional<int64_t> total = constantOf(rows), line = constantOf(rowSizes.back());
    if (!line || *line == 0 || total == 0)
      return false;
    int64_t tile = std::min(*line, tileRows), vectors = lanes / vectorLanes;
    // Few sums wait for each other.
    constexpr int64_t leastSums = 12;
    if (tile < tileRows && tile * vectors < leastSums)
      return false;
    // Rows are turned where they lie one behind the other.
    if (turned && *line % tile != 0)
      return false;
    return total ? llvm::alignTo(*line, tile) * (*total / *line) <= mostWaste * llvm::alignTo(*total, tile)
                 : llvm::alignTo(*line, tile) <= mostWaste * *line;
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
    if (packed)
      rhs = b.formed(op.getRhs(), "panels", [&](OpBuilder &builder, ValueRange operands) {
        return makePanels(builder, operands.front(), *packed, panelWidth());
      });
    else
      rhs = b.memoryOf(op.getRhs());
    if (isClipped())
      return makeClippedWindows();
    if (windows)
      return makeWindows();
    lhs = b.memoryOf(op.getLhs());
    runDepth = depth;
    if (!isFlat)
      return;
    isCollapsed = rowsRunOn();
    isGathered = !isCollapsed;
    isCollapsed ? collapseRows() : gatherRows();
  }

  /// Whether the rows of the first operand lie one behind the other, from line to line.
  bool rowsRunOn() {
    if (!cast<MemRefType>(lhs.getType()).getLayout().isIdentity())
      return false;
    ArrayRef<int64_t> shape = cast<RankedTensorType>(op.getLhs().getType()).getShape();
    return llvm::all_of(llvm::zip(roles.rows, ArrayRef(roles.rows).drop_front()), [&](auto pair) {
      return areNeighbours(*positionIn(0, std::get<0>(pair)), *positionIn(0, std::get<1>(pair)), shape);
    });
  }

  /// Whether a dimension stands behind another one, with none of several places between them.
  static bool areNeighbours(int64_t first, int64_t second, ArrayRef<int64_t> shape) {
    return first < second &&
           llvm::all_of(shape.slice(first + 1, second - first - 1), [](int64_t size) { return size == 1; });
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
  }

  /// The first operand with one dimension of elements from the first row on, for those that tables say.
  void gatherRows() {
    MLIRContext *context = op.getContext();
    SmallVector<AffineExpr> source, sizes = {elementsTo(op.getLhs(), /*isImage=*/false)};
    for (AffineExpr expression : map(0).getResults()) {
      unsigned dim = cast<AffineDimExpr>(expression).getPosition();
      bool isRow = llvm::is_contained(roles.rows, dim);
      source.push_back(isRow ? zero : getAffineDimExpr(sizes.size(), context));
      if (!isRow)
        sizes.push_back(sizeOf(dim));
    }
    source.back() = source.back() + getAffineDimExpr(0, context);
    lhs = b.view(lhs, AffineMap::get(sizes.size(), 0, source, context), sizes);
  }

  /// How far the next row along each of their dimensions is in a tensor, and how many elements there are from the first
  /// to the last one.
  AffineExpr elementsTo(Value tensor, bool isImage) {
    SmallVector<AffineExpr> strides = b.stridesOf(tensor);
    AffineExpr last = zero;
    for (auto [dim, size] : llvm::zip(roles.rows, rowSizes)) {
      unsigned position = *positionIn(0, dim);
      rowStrides.push_back(isImage && position > 0 ? strides[position] * windows.getStrides()[position - 1]
                                                   : strides[position]);
      last = last + b.mul(size - 1, rowStrides.back());
    }
    return b.max(last + 1, zero);
  }

  /// Windows of the image: parts whose elements run on in the image, as long as a window has all of them.
  void makeWindows() {
    MLIRContext *context = op.getContext();
    auto image = cast<RankedTensorType>(windows.getOperand().getType());
    isGathered = isFlat;
    unsigned next = 0;
    auto dim = [&] { return getAffineDimExpr(next++, context); };
    SmallVector<AffineExpr> source(image.getRank() - 1, zero), sizes;
    if (isGathered) {
      sizes.push_back(elementsTo(windows.getOperand(), /*isImage=*/true));
      dim();
    } else {
      source.front() = dim();
      for (AffineExpr size : b.sizes.sizesOf(op.getLhs()))
        sizes.push_back(b.size(size));
      sizes.pop_back();
      for (auto [i, stride] : llvm::enumerate(windows.getStrides()))
        source[1 + i] = dim() * stride;
    }
    int64_t run = image.getShape().back();
    taps.assign(windows.getSizes().begin(), windows.getSizes().end());
    if (windows.getDilations().back() == 1)
      run *= taps.pop_back_val();
    for (auto [i, count] : llvm::enumerate(taps)) {
      source[1 + i] = source[1 + i] + dim() * windows.getDilations()[i];
      sizes.push_back(b.constant(count));
    }
    source.push_back(isGathered ? dim() + getAffineDimExpr(0, context) : dim());
    sizes.push_back(b.constant(run));
    lhs = b.view(b.memoryOf(windows.getOperand()), AffineMap::get(next, 0, source, context), sizes);
    runDepth = b.constant(run);
    tap.assign(taps.size(), zero);
  }

  /// The image as it is: each tap of a window is a part, for the windows in which it isn't border.
  void makeClippedWindows() {
    lhs = b.memoryOf(windows.getOperand());
    taps.assign(windows.getSizes().begin(), windows.getSizes().end());
    runDepth = b.constant(cast<RankedTensorType>(windows.getOperand().getType()).getShape().back());
  }

  /// A long row of tiles would leave the cache before its columns come around again: the sums of a part wait
  /// in scratch.
  void makeScratch() {
    std::optional<int64_t> total = constantOf(depth), known = constantOf(length);
    isSplit = isClipped() || (total && *total >= 2 * depthBlock && !isWide());
    partDepth = runDepth;
    if (isSplit && !isClipped() && llvm::product_of(taps) <= 1) {
      parts = llvm::divideCeil(*total, depthBlock);
      int64_t products = llvm::alignTo(llvm::divideCeil(*total, parts), std::lcm<int64_t>(4, wholeUnroll()));
      parts = llvm::divideCeil(*total, products);
      partDepth = b.constant(products);
    } else if (isSplit) {
      parts = llvm::product_of(taps);
    }
    // Tiles behind whole ones may end later than these would.
    sumsRows = mostLines * blockExtent() + (known && !isClipped() ? 0 : restRows);
    // Whole blocks of sums are turned.
    if (turned)
      sumsRows = llvm::alignTo(sumsRows, vectorLanes) + vectorLanes;
    waits = isSplit || isFlat || turned;
    if (waits && !isWide())
      sums = b.scratch({sumsRows, panelColumns}, element);
    if (turned)
      turnedSums = b.scratch({panelColumns, sumsRows}, element);
    if (isGathered && !isWide())
      table = b.scratch(sumsRows + beyondRows() + placesPerStep, IntegerType::get(op.getContext(), 64));
    std::optional<int64_t> products = constantOf(isSplit ? partDepth : depth), rows = constantOf(lines * length);
    if (!packed && !windows && known && rows && *rows >= minRowsToCopy && products && *products <= maxDepthToCopy)
      copy = b.scratch({*products, panelColumns}, element);
    wholeInRows = knobOf(knob::epilogueRows) < height || !known;
    if (height > 1 && wholeInRows && (!waits || (!known && canBeWide() && wideHeight() > 1)))
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
  /// Most rows of a tile that lie beyond the end of its unit.
  int64_t beyondRows() {
    std::optional<int64_t> known = constantOf(length);
    return (!known ? restRows : *known % height == 0 ? 1 : height) - 1;
  }

  //===--------------------------------------------------------------------===//
  // Units
  //===--------------------------------------------------------------------===//

  void emitUnit(AffineExpr block) {
    firstLine = firstRow = zero;
    endLine = one;
    endRow = length;
    if (hasLines()) {
      firstLine = b.min(b.mul(block, linesPerBlock), lines);
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
    if (!constantOf(length) && canBeWide())
      return b.when(
          b.isAtMost(endRow - firstRow, b.constant(knobOf(knob::wideRows))), [&] { emitWideRows(); },
          [&] { emitParts(); });
    emitParts();
  }

  /// The panel's columns.
  AffineExpr columnsHere() {
    std::optional<int64_t> known = constantOf(columns);
    return known && *known % panelColumns == 0 ? b.constant(panelColumns)
                                               : b.min(leftColumns, b.constant(panelColumns));
  }

  /// Whether so few rows are there that each reads a panel once, as it lies in memory.
  bool isWide() {
    std::optional<int64_t> known = constantOf(lines * length);
    return canBeWide() && known && *known <= knobOf(knob::wideRows);
  }

  bool canBeWide() { return packed && panelWidth() >= panelColumns && !windows && !turned; }

  /// As many of them are multiplied at once: tiles that are as wide as a panel have sums to spare for a second row,
  /// where that is a stride behind the first one.
  int64_t wideHeight() { return std::min<int64_t>(lanes < panelColumns || isFlat ? 1 : 2, height); }

  void emitWideRows() {
    forEachLine([&](ArrayRef<AffineExpr> line, AffineExpr) {
      auto emitRows = [&](AffineExpr row, int64_t rows) {
        RegisterTile tile{
            SmallVector<AffineExpr>(line), row, row, b.constant(rows), rows, zero, columnsHere(), panelColumns};
        SmallVector<AffineExpr> place = isFlat ? b.delinearize(row, rowSizes) : SmallVector<AffineExpr>();
        if (isGathered)
          tile.place = placeOf(place);
        Value sums = multiply(tile, zeros(tile), zero, runDepth, constantOf(depth) ? 4 : 1);
        if (isFlat) {
          tile.row = place.pop_back_val();
          tile.line = place;
        }
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
    if (!waits)
      return forEachColumn([&](AffineExpr column, AffineExpr left) { emitTiles(column, left, zero); }, zero);
    if (isGathered)
      fillTable();
    if (isSplit) {
      storeZeros(zero, b.constant(sumsRows));
    } else if (turned && unitRows() % vectorLanes != zero) {
      // Rows beyond the end are turned with the others.
      AffineExpr low = unitRows().floorDiv(vectorLanes) * vectorLanes;
      storeZeros(low, low + vectorLanes);
    }
    auto emitPart = [&](AffineExpr part) {
      forEachColumn([&](AffineExpr column, AffineExpr left) { emitTiles(column, left, part); }, part);
    };
    if (isSplit)
      b.loop({{zero, b.constant(parts)}},
             [&](TileBuilder::Expressions at) { isClipped() ? emitTap(at[0]) : emitPart(at[0]); });
    else
      emitPart(zero);
    if ((turned || isFlat) && !isClipped())
      moveEarlyRows();
    if (turned)
      return emitTurned();
    forEachColumn([&](AffineExpr column, AffineExpr left) { emitSums(column, left); }, AffineExpr());
  }

  AffineExpr unitRows() { return hasLines() ? (endLine - firstLine) * *constantOf(length) : endRow - firstRow; }

  /// A tap of clipped windows: those of the unit's rows, line by line, in which it lies inside of the image.
  void emitTap(AffineExpr part) {
    SmallVector<AffineExpr> shifts =
        b.delinearize(part, llvm::map_to_vector(taps, [&](int64_t count) { return b.constant(count); }));
    for (auto [i, shift] : llvm::enumerate(shifts))
      shift = shift * windows.getDilations()[i] - windows.getLowPad(i);
    SmallVector<AffineExpr> extents =
        llvm::map_to_vector(b.sizes.sizesOf(windows.getOperand()), [&](AffineExpr size) { return b.size(size); });
    int64_t last = shifts.size() - 1, stride = windows.getStrides()[last];
    AffineExpr inside = b.max((zero - shifts[last]).ceilDiv(stride), zero),
               outside = (extents[1 + last] - shifts[last]).ceilDiv(stride);
    forEachLineOf(firstRow, endRow, rowSizes.back(), ArrayRef(rowSizes).drop_back(),
                  [&](ArrayRef<AffineExpr> line, AffineExpr start, AffineExpr low, AffineExpr high) {
                    low = b.max(low, inside);
                    high = b.min(high, outside);
                    tap.clear();
                    tap.push_back(line.front());
                    for (int64_t i = 0; i < last; ++i)
                      tap.push_back(line[1 + i] * windows.getStrides()[i] + shifts[i]);
                    tap.push_back(shifts[last]);
                    auto nest = [&](auto &nest, int64_t dim) -> void {
                      if (dim == last)
                        return b.when(b.isAtMost(low + 1, high), [&] { emitRun(start, low, high, part); });
                      b.when(b.isAtMost(zero, tap[1 + dim]), [&] {
                        b.when(b.isAtMost(tap[1 + dim] + 1, extents[1 + dim]), [&] { nest(nest, dim + 1); });
                      });
                    };
                    nest(nest, 0);
                  });
  }

  /// Rows from `low` to `high` of the line whose first row is `start`: whole tiles, then lower ones, which leave what
  /// lies behind them alone.
  void emitRun(AffineExpr start, AffineExpr low, AffineExpr high, AffineExpr part) {
    forEachColumn(
        [&](AffineExpr column, AffineExpr left) {
          auto emitAt = [&](AffineExpr row, AffineExpr rows, int64_t height, bool fetches) {
            AffineExpr turn = start + row, visit = fetches ? visitOf(zero, turn, column, part) : AffineExpr();
            RegisterTile tile{{}, row, turn, rows, height, column, left, lanes, visit};
            SmallVector<AffineExpr> place = {turn - firstRow, column};
            Value before = b.load(sums, place, shapeOf(tile, tile.width));
            Value after = multiply(tile, before, zero, runDepth, unrollOf(tile), part);
            b.store(after, sums, place, {rows, b.constant(lanes)});
          };
          AffineExpr whole = low + (high - low).floorDiv(height) * height;
          b.loop({{low, whole, height}},
                 [&](TileBuilder::Expressions at) { emitAt(at[0], b.constant(height), height, /*fetches=*/true); });
          int64_t rest = std::min(height, restRows);
          b.loop({{whole, high, rest, /*extent=*/true}},
                 [&](TileBuilder::Expressions at) { emitAt(at[0], at[1], rest, /*fetches=*/false); });
        },
        part);
  }

  void storeZeros(AffineExpr low, AffineExpr high) {
    Value none = zerosOf({1, panelColumns});
    b.loop({{low, high}}, [&](TileBuilder::Expressions at) { b.store(none, sums, {at[0], zero}); });
  }

  /// Where a row lies in the first operand, in elements from the first one on.
  AffineExpr placeOf(ArrayRef<AffineExpr> coordinates) {
    AffineExpr place = zero;
    for (auto [coordinate, stride] : llvm::zip(coordinates, rowStrides))
      place = place + b.mul(coordinate, stride);
    return place;
  }

  /// The places of the unit's rows, line by line, so that none costs divisions. Behind those of a line its last one
  /// stands again: so it does behind the last line.
  void fillTable() {
    Value steps = b.positions(zero, placesPerStep, /*grows=*/true);
    auto combined = [&](auto op, Value a, AffineExpr other) -> Value {
      return b.create<decltype(op)>(a.getType(), a, b.positions(other, placesPerStep, /*grows=*/false));
    };
    steps = combined(MulOp(), steps, rowStrides.back());
    forEachLineOf(firstRow, endRow, rowSizes.back(), ArrayRef(rowSizes).drop_back(),
                  [&](ArrayRef<AffineExpr> line, AffineExpr start, AffineExpr low, AffineExpr high) {
                    SmallVector<AffineExpr> place(line);
                    place.push_back(zero);
                    AffineExpr base = placeOf(place), last = base + b.mul(high - 1, rowStrides.back());
                    b.loop({{low, high + beyondRows(), placesPerStep}}, [&](TileBuilder::Expressions at) {
                      Value places = combined(AddOp(), steps, base + b.mul(at[0], rowStrides.back()));
                      b.store(combined(MinOp(), places, last), table, {start + at[0] - firstRow});
                    });
                  });
  }

  /// The lines that rows from `first` to `end` lie in, of `length` each, in a box of sizes `outer`: their coordinates,
  /// number of their first row, and which of their own rows it is.
  void
  forEachLineOf(AffineExpr first, AffineExpr end, AffineExpr length, ArrayRef<AffineExpr> outer,
                function_ref<void(ArrayRef<AffineExpr> line, AffineExpr start, AffineExpr low, AffineExpr high)> emit) {
    if (outer.empty())
      return emit({}, zero, first, end);
    b.loop({{b.divide(first, length), b.ceilDiv(end, length)}}, [&](TileBuilder::Expressions lines) {
      AffineExpr start = b.mul(lines[0], length);
      emit(b.delinearize(lines[0], outer), start, b.max(first, start) - start, b.min(end, start + length) - start);
    });
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
    b.loop({{zero, columnsHere(), lanes}}, [&](TileBuilder::Expressions at) { emitColumn(at[0]); });
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
    AffineExpr width = columnsHere();
    constantOf(width) ? copyRows(width) : b.peel(width, panelColumns, copyRows);
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
    return known && *known % height != 0 && !isGathered ? b.min(turn, b.constant(*known - height)) : turn;
  }

  /// Where the sums of a row lie: lines behind each other.
  AffineExpr sumsRow(AffineExpr line, AffineExpr row) { return (line - firstLine) * blockExtent() + row - firstRow; }

  void emitTile(RegisterTile tile, AffineExpr part, AffineExpr line) {
    fetchAhead(tile, part);
    SmallVector<AffineExpr> place = {sumsRow(line, tile.turn), tile.column};
    if (isGathered)
      tile.places = b.load(table, place.front(), tile.height);
    if (!waits)
      return emitEnds(tile, multiplyParts(tile));
    if (!isSplit)
      return b.store(multiplyParts(tile), sums, place);
    Value before = b.load(sums, place, shapeOf(tile, tile.width));
    Value after = llvm::product_of(taps) > 1 ? multiplyTap(tile, before, part)
                                             : multiply(tile, before, partStart(part), partEnd(part), unrollOf(tile));
    b.store(after, sums, place);
  }

  /// Moves the sums of a tile that begins early to where its rows are.
  void moveEarlyRows() {
    std::optional<int64_t> known = constantOf(length);
    if (!known || *known % height == 0 || isGathered || hasLines())
      return;
    AffineExpr from = b.constant(llvm::alignDown(*known, height)) - firstRow,
               to = b.constant(*known - height) - firstRow;
    auto move = [&] {
      b.loop({{zero, b.constant(height)}, {zero, columnsHere(), vectorLanes}}, [&](TileBuilder::Expressions at) {
        b.store(b.load(sums, {from + at[0], at[1]}, {1, vectorLanes}), sums, {to + at[0], at[1]});
      });
    };
    endRow == length ? move() : b.when(b.isAtMost(length, endRow), move);
  }

  /// What the kernel gives, from the sums of all parts.
  void emitSums(AffineExpr column, AffineExpr left) {
    if (isFlat) {
      RegisterTile all{{}, firstRow, firstRow, endRow - firstRow, height, column, left, lanes};
      return emitRows(all, sums, zero, column);
    }
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
  // Sums that are turned
  //===--------------------------------------------------------------------===//

  /// What the kernel gives, column by column: blocks of sums are turned in registers first.
  void emitTurned() {
    AffineExpr first = hasLines() ? firstLine * *constantOf(length) : firstRow, end = first + unitRows();
    AffineExpr width = columnsHere();
    b.loop({{zero, unitRows(), vectorLanes}, {zero, width, vectorLanes}}, [&](TileBuilder::Expressions at) {
      Value block = b.load(sums, {at[0], at[1]}, {vectorLanes, vectorLanes}, {}, {1, 0});
      b.store(block, turnedSums, {at[1], at[0]});
    });
    ArrayRef<AffineExpr> outer = ArrayRef(rowSizes).drop_back(run);
    b.loop({{zero, width}}, [&](TileBuilder::Expressions column) {
      forEachLineOf(first, end, together, outer,
                    [&](ArrayRef<AffineExpr> line, AffineExpr start, AffineExpr low, AffineExpr high) {
                      RegisterTile tile;
                      tile.line = SmallVector<AffineExpr>(line);
                      tile.line.append(run - 1, zero);
                      b.tiles(low, high, vectorLanes, [&](AffineExpr row, AffineExpr extent) {
                        Value sums = b.load(turnedSums, {column[0], start + row - first}, vectorLanes, extent);
                        emitTurnedResults(tile, row, column[0], sums, extent);
                      });
                    });
    });
  }

  /// Results whose rows are next to each other, in one dimension as far as they lie together.
  void makeTurnedResults() {
    run = rowsTogether();
    together = one;
    for (AffineExpr size : ArrayRef(rowSizes).take_back(run))
      together = together * size;
    int64_t rank = turned.getType().getRank();
    SmallVector<AffineExpr> sizes =
        llvm::map_to_vector(b.sizes.sizesOf(turned.getResult()), [&](AffineExpr size) { return b.size(size); });
    for (unsigned dim : ArrayRef(roles.rows).take_back(run))
      sizes[turnedDim(dim)] = dim == roles.rows.back() ? together : one;
    for (unsigned i = 0; i < b.results().size(); ++i)
      turnedResults.push_back(
          run == 1 ? b.result(i)
                   : b.view(b.result(i), AffineMap::getMultiDimIdentityMap(rank, op.getContext()), sizes));
  }

  /// The dimension of what is turned that a dimension of the iteration space is.
  int64_t turnedDim(unsigned dim) {
    return llvm::find(turned.getPermutation(), (int64_t)*positionIn(2, dim)) - turned.getPermutation().begin();
  }

  /// How many of the last dimensions of rows run together in all that has the results' sizes: no op asks for a place
  /// along one of them.
  int64_t rowsTogether() {
    SmallVector<AffineExpr> space = b.sizes.sizesOf(turned.getResult());
    int64_t firstFree = 0;
    for (unsigned i = 0; i < b.results().size(); ++i)
      if (b.takesStrides(i))
        return 1;
    for (auto [i, tensor] : llvm::enumerate(b.kernel.getBody().getArguments().drop_front(b.kernel.getNumSymbols())))
      if (b.kernel.takesStrides(i) && b.sizes.sizesOf(tensor) == space)
        return 1;
    for (Operation &other : b.kernel.getBody().front().without_terminator()) {
      if (auto broadcast = dyn_cast<BroadcastOp>(other)) {
        for (int64_t dim : broadcast.getDims())
          firstFree = std::max(firstFree, dim + 1);
      } else if (other.getNumResults() == 1 && isa<RankedTensorType>(other.getResult(0).getType()) &&
                 !other.hasTrait<OpTrait::Elementwise>() &&
                 !isa<ConstantOp, ContractOp, UnpackOp, WindowRowsOp>(other) && &other != turned) {
        return 1;
      }
    }
    int64_t count = 1;
    for (int64_t dim = turnedDim(roles.rows.back()); dim >= firstFree && count < (int64_t)roles.rows.size(); ++count) {
      int64_t before = turnedDim(roles.rows[roles.rows.size() - 1 - count]);
      if (before < firstFree || !areNeighbours(before, dim, turned.getType().getShape()))
        break;
      dim = before;
    }
    return count;
  }

  void emitTurnedResults(const RegisterTile &tile, AffineExpr row, AffineExpr column, Value sums, AffineExpr extent) {
    SmallVector<AffineExpr> source = resultPlace(tile, row, panel * panelColumns + column), place;
    for (int64_t dim : turned.getPermutation())
      place.push_back(source[dim]);
    int64_t dim = turnedDim(roles.rows.back());
    auto results =
        b.compute(b.results(), place, vectorLanes, extent, dim, TileBuilder::Known{turned.getResult(), sums});
    for (auto [i, result] : llvm::enumerate(results))
      b.store(result, turnedResults[i], place, extent, dim);
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
        if (!roles.rows.empty() && !isGathered)
          extents = {tile.rows, b.constant(products)};
        SmallVector<std::pair<int64_t, Value>> gathered;
        if (tile.places)
          gathered.push_back({0, tile.places});
        SmallVector<int64_t> steps;
        if (isClipped())
          steps = {windows.getStrides().back(), 1};
        Value a = b.load(lhs, lhsPlace(tile, k), shapeOf(tile, products), extents, lhsDims(), gathered, steps);
        Value columns;
        if (packed)
          columns = b.load(rhs, panelPlace(start + k, tile.column), {products, tile.width});
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

  int64_t panelWidth() { return knobOf(knob::panelColumns); }
  /// Where products of columns lie in panels, which may be narrower or wider than the columns of a unit.
  SmallVector<AffineExpr> panelPlace(AffineExpr k, AffineExpr column) {
    if (panelWidth() == panelColumns)
      return {panel, k, column};
    AffineExpr all = panel * panelColumns + column;
    return {all.floorDiv(panelWidth()), k, all % panelWidth()};
  }
  /// Where the factors of a tile's rows lie. Of windows the places within one are the last dimensions.
  SmallVector<AffineExpr> lhsPlace(const RegisterTile &tile, AffineExpr k) {
    SmallVector<AffineExpr> place;
    if (isClipped()) {
      place = tap;
      place.back() = place.back() + tile.row * windows.getStrides().back();
      place.push_back(k);
      return place;
    }
    if (isGathered)
      place.push_back(tile.place ? tile.place : zero);
    for (AffineExpr expression : map(0).getResults()) {
      unsigned dim = cast<AffineDimExpr>(expression).getPosition();
      if (!isKept(dim))
        continue;
      if (dim == roles.depth)
        llvm::append_range(place, tap);
      place.push_back(dim == roles.depth ? k : coordinateOf(tile, dim));
    }
    return place;
  }

  /// Whether the view of the first operand still has a dimension.
  bool isKept(unsigned dim) {
    if (isGathered && windows)
      return dim == roles.depth;
    bool isRow = llvm::is_contained(roles.rows, dim);
    return !isRow || !(isGathered || (isCollapsed && dim != roles.rows.back()));
  }

  /// The dimensions of the first operand that a tile's rows, if it has any, and its products lie along.
  SmallVector<int64_t> lhsDims() {
    int64_t next = isGathered, depthDim = 0;
    if (isClipped())
      return {(int64_t)taps.size(), (int64_t)taps.size() + 1};
    SmallVector<int64_t> dims;
    if (isGathered)
      dims.push_back(0);
    for (AffineExpr expression : map(0).getResults()) {
      unsigned dim = cast<AffineDimExpr>(expression).getPosition();
      if (!isKept(dim))
        continue;
      if (dim == roles.depth)
        depthDim = next += taps.size();
      else if (!roles.rows.empty() && dim == roles.rows.back())
        dims.push_back(next);
      ++next;
    }
    dims.push_back(depthDim);
    return dims;
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
    if (row == roles.rows.size())
      return zero;
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
    forEachLineOf(tile.row, tile.row + tile.rows, rowSizes.back(), ArrayRef(rowSizes).drop_back(),
                  [&](ArrayRef<AffineExpr> place, AffineExpr start, AffineExpr low, AffineExpr high) {
                    RegisterTile line = tile;
                    line.line = SmallVector<AffineExpr>(place);
                    b.loop({{low, high}},
                           [&](TileBuilder::Expressions at) { emit(line, at[0], start + at[0] - tile.row); });
                  });
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
    AffineExpr all = lines * length, block = hasLines() ? linesPerBlock * *constantOf(length) : endRow - firstRow;
    if (isResident) {
      rows = b.select(isResident, all, block);
      place = b.select(isResident, inAll, inBlock);
    } else {
      rows = rowsAreInner ? all : linesPerBlock * std::min(blockExtent(), *constantOf(length));
      place = rowsAreInner ? inAll : inBlock;
    }
    int64_t tiles = panelColumns / lanes;
    perRow = b.ceilDiv(depth * panelColumns, rows * (parts * tiles));
    AffineExpr visit = part * tiles + column.floorDiv(lanes);
    return b.mul(b.mul(visit, rows) + place, perRow);
  }

  void prefetchPanel(const RegisterTile &tile, AffineExpr k) {
    AffineExpr step = b.ceilDiv(perRow * tile.height, isSplit ? partDepth : depth);
    // The units of a panel fetch parts of the next one, as do those before it.
    AffineExpr next = panel + 1, place = tile.visit + b.mul(k, step);
    int64_t units = panelWidth() / panelColumns;
    if (units > 1)
      return b.prefetch(rhs, {next.floorDiv(units), zero, place + b.mul(next % units, depth * panelColumns)});
    b.prefetch(rhs, {next * (panelColumns / panelWidth()), zero, place});
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
    if (waits)
      return;
    auto fetchRows = [&](Value memory, bool isWrite) {
      for (int64_t i = 0; i < tile.height; ++i)
        b.prefetch(memory, resultPlace(tile, tile.row + i, column), isWrite);
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
  std::optional<int64_t> packed; ///< the dimension of a constant second operand that is summed: it comes in panels
  WindowRowsOp windows;
  TransposeOp turned; ///< what the results are made of, where their rows are next to each other, or null
  ScheduleAttr schedule;
  int64_t lanes, vectorLanes, tileRows, depthBlock;
  Type element;
  AffineExpr zero, one;

  AffineExpr depth, columns, lines, length;
  SmallVector<AffineExpr> batchSizes, rowSizes;
  AffineExpr blocks;   ///< of rows: units of work
  bool isFlat = false; ///< whether tiles go on from line to line
  AffineExpr linesPerBlock;
  int64_t mostLines = 1, height = 1;

  Value lhs, rhs;
  SmallVector<int64_t> taps; ///< of a window, those that don't run on in the image
  AffineExpr runDepth;       ///< products of a part of windows, or all
  int64_t parts = 1;         ///< of the summed dimension, where its sums wait in scratch
  AffineExpr partDepth;
  bool isSplit = false;
  bool isCollapsed = false; ///< whether the rows of the first operand are one dimension, though not those of results
  bool isGathered = false;  ///< whether the places of rows stand in a table
  SmallVector<AffineExpr> rowStrides; ///< along each dimension, of the first operand, where they do
  bool wholeInRows = false;           ///< whether what follows a whole tile goes through scratch
  bool waits = false;                 ///< whether the sums of a unit wait in scratch
  int64_t sumsRows = 0;
  Value sums, turnedSums, table, copy, epilogue; ///< scratch, or null
  SmallVector<Value> turnedResults;              ///< their rows in one dimension, as far as they run together
  int64_t run = 1;                               ///< so many of rows' last dimensions do
  AffineExpr together;                           ///< and so many rows

  bool rowsAreInner = false;
  Value isResident; ///< the same, where it shows at run time
  SmallVector<AffineExpr> batch;
  SmallVector<AffineExpr> tap; ///< within a window; of clipped ones, in the image, in front of the row along a line
  AffineExpr panel, firstLine, endLine, firstRow, endRow, leftColumns;
  AffineExpr perRow; ///< elements of the next panel for each row of each register tile
};
} // namespace

Value codegen::makePanels(OpBuilder &builder, Value matrix, int64_t depth, int64_t width) {
  Location loc = matrix.getLoc();
  auto reshape = [&](Value value, ArrayRef<int64_t> shape) -> Value {
    auto type = cast<RankedTensorType>(value.getType()).clone(shape);
    return ReshapeOp::create(builder, loc, type, value, ValueRange(), shape);
  };
  auto type = cast<RankedTensorType>(matrix.getType());
  int64_t rows = type.getDimSize(depth), columns = type.getDimSize(1 - depth);
  int64_t panels = llvm::divideCeil(columns, width);
  if (columns % width != 0) {
    Type element = type.getElementType();
    auto scalar = RankedTensorType::get({}, element);
    Value zero = ConstantOp::create(builder, loc, scalar, DenseElementsAttr::get(scalar, builder.getZeroAttr(element)));
    SmallVector<int64_t> low(2, 0), high(2, 0), shape(type.getShape());
    shape[1 - depth] = panels * width;
    high[1 - depth] = panels * width - columns;
    matrix = PadOp::create(builder, loc, type.clone(shape), PadMode::constant, matrix, zero, ValueRange(), ValueRange(),
                           low, high);
  }
  SmallVector<int64_t> parts = {rows, panels, width}, permutation = {1, 0, 2};
  if (depth == 1) {
    parts = {panels, width, rows};
    permutation = {0, 2, 1};
  }
  matrix = reshape(matrix, parts);
  return TransposeOp::create(builder, loc, type.clone({panels, rows, width}), matrix, permutation);
}

void codegen::buildContraction(KernelOp kernel, const KernelStructure &structure, ScheduleAttr schedule) {
  ContractionBuilder(kernel, structure, schedule).build();
}

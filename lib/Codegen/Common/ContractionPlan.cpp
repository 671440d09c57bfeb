//===- ContractionPlan.cpp - How the program of a contraction goes about its work ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractionPlan.h"
#include "tenon/Codegen/Common/VectorSpace.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

static constexpr int64_t bytesOfElement = 4;

/// The error of a sum grows with its products: from so many on they are summed up in blocks, which are as long as ONNX
/// Runtime's. Tiles of 6 rows and 16 columns that load and store the sums of each block pay 1.04 of the time of blocks
/// of 768 for that (128x3072x768, AVX2 on a Zen 4); blocks of 512 cost nothing, but the error is 1.8 of ONNX Runtime's.
static constexpr int64_t deepSum = 1024, sumBlock = 256;

bool codegen::areNeighbours(int64_t first, int64_t second, ArrayRef<int64_t> shape) {
  return first < second &&
         llvm::all_of(shape.slice(first + 1, second - first - 1), [](int64_t size) { return size == 1; });
}

RateAttr codegen::productsRate(ContractOp op, TargetAttrInterface target) {
  Type lhs = getElementTypeOrSelf(op.getLhs()), rhs = getElementTypeOrSelf(op.getRhs()),
       sum = getElementTypeOrSelf(op.getResult());
  if (!isa<IntegerType>(sum))
    return nullptr;
  Type wide = IntegerType::get(op.getContext(), 16), shorter;
  if (op->hasAttr(kSevenBitsAttr))
    shorter = IntegerType::get(op.getContext(), 7);
  RateAttr best;
  for (RateAttr rate : target.getRates()) {
    // Numbers of 8 bits are held by 16 whatever their sign.
    bool fits = (rate.getLhs() == lhs && (rate.getRhs() == rhs || rate.getRhs() == shorter)) ||
                (rate.getLhs() == wide && rate.getRhs() == wide);
    if (fits && rate.getSum() == sum && rate.getInstruction().getM() == 1 &&
        (!best || rate.getProductsPerCycle() > best.getProductsPerCycle()))
      best = rate;
  }
  return best;
}

RateAttr codegen::fragmentsRate(ContractOp op, TargetAttrInterface target) {
  RateAttr byRows = productsRate(op, target);
  std::optional<int64_t> packed = constantDepth(op);
  if (!byRows || !packed || columnsExpression(op) || !isa<BlockArgument>(op.getLhs()) ||
      contractionRoles(op)->rows.empty())
    return nullptr;
  int64_t depth = cast<RankedTensorType>(op.getRhs().getType()).getDimSize(*packed);
  for (RateAttr rate : target.getRates()) {
    InstructionAttr instruction = rate.getInstruction();
    if (instruction.getM() > 1 && rate.getLhs() == byRows.getLhs() && rate.getRhs() == byRows.getRhs() &&
        rate.getSum() == byRows.getSum() && instruction.getK() % byRows.getInstruction().getK() == 0 &&
        depth % instruction.getK() == 0)
      return rate;
  }
  return nullptr;
}

ContractionPlan::ContractionPlan(TileBuilder &b, const KernelStructure &structure, ScheduleAttr schedule)
    : b(b), op(structure.contract), roles(*contractionRoles(op)), packed(constantDepth(op)),
      expression(columnsExpression(op)), windows(op.getLhs().getDefiningOp<WindowRowsOp>()), turned(structure.turned),
      schedule(schedule), lanes(lanesOf(schedule)), vectorLanes(*schedule.get(knob::vectorBytes) / bytesOfElement),
      tileRows(knobOf(knob::tileRows)), depthBlock(knobOf(knob::depthBlock)), unitRows(knobOf(knob::unitRows)),
      unitColumns(knobOf(knob::unitColumns)), element(Float32Type::get(op.getContext())), rowElement(element),
      columnElement(element), zero(b.constant(0)), one(b.constant(1)) {
  auto target = cast<TargetAttrInterface>(b.program->getParentOfType<VariantOp>().getTarget());
  nearestBytes = target.getMemories().front().getBytes();
  if (RateAttr rate = productsRate(op, target)) {
    via = rate.getInstruction();
    runLength = via.getK();
    element = rate.getSum();
    rowElement = rate.getLhs();
    columnElement = rate.getRhs() == rate.getLhs() ? rate.getRhs() : getElementTypeOrSelf(op.getRhs());
  } else if (Type sum = getElementTypeOrSelf(op.getResult()); isa<IntegerType>(sum)) {
    element = rowElement = columnElement = sum;
  }
  measure();
  // Behind the last column there is nothing to do.
  if (std::optional<int64_t> known = constantOf(columns); known && !expression)
    unitColumns = std::min<int64_t>(wholeColumns(unitColumns), llvm::alignTo(std::max<int64_t>(*known, 1), lanes));
  measureRows();
  if (windows)
    measureWindows();
  else
    runDepth = depth;
  padRuns();
  partDepth = runDepth;
  isCollapsed = isFlat && !windows && rowsRunOn();
  isGathered = isFlat && !isCollapsed && !isClipped();
  useFragments(target);
  if (std::optional<int64_t> bytes = constantOf(bytesOfRows()))
    rowsAreInner = *bytes <= knobOf(knob::residentBytes);
  splitDepth();
  placeSums();
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

AffineExpr ContractionPlan::sizeOf(unsigned dim) {
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

void ContractionPlan::measure() {
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
}

/// Tiles that are as high as fragments want it, but lie elsewhere than one row a stride behind the other, would have
/// more sums than there are registers: they are as high as vectors want it instead.
void ContractionPlan::useFragments(TargetAttrInterface target) {
  RateAttr rate = fragmentsRate(op, target);
  auto instruction = rate ? rate.getInstruction() : InstructionAttr();
  if (!rate || tileRows % instruction.getM() != 0 || lanes % instruction.getN() != 0)
    return;
  if (height == tileRows && !isGathered && !isNarrow() && !isWide()) {
    fragments = instruction;
    return;
  }
  int64_t vectors = lanes / vectorLanes, registers = cast<CPUTargetAttr>(target).getVectorRegisters();
  tileRows = std::min(tileRows, (registers - vectors - 1) / vectors);
  isFlat = isCollapsed = isGathered = false;
  mostLines = 1;
  measureRows();
  isCollapsed = isFlat && rowsRunOn();
  isGathered = isFlat && !isCollapsed;
}

int64_t ContractionPlan::wholeColumns(int64_t most) {
  return expression || constantOf(columns).value_or(most) <= lanes || most < lanes ? most
                                                                                   : llvm::alignDown(most, lanes);
}

void ContractionPlan::measureRows() {
  AffineExpr rows = one;
  for (AffineExpr size : rowSizes)
    rows = rows * size;
  blocks = rows.ceilDiv(unitRows);
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
      mostLines = constantOf(linesPerBlock).value_or(llvm::divideCeil(unitRows, *constantOf(length)));
    }
  }
  height = tileRows;
  if (std::optional<int64_t> known = constantOf(isClipped() ? rowSizes.back() : length))
    height = std::clamp<int64_t>(*known, 1, tileRows);
  // Of whole tiles, fewer blocks may do.
  if (std::optional<int64_t> known = constantOf(length); known && *known > 0 && !hasLines())
    blocks = b.constant(llvm::divideCeil(*known, blockExtent()));
}

/// Whether tiles within lines are hardly more than tiles that go on from line to line.
bool ContractionPlan::fitLines(AffineExpr rows) {
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

/// Whether the rows of the first operand lie one behind the other, from line to line.
bool ContractionPlan::rowsRunOn() {
  unsigned operand = cast<BlockArgument>(op.getLhs()).getArgNumber() - b.kernel.getNumSymbols();
  if (b.kernel.takesStrides(operand))
    return false;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op.getLhs().getType()).getShape();
  return llvm::all_of(llvm::zip(roles.rows, ArrayRef(roles.rows).drop_front()), [&](auto pair) {
    return areNeighbours(*positionIn(0, std::get<0>(pair)), *positionIn(0, std::get<1>(pair)), shape);
  });
}

int64_t ContractionPlan::blockExtent() {
  if (hasLines())
    return llvm::alignTo(*constantOf(length), height);
  if (!constantOf(length))
    return llvm::alignTo(unitRows, height);
  return llvm::alignTo(llvm::divideCeil(*constantOf(length), std::max<int64_t>(*constantOf(blocks), 1)), height);
}

int64_t ContractionPlan::beyondRows() {
  std::optional<int64_t> known = constantOf(length);
  return (!known ? restRows : *known % height == 0 ? 1 : height) - 1;
}

int64_t ContractionPlan::bytesPerRow() {
  int64_t bytes = getElementTypeOrSelf(op.getLhs()).getIntOrFloatBitWidth() / 8;
  return (windows ? elementsPerWindow() : constantOf(depth).value_or(depthBlock)) * bytes;
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

int64_t ContractionPlan::elementsPerWindow() {
  return cast<RankedTensorType>(windows.getOperand().getType()).getShape().back() *
         llvm::product_of(windows.getStrides());
}

/// Parts of windows run on in the image, as long as a window has all of their elements. Of clipped ones each tap is
/// a part.
void ContractionPlan::measureWindows() {
  int64_t run = cast<RankedTensorType>(windows.getOperand().getType()).getShape().back();
  taps.assign(windows.getSizes().begin(), windows.getSizes().end());
  if (!isClipped() && windows.getDilations().back() == 1)
    run *= taps.pop_back_val();
  runDepth = b.constant(run);
}

/// Runs of products are whole: what is added to the last one of a part is zero in the columns.
void ContractionPlan::padRuns() {
  storedDepth = runDepth;
  if (runLength == 1)
    return;
  runDepth = b.constant(llvm::alignTo(*constantOf(storedDepth), runLength));
  depth = runDepth * llvm::product_of(taps);
  runsGoOn = isRagged() && imageGoesOn();
}

/// Whether the last part of the last window ends so early that its last run is still in the image: what is added to it
/// is multiplied with zeros.
bool ContractionPlan::imageGoesOn() {
  if (!windows || isClipped() ||
      b.kernel.takesStrides(cast<BlockArgument>(windows.getOperand()).getArgNumber() - b.kernel.getNumSymbols()))
    return false;
  ArrayRef<int64_t> image = cast<RankedTensorType>(windows.getOperand().getType()).getShape().drop_front(),
                    places = cast<RankedTensorType>(windows.getType()).getShape().drop_front();
  int64_t spatial = windows.getSizes().size(), last = 0;
  for (int64_t dim = 0; dim < spatial; ++dim) {
    if (ShapedType::isDynamic(image[dim]) || ShapedType::isDynamic(places[dim]))
      return false;
    int64_t tap = dim < (int64_t)taps.size() ? (windows.getSizes()[dim] - 1) * windows.getDilations()[dim] : 0;
    last = last * image[dim] + (places[dim] - 1) * windows.getStrides()[dim] + tap;
  }
  return last * image.back() + *constantOf(runDepth) <= llvm::product_of(image);
}

//===----------------------------------------------------------------------===//
// The summed dimension
//===----------------------------------------------------------------------===//

/// A long row of tiles would leave the cache before its columns come around again: the sums of a part wait in scratch.
void ContractionPlan::splitDepth() {
  std::optional<int64_t> total = constantOf(depth);
  bool hasTaps = llvm::product_of(taps) > 1, isDeep = isa<FloatType>(element) && total && *total >= deepSum;
  int64_t block = isDeep && !hasTaps ? std::min(depthBlock, sumBlock) : depthBlock;
  isSplit = isClipped() || (total && *total >= (isDeep && !hasTaps ? deepSum : 2 * depthBlock) && !isWide() &&
                            (hasTaps || !isRagged()));
  addsParts = isSplit && isDeep;
  if (isSplit && !isClipped() && !hasTaps) {
    parts = llvm::divideCeil(*total, block);
    // Elements that share words begin with a part.
    constexpr int64_t mostPerWord = 16;
    int64_t shared = expression ? mostPerWord : 4, products = llvm::alignTo(llvm::divideCeil(*total, parts), shared);
    partDepth = b.constant(products);
    products = llvm::alignTo(products, std::lcm<int64_t>(shared, wholeUnroll()));
    parts = llvm::divideCeil(*total, products);
    partDepth = b.constant(products);
  } else if (isSplit) {
    parts = llvm::product_of(taps);
  }
}

std::optional<int64_t> ContractionPlan::sharedProducts() {
  std::optional<int64_t> products = constantOf(isSplit ? partDepth : depth);
  // Other columns are copied before rows are read.
  if (!packed || expression || !isNarrow() || isClipped() || lanes == unitColumns || !products ||
      constantOf(columns).value_or(lanes) <= lanes)
    return std::nullopt;
  int64_t bytes = height * *products * rowElement.getIntOrFloatBitWidth() / 8;
  return bytes <= nearestBytes ? products : std::nullopt;
}

int64_t ContractionPlan::stretch() {
  constexpr int64_t longest = 384, shortest = 128;
  std::optional<int64_t> products = constantOf(isSplit ? partDepth : runDepth);
  if (products && (*products <= longest || isRagged()))
    return *products;
  int64_t unroll = wholeUnroll();
  // Nothing is left over, of the part or at least of a stretch.
  for (int64_t length = longest; products && length >= shortest; length -= vectorLanes)
    if (*products % length == 0 && length % unroll == 0)
      return length;
  return llvm::alignDown(longest, std::lcm<int64_t>(unroll, runLength));
}

AffineExpr ContractionPlan::partStart(AffineExpr part) { return isSplit ? part * *constantOf(partDepth) : zero; }

AffineExpr ContractionPlan::partEnd(AffineExpr part) {
  if (!isSplit)
    return depth;
  bool isWhole = *constantOf(depth) % *constantOf(partDepth) == 0;
  AffineExpr end = partStart(part) + *constantOf(partDepth);
  return isWhole ? end : b.min(end, depth);
}

std::optional<int64_t> ContractionPlan::wideStretch() {
  std::optional<int64_t> total = constantOf(depth);
  if (!isa<FloatType>(element) || !total || *total < deepSum)
    return std::nullopt;
  // No product is left over, if it may be.
  for (int64_t length = sumBlock; length >= sumBlock / 2; length -= 4)
    if (*total % length == 0)
      return length;
  return sumBlock;
}

int64_t ContractionPlan::wholeUnroll() {
  if (!constantOf(depth))
    return 1;
  if (fragments)
    return fragments.getK();
  int64_t unroll = llvm::divideCeil(knobOf(knob::turnSize), height),
          runs = std::gcd(*constantOf(runDepth), *constantOf(partDepth)) / runLength;
  // No product is left over, if it may be. Of windows of few channels none is another row's in the same turn, which
  // LLVM would keep in a register.
  for (int64_t turns = unroll; turns < 2 * unroll && (!windows || turns <= elementsPerWindow()); ++turns)
    if (runs % turns == 0)
      return turns * runLength;
  return unroll * runLength;
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Sums go on to the kernel's results from registers, or, where that is much code, through scratch row by row. They
/// wait there for the whole unit where the summed dimension comes in parts, where rows go on from line to line, and
/// where they are turned, as results want whose rows are next to each other.
void ContractionPlan::placeSums() {
  std::optional<int64_t> known = constantOf(length);
  // Tiles behind whole ones may end later than these would.
  sumsRows = mostLines * blockExtent() + (known && !isClipped() ? 0 : restRows);
  // Whole blocks of sums are turned.
  if (turned)
    sumsRows = llvm::alignTo(sumsRows, vectorLanes) + vectorLanes;
  waits = isSplit || isFlat || turned || fragments;
  wholeInRows = knobOf(knob::epilogueRows) < height || !known;
}

bool ContractionPlan::canBeWide() {
  return packed && (expression || panelWidth() >= unitColumns) && !windows && !turned;
}

bool ContractionPlan::isWide() {
  std::optional<int64_t> known = constantOf(lines * length);
  return canBeWide() && known && *known <= knobOf(knob::wideRows);
}

int64_t ContractionPlan::wideHeight() {
  bool widensColumns = getElementTypeOrSelf(op.getRhs()) != columnElement;
  bool hasSums = lanes >= unitColumns || expression || (widensColumns && tileRows * lanes >= 2 * unitColumns);
  return hasSums && !isFlat ? std::min<int64_t>(2, height) : 1;
}

/// Four vectors, with two sums each, leave registers for what columns are made of.
int64_t ContractionPlan::wideColumns() {
  constexpr int64_t vectors = 4;
  return expression ? std::min({panelWidth(), unitColumns, vectors * vectorLanes}) : unitColumns;
}

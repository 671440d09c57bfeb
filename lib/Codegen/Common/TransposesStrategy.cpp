//===- TransposesStrategy.cpp - Kernels that transpose ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/Strategies.h"
#include "tenon/Codegen/Common/TileBuilder.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

/// Rows of fewer elements don't fill a vector.
static constexpr int64_t shortRow = 8;

/// Whether `op` reads what another kernel wrote, in vectors along dimension `dim` of its result.
static bool isTurned(TransposeOp op, int64_t dim) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  int64_t last = (int64_t)permutation.size() - 1;
  return last > 0 && dim < last && permutation[dim] == last && isa<BlockArgument>(op.getOperand()) &&
         cast<RankedTensorType>(op.getType()).getElementTypeBitWidth() >= 8;
}

/// Whether `op` repeats each element of what another kernel wrote a few times, one behind the other: rows of as many
/// lie along the dimension before the last one.
static bool isRepeated(BroadcastOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  int64_t last = type.getRank() - 1;
  return last > 0 && !op.getDims().empty() && op.getDims().back() == last - 1 && isa<BlockArgument>(op.getOperand()) &&
         !type.isDynamicDim(last) && type.getDimSize(last) < shortRow && type.getElementTypeBitWidth() >= 8;
}

/// The dimension along which transposed operands of the ops lie, of kernels that do little else: each row of a block of
/// vectors is code of its own. It must fill vectors; the last dimension must do so, or be so short that rows of it are
/// written together, as are elements that are repeated.
static std::optional<int64_t> turnedDim(const OpGroup &group) {
  constexpr int64_t maxOps = 6;
  if (llvm::none_of(group.ops(), llvm::IsaPred<TransposeOp, BroadcastOp>))
    return std::nullopt;
  auto isShort = [](AffineExpr size) {
    int64_t known = SizeAnalysis::staticSize(size);
    return !ShapedType::isDynamic(known) && known < shortRow;
  };
  auto computes = [](Operation *op) { return op->hasTrait<OpTrait::Elementwise>(); };
  if (llvm::count_if(group.ops(), computes) > maxOps || llvm::any_of(group.ops(), llvm::IsaPred<DecomposableInterface>))
    return std::nullopt;
  SmallVector<AffineExpr> space = group.sizes.sizesOf(group.firstResult());
  for (Operation *op : group.ops())
    if (auto transpose = dyn_cast<TransposeOp>(op))
      for (int64_t dim = 0; dim + 1 < (int64_t)space.size(); ++dim)
        if (isTurned(transpose, dim) && group.sizesOf(transpose) == space && !isShort(space[dim]))
          return dim;
  // What else there is would be computed for each of them.
  Operation *only = group.ops().size() == 1 ? group.ops().front() : nullptr;
  if (auto broadcast = dyn_cast_if_present<BroadcastOp>(only))
    if (int64_t dim = (int64_t)space.size() - 2; isRepeated(broadcast) && !isShort(space[dim]))
      return dim;
  return std::nullopt;
}

/// Places along a dimension that make up a unit of work: about a square of those along which operands and results lie,
/// so that both are read and written some cache lines at a time.
static int64_t turnedPlaces(ArrayRef<AffineExpr> space, int64_t turned, int64_t dim, int64_t unitElements) {
  constexpr int64_t mostLanes = 16;
  int64_t side = std::max<int64_t>(llvm::bit_floor((uint64_t)std::sqrt((double)unitElements)), mostLanes);
  int64_t last = space.size() - 1;
  if (dim != turned && dim != last)
    return 1;
  int64_t other = SizeAnalysis::staticSize(space[dim == last ? turned : last]);
  if (ShapedType::isDynamic(other) || other >= side)
    return side;
  return llvm::alignTo(unitElements / std::max<int64_t>(other, 1), mostLanes);
}

namespace {
/// The program of a kernel that transposes: an operand lies along another dimension than the results do. Blocks of it,
/// as high as vectors are long, are turned in registers. Where the results' rows are shorter than a vector, they are
/// written as columns. What is left at the ends is read element by element.
class TurnedProgram {
public:
  TurnedProgram(KernelOp kernel, ScheduleAttr schedule)
      : builder(kernel), lanes(lanesOf(schedule)), unitElements(*schedule.get(knob::unitElements)) {
    OpGroup group(kernel, builder.sizes);
    sizes = builder.sizes.sizesOf(group.firstResult());
    dim = *turnedDim(group);
    last = sizes.size() - 1;
    for (TransposeOp op : kernel.getBody().getOps<TransposeOp>())
      if (isTurned(op, dim) && builder.sizes.sizesOf(op.getResult()) == sizes)
        transposes.push_back(op);
  }

  void write() {
    SmallVector<TileBuilder::Dim> units;
    for (int64_t d = 0; d <= last; ++d)
      units.push_back({builder.constant(0), builder.size(sizes[d]), turnedPlaces(sizes, dim, d, unitElements),
                       d == dim || d == last});
    builder.grid(units, [&](Expressions arguments) {
      const AffineExpr *argument = arguments.begin();
      for (int64_t d = 0; d <= last; ++d) {
        place.push_back(*argument++);
        if (d == dim || d == last)
          (d == dim ? rows : columns) = rangeOf(d, *argument++);
      }
      int64_t length = SizeAnalysis::staticSize(sizes[last]);
      if (!ShapedType::isDynamic(length) && length < shortRow)
        writeShortRows(length);
      else
        writeBlocks();
    });
  }

private:
  using Expressions = TileBuilder::Expressions;

  /// Elements that make up a line of a cache.
  static constexpr int64_t lineElements = 16;

  /// A unit's places along a dimension: whole vectors of them, and how many are left, as many in all units where the
  /// size is known.
  struct Range {
    AffineExpr low, wholeEnd, high, rest;
  };

  Range rangeOf(int64_t d, AffineExpr extent) {
    int64_t size = SizeAnalysis::staticSize(sizes[d]);
    AffineExpr low = place[d], high = low + extent;
    if (ShapedType::isDynamic(size))
      return {low, high - extent % lanes, high, extent % lanes};
    return {low, size % lanes == 0 ? high : high - extent % lanes, high, builder.constant(size % lanes)};
  }

  static bool isNone(AffineExpr count) { return SizeAnalysis::staticSize(count) == 0; }

  void loop(AffineExpr low, AffineExpr high, int64_t step, function_ref<void(AffineExpr)> body) {
    builder.loop({{low, high, step}}, [&](Expressions places) { body(places.front()); });
  }

  void writeBlocks() {
    AffineExpr all = builder.constant(lanes);
    // Blocks next to each other write whole cache lines.
    int64_t line = std::max(lanes, lineElements);
    builder.loop({{columns.low, columns.wholeEnd, line, /*extent=*/true}}, [&](Expressions lines) {
      loop(rows.low, rows.wholeEnd, lanes, [&](AffineExpr row) {
        loop(lines[0], lines[0] + lines[1], lanes, [&](AffineExpr column) { writeBlock(row, all, column, all); });
      });
    });
    if (!isNone(rows.rest))
      loop(columns.low, columns.wholeEnd, lanes, [&](AffineExpr column) { writeRestOfRows(column, all); });
    if (isNone(columns.rest))
      return;
    // Once, if at all.
    loop(columns.wholeEnd, columns.high, lanes, [&](AffineExpr column) {
      loop(rows.low, rows.wholeEnd, lanes, [&](AffineExpr row) { writeBlock(row, all, column, columns.rest); });
      if (!isNone(rows.rest))
        writeRestOfRows(column, columns.rest);
    });
  }

  /// Fewer rows than a block has, which is turned nevertheless if their number is known.
  void writeRestOfRows(AffineExpr column, AffineExpr count) {
    if (isa<AffineConstantExpr>(rows.rest) && count == builder.constant(lanes))
      return loop(rows.wholeEnd, rows.high, lanes, [&](AffineExpr row) { writeBlock(row, rows.rest, column, count); });
    loop(rows.wholeEnd, rows.high, 1, [&](AffineExpr row) { writeRow(row, column, count); });
  }

  void writeShortRows(int64_t length) {
    if (length == 0)
      return;
    // Rows that are apart from each other are written one by one.
    bool areApart = dim + 1 != last || llvm::any_of(llvm::seq<size_t>(0, builder.results().size()),
                                                    [&](size_t result) { return builder.takesStrides(result); });
    if (!areApart)
      loop(rows.low, rows.wholeEnd, lanes, [&](AffineExpr row) {
        place[dim] = row, place[last] = builder.constant(0);
        write({length, lanes}, {}, {last, dim}, {});
      });
    if (!areApart && isNone(rows.rest))
      return;
    builder.tiles(builder.constant(0), builder.constant(length), lanes, [&](AffineExpr column, AffineExpr count) {
      loop(areApart ? rows.low : rows.wholeEnd, rows.high, 1, [&](AffineExpr row) { writeRow(row, column, count); });
    });
  }

  void writeRow(AffineExpr row, AffineExpr column, AffineExpr count) {
    place[dim] = row, place[last] = column;
    write(lanes, count, {}, {});
  }

  void writeBlock(AffineExpr row, AffineExpr rowCount, AffineExpr column, AffineExpr count) {
    place[dim] = row, place[last] = column;
    int64_t shape[] = {lanes, lanes};
    AffineExpr extents[] = {rowCount, count};
    SmallVector<int64_t> dims = {dim, last};
    if (dim + 1 == last)
      dims.clear();
    SmallVector<TileBuilder::Known> turned;
    for (TransposeOp op : transposes) {
      ArrayRef<int64_t> permutation = op.getPermutation();
      SmallVector<AffineExpr> source(place);
      for (auto [from, at] : llvm::zip(permutation, place))
        source[from] = at;
      turned.push_back({op.getResult(), builder.load(builder.memoryOf(op.getOperand()), source, shape, extents,
                                                     {permutation[dim], permutation[last]})});
    }
    write(shape, extents, dims, turned);
  }

  void write(ArrayRef<int64_t> shape, Expressions extents, ArrayRef<int64_t> dims, ArrayRef<TileBuilder::Known> known) {
    for (auto [result, tile] : llvm::enumerate(builder.compute(builder.results(), place, shape, extents, dims, known)))
      builder.store(tile, builder.result(result), place, extents, dims);
  }

  TileBuilder builder;
  int64_t lanes, unitElements, dim, last;
  SmallVector<AffineExpr> sizes, place;
  SmallVector<TransposeOp> transposes;
  Range rows, columns; ///< along the turned and the last dimension
};

class TransposesStrategy : public ElementsStrategy {
public:
  StringRef getName() const override { return "transposes"; }

  bool suits(const OpGroup &group) const override { return turnedDim(group).has_value(); }

  KernelStructure structureOf(const OpGroup &group) const override {
    KernelStructure result;
    result.space = group.sizes.sizesOf(group.firstResult());
    result.unitDims = result.kept();
    result.work = group.sizes.constant(1);
    int64_t turned = *turnedDim(group);
    for (int64_t dim : result.unitDims)
      result.work =
          result.work * result.space[dim].ceilDiv(turnedPlaces(result.space, turned, dim, UnitSpace::usualElements));
    return result;
  }

  std::unique_ptr<ScheduleSpace> spaceOf(KernelOp kernel, TargetAttrInterface target) const override {
    auto cpu = dyn_cast<CPUTargetAttr>(target);
    return cpu ? std::make_unique<UnitSpace>(kernel, cpu, "transposing kernels", /*hasVectors=*/false) : nullptr;
  }

  LogicalResult build(KernelOp kernel, ScheduleAttr schedule) const override {
    TurnedProgram(kernel, schedule).write();
    return success();
  }
};
} // namespace

void codegen::addTransposesStrategy(TileDialect *dialect) { addStrategy<TransposesStrategy>(dialect); }

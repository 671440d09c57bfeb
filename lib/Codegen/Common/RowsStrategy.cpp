//===- RowsStrategy.cpp - Kernels that reduce rows ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelFunction.h"
#include "TileCombination.h"
#include "tenon/Codegen/Common/Strategies.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
class RowsStrategy : public KernelStrategy {
public:
  StringRef getName() const override { return "rows"; }
  bool suits(const OpGroup &group) const override { return group.has(Role::rows); }
  bool accepts(const OpGroup &group, raw_ostream *reason) const override;
  KernelStructure structureOf(const OpGroup &group) const override;
  SmallVector<FreeSize> freeSizesOf(const OpGroup &group, const KernelStructure &structure,
                                    const FusionPrices &prices) const override;
  std::unique_ptr<ScheduleSpace> spaceOf(KernelOp kernel, TargetAttrInterface target) const override;
  int64_t estimateInstructions(Operation *op) const override { return codegen::estimateInstructions(op); }
  LogicalResult build(KernelOp kernel, ScheduleAttr schedule) const override;
};
} // namespace

/// The first op that says what rows are.
static Operation *rowsOf(const OpGroup &group) {
  return *llvm::find_if(group.ops(), [](Operation *op) { return roleOf(op) == Role::rows; });
}

/// Reductions of the same rows, ops on whole rows, and ops on one value per row.
bool RowsStrategy::accepts(const OpGroup &group, raw_ostream *reason) const {
  Operation *rows = rowsOf(group);
  SmallVector<int64_t> reduced = roleDimsOf(rows), kept;
  SmallVector<AffineExpr> space = group.sizes.sizesOf(rows->getOperand(0)), perRowSpace;
  for (int64_t dim = 0; dim < (int64_t)space.size(); ++dim)
    if (!llvm::is_contained(reduced, dim))
      kept.push_back(dim), perRowSpace.push_back(space[dim]);
  for (Operation *op : group.ops()) {
    Role role = roleOf(op);
    if (role == Role::rows && (roleDimsOf(op) != reduced || group.sizes.sizesOf(op->getOperand(0)) != space))
      return refuse(reason, "{0} and {1} go along different rows", nodeNameOf(rows), nodeNameOf(op));
    if (role != Role::rows && role != Role::free && role != Role::cheap)
      return refuse(
          reason, "{0} combines rows, and {1} computes more than arithmetic on elements: each has a kernel of its own",
          nodeNameOf(rows), nodeNameOf(op));
  }
  DenseSet<Value> perRow, whole;
  for (Operation *op : group.ops()) {
    Value result = op->getResult(0);
    bool readsPerRow = llvm::any_of(op->getOperands(), [&](Value operand) { return perRow.contains(operand); });
    bool readsWhole = llvm::any_of(op->getOperands(), [&](Value operand) { return whole.contains(operand); });
    if (roleOf(op) == Role::rows) {
      if (readsPerRow)
        return refuse(reason, "{0} goes along what there is one of per row of {1}", nodeNameOf(op), nodeNameOf(rows));
      bool isPerRow = cast<RankedTensorType>(result.getType()).getRank() == (int64_t)kept.size();
      (isPerRow ? perRow : whole).insert(result);
    } else if (auto broadcast = dyn_cast<BroadcastOp>(op); broadcast && readsPerRow) {
      if (broadcast.getDims() != ArrayRef(kept) || group.sizesOf(op) != space)
        return refuse(reason, "{0} repeats the result of a row along something else than the row", nodeNameOf(op));
      whole.insert(result);
    } else if (readsPerRow || readsWhole) {
      if (!op->hasTrait<OpTrait::Elementwise>() || readsPerRow == readsWhole ||
          group.sizesOf(op) != (readsPerRow ? perRowSpace : space))
        return refuse(reason, "{0} reads results of {1} elsewhere than at their own place", nodeNameOf(op),
                      nodeNameOf(rows));
      (readsPerRow ? perRow : whole).insert(result);
    }
    if (group.isReadOutside(op) && !perRow.contains(result) && group.sizesOf(op) != space)
      return refuse(reason, "{0} is read elsewhere, and has other sizes than the rows of {1}", nodeNameOf(op),
                    nodeNameOf(rows));
  }
  return true;
}

KernelStructure RowsStrategy::structureOf(const OpGroup &group) const {
  KernelStructure result;
  Operation *rows = rowsOf(group);
  result.space = group.sizes.sizesOf(rows->getOperand(0));
  result.reduced = roleDimsOf(rows);
  result.unitDims = result.kept();
  // Vectors run along the last dimension.
  if (!result.unitDims.empty() && result.unitDims.back() == (int64_t)result.space.size() - 1)
    result.unitDims.pop_back();
  result.work = group.sizes.constant(1);
  for (int64_t dim : result.unitDims)
    result.work = result.work * result.space[dim];
  return result;
}

SmallVector<FreeSize> RowsStrategy::freeSizesOf(const OpGroup &group, const KernelStructure &structure,
                                                const FusionPrices &) const {
  if (structure.space.size() < 2)
    return {};
  return {{rowsOf(group)->getOperand(0), 0}};
}

namespace {
/// How long reductions are cut: along a dimension, in parts of so many steps of some elements each.
struct Cut {
  int64_t dim, stepElements;
  AffineExpr length; ///< steps

  int64_t steps(int64_t elements) const { return std::max(elements / stepElements, leastSteps); }
  /// Fewer parts than two are none.
  static constexpr int64_t leastParts = 2;
  /// What parts give, which waits in memory of the launch, is small beside what they read.
  static constexpr int64_t leastSteps = 16;
};

/// Parts of about so many elements: each takes longer than it takes to combine what parts give.
class RowsSpace : public VectorSpace {
public:
  RowsSpace(KernelOp kernel, CPUTargetAttr target, int64_t length, int64_t instructions, const std::optional<Cut> &cut)
      : VectorSpace(kernel, target, "kernels of rows", /*hasVectors=*/true, length, instructions) {
    constexpr int64_t candidates[] = {16384, 4096, 65536};
    if (!cut)
      return;
    // What is known to be short has no parts.
    int64_t steps = SizeAnalysis::staticSize(cut->length);
    if (ShapedType::isDynamic(steps) || steps >= Cut::leastParts * cut->steps(candidates[0]))
      knobs.push_back({knob::partElements, llvm::to_vector(candidates)});
  }

  bool isLegal(ArrayRef<int64_t> point, raw_ostream *reason) const override {
    for (auto [knob, value] : llvm::zip(knobs, point))
      if (knob.name == knob::partElements && value < leastElements)
        return refuse(reason, "parts of reductions have at least {0} elements, not {1}", leastElements, value);
    return VectorSpace::isLegal(point, reason);
  }

private:
  static constexpr int64_t leastElements = 256;
};
} // namespace

/// How the kernel's reductions can be cut into parts, if there is nothing in it but reductions and what is computed
/// from their results.
static std::optional<Cut> cutOf(const OpGroup &group, const KernelStructure &structure) {
  for (Operation *op : group.ops())
    if (roleOf(op) == Role::rows && !isa<ReduceOp>(op))
      return std::nullopt;
  for (Operation *op : group.ops())
    for (Value result : op->getResults())
      if (group.isReadOutside(op) &&
          cast<RankedTensorType>(result.getType()).getRank() != (int64_t)structure.kept().size())
        return std::nullopt;
  // The dimension whose length isn't known is cut; else the outermost that has enough parts, as parts of it lie in one
  // piece, or the longest. Units run over all of what is kept, but for the last dimension.
  std::optional<int64_t> cut, longest;
  int64_t others = 1; // elements along the dimensions that aren't cut
  for (int64_t dim = 0; dim < (int64_t)structure.space.size(); ++dim) {
    if (llvm::is_contained(structure.unitDims, dim))
      continue;
    int64_t size = SizeAnalysis::staticSize(structure.space[dim]);
    bool isKnown = !ShapedType::isDynamic(size);
    if (!isKnown)
      size = std::numeric_limits<int64_t>::max();
    bool hasParts = longest && *longest >= Cut::leastParts * Cut::leastSteps && isKnown;
    if (structure.isReduced(dim) && size > longest.value_or(0) && !hasParts) {
      others *= longest.value_or(1);
      cut = dim;
      longest = size;
    } else if (!isKnown) {
      return std::nullopt;
    } else {
      others *= std::max<int64_t>(size, 1);
    }
  }
  return cut ? std::optional(Cut{*cut, others, structure.space[*cut]}) : std::nullopt;
}

std::unique_ptr<ScheduleSpace> RowsStrategy::spaceOf(KernelOp kernel, TargetAttrInterface target) const {
  constexpr int64_t unknownLength = 32; // it may be short
  auto cpu = dyn_cast<CPUTargetAttr>(target);
  if (!cpu)
    return nullptr;
  SizeAnalysis sizes(kernel.getContext());
  OpGroup group(kernel, sizes);
  KernelStructure structure = structureOf(group);
  int64_t length = structure.space.empty() ? 1 : SizeAnalysis::staticSize(structure.space.back());
  // A reduction's vectors wait for each other.
  return std::make_unique<RowsSpace>(kernel, cpu, ShapedType::isDynamic(length) ? unknownLength : length,
                                     cpu.getSchedules().manyInstructions + codegen::estimateInstructions(group),
                                     cutOf(group, structure));
}

namespace {
/// The program of a kernel of rows, whose composites are decomposed. Units are rows, or where the last dimension isn't
/// reduced vectors of them. First what each row is reduced to, in the order of the kernel, and what else there is one
/// of per row; then what is stored for each of its elements. Long reductions are cut: a grid of parts leaves what each
/// of them is reduced to in memory of the launch, a second one of rows combines them in their order, whoever computed
/// them.
class RowsProgram {
public:
  RowsProgram(KernelOp kernel, const KernelStrategy &strategy, int64_t lanes)
      : builder(kernel), structure(strategy.structureOf(OpGroup(kernel, builder.sizes))), lanes(lanes),
        last((int64_t)structure.space.size() - 1) {
    for (AffineExpr size : structure.space)
      space.push_back(builder.size(size));
    place.assign(space.size(), builder.constant(0));
  }

  void write() {
    SmallVector<TileBuilder::Dim> units = unitDims();
    if (units.empty())
      units.push_back({builder.constant(0), builder.constant(1)});
    builder.grid(units, [&](Expressions at) { writeUnit(at, [&] { writeRow(); }); });
  }

  /// As `write`, with parts of so many steps.
  void writeParts(const Cut &cut, int64_t steps) {
    SmallVector<TileBuilder::Dim> units = unitDims();
    AffineExpr count = space[cut.dim].ceilDiv(steps);
    SmallVector<AffineExpr> shape = {count};
    for (int64_t dim : structure.kept())
      shape.push_back(space[dim]);
    auto reductions = llvm::to_vector(llvm::make_filter_range(builder.kernel.getBody().front().getOps<ReduceOp>(),
                                                              [&](ReduceOp reduce) { return isOfRows(reduce); }));
    for (ReduceOp reduce : reductions) {
      Type wide = TileCombination(builder, reduce.getCombiner(), getElementTypeOrSelf(reduce.getType())).wide;
      parts.insert({reduce, {builder.scratch(shape, wide, MemoryKind::launch), count}});
    }
    units.push_back({builder.constant(0), space[cut.dim], steps, /*extent=*/true});
    builder.grid(units, [&](Expressions at) {
      AffineExpr low = at[at.size() - 2], high = low + at.back();
      writeUnit(at, [&] {
        range = {cut.dim, low, high};
        SmallVector<AffineExpr> there = {low.floorDiv(steps)};
        llvm::append_range(there, rowPlace());
        DenseSet<Value> done;
        for (ReduceOp reduce : reductions) {
          if (done.contains(reduce))
            continue;
          SmallVector<ReduceOp> together = siblingsOf(reduce, done);
          for (auto [sibling, sum] : llvm::zip(together, sumsOf(together))) {
            builder.store(sum, parts.at(sibling).sums, there, rowExtents);
            done.insert(sibling);
          }
        }
      });
    });
    range = {};
    write();
  }

  /// Runs the program only where reductions have at least so many steps; false where that can't be told in front of it.
  bool setLeast(const Cut &cut, int64_t steps) {
    auto symbols = builder.kernel.getBody().getArguments().take_front(builder.kernel.getNumSymbols());
    std::optional<AffineMap> length = builder.sizes.mapOf(structure.space[cut.dim], symbols);
    if (!length || !length->getResult(0).isPureAffine())
      return false;
    MLIRContext *context = builder.kernel.getContext();
    SmallVector<AffineExpr> dims;
    for (unsigned i = 0; i < symbols.size(); ++i)
      dims.push_back(getAffineDimExpr(i, context));
    AffineExpr left = length->getResult(0).replaceDimsAndSymbols({}, dims) - steps;
    builder.program.setGuard(IntegerSet::get(builder.program.getNumIndices(), 0, left, /*eqFlags=*/false));
    builder.program.setSymName((builder.kernel.getSymName() + "_in_parts").str());
    return true;
  }

  void erase() { builder.program.erase(); }

private:
  using Expressions = TileBuilder::Expressions;

  SmallVector<TileBuilder::Dim> unitDims() {
    SmallVector<TileBuilder::Dim> units;
    for (int64_t dim : structure.unitDims)
      units.push_back({builder.constant(0), space[dim]});
    return units;
  }

  /// `body` for the unit's row, or each tile of its rows.
  void writeUnit(Expressions at, function_ref<void()> body) {
    for (auto [dim, position] : llvm::zip(structure.unitDims, at))
      place[dim] = position;
    if (space.empty() || structure.isReduced(last))
      return body();
    builder.tiles(builder.constant(0), space[last], lanes, [&](AffineExpr start, AffineExpr extent) {
      place[last] = start;
      // A tile of rows, one in each lane.
      rowShape = {lanes};
      rowExtents = {extent};
      body();
    });
  }

  void writeRow() {
    known.clear();
    if (!structure.reduced.empty())
      computePerRow();
    SmallVector<Value> perRow, whole;
    SmallVector<unsigned> perRowNumbers, wholeNumbers;
    for (auto [number, value] : llvm::enumerate(builder.results())) {
      bool isWhole = cast<RankedTensorType>(value.getType()).getRank() == (int64_t)space.size();
      (isWhole ? whole : perRow).push_back(value);
      (isWhole ? wholeNumbers : perRowNumbers).push_back(number);
    }
    for (auto [value, number] : llvm::zip(perRow, perRowNumbers))
      builder.store(tileOf(value), builder.result(number), rowPlace(), rowExtents);
    if (!whole.empty())
      writeElements(whole, wholeNumbers, structure.reduced);
  }

  /// Reductions, and values per row that are wanted along rows.
  void computePerRow() {
    DenseSet<Value> perRow;
    for (Operation &op : builder.kernel.getBody().front()) {
      bool isPerRow = llvm::any_of(op.getOperands(), [&](Value operand) { return perRow.contains(operand); });
      if (auto reduce = dyn_cast<ReduceOp>(op); reduce && isOfRows(reduce)) {
        if (perRow.contains(reduce))
          continue;
        auto part = parts.find(reduce);
        SmallVector<ReduceOp> together = {reduce};
        SmallVector<Value> sums;
        if (part != parts.end()) {
          sums = {sumOf(reduce, part->second)};
        } else {
          together = siblingsOf(reduce, perRow);
          sums = sumsOf(together);
        }
        for (auto [sibling, sum] : llvm::zip(together, sums)) {
          known.push_back({sibling.getResult(), reduced(sibling, sum), rowPlace()});
          perRow.insert(sibling);
        }
      } else if (isPerRow && isa<BroadcastOp>(op)) {
        tileOf(op.getOperand(0));
      } else if (isPerRow) {
        perRow.insert(op.result_begin(), op.result_end());
      }
    }
  }

  bool isOfRows(ReduceOp reduce) {
    SmallVector<int64_t> dims(reduce.getDims());
    llvm::sort(dims);
    return dims == structure.reduced && builder.sizes.sizesOf(reduce.getOperand()) == structure.space;
  }

  SmallVector<AffineExpr> rowPlace() {
    return llvm::map_to_vector(structure.kept(), [&](int64_t dim) { return place[dim]; });
  }

  /// A value per row, which is known from then on.
  Value tileOf(Value value) {
    for (const TileBuilder::Known &entry : known)
      if (entry.value == value)
        return entry.tile;
    Value tile = builder.compute(value, rowPlace(), rowShape, rowExtents, {}, known).front();
    known.push_back({value, tile, rowPlace()});
    return tile;
  }

  //===--------------------------------------------------------------------===//
  // Reductions
  //===--------------------------------------------------------------------===//

  /// The kernel's operands that a value is made of, and how many reductions of rows lie one behind the other in it.
  struct Origin {
    llvm::SmallPtrSet<void *, 4> operands;
    unsigned reductions = 0;
  };
  Origin originOf(Value value) {
    Origin origin;
    Operation *op = value.getDefiningOp();
    if (!op)
      origin.operands.insert(value.getAsOpaquePointer());
    for (Value operand : op ? op->getOperands() : OperandRange(nullptr, 0)) {
      auto [it, isNew] = origins.try_emplace(operand);
      if (isNew) {
        Origin found = originOf(operand);
        it = origins.insert_or_assign(operand, std::move(found)).first;
      }
      origin.operands.insert_range(it->second.operands);
      origin.reductions = std::max(origin.reductions, it->second.reductions);
    }
    auto reduce = dyn_cast_if_present<ReduceOp>(op);
    origin.reductions += reduce && isOfRows(reduce);
    return origin;
  }

  /// A reduction, and those behind it that read what it reads and wait for no others: they are computed in one pass.
  SmallVector<ReduceOp> siblingsOf(ReduceOp reduce, const DenseSet<Value> &done) {
    // Sums of each are in registers, a few vectors.
    constexpr size_t most = 4;
    SmallVector<ReduceOp> siblings = {reduce};
    Origin first = originOf(reduce);
    for (Operation *op = reduce->getNextNode(); op && siblings.size() < most; op = op->getNextNode()) {
      auto sibling = dyn_cast<ReduceOp>(op);
      if (!sibling || !isOfRows(sibling) || done.contains(sibling))
        continue;
      Origin origin = originOf(sibling);
      if (origin.reductions == first.reductions &&
          llvm::any_of(origin.operands, [&](void *operand) { return first.operands.contains(operand); }))
        siblings.push_back(sibling);
    }
    return siblings;
  }

  /// Whether a reduction gives the least or the greatest number, or NaN if there is one.
  static bool looksForNaN(ReduceOp reduce) {
    return isa<FloatType>(getElementTypeOrSelf(reduce.getType())) &&
           (reduce.getCombiner() == Combiner::min || reduce.getCombiner() == Combiner::max);
  }

  /// What the unit's part of a row is reduced to, or all of it, as it is combined: by reductions of the same elements,
  /// in one pass. The least and the greatest number are found as if there were no NaN, the last of which is carried
  /// beside them: once for all that look for it.
  SmallVector<Value> sumsOf(SmallVector<ReduceOp> reductions) {
    SmallVector<TileCombination> combinations;
    SmallVector<Value> operands, start, lastNaN; // each operand once, those with NaN
    for (ReduceOp reduce : reductions) {
      combinations.emplace_back(builder, reduce.getCombiner(), getElementTypeOrSelf(reduce.getType()));
      start.push_back(builder.splat(lanes, combinations.back().identity()));
      if (!llvm::is_contained(operands, reduce.getOperand()))
        operands.push_back(reduce.getOperand());
    }
    for (auto [reduce, combination] : llvm::zip(reductions, combinations))
      if (looksForNaN(reduce) && !llvm::is_contained(lastNaN, reduce.getOperand())) {
        lastNaN.push_back(reduce.getOperand());
        start.push_back(builder.splat(lanes, builder.zero(combination.wide)));
      }
    bool acrossLanes = structure.isReduced(last);
    auto isNaN = [&](Value x) -> Value {
      auto type = cast<RankedTensorType>(x.getType());
      return builder.create<CompareOp>(type.clone(IntegerType::get(type.getContext(), 1)), Predicate::ne, x, x);
    };
    // In each step vectors of elements are combined with what there is.
    auto step = [&](AffineExpr extent, ValueRange before) {
      SmallVector<AffineExpr> extents = acrossLanes ? SmallVector<AffineExpr>{extent} : rowExtents;
      ValueRange tiles = builder.compute(operands, place, lanes, extents, {}, known);
      SmallVector<Value> after(before);
      for (auto [i, reduce] : llvm::enumerate(reductions)) {
        const TileCombination &combination = combinations[i];
        Value tile = combination.widen(tiles[llvm::find(operands, reduce.getOperand()) - operands.begin()]);
        if (acrossLanes)
          tile = builder.fill(tile, extents, combination.identity());
        after[i] = looksForNaN(reduce) ? combination.choose(before[i], tile) : combination.combine(before[i], tile);
        if (auto nan = llvm::find(lastNaN, reduce.getOperand()); looksForNaN(reduce) && nan != lastNaN.end()) {
          Value &found = after[reductions.size() + (nan - lastNaN.begin())];
          if (found == before[reductions.size() + (nan - lastNaN.begin())])
            found = builder.create<SelectOp>(tile.getType(), isNaN(tile), tile, found);
        }
      }
      return after;
    };
    auto nest = [&](auto &nest, ArrayRef<int64_t> dims, ValueRange sums) -> SmallVector<Value> {
      if (dims.empty())
        return step(AffineExpr(), sums);
      int64_t dim = dims.front();
      bool isCut = range && range->dim == dim;
      AffineExpr low = isCut ? range->low : builder.constant(0), high = isCut ? range->high : space[dim];
      if (dim == last)
        return builder.carryAllTiles(low, high, lanes, sums,
                                     [&](AffineExpr start, AffineExpr extent, ValueRange carried) {
                                       place[dim] = start;
                                       return step(extent, carried);
                                     });
      return builder.carryAll({low, high}, sums, [&](AffineExpr position, ValueRange carried) {
        place[dim] = position;
        return nest(nest, dims.drop_front(), carried);
      });
    };
    SmallVector<Value> sums = nest(nest, structure.reduced, start);
    for (auto [i, reduce] : llvm::enumerate(reductions)) {
      Value &sum = sums[i];
      if (looksForNaN(reduce)) {
        Value nan = sums[reductions.size() + (llvm::find(lastNaN, reduce.getOperand()) - lastNaN.begin())];
        sum = builder.create<SelectOp>(sum.getType(), isNaN(nan), nan, sum);
      }
      if (acrossLanes) {
        auto scalar = cast<RankedTensorType>(sum.getType()).clone(ArrayRef<int64_t>());
        Combiner lanesCombiner = reduce.getCombiner() == Combiner::mean ? Combiner::sum : reduce.getCombiner();
        sum = builder.create<ReduceOp>(scalar, lanesCombiner, sum, ArrayRef<int64_t>(0));
      }
    }
    sums.truncate(reductions.size());
    return sums;
  }

  struct Parts {
    Value sums; ///< of all parts, first, and rows
    AffineExpr count;
  };

  /// What the parts of a row give together.
  Value sumOf(ReduceOp reduce, const Parts &of) {
    TileCombination combination(builder, reduce.getCombiner(), getElementTypeOrSelf(reduce.getType()));
    return builder.carry({builder.constant(0), of.count}, builder.splat(rowShape, combination.identity()),
                         [&](AffineExpr part, Value sum) {
                           SmallVector<AffineExpr> there = {part};
                           llvm::append_range(there, rowPlace());
                           return combination.combine(sum, builder.load(of.sums, there, rowShape, rowExtents));
                         });
  }

  /// The result of a row whose elements combine to `sum`.
  Value reduced(ReduceOp reduce, Value sum) {
    TileCombination combination(builder, reduce.getCombiner(), getElementTypeOrSelf(reduce.getType()));
    auto type = cast<RankedTensorType>(sum.getType()), scalar = type.clone(ArrayRef<int64_t>());
    if (reduce.getCombiner() == Combiner::mean) {
      AffineExpr count = builder.constant(1);
      for (int64_t dim : structure.reduced)
        count = count * space[dim];
      // Of no integers it is 0, which is what they add up to.
      if (!isa<FloatType>(combination.wide))
        count = builder.max(count, builder.constant(1));
      Value number = builder.scalar(count, combination.wide);
      if (type != scalar)
        number = builder.create<BroadcastOp>(type, number, ValueRange(), ArrayRef<int64_t>(), type.getShape());
      sum = builder.create<DivOp>(sum, number);
    }
    return combination.narrow(sum);
  }

  //===--------------------------------------------------------------------===//
  // Elements
  //===--------------------------------------------------------------------===//

  /// Stores values that have an element for each of the rows', along what is left of the reduced dimensions.
  void writeElements(ArrayRef<Value> values, ArrayRef<unsigned> numbers, ArrayRef<int64_t> dims) {
    auto storeAt = [&](ArrayRef<int64_t> shape, Expressions extents) {
      for (auto [tile, number] : llvm::zip(builder.compute(values, place, shape, extents, {}, known), numbers))
        builder.store(tile, builder.result(number), place, extents);
    };
    if (dims.empty())
      return storeAt(rowShape, rowExtents);
    int64_t dim = dims.front();
    if (dim == last)
      return builder.tiles(builder.constant(0), space[dim], lanes, [&](AffineExpr start, AffineExpr extent) {
        place[dim] = start;
        storeAt(lanes, extent);
      });
    builder.loop({{builder.constant(0), space[dim]}}, [&](Expressions at) {
      place[dim] = at.front();
      writeElements(values, numbers, dims.drop_front());
    });
  }

  TileBuilder builder;
  KernelStructure structure;
  int64_t lanes, last;
  SmallVector<AffineExpr> space, place;
  SmallVector<int64_t> rowShape; ///< of values per row: none, or as many rows as there are lanes
  SmallVector<AffineExpr> rowExtents;
  SmallVector<TileBuilder::Known> known;         ///< per row
  llvm::SmallDenseMap<Operation *, Parts> parts; ///< that are there
  llvm::DenseMap<Value, Origin> origins;         ///< of values that were looked at
  struct Range {
    int64_t dim;
    AffineExpr low, high;
  };
  std::optional<Range> range; ///< of the unit's part
};
} // namespace

LogicalResult RowsStrategy::build(KernelOp kernel, ScheduleAttr schedule) const {
  if (failed(decomposeComposites(kernel)))
    return failure();
  int64_t lanes = lanesOf(schedule);
  if (std::optional<int64_t> elements = schedule.get(knob::partElements)) {
    SizeAnalysis sizes(kernel.getContext());
    OpGroup group(kernel, sizes);
    Cut cut = *cutOf(group, structureOf(group));
    // Whole tiles, but for the last one.
    int64_t steps = cut.steps(*elements), length = SizeAnalysis::staticSize(cut.length);
    if (cut.stepElements == 1)
      steps = llvm::alignTo(steps, lanes);
    int64_t least = Cut::leastParts * steps;
    RowsProgram inParts(kernel, *this, lanes);
    bool isAlways = length >= least, isSometimes = ShapedType::isDynamic(length) && inParts.setLeast(cut, least);
    if (isAlways || isSometimes)
      inParts.writeParts(cut, steps);
    else
      inParts.erase();
    if (isAlways)
      return success();
  }
  RowsProgram(kernel, *this, lanes).write();
  return success();
}

void codegen::addRowsStrategy(TileDialect *dialect) { addStrategy<RowsStrategy>(dialect); }

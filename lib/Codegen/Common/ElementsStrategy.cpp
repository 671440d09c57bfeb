//===- ElementsStrategy.cpp - Kernels that compute every element on its own ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/ElementEmitter.h"
#include "tenon/Codegen/Common/Strategies.h"
#include "tenon/Codegen/Common/TileBuilder.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

/// How far a unit of short rows may exceed that of a long one: no loss of parallelism for the sake of a
/// division.
static constexpr int64_t maxRowsPerUnit = 8;

/// Whether the last dimension of a lone row is cut into units.
static bool isCut(ArrayRef<AffineExpr> space) {
  return !space.empty() &&
         llvm::all_of(space.drop_back(), [](AffineExpr size) { return SizeAnalysis::staticSize(size) == 1; });
}

bool ElementsStrategy::accepts(const OpGroup &group, raw_ostream *reason) const {
  Operation *costly = nullptr;
  for (Operation *op : group.ops()) {
    Role role = roleOf(op);
    if (role == Role::free || role == Role::cheap)
      continue;
    if (costly)
      return refuse(reason, "{0} and {1} compute more than arithmetic on elements: each has a kernel of its own",
                    nodeNameOf(costly), nodeNameOf(op));
    costly = op;
  }
  if (costly)
    return acceptsEpilogue(group, costly, reason);
  if (Operation *other = group.withOtherSizes(group.sizesOf(group.ops().back())))
    return refuse(reason, "{0} is read elsewhere, and has other sizes than {1}", nodeNameOf(other),
                  nodeNameOf(group.ops().back()));
  return true;
}

/// The dimensions that units of about so many elements run over.
static SmallVector<int64_t> unitDimsOf(ArrayRef<AffineExpr> space, int64_t unitElements) {
  auto dims = llvm::to_vector(llvm::seq<int64_t>(0, std::max<int64_t>((int64_t)space.size() - 1, 0)));
  // Short rows together make up a unit: finding a unit's place costs divisions.
  int64_t elements = space.empty() ? 1 : SizeAnalysis::staticSize(space.back());
  while (!dims.empty() && !ShapedType::isDynamic(elements) && elements < unitElements) {
    int64_t size = SizeAnalysis::staticSize(space[dims.back()]);
    if (ShapedType::isDynamic(size) || elements * size > unitElements * maxRowsPerUnit)
      break;
    elements *= size;
    dims.pop_back();
  }
  return dims;
}

KernelStructure ElementsStrategy::structureOf(const OpGroup &group) const {
  KernelStructure result;
  result.space = group.sizes.sizesOf(group.firstResult());
  ArrayRef<AffineExpr> space = result.space;
  SmallVector<int64_t> &dims = result.unitDims;
  dims = unitDimsOf(space, UnitSpace::usualElements);
  result.work = group.sizes.constant(1);
  // About: what units there are is the schedule's.
  if (isCut(space))
    result.work = space.back().ceilDiv(UnitSpace::usualElements);
  else
    for (int64_t dim : dims)
      result.work = result.work * space[dim];
  return result;
}

SmallVector<FreeSize> ElementsStrategy::freeSizesOf(const OpGroup &group, const KernelStructure &structure,
                                                    const FusionPrices &prices) const {
  SmallVector<FreeSize> result;
  int64_t last = (int64_t)structure.space.size() - 1;
  if (last > 0)
    result.push_back({group.firstResult(), 0});
  // What is left after whole vectors of long rows is little.
  if (last >= 0 && SizeAnalysis::staticSize(structure.space.back()) >= prices.longRows)
    result.push_back({group.firstResult(), last});
  return result;
}

/// How long the vectors' loop is.
static int64_t lengthOf(ArrayRef<AffineExpr> space) {
  constexpr int64_t unknownLength = 32; // it may be short
  if (space.empty())
    return 1;
  int64_t length = SizeAnalysis::staticSize(space.back());
  if (isCut(space))
    return ShapedType::isDynamic(length) ? UnitSpace::usualElements : std::min(length, UnitSpace::usualElements);
  return ShapedType::isDynamic(length) ? unknownLength : length;
}

std::unique_ptr<ScheduleSpace> ElementsStrategy::spaceOf(KernelOp kernel, TargetAttrInterface target) const {
  auto cpu = dyn_cast<CPUTargetAttr>(target);
  if (!cpu)
    return nullptr;
  SizeAnalysis sizes(kernel.getContext());
  OpGroup group(kernel, sizes);
  return std::make_unique<UnitSpace>(kernel, cpu, "elementwise kernels", /*hasVectors=*/true,
                                     lengthOf(structureOf(group).space), codegen::estimateInstructions(group),
                                     lanesOf(group));
}

/// Where what rows read changes, if one op alone says so.
static SmallVector<AffineExpr> cutsOf(const OpGroup &group, ArrayRef<AffineExpr> space) {
  SmallVector<AffineExpr> result;
  for (Operation *op : group.ops()) {
    auto element = dyn_cast<ElementInterface>(op);
    SmallVector<AffineExpr> cuts = element ? element.cutsOf(group.sizes) : SmallVector<AffineExpr>();
    if (cuts.empty())
      continue;
    if (!result.empty() || ArrayRef(group.sizesOf(op)) != space)
      return {};
    result = std::move(cuts);
  }
  return result;
}

LogicalResult ElementsStrategy::build(KernelOp kernel, ScheduleAttr schedule) const {
  TileBuilder builder(kernel);
  OpGroup group(kernel, builder.sizes);
  KernelStructure structure = structureOf(group);
  Lanes counted = lanesOf(group);
  SmallVector<AffineExpr> space =
      llvm::map_to_vector(structure.space, [&](AffineExpr size) { return builder.size(size); });
  int64_t rank = space.size(), lanes = lanesOf(schedule, counted.bytes),
          unitElements = *schedule.get(knob::unitElements);
  AffineExpr zero = builder.constant(0);
  SmallVector<AffineExpr> place(rank, zero);
  auto storeAt = [&](ArrayRef<int64_t> shape, TileBuilder::Expressions extents) {
    for (auto [i, tile] : llvm::enumerate(builder.compute(builder.results(), place, shape, extents)))
      builder.store(tile, builder.result(i), place, extents);
  };
  auto masked = [&](AffineExpr low, AffineExpr high, int64_t step) {
    builder.tiles(low, high, step, [&](AffineExpr start, AffineExpr extent) {
      place.back() = start;
      storeAt(step, extent);
    });
  };
  // Few targets read parts of vectors of narrow elements: the last vector of a range overlaps the one before it.
  // Ranges that have fewer elements than a vector are written by `shorter`.
  using Write = function_ref<void(AffineExpr, AffineExpr)>;
  auto overlapping = [&](AffineExpr low, AffineExpr high, AffineExpr first, AffineExpr end, Write shorter) {
    int64_t length = SizeAnalysis::staticSize(end - first);
    bool isKnown = !ShapedType::isDynamic(length);
    if (isKnown && length <= 0)
      return;
    int64_t step = isKnown ? std::min<int64_t>(lanes, llvm::bit_floor<uint64_t>(length)) : lanes;
    bool isWhole = (end - first).isMultipleOf(step);
    auto whole = [&] {
      builder.loop({{low, high, step}}, [&](TileBuilder::Expressions at) {
        place.back() = isWhole ? at.front() : builder.min(at.front(), end - step);
        storeAt(step, builder.constant(step));
      });
    };
    if (isKnown || isWhole)
      return whole();
    builder.when(builder.isAtMost(builder.constant(step), end - first), whole, [&] { shorter(low, high); });
  };
  auto single = [&](AffineExpr low, AffineExpr high) {
    builder.loop({{low, high}}, [&](TileBuilder::Expressions at) {
      place.back() = at.front();
      storeAt(1, builder.constant(1));
    });
  };
  int64_t perByte = 1;
  for (Value result : builder.results())
    if (Type element = getElementTypeOrSelf(result.getType()); isPacked(element))
      perByte = std::max<int64_t>(perByte, 8 / element.getIntOrFloatBitWidth());
  auto row = [&](AffineExpr low, AffineExpr high) {
    // Elements that share bytes are written from whole bytes on.
    if (perByte > 1) {
      AffineExpr wholeEnd = high - (high - low) % lanes;
      builder.loop({{low, wholeEnd, lanes}}, [&](TileBuilder::Expressions at) {
        place.back() = at.front();
        storeAt(lanes, builder.constant(lanes));
      });
      return masked(wholeEnd, high, perByte);
    }
    if (counted.bytes == Lanes().bytes)
      return masked(low, high, lanes);
    SmallVector<AffineExpr> cuts;
    if (!isCut(structure.space))
      cuts = cutsOf(group, structure.space);
    if (cuts.empty())
      return overlapping(low, high, zero, space.back(),
                         [&](AffineExpr low, AffineExpr high) { masked(low, high, lanesOf(schedule)); });
    cuts.push_back(structure.space.back());
    AffineExpr start = zero;
    for (AffineExpr cut : cuts) {
      AffineExpr end = builder.max(start, builder.min(builder.size(cut), space.back()));
      overlapping(start, end, start, end, single);
      start = end;
    }
  };
  if (isCut(structure.space)) {
    builder.grid({{zero, space.back(), unitElements, /*extent=*/true}},
                 [&](TileBuilder::Expressions at) { row(at[0], at[0] + at[1]); });
    return success();
  }
  // Units run over the leading dimensions, loops over those behind them.
  int64_t unitDims = unitDimsOf(structure.space, unitElements).size();
  SmallVector<TileBuilder::Dim> units, loops;
  for (int64_t dim = 0; dim + 1 < rank; ++dim)
    (dim < unitDims ? units : loops).push_back({zero, space[dim]});
  if (units.empty())
    units.push_back({zero, builder.constant(1)});
  builder.grid(units, [&](TileBuilder::Expressions at) {
    llvm::copy(at.take_front(unitDims), place.begin());
    if (rank == 0)
      return storeAt({}, {});
    auto rows = [&](TileBuilder::Expressions inner) {
      llvm::copy(inner, place.begin() + unitDims);
      row(zero, space.back());
    };
    loops.empty() ? rows({}) : builder.loop(loops, rows);
  });
  return success();
}

void codegen::addElementsStrategy(TileDialect *dialect) { addStrategy<ElementsStrategy>(dialect); }

//===- ElementsStrategy.cpp - Kernels that compute every element on its own ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/Strategies.h"
#include "tenon/Codegen/Common/TileBuilder.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

/// How far a unit of short rows may exceed that of a long one: no loss of parallelism for the sake of a
/// division.
static constexpr int64_t maxRowsPerBlock = 8;
/// Rows from this length on hardly feel that their length isn't known: what is left after whole vectors is
/// little.
static constexpr int64_t minLength = 64;

/// Whether the last dimension of a lone row is cut into blocks.
static bool isBlocked(ArrayRef<AffineExpr> space) {
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

KernelStructure ElementsStrategy::structureOf(const OpGroup &group) const {
  KernelStructure result;
  result.space = group.sizes.sizesOf(group.firstResult());
  ArrayRef<AffineExpr> space = result.space;
  SmallVector<int64_t> &dims = result.unitDims;
  llvm::append_range(dims, llvm::seq<int64_t>(0, std::max<int64_t>((int64_t)space.size() - 1, 0)));
  // Short rows together make up a unit: finding a unit's place costs divisions.
  int64_t elements = space.empty() ? 1 : SizeAnalysis::staticSize(space.back());
  while (!dims.empty() && !ShapedType::isDynamic(elements) && elements < blockElements) {
    int64_t size = SizeAnalysis::staticSize(space[dims.back()]);
    if (ShapedType::isDynamic(size) || elements * size > blockElements * maxRowsPerBlock)
      break;
    elements *= size;
    dims.pop_back();
  }
  result.work = group.sizes.constant(1);
  if (isBlocked(space))
    result.work = space.back().ceilDiv(blockElements);
  else
    for (int64_t dim : dims)
      result.work = result.work * space[dim];
  return result;
}

SmallVector<FreeSize> ElementsStrategy::freeSizesOf(const OpGroup &group, const KernelStructure &structure) const {
  SmallVector<FreeSize> result;
  int64_t last = (int64_t)structure.space.size() - 1;
  if (last > 0)
    result.push_back({group.firstResult(), 0});
  if (last >= 0 && SizeAnalysis::staticSize(structure.space.back()) >= minLength)
    result.push_back({group.firstResult(), last});
  return result;
}

/// How long the vectors' loop is.
static int64_t lengthOf(ArrayRef<AffineExpr> space) {
  constexpr int64_t unknownLength = 32; // it may be short
  if (space.empty())
    return 1;
  int64_t length = SizeAnalysis::staticSize(space.back());
  if (isBlocked(space))
    return ShapedType::isDynamic(length) ? blockElements : std::min(length, blockElements);
  return ShapedType::isDynamic(length) ? unknownLength : length;
}

std::unique_ptr<ScheduleSpace> ElementsStrategy::spaceOf(KernelOp kernel, TargetAttrInterface target) const {
  auto cpu = dyn_cast<CPUTargetAttr>(target);
  if (!cpu)
    return nullptr;
  SizeAnalysis sizes(kernel.getContext());
  OpGroup group(kernel, sizes);
  return std::make_unique<VectorSpace>(kernel, cpu, "elementwise kernels", /*hasVectors=*/true,
                                       lengthOf(structureOf(group).space), codegen::estimateInstructions(group));
}

LogicalResult ElementsStrategy::build(KernelOp kernel, ScheduleAttr schedule) const {
  TileBuilder builder(kernel);
  KernelStructure structure = structureOf(OpGroup(kernel, builder.sizes));
  SmallVector<AffineExpr> space =
      llvm::map_to_vector(structure.space, [&](AffineExpr size) { return builder.size(size); });
  int64_t rank = space.size(), lanes = lanesOf(schedule);
  AffineExpr zero = builder.constant(0);
  SmallVector<AffineExpr> place(rank, zero);
  auto storeAt = [&](ArrayRef<int64_t> shape, TileBuilder::Expressions extents) {
    for (auto [i, tile] : llvm::enumerate(builder.compute(builder.results(), place, shape, extents)))
      builder.store(tile, builder.result(i), place, extents);
  };
  auto row = [&](AffineExpr low, AffineExpr high) {
    builder.tiles(low, high, lanes, [&](AffineExpr start, AffineExpr extent) {
      place.back() = start;
      storeAt(lanes, extent);
    });
  };
  if (isBlocked(structure.space)) {
    builder.grid({{zero, space.back(), blockElements, /*extent=*/true}},
                 [&](TileBuilder::Expressions at) { row(at[0], at[0] + at[1]); });
    return success();
  }
  // Units run over the leading dimensions, loops over those behind them.
  int64_t unitDims = structure.unitDims.size();
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

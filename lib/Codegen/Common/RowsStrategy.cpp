//===- RowsStrategy.cpp - Kernels that reduce rows ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/KernelBody.h"
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
  SmallVector<FreeSize> freeSizesOf(const OpGroup &group, const KernelStructure &structure) const override;
  std::unique_ptr<ScheduleSpace> spaceOf(KernelOp kernel, TargetAttrInterface target) const override;
  int64_t estimateInstructions(Operation *op) const override { return codegen::estimateInstructions(op); }
  LogicalResult lower(KernelBody &body) const override;
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
      return refuse(reason,
                    "{0} combines rows, and {1} computes more than arithmetic on elements: each has a kernel of its own",
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
    } else if (group.repeatsWork(op)) {
      return refuse(reason, "what {0} repeats would be computed again each time", nodeNameOf(op));
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

SmallVector<FreeSize> RowsStrategy::freeSizesOf(const OpGroup &group, const KernelStructure &structure) const {
  if (structure.space.size() < 2)
    return {};
  return {{rowsOf(group)->getOperand(0), 0}};
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
  return std::make_unique<VectorSpace>(kernel, cpu, "kernels of rows", /*hasVectors=*/true,
                                       ShapedType::isDynamic(length) ? unknownLength : length,
                                       cpu.getSchedules().manyInstructions + codegen::estimateInstructions(group));
}

/// The reductions of a row, then what is stored for each of its elements.
static LogicalResult emitRow(KernelBody &body, Coordinates place) {
  ElementEmitter &e = body.e;
  Coordinates kept;
  for (int64_t dim : body.structure.kept())
    kept.push_back(place[dim]);
  for (ReduceOp reduce : body.kernel.getBody().getOps<ReduceOp>())
    if (failed(e.at(reduce.getResult(), kept)))
      return failure();
  if (failed(storeResults(body, kept, false)))
    return failure();
  if (llvm::none_of(body.outputs, [&](Buffer &output) { return output.strides.size() == place.size(); }))
    return success();
  ArrayRef<int64_t> reduced = body.structure.reduced;
  if (reduced.empty())
    return storeResults(body, place, true);
  bool across = reduced.back() == (int64_t)place.size() - 1;
  std::function<LogicalResult(size_t)> nest = [&](size_t i) -> LogicalResult {
    if (i == reduced.size())
      return storeResults(body, place, true);
    int64_t dim = reduced[i];
    if (across && i + 1 == reduced.size())
      return body.vectors(e.index(0), body.space[dim], [&](Value start) {
        place[dim] = {start, 1, Value()};
        return nest(i + 1);
      });
    return body.loop(e.index(0), body.space[dim], 1, [&](Value position) {
      place[dim] = {position, 0, Value()};
      return nest(i + 1);
    });
  };
  return nest(0);
}

LogicalResult RowsStrategy::lower(KernelBody &body) const {
  ElementEmitter &e = body.e;
  int64_t last = body.space.size() - 1;
  return body.loop(body.begin, body.end, 1, [&](Value unit) -> LogicalResult {
    e.unit = unit;
    Coordinates place = unitCoordinates(body, unit);
    if (body.space.empty() || body.structure.isReduced(last))
      return emitRow(body, place);
    return body.vectors(e.index(0), body.space[last], [&](Value start) {
      place[last] = {start, 1, Value()};
      return emitRow(body, place);
    });
  });
}

void codegen::addRowsStrategy(TileDialect *dialect) { addStrategy<RowsStrategy>(dialect); }

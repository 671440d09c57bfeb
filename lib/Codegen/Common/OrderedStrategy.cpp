//===- OrderedStrategy.cpp - Kernels of one element after the other ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OrderedStrategy.h"
#include "Lowerings.h"
#include "tenon/Codegen/Common/VectorSpace.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

static Operation *orderedOf(const OpGroup &group) {
  return *llvm::find_if(group.ops(), [](Operation *op) { return roleOf(op) == Role::ordered; });
}

bool OrderedStrategy::accepts(const OpGroup &group, raw_ostream *reason) const {
  return group.ops().size() == 1 ||
         refuse(reason, "{0} goes through its elements in order, in a kernel of its own", nodeNameOf(orderedOf(group)));
}

KernelStructure OrderedStrategy::structureOf(const OpGroup &group) const {
  KernelStructure result;
  Operation *op = orderedOf(group);
  result.space = group.sizes.sizesOf(op->getOperand(0));
  result.reduced = roleDimsOf(op);
  result.unitDims = result.kept();
  result.work = group.sizes.constant(1);
  for (int64_t dim : result.unitDims)
    result.work = result.work * result.space[dim];
  return result;
}

std::unique_ptr<ScheduleSpace> OrderedStrategy::spaceOf(KernelOp kernel, TargetAttrInterface target) const {
  auto cpu = dyn_cast<CPUTargetAttr>(target);
  return cpu ? std::make_unique<VectorSpace>(kernel, cpu, "ordered kernels", /*hasVectors=*/false) : nullptr;
}

LogicalResult OrderedStrategy::lower(KernelBody &body) const { return emitOrdered(body); }

void codegen::addOrderedStrategy(TileDialect *dialect) { addStrategy<OrderedStrategy>(dialect); }

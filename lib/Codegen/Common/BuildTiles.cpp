//===- BuildTiles.cpp - Write the tile program of each variant ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelFunction.h"
#include "KernelWorkers.h"
#include "VariantKernel.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace tenon::codegen {
#define GEN_PASS_DEF_BUILDTILESPASS
#include "tenon/Codegen/Common/Passes.h.inc"
} // namespace tenon::codegen

namespace {
struct BuildTilesPass : codegen::impl::BuildTilesPassBase<BuildTilesPass> {
  using Base::Base;

  void runOnOperation() override {
    VariantOp variant = getOperation();
    FailureOr<VariantKernel> found = VariantKernel::of(variant);
    if (failed(found))
      return signalPassFailure();
    KernelOp kernel = found->kernel;
    if (!kernel)
      return; // a program or loops already
    ScheduleAttr schedule = variant.getScheduleAttr();
    if (failed(found->readSchedule(variant)) || failed(checkOps(kernel, *found->strategy)) ||
        failed(checkElements(kernel.getLoc(), elementsOf(kernel.getArgumentTypes().drop_front(kernel.getNumSymbols())),
                             elementsOf(kernel.getResultTypes()))))
      return signalPassFailure();
    AffineMap workers = workersOf(kernel, *found->strategy, variant.getTarget());
    if (failed(found->strategy->build(kernel, schedule)))
      return signalPassFailure();
    kernel.erase();
    for (auto program : variant.getOps<ProgramOp>())
      if (workers)
        program->setAttr(kWorkersAttr, AffineMapAttr::get(AffineMap::get(0, program.getNumIndices(),
                                                                         workers.getResults(), &getContext())));
    if (std::optional<int64_t> bits = schedule.get(knob::functionBits))
      for (auto program : variant.getOps<ProgramOp>())
        program->setAttr(kFunctionBitsAttr, Builder(variant.getContext()).getI64IntegerAttr(*bits));
  }

  static SmallVector<Type> elementsOf(ArrayRef<Type> tensors) {
    return llvm::map_to_vector(tensors, [](Type tensor) { return getElementTypeOrSelf(tensor); });
  }

  /// Ops that say how operands are stored are for register tiles, and others than graphs have may do more than compute.
  static LogicalResult checkOps(KernelOp kernel, const KernelStrategy &strategy) {
    SizeAnalysis sizes(kernel.getContext());
    Operation *contract = strategy.structureOf(OpGroup(kernel, sizes)).contract;
    auto isForTiles = [&](Operation *op) { return isa_and_present<TileDialect>(op->getDialect()); };
    // Where a kernel has a second contraction, its operands are no register tiles'.
    auto isOperand = [&](Operation *user) { return user == contract || (contract && isForTiles(user)); };
    for (Operation &op : kernel.getBody().front().without_terminator())
      if (isForTiles(&op) ? !llvm::all_of(op.getUsers(), isOperand) || !contract
                          : !isa_and_present<TenonDialect>(op.getDialect()) && !isMemoryEffectFree(&op))
        return op.emitOpError("can't be computed element by element");
    return success();
  }
};
} // namespace

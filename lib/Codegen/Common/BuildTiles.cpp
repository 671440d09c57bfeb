//===- BuildTiles.cpp - Write the tile program of each variant ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelFunction.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Dialect/Tile/Analysis/KernelChecks.h"
#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

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
    if (failed(checkKernels(variant)))
      return signalPassFailure();
    auto kernel = dyn_cast<KernelOp>(*variant.getFunction());
    const KernelStrategy *strategy = kernel ? strategyOf(kernel) : nullptr;
    if (!strategy || !strategy->hasPrograms())
      return; // a program or loops already, or for `tenon-lower-kernels`
    ScheduleAttr schedule = variant.getScheduleAttr();
    std::unique_ptr<ScheduleSpace> space = strategy->spaceOf(kernel, variant.getTarget());
    if (!space) {
      variant.emitOpError() << "has a kernel that can't be compiled for target '" << variant.getTarget().getName() << "'";
      return signalPassFailure();
    }
    if (failed(space->read(schedule, [&] { return variant.emitOpError(); })) || failed(checkOps(kernel)) ||
        failed(KernelSignature::of(kernel).checkElements(kernel.getLoc())))
      return signalPassFailure();
    strategy->build(kernel, schedule);
    kernel.erase();
    if (std::optional<int64_t> bits = schedule.get(knob::functionBits))
      variant.getFunction()->setAttr(kFunctionBitsAttr, Builder(variant.getContext()).getI64IntegerAttr(*bits));
  }

  /// Ops that say how operands are stored are for register tiles.
  static LogicalResult checkOps(KernelOp kernel) {
    for (Operation &op : kernel.getBody().front().without_terminator())
      if (isa_and_present<TileDialect>(op.getDialect()))
        return op.emitOpError("can't be computed element by element");
    return success();
  }
};
} // namespace

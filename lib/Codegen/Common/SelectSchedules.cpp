//===- SelectSchedules.cpp - Choose a schedule for each variant ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/KernelChecks.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace tenon::codegen {
#define GEN_PASS_DEF_SELECTSCHEDULESPASS
#include "tenon/Codegen/Common/Passes.h.inc"
} // namespace tenon::codegen

namespace {
struct SelectSchedulesPass : codegen::impl::SelectSchedulesPassBase<SelectSchedulesPass> {
  using Base::Base;

  void runOnOperation() override {
    VariantOp variant = getOperation();
    if (failed(checkKernels(variant)))
      return signalPassFailure();
    auto kernel = dyn_cast<KernelOp>(*variant.getFunction());
    if (!kernel)
      return; // loops already
    const KernelStrategy *strategy = strategyOf(kernel);
    if (!strategy) {
      kernel.emitOpError("suits no strategy that is registered");
      return signalPassFailure();
    }
    std::unique_ptr<ScheduleSpace> space = strategy->spaceOf(kernel, variant.getTarget());
    if (!space) {
      variant.emitOpError() << "has a kernel that can't be compiled for target '" << variant.getTarget().getName() << "'";
      return signalPassFailure();
    }
    if (printSpace)
      emitRemark(variant.getLoc()) << *space; // without the op, which a remark of its own would show
    FailureOr<SchedulePoint> best = space->best(variant.getScheduleAttr(), [&] { return variant.emitOpError(); });
    if (failed(best))
      return signalPassFailure();
    variant.setScheduleAttr(space->attributeOf(*best));
  }
};
} // namespace

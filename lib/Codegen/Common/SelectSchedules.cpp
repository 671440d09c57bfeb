//===- SelectSchedules.cpp - Choose a schedule for each variant ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VariantKernel.h"
#include "tenon/Codegen/Common/Passes.h"

#include "mlir/IR/Remarks.h"

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
    FailureOr<VariantKernel> found = VariantKernel::of(variant);
    if (failed(found))
      return signalPassFailure();
    if (!found->kernel)
      return; // a program or loops already
    const ScheduleSpace *space = found->space.get();
    if (printSpace)
      emitRemark(variant.getLoc()) << *space; // without the op, which a remark of its own would show
    FailureOr<SchedulePoint> best = space->best(variant.getScheduleAttr(), [&] { return variant.emitOpError(); });
    if (failed(best))
      return signalPassFailure();
    variant.setScheduleAttr(space->attributeOf(*best));
    remark::analysis(
        variant.getLoc(),
        remark::RemarkOpts::name("schedule").category("tenon-select-schedules").function(found->kernel.getSymName()))
        << remark::metric("cost", space->cost(*best));
  }
};
} // namespace

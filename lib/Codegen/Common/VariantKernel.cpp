//===- VariantKernel.cpp - The kernel of a variant, and its schedules ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VariantKernel.h"

#include "tenon/Dialect/Tile/Analysis/KernelChecks.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

FailureOr<VariantKernel> VariantKernel::of(VariantOp variant) {
  VariantKernel result;
  if (failed(checkKernels(variant)))
    return failure();
  result.kernel = dyn_cast<KernelOp>(*variant.getFunction());
  if (!result.kernel)
    return result;
  result.strategy = strategyOf(result.kernel);
  if (!result.strategy)
    return result.kernel.emitOpError("suits no strategy that is registered");
  result.space = result.strategy->spaceOf(result.kernel, variant.getTarget());
  if (!result.space)
    return variant.emitOpError() << "has a kernel that can't be compiled for target '" << variant.getTarget().getName()
                                 << "'";
  return result;
}

LogicalResult VariantKernel::readSchedule(VariantOp variant) const {
  return space->read(variant.getScheduleAttr(), [&] { return variant.emitOpError(); });
}

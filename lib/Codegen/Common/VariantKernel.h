//===- VariantKernel.h - The kernel of a variant, and its schedules ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_VARIANTKERNEL_H
#define TENON_LIB_CODEGEN_COMMON_VARIANTKERNEL_H

#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"

namespace tenon::codegen {

/// What passes over variants ask for.
struct VariantKernel {
  /// That of a variant, or an error. There is no kernel where the variant is a program or loops already.
  static mlir::FailureOr<VariantKernel> of(tile::VariantOp variant);

  /// Whether the variant's schedule is complete and legal; else an error.
  mlir::LogicalResult readSchedule(tile::VariantOp variant) const;

  tile::KernelOp kernel;
  const tile::KernelStrategy *strategy = nullptr;
  std::unique_ptr<tile::ScheduleSpace> space;
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_VARIANTKERNEL_H

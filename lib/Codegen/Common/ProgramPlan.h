//===- ProgramPlan.h - What a launch of a program needs to know ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_PROGRAMPLAN_H
#define TENON_LIB_CODEGEN_COMMON_PROGRAMPLAN_H

#include "tenon/Dialect/Tile/IR/TilePrograms.h"

namespace tenon::codegen {

/// Scratch begins at multiples of as many bytes.
inline constexpr int64_t scratchAlignment = 64;

/// Whose memory a program's scratch is: on the worker's stack, or given by the launch, to each worker or to all.
enum class ScratchPlace { stack, workgroup, launch };

/// Of each scratch of a program, in order: of a workgroup's what is small lies on the stack.
llvm::SmallVector<std::pair<tile::ScratchOp, ScratchPlace>> placeScratch(tile::ProgramOp program);

/// The plan of a program, or an error.
mlir::FailureOr<tile::PlanAttr> planOf(tile::ProgramOp program);

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_PROGRAMPLAN_H

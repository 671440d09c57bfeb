//===- BuildContraction.h - The tile program of a contraction and its epilogue ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_BUILDCONTRACTION_H
#define TENON_LIB_CODEGEN_COMMON_BUILDCONTRACTION_H

#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"

namespace tenon::codegen {

/// Writes the program of a kernel that has register tiles, by a complete schedule.
void buildContraction(tile::KernelOp kernel, const tile::KernelStructure &structure, tile::ScheduleAttr schedule);

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_BUILDCONTRACTION_H

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

/// The height of register tiles behind whole ones, where the number of rows isn't known.
inline constexpr int64_t restRows = 4;

/// In a form: the columns of a constant matrix in panels of `width`, zeros behind the last, the rows that are summed
/// one behind the other. `depth` is the matrix's dimension of these.
mlir::Value makePanels(mlir::OpBuilder &builder, mlir::Value matrix, int64_t depth, int64_t width);

/// Writes the program of a kernel that has register tiles, by a complete schedule.
void buildContraction(tile::KernelOp kernel, const tile::KernelStructure &structure, tile::ScheduleAttr schedule);

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_BUILDCONTRACTION_H

//===- TileOps.h - Kernels ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Level 2: a kernel is a fused region of the graph, still in `tenon` ops, that one launch computes. How it is formed is
// in Dialect/Tile/Transforms, how it becomes loops in Codegen.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_IR_TILEOPS_H
#define TENON_DIALECT_TILE_IR_TILEOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"
#include "tenon/Dialect/Tenon/IR/TenonInterfaces.h"
#include "tenon/Dialect/Tile/IR/TileTargets.h"

#define GET_OP_CLASSES
#include "tenon/Dialect/Tile/IR/TileOps.h.inc"

namespace tenon::tile {
/// The attribute of a kernel by which a person fixes knobs of its schedule.
inline constexpr llvm::StringLiteral kScheduleAttr = "tenon_tile.schedule";
/// Of an argument of a kernel: each launch gives it a constant, which programs may want in a form.
inline constexpr llvm::StringLiteral kConstantAttr = "tenon_tile.constant";
/// Of a program: how many workers a launch pays for, from its index arguments.
inline constexpr llvm::StringLiteral kWorkersAttr = "tenon_tile.workers";
/// The plan of a program, on the function of loops that its first grid has become.
inline constexpr llvm::StringLiteral kProgramPlanAttr = "tenon_tile.plan";
} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_IR_TILEOPS_H

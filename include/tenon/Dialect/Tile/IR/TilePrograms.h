//===- TilePrograms.h - How a target computes a kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Level 2b: what a target makes of a kernel, as a program over tiles. A tile is a tensor of static sizes, so all ops of
// `tenon` compute with tiles; memory is a strided memref. Who writes programs and who lowers them includes this header,
// apart from the kernels' TileOps.h.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_IR_TILEPROGRAMS_H
#define TENON_DIALECT_TILE_IR_TILEPROGRAMS_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/IntegerSet.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

#define GET_TYPEDEF_CLASSES
#include "tenon/Dialect/Tile/IR/TileTypes.h.inc"

#define GET_OP_CLASSES
#include "tenon/Dialect/Tile/IR/TilePrograms.h.inc"

namespace tenon::tile {
/// Attributes of a program's arguments: see `program`.
inline constexpr llvm::StringLiteral kFormAttr = "tenon_tile.form";
inline constexpr llvm::StringLiteral kOperandsAttr = "tenon_tile.operands";
inline constexpr llvm::StringLiteral kTiedAttr = "tenon_tile.tied";
inline constexpr llvm::StringLiteral kPresentAttr = "tenon_tile.present";
inline constexpr llvm::StringLiteral kAlignAttr = "tenon_tile.align";
/// Of a program: the bits that its elementary functions of f32 keep; all, if nothing is said.
inline constexpr llvm::StringLiteral kFunctionBitsAttr = "tenon_tile.function_bits";
/// The kernel that a program must agree with.
inline constexpr llvm::StringLiteral kComputesAttr = "tenon_tile.computes";

/// Whether a type is a tile: a tensor of static sizes.
bool isTile(mlir::Type type);

/// The type of a view: what `map` makes of the source's strides, with the sizes given and elements of `elementType`.
/// Says what is wrong, if something is.
mlir::FailureOr<mlir::MemRefType> viewType(llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
                                           mlir::MemRefType source, mlir::AffineMap map, mlir::AffineMap sizes,
                                           mlir::Type elementType);

/// The form that an argument of a program is stored in, from the tables of symbols around it; none where there is none.
FormOp lookupForm(ProgramOp program, unsigned argument);
} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_IR_TILEPROGRAMS_H

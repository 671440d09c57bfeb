//===- TileTargets.h - What there is to know of targets ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A target is an attribute: what code generation, schedules, layouts and the compiler know of it stands in one place,
// in the text of variants too. Of which values there are is not known here: Codegen's and Target's folders of a family
// say that.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_IR_TILETARGETS_H
#define TENON_DIALECT_TILE_IR_TILETARGETS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "tenon/Dialect/Tenon/Transforms/LayoutPrices.h"
#include "llvm/ADT/Hashing.h"

#include "tenon/Dialect/Tile/IR/TileDialect.h.inc"
#include "tenon/Dialect/Tile/IR/TileEnums.h.inc"

namespace tenon::tile {
class InstructionAttr;
class MemoryLevelAttr;
class RateAttr;

/// A number in an attribute, printed as short as it is read back the same.
struct Number {
  double value = 0;

  operator double() const { return value; }
  bool operator==(const Number &) const = default;
};

/// What schedules of a CPU's kernels cost: see `#tenon_tile.cpu`.
struct SchedulePrices {
  double loadsPerCycle, instructionsPerCycle, turnCycles, manyInstructions, tileCycles;
  double depthBlock, turnSize, wideRows, fetchRows, unitRows, unitColumns;

  bool operator==(const SchedulePrices &) const = default;
};

/// What launches of a CPU's kernels cost: see `#tenon_tile.cpu`.
struct LaunchPrices {
  double alone = 80, woken = 2000, workers = 8, longRows = 64;

  bool operator==(const LaunchPrices &) const = default;
};

/// What a target takes for what one kernel saves over two, and costs, in cycles of one worker.
struct FusionPrices {
  double launch;      ///< of a kernel that one worker computes
  double wake;        ///< more where others are needed
  double byte;        ///< written or read again: what doesn't fit into caches
  double instruction; ///< of one element, of those that a vector has
  int64_t workers;    ///< that a launch may be cut between
  int64_t longRows;   ///< elements from which on rows of any length may have one kernel
};

// How they are in attributes.
llvm::hash_code hash_value(const LaunchPrices &prices);
mlir::AsmPrinter &operator<<(mlir::AsmPrinter &printer, const LaunchPrices &prices);
llvm::hash_code hash_value(const Number &number);
llvm::hash_code hash_value(const SchedulePrices &prices);
mlir::AsmPrinter &operator<<(mlir::AsmPrinter &printer, Number number);
mlir::AsmPrinter &operator<<(mlir::AsmPrinter &printer, const SchedulePrices &prices);
} // namespace tenon::tile

namespace tenon {
llvm::hash_code hash_value(const LayoutPrices &prices);
mlir::AsmPrinter &operator<<(mlir::AsmPrinter &printer, const LayoutPrices &prices);
} // namespace tenon

template <> struct mlir::FieldParser<tenon::tile::Number> {
  static FailureOr<tenon::tile::Number> parse(AsmParser &parser);
};
template <> struct mlir::FieldParser<tenon::tile::SchedulePrices> {
  static FailureOr<tenon::tile::SchedulePrices> parse(AsmParser &parser);
};
template <> struct mlir::FieldParser<tenon::tile::LaunchPrices> {
  static FailureOr<tenon::tile::LaunchPrices> parse(AsmParser &parser);
};
template <> struct mlir::FieldParser<tenon::LayoutPrices> {
  static FailureOr<tenon::LayoutPrices> parse(AsmParser &parser);
};

#include "tenon/Dialect/Tile/IR/TileTargets.h.inc"

#define GET_ATTRDEF_CLASSES
#include "tenon/Dialect/Tile/IR/TileAttributes.h.inc"

#endif // TENON_DIALECT_TILE_IR_TILETARGETS_H

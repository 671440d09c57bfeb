//===- ScheduleSpace.h - The schedules that a kernel can have ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A schedule is a point of a space: a value for each knob. What searches (the heuristic of
// `tenon-select-schedules`, a tuner) and what applies a schedule know no more of a kernel than its space
// says; what the kernels of a strategy can be varied in is one subclass.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_ANALYSIS_SCHEDULESPACE_H
#define TENON_DIALECT_TILE_ANALYSIS_SCHEDULESPACE_H

#include "tenon/Dialect/Tile/IR/TileOps.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"

#include <memory>

namespace tenon::tile {

namespace knob {
inline constexpr llvm::StringLiteral vectorBytes = "vector_bytes", vectors = "vectors", tileRows = "tile_rows",
                                     depthBlock = "depth_block", turnSize = "turn_size",
                                     residentBytes = "resident_bytes", wideRows = "wide_rows", fetchRows = "fetch_rows",
                                     functionBits = "function_bits", epilogueRows = "epilogue_rows",
                                     panelColumns = "panel_columns", unitRows = "unit_rows",
                                     unitColumns = "unit_columns", partElements = "part_elements",
                                     unitElements = "unit_elements";
} // namespace knob

/// One choice that a schedule makes.
struct Knob {
  llvm::StringLiteral name;
  /// What a search tries. Where the cost model sees no difference the first one is taken.
  llvm::SmallVector<int64_t> candidates;
  /// Whether the cost model sees it. A search leaves others at their first candidate, where schedules have it.
  bool isPriced = true;
};

/// A value for each knob of a space, in its order.
using SchedulePoint = llvm::SmallVector<int64_t>;

class ScheduleSpace {
public:
  using EmitError = llvm::function_ref<mlir::InFlightDiagnostic()>;

  virtual ~ScheduleSpace() = default;

  /// The kind of kernel, in words.
  llvm::StringRef getKind() const { return kind; }
  llvm::ArrayRef<Knob> getKnobs() const { return knobs; }

  /// Whether the point is a schedule of the kernel on its target; `reason` is told why not. Values may lie
  /// between the candidates.
  virtual bool isLegal(llvm::ArrayRef<int64_t> point, llvm::raw_ostream *reason = nullptr) const = 0;
  /// An estimate of the time that the kernel takes, to be compared within the space.
  virtual double cost(llvm::ArrayRef<int64_t> point) const = 0;

  /// Calls `visit` with each schedule of candidates that keeps the values of `fixed`.
  void forEach(llvm::ArrayRef<std::optional<int64_t>> fixed,
               llvm::function_ref<void(llvm::ArrayRef<int64_t>)> visit) const;
  /// The cheapest schedule that has the knobs that `given` fixes; `given` may be null.
  mlir::FailureOr<SchedulePoint> best(ScheduleAttr given, EmitError emitError) const;
  /// The schedule as a point: an error where it leaves a knob open, or is none of this space.
  mlir::FailureOr<SchedulePoint> read(ScheduleAttr schedule, EmitError emitError) const;
  ScheduleAttr attributeOf(llvm::ArrayRef<int64_t> point) const;

protected:
  ScheduleSpace(mlir::MLIRContext *context, llvm::StringRef kind) : context(context), kind(kind) {}

  /// False, after saying why.
  template <typename... Values> static bool refuse(llvm::raw_ostream *reason, const char *format, Values &&...values) {
    if (reason)
      *reason << llvm::formatv(format, std::forward<Values>(values)...);
    return false;
  }

  mlir::MLIRContext *context;
  llvm::StringRef kind;
  llvm::SmallVector<Knob> knobs;

private:
  mlir::LogicalResult refuse(llvm::ArrayRef<int64_t> point, EmitError emitError) const;
  mlir::FailureOr<llvm::SmallVector<std::optional<int64_t>>> valuesOf(ScheduleAttr schedule, EmitError emitError) const;
  SchedulePoint cheapest(llvm::ArrayRef<std::optional<int64_t>> fixed) const;
};

mlir::Diagnostic &operator<<(mlir::Diagnostic &diagnostic, const ScheduleSpace &space);

/// Bits that elementary functions of f32 keep: those that the type has, or enough for 1e-4 of the largest value.
inline constexpr int64_t allFunctionBits = 24, fewFunctionBits = 12;

} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_ANALYSIS_SCHEDULESPACE_H

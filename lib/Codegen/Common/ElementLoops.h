//===- ElementLoops.h - Loops within the rule of an element ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_ELEMENTLOOPS_H
#define TENON_LIB_CODEGEN_COMMON_ELEMENTLOOPS_H

#include "tenon/Codegen/Common/ElementEmitter.h"

namespace tenon::codegen {

/// A range of positions along one dimension.
struct PositionRange {
  mlir::Value low, high;
};

/// Loops over boxes: calls `body` with one position per range, innermost.
mlir::FailureOr<mlir::Value>
nest(ElementEmitter &e, llvm::ArrayRef<PositionRange> ranges, mlir::Value init,
     llvm::function_ref<mlir::FailureOr<mlir::Value>(llvm::ArrayRef<mlir::Value>, mlir::Value)> body);

/// Loops over the vectors of a row of `extent` elements, then what is left of it, if anything: calls `body` with the
/// position, what was carried there, and whether the lanes that count are those of `ElementEmitter::mask`.
mlir::FailureOr<mlir::Value>
loopOverVectors(ElementEmitter &e, mlir::Value extent, mlir::Value init,
                llvm::function_ref<mlir::FailureOr<mlir::Value>(mlir::Value, mlir::Value, bool isMasked)> body);

/// Whether lanes read different places.
bool dependsOnLanes(llvm::ArrayRef<Coordinate> coordinates);

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_ELEMENTLOOPS_H

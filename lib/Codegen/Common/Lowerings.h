//===- Lowerings.h - Loops that strategies emit ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_LOWERINGS_H
#define TENON_LIB_CODEGEN_COMMON_LOWERINGS_H

#include "Shuffles.h"
#include "tenon/Codegen/Common/KernelBody.h"

namespace tenon::codegen {

/// The first elements of rows in order.
mlir::LogicalResult emitTopK(KernelBody &body);

/// Where top-k keeps the candidates of a row. Up to `mostInserted` stand in order on the stack. More of them are
/// collected in scratch, behind the best that are known, and sorted between two halves of it: as a key and a position
/// each.
struct TopKCandidates {
  static constexpr int64_t mostInserted = 16;
  static constexpr int64_t perResult = 4; ///< so many for each result are collected before they are sorted
  static constexpr int64_t chunk = 64;    ///< elements that are looked at before it is asked whether there are as many
  static constexpr int64_t positionBytes = 4;
  /// Bytes of a key: those of the element, but not fewer than a register's.
  static int64_t keyBytes(mlir::Type element) { return std::max(4u, element.getIntOrFloatBitWidth() / 8); }
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_LOWERINGS_H

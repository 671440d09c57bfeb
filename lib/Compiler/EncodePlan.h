//===- EncodePlan.h - The plan of a variant as an artifact has it ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_COMPILER_ENCODEPLAN_H
#define TENON_LIB_COMPILER_ENCODEPLAN_H

#include "tenon/Dialect/Tile/IR/TileOps.h"

namespace tenon {

struct LaunchPlan {
  std::vector<int64_t> words; ///< of Artifact/LaunchPlan.h
  unsigned gridCount = 0;     ///< of all programs
};

/// From the functions that a variant has become: the first program whose guard holds is the one that runs.
mlir::FailureOr<LaunchPlan> encodePlan(tile::VariantOp variant);

} // namespace tenon

#endif // TENON_LIB_COMPILER_ENCODEPLAN_H

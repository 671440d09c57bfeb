//===- Shuffles.h - Vectors as the rows of a block ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_SHUFFLES_H
#define TENON_LIB_CODEGEN_COMMON_SHUFFLES_H

#include "tenon/Codegen/Common/ElementEmitter.h"

namespace tenon::codegen {

/// As many vectors as they have lanes, a power of two, with rows as columns.
llvm::SmallVector<mlir::Value> turn(ElementEmitter &e, llvm::ArrayRef<mlir::Value> block);
/// The first elements of all vectors, then the second ones and so on, in as many vectors.
llvm::SmallVector<mlir::Value> interleave(ElementEmitter &e, llvm::ArrayRef<mlir::Value> vectors);

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_SHUFFLES_H

//===- NarrowFloats.h - Floating-point types of 8 bits ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_NARROWFLOATS_H
#define TENON_LIB_CODEGEN_COMMON_NARROWFLOATS_H

#include "tenon/Codegen/Common/ElementEmitter.h"

namespace tenon::codegen {

/// Whether the type is only stored: it is converted to and from f32, and held as its bits in between.
bool isStorageFloat(mlir::Type element);
/// The f32 value of bits, exact.
mlir::Value decodeFloat(ElementEmitter &emitter, mlir::Value bits, mlir::FloatType type);
/// The bits of an f32 value, rounded to the nearest, ties to even. What is beyond the range becomes infinity, or NaN in
/// a type without it; with `saturate` the largest finite value.
mlir::Value encodeFloat(ElementEmitter &emitter, mlir::Value value, mlir::FloatType type, bool saturate);

/// To a wider floating-point type, and to a narrower one as what is computed is defined: a number that is widened again
/// within a kernel keeps its bits. The graph's own casts round.
mlir::Value widen(ElementEmitter &emitter, mlir::Value value, mlir::Type element);
mlir::Value narrow(ElementEmitter &emitter, mlir::Value value, mlir::Type element);

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_NARROWFLOATS_H

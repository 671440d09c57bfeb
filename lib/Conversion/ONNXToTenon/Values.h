//===- Values.h - Types of sequences and optionals ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_VALUES_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_VALUES_H

#include "mlir/IR/BuiltinTypes.h"

namespace tenon::onnx {

/// The type of values of either type: sizes, and below sequences and optionals ranks, that differ are unknown. Null
/// where there is none.
mlir::Type joinTypes(mlir::Type a, mlir::Type b);

/// What a sequence or optional holds; null of any other type.
mlir::Type heldType(mlir::Type type);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_VALUES_H

//===- Types.h - ONNX types as MLIR types ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_FRONTEND_ONNX_TYPES_H
#define TENON_LIB_FRONTEND_ONNX_TYPES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/Error.h"

namespace onnx {
class TypeProto;
} // namespace onnx

namespace tenon::onnx {

/// Refuses sizes whose product doesn't fit 63 bits of stored bits, before MLIR multiplies them. Dynamic sizes
/// count as 1.
llvm::Error checkSizes(llvm::ArrayRef<int64_t> sizes, mlir::Type elementType);

/// The type of a value, null when the model says nothing, or nothing that Tenon has a type for (maps, sparse
/// tensors, opaque values). An error is a type that contradicts itself.
llvm::Expected<mlir::Type> convertType(const ::onnx::TypeProto &type, mlir::MLIRContext *context);

/// The names of a tensor's dimensions, "" where they have none. Null when no dimension has a name.
mlir::ArrayAttr dimensionNames(const ::onnx::TypeProto &type, mlir::MLIRContext *context);

} // namespace tenon::onnx

#endif // TENON_LIB_FRONTEND_ONNX_TYPES_H

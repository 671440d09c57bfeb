//===- OperandTypes.h - Element types that ONNX's operators take ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_OPERANDTYPES_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_OPERANDTYPES_H

#include "Node.h"

namespace tenon::onnx {

/// Reports the first operand of a node whose elements are of no type that ONNX lets its operator take, at any version.
/// Operators of other domains take what their converters do.
mlir::LogicalResult checkOperandTypes(Node &node);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_OPERANDTYPES_H

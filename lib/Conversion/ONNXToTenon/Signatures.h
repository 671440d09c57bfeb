//===- Signatures.h - What ONNX lets operators take and give ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_SIGNATURES_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_SIGNATURES_H

#include "Node.h"

namespace tenon::onnx {

/// Reports what ONNX doesn't let a node of its own operators be: an attribute that the operator doesn't have at this
/// version, or of another kind, more results than it gives, an operand whose elements are of no type that it takes, at
/// any version. Operators of other domains take operands that their converters do.
mlir::LogicalResult checkSignature(Node &node);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_SIGNATURES_H

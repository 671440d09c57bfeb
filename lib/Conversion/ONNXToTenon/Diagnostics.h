//===- Diagnostics.h - Errors and warnings at a node ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_DIAGNOSTICS_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_DIAGNOSTICS_H

#include "tenon/Dialect/ONNX/IR/ONNXOps.h"

namespace tenon::onnx {

/// `'Conv' (opset 17) `, to be continued, with a note of what the exporter says about where the node comes from.
mlir::InFlightDiagnostic errorAt(NodeOp op);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_DIAGNOSTICS_H

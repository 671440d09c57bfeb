//===- Activation.h - Functions that operators name in an attribute ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_ACTIVATION_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_ACTIVATION_H

#include "Node.h"

namespace tenon::onnx {

/// An activation of a recurrent cell or of an operator that it is fused into. Parameters that are left out
/// are those that the operator of that name defaults to.
struct Activation {
  std::string name; ///< in lower case
  std::optional<double> alpha = {}, beta = {}, gamma = {};

  /// An activation that isn't known is an error.
  mlir::Value apply(Node &node, mlir::Value x) const;
};

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_ACTIVATION_H

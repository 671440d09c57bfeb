//===- Branch.h - One of two subgraphs, by a condition ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_BRANCH_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_BRANCH_H

#include "Node.h"

namespace tenon::onnx {

Results branch(Node &node);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_BRANCH_H

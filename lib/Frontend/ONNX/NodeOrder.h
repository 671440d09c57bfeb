//===- NodeOrder.h - Nodes after what they use ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_FRONTEND_ONNX_NODEORDER_H
#define TENON_LIB_FRONTEND_ONNX_NODEORDER_H

#include "onnx-ml.pb.h"

#include "llvm/ADT/SmallVector.h"

namespace tenon::onnx {

using NodeList = google::protobuf::RepeatedPtrField<::onnx::NodeProto>;

/// The positions of nodes in an order where each follows those whose results it uses, itself or in subgraphs:
/// the model's order where that is one, and as near to it as can be where it isn't. False if there is none;
/// then `order` is a cycle.
bool orderNodes(const NodeList &nodes, llvm::SmallVectorImpl<int> &order);

} // namespace tenon::onnx

#endif // TENON_LIB_FRONTEND_ONNX_NODEORDER_H

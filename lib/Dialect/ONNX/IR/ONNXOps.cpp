//===- ONNXOps.cpp - ONNX models as they are ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/ONNX/IR/ONNXOps.h"
#include "tenon/Dialect/Bytecode/BytecodeVersion.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon::onnx;

#include "tenon/Dialect/ONNX/IR/ONNXDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "tenon/Dialect/ONNX/IR/ONNXTypes.cpp.inc"

void ONNXDialect::initialize() {
  addInterface<VersionedBytecode>(/*current=*/1);
  addTypes<
#define GET_TYPEDEF_LIST
#include "tenon/Dialect/ONNX/IR/ONNXTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/ONNX/IR/ONNXOps.cpp.inc"
      >();
}

llvm::StringRef NodeOp::getNodeName() {
  auto name = dyn_cast<NameLoc>(getLoc());
  return name ? name.getName().getValue() : llvm::StringRef();
}

Region *NodeOp::getBody(llvm::StringRef name) {
  for (auto [known, region] : llvm::zip(getRegionNames().getAsRange<StringAttr>(), getBodies()))
    if (known.getValue() == name)
      return &region;
  return nullptr;
}

LogicalResult NodeOp::verify() {
  if (getVersion() < 1)
    return emitOpError("expects a positive version, but has ") << getVersion();
  if (getRegionNames().size() != getBodies().size())
    return emitOpError("expects ") << getBodies().size() << " region names, but has " << getRegionNames().size();
  for (Region &body : getBodies())
    if (body.front().empty() || !isa<YieldOp>(body.front().back()))
      return emitOpError("expects subgraphs that end with tenon_onnx.yield");
  return success();
}

#define GET_OP_CLASSES
#include "tenon/Dialect/ONNX/IR/ONNXOps.cpp.inc"

//===- ONNXOps.h - ONNX models as they are ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Level 0: a model as the importer reads it. What nodes mean is in Conversion/ONNXToTenon.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_ONNX_IR_ONNXOPS_H
#define TENON_DIALECT_ONNX_IR_ONNXOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"

#include "tenon/Dialect/ONNX/IR/ONNXDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "tenon/Dialect/ONNX/IR/ONNXTypes.h.inc"

#define GET_OP_CLASSES
#include "tenon/Dialect/ONNX/IR/ONNXOps.h.inc"

#endif // TENON_DIALECT_ONNX_IR_ONNXOPS_H

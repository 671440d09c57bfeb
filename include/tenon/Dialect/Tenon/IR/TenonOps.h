//===- TenonOps.h - Operations of the graph dialect ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONOPS_H
#define TENON_DIALECT_TENON_IR_TENONOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"
#include "tenon/Dialect/Tenon/IR/TenonInterfaces.h"

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonElementwise.h.inc"
#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonContraction.h.inc"
#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonReduction.h.inc"
#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonNormalization.h.inc"
#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonAttention.h.inc"
#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonDataMovement.h.inc"
#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonIndexing.h.inc"
#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonShape.h.inc"
#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonControlFlow.h.inc"
#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonHostCalls.h.inc"

namespace tenon {
/// The one value of a constant, also of one that was broadcast: a FloatAttr or IntegerAttr, or null.
mlir::TypedAttr splatOf(mlir::Value value);
} // namespace tenon

#endif // TENON_DIALECT_TENON_IR_TENONOPS_H

//===- TenonOps.td - The whole graph dialect ----------------------------===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONOPS
#define TENON_DIALECT_TENON_IR_TENONOPS

include "tenon/Dialect/Tenon/IR/TenonElementwise.td"
include "tenon/Dialect/Tenon/IR/TenonContraction.td"
include "tenon/Dialect/Tenon/IR/TenonReduction.td"
include "tenon/Dialect/Tenon/IR/TenonNormalization.td"
include "tenon/Dialect/Tenon/IR/TenonAttention.td"
include "tenon/Dialect/Tenon/IR/TenonDataMovement.td"
include "tenon/Dialect/Tenon/IR/TenonIndexing.td"
include "tenon/Dialect/Tenon/IR/TenonShape.td"
include "tenon/Dialect/Tenon/IR/TenonControlFlow.td"
include "tenon/Dialect/Tenon/IR/TenonHostCalls.td"
include "tenon/Dialect/Tenon/IR/TenonBits.td"

#endif // TENON_DIALECT_TENON_IR_TENONOPS

//===- TenonBits.h - Ops on bits of elements, and on random ones ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Of the graph dialect, for those few who look at them.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONBITS_H
#define TENON_DIALECT_TENON_IR_TENONBITS_H

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonBits.h.inc"

#endif // TENON_DIALECT_TENON_IR_TENONBITS_H

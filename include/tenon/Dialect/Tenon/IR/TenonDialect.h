//===- TenonDialect.h - The graph dialect ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONDIALECT_H
#define TENON_DIALECT_TENON_IR_TENONDIALECT_H

#include "mlir/IR/BuiltinTypeInterfaces.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/Support/Error.h"

#include "tenon/Dialect/Tenon/IR/TenonDialect.h.inc"
#include "tenon/Dialect/Tenon/IR/TenonEnums.h.inc"

namespace tenon {
/// Whether ops can compute with elements of this type: integers and floating point of 64, 32, 16 or at most 8 bits.
inline bool isNumber(mlir::Type element) {
  if (!element.isIntOrFloat())
    return false;
  unsigned bits = element.getIntOrFloatBitWidth();
  return bits == 64 || bits == 32 || bits == 16 || (bits >= 1 && bits <= 8);
}
} // namespace tenon

#define GET_TYPEDEF_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonAttributes.h.inc"

#endif // TENON_DIALECT_TENON_IR_TENONDIALECT_H

//===- OutputKeys.h - Outputs whose rows are dictionaries ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An output may stand for a dictionary per row: it is a tensor, and its last dimension has a key, text or a number, for
// each place. Keys are known when compiling. They are an attribute of the module, `tenon.keys = {output = ["a", "b"]}`,
// which no pass needs to know; whoever runs the model makes the dictionaries.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TENON_DIALECT_TENON_IR_OUTPUTKEYS_H
#define TENON_DIALECT_TENON_IR_OUTPUTKEYS_H

#include "mlir/IR/BuiltinOps.h"

namespace tenon {
/// The keys are strings, or integers of 64 bits.
void setKeys(mlir::ModuleOp module, llvm::StringRef output, mlir::ArrayAttr keys);
/// Strings or integers; none of an output that is just a tensor.
llvm::ArrayRef<mlir::Attribute> keysOf(mlir::ModuleOp module, llvm::StringRef output);
} // namespace tenon

#endif // TENON_DIALECT_TENON_IR_OUTPUTKEYS_H

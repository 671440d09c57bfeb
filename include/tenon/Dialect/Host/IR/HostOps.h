//===- HostOps.h - The host program ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A model's host program: which kernels run on which buffers, and how the sizes follow from the symbols. What the
// kernels compute is in the tile dialect; how the program reaches the runtime is in Conversion/HostToLLVM.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_HOST_IR_HOSTOPS_H
#define TENON_DIALECT_HOST_IR_HOSTOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "tenon/Dialect/Host/IR/HostDialect.h.inc"
#include "tenon/Dialect/Host/IR/HostEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "tenon/Dialect/Host/IR/HostTypes.h.inc"

namespace tenon::host {
/// Whether values of a type are held by the runtime: anything but tensors of numbers.
bool isHeld(mlir::Type type);
} // namespace tenon::host

#define GET_OP_CLASSES
#include "tenon/Dialect/Host/IR/HostOps.h.inc"

#endif // TENON_DIALECT_HOST_IR_HOSTOPS_H

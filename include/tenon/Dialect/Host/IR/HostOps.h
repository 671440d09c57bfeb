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

#define GET_ATTRDEF_CLASSES
#include "tenon/Dialect/Host/IR/HostAttributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "tenon/Dialect/Host/IR/HostTypes.h.inc"

namespace tenon::host {
/// Whether values of a type are held by the runtime: anything but tensors of numbers.
bool isHeld(mlir::Type type);
/// On an operand or result of a kernel: which strides it takes. Without it, those of contiguous rows.
inline constexpr llvm::StringLiteral kContractAttr = "tenon_tile.contract";
/// Elements along the last dimension lie next to each other; all other strides come with the launch.
inline constexpr llvm::StringLiteral kInnerContract = "inner";
/// On a slice: its result is read where the operand lies.
inline constexpr llvm::StringLiteral kViewAttr = "tenon_host.view";
/// On a concat or a pad: the numbers of the operands that are written where the result lies, ascending. The border of
/// such a pad is its halo.
inline constexpr llvm::StringLiteral kPlacedAttr = "tenon_host.placed";
/// Marks a function as the plan of a segment.
inline constexpr llvm::StringLiteral kPlanAttr = "tenon_host.plan";
} // namespace tenon::host

#define GET_OP_CLASSES
#include "tenon/Dialect/Host/IR/HostOps.h.inc"

namespace tenon::host {
/// The device that a buffer lies on; none for the host.
DeviceAttr deviceOf(mlir::Value buffer);
/// The device that a launch or copy needs; none for what the host does alone.
DeviceAttr deviceOf(mlir::Operation *op);
/// Whether a function is a placed program: it says where its inputs and outputs are.
bool isPlaced(mlir::Operation *function);
/// Whether a placed program is cut into segments.
bool isCut(mlir::Operation *function);
/// What a result of a segment is inside of it; any other value itself.
mlir::Value insideOf(mlir::Value value);
/// The storage that a buffer is, or is a view of.
StorageOp storageOf(mlir::Value buffer);
} // namespace tenon::host

#endif // TENON_DIALECT_HOST_IR_HOSTOPS_H

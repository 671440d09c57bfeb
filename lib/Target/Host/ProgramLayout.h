//===- ProgramLayout.h - What the functions of a host program agree on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_TARGET_HOST_PROGRAMLAYOUT_H
#define TENON_LIB_TARGET_HOST_PROGRAMLAYOUT_H

#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Target/Host/HostProgram.h"

#include "llvm/ADT/MapVector.h"

namespace tenon::host {

/// The symbols, slots and launches of a program, numbered. It works on a copy of the function, to which it adds the
/// index arithmetic that placing left implicit.
class ProgramLayout {
public:
  explicit ProgramLayout(mlir::func::FuncOp main) : main(main) {}

  /// Numbers everything and fills the metadata.
  mlir::LogicalResult build();

  /// A value of the plan: a constant, or what a slot holds.
  struct Size {
    std::optional<int64_t> constant;
    unsigned slot = 0;
  };
  Size sizeOf(mlir::OpFoldResult value);
  llvm::SmallVector<Size> sizesOf(llvm::ArrayRef<mlir::OpFoldResult> values);

  /// Sizes and strides of a buffer, in elements.
  llvm::SmallVector<mlir::OpFoldResult> extentsOf(mlir::Value buffer);
  llvm::SmallVector<mlir::OpFoldResult> stridesOf(mlir::Value buffer);

  /// An input size that must equal an expression: the symbol that it is bound to, and the expression.
  struct Equality {
    unsigned symbol;
    mlir::Value expected;
  };

  mlir::func::FuncOp main;
  artifact::ModelMetadata metadata;
  llvm::SmallVector<mlir::TypedAttr> constants;
  /// Index values by slot; arena buffers' bytes, which stand in slots of their own.
  llvm::MapVector<mlir::Value, unsigned> slots;
  llvm::MapVector<mlir::Operation *, unsigned> byteSlots;
  llvm::StringMap<unsigned> symbols;
  llvm::SmallVector<Equality> equalities;
  llvm::DenseMap<mlir::Operation *, unsigned> launches;
  unsigned slotCount = 0;

private:
  mlir::LogicalResult addInput(StorageOp storage);
  mlir::LogicalResult addOutput(StorageOp storage);
  mlir::LogicalResult addSymbols();
  mlir::LogicalResult addLaunch(LaunchOp launch);
  void addArena(StorageOp storage);
  artifact::Dim outputDim(mlir::OpFoldResult size);

  llvm::StringMap<unsigned> kernels;
};

/// Adds `int32_t plan_0(const int64_t *symbols, int64_t *slots)`, in arith, affine and the LLVM dialect.
mlir::LogicalResult emitPlan(ProgramLayout &layout, mlir::OpBuilder &builder);
/// Guards the divisions of the plan, once it is arithmetic.
void guardDivisions(mlir::func::FuncOp plan);
/// Adds `execute_0` and `run`.
mlir::LogicalResult emitExecute(ProgramLayout &layout, mlir::OpBuilder &builder);

} // namespace tenon::host

#endif // TENON_LIB_TARGET_HOST_PROGRAMLAYOUT_H

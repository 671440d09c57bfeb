//===- KernelFunction.h - The function that a program becomes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_KERNELFUNCTION_H
#define TENON_LIB_CODEGEN_COMMON_KERNELFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

namespace tenon::codegen {

/// What a function of loops is called with.
struct KernelSignature {
  llvm::SmallVector<mlir::Type> tensors; ///< elements of each operand and result
  unsigned results = 0;                  ///< how many of them are results
  /// The launch's buffers that `tensors` are; all of them, one after the other, where it is empty.
  llvm::SmallVector<int64_t> places;
  llvm::SmallVector<mlir::Type> constants; ///< elements of each constant in a form of the variant's own
  unsigned strides = 0, symbols = 0;
  bool hasScratch = false;       ///< whether it takes its worker's scratch
  bool hasLaunchScratch = false; ///< whether it takes that of all workers
  bool checks = false;           ///< whether it can fail, and takes its worker's error slot
};

/// Whether elements of these types can be read and written; else an error.
mlir::LogicalResult checkElements(mlir::Location loc, llvm::ArrayRef<mlir::Type> operands,
                                  llvm::ArrayRef<mlir::Type> results);

/// The bytes of a worker's error slot.
mlir::MemRefType errorSlotType(mlir::MLIRContext *context);

/// A function of the arguments that `kKernelAttr` counts.
struct KernelFunction {
  /// Makes one at the builder's insertion point, and goes into it.
  static mlir::FailureOr<KernelFunction> create(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name,
                                                const KernelSignature &signature);

  mlir::func::FuncOp function;
  mlir::ValueRange buffers;   ///< base pointers of operands, then of results, as memrefs of rank 0
  mlir::ValueRange constants; ///< base pointers of constants in forms, likewise
  mlir::ValueRange strides, symbols;
  mlir::Value begin, end;             ///< the units of work to do
  mlir::Value scratch, launchScratch; ///< buffers of bytes, or null
};

/// Takes apart the composites in `root`, which are computed element by element.
mlir::LogicalResult decomposeComposites(mlir::Operation *root);
/// Marks elementary functions of f32 in `root` as ones that need not keep all bits.
void approximateFunctions(mlir::Operation *root);
/// Whether an op in `root` reports errors.
bool canFail(mlir::Operation *root);

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_KERNELFUNCTION_H

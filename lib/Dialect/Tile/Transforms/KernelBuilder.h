//===- KernelBuilder.h - A kernel and its launch from a group of ops ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_TILE_TRANSFORMS_KERNELBUILDER_H
#define TENON_LIB_DIALECT_TILE_TRANSFORMS_KERNELBUILDER_H

#include "tenon/Dialect/Host/Analysis/Layouts.h"
#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

namespace tenon::tile {

/// The kernels of a module; of equal ones there is one.
class KernelTable {
public:
  explicit KernelTable(mlir::ModuleOp module) : symbols(module) {}

  /// Names the kernel; one that is equal takes its place.
  mlir::FlatSymbolRefAttr unique(KernelOp kernel);

private:
  mlir::SymbolTable symbols;
  llvm::StringMap<mlir::StringAttr> names; ///< by content
};

/// Makes a kernel of a group of ops, and a launch in their place, in three steps: what the kernel takes and gives, the
/// kernel, the launch. The ops stay, without users outside of the group.
class KernelBuilder {
public:
  KernelBuilder(mlir::func::FuncOp func, SizeAnalysis &sizes, host::Layouts &layouts, KernelTable &table)
      : func(func), sizes(sizes), layouts(layouts), table(table), builder(func.getContext()) {}

  mlir::LogicalResult build(llvm::ArrayRef<mlir::Operation *> ops, const KernelStrategy &strategy);

private:
  using Groups = llvm::SmallVector<mlir::ReassociationIndices>;
  /// What a kernel takes and gives.
  struct Signature {
    llvm::SmallVector<mlir::Operation *> body; ///< the ops, behind what is cloned into each kernel that reads it
    llvm::SetVector<mlir::Value> tensors;
    llvm::DenseSet<mlir::Value> constants; ///< of `tensors`, those that programs may want in forms
    llvm::SmallVector<mlir::Value> results;
    llvm::MapVector<mlir::AffineExpr, mlir::Value> symbols; ///< to the kernel's arguments
  };
  /// A kernel, and how it is launched.
  struct Outlined {
    KernelOp kernel;
    std::optional<llvm::SmallVector<Groups>> collapse; ///< of operands and results: which dimensions became one
    std::optional<size_t> overwritten;                 ///< the operand whose buffer the result takes over
  };
  /// Static and dynamic sizes, as builders of ops want them.
  struct Sizes {
    llvm::SmallVector<mlir::Value> dynamic;
    llvm::SmallVector<int64_t> fixed;

    explicit Sizes(llvm::ArrayRef<mlir::OpFoldResult> sizes) {
      mlir::dispatchIndexOpFoldResults(sizes, dynamic, fixed);
    }
  };

  mlir::FailureOr<Signature> signatureOf(const OpGroup &group, const KernelStrategy &strategy);
  Outlined outline(const OpGroup &group, Signature &signature);
  mlir::LogicalResult launch(const OpGroup &group, const Signature &signature, Outlined outlined);

  void addSymbols(Signature &signature, mlir::Value tensor);
  void buildBody(KernelOp kernel, Signature &signature);
  llvm::SmallVector<llvm::SmallVector<bool>> stateContracts(KernelOp kernel, const Signature &signature);
  std::optional<size_t> overwrittenBy(const OpGroup &group, const Signature &signature);
  mlir::Value reshaped(mlir::Value tensor, const Groups &groups, mlir::Location loc);

  mlir::func::FuncOp func;
  SizeAnalysis &sizes;
  host::Layouts &layouts;
  KernelTable &table;
  mlir::OpBuilder builder;
};

} // namespace tenon::tile

#endif // TENON_LIB_DIALECT_TILE_TRANSFORMS_KERNELBUILDER_H

//===- Layouts.h - Where the elements of tensors lie ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Slices, reshapes, concats and pads that move nothing: a tensor is part of the place of another one, at an
// offset and with strides. Which slices and operands of concats and pads are such parts is decided before
// kernels are formed
// (`tenon-assign-views`) and stands in attributes of the dialect; kernel formation and placement ask here what follows
// from them.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_HOST_ANALYSIS_LAYOUTS_H
#define TENON_DIALECT_HOST_ANALYSIS_LAYOUTS_H

#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

namespace tenon::host {

/// Whether a number follows from what is bound when a run begins, without a chance of failing.
bool isKnownOnEntry(mlir::Value number);

bool isView(SliceOp slice);
bool isPlaced(mlir::Operation *whole, unsigned operand);
/// The strides, but for the last one, that are stated of a tensor in a buffer of the caller.
std::optional<mlir::ValueRange> boundStridesOf(mlir::Value tensor);

/// On a result of the model's function: the number of the input in whose buffer it may be.
inline constexpr llvm::StringLiteral kAliasAttr = "tenon.alias";

/// Element `i` of a tensor is element `offset + sum of i[d] * strides[d]` of the place of `root`.
struct Layout {
  mlir::Value root;
  mlir::AffineExpr offset;
  llvm::SmallVector<mlir::AffineExpr> sizes, strides;
  llvm::SmallVector<bool> breaks; ///< per dimension, whether no stride leads from the one before it through both

  /// Whether elements along the last dimension lie next to each other.
  bool hasRows() const;
  bool isContiguous() const;
};

/// Makes no IR. What it is asked about may change between questions.
class Layouts {
public:
  explicit Layouts(SizeAnalysis &sizes) : sizes(sizes) {}

  /// None where no strides describe a reshape.
  std::optional<Layout> layoutOf(mlir::Value tensor);
  /// The tensor in whose place it lies.
  mlir::Value rootOf(mlir::Value tensor);

  /// What a slice of a tensor would be as a view.
  std::optional<Layout> sliceOf(SliceOp slice);
  /// Where an operand of a concat, or the operand of a pad that crops nothing, goes.
  std::optional<Layout> partOf(mlir::Operation *whole, unsigned operand);
  /// What of a pad's result is around its operand, in parts that don't overlap.
  llvm::SmallVector<Layout> borderOf(PadOp pad);
  /// The same elements under other sizes.
  std::optional<Layout> reshaped(const Layout &layout, llvm::ArrayRef<mlir::AffineExpr> extents);

private:
  /// The concat or pad, and which of its operands, that says where the tensor or a reshape of it is written.
  struct Home {
    mlir::Operation *whole;
    unsigned operand;
    llvm::SmallVector<mlir::Value> reshapes; ///< that lead there, in order
  };
  std::optional<Home> homeOf(mlir::Value tensor);
  Layout wholeOf(mlir::Value root);
  /// The part of a place that begins at `offsets`.
  Layout partOf(Layout whole, llvm::ArrayRef<mlir::AffineExpr> offsets, llvm::ArrayRef<mlir::AffineExpr> extents);
  void complete(Layout &layout);

  SizeAnalysis &sizes;
};

} // namespace tenon::host

#endif // TENON_DIALECT_HOST_ANALYSIS_LAYOUTS_H

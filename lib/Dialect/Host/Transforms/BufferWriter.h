//===- BufferWriter.h - Name the buffers that tensors lie in ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_HOST_TRANSFORMS_BUFFERWRITER_H
#define TENON_LIB_DIALECT_HOST_TRANSFORMS_BUFFERWRITER_H

#include "PlaceAnalysis.h"

namespace tenon::host {

/// Writes storages, slots, views and copies where an analysis says, at its builder.
class BufferWriter {
public:
  BufferWriter(mlir::func::FuncOp func, PlaceAnalysis &analysis, SizeAnalysis &sizes)
      : builder(func.getContext()), func(func), analysis(analysis), sizes(sizes) {}

  /// The buffer of a tensor under its own sizes, named where it is first needed.
  mlir::Value bufferOf(mlir::Value tensor);
  /// What a kernel is given of a tensor: with strides, all of them are dynamic in its type.
  mlir::Value operandOf(mlir::Value tensor, bool givesStrides);
  /// A part of a buffer.
  mlir::Value view(const Layout &layout, mlir::Location loc, bool givesStrides = false);
  /// The first elements of a buffer as contiguous rows under other sizes.
  mlir::Value contiguousView(mlir::Value source, mlir::Value tensor, llvm::ArrayRef<mlir::AffineExpr> extents);
  /// Elements of `buffer`, which has the sizes `whole`, at `offsets + i * steps`.
  mlir::Value strided(mlir::Value buffer, llvm::ArrayRef<mlir::AffineExpr> whole,
                      llvm::ArrayRef<mlir::AffineExpr> offsets, llvm::ArrayRef<mlir::AffineExpr> extents,
                      llvm::ArrayRef<mlir::AffineExpr> steps, mlir::Location loc);

  mlir::Value storage(mlir::Value tensor, llvm::ArrayRef<mlir::AffineExpr> extents, StorageKind kind, int64_t number,
                      mlir::DenseI64ArrayAttr live = {}, mlir::Attribute value = {});
  /// The place of a value that the runtime holds. Of input tensors the sizes are stated: they bind symbols.
  mlir::Value slot(mlir::Value value, StorageKind kind, int64_t number);
  /// A place of its own for a carried value.
  mlir::Value temporary(mlir::Value tensor, LoopOp loop);

  /// Between buffers, or between slots, whose value is shared.
  void copy(mlir::Value source, mlir::Value destination, mlir::Location loc);
  /// The buffer of a value that a region gives, copied to where its result lives.
  void copyTo(mlir::Value value, mlir::Value result, mlir::Location loc);
  /// The value in growing buffer `number`: copied to it, unless it was computed there.
  mlir::Value growTo(mlir::Value value, int64_t number, mlir::Location loc);

  /// The sizes that a root's buffer has room for: of a loop's scan values, as many as there can be iterations.
  llvm::SmallVector<mlir::AffineExpr> capacityOf(mlir::Value root);
  mlir::Value valueOf(mlir::AffineExpr size, mlir::Location loc);
  /// Says what a size is that followed from nothing.
  void resolve(mlir::Value tensor, int64_t dim, mlir::Value size);

  /// A loop or branch that is being written: buffers that are named outside of it stand before what it becomes.
  void beginFlow(mlir::Operation *op, mlir::Operation *written) { flow[op] = written; }
  void endFlow(mlir::Operation *op) { flow.erase(op); }
  void setTripCount(LoopOp loop, mlir::Value count) { tripCounts[loop] = count; }
  void setBuffer(mlir::Value tensor, mlir::Value buffer) { buffers[tensor] = buffer; }

  mlir::OpBuilder builder;

private:
  mlir::StringAttr nameOf(StorageKind kind, int64_t number);
  /// Dynamic and static numbers.
  std::pair<llvm::SmallVector<mlir::Value>, llvm::SmallVector<int64_t>>
  split(llvm::ArrayRef<mlir::AffineExpr> expressions, mlir::Location loc);
  void goToBlockOf(mlir::Value tensor);
  mlir::Value rootBufferOf(mlir::Value tensor);

  mlir::func::FuncOp func;
  PlaceAnalysis &analysis;
  SizeAnalysis &sizes;
  llvm::DenseMap<mlir::Value, mlir::Value> buffers; ///< by tensor
  llvm::DenseMap<mlir::Operation *, mlir::Value> tripCounts;
  llvm::DenseMap<mlir::Operation *, mlir::Operation *> flow; ///< what loops and branches on tensors become
};

} // namespace tenon::host

#endif // TENON_LIB_DIALECT_HOST_TRANSFORMS_BUFFERWRITER_H

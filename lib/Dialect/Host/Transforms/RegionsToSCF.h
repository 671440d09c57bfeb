//===- RegionsToSCF.h - Write loops and branches on buffers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_HOST_TRANSFORMS_REGIONSTOSCF_H
#define TENON_LIB_DIALECT_HOST_TRANSFORMS_REGIONSTOSCF_H

#include "BufferWriter.h"

namespace tenon::host {

/// Writes `scf.if` and `scf.while` for branches and loops on tensors. They carry the sizes that only running them
/// shows.
class RegionsToSCF {
public:
  /// `placeBlock` writes what the steps of a block become.
  RegionsToSCF(BufferWriter &writer, PlaceAnalysis &analysis, SizeAnalysis &sizes,
               llvm::function_ref<void(mlir::Block &)> placeBlock)
      : writer(writer), builder(writer.builder), analysis(analysis), regions(analysis.getRegions()), sizes(sizes),
        placeBlock(placeBlock) {}

  void place(IfOp op);
  void place(LoopOp op);

private:
  /// A size that a loop carries: of what the body is given, yields and leaves behind.
  struct CarriedSize {
    unsigned result;
    int64_t dim; ///< of the result
  };

  void placeArm(mlir::Block &body, mlir::Block &target, IfOp op,
                llvm::ArrayRef<std::pair<mlir::OpResult, int64_t>> unknown);
  llvm::SmallVector<CarriedSize> carriedSizesOf(LoopOp op);
  void copyInitial(LoopOp op);
  mlir::scf::WhileOp createLoop(LoopOp op, llvm::ArrayRef<CarriedSize> carriedSizes);
  void placeBody(LoopOp op, mlir::Block &after, llvm::ArrayRef<CarriedSize> carriedSizes, mlir::Value one);
  void setCount(mlir::OpResult result, mlir::Value count);
  void checkScanned(llvm::ArrayRef<CarriedSize> carriedSizes, unsigned carried, mlir::Value place,
                    mlir::ValueRange before, mlir::ValueRange now, mlir::Location loc);
  void appendTo(mlir::Value value, mlir::Value result, mlir::Value place, mlir::Location loc);
  void exchangeCarried(mlir::ValueRange values, LoopOp op);
  void copyCarried(mlir::ValueRange values, LoopOp op);
  void move(mlir::Block &from, mlir::Block &to, mlir::ValueRange values, mlir::Location loc);

  BufferWriter &writer;
  mlir::OpBuilder &builder;
  PlaceAnalysis &analysis;
  const OpenRegions &regions;
  SizeAnalysis &sizes;
  llvm::function_ref<void(mlir::Block &)> placeBlock;
};

/// Whether an op is on tensors: what is left over once a program is placed.
bool isTensorOp(mlir::Operation *op);

} // namespace tenon::host

#endif // TENON_LIB_DIALECT_HOST_TRANSFORMS_REGIONSTOSCF_H

//===- Strategies.h - The strategies of this library ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_STRATEGIES_H
#define TENON_CODEGEN_COMMON_STRATEGIES_H

#include "tenon/Codegen/Common/VectorSpace.h"
#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"

namespace tenon::codegen {

/// Every element of the results on its own.
class ElementsStrategy : public tile::KernelStrategy {
public:
  llvm::StringRef getName() const override { return "elements"; }
  bool suits(const tile::OpGroup &group) const override { return true; }
  bool accepts(const tile::OpGroup &group, llvm::raw_ostream *reason) const override;
  tile::KernelStructure structureOf(const tile::OpGroup &group) const override;
  llvm::SmallVector<tile::FreeSize> freeSizesOf(const tile::OpGroup &group, const tile::KernelStructure &structure,
                                                const tile::FusionPrices &prices) const override;
  std::unique_ptr<tile::ScheduleSpace> spaceOf(tile::KernelOp kernel, tile::TargetAttrInterface target) const override;
  int64_t estimateInstructions(mlir::Operation *op) const override { return codegen::estimateInstructions(op); }
  mlir::LogicalResult build(tile::KernelOp kernel, tile::ScheduleAttr schedule) const override;
};

void addElementsStrategy(tile::TileDialect *dialect);
/// Elements of operands that lie along another dimension than the results do.
void addTransposesStrategy(tile::TileDialect *dialect);
/// Reductions of rows, and elementwise ops before and after.
void addRowsStrategy(tile::TileDialect *dialect);
/// Register tiles of a contraction, and elementwise ops on them.
void addContractionStrategy(tile::TileDialect *dialect);
/// One element after the other.
void addOrderedStrategy(tile::TileDialect *dialect);
/// The first elements of rows in order.
void addTopKStrategy(tile::TileDialect *dialect);

/// Registers all of them.
void registerStrategies(mlir::DialectRegistry &registry);

} // namespace tenon::codegen

#endif // TENON_CODEGEN_COMMON_STRATEGIES_H

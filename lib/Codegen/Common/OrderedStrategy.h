//===- OrderedStrategy.h - Kernels of one element after the other ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_ORDEREDSTRATEGY_H
#define TENON_LIB_CODEGEN_COMMON_ORDEREDSTRATEGY_H

#include "tenon/Codegen/Common/Strategies.h"

namespace tenon::codegen {

/// One element after the other. Rows along the dimension are independent of each other.
class OrderedStrategy : public tile::KernelStrategy {
public:
  llvm::StringRef getName() const override { return "ordered"; }
  bool suits(const tile::OpGroup &group) const override { return group.has(Role::ordered); }
  bool accepts(const tile::OpGroup &group, llvm::raw_ostream *reason) const override;
  tile::KernelStructure structureOf(const tile::OpGroup &group) const override;
  std::unique_ptr<tile::ScheduleSpace> spaceOf(tile::KernelOp kernel, tile::TargetAttrInterface target) const override;
  mlir::LogicalResult build(tile::KernelOp kernel, tile::ScheduleAttr schedule) const final;

protected:
  /// Writes the program of a kernel that yields results of its op of order only.
  virtual void write(tile::KernelOp kernel, tile::ScheduleAttr schedule) const;
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_ORDEREDSTRATEGY_H

//===- VectorSpace.h - The schedules of kernels of vectors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_VECTORSPACE_H
#define TENON_CODEGEN_COMMON_VECTORSPACE_H

#include "tenon/Dialect/Tile/Analysis/OpGroup.h"
#include "tenon/Dialect/Tile/Analysis/ScheduleSpace.h"

namespace tenon::codegen {

/// Which elements fill a vector: those of so many bytes, and how many registers the widest of the others take then.
struct Lanes {
  int64_t bytes = 4, registers = 1;
};

/// Everything but contractions: vectors run along the last dimension. On CPUs.
class VectorSpace : public tile::ScheduleSpace {
public:
  /// `length` of the last dimension, and the `instructions` that a vector takes.
  VectorSpace(tile::KernelOp kernel, tile::CPUTargetAttr target, llvm::StringRef kind, bool hasVectors,
              int64_t length = 1, int64_t instructions = 1, Lanes lanes = {});

  bool isLegal(llvm::ArrayRef<int64_t> point, llvm::raw_ostream *reason) const override;
  double cost(llvm::ArrayRef<int64_t> point) const override;

protected:
  /// Whether so many vectors may be computed at once.
  virtual bool isLegalNumber(int64_t vectors) const {
    return vectors == 1 || vectors == 2 || vectors == 4 || vectors == 8;
  }

  static constexpr int64_t bytesOfElement = 4;

  tile::CPUTargetAttr target;
  tile::SchedulePrices prices;

private:
  bool hasVectors;
  int64_t length, instructions;
  Lanes lanes;
};

/// Kernels of elements: units of work of about so many.
class UnitSpace : public VectorSpace {
public:
  UnitSpace(tile::KernelOp kernel, tile::CPUTargetAttr target, llvm::StringRef kind, bool hasVectors,
            int64_t length = 1, int64_t instructions = 1, Lanes lanes = {});

  bool isLegal(llvm::ArrayRef<int64_t> point, llvm::raw_ostream *reason) const override;

  /// Where no schedule says it.
  static constexpr int64_t usualElements = 4096;
};

/// Elements of the vectors that a complete schedule says, if so many bytes are one.
int64_t lanesOf(tile::ScheduleAttr schedule, int64_t bytes = Lanes().bytes);
/// What vectors count in where each element is computed on its own: elements of the narrowest result or, if all
/// operands are narrower, of these. So whole vectors are written and read, as far as what is computed on the way stays
/// in a few registers.
Lanes lanesOf(const tile::OpGroup &group);

/// About how many instructions a vector of the results takes, of an op and of all of a group.
int64_t estimateInstructions(mlir::Operation *op);
int64_t estimateInstructions(const tile::OpGroup &group);

} // namespace tenon::codegen

#endif // TENON_CODEGEN_COMMON_VECTORSPACE_H

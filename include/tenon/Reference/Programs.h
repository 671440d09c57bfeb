//===- Programs.h - The interpreter of tile programs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Runs tile programs as they are written, and finds what a target would do differently from run to run: elements beyond
// extents, the order of units, copies that arrive early or late. An access outside of memory, scratch that is read
// before it is written, units that disagree, a result that is never stored and pipelines that don't hold are errors.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_REFERENCE_PROGRAMS_H
#define TENON_REFERENCE_PROGRAMS_H

#include "tenon/Dialect/Tile/IR/TilePrograms.h"
#include "tenon/Reference/Interpreter.h"

namespace tenon::reference {

/// What a program doesn't say of a run.
struct RunChoices {
  enum class Order { Forward, Reversed, Shuffled };
  Order order = Order::Forward; ///< of units, and of roles
  unsigned char filler = 0xff;  ///< each byte of what lies beyond extents
  bool arriveLate = false;      ///< copies are done when they are taken, not when they begin
  int64_t processors = 2;
  bool reuseOperands = false; ///< results lie in the memory of the operands that they are tied to
};

/// Runs a program: the values of its index arguments, a tensor for each operand as its form stores it. Gives the
/// results.
llvm::Expected<std::vector<Tensor>> runProgram(tile::ProgramOp program, llvm::ArrayRef<int64_t> indices,
                                               llvm::ArrayRef<Tensor> operands, const RunChoices &choices);

/// Runs the first of a variant's programs whose guard holds: the values of the kernel's symbols and its operands, which
/// lie in contiguous rows.
llvm::Expected<std::vector<Tensor>> runVariant(tile::VariantOp variant, llvm::ArrayRef<int64_t> symbols,
                                               llvm::ArrayRef<Tensor> operands, const RunChoices &choices);

/// Runs a program on random operands, once for each kind of choice, and compares with the kernel that it computes,
/// within `tolerance`. `sizes` are the values of the kernel's symbols. False where the program's guard doesn't hold.
llvm::Expected<bool> checkProgram(tile::ProgramOp program, llvm::ArrayRef<int64_t> sizes, double tolerance);

/// Checks a program at the sizes of its attribute `tenon.sizes`, a list for each run, or else at 0, 1 and around each
/// of its steps, within its attribute `tenon.tolerance` (default 0).
llvm::Error checkProgram(tile::ProgramOp program);

} // namespace tenon::reference

#endif // TENON_REFERENCE_PROGRAMS_H

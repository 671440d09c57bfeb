//===- ModuleMutator.h - Mutations of IR ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FUZZ_MODULEMUTATOR_H
#define TENON_FUZZ_MODULEMUTATOR_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

#include <random>
#include <string>

namespace tenon::fuzz {

/// Changes modules by what a person or a faulty pass could: another operand, type, attribute or order, an op less or
/// twice, one of another program. What comes out often verifies, so that passes see it.
class ModuleMutator {
public:
  /// Learns the attributes, types and ops of a seed, which stay alive as long as it is.
  void learn(mlir::ModuleOp seed);

  /// Makes one change in place, or none where the choice found no place.
  void mutate(mlir::ModuleOp module, std::minstd_rand &random) const;

  /// Changes tokens of a text: numbers, words and brackets, lines.
  std::string mutateText(std::string text, std::minstd_rand &random) const;

private:
  mlir::Attribute mutateAttribute(mlir::Attribute attribute, std::minstd_rand &random) const;
  mlir::Type mutateType(mlir::Type type, std::minstd_rand &random) const;

  llvm::SetVector<mlir::Type> types;
  llvm::MapVector<mlir::StringAttr, llvm::SetVector<mlir::Attribute>> attributes;
  llvm::SmallVector<mlir::Operation *> operations;
};

} // namespace tenon::fuzz

#endif // TENON_FUZZ_MODULEMUTATOR_H

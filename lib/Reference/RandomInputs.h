//===- RandomInputs.h - Operands that checks run on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_REFERENCE_RANDOMINPUTS_H
#define TENON_LIB_REFERENCE_RANDOMINPUTS_H

#include "tenon/Reference/Interpreter.h"

#include <random>

namespace tenon::reference {

/// Numbers from -1 to 1, all integers of up to 8 bits, wider ones from -100 to 100, or all of them from 0 to `limit`;
/// short words.
llvm::Expected<Tensor> randomTensor(mlir::Type elementType, llvm::ArrayRef<int64_t> sizes, std::mt19937_64 &random,
                                    std::optional<int64_t> limit = {});

/// The sizes of an argument by its `bind_shape`, which says them in terms of the arguments before it, whose values are
/// `indices`, and of symbols that the interpreter knows. What it doesn't say stays dynamic.
llvm::Expected<llvm::SmallVector<int64_t>> sizesOf(Interpreter &interpreter, mlir::BlockArgument argument,
                                                   llvm::ArrayRef<int64_t> indices);

} // namespace tenon::reference

#endif // TENON_LIB_REFERENCE_RANDOMINPUTS_H

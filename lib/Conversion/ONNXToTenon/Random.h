//===- Random.h - Random numbers in models ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Element i of a tensor of random numbers is a function of i and a seed: no state is carried, and what a model states a
// seed for is the same in each run, on each target, and in the interpreter.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_RANDOM_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_RANDOM_H

#include "Node.h"

namespace tenon::onnx {

/// Numbers from 0 to below 1, of f16, bf16, f32 or f64, with as many random bits as the type has. The seed is the
/// attribute `seed`, else another one in each run.
mlir::Value uniformNumbers(Node &node, llvm::ArrayRef<mlir::AffineExpr> sizes, mlir::Type element);

/// What is left of `x` when each element is dropped with a probability, and which those are. `ratio` and `training`, a
/// truth value, are scalars.
struct Dropped {
  mlir::Value result, mask;
};
Dropped dropRandomly(Node &node, mlir::Value x, mlir::Value ratio, mlir::Value training);

void addRandomConverters(ConverterTable &table);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_RANDOM_H

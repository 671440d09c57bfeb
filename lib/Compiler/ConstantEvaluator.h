//===- ConstantEvaluator.h - The interpreter as evaluator of constants ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_COMPILER_CONSTANTEVALUATOR_H
#define TENON_LIB_COMPILER_CONSTANTEVALUATOR_H

#include "tenon/Dialect/Tenon/Transforms/Evaluator.h"

namespace tenon {

/// An evaluator that computes with the reference interpreter.
Evaluator interpretingEvaluator();

} // namespace tenon

#endif // TENON_LIB_COMPILER_CONSTANTEVALUATOR_H

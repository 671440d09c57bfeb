//===- LaunchPlan.cpp - what a launch needs to know before it runs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Artifact/LaunchPlan.h"

using namespace tenon::artifact;

uint32_t tenon::artifact::evaluatePlan(const int64_t *words, uint32_t count, const PlanInputs &inputs,
                                       int64_t *numbers) {
  uint32_t height = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t operand = uint64_t(operandOf(words[i]));
    PlanOp op = opOf(words[i]);
    if (op <= PlanOp::stride) {
      const int64_t *from = op == PlanOp::symbol ? inputs.symbols : inputs.strides;
      if (height == kMaxPlanNumbers ||
          (op != PlanOp::constant && operand >= (op == PlanOp::symbol ? inputs.symbolCount : inputs.strideCount)))
        return 0;
      numbers[height++] = op == PlanOp::constant ? int64_t(operand) : from[operand];
      continue;
    }
    if (op == PlanOp::end)
      return height > kPlanHead ? height : 0;
    if (height < 2 - uint32_t(op >= PlanOp::skipIfNegative))
      return 0;
    int64_t right = numbers[--height];
    if (op >= PlanOp::skipIfNegative) {
      // A guard's numbers are gone where the next program begins.
      if (op == PlanOp::skipIfNegative ? right < 0 : right != 0)
        i = operand < count ? i + operand : count;
      continue;
    }
    int64_t &left = numbers[height - 1];
    switch (op) {
    case PlanOp::add:
      if (__builtin_add_overflow(left, right, &left))
        left = right < 0 ? INT64_MIN : INT64_MAX;
      break;
    case PlanOp::multiply: {
      int64_t sign = left ^ right;
      if (__builtin_mul_overflow(left, right, &left))
        left = sign < 0 ? INT64_MIN : INT64_MAX;
      break;
    }
    case PlanOp::floorDivide:
      left = right <= 0 ? 0 : left / right - (left % right < 0);
      break;
    case PlanOp::minimum:
      left = right < left ? right : left;
      break;
    default:
      left = right > left ? right : left;
      break;
    }
  }
  return 0;
}

//===- LaunchPlan.h - what a launch needs to know before it runs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which program of a kernel's variant runs, into how many units its grids are cut and how much scratch it has follow
// from the numbers that come with a launch: sizes and strides. How they follow is data of the artifact, a few words for
// a stack machine; so devices that run no code of the host's have plans too, and equal ones are stored once.
//
//===----------------------------------------------------------------------===//
#ifndef TENON_ARTIFACT_LAUNCHPLAN_H
#define TENON_ARTIFACT_LAUNCHPLAN_H

#include <stddef.h>
#include <stdint.h>

namespace tenon::artifact {

/// A word is one of these in its low 8 bits, and a signed operand in the others. All take what they need off the stack,
/// the right operand first, and put one number there. What has no 64 bits is the largest or the least number that has:
/// so sizes that no memory holds stay such.
enum class PlanOp : uint8_t {
  constant, ///< the operand
  symbol,   ///< number `operand` of the symbols
  stride,   ///< number `operand` of the strides
  add,
  multiply,
  floorDivide, ///< by a positive number; by others it gives 0
  minimum,
  maximum,
  skipIfNegative, ///< takes a number, gives none: if it is below 0, goes on `operand` words behind the next one
  skipUnlessZero, ///< takes a number, gives none: if it isn't 0, the same
  end,            ///< what is on the stack is the plan
};

/// What is on the stack in the end, then the units of each grid.
struct PlanResult {
  int64_t firstEntry, workgroupBytes, launchBytes;
  int64_t workers; ///< that the launch pays for, when they are awake
};
inline constexpr uint32_t kPlanHead = 4;
inline constexpr int64_t kAllWorkers = INT32_MAX;
/// Numbers on the stack, and so of a plan.
inline constexpr uint32_t kMaxPlanNumbers = 32;

constexpr int64_t planWord(PlanOp op, int64_t operand = 0) { return int64_t(uint64_t(operand) << 8 | uint64_t(op)); }
constexpr PlanOp opOf(int64_t word) { return PlanOp(uint8_t(word)); }
constexpr int64_t operandOf(int64_t word) { return word >> 8; }
constexpr bool fitsPlanWord(int64_t operand) { return operandOf(planWord(PlanOp::constant, operand)) == operand; }

/// Where a plan's numbers come from.
struct PlanInputs {
  const int64_t *symbols, *strides;
  uint32_t symbolCount, strideCount;
};

/// Runs a plan. Gives the count of `numbers`, at most `kMaxPlanNumbers` and with at least one grid; or 0 where the
/// words are no plan: they take what isn't there, or never end.
uint32_t evaluatePlan(const int64_t *words, uint32_t count, const PlanInputs &inputs, int64_t *numbers);

} // namespace tenon::artifact

#endif

//===- VectorSpace.cpp - The schedules of kernels of vectors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/VectorSpace.h"
#include "tenon/Codegen/Common/ElementEmitter.h"
#include "tenon/Dialect/Tile/IR/Accuracy.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

static constexpr int64_t bytesOfLane = 4;

VectorSpace::VectorSpace(KernelOp kernel, CPUTargetAttr target, StringRef kind, bool hasVectors, int64_t length,
                         int64_t instructions)
    : ScheduleSpace(target.getContext(), kind), target(target), prices(target.getSchedules()), hasVectors(hasVectors),
      length(length), instructions(instructions) {
  knobs.push_back({knob::vectorBytes, {}});
  for (int64_t bytes = target.getVectorBytes(); bytes >= 16; bytes /= 2)
    knobs.back().candidates.push_back(bytes);
  if (hasVectors)
    knobs.push_back({knob::vectors, {1, 2, 4}});
  if (accuracyOf(kernel) == Accuracy::fast)
    knobs.push_back({knob::functionBits, {fewFunctionBits, allFunctionBits}});
}

bool VectorSpace::isLegal(ArrayRef<int64_t> point, raw_ostream *reason) const {
  int64_t bytes = point[0];
  if (bytes != 16 && bytes != 32 && bytes != 64)
    return refuse(reason, "vectors have 16, 32 or 64 bytes, not {0}", bytes);
  if (bytes > target.getVectorBytes())
    return refuse(reason, "vectors have {0} bytes, but those of target '{1}' have {2}", bytes, target.getName(),
                  target.getVectorBytes());
  if (hasVectors && !isLegalNumber(point[1]))
    return refuse(reason, "1, 2, 4 or 8 vectors are computed at once, not {0}", point[1]);
  for (auto [knob, value] : llvm::zip(knobs, point))
    if (knob.name == knob::functionBits && value != fewFunctionBits && value != allFunctionBits)
      return refuse(reason, "elementary functions keep {0} or {1} bits, not {2}", fewFunctionBits, allFunctionBits,
                    value);
  return true;
}

/// Cycles along the last dimension. Where little is computed memory is the limit, and one vector at a time
/// is as good as several; else several hide the latency of each other, as long as what is left of a row
/// fills them.
double VectorSpace::cost(ArrayRef<int64_t> point) const {
  int64_t vectors = hasVectors ? point[1] : 1, lanes = point[0] / bytesOfElement;
  double latency = instructions < prices.manyInstructions ? 0 : prices.turnCycles;
  int64_t turns = llvm::divideCeil(length, lanes * vectors);
  return turns * (vectors * double(instructions) / prices.instructionsPerCycle + latency);
}

int64_t codegen::estimateInstructions(Operation *op) {
  constexpr int64_t ofComposite = 16;
  if (auto element = dyn_cast<ElementInterface>(op))
    return element.estimateInstructions();
  return isa<DecomposableInterface>(op) ? ofComposite : 0;
}

int64_t codegen::lanesOf(ScheduleAttr schedule) {
  return *schedule.get(knob::vectorBytes) / bytesOfLane * schedule.get(knob::vectors).value_or(1);
}

int64_t codegen::estimateInstructions(const OpGroup &group) {
  int64_t result = 0;
  for (Operation *op : group.ops())
    result += estimateInstructions(op);
  return result;
}

//===- VectorSpace.cpp - The schedules of kernels of vectors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/VectorSpace.h"
#include "tenon/Codegen/Common/ElementEmitter.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

static constexpr int64_t instructionsPerCycle = 2;
static constexpr double latencyCycles = 8;

VectorSpace::VectorSpace(TargetAttr target, StringRef kind, bool hasVectors, int64_t length, int64_t instructions)
    : ScheduleSpace(target.getContext(), kind), target(target), length(length), instructions(instructions) {
  knobs.push_back({knob::vectorBytes, {}});
  for (int64_t bytes = target.getVectorBytes(); bytes >= 16; bytes /= 2)
    knobs.back().candidates.push_back(bytes);
  if (hasVectors)
    knobs.push_back({knob::vectors, {1, 2, 4}});
}

bool VectorSpace::isLegal(ArrayRef<int64_t> point, raw_ostream *reason) const {
  int64_t bytes = point[0];
  if (bytes != 16 && bytes != 32 && bytes != 64)
    return refuse(reason, "vectors have 16, 32 or 64 bytes, not {0}", bytes);
  if (bytes > target.getVectorBytes())
    return refuse(reason, "vectors have {0} bytes, but those of target '{1}' have {2}", bytes, target.getName(),
                  target.getVectorBytes());
  if (point.size() > 1 && !isLegalNumber(point[1]))
    return refuse(reason, "1, 2, 4 or 8 vectors are computed at once, not {0}", point[1]);
  return true;
}

/// Cycles along the last dimension. Where little is computed memory is the limit, and one vector at a time
/// is as good as several; else several hide the latency of each other, as long as what is left of a row
/// fills them.
double VectorSpace::cost(ArrayRef<int64_t> point) const {
  int64_t vectors = point.size() > 1 ? point[1] : 1, lanes = point[0] / bytesOfElement;
  double latency = instructions < manyInstructions ? 0 : latencyCycles;
  int64_t turns = llvm::divideCeil(length, lanes * vectors);
  return turns * (vectors * double(instructions) / instructionsPerCycle + latency);
}

int64_t codegen::estimateInstructions(Operation *op) {
  if (auto element = dyn_cast<ElementInterface>(op))
    return element.estimateInstructions();
  return isa<DecomposableInterface>(op) ? manyInstructions : 0;
}

int64_t codegen::estimateInstructions(const OpGroup &group) {
  int64_t result = 0;
  for (Operation *op : group.ops())
    result += estimateInstructions(op);
  return result;
}

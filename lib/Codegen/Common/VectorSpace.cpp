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

/// Registers of one value at a time: beyond, several values don't fit.
static constexpr int64_t maxRegisters = 4;

VectorSpace::VectorSpace(KernelOp kernel, CPUTargetAttr target, StringRef kind, bool hasVectors, int64_t length,
                         int64_t instructions, Lanes lanes)
    : ScheduleSpace(target.getContext(), kind), target(target), prices(target.getSchedules()), hasVectors(hasVectors),
      length(length), instructions(instructions), lanes(lanes) {
  knobs.push_back({knob::vectorBytes, {}});
  for (int64_t bytes = target.getVectorBytes(); bytes >= 16; bytes /= 2)
    knobs.back().candidates.push_back(bytes);
  if (hasVectors) {
    knobs.push_back({knob::vectors, {1}});
    for (int64_t vectors = 2; vectors * lanes.registers <= maxRegisters; vectors *= 2)
      knobs.back().candidates.push_back(vectors);
  }
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
  int64_t vectors = hasVectors ? point[1] : 1, width = point[0] / lanes.bytes;
  double latency = instructions < prices.manyInstructions ? 0 : prices.turnCycles;
  int64_t turns = llvm::divideCeil(length, width * vectors);
  return turns * (vectors * lanes.registers * double(instructions) / prices.instructionsPerCycle + latency);
}

UnitSpace::UnitSpace(KernelOp kernel, CPUTargetAttr target, StringRef kind, bool hasVectors, int64_t length,
                     int64_t instructions, Lanes lanes)
    : VectorSpace(kernel, target, kind, hasVectors, length, instructions, lanes) {
  knobs.push_back({knob::unitElements, {usualElements, 1024, 16384}, /*isPriced=*/false});
}

bool UnitSpace::isLegal(ArrayRef<int64_t> point, raw_ostream *reason) const {
  constexpr int64_t least = 64, most = 1 << 24;
  if (point.back() < least || point.back() > most)
    return refuse(reason, "a unit of work has from {0} to {1} elements, not {2}", least, most, point.back());
  return VectorSpace::isLegal(point, reason);
}

int64_t codegen::estimateInstructions(Operation *op) {
  constexpr int64_t ofComposite = 16;
  if (auto element = dyn_cast<ElementInterface>(op))
    return element.estimateInstructions();
  return isa<DecomposableInterface>(op) ? ofComposite : 0;
}

int64_t codegen::lanesOf(ScheduleAttr schedule, int64_t bytes) {
  return *schedule.get(knob::vectorBytes) / bytes * schedule.get(knob::vectors).value_or(1);
}

static int64_t bytesOf(Value tensor) {
  Type type = registerType(getElementTypeOrSelf(tensor.getType()));
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

Lanes codegen::lanesOf(const OpGroup &group) {
  Lanes lanes;
  int64_t results = lanes.bytes, operands = 1, widest = 1;
  bool readsAny = false;
  for (Operation *op : group.ops()) {
    if (llvm::none_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>))
      continue; // says sizes
    auto element = dyn_cast<ElementInterface>(op);
    if (!element || !element.readsNeighbours())
      return lanes;
    auto count = [&](Value value) {
      auto type = dyn_cast<RankedTensorType>(value.getType());
      if (!type || type.getRank() == 0)
        return;
      // Narrow floats are computed with in 32 bits.
      int64_t bytes = bytesOf(value);
      widest = std::max(widest, isa<FloatType>(type.getElementType()) ? std::max(bytes, lanes.bytes) : bytes);
      // What one row reads of a smaller tensor, or one number of each row, isn't what memory is busy with.
      if (isa<BlockArgument>(value) && group.sizes.sizesOf(value) == group.sizes.sizesOf(group.firstResult())) {
        operands = std::max(operands, bytes);
        readsAny = true;
      }
    };
    if (group.isReadOutside(op))
      results = std::min(results, bytesOf(op->getResult(0)));
    llvm::for_each(op->getResults(), count);
    // Of what isn't elementwise operands may be one number for all lanes: places, bounds.
    if (op->hasTrait<OpTrait::Elementwise>())
      llvm::for_each(op->getOperands(), count);
  }
  int64_t narrowest = readsAny ? std::min(results, operands) : results;
  lanes.bytes = std::min(lanes.bytes, std::max(narrowest, widest / maxRegisters));
  // Of kernels that count in 32 bits all else is as narrow as ever.
  if (lanes.bytes < Lanes().bytes)
    lanes.registers = std::max<int64_t>(widest / lanes.bytes, 1);
  return lanes;
}

int64_t codegen::estimateInstructions(const OpGroup &group) {
  int64_t result = 0;
  for (Operation *op : group.ops())
    result += estimateInstructions(op);
  return result;
}

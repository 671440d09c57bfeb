//===- PlaceAnalysis.cpp - Which tensors share a place, and when it is used ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlaceAnalysis.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

/// Tensors live in buffers, other values in slots.
static bool hasPlace(Type type) { return isa<RankedTensorType>(type) || isHeld(type); }

/// The result of the launch that writes a destination.
static Value writtenTo(Value destination) {
  for (OpOperand &use : destination.getUses())
    if (auto launch = dyn_cast<LaunchOp>(use.getOwner()); launch && launch.isDpsInit(&use))
      return launch.getTiedOpResult(&use);
  return Value();
}

static bool isInside(Value value, Operation *op) {
  return op->isProperAncestor(value.getParentRegion()->getParentOp()) || value.getParentRegion()->getParentOp() == op;
}

/// What the runtime holds is only handed on; all else with it takes a call.
static LogicalResult checkValues(Operation *op) {
  bool handsOn = isa<CallOp, IfOp, LoopOp, BindShapeOp, func::ReturnOp, tenon::YieldOp>(op);
  for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes())) {
    if (!handsOn && isHeld(type))
      return op->emitOpError("takes or gives ") << type << ", which no buffer holds: tenon-form-host-calls";
    if (isa<MemRefType>(type))
      return op->emitOpError("has no place in the host program: it has buffers already");
  }
  if (!isa<IfOp, LoopOp>(op))
    return success();
  for (Type type : op->getResultTypes())
    if (!isa<RankedTensorType, SequenceType, OptionalType, ValueType>(type))
      return op->emitOpError("expects results that are tensors of known rank, sequences or optionals, but has ")
             << type;
  if (auto loop = dyn_cast<LoopOp>(op))
    for (Type type : llvm::drop_begin(loop->getResultTypes(), loop.getCarried().size()))
      if (isHeld(type))
        return op->emitOpError("collects scan values of type ") << type << ", which no buffer holds";
  return success();
}

LogicalResult PlaceAnalysis::run() {
  for (BlockArgument argument : func.getArguments())
    places[argument] = {StorageKind::input, argument.getArgNumber(), -1, -1, argument};
  if (failed(findPlaces(func.getBody().front())) || failed(checkViews()))
    return failure();
  placeGrowing();
  placeResults();
  return success();
}

Value PlaceAnalysis::rootOf(Value value) {
  while (true) {
    value = layouts.rootOf(value);
    Operation *op = value.getDefiningOp();
    if (auto launch = dyn_cast_if_present<LaunchOp>(op)) {
      value = launch.getOuts()[cast<OpResult>(value).getResultNumber()];
    } else if (auto call = dyn_cast_if_present<CallOp>(op); call && !isHeld(value.getType())) {
      value = call.getDestination(cast<OpResult>(value));
    } else if (isa_and_present<tensor::EmptyOp>(op)) {
      // What a launch writes may be a part of something larger.
      Value written = writtenTo(value);
      Value whole = written ? layouts.rootOf(written) : Value();
      if (!whole || whole == written)
        return value;
      value = whole;
    } else if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getArgNumber() > 0) {
      // A carried value lives in the loop's result, unless that grows.
      auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp());
      if (!loop || regions.grows(argument))
        return value;
      return loop.getResult(argument.getArgNumber() - 1);
    } else {
      return value;
    }
  }
}

bool PlaceAnalysis::isStep(Operation *op) {
  auto slice = dyn_cast<SliceOp>(op);
  return isa<LaunchOp, ConcatOp, IfOp, LoopOp, ItemOp, SizeOp, CallOp>(op) || (slice && !isView(slice)) || hasHalo(op);
}

bool PlaceAnalysis::hasHalo(Operation *op) { return isa<PadOp>(op) && isPlaced(op, 0); }

void PlaceAnalysis::use(Value value, int64_t step) {
  Value root = rootOf(value);
  Place &place = places[root];
  place.root = root;
  place.first = place.first < 0 ? step : std::min(place.first, step);
  place.last = std::max(place.last, step);
}

/// Places that begin with an op that is no step.
LogicalResult PlaceAnalysis::findRoots(Operation *op, bool &isDone) {
  isDone = true;
  if (auto constant = dyn_cast<ConstantOp>(op)) {
    places[constant] = {StorageKind::constant, constants++, -1, -1, constant};
  } else if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
    if (rootOf(empty) == empty)
      places[empty] = {StorageKind::arena, -1, -1, -1, empty};
  } else if (isStep(op)) {
    isDone = false;
  } else if (!isa<SymbolOp, BindShapeOp, host::BindStridesOp, ReshapeOp, SliceOp, tensor::CastOp, func::ReturnOp,
                  tenon::YieldOp>(op) &&
             (llvm::any_of(op->getResultTypes(), hasPlace) || llvm::any_of(op->getOperandTypes(), hasPlace))) {
    return op->emitOpError("has no place in the host program: run tenon-form-kernels before");
  }
  return success();
}

LogicalResult PlaceAnalysis::findPlacesInside(Operation *op, int64_t first) {
  for (Region &region : op->getRegions()) {
    if (isa<LoopOp>(op))
      for (Value argument : region.getArguments())
        if (rootOf(argument) == argument)
          places[argument] = {StorageKind::arena, -1, first, first, argument};
    if (failed(findPlaces(region.front())))
      return failure();
  }
  if (op->getNumRegions() != 0)
    ++step;
  return success();
}

/// What an op reads or writes; what its regions do is needed from before it to behind it.
void PlaceAnalysis::useOperands(Operation *op, int64_t first, int64_t last) {
  for (Value value : op->getOperands())
    if (hasPlace(value.getType()))
      use(value, first), use(value, last);
  op->walk([&](Operation *inner) {
    if (inner == op)
      return;
    for (Value value : inner->getOperands())
      if (Value root = hasPlace(value.getType()) ? rootOf(value) : Value(); root && !isInside(root, op))
        use(value, first), use(value, last);
  });
  if (auto loop = dyn_cast<LoopOp>(op))
    use(loop.getBody().getArgument(0), last);
}

LogicalResult PlaceAnalysis::findPlaces(Block &block) {
  for (Operation &op : block) {
    bool isDone = false;
    if (failed(checkValues(&op)) || failed(findRoots(&op, isDone)))
      return failure();
    if (isDone)
      continue;
    int64_t first = step++;
    if (failed(findPlacesInside(&op, first)))
      return failure();
    int64_t last = step - 1;
    if (!isa<LaunchOp>(op))
      for (Value result : op.getResults())
        if (hasPlace(result.getType()))
          use(result, first), use(result, last);
    useOperands(&op, first, last);
  }
  if (auto yield = dyn_cast<tenon::YieldOp>(block.getTerminator()))
    for (Value value : yield.getValues())
      use(value, step);
  return success();
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

static LogicalResult refuse(Operation *op, unsigned operand, const char *why) {
  return op->emitOpError() << "operand #" << operand << " " << why;
}

/// Operands that a concat wants written in place are, and kernels take the strides of what they are given.
LogicalResult PlaceAnalysis::checkViews() {
  WalkResult result = func.walk([&](Operation *op) {
    auto launch = dyn_cast<LaunchOp>(op);
    if (failed(checkView(op)) || (launch && failed(checkLaunch(launch))))
      return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult PlaceAnalysis::checkView(Operation *op) {
  if (auto slice = dyn_cast<SliceOp>(op); slice && isView(slice) && !layouts.layoutOf(slice.getResult()))
    return refuse(op, 0, "has no strides under which it could be a view");
  for (OpOperand &operand : op->getOpOperands())
    if (isPlaced(op, operand.getOperandNumber()) && !isWrittenInPlace(operand.get()))
      return refuse(op, operand.getOperandNumber(), "can't be written in place");
  if (isa<LaunchOp>(op))
    return success();
  // What ends here needs a buffer; what is viewed once more is looked at there.
  bool isNamed = isStep(op) || isa<func::ReturnOp, tenon::YieldOp>(op);
  for (OpOperand &operand : op->getOpOperands())
    if (isNamed && isa<RankedTensorType>(operand.get().getType()) && !isHeld(operand.get().getType()) &&
        !layouts.layoutOf(operand.get()))
      return refuse(op, operand.getOperandNumber(), "has no strides");
  return success();
}

LogicalResult PlaceAnalysis::checkLaunch(LaunchOp launch) {
  Operation *kernel = symbols.lookupNearestSymbolFrom(launch, launch.getKernelAttr());
  SmallVector<Value> tensors(launch.getIns());
  llvm::append_range(tensors, launch.getResults());
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    std::optional<Layout> layout = layouts.layoutOf(tensor);
    unsigned operand = launch.getSymbols().size() + i;
    if (!layout)
      return refuse(launch, operand, "has no strides");
    if (!layout->isContiguous() && !(layout->hasRows() && launch.takesStrides(kernel, i)))
      return refuse(launch, operand, "has rows apart from each other, which the kernel does not take");
  }
  return success();
}

/// Whether a launch, a concat or a pad writes the tensor, under other sizes perhaps, as part of the place
/// where it belongs.
bool PlaceAnalysis::isWrittenInPlace(Value tensor) {
  if (!layouts.layoutOf(tensor))
    return false;
  while (auto reshape = tensor.getDefiningOp<ReshapeOp>())
    tensor = reshape.getOperand();
  Operation *source = tensor.getDefiningOp();
  return source && (isa<LaunchOp, ConcatOp>(source) || hasHalo(source)) && layouts.layoutOf(tensor);
}

//===----------------------------------------------------------------------===//
// Buffers that grow, and outputs
//===----------------------------------------------------------------------===//

void PlaceAnalysis::placeGrowing() {
  func.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<IfOp, LoopOp>(op) && regions.isOpen(op))
      placeGrowing(op);
  });
}

/// Results whose sizes show only while a loop or branch runs get a buffer that grows; carried ones have another, into
/// which the body writes what the next iteration is given. What a region computes for them is computed there.
void PlaceAnalysis::placeGrowing(Operation *op) {
  auto grow = [&](Value value, int64_t number) {
    Place &place = places[value];
    place.kind = StorageKind::growing;
    place.number = number;
  };
  auto loop = dyn_cast<LoopOp>(op);
  unsigned carried = loop ? loop.getCarried().size() : op->getNumResults();
  for (OpResult result : op->getResults()) {
    unsigned i = result.getResultNumber();
    if (!regions.grows(result))
      continue;
    if (places[result].kind != StorageKind::growing)
      grow(result, growing++);
    int64_t target = places[result].number;
    if (loop && i < carried) {
      grow(loop.getBody().getArgument(i + 1), target);
      target = backs[result] = growing++;
    }
    for (Region &region : op->getRegions()) {
      Block &body = region.front();
      Value root = i < carried ? rootOf(body.getTerminator()->getOperand(loop ? i + 1 : i)) : Value();
      if (root && !isa<BlockArgument>(root) && root.getParentBlock() == &body &&
          places[root].kind == StorageKind::arena)
        grow(root, target);
    }
  }
}

/// A returned tensor lives in the output it is first returned as, unless its size shows only later.
void PlaceAnalysis::placeResults() {
  OperandRange returned = func.getBody().front().getTerminator()->getOperands();
  auto placeResult = [&](unsigned i, Value value) {
    // What is not an output itself is copied to one at the end.
    use(value, step);
    Place &place = places[rootOf(value)];
    // Whose sizes aren't those of the root where a reshape lies between them.
    if (place.kind == StorageKind::arena && isKnownOnEntry(place.root) && isKnownOnEntry(value))
      place.kind = StorageKind::output, place.number = i;
  };
  // First those that can be nowhere else.
  for (auto [i, value] : llvm::enumerate(returned))
    if (func.getResultAttr(i, kAliasAttr))
      placeResult(i, value);
  for (auto [i, value] : llvm::enumerate(returned))
    placeResult(i, value);
  for (auto &[root, place] : places)
    if (place.kind == StorageKind::arena)
      place.number = isHeld(root.getType()) ? slots++ : buffers++;
}

bool PlaceAnalysis::isKnownOnEntry(Value value) {
  return isHeld(value.getType()) || llvm::all_of(sizes.sizesOf(value), [&](AffineExpr size) {
           return llvm::all_of(sizes.valuesOf(size), host::isKnownOnEntry);
         });
}

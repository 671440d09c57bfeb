//===- ProgramPipelines.cpp - Copies, rings and roles of tile programs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramInterpreter.h"

#include <condition_variable>
#include <mutex>
#include <thread>

using namespace mlir;
using namespace tenon::reference;
using namespace tenon::tile;

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// One side of a copy: a tile along the last dimensions.
static Access sideOf(const Buffer &buffer, ArrayRef<int64_t> coordinates, ArrayRef<int64_t> tile,
                     ArrayRef<int64_t> steps, ArrayRef<int64_t> extents) {
  Access access;
  access.buffer = &buffer;
  access.coordinates.assign(coordinates.begin(), coordinates.end());
  for (unsigned i = 0; i < tile.size(); ++i)
    access.dims.push_back(coordinates.size() - tile.size() + i);
  access.steps.assign(steps.begin(), steps.end());
  access.tile.assign(tile.begin(), tile.end());
  access.extents.assign(extents.begin(), extents.end());
  return access;
}

namespace {
/// A copy that was begun: its places are known.
struct CopyInFlight {
  CopyOp op;
  ProgramInterpreter &state;
  std::shared_ptr<Buffer> source, target;
  Access from, to;
  uint32_t writer;

  bool isLoad() const { return target->memory->kind == Memory::Kind::Workgroup; }

  /// Walks both sides; without `bytes` elements are only marked as on their way.
  llvm::Error run(bool moves) {
    SmallVector<tenon::reference::Value> none;
    Call call{op, {}, none, state};
    SmallVector<std::pair<bool, std::optional<int64_t>>> sources;
    from.forEach([&](bool isWithin, std::optional<int64_t> place) { sources.push_back({isWithin, place}); });
    llvm::Error failure = llvm::Error::success();
    const auto *next = sources.begin();
    const char zeros[8] = {};
    to.forEach([&](bool isWithin, std::optional<int64_t> place) {
      auto [isIn, sourcePlace] = *next++;
      if (failure || (!isLoad() && !isWithin))
        return;
      if (!place) {
        if (isLoad())
          failure = call.fail("copies to outside of " + target->memory->name);
        return; // outside of the memory nothing is stored
      }
      const char *bytes = zeros;
      if (isIn && sourcePlace && moves) {
        llvm::Expected<const char *> element = state.read(call, *source, *sourcePlace);
        if (!element) {
          failure = element.takeError();
          return;
        }
        bytes = *element;
      } else if (!isLoad() && !sourcePlace) {
        failure = call.fail("copies from outside of " + source->memory->name);
        return;
      }
      failure = state.write(call, *target, *place, moves ? bytes : nullptr, writer);
    });
    return failure;
  }
};
} // namespace

static llvm::Error evaluateCopy(Call &call) {
  auto op = cast<CopyOp>(call.op);
  ProgramInterpreter &state = interpreterOf(call);
  unsigned first = 1;
  llvm::Expected<SmallVector<int64_t>> source = evaluateMap(call, op.getSourceCoordinates(), first);
  if (!source)
    return source.takeError();
  unsigned targetOperand = first++;
  llvm::Expected<SmallVector<int64_t>> target = evaluateMap(call, op.getTargetCoordinates(), first);
  if (!target)
    return target.takeError();
  ArrayRef<int64_t> tile = op.getTile();
  llvm::Expected<SmallVector<int64_t>> extents = evaluateExtents(call, op.getExtents(), first, tile, true);
  if (!extents)
    return extents.takeError();
  if (!state.transfer && !state.loose)
    state.loose = Transfer{state.addWriter({state.role, state.stage, true, false}), {}};
  Transfer &transfer = state.transfer ? *state.transfer : *state.loose;
  SmallVector<int64_t> ones(tile.size(), 1), steps = op.getSteps() ? SmallVector<int64_t>(*op.getSteps()) : ones;
  auto copy = std::make_shared<CopyInFlight>(CopyInFlight{
      op, state, bufferOf(call.operands[0]), bufferOf(call.operands[targetOperand]), {}, {}, transfer.writer});
  bool isLoad = copy->isLoad();
  copy->from = sideOf(*copy->source, *source, tile, isLoad ? steps : ones, *extents);
  copy->to = sideOf(*copy->target, *target, tile, isLoad ? ones : steps, *extents);
  if (state.choices.arriveLate)
    transfer.copies.push_back([copy] { return copy->run(/*moves=*/true); });
  return copy->run(/*moves=*/!state.choices.arriveLate);
}

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

static llvm::Error evaluateRing(Call &call) {
  auto ring = std::make_shared<Ring>(cast<RingOp>(call.op).getSlots());
  interpreterOf(call).rings.push_back(ring);
  call.results.push_back(std::shared_ptr<Object>(ring));
  return llvm::Error::success();
}

static Ring &ringOf(Call &call) { return static_cast<Ring &>(*std::get<std::shared_ptr<Object>>(call.operands[0])); }

/// The number that an op on a ring names.
template <typename Op> static llvm::Expected<int64_t> numberOf(Call &call, Op op) {
  unsigned first = 1;
  llvm::Expected<SmallVector<int64_t>> number = evaluateMap(call, op.getNumber(), first);
  if (!number)
    return number.takeError();
  if (number->front() < 0 || number->front() > (1 << 24))
    return call.fail("has number " + llvm::Twine(number->front()));
  return number->front();
}

/// Lets other roles run, at least once, until something holds. Outside of roles it must hold at once.
static llvm::Error await(Call &call, const llvm::Twine &otherwise, llvm::function_ref<bool()> holds) {
  ProgramInterpreter &state = interpreterOf(call);
  if (!state.handOver)
    return holds() ? llvm::Error::success() : call.fail(otherwise);
  std::string message = otherwise.str();
  do {
    if (!state.handOver())
      return call.fail(message);
  } while (!holds());
  return llvm::Error::success();
}

static llvm::Error evaluatePut(Call &call) {
  auto op = cast<PutOp>(call.op);
  ProgramInterpreter &state = interpreterOf(call);
  Ring &ring = ringOf(call);
  llvm::Expected<int64_t> number = numberOf(call, op);
  if (!number)
    return number.takeError();
  int64_t n = *number, before = n - ring.slots, slot = n % ring.slots;
  if (n != (int64_t)ring.numbers.size())
    return call.fail("puts number " + llvm::Twine(n) + " behind " + llvm::Twine(ring.numbers.size()) + " others");
  if (llvm::Error error = await(call, "overwrites number " + llvm::Twine(before) + ", which was not released",
                                [&] { return before < ring.released; }))
    return error;
  bool hasCopies = !op.getCondition() || std::get<int64_t>(call.operands.back());
  if (!state.handOver && before >= 0 && !ring.tookSinceRelease)
    return call.fail("overwrites number " + llvm::Twine(before) + " without a take since its release");
  int64_t onTheirWay = llvm::count_if(ring.numbers, [](Ring::Number &one) { return one.hasCopies && !one.wasTaken; });
  if (!state.handOver && hasCopies && onTheirWay + 1 >= std::max<int64_t>(ring.slots, 2))
    return call.fail("has " + llvm::Twine(onTheirWay + 1) + " numbers on their way in a ring of " +
                     llvm::Twine(ring.slots) + " slots");
  ring.numbers.push_back({{state.addWriter({state.role, state.stage, true, false}), {}}, hasCopies});
  if (!hasCopies)
    return llvm::Error::success();
  Transfer transfer = ring.numbers.back().transfer;
  state.transfer = &transfer;
  llvm::Expected<std::vector<tenon::reference::Value>> ran = state.runBlock(op.getBody().front(), {slot});
  state.transfer = nullptr;
  if (!ran)
    return ran.takeError();
  ring.numbers[n].transfer = std::move(transfer);
  ++state.progress;
  return llvm::Error::success();
}

static llvm::Error evaluateTake(Call &call) {
  auto op = cast<TakeOp>(call.op);
  ProgramInterpreter &state = interpreterOf(call);
  Ring &ring = ringOf(call);
  llvm::Expected<int64_t> number = numberOf(call, op);
  if (!number)
    return number.takeError();
  int64_t n = *number;
  if (llvm::Error error = await(call, "takes number " + llvm::Twine(n) + ", which nobody puts",
                                [&] { return n < (int64_t)ring.numbers.size(); }))
    return error;
  Ring::Number &taken = ring.numbers[n];
  if (!taken.hasCopies)
    return call.fail("takes number " + llvm::Twine(n) + ", of which nothing was copied");
  if (!taken.wasTaken)
    if (llvm::Error error = state.finish(taken.transfer))
      return error;
  taken.wasTaken = true;
  ++state.progress;
  ring.tookSinceRelease = true;
  if (!state.handOver)
    state.beginStage();
  call.results.push_back(n % ring.slots);
  return llvm::Error::success();
}

static llvm::Error evaluateRelease(Call &call) {
  auto op = cast<ReleaseOp>(call.op);
  ProgramInterpreter &state = interpreterOf(call);
  Ring &ring = ringOf(call);
  llvm::Expected<int64_t> number = numberOf(call, op);
  if (!number)
    return number.takeError();
  for (int64_t n = ring.released; n <= *number - (int64_t)op.getLag(); ++n) {
    if (n >= (int64_t)ring.numbers.size() || (ring.numbers[n].hasCopies && !ring.numbers[n].wasTaken))
      return call.fail("releases number " + llvm::Twine(n) + ", which was not taken");
    state.writers[ring.numbers[n].transfer.writer].wasReleased = true;
    ring.released = n + 1;
    ring.tookSinceRelease = false;
    ++state.progress;
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

namespace {
/// Roles run one at a time, each on a thread of its own, and hand over to the next one in turn.
class Turns {
public:
  Turns(ProgramInterpreter &state, unsigned roles) : state(state), ends(roles, false) {}

  void begin(unsigned role) {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return turn == role; });
    state.role = role + 1;
    state.beginStage();
  }
  /// Lets the others run until this role's next turn; false where one has failed, or nobody gets on any more.
  bool handOver() {
    std::unique_lock<std::mutex> lock(mutex);
    unsigned role = state.role - 1;
    uint32_t stage = state.stage;
    waits = std::exchange(progress, state.progress) == state.progress ? waits + 1 : 0;
    pass(role);
    changed.wait(lock, [&] { return turn == role; });
    state.role = role + 1;
    state.stage = stage;
    return !failure && waits <= 2 * ends.size();
  }
  void end(unsigned role, llvm::Error error) {
    std::unique_lock<std::mutex> lock(mutex);
    ends[role] = true;
    // What fails next only fails because of the first.
    if (failure)
      llvm::consumeError(std::move(error));
    else
      failure = std::move(error);
    waits = 0;
    pass(role);
  }

  llvm::Error failure = llvm::Error::success();

private:
  void pass(unsigned role) {
    for (unsigned i = 1; i <= ends.size(); ++i)
      if (unsigned next = (role + i) % ends.size(); !ends[next]) {
        turn = next;
        break;
      }
    changed.notify_all();
  }

  ProgramInterpreter &state;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<bool> ends;
  unsigned turn = 0, waits = 0;
  uint64_t progress = 0;
};
} // namespace

static llvm::Error evaluateRoles(Call &call) {
  ProgramInterpreter &state = interpreterOf(call);
  SmallVector<Operation *> roles;
  for (Operation &role : call.op->getRegion(0).front())
    roles.push_back(&role);
  if (state.choices.order != RunChoices::Order::Forward)
    std::reverse(roles.begin(), roles.end());
  Turns turns(state, roles.size());
  state.handOver = [&] { return turns.handOver(); };
  std::vector<std::thread> threads;
  for (auto [i, role] : llvm::enumerate(roles))
    threads.emplace_back([&turns, &state, i = i, role = role] {
      turns.begin(i);
      llvm::Expected<std::vector<tenon::reference::Value>> ran = state.runBlock(role->getRegion(0).front(), {});
      turns.end(i, ran ? llvm::Error::success() : ran.takeError());
    });
  for (std::thread &thread : threads)
    thread.join();
  state.handOver = nullptr;
  state.role = 0;
  state.beginStage();
  return std::move(turns.failure);
}

void tenon::reference::registerProgramPipelines(ProgramInterpreter &interpreter) {
  interpreter.registerOp(CopyOp::getOperationName(), evaluateCopy);
  interpreter.registerOp(RingOp::getOperationName(), evaluateRing);
  interpreter.registerOp(PutOp::getOperationName(), evaluatePut);
  interpreter.registerOp(TakeOp::getOperationName(), evaluateTake);
  interpreter.registerOp(ReleaseOp::getOperationName(), evaluateRelease);
  interpreter.registerOp(RolesOp::getOperationName(), evaluateRoles);
}

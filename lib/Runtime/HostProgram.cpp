//===- HostProgram.cpp - What compiled host programs call ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CopyStrided.h"
#include "Error.h"
#include "HostCall.h"
#include "Session.h"
#include "tenon/Runtime/PackArena.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

using namespace tenon::artifact;
using namespace tenon::runtime;

namespace {
int32_t misfit(tenon_context *ctx) {
  return tenon_session::of(ctx)->abort(fail(TENON_ERROR_FORMAT, "the model's code does not fit its metadata"));
}

} // namespace

int64_t tenon_session::nanoseconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t(t.tv_sec) * 1000000000 + t.tv_nsec;
}

void tenon_session::parallel(tenon_parallel_body body, void *arg, int64_t count, int64_t worth) {
  if (count > 1 && worth > 1 && threads > 1 && parallelFor)
    return parallelFor(parallelForUser, body, arg, count);
  if (pool && count > 1 && worth > 1) {
    // In a process that was forked off the threads are missing. To ask takes as long as a small launch.
    if (!isPoolKnown && !pool->hasThreadsHere())
      pool = ThreadPool::acquire(threads);
    isPoolKnown = true;
    if (pool)
      return pool->run(body, arg, count, worth);
  }
  for (int64_t i = 0; i < count; ++i)
    body(arg, i, 0);
}

void tenon_session::pollNowAndThen() {
  constexpr int64_t period = 100000000;
  constexpr uint32_t piecesPerLook = 8;
  // Short runs don't ask for the time, others not for each piece: even the coarse clock may cost 40 ns.
  if (++pieces % piecesPerLook != 0)
    return;
  timespec time;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  int64_t now = int64_t(time.tv_sec) * 1000000000 + time.tv_nsec;
  if (now < nextPoll)
    return;
  if (poll(pollUser) != 0)
    isCancelled.store(true);
  nextPoll = now + period;
}

int32_t tenon_session::abort(tenon_status status) {
  if (aborted == TENON_OK)
    aborted = status;
  return -1;
}

int32_t tenon_session::check(int32_t launch, int32_t code, int64_t value, int64_t limit) {
  if (code != 0 && error.code == 0)
    error = {code, uint32_t(launch), 0, value, limit};
  return code;
}

TENON_CALLS_COMPILED_CODE int32_t tenon_session::plan(uint32_t segment, const int64_t *values) {
  const ProgramRecord &record = model->metadata.table<ProgramRecord>(Table::Programs)[segment];
  SegmentState &state = segments[segment];
  size_t symbolCount = record.symbolCount, slotCount = record.slotCount, bufferCount = record.bufferCount;
  // The symbols of the last time mostly come again, and those of a loop's steps in the same order.
  uint32_t first = state.current ? uint32_t(state.current - state.plans) : 0;
  Plan *oldest = &state.plans[first], *found = nullptr;
  for (uint32_t i = 0; i < kPlansPerSegment && !found; ++i) {
    Plan &candidate = state.plans[(first + i) % kPlansPerSegment];
    if (candidate.symbols && memcmp(candidate.symbols, values, symbolCount * sizeof(int64_t)) == 0)
      found = &candidate;
    if (candidate.lastUse < oldest->lastUse)
      oldest = &candidate;
  }
  if (!found) {
    found = oldest;
    size_t count = symbolCount + slotCount + bufferCount + devices.size();
    if (!found->symbols) {
      int64_t bytes = int64_t(count + 1) * int64_t(sizeof(int64_t));
      if (!hold([&] { return account.take(bytes); }))
        return abort(noMemory(bytes, "a plan"));
      found->symbols = static_cast<int64_t *>(calloc(count + 1, sizeof(int64_t)));
      if (!found->symbols) {
        account.fail(bytes);
        return abort(noMemory(bytes, "a plan"));
      }
      found->bytes = bytes;
      found->slots = found->symbols + symbolCount;
      found->offsets = found->slots + slotCount;
      found->deviceBytes = found->offsets + bufferCount;
    }
    memcpy(found->symbols, values, symbolCount * sizeof(int64_t));
    found->arenaBytes = 0;
    found->code = model->programs[segment].plan(found->symbols, found->slots);
    if (found->code == 0 && bufferCount != 0) {
      Span<tenon_arena_buffer> buffers;
      Span<int64_t> places;
      const WantedSpan wanted[] = {want(buffers, bufferCount), want(places, bufferCount)};
      OwnedSpans spans(wanted);
      if (!spans.memory) {
        found->lastUse = 0;
        found->code = TENON_CODE_SIZE_OVERFLOW;
        return abort(outOfMemory());
      }
      auto records = model->metadata.table<BufferRecord>(Table::Buffers);
      // Each memory has an arena of its own.
      for (uint32_t space = 0; space <= devices.size(); ++space) {
        size_t used = 0;
        for (size_t i = 0; i < bufferCount; ++i) {
          const BufferRecord &r = records[uint32_t(record.firstBuffer + i)];
          if (r.space == space)
            buffers[used++] = {found->slots[r.sizeSlot], r.firstLaunch, r.lastLaunch};
        }
        int64_t bytes = tenon_pack_arena(buffers.data(), int64_t(used), places.data());
        if (bytes == -2) {
          found->lastUse = 0;
          found->code = TENON_CODE_SIZE_OVERFLOW;
          return abort(outOfMemory());
        }
        if (bytes < 0)
          found->code = TENON_CODE_SIZE_OVERFLOW;
        (space == 0 ? found->arenaBytes : found->deviceBytes[space - 1]) = bytes;
        used = 0;
        for (size_t i = 0; i < bufferCount; ++i)
          if (records[uint32_t(record.firstBuffer + i)].space == space)
            found->offsets[i] = places[used++];
      }
    }
  }
  found->lastUse = ++clock;
  state.current = found;
  slots[segment] = found->slots;
  offsets[segment] = found->offsets;
  return check(-1, found->code, 0, 0);
}

int32_t tenon_session::reserve(uint32_t segment) {
  SegmentState &state = segments[segment];
  // The first segment has the sizes that inputs give it; those of later ones may grow while a loop runs.
  int64_t bytes = state.current->arenaBytes;
  if (!hold([&] { return segment == 0 ? state.arena.reserve(bytes) : state.arena.reserveMore(bytes); }))
    return abort(noMemory(bytes, "storage for temporary values"));
  arenas[segment] = state.arena.data();
  for (size_t d = 0; d < devices.size(); ++d) {
    if (!hold([&] { return devices[d].reserve(segment, state.current->deviceBytes[d]); }))
      return abort(noMemory(state.current->deviceBytes[d], "storage for temporary values on device '%s'",
                            devices[d].device->name));
    deviceArenas[d * segments.size() + segment] = devices[d].arenas[segment].data;
  }
  for (uint32_t i = 0; i < outputs.size(); ++i)
    if (model->outputProgram[i] == segment && !tenon_model::isHeld(model->metadata.output(i)))
      if (int32_t code = reserveOutput(i))
        return code;
  return 0;
}

int32_t tenon_session::reserveOutput(uint32_t index) {
  const TensorRecord &tensor = model->metadata.output(index);
  Slot &slot = outputs[index];
  const char *name = model->string(tensor.name);
  outputShape(index, slot.shape);
  int64_t elements = 1, span = 0, unit = 1;
  bool overflow = false;
  if (!slot.hasStrides)
    for (int64_t d = int64_t(tensor.rank) - 1; d >= 0; --d) {
      slot.strides[d] = unit;
      overflow |= __builtin_mul_overflow(unit, slot.shape[d] > 0 ? slot.shape[d] : 1, &unit);
    }
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    int64_t reach;
    if (slot.shape[d] < 0)
      return abort(
          fail(TENON_ERROR_RUN, "output '%s' would have size %lld in dimension %u", name, (long long)slot.shape[d], d));
    overflow |= __builtin_mul_overflow(elements, slot.shape[d], &elements);
    overflow |= __builtin_mul_overflow(slot.shape[d] - 1, slot.strides[d], &reach);
    overflow |= __builtin_add_overflow(span, reach, &span);
  }
  int64_t bits = tensor.dtype == uint32_t(TENON_STRING) ? 128 : bitsOf(tensor.dtype), bytes;
  overflow |= __builtin_mul_overflow(elements == 0 ? 0 : span + 1, bits, &bytes) || bytes > INT64_MAX - 7;
  if (overflow)
    return abort(fail(TENON_ERROR_RUN, "output '%s' has more bytes than 64 bits can count", name));
  bytes = (bytes + 7) / 8;
  if (slot.bound) {
    for (uint32_t d = 0; d < tensor.rank; ++d) {
      bool bounded = slot.capacity != 0 || model->dim(tensor, d).segment != 0;
      if (bounded ? slot.capacity == 0 && slot.shape[d] > slot.boundShape[d] : slot.shape[d] != slot.boundShape[d])
        return abort(fail(TENON_ERROR_SHAPE,
                          "output '%s' is bound with size %lld in dimension %u, the model gives %lld", name,
                          (long long)slot.boundShape[d], d, (long long)slot.shape[d]));
    }
    if (slot.capacity != 0 && bytes > slot.capacity)
      return abort(fail(TENON_ERROR_SHAPE, "output '%s' needs %lld bytes, its buffer has %lld", name, (long long)bytes,
                        (long long)slot.capacity));
    outputData[index] = slot.data;
    return 0;
  }
  if (!hold([&] { return outputBuffers[index].reserve(bytes); }))
    return abort(noMemory(bytes, "output '%s'", name));
  outputData[index] = outputBuffers[index].data();
  return 0;
}

int32_t tenon_session::grow(uint32_t number, int64_t bytes) {
  Buffer &buffer = growingBuffers[number];
  if (!hold([&] { return buffer.grow(bytes); }))
    return abort(noMemory(bytes, "a tensor that grows"));
  growing[number] = buffer.data();
  return 0;
}

void tenon_session::exchange(uint32_t first, uint32_t second) {
  growingBuffers[first].exchange(growingBuffers[second]);
  growing[first] = growingBuffers[first].data();
  growing[second] = growingBuffers[second].data();
}

/// Functions see contiguous tensors: inputs and outputs of other strides are copied.
int32_t tenon_session::callExternal(uint32_t external, const tenon_value *const *inputs, int32_t inputCount,
                                    tenon_value *const *outputs, int32_t outputCount) {
  const ExternalRecord &record = model->metadata.table<ExternalRecord>(Table::Externals)[external];
  Span<const tenon_value *> given;
  Span<tenon_value *> results;
  Span<tenon_value> plain;
  Span<Box *> copies;
  size_t count = size_t(inputCount) + size_t(outputCount);
  const WantedSpan wanted[] = {want(given, size_t(inputCount)), want(results, size_t(outputCount)), want(plain, count),
                               want(copies, count)};
  OwnedSpans spans(wanted);
  if (!spans.memory)
    return abort(outOfMemory());
  bool complete = true;
  account.refused = 0;
  auto slotOf = [&](const tenon_value *value) -> HeldSlot * {
    auto *slot = reinterpret_cast<HeldSlot *>(const_cast<tenon_value *>(value));
    return slot >= held.begin() && slot < held.end() ? slot : nullptr;
  };
  auto makePlain = [&](const tenon_value *value, size_t i, bool isInput) {
    plain[i] = *value;
    plain[i].strides = nullptr;
    if (!isContiguous(*value)) {
      copies[i] = isInput ? copyOf(*value) : makeTensor(value->dtype, value->rank, value->shape);
      complete = complete && copies[i];
      plain[i].data = copies[i] ? copies[i]->value.data : nullptr;
    }
    return &plain[i];
  };
  for (size_t i = 0; i < given.size(); ++i) {
    HeldSlot *slot = slotOf(inputs[i]);
    complete = complete && (!slot || slot->box);
    given[i] = slot && slot->box ? &slot->box->value : makePlain(inputs[i], i, true);
  }
  for (size_t i = 0; i < results.size(); ++i) {
    HeldSlot *slot = slotOf(outputs[i]);
    if (slot)
      slot->set(nullptr);
    results[i] = slot ? outputs[i] : makePlain(outputs[i], given.size() + i, false);
  }
  HostCall call(externals[external], given.data(), inputCount, results.data(), outputCount);
  bool ok = complete && externals[external].function(&call) == 0;
  for (size_t i = 0; i < results.size(); ++i) {
    if (ok && results[i]->kind == TENON_UNSET)
      ok = call.error("it has left output %d unset", int32_t(i)) == 0;
    if (Box *copy = copies[given.size() + i]; copy && ok)
      copyElements(*outputs[i], copy->value);
  }
  for (Box *copy : copies)
    release(copy);
  if (ok)
    return 0;
  const char *nodes = model->string(record.nodes);
  const char *before = nodes[0] ? "node '" : "", *after = nodes[0] ? "': " : "";
  if (account.refused != 0)
    return abort(noMemory(account.refused, "%s%s%sa value", before, nodes, after));
  if (!complete)
    return abort(outOfMemory());
  return abort(fail(TENON_ERROR_EXTERNAL, "%s%s%sfunction '%s' failed: %s", before, nodes, after,
                    externals[external].name, call.text[0] ? call.text : "no reason was given"));
}

int32_t tenon_session::copy(void *dst, const int64_t *dstStrides, const void *src, const int64_t *srcStrides,
                            const int64_t *sizes, int64_t rank, int64_t elemBytes) {
  StridedCopy copy;
  if (rank > kMaxRank)
    return check(-1, TENON_CODE_CAPACITY, rank, kMaxRank);
  if (!copy.prepare(dst, dstStrides, src, srcStrides, sizes, rank, elemBytes))
    return 0;
  if (int32_t code = checkCancelled())
    return code;
  int64_t start = profiling ? nanoseconds() : 0;
  struct Job {
    const StridedCopy &copy;
    int64_t rows;
    tenon_session &session;
  } job{copy, copy.rowsPerPiece(), *this};
  if (job.rows == copy.sizes[0])
    copy.run(0, job.rows); // most copies are so short that beginning a piece takes as long
  else
    parallel(
        [](void *arg, int64_t i, int32_t) {
          const Job &job = *static_cast<Job *>(arg);
          int64_t begin = i * job.rows;
          if (!job.session.isEnding())
            job.copy.run(begin, std::min(begin + job.rows, job.copy.sizes[0]));
        },
        &job, (copy.sizes[0] - 1) / job.rows + 1, kAllWorkers);
  if (profiling) {
    copies.count += 1;
    copies.bytes += copy.bytes();
    copies.nanoseconds += nanoseconds() - start;
  }
  return 0;
}

//===--------------------------------------------------------------------------------------------------------===//
// The table
//===--------------------------------------------------------------------------------------------------------===//

// Indices come from code, tables from metadata: of a forged artifact they don't fit each other.
static bool isBelow(int32_t index, size_t count) { return size_t(uint32_t(index)) < count; }
static size_t launchCount(tenon_context *ctx) { return tenon_session::of(ctx)->launchSites.size(); }
static bool isSegment(tenon_context *ctx, int32_t segment) {
  return isBelow(segment, tenon_session::of(ctx)->segments.size());
}

static int32_t hostPlan(tenon_context *ctx, int32_t segment, const int64_t *symbols) {
  if (!isSegment(ctx, segment))
    return misfit(ctx);
  if (int32_t code = tenon_session::of(ctx)->checkCancelled())
    return code;
  return tenon_session::of(ctx)->plan(uint32_t(segment), symbols);
}
static int32_t hostReserve(tenon_context *ctx, int32_t segment) {
  if (!isSegment(ctx, segment) || !ctx->slots[segment])
    return misfit(ctx);
  return tenon_session::of(ctx)->reserve(uint32_t(segment));
}
TENON_CALLS_COMPILED_CODE static int32_t hostExecute(tenon_context *ctx, int32_t segment) {
  if (!isSegment(ctx, segment) || !ctx->slots[segment])
    return misfit(ctx);
  return tenon_session::of(ctx)->model->programs[size_t(segment)].execute(ctx, ctx->slots[segment]);
}
static int32_t hostLaunch(tenon_context *ctx, int32_t launch, void *const *buffers, const int64_t *strides,
                          const int64_t *symbols) {
  if (!isBelow(launch, launchCount(ctx)))
    return misfit(ctx);
  return tenon_session::of(ctx)->launch(uint32_t(launch), buffers, strides, symbols);
}

static int32_t hostCopy(tenon_context *ctx, void *dst, const int64_t *dstStrides, const void *src,
                        const int64_t *srcStrides, const int64_t *sizes, int64_t rank, int64_t elemBytes) {
  return tenon_session::of(ctx)->copy(dst, dstStrides, src, srcStrides, sizes, rank, elemBytes);
}

/// Loops call it with code 0, once per iteration: they end here when the run is cancelled.
static int32_t hostCheck(tenon_context *ctx, int32_t launch, int32_t code, int64_t value, int64_t limit) {
  tenon_session &session = *tenon_session::of(ctx);
  // A step may take nanoseconds.
  if (++session.steps % 64 == 0)
    session.isEnding();
  if (int32_t cancelled = session.checkCancelled())
    return cancelled;
  return session.check(launch, code, value, limit);
}

static int32_t hostCallExternal(tenon_context *ctx, int32_t external, const tenon_value *const *inputs,
                                int32_t inputCount, tenon_value *const *outputs, int32_t outputCount) {
  if (!isBelow(external, tenon_session::of(ctx)->externals.size()))
    return misfit(ctx);
  tenon_session::of(ctx)->isEnding();
  if (int32_t code = tenon_session::of(ctx)->checkCancelled())
    return code;
  return tenon_session::of(ctx)->callExternal(uint32_t(external), inputs, inputCount, outputs, outputCount);
}

/// A loop of the host program.
struct HostLoop {
  tenon_parallel_body body;
  void *arg;
  tenon_session &session;

  TENON_CALLS_COMPILED_CODE static void run(void *loop, int64_t index, int32_t worker) {
    const HostLoop &self = *static_cast<HostLoop *>(loop);
    if (!self.session.isEnding())
      self.body(self.arg, index, worker);
  }
};

static int32_t hostParallelFor(tenon_context *ctx, tenon_parallel_body body, void *arg, int64_t count) {
  // The pool counts iterations in 32 bits.
  if (count > INT32_MAX)
    return tenon_session::of(ctx)->check(-1, TENON_CODE_CAPACITY, count, INT32_MAX);
  HostLoop loop = {body, arg, *tenon_session::of(ctx)};
  tenon_session::of(ctx)->parallel(HostLoop::run, &loop, count, kAllWorkers);
  return tenon_session::of(ctx)->checkCancelled();
}

static int32_t hostGrow(tenon_context *ctx, int32_t number, int64_t bytes) {
  if (!isBelow(number, tenon_session::of(ctx)->growing.size()))
    return misfit(ctx);
  return tenon_session::of(ctx)->grow(uint32_t(number), bytes);
}

static int32_t hostExchange(tenon_context *ctx, int32_t first, int32_t second) {
  size_t count = tenon_session::of(ctx)->growing.size();
  if (!isBelow(first, count) || !isBelow(second, count))
    return misfit(ctx);
  tenon_session::of(ctx)->exchange(uint32_t(first), uint32_t(second));
  return 0;
}

static int32_t hostDeviceLaunch(tenon_context *ctx, int32_t device, int32_t launch, void *const *buffers,
                                int32_t bufferCount, const int64_t *strides, const int64_t *symbols,
                                const int32_t *after, int32_t afterCount, int32_t token) {
  tenon_session &session = *tenon_session::of(ctx);
  const tenon_model &model = *session.model;
  if (!isBelow(device, session.devices.size()) || !isBelow(launch, launchCount(ctx)))
    return misfit(ctx);
  int64_t numbers[kMaxPlanNumbers];
  LaunchPlan plan = session.planLaunch(uint32_t(launch), strides, symbols, numbers);
  if (plan.count == 0)
    return -1;
  tenon_device_grid grids[kMaxPlanNumbers];
  for (uint32_t i = 0; i < plan.count; ++i)
    grids[i] = {plan.grids[i], plan.units()[i]};
  uint32_t number = model.metadata.table<LaunchRecord>(Table::Launches)[uint32_t(launch)].kernel;
  const KernelRecord &kernel = model.metadata.table<KernelRecord>(Table::Kernels)[number];
  tenon_device_launch request = {model.string(kernel.name),
                                 uint32_t(launch),
                                 int32_t(plan.count),
                                 grids,
                                 bufferCount,
                                 int32_t(kernel.strideCount),
                                 int32_t(kernel.symbolCount),
                                 buffers,
                                 strides,
                                 symbols,
                                 plan.workgroupBytes(),
                                 plan.launchBytes(),
                                 session.devices[size_t(device)].constants->bound.data() +
                                     model.firstBinding[size_t(launch)]};
  return session.deviceLaunch(uint32_t(device), request, {after, afterCount, token});
}

static int32_t hostDeviceCopy(tenon_context *ctx, int32_t device, int32_t direction, void *dst,
                              const int64_t *dstStrides, const void *src, const int64_t *srcStrides,
                              const int64_t *sizes, int64_t rank, int64_t elemBytes, const int32_t *after,
                              int32_t afterCount, int32_t token) {
  if (!isBelow(device, tenon_session::of(ctx)->devices.size()))
    return misfit(ctx);
  tenon_device_copy request = {direction, int32_t(rank), elemBytes, dst, src, sizes, dstStrides, srcStrides};
  return tenon_session::of(ctx)->deviceCopy(uint32_t(device), request, {after, afterCount, token});
}

static int32_t hostAwait(tenon_context *ctx, int32_t device, const int32_t *tokens, int32_t count) {
  if (!isBelow(device, tenon_session::of(ctx)->devices.size()))
    return misfit(ctx);
  return tenon_session::of(ctx)->await(uint32_t(device), tokens, count);
}

// Aligned as thread-local memory is, else what lies between them may take a page of the file.
alignas(16) const tenon_host_functions kHostFunctions = {
    TENON_KERNEL_ABI, sizeof(tenon_host_functions),
    hostPlan,         hostReserve,
    hostExecute,      hostLaunch,
    hostCopy,         hostCheck,
    hostCallExternal, hostParallelFor,
    hostDeviceLaunch, hostDeviceCopy,
    hostAwait,        hostGrow,
    hostExchange,
};

//===- Session.cpp - Binding, shapes, running ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Session.h"
#include "Error.h"
#include "HostCall.h"

#include <new>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <type_traits>

using namespace tenon::artifact;
using namespace tenon::runtime;

namespace {
int32_t usableCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0)
    return 1;
  int32_t count = 0;
  for (size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    count += CPU_ISSET(cpu, &set) != 0;
  return count;
}

constexpr int32_t kMaxThreads = 1024;
/// A session gives back what it hasn't needed for so many runs.
constexpr uint32_t kRunsBetweenTrims = 64;

/// What there is of each in a session.
enum SpanCount : uint16_t {
  Inputs,
  Outputs,
  Sizes,
  Segments,
  Symbols,
  Values,
  Growing,
  Externals,
  Held,
  Launches,
  Workers,
  Devices,
  ConstantsOfDevices,
  ArenasOfDevices,
  Counts
};
/// A session's spans. They are allocated by this list, since each would take more code than a record here.
struct SessionSpan {
  uint16_t offset, size;
  SpanCount count;
};
static_assert(std::is_standard_layout_v<tenon_session>);
#define TENON_SPAN(name, count)                                                                                        \
  {offsetof(tenon_session, name), sizeof(*static_cast<tenon_session *>(nullptr)->name.data()), count}
constexpr SessionSpan kSpans[] = {
    TENON_SPAN(inputs, Inputs),
    TENON_SPAN(outputs, Outputs),
    TENON_SPAN(shapeMemory, Sizes),
    TENON_SPAN(outputValues, Outputs),
    TENON_SPAN(outputBuffers, Outputs),
    TENON_SPAN(segments, Segments),
    TENON_SPAN(symbols, Symbols),
    TENON_SPAN(values, Values),
    TENON_SPAN(growing, Growing),
    TENON_SPAN(growingBuffers, Growing),
    TENON_SPAN(inputData, Inputs),
    TENON_SPAN(outputData, Outputs),
    TENON_SPAN(arenas, Segments),
    TENON_SPAN(inputStrides, Inputs),
    TENON_SPAN(outputStrides, Outputs),
    TENON_SPAN(inputSizes, Inputs),
    TENON_SPAN(slots, Segments),
    TENON_SPAN(offsets, Segments),
    TENON_SPAN(externals, Externals),
    TENON_SPAN(held, Held),
    TENON_SPAN(heldValues, Held),
    TENON_SPAN(profile, Launches),
    TENON_SPAN(errorSlots, Workers),
    TENON_SPAN(launchSites, Launches),
    TENON_SPAN(devices, Devices),
    TENON_SPAN(deviceConstants, ConstantsOfDevices),
    TENON_SPAN(deviceArenas, ArenasOfDevices),
};
} // namespace

tenon_session::~tenon_session() {
  // First: a device may be at work on what follows.
  for (SessionDevice &device : devices)
    device.~SessionDevice();
  for (Span<Buffer> *buffers : {&outputBuffers, &growingBuffers})
    for (Buffer &buffer : *buffers)
      buffer.~Buffer();
  for (SegmentState &segment : segments)
    segment.~SegmentState();
  for (HeldSlot &slot : held)
    release(slot.box);
  free(arrays);
  ThreadPool::release(pool);
  tenon_model_close(model);
}

tenon_status tenon_session::create(const tenon_options &options) {
  const MetadataView &meta = model->metadata;
  uint32_t inputCount = meta.inputCount(), outputCount = meta.outputCount();
  size_t ranks = 0;
  for (uint32_t i = 0; i < inputCount + outputCount; ++i)
    ranks += meta.input(i).rank;
  uint32_t segmentCount = meta.count(Table::Programs);
  if (options.threads < 0 || options.threads > kMaxThreads)
    return fail(TENON_ERROR_ARGUMENT, "%d threads are not between 0 and %d", options.threads, kMaxThreads);
  threads = options.threads != 0 ? options.threads : usableCpus();
  parallelFor = options.parallel_for;
  parallelForUser = options.parallel_for_user;
  poll = options.poll;
  pollUser = options.poll_user;
  profiling = options.profile != 0;
  if (options.memory_limit < 0)
    return fail(TENON_ERROR_ARGUMENT, "a memory limit of %lld bytes is negative", (long long)options.memory_limit);

  int64_t bytes = int64_t(sizeof(tenon_session));
  const ModelRecord &record = meta.model();
  size_t deviceCount = meta.count(Table::Devices);
  size_t counts[Counts];
  counts[Inputs] = inputCount;
  counts[Outputs] = outputCount;
  counts[Sizes] = 3 * ranks;
  counts[Segments] = segmentCount;
  counts[Symbols] = meta.count(Table::Symbols);
  counts[Values] = record.valueCount;
  counts[Growing] = record.growingCount;
  counts[Externals] = meta.count(Table::Externals);
  counts[Held] = size_t(inputCount) + outputCount + record.heldCount;
  counts[Launches] = meta.count(Table::Launches);
  counts[Workers] = size_t(threads);
  counts[Devices] = deviceCount;
  counts[ConstantsOfDevices] = deviceCount * meta.count(Table::Constants);
  counts[ArenasOfDevices] = deviceCount * segmentCount;
  constexpr size_t spanCount = sizeof(kSpans) / sizeof(kSpans[0]);
  WantedSpan wanted[spanCount];
  for (size_t i = 0; i < spanCount; ++i)
    wanted[i] = {reinterpret_cast<AnySpan *>(reinterpret_cast<char *>(this) + kSpans[i].offset),
                 counts[kSpans[i].count], kSpans[i].size};
  arrays = allocateSpans(wanted, spanCount, bytes);
  if (!arrays)
    return outOfMemory();
  for (Span<Buffer> *buffers : {&outputBuffers, &growingBuffers})
    for (Buffer &buffer : *buffers)
      buffer.chargeTo(account);
  for (SegmentState &segment : segments)
    segment.arena.chargeTo(account);
  scratch.chargeTo(account);
  if (options.memory_limit > 0)
    account.limit = options.memory_limit;
  if (!account.take(bytes))
    return noMemory(bytes, "the session itself");
  if (!parallelFor && threads > 1 && !(pool = ThreadPool::acquire(threads)))
    return outOfMemory();

  int64_t *next = shapeMemory.data();
  for (uint32_t i = 0; i < inputCount + outputCount; ++i) {
    uint32_t rank = meta.input(i).rank;
    Slot &slot = i < inputCount ? inputs[i] : outputs[i - inputCount];
    slot.shape = next;
    slot.strides = next + rank;
    slot.boundShape = next + 2 * rank;
    next += 3 * rank;
  }
  for (uint32_t i = 0; i < inputCount; ++i) {
    inputSizes[i] = inputs[i].shape;
    inputStrides[i] = inputs[i].strides;
  }
  for (uint32_t i = 0; i < outputCount; ++i)
    outputStrides[i] = outputs[i].strides;

  for (size_t i = 0; i < held.size(); ++i) {
    held[i].set(nullptr);
    heldValues[i] = &held[i].value;
  }
  for (uint32_t i = 0; i < launchSites.size(); ++i)
    launchSites[i].firstBinding = model->firstBinding[i];
  if (tenon_status status = findFunctions(options))
    return status;
  if (tenon_status status = openDevices(options))
    return status;

  context = {&kHostFunctions,        inputData.data(),     outputData.data(), model->constants.data(),
             symbols.data(),         slots.data(),         arenas.data(),     offsets.data(),
             inputStrides.data(),    outputStrides.data(), inputSizes.data(), values.data(),
             deviceConstants.data(), deviceArenas.data(),  heldValues.data(), growing.data()};
  return TENON_OK;
}

/// The runtime's own, then the application's, then those of a library.
tenon_status tenon_session::findFunctions(const tenon_options &options) {
  auto records = model->metadata.table<ExternalRecord>(Table::Externals);
  for (uint32_t i = 0; i < records.count; ++i) {
    const char *name = model->string(records[i].function), *library = model->string(records[i].library);
    const tenon_host_entry *found = nullptr;
    char reason[512] = "this runtime lacks it";
    tenon_host_entry own = {};
    if (strcmp(library, "tenon_runtime") == 0) {
      own = findRuntimeFunction(name);
      found = own.function ? &own : nullptr;
    } else {
      for (int32_t f = 0; f < options.function_count && options.functions && !found; ++f)
        if (options.functions[f].name && options.functions[f].function && strcmp(options.functions[f].name, name) == 0)
          found = &options.functions[f];
      if (!found)
        found = findInLibrary(library, name, model->path, reason, sizeof(reason));
    }
    if (!found)
      return fail(TENON_ERROR_EXTERNAL, "the model needs function '%s' of library '%s': %s", name, library, reason);
    externals[i] = *found;
    externals[i].name = name;
  }
  return TENON_OK;
}

tenon_status tenon_session::prepare() {
  if (tenon_status status = bindSymbols())
    return status;
  error = {};
  aborted = TENON_OK;
  int32_t code = plan(0, symbols.data());
  return code == 0 ? TENON_OK : report(code);
}

bool tenon_session::outputShape(uint32_t index, int64_t *shape) const {
  const TensorRecord &tensor = model->metadata.output(index);
  bool known = !tenon_model::isHeld(tensor);
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    const DimRecord &dim = model->dim(tensor, d);
    if (dim.kind == 0)
      shape[d] = dim.value;
    else if (dim.kind == 3)
      shape[d] = -1;
    else if (dim.kind == 1)
      shape[d] = symbols[size_t(dim.value)];
    else if (slots[dim.segment]) {
      shape[d] = slots[dim.segment][dim.value];
    } else {
      known = false;
      shape[d] = dim.boundSlot >= 0 ? slots[0][dim.boundSlot] : -1;
    }
  }
  return known;
}

void tenon_session::startRun() {
  error = {};
  aborted = TENON_OK;
  account.isOverLimit = false;
  clockAtStart = clock;
  for (const int64_t *&slot : slots)
    slot = nullptr;
  for (size_t i = inputs.size(); i < held.size(); ++i)
    held[i].set(nullptr);
  eachBuffer(&Buffer::startRun);
  for (SessionDevice &device : devices)
    for (DeviceMemory &arena : device.arenas)
      arena.isNeeded = false;
  isPoolKnown = false;
}

void tenon_session::endRun() {
  // What the program held for itself is of no more use.
  for (size_t i = inputs.size() + outputs.size(); i < held.size(); ++i)
    held[i].set(nullptr);
  if (++runs % kRunsBetweenTrims == 0)
    eachBuffer(&Buffer::trimToRecent);
}

tenon_status tenon_session::run() {
  ran = false;
  runThread = pthread_self();
  pieces = 0;
  tenon_status status = isCancelled.load() ? TENON_ERROR_CANCELLED : runOnce();
  // A cancel is for the run that it meets, however that has ended.
  if (isCancelled.exchange(false))
    status = TENON_ERROR_CANCELLED;
  ran = status == TENON_OK;
  return status != TENON_ERROR_CANCELLED ? status : fail(status, "the run was cancelled");
}

TENON_CALLS_COMPILED_CODE tenon_status tenon_session::runOnce() {
  if (broken)
    return fail(TENON_ERROR_EXTERNAL, "the session can't run again: a device failed");
  tenon_status status = bindSymbols();
  if (status == TENON_OK)
    status = checkOverlaps();
  if (status != TENON_OK)
    return status;
  ChargeBoxes charge(account);
  startRun();
  int32_t code = model->run(&context);
  if (code != 0)
    drainDevices();
  endRun();
  if (code != 0)
    return report(code);
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    const TensorRecord &tensor = model->metadata.output(i);
    if (tenon_model::isHeld(tensor)) {
      outputValues[i] = held[inputs.size() + i].value;
      if (outputValues[i].kind != int32_t(tensor.kind) ||
          (tensor.kind == TENON_TENSOR &&
           (outputValues[i].dtype != int32_t(tensor.dtype) || outputValues[i].rank != int64_t(tensor.rank))))
        return fail(TENON_ERROR_RUN, "output '%s' came out as a value of another kind, dtype or rank",
                    model->string(tensor.name));
      outputValues[i].dtype = int32_t(tensor.dtype);
      outputValues[i].capacity = 0;
      continue;
    }
    outputValues[i] = {int32_t(tensor.kind),
                       int32_t(tensor.dtype),
                       int64_t(tensor.rank),
                       outputs[i].shape,
                       outputs[i].strides,
                       outputData[i],
                       outputs[i].capacity,
                       0,
                       nullptr};
  }
  return TENON_OK;
}

//===--------------------------------------------------------------------------------------------------------===//
// Memory
//===--------------------------------------------------------------------------------------------------------===//

void tenon_session::eachBuffer(void (Buffer::*visit)()) {
  for (Span<Buffer> *buffers : {&outputBuffers, &growingBuffers})
    for (Buffer &buffer : *buffers)
      (buffer.*visit)();
  for (SegmentState &segment : segments)
    (segment.arena.*visit)();
  (scratch.*visit)();
}

bool tenon_session::giveBack() {
  int64_t before = account.held;
  eachBuffer(&Buffer::tidy);
  for (SessionDevice &device : devices)
    for (DeviceMemory &arena : device.arenas)
      if (!arena.isNeeded)
        device.release(arena);
  for (SegmentState &segment : segments)
    for (Plan &plan : segment.plans) {
      if (plan.lastUse > clockAtStart || !plan.symbols)
        continue;
      account.give(plan.bytes);
      plan.~Plan();
      new (&plan) Plan;
      if (segment.current == &plan)
        segment.current = nullptr;
    }
  return account.held != before;
}

tenon_status tenon_session::noMemory(int64_t bytes, const char *format, ...) {
  char what[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof(what), format, arguments);
  va_end(arguments);
  if (!account.isOverLimit)
    return fail(TENON_ERROR_MEMORY, "out of memory: %s needs %lld bytes", what, (long long)bytes);
  return fail(TENON_ERROR_MEMORY, "%s needs %lld bytes: the session holds %lld of the %lld that it may hold", what,
              (long long)bytes, (long long)account.held, (long long)account.limit);
}

tenon_status tenon_session::trim() {
  // A device may be at work still on what nobody waited for.
  drainDevices();
  ran = false;
  startRun();
  giveBack();
  return TENON_OK;
}

tenon_status tenon_session::report(int32_t code) {
  if (aborted != TENON_OK)
    return aborted;
  if (error.code == 0)
    error = {code, uint32_t(-1), 0, 0, 0};
  const MetadataView &meta = model->metadata;
  const char *nodes = "";
  if (error.launch < meta.count(Table::Launches))
    nodes = model->string(meta.table<LaunchRecord>(Table::Launches)[error.launch].nodes);
  const char *before = nodes[0] ? "node '" : "", *after = nodes[0] ? "': " : "";
  auto say = [&](const char *text) { return fail(TENON_ERROR_RUN, "%s%s%s%s", before, nodes, after, text); };
  auto sayNumbers = [&](const char *first, const char *second) {
    return fail(TENON_ERROR_RUN, "%s%s%s%s %lld %s %lld", before, nodes, after, first, (long long)error.value, second,
                (long long)error.limit);
  };
  switch (error.code) {
  case TENON_CODE_INDEX_OUT_OF_RANGE:
    return sayNumbers("index", "is out of range for size");
  case TENON_CODE_SIZE_MISMATCH:
    return sayNumbers("size", "should be");
  case TENON_CODE_SIZE_OVERFLOW:
    return say("a size does not fit in 64 bits");
  case TENON_CODE_NEGATIVE_SIZE:
    return say("a size is negative");
  case TENON_CODE_DIVISION_BY_ZERO:
    return say("integer division by zero");
  case TENON_CODE_NOT_DIVISIBLE:
    return sayNumbers("size", "is not a multiple of");
  case TENON_CODE_CAPACITY:
    return sayNumbers("size", "is more than the capacity of");
  }
  if (error.code >= TENON_CODE_MESSAGE && uint32_t(error.code - TENON_CODE_MESSAGE) < meta.count(Table::Messages)) {
    uint32_t message = uint32_t(error.code - TENON_CODE_MESSAGE);
    const char *text = model->string(meta.table<StringRecord>(Table::Messages)[message]);
    if (error.value == 0 && error.limit == 0)
      return say(text);
    return fail(TENON_ERROR_RUN, "%s%s%s%s (%lld against %lld)", before, nodes, after, text, (long long)error.value,
                (long long)error.limit);
  }
  return fail(TENON_ERROR_RUN, "%s%s%serror code %d", before, nodes, after, error.code);
}

//===--------------------------------------------------------------------------------------------------------===//
// C ABI
//===--------------------------------------------------------------------------------------------------------===//

/// Of this version, of an earlier one, which ended with `profile` or later, or of a later one.
static bool isSizeOfOptions(size_t size) {
  return size >= offsetof(tenon_options, devices) && size <= 1024 && size % alignof(tenon_options) == 0;
}

tenon_status tenon_session_create(tenon_model *model, const tenon_options *options, tenon_session **session) {
  if (session)
    *session = nullptr;
  if (!model || !session)
    return nullArgument(model ? "session" : "model");
  tenon_options known = {};
  if (options) {
    if (!isSizeOfOptions(options->size))
      return fail(TENON_ERROR_ARGUMENT, "the options' size is %zu, it should be sizeof(tenon_options), %zu",
                  options->size, sizeof(known));
    memcpy(&known, options, options->size < sizeof(known) ? options->size : sizeof(known));
    for (size_t i = sizeof(known); i < options->size; ++i)
      if (reinterpret_cast<const char *>(options)[i] != 0)
        return fail(TENON_ERROR_ARGUMENT, "the options set what version %s of the runtime doesn't know",
                    tenon_version());
  }
  void *memory = aligned_alloc(alignof(tenon_session), sizeof(tenon_session));
  if (!memory)
    return outOfMemory();
  tenon_session *created = new (memory) tenon_session;
  created->model = model;
  model->references.fetch_add(1);
  if (tenon_status status = created->create(known)) {
    tenon_session_destroy(created);
    return status;
  }
  *session = created;
  return TENON_OK;
}

void tenon_session_destroy(tenon_session *session) {
  if (!session)
    return;
  session->~tenon_session();
  free(session);
}

tenon_status tenon_session_bind_input(tenon_session *session, int32_t index, const tenon_value *value) {
  return session ? session->bind(false, uint32_t(index), value) : nullArgument("session");
}
tenon_status tenon_session_bind_output(tenon_session *session, int32_t index, const tenon_value *value) {
  return session ? session->bind(true, uint32_t(index), value) : nullArgument("session");
}

static tenon_status checkOutput(const tenon_session *session, int32_t index) {
  if (!session)
    return nullArgument("session");
  if (index < 0 || size_t(index) >= session->outputs.size())
    return fail(TENON_ERROR_ARGUMENT, "output %d does not exist: the model has %d", index,
                int32_t(session->outputs.size()));
  return TENON_OK;
}

tenon_status tenon_session_output_shape(tenon_session *session, int32_t index, int64_t *shape, int32_t rank) {
  if (tenon_status status = checkOutput(session, index))
    return status;
  const TensorRecord &tensor = session->model->metadata.output(uint32_t(index));
  const char *name = session->model->string(tensor.name);
  if (rank != int32_t(tensor.rank))
    return fail(TENON_ERROR_ARGUMENT, "output '%s' has rank %u, not %d", name, tensor.rank, rank);
  if (!shape && rank != 0)
    return nullArgument("shape");
  for (const int64_t *&slot : session->slots)
    slot = nullptr;
  if (tenon_status status = session->prepare())
    return status;
  if (!session->outputShape(uint32_t(index), shape))
    return fail(TENON_ERROR_UNKNOWN_SIZE, "the size of output '%s' depends on data: it is known after the run", name);
  return TENON_OK;
}

tenon_status tenon_session_run(tenon_session *session) { return session ? session->run() : nullArgument("session"); }

tenon_status tenon_session_cancel(tenon_session *session) {
  // Nothing else: it may be a signal handler that calls.
  if (!session)
    return TENON_ERROR_ARGUMENT;
  session->isCancelled.store(true);
  return TENON_OK;
}

tenon_status tenon_session_clear_cancel(tenon_session *session) {
  if (!session)
    return nullArgument("session");
  session->isCancelled.store(false);
  return TENON_OK;
}

tenon_status tenon_session_trim(tenon_session *session) { return session ? session->trim() : nullArgument("session"); }

tenon_status tenon_session_output(tenon_session *session, int32_t index, const tenon_value **value) {
  if (tenon_status status = checkOutput(session, index))
    return status;
  if (!value)
    return nullArgument("value");
  *value = nullptr;
  if (!session->ran)
    return fail(TENON_ERROR_ARGUMENT, "there are no outputs: the session has not run, or its last run failed");
  *value = &session->outputValues[size_t(index)];
  return TENON_OK;
}

tenon_status tenon_session_arena_bytes(tenon_session *session, int64_t *bytes) {
  if (!session || !bytes)
    return nullArgument(session ? "bytes" : "session");
  if (tenon_status status = session->prepare())
    return status;
  const Plan &plan = *session->segments[0].current;
  *bytes = plan.arenaBytes;
  for (size_t d = 0; d < session->devices.size(); ++d)
    *bytes += plan.deviceBytes[d];
  return TENON_OK;
}

int64_t tenon_session_memory_bytes(const tenon_session *session) { return session ? session->account.held : 0; }

int32_t tenon_session_profile_count(const tenon_session *session) {
  return session && session->profiling ? int32_t(session->profile.size()) : 0;
}

tenon_status tenon_session_profile(const tenon_session *session, int32_t index, tenon_profile_entry *entry) {
  if (!session || !entry)
    return nullArgument(session ? "entry" : "session");
  if (index < 0 || index >= tenon_session_profile_count(session))
    return fail(TENON_ERROR_ARGUMENT, "launch %d is not in the profile", index);
  const MetadataView &meta = session->model->metadata;
  const LaunchRecord &r = meta.table<LaunchRecord>(Table::Launches)[uint32_t(index)];
  *entry = {session->model->string(meta.table<KernelRecord>(Table::Kernels)[r.kernel].name),
            session->model->string(r.nodes), session->profile[size_t(index)].count,
            session->profile[size_t(index)].nanoseconds, session->profile[size_t(index)].fastest};
  return TENON_OK;
}

tenon_status tenon_session_profile_copies(const tenon_session *session, tenon_copy_profile *copies) {
  if (!session || !copies)
    return nullArgument(session ? "copies" : "session");
  if (!session->profiling)
    return fail(TENON_ERROR_ARGUMENT, "the session was created without a profile");
  *copies = session->copies;
  return TENON_OK;
}

//===- Session.h - What one run needs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_RUNTIME_SESSION_H
#define TENON_LIB_RUNTIME_SESSION_H

#include "Devices.h"
#include "Memory.h"
#include "Model.h"
#include "ThreadPool.h"
#include "Values.h"

namespace tenon::runtime {

/// An input or output of a session: the caller's binding, or a buffer of the session's own.
struct Slot {
  bool bound;
  int64_t *shape, *strides; ///< [rank]: as bound, contiguous strides filled in; for outputs those of the run
  int64_t *boundShape;      ///< outputs: the shape that was bound
  bool hasStrides;
  void *data;
  int64_t capacity; ///< bytes at `data`, or 0: just what the bound shape needs
};

/// A segment's sizes for one set of symbols.
struct Plan {
  int64_t *symbols = nullptr, *slots = nullptr, *offsets = nullptr; ///< one allocation, at `symbols`
  int64_t arenaBytes = 0;
  int64_t *deviceBytes = nullptr; ///< [device], of their arenas; in the same allocation
  uint64_t lastUse = 0;
  int32_t code = 0; ///< of plan_i: the error is cached, too
  int64_t bytes = 0;
  ~Plan() { free(symbols); }
};

/// What a launch needs to know: the numbers of Artifact/LaunchPlan.h, and the code of `count` grids, at least one.
struct LaunchPlan {
  uint32_t count;
  const int64_t *numbers;
  const tenon_kernel *grids;
  int64_t workgroupBytes() const { return numbers[1]; }
  int64_t launchBytes() const { return numbers[2]; }
  int64_t workers() const { return numbers[3]; }
  const int64_t *units() const { return numbers + artifact::kPlanHead; }
};

/// A place in the host program that launches a kernel: its last plan, if it has few grids and follows from few numbers.
/// Mostly the same numbers come again.
struct LaunchSite {
  static constexpr uint32_t mostInputs = 6, mostGrids = 2;
  LaunchPlan plan; ///< of no grids: there is none
  uint32_t firstBinding;
  uint32_t symbolCount, strideCount; ///< numbers that the plan follows from: none where it is always the same
  int64_t inputs[mostInputs];        ///< symbols, then strides
  int64_t numbers[artifact::kPlanHead + mostGrids];

  bool isFor(const int64_t *symbols, const int64_t *strides) const {
    const int64_t *input = inputs;
    for (uint32_t i = 0; i < symbolCount; ++i)
      if (*input++ != symbols[i])
        return false;
    for (uint32_t i = 0; i < strideCount; ++i)
      if (*input++ != strides[i])
        return false;
    return true;
  }
};

inline constexpr uint32_t kPlansPerSegment = 16;

struct SegmentState {
  Plan plans[kPlansPerSegment];
  Plan *current = nullptr;
  Buffer arena;
};

} // namespace tenon::runtime

/// A session. The context comes first: compiled code gets a pointer to it.
struct tenon_session {
  tenon_context context = {};
  tenon_model *model = nullptr;
  tenon::runtime::Account account; ///< before all that is charged to it
  ~tenon_session();

  tenon_status create(const tenon_options &options);
  tenon_status findFunctions(const tenon_options &options);
  tenon_status openDevices(const tenon_options &options);
  /// After an error: nothing is under way any more in buffers that the caller may take back.
  void drainDevices();
  /// Calls a method of each of the session's own.
  void eachBuffer(void (tenon::runtime::Buffer::*visit)());
  /// Gives back what the run that is under way, or was the last, hasn't asked for. Whether there was anything.
  bool giveBack();
  /// Makes room by `request`, which is asked again as long as something was given back.
  template <typename F> bool hold(F request) {
    while (!request())
      if (!giveBack())
        return false;
    return true;
  }
  /// After a request for memory that failed, of `bytes` for what `format` says.
  [[gnu::format(printf, 3, 4), gnu::cold]] tenon_status noMemory(int64_t bytes, const char *format, ...);
  tenon_status trim();
  tenon_status bind(bool output, uint32_t index, const tenon_value *value);
  tenon_status bindHeld(bool output, uint32_t index, const tenon_value *value);
  /// Values of the symbols from what is bound; checks that they agree.
  tenon_status bindSymbols();
  tenon_status checkOverlaps();
  /// bindSymbols and the plan of segment 0.
  tenon_status prepare();
  tenon_status run();
  tenon_status runOnce();
  void startRun();
  void endRun();
  /// Output's sizes from the plans so far; false when one is unknown (then a bound, or -1).
  bool outputShape(uint32_t index, int64_t *shape) const;
  /// Turns the recorded error into text.
  tenon_status report(int32_t code);

  /// Others than the caller help where they are worth it, as `ThreadPool::run` says.
  void parallel(tenon_parallel_body body, void *arg, int64_t count, int64_t worth);
  /// Whether a piece of the run is to be skipped, because the run was cancelled. On the run's thread it polls.
  bool isEnding() {
    if (poll && pthread_self() == runThread)
      pollNowAndThen();
    return isCancelled.load(std::memory_order_relaxed);
  }
  /// Ends the run where it was cancelled: 0, or what the host program returns.
  int32_t checkCancelled() { return isCancelled.load(std::memory_order_relaxed) ? abort(TENON_ERROR_CANCELLED) : 0; }
  void pollNowAndThen();

  static tenon_session *of(tenon_context *ctx) { return reinterpret_cast<tenon_session *>(ctx); }

  // The functions of the context's table, in HostProgram.cpp.
  int32_t plan(uint32_t segment, const int64_t *symbols);
  int32_t reserve(uint32_t segment);
  int32_t reserveOutput(uint32_t index);
  int32_t grow(uint32_t number, int64_t bytes);
  void exchange(uint32_t first, uint32_t second);
  int32_t launch(uint32_t launch, void *const *buffers, const int64_t *strides, const int64_t *symbols);
  /// A launch's plan, in `numbers` or in its site; one of no grids, after saying so, when the code does not fit the
  /// metadata.
  [[gnu::cold]] tenon::runtime::LaunchPlan planLaunch(uint32_t launch, const int64_t *strides, const int64_t *symbols,
                                                      int64_t *numbers);
  [[gnu::noinline]] int32_t reserveScratch(const tenon::runtime::LaunchPlan &plan, tenon_kernel_args &args);
  /// The first error of a launch's workers.
  [[gnu::cold]] int32_t reportLaunch(uint32_t launch);
  int32_t copy(void *dst, const int64_t *dstStrides, const void *src, const int64_t *srcStrides, const int64_t *sizes,
               int64_t rank, int64_t elemBytes);
  int32_t check(int32_t launch, int32_t code, int64_t value, int64_t limit);
  int32_t callExternal(uint32_t external, const tenon_value *const *inputs, int32_t inputCount,
                       tenon_value *const *outputs, int32_t outputCount);
  int32_t deviceLaunch(uint32_t device, const tenon_device_launch &launch, const tenon_device_order &order);
  int32_t deviceCopy(uint32_t device, const tenon_device_copy &copy, const tenon_device_order &order);
  int32_t await(uint32_t device, const int32_t *tokens, int32_t count);
  /// Ends the run with a status whose text is already set.
  int32_t abort(tenon_status status);

  static int64_t nanoseconds();
  struct Profile {
    int64_t count, nanoseconds, fastest;
    void add(int64_t elapsed) {
      if (count++ == 0 || elapsed < fastest)
        fastest = elapsed;
      nanoseconds += elapsed;
    }
  };

  void *arrays = nullptr; ///< what all spans lie in
  tenon::runtime::Span<tenon::runtime::Slot> inputs, outputs;
  tenon::runtime::Span<int64_t> shapeMemory;
  tenon::runtime::Span<tenon_value> outputValues;
  tenon::runtime::Span<tenon::runtime::Buffer> outputBuffers, growingBuffers;
  tenon::runtime::Span<tenon::runtime::SegmentState> segments;
  tenon::runtime::Span<int64_t> symbols, values;
  tenon::runtime::Span<void *> inputData, outputData, arenas, growing;
  tenon::runtime::Span<const int64_t *> inputStrides, outputStrides, inputSizes, slots, offsets;
  tenon::runtime::Span<tenon_host_entry> externals;
  /// Values that are no plain buffers: one place per input and per output, used by those of strings, sequences and
  /// optionals, then the program's own.
  tenon::runtime::Span<tenon::runtime::HeldSlot> held;
  tenon::runtime::Span<tenon_value *> heldValues;
  tenon::runtime::Span<tenon::runtime::SessionDevice> devices;
  tenon::runtime::Span<void *> deviceConstants, deviceArenas;
  tenon::runtime::Span<Profile> profile;
  tenon_copy_profile copies = {};
  bool profiling = false, ran = false;
  bool broken = false; ///< a device may be at work still

  tenon::runtime::ThreadPool *pool = nullptr; ///< null: loops are run by the caller
  bool isPoolKnown = false;                   ///< to have its threads in this process, as far as this run goes
  int32_t threads = 1;
  tenon_parallel_for parallelFor = nullptr;
  void *parallelForUser = nullptr;
  tenon::runtime::Buffer scratch;
  tenon::runtime::Span<tenon_error_slot> errorSlots; ///< per worker
  tenon::runtime::Span<tenon::runtime::LaunchSite> launchSites;
  tenon_error_slot error = {};
  tenon_status aborted = TENON_OK;
  uint64_t clock = 0, clockAtStart = 0; ///< uses of plans, in all and before the run
  uint32_t runs = 0;
  /// Set from anywhere, and cleared by the run that ends with it.
  std::atomic<bool> isCancelled{false};
  int32_t (*poll)(void *user) = nullptr;
  void *pollUser = nullptr;
  pthread_t runThread = {};
  int64_t nextPoll = 0;           ///< nanoseconds
  uint32_t pieces = 0, steps = 0; ///< of the run: pieces that its thread began, and steps of loops
  static_assert(std::atomic<bool>::is_always_lock_free, "signal handlers set it");
};

extern const tenon_host_functions kHostFunctions;

#endif

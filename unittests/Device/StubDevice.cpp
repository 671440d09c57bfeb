//===- StubDevice.cpp - A device that is hard to please, for tests ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Runs the CPU's code of kernels on a thread of its own, in memory of its own that nobody else can touch. It
// starts nothing before somebody waits, and then always what was asked for last among all that may start: a
// token too few shows in every run. Or, when a test asks for it, it starts at once and at random, and takes its time.
// It also fails when it is told to, and counts what it does.
//
//===----------------------------------------------------------------------===//

#include "tenon/Runtime/tenon_device.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <sys/mman.h>
#include <thread>
#include <utility>
#include <vector>

namespace {
constexpr int64_t pageSize = 4096;

/// All memory of the device: open to access only while the device works.
class Memory {
public:
  void *allocate(int64_t bytes) {
    int64_t pages = (bytes + pageSize - 1) / pageSize;
    // A page on either side stays closed for good.
    auto *base = static_cast<char *>(
        mmap(nullptr, size_t((pages + 2) * pageSize), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base == MAP_FAILED)
      return nullptr;
    std::lock_guard lock(mutex);
    char *first = base + pageSize;
    mprotect(first, size_t(pages * pageSize), PROT_READ | PROT_WRITE);
    std::memset(first, 0xa5, size_t(pages * pageSize));
    if (users == 0)
      mprotect(first, size_t(pages * pageSize), PROT_NONE);
    blocks[first] = pages * pageSize;
    return first;
  }
  void release(void *memory) {
    std::lock_guard lock(mutex);
    auto it = blocks.find(static_cast<char *>(memory));
    munmap(it->first - pageSize, size_t(it->second + 2 * pageSize));
    blocks.erase(it);
  }
  bool holds(const void *address) {
    std::lock_guard lock(mutex);
    auto *byte = static_cast<char *>(const_cast<void *>(address));
    auto it = blocks.upper_bound(byte);
    return it != blocks.begin() && byte <= std::prev(it)->first + std::prev(it)->second;
  }
  size_t count() {
    std::lock_guard lock(mutex);
    return blocks.size();
  }
  void open() { change(+1, PROT_READ | PROT_WRITE); }
  void close() { change(-1, PROT_NONE); }

private:
  void change(int by, int protection) {
    std::lock_guard lock(mutex);
    int before = users;
    users += by;
    if (before == 0 || users == 0)
      for (auto &[first, bytes] : blocks)
        mprotect(first, size_t(bytes), protection);
  }

  std::mutex mutex;
  std::map<char *, int64_t> blocks;
  int users = 0;
};

Memory memory;

std::atomic<uint32_t> seed{0}; ///< 0: late; else at random
std::atomic<int64_t> callsUntilFailure{-1}, failures{0}, queues{0}, launches{0};
std::atomic<int64_t> copies[3]; ///< by direction

/// Whether this call is one of those that fail.
bool fails() {
  if (callsUntilFailure < 0 || callsUntilFailure-- > 0)
    return false;
  callsUntilFailure = --failures > 0 ? 0 : -1;
  return true;
}

struct Request {
  std::vector<int32_t> after;
  int32_t token;
  bool isCopy;
  tenon_device_copy copy;
  tenon_device_launch launch;
  std::vector<void *> buffers;
  std::vector<int64_t> numbers;
  std::vector<tenon_device_grid> grids;
};

class Queue {
public:
  Queue() : isLate(seed == 0), random(seed), thread([this] { work(); }) { ++queues; }
  ~Queue() {
    tenon_error_slot ignored;
    wait(nullptr, 0, ignored);
    {
      std::lock_guard lock(mutex);
      isClosing = true;
    }
    wake.notify_all();
    thread.join();
    --queues;
  }

  void add(Request request) {
    std::lock_guard lock(mutex);
    requests.push_back(std::move(request));
    wake.notify_all();
  }

  void wait(const int32_t *tokens, int32_t count, tenon_error_slot &error) {
    std::unique_lock lock(mutex);
    wanted = tokens ? std::optional(std::vector<int32_t>(tokens, tokens + count)) : std::nullopt;
    isWaiting = true;
    wake.notify_all();
    done.wait(lock, [&] { return !isWaiting; });
    error = std::exchange(firstError, {});
  }

private:
  bool isOver(int32_t token) {
    return std::none_of(requests.begin(), requests.end(), [&](const Request &r) { return r.token == token; });
  }
  bool isSatisfied() {
    if (!wanted)
      return requests.empty();
    return std::all_of(wanted->begin(), wanted->end(), [&](int32_t token) { return isOver(token); });
  }

  bool mayStart(const Request &request) {
    return std::all_of(request.after.begin(), request.after.end(), [&](int32_t token) { return isOver(token); });
  }

  /// The youngest that may start, or any.
  size_t choose() {
    std::vector<size_t> ready;
    for (size_t i = 0; i < requests.size(); ++i)
      if (mayStart(requests[i]))
        ready.push_back(i);
    return isLate ? ready.back() : ready[random() % ready.size()];
  }

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      wake.wait(lock, [&] { return isWaiting || isClosing || (!isLate && !requests.empty()); });
      if (isClosing)
        return;
      memory.open();
      while (isLate ? !isSatisfied() : !requests.empty()) {
        size_t next = choose();
        // Others may be asked for meanwhile: they come behind it.
        Request request = requests[next];
        lock.unlock();
        if (!isLate)
          std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
        tenon_error_slot slot = run(request);
        lock.lock();
        if (slot.code != 0 && (firstError.code == 0 || slot.launch < firstError.launch))
          firstError = slot;
        requests.erase(requests.begin() + std::ptrdiff_t(next));
        if (isWaiting && isSatisfied())
          break;
      }
      memory.close();
      if (isWaiting && isSatisfied()) {
        isWaiting = false;
        done.notify_all();
      }
    }
  }

  static tenon_error_slot run(Request &request) {
    tenon_error_slot slot = {};
    const int64_t *numbers = request.numbers.data();
    if (request.isCopy) {
      tenon_device_copy &c = request.copy;
      c.sizes = numbers;
      c.destination_strides = numbers + c.rank;
      c.source_strides = numbers + 2 * c.rank;
      copy(c, 0, static_cast<char *>(c.destination), static_cast<const char *>(c.source));
      return slot;
    }
    const tenon_device_launch &launch = request.launch;
    struct alignas(64) Line {
      char bytes[64];
    };
    auto linesOf = [](int64_t bytes) { return std::vector<Line>(size_t((bytes + 63) / 64)); };
    std::vector<Line> workgroup = linesOf(launch.workgroup_scratch_bytes), all = linesOf(launch.launch_scratch_bytes);
    tenon_kernel_args args = {
        request.buffers.data(), numbers,   numbers + launch.stride_count, workgroup.data(), 0, &slot, launch.launch,
        launch.constants,       all.data()};
    bool failed = false;
    for (const tenon_device_grid &grid : request.grids) {
      if (failed)
        break;
      for (int64_t unit = 0; unit < grid.units; ++unit)
        if (int32_t code = grid.on_cpu(&args, unit, unit + 1, 0); code != 0 && slot.code == 0)
          slot = {code, launch.launch, unit, 0, 0};
      failed = slot.code != 0;
    }
    slot.launch = launch.launch;
    return slot;
  }

  static void copy(const tenon_device_copy &c, int32_t dim, char *to, const char *from) {
    if (dim == c.rank) {
      std::memcpy(to, from, size_t(c.element_bytes));
      return;
    }
    for (int64_t i = 0; i < c.sizes[dim]; ++i)
      copy(c, dim + 1, to + i * c.destination_strides[dim] * c.element_bytes,
           from + i * c.source_strides[dim] * c.element_bytes);
  }

  std::mutex mutex;
  std::condition_variable wake, done;
  std::vector<Request> requests;
  std::optional<std::vector<int32_t>> wanted; ///< tokens, or all
  bool isLate, isWaiting = false, isClosing = false;
  std::minstd_rand random;
  tenon_error_slot firstError = {};
  std::thread thread;
};

int32_t copyOn(void *queue, const tenon_device_copy *copy, const tenon_device_order *order) {
  if (fails())
    return 1;
  bool toDevice = copy->direction != TENON_DEVICE_TO_HOST, fromDevice = copy->direction != TENON_HOST_TO_DEVICE;
  bool isEmpty = std::find(copy->sizes, copy->sizes + copy->rank, 0) != copy->sizes + copy->rank;
  if (!isEmpty && (memory.holds(copy->destination) != toDevice || memory.holds(copy->source) != fromDevice))
    return 1;
  Request request = {{order->after, order->after + order->after_count}, order->token, true, *copy, {}, {}, {}, {}};
  for (const int64_t *part : {copy->sizes, copy->destination_strides, copy->source_strides})
    request.numbers.insert(request.numbers.end(), part, part + copy->rank);
  ++copies[copy->direction];
  static_cast<Queue *>(queue)->add(std::move(request));
  return 0;
}

int32_t launchOn(void *queue, const tenon_device_launch *launch, const tenon_device_order *order) {
  if (fails())
    return 1;
  std::vector<tenon_device_grid> grids(launch->grids, launch->grids + launch->grid_count);
  bool hasUnits = std::any_of(grids.begin(), grids.end(), [](const tenon_device_grid &grid) { return grid.units > 0; });
  for (int32_t i = 0; hasUnits && i < launch->buffer_count; ++i)
    if (launch->buffers[i] && !memory.holds(launch->buffers[i]))
      return 1;
  ++launches;
  Request request = {{order->after, order->after + order->after_count},         order->token, false, {}, *launch,
                     {launch->buffers, launch->buffers + launch->buffer_count}, {},           grids};
  request.numbers.assign(launch->strides, launch->strides + launch->stride_count);
  request.numbers.insert(request.numbers.end(), launch->symbols, launch->symbols + launch->symbol_count);
  static_cast<Queue *>(queue)->add(std::move(request));
  return 0;
}

int32_t waitOn(void *queue, const int32_t *tokens, int32_t count, tenon_error_slot *error) {
  if (fails())
    return 1;
  static_cast<Queue *>(queue)->wait(tokens, count, *error);
  return 0;
}

const tenon_device stub = {
    sizeof(tenon_device),
    "stub",
    nullptr,
    [](void *, int64_t bytes) { return fails() ? nullptr : memory.allocate(bytes); },
    [](void *, void *block) { memory.release(block); },
    [](void *) -> void * { return fails() ? nullptr : new Queue; },
    [](void *, void *queue) { delete static_cast<Queue *>(queue); },
    copyOn,
    launchOn,
    waitOn,
};
} // namespace

static_assert(std::string_view(TENON_DEVICE_ENTRY) == "tenon_device_entry");
extern "C" {
#define EXPORT __attribute__((visibility("default")))
EXPORT const tenon_device *tenon_device_entry() { return &stub; }

// For tests.
/// How queues that are opened from now on choose: 0 late, else at random.
EXPORT void stub_choose(uint32_t newSeed) { seed = newSeed; }
/// Lets `count` calls fail, after `calls` that don't.
EXPORT void stub_fail(int64_t calls, int64_t count) {
  failures = count;
  callsUntilFailure = calls;
}
/// Queues and blocks of memory that there are; launches and copies (within, to, from the device) so far.
EXPORT void stub_count(int64_t counts[6]) {
  int64_t now[] = {queues, int64_t(memory.count()), launches, copies[0], copies[1], copies[2]};
  std::copy(now, now + 6, counts);
}
}

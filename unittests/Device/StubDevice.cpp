//===- StubDevice.cpp - A device that is hard to please, for tests ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Runs the CPU's code of kernels on a thread of its own, in memory of its own that nobody else can touch. It
// starts nothing before somebody waits, and then always what was asked for last among all that may start: a
// token too few shows in every run.
//
//===----------------------------------------------------------------------===//

#include "tenon/Runtime/tenon_device.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
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

struct Request {
  std::vector<int32_t> after;
  int32_t token;
  bool isCopy;
  tenon_device_copy copy;
  tenon_device_launch launch;
  std::vector<void *> buffers;
  std::vector<int64_t> numbers;
};

class Queue {
public:
  Queue() : thread([this] { work(); }) {}
  ~Queue() {
    tenon_error_slot ignored;
    wait(nullptr, 0, ignored);
    {
      std::lock_guard lock(mutex);
      isClosing = true;
    }
    wake.notify_all();
    thread.join();
  }

  void add(Request request) {
    std::lock_guard lock(mutex);
    requests.push_back(std::move(request));
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

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      wake.wait(lock, [&] { return isWaiting || isClosing; });
      if (isClosing)
        return;
      memory.open();
      while (!isSatisfied()) {
        // The youngest that may start.
        auto it = std::find_if(requests.rbegin(), requests.rend(), [&](const Request &r) {
          return std::all_of(r.after.begin(), r.after.end(), [&](int32_t token) { return isOver(token); });
        });
        run(*it);
        requests.erase(std::next(it).base());
      }
      memory.close();
      isWaiting = false;
      done.notify_all();
    }
  }

  void run(Request &request) {
    if (request.isCopy)
      return copy(request.copy, 0, static_cast<char *>(request.copy.destination),
                  static_cast<const char *>(request.copy.source));
    const tenon_device_launch &launch = request.launch;
    tenon_error_slot slot = {};
    tenon_kernel_args args = {request.buffers.data(),
                              request.numbers.data(),
                              request.numbers.data() + launch.stride_count,
                              nullptr,
                              0,
                              &slot,
                              launch.launch};
    for (int64_t begin = 0; begin < launch.work; begin += launch.grain)
      launch.on_cpu(&args, begin, std::min(begin + launch.grain, launch.work), 0);
    slot.launch = launch.launch;
    if (slot.code != 0 && (firstError.code == 0 || slot.launch < firstError.launch))
      firstError = slot;
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
  bool isWaiting = false, isClosing = false;
  tenon_error_slot firstError = {};
  std::thread thread;
};

int32_t copyOn(void *queue, const tenon_device_copy *copy, const tenon_device_order *order) {
  bool toDevice = copy->direction != TENON_DEVICE_TO_HOST,
       fromDevice = copy->direction != TENON_HOST_TO_DEVICE;
  bool isEmpty = std::find(copy->sizes, copy->sizes + copy->rank, 0) != copy->sizes + copy->rank;
  if (!isEmpty && (memory.holds(copy->destination) != toDevice || memory.holds(copy->source) != fromDevice))
    return 1;
  Request request = {
      {order->after, order->after + order->after_count}, order->token, true, *copy, {}, {}, {}};
  for (const int64_t *part : {copy->sizes, copy->destination_strides, copy->source_strides})
    request.numbers.insert(request.numbers.end(), part, part + copy->rank);
  request.copy.sizes = request.numbers.data();
  request.copy.destination_strides = request.copy.sizes + copy->rank;
  request.copy.source_strides = request.copy.destination_strides + copy->rank;
  static_cast<Queue *>(queue)->add(std::move(request));
  return 0;
}

int32_t launchOn(void *queue, const tenon_device_launch *launch, const tenon_device_order *order) {
  for (int32_t i = 0; launch->work > 0 && i < launch->buffer_count; ++i)
    if (!memory.holds(launch->buffers[i]))
      return 1;
  Request request = {{order->after, order->after + order->after_count},
                     order->token,
                     false,
                     {},
                     *launch,
                     {launch->buffers, launch->buffers + launch->buffer_count},
                     {}};
  request.numbers.assign(launch->strides, launch->strides + launch->stride_count);
  request.numbers.insert(request.numbers.end(), launch->symbols, launch->symbols + launch->symbol_count);
  static_cast<Queue *>(queue)->add(std::move(request));
  return 0;
}

int32_t waitOn(void *queue, const int32_t *tokens, int32_t count, tenon_error_slot *error) {
  static_cast<Queue *>(queue)->wait(tokens, count, *error);
  return 0;
}

const tenon_device stub = {
    sizeof(tenon_device),
    "stub",
    nullptr,
    [](void *, int64_t bytes) { return memory.allocate(bytes); },
    [](void *, void *block) { memory.release(block); },
    [](void *) -> void * { return new Queue; },
    [](void *, void *queue) { delete static_cast<Queue *>(queue); },
    copyOn,
    launchOn,
    waitOn,
};
} // namespace

static_assert(std::string_view(TENON_DEVICE_ENTRY) == "tenon_device_entry");
extern "C" __attribute__((visibility("default"))) const tenon_device *tenon_device_entry() { return &stub; }

//===- ThreadPool.cpp
//---------------------------------------------------------------------------------------===//

#include "ThreadPool.h"

#include <limits.h>
#include <linux/futex.h>
#include <new>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

using namespace tenon::runtime;

namespace {
/// A wake-up through the kernel costs some 50 us on a virtual machine; launches follow each other faster.
constexpr int64_t kSpinNanoseconds = 50000;

void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}
void futexWake(std::atomic<uint32_t> &word, int count) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

int64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t(t.tv_sec) * 1000000000 + t.tv_nsec;
}

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Spins until `done()`, for a while; whether it became true.
template <typename Condition> bool spin(Condition done) {
  int64_t limit = 0;
  for (unsigned i = 1;; ++i) {
    if (done())
      return true;
    relax();
    if (i % 64 != 0)
      continue;
    int64_t time = now();
    if (limit == 0)
      limit = time + kSpinNanoseconds;
    else if (time > limit)
      return false;
  }
}
} // namespace

ThreadPool::~ThreadPool() {
  stopping.store(true);
  generation.fetch_add(1);
  futexWake(generation, INT_MAX);
  for (Thread &thread : threads)
    if (thread.pool)
      pthread_join(thread.handle, nullptr);
}

bool ThreadPool::start(int32_t wanted) {
  if (wanted <= 1)
    return true;
  if (!threads.allocate(size_t(wanted) - 1) || !partMemory.reserve(int64_t(sizeof(Part)) * wanted))
    return false;
  parts = static_cast<Part *>(partMemory.data());
  for (int32_t i = 0; i < wanted; ++i)
    new (&parts[i]) Part{0};
  workers = wanted;
  // Without a thread its part of each loop goes to the others.
  for (int32_t i = 1; i < wanted; ++i) {
    Thread &thread = threads[i - 1];
    thread = {this, {}, i};
    if (pthread_create(&thread.handle, nullptr, main, &thread) != 0)
      thread.pool = nullptr;
  }
  return true;
}

void *ThreadPool::main(void *argument) {
  Thread &thread = *static_cast<Thread *>(argument);
  ThreadPool &pool = *thread.pool;
  uint32_t seen = 0;
  for (;;) {
    pool.waitForLoop(seen);
    if (pool.stopping.load())
      return nullptr;
    pool.work(thread.worker, seen);
  }
}

void ThreadPool::waitForLoop(uint32_t &seen) {
  if (!spin([&] { return generation.load(std::memory_order_acquire) != seen; })) {
    sleeping.fetch_add(1);
    while (generation.load() == seen)
      futexWait(generation, seen);
    sleeping.fetch_sub(1);
  }
  seen = generation.load(std::memory_order_acquire);
}

void ThreadPool::work(int32_t worker, uint32_t loop) {
  for (int32_t i = 0; i < workers; ++i) {
    int32_t part = worker + i < workers ? worker + i : worker + i - workers;
    std::atomic<uint64_t> &left = parts[part].left;
    uint64_t value = left.load(std::memory_order_acquire);
    while (uint32_t(value >> 32) == loop && uint32_t(value) != 0) {
      if (!left.compare_exchange_weak(value, value - 1, std::memory_order_acq_rel))
        continue;
      body(arg, partEnd(part) - uint32_t(value), worker);
      if (pending.fetch_sub(1) == 1 && callerSleeps.load())
        futexWake(pending, 1);
      value = left.load(std::memory_order_acquire);
    }
  }
}

void ThreadPool::run(tenon_parallel_body newBody, void *newArg, int64_t newCount) {
  if (workers == 1 || newCount <= 1) {
    for (int64_t i = 0; i < newCount; ++i)
      newBody(newArg, i, 0);
    return;
  }
  body = newBody;
  arg = newArg;
  count = newCount;
  pending.store(uint32_t(count), std::memory_order_relaxed);
  uint32_t loop = generation.load(std::memory_order_relaxed) + 1;
  for (int32_t i = 0; i < workers; ++i)
    parts[i].left.store(uint64_t(loop) << 32 | uint64_t(partEnd(i) - i * count / workers),
                        std::memory_order_release);
  generation.store(loop);
  if (sleeping.load() != 0)
    futexWake(generation, count < workers ? int(count - 1) : INT_MAX);
  work(0, loop);
  if (spin([&] { return pending.load(std::memory_order_acquire) == 0; }))
    return;
  callerSleeps.store(true);
  while (uint32_t left = pending.load())
    futexWait(pending, left);
  callerSleeps.store(false);
}

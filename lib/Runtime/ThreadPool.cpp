//===- ThreadPool.cpp - The threads that sessions share ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ThreadPool.h"

#include <algorithm>
#include <limits.h>
#include <linux/futex.h>
#include <new>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

using namespace tenon::runtime;

namespace {
/// A wake-up through the kernel costs some 50 us on a virtual machine; launches follow each other faster.
constexpr int64_t kSpinNanoseconds = 50000;
/// So it is worth as many loops that take as long as threads that are awake take to join one.
constexpr int64_t kWorthOfWaking = 64;

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

/// Guards the list of pools. Its holder is a process, not a thread: one that was forked off while a thread of its
/// parent held it finds it open.
std::atomic<pid_t> lockHolder{0};
ThreadPool *firstPool = nullptr;

struct Lock {
  Lock() {
    pid_t self = getpid();
    for (;; sched_yield()) {
      pid_t holder = lockHolder.load();
      if (holder != self && lockHolder.compare_exchange_strong(holder, self))
        return;
    }
  }
  ~Lock() { lockHolder.store(0); }
};

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

//===--------------------------------------------------------------------------------------------------------===//
// Who shares a pool
//===--------------------------------------------------------------------------------------------------------===//

ThreadPool *ThreadPool::acquire(int32_t threads) {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
    CPU_ZERO(&cpus);
  Lock lock;
  for (ThreadPool *pool = firstPool; pool; pool = pool->next)
    if (pool->workers == threads && pool->hasThreadsHere() && CPU_EQUAL(&pool->cpus, &cpus)) {
      ++pool->references;
      return pool;
    }
  void *memory = aligned_alloc(alignof(ThreadPool), sizeof(ThreadPool));
  if (!memory)
    return nullptr;
  ThreadPool *pool = new (memory) ThreadPool;
  pool->cpus = cpus;
  pool->process = getpid();
  if (!pool->start(threads)) {
    pool->~ThreadPool();
    free(pool);
    return nullptr;
  }
  pool->next = firstPool;
  firstPool = pool;
  return pool;
}

void ThreadPool::release(ThreadPool *pool) {
  // What is left of a parent's pool can't be ended: its threads aren't here.
  if (!pool || !pool->hasThreadsHere())
    return;
  {
    Lock lock;
    if (--pool->references != 0)
      return;
    ThreadPool **link = &firstPool;
    while (*link != pool)
      link = &(*link)->next;
    *link = pool->next;
  }
  pool->~ThreadPool();
  free(pool);
}

bool ThreadPool::hasThreadsHere() const { return process == getpid(); }

//===--------------------------------------------------------------------------------------------------------===//
// Threads
//===--------------------------------------------------------------------------------------------------------===//

ThreadPool::~ThreadPool() {
  stopping.store(true);
  loopsStarted.fetch_add(1);
  futexWake(loopsStarted, INT_MAX);
  for (Thread &thread : threads)
    if (thread.pool)
      pthread_join(thread.handle, nullptr);
}

bool ThreadPool::start(int32_t wanted) {
  if (wanted <= 1)
    return true;
  if (!threads.allocate(size_t(wanted) - 1) || !partMemory.reserve(int64_t(sizeof(Part)) * wanted * kLoops))
    return false;
  auto *parts = static_cast<Part *>(partMemory.data());
  for (int32_t i = 0; i < wanted * kLoops; ++i)
    new (&parts[i]) Part{0};
  for (int32_t i = 0; i < kLoops; ++i)
    loops[i].parts = parts + i * wanted;
  workers = wanted;
  // The application's signals are for its own threads; those that a thread itself causes, and a profiler's, come here.
  sigset_t mask, before;
  sigfillset(&mask);
  for (int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF})
    sigdelset(&mask, own);
  pthread_sigmask(SIG_SETMASK, &mask, &before);
  // Without a thread its part of each loop goes to the others.
  for (int32_t i = 1; i < wanted; ++i) {
    Thread &thread = threads[i - 1];
    thread = {this, {}, i};
    if (pthread_create(&thread.handle, nullptr, main, &thread) != 0)
      thread.pool = nullptr;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return true;
}

void *ThreadPool::main(void *argument) {
  Thread &thread = *static_cast<Thread *>(argument);
  ThreadPool &pool = *thread.pool;
  for (;;) {
    uint32_t seen = pool.loopsStarted.load(std::memory_order_acquire);
    if (pool.stopping.load())
      return nullptr;
    bool worked = false;
    int32_t places = pool.placesUsed.load(std::memory_order_acquire);
    for (int32_t i = 0; i < places; ++i) {
      // Workers begin with different ones, where there are several.
      Loop &loop = pool.loops[(thread.worker + i) % places];
      if (loop.pending.load(std::memory_order_relaxed) != 0)
        worked |= pool.work(loop, thread.worker, loop.number.load(std::memory_order_acquire));
    }
    if (!worked)
      pool.waitForLoop(seen);
  }
}

void ThreadPool::waitForLoop(uint32_t seen) {
  if (spin([&] { return loopsStarted.load(std::memory_order_acquire) != seen; }))
    return;
  sleeping.fetch_add(1);
  while (loopsStarted.load() == seen)
    futexWait(loopsStarted, seen);
  sleeping.fetch_sub(1);
}

//===--------------------------------------------------------------------------------------------------------===//
// Loops
//===--------------------------------------------------------------------------------------------------------===//

/// Does iterations of the loop as long as there are any; whether there were.
bool ThreadPool::work(Loop &loop, int32_t worker, uint32_t number) {
  bool worked = false;
  for (int32_t i = 0; i < workers; ++i) {
    int32_t part = worker + i < workers ? worker + i : worker + i - workers;
    std::atomic<uint64_t> &left = loop.parts[part].left;
    uint64_t value = left.load(std::memory_order_acquire);
    while (uint32_t(value >> 32) == number && uint32_t(value) != 0) {
      if (!left.compare_exchange_weak(value, value - 1, std::memory_order_acq_rel))
        continue;
      worked = true;
      loop.body(loop.arg, partEnd(loop, part) - uint32_t(value), worker);
      if (loop.pending.fetch_sub(1) == 1 && loop.callerSleeps.load())
        futexWake(loop.pending, 1);
      value = left.load(std::memory_order_acquire);
    }
  }
  return worked;
}

/// A place for a loop, or null when all are taken.
ThreadPool::Loop *ThreadPool::take() {
  for (int32_t i = 0; i < kLoops; ++i) {
    if (loops[i].taken.load(std::memory_order_relaxed) || loops[i].taken.exchange(true, std::memory_order_acquire))
      continue;
    int32_t used = placesUsed.load();
    while (used <= i && !placesUsed.compare_exchange_weak(used, i + 1)) {
    }
    return &loops[i];
  }
  return nullptr;
}

/// Where all threads sleep loops are done alone until together they would have paid for waking them: so what follows
/// pays at most as much again, however long or short the loops are.
bool ThreadPool::paysFor(int64_t worth) {
  if (worth <= 1)
    return false;
  if (sleeping.load(std::memory_order_relaxed) < workers - 1)
    return true;
  int64_t all = worth < kWorthOfWaking ? missed.load(std::memory_order_relaxed) + worth : kWorthOfWaking;
  missed.store(all < kWorthOfWaking ? all : 0, std::memory_order_relaxed);
  return all >= kWorthOfWaking;
}

void ThreadPool::run(tenon_parallel_body body, void *arg, int64_t count, int64_t worth) {
  Loop *loop = workers > 1 && count > 1 && paysFor(worth) ? take() : nullptr;
  if (!loop) {
    for (int64_t i = 0; i < count; ++i)
      body(arg, i, 0);
    return;
  }
  loop->body = body;
  loop->arg = arg;
  loop->count = count;
  loop->pending.store(uint32_t(count), std::memory_order_relaxed);
  uint32_t number = loop->number.load(std::memory_order_relaxed) + 1;
  for (int32_t i = 0; i < workers; ++i)
    loop->parts[i].left.store(uint64_t(number) << 32 | uint64_t(partEnd(*loop, i) - i * count / workers),
                              std::memory_order_release);
  loop->number.store(number);
  loopsStarted.fetch_add(1);
  if (sleeping.load() != 0)
    futexWake(loopsStarted, int(std::min<int64_t>({count, worth, workers}) - 1));
  work(*loop, 0, number);
  if (!spin([&] { return loop->pending.load(std::memory_order_acquire) == 0; })) {
    loop->callerSleeps.store(true);
    while (uint32_t left = loop->pending.load())
      futexWait(loop->pending, left);
    loop->callerSleeps.store(false);
  }
  loop->taken.store(false, std::memory_order_release);
}

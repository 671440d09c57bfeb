//===- ThreadPool.h - The threads that sessions share ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A pool runs loops, the calling thread among its workers. Sessions that ask for the same number of threads on the same
// CPUs share one pool, so a process with hundreds of models has the threads of one. Loops of several sessions may run
// at a time: each caller works on its own loop, and the pool's threads go from one to the next; where there are more
// loops than the pool has places for, a caller does its loop alone. Within a loop each worker starts in its own part of
// the range, so that successive loops over the same data find it in the same cache, and takes from the others when it
// is done. What is computed never depends on who computes it.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TENON_LIB_RUNTIME_THREADPOOL_H
#define TENON_LIB_RUNTIME_THREADPOOL_H

#include "Memory.h"
#include "tenon/Runtime/tenon_kernel.h"

#include <atomic>
#include <pthread.h>
#include <sched.h>
#include <sys/types.h>

namespace tenon::runtime {

class ThreadPool {
public:
  /// The pool of `threads` workers, the caller of a loop included, on the CPUs that the calling thread may use. It has
  /// fewer threads where the system gives no more. Null when out of memory.
  static ThreadPool *acquire(int32_t threads);
  /// The last one that lets go ends the threads. Null is fine.
  static void release(ThreadPool *pool);

  /// False in a process that was forked off: the threads stayed behind, callers do their loops alone.
  bool hasThreadsHere() const;
  /// body(arg, i, worker) for i in [0, count), count below 2^31, worker below `threads`. From any number of threads at
  /// a time, not from within a body. The loop takes `worth` times as long as threads take to join it when they are
  /// awake: where that isn't longer than it, the caller does it alone.
  void run(tenon_parallel_body body, void *arg, int64_t count, int64_t worth);

private:
  /// The part of a loop that starts with one worker: number of the loop << 32 | iterations that nobody took yet. An
  /// iteration is taken by a compare-and-swap on both, so a late thread can't take one of a loop that it doesn't know;
  /// and while one is taken, the loop can't end, so its body stays valid.
  struct alignas(64) Part {
    std::atomic<uint64_t> left;
  };
  /// A place for a loop; numbers count the loops that were in it.
  struct alignas(64) Loop {
    std::atomic<bool> taken{false};
    std::atomic<uint32_t> number{0};
    tenon_parallel_body body = nullptr;
    void *arg = nullptr;
    int64_t count = 0;
    Part *parts = nullptr;
    alignas(64) std::atomic<uint32_t> pending{0}; ///< iterations that have not ended
    std::atomic<bool> callerSleeps{false};
  };
  struct Thread {
    ThreadPool *pool;
    pthread_t handle;
    int32_t worker;
  };
  static constexpr int32_t kLoops = 16;

  ThreadPool() = default;
  ~ThreadPool();
  bool start(int32_t threads);
  static void *main(void *thread);
  void waitForLoop(uint32_t seen);
  bool paysFor(int64_t worth);
  Loop *take();
  bool work(Loop &loop, int32_t worker, uint32_t number);
  int64_t partEnd(const Loop &loop, int32_t part) const { return (part + 1) * loop.count / workers; }

  // Who shares it; guarded by the lock of all pools.
  ThreadPool *next = nullptr;
  int32_t references = 1;
  cpu_set_t cpus = {};
  pid_t process = 0;

  int32_t workers = 1;
  Array<Thread> threads;
  Buffer partMemory;
  Loop loops[kLoops];
  std::atomic<int32_t> placesUsed{0}; ///< the first ones, by any loop so far
  alignas(64) std::atomic<uint32_t> loopsStarted{0};
  std::atomic<int32_t> sleeping{0};
  std::atomic<bool> stopping{false};
  std::atomic<int64_t> missed{0}; ///< worth of loops that were done alone since all sleep
};

} // namespace tenon::runtime

#endif

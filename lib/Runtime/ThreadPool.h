//===- ThreadPool.h - the threads of a session
//--------------------------------------------------------------===//
//
// Runs a loop on a fixed set of threads, the caller among them. Each worker starts in its own part of the
// range, so that successive loops over the same data find it in the same cache, and takes from the others
// when it is done.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TENON_LIB_RUNTIME_THREADPOOL_H
#define TENON_LIB_RUNTIME_THREADPOOL_H

#include "Memory.h"
#include "tenon/Runtime/tenon_kernel.h"

#include <atomic>
#include <pthread.h>

namespace tenon::runtime {

class ThreadPool {
public:
  ThreadPool() = default;
  ~ThreadPool();

  /// Starts `threads` - 1 threads; with fewer than that the pool works, too. False when out of memory.
  bool start(int32_t threads);
  int32_t threadCount() const { return workers; }
  /// body(arg, i, worker) for i in [0, count), count below 2^31. One caller at a time.
  void run(tenon_parallel_body body, void *arg, int64_t count);

private:
  /// The part of the loop that starts with one worker: generation of the loop << 32 | iterations that nobody
  /// took yet. An iteration is taken by a compare-and-swap on both, so a late thread can't take one of a loop
  /// that it doesn't know; and while one is taken, the loop can't end, so its body stays valid.
  struct alignas(64) Part {
    std::atomic<uint64_t> left;
  };
  struct Thread {
    ThreadPool *pool;
    pthread_t handle;
    int32_t worker;
  };

  static void *main(void *thread);
  void waitForLoop(uint32_t &seen);
  void work(int32_t worker, uint32_t loop);
  int64_t partEnd(int32_t part) const { return (part + 1) * count / workers; }

  int32_t workers = 1;
  Array<Thread> threads;
  Buffer partMemory;
  Part *parts = nullptr;
  tenon_parallel_body body = nullptr;
  void *arg = nullptr;
  int64_t count = 0;
  alignas(64) std::atomic<uint32_t> generation{0};
  std::atomic<int32_t> sleeping{0};
  std::atomic<bool> stopping{false};
  alignas(64) std::atomic<uint32_t> pending{0};
  std::atomic<bool> callerSleeps{false};
};

} // namespace tenon::runtime

#endif

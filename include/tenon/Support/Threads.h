//===- Threads.h - Threads that may not start ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A process may have no more threads than its limits allow (ulimit -u, the pids of a container). Those of C++ and LLVM
// end the process where one can't start.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_SUPPORT_THREADS_H
#define TENON_SUPPORT_THREADS_H

#include <functional>
#include <optional>
#include <pthread.h>

namespace tenon {

/// How many threads can run beside this one now, `wanted` at most: that many are started and end.
unsigned countStartableThreads(unsigned wanted);

/// A thread, which is waited for at the latest when it is destroyed.
class Thread {
public:
  Thread() = default;
  Thread(const Thread &) = delete;
  ~Thread() { join(); }
  /// False, with errno set, where it can't start.
  bool start(std::function<void()> run);
  void join();

private:
  std::function<void()> run;
  std::optional<pthread_t> handle;
};

} // namespace tenon

#endif // TENON_SUPPORT_THREADS_H

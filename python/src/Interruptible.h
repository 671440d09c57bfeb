//===- Interruptible.h - Work that Ctrl-C ends ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_PYTHON_INTERRUPTIBLE_H
#define TENON_PYTHON_INTERRUPTIBLE_H

#include "Gil.h"

#include <nanobind/nanobind.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <sys/syscall.h>
#include <system_error>
#include <thread>

namespace tenon::python {

/// Whether this is the thread that Python runs signal handlers on.
inline bool isMainThread() { return getpid() == syscall(SYS_gettid); }

/// Calls `work->run()` without Python's lock. On the main thread signal handlers go on running, some 20 times a second:
/// when one raises, as that of Ctrl-C does, `work->cancel()` is called and the exception thrown. The work is then left
/// to itself, so it owns all that it uses; it's destroyed with the lock held. Where no thread can start for it, it
/// can't be interrupted.
///
/// No thread is left behind by work that ends: a process that is forked off while another thread registers with Python
/// may wait forever for what that thread held.
template <typename Work> void runInterruptibly(std::shared_ptr<Work> work) {
  if (!isMainThread())
    return withoutGil([&] { work->run(); });
  struct End {
    std::mutex mutex;
    std::condition_variable came;
    bool isHere = false;
    bool isAwaited = true;
  };
  auto end = std::make_shared<End>();
  auto runAndTell = [work, end]() mutable {
    work->run();
    bool isAwaited;
    {
      std::lock_guard lock(end->mutex);
      end->isHere = true;
      isAwaited = end->isAwaited;
    }
    end->came.notify_one();
    if (isAwaited)
      return;
    HeldGil gil;
    work.reset();
  };
  std::thread thread;
  try {
    thread = std::thread(runAndTell);
  } catch (const std::system_error &) {
    return withoutGil([&] { work->run(); });
  }
  auto isOver = [&] {
    std::unique_lock lock(end->mutex);
    return end->came.wait_for(lock, std::chrono::milliseconds(50), [&] { return end->isHere; });
  };
  while (!withoutGil(isOver)) {
    if (PyErr_CheckSignals() == 0)
      continue;
    {
      std::lock_guard lock(end->mutex);
      end->isAwaited = end->isHere;
    }
    if (end->isAwaited)
      break;
    thread.detach();
    work->cancel();
    throw nanobind::python_error();
  }
  thread.join();
  if (PyErr_Occurred())
    throw nanobind::python_error();
}

} // namespace tenon::python

#endif // TENON_PYTHON_INTERRUPTIBLE_H

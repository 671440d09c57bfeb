//===- Threads.cpp - Threads that may not start ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Support/Threads.h"

#include <cerrno>
#include <deque>
#include <mutex>

using namespace tenon;

bool Thread::start(std::function<void()> function) {
  run = std::move(function);
  pthread_t started;
  errno = pthread_create(
      &started, nullptr,
      [](void *thread) -> void * {
        static_cast<Thread *>(thread)->run();
        return nullptr;
      },
      this);
  if (errno != 0)
    return false;
  handle = started;
  return true;
}

void Thread::join() {
  if (handle)
    pthread_join(*handle, nullptr);
  handle.reset();
}

unsigned tenon::countStartableThreads(unsigned wanted) {
  // They wait until all have started.
  std::mutex mutex;
  std::deque<Thread> threads;
  std::lock_guard<std::mutex> lock(mutex);
  unsigned started = 0;
  while (started < wanted && threads.emplace_back().start([&] { std::lock_guard<std::mutex> wait(mutex); }))
    ++started;
  return started;
}

//===- SessionLimitsTest.cpp - Cancelling, and what sessions hold ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScaleAdd.h"

#include <csignal>
#include <fstream>
#include <sys/wait.h>
#include <thread>

using namespace tenon::test;

namespace {
/// A session whose loops call `during` before they do anything.
struct Watched {
  tenon_session *session = nullptr;
  std::function<void(tenon_session *)> during;
  int loops = 0;

  explicit Watched(tenon_model *model) {
    tenon_options options = {};
    options.size = sizeof(options);
    options.threads = 2;
    options.parallel_for_user = this;
    options.parallel_for = [](void *user, void (*body)(void *, int64_t, int32_t), void *arg, int64_t count) {
      Watched &self = *static_cast<Watched *>(user);
      ++self.loops;
      body(arg, 0, 0);
      if (self.during)
        self.during(self.session);
      for (int64_t i = 1; i < count; ++i)
        body(arg, i, 0);
    };
    EXPECT_EQ(tenon_session_create(model, &options, &session), TENON_OK) << tenon_last_error();
  }
  ~Watched() { tenon_session_destroy(session); }
};

tenon_session *signalled = nullptr;
void onSignal(int) { tenon_session_cancel(signalled); }

TEST_F(ScaleAdd, CancelEndsTheRunInProgress) {
  Model m;
  ASSERT_OK(open(&m.model));
  Watched watched(m.model);
  tenon_session *s = watched.session;
  Matrix x(1000);
  // Of what is skipped no error comes.
  x.at(900, 0) = 777;
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  watched.during = [](tenon_session *session) { tenon_session_cancel(session); };
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_CANCELLED, "the run was cancelled");
  EXPECT_EQ(watched.loops, 1) << "the second launch came all the same";
  const tenon_value *y;
  EXPECT_FAILS(tenon_session_output(s, 0, &y), TENON_ERROR_ARGUMENT, "its last run failed");

  watched.during = nullptr;
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_RUN, "index 900");
  x.at(900, 0) = 0;
  ASSERT_OK(tenon_session_run(s));
  ASSERT_OK(tenon_session_output(s, 0, &y));
  expectResult(x, y);
}

TEST_F(ScaleAdd, CancelMayComeFromASignalHandler) {
  Model m;
  ASSERT_OK(open(&m.model));
  Watched watched(m.model);
  signalled = watched.session;
  auto before = std::signal(SIGUSR1, onSignal);
  watched.during = [](tenon_session *) { raise(SIGUSR1); };
  Matrix x(100);
  ASSERT_OK(tenon_session_bind_input(watched.session, 0, &x.value));
  EXPECT_FAILS(tenon_session_run(watched.session), TENON_ERROR_CANCELLED, "cancelled");
  std::signal(SIGUSR1, before);
}

TEST_F(ScaleAdd, CancelIsNotLostBeforeARunAndEndsOnlyOne) {
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model);
  Matrix x(10);
  EXPECT_EQ(tenon_session_cancel(nullptr), TENON_ERROR_ARGUMENT);
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  ASSERT_OK(tenon_session_cancel(s));
  ASSERT_OK(tenon_session_cancel(s));
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_CANCELLED, "cancelled");
  ASSERT_OK(tenon_session_run(s));
  ASSERT_OK(tenon_session_cancel(s));
  ASSERT_OK(tenon_session_clear_cancel(s));
  ASSERT_OK(tenon_session_run(s));
  // A question is no run.
  int64_t shape[2];
  ASSERT_OK(tenon_session_cancel(s));
  ASSERT_OK(tenon_session_output_shape(s, 0, shape, 2));
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_CANCELLED, "cancelled");
}

TEST_F(ScaleAdd, CancelComesFromOtherThreads) {
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model, 3);
  Matrix x(50000);
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) {
      tenon_session_cancel(s);
      std::this_thread::yield();
    }
  });
  int cancelled = 0;
  for (int i = 0; i < 200; ++i) {
    tenon_status status = tenon_session_run(s);
    ASSERT_TRUE(status == TENON_OK || status == TENON_ERROR_CANCELLED) << tenon_last_error();
    cancelled += status == TENON_ERROR_CANCELLED;
  }
  stop = true;
  other.join();
  EXPECT_GT(cancelled, 0);
  ASSERT_OK(tenon_session_clear_cancel(s));
  ASSERT_OK(tenon_session_run(s));
  const tenon_value *y;
  ASSERT_OK(tenon_session_output(s, 0, &y));
  expectResult(x, y);
}

//===--------------------------------------------------------------------------------------------------------===//
// Memory
//===--------------------------------------------------------------------------------------------------------===//

/// Resident memory of the process in bytes.
int64_t residentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  file >> pages >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

TEST_F(ScaleAdd, PollsOnTheThreadOfTheRun) {
  struct Poll {
    std::thread::id runs = std::this_thread::get_id();
    int calls = 0, cancelAt = 0;
  } poll;
  Model m;
  ASSERT_OK(open(&m.model));
  tenon_options options = {};
  options.size = sizeof(options);
  options.threads = 2;
  options.poll_user = &poll;
  options.poll = [](void *user) {
    Poll &poll = *static_cast<Poll *>(user);
    EXPECT_EQ(std::this_thread::get_id(), poll.runs);
    return int32_t(++poll.calls == poll.cancelAt);
  };
  // Each loop takes longer than the time between two calls.
  options.parallel_for = [](void *, void (*body)(void *, int64_t, int32_t), void *arg, int64_t count) {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    std::thread([=] { body(arg, 0, 1); }).join();
    for (int64_t i = 1; i < count; ++i)
      body(arg, i, 0);
  };
  tenon_session *s;
  ASSERT_OK(tenon_session_create(m.model, &options, &s));
  Matrix x(1000);
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  ASSERT_OK(tenon_session_run(s));
  EXPECT_GE(poll.calls, 1);
  EXPECT_LE(poll.calls, 20) << "not for each piece";
  poll.cancelAt = poll.calls + 1;
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_CANCELLED, "the run was cancelled");
  ASSERT_OK(tenon_session_run(s));
  tenon_session_destroy(s);
}

TEST_F(ScaleAdd, TrimGivesBackWhatALargeRunTook) {
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model, 2);
  int64_t atFirst = tenon_session_memory_bytes(s);
  Matrix large(100000), small(3);
  ASSERT_OK(tenon_session_bind_input(s, 0, &large.value));
  int64_t before = residentBytes();
  ASSERT_OK(tenon_session_run(s));
  EXPECT_GT(tenon_session_memory_bytes(s), atFirst + 2 * 1600000);
  ASSERT_OK(tenon_session_trim(s));
  EXPECT_EQ(tenon_session_memory_bytes(s), atFirst);
  EXPECT_LT(residentBytes(), before + 1600000);
  const tenon_value *y;
  EXPECT_FAILS(tenon_session_output(s, 0, &y), TENON_ERROR_ARGUMENT, "has not run");
  ASSERT_OK(tenon_session_trim(s));
  // Bindings stay.
  ASSERT_OK(tenon_session_run(s));
  ASSERT_OK(tenon_session_output(s, 0, &y));
  expectResult(large, y);
  EXPECT_FAILS(tenon_session_trim(nullptr), TENON_ERROR_ARGUMENT, "session");
}

TEST_F(ScaleAdd, GivesBackWhatManyRunsDidNotNeed) {
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model, 2);
  Matrix large(100000), small(3);
  ASSERT_OK(tenon_session_bind_input(s, 0, &large.value));
  for (int i = 0; i < 70; ++i)
    ASSERT_OK(tenon_session_run(s));
  EXPECT_GT(tenon_session_memory_bytes(s), 2 * 1600000);
  ASSERT_OK(tenon_session_bind_input(s, 0, &small.value));
  const tenon_value *y;
  for (int i = 0; i < 130; ++i) {
    ASSERT_OK(tenon_session_run(s));
    ASSERT_OK(tenon_session_output(s, 0, &y));
    expectResult(small, y);
  }
  EXPECT_LT(tenon_session_memory_bytes(s), 2 * 1600000 / 4);
}

TEST_F(ScaleAdd, RunsThatNeedMoreThanTheLimitFailAndOthersDoNot) {
  Model m;
  ASSERT_OK(open(&m.model));
  tenon_options options = {};
  options.size = sizeof(options);
  options.threads = 2;
  auto holds = [&](int64_t rows) {
    options.memory_limit = 0;
    tenon_session *session;
    EXPECT_EQ(tenon_session_create(m.model, &options, &session), TENON_OK);
    Matrix x(rows);
    EXPECT_EQ(tenon_session_bind_input(session, 0, &x.value), TENON_OK);
    EXPECT_EQ(tenon_session_run(session), TENON_OK);
    int64_t bytes = tenon_session_memory_bytes(session);
    tenon_session_destroy(session);
    return bytes;
  };
  for (int64_t rows : {100, 3000, 50000}) {
    SCOPED_TRACE(rows);
    int64_t needed = holds(rows);
    tenon_session *s;
    options.memory_limit = needed;
    ASSERT_OK(tenon_session_create(m.model, &options, &s));
    Matrix x(rows), larger(2 * rows);
    const tenon_value *y;
    for (int round = 0; round < 3; ++round) {
      ASSERT_OK(tenon_session_bind_input(s, 0, &larger.value));
      EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_MEMORY, "of the " + std::to_string(needed) + " that it may hold");
      EXPECT_LE(tenon_session_memory_bytes(s), needed);
      ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
      ASSERT_OK(tenon_session_run(s));
      ASSERT_OK(tenon_session_output(s, 0, &y));
      expectResult(x, y);
      EXPECT_EQ(tenon_session_memory_bytes(s), needed);
    }
    tenon_session_destroy(s);
    options.memory_limit = needed - 1;
    ASSERT_OK(tenon_session_create(m.model, &options, &s));
    ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
    EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_MEMORY, "bytes: the session holds");
    tenon_session_destroy(s);
  }
}

TEST_F(ScaleAdd, LimitsThatMakeNoSenseAreRefused) {
  Model m;
  ASSERT_OK(open(&m.model));
  tenon_session *s;
  tenon_options options = {};
  options.size = sizeof(options);
  options.memory_limit = -1;
  EXPECT_FAILS(tenon_session_create(m.model, &options, &s), TENON_ERROR_ARGUMENT, "-1 bytes is negative");
  options.memory_limit = 100;
  EXPECT_FAILS(tenon_session_create(m.model, &options, &s), TENON_ERROR_MEMORY, "the session itself needs");
  EXPECT_EQ(s, nullptr);
}

TEST_F(ScaleAdd, OptionsOfAnotherSizeAreRefused) {
  Model m;
  ASSERT_OK(open(&m.model));
  struct {
    tenon_options known;
    int64_t later;
  } options = {};
  tenon_session *s;
  for (size_t size :
       {size_t(0), size_t(5), offsetof(tenon_options, profile), sizeof(tenon_options) - 1, size_t(1) << 40}) {
    options.known.size = size;
    EXPECT_FAILS(tenon_session_create(m.model, &options.known, &s), TENON_ERROR_ARGUMENT,
                 "size is " + std::to_string(size) + ", it should be");
    EXPECT_EQ(s, nullptr);
  }
  // An application made for an earlier version, and one for a later one.
  for (size_t size : {offsetof(tenon_options, memory_limit), sizeof(options)}) {
    options.known.size = size;
    ASSERT_OK(tenon_session_create(m.model, &options.known, &s));
    tenon_session_destroy(s);
  }
  options.later = 1;
  EXPECT_FAILS(tenon_session_create(m.model, &options.known, &s), TENON_ERROR_ARGUMENT, "doesn't know");
}

//===--------------------------------------------------------------------------------------------------------===//
// Threads
//===--------------------------------------------------------------------------------------------------------===//

TEST_F(ScaleAdd, SessionsShareThreads) {
  Model m;
  ASSERT_OK(open(&m.model));
  auto threads = [] {
    std::ifstream status("/proc/self/status");
    std::string word;
    int count = 0;
    while (status >> word)
      if (word == "Threads:")
        status >> count;
    return count;
  };
  int before = threads();
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < 50; ++i) {
    sessions.push_back(std::make_unique<Session>(m.model, 3));
    Matrix x(1000);
    const tenon_value *y;
    ASSERT_OK(tenon_session_bind_input(*sessions.back(), 0, &x.value));
    ASSERT_OK(tenon_session_run(*sessions.back()));
    ASSERT_OK(tenon_session_output(*sessions.back(), 0, &y));
    expectResult(x, y);
  }
  EXPECT_EQ(threads(), before + 2);
  sessions.clear();
  EXPECT_EQ(threads(), before);
}

TEST_F(ScaleAdd, SessionsRunInForkedProcesses) {
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model, 3);
  Matrix x(5000);
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  ASSERT_OK(tenon_session_run(s));
  pid_t child = fork();
  if (child == 0) {
    const tenon_value *y;
    bool right = tenon_session_run(s) == TENON_OK && tenon_session_output(s, 0, &y) == TENON_OK &&
                 static_cast<float *>(y->data)[4 * 4999] == x.at(4999, 0) * 2 + 1;
    tenon_session_destroy(s.session);
    _exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_OK(tenon_session_run(s));
}
} // namespace

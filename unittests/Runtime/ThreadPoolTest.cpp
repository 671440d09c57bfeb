//===- ThreadPoolTest.cpp - The threads that sessions share ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ThreadPool.h"

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using tenon::runtime::ThreadPool;

namespace {
struct Release {
  void operator()(ThreadPool *pool) const { ThreadPool::release(pool); }
};
using Pool = std::unique_ptr<ThreadPool, Release>;
Pool poolOf(int32_t threads) { return Pool(ThreadPool::acquire(threads)); }

struct Counts {
  std::vector<std::atomic<int>> visits;
  std::atomic<int> inside[8];
  std::atomic<bool> shared{false};
};

void visit(void *arg, int64_t i, int32_t worker) {
  Counts &counts = *static_cast<Counts *>(arg);
  if (counts.inside[worker].fetch_add(1) != 0)
    counts.shared = true;
  counts.visits[size_t(i)].fetch_add(1);
  counts.inside[worker].fetch_sub(1);
}

/// Whether a loop of `count` iterations does each once, and no worker does two at a time.
bool runsRight(ThreadPool &pool, int64_t count, int64_t worth = INT64_MAX) {
  Counts counts{std::vector<std::atomic<int>>(size_t(count)), {}, {}};
  pool.run(visit, &counts, count, worth);
  bool right = !counts.shared;
  for (auto &visits : counts.visits)
    right &= visits.load() == 1;
  return right;
}

int threadsOfThisProcess() {
  std::ifstream status("/proc/self/status");
  std::string word;
  int count = -1;
  while (status >> word)
    if (word == "Threads:")
      status >> count;
  return count;
}

TEST(ThreadPool, VisitsEachIterationOnce) {
  for (int threads : {1, 2, 3, 7}) {
    Pool pool = poolOf(threads);
    ASSERT_TRUE(pool);
    for (int64_t count : {0, 1, 2, 3, 5, 64, 1000})
      for (int round = 0; round < 100; ++round)
        for (int64_t worth : {0, 1, 2, 1000})
          ASSERT_TRUE(runsRight(*pool, count, worth));
  }
}

TEST(ThreadPool, WorksAfterItsThreadsWentToSleep) {
  Pool pool = poolOf(3);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ASSERT_TRUE(runsRight(*pool, 10));
  }
}

/// The workers that do a loop of some iterations which each wait for another thread, for a while.
size_t workersOf(ThreadPool &pool, int64_t worth) {
  struct Meeting {
    std::atomic<int> there{0}, workers[8] = {};
  } meeting;
  auto body = [](void *arg, int64_t, int32_t worker) {
    Meeting &meeting = *static_cast<Meeting *>(arg);
    if (meeting.workers[worker].fetch_add(1) == 0)
      meeting.there.fetch_add(1);
    auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
    while (meeting.there.load() < 2 && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
  };
  pool.run(body, &meeting, 2, worth);
  return size_t(meeting.there.load());
}

TEST(ThreadPool, DoesAloneWhatIsNotWorthMore) {
  Pool pool = poolOf(2);
  EXPECT_EQ(workersOf(*pool, 1000), 2u);
  EXPECT_EQ(workersOf(*pool, 1), 1u);
  EXPECT_EQ(workersOf(*pool, -5), 1u);
  // A loop that is worth little doesn't wake whoever sleeps, many of them do.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(workersOf(*pool, 3), 1u);
  int loops = 1;
  while (workersOf(*pool, 31) == 1 && loops < 10)
    ++loops;
  EXPECT_EQ(loops, 2);
}

TEST(ThreadPool, IsOneForAllWhoAskForAsManyThreads) {
  Pool three = poolOf(3), same = poolOf(3), four = poolOf(4);
  EXPECT_EQ(three, same);
  EXPECT_NE(three, four);
  ThreadPool *kept = three.get();
  three.reset();
  EXPECT_EQ(poolOf(3).get(), kept);
  EXPECT_TRUE(runsRight(*same, 100));
}

TEST(ThreadPool, EndsItsThreadsWithTheLastUser) {
  int before = threadsOfThisProcess();
  {
    Pool three = poolOf(3), same = poolOf(3);
    EXPECT_EQ(threadsOfThisProcess(), before + 2);
  }
  EXPECT_EQ(threadsOfThisProcess(), before);
}

TEST(ThreadPool, SeparatesThreadsOfDifferentCpus) {
  cpu_set_t all, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  if (CPU_COUNT(&all) < 2)
    GTEST_SKIP() << "there is one CPU";
  Pool everywhere = poolOf(2);
  CPU_ZERO(&one);
  int first = 0;
  while (!CPU_ISSET(first, &all))
    ++first;
  CPU_SET(first, &one);
  Pool there;
  std::thread([&] {
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    there = poolOf(2);
  }).join();
  EXPECT_NE(everywhere, there);
  EXPECT_TRUE(runsRight(*everywhere, 100) && runsRight(*there, 100));
}

TEST(ThreadPool, TakesLoopsOfSeveralThreadsAtATime) {
  // More callers than there are places.
  Pool pool = poolOf(3);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 24; ++i)
    callers.emplace_back([&, i] {
      for (int round = 0; round < 100; ++round)
        wrong += !runsRight(*pool, 1 + (i * 7 + round) % 50);
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST(ThreadPool, WorksInForkedProcesses) {
  Pool pool = poolOf(3);
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop)
      runsRight(*pool, 100);
  });
  for (int round = 0; round < 20; ++round) {
    pid_t child = fork();
    if (child == 0) {
      // The parent's pool has no threads here, a new one has.
      bool right = !pool->hasThreadsHere() && runsRight(*pool, 50);
      ThreadPool *own = ThreadPool::acquire(3);
      right = right && own != pool.get() && own->hasThreadsHere() && runsRight(*own, 50);
      ThreadPool::release(own);
      ThreadPool::release(pool.release());
      _exit(right ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }
  stop = true;
  busy.join();
}
} // namespace

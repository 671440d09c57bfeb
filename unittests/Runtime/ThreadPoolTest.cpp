//===- ThreadPoolTest.cpp
//-----------------------------------------------------------------------------------===//

#include "ThreadPool.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

using tenon::runtime::ThreadPool;

namespace {
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

TEST(ThreadPool, VisitsEachIterationOnce) {
  for (int threads : {1, 2, 3, 7}) {
    ThreadPool pool;
    ASSERT_TRUE(pool.start(threads));
    for (int64_t count : {0, 1, 2, 3, 5, 64, 1000}) {
      for (int round = 0; round < 100; ++round) {
        Counts counts{std::vector<std::atomic<int>>(size_t(count)), {}, {}};
        pool.run(visit, &counts, count);
        for (auto &visits : counts.visits)
          ASSERT_EQ(visits.load(), 1);
        ASSERT_FALSE(counts.shared);
      }
    }
  }
}

TEST(ThreadPool, WorksAfterItsThreadsWentToSleep) {
  ThreadPool pool;
  ASSERT_TRUE(pool.start(3));
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    Counts counts{std::vector<std::atomic<int>>(10), {}, {}};
    pool.run(visit, &counts, 10);
    for (auto &visits : counts.visits)
      ASSERT_EQ(visits.load(), 1);
  }
}
} // namespace

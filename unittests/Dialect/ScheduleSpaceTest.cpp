//===- ScheduleSpaceTest.cpp - The schedules of each strategy ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Module.h"
#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"

#include "gtest/gtest.h"

#include <set>

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
constexpr StringLiteral kernels = R"(
  tenon_tile.kernel @elements(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
    %y = tenon.exp %x : tensor<4x64xf32>
    tenon_tile.yield %y : tensor<4x64xf32>
  }
  tenon_tile.kernel @transposes(%x: tensor<64x48xf32>) -> tensor<48x64xf32> {
    %y = tenon.transpose %x [1, 0] : tensor<64x48xf32> -> tensor<48x64xf32>
    tenon_tile.yield %y : tensor<48x64xf32>
  }
  tenon_tile.kernel @rows(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
    %y = tenon.softmax %x dims [1] : tensor<4x64xf32>
    tenon_tile.yield %y : tensor<4x64xf32>
  }
  tenon_tile.kernel @contraction(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32> {
    %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                     affine_map<(m, n, k) -> (m, n)>]
         : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
    tenon_tile.yield %y : tensor<96x32xf32>
  }
  tenon_tile.kernel @ordered(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
    %y = tenon.scan sum %x dim 1 : tensor<4x8xf32>
    tenon_tile.yield %y : tensor<4x8xf32>
  }
  tenon_tile.kernel @topk(%x: tensor<4x64xf32>) -> (tensor<4x3xf32>, tensor<4x3xi64>) {
    %y, %i = tenon.topk %x dim 1 k [3] : tensor<4x64xf32> -> tensor<4x3xf32>, tensor<4x3xi64>
    tenon_tile.yield %y, %i : tensor<4x3xf32>, tensor<4x3xi64>
  }
)";

TEST(ScheduleSpace, ofEachStrategyHoldsWhatItSays) {
  Module given(kernels);
  ASSERT_TRUE(given.module);
  auto error = [&] { return emitError(given.module->getLoc()); };
  std::set<std::string> seen;
  TargetAttrInterface target = targetOf(given.context);
  for (auto kernel : given.module->getOps<KernelOp>()) {
    const KernelStrategy *strategy = strategyOf(kernel);
    ASSERT_TRUE(strategy);
    EXPECT_EQ(strategy->getName(), kernel.getSymName());
    seen.insert(strategy->getName().str());
    std::unique_ptr<ScheduleSpace> space = strategy->spaceOf(kernel, target);
    std::vector<std::optional<int64_t>> anything(space->getKnobs().size());
    FailureOr<SchedulePoint> best = space->best(ScheduleAttr(), error);
    ASSERT_TRUE(succeeded(best));
    int64_t count = 0;
    space->forEach(anything, [&](ArrayRef<int64_t> point) {
      ++count;
      EXPECT_TRUE(space->isLegal(point));
      EXPECT_GE(space->cost(point), space->cost(*best));
      // What is written can be read, and holds where a person fixes all of it.
      ScheduleAttr schedule = space->attributeOf(point);
      EXPECT_EQ(*space->read(schedule, error), SchedulePoint(point));
      EXPECT_EQ(*space->best(schedule, error), SchedulePoint(point));
    });
    EXPECT_GT(count, 1);
    // Of what is fixed the search changes nothing.
    anything[0] = 16;
    space->forEach(anything, [&](ArrayRef<int64_t> point) { EXPECT_EQ(point[0], 16); });
    SchedulePoint tooWide(*best);
    tooWide[0] = 64;
    std::string reason;
    llvm::raw_string_ostream stream(reason);
    EXPECT_FALSE(space->isLegal(tooWide, &stream));
    EXPECT_NE(reason.find("64 bytes"), std::string::npos) << reason;
  }
  for (const KernelStrategy *strategy : KernelStrategies::of(&given.context)->all())
    EXPECT_TRUE(seen.count(strategy->getName().str())) << "no kernel here is of " << strategy->getName().str();
}
} // namespace

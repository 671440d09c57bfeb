//===- TargetsTest.cpp - The targets that there are ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Targets.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
class Targets : public ::testing::Test {
protected:
  TargetAttrInterface find(StringRef name) {
    auto targets = resolveTargets(&context, name);
    if (!targets) {
      ADD_FAILURE() << llvm::toString(targets.takeError());
      return {};
    }
    return targets->front();
  }

  std::string errorOf(StringRef list) {
    auto targets = resolveTargets(&context, list);
    return targets ? "" : llvm::toString(targets.takeError());
  }

  /// A file of that content.
  std::string write(StringRef text) {
    SmallString<64> path;
    int descriptor = -1;
    EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("target", "mlir", descriptor, path));
    llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true) << text;
    files.push_back(std::make_unique<llvm::FileRemover>(path));
    return path.str().str();
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  std::vector<std::unique_ptr<llvm::FileRemover>> files;
};

TEST_F(Targets, AreInTheOrderOfTheList) {
  auto targets = resolveTargets(&context, "avx512, avx2");
  ASSERT_TRUE(bool(targets));
  ASSERT_EQ(targets->size(), 2u);
  auto wide = cast<CPUTargetAttr>((*targets)[0]), narrow = cast<CPUTargetAttr>((*targets)[1]);
  EXPECT_EQ(wide.getName(), "avx512");
  EXPECT_EQ(wide.getVectorBytes(), 64);
  EXPECT_EQ(wide.getVectorRegisters(), 32);
  EXPECT_EQ(narrow.getVectorBytes(), 32);
  EXPECT_EQ(narrow.getVectorRegisters(), 16);
  for (StringRef feature : narrow.getFeatureNames())
    EXPECT_TRUE(llvm::is_contained(wide.getFeatureNames(), feature)) << feature.str();
  EXPECT_TRUE(llvm::is_contained(narrow.getFeatureNames(), "fma"));
  EXPECT_FALSE(llvm::is_contained(narrow.getFeatureNames(), "avx512f"));
}

TEST_F(Targets, TheHostIsALevelAndMore) {
  auto targets = resolveTargets(&context, "host");
  if (!targets)
    GTEST_SKIP() << llvm::toString(targets.takeError());
  auto host = cast<CPUTargetAttr>(targets->front());
  EXPECT_EQ(host.getName(), "host");
  SmallVector<StringRef> features = host.getFeatureNames();
  EXPECT_TRUE(llvm::is_contained(features, "avx2"));
  EXPECT_TRUE(llvm::is_sorted(features));
  EXPECT_EQ(host.getVectorBytes(), llvm::is_contained(features, "avx512f") ? 64 : 32);
  EXPECT_GE(host.getMemory("L2").getBytes(), host.getMemory("L1").getBytes());
}

TEST_F(Targets, TellOfMemoriesAndInstructions) {
  TargetAttrInterface target = find("sapphirerapids");
  EXPECT_EQ(target.getMemory("L2").getBytes(), 2 << 20);
  EXPECT_TRUE(target.getMemory("L3").getShared());
  EXPECT_FALSE(target.getMemory("L4"));
  Type f32 = Float32Type::get(&context), bf16 = BFloat16Type::get(&context);
  RateAttr sums = target.getRate(f32, f32, f32), fast = target.getRate(bf16, bf16, f32);
  EXPECT_EQ(sums.getInstruction().getName(), "x86.vfmadd231ps");
  EXPECT_EQ(sums.getProductsPerCycle(), 32);
  // Of two instructions for the same types the faster one.
  EXPECT_EQ(fast.getInstruction().getName(), "x86.tdpbf16ps");
  EXPECT_TRUE(target.has(fast.getInstruction()));
  EXPECT_FALSE(find("avx2").has(fast.getInstruction()));
  EXPECT_FALSE(find("avx512").getRate(bf16, bf16, f32));
}

TEST_F(Targets, HavePricesOfTheirCores) {
  LayoutPrices narrow = find("avx2").getLayouts(), wide = find("sapphirerapids").getLayouts();
  EXPECT_LT(wide.multiplyLast, narrow.multiplyLast);
  EXPECT_EQ(cast<CPUTargetAttr>(find("znver4")).getMultiplyAdd().getPerCycle(), 1);
  EXPECT_EQ(cast<CPUTargetAttr>(find("znver5")).getMultiplyAdd().getPerCycle(), 2);
  EXPECT_NE(find("znver5").getLayouts(), find("znver4").getLayouts());
  EXPECT_EQ(cast<CPUTargetAttr>(find("x86-64-v3")).getName(), "avx2");
}

TEST_F(Targets, AreReadBackAsTheyArePrinted) {
  std::string text;
  llvm::raw_string_ostream out(text);
  for (StringRef name : {"sapphirerapids", "avx2"})
    printTarget(out, find(name));
  EXPECT_NE(text.find("\n  rates = ["), std::string::npos) << text;
  auto read = resolveTargets(&context, "@" + write(text));
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0], find("sapphirerapids"));
  EXPECT_EQ((*read)[1], find("avx2"));
}

TEST_F(Targets, ErrorsSayWhatIsWrong) {
  EXPECT_NE(errorOf("avx2,z80").find("unknown target 'z80', expected one of host, avx2"), std::string::npos);
  EXPECT_NE(errorOf("").find("unknown target ''"), std::string::npos);
  EXPECT_EQ(errorOf("avx2,avx2"), "target 'avx2' is listed twice");
  EXPECT_NE(errorOf("@/nowhere").find("cannot read the target's description '/nowhere'"), std::string::npos);
  EXPECT_NE(errorOf("@" + write("42")).find("holds no description of a target"), std::string::npos);
  EXPECT_NE(errorOf("@" + write("")).find("names no target"), std::string::npos);
  EXPECT_NE(errorOf("@" + write("#tenon_tile.cpu<name = 1>")).find("holds no description of a target: "),
            std::string::npos);
}
} // namespace

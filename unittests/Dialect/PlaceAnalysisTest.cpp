//===- PlaceAnalysisTest.cpp - Which tensors share a place, and when it is used ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dialect/Host/Transforms/PlaceAnalysis.h"
#include "Module.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace {
/// The places of a function's tensors, by the names that they have in the text.
class PlaceAnalysisTest : public ::testing::Test {
protected:
  void analyse(StringRef function) {
    given = std::make_unique<Module>(("func.func private @k()\n" + function).str());
    ASSERT_TRUE(given->module);
    given->module->walk([&](func::FuncOp found) { func = found.isExternal() ? func : found; });
    sizes = std::make_unique<SizeAnalysis>(&given->context);
    analysis = std::make_unique<PlaceAnalysis>(func, *sizes);
    std::string before = text();
    ASSERT_TRUE(succeeded(analysis->run()));
    EXPECT_EQ(text(), before);
  }

  std::string text() {
    std::string result;
    llvm::raw_string_ostream(result) << *given->module;
    return result;
  }

  template <typename Op> Value result(unsigned which = 0) {
    SmallVector<Value> all;
    func.walk([&](Op op) { all.push_back(op->getResult(0)); });
    return all[which];
  }
  Place placeOf(Value tensor) { return analysis->placeOf(analysis->rootOf(tensor)); }

  std::unique_ptr<Module> given;
  func::FuncOp func;
  std::unique_ptr<SizeAnalysis> sizes;
  std::unique_ptr<PlaceAnalysis> analysis;
};

TEST_F(PlaceAnalysisTest, livesFromTheFirstToTheLastUse) {
  analyse(R"(func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
    %a = tensor.empty() : tensor<4xf32>
    %0 = tenon_host.launch @k ins(%x : tensor<4xf32>) outs(%a : tensor<4xf32>) -> tensor<4xf32>
    %b = tensor.empty() : tensor<4xf32>
    %1 = tenon_host.launch @k ins(%0 : tensor<4xf32>) outs(%b : tensor<4xf32>) -> tensor<4xf32>
    return %1 : tensor<4xf32>
  })");
  Place input = placeOf(func.getArgument(0)), first = placeOf(result<LaunchOp>(0)), last = placeOf(result<LaunchOp>(1));
  EXPECT_EQ(input.kind, StorageKind::input);
  EXPECT_EQ(first.kind, StorageKind::arena);
  EXPECT_EQ(first.first, 0);
  EXPECT_EQ(first.last, 1);
  // What is returned is written where the caller wants it.
  EXPECT_EQ(last.kind, StorageKind::output);
  EXPECT_EQ(last.number, 0);
}

TEST_F(PlaceAnalysisTest, reshapesShareAPlace) {
  analyse(R"(func.func @f(%x: tensor<2x3xf32>) -> tensor<6xf32> {
    %a = tensor.empty() : tensor<2x3xf32>
    %0 = tenon_host.launch @k ins(%x : tensor<2x3xf32>) outs(%a : tensor<2x3xf32>) -> tensor<2x3xf32>
    %1 = tenon.reshape %0 sizes [6] : tensor<2x3xf32> -> tensor<6xf32>
    return %1 : tensor<6xf32>
  })");
  EXPECT_EQ(analysis->rootOf(result<ReshapeOp>()), analysis->rootOf(result<LaunchOp>()));
  EXPECT_EQ(placeOf(result<ReshapeOp>()).kind, StorageKind::output);
}

TEST_F(PlaceAnalysisTest, aLoopHoldsItsPlacesThroughout) {
  analyse(R"(func.func @f(%n: tensor<i64>, %x: tensor<4xf32>) -> tensor<4xf32> {
    %c = tenon.constant dense<true> : tensor<i1>
    %a = tensor.empty() : tensor<4xf32>
    %0 = tenon_host.launch @k ins(%x : tensor<4xf32>) outs(%a : tensor<4xf32>) -> tensor<4xf32>
    %y = tenon.loop %n, %c carried(%x : tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%i: tensor<i64>, %v: tensor<4xf32>):
      %e = tensor.empty() : tensor<4xf32>
      %1 = tenon_host.launch @k ins(%v, %0 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
      tenon.yield %c, %1 : tensor<i1>, tensor<4xf32>
    }
    return %y : tensor<4xf32>
  })");
  // The launch is step 0; the loop takes 1 to 3.
  Place outside = placeOf(result<LaunchOp>(0));
  EXPECT_EQ(outside.first, 0);
  EXPECT_EQ(outside.last, 3);
  auto loop = given->first<LoopOp>();
  EXPECT_EQ(analysis->rootOf(loop.getBody().getArgument(1)), loop.getResult(0));
}

TEST_F(PlaceAnalysisTest, whatGrowsHasTwoBuffers) {
  analyse(R"(func.func @f(%n: tensor<i64>, %x: tensor<?xf32>) -> tensor<?xf32> {
    %m = tenon.symbol "m"
    tenon.bind_shape %x [%m] : tensor<?xf32>
    %c = tenon.constant dense<true> : tensor<i1>
    %y = tenon.loop %n, %c carried(%x : tensor<?xf32>) -> tensor<?xf32> {
    ^bb0(%i: tensor<i64>, %v: tensor<?xf32>):
      %1 = tenon.concat %v, %v dim 0 : tensor<?xf32>, tensor<?xf32> -> tensor<?xf32>
      tenon.yield %c, %1 : tensor<i1>, tensor<?xf32>
    }
    return %y : tensor<?xf32>
  })");
  auto loop = given->first<LoopOp>();
  Place carried = placeOf(loop.getResult(0));
  EXPECT_EQ(carried.kind, StorageKind::growing);
  EXPECT_NE(analysis->backOf(loop.getResult(0)), carried.number);
  EXPECT_EQ(placeOf(result<ConcatOp>()).number, analysis->backOf(loop.getResult(0)));
}
} // namespace

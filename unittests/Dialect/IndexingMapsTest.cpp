//===- IndexingMapsTest.cpp - Iteration spaces of windows and composites ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Module.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tenon;

namespace {
/// The maps and iterators of the first op that has some, as text.
struct Space {
  explicit Space(StringRef text) : given(text) {
    auto op = given.first<IndexingMapsInterface>();
    for (AffineMap map : op.getOperandMaps())
      operands.push_back(textOf(map));
    for (AffineMap map : op.getResultMaps())
      results.push_back(textOf(map));
    for (utils::IteratorType iterator : op.getLoopIterators())
      iterators += iterator == utils::IteratorType::parallel ? 'p' : 'r';
  }

  static std::string textOf(AffineMap map) {
    std::string text;
    llvm::raw_string_ostream(text) << map;
    return text;
  }

  Module given;
  std::vector<std::string> operands, results;
  std::string iterators;
};

TEST(IndexingMaps, ofAConvolution) {
  Space space(R"(func.func @f(%x: tensor<1x3x9xf32>, %w: tensor<8x3x3xf32>) -> tensor<1x8x5xf32> {
    %0 = tenon.conv %x, %w strides [2] dilations [1] pads [1, 1] groups 1
         : tensor<1x3x9xf32>, tensor<8x3x3xf32> -> tensor<1x8x5xf32>
    return %0 : tensor<1x8x5xf32> })");
  EXPECT_EQ(space.iterators, "ppprr");
  ASSERT_EQ(space.operands.size(), 2u);
  EXPECT_EQ(space.operands[0], "(d0, d1, d2, d3, d4) -> (d0, d3, d2 * 2 + d4 - 1)");
  EXPECT_EQ(space.operands[1], "(d0, d1, d2, d3, d4) -> (d1, d3, d4)");
  EXPECT_EQ(space.results.front(), "(d0, d1, d2, d3, d4) -> (d0, d1, d2)");
}

TEST(IndexingMaps, ofAConvolutionWithChannelsLast) {
  Space space(R"(func.func @f(%x: tensor<1x9x3xf32>, %w: tensor<3x3x8xf32>) -> tensor<1x7x8xf32> {
    %0 = tenon.conv %x, %w strides [1] dilations [1] pads [0, 0] groups 1 {channels_last}
         : tensor<1x9x3xf32>, tensor<3x3x8xf32> -> tensor<1x7x8xf32>
    return %0 : tensor<1x7x8xf32> })");
  EXPECT_EQ(space.operands[0], "(d0, d1, d2, d3, d4) -> (d0, d1 + d4, d3)");
  EXPECT_EQ(space.operands[1], "(d0, d1, d2, d3, d4) -> (d4, d3, d2)");
}

// A filter of one channel per group reads its own, others those of their group.
TEST(IndexingMaps, ofGroups) {
  Space depthwise(R"(func.func @f(%x: tensor<1x4x9xf32>, %w: tensor<4x1x1xf32>) -> tensor<1x4x9xf32> {
    %0 = tenon.conv %x, %w strides [1] dilations [1] pads [0, 0] groups 4
         : tensor<1x4x9xf32>, tensor<4x1x1xf32> -> tensor<1x4x9xf32>
    return %0 : tensor<1x4x9xf32> })");
  EXPECT_EQ(depthwise.operands[0], "(d0, d1, d2, d3, d4) -> (d0, d1, d2 + d4)");
  Space grouped(R"(func.func @f(%x: tensor<1x6x9xf32>, %w: tensor<4x3x1xf32>) -> tensor<1x4x9xf32> {
    %0 = tenon.conv %x, %w strides [1] dilations [1] pads [0, 0] groups 2
         : tensor<1x6x9xf32>, tensor<4x3x1xf32> -> tensor<1x4x9xf32>
    return %0 : tensor<1x4x9xf32> })");
  EXPECT_EQ(grouped.operands[0], "(d0, d1, d2, d3, d4) -> (d0, (d1 floordiv 2) * 3 + d3, d2 + d4)");
  Space unknown(R"(func.func @f(%x: tensor<1x6x9xf32>, %w: tensor<?x3x1xf32>) -> tensor<1x?x9xf32> {
    %0 = tenon.conv %x, %w strides [1] dilations [1] pads [0, 0] groups 2
         : tensor<1x6x9xf32>, tensor<?x3x1xf32> -> tensor<1x?x9xf32>
    return %0 : tensor<1x?x9xf32> })");
  EXPECT_EQ(unknown.operands[0], "(d0, d1, d2, d3, d4)[s0] -> (d0, d3 + s0, d2 + d4)");
}

TEST(IndexingMaps, ofWindows) {
  Space pool(R"(func.func @f(%x: tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32> {
    %0 = tenon.window max %x sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1]
         : tensor<1x3x8x8xf32> -> tensor<1x3x4x4xf32>
    return %0 : tensor<1x3x4x4xf32> })");
  EXPECT_EQ(pool.iterators, "pppprr");
  EXPECT_EQ(pool.operands[0], "(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 * 2 + d4 - 1, d3 * 2 + d5 - 1)");
  EXPECT_EQ(pool.results[0], "(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)");
  Space unfold(R"(func.func @f(%x: tensor<1x3x8xf32>) -> tensor<1x3x2x7xf32> {
    %0 = tenon.unfold %x sizes [2] strides [1] dilations [1] pads [0, 0] : tensor<1x3x8xf32> -> tensor<1x3x2x7xf32>
    return %0 : tensor<1x3x2x7xf32> })");
  EXPECT_EQ(unfold.iterators, "pppp");
  EXPECT_EQ(unfold.operands[0], "(d0, d1, d2, d3) -> (d0, d1, d2 + d3)");
}

TEST(IndexingMaps, ofRows) {
  Space softmax(R"(func.func @f(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %0 = tenon.softmax %x dims [1] : tensor<2x3xf32>
    return %0 : tensor<2x3xf32> })");
  EXPECT_EQ(softmax.iterators, "pr");
  EXPECT_EQ(softmax.operands[0], "(d0, d1) -> (d0, d1)");
  EXPECT_EQ(softmax.results[0], "(d0, d1) -> (d0, d1)");
  Space normalize(R"(func.func @f(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
    %0 = tenon.normalize %x dims [0, 2] epsilon 1.0e-5 : tensor<2x3x4xf32>
    return %0 : tensor<2x3x4xf32> })");
  EXPECT_EQ(normalize.iterators, "rpr");
}
} // namespace

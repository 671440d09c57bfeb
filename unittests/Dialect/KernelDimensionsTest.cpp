//===- KernelDimensionsTest.cpp - Dimensions that tensors share ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/KernelDimensions.h"
#include "Module.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
/// The dimensions of a kernel's tensors: arguments, then results of its ops.
class Dimensions {
public:
  explicit Dimensions(StringRef text) : given(text), dimensions(given.first<KernelOp>()) {
    for (Value tensor : dimensions.tensors())
      tensors.push_back(tensor);
  }
  int of(unsigned tensor, unsigned dim) { return dimensions.of(tensors[tensor])[dim]; }
  bool isFixed(unsigned tensor, unsigned dim) { return dimensions.isFixed(of(tensor, dim)); }

private:
  Module given;
  KernelDimensions dimensions;
  SmallVector<Value> tensors;
};

TEST(KernelDimensions, runThroughElementwiseOpsAndBroadcasts) {
  Dimensions dimensions(R"(
    tenon_tile.kernel @k(%x: tensor<4x8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
      %0 = tenon.broadcast %b dims [1] sizes [4, 8] : tensor<8xf32> -> tensor<4x8xf32>
      %1 = tenon.add %x, %0 : tensor<4x8xf32>
      tenon_tile.yield %1 : tensor<4x8xf32>
    })");
  EXPECT_EQ(dimensions.of(0, 0), dimensions.of(3, 0));
  EXPECT_EQ(dimensions.of(1, 0), dimensions.of(3, 1));
  EXPECT_NE(dimensions.of(3, 0), dimensions.of(3, 1));
  EXPECT_FALSE(dimensions.isFixed(0, 0) || dimensions.isFixed(0, 1));
}

TEST(KernelDimensions, areFixedWhereAnOpReducesThem) {
  Dimensions dimensions(R"(
    tenon_tile.kernel @k(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4xf32>) {
      %0 = tenon.softmax %x dims [1] : tensor<4x8xf32>
      %1 = tenon.reduce sum %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
      tenon_tile.yield %0, %1 : tensor<4x8xf32>, tensor<4xf32>
    })");
  EXPECT_EQ(dimensions.of(0, 0), dimensions.of(2, 0));
  EXPECT_FALSE(dimensions.isFixed(0, 0));
  EXPECT_TRUE(dimensions.isFixed(0, 1));
  EXPECT_TRUE(dimensions.isFixed(1, 1));
}

TEST(KernelDimensions, followTheMapsOfContractionsAndTransposes) {
  Dimensions dimensions(R"(
    tenon_tile.kernel @k(%a: tensor<4x8xf32>, %b: tensor<8x16xf32>) -> tensor<16x4xf32> {
      %0 = tenon.contract %a, %b maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                       affine_map<(m, n, k) -> (m, n)>]
           : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
      %1 = tenon.transpose %0 [1, 0] : tensor<4x16xf32> -> tensor<16x4xf32>
      tenon_tile.yield %1 : tensor<16x4xf32>
    })");
  EXPECT_EQ(dimensions.of(0, 1), dimensions.of(1, 0));
  EXPECT_EQ(dimensions.of(0, 0), dimensions.of(3, 1));
  EXPECT_EQ(dimensions.of(1, 1), dimensions.of(3, 0));
  EXPECT_FALSE(dimensions.isFixed(0, 0) || dimensions.isFixed(1, 0));
}

TEST(KernelDimensions, areFixedByOpsWithPlacesOfTheirOwn) {
  Dimensions dimensions(R"(
    tenon_tile.kernel @k(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %0 = tenon.scan sum %x dim 1 : tensor<4x8xf32>
      tenon_tile.yield %0 : tensor<4x8xf32>
    })");
  EXPECT_TRUE(dimensions.isFixed(0, 0) && dimensions.isFixed(0, 1));
}
} // namespace

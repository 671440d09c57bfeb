//===- SizeAnalysisTest.cpp - Sizes and shape arithmetic ---===//
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
/// What is known of the elements of what the function of a module returns, with `n` as the symbol.
class ShapeArithmetic : public ::testing::Test {
protected:
  void read(StringRef body, StringRef result, StringRef type) {
    std::string text =
        ("func.func @f(%x: tensor<?x4xf32>) -> " + type + " {\n%n = tenon.symbol \"n\"\n" +
         "tenon.bind_shape %x [%n, 4] : tensor<?x4xf32>\n" + body + "\nreturn " + result + " : " + type + "\n}")
            .str();
    given = std::make_unique<Module>(text);
    ASSERT_TRUE(given->module);
    sizes = std::make_unique<SizeAnalysis>(&given->context);
    n = sizes->expressionOf(given->first<SymbolOp>().getResult());
    returned = given->first<func::ReturnOp>().getOperand(0);
  }
  void expectElements(ArrayRef<AffineExpr> expected) {
    ShapeElementsOrNone elements = sizes->elementsOf(returned);
    ASSERT_TRUE(elements.has_value());
    ASSERT_EQ(elements->size(), expected.size());
    for (auto [element, wanted] : llvm::zip(*elements, expected))
      EXPECT_EQ(element, wanted ? sizes->simplify(wanted) : wanted);
  }
  AffineExpr number(int64_t value) { return sizes->constant(value); }

  using ShapeElementsOrNone = std::optional<SmallVector<AffineExpr>>;
  std::unique_ptr<Module> given;
  std::unique_ptr<SizeAnalysis> sizes;
  AffineExpr n;
  Value returned;
};

constexpr StringLiteral pair = "%s = tenon.from_sizes [%n, 4] : tensor<2xi64>\n"
                               "%c = tenon.constant dense<[3, 2]> : tensor<2xi64>\n";

TEST_F(ShapeArithmetic, followsArithmetic) {
  auto binary = [&](StringRef op, AffineExpr first, AffineExpr second) { expectElements({first, second}); };
  auto readOp = [&](StringRef op) {
    read((pair + "%r = tenon." + op + " %s, %c : tensor<2xi64>").str(), "%r", "tensor<2xi64>");
  };
  readOp("add"), binary("add", n + 3, number(6));
  readOp("sub"), binary("sub", n - 3, number(2));
  readOp("mul"), binary("mul", n * 3, number(8));
  readOp("div"), binary("div", n.floorDiv(3), number(2));
  readOp("mod"), binary("mod", n % 3, number(0));
  // Of n and 3 none is known to be larger.
  readOp("max"), binary("max", AffineExpr(), number(4));
  readOp("min"), binary("min", AffineExpr(), number(2));
}

TEST_F(ShapeArithmetic, roundsNoNegativeQuotientDown) {
  read((pair + "%d = tenon.sub %s, %c : tensor<2xi64>\n%r = tenon.div %d, %c : tensor<2xi64>").str(), "%r",
       "tensor<2xi64>");
  expectElements({AffineExpr(), number(1)});
}

TEST_F(ShapeArithmetic, knowsThatSizesAreNotNegative) {
  read((pair + "%z = tenon.constant dense<0> : tensor<2xi64>\n%r = tenon.max %s, %z : tensor<2xi64>").str(), "%r",
       "tensor<2xi64>");
  expectElements({n, number(4)});
  read((pair + "%z = tenon.constant dense<-1> : tensor<2xi64>\n%r = tenon.min %s, %z : tensor<2xi64>").str(), "%r",
       "tensor<2xi64>");
  expectElements({number(-1), number(-1)});
  read((pair + "%r = tenon.abs %s : tensor<2xi64>").str(), "%r", "tensor<2xi64>");
  expectElements({n, number(4)});
  read((pair + "%r = tenon.neg %s : tensor<2xi64>").str(), "%r", "tensor<2xi64>");
  expectElements({-n, number(-4)});
}

TEST_F(ShapeArithmetic, choosesByComparisons) {
  read((pair + "%z = tenon.constant dense<[-1, 4]> : tensor<2xi64>\n"
               "%p = tenon.compare eq %s, %z : tensor<2xi64> -> tensor<2xi1>\n"
               "%r = tenon.select %p, %c, %s : tensor<2xi1>, tensor<2xi64>")
           .str(),
       "%r", "tensor<2xi64>");
  expectElements({n, number(2)});
}

TEST_F(ShapeArithmetic, followsElementsThatMove) {
  read((pair + "%r = tenon.concat %c, %s dim 0 : tensor<2xi64>, tensor<2xi64> -> tensor<4xi64>").str(), "%r",
       "tensor<4xi64>");
  expectElements({number(3), number(2), n, number(4)});
  read((pair + "%r = tenon.slice %s offsets [1] sizes [2] strides [-1] : tensor<2xi64> -> tensor<2xi64>").str(), "%r",
       "tensor<2xi64>");
  expectElements({number(4), n});
  read((pair + "%i = tenon.constant dense<[[-1], [0]]> : tensor<2x1xi64>\n"
               "%r = tenon.gather error %s, %i dims [0] batch_dims 0 : tensor<2xi64>, tensor<2x1xi64> -> tensor<2xi64>")
           .str(),
       "%r", "tensor<2xi64>");
  expectElements({number(4), n});
  read((pair + "%r = tenon.reduce prod %s dims [0] : tensor<2xi64> -> tensor<i64>").str(), "%r", "tensor<i64>");
  expectElements({n * 4});
  read((pair + "%m = tenon.reduce sum %s dims [0] : tensor<2xi64> -> tensor<i64>\n"
               "%r = tenon.broadcast %m dims [] sizes [3] : tensor<i64> -> tensor<3xi64>")
           .str(),
       "%r", "tensor<3xi64>");
  expectElements({n + 4, n + 4, n + 4});
  read("%r = tenon.iota dim 0 sizes [3] : tensor<3xi64>", "%r", "tensor<3xi64>");
  expectElements({number(0), number(1), number(2)});
}

TEST_F(ShapeArithmetic, keepsNoSizeInFewerBits) {
  read((pair + "%r = tenon.cast %s : tensor<2xi64> -> tensor<2xi32>").str(), "%r", "tensor<2xi32>");
  expectElements({n, number(4)});
  read((pair + "%r = tenon.cast %s : tensor<2xi64> -> tensor<2xi8>").str(), "%r", "tensor<2xi8>");
  EXPECT_FALSE(sizes->elementsOf(returned).has_value());
}

TEST_F(ShapeArithmetic, findsSizesOfResults) {
  read("%t = tenon.transpose %x [1, 0] : tensor<?x4xf32> -> tensor<4x?xf32>\n"
       "%r = tenon.concat %t, %t dim 1 : tensor<4x?xf32>, tensor<4x?xf32> -> tensor<4x?xf32>",
       "%r", "tensor<4x?xf32>");
  EXPECT_EQ(sizes->sizesOf(returned), (SmallVector<AffineExpr>{number(4), n * 2}));
}
} // namespace

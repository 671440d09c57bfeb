//===- LayoutsTest.cpp - Where elements lie, against elements that are numbered ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/Analysis/Layouts.h"
#include "Module.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "gtest/gtest.h"

#include <numeric>
#include <random>

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace {
using Numbers = std::vector<int64_t>;

int64_t countOf(const Numbers &sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t(1), std::multiplies<>());
}

/// `start + sum of i[d] * strides[d]` of all elements, in order.
Numbers placesOf(int64_t start, const Numbers &sizes, const Numbers &strides) {
  Numbers places{start};
  for (auto [size, stride] : llvm::zip(sizes, strides)) {
    Numbers next;
    for (int64_t place : places)
      for (int64_t i = 0; i < size; ++i)
        next.push_back(place + i * stride);
    places = std::move(next);
  }
  return places;
}

/// A tensor whose elements know their places in the root.
struct Numbered {
  Numbers sizes, places;

  Numbers rowMajor() const {
    Numbers strides(sizes.size(), 1);
    for (size_t d = sizes.size(); d-- > 1;)
      strides[d - 1] = strides[d] * sizes[d];
    return strides;
  }
  Numbered slice(const Numbers &offsets, const Numbers &extents, const Numbers &steps) const {
    Numbers strides = rowMajor(), moved = strides;
    int64_t start = 0;
    for (size_t d = 0; d < sizes.size(); ++d) {
      start += offsets[d] * strides[d];
      moved[d] = strides[d] * steps[d];
    }
    Numbered result{extents, {}};
    for (int64_t place : placesOf(start, extents, moved))
      result.places.push_back(places[place]);
    return result;
  }
  /// Whether some strides describe it.
  bool hasStrides() const {
    Numbers own = rowMajor(), strides(sizes.size(), 0);
    for (size_t d = 0; d < sizes.size(); ++d)
      if (sizes[d] > 1)
        strides[d] = places[own[d]] - places[0];
    return placesOf(places[0], sizes, strides) == places;
  }
};

std::string typeOf(const Numbers &sizes) {
  std::string text = "tensor<";
  for (int64_t size : sizes)
    text += std::to_string(size) + "x";
  return text + "f32>";
}

std::string listOf(const Numbers &numbers) {
  return "[" + llvm::join(llvm::map_range(numbers, [](int64_t n) { return std::to_string(n); }), ", ") + "]";
}

Numbers staticOf(ArrayRef<AffineExpr> expressions) {
  Numbers numbers;
  for (AffineExpr expression : expressions)
    numbers.push_back(SizeAnalysis::staticSize(expression));
  return numbers;
}

Numbers placesOf(const Layout &layout) {
  return placesOf(cast<AffineConstantExpr>(layout.offset).getValue(), staticOf(layout.sizes), staticOf(layout.strides));
}

/// Sizes of as many elements.
Numbers randomSizes(int64_t count, std::mt19937 &random) {
  Numbers sizes;
  while (count > 1 && sizes.size() < 3) {
    int64_t size = 1 + random() % count;
    if (count % size)
      continue;
    sizes.push_back(size);
    count /= size;
  }
  sizes.push_back(count);
  std::shuffle(sizes.begin(), sizes.end(), random);
  return sizes;
}

TEST(Layouts, ofChainsOfSlicesAndReshapesAreThoseOfTheirElements) {
  std::mt19937 random(0);
  unsigned described = 0, refused = 0;
  for (int round = 0; round < 150; ++round) {
    Numbered tensor{{}, {}};
    for (unsigned d = 0, rank = 1 + random() % 3; d < rank; ++d)
      tensor.sizes.push_back(1 + random() % 6);
    tensor.places.resize(countOf(tensor.sizes));
    std::iota(tensor.places.begin(), tensor.places.end(), 0);
    std::string type = typeOf(tensor.sizes), root = type, body;
    bool isDescribed = true;
    for (unsigned step = 0, steps = 1 + random() % 4; step < steps; ++step) {
      std::string name = step ? "%" + std::to_string(step) : "%x", next = "%" + std::to_string(step + 1);
      if (random() % 2) {
        Numbers offsets, extents, strides;
        for (int64_t size : tensor.sizes) {
          int64_t extent = 1 + random() % size, stride = extent > 1 ? 1 + random() % ((size - 1) / (extent - 1)) : 1;
          int64_t first = random() % (size - (extent - 1) * stride);
          bool isBackwards = random() % 4 == 0;
          offsets.push_back(isBackwards ? first + (extent - 1) * stride : first);
          extents.push_back(extent);
          strides.push_back(isBackwards ? -stride : stride);
        }
        tensor = tensor.slice(offsets, extents, strides);
        body += next + " = tenon.slice " + name + " offsets " + listOf(offsets) + " sizes " + listOf(extents) +
                " strides " + listOf(strides) + " {tenon_host.view} : " + type + " -> " + typeOf(extents) + "\n";
      } else {
        tensor.sizes = randomSizes(countOf(tensor.sizes), random);
        body += next + " = tenon.reshape " + name + " sizes " + listOf(tensor.sizes) + " : " + type + " -> " +
                typeOf(tensor.sizes) + "\n";
      }
      type = typeOf(tensor.sizes);
      // What was refused once has no layout to go on from.
      isDescribed &= tensor.hasStrides();
      if (step + 1 == steps)
        body += "return " + next + " : " + type + "\n";
    }
    Module given("func.func @f(%x: " + root + ") -> " + type + " {\n" + body + "}");
    ASSERT_TRUE(given.module) << body;
    SizeAnalysis sizes(&given.context);
    Layouts layouts(sizes);
    auto function = given.first<func::FuncOp>();
    Value result = given.first<func::ReturnOp>().getOperand(0);
    EXPECT_EQ(layouts.rootOf(result), function.getArgument(0));
    std::optional<Layout> layout = layouts.layoutOf(result);
    ASSERT_EQ(layout.has_value(), isDescribed) << root << "\n" << body;
    ++(layout ? described : refused);
    if (!layout)
      continue;
    EXPECT_EQ(layout->root, function.getArgument(0));
    EXPECT_EQ(placesOf(*layout), tensor.places) << root << "\n" << body;
    bool isContiguous = true;
    for (size_t i = 1; i < tensor.places.size(); ++i)
      isContiguous &= tensor.places[i] == tensor.places[i - 1] + 1;
    EXPECT_EQ(layout->isContiguous(), isContiguous) << root << "\n" << body;
    if (tensor.sizes.back() > 1)
      EXPECT_EQ(layout->hasRows(), tensor.places[1] == tensor.places[0] + 1) << root << "\n" << body;
  }
  // Both happen.
  EXPECT_GT(described, 50u);
  EXPECT_GT(refused, 5u);
}

TEST(Layouts, ofPartsOfConcatsCoverTheWhole) {
  Module given(R"(func.func @f(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) -> tensor<14xf32> {
    %a = tenon.neg %x : tensor<2x3xf32>
    %b = tenon.neg %y : tensor<2x4xf32>
    %0 = tenon.concat %a, %b dim 1 {tenon_host.placed = array<i64: 0, 1>} : tensor<2x3xf32>, tensor<2x4xf32> -> tensor<2x7xf32>
    %1 = tenon.reshape %0 sizes [14] : tensor<2x7xf32> -> tensor<14xf32>
    return %1 : tensor<14xf32>
  })");
  ASSERT_TRUE(given.module);
  SizeAnalysis sizes(&given.context);
  Layouts layouts(sizes);
  auto concat = given.first<ConcatOp>();
  EXPECT_EQ(placesOf(*layouts.layoutOf(concat.getOperand(0))), (Numbers{0, 1, 2, 7, 8, 9}));
  EXPECT_EQ(placesOf(*layouts.layoutOf(concat.getOperand(1))), (Numbers{3, 4, 5, 6, 10, 11, 12, 13}));
  for (Value operand : concat.getOperands()) {
    EXPECT_EQ(layouts.rootOf(operand), concat.getResult());
    EXPECT_TRUE(layouts.layoutOf(operand)->hasRows());
    EXPECT_FALSE(layouts.layoutOf(operand)->isContiguous());
  }
}

TEST(Layouts, ofBordersCoverWhatIsAroundOnce) {
  Module given(R"(func.func @f(%x: tensor<2x3x4xf32>) -> tensor<3x6x9xf32> {
    %z = tenon.constant dense<0.0> : tensor<f32>
    %a = tenon.neg %x : tensor<2x3x4xf32>
    %0 = tenon.pad constant %a, %z low [1, 1, 2] high [0, 2, 3] {tenon_host.placed = array<i64: 0>} : tensor<2x3x4xf32>, tensor<f32> -> tensor<3x6x9xf32>
    return %0 : tensor<3x6x9xf32>
  })");
  ASSERT_TRUE(given.module);
  SizeAnalysis sizes(&given.context);
  Layouts layouts(sizes);
  auto pad = given.first<PadOp>();
  Numbers written(3 * 6 * 9, 0);
  for (const Layout &part : layouts.borderOf(pad))
    for (int64_t place : placesOf(part))
      ++written[place];
  for (int64_t place : placesOf(*layouts.layoutOf(pad.getOperand())))
    ++written[place];
  EXPECT_TRUE(llvm::all_of(written, [](int64_t times) { return times == 1; }));
}
} // namespace

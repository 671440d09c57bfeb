//===- FormPiecesTest.cpp - Pieces of a form are parts of what it makes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/FormPieces.h"
#include "Module.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Reference/Interpreter.h"

#include "mlir/IR/Verifier.h"

#include "gtest/gtest.h"

#include <numeric>

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
using Bytes = std::vector<char>;

Bytes compute(FormOp form, ArrayRef<ArrayRef<char>> arguments) {
  std::vector<tenon::reference::Value> values;
  for (auto [type, bytes] : llvm::zip(form.getArgumentTypes(), arguments)) {
    auto tensor = cast<RankedTensorType>(type);
    auto borrowed = tenon::reference::Tensor::borrow(tensor.getElementType(), tensor.getShape(), bytes);
    EXPECT_TRUE(bool(borrowed));
    values.push_back(llvm::cantFail(std::move(borrowed)));
  }
  auto made = tenon::reference::Interpreter().runBody(form.getBody(), values);
  EXPECT_TRUE(bool(made));
  auto result = std::get<tenon::reference::Tensor>(llvm::cantFail(std::move(made)).front());
  return Bytes(result.getData(), result.getData() + result.getNumBytes());
}

/// Compares a form with its pieces of `step` places, on bytes that all differ; gives what its pieces take of the first
/// argument, all together.
int64_t check(StringRef text, int64_t step) {
  Module given(text);
  FormOp form = given.first<FormOp>();
  std::vector<Bytes> arguments;
  for (Type type : form.getArgumentTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    Bytes &bytes = arguments.emplace_back(StorageFormat(tensor.getElementType()).bytesFor(tensor.getNumElements()));
    std::iota(bytes.begin(), bytes.end(), 1);
  }
  Bytes whole = compute(form, llvm::map_to_vector(arguments, [](Bytes &bytes) { return ArrayRef<char>(bytes); }));
  Bytes together;
  int64_t taken = 0, places = cast<RankedTensorType>(form.getResultTypes().front()).getDimSize(0);
  for (int64_t begin = 0; begin < places; begin += step) {
    std::optional<FormPiece> piece = pieceOf(form, begin, std::min(begin + step, places));
    EXPECT_TRUE(piece);
    if (!piece)
      return -1;
    EXPECT_TRUE(succeeded(verify(*piece->form)));
    SmallVector<ArrayRef<char>> parts;
    for (auto [type, bytes, part] : llvm::zip(form.getArgumentTypes(), arguments, piece->arguments)) {
      unsigned bits = StorageFormat(getElementTypeOrSelf(type)).getBits();
      parts.push_back(ArrayRef(bytes).slice(part.first * bits / 8, (part.count * bits + 7) / 8));
    }
    taken += piece->arguments.front().count;
    llvm::append_range(together, compute(*piece->form, parts));
  }
  EXPECT_EQ(together, whole);
  return taken;
}

TEST(FormPieces, takeElementsThatLieTogether) {
  // Four bits of eight numbers are one word.
  EXPECT_EQ(check(R"(
    tenon_tile.form @words(%w: tensor<12x2x8xui4>) -> tensor<3x2x4xi32> {
      %0 = tenon.transpose %w [1, 2, 0] : tensor<12x2x8xui4> -> tensor<2x8x12xui4>
      %1 = tenon.reshape %0 sizes [16, 12] : tensor<2x8x12xui4> -> tensor<16x12xui4>
      %2 = tenon.cast %1 : tensor<16x12xui4> -> tensor<16x12xi32>
      %3 = tenon.reshape %2 sizes [2, 8, 12] : tensor<16x12xi32> -> tensor<2x8x12xi32>
      %4 = tenon.constant dense<[0, 4, 8, 12, 16, 20, 24, 28]> : tensor<8xi32>
      %5 = tenon.broadcast %4 dims [1] sizes [2, 8, 12] : tensor<8xi32> -> tensor<2x8x12xi32>
      %6 = tenon.shl %3, %5 : tensor<2x8x12xi32>
      %7 = tenon.reduce sum %6 dims [1] : tensor<2x8x12xi32> -> tensor<2x12xi32>
      %8 = tenon.reshape %7 sizes [2, 3, 4] : tensor<2x12xi32> -> tensor<2x3x4xi32>
      %9 = tenon.transpose %8 [1, 0, 2] : tensor<2x3x4xi32> -> tensor<3x2x4xi32>
      tenon_tile.yield %9 : tensor<3x2x4xi32>
    })",
                  2),
            12 * 2 * 8);
}

TEST(FormPieces, sliceWhatDoesNot) {
  // Three columns of four bits begin within a byte; two rows beyond the last one are padding.
  EXPECT_EQ(check(R"(
    tenon_tile.form @panels(%w: tensor<2x7xi4>, %s: tensor<7xi8>) -> tensor<3x2x3xi8> {
      %v = tenon.constant dense<5> : tensor<i8>
      %0 = tenon.cast %w : tensor<2x7xi4> -> tensor<2x7xi8>
      %1 = tenon.broadcast %s dims [1] sizes [2, 7] : tensor<7xi8> -> tensor<2x7xi8>
      %2 = tenon.sub %0, %1 : tensor<2x7xi8>
      %3 = tenon.pad constant %2, %v low [0, 1] high [0, 1] : tensor<2x7xi8>, tensor<i8> -> tensor<2x9xi8>
      %4 = tenon.reshape %3 sizes [2, 3, 3] : tensor<2x9xi8> -> tensor<2x3x3xi8>
      %5 = tenon.transpose %4 [1, 0, 2] : tensor<2x3x3xi8> -> tensor<3x2x3xi8>
      tenon_tile.yield %5 : tensor<3x2x3xi8>
    })",
                  1),
            3 * 14);
}

TEST(FormPieces, sliceConstantsInForms) {
  EXPECT_EQ(check(R"(
    tenon_tile.form @f(%w: tensor<4x2xi8>) -> tensor<4x2xi8> {
      %0 = tenon.constant dense<[[1, 2], [3, 4], [5, 6], [7, 8]]> : tensor<4x2xi8>
      %1 = tenon.add %w, %0 : tensor<4x2xi8>
      tenon_tile.yield %1 : tensor<4x2xi8>
    })",
                  3),
            8);
}

/// Whether the first place can be made alone.
bool hasPieces(StringRef text) {
  Module given(text);
  return pieceOf(given.first<FormOp>(), 0, 1).has_value();
}

TEST(FormPieces, areNoneWhereAPlaceNeedsOthers) {
  EXPECT_FALSE(hasPieces(R"(
    tenon_tile.form @f(%w: tensor<4x2xf32>) -> tensor<4x2xf32> {
      %0 = tenon.softmax %w dims [0] : tensor<4x2xf32>
      tenon_tile.yield %0 : tensor<4x2xf32>
    })"));
  // Two users, one of which asks for other rows.
  EXPECT_FALSE(hasPieces(R"(
    tenon_tile.form @f(%w: tensor<4x4xi8>) -> tensor<4x4xi8> {
      %0 = tenon.neg %w : tensor<4x4xi8>
      %1 = tenon.transpose %0 [1, 0] : tensor<4x4xi8> -> tensor<4x4xi8>
      %2 = tenon.add %0, %1 : tensor<4x4xi8>
      tenon_tile.yield %2 : tensor<4x4xi8>
    })"));
  // A row is half of one.
  EXPECT_FALSE(hasPieces(R"(
    tenon_tile.form @f(%w: tensor<3x4xi8>) -> tensor<6x2xi8> {
      %0 = tenon.neg %w : tensor<3x4xi8>
      %1 = tenon.reshape %0 sizes [6, 2] : tensor<3x4xi8> -> tensor<6x2xi8>
      tenon_tile.yield %1 : tensor<6x2xi8>
    })"));
}

TEST(FormPieces, areAsLargeAsTensorsInBetweenAllow) {
  Module given(R"(
    tenon_tile.form @f(%w: tensor<64x16xi8>) -> tensor<64xi8> {
      %0 = tenon.neg %w : tensor<64x16xi8>
      %1 = tenon.reduce sum %0 dims [1] : tensor<64x16xi8> -> tensor<64xi8>
      tenon_tile.yield %1 : tensor<64xi8>
    })");
  FormOp form = given.first<FormOp>();
  EXPECT_EQ(placesFor(form, 32), 2);
  EXPECT_EQ(placesFor(form, 1), 1);
  EXPECT_EQ(placesFor(form, 1 << 20), 64);
}
} // namespace

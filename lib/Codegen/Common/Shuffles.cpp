//===- Shuffles.cpp - Vectors as the rows of a block ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shuffles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;

/// `shuffle` on vectors of a type that can be shuffled.
static SmallVector<Value> shuffled(ElementEmitter &e, ArrayRef<Value> vectors,
                                   function_ref<SmallVector<Value>(SmallVector<Value>)> shuffle) {
  SmallVector<Value> rows(vectors);
  auto type = cast<VectorType>(rows.front().getType());
  if (!isa<FloatType>(type.getElementType()) || type.getElementTypeBitWidth() != 16)
    return shuffle(rows);
  auto cast = [&](VectorType to) {
    for (Value &row : rows)
      row = arith::BitcastOp::create(e.builder, e.loc, to, row);
  };
  cast(type.clone(e.builder.getI16Type()));
  rows = shuffle(rows);
  cast(type);
  return rows;
}

/// Each step exchanges a bit of the row's number for one of the column's. Within four elements, those that most
/// instructions shuffle among, interleaving the halves of two rows does so for the higher bit; beyond, the rows
/// exchange halves.
SmallVector<Value> codegen::turn(ElementEmitter &e, ArrayRef<Value> block) {
  constexpr int64_t quad = 4;
  return shuffled(e, block, [&](SmallVector<Value> rows) {
    int64_t count = rows.size();
    auto exchange = [&](int64_t bit, function_ref<int64_t(int64_t lane, bool isHigh)> source) {
      SmallVector<int64_t> low, high;
      for (int64_t lane = 0; lane < count; ++lane) {
        low.push_back(source(lane, false));
        high.push_back(source(lane, true));
      }
      for (int64_t i = 0; i < count; ++i)
        if (!(i & bit)) {
          Value first = rows[i], second = rows[i | bit];
          rows[i] = vector::ShuffleOp::create(e.builder, e.loc, first, second, low);
          rows[i | bit] = vector::ShuffleOp::create(e.builder, e.loc, first, second, high);
        }
    };
    for (int64_t bit = std::min(count, quad) / 2; bit > 0; bit /= 2)
      exchange(bit, [&](int64_t lane, bool isHigh) {
        int64_t within = lane % quad;
        return lane - within + within / 2 + (isHigh ? std::min(count, quad) / 2 : 0) + within % 2 * count;
      });
    for (int64_t bit = quad; bit < count; bit *= 2)
      exchange(bit, [&](int64_t lane, bool isHigh) {
        return isHigh ? (lane & bit ? count + lane : lane + bit) : (lane & bit ? count + lane - bit : lane);
      });
    return rows;
  });
}

SmallVector<Value> codegen::interleave(ElementEmitter &e, ArrayRef<Value> vectors) {
  return shuffled(e, vectors, [&](SmallVector<Value> columns) {
    int64_t count = columns.size(), lanes = cast<VectorType>(columns.front().getType()).getDimSize(0);
    SmallVector<Value> result;
    for (int64_t i = 0; i < count; ++i) {
      // Each column puts its elements where they belong; those of the first wait for the second.
      Value gathered = columns[0];
      for (int64_t column = 1; column < count; ++column) {
        SmallVector<int64_t> sources;
        for (int64_t lane = 0; lane < lanes; ++lane) {
          int64_t source = (i * lanes + lane) % count, position = (i * lanes + lane) / count;
          sources.push_back(source == column ? lanes + position : column == 1 ? position : lane);
        }
        gathered = vector::ShuffleOp::create(e.builder, e.loc, gathered, columns[column], sources);
      }
      result.push_back(gathered);
    }
    return result;
  });
}

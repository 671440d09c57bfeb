//===- ExpandMicrokernels.cpp - Turn register tiles into loops of fused multiply-adds ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace tenon::codegen {
#define GEN_PASS_DEF_EXPANDMICROKERNELSPASS
#include "tenon/Codegen/Common/Passes.h.inc"
} // namespace tenon::codegen

namespace {
class Expansion {
public:
  explicit Expansion(MicrokernelOp op)
      : op(op), builder(op), loc(op.getLoc()), whole(cast<VectorType>(op.getResultTypes().front())) {
    // LLVM pads vectors to a power of two: others are computed in pieces of one.
    int64_t lanes = whole.getDimSize(0);
    vector = VectorType::get(lanes & -lanes, whole.getElementType());
    pieces = lanes / vector.getDimSize(0);
  }

  void run() {
    zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector));
    if (op.getColumns())
      for (int64_t piece = 0; piece < pieces; ++piece) {
        Value left = op.getColumns();
        if (piece > 0)
          left = arith::MaxSIOp::create(builder, loc, sub(left, index(first(piece))), index(0));
        masks.push_back(vector::CreateMaskOp::create(
            builder, loc, VectorType::get(vector.getShape(), builder.getI1Type()), ValueRange(left)));
      }
    SmallVector<Value> sums(op.getNumResults() * pieces, zero);
    for (auto [i, init] : llvm::enumerate(op.getInit()))
      for (int64_t piece = 0; piece < pieces; ++piece)
        sums[i * pieces + piece] =
            pieces == 1
                ? init
                : vector::ExtractStridedSliceOp::create(builder, loc, init, first(piece), first(1), 1).getResult();
    int64_t unroll = op.getUnroll();
    Value turns = op.getDepth();
    if (unroll > 1)
      turns = sub(turns, rem(turns, index(unroll)));
    loop(index(0), turns, unroll, sums);
    std::optional<int64_t> depth = getConstantIntValue(op.getDepth());
    if (unroll > 1 && (!depth || *depth % unroll != 0))
      loop(turns, op.getDepth(), 1, sums);
    for (auto [i, result] : llvm::enumerate(op.getResults())) {
      Value sum = sums[i * pieces];
      if (pieces > 1)
        sum = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(whole));
      for (int64_t piece = 0; pieces > 1 && piece < pieces; ++piece)
        sum = vector::InsertStridedSliceOp::create(builder, loc, sums[i * pieces + piece], sum, first(piece), 1);
      result.replaceAllUsesWith(sum);
    }
    op->erase();
  }

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value add(Value a, Value b) { return arith::AddIOp::create(builder, loc, a, b); }
  Value sub(Value a, Value b) { return arith::SubIOp::create(builder, loc, a, b); }
  Value rem(Value a, Value b) { return arith::RemUIOp::create(builder, loc, a, b); }
  Value mul(Value a, Value b) { return arith::MulIOp::create(builder, loc, a, b); }

  /// The first lane of a piece.
  int64_t first(int64_t piece) { return piece * vector.getDimSize(0); }

  void loop(Value low, Value high, int64_t products, SmallVector<Value> &sums) {
    auto loop = scf::ForOp::create(builder, loc, low, high, index(products), sums);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    sums.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
    if (op.getPrefetch() && products == (int64_t)op.getUnroll())
      prefetch(loop.getInductionVar());
    for (int64_t i = 0; i < products; ++i)
      addProducts(add(loop.getInductionVar(), index(i)), sums);
    scf::YieldOp::create(builder, loc, sums);
    sums.assign(loop.getResults().begin(), loop.getResults().end());
  }

  /// The products of place `k` of the summed dimension, row by row.
  void addProducts(Value k, MutableArrayRef<Value> sums) {
    Value start = add(op.getRhsOffset(), mul(k, op.getRhsStride()));
    SmallVector<Value> columns;
    for (int64_t piece = 0; piece < pieces; ++piece) {
      Value place = piece == 0 ? start : add(start, index(first(piece)));
      if (masks.empty())
        columns.push_back(vector::LoadOp::create(builder, loc, vector, op.getRhs(), place));
      else
        columns.push_back(vector::MaskedLoadOp::create(builder, loc, vector, op.getRhs(), place, masks[piece], zero));
    }
    for (auto [i, row] : llvm::enumerate(op.getRows())) {
      Value scalar = memref::LoadOp::create(builder, loc, op.getLhs(), add(row, mul(k, op.getLhsStride())));
      Value factor = vector::BroadcastOp::create(builder, loc, vector, scalar);
      for (auto [column, sum] : llvm::zip(columns, sums.slice(i * pieces, pieces)))
        sum = vector::FMAOp::create(builder, loc, factor, column, sum);
    }
  }

  void prefetch(Value k) {
    Value turn = arith::DivUIOp::create(builder, loc, k, index(op.getUnroll()));
    Value place = add(op.getPrefetch(), mul(turn, op.getPrefetchStep()));
    memref::PrefetchOp::create(builder, loc, op.getRhs(), place, /*isWrite=*/false, /*localityHint=*/2,
                               /*isDataCache=*/true);
  }

  MicrokernelOp op;
  OpBuilder builder;
  Location loc;
  VectorType whole, vector; ///< of a row, and of a piece of it
  int64_t pieces;
  Value zero;
  SmallVector<Value> masks; ///< the columns that are read, by piece, or none when all are
};

struct ExpandMicrokernelsPass : tenon::codegen::impl::ExpandMicrokernelsPassBase<ExpandMicrokernelsPass> {
  void runOnOperation() override {
    SmallVector<MicrokernelOp> ops;
    getOperation().walk([&](MicrokernelOp op) { ops.push_back(op); });
    for (MicrokernelOp op : ops)
      Expansion(op).run();
  }
};
} // namespace

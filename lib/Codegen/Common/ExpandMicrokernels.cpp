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
      : op(op), builder(op), loc(op.getLoc()), vector(cast<VectorType>(op.getResultTypes().front())) {}

  void run() {
    zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector));
    if (op.getColumns())
      mask = vector::CreateMaskOp::create(
          builder, loc, VectorType::get(vector.getShape(), builder.getI1Type()), ValueRange(op.getColumns()));
    SmallVector<Value> sums(op.getNumResults(), zero);
    if (!op.getInit().empty())
      sums = op.getInit();
    int64_t unroll = op.getUnroll();
    Value whole = op.getDepth();
    if (unroll > 1)
      whole = sub(whole, rem(whole, index(unroll)));
    loop(index(0), whole, unroll, sums);
    std::optional<int64_t> depth = getConstantIntValue(op.getDepth());
    if (unroll > 1 && (!depth || *depth % unroll != 0))
      loop(whole, op.getDepth(), 1, sums);
    op->replaceAllUsesWith(sums);
    op->erase();
  }

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value add(Value a, Value b) { return arith::AddIOp::create(builder, loc, a, b); }
  Value sub(Value a, Value b) { return arith::SubIOp::create(builder, loc, a, b); }
  Value rem(Value a, Value b) { return arith::RemUIOp::create(builder, loc, a, b); }
  Value mul(Value a, Value b) { return arith::MulIOp::create(builder, loc, a, b); }

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
    Value place = add(op.getRhsOffset(), mul(k, op.getRhsStride())), columns;
    if (mask)
      columns = vector::MaskedLoadOp::create(builder, loc, vector, op.getRhs(), place, mask, zero);
    else
      columns = vector::LoadOp::create(builder, loc, vector, op.getRhs(), place);
    for (auto [row, sum] : llvm::zip(op.getRows(), sums)) {
      Value scalar = memref::LoadOp::create(builder, loc, op.getLhs(), add(row, mul(k, op.getLhsStride())));
      Value factor = vector::BroadcastOp::create(builder, loc, vector, scalar);
      sum = vector::FMAOp::create(builder, loc, factor, columns, sum);
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
  VectorType vector;
  Value zero;
  Value mask; ///< the columns that are read, or null when all are
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

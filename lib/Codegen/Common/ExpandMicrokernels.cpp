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
/// The products that one turn of the loop adds where the depth is known: enough to hide the loop's own
/// instructions.
constexpr int64_t unrolled = 4;
/// Products per prefetched line.
constexpr int64_t productsPerLine = 2;

class Expansion {
public:
  explicit Expansion(MicrokernelOp op)
      : op(op), builder(op), loc(op.getLoc()), vector(cast<VectorType>(op.getResultTypes().front())) {}

  void run() {
    Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector));
    if (op.getColumns())
      mask = vector::CreateMaskOp::create(
          builder, loc, VectorType::get(vector.getShape(), builder.getI1Type()), ValueRange(op.getColumns()));
    SmallVector<Value> sums(op.getNumResults(), zero);
    if (!op.getInit().empty())
      sums = op.getInit();
    std::optional<int64_t> depth = getConstantIntValue(op.getDepth());
    int64_t step = depth ? unrolled : 1;
    Value low = index(0), high = depth ? index(*depth - *depth % step) : op.getDepth();
    auto loop = scf::ForOp::create(builder, loc, low, high, index(step), sums);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      sums.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
      if (op.getPrefetch() && depth)
        prefetch(loop.getInductionVar());
      for (int64_t i = 0; i < step; ++i)
        addProducts(add(loop.getInductionVar(), index(i)), zero, sums);
      scf::YieldOp::create(builder, loc, sums);
    }
    sums.assign(loop.getResults().begin(), loop.getResults().end());
    for (int64_t i = 0; depth && i < *depth % step; ++i)
      addProducts(add(high, index(i)), zero, sums);
    op->replaceAllUsesWith(sums);
    op->erase();
  }

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value add(Value a, Value b) { return arith::AddIOp::create(builder, loc, a, b); }
  Value mul(Value a, Value b) { return arith::MulIOp::create(builder, loc, a, b); }

  /// The products of place `k` of the summed dimension, row by row.
  void addProducts(Value k, Value zero, MutableArrayRef<Value> sums) {
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

  /// The lines that belong to one turn of the loop.
  void prefetch(Value k) {
    Value line = arith::DivUIOp::create(builder, loc, k, index(productsPerLine));
    for (int64_t i = 0; i < unrolled / productsPerLine; ++i) {
      Value place = add(op.getPrefetch(), mul(add(line, index(i)), op.getPrefetchStep()));
      memref::PrefetchOp::create(builder, loc, op.getRhs(), place, /*isWrite=*/false, /*localityHint=*/2,
                                 /*isDataCache=*/true);
    }
  }

  MicrokernelOp op;
  OpBuilder builder;
  Location loc;
  VectorType vector;
  Value mask; ///< the columns that are read, or null when all are
};
} // namespace

namespace {
struct ExpandMicrokernelsPass : tenon::codegen::impl::ExpandMicrokernelsPassBase<ExpandMicrokernelsPass> {
  void runOnOperation() override {
    SmallVector<MicrokernelOp> ops;
    getOperation().walk([&](MicrokernelOp op) { ops.push_back(op); });
    for (MicrokernelOp op : ops)
      Expansion(op).run();
  }
};
} // namespace

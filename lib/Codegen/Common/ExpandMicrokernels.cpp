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

static void expand(MicrokernelOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto vector = cast<VectorType>(op.getResultTypes().front());
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector)), mask;
  if (op.getColumns())
    mask = vector::CreateMaskOp::create(builder, loc, VectorType::get(vector.getShape(), builder.getI1Type()),
                                        ValueRange(op.getColumns()));
  Value low = arith::ConstantIndexOp::create(builder, loc, 0), step = arith::ConstantIndexOp::create(builder, loc, 1);
  auto loop = scf::ForOp::create(builder, loc, low, op.getDepth(), step,
                                 SmallVector<Value>(op.getNumResults(), zero));
  builder.setInsertionPointToStart(loop.getBody());
  auto advance = [&](Value start, Value stride) -> Value {
    Value distance = arith::MulIOp::create(builder, loc, loop.getInductionVar(), stride);
    return arith::AddIOp::create(builder, loc, start, distance);
  };
  Value place = advance(op.getRhsOffset(), op.getRhsStride()), columns;
  if (mask)
    columns = vector::MaskedLoadOp::create(builder, loc, vector, op.getRhs(), place, mask, zero);
  else
    columns = vector::LoadOp::create(builder, loc, vector, op.getRhs(), place);
  SmallVector<Value> sums;
  for (auto [row, sum] : llvm::zip(op.getRows(), loop.getRegionIterArgs())) {
    Value scalar = memref::LoadOp::create(builder, loc, op.getLhs(), advance(row, op.getLhsStride()));
    Value factor = vector::BroadcastOp::create(builder, loc, vector, scalar);
    sums.push_back(vector::FMAOp::create(builder, loc, factor, columns, sum));
  }
  scf::YieldOp::create(builder, loc, sums);
  op->replaceAllUsesWith(loop.getResults());
  op->erase();
}

namespace {
struct ExpandMicrokernelsPass : tenon::codegen::impl::ExpandMicrokernelsPassBase<ExpandMicrokernelsPass> {
  void runOnOperation() override {
    SmallVector<MicrokernelOp> ops;
    getOperation().walk([&](MicrokernelOp op) { ops.push_back(op); });
    llvm::for_each(ops, expand);
  }
};
} // namespace

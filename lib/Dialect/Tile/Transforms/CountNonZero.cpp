//===- CountNonZero.cpp - Find how many elements are not zero ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

using namespace mlir;
using namespace tenon;

namespace tenon::tile {
#define GEN_PASS_DEF_COUNTNONZEROPASS
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace tenon::tile

namespace {
struct CountNonZeroPass : tile::impl::CountNonZeroPassBase<CountNonZeroPass> {
  void runOnChecked() override {
    SizeAnalysis sizes(&getContext());
    SmallVector<NonZeroOp> ops;
    getOperation().walk([&](NonZeroOp op) {
      if (!op.getCount())
        ops.push_back(op);
    });
    for (NonZeroOp op : ops) {
      OpBuilder builder(op);
      Location loc = op.getLoc();
      auto type = cast<RankedTensorType>(op.getOperand().getType());
      auto i64 = type.clone(builder.getI64Type());
      // A conversion to i1 says whether a value is not zero.
      Value isSet = op.getOperand();
      if (!type.getElementType().isInteger(1))
        isSet = CastOp::create(builder, loc, type.clone(builder.getI1Type()), isSet);
      Value ones = CastOp::create(builder, loc, i64, isSet);
      auto dims = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
      Value count =
          ReduceOp::create(builder, loc, RankedTensorType::get({}, builder.getI64Type()), Combiner::sum, ones, dims);
      Value number = ItemOp::create(builder, loc, builder.getIndexType(), count, 0);
      op.getCountMutable().assign(number);
      // Sizes of the positions are this number from now on.
      for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
        if (auto size = dyn_cast<SizeOp>(user); size && size.getDim() == 1)
          size.getResult().replaceAllUsesWith(number);
    }
  }
};
} // namespace

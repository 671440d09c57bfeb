//===- SimplifyContraction.cpp - Transposes into the indexing maps of contractions ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace tenon;

namespace {
/// The operand before its transpose, under permuted dimensions.
struct ContractOfTranspose : OpRewritePattern<ContractOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ContractOp op, PatternRewriter &rewriter) const override {
    SmallVector<AffineMap> maps = op.getOperandMaps();
    maps.append(op.getResultMaps());
    SmallVector<Value> operands = {op.getLhs(), op.getRhs()};
    bool changed = false;
    for (auto [operand, map] : llvm::zip(operands, maps)) {
      auto transpose = operand.getDefiningOp<TransposeOp>();
      if (!transpose)
        continue;
      SmallVector<AffineExpr> dims(map.getNumResults());
      for (auto [i, dim] : llvm::enumerate(transpose.getPermutation()))
        dims[dim] = map.getResult(i);
      map = AffineMap::get(map.getNumDims(), 0, dims, op.getContext());
      operand = transpose.getOperand();
      changed = true;
    }
    if (!changed)
      return failure();
    rewriter.replaceOpWithNewOp<ContractOp>(op, op.getType(), operands[0], operands[1],
                                            rewriter.getAffineMapArrayAttr(maps));
    return success();
  }
};

/// The transposed result, where rows of it are still rows of one operand: its last dimension stays, or is one
/// of the other operand, whose columns then become rows. That one is transposed instead, unless its columns are rows
/// already: no gain where it has more elements than the result.
struct TransposeOfContract : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto contract = op.getOperand().getDefiningOp<ContractOp>();
    if (!contract || !contract->hasOneUse() || op.getPermutation().empty())
      return failure();
    SmallVector<AffineMap> maps = contract.getOperandMaps();
    AffineMap map = contract.getResultMaps()[0];
    SmallVector<AffineExpr> dims;
    for (int64_t dim : op.getPermutation())
      dims.push_back(map.getResult(dim));
    AffineExpr last = map.getResults().back(), newLast = dims.back();
    auto isIn = [&](int operand, AffineExpr dim) { return llvm::is_contained(maps[operand].getResults(), dim); };
    bool isOfOther =
        isIn(0, last) != isIn(1, last) && isIn(0, newLast) != isIn(1, newLast) && isIn(0, last) != isIn(0, newLast);
    if (last != newLast && (!isOfOther || hasLargerColumns(contract, isIn(0, newLast) ? 0 : 1, newLast)))
      return failure();
    maps.push_back(AffineMap::get(map.getNumDims(), 0, dims, op.getContext()));
    rewriter.setInsertionPoint(contract);
    auto replacement = ContractOp::create(rewriter, contract.getLoc(), op.getType(), contract.getLhs(),
                                          contract.getRhs(), rewriter.getAffineMapArrayAttr(maps));
    rewriter.replaceOp(op, replacement.getResult());
    rewriter.eraseOp(contract);
    return success();
  }

private:
  /// Whether transposing an operand, so that `column` is its last dimension, moves more elements than transposing the
  /// result. They have the same ones but for those dimensions that only one of them has.
  static bool hasLargerColumns(ContractOp contract, unsigned number, AffineExpr column) {
    Value operand = contract->getOperand(number);
    AffineMap map = contract.getOperandMaps()[number], result = contract.getResultMaps()[0];
    if (map.getResults().back() == column || operand.getDefiningOp<ConstantOp>())
      return false;
    // What is no op of the graph says where elements lie that no buffer has, as windows: transposing it would make one.
    if (Operation *source = operand.getDefiningOp(); source && !isa_and_present<TenonDialect>(source->getDialect()))
      return true;
    auto elementsBeyond = [](Value tensor, AffineMap map, AffineMap other) {
      int64_t count = 1;
      for (auto [size, dim] : llvm::zip(cast<RankedTensorType>(tensor.getType()).getShape(), map.getResults()))
        if (!llvm::is_contained(other.getResults(), dim))
          count = ShapedType::isDynamic(size) || ShapedType::isDynamic(count) ? ShapedType::kDynamic : count * size;
      return count;
    };
    int64_t moved = elementsBeyond(operand, map, result), given = elementsBeyond(contract.getResult(), result, map);
    return !ShapedType::isDynamic(moved) && !ShapedType::isDynamic(given) && moved > given;
  }
};
} // namespace

void tenon::populateSimplifyContractionPatterns(RewritePatternSet &patterns) {
  patterns.add<ContractOfTranspose, TransposeOfContract>(patterns.getContext());
}

//===- CanonicalizeContractions.cpp - Write contractions as products of rows with columns ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace tenon::tile {
#define GEN_PASS_DEF_CANONICALIZECONTRACTIONSPASS
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace tenon::tile

static AffineMap mapOf(ContractOp op, unsigned operand) {
  return cast<AffineMapAttr>(op.getIndexingMaps()[operand]).getValue();
}

/// The contraction with its operands swapped where the result's last dimension is one of the first operand alone.
static void orderOperands(ContractOp op) {
  AffineMap lhs = mapOf(op, 0), rhs = mapOf(op, 1), result = mapOf(op, 2);
  unsigned last = cast<AffineDimExpr>(result.getResults().back()).getPosition();
  if (!lhs.isFunctionOfDim(last) || rhs.isFunctionOfDim(last))
    return;
  Value first = op.getLhs(), second = op.getRhs();
  op.getLhsMutable().assign(second);
  op.getRhsMutable().assign(first);
  op.setIndexingMapsAttr(Builder(op.getContext()).getAffineMapArrayAttr({rhs, lhs, result}));
}

/// The second operand with the result's columns last.
static void transposeColumns(ContractOp op, OpBuilder &builder) {
  AffineMap rhs = mapOf(op, 1), result = mapOf(op, 2);
  unsigned column = cast<AffineDimExpr>(result.getResults().back()).getPosition();
  if (!rhs.isFunctionOfDim(column) || cast<AffineDimExpr>(rhs.getResults().back()).getPosition() == column)
    return;
  SmallVector<int64_t> permutation, shape;
  SmallVector<AffineExpr> expressions;
  auto type = cast<RankedTensorType>(op.getRhs().getType());
  auto append = [&](bool isColumn) {
    for (auto [i, expression] : llvm::enumerate(rhs.getResults()))
      if ((cast<AffineDimExpr>(expression).getPosition() == column) == isColumn) {
        permutation.push_back(i);
        shape.push_back(type.getDimSize(i));
        expressions.push_back(expression);
      }
  };
  append(false);
  append(true);
  auto transposed = TransposeOp::create(builder, op.getLoc(), type.clone(shape), op.getRhs(), permutation);
  op.getRhsMutable().assign(transposed);
  AffineMap map = AffineMap::get(rhs.getNumDims(), 0, expressions, op.getContext());
  op.setIndexingMapsAttr(builder.getAffineMapArrayAttr({mapOf(op, 0), map, result}));
}

/// Whether bytes of a constant are between -64 and 64, as quantisers make weights for processors that add pairs of
/// products in 16 bits.
static bool hasSevenBits(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant || !getElementTypeOrSelf(value).isSignlessInteger(8))
    return false;
  auto isShort = [](int8_t number) { return number >= -64 && number <= 64; };
  if (auto blob = dyn_cast<tenon::BlobAttr>(constant.getValue())) {
    llvm::Expected<ArrayRef<char>> bytes = blob.getData();
    return bytes ? llvm::all_of(*bytes, isShort) : (llvm::consumeError(bytes.takeError()), false);
  }
  auto elements = dyn_cast<DenseIntElementsAttr>(constant.getValue());
  return elements && llvm::all_of(elements.getValues<int8_t>(), isShort);
}

namespace {
struct CanonicalizeContractionsPass : tile::impl::CanonicalizeContractionsPassBase<CanonicalizeContractionsPass> {
  void runOnChecked() override {
    getOperation().walk([](ContractOp op) {
      auto type = cast<RankedTensorType>(op.getResult().getType());
      Type element = type.getElementType();
      bool areBytes = getElementTypeOrSelf(op.getLhs()).isInteger(8) && getElementTypeOrSelf(op.getRhs()).isInteger(8);
      bool isSummed = element.isF32() || element.isF16() || element.isBF16() || areBytes;
      if (!isSummed || type.getRank() == 0)
        return;
      OpBuilder builder(op);
      orderOperands(op);
      // Constants come in forms.
      if (!constantDepth(op))
        transposeColumns(op, builder);
      else if (areBytes && hasSevenBits(op.getRhs()))
        op->setAttr(kSevenBitsAttr, builder.getUnitAttr());
    });
  }
};
} // namespace

//===- CanonicalizeContractions.cpp - Write contractions as products of rows with columns ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/ConstantExpression.h"
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

/// The least and the greatest element of a constant of integers of whole bytes.
static std::optional<std::pair<int64_t, int64_t>> rangeOf(const ConstantExpression::Leaf &leaf) {
  auto type = dyn_cast<IntegerType>(leaf.getElement());
  if (!type || type.getWidth() % 8 != 0 || type.getWidth() > 32)
    return std::nullopt;
  std::pair<int64_t, int64_t> range = {INT64_MAX, INT64_MIN};
  auto add = [&](const APInt &element) {
    int64_t number = type.isUnsigned() ? int64_t(element.getZExtValue()) : element.getSExtValue();
    range = {std::min(range.first, number), std::max(range.second, number)};
  };
  auto constant = leaf.value ? leaf.value.getDefiningOp<ConstantOp>() : ConstantOp();
  if (auto number = dyn_cast_if_present<IntegerAttr>(leaf.number))
    add(number.getValue());
  else if (auto elements = constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue()) : DenseIntElementsAttr())
    llvm::for_each(elements.getValues<APInt>(), add);
  else if (auto blob = constant ? dyn_cast<tenon::BlobAttr>(constant.getValue()) : tenon::BlobAttr()) {
    llvm::Expected<ArrayRef<char>> bytes = blob.getData();
    if (!bytes)
      return llvm::consumeError(bytes.takeError()), std::nullopt;
    size_t step = type.getWidth() / 8;
    for (size_t i = 0; i + step <= bytes->size(); i += step) {
      uint32_t word = 0;
      std::memcpy(&word, bytes->data() + i, step);
      add(APInt(type.getWidth(), word));
    }
  }
  return range.first > range.second ? std::nullopt : std::optional(range);
}

/// Whether columns are numbers less zero points of which some are far from the middle of the numbers' type.
static bool hasFarOffsets(ContractOp op) {
  std::optional<ConstantExpression> columns = constantColumns(op);
  std::optional<int64_t> depth = constantDepth(op);
  if (!columns || !depth)
    return false;
  auto leafOf = [&](unsigned number) -> const ConstantExpression::Leaf * {
    const ConstantExpression::Node *node = &columns->getNodes()[number];
    while (isa_and_present<CastOp>(node->op))
      node = &columns->getNodes()[node->operands[0]];
    return node->op ? nullptr : &columns->getLeaves()[node->leaf];
  };
  // With so many steps of the numbers a sum loses no more digits than sums do anyway.
  constexpr int64_t mostSteps = 32;
  auto isFar = [&](const ConstantExpression::Leaf *numbers, const ConstantExpression::Leaf *offsets) {
    auto type = numbers && offsets ? dyn_cast<IntegerType>(numbers->getElement()) : IntegerType();
    if (!type || type.getWidth() < 8 || numbers->stepAlong(*depth) != 1 || offsets->stepAlong(*depth) == 1)
      return false;
    // As bytes without a sign are stored (docs/decisions/0024).
    int64_t middle = type.isUnsigned() && type.getWidth() == 8 ? 128 : 0;
    std::optional<std::pair<int64_t, int64_t>> range = rangeOf(*offsets);
    return range && (range->first < middle - mostSteps || range->second > middle + mostSteps);
  };
  return llvm::any_of(columns->getNodes(), [&](const ConstantExpression::Node &node) {
    if (!isa_and_present<AddOp, SubOp>(node.op))
      return false;
    const ConstantExpression::Leaf *lhs = leafOf(node.operands[0]), *rhs = leafOf(node.operands[1]);
    return isFar(lhs, rhs) || isFar(rhs, lhs);
  });
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
      else if (hasFarOffsets(op))
        op->setAttr(kFarOffsetsAttr, builder.getUnitAttr());
    });
  }
};
} // namespace

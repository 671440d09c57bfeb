//===- RecognizeAttention.cpp - Two contractions around a softmax ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Forms.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace tenon;

namespace {
SmallVector<unsigned> dimsOf(AffineMap map) {
  return llvm::map_to_vector(map.getResults(),
                             [](AffineExpr result) { return cast<AffineDimExpr>(result).getPosition(); });
}

/// What the scores are made of, found from the softmax upwards.
struct Scores {
  ContractOp contract;
  double scale = 1;
  Value mask;                    ///< null for none
  SmallVector<int64_t> maskDims; ///< of the scores
  std::optional<double> fill;
};

/// The value under multiplications by numbers, which go into `scale`.
Value unscaled(Value value, double &scale) {
  while (value.hasOneUse()) {
    std::optional<double> factor;
    Value inner;
    if (auto product = value.getDefiningOp<MulOp>())
      eitherOrder(product, [&](Value x, Value number) {
        factor = numberOf(number);
        inner = x;
        return factor.has_value();
      });
    else if (auto quotient = value.getDefiningOp<DivOp>())
      if (std::optional<double> divisor = numberOf(quotient.getRhs()); divisor && *divisor != 0) {
        factor = 1 / *divisor;
        inner = quotient.getLhs();
      }
    if (!factor)
      break;
    scale *= *factor;
    value = inner;
  }
  return value;
}

/// Drops the dimensions of size 1 that a broadcast repeats: what is left are dimensions of its result.
bool takeMask(Value mask, Scores &scores, PatternRewriter &rewriter) {
  auto broadcast = mask.getDefiningOp<BroadcastOp>();
  SmallVector<int64_t> dims;
  if (!broadcast) {
    for (int64_t dim = 0; dim < cast<RankedTensorType>(mask.getType()).getRank(); ++dim)
      dims.push_back(dim);
    scores.mask = mask;
    scores.maskDims = dims;
    return true;
  }
  Value operand = broadcast.getOperand();
  auto type = cast<RankedTensorType>(operand.getType());
  SizeAnalysis sizes(broadcast.getContext());
  SmallVector<AffineExpr> from = sizes.sizesOf(operand), to = sizes.sizesOf(broadcast.getResult());
  SmallVector<AffineExpr> kept;
  SmallVector<int64_t> shape;
  for (auto [i, dim] : llvm::enumerate(broadcast.getDims())) {
    if (SizeAnalysis::staticSize(from[i]) == 1)
      continue;
    // One that might be repeated at run time.
    if (from[i] != to[dim])
      return false;
    dims.push_back(dim);
    kept.push_back(from[i]);
    shape.push_back(type.getDimSize(i));
  }
  scores.maskDims = dims;
  scores.mask = operand;
  if (kept.size() != from.size()) {
    SmallVector<Value> dynamic;
    SmallVector<int64_t> fixed;
    dispatchIndexOpFoldResults(sizes.materialize(rewriter, broadcast.getLoc(), ArrayRef(kept)), dynamic, fixed);
    scores.mask = ReshapeOp::create(rewriter, broadcast.getLoc(), type.clone(shape), operand, dynamic, fixed);
  }
  return true;
}

/// `softmax(scale * contract + mask)` along the last of its dimensions that is found.
class Match {
public:
  Match(ContractOp root, PatternRewriter &rewriter) : root(root), rewriter(rewriter) {}

  LogicalResult run() {
    for (bool weightsAreLeft : {true, false})
      if (succeeded(match(weightsAreLeft)))
        return success();
    return failure();
  }

private:
  LogicalResult match(bool weightsAreLeft) {
    Value weights = weightsAreLeft ? root.getLhs() : root.getRhs();
    value = weightsAreLeft ? root.getRhs() : root.getLhs();
    SmallVector<AffineMap> maps = llvm::to_vector(root.getIndexingMaps().getAsValueRange<AffineMapAttr>());
    weightDims = dimsOf(maps[weightsAreLeft ? 0 : 1]);
    valueDims = dimsOf(maps[weightsAreLeft ? 1 : 0]);
    resultDims = dimsOf(maps[2]);
    dimCount = maps[0].getNumDims();
    weights = withoutNanGuard(weights);
    auto softmax = weights.getDefiningOp<SoftmaxOp>();
    if (!softmax || softmax.getLog() || softmax.getDims().size() != 1 || !isUsedInside(softmax))
      return failure();
    keyDim = weightDims[softmax.getDims().front()];
    if (llvm::is_contained(resultDims, keyDim) || !llvm::is_contained(valueDims, keyDim))
      return failure();
    // Every other dimension of weights and value is one of the result.
    for (unsigned dim : llvm::concat<unsigned>(weightDims, valueDims))
      if (dim != keyDim && !llvm::is_contained(resultDims, dim))
        return failure();
    Value scores = softmax.getOperand();
    if (!scores.hasOneUse() || !findScores(scores))
      return failure();
    return replace();
  }

  /// PyTorch's `select(is_nan(w), 0, w)`.
  Value withoutNanGuard(Value weights) {
    auto select = weights.getDefiningOp<SelectOp>();
    auto isNaN = select ? select.getCondition().getDefiningOp<IsNanOp>() : IsNanOp();
    zeroNan = isNaN && isNaN.getOperand() == select.getFalseValue() && numberOf(select.getTrueValue()) == 0.0;
    guard = zeroNan ? select : SelectOp();
    return zeroNan ? select.getFalseValue() : weights;
  }

  bool isUsedInside(SoftmaxOp softmax) {
    if (!guard)
      return softmax.getResult().hasOneUse();
    return guard.getResult().hasOneUse() && guard.getCondition().hasOneUse() &&
           isUsedBy(softmax.getResult(), {guard, guard.getCondition().getDefiningOp()});
  }

  bool findScores(Value value) {
    found = Scores();
    Value inner = value, mask;
    if (auto sum = value.getDefiningOp<AddOp>()) {
      bool matched = eitherOrder(sum, [&](Value product, Value other) {
        double scale = 1;
        Value raw = product.hasOneUse() ? unscaled(product, scale) : Value();
        if (!raw || !raw.getDefiningOp<ContractOp>() || !raw.hasOneUse())
          return false;
        inner = product;
        mask = other;
        return true;
      });
      if (!matched)
        return false;
    } else if (auto select = value.getDefiningOp<SelectOp>()) {
      found.fill = numberOf(select.getFalseValue());
      inner = select.getTrueValue();
      mask = select.getCondition();
      if (!found.fill || !inner.hasOneUse())
        return false;
    }
    Value raw = unscaled(inner, found.scale);
    found.contract = raw.getDefiningOp<ContractOp>();
    if (!found.contract || !raw.hasOneUse())
      return false;
    Type element = getElementTypeOrSelf(root.getType());
    for (Value operand : found.contract.getOperands())
      if (getElementTypeOrSelf(operand) != element)
        return false;
    if (!isa<FloatType>(element) || getElementTypeOrSelf(raw) != element ||
        getElementTypeOrSelf(this->value) != element)
      return false;
    return findRoles() && (!mask || takeMask(mask, found, rewriter));
  }

  /// Which operand of the first contraction has the keys, and its dimensions among those of the second one.
  bool findRoles() {
    SmallVector<AffineMap> maps = llvm::to_vector(found.contract.getIndexingMaps().getAsValueRange<AffineMapAttr>());
    SmallVector<unsigned> scoreDims = dimsOf(maps[2]);
    SmallVector<std::optional<unsigned>> renamed(maps[0].getNumDims());
    for (auto [from, to] : llvm::zip(scoreDims, weightDims))
      renamed[from] = to;
    total = dimCount;
    for (std::optional<unsigned> &dim : renamed)
      if (!dim)
        dim = total++;
    auto rename = [&](AffineMap map) {
      return llvm::map_to_vector(dimsOf(map), [&](unsigned dim) { return *renamed[dim]; });
    };
    queryDims = rename(maps[0]);
    keyDims = rename(maps[1]);
    query = found.contract.getLhs();
    key = found.contract.getRhs();
    if (llvm::is_contained(queryDims, keyDim)) {
      std::swap(queryDims, keyDims);
      std::swap(query, key);
    }
    if (llvm::is_contained(queryDims, keyDim) || !llvm::is_contained(keyDims, keyDim))
      return false;
    // Numbers that query and key are multiplied with go to the scores: fewer ops, and no copies of either.
    query = unscaled(query, found.scale);
    key = unscaled(key, found.scale);
    return true;
  }

  LogicalResult replace() {
    SmallVector<SmallVector<unsigned>> dims = {queryDims, keyDims, valueDims};
    if (found.mask)
      dims.push_back(llvm::map_to_vector(found.maskDims, [&](int64_t dim) { return weightDims[dim]; }));
    dims.push_back(resultDims);
    SmallVector<AffineMap> maps = llvm::map_to_vector(dims, [&](ArrayRef<unsigned> results) {
      return AffineMap::get(total, 0,
                            llvm::map_to_vector(results, [&](unsigned dim) { return rewriter.getAffineDimExpr(dim); }),
                            rewriter.getContext());
    });
    rewriter.replaceOpWithNewOp<AttentionOp>(
        root, root.getType(), query, key, value, found.mask, rewriter.getAffineMapArrayAttr(maps),
        rewriter.getF64FloatAttr(found.scale), found.fill ? rewriter.getF64FloatAttr(*found.fill) : FloatAttr(),
        zeroNan ? rewriter.getUnitAttr() : UnitAttr());
    return success();
  }

  ContractOp root;
  PatternRewriter &rewriter;
  Value query, key, value;
  SmallVector<unsigned> queryDims, keyDims, valueDims, weightDims, resultDims; ///< by the root's dimensions
  unsigned dimCount = 0, total = 0, keyDim = 0;
  bool zeroNan = false;
  SelectOp guard;
  Scores found;
};

struct RecognizeAttention : OpRewritePattern<ContractOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ContractOp op, PatternRewriter &rewriter) const override {
    return Match(op, rewriter).run();
  }
};
} // namespace

void tenon::populateRecognizeAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<RecognizeAttention>(patterns.getContext());
}

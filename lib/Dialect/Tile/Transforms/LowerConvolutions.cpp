//===- LowerConvolutions.cpp - Turn convolutions into contractions ---===//
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
#define GEN_PASS_DEF_LOWERCONVOLUTIONSPASS
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace tenon::tile

namespace {
/// Sums shorter than this are not worth a register tile.
constexpr int64_t minChannelsPerGroup = 2;

class Lowering {
public:
  explicit Lowering(ConvOp op)
      : op(op), builder(op), sizes(op.getContext()), spatial(op.getStrides().size()), groups(op.getGroups()) {}

  void run() {
    Value windows = unfold();
    // Dimensions: n, g, m, o.., c, k.. with g only where there are groups.
    unsigned g = groups != 1, count = 3 + g + 2 * spatial, next = 0;
    auto dim = [&](unsigned i) { return builder.getAffineDimExpr(i); };
    AffineExpr n = dim(next++), group = g ? dim(next++) : AffineExpr(), m = dim(next++);
    SmallVector<AffineExpr> places, taps;
    for (int64_t i = 0; i < spatial; ++i)
      places.push_back(dim(next++));
    AffineExpr c = dim(next++);
    for (int64_t i = 0; i < spatial; ++i)
      taps.push_back(dim(next++));
    auto map = [&](ArrayRef<AffineExpr> front, ArrayRef<AffineExpr> middle, ArrayRef<AffineExpr> back) {
      SmallVector<AffineExpr> all;
      for (AffineExpr e : front)
        if (e)
          all.push_back(e);
      llvm::append_range(all, middle);
      llvm::append_range(all, back);
      return AffineMap::get(count, 0, all, op.getContext());
    };
    bool isPointwise = windows == op.getInput();
    if (isPointwise)
      taps.clear();
    AffineMap maps[] = {map({group, m, c}, taps, {}), map({n, group, c}, taps, places), map({n, group, m}, {}, places)};
    if (isPointwise)
      for (AffineMap &one : maps)
        one = AffineMap::get(count - spatial, 0, one.getResults(), op.getContext());

    Value filter = op.getFilter();
    SmallVector<AffineExpr> filterSizes = sizes.sizesOf(filter), inputSizes = sizes.sizesOf(windows);
    SmallVector<AffineExpr> resultSizes = sizes.sizesOf(op.getResult());
    if (isPointwise)
      filterSizes.resize(2);
    SmallVector<AffineExpr> flatResult = resultSizes;
    if (g) {
      AffineExpr perGroup = filterSizes[0].floorDiv(groups);
      filterSizes[0] = perGroup;
      filterSizes.insert(filterSizes.begin(), sizes.constant(groups));
      inputSizes[1] = filterSizes[2];
      inputSizes.insert(inputSizes.begin() + 1, sizes.constant(groups));
      resultSizes[1] = perGroup;
      resultSizes.insert(resultSizes.begin() + 1, sizes.constant(groups));
    }
    filter = reshaped(filter, filterSizes);
    windows = reshaped(windows, inputSizes);
    auto element = cast<RankedTensorType>(op.getResult().getType()).getElementType();
    SmallVector<int64_t> shape = llvm::map_to_vector(resultSizes, SizeAnalysis::staticSize);
    Value result = ContractOp::create(builder, op.getLoc(), RankedTensorType::get(shape, element), filter, windows,
                                      builder.getAffineMapArrayAttr(maps));
    if (g)
      result = reshaped(result, flatResult);
    if (result.getType() != op.getResult().getType())
      result = tensor::CastOp::create(builder, op.getLoc(), op.getResult().getType(), result);
    op.getResult().replaceAllUsesWith(result);
    op.erase();
  }

private:
  Value unfold() {
    auto filter = cast<RankedTensorType>(op.getFilter().getType());
    ArrayRef<int64_t> taps = filter.getShape().drop_front(2);
    auto isOne = [](int64_t value) { return value == 1; };
    if (llvm::all_of(taps, isOne) && llvm::all_of(op.getStrides(), isOne) &&
        llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; }))
      return op.getInput();
    SmallVector<AffineExpr> all = sizes.sizesOf(op.getInput()), result = sizes.sizesOf(op.getResult());
    all.resize(2);
    for (int64_t tap : taps)
      all.push_back(sizes.constant(tap));
    all.append(result.begin() + 2, result.end());
    SmallVector<int64_t> shape = llvm::map_to_vector(all, SizeAnalysis::staticSize);
    auto input = cast<RankedTensorType>(op.getInput().getType());
    return UnfoldOp::create(builder, op.getLoc(), input.clone(shape), op.getInput(), taps, op.getStrides(),
                            op.getDilations(), op.getPads());
  }

  Value reshaped(Value value, ArrayRef<AffineExpr> extents) {
    auto type = cast<RankedTensorType>(value.getType());
    if ((int64_t)extents.size() == type.getRank())
      return value;
    SmallVector<Value> dynamic;
    SmallVector<int64_t> fixed;
    dispatchIndexOpFoldResults(sizes.materialize(builder, op.getLoc(), extents), dynamic, fixed);
    return ReshapeOp::create(builder, op.getLoc(), type.clone(fixed), value, dynamic, fixed);
  }

  ConvOp op;
  OpBuilder builder;
  SizeAnalysis sizes;
  int64_t spatial, groups;
};

struct LowerConvolutionsPass : tile::impl::LowerConvolutionsPassBase<LowerConvolutionsPass> {
  void runOnOperation() override {
    SmallVector<ConvOp> convolutions;
    getOperation().walk([&](ConvOp op) { convolutions.push_back(op); });
    for (ConvOp op : convolutions) {
      auto filter = cast<RankedTensorType>(op.getFilter().getType());
      auto input = cast<RankedTensorType>(op.getInput().getType());
      bool isKnown = !ShapedType::isDynamicShape(filter.getShape().drop_front(1));
      if (!isKnown || !filter.getElementType().isF32() || !input.getElementType().isF32())
        continue;
      if (filter.getDimSize(1) >= minChannelsPerGroup || op.getGroups() == 1)
        Lowering(op).run();
    }
  }
};
} // namespace

//===- LowerConvolutions.cpp - Turn convolutions into contractions ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Resolve.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

using namespace mlir;
using namespace tenon;

namespace tenon::tile {
#define GEN_PASS_DEF_LOWERCONVOLUTIONSPASS
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace tenon::tile

namespace {
/// A filter of one channel per group sums taps alone, and its columns are those of one group: it has no register tile.
constexpr int64_t minChannelsPerGroup = 2;
/// What sizes that aren't known are taken for.
constexpr int64_t unknownSize = 64;
/// Filters of more are not looked at tap by tap.
constexpr int64_t mostTaps = 1 << 16;

class Lowering {
public:
  Lowering(ConvOp op, const LayoutPrices &prices)
      : op(op), prices(prices), builder(op), sizes(op.getContext()), spatial(op.getStrides().size()),
        groups(op.getGroups()) {
    stateChannels();
  }

  /// Whether there are register tiles for it: one summed dimension, once those that run together are one.
  static bool isPossible(ConvOp op) { return !op.getChannelsLast() || op.getGroups() == 1 || isPointwise(op); }

  void run() {
    Value result = op.getChannelsLast() ? channelsLast() : channelsFirst();
    if (result.getType() != op.getResult().getType())
      result = tensor::CastOp::create(builder, op.getLoc(), op.getResult().getType(), result);
    op.getResult().replaceAllUsesWith(result);
    op.erase();
  }

private:
  /// The filters say how many channels the input has, if its type doesn't; that they do is checked by now.
  void stateChannels() {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    if (!type.isDynamicDim(op.getChannelDim()))
      return;
    SmallVector<int64_t> shape(type.getShape());
    shape[op.getChannelDim()] = cast<RankedTensorType>(op.getFilter().getType()).getDimSize(op.getSummedDim()) * groups;
    op.getInputMutable().assign(tensor::CastOp::create(builder, op.getLoc(), type.clone(shape), op.getInput()));
  }

  Value channelsFirst() {
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
    return reshaped(contract(filter, windows, maps, resultSizes), flatResult);
  }

  /// The windows' channels and taps are rows of the filter: [n, o.., g, k] and [k, g, m] give [n, o.., g, m].
  Value channelsLast() {
    Value windows = isPointwise(op) ? op.getInput() : windowRows();
    SmallVector<AffineExpr> filter = sizes.sizesOf(op.getFilter()), flatResult = sizes.sizesOf(op.getResult());
    AffineExpr depth = filter[op.getSummedDim()], group = sizes.constant(groups), m = filter.back().floorDiv(groups);
    for (int64_t i = 0; i < spatial; ++i)
      depth = depth * filter[i];
    bool g = groups != 1;
    auto places = ArrayRef(flatResult).drop_back();
    unsigned count = spatial + 3 + g, next = 0;
    SmallVector<AffineExpr> lhs, rhs, result, lhsSizes(places), rhsSizes = {depth}, resultSizes(places);
    for (; next < places.size(); ++next)
      lhs.push_back(builder.getAffineDimExpr(next));
    result = lhs;
    rhs.push_back(builder.getAffineDimExpr(count - 1));
    if (g) {
      for (auto *dims : {&lhs, &rhs, &result})
        dims->push_back(builder.getAffineDimExpr(next));
      ++next;
      for (auto *extents : {&lhsSizes, &rhsSizes, &resultSizes})
        extents->push_back(group);
    }
    lhs.push_back(builder.getAffineDimExpr(count - 1));
    lhsSizes.push_back(depth);
    for (auto *dims : {&rhs, &result})
      dims->push_back(builder.getAffineDimExpr(next));
    rhsSizes.push_back(m);
    resultSizes.push_back(m);
    AffineMap maps[] = {AffineMap::get(count, 0, lhs, op.getContext()), AffineMap::get(count, 0, rhs, op.getContext()),
                        AffineMap::get(count, 0, result, op.getContext())};
    Value contracted = contract(reshaped(windows, lhsSizes), reshaped(op.getFilter(), rhsSizes), maps, resultSizes);
    return reshaped(contracted, flatResult);
  }

  Value contract(Value lhs, Value rhs, ArrayRef<AffineMap> maps, ArrayRef<AffineExpr> resultSizes) {
    auto element = cast<RankedTensorType>(op.getResult().getType()).getElementType();
    SmallVector<int64_t> shape = llvm::map_to_vector(resultSizes, SizeAnalysis::staticSize);
    return ContractOp::create(builder, op.getLoc(), RankedTensorType::get(shape, element), lhs, rhs,
                              builder.getAffineMapArrayAttr(maps));
  }

  static ArrayRef<int64_t> tapsOf(ConvOp op) {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(op.getFilter().getType()).getShape();
    return shape.slice(op.getTapDim(), op.getStrides().size());
  }

  /// Windows of one element, which lie as the input does.
  static bool isPointwise(ConvOp op) {
    auto isOne = [](int64_t value) { return value == 1; };
    return llvm::all_of(tapsOf(op), isOne) && llvm::all_of(op.getStrides(), isOne) &&
           llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; });
  }

  /// Whether much of dilated windows lies in the border. Others have whole rows of taps that lie together.
  bool isMostlyBorder() {
    if (llvm::all_of(op.getDilations(), [](int64_t dilation) { return dilation == 1; }) ||
        llvm::any_of(tapsOf(op), [](int64_t taps) { return taps > mostTaps; }))
      return false;
    double border = 1;
    auto input = cast<RankedTensorType>(op.getInput().getType()),
         result = cast<RankedTensorType>(op.getResult().getType());
    auto sizeOf = [](RankedTensorType type, int64_t dim) {
      return type.isDynamicDim(dim) ? unknownSize : type.getDimSize(dim);
    };
    for (int64_t i = 0; i < spatial; ++i) {
      int64_t extent = sizeOf(input, 1 + i), windows = sizeOf(result, 1 + i), inside = 0, stride = op.getStrides()[i];
      for (int64_t tap = 0; tap < tapsOf(op)[i]; ++tap) {
        int64_t shift = tap * op.getDilations()[i] - op.getPads()[i];
        int64_t first = shift < 0 ? llvm::divideCeil(-shift, stride) : 0, end = extent - shift;
        int64_t last = end > 0 ? std::min<int64_t>(windows, llvm::divideCeil(end, stride)) : 0;
        inside += std::max<int64_t>(last - first, 0);
      }
      border *= double(windows * tapsOf(op)[i]) / std::max<int64_t>(inside, 1);
    }
    return border > prices.border;
  }

  /// The windows as register tiles read them: of the image with its border, or clipped to the image.
  Value windowRows() {
    Value image = op.getInput();
    auto type = cast<RankedTensorType>(image.getType());
    bool hasBorder = llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; }),
         isClipped = hasBorder && isMostlyBorder();
    if (hasBorder && !isClipped) {
      SmallVector<int64_t> low(type.getRank()), high(type.getRank()), shape(type.getShape());
      for (int64_t i = 0; i < spatial; ++i) {
        low[1 + i] = op.getPads()[i];
        high[1 + i] = op.getPads()[i + spatial];
        if (!type.isDynamicDim(1 + i))
          shape[1 + i] += low[1 + i] + high[1 + i];
      }
      auto scalar = RankedTensorType::get({}, type.getElementType());
      Attribute none = builder.getZeroAttr(type.getElementType());
      Value zero = ConstantOp::create(builder, op.getLoc(), scalar, DenseElementsAttr::get(scalar, none));
      image = PadOp::create(builder, op.getLoc(), type.clone(shape), PadMode::constant, image, zero, ValueRange(),
                            ValueRange(), low, high);
    }
    SmallVector<AffineExpr> extents = sizes.sizesOf(op.getResult());
    extents.back() = sizes.sizesOf(image).back();
    for (int64_t tap : tapsOf(op))
      extents.back() = extents.back() * tap;
    return tile::WindowRowsOp::create(builder, op.getLoc(),
                                      type.clone(llvm::map_to_vector(extents, SizeAnalysis::staticSize)), image,
                                      tapsOf(op), op.getStrides(), op.getDilations(),
                                      isClipped ? builder.getDenseI64ArrayAttr(op.getPads()) : DenseI64ArrayAttr());
  }

  Value unfold() {
    if (isPointwise(op))
      return op.getInput();
    SmallVector<AffineExpr> all = sizes.sizesOf(op.getInput()), result = sizes.sizesOf(op.getResult());
    all.resize(2);
    for (int64_t tap : tapsOf(op))
      all.push_back(sizes.constant(tap));
    all.append(result.begin() + 2, result.end());
    auto type = cast<RankedTensorType>(op.getInput().getType());
    return UnfoldOp::create(builder, op.getLoc(), type.clone(llvm::map_to_vector(all, SizeAnalysis::staticSize)),
                            op.getInput(), tapsOf(op), op.getStrides(), op.getDilations(), op.getPads());
  }

  Value reshaped(Value value, ArrayRef<AffineExpr> extents) {
    auto type = cast<RankedTensorType>(value.getType());
    if (llvm::equal(sizes.sizesOf(value), extents))
      return value;
    // A constant under other sizes is one: its elements lie as before.
    if (auto constant = value.getDefiningOp<ConstantOp>()) {
      auto to = type.clone(llvm::map_to_vector(extents, SizeAnalysis::staticSize));
      if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()))
        return ConstantOp::create(builder, op.getLoc(), to, cast<TypedAttr>(dense.reshape(to)));
      if (auto blob = dyn_cast<tenon::BlobAttr>(constant.getValue()))
        return ConstantOp::create(builder, op.getLoc(), to, blob.withType(to));
    }
    SmallVector<Value> dynamic;
    SmallVector<int64_t> fixed;
    dispatchIndexOpFoldResults(sizes.materialize(builder, op.getLoc(), extents), dynamic, fixed);
    return ReshapeOp::create(builder, op.getLoc(), type.clone(fixed), value, dynamic, fixed);
  }

  ConvOp op;
  const LayoutPrices &prices;
  OpBuilder builder;
  SizeAnalysis sizes;
  int64_t spatial, groups;
};

struct LowerConvolutionsPass : tile::impl::LowerConvolutionsPassBase<LowerConvolutionsPass> {
  explicit LowerConvolutionsPass(tile::LayoutPricesResolver resolver) : resolver(std::move(resolver)) {}
  LowerConvolutionsPass(const LowerConvolutionsPass &other)
      : LowerConvolutionsPassBase(other), resolver(other.resolver) {}

  void runOnChecked() override {
    FailureOr<LayoutPrices> prices = resolve(getOperation(), resolver, target);
    if (failed(prices))
      return signalPassFailure();
    auto isNumber = [](Type type) { return type.isF32() || type.isF16() || type.isBF16(); };
    SmallVector<ConvOp> convolutions;
    getOperation().walk([&](ConvOp op) { convolutions.push_back(op); });
    for (ConvOp op : convolutions) {
      auto filter = cast<RankedTensorType>(op.getFilter().getType());
      auto input = cast<RankedTensorType>(op.getInput().getType());
      SmallVector<int64_t> summed(filter.getShape().slice(op.getTapDim(), op.getStrides().size()));
      summed.push_back(filter.getDimSize(op.getSummedDim()));
      bool isFloat = isNumber(filter.getElementType()) && isNumber(input.getElementType());
      // Columns of bytes are constants.
      bool isByte = filter.getElementType().isInteger(8) && input.getElementType().isInteger(8) &&
                    getElementTypeOrSelf(op.getResult()).isSignlessInteger(32) && op.getChannelsLast() &&
                    op.getGroups() == 1 && op.getFilter().getDefiningOp<ConstantOp>();
      if (ShapedType::isDynamicShape(summed) || !(isFloat || isByte))
        continue;
      if ((summed.back() >= minChannelsPerGroup || op.getGroups() == 1) && Lowering::isPossible(op))
        Lowering(op, *prices).run();
    }
  }

private:
  tile::LayoutPricesResolver resolver;
};
} // namespace

std::unique_ptr<Pass> tile::createLowerConvolutionsPass(LayoutPricesResolver resolver) {
  return std::make_unique<LowerConvolutionsPass>(std::move(resolver));
}

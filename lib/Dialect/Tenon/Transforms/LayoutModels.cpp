//===- LayoutModels.cpp - The layouts that ops of the graph dialect offer ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tenon/IR/TenonBits.h"
#include "tenon/Dialect/Tenon/Transforms/Layout.h"

using namespace mlir;
using namespace tenon;

#include "tenon/Dialect/Tenon/Transforms/LayoutInterface.cpp.inc"

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

SmallVector<int64_t> tenon::permutationTo(Layout layout, int64_t rank) {
  SmallVector<int64_t> permutation = {0};
  if (layout == Layout::channelsFirst)
    permutation.push_back(rank - 1);
  llvm::append_range(permutation,
                     layout == Layout::channelsFirst ? llvm::seq<int64_t>(1, rank - 1) : llvm::seq<int64_t>(2, rank));
  if (layout == Layout::channelsLast)
    permutation.push_back(1);
  return permutation;
}

RankedTensorType tenon::typeIn(Layout layout, RankedTensorType channelsFirst) {
  if (layout == Layout::channelsFirst)
    return channelsFirst;
  SmallVector<int64_t> shape;
  for (int64_t dim : permutationTo(layout, channelsFirst.getRank()))
    shape.push_back(channelsFirst.getDimSize(dim));
  return channelsFirst.clone(shape);
}

double tenon::countElements(Value tensor, const LayoutPrices &prices) {
  double count = 1;
  for (int64_t size : cast<RankedTensorType>(tensor.getType()).getShape())
    count *= ShapedType::isDynamic(size) ? prices.unknownSize : size;
  return count;
}

static int64_t rankOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? type.getRank() : 0;
}

/// Where a dimension goes.
static int64_t dimLast(int64_t dim, int64_t rank) { return dim == 0 ? 0 : dim == 1 ? rank - 1 : dim - 1; }

static SmallVector<int64_t> dimsLast(ArrayRef<int64_t> dims, int64_t rank) {
  SmallVector<int64_t> result = llvm::map_to_vector(dims, [&](int64_t dim) { return dimLast(dim, rank); });
  llvm::sort(result);
  return result;
}

/// One entry per dimension, permuted.
static SmallVector<OpFoldResult> entriesLast(ArrayRef<OpFoldResult> entries) {
  return llvm::map_to_vector(permutationTo(Layout::channelsLast, entries.size()),
                             [&](int64_t dim) { return entries[dim]; });
}

static std::pair<SmallVector<Value>, SmallVector<int64_t>> dispatch(ArrayRef<OpFoldResult> entries) {
  std::pair<SmallVector<Value>, SmallVector<int64_t>> result;
  dispatchIndexOpFoldResults(entries, result.first, result.second);
  return result;
}

//===----------------------------------------------------------------------===//
// What all ops have in common
//===----------------------------------------------------------------------===//

namespace {
/// Ops that cost the same in both layouts and have nothing to rewrite: elementwise ones.
template <typename Model, typename OpT> struct ModelBase : LayoutInterface::ExternalModel<Model, OpT> {
  std::optional<double> layoutCost(Operation *op, Layout layout, const LayoutPrices &prices) const { return 0.0; }
  bool operandTakesLayout(Operation *op, unsigned operand) const { return rankOf(op->getOperand(operand)) >= 3; }
  bool resultTakesLayout(Operation *op, unsigned result) const { return rankOf(op->getResult(result)) >= 3; }
  double resultRelayoutCost(Operation *op, unsigned result, Layout layout, const LayoutPrices &prices) const {
    return (layout == Layout::channelsLast ? prices.toLast : prices.toFirst) *
           countElements(op->getResult(result), prices);
  }
  void setChannelsLast(Operation *op, OpBuilder &builder) const {}
};

template <typename OpT> struct ElementwiseModel : ModelBase<ElementwiseModel<OpT>, OpT> {};

/// Ops with dimensions in an attribute that stay those of the result.
template <typename OpT> struct DimsModel : ModelBase<DimsModel<OpT>, OpT> {
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto typed = cast<OpT>(op);
    typed.setDims(dimsLast(typed.getDims(), rankOf(typed.getOperand())));
  }
};

struct ScanModel : ModelBase<ScanModel, ScanOp> {
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto scan = cast<ScanOp>(op);
    scan.setDim(dimLast(scan.getDim(), rankOf(scan.getOperand())));
  }
};

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

struct ConvModel : ModelBase<ConvModel, ConvOp> {
  static bool isDepthwise(ConvOp op) {
    return op.getGroups() != 1 && cast<RankedTensorType>(op.getFilter().getType()).getDimSize(1) == 1;
  }
  /// Whether there are register tiles for it: of f32 and of what is widened to that, or of bytes with constant columns.
  static bool hasRegisterTiles(ConvOp op, bool last) {
    auto areAll = [&](auto isOne) {
      return llvm::all_of(ValueRange{op.getInput(), op.getFilter()},
                          [&](Value value) { return isOne(getElementTypeOrSelf(value)); });
    };
    if (areAll([](Type element) { return element.isF32() || element.isF16() || element.isBF16(); }))
      return true;
    return last && areAll([](Type element) { return element.isInteger(8); }) &&
           getElementTypeOrSelf(op.getResult()).isSignlessInteger(32) && op.getFilter().getDefiningOp<ConstantOp>();
  }

  std::optional<double> layoutCost(Operation *op, Layout layout, const LayoutPrices &prices) const {
    auto conv = cast<ConvOp>(op);
    if (conv.getChannelsLast())
      return layout == Layout::channelsFirst ? std::optional(0.0) : std::nullopt;
    bool last = layout == Layout::channelsLast;
    auto filter = cast<RankedTensorType>(conv.getFilter().getType());
    auto known = [&](int64_t size) -> double { return ShapedType::isDynamic(size) ? prices.unknownSize : size; };
    double taps = 1, results = countElements(conv.getResult(), prices), m = known(filter.getDimSize(0));
    double channels = known(filter.getDimSize(1));
    bool isPointwise = true;
    for (auto [i, size] : llvm::enumerate(filter.getShape().drop_front(2))) {
      taps *= known(size);
      isPointwise &= size == 1 && conv.getStrides()[i] == 1 && conv.getPads()[i] == 0 &&
                     conv.getPads()[i + filter.getRank() - 2] == 0;
    }
    double relayout = last && !conv.getFilter().getDefiningOp<ConstantOp>()
                          ? countElements(conv.getFilter(), prices) * prices.toFirst
                          : 0;
    if (isDepthwise(conv))
      return relayout + results * taps * (last ? prices.tapLast : prices.tapFirst);
    double multiplications = results * taps * channels;
    bool isGrouped = conv.getGroups() != 1;
    if (!hasRegisterTiles(conv, last) || (last && isGrouped && !isPointwise))
      return relayout + multiplications * prices.plainTap;
    // Columns are places or channels.
    double images =
        known(filter.getShape().empty() ? 1 : cast<RankedTensorType>(conv.getInput().getType()).getDimSize(0));
    double places = results / std::max(m * images, 1.0);
    double columns = std::max(last ? m / conv.getGroups() : places, 1.0);
    double whole = std::ceil(columns / prices.columns) * prices.columns;
    double cost = relayout + multiplications * (whole / columns) * (last ? prices.multiplyLast : prices.multiplyFirst);
    if (isPointwise)
      return cost;
    if (!last)
      return cost + images * places * taps * channels * conv.getGroups() * prices.gatherFirst;
    bool hasBorder = llvm::any_of(conv.getPads(), [](int64_t pad) { return pad != 0; });
    // What lies together in a window: its rows.
    double parts = conv.getDilations().back() == 1 ? taps / known(filter.getShape().back()) : taps;
    return cost + results / columns * (whole / prices.columns) * parts * prices.partLast +
           (hasBorder ? countElements(conv.getInput(), prices) * prices.copied : 0);
  }

  bool operandTakesLayout(Operation *op, unsigned operand) const { return operand == 0; }

  double resultRelayoutCost(Operation *op, unsigned result, Layout layout, const LayoutPrices &prices) const {
    auto conv = cast<ConvOp>(op);
    bool last = layout == Layout::channelsLast;
    auto taps = cast<RankedTensorType>(conv.getFilter().getType()).getShape().drop_front(2);
    bool isPointwise = llvm::all_of(taps, [](int64_t size) { return size == 1; });
    if (!hasRegisterTiles(conv, last) || conv.getGroups() != 1 || (!last && isPointwise))
      return ModelBase::resultRelayoutCost(op, result, layout, prices);
    // A contraction whose columns are places gives its result in any order; one whose rows are windows turns it.
    return last ? 0 : prices.turned * countElements(conv.getResult(), prices);
  }

  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto conv = cast<ConvOp>(op);
    auto filter = cast<RankedTensorType>(conv.getFilter().getType());
    SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(2, filter.getRank())), shape;
    permutation.append({1, 0});
    for (int64_t dim : permutation)
      shape.push_back(filter.getDimSize(dim));
    conv.getFilterMutable().assign(
        TransposeOp::create(builder, op->getLoc(), filter.clone(shape), conv.getFilter(), permutation));
    conv.setChannelsLast(true);
  }
};

struct WindowModel : ModelBase<WindowModel, WindowOp> {
  std::optional<double> layoutCost(Operation *op, Layout layout, const LayoutPrices &prices) const {
    auto window = cast<WindowOp>(op);
    bool last = layout == Layout::channelsLast;
    if (last && (window.getChannelsLast() || window.getSpatialDim() != 2))
      return std::nullopt;
    double taps = countElements(window.getResult(), prices);
    for (int64_t size : window.getSizes())
      taps *= size;
    return taps * (last ? prices.tapLast : prices.tapFirst);
  }
  void setChannelsLast(Operation *op, OpBuilder &builder) const { cast<WindowOp>(op).setChannelsLast(true); }
};

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Without the channels, what is left is in the same order in both layouts.
template <typename Model, typename OpT> struct ReductionBase : ModelBase<Model, OpT> {
  std::optional<double> layoutCost(Operation *op, Layout layout, const LayoutPrices &prices) const {
    bool keepsBatch = !llvm::is_contained(Model::dims(cast<OpT>(op)), 0);
    return layout == Layout::channelsFirst || keepsBatch ? std::optional(0.0) : std::nullopt;
  }
  bool resultTakesLayout(Operation *op, unsigned result) const {
    return rankOf(op->getResult(0)) >= 3 && !llvm::is_contained(Model::dims(cast<OpT>(op)), 1);
  }
};

struct ReduceModel : ReductionBase<ReduceModel, ReduceOp> {
  static SmallVector<int64_t> dims(ReduceOp op) { return SmallVector<int64_t>(op.getDims()); }
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto reduce = cast<ReduceOp>(op);
    reduce.setDims(dimsLast(reduce.getDims(), rankOf(reduce.getOperand())));
  }
};

struct ArgReduceModel : ReductionBase<ArgReduceModel, ArgReduceOp> {
  static SmallVector<int64_t> dims(ArgReduceOp op) { return {(int64_t)op.getDim()}; }
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto reduce = cast<ArgReduceOp>(op);
    reduce.setDim(dimLast(reduce.getDim(), rankOf(reduce.getOperand())));
  }
};

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

struct TransposeModel : ModelBase<TransposeModel, TransposeOp> {
  /// A transpose to channels last gives its operand where that has channels last; one to channels first is undone where
  /// its result has.
  static bool isTo(TransposeOp op, Layout layout) {
    int64_t rank = rankOf(op.getOperand());
    return rank >= 3 && op.getPermutation() == ArrayRef(permutationTo(layout, rank));
  }

  std::optional<double> layoutCost(Operation *op, Layout layout, const LayoutPrices &prices) const {
    auto transpose = cast<TransposeOp>(op);
    bool toLast = isTo(transpose, Layout::channelsLast), toFirst = isTo(transpose, Layout::channelsFirst);
    if (layout == Layout::channelsLast)
      return toLast || toFirst ? std::optional(0.0) : std::nullopt;
    return countElements(transpose.getResult(), prices) * (toLast ? prices.toLast : prices.toFirst);
  }
  bool operandTakesLayout(Operation *op, unsigned) const { return isTo(cast<TransposeOp>(op), Layout::channelsLast); }
  bool resultTakesLayout(Operation *op, unsigned) const { return !operandTakesLayout(op, 0); }
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto transpose = cast<TransposeOp>(op);
    transpose.setPermutation(llvm::to_vector(llvm::seq<int64_t>(0, rankOf(transpose.getOperand()))));
  }
};

struct ReshapeModel : ModelBase<ReshapeModel, ReshapeOp> {
  /// Batch and channels stay, the places change among themselves.
  std::optional<double> layoutCost(Operation *op, Layout layout, const LayoutPrices &prices) const {
    if (layout == Layout::channelsFirst)
      return 0.0;
    if (rankOf(op->getOperand(0)) < 2 || rankOf(op->getResult(0)) < 2)
      return std::nullopt;
    SizeAnalysis sizes(op->getContext());
    auto from = sizes.sizesOf(op->getOperand(0)), to = sizes.sizesOf(op->getResult(0));
    return from[0] == to[0] && from[1] == to[1] ? std::optional(0.0) : std::nullopt;
  }
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto reshape = cast<ReshapeOp>(op);
    if (rankOf(reshape.getResult()) < 3)
      return;
    auto [dynamic, fixed] = dispatch(entriesLast(reshape.getMixedSizes()));
    reshape.getSizesMutable().assign(dynamic);
    reshape.setStaticSizes(fixed);
  }
};

struct BroadcastModel : ModelBase<BroadcastModel, BroadcastOp> {
  bool operandTakesLayout(Operation *op, unsigned operand) const {
    ArrayRef<int64_t> dims = cast<BroadcastOp>(op).getDims();
    return operand == 0 && dims.size() >= 3 && dims[0] == 0 && dims[1] == 1;
  }
  std::optional<double> layoutCost(Operation *op, Layout layout, const LayoutPrices &prices) const {
    auto broadcast = cast<BroadcastOp>(op);
    if (layout == Layout::channelsFirst)
      return 0.0;
    if (rankOf(broadcast.getResult()) < 3)
      return std::nullopt;
    bool isMoved = !operandTakesLayout(op, 0) && !llvm::is_sorted(movedDims(broadcast));
    return isMoved ? prices.toLast * countElements(broadcast.getOperand(), prices) : 0.0;
  }
  static SmallVector<int64_t> movedDims(BroadcastOp op) {
    int64_t rank = rankOf(op.getResult());
    return llvm::map_to_vector(op.getDims(), [&](int64_t dim) { return dimLast(dim, rank); });
  }
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto broadcast = cast<BroadcastOp>(op);
    SmallVector<int64_t> moved = movedDims(broadcast), order = llvm::to_vector(llvm::seq<int64_t>(0, moved.size()));
    llvm::sort(order, [&](int64_t a, int64_t b) { return moved[a] < moved[b]; });
    if (!operandTakesLayout(op, 0) && !llvm::is_sorted(order)) {
      auto type = cast<RankedTensorType>(broadcast.getOperand().getType());
      SmallVector<int64_t> shape = llvm::map_to_vector(order, [&](int64_t dim) { return type.getDimSize(dim); });
      broadcast.getOperandMutable().set(
          TransposeOp::create(builder, op->getLoc(), type.clone(shape), broadcast.getOperand(), order));
    }
    llvm::sort(moved);
    broadcast.setDims(moved);
    auto [dynamic, fixed] = dispatch(entriesLast(broadcast.getMixedSizes()));
    broadcast.getSizesMutable().assign(dynamic);
    broadcast.setStaticSizes(fixed);
  }
};

/// What parts of a tensor cost that aren't contiguous because its outer sizes aren't 1.
double cutCost(Value whole, Value moved, int64_t dim, Layout layout, const LayoutPrices &prices) {
  auto type = cast<RankedTensorType>(whole.getType());
  int64_t place = layout == Layout::channelsLast ? dimLast(dim, type.getRank()) : dim;
  auto isUnit = [](int64_t size) { return size == 1; };
  bool isContiguous = llvm::all_of(typeIn(layout, type).getShape().take_front(place), isUnit);
  return isContiguous ? 0 : prices.copied * countElements(moved, prices);
}

struct ConcatModel : ModelBase<ConcatModel, ConcatOp> {
  std::optional<double> layoutCost(Operation *op, Layout layout, const LayoutPrices &prices) const {
    auto concat = cast<ConcatOp>(op);
    if (rankOf(concat.getResult()) < 3)
      return layout == Layout::channelsFirst ? std::optional(0.0) : std::nullopt;
    return cutCost(concat.getResult(), concat.getResult(), concat.getDim(), layout, prices);
  }
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto concat = cast<ConcatOp>(op);
    concat.setDim(dimLast(concat.getDim(), rankOf(concat.getResult())));
  }
};

struct SliceModel : ModelBase<SliceModel, SliceOp> {
  bool operandTakesLayout(Operation *op, unsigned operand) const {
    return operand == 0 && rankOf(op->getOperand(0)) >= 3;
  }
  std::optional<double> layoutCost(Operation *op, Layout layout, const LayoutPrices &prices) const {
    auto slice = cast<SliceOp>(op);
    auto from = cast<RankedTensorType>(slice.getOperand().getType());
    auto to = cast<RankedTensorType>(slice.getResult().getType());
    if (from.getRank() < 3)
      return layout == Layout::channelsFirst ? std::optional(0.0) : std::nullopt;
    double cost = 0;
    for (int64_t dim = 0; dim < from.getRank(); ++dim)
      if (from.getDimSize(dim) != to.getDimSize(dim) || from.isDynamicDim(dim))
        cost = std::max(cost, cutCost(slice.getOperand(), slice.getResult(), dim, layout, prices));
    return cost;
  }
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto slice = cast<SliceOp>(op);
    auto [offsets, fixedOffsets] = dispatch(entriesLast(slice.getMixedOffsets()));
    auto [sizes, fixedSizes] = dispatch(entriesLast(slice.getMixedSizes()));
    auto [strides, fixedStrides] = dispatch(entriesLast(slice.getMixedStrides()));
    slice.getOffsetsMutable().assign(offsets);
    slice.getSizesMutable().assign(sizes);
    slice.getStridesMutable().assign(strides);
    slice.setStaticOffsets(fixedOffsets);
    slice.setStaticSizes(fixedSizes);
    slice.setStaticStrides(fixedStrides);
  }
};

struct PadModel : ModelBase<PadModel, PadOp> {
  bool operandTakesLayout(Operation *op, unsigned operand) const {
    return operand == 0 && rankOf(op->getOperand(0)) >= 3;
  }
  std::optional<double> layoutCost(Operation *op, Layout layout, const LayoutPrices &prices) const {
    return layout == Layout::channelsFirst || operandTakesLayout(op, 0) ? std::optional(0.0) : std::nullopt;
  }
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto pad = cast<PadOp>(op);
    auto [low, fixedLow] = dispatch(entriesLast(pad.getMixedLow()));
    auto [high, fixedHigh] = dispatch(entriesLast(pad.getMixedHigh()));
    pad.getLowMutable().assign(low);
    pad.getHighMutable().assign(high);
    pad.setStaticLow(fixedLow);
    pad.setStaticHigh(fixedHigh);
  }
};

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

struct BindShapeModel : ModelBase<BindShapeModel, BindShapeOp> {
  bool operandTakesLayout(Operation *op, unsigned operand) const {
    return operand == 0 && rankOf(op->getOperand(0)) >= 3;
  }
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto bind = cast<BindShapeOp>(op);
    if (!operandTakesLayout(op, 0))
      return;
    auto [dynamic, fixed] = dispatch(entriesLast(bind.getMixedSizes()));
    bind.getSizesMutable().assign(dynamic);
    bind.setStaticSizes(fixed);
  }
};

struct SizeModel : ModelBase<SizeModel, SizeOp> {
  void setChannelsLast(Operation *op, OpBuilder &builder) const {
    auto size = cast<SizeOp>(op);
    if (rankOf(size.getOperand()) >= 3)
      size.setDim(dimLast(size.getDim(), rankOf(size.getOperand())));
  }
};

template <template <typename> typename Model, typename... Ops> void attach(MLIRContext *context) {
  (Ops::template attachInterface<Model<Ops>>(*context), ...);
}

/// To those of a family that compute element by element.
template <typename... Ops> void attachToElementwise(MLIRContext *context) {
  auto attachTo = [&]<typename Op>(std::type_identity<Op>) {
    if constexpr (Op::template hasTrait<OpTrait::Elementwise>())
      Op::template attachInterface<ElementwiseModel<Op>>(*context);
  };
  (attachTo(std::type_identity<Ops>()), ...);
}
} // namespace

void tenon::registerLayoutModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TenonDialect *) {
    attachToElementwise<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonElementwise.cpp.inc"
        >(context);
    attachToElementwise<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonNormalization.cpp.inc"
        >(context);
    attachToElementwise<BitcastOp>(context);
    attach<DimsModel, SoftmaxOp, NormalizeOp>(context);
    ArgReduceOp::attachInterface<ArgReduceModel>(*context);
    BindShapeOp::attachInterface<BindShapeModel>(*context);
    BroadcastOp::attachInterface<BroadcastModel>(*context);
    ConcatOp::attachInterface<ConcatModel>(*context);
    ConvOp::attachInterface<ConvModel>(*context);
    PadOp::attachInterface<PadModel>(*context);
    ReduceOp::attachInterface<ReduceModel>(*context);
    ReshapeOp::attachInterface<ReshapeModel>(*context);
    ScanOp::attachInterface<ScanModel>(*context);
    SizeOp::attachInterface<SizeModel>(*context);
    SliceOp::attachInterface<SliceModel>(*context);
    TransposeOp::attachInterface<TransposeModel>(*context);
    WindowOp::attachInterface<WindowModel>(*context);
  });
}

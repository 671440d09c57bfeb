//===- Convolution.cpp - Convolutions of ONNX ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

/// `SAME`: as many results as there are steps in the operand, the padding split evenly, the odd one last or
/// first.
static void padToSame(Node &node, Value &operand, ArrayRef<AffineExpr> kernel, double value, bool oddLast,
                      Windows &windows) {
  size_t spatial = kernel.size(), first = rankOf(operand) - spatial;
  Sizes low(rankOf(operand), node.size(0)), high = low;
  for (size_t i = 0; i < spatial; ++i) {
    AffineExpr extent = node.sizeOf(operand, first + i);
    int64_t stride = windows.strides[i];
    AffineExpr reach = node.sizes.simplify((kernel[i] - 1) * windows.dilations[i]), total = reach;
    if (stride != 1)
      total =
          node.largest(node.sizes.simplify((extent.ceilDiv(stride) - 1) * stride + reach + 1 - extent), node.size(0));
    AffineExpr half = node.sizes.simplify(total.floorDiv(2)), rest = node.sizes.simplify(total - half);
    AffineExpr before = oddLast ? half : rest, after = oddLast ? rest : half;
    if (isStatic(before) && isStatic(after)) {
      windows.pads[i] = SizeAnalysis::staticSize(before);
      windows.pads[i + spatial] = SizeAnalysis::staticSize(after);
    } else {
      low[first + i] = windows.before[i] = before;
      high[first + i] = after;
      windows.isPadded = true;
    }
  }
  if (windows.isPadded)
    operand = node.pad(operand, node.scalar(value, elementOf(operand)), low, high);
}

std::optional<Windows> onnx::windowsOf(Node &node, Value &operand, ArrayRef<AffineExpr> kernel, double value) {
  size_t spatial = kernel.size();
  Windows windows{node.integers("strides", spatial, 1), node.integers("dilations", spatial, 1),
                  SmallVector<int64_t>(2 * spatial, 0), Sizes(spatial, node.size(0))};
  SmallVector<int64_t> positive = windows.strides;
  positive.append(windows.dilations);
  for (AffineExpr extent : kernel)
    if (isStatic(extent))
      positive.push_back(SizeAnalysis::staticSize(extent));
  for (int64_t number : positive)
    if (number < 1) {
      node.error() << "expects positive kernel sizes, strides and dilations, but has " << number;
      return std::nullopt;
    }
  StringRef automatic = node.string("auto_pad", "NOTSET");
  if (automatic == "NOTSET" || automatic.empty()) {
    windows.pads = node.integers("pads", 2 * spatial, 0);
    for (int64_t amount : windows.pads)
      if (amount < 0)
        node.error() << "expects pads that aren't negative, but has " << amount;
  } else if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    padToSame(node, operand, kernel, value, automatic == "SAME_UPPER", windows);
  } else if (automatic != "VALID") {
    node.error() << "expects auto_pad NOTSET, SAME_UPPER, SAME_LOWER or VALID, but has '" << automatic << "'";
  }
  return node.hasFailed() ? std::nullopt : std::optional(windows);
}

std::optional<Sizes> onnx::kernelOf(Node &node, Value input, Value &filter) {
  int64_t rank = rankOf(input);
  if (rank < 3 || rankOf(filter) != rank) {
    node.error() << "expects input and filter of one rank of at least 3, but has " << input.getType() << " and "
                 << filter.getType();
    return std::nullopt;
  }
  if (auto stated = node.integers("kernel_shape")) {
    if ((int64_t)stated->size() != rank - 2) {
      node.error() << "expects " << rank - 2 << " values in attribute 'kernel_shape', but has " << stated->size();
      return std::nullopt;
    }
    Sizes expected(2);
    expected.append(node.constants(*stated));
    std::string text;
    llvm::raw_string_ostream out(text);
    llvm::interleaveComma(*stated, out);
    filter = node.withSizes(filter, expected, "a filter of the sizes in kernel_shape (" + text + ")");
  }
  if (node.hasFailed())
    return std::nullopt;
  Sizes kernel(ArrayRef(node.sizesOf(filter)).drop_front(2));
  for (AffineExpr taps : kernel)
    if (!isStatic(taps))
      node.expectEqual(node.choose(taps, node.size(0), node.size(1), node.size(0)), node.size(0),
                       "expects filters of one tap or more");
  return kernel;
}

Value onnx::convolution(Node &node, Value input, Value filter) {
  auto kernel = kernelOf(node, input, filter);
  if (!kernel)
    return {};
  if (elementOf(input) != elementOf(filter)) {
    node.error() << "expects input and filter of one element type, but has " << elementOf(input) << " and "
                 << elementOf(filter);
    return {};
  }
  auto windows = windowsOf(node, input, *kernel, 0.0);
  if (!windows)
    return {};
  int64_t groups = node.integer("group", 1);
  if (AffineExpr filters = node.sizeOf(filter, 0); groups > 0 && !isStatic(filters))
    node.expectMultiple(filters, node.size(groups), "groups that divide the filters");
  return node.sized<ConvOp>(rankOf(input), elementOf(input), input, filter, windows->strides, windows->dilations,
                            windows->pads, groups);
}

Results onnx::withBias(Node &node, Value y, size_t bias) {
  if (!node.has(bias))
    return y;
  if (rankOf(node[bias]) != 1)
    return node.error() << "expects a vector as bias, but has " << typeOf(node[bias]);
  return node.binary<AddOp>(y, node.along(node[bias], 1, y));
}

static Results conv(Node &node) {
  Value y = convolution(node, node[0], node[1]);
  return y ? withBias(node, y, 2) : Results(failure());
}

//===----------------------------------------------------------------------===//
// ConvTranspose
//===----------------------------------------------------------------------===//

namespace {
/// Every input element adds the filter, scaled, to the result; neighbours lie `stride` apart.
class TransposedConv {
public:
  TransposedConv(Node &node, std::optional<size_t> padsOperand, size_t bias)
      : node(node), input(node[0]), filter(node[1]), padsOperand(padsOperand), bias(bias) {}

  Results convert() {
    auto stated = kernelOf(node, input, filter);
    if (!stated)
      return failure();
    kernel = *stated;
    spatial = kernel.size();
    strides = node.integers("strides", spatial, 1);
    dilations = node.integers("dilations", spatial, 1);
    groups = node.integer("group", 1);
    for (int64_t positive : llvm::concat<const int64_t>(strides, dilations))
      if (positive < 1)
        return node.error() << "expects positive kernel sizes, strides and dilations, but has " << positive;
    for (AffineExpr extent : kernel)
      if (isStatic(extent, 0))
        return node.error() << "expects positive kernel sizes, strides and dilations, but has 0";
    AffineExpr channels = node.sizeOf(input, 1), filters = node.sizeOf(filter, 0);
    if (isStatic(filters) && isStatic(channels) && channels != filters)
      return node.error() << "expects as many filters as input channels, but has " << typeOf(filter) << " and "
                          << typeOf(input);
    if (isStatic(channels))
      filter = node.withSize(filter, 0, channels, "as many filters as input channels");
    else
      input = node.withSize(input, 1, filters, "as many filters as input channels");
    if (groups < 1)
      return node.error() << "expects a positive group, but has " << groups;
    node.expectMultiple(node.sizeOf(filter, 0), node.size(groups), "groups that divide the channels");
    if (elementOf(input) != elementOf(filter))
      return node.error() << "expects input and filter of one element type, but has " << elementOf(input) << " and "
                          << elementOf(filter);
    if (!placeResult())
      return failure();
    Value y = hasEqualPhases() ? phases() : spread();
    return y ? withBias(node, y, bias) : Results(failure());
  }

private:
  AffineExpr reach(size_t i) { return node.sizes.simplify((kernel[i] - 1) * dilations[i] + 1); }

  /// How much of the full result is cut off before and after; negative where it is extended.
  bool placeResult() {
    SmallVector<int64_t> extra = node.integers("output_padding", spatial, 0);
    auto shape = node.integers("output_shape");
    if (shape && shape->size() == spatial + 2) // some exporters state batch and channels too
      shape->erase(shape->begin(), shape->begin() + 2);
    if (shape && shape->size() != spatial) {
      node.error() << "expects " << spatial << " sizes in output_shape, but has " << shape->size();
      return false;
    }
    StringRef automatic = node.string("auto_pad", "NOTSET");
    bool isSame = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
    Sizes pads(2 * spatial, node.size(0));
    if (padsOperand && node.has(*padsOperand)) {
      auto given = node.elements(node[*padsOperand]);
      if (given && given->size() != pads.size())
        node.error() << "expects " << pads.size() << " pads, but has " << given->size();
      if (node.hasFailed())
        return false;
      pads = *given;
    } else if (!shape && !isSame && automatic != "VALID") {
      pads =
          llvm::map_to_vector(node.integers("pads", 2 * spatial, 0), [&](int64_t amount) { return node.size(amount); });
    }
    for (size_t i = 0; i < spatial; ++i) {
      AffineExpr extent = node.sizeOf(input, i + 2);
      if (!shape && !isSame) {
        before.push_back(pads[i]);
        after.push_back(node.sizes.simplify(pads[i + spatial] - extra[i]));
        continue;
      }
      AffineExpr wanted = shape ? node.size((*shape)[i]) : extent * strides[i];
      AffineExpr total = node.sizes.simplify((extent - 1) * strides[i] + reach(i) + extra[i] - wanted);
      AffineExpr half = total.floorDiv(2), rest = total - half;
      bool oddLast = automatic == "SAME_UPPER";
      before.push_back(node.sizes.simplify(oddLast ? half : rest));
      after.push_back(node.sizes.simplify((oddLast ? rest : half) - extra[i]));
    }
    return !node.hasFailed();
  }

  /// Whether the places of each period of `stride` results sum equally many products: none of a missing tap.
  bool hasEqualPhases() {
    return groups == 1 && llvm::all_of(dilations, [](int64_t d) { return d == 1; }) &&
           llvm::any_of(strides, [](int64_t stride) { return stride != 1; }) &&
           llvm::all_of(llvm::zip(kernel, strides), [](auto pair) {
             return isStatic(std::get<0>(pair)) && SizeAnalysis::staticSize(std::get<0>(pair)) % std::get<1>(pair) == 0;
           });
  }

  /// Result `q * stride + r` is the sum over `j` of input `q - j` times tap `r + stride * j`: for each `r` a
  /// plain convolution. All of them are one, whose results are then moved apart; with channels last, where
  /// what moves lies together. Layout assignment removes the transposes where the neighbours have channels
  /// last too.
  Value phases() {
    int64_t rank = rankOf(input);
    SmallVector<int64_t> ones(spatial, 1), pads;
    for (size_t i = 0; i < spatial; ++i)
      pads.push_back(SizeAnalysis::staticSize(kernel[i]) / strides[i] - 1);
    pads.append(SmallVector<int64_t>(pads));
    Value y = node.sized<ConvOp>(rank, elementOf(input), input, filterOfPhases(), ones, ones, pads, 1);
    y = node.moveDim(y, 1, rank - 1);
    Sizes result = node.sizesOf(y), apart(ArrayRef(result).drop_back());
    SmallVector<int64_t> interleaved = {0};
    result.back() = node.sizeOf(filter, 1);
    for (size_t i = 0; i < spatial; ++i) {
      interleaved.append({int64_t(1 + i), int64_t(1 + spatial + i)});
      apart.push_back(node.size(strides[i]));
      result[1 + i] = node.sizes.simplify(result[1 + i] * strides[i]);
    }
    interleaved.push_back(1 + 2 * spatial);
    apart.push_back(result.back());
    y = node.reshape(node.transpose(node.reshape(y, apart), interleaved), result);
    Sizes low(2, node.size(0)), high(2, node.size(0));
    for (size_t i = 0; i < spatial; ++i) {
      low.push_back(node.sizes.simplify(-before[i]));
      high.push_back(node.sizes.simplify(-after[i]));
    }
    return node.pad(node.moveDim(y, rank - 1, 1), node.scalar(0, elementOf(input)), low, high);
  }

  /// `[C, M, K..]` as `[S.. * M, C, K / S..]`, the taps of each phase reversed.
  Value filterOfPhases() {
    Sizes sizes = {node.sizeOf(filter, 0), node.sizeOf(filter, 1)}, offsets(2, node.size(0)), steps(2, node.size(1)),
          result = {sizes[1], sizes[0]};
    SmallVector<int64_t> permutation;
    for (size_t i = 0; i < spatial; ++i) {
      int64_t taps = SizeAnalysis::staticSize(kernel[i]) / strides[i];
      sizes.append({node.size(taps), node.size(strides[i])});
      offsets.append({node.size(taps - 1), node.size(0)});
      steps.append({node.size(-1), node.size(1)});
      permutation.push_back(3 + 2 * i);
      result[0] = node.sizes.simplify(result[0] * strides[i]);
      result.push_back(node.size(taps));
    }
    permutation.append({1, 0});
    for (size_t i = 0; i < spatial; ++i)
      permutation.push_back(2 + 2 * i);
    Value reversed = node.slice(node.reshape(filter, sizes), offsets, sizes, steps);
    return node.reshape(node.transpose(reversed, permutation), result);
  }

  /// Zeros between the input elements, then a convolution with the filter turned around.
  Value spread() {
    Value zero = node.scalar(0, elementOf(input)), x = input;
    Sizes sizes = node.sizesOf(input), low(sizes.size(), node.size(0)), high = low;
    SmallVector<int64_t> inserted;
    Sizes between(2, node.size(0)), none(2, node.size(0));
    for (size_t i = 0; i < spatial; ++i) {
      inserted.push_back(3 + 2 * i);
      between.append({node.size(0), node.size(strides[i] - 1)});
      none.append(2, node.size(0));
      sizes[i + 2] = node.sizes.simplify(sizes[i + 2] * strides[i]);
      low[i + 2] = node.sizes.simplify(reach(i) - 1 - before[i]);
      // The zeros after the last element aren't between any.
      high[i + 2] = node.sizes.simplify(reach(i) - strides[i] - after[i]);
    }
    if (llvm::any_of(strides, [](int64_t stride) { return stride != 1; }))
      x = node.reshape(node.pad(node.unsqueeze(x, inserted), zero, none, between), sizes);
    x = node.pad(x, zero, low, high);
    SmallVector<int64_t> ones(spatial, 1), zeros(2 * spatial, 0);
    return node.sized<ConvOp>(rankOf(x), elementOf(x), x, turnedFilter(), ones, dilations, zeros, groups);
  }

  /// `[C, M/g, K..]` as `[M, C/g, K..]`, every kernel dimension reversed.
  Value turnedFilter() {
    Sizes offsets(2, node.size(0)), strides(2, node.size(1)), sizes = node.sizesOf(filter);
    for (AffineExpr extent : kernel) {
      offsets.push_back(node.sizes.simplify(extent - 1));
      strides.push_back(node.size(-1));
    }
    Value turned = node.slice(filter, offsets, sizes, strides);
    if (groups == 1)
      return node.moveDim(turned, 0, 1);
    Sizes grouped = {node.size(groups), node.quotient(sizes[0], node.size(groups))};
    grouped.append(sizes.begin() + 1, sizes.end());
    Sizes result = {node.product({node.size(groups), sizes[1]}), grouped[1]};
    result.append(sizes.begin() + 2, sizes.end());
    return node.reshape(node.moveDim(node.reshape(turned, grouped), 1, 2), result);
  }

  Node &node;
  Value input, filter;
  Sizes kernel;
  SmallVector<int64_t> strides, dilations;
  std::optional<size_t> padsOperand;
  size_t bias;
  Sizes before, after;
  size_t spatial = 0;
  int64_t groups = 1;
};

Results convTranspose(Node &node) { return transposedConvolution(node, std::nullopt, 2); }
} // namespace

Results onnx::transposedConvolution(Node &node, std::optional<size_t> pads, size_t bias) {
  return TransposedConv(node, pads, bias).convert();
}

void onnx::addConvolutionConverters(ConverterTable &table) {
  table.add("Conv", 1, 2, 3, conv);
  table.add("ConvTranspose", 1, 2, 3, convTranspose);
}

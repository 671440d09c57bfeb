//===- Layouts.cpp - Where the elements of tensors lie ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/Analysis/Layouts.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "tenon/Dialect/Host/IR/HostOps.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

bool host::isKnownOnEntry(Value number) {
  Operation *op = number.getDefiningOp();
  if (isa_and_present<SymbolOp>(op))
    return true;
  return op && isa_and_present<arith::ArithDialect, affine::AffineDialect>(op->getDialect()) && isPure(op) &&
         llvm::all_of(op->getOperands(), isKnownOnEntry);
}

bool host::isView(SliceOp slice) { return slice->hasAttr(kViewAttr); }

bool host::isPlaced(Operation *whole, unsigned operand) {
  // Nothing else is made of parts.
  if (!isa<ConcatOp>(whole) && !(isa<PadOp>(whole) && operand == 0))
    return false;
  auto placed = whole->getAttrOfType<DenseI64ArrayAttr>(kPlacedAttr);
  return placed && llvm::is_contained(placed.asArrayRef(), operand);
}

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

bool Layout::hasRows() const { return strides.empty() || SizeAnalysis::staticSize(strides.back()) == 1; }

bool Layout::isContiguous() const { return hasRows() && !llvm::is_contained(breaks, true); }

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

namespace {
/// The factor of each product of symbols, quotients and remainders in a sum of such.
using Polynomial = std::map<std::vector<const void *>, int64_t>;
} // namespace

static Polynomial expand(AffineExpr expression) {
  if (auto number = dyn_cast<AffineConstantExpr>(expression))
    return {{{}, number.getValue()}};
  auto binary = dyn_cast<AffineBinaryOpExpr>(expression);
  if (!binary || (binary.getKind() != AffineExprKind::Add && binary.getKind() != AffineExprKind::Mul))
    return {{{expression.getAsOpaquePointer()}, 1}};
  Polynomial lhs = expand(binary.getLHS()), rhs = expand(binary.getRHS()), result;
  if (binary.getKind() == AffineExprKind::Add) {
    result = std::move(lhs);
    for (auto &[product, factor] : rhs)
      result[product] += factor;
  } else {
    for (auto &[a, x] : lhs)
      for (auto &[b, y] : rhs) {
        std::vector<const void *> product(a);
        product.insert(product.end(), b.begin(), b.end());
        llvm::sort(product);
        result[product] += int64_t(uint64_t(x) * uint64_t(y));
      }
  }
  std::erase_if(result, [](auto &term) { return term.second == 0; });
  return result;
}

/// Whether two sizes are equal, in whatever order their products were formed: simplification doesn't expand them.
static bool areEqual(AffineExpr a, AffineExpr b) {
  return a == b || (!isa<AffineConstantExpr>(a) && !isa<AffineConstantExpr>(b) && expand(a) == expand(b));
}

/// A dimension of size 1 gets the stride that continues the next one: its own is never used.
void Layouts::complete(Layout &layout) {
  size_t rank = layout.sizes.size();
  layout.breaks.assign(rank, false);
  for (size_t d = rank; d-- > 0;) {
    AffineExpr outer = d + 1 == rank ? sizes.constant(1) : sizes.simplify(layout.strides[d + 1] * layout.sizes[d + 1]);
    if (SizeAnalysis::staticSize(layout.sizes[d]) == 1)
      layout.strides[d] = outer;
    if (d + 1 < rank)
      layout.breaks[d + 1] = !areEqual(layout.strides[d], outer);
  }
}

std::optional<ValueRange> host::boundStridesOf(Value tensor) {
  for (Operation *user : tensor.getUsers())
    if (auto bind = dyn_cast<BindStridesOp>(user))
      return bind.getStrides();
  return std::nullopt;
}

Layout Layouts::wholeOf(Value root) {
  Layout layout{root, sizes.constant(0), sizes.sizesOf(root), {}, {}};
  layout.breaks.assign(layout.sizes.size(), false);
  if (std::optional<ValueRange> bound = boundStridesOf(root)) {
    layout.strides = sizes.expressionsOf(getAsOpFoldResult(*bound));
    layout.strides.push_back(sizes.constant(1));
    complete(layout);
    return layout;
  }
  layout.strides.resize(layout.sizes.size());
  AffineExpr stride = sizes.constant(1);
  for (int64_t d = (int64_t)layout.sizes.size() - 1; d >= 0; --d) {
    layout.strides[d] = stride;
    stride = sizes.simplify(stride * layout.sizes[d]);
  }
  return layout;
}

std::optional<Layouts::Home> Layouts::homeOf(Value tensor) {
  Operation *op = tensor.getDefiningOp();
  if (!op || isa<ConstantOp>(op))
    return std::nullopt;
  for (OpOperand &use : tensor.getUses())
    if (isPlaced(use.getOwner(), use.getOperandNumber()))
      return Home{use.getOwner(), use.getOperandNumber(), {}};
  for (Operation *user : tensor.getUsers())
    if (auto reshape = dyn_cast<ReshapeOp>(user))
      if (std::optional<Home> home = homeOf(reshape.getResult())) {
        home->reshapes.insert(home->reshapes.begin(), reshape.getResult());
        return home;
      }
  return std::nullopt;
}

Value Layouts::rootOf(Value tensor) {
  while (true) {
    if (std::optional<Home> home = homeOf(tensor)) {
      tensor = home->whole->getResult(0);
      continue;
    }
    Operation *op = tensor.getDefiningOp();
    auto slice = dyn_cast_if_present<SliceOp>(op);
    if (!isa_and_present<ReshapeOp, tensor::CastOp>(op) && !(slice && isView(slice)))
      return tensor;
    tensor = op->getOperand(0);
  }
}

std::optional<Layout> Layouts::layoutOf(Value tensor) {
  if (std::optional<Home> home = homeOf(tensor)) {
    std::optional<Layout> layout = partOf(home->whole, home->operand);
    // From the tensor that is placed back to the one it is a reshape of.
    if (layout && !home->reshapes.empty())
      layout = reshaped(*layout, sizes.sizesOf(tensor));
    return layout;
  }
  Operation *op = tensor.getDefiningOp();
  if (auto slice = dyn_cast_if_present<SliceOp>(op); slice && isView(slice))
    return sliceOf(slice);
  if (!isa_and_present<ReshapeOp, tensor::CastOp>(op))
    return wholeOf(tensor);
  std::optional<Layout> layout = layoutOf(op->getOperand(0));
  return layout ? reshaped(*layout, sizes.sizesOf(tensor)) : std::nullopt;
}

std::optional<Layout> Layouts::sliceOf(SliceOp slice) {
  std::optional<Layout> layout = layoutOf(slice.getOperand());
  if (!layout)
    return std::nullopt;
  for (auto [stride, offset, step] : llvm::zip(layout->strides, sizes.expressionsOf(slice.getMixedOffsets()),
                                               sizes.expressionsOf(slice.getMixedStrides()))) {
    layout->offset = sizes.simplify(layout->offset + offset * stride);
    stride = sizes.simplify(stride * step);
  }
  layout->sizes = sizes.sizesOf(slice.getResult());
  complete(*layout);
  return layout;
}

Layout Layouts::partOf(Layout whole, ArrayRef<AffineExpr> offsets, ArrayRef<AffineExpr> extents) {
  for (auto [stride, offset] : llvm::zip(whole.strides, offsets))
    whole.offset = sizes.simplify(whole.offset + offset * stride);
  whole.sizes.assign(extents.begin(), extents.end());
  complete(whole);
  return whole;
}

std::optional<Layout> Layouts::partOf(Operation *whole, unsigned operand) {
  std::optional<Layout> layout = layoutOf(whole->getResult(0));
  if (!layout)
    return std::nullopt;
  SmallVector<AffineExpr> offsets(layout->sizes.size(), sizes.constant(0));
  if (auto pad = dyn_cast<PadOp>(whole)) {
    offsets = sizes.expressionsOf(pad.getMixedLow());
  } else {
    auto concat = cast<ConcatOp>(whole);
    for (Value before : concat.getOperands().take_front(operand))
      offsets[concat.getDim()] = offsets[concat.getDim()] + sizes.sizesOf(before)[concat.getDim()];
  }
  return partOf(*layout, offsets, sizes.sizesOf(whole->getOperand(operand)));
}

SmallVector<Layout> Layouts::borderOf(PadOp pad) {
  SmallVector<Layout> parts;
  std::optional<Layout> whole = layoutOf(pad.getResult());
  if (!whole)
    return parts;
  SmallVector<AffineExpr> inner = sizes.sizesOf(pad.getOperand()), low = sizes.expressionsOf(pad.getMixedLow()),
                          high = sizes.expressionsOf(pad.getMixedHigh());
  // Before and behind a dimension lies all of those after it, of those before it what is inside.
  SmallVector<AffineExpr> offsets(inner.size(), sizes.constant(0)), extents = whole->sizes;
  for (size_t dim = 0; dim < inner.size(); ++dim) {
    auto add = [&](AffineExpr offset, AffineExpr extent) {
      if (SizeAnalysis::staticSize(extent) == 0)
        return;
      offsets[dim] = offset;
      extents[dim] = extent;
      parts.push_back(partOf(*whole, offsets, extents));
    };
    add(sizes.constant(0), low[dim]);
    add(low[dim] + inner[dim], high[dim]);
    offsets[dim] = low[dim];
    extents[dim] = inner[dim];
  }
  return parts;
}

std::optional<Layout> Layouts::reshaped(const Layout &layout, ArrayRef<AffineExpr> extents) {
  if (ArrayRef(layout.sizes) == extents)
    return layout;
  Layout result{layout.root, layout.offset, SmallVector<AffineExpr>(extents), {}, {}};
  // Runs of dimensions through which one stride leads, outermost first.
  struct Run {
    AffineExpr size, stride;
  };
  SmallVector<Run> runs;
  for (auto [size, stride, isBreak] : llvm::zip(layout.sizes, layout.strides, layout.breaks)) {
    if (runs.empty() || isBreak)
      runs.push_back({size, stride});
    else
      runs.back() = {sizes.simplify(runs.back().size * size), stride};
  }
  if (runs.empty())
    runs.push_back({sizes.constant(1), sizes.constant(1)});
  result.strides.assign(extents.size(), sizes.constant(1));
  AffineExpr covered = sizes.constant(1);
  for (int64_t d = (int64_t)extents.size() - 1; d >= 0; --d) {
    if (SizeAnalysis::staticSize(extents[d]) == 1)
      continue;
    // The outermost run has what is left.
    if (runs.size() > 1 && areEqual(covered, runs.back().size)) {
      runs.pop_back();
      covered = sizes.constant(1);
    }
    result.strides[d] = sizes.simplify(runs.back().stride * covered);
    covered = sizes.simplify(covered * extents[d]);
  }
  if (runs.size() > 1 && areEqual(covered, runs.back().size))
    runs.pop_back();
  if (runs.size() > 1)
    return std::nullopt;
  complete(result);
  return result;
}

//===- AssignViews.cpp - Decide which slices, concats and pads move nothing ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/Analysis/Layouts.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;
using namespace tenon::tile;

namespace tenon::tile {
#define GEN_PASS_DEF_ASSIGNVIEWSPASS
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace tenon::tile

namespace {
class ViewAssignment {
public:
  explicit ViewAssignment(func::FuncOp func) : func(func), sizes(func.getContext()), layouts(sizes) {}

  void run() {
    raiseSizes();
    // From the end: where a result goes is known before the operands are looked at.
    SmallVector<Operation *> wholes;
    func.walk([&](Operation *op) {
      if (isa<ConcatOp>(op) || hasHalo(op))
        wholes.push_back(op);
    });
    for (Operation *whole : llvm::reverse(wholes))
      for (unsigned i = 0, end = isa<PadOp>(whole) ? 1 : whole->getNumOperands(); i < end; ++i)
        if (const char *obstacle = obstacleToPlace(whole, i))
          remarkCopied(whole, "operand-is-copied", obstacle) << remark::add("operand {0}", i);
        else
          markPlaced(whole, i);
    func.walk([&](SliceOp slice) {
      if (const char *obstacle = obstacleToView(slice))
        remarkCopied(slice, "slice-is-copied", obstacle);
      else
        slice->setAttr(kViewAttr, UnitAttr::get(func.getContext()));
    });
  }

private:
  /// What is computed from what is bound alone, without a chance of failing, is computed at the start: places
  /// have such sizes before what they follow from is reached.
  void raiseSizes() {
    Block &entry = func.getBody().front();
    auto isKnown = [&](Value value) {
      return onEntry.contains(value) || (isa<BlockArgument>(value) && isa<TensorType>(value.getType()));
    };
    auto isSize = [](Operation &op) {
      bool isArithmetic = isa_and_present<arith::ArithDialect, affine::AffineDialect>(op.getDialect());
      return isa<SymbolOp, BindShapeOp, BindStridesOp, BoundStrideOp, IsAliasedOp>(op) || (isArithmetic && isPure(&op));
    };
    Block::iterator front = entry.begin();
    for (Operation &op : llvm::make_early_inc_range(entry)) {
      if (!isSize(op) || !llvm::all_of(op.getOperands(), isKnown))
        continue;
      onEntry.insert(op.result_begin(), op.result_end());
      if (&*front == &op)
        ++front;
      else
        op.moveBefore(&entry, front);
    }
  }

  static remark::detail::InFlightRemark remarkCopied(Operation *op, StringRef name, const char *obstacle) {
    auto missed = remark::missed(op->getLoc(), remark::RemarkOpts::name(name).category("tenon-assign-views"));
    missed << remark::reason("{0}", obstacle);
    return missed;
  }

  static void markPlaced(Operation *whole, unsigned operand) {
    SmallVector<int64_t> placed;
    if (auto known = whole->getAttrOfType<DenseI64ArrayAttr>(kPlacedAttr))
      llvm::append_range(placed, known.asArrayRef());
    placed.push_back(operand);
    whole->setAttr(kPlacedAttr, DenseI64ArrayAttr::get(whole->getContext(), placed));
  }

  /// A pad whose border costs less than moving what it surrounds: rows stay whole, so that whoever writes
  /// them does it as before, and nothing is cropped.
  static bool hasHalo(Operation *op) {
    auto pad = dyn_cast<PadOp>(op);
    if (!pad || pad.getMode() != PadMode::constant || pad.getStaticLow().empty())
      return false;
    auto isKnown = [](int64_t amount) { return !ShapedType::isDynamic(amount) && amount >= 0; };
    return llvm::all_of(pad.getStaticLow(), isKnown) && llvm::all_of(pad.getStaticHigh(), isKnown) &&
           pad.getStaticLow().back() == 0 && pad.getStaticHigh().back() == 0;
  }

  static bool isKernelOp(Operation *op) {
    return op->getNumRegions() == 0 && !op->hasTrait<OpTrait::IsTerminator>() && !isPlacement(op);
  }

  static bool sharesBytes(Value tensor) {
    return StorageFormat(cast<RankedTensorType>(tensor.getType()).getElementType()).sharesBytes();
  }

  /// Whether they follow from what is bound: a place can be named from the start on.
  bool isKnownOnEntry(ArrayRef<AffineExpr> expressions) {
    return llvm::all_of(expressions, [&](AffineExpr expression) {
      return llvm::all_of(sizes.valuesOf(expression), [&](Value value) { return onEntry.contains(value); });
    });
  }
  bool isKnownOnEntry(const Layout &layout) {
    return isKnownOnEntry(layout.sizes) && isKnownOnEntry(layout.strides) && isKnownOnEntry(layout.offset);
  }

  /// Whether all that read the tensor, or reshapes of it, can read it there.
  bool isReadableAt(Value tensor, const Layout &layout) {
    return layout.hasRows() && llvm::all_of(tensor.getUsers(), [&](Operation *user) {
             if (auto reshape = dyn_cast<ReshapeOp>(user)) {
               std::optional<Layout> view = layouts.reshaped(layout, sizes.sizesOf(reshape.getResult()));
               return view && isReadableAt(reshape.getResult(), *view);
             }
             // Neighbours in a row of the image are read together.
             if (isa<WindowRowsOp>(user))
               return !layout.breaks.back();
             return isa<SliceOp, ConcatOp, PadOp, BindShapeOp, BindStridesOp, SizeOp>(user) || isKernelOp(user);
           });
  }

  /// Why an operand isn't written where the whole needs it; null where a kernel in the same block writes it, nothing
  /// else says where it lies, and its readers take strides.
  const char *obstacleToPlace(Operation *whole, unsigned operand) {
    Value tensor = whole->getOperand(operand);
    std::optional<Layout> layout = layouts.partOf(whole, operand);
    if (!layout || !layout->hasRows())
      return "its part of the whole has no rows";
    if (sharesBytes(tensor))
      return "elements share bytes";
    if (!isKnownOnEntry(*layout) || !isKnownOnEntry(sizes.sizesOf(whole->getResult(0))))
      return "its place isn't known at the start";
    while (auto reshape = tensor.getDefiningOp<ReshapeOp>()) {
      tensor = reshape.getOperand();
      layout = layouts.reshaped(*layout, sizes.sizesOf(tensor));
      if (!layout)
        return "no strides reshape it there";
    }
    Operation *source = tensor.getDefiningOp();
    if (!source || source->getBlock() != whole->getBlock() || !(isKernelOp(source) || isa<ConcatOp>(source)))
      return "no kernel beside it writes it";
    if (layouts.rootOf(tensor) != tensor)
      return "it lies elsewhere already";
    return isReadableAt(tensor, *layout) ? nullptr : "a reader needs its rows together";
  }

  /// Why a slice is copied; null where what it reads is written once, before, and its readers take strides.
  const char *obstacleToView(SliceOp slice) {
    if (sharesBytes(slice.getOperand()))
      return "elements share bytes";
    if (llvm::any_of(slice.getMixedStrides(),
                     [](OpFoldResult step) { return getConstantIntValue(step).value_or(0) <= 0; }))
      return "its steps aren't known to go forward";
    std::optional<Layout> layout = layouts.sliceOf(slice);
    if (!layout)
      return "no strides lead there";
    if (!layout->hasRows())
      return "elements of its rows aren't next to each other";
    if (!isReadableAt(slice.getResult(), *layout))
      return "a reader needs its rows together";
    // The view of a loop or branch is made in front of it.
    if (slice->getParentOp() != func && !isKnownOnEntry(*layout))
      return "its place isn't known in front of the loop or branch";
    Operation *source = layout->root.getDefiningOp();
    bool isWritten = source ? isKernelOp(source) || isa<ConcatOp, SliceOp, ConstantOp>(source)
                            : layout->root.getParentRegion() == &func.getBody();
    return isWritten ? nullptr : "what it reads is no buffer of the program's own";
  }

  func::FuncOp func;
  SizeAnalysis sizes;
  Layouts layouts;
  DenseSet<Value> onEntry; ///< numbers that are known before anything runs
};

struct AssignViewsPass : tile::impl::AssignViewsPassBase<AssignViewsPass> {
  void runOnChecked() override { ViewAssignment(getOperation()).run(); }
};
} // namespace

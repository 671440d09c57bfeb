//===- AssignViews.cpp - Decide which slices and concats move nothing ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/Analysis/Layouts.h"
#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

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
    // From the end: where a concat's own result goes is known before its operands are looked at.
    SmallVector<ConcatOp> concats;
    func.walk([&](ConcatOp concat) { concats.push_back(concat); });
    for (ConcatOp concat : llvm::reverse(concats))
      for (unsigned i = 0; i < concat.getNumOperands(); ++i)
        if (canPlace(concat, i))
          markPlaced(concat, i);
    func.walk([&](SliceOp slice) {
      if (canView(slice))
        slice->setAttr(kViewAttr, UnitAttr::get(func.getContext()));
    });
  }

private:
  static void markPlaced(ConcatOp concat, unsigned operand) {
    SmallVector<int64_t> placed;
    if (auto known = concat->getAttrOfType<DenseI64ArrayAttr>(kPlacedAttr))
      llvm::append_range(placed, known.asArrayRef());
    placed.push_back(operand);
    concat->setAttr(kPlacedAttr, DenseI64ArrayAttr::get(concat.getContext(), placed));
  }

  static bool isKernelOp(Operation *op) {
    return op->getNumRegions() == 0 && !op->hasTrait<OpTrait::IsTerminator>() && !isPlacement(op);
  }

  static bool sharesBytes(Value tensor) {
    return cast<RankedTensorType>(tensor.getType()).getElementType().isInteger(4);
  }

  /// Whether the sizes are those of inputs: a place can be named from the start on.
  bool isKnownOnEntry(ArrayRef<AffineExpr> expressions) {
    return llvm::all_of(expressions, [&](AffineExpr expression) {
      return llvm::all_of(sizes.valuesOf(expression), [](Value value) { return value.getDefiningOp<SymbolOp>(); });
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
      return isa<SliceOp, ConcatOp, BindShapeOp, SizeOp>(user) || isKernelOp(user);
    });
  }

  /// A kernel in the concat's block writes the operand, nothing else says where it lies, and its readers take strides.
  bool canPlace(ConcatOp concat, unsigned operand) {
    Value tensor = concat.getOperand(operand);
    std::optional<Layout> layout = layouts.partOf(concat, operand);
    if (!layout || !layout->hasRows() || sharesBytes(tensor) || !isKnownOnEntry(*layout) ||
        !isKnownOnEntry(sizes.sizesOf(concat.getResult())))
      return false;
    while (auto reshape = tensor.getDefiningOp<ReshapeOp>()) {
      tensor = reshape.getOperand();
      layout = layouts.reshaped(*layout, sizes.sizesOf(tensor));
      if (!layout)
        return false;
    }
    Operation *source = tensor.getDefiningOp();
    return source && source->getBlock() == concat->getBlock() && (isKernelOp(source) || isa<ConcatOp>(source)) &&
           layouts.rootOf(tensor) == tensor && isReadableAt(tensor, *layout);
  }

  /// What the slice reads is written once, before, and its readers take strides.
  bool canView(SliceOp slice) {
    if (sharesBytes(slice.getOperand()) ||
        llvm::any_of(slice.getMixedStrides(), [](OpFoldResult step) { return getConstantIntValue(step).value_or(0) <= 0; }))
      return false;
    std::optional<Layout> layout = layouts.sliceOf(slice);
    if (!layout || !isReadableAt(slice.getResult(), *layout))
      return false;
    // The view of a loop or branch is made in front of it.
    if (slice->getParentOp() != func && !isKnownOnEntry(*layout))
      return false;
    Operation *source = layout->root.getDefiningOp();
    return source ? isKernelOp(source) || isa<ConcatOp, SliceOp, ConstantOp>(source)
                  : layout->root.getParentRegion() == &func.getBody();
  }

  func::FuncOp func;
  SizeAnalysis sizes;
  Layouts layouts;
};

struct AssignViewsPass : tile::impl::AssignViewsPassBase<AssignViewsPass> {
  void runOnOperation() override {
    if (!getOperation().isExternal())
      ViewAssignment(getOperation()).run();
  }
};
} // namespace

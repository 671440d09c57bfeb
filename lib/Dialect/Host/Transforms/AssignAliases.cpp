//===- AssignAliases.cpp - Let outputs grow in the buffers of inputs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/Analysis/Layouts.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace tenon::host {
#define GEN_PASS_DEF_ASSIGNALIASESPASS
#include "tenon/Dialect/Host/Transforms/Passes.h.inc"
} // namespace tenon::host

namespace {
class AliasAssignment {
public:
  explicit AliasAssignment(func::FuncOp func) : func(func), sizes(func.getContext()), builder(func.getContext()) {}

  LogicalResult run() {
    auto end = cast<func::ReturnOp>(func.getBody().front().getTerminator());
    for (OpOperand &operand : end->getOpOperands())
      if (auto input = func.getResultAttrOfType<IntegerAttr>(operand.getOperandNumber(), kAliasAttr))
        if (failed(assign(operand, input.getInt())))
          return failure();
    return success();
  }

private:
  std::string nameOf(bool isInput, int64_t number) {
    auto name = isInput ? func.getArgAttrOfType<StringAttr>(number, "tenon.name")
                        : func.getResultAttrOfType<StringAttr>(number, "tenon.name");
    return "'" + (name ? name.str() : std::to_string(number)) + "'";
  }

  LogicalResult assign(OpOperand &returned, int64_t input) {
    int64_t output = returned.getOperandNumber();
    auto refuse = [&](const Twine &why) {
      return func.emitError() << "output " << nameOf(false, output) << " can't share the buffer of input "
                              << nameOf(true, input) << ": " << why;
    };
    if (input < 0 || input >= (int64_t)func.getNumArguments())
      return func.emitError() << "output " << nameOf(false, output) << " can't share the buffer of input " << input
                              << ": there is no such input";
    BlockArgument past = func.getArgument(input);
    if (boundStridesOf(past))
      return refuse("another output does");
    // What is written into it where data says takes its place.
    Value grown = returned.get();
    SmallVector<Value> written;
    for (auto scatter = grown.getDefiningOp<ScatterOp>(); scatter; scatter = grown.getDefiningOp<ScatterOp>()) {
      written.push_back(grown);
      grown = scatter.getOperand();
    }
    auto concat = grown.getDefiningOp<ConcatOp>();
    if (!concat || concat.getOperand(0) != past || llvm::count(concat.getOperands(), past) != 1)
      return refuse("it is not that input with more behind it");
    if (!written.empty() && !grown.hasOneUse())
      return refuse("it is written into, but read as it was before");
    if (StorageFormat(cast<RankedTensorType>(past.getType()).getElementType()).sharesBytes())
      return refuse("its elements share bytes");
    for (AffineExpr size : sizes.sizesOf(concat.getResult()))
      if (!llvm::all_of(sizes.valuesOf(size), isKnownOnEntry))
        return refuse("its size depends on data");
    bind(past, concat, written, output);
    return success();
  }

  void bind(BlockArgument past, ConcatOp concat, ArrayRef<Value> written, int64_t output) {
    Location loc = concat.getLoc();
    int64_t input = past.getArgNumber(), rank = cast<RankedTensorType>(past.getType()).getRank();
    setInsertionPointAfterSizes();
    Value isAliased = IsAliasedOp::create(builder, loc, builder.getIndexType(), output, input);
    SmallVector<Value> inputStrides;
    for (int64_t dim = 0; dim + 1 < rank; ++dim)
      inputStrides.push_back(BoundStrideOp::create(builder, loc, builder.getIndexType(), input, dim));
    BindStridesOp::create(builder, loc, past, inputStrides);
    SmallVector<AffineExpr> extents = sizes.sizesOf(concat.getResult());
    SmallVector<Value> strides(inputStrides.size());
    AffineExpr apart = sizes.constant(1), alias = sizes.expressionOf(isAliased);
    builder.setInsertionPoint(concat);
    for (int64_t dim = rank - 2; dim >= 0; --dim) {
      // Of a buffer of its own: contiguous.
      apart = sizes.simplify(apart * extents[dim + 1]);
      AffineExpr shared = sizes.expressionOf(inputStrides[dim]);
      strides[dim] = getValueOrCreateConstantIndexOp(builder, loc,
                                                     sizes.materialize(builder, loc, alias * (shared - apart) + apart));
    }
    SmallVector<Value> states(written);
    states.push_back(concat.getResult());
    for (Value state : states) {
      builder.setInsertionPointAfter(state.getDefiningOp());
      BindStridesOp::create(builder, loc, state, strides);
    }
    // All others read them through a slice, which is a view for those that take strides.
    readThroughSlices(past, concat, -1);
    readThroughSlices(states.front(), nullptr, output);
  }

  void readThroughSlices(Value tensor, Operation *except, int64_t output) {
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : tensor.getUses()) {
      Operation *user = use.getOwner();
      bool isReturned = isa<func::ReturnOp>(user) && (int64_t)use.getOperandNumber() == output;
      if (user != except && !isReturned && !isa<BindShapeOp, BindStridesOp, SizeOp>(user))
        uses.push_back(&use);
    }
    for (OpOperand *use : uses) {
      if (Operation *op = tensor.getDefiningOp())
        builder.setInsertionPointAfter(op);
      else
        setInsertionPointAfterSizes();
      auto type = cast<RankedTensorType>(tensor.getType());
      SmallVector<Value> dynamic;
      SmallVector<int64_t> fixed, zeros(type.getRank(), 0), ones(type.getRank(), 1);
      dispatchIndexOpFoldResults(sizes.materialize(builder, tensor.getLoc(), ArrayRef(sizes.sizesOf(tensor))), dynamic,
                                 fixed);
      use->set(SliceOp::create(builder, tensor.getLoc(), type, tensor, /*offsets=*/ValueRange(), dynamic,
                               /*strides=*/ValueRange(), zeros, fixed, ones));
    }
  }

  /// Behind what states the sizes and strides of inputs.
  void setInsertionPointAfterSizes() {
    Block &body = func.getBody().front();
    builder.setInsertionPointToStart(&body);
    for (Operation &op : body)
      if (isa<BindShapeOp, BindStridesOp>(op) && isa<BlockArgument>(op.getOperand(0)))
        builder.setInsertionPointAfter(&op);
  }

  func::FuncOp func;
  SizeAnalysis sizes;
  OpBuilder builder;
};

struct AssignAliasesPass : host::impl::AssignAliasesPassBase<AssignAliasesPass> {
  void runOnChecked() override {
    if (failed(AliasAssignment(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace

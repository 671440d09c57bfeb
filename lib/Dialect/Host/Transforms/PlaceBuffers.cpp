//===- PlaceBuffers.cpp - Give every tensor of the host program a place ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace tenon::host {
#define GEN_PASS_DEF_PLACEBUFFERSPASS
#include "tenon/Dialect/Host/Transforms/Passes.h.inc"
} // namespace tenon::host

namespace {
/// The tensors that share one place: a root and its reshapes, casts and overwritten destinations.
struct Place {
  StorageKind kind = StorageKind::arena;
  int64_t number = -1;
  int64_t first = -1, last = -1; ///< launches that use it
  Value root;
};

class Placement {
public:
  explicit Placement(func::FuncOp func) : func(func), sizes(func.getContext()), builder(func.getContext()) {}

  LogicalResult run() {
    if (!func.getBody().hasOneBlock())
      return func.emitOpError("expects one block");
    if (failed(findPlaces()))
      return failure();
    placeResults();
    rewrite();
    return success();
  }

private:
  /// The value whose place a tensor shares.
  Value rootOf(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      if (isa<ReshapeOp, tensor::CastOp>(op))
        value = op->getOperand(0);
      else if (auto launch = dyn_cast<LaunchOp>(op))
        value = launch.getOuts()[cast<OpResult>(value).getResultNumber()];
      else
        break;
    }
    return value;
  }

  LogicalResult findPlaces() {
    Block &body = func.getBody().front();
    int64_t constants = 0;
    for (BlockArgument argument : body.getArguments())
      places[argument] = {StorageKind::input, argument.getArgNumber(), -1, -1, argument};
    int64_t position = 0;
    for (Operation &op : body) {
      if (auto constant = dyn_cast<ConstantOp>(op)) {
        places[constant] = {StorageKind::constant, constants++, -1, -1, constant};
      } else if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
        places[empty] = {StorageKind::arena, -1, -1, -1, empty};
      } else if (isa<LaunchOp, ConcatOp, SliceOp>(op)) {
        if (!isa<LaunchOp>(op))
          places[op.getResult(0)] = {StorageKind::arena, -1, position, position, op.getResult(0)};
        for (Value value : op.getOperands()) {
          if (!isa<RankedTensorType>(value.getType()))
            continue;
          Place &place = places[rootOf(value)];
          place.first = place.first < 0 ? position : place.first;
          place.last = position;
        }
        ++position;
      } else if (!isa<SymbolOp, BindShapeOp, ReshapeOp, tensor::CastOp, func::ReturnOp>(op) &&
                 llvm::any_of(op.getResultTypes(), llvm::IsaPred<RankedTensorType>)) {
        return op.emitOpError("has no place in the host program");
      }
    }
    return success();
  }

  /// A returned tensor lives in the output it is first returned as.
  void placeResults() {
    for (auto [i, value] : llvm::enumerate(returnOp().getOperands())) {
      Place &place = places[rootOf(value)];
      if (place.kind == StorageKind::arena)
        place.kind = StorageKind::output, place.number = i;
    }
    int64_t buffers = 0;
    for (auto &[root, place] : places)
      if (place.kind == StorageKind::arena)
        place.number = buffers++;
  }

  func::ReturnOp returnOp() { return cast<func::ReturnOp>(func.getBody().front().getTerminator()); }

  static MemRefType memrefOf(Type tensor) {
    auto type = cast<RankedTensorType>(tensor);
    return MemRefType::get(type.getShape(), type.getElementType());
  }

  StringAttr nameOf(StorageKind kind, int64_t number) {
    if (kind == StorageKind::input)
      return func.getArgAttrOfType<StringAttr>(number, "tenon.name");
    return kind == StorageKind::output ? func.getResultAttrOfType<StringAttr>(number, "tenon.name") : StringAttr();
  }

  Value storage(Value tensor, StorageKind kind, int64_t number, DenseI64ArrayAttr live, Attribute value) {
    auto [dynamic, fixed] = sizesFor(tensor);
    return StorageOp::create(builder, tensor.getLoc(), memrefOf(tensor.getType()), kind, number, nameOf(kind, number),
                             dynamic, fixed, live, value);
  }

  std::pair<SmallVector<Value>, SmallVector<int64_t>> sizesFor(Value tensor) {
    SmallVector<Value> dynamic;
    SmallVector<int64_t> fixed;
    dispatchIndexOpFoldResults(sizes.materialize(builder, tensor.getLoc(), sizes.sizesOf(tensor)), dynamic, fixed);
    return {dynamic, fixed};
  }

  /// The buffer of a tensor under its own sizes, made where it is first needed.
  Value bufferOf(Value tensor) {
    if (Value known = buffers.lookup(tensor))
      return known;
    Value root = rootOf(tensor);
    Place place = places.lookup(root);
    if (tensor != root && tensor.getType() != root.getType()) {
      Value source = bufferOf(root);
      auto [dynamic, fixed] = sizesFor(tensor);
      return buffers[tensor] = contiguousView(source, tensor, dynamic, fixed);
    }
    Value buffer = buffers.lookup(root);
    if (!buffer) {
      DenseI64ArrayAttr live;
      if (place.kind == StorageKind::arena && place.first >= 0)
        live = builder.getDenseI64ArrayAttr({place.first, place.last});
      Attribute value;
      if (auto constant = root.getDefiningOp<ConstantOp>())
        value = constant.getValue();
      buffer = storage(root, place.kind, place.number, live, value);
    }
    return buffers[tensor] = buffers[root] = buffer;
  }

  Value contiguousView(Value source, Value tensor, ValueRange dynamic, ArrayRef<int64_t> fixed) {
    Location loc = tensor.getLoc();
    SmallVector<OpFoldResult> strides(fixed.size(), builder.getIndexAttr(1));
    SmallVector<AffineExpr> extents = sizes.sizesOf(tensor);
    AffineExpr stride = sizes.constant(1);
    for (int64_t i = (int64_t)fixed.size() - 1; i >= 0; --i) {
      strides[i] = sizes.materialize(builder, loc, stride);
      stride = stride * extents[i];
    }
    SmallVector<Value> dynamicStrides;
    SmallVector<int64_t> fixedStrides;
    dispatchIndexOpFoldResults(strides, dynamicStrides, fixedStrides);
    return ViewOp::create(builder, loc, memrefOf(tensor.getType()), source, ValueRange(), dynamic, dynamicStrides,
                          ArrayRef<int64_t>{0}, fixed, fixedStrides);
  }

  /// Elements of `buffer` at `offsets + i * steps`.
  Value strided(Value buffer, Value tensor, ArrayRef<AffineExpr> offsets, ArrayRef<AffineExpr> extents,
                ArrayRef<AffineExpr> steps, Location loc) {
    SmallVector<AffineExpr> whole = sizes.sizesOf(tensor), strides(whole.size());
    AffineExpr stride = sizes.constant(1), offset = sizes.constant(0);
    for (int64_t i = (int64_t)whole.size() - 1; i >= 0; --i) {
      strides[i] = stride * steps[i];
      offset = offset + offsets[i] * stride;
      stride = stride * whole[i];
    }
    auto split = [&](ArrayRef<AffineExpr> expressions) {
      std::pair<SmallVector<Value>, SmallVector<int64_t>> result;
      dispatchIndexOpFoldResults(sizes.materialize(builder, loc, expressions), result.first, result.second);
      return result;
    };
    auto [dynamicOffset, fixedOffset] = split(offset);
    auto [dynamicSizes, fixedSizes] = split(extents);
    auto [dynamicStrides, fixedStrides] = split(strides);
    auto layout = StridedLayoutAttr::get(builder.getContext(), fixedOffset.front(), fixedStrides);
    auto type = MemRefType::get(fixedSizes, cast<RankedTensorType>(tensor.getType()).getElementType(), layout);
    return ViewOp::create(builder, loc, type, buffer, dynamicOffset, dynamicSizes, dynamicStrides, fixedOffset,
                          fixedSizes, fixedStrides);
  }

  void copyPart(SliceOp slice) {
    Value source = slice.getOperand();
    Value part = strided(bufferOf(source), source, sizes.expressionsOf(slice.getMixedOffsets()),
                         sizes.sizesOf(slice.getResult()), sizes.expressionsOf(slice.getMixedStrides()),
                         slice.getLoc());
    CopyOp::create(builder, slice.getLoc(), part, bufferOf(slice.getResult()));
  }

  void copyParts(ConcatOp concat) {
    Value result = concat.getResult();
    int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
    SmallVector<AffineExpr> offsets(rank, sizes.constant(0)), ones(rank, sizes.constant(1));
    AffineExpr &start = offsets[concat.getDim()];
    for (Value operand : concat.getOperands()) {
      SmallVector<AffineExpr> extents = sizes.sizesOf(operand);
      Value part = strided(bufferOf(result), result, offsets, extents, ones, concat.getLoc());
      CopyOp::create(builder, concat.getLoc(), bufferOf(operand), part);
      start = start + extents[concat.getDim()];
    }
  }

  void rewrite() {
    Block &body = func.getBody().front();
    SmallVector<Operation *> steps;
    for (Operation &op : body)
      if (isa<LaunchOp, ConcatOp, SliceOp>(op))
        steps.push_back(&op);
    func::ReturnOp end = returnOp();
    // Inputs stand first, in order, whether they are used or not: their sizes are what binds the symbols.
    builder.setInsertionPoint(firstAfterSizes());
    for (BlockArgument argument : body.getArguments())
      bufferOf(argument);
    for (Operation *step : steps) {
      builder.setInsertionPoint(step);
      if (auto concat = dyn_cast<ConcatOp>(step))
        copyParts(concat);
      else if (auto slice = dyn_cast<SliceOp>(step))
        copyPart(slice);
      auto launch = dyn_cast<LaunchOp>(step);
      if (!launch)
        continue;
      SmallVector<Value> ins, outs;
      for (Value value : launch.getIns())
        ins.push_back(bufferOf(value));
      for (Value value : launch.getOuts())
        outs.push_back(bufferOf(value));
      auto placed = LaunchOp::create(builder, launch.getLoc(), TypeRange(), launch.getKernelAttr(), launch.getWork(),
                                     launch.getSymbols(), ins, outs);
      placed->setDiscardableAttrs(launch->getDiscardableAttrDictionary());
    }
    builder.setInsertionPoint(end);
    for (auto [i, value] : llvm::enumerate(end.getOperands())) {
      Value source = bufferOf(value);
      Place place = places.lookup(rootOf(value));
      // Every output is named here with its own sizes: they are what the plan reports.
      Value output = storage(value, StorageKind::output, i, DenseI64ArrayAttr(), Attribute());
      if (place.kind != StorageKind::output || place.number != (int64_t)i)
        CopyOp::create(builder, value.getLoc(), source, output);
    }
    eraseTensors();
  }

  /// The operation behind the symbols and bindings at the function's start.
  Operation *firstAfterSizes() {
    Operation *result = &func.getBody().front().front();
    for (Operation &op : func.getBody().front())
      if (isa<BindShapeOp>(op))
        result = op.getNextNode();
    return result;
  }

  void eraseTensors() {
    Block &body = func.getBody().front();
    returnOp()->setOperands(ValueRange());
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
      if (isa<BindShapeOp, tensor::EmptyOp, ConstantOp, ReshapeOp, tensor::CastOp, ConcatOp, SliceOp>(op) ||
          (isa<LaunchOp>(op) && op.getNumResults() != 0))
        op.erase();
    body.eraseArguments(0, body.getNumArguments());
    func.setFunctionType(FunctionType::get(func.getContext(), {}, {}));
    func.removeArgAttrsAttr();
    func.removeResAttrsAttr();
  }

  func::FuncOp func;
  SizeAnalysis sizes;
  OpBuilder builder;
  llvm::MapVector<Value, Place> places;
  DenseMap<Value, Value> buffers;
};

struct PlaceBuffersPass : host::impl::PlaceBuffersPassBase<PlaceBuffersPass> {
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    if (failed(Placement(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace

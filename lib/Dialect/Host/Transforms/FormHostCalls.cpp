//===- FormHostCalls.cpp - Calls of functions for what no kernel computes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace tenon::host {
#define GEN_PASS_DEF_FORMHOSTCALLSPASS
#include "tenon/Dialect/Host/Transforms/Passes.h.inc"
} // namespace tenon::host

namespace {
constexpr StringLiteral runtime = "tenon_runtime", strings = "tenon_host_functions";

bool isString(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<StringType>(tensor.getElementType());
}

/// Moves elements whatever they are.
bool isMovement(Operation *op) {
  auto scatter = dyn_cast<ScatterOp>(op);
  return isa<ReshapeOp, BroadcastOp, TransposeOp, SliceOp, ConcatOp, GatherOp, PadOp, SelectOp>(op) ||
         (scatter && !scatter.getCombiner());
}

class HostCalls {
public:
  explicit HostCalls(func::FuncOp func) : func(func), sizes(func.getContext()), builder(func.getContext()) {}

  LogicalResult run() {
    SmallVector<Operation *> ops;
    func.walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops) {
      builder.setInsertionPoint(op);
      if (failed(visit(op)))
        return failure();
    }
    for (Operation *op : llvm::reverse(replaced)) {
      op->dropAllUses();
      op->erase();
    }
    return success();
  }

private:
  LogicalResult visit(Operation *op) {
    auto hasString = [](ValueRange values) { return llvm::any_of(values.getTypes(), isString); };
    if (auto interface = dyn_cast<HostCallInterface>(op)) {
      call(interface);
    } else if (auto constant = dyn_cast<ConstantOp>(op); constant && hasString(constant->getResults())) {
      replace(op, makeStrings(op->getLoc(), cast<DenseStringElementsAttr>(constant.getValue())));
    } else if (auto size = dyn_cast<SizeOp>(op); size && isString(size.getOperand().getType())) {
      sizeOf(size);
    } else if (auto compare = dyn_cast<CompareOp>(op); compare && hasString(compare.getOperands())) {
      Value predicate = integer(op->getLoc(), (int64_t)compare.getPredicate());
      replace(op, results(op, "string_compare", strings, {predicate, compare.getLhs(), compare.getRhs()}));
    } else if (isa<tensor::CastOp>(op) && hasString(op->getOperands())) {
      replace(op, results(op, "identity", runtime, llvm::to_vector(op->getOperands())));
    } else if (isMovement(op) && hasString(op->getResults())) {
      take(op);
    } else if (isa_and_present<TenonDialect>(op->getDialect()) && hasString(op->getOperands()) &&
               !isa<BindShapeOp, IfOp, LoopOp, tenon::YieldOp>(op)) {
      return op->emitError() << "'" << op->getName() << "' of strings can't be compiled";
    } else if (auto loop = dyn_cast<LoopOp>(op)) {
      for (Type type : llvm::drop_begin(loop->getResultTypes(), loop.getCarried().size()))
        if (isHeld(type))
          return op->emitError() << "scan values of type " << type << " can't be compiled";
    }
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Building
  //===--------------------------------------------------------------------===//

  void replace(Operation *op, ArrayRef<Value> values) {
    for (auto [result, value] : llvm::zip(op->getResults(), values)) {
      if (isa<RankedTensorType>(result.getType()))
        sizes.replace(result, value);
      by[result] = value;
      result.replaceAllUsesWith(value);
    }
    replaced.push_back(op);
  }

  Value constant(Location loc, TypedAttr value) {
    if (auto texts = dyn_cast<DenseStringElementsAttr>(value))
      return makeStrings(loc, texts);
    return ConstantOp::create(builder, loc, value.getType(), value);
  }

  Value integer(Location loc, int64_t value) {
    return constant(loc, DenseElementsAttr::get(RankedTensorType::get({}, builder.getI64Type()), value));
  }

  Value callOne(Location loc, StringRef function, StringRef library, ValueRange ins, ValueRange outs, Type type) {
    return CallOp::create(builder, loc, TypeRange(type), function, library, ins, outs).getResult(0);
  }

  /// Strings that are known: where each ends, their bytes and the sizes, which the runtime makes a value of.
  Value makeStrings(Location loc, DenseStringElementsAttr texts) {
    std::string bytes;
    SmallVector<int64_t> ends;
    auto type = cast<RankedTensorType>(texts.getType());
    for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
      bytes += texts.getRawStringData()[texts.isSplat() ? 0 : i];
      ends.push_back(bytes.size());
    }
    auto list = [&](ArrayRef<int64_t> values) {
      auto integers = RankedTensorType::get({(int64_t)values.size()}, builder.getI64Type());
      return constant(loc, DenseElementsAttr::get(integers, values));
    };
    auto byteType = RankedTensorType::get({(int64_t)bytes.size()}, builder.getIntegerType(8, /*isSigned=*/false));
    Value data = constant(loc, DenseElementsAttr::getFromRawBuffer(byteType, ArrayRef(bytes.data(), bytes.size())));
    Value where = list(ends), shape = list(type.getShape());
    return callOne(loc, "strings", runtime, {where, data, shape}, {}, type);
  }

  /// The sizes of a tensor that the runtime holds.
  SmallVector<OpFoldResult> heldSizes(Location loc, Value value, RankedTensorType type) {
    auto shapeType = RankedTensorType::get({type.getRank()}, builder.getI64Type());
    Value empty = tensor::EmptyOp::create(builder, loc, shapeType.getShape(), shapeType.getElementType());
    Value shape = callOne(loc, "shape", runtime, value, empty, shapeType);
    SmallVector<OpFoldResult> result;
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (type.isDynamicDim(dim))
        result.push_back(ItemOp::create(builder, loc, builder.getIndexType(), shape, dim).getResult());
      else
        result.push_back(builder.getIndexAttr(type.getDimSize(dim)));
    }
    return result;
  }

  /// Reads the sizes of a tensor of strings, right behind where it is made, for all that depend on them.
  void readSizes(Value original) {
    OpBuilder::InsertionGuard guard(builder);
    Value value = by.contains(original) ? by.lookup(original) : original;
    builder.setInsertionPointAfterValue(value);
    for (auto [dim, size] : llvm::enumerate(heldSizes(value.getLoc(), value, cast<RankedTensorType>(value.getType()))))
      if (auto read = dyn_cast<Value>(size))
        sizes.resolve(original, dim, read);
  }

  SmallVector<OpFoldResult> materialize(Location loc, ArrayRef<AffineExpr> extents) {
    for (AffineExpr size : extents)
      for (Value source : sizes.valuesOf(size))
        if (isHeld(source.getType()))
          readSizes(source);
    return sizes.materialize(builder, loc, extents);
  }

  Value empty(Location loc, RankedTensorType type, ArrayRef<OpFoldResult> extents) {
    SmallVector<Value> dynamic;
    SmallVector<int64_t> fixed;
    dispatchIndexOpFoldResults(extents, dynamic, fixed);
    Value result = tensor::EmptyOp::create(builder, loc, fixed, type.getElementType(), dynamic);
    return result.getType() == type ? result : tensor::CastOp::create(builder, loc, type, result).getResult();
  }

  void bind(Location loc, Value tensor, ArrayRef<OpFoldResult> extents) {
    SmallVector<Value> dynamic;
    SmallVector<int64_t> fixed;
    dispatchIndexOpFoldResults(extents, dynamic, fixed);
    if (!dynamic.empty())
      BindShapeOp::create(builder, loc, tensor, dynamic, fixed);
  }

  /// The sizes of a result, where they are known before the call.
  std::optional<SmallVector<OpFoldResult>> sizesBefore(Operation *op, Value result) {
    SmallVector<AffineExpr> extents = sizes.sizesOf(result);
    for (AffineExpr size : extents)
      for (Value source : sizes.valuesOf(size))
        if (source.getDefiningOp() == op || !isBefore(source, op))
          return std::nullopt;
    return materialize(op->getLoc(), extents);
  }

  static bool isBefore(Value value, Operation *op) {
    Operation *source = value.getDefiningOp();
    if (!source)
      return true;
    Operation *ancestor = source->getBlock()->findAncestorOpInBlock(*op);
    return ancestor && source->isBeforeInBlock(ancestor);
  }

  /// Calls a function for the results of an op. Tensors of numbers whose sizes only the function knows are held by the
  /// runtime first, then moved to a buffer of their sizes.
  SmallVector<Value> results(Operation *op, StringRef function, StringRef library, ArrayRef<Value> ins) {
    Location loc = op->getLoc();
    SmallVector<Value> outs, values;
    SmallVector<Type> types;
    SmallVector<SmallVector<OpFoldResult>> known;
    for (OpResult result : op->getResults()) {
      known.emplace_back();
      types.push_back(result.getType());
      if (isHeld(result.getType()))
        continue;
      auto type = cast<RankedTensorType>(result.getType());
      if (auto extents = sizesBefore(op, result)) {
        known.back() = *extents;
        outs.push_back(empty(loc, type, *extents));
      } else {
        types.back() = ValueType::get(builder.getContext(), type);
      }
    }
    auto called = CallOp::create(builder, loc, types, function, library, ins, outs);
    for (auto [result, value, extents] : llvm::zip(op->getResults(), called.getResults(), known)) {
      if (!isa<ValueType>(value.getType())) {
        // Sizes that are stated, or follow from operands, stay known without the op.
        if (!isHeld(value.getType()) && !extents.empty())
          bind(loc, value, extents);
        values.push_back(value);
        continue;
      }
      auto type = cast<RankedTensorType>(result.getType());
      SmallVector<OpFoldResult> actual = heldSizes(loc, value, type);
      Value moved = callOne(loc, "identity", runtime, value, empty(loc, type, actual), type);
      bind(loc, moved, actual);
      replaceSizes(result, actual);
      values.push_back(moved);
    }
    return values;
  }

  /// What asks for sizes of a tensor gets those of the value that was given.
  void replaceSizes(Value tensor, ArrayRef<OpFoldResult> actual) {
    for (Operation *user : llvm::make_early_inc_range(tensor.getUsers()))
      if (auto size = dyn_cast<SizeOp>(user))
        size.getResult().replaceAllUsesWith(
            getValueOrCreateConstantIndexOp(builder, size.getLoc(), actual[size.getDim()]));
    for (auto [dim, extent] : llvm::enumerate(actual))
      if (auto value = dyn_cast<Value>(extent))
        sizes.resolve(tensor, dim, value);
  }

  //===--------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------===//

  void call(HostCallInterface op) {
    SmallVector<Value> ins;
    for (TypedAttr parameter : op.getHostParameters())
      ins.push_back(constant(op->getLoc(), parameter));
    llvm::append_range(ins, op->getOperands());
    replace(op, results(op, op.getHostFunction(), op.getHostLibrary(), ins));
  }

  /// The size of a tensor of strings that only its function knows.
  void sizeOf(SizeOp op) {
    OpFoldResult size = materialize(op.getLoc(), sizes.sizesOf(op.getOperand())[op.getDim()]).front();
    replace(op, getValueOrCreateConstantIndexOp(builder, op.getLoc(), size));
  }

  /// Strings move by the numbers of their places: a kernel moves those, and the runtime takes the strings.
  void take(Operation *op) {
    Location loc = op->getLoc();
    IRMapping places;
    SmallVector<Value> ins;
    AffineExpr before = sizes.constant(0);
    for (Value operand : op->getOperands()) {
      if (!isString(operand.getType()) || places.contains(operand))
        continue;
      places.map(operand, placesOf(operand, before, loc));
      ins.push_back(operand);
    }
    Operation *moved = builder.clone(*op, places);
    Value result = moved->getResult(0);
    auto type = cast<RankedTensorType>(result.getType());
    result.setType(type.clone(builder.getI64Type()));
    ins.insert(ins.begin(), result);
    replace(op, callOne(loc, "strings_take", runtime, ins, {}, type));
  }

  /// 0, 1, ... from `before` on, in the shape of a tensor of strings; counts its elements into `before`.
  Value placesOf(Value value, AffineExpr &before, Location loc) {
    Type i64 = builder.getI64Type();
    SmallVector<AffineExpr> extents = sizes.sizesOf(value);
    AffineExpr count = sizes.constant(1);
    for (AffineExpr size : extents)
      count = count * size;
    auto split = [&](ArrayRef<AffineExpr> list) {
      std::pair<SmallVector<Value>, SmallVector<int64_t>> both;
      dispatchIndexOpFoldResults(materialize(loc, list), both.first, both.second);
      return both;
    };
    auto [dynamicCount, fixedCount] = split(count);
    auto flat = RankedTensorType::get(fixedCount, i64);
    Value places = IotaOp::create(builder, loc, flat, dynamicCount, fixedCount, /*dim=*/0);
    if (before != sizes.constant(0)) {
      auto [dynamicBefore, fixedBefore] = split(before);
      Value first = FromSizesOp::create(builder, loc, RankedTensorType::get({}, i64), dynamicBefore, fixedBefore);
      first = BroadcastOp::create(builder, loc, flat, first, dynamicCount, ArrayRef<int64_t>(), fixedCount);
      places = AddOp::create(builder, loc, flat, places, first);
    }
    before = sizes.simplify(before + count);
    auto [dynamic, fixed] = split(extents);
    auto type = cast<RankedTensorType>(value.getType());
    return ReshapeOp::create(builder, loc, RankedTensorType::get(type.getShape(), i64), places, dynamic, fixed);
  }

  func::FuncOp func;
  SizeAnalysis sizes;
  OpBuilder builder;
  SmallVector<Operation *> replaced;
  DenseMap<Value, Value> by; ///< what took the place of a result
};

struct FormHostCallsPass : host::impl::FormHostCallsPassBase<FormHostCallsPass> {
  void runOnChecked() override {
    if (failed(HostCalls(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace

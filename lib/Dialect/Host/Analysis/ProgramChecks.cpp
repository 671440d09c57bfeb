//===- ProgramChecks.cpp - What passes on host programs rely on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/Analysis/ProgramChecks.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

/// The functions in `root` that are programs: those of kernels say so.
static LogicalResult checkFunctions(Operation *root, llvm::function_ref<LogicalResult(func::FuncOp)> check) {
  auto checkOne = [&](func::FuncOp func) {
    return func.isExternal() || func->hasAttr(kKernelAttr) ? success() : check(func);
  };
  if (auto func = dyn_cast<func::FuncOp>(root))
    return checkOne(func);
  for (Region &region : root->getRegions())
    for (auto func : region.getOps<func::FuncOp>())
      if (failed(checkOne(func)))
        return failure();
  return success();
}

static LogicalResult checkBody(func::FuncOp func) {
  if (!func.getBody().hasOneBlock())
    return func.emitOpError("expects one block, but has ") << func.getBody().getBlocks().size();
  if (func.getBody().front().empty() || !isa<func::ReturnOp>(func.getBody().front().back()))
    return func.emitOpError("expects func.return at its end");
  return checkGraph(func);
}

//===----------------------------------------------------------------------===//
// Before buffers are placed
//===----------------------------------------------------------------------===//

static LogicalResult checkTensors(func::FuncOp func) {
  if (failed(checkBody(func)))
    return failure();
  if (isPlaced(func) || func->hasAttr(kPlanAttr))
    return func.emitOpError("has buffers already, but a program on tensors is expected: one that tenon-kernels has not "
                            "seen");
  return success();
}

/// What comes in and goes out: the runtime binds it.
static LogicalResult checkBoundary(func::FuncOp func) {
  auto isTensor = [](Type type) { return isa<RankedTensorType, SequenceType, OptionalType, ValueType>(type); };
  for (auto [what, types] :
       {std::pair("argument ", func.getArgumentTypes()), std::pair("result ", func.getResultTypes())})
    for (auto [i, type] : llvm::enumerate(types))
      if (!isTensor(type))
        return func.emitOpError("expects tensors of known rank, sequences or optionals, but ")
               << what << i << " has type " << type;
  return success();
}

/// Whether something but the argument itself says a size.
static bool isBound(BlockArgument argument, int64_t dim) {
  return llvm::any_of(argument.getUsers(), [&](Operation *user) {
    auto bind = dyn_cast<BindShapeOp>(user);
    if (!bind)
      return false;
    auto value = dyn_cast<Value>(bind.getMixedSizes()[dim]);
    auto own = value ? value.getDefiningOp<SizeOp>() : SizeOp();
    return !own || own.getOperand() != argument;
  });
}

static LogicalResult checkBound(func::FuncOp func) {
  if (failed(checkTensors(func)) || failed(checkBoundary(func)))
    return failure();
  for (BlockArgument argument : func.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    for (int64_t dim = 0; type && dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim) && !isBound(argument, dim))
        return emitError(argument.getLoc())
               << "size " << dim << " of input " << argument.getArgNumber() << " is not bound: tenon.bind_shape";
  }
  SizeAnalysis sizes(func.getContext());
  for (BlockArgument argument : func.getArguments())
    for (AffineExpr size : sizes.sizesOf(argument))
      if (!llvm::all_of(sizes.valuesOf(size),
                        [](Value value) { return isa_and_present<SymbolOp>(value.getDefiningOp()); }))
        return emitError(argument.getLoc())
               << "sizes of input " << argument.getArgNumber() << " are bound to what isn't computed from symbols";
  WalkResult sized = func.getBody().walk([&](Operation *op) {
    for (Value result : op->getResults())
      for (auto [dim, size] : llvm::enumerate(sizes.sizesOf(result)))
        if (int64_t known = SizeAnalysis::staticSize(size); !ShapedType::isDynamic(known) && known < 0)
          return op->emitOpError("would have ") << known << " as size " << dim, WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (sized.wasInterrupted())
    return failure();
  WalkResult walked = func.getBody().walk([](NonZeroOp op) {
    if (!cast<RankedTensorType>(op.getType()).isDynamicDim(1) || op.getCount())
      return WalkResult::advance();
    op.emitOpError("gives positions of a number that is not known: tenon-count-nonzero");
    return WalkResult::interrupt();
  });
  return failure(walked.wasInterrupted());
}

LogicalResult tenon::host::checkProgram(Operation *root) { return checkFunctions(root, checkTensors); }
LogicalResult tenon::host::checkBoundProgram(Operation *root) { return checkFunctions(root, checkBound); }

//===----------------------------------------------------------------------===//
// Placed programs
//===----------------------------------------------------------------------===//

static LogicalResult checkBuffers(Operation *op) {
  for (Value operand : op->getOperands()) {
    Operation *source = insideOf(operand).getDefiningOp();
    if (isa<MemRefType>(operand.getType()) && !isa_and_present<StorageOp, ViewOp>(source))
      return op->emitOpError("expects buffers that are storages or views of them");
    if (isa<ValueType>(operand.getType()) && !isa_and_present<SlotOp>(source))
      return op->emitOpError("expects values of the runtime in slots");
    if (isa<TokenType>(operand.getType()) && !isa_and_present<AsyncOp>(source))
      return op->emitOpError("expects tokens of tenon_host.async");
  }
  return success();
}

/// Loops and branches have one block in each region, and carry numbers.
static LogicalResult checkControlFlow(Operation *op) {
  SmallVector<Type> types(op->getResultTypes());
  for (Region &region : op->getRegions()) {
    if (!region.empty() && !region.hasOneBlock())
      return op->emitOpError("expects one block in a region");
    if (!region.empty())
      llvm::append_range(types, region.front().getArgumentTypes());
  }
  for (Type type : types)
    if (!type.isIndex() && !type.isInteger(1))
      return op->emitOpError("expects numbers of the program, index or i1, but has ") << type;
  return success();
}

static LogicalResult checkPlacedOp(Operation *op) {
  if (failed(checkBuffers(op)))
    return failure();
  auto isHeldInBuffers = [](Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    return !memref || memref.getElementType().isIntOrIndexOrFloat();
  };
  for (Type type : op->getResultTypes())
    if (!isHeldInBuffers(type))
      return op->emitOpError("expects buffers of numbers, but has ") << type;
  if (isa<SegmentOp, PlanOp>(op))
    return op->emitOpError("is of a program in segments: run this pass before tenon-cut-segments");
  Dialect *dialect = op->getDialect();
  if (!isa_and_present<arith::ArithDialect, affine::AffineDialect, HostDialect>(dialect) &&
      !isa<SymbolOp, func::ReturnOp, scf::IfOp, scf::WhileOp, scf::ConditionOp, scf::YieldOp>(op))
    return op->emitOpError("has no place in the host program");
  if (op->getNumRegions() == 0)
    return success();
  if (!isa<scf::IfOp, scf::WhileOp, AsyncOp>(op))
    return op->emitOpError("has no place in the host program");
  return isa<AsyncOp>(op) ? success() : checkControlFlow(op);
}

bool tenon::host::isArithmetic(Operation *op) {
  return isa<SymbolOp, BoundStrideOp, BoundSizeOp, IsAliasedOp>(op) ||
         (isa_and_present<arith::ArithDialect, affine::AffineDialect>(op->getDialect()) && op->getNumRegions() == 0);
}

static LogicalResult checkSegment(SegmentOp segment) {
  WalkResult result = segment.getBody().walk([](Operation *op) {
    if (isa<PlanOp>(op))
      return op->emitOpError("has no place in a segment"), WalkResult::interrupt();
    return failed(checkPlacedOp(op)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// What stands between segments, in loops and branches around them too.
static LogicalResult checkBetween(Block &block) {
  for (Operation &op : block) {
    if (auto segment = dyn_cast<SegmentOp>(op)) {
      if (failed(checkSegment(segment)))
        return failure();
    } else if (isa<scf::IfOp, scf::WhileOp>(op)) {
      if (failed(checkControlFlow(&op)))
        return failure();
      for (Region &region : op.getRegions())
        if (!region.empty() && failed(checkBetween(region.front())))
          return failure();
    } else if (!isArithmetic(&op) && !isa<PlanOp, ViewOp, func::ReturnOp, scf::ConditionOp, scf::YieldOp>(op)) {
      return op.emitOpError("has no place between segments");
    }
  }
  return success();
}

LogicalResult tenon::host::checkCut(func::FuncOp program) {
  if (failed(checkBody(program)) || failed(checkBetween(program.getBody().front())))
    return failure();
  WalkResult result = program.walk([](scf::WhileOp loop) {
    for (Operation &op : *loop.getBeforeBody())
      if (isa<SegmentOp, PlanOp>(op))
        return op.emitOpError("has no place in the condition of a loop"), WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult tenon::host::checkPlacedOrCut(Operation *root) {
  auto func = dyn_cast<func::FuncOp>(root);
  return func && isCut(func) ? checkCut(func) : checkPlaced(root);
}

LogicalResult tenon::host::checkPlaced(Operation *root) {
  auto checkAll = [](func::FuncOp func, llvm::function_ref<LogicalResult(Operation *)> check) {
    return failure(
        func.getBody()
            .walk([&](Operation *op) { return failed(check(op)) ? WalkResult::interrupt() : WalkResult::advance(); })
            .wasInterrupted());
  };
  return checkFunctions(root, [&](func::FuncOp func) -> LogicalResult {
    // Before buffers are placed there are none, but what somebody wrote may name some.
    if (!isPlaced(func))
      return checkAll(func, [](Operation *op) {
        return isa_and_present<HostDialect>(op->getDialect()) ? checkBuffers(op) : success();
      });
    return failure(failed(checkBody(func)) || failed(checkAll(func, checkPlacedOp)));
  });
}

//===- KernelFunction.cpp - The function that a program becomes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelFunction.h"

#include "tenon/Codegen/Common/ElementEmitter.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"
#include "tenon/Runtime/KernelABI.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;

LogicalResult codegen::checkElements(Location loc, ArrayRef<Type> operands, ArrayRef<Type> results) {
  for (Type element : llvm::concat<const Type>(operands, results))
    if (!storageType(element))
      return emitError(loc) << "elements of " << element << " can't be compiled";
  return success();
}

MemRefType codegen::errorSlotType(MLIRContext *context) {
  return MemRefType::get(int64_t(abi::bytesOf(abi::kErrorSlot)), IntegerType::get(context, 8));
}

FailureOr<KernelFunction> KernelFunction::create(OpBuilder &builder, Location loc, StringRef name,
                                                 const KernelSignature &signature) {
  ArrayRef<Type> tensors = signature.tensors;
  if (failed(checkElements(loc, signature.constants, {})) ||
      failed(checkElements(loc, tensors.drop_back(signature.results), tensors.take_back(signature.results))))
    return failure();
  SmallVector<Type> inputs =
      llvm::map_to_vector(llvm::concat<const Type>(tensors, signature.constants),
                          [](Type element) -> Type { return MemRefType::get({}, storageType(element)); });
  inputs.append(signature.strides + signature.symbols + 2, builder.getIndexType());
  inputs.append(signature.hasScratch + signature.hasLaunchScratch, MemRefType::get({}, builder.getI8Type()));
  if (signature.checks)
    inputs.push_back(errorSlotType(builder.getContext()));
  KernelFunction result;
  result.function = func::FuncOp::create(builder, loc, name, builder.getFunctionType(inputs, builder.getI32Type()));
  auto count = [&](StringRef kind, size_t number) {
    return builder.getNamedAttr(kind, builder.getI64IntegerAttr(number));
  };
  SmallVector<NamedAttribute> counts = {count("buffers", tensors.size()), count("strides", signature.strides),
                                        count("symbols", signature.symbols)};
  if (!signature.constants.empty())
    counts.push_back(count("constants", signature.constants.size()));
  if (!signature.places.empty())
    counts.push_back(builder.getNamedAttr("places", builder.getDenseI64ArrayAttr(signature.places)));
  result.function->setAttr(kKernelAttr, builder.getDictionaryAttr(counts));
  if (signature.checks)
    result.function->setAttr(kChecksAttr, builder.getUnitAttr());
  if (signature.hasScratch)
    result.function->setAttr(kScratchAttr, builder.getUnitAttr());
  if (signature.hasLaunchScratch)
    result.function->setAttr(kLaunchScratchAttr, builder.getUnitAttr());
  builder.setInsertionPointToStart(result.function.addEntryBlock());
  ValueRange arguments = result.function.getArguments();
  result.buffers = arguments.take_front(tensors.size());
  arguments = arguments.drop_front(tensors.size());
  result.constants = arguments.take_front(signature.constants.size());
  arguments = arguments.drop_front(signature.constants.size());
  result.strides = arguments.take_front(signature.strides);
  arguments = arguments.drop_front(signature.strides);
  result.symbols = arguments.take_front(signature.symbols);
  arguments = arguments.drop_front(signature.symbols);
  result.begin = arguments[0];
  result.end = arguments[1];
  arguments = arguments.drop_front(2);
  if (signature.hasScratch)
    result.scratch = arguments.front();
  if (signature.hasLaunchScratch)
    result.launchScratch = arguments[signature.hasScratch];
  return result;
}

LogicalResult codegen::decomposeComposites(Operation *root) {
  SmallVector<DecomposableInterface> composites;
  do {
    composites.clear();
    root->walk([&](DecomposableInterface op) { composites.push_back(op); });
    for (DecomposableInterface op : composites) {
      OpBuilder builder(op);
      FailureOr<SmallVector<Value>> values = op.decompose(builder);
      if (failed(values))
        return op.emitError("can't be decomposed");
      op->replaceAllUsesWith(*values);
      op->erase();
    }
  } while (!composites.empty());
  return success();
}

void codegen::approximateFunctions(Operation *root) {
  root->walk([](Operation *op) {
    auto function = dyn_cast<arith::ArithFastMathInterface>(op);
    if (function && isa_and_present<math::MathDialect>(op->getDialect()) &&
        getElementTypeOrSelf(op->getResult(0)).isF32())
      op->setAttr(function.getFastMathAttrName(),
                  arith::FastMathFlagsAttr::get(op->getContext(), arith::FastMathFlags::afn));
  });
}

bool codegen::canFail(Operation *root) {
  return root
      ->walk([](Operation *op) {
        auto gather = dyn_cast<GatherOp>(op);
        auto scatter = dyn_cast<ScatterOp>(op);
        bool fails = (gather && gather.getMode() == IndexMode::error) ||
                     (scatter && scatter.getMode() == IndexMode::error) || isa<tile::TopKRowOp, tile::ReportOp>(op);
        return fails ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

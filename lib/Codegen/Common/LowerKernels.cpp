//===- LowerKernels.cpp - Turn kernels into functions of loops over vectors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/KernelBody.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Dialect/Tile/Analysis/KernelChecks.h"
#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace tenon::codegen {
#define GEN_PASS_DEF_LOWERKERNELSPASS
#include "tenon/Codegen/Common/Passes.h.inc"
} // namespace tenon::codegen

namespace {
class KernelLowering {
public:
  /// The schedule must be complete.
  KernelLowering(KernelOp kernel, const KernelStrategy &strategy, ScheduleAttr schedule)
      : kernel(kernel), strategy(strategy), builder(kernel.getContext()), schedule(schedule) {}

  LogicalResult run() {
    if (failed(decomposeComposites()))
      return failure();
    SmallVector<Type> bases;
    for (Type type : llvm::concat<const Type>(tensorTypes(), kernel.getResultTypes())) {
      Type storage = storageType(cast<RankedTensorType>(type).getElementType());
      if (!storage)
        return kernel.emitError() << "elements of " << getElementTypeOrSelf(type) << " can't be compiled";
      bases.push_back(MemRefType::get({}, storage));
    }
    for (Type type : kernel.getResultTypes())
      if (isPacked(cast<RankedTensorType>(type).getElementType()))
        return kernel.emitError() << "can't write elements of " << getElementTypeOrSelf(type) << ", which share bytes";
    unsigned symbols = kernel.getNumSymbols(), strides = 0;
    for (auto [i, type] : llvm::enumerate(llvm::concat<const Type>(tensorTypes(), kernel.getResultTypes())))
      if (kernel.takesStrides(i))
        strides += cast<RankedTensorType>(type).getRank() - 1;
    SmallVector<Type> inputs(bases);
    inputs.append(strides + symbols + 2, builder.getIndexType());
    bool checks = kernel.getBody().walk([](Operation *op) {
      auto gather = dyn_cast<GatherOp>(op);
      auto scatter = dyn_cast<ScatterOp>(op);
      bool fails = (gather && gather.getMode() == IndexMode::error) ||
                   (scatter && scatter.getMode() == IndexMode::error) || isa<TopKOp>(op);
      return fails ? WalkResult::interrupt() : WalkResult::advance();
    }).wasInterrupted();
    bool hasScratch = (bool)strategy.scratchOf(kernel);
    if (hasScratch)
      inputs.push_back(MemRefType::get({}, builder.getI8Type()));
    if (checks)
      inputs.push_back(LLVM::LLVMPointerType::get(builder.getContext()));
    builder.setInsertionPoint(kernel);
    auto func = func::FuncOp::create(builder, kernel.getLoc(), kernel.getSymName(),
                                     builder.getFunctionType(inputs, builder.getI32Type()));
    func->setAttr(kKernelAttr,
                  builder.getDictionaryAttr({builder.getNamedAttr("buffers", builder.getI64IntegerAttr(bases.size())),
                                             builder.getNamedAttr("strides", builder.getI64IntegerAttr(strides)),
                                             builder.getNamedAttr("symbols", builder.getI64IntegerAttr(symbols))}));
    if (checks)
      func->setAttr(kChecksAttr, builder.getUnitAttr());
    if (hasScratch)
      func->setAttr(kScratchAttr, builder.getUnitAttr());
    Block *entry = func.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    LogicalResult result = emitBody(func, bases.size(), strides);
    kernel.erase();
    return result;
  }

private:
  ArrayRef<Type> tensorTypes() { return kernel.getArgumentTypes().drop_front(kernel.getNumSymbols()); }

  LogicalResult decomposeComposites() {
    bool changed = true;
    while (changed) {
      changed = false;
      SmallVector<DecomposableInterface> composites;
      kernel.walk([&](DecomposableInterface op) { composites.push_back(op); });
      for (DecomposableInterface op : composites) {
        builder.setInsertionPoint(op);
        FailureOr<SmallVector<Value>> values = op.decompose(builder);
        if (failed(values))
          return op.emitError("can't be decomposed");
        op->replaceAllUsesWith(*values);
        op->erase();
        changed = true;
      }
    }
    return success();
  }

  LogicalResult emitBody(func::FuncOp func, unsigned buffers, unsigned strides) {
    Block &source = kernel.getBody().front();
    unsigned symbols = kernel.getNumSymbols();
    auto numbers = func.getArguments().drop_front(buffers + strides);
    // Symbols of the kernel become those of the function, so that sizes are computed from them.
    for (unsigned i = 0; i < symbols; ++i)
      source.getArgument(i).replaceAllUsesWith(numbers[i]);
    // Index constants are what sizes are computed with: they are needed in the function as well.
    SizeAnalysis sizes(func.getContext());
    auto yield = cast<tile::YieldOp>(source.getTerminator());
    KernelStructure structure = strategy.structureOf(OpGroup(kernel, sizes));
    // As many elements as 32-bit ones make up the vectors, whatever their type.
    int64_t lanes = *schedule.get(knob::vectorBytes) / 4 * schedule.get(knob::vectors).value_or(1);
    ElementEmitter emitter(builder, kernel.getLoc(), sizes, lanes);
    KernelBody body{kernel, structure, emitter, numbers[symbols], numbers[symbols + 1],
                    SmallVector<Value>(yield.getValues()), {}, tiles(), Value(), {}};
    if (func->hasAttr(kScratchAttr))
      body.scratch = numbers[symbols + 2];
    auto givenStrides = func.getArguments().slice(buffers, strides);
    for (auto [i, tensor] : llvm::enumerate(llvm::concat<Value>(
             SmallVector<Value>(source.getArguments().drop_front(symbols)), SmallVector<Value>(body.results)))) {
      std::optional<ValueRange> given;
      if (kernel.takesStrides(i)) {
        given = givenStrides.take_front(cast<RankedTensorType>(tensor.getType()).getRank() - 1);
        givenStrides = givenStrides.drop_front(given->size());
      }
      Buffer buffer = makeBuffer(emitter, tensor, func.getArgument(i), given);
      if (i < source.getNumArguments() - symbols)
        emitter.addBuffer(tensor, buffer);
      else
        body.outputs.push_back(buffer);
    }
    for (AffineExpr size : body.structure.space)
      body.space.push_back(emitter.index(size));
    LogicalResult result = strategy.lower(body);
    if (schedule.get(knob::functionBits) == fewFunctionBits)
      func.walk([](Operation *op) {
        auto function = dyn_cast<arith::ArithFastMathInterface>(op);
        if (function && isa_and_present<math::MathDialect>(op->getDialect()) &&
            getElementTypeOrSelf(op->getResult(0)).isF32())
          op->setAttr(function.getFastMathAttrName(),
                      arith::FastMathFlagsAttr::get(op->getContext(), arith::FastMathFlags::afn));
      });
    Value zero = emitter.integer(builder.getI32Type(), 0);
    func::ReturnOp::create(builder, kernel.getLoc(), zero);
    return result;
  }

  ContractionSchedule tiles() {
    auto get = [&](StringRef knob) { return schedule.get(knob).value_or(0); };
    return {get(knob::tileRows),        get(knob::depthBlock), get(knob::turnSize), get(knob::residentBytes),
            get(knob::vectorBytes) / 4, get(knob::wideRows),   get(knob::fetchRows)};
  }

  /// The tensor's flat buffer with the strides of contiguous rows, or those that are given for all but the last dimension.
  Buffer makeBuffer(ElementEmitter &e, Value tensor, Value base, std::optional<ValueRange> given) {
    SmallVector<AffineExpr> extents = e.sizes.sizesOf(tensor);
    Buffer buffer;
    OpFoldResult count;
    if (given) {
      buffer.isStrided = true;
      buffer.strides = getAsOpFoldResult(*given);
      buffer.strides.push_back(builder.getIndexAttr(1));
      Value last = e.index(1);
      for (auto [stride, extent] : llvm::zip(buffer.strides, extents))
        last = e.add(last, e.mul(e.sub(e.index(extent), e.index(1)), e.index(stride)));
      count = last;
    } else {
      AffineExpr stride = e.sizes.constant(1);
      buffer.strides.resize(extents.size());
      for (int64_t i = (int64_t)extents.size() - 1; i >= 0; --i) {
        buffer.strides[i] = e.sizes.materialize(builder, e.loc, stride);
        stride = stride * extents[i];
      }
      count = e.sizes.materialize(builder, e.loc, stride);
    }
    auto type = MemRefType::get({getConstantIntValue(count).value_or(ShapedType::kDynamic)},
                                cast<MemRefType>(base.getType()).getElementType());
    buffer.memref = memref::ReinterpretCastOp::create(builder, e.loc, type, base, OpFoldResult(builder.getIndexAttr(0)),
                                                      ArrayRef<OpFoldResult>{count},
                                                      ArrayRef<OpFoldResult>{builder.getIndexAttr(1)});
    return buffer;
  }

  KernelOp kernel;
  const KernelStrategy &strategy; ///< found before composites are decomposed, as work was counted
  OpBuilder builder;
  ScheduleAttr schedule;
};

struct LowerKernelsPass : codegen::impl::LowerKernelsPassBase<LowerKernelsPass> {
  using Base::Base;

  void runOnOperation() override {
    VariantOp variant = getOperation();
    if (failed(checkKernels(variant)))
      return signalPassFailure();
    auto kernel = dyn_cast<KernelOp>(*variant.getFunction());
    if (!kernel)
      return; // loops already
    const KernelStrategy *strategy = strategyOf(kernel);
    if (!strategy) {
      kernel.emitOpError("suits no strategy that is registered");
      return signalPassFailure();
    }
    ScheduleAttr schedule = variant.getScheduleAttr();
    std::unique_ptr<ScheduleSpace> space = strategy->spaceOf(kernel, variant.getTarget());
    if (!space) {
      variant.emitOpError() << "has a kernel that can't be compiled for target '" << variant.getTarget().getName() << "'";
      return signalPassFailure();
    }
    if (failed(space->read(schedule, [&] { return variant.emitOpError(); })) ||
        failed(KernelLowering(kernel, *strategy, schedule).run()))
      signalPassFailure();
  }
};
} // namespace

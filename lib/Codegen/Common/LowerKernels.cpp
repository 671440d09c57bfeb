//===- LowerKernels.cpp - Turn kernels into functions of loops over vectors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelFunction.h"
#include "VariantKernel.h"
#include "tenon/Codegen/Common/KernelBody.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Codegen/Common/VectorSpace.h"

#include "tenon/Dialect/Tile/IR/TilePrograms.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
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
    strategy.formOperands(kernel);
    KernelSignature signature = KernelSignature::of(kernel);
    AffineMap units = workOf(kernel);
    if (!units)
      return kernel.emitOpError("has sizes that don't follow from its symbols");
    // Strides come behind the symbols.
    units = AffineMap::get(0, signature.symbols + signature.strides, units.getResults(), kernel.getContext());
    PlanAttr plan = PlanAttr::get(kernel.getContext(), builder.getAffineMapArrayAttr(units), AffineMapAttr(),
                                  AffineMapAttr(), IntegerSetAttr());
    if (failed(decomposeComposites(kernel)))
      return failure();
    signature.checks = canFail(kernel);
    builder.setInsertionPoint(kernel);
    FailureOr<KernelFunction> function =
        KernelFunction::create(builder, kernel.getLoc(), kernel.getSymName(), signature);
    if (failed(function))
      return failure();
    function->function->setAttr(kProgramPlanAttr, plan);
    LogicalResult result = emitBody(*function);
    kernel.erase();
    return result;
  }

private:
  LogicalResult emitBody(const KernelFunction &function) {
    Block &source = kernel.getBody().front();
    unsigned symbols = kernel.getNumSymbols();
    // Symbols of the kernel become those of the function, so that sizes are computed from them.
    for (unsigned i = 0; i < symbols; ++i)
      source.getArgument(i).replaceAllUsesWith(function.symbols[i]);
    // Index constants are what sizes are computed with: they are needed in the function as well.
    SizeAnalysis sizes(kernel.getContext());
    auto yield = cast<tile::YieldOp>(source.getTerminator());
    KernelStructure structure = strategy.structureOf(OpGroup(kernel, sizes));
    ElementEmitter emitter(builder, kernel.getLoc(), sizes, lanesOf(schedule));
    KernelBody body{kernel, structure, emitter, function.begin, function.end, SmallVector<Value>(yield.getValues()),
                    {},     {}};
    ValueRange givenStrides = function.strides;
    SmallVector<Attribute> constants;
    for (auto [i, tensor] : llvm::enumerate(llvm::concat<Value>(
             SmallVector<Value>(source.getArguments().drop_front(symbols)), SmallVector<Value>(body.results)))) {
      std::optional<ValueRange> given;
      if (kernel.takesStrides(i)) {
        given = givenStrides.take_front(cast<RankedTensorType>(tensor.getType()).getRank() - 1);
        givenStrides = givenStrides.drop_front(given->size());
      }
      auto form = i < source.getNumArguments() - symbols
                      ? kernel.getArgAttrOfType<FlatSymbolRefAttr>(symbols + i, kFormAttr)
                      : FlatSymbolRefAttr();
      Value base = form ? function.constants[constants.size()] : function.buffers[i - constants.size()];
      if (form)
        constants.push_back(
            builder.getDictionaryAttr({builder.getNamedAttr("form", form),
                                       builder.getNamedAttr("operands", builder.getDenseI64ArrayAttr(int64_t(i)))}));
      Buffer buffer = emitter.makeBuffer(base, sizes.sizesOf(tensor), given);
      if (i < source.getNumArguments() - symbols)
        emitter.addBuffer(tensor, buffer);
      else
        body.outputs.push_back(buffer);
    }
    if (!constants.empty())
      kernel->getParentOp()->setAttr(kConstantsAttr, builder.getArrayAttr(constants));
    for (AffineExpr size : body.structure.space)
      body.space.push_back(emitter.index(size));
    LogicalResult result = strategy.lower(body);
    if (schedule.get(knob::functionBits) == fewFunctionBits)
      approximateFunctions(function.function);
    Value zero = emitter.integer(builder.getI32Type(), 0);
    func::ReturnOp::create(builder, kernel.getLoc(), zero);
    return result;
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
    FailureOr<VariantKernel> found = VariantKernel::of(variant);
    if (failed(found))
      return signalPassFailure();
    if (!found->kernel)
      return; // loops already
    if (found->strategy->hasProgram(found->kernel)) {
      found->kernel.emitOpError("expects a tile program: run tenon-build-tiles before");
      return signalPassFailure();
    }
    if (failed(found->readSchedule(variant)) ||
        failed(KernelLowering(found->kernel, *found->strategy, variant.getScheduleAttr()).run()))
      signalPassFailure();
  }
};
} // namespace

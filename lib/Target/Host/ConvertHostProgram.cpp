//===- ConvertHostProgram.cpp - From a planned program to functions of the LLVM dialect ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramLayout.h"
#include "tenon/Dialect/Host/Analysis/ProgramChecks.h"
#include "tenon/Target/Host/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace tenon::host {
#define GEN_PASS_DEF_CONVERTHOSTTOLLVMPASS
#include "tenon/Target/Host/Passes.h.inc"
} // namespace tenon::host

namespace {
struct GuardDivisions : PassWrapper<GuardDivisions, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(GuardDivisions)
  void runOnOperation() override { guardDivisions(getOperation()); }
};

void buildPipeline(OpPassManager &pm) {
  pm.addPass(createLowerAffinePass());
  pm.addNestedPass<func::FuncOp>(std::make_unique<GuardDivisions>());
  pm.addPass(createCSEPass());
  pm.addPass(arith::createArithExpandOpsPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

/// Adds the functions to the module at the builder, numbers included.
FailureOr<HostCode> convertProgram(func::FuncOp main, OpBuilder &builder) {
  ProgramLayout layout(main);
  if (failed(checkCut(main)) || failed(layout.build()))
    return failure();
  for (unsigned i = 0; i < layout.segments.size(); ++i)
    if (failed(convertSegment(layout, i, builder)))
      return failure();
  for (unsigned i = 0; i < layout.segments.size(); ++i)
    if (failed(convertPlan(layout, i, builder)))
      return failure();
  if (failed(convertRun(layout, builder)))
    return failure();
  HostCode result;
  result.metadata = std::move(layout.metadata);
  result.constants = std::move(layout.constants);
  result.isReadElsewhere = std::move(layout.isReadElsewhere);
  result.launches = std::move(layout.launchOperands);
  return result;
}

struct ConvertHostToLLVMPass : host::impl::ConvertHostToLLVMPassBase<ConvertHostToLLVMPass> {
  void runOnOperation() override {
    func::FuncOp program;
    for (auto main : getOperation().getOps<func::FuncOp>()) {
      if (!isPlaced(main))
        continue;
      if (program) {
        main.emitError() << "'" << main.getName() << "' is a second host program: a module has one";
        return signalPassFailure();
      }
      program = main;
    }
    if (program && failed(convert(program)))
      signalPassFailure();
  }

  LogicalResult convert(func::FuncOp program) {
    if (!isCut(program))
      return program.emitOpError("is a host program without segments: run tenon-plans before");
    // In a module of their own: what stands beside the program is not for these passes.
    OpBuilder builder(program);
    auto module = ModuleOp::create(builder, program.getLoc());
    builder.setInsertionPointToStart(module.getBody());
    OpPassManager pipeline(ModuleOp::getOperationName());
    buildPipeline(pipeline);
    if (failed(convertProgram(program, builder)) || failed(runPipeline(pipeline, module)))
      return failure();
    eraseProgram(program);
    for (auto function : module.getOps<SymbolOpInterface>())
      if (Operation *other = SymbolTable::lookupSymbolIn(getOperation(), function.getNameAttr()))
        return other->emitOpError("has the name of a function that the host program becomes");
    module->getBlock()->getOperations().splice(module->getIterator(), module.getBody()->getOperations());
    module.erase();
    return success();
  }

  /// With the plans that it alone has used.
  void eraseProgram(func::FuncOp program) {
    SmallVector<func::FuncOp> plans;
    program.walk([&](PlanOp plan) {
      plans.push_back(SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(plan, plan.getFunctionAttr()));
    });
    program.erase();
    for (func::FuncOp plan : llvm::SetVector<func::FuncOp>(plans.begin(), plans.end()))
      if (SymbolTable::symbolKnownUseEmpty(plan, getOperation()))
        plan.erase();
  }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<LLVM::LLVMDialect, arith::ArithDialect, affine::AffineDialect, func::FuncDialect>();
    OpPassManager pipeline(ModuleOp::getOperationName());
    buildPipeline(pipeline);
    pipeline.getDependentDialects(registry);
  }
};
} // namespace

FailureOr<HostCode> tenon::host::convertHostProgram(func::FuncOp main) {
  MLIRContext *context = main.getContext();
  context->loadDialect<LLVM::LLVMDialect, arith::ArithDialect, affine::AffineDialect>();
  OwningOpRef<ModuleOp> module = ModuleOp::create(main.getLoc());
  OpBuilder builder = OpBuilder::atBlockBegin(module->getBody());
  FailureOr<HostCode> result = convertProgram(main, builder);
  if (failed(result))
    return failure();
  PassManager pm(context);
  buildPipeline(pm);
  if (failed(pm.run(*module)))
    return failure();
  result->module = std::move(module);
  return result;
}

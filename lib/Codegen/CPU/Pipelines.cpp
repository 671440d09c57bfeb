//===- Pipelines.cpp - From loops to the LLVM dialect ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/CPU/Passes.h"
#include "tenon/Codegen/Common/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void tenon::cpu::buildKernelToLLVMPipeline(OpPassManager &pm) {
  pm.addPass(createCheckKernelsPass());
  pm.addNestedPass<func::FuncOp>(codegen::createExpandReportsPass());
  // Narrow floats are storage: each operation on them is one in f32, rounded.
  pm.addPass(math::createMathExtendToSupportedTypes());
  pm.addPass(createConvertMathPass());
  arith::ArithEmulateUnsupportedFloatsOptions narrow;
  narrow.sourceTypeStrs = {"bf16", "f16"};
  pm.addPass(arith::createArithEmulateUnsupportedFloats(narrow));
  pm.addPass(createConvertNarrowFloatsPass());
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));

  // Tile programs may stand beside kernels.
  pm.addNestedPass<func::FuncOp>(createLowerVectorsPass());
  pm.addNestedPass<func::FuncOp>(createSCFToControlFlowPass());
  pm.addPass(createConvertKernelsPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createConvertNarrowMovesPass());
  pm.addPass(createFormKernelEntriesPass());
}

void tenon::cpu::registerCPUCodegenPipelines() {
  PassPipelineRegistration<>("tenon-lower-to-llvm", "Lower kernels in loops and vectors to the LLVM dialect",
                             [](OpPassManager &pm) { buildKernelToLLVMPipeline(pm); });
}

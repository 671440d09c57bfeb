//===- Registration.cpp - All dialects and passes of Tenon ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Registration.h"

#include "ConstantEvaluator.h"
#include "TargetFamilies.h"
#include "tenon/Compiler/Pipelines.h"
#include "tenon/Compiler/Targets.h"

#include "tenon/Codegen/Common/ElementEmitter.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Codegen/Common/Strategies.h"
#include "tenon/Conversion/Passes.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"
#include "tenon/Dialect/ONNX/IR/ONNXOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"
#include "tenon/Target/Host/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Transforms/Passes.h"

void tenon::registerDialects(mlir::DialectRegistry &registry) {
  registry.insert<TenonDialect, host::HostDialect, onnx::ONNXDialect, tile::TileDialect>();
  registerLayoutModels(registry);
  codegen::registerElementwiseElements(registry);
  codegen::registerMovementElements(registry);
  codegen::registerReductionElements(registry);
  codegen::registerWindowElements(registry);
  codegen::registerContractionElements(registry);
  codegen::registerStrategies(registry);
  for (const auto &family : targetFamilies())
    family->registerExtensions(registry);
}

void tenon::registerPasses() {
  registerConversionPasses(interpretingEvaluator());
  registerTenonTransforms(interpretingEvaluator(), resolveLayoutPrices);
  host::registerHostPasses();
  tile::registerTileTransforms(resolveLayoutPrices, resolveFusionPrices);
  codegen::registerCodegenPasses(resolveTargets);
  host::registerHostTargetPasses();
  for (const auto &family : targetFamilies())
    family->registerPasses();
  registerPipelines();
}

void tenon::registerUpstreamDialects(mlir::DialectRegistry &registry) {
  registry.insert<mlir::affine::AffineDialect, mlir::arith::ArithDialect, mlir::bufferization::BufferizationDialect,
                  mlir::cf::ControlFlowDialect, mlir::func::FuncDialect, mlir::linalg::LinalgDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect, mlir::memref::MemRefDialect, mlir::scf::SCFDialect,
                  mlir::tensor::TensorDialect, mlir::vector::VectorDialect>();
}

void tenon::registerUpstreamPasses() { mlir::registerTransformsPasses(); }

//===- ConvertKernels.cpp - Kernels in the LLVM dialect ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/CPU/Passes.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/X86Vector/Transforms.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

using namespace mlir;

namespace tenon::cpu {
#define GEN_PASS_DEF_CONVERTKERNELSPASS
#include "tenon/Codegen/CPU/Passes.h.inc"
} // namespace tenon::cpu

namespace {
LowerToLLVMOptions makeOptions(MLIRContext *context) {
  LowerToLLVMOptions options(context);
  options.useBarePtrCallConv = true;
  return options;
}

/// Rounding to the nearest and converting is one instruction.
struct ConvertRounded : ConvertOpToLLVMPattern<arith::FPToSIOp> {
  explicit ConvertRounded(LLVMTypeConverter &converter) : ConvertOpToLLVMPattern(converter, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(arith::FPToSIOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    auto round = op.getIn().getDefiningOp<math::RoundEvenOp>();
    if (!round || !getElementTypeOrSelf(op.getIn().getType()).isF32() ||
        !getElementTypeOrSelf(op.getType()).isInteger(32))
      return failure();
    rewriter.replaceOpWithNewOp<LLVM::LrintOp>(op, op.getType(), round.getOperand());
    return success();
  }
};

/// What to convert by.
struct Conversion {
  explicit Conversion(MLIRContext *context) : converter(context, makeOptions(context)), target(*context) {
    RewritePatternSet set(context);
    populateAffineToStdConversionPatterns(set);
    vector::populateVectorTransferLoweringPatterns(set);
    populateVectorToLLVMConversionPatterns(converter, set, /*reassociateFPReductions=*/false,
                                           /*force32BitVectorIndices=*/true);
    populateX86VectorLegalizeForLLVMExportPatterns(converter, set);
    ub::populateUBToLLVMConversionPatterns(converter, set);
    populateMathToLLVMConversionPatterns(converter, set);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, set);
    arith::populateArithToLLVMConversionPatterns(converter, set);
    set.add<ConvertRounded>(converter);
    index::populateIndexToLLVMConversionPatterns(converter, set);
    populateFuncToLLVMConversionPatterns(converter, set);
    cf::populateControlFlowToLLVMConversionPatterns(converter, set);
    patterns = FrozenRewritePatternSet(std::move(set));
    configureX86VectorLegalizeForExportTarget(target);
  }

  LLVMTypeConverter converter;
  LLVMConversionTarget target;
  FrozenRewritePatternSet patterns;
};

struct ConvertKernelsPass : tenon::cpu::impl::ConvertKernelsPassBase<ConvertKernelsPass> {
  /// Once for all kernels of a pipeline: making the patterns takes longer than a small kernel.
  LogicalResult initialize(MLIRContext *context) override {
    conversion = std::make_shared<const Conversion>(context);
    return success();
  }

  void runOnOperation() override {
    if (failed(applyPartialConversion(getOperation(), conversion->target, conversion->patterns)))
      signalPassFailure();
  }

  std::shared_ptr<const Conversion> conversion;
};
} // namespace

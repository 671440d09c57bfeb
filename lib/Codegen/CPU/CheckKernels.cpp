//===- CheckKernels.cpp - Refuse what is not kernels in loops ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/CPU/Passes.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace tenon;

namespace tenon::cpu {
#define GEN_PASS_DEF_CHECKKERNELSPASS
#include "tenon/Codegen/CPU/Passes.h.inc"
} // namespace tenon::cpu

namespace {
/// What a function is of is asked by names: code generation knows no dialect of programs and graphs.
LogicalResult checkFunction(func::FuncOp function) {
  bool isProgram = llvm::any_of(function->getDiscardableAttrs(), [](NamedAttribute attribute) {
    return attribute.getName().getValue().starts_with("tenon_host.");
  });
  bool isGraph = false;
  function.walk([&](Operation *op) {
    StringRef dialect = op->getName().getDialectNamespace();
    isProgram |= dialect == "tenon_host";
    isGraph |= dialect == "tenon" || dialect == "tenon_onnx";
  });
  if (isProgram)
    return function.emitOpError("is of a host program: run tenon-plans and tenon-convert-host-to-llvm before");
  if (isGraph)
    return function.emitOpError("is a graph: run tenon-graph and tenon-kernels before");
  return success();
}

struct CheckKernelsPass : cpu::impl::CheckKernelsPassBase<CheckKernelsPass> {
  void runOnOperation() override {
    WalkResult result = getOperation().walk<WalkOrder::PreOrder>([](Operation *op) {
      if (auto function = dyn_cast<func::FuncOp>(op))
        return failed(checkFunction(function)) ? WalkResult::interrupt() : WalkResult::skip();
      if (!isa<tile::KernelOp>(op))
        return WalkResult::advance();
      op->emitOpError("is no loops yet: run tenon-variants, tenon-tiles and tenon-loops before");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace

//===- TestPasses.cpp - Passes that are wrong on purpose ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A plugin for tests of what watches passes. Knows MLIR only.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/Config/llvm-config.h"

using namespace mlir;

namespace {
/// Swaps the first two operands of each op of a name.
class SwapOperands : public PassWrapper<SwapOperands, OperationPass<>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SwapOperands)
  SwapOperands() = default;
  SwapOperands(const SwapOperands &other) : PassWrapper(other) {}

  StringRef getArgument() const override { return "test-swap-operands"; }
  StringRef getDescription() const override { return "Swaps the first two operands of each op of a name"; }
  void runOnOperation() override {
    getOperation()->walk([&](Operation *nested) {
      if (nested->getName().getStringRef() != op)
        return;
      Value first = nested->getOperand(0);
      nested->setOperand(0, nested->getOperand(1));
      nested->setOperand(1, first);
    });
  }

private:
  Option<std::string> op{*this, "op", llvm::cl::desc("Name of the ops")};
};

/// Erases a symbol, or makes a copy of it under another name.
class ChangeSymbols : public PassWrapper<ChangeSymbols, OperationPass<>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ChangeSymbols)
  ChangeSymbols() = default;
  ChangeSymbols(const ChangeSymbols &other) : PassWrapper(other) {}

  StringRef getArgument() const override { return "test-change-symbols"; }
  StringRef getDescription() const override { return "Erases a symbol, or copies it"; }
  void runOnOperation() override {
    SymbolTable table(getOperation());
    if (Operation *symbol = table.lookup(copied)) {
      Operation *copy = symbol->clone();
      SymbolTable::setSymbolName(copy, copied + "_copy");
      table.insert(copy);
    }
    if (Operation *symbol = table.lookup(erased))
      table.erase(symbol);
  }

private:
  Option<std::string> erased{*this, "erase", llvm::cl::desc("The symbol that goes")};
  Option<std::string> copied{*this, "copy", llvm::cl::desc("The symbol that is there twice")};
};
} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK __attribute__((visibility("default"))) PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "TenonTestPasses", LLVM_VERSION_STRING, [] {
            PassRegistration<SwapOperands>();
            PassRegistration<ChangeSymbols>();
          }};
}

//===- Module.h - IR of a test ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_UNITTESTS_DIALECT_MODULE_H
#define TENON_UNITTESTS_DIALECT_MODULE_H

#include "tenon/Compiler/Registration.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

namespace tenon {

/// A context with all dialects, and a module in it.
struct Module {
  explicit Module(llvm::StringRef text) {
    mlir::DialectRegistry registry;
    registerUpstreamDialects(registry);
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.allowUnregisteredDialects();
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  }

  template <typename OpT>
  OpT first() {
    OpT found;
    module->walk([&](OpT op) { found = found ? found : op; });
    return found;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// A CPU with AVX2.
inline tile::TargetAttr targetOf(mlir::MLIRContext &context) {
  return mlir::cast<tile::TargetAttr>(mlir::parseAttribute(
      "#tenon_tile.target<name = \"t\", triple = \"x86_64-unknown-linux-gnu\", cpu = \"x86-64-v3\", features = \"\", "
      "vector_bytes = 32, vector_registers = 16, level1_bytes = 32768, level2_bytes = 524288, level3_bytes = 268435456, "
      "fmas_per_cycle = 2, loads_per_cycle = 2, fma_latency = 4, level2_bytes_per_cycle = 32>",
      &context));
}

} // namespace tenon

#endif // TENON_UNITTESTS_DIALECT_MODULE_H

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

  template <typename OpT> OpT first() {
    OpT found;
    module->walk([&](OpT op) { found = found ? found : op; });
    return found;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// A CPU with AVX2.
inline tile::TargetAttrInterface targetOf(mlir::MLIRContext &context) {
  return mlir::cast<tile::TargetAttrInterface>(mlir::parseAttribute(
      "#tenon_tile.cpu<name = \"t\", core = \"avx2\", triple = \"x86_64-unknown-linux-gnu\", cpu = "
      "\"x86-64-v3\", features = \"+avx,+avx2,+fma\", vector_bytes = 32, vector_registers = 16, memories = "
      "[<\"L2\", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<\"x86.vfmadd231ps\", m = 1, "
      "n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, "
      "multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = "
      "1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = "
      "{loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = "
      "0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>",
      &context));
}

} // namespace tenon

#endif // TENON_UNITTESTS_DIALECT_MODULE_H

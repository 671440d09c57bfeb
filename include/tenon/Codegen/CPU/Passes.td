//===- Passes.td - Passes from loops to machine code on a CPU ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_CPU_PASSES
#define TENON_CODEGEN_CPU_PASSES

include "mlir/Pass/PassBase.td"

def CheckKernelsPass : Pass<"tenon-check-kernels", "::mlir::ModuleOp"> {
  let summary = "Refuse what other passes must lower before kernels become LLVM";
  let description = [{
    A graph, a host program, and kernels that aren't loops yet are errors that name the pass for them: what follows would
    lower parts of them, and leave IR of no level.

    Before:
    ```mlir
    func.func @main() {
      tenon_host.segment 0 {
      }
      return
    }
    ```
    After: `'func.func' op is of a host program: run tenon-plans and tenon-convert-host-to-llvm before`
  }];
}

def ConvertMathPass : Pass<"tenon-convert-math"> {
  let summary = "Expand elementary functions into arithmetic";
  let description = [{
    Nothing of `math` that would become a call is left: an image has no library to call. f32 and f64 are covered;
    narrower types are computed in f32. `fastmath<afn>` keeps 12 bits of `exp`, `tanh` and `erf` of f32, saturates where
    `exp` would be infinite, zero or denormal, and keeps NaN.

    Before:
    ```mlir
    %y = math.exp %x : vector<16xf32>
    ```
    After: roundeven, fma and integer arithmetic on the exponent.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ConvertNarrowFloatsPass : Pass<"tenon-convert-narrow-floats"> {
  let summary = "Expand conversions to f16 and bf16 that LLVM would make a call of";
  let description = [{
    f64 becomes f16 or bf16 through an f32 rounded to odd, so that the result is rounded once; f32 becomes bf16 by
    integer arithmetic; selections of narrow numbers select their bits. f32 to f16 is an instruction.

    Before:
    ```mlir
    %y = arith.truncf %x : vector<8xf32> to vector<8xbf16>
    ```
    After: additions and shifts on `vector<8xi32>`, a truncation to `vector<8xi16>`, and a bitcast.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def ConvertNarrowMovesPass : Pass<"tenon-convert-narrow-moves"> {
  let summary = "Move f16 and bf16 as integers";
  let description = [{
    Loads and stores, what puts vectors together and takes them apart, choices and what branches hand over. Where vectors
    of narrow floats aren't registers, LLVM takes their elements apart, and converts them by calls on the way.

    Before:
    ```mlir
    %v = llvm.intr.masked.load %p, %mask, %zero {alignment = 2 : i32}
        : (!llvm.ptr, vector<8xi1>, vector<8xbf16>) -> vector<8xbf16>
    ```
    After: the same of `vector<8xi16>` between `llvm.bitcast`s.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def FormKernelEntriesPass : Pass<"tenon-form-kernel-entries", "::mlir::ModuleOp"> {
  let summary = "Give each lowered kernel its C entry point";
  let description = [{
    The function becomes private and its pointers `noalias`; an entry of the ABI of Runtime/tenon_kernel.h takes its
    name, loads buffers, strides and symbols, and calls it.

    Before:
    ```mlir
    llvm.func @k(!llvm.ptr, !llvm.ptr, i64, i64, i64) -> i32
        attributes {tenon_tile.kernel = {buffers = 2, strides = 0, symbols = 1}}
    ```
    After:
    ```mlir
    llvm.func internal @k.body(!llvm.ptr {llvm.noalias}, !llvm.ptr {llvm.noalias}, i64, i64, i64) -> i32
    llvm.func @k(%args: !llvm.ptr, %begin: i64, %end: i64, %worker: i32) -> i32
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // TENON_CODEGEN_CPU_PASSES

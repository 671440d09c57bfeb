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
    integer arithmetic; selections of narrow numbers select their bits; a number with the sign of an f64 takes it from
    its bits. f32 to f16 is an instruction.

    Before:
    ```mlir
    %y = arith.truncf %x : vector<8xf32> to vector<8xbf16>
    ```
    After: additions and shifts on `vector<8xi32>`, a truncation to `vector<8xi16>`, and a bitcast.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def LowerVectorsPass : Pass<"tenon-lower-vectors", "::mlir::func::FuncOp"> {
  let summary = "Take vectors and views apart into vectors of one dimension and places in memory";
  let description = [{
    Transfers become loads and stores of one row each, with a mask where they need one; views become arithmetic on offsets
    and strides; contractions, transposes, broadcasts and slices of vectors become operations on their rows. All of it is one
    rewriting, since each walk over a kernel tries to fold all of it.

    Before:
    ```mlir
    %v = vector.transfer_read %m[%i, %j], %zero {in_bounds = [true, true]} : memref<?x16xf32>, vector<2x8xf32>
    ```
    After: two `vector.load` of `vector<8xf32>`, and what puts them together.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ConvertKernelsPass : Pass<"tenon-convert-kernels-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert kernels from arithmetic, memory, vectors and branches to the LLVM dialect";
  let description = [{
    All dialects in one conversion: one after the other would walk each kernel once per dialect, with casts between what is
    converted and what isn't yet. Memory that a function takes is a pointer.

    Before:
    ```mlir
    func.func @k(%m: memref<16xf32>, %i: index) -> f32 {
      %0 = memref.load %m[%i] : memref<16xf32>
      return %0 : f32
    }
    ```
    After:
    ```mlir
    llvm.func @k(%m: !llvm.ptr, %i: i64) -> f32 {
      %0 = llvm.getelementptr %m[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %1 = llvm.load %0 : !llvm.ptr -> f32
      llvm.return %1 : f32
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::x86vector::X86VectorDialect"];
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

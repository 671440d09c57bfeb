//===- Passes.td - From kernels to loops ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_PASSES
#define TENON_CODEGEN_COMMON_PASSES

include "mlir/Pass/PassBase.td"

def LowerKernelsPass : Pass<"tenon-lower-kernels", "::mlir::ModuleOp"> {
  let summary = "Turn kernels into functions of loops over vectors";
  let description = [{
    Each `tenon_tile.kernel` becomes a function of the same name: base pointers of its tensors and results as memrefs of
    rank 0, its symbols, the first and the last but one unit of work, and, where it can fail, where errors go. The loops
    follow the kernel's structure; what is computed in them is asked of `ElementInterface`, a vector of `vector-bytes`
    32-bit elements at a time. Rows are finished with one masked vector.
  }];
  let options = [Option<"vectorBytes", "vector-bytes", "int64_t", "32", "Bytes of a vector register: 16, 32 or 64">,
                 Option<"tileRows", "tile-rows", "int64_t", "6", "Most rows of a register tile">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect", "::mlir::func::FuncDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect", "::mlir::LLVM::LLVMDialect",
                           "::tenon::tile::TileDialect"];
}

def ExpandMicrokernelsPass : Pass<"tenon-expand-microkernels", "::mlir::func::FuncOp"> {
  let summary = "Turn register tiles into loops of fused multiply-adds";
  let description = [{
    One accumulator per row, carried by the loop over the summed dimension; in it, row by row, an element of the first
    operand is broadcast and multiplied with the columns of the second one. This order needs no register beyond the
    accumulators, the columns and one broadcast, also where strides are dynamic. Where `unroll` doesn't
    divide the depth, a second loop adds what is left.

    Before:
    ```mlir
    %c = tenon_tile.microkernel %a[%r] stride %s rhs %b[%o] stride %t depth %k : memref<?xf32>, memref<?xf32> -> vector<16xf32>
    ```
    After:
    ```mlir
    %c = scf.for %i = %c0 to %k step %c1 iter_args(%x = %zero) -> (vector<16xf32>) {
      %columns = vector.load %b[%p] : memref<?xf32>, vector<16xf32>
      %scalar = memref.load %a[%q] : memref<?xf32>
      %row = vector.broadcast %scalar : f32 to vector<16xf32>
      %y = vector.fma %row, %columns, %x : vector<16xf32>
      scf.yield %y : vector<16xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def ExpandReportsPass : Pass<"tenon-expand-reports", "::mlir::func::FuncOp"> {
  let summary = "Turn error reports into writes to the worker's error slot";
  let description = [{
    A report is written when the slot is empty or holds an error at a later position: the fields of
    `tenon_error_slot` in Runtime/tenon_kernel.h. The function then returns the slot's code.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::LLVM::LLVMDialect"];
}

#endif // TENON_CODEGEN_COMMON_PASSES

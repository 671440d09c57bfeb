//===- Passes.td - From kernels to loops ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_PASSES
#define TENON_CODEGEN_COMMON_PASSES

include "mlir/Pass/PassBase.td"

def FormVariantsPass : Pass<"tenon-form-variants", "::mlir::ModuleOp"> {
  let summary = "Make a variant of each kernel for each target";
  let description = [{
    A kernel moves into a `tenon_tile.variants` of its name, once per target, the preferred one first. Its attribute
    `tenon_tile.schedule` becomes the schedule of each variant. Kernels that are loops already, functions with the
    attribute `tenon_tile.kernel`, are taken like others.

    Before:
    ```mlir
    tenon_tile.kernel @exp(%x: tensor<4xf32>) -> tensor<4xf32> { ... }
    ```
    After:
    ```mlir
    tenon_tile.variants @exp {
      tenon_tile.variant @avx512 target #avx512 {
        tenon_tile.kernel @exp(%x: tensor<4xf32>) -> tensor<4xf32> { ... }
      }
      tenon_tile.variant @avx2 target #avx2 { ... }
    }
    ```
  }];
  let options = [Option<"targets", "targets", "std::string", /*default=*/"\"host\"",
                        "Names of targets, separated by commas, the preferred one first">];
  let constructor = "::tenon::codegen::createFormVariantsPass(::tenon::codegen::TargetResolver())";
  let dependentDialects = ["::tenon::tile::TileDialect"];
}

def SelectSchedulesPass : Pass<"tenon-select-schedules", "::tenon::tile::VariantOp"> {
  let summary = "Choose a schedule for each variant";
  let description = [{
    The schedule is the best point of the kernel's schedule space by a cost model over the target's description; knobs that
    the variant's schedule fixes stay as they are. A schedule that the space doesn't have is an error.

    Before:
    ```mlir
    tenon_tile.variant @avx2 target #avx2 { ... }
    ```
    After:
    ```mlir
    tenon_tile.variant @avx2 target #avx2 schedule(depth_block = 768, resident_bytes = 262144, tile_rows = 6,
                                                   turn_size = 12, vector_bytes = 32, vectors = 2) { ... }
    ```
  }];
  let options = [Option<"printSpace", "print-space", "bool", /*default=*/"false",
                        "Show each space as a remark: knobs, candidates, number of schedules">];
}

def BuildTilesPass : Pass<"tenon-build-tiles", "::tenon::tile::VariantOp"> {
  let summary = "Write the tile program of each variant";
  let description = [{
    What the variant's schedule decides is in the program: no later pass reads the schedule.

    Before:
    ```mlir
    tenon_tile.kernel @exp(%m: index, %x: tensor<?xf32>) -> tensor<?xf32> {
      tenon.bind_shape %x [%m] : tensor<?xf32>
      %y = tenon.exp %x : tensor<?xf32>
      tenon_tile.yield %y : tensor<?xf32>
    }
    ```
    After:
    ```mlir
    tenon_tile.program @exp(%m: index, %x: memref<?xf32>) -> (%y: memref<?xf32>) {
      bind %x sizes [%m] : memref<?xf32>
      bind %y sizes [%m] : memref<?xf32>
      grid (%i, %mi) = 0 to %m step 4096 {
        for (%j, %mj) = %i to %i + %mi step 8 {
          peel (%e = %mj) of 8 {
            %0 = compute at [%j] extents [%e] (%a = %x : memref<?xf32>) -> tensor<8xf32> { ... }
            store %0, %y[%j] extents [%e] : tensor<8xf32>, memref<?xf32>
          }
        }
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::tenon::TenonDialect", "::tenon::tile::TileDialect"];
}

def LowerTilesPass : Pass<"tenon-lower-tiles", "::tenon::tile::VariantOp"> {
  let summary = "Turn tile programs into functions of loops over vectors";
  let description = [{
    One walk over a program: each op becomes the code that it says. A tile is computed where it is used, element by element,
    a vector for each of its rows. Each grid becomes a function: it takes base pointers of tensors and results, then of
    constants in forms, as memrefs of rank 0, strides and symbols, the first and the last but one unit of work, scratch of
    the worker and of all of them, and, where it can fail, the worker's error slot. The first one has the program's plan.
    An op that has no lowering is refused by its name.

    Before:
    ```mlir
    tenon_tile.program @exp(%m: index, %x: memref<?xf32>) -> (%y: memref<?xf32>) { .. grid (%i, %mi) = 0 to %m step 4096 {..} }
    ```
    After:
    ```mlir
    func.func @exp(%x: memref<f32>, %y: memref<f32>, %m: index, %begin: index, %end: index) -> i32
        attributes {tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<()[s0] -> (s0 ceildiv 4096)>]>} {..}
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect", "::mlir::func::FuncDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect", "::tenon::tile::TileDialect"];
}

def ExpandReportsPass : Pass<"tenon-expand-reports", "::mlir::func::FuncOp"> {
  let summary = "Turn error reports into writes to the worker's error slot";
  let description = [{
    A report is written when the slot is empty or holds an error at a later position: the fields of
    `tenon_error_slot` in Runtime/tenon_kernel.h. The function then returns the slot's code.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

#endif // TENON_CODEGEN_COMMON_PASSES

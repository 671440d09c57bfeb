//===- Passes.td - Passes on the host program ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_HOST_TRANSFORMS_PASSES
#define TENON_DIALECT_HOST_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def PlaceBuffersPass : Pass<"tenon-place-buffers", "::mlir::func::FuncOp"> {
  let summary = "Give every tensor of the host program a place";
  let description = [{
    From tensors to memrefs. A tensor that is returned lives in the caller's output buffer, others live in the arena
    from the launch that writes them to the last that reads them. A reshape or a cast is the same place under other
    sizes. What can't be placed where it is wanted (an input that is returned, a tensor returned twice) is copied.

    Buffers of loops and branches stand before them, where all sizes inside follow from what is known there. In others
    they stand inside, and what such a loop carries or collects, or such a branch gives, lives in buffers that grow; the
    sizes are carried along as numbers.

    Before:
    ```mlir
    %e = tensor.empty(%m) : tensor<?x4xf32>
    %h = tenon_host.launch @k symbols(%m) ins(%x : tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
    After:
    ```mlir
    %0 = tenon_host.storage input 0 sizes [%m, 4] : memref<?x4xf32>
    %1 = tenon_host.storage arena 0 sizes [%m, 4] live [0, 1] : memref<?x4xf32>
    tenon_host.launch @k symbols(%m) ins(%0 : memref<?x4xf32>) outs(%1 : memref<?x4xf32>)
    ```
  }];
  let dependentDialects = ["::tenon::host::HostDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect"];
}

#endif // TENON_DIALECT_HOST_TRANSFORMS_PASSES

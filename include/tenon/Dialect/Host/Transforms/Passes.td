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

def AssignDevicesPass : Pass<"tenon-assign-devices", "::mlir::func::FuncOp"> {
  let summary = "Run the launches of a placed program on a device";
  let description = [{
    The arena and the constants that launches read move into the device's memory. Inputs are copied there, outputs
    copied back at the end; a number that the program reads or writes goes through a buffer on the host. Without a
    device nothing happens.

    Before:
    ```mlir
    %0 = tenon_host.storage input 0 sizes [4] : memref<4xf32>
    %1 = tenon_host.storage output 0 sizes [4] : memref<4xf32>
    tenon_host.launch @k ins(%0 : memref<4xf32>) outs(%1 : memref<4xf32>)
    ```
    After:
    ```mlir
    %2 = tenon_host.storage arena 0 sizes [4] : memref<4xf32, #tenon_host.device<"gpu">>
    tenon_host.copy %0 to %2 : memref<4xf32> to memref<4xf32, #tenon_host.device<"gpu">>
    %3 = tenon_host.storage arena 1 sizes [4] : memref<4xf32, #tenon_host.device<"gpu">>
    tenon_host.launch @k ins(%2 : memref<4xf32, #tenon_host.device<"gpu">>)
        outs(%3 : memref<4xf32, #tenon_host.device<"gpu">>)
    tenon_host.copy %3 to %1 : memref<4xf32, #tenon_host.device<"gpu">> to memref<4xf32>
    ```
  }];
  let options = [Option<"device", "device", "std::string", "\"\"", "Name of the device; empty for none">];
  let dependentDialects = ["::tenon::host::HostDialect"];
}

def InsertTokensPass : Pass<"tenon-insert-tokens", "::mlir::func::FuncOp"> {
  let summary = "Let devices work while the program goes on";
  let description = [{
    Each launch and copy on a device becomes asynchronous. It waits for those that write what it reads or writes, for
    those that read what it writes, and for all that use arena buffers which may lie where its own do. The program
    waits where the host uses a buffer that a device is busy with, before and at the end of loops and branches, and at
    the end.

    Before:
    ```mlir
    tenon_host.copy %0 to %1 : memref<4xf32> to memref<4xf32, #tenon_host.device<"gpu">>
    tenon_host.launch @k ins(%1 : memref<4xf32, #tenon_host.device<"gpu">>)
        outs(%2 : memref<4xf32, #tenon_host.device<"gpu">>)
    ```
    After:
    ```mlir
    %t0 = tenon_host.async {
      tenon_host.copy %0 to %1 : memref<4xf32> to memref<4xf32, #tenon_host.device<"gpu">>
    }
    %t1 = tenon_host.async after(%t0) {
      tenon_host.launch @k ins(%1 : memref<4xf32, #tenon_host.device<"gpu">>)
          outs(%2 : memref<4xf32, #tenon_host.device<"gpu">>)
    }
    tenon_host.await %t1
    ```
  }];
  let dependentDialects = ["::tenon::host::HostDialect"];
}

#endif // TENON_DIALECT_HOST_TRANSFORMS_PASSES

//===- Passes.td - From the host program to machine code ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TARGET_HOST_PASSES
#define TENON_TARGET_HOST_PASSES

include "mlir/Pass/PassBase.td"

def ConvertHostToLLVMPass : Pass<"tenon-convert-host-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Turn a planned host program into the functions that the runtime calls";
  let description = [{
    Of each segment: `plan_<n>` computes what its plan does and stores each result into a slot; sizes that overflow, that
    are negative, or that divide by zero, are errors that it gives. `execute_<n>` loads slots and calls the runtime; long
    segments are several functions. `run` is the way through them.

    Before:
    ```mlir
    func.func private @plan_0() -> index attributes {tenon_host.plan} {
      %m = tenon.symbol "m"
      return %m : index
    }
    func.func @main() {
      %m = tenon.symbol "m"
      %0 = tenon_host.plan 0 @plan_0() : () -> index
      tenon_host.segment 0 {
        %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
        %y = tenon_host.storage output 0 "y" sizes [%m] : memref<?xf32>
        tenon_host.launch @k symbols(%0) ins(%x : memref<?xf32>) outs(%y : memref<?xf32>)
      }
      return
    }
    ```
    After:
    ```mlir
    llvm.func @execute_0(%context: !llvm.ptr, %slots: !llvm.ptr) -> i32
    llvm.func @plan_0(%symbols: !llvm.ptr, %slots: !llvm.ptr) -> i32
    llvm.func @run(%context: !llvm.ptr) -> i32
    ```
  }];
}

#endif // TENON_TARGET_HOST_PASSES

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
  let summary = "Split a placed host program into the functions that the runtime calls";
  let description = [{
    `plan_0` computes every index value that a view, launch, output or arena buffer uses from the symbols and stores it
    into a slot; `execute_0` loads slots and calls the runtime; `run` is the way through both. Sizes that overflow, that
    are negative, or that divide by zero, are the plan's result.

    Before:
    ```mlir
    func.func @main() {
      %m = tenon.symbol "m"
      %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
      %y = tenon_host.storage output 0 "y" sizes [%m] : memref<?xf32>
      tenon_host.launch @k work %m symbols(%m) ins(%x : memref<?xf32>) outs(%y : memref<?xf32>)
      return
    }
    ```
    After:
    ```mlir
    llvm.func @execute_0(%context: !llvm.ptr, %slots: !llvm.ptr) -> i32
    llvm.func @run(%context: !llvm.ptr) -> i32
    llvm.func @plan_0(%symbols: !llvm.ptr, %slots: !llvm.ptr) -> i32
    ```
  }];
}

#endif // TENON_TARGET_HOST_PASSES

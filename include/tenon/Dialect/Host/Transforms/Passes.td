//===- Passes.td - Passes on the host program ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_HOST_TRANSFORMS_PASSES
#define TENON_DIALECT_HOST_TRANSFORMS_PASSES

include "tenon/Dialect/Tenon/Transforms/CheckedPass.td"

def AssignAliasesPass : Tenon_CheckedPass<"tenon-assign-aliases", "::mlir::func::FuncOp", "::tenon::host::checkProgram"> {
  let summary = "Let outputs grow in the buffers of inputs";
  let description = [{
    A result with the attribute `tenon.alias`, the number of an argument, may be bound to the argument's buffer, which
    then has room for more: a cache that grows by a concat. Both then have the strides that are bound. Where the
    buffers are one, placement writes what is new and leaves the rest; where they are two, it copies first. Any other
    result with the attribute is an error.

    Before:
    ```mlir
    %y = tenon.concat %past, %new dim 0 : tensor<?x4xf32>, tensor<1x4xf32> -> tensor<?x4xf32>
    ```
    After:
    ```mlir
    %a = tenon_host.is_aliased output 0 input 0
    %s = tenon_host.bound_stride input 0 dim 0
    tenon_host.bind_strides %past[%s] : tensor<?x4xf32>
    %t = affine.apply affine_map<()[a, s] -> (a * (s - 4) + 4)>()[%a, %s]
    tenon_host.bind_strides %y[%t] : tensor<?x4xf32>
    ```
  }];
  let dependentDialects = ["::tenon::host::HostDialect", "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect"];
}

def PlaceBuffersPass : Tenon_CheckedPass<"tenon-place-buffers", "::mlir::func::FuncOp", "::tenon::host::checkBoundProgram"> {
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

def FormHostCallsPass : Tenon_CheckedPass<"tenon-form-host-calls", "::mlir::func::FuncOp", "::tenon::host::checkProgram"> {
  let summary = "Call functions for what no kernel computes";
  let description = [{
    Ops with `HostCallInterface` become calls. Results of sizes that only the function knows are held by the runtime until
    their sizes are read. Strings are held by the runtime all the time; ops that move them move the numbers of their
    places, by which the runtime takes the strings.

    Before:
    ```mlir
    %v = tenon.sequence_at %s, %i : !tenon.seq<tensor<?xf32>>, tensor<i64> -> tensor<?xf32>
    ```
    After:
    ```mlir
    %h = tenon_host.call_external "sequence_at" library "tenon_runtime" ins(%s, %i : !tenon.seq<tensor<?xf32>>, tensor<i64>)
         -> !tenon_host.value<tensor<?xf32>>
    %0 = tensor.empty() : tensor<1xi64>
    %1 = tenon_host.call_external "shape" library "tenon_runtime" ins(%h : !tenon_host.value<tensor<?xf32>>)
         outs(%0 : tensor<1xi64>) -> tensor<1xi64>
    %n = tenon.item %1 at 0 : tensor<1xi64>
    %2 = tensor.empty(%n) : tensor<?xf32>
    %v = tenon_host.call_external "identity" library "tenon_runtime" ins(%h : !tenon_host.value<tensor<?xf32>>)
         outs(%2 : tensor<?xf32>) -> tensor<?xf32>
    ```
  }];
  let dependentDialects = ["::tenon::host::HostDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect"];
}

def AssignDevicesPass : Tenon_CheckedPass<"tenon-assign-devices", "::mlir::ModuleOp", "::tenon::host::checkPlaced"> {
  let summary = "Run launches of a placed program on devices";
  let description = [{
    The first rule that applies to a kernel says which device computes it; launches of other kernels stay on the host. A
    rule `op=device` applies to kernels that have an operation of this name, a rule `device` to all. Copies follow the
    launches around them. What a device uses gets a place in its memory, and is copied there and back where the other side
    has changed it; constants are there from the start. A number that the program reads from a device's buffer, or writes
    there, goes through a buffer on the host. Buffers that grow, and the kernels that read or write them, stay with the
    host. Without rules nothing happens.

    Before:
    ```mlir
    %0 = tenon_host.storage input 0 sizes [4] : memref<4xf32>
    %1 = tenon_host.storage output 0 sizes [4] : memref<4xf32>
    tenon_host.launch @k ins(%0 : memref<4xf32>) outs(%1 : memref<4xf32>)
    ```
    After, with `rules=gpu`:
    ```mlir
    %0 = tenon_host.storage input 0 sizes [4] : memref<4xf32>
    %2 = tenon_host.storage arena 0 sizes [4] live [4, 5] : memref<4xf32, #tenon_host.device<"gpu">>
    %1 = tenon_host.storage output 0 sizes [4] : memref<4xf32>
    %3 = tenon_host.storage arena 1 sizes [4] live [5, 6] : memref<4xf32, #tenon_host.device<"gpu">>
    tenon_host.copy %0 to %2 : memref<4xf32> to memref<4xf32, #tenon_host.device<"gpu">>
    tenon_host.launch @k ins(%2 : memref<4xf32, #tenon_host.device<"gpu">>)
        outs(%3 : memref<4xf32, #tenon_host.device<"gpu">>)
    tenon_host.copy %3 to %1 : memref<4xf32, #tenon_host.device<"gpu">> to memref<4xf32>
    ```
  }];
  let options = [ListOption<"rules", "rules", "std::string", "Which device computes which kernels: DEVICE or OP=DEVICE">];
  let dependentDialects = ["::tenon::host::HostDialect"];
}

def InsertTokensPass : Tenon_CheckedPass<"tenon-insert-tokens", "::mlir::func::FuncOp", "::tenon::host::checkPlaced"> {
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

def CutSegmentsPass : Tenon_CheckedPass<"tenon-cut-segments", "::mlir::func::FuncOp", "::tenon::host::checkPlacedOrCut"> {
  let summary = "Cut a placed program where sizes depend on data";
  let description = [{
    A segment ends where a buffer is needed whose size is data that the segment reads, and where a loop or branch names
    buffers: those have segments of their own inside. What a segment reads or names for those behind it are its results.
    Arithmetic stays between the segments, as early as it can be computed; what a segment needs of numbers that it reads
    itself is computed in it once more, and views stand where they are used. A program that is cut stays as it is.

    Before:
    ```mlir
    %b = tenon_host.storage input 0 "n" sizes [] : memref<i64>
    %n = tenon_host.read_scalar %b at 0 : memref<i64> -> index
    %y = tenon_host.storage output 0 "y" sizes [%n] : memref<?xf32>
    tenon_host.launch @k outs(%y : memref<?xf32>)
    ```
    After:
    ```mlir
    %n = tenon_host.segment 0 -> index {
      %b = tenon_host.storage input 0 "n" sizes [] : memref<i64>
      %0 = tenon_host.read_scalar %b at 0 : memref<i64> -> index
      tenon_host.yield %0 : index
    }
    tenon_host.segment 1 {
      %y = tenon_host.storage output 0 "y" sizes [%n] : memref<?xf32>
      tenon_host.launch @k outs(%y : memref<?xf32>)
    }
    ```
  }];
  let dependentDialects = ["::tenon::host::HostDialect"];
}

def OutlinePlanPass : Pass<"tenon-outline-plan", "::mlir::ModuleOp"> {
  let summary = "Let a function compute the sizes of each segment";
  let description = [{
    A program that is cut gets a function for each segment, which computes what the segment uses: sizes, strides, offsets
    and bytes of buffers. The segment only takes its results. Negative sizes, and inputs whose sizes are not those
    that follow from others, are errors of the plan. Strides that placing left implicit are stated where somebody is given
    them, and the rows of inputs and outputs are checked before the first segment that can. A program that has plans stays
    as it is.

    Before:
    ```mlir
    %m = tenon.symbol "m"
    tenon_host.segment 0 {
      %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
      %h = tenon_host.storage arena 0 sizes [%m] : memref<?xf32>
      tenon_host.launch @k symbols(%m) ins(%x : memref<?xf32>) outs(%h : memref<?xf32>)
    }
    ```
    After:
    ```mlir
    func.func private @plan_0() -> (index, index) attributes {tenon_host.plan} {
      %m = tenon.symbol "m"
      %b = tenon_host.buffer_bytes sizes [%m] : memref<?xf32>
      return %m, %b : index, index
    }
    ...
    %m = tenon.symbol "m"
    %0:2 = tenon_host.plan 0 @plan_0() : () -> (index, index)
    tenon_host.segment 0 {
      %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
      %h = tenon_host.storage arena 0 sizes [%m] bytes %0#1 : memref<?xf32>
      tenon_host.launch @k symbols(%0#0) ins(%x : memref<?xf32>) outs(%h : memref<?xf32>)
    }
    ```
  }];
  let dependentDialects = ["::tenon::host::HostDialect", "::mlir::func::FuncDialect", "::mlir::arith::ArithDialect"];
}

#endif // TENON_DIALECT_HOST_TRANSFORMS_PASSES

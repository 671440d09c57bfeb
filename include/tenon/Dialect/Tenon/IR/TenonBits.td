//===- TenonBits.td - Bits of elements, and random ones ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONBITS
#define TENON_DIALECT_TENON_IR_TENONBITS

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonDialect.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"

def Tenon_BitcastOp : Tenon_Op<"bitcast", [Pure, Elementwise, SameOperandsAndResultShape,
                                           DeclareOpInterfaceMethods<Tenon_IndexingMapsInterface>]> {
  let summary = "the bits of x as another element type of their width";
  let description = [{
    Any bits are taken, those of NaN too. Booleans, whose bits are a byte of 0 or 1, are cast instead.

    ```mlir
    %y = tenon.bitcast %x : tensor<?x4xf32> -> tensor<?x4xui32>
    ```
  }];
  let arguments = (ins Tenon_NumberTensor:$operand);
  let results = (outs Tenon_NumberTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

// It reads what changes: no run may take the place of another, so it isn't folded, but what nobody uses may go.
def Tenon_RandomSeedOp : Tenon_Op<"random_seed", [MemoryEffects<[MemRead]>, Tenon_HostCallInterface]> {
  let summary = "a number that no one can foretell, another one each time";
  let description = [{
    What random numbers begin with where a model states no seed. `stream` tells the ops of a program apart.

    ```mlir
    %s = tenon.random_seed stream 3 : tensor<i64>
    ```
  }];
  let arguments = (ins I64Attr:$stream);
  let results = (outs 0DTensorOf<[I64]>:$result);
  let assemblyFormat = "`stream` $stream attr-dict `:` type($result)";
  let extraClassDeclaration = [{
    llvm::StringRef getHostLibrary() { return "tenon_host_functions"; }
    llvm::SmallVector<mlir::TypedAttr> getHostParameters();
  }];
}

#endif // TENON_DIALECT_TENON_IR_TENONBITS

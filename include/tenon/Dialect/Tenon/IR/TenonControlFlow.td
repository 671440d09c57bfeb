//===- TenonControlFlow.td - Regions that run depending on data ===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONCONTROLFLOW
#define TENON_DIALECT_TENON_IR_TENONCONTROLFLOW

include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonDialect.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"

class Tenon_ScalarTensor<string element, string builder>
    : Type<CPred<"$_self == ::mlir::RankedTensorType::get({}, ::mlir::IntegerType::get($_self.getContext(), "
                 # builder # "))">, "tensor<" # element # ">", "::mlir::RankedTensorType">,
      BuildableType<"::mlir::RankedTensorType::get({}, $_builder.getIntegerType(" # builder # "))">;
def Tenon_ScalarI1 : Tenon_ScalarTensor<"i1", "1">;
def Tenon_ScalarI64 : Tenon_ScalarTensor<"i64", "64">;

def Tenon_YieldOp : Tenon_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["IfOp", "LoopOp"]>]> {
  let summary = "ends a region and gives its values";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

def Tenon_IfOp : Tenon_Op<"if", [RecursiveMemoryEffects, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "one of two regions, by a condition";
  let description = [{
    Both regions yield values of the result types, up to sizes that are dynamic in the result.

    ```mlir
    %y = tenon.if %c -> tensor<4xf32> {
      tenon.yield %a : tensor<4xf32>
    } else {
      tenon.yield %b : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins Tenon_ScalarI1:$condition);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$thenRegion, SizedRegion<1>:$elseRegion);
  let assemblyFormat = [{
    $condition (`->` type($results)^)? $thenRegion `else` $elseRegion attr-dict
  }];
  let hasVerifier = 1;
}

def Tenon_LoopOp : Tenon_Op<"loop", [RecursiveMemoryEffects, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "repeats a region while a condition holds, up to a trip count";
  let description = [{
    The body takes the iteration number (`tensor<i64>`) and the carried values; it yields the condition to go on
    (`tensor<i1>`), the carried values, then scan values. It runs at most `tripCount` times, and not at all where
    `condition` is false. Results are the last carried values, then each scan value of all iterations stacked along
    a new first dimension.

    ```mlir
    %s, %all = tenon.loop %n, %c carried(%x : tensor<4xf32>) -> tensor<4xf32>, tensor<?x4xf32> {
    ^bb0(%i: tensor<i64>, %v: tensor<4xf32>):
      %w = tenon.add %v, %v : tensor<4xf32>
      tenon.yield %c, %w, %w : tensor<i1>, tensor<4xf32>, tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins Tenon_ScalarI64:$tripCount, Tenon_ScalarI1:$condition,
                       Variadic<AnyType>:$carried);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $tripCount `,` $condition (`carried` `(` $carried^ `:` type($carried) `)`)? (`->` type($results)^)? $body attr-dict
  }];
  let hasVerifier = 1;
}

#endif // TENON_DIALECT_TENON_IR_TENONCONTROLFLOW

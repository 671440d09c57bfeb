//===- HostOps.td - The host program ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_HOST_IR_HOSTOPS
#define TENON_DIALECT_HOST_IR_HOSTOPS

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Host_Dialect : Dialect {
  let name = "tenon_host";
  let cppNamespace = "::tenon::host";
  let summary = "The program that runs a model: it plans sizes and places, then launches kernels";
  let description = [{
    Two forms: on tensors in destination-passing style, where a launch takes the tensors it overwrites and gives
    their new values; and placed, on memrefs, where every buffer is a storage or a view of one.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
}

def Host_DeviceAttr : AttrDef<Host_Dialect, "Device"> {
  let mnemonic = "device";
  let summary = "the memory space of a device";
  let description = [{
    `memref<?x4xf32, #tenon_host.device<"gpu">>` lies in the memory of the device that the session is given under that
    name; a memref without a memory space lies on the host. A launch runs where its buffers are.
  }];
  let parameters = (ins StringRefParameter<>:$name);
  let assemblyFormat = "`<` $name `>`";
}

def Host_TokenType : TypeDef<Host_Dialect, "Token"> {
  let mnemonic = "token";
  let summary = "the end of something that a device was asked to do";
}

def Host_ValueType : TypeDef<Host_Dialect, "Value"> {
  let mnemonic = "value";
  let summary = "a value that the runtime holds: strings, a sequence, an optional, a tensor of unknown sizes";
  let parameters = (ins "::mlir::Type":$type);
  let assemblyFormat = "`<` $type `>`";
}

class Host_Op<string mnemonic, list<Trait> traits = []> : Op<Host_Dialect, mnemonic, traits>;

def Host_StorageKind : I32EnumAttr<"StorageKind", "where bytes live", [
    I32EnumAttrCase<"input", 0>, I32EnumAttrCase<"output", 1>, I32EnumAttrCase<"constant", 2>,
    I32EnumAttrCase<"arena", 3>, I32EnumAttrCase<"growing", 4>]> {
  let cppNamespace = "::tenon::host";
}

def Host_BoundStrideOp : Host_Op<"bound_stride", [Pure]> {
  let summary = "a stride of what the caller binds to an input, in elements";
  let description = [{
    ```mlir
    %s = tenon_host.bound_stride input 1 dim 0
    ```
  }];
  let arguments = (ins I64Attr:$input, I64Attr:$dim);
  let results = (outs Index:$result);
  let assemblyFormat = "`input` $input `dim` $dim attr-dict";
}

def Host_IsAliasedOp : Host_Op<"is_aliased", [Pure]> {
  let summary = "1 where an output is bound to the buffer of an input, else 0";
  let description = [{
    What may be bound so is declared by this op: any other output that shares a buffer with an input is an error.

    ```mlir
    %a = tenon_host.is_aliased output 0 input 1
    ```
  }];
  let arguments = (ins I64Attr:$output, I64Attr:$input);
  let results = (outs Index:$result);
  let assemblyFormat = "`output` $output `input` $input attr-dict";
}

def Host_BindStridesOp : Host_Op<"bind_strides"> {
  let summary = "states the strides of a tensor that lies in a buffer of the caller";
  let description = [{
    Of all dimensions but the last, whose stride is 1. Other inputs and outputs are contiguous.

    ```mlir
    tenon_host.bind_strides %past[%s0, %s1] : tensor<2x?x16xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, Variadic<Index>:$strides);
  let assemblyFormat = "$operand `` `[` $strides `]` attr-dict `:` type($operand)";
  let hasVerifier = 1;
}

def Host_StorageOp : Host_Op<"storage", [Pure, AttrSizedOperandSegments]> {
  let summary = "a buffer by kind and number";
  let description = [{
    A buffer that the caller bound (`input`, `output`), that the artifact maps (`constant`), or that the plan places in
    the arena (`arena`), with the sizes listed. An arena buffer may be shared outside of the launches in `live`, the
    first and last that use it. Inputs and outputs have the model's names, constants their elements. Rows are
    contiguous, but for inputs and outputs with `strides`, of all dimensions but the last: a buffer that has room for
    more.

    A `growing` buffer is the session's own: what a loop carries or collects, or a branch gives, under sizes that only
    running it shows. Wherever it is named it gets room for the sizes listed and keeps the bytes that it holds.

    Once sizes are planned, `bytes` is what a buffer of the arena or one that grows takes.

    ```mlir
    %x = tenon_host.storage input 0 "pixels" sizes [%m, 768] : memref<?x768xf32>
    %h = tenon_host.storage arena 0 sizes [%m, 768] live [0, 2] : memref<?x768xf32>
    %c = tenon_host.storage input 1 "past" sizes [%n, 16] strides(%s) : memref<?x16xf32, strided<[?, 1]>>
    %g = tenon_host.storage growing 0 sizes [%n, 768] : memref<?x768xf32>
    ```
  }];
  let arguments = (ins Host_StorageKind:$kind, I64Attr:$number, OptionalAttr<StrAttr>:$name, Variadic<Index>:$sizes,
                       DenseI64ArrayAttr:$static_sizes, Variadic<Index>:$strides, Optional<Index>:$bytes,
                       OptionalAttr<DenseI64ArrayAttr>:$live, OptionalAttr<AnyAttr>:$value);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = [{
    $kind $number ($name^)? `sizes` custom<DynamicIndexList>($sizes, $static_sizes)
    (`strides` `(` $strides^ `)`)? (`bytes` $bytes^)? (`live` $live^)? (`value` `(` $value^ `)`)? attr-dict `:` type($result)
  }];
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::OpFoldResult> getMixedSizes() {
      return mlir::getMixedValues(getStaticSizes(), getSizes(), getContext());
    }
  }];
  let hasVerifier = 1;
}

def Host_ViewOp : Host_Op<"view", [Pure, AttrSizedOperandSegments]> {
  let summary = "elements of a storage under an offset, sizes and strides";
  let description = [{
    Offset and strides count elements from the start of `source`. What concat, split, slice and reshape become.

    ```mlir
    %v = tenon_host.view %h[%o] sizes [%m, 64] strides [768, 1]
         : memref<?x768xf32> -> memref<?x64xf32, strided<[768, 1], offset: ?>>
    ```
  }];
  let arguments = (ins AnyMemRef:$source, Variadic<Index>:$offsets, Variadic<Index>:$sizes, Variadic<Index>:$strides,
                       DenseI64ArrayAttr:$static_offsets, DenseI64ArrayAttr:$static_sizes,
                       DenseI64ArrayAttr:$static_strides);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = [{
    $source `` custom<DynamicIndexList>($offsets, $static_offsets)
    `sizes` custom<DynamicIndexList>($sizes, $static_sizes)
    `strides` custom<DynamicIndexList>($strides, $static_strides) attr-dict `:` type($source) `->` type($result)
  }];
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::OpFoldResult> getMixedOffsets() {
      return mlir::getMixedValues(getStaticOffsets(), getOffsets(), getContext());
    }
    llvm::SmallVector<mlir::OpFoldResult> getMixedSizes() {
      return mlir::getMixedValues(getStaticSizes(), getSizes(), getContext());
    }
    llvm::SmallVector<mlir::OpFoldResult> getMixedStrides() {
      return mlir::getMixedValues(getStaticStrides(), getStrides(), getContext());
    }
  }];
  let hasVerifier = 1;
}

def Host_LaunchOp : Host_Op<"launch", [AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "runs a kernel";
  let description = [{
    The kernel gets its symbols, reads `ins` and writes all of `outs`. On tensors there is one result per out; on
    memrefs there are none. All buffers are in one memory space: the kernel runs there. What the kernel takes under the
    contract `inner` has a type with dynamic strides, everything else contiguous rows. Into how many units it is cut, and
    what scratch it has, the plan of the kernel's variant says when it runs.

    ```mlir
    %y = tenon_host.launch @contract_relu symbols(%m) ins(%x, %w : tensor<?x768xf32>, tensor<768x64xf32>)
         outs(%e : tensor<?x64xf32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Index>:$symbols, Variadic<AnyType>:$ins,
                       Variadic<AnyType>:$outs);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kernel (`symbols` `(` $symbols^ `)`)? (`ins` `(` $ins^ `:` type($ins) `)`)?
    `outs` `(` $outs `:` type($outs) `)` attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    mlir::MutableOperandRange getDpsInitsMutable() { return getOutsMutable(); }
    /// Whether `kernel`, which it launches, takes strides of operand `i`: of the ins, then of the outs.
    bool takesStrides(mlir::Operation *kernel, unsigned i);
  }];
  let hasVerifier = 1;
}

def Host_CopyOp : Host_Op<"copy", [SameOperandsShape, SameOperandsElementType]> {
  let summary = "copies a buffer, whatever its strides";
  let description = [{
    ```mlir
    tenon_host.copy %a to %b : memref<?x4xf32> to memref<?x4xf32, strided<[8, 1]>>
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$source, Arg<AnyMemRef, "", [MemWrite]>:$destination);
  let assemblyFormat = "$source `to` $destination attr-dict `:` type($source) `to` type($destination)";
}

def Host_ReadScalarOp : Host_Op<"read_scalar"> {
  let summary = "an element of a buffer as a number of the program";
  let description = [{
    What control flow and sizes that depend on data are decided by.

    ```mlir
    %n = tenon_host.read_scalar %b at 0 : memref<i64> -> index
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$source, ConfinedAttr<I64Attr, [IntNonNegative]>:$position);
  let results = (outs AnyTypeOf<[Index, I1]>:$result);
  let assemblyFormat = "$source `at` $position attr-dict `:` type($source) `->` type($result)";
}

def Host_WriteScalarOp : Host_Op<"write_scalar"> {
  let summary = "writes a number of the program into a buffer";
  let description = [{
    ```mlir
    tenon_host.write_scalar %i to %b at 0 : index to memref<i64>
    ```
  }];
  let arguments = (ins AnyTypeOf<[Index, I1]>:$value, Arg<AnyMemRef, "", [MemWrite]>:$destination,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$position);
  let assemblyFormat = "$value `to` $destination `at` $position attr-dict `:` type($value) `to` type($destination)";
}

def Host_SlotOp : Host_Op<"slot", [Pure]> {
  let summary = "a place for a value that the runtime holds";
  let description = [{
    An input or output of the model, or one of the program's own (`arena`), by number. Input tensors list their sizes.

    ```mlir
    %s = tenon_host.slot input 0 "words" sizes [%n] : <tensor<?x!tenon.string>>
    %t = tenon_host.slot arena 2 sizes [] : <!tenon.seq<tensor<?xf32>>>
    ```
  }];
  let arguments = (ins Host_StorageKind:$kind, I64Attr:$number, OptionalAttr<StrAttr>:$name, Variadic<Index>:$sizes,
                       DenseI64ArrayAttr:$static_sizes);
  let results = (outs Host_ValueType:$result);
  let assemblyFormat = [{
    $kind $number ($name^)? `sizes` custom<DynamicIndexList>($sizes, $static_sizes) attr-dict `:` type($result)
  }];
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::OpFoldResult> getMixedSizes() {
      return mlir::getMixedValues(getStaticSizes(), getSizes(), getContext());
    }
  }];
  let hasVerifier = 1;
}

def Host_CallOp : Host_Op<"call_external", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "calls a function of the application, of a library, or of the runtime";
  let description = [{
    On tensors there is one result per result of the function: tensors of numbers overwrite the next of `outs`, which
    state their sizes; others are held by the runtime. Placed, `outs` are buffers and slots, one per result of the
    function.

    ```mlir
    %v = tenon_host.call_external "sequence_at" library "tenon_runtime" ins(%s, %i : !tenon.seq<tensor<?xf32>>, tensor<i64>)
         -> !tenon_host.value<tensor<?xf32>>
    tenon_host.call_external "scale" library "vendor" ins(%x : memref<?xf32>) outs(%y : memref<?xf32>)
    ```
  }];
  let arguments = (ins StrAttr:$function, StrAttr:$library, Variadic<AnyType>:$ins, Variadic<AnyType>:$outs);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = [{
    $function `library` $library (`ins` `(` $ins^ `:` type($ins) `)`)? (`outs` `(` $outs^ `:` type($outs) `)`)?
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    /// The tensor that a result overwrites; null for one that the runtime holds.
    mlir::Value getDestination(mlir::OpResult result);
  }];
  let hasVerifier = 1;
}

def Host_AsyncOp : Host_Op<"async", [SingleBlock, NoTerminator, NoRegionArguments, RecursiveMemoryEffects]> {
  let summary = "asks a device for a launch or a copy and goes on";
  let description = [{
    The one operation inside starts when all `dependencies` have ended; the result ends with it. A host program for the
    CPU alone has none: a launch there is over when the program goes on.

    ```mlir
    %t1 = tenon_host.async after(%t0) {
      tenon_host.launch @k ins(%a : memref<4xf32, #tenon_host.device<"gpu">>) outs(%b : memref<4xf32, #tenon_host.device<"gpu">>)
    }
    ```
  }];
  let arguments = (ins Variadic<Host_TokenType>:$dependencies);
  let results = (outs Host_TokenType:$token);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "(`after` `(` $dependencies^ `)`)? attr-dict-with-keyword $body";
  let extraClassDeclaration = [{
    mlir::Operation &getOperationInside() { return getBody().front().front(); }
  }];
  let hasVerifier = 1;
}

def Host_AwaitOp : Host_Op<"await", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "goes on when all tokens have ended";
  let description = [{
    What the host reads or writes next is then no longer in use by a device. An error of an operation that ended is
    reported here.

    ```mlir
    tenon_host.await %t0, %t1
    ```
  }];
  let arguments = (ins Variadic<Host_TokenType>:$tokens);
  let assemblyFormat = "$tokens attr-dict";
}

def Host_ExchangeOp : Host_Op<"exchange"> {
  let summary = "lets two growing buffers change places";
  let description = [{
    From here on each buffer has the bytes that the other one had. What a loop's body gives becomes what the next
    iteration is given.

    ```mlir
    tenon_host.exchange %a, %b : memref<?xf32>, memref<?xf32>
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead, MemWrite]>:$first, Arg<AnyMemRef, "", [MemRead, MemWrite]>:$second);
  let assemblyFormat = "$first `,` $second attr-dict `:` type($first) `,` type($second)";
  let hasVerifier = 1;
}

def Host_CheckEqualOp : Host_Op<"check_equal", [MemoryEffects<[MemWrite]>]> {
  let summary = "ends the run with an error where two sizes differ";
  let description = [{
    ```mlir
    tenon_host.check_equal %n, %m "operands differ in size"
    ```
  }];
  let arguments = (ins Index:$actual, Index:$expected, StrAttr:$message);
  let assemblyFormat = "$actual `,` $expected $message attr-dict";
}

def Host_CheckAtMostOp : Host_Op<"check_at_most", [MemoryEffects<[MemWrite]>]> {
  let summary = "ends the run with an error where a number is above another one";
  let description = [{
    ```mlir
    tenon_host.check_at_most %last, %n "reads beyond the operand"
    ```
  }];
  let arguments = (ins Index:$actual, Index:$limit, StrAttr:$message);
  let assemblyFormat = "$actual `,` $limit $message attr-dict";
}

//===----------------------------------------------------------------------===//
// Segments and plans
//===----------------------------------------------------------------------===//

/// What may be known of one segment in another.
def Host_SegmentValue : AnyTypeOf<[Index, I1, AnyMemRef, Host_ValueType, Host_TokenType]>;

def Host_SegmentOp : Host_Op<"segment", [SingleBlockImplicitTerminator<"::tenon::host::YieldOp">, NoRegionArguments,
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a part of the program before which all of its sizes are known";
  let description = [{
    What is executed at a stretch: its sizes are planned and its buffers reserved before it begins. Results are buffers
    that later segments name too, and numbers that were read.

    ```mlir
    %n = tenon_host.segment 0 -> index {
      %b = tenon_host.storage input 0 "n" sizes [] : memref<i64>
      %0 = tenon_host.read_scalar %b at 0 : memref<i64> -> index
      tenon_host.yield %0 : index
    }
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$number);
  let results = (outs Variadic<Host_SegmentValue>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$number (`->` type($results)^)? attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Host_YieldOp : Host_Op<"yield", [Terminator, Pure, HasParent<"::tenon::host::SegmentOp">]> {
  let summary = "what is known of a segment behind it";
  let description = [{
    ```mlir
    tenon_host.yield %h, %n : memref<?xf32>, index
    ```
  }];
  let arguments = (ins Variadic<Host_SegmentValue>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{}]>];
}

def Host_PlanOp : Host_Op<"plan", [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "plans a segment: computes its sizes, and reserves its buffers";
  let description = [{
    The function computes sizes, strides, offsets and numbers of bytes from symbols and `data`, numbers that segments
    before have read. Plans are kept: with the same symbols and data nothing is computed again. Each result is a value
    that the segment of this number uses.

    ```mlir
    %0:2 = tenon_host.plan 1 @plan_1(%n) : (index) -> (index, index)
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$number, FlatSymbolRefAttr:$function,
                       Variadic<AnyTypeOf<[Index, I1]>>:$data);
  let results = (outs Variadic<AnyTypeOf<[Index, I1]>>:$results);
  let assemblyFormat = "$number $function `(` $data `)` attr-dict `:` functional-type($data, $results)";
}

def Host_BoundSizeOp : Host_Op<"bound_size", [Pure]> {
  let summary = "a size of what the caller binds to an input";
  let description = [{
    Of a dimension that no symbol names.

    ```mlir
    %s = tenon_host.bound_size input 1 dim 0
    ```
  }];
  let arguments = (ins I64Attr:$input, I64Attr:$dim);
  let results = (outs Index:$result);
  let assemblyFormat = "`input` $input `dim` $dim attr-dict";
}

def Host_BufferBytesOp : Host_Op<"buffer_bytes", [Pure]> {
  let summary = "how many bytes a buffer of these sizes takes";
  let description = [{
    Elements narrower than a byte are packed. A negative size, and a number of bytes beyond 64 bits, are errors of the
    plan.

    ```mlir
    %n = tenon_host.buffer_bytes sizes [%m, 768] : memref<?x768xf32>
    ```
  }];
  let arguments = (ins Variadic<Index>:$sizes, DenseI64ArrayAttr:$static_sizes, TypeAttrOf<AnyMemRef>:$buffer);
  let results = (outs Index:$result);
  let assemblyFormat = "`sizes` custom<DynamicIndexList>($sizes, $static_sizes) attr-dict `:` $buffer";
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::OpFoldResult> getMixedSizes() {
      return mlir::getMixedValues(getStaticSizes(), getSizes(), getContext());
    }
  }];
  let hasVerifier = 1;
}

def Host_CheckRowsOp : Host_Op<"check_rows", [AttrSizedOperandSegments, MemoryEffects<[MemWrite]>]> {
  let summary = "ends the run with an error where an input or output is bound under other strides";
  let description = [{
    Kernels take rows one after the other. Of all dimensions but the last; where there are no elements, and along sizes
    below 2, strides don't count.

    ```mlir
    tenon_host.check_rows input 0 sizes [%m, 768] strides [768]
    ```
  }];
  let arguments = (ins Host_StorageKind:$kind, I64Attr:$number, Variadic<Index>:$sizes, Variadic<Index>:$strides,
                       DenseI64ArrayAttr:$static_sizes, DenseI64ArrayAttr:$static_strides);
  let assemblyFormat = [{
    $kind $number `sizes` custom<DynamicIndexList>($sizes, $static_sizes)
    `strides` custom<DynamicIndexList>($strides, $static_strides) attr-dict
  }];
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::OpFoldResult> getMixedSizes() {
      return mlir::getMixedValues(getStaticSizes(), getSizes(), getContext());
    }
    llvm::SmallVector<mlir::OpFoldResult> getMixedStrides() {
      return mlir::getMixedValues(getStaticStrides(), getStrides(), getContext());
    }
  }];
  let hasVerifier = 1;
}

#endif // TENON_DIALECT_HOST_IR_HOSTOPS

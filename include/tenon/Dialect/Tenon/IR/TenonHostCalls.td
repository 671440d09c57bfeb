//===- TenonHostCalls.td - Ops that functions on the host compute ===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONHOSTCALLS
#define TENON_DIALECT_TENON_IR_TENONHOSTCALLS

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonDialect.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"

def Tenon_AnySequence : Type<CPred<"::llvm::isa<::tenon::SequenceType>($_self)">, "sequence">;
def Tenon_AnyOptional : Type<CPred<"::llvm::isa<::tenon::OptionalType>($_self)">, "optional">;
def Tenon_StringTensor : Type<And<[AnyRankedTensor.predicate,
    CPred<"::llvm::isa<::tenon::StringType>(::llvm::cast<::mlir::ShapedType>($_self).getElementType())">]>,
    "tensor of strings", "::mlir::RankedTensorType">;
def Tenon_I64Tensor : RankedTensorOf<[I64]>;

//===----------------------------------------------------------------------===//
// Functions from outside
//===----------------------------------------------------------------------===//

def Tenon_CallExternalOp : Tenon_Op<"call_external", [Pure, Tenon_HostCallInterface]> {
  let summary = "results of a function that comes from outside of the model";
  let description = [{
    The function is one of the application's, or of a shared library with that name; it is found when a session is
    made. It may depend on its operands only. Sizes of results that follow from other sizes are stated by
    `tenon.bind_shape`; the function says the others. The dtypes and ranks are checked when it has run.

    ```mlir
    %y = tenon.call_external "scale" library "vendor" (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
    tenon.bind_shape %y [%n, 4] : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins StrAttr:$function, DefaultValuedAttr<StrAttr, "\"\"">:$library, Variadic<AnyType>:$operands);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = [{
    $function (`library` $library^)? `(` $operands `)` attr-dict `:` functional-type($operands, $results)
  }];
  let extraClassDeclaration = [{
    llvm::StringRef getHostFunction() { return getFunction(); }
    llvm::StringRef getHostLibrary() { return getLibrary(); }
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

// Positions are checked when the function runs: negative ones count from the end.
class Tenon_SequenceOp<string mnemonic, list<Trait> traits = []>
    : Tenon_Op<mnemonic, traits # [Pure, Tenon_HostCallInterface]>;

def Tenon_SequenceConstructOp : Tenon_SequenceOp<"sequence"> {
  let summary = "a sequence of the operands";
  let description = [{
    Operands have the type of the sequence's elements, up to sizes, and up to the rank where that is not stated.

    ```mlir
    %s = tenon.sequence (%a, %b) : (tensor<2xf32>, tensor<3xf32>) -> !tenon.seq<tensor<?xf32>>
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$operands);
  let results = (outs Tenon_AnySequence:$result);
  let assemblyFormat = "`(` $operands `)` attr-dict `:` functional-type($operands, $result)";
  let hasVerifier = 1;
}

def Tenon_SequenceInsertOp : Tenon_SequenceOp<"sequence_insert"> {
  let summary = "the sequence with one more value before a position, or at its end";
  let description = [{
    ```mlir
    %t = tenon.sequence_insert %s, %v at %i : !tenon.seq<tensor<?xf32>>, tensor<3xf32>, tensor<i64> -> !tenon.seq<tensor<?xf32>>
    ```
  }];
  let arguments = (ins Tenon_AnySequence:$sequence, AnyType:$value, Optional<Tenon_I64Tensor>:$position);
  let results = (outs Tenon_AnySequence:$result);
  let assemblyFormat = [{
    $sequence `,` $value (`at` $position^)? attr-dict `:` type($sequence) `,` type($value) (`,` type($position)^)?
    `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tenon_SequenceEraseOp : Tenon_SequenceOp<"sequence_erase", [AllTypesMatch<["sequence", "result"]>]> {
  let summary = "the sequence without the value at a position, or without its last one";
  let description = [{
    ```mlir
    %t = tenon.sequence_erase %s at %i : !tenon.seq<tensor<?xf32>>, tensor<i64>
    ```
  }];
  let arguments = (ins Tenon_AnySequence:$sequence, Optional<Tenon_I64Tensor>:$position);
  let results = (outs Tenon_AnySequence:$result);
  let assemblyFormat = "$sequence (`at` $position^)? attr-dict `:` type($sequence) (`,` type($position)^)?";
}

def Tenon_SequenceAtOp : Tenon_SequenceOp<"sequence_at"> {
  let summary = "the value at a position";
  let description = [{
    Its rank may be stated by the result's type alone.

    ```mlir
    %v = tenon.sequence_at %s, %i : !tenon.seq<tensor<?xf32>>, tensor<i64> -> tensor<?xf32>
    ```
  }];
  let arguments = (ins Tenon_AnySequence:$sequence, Tenon_I64Tensor:$position);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$sequence `,` $position attr-dict `:` type($sequence) `,` type($position) `->` type($result)";
  let hasVerifier = 1;
}

def Tenon_SequenceLengthOp : Tenon_SequenceOp<"sequence_length"> {
  let summary = "the number of values";
  let description = [{
    ```mlir
    %n = tenon.sequence_length %s : !tenon.seq<tensor<?xf32>> -> tensor<i64>
    ```
  }];
  let arguments = (ins Tenon_AnySequence:$sequence);
  let results = (outs Tenon_I64Tensor:$result);
  let assemblyFormat = "$sequence attr-dict `:` type($sequence) `->` type($result)";
}

def Tenon_SequenceConcatOp : Tenon_SequenceOp<"sequence_concat"> {
  let summary = "the tensors of a sequence, one behind the other";
  let description = [{
    Along dimension `dim`, or with `new_dim` along a new dimension at that place, where all have the same sizes. An
    empty sequence is a run-time error.

    ```mlir
    %x = tenon.sequence_concat %s dim 0 : !tenon.seq<tensor<?xf32>> -> tensor<?xf32>
    ```
  }];
  let arguments = (ins Tenon_AnySequence:$sequence, I64Attr:$dim, UnitAttr:$new_dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$sequence `dim` $dim (`new_dim` $new_dim^)? attr-dict `:` type($sequence) `->` type($result)";
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::TypedAttr> getHostParameters();
  }];
  let hasVerifier = 1;
}

def Tenon_SequenceSplitOp : Tenon_SequenceOp<"sequence_split"> {
  let summary = "parts of a tensor as a sequence";
  let description = [{
    Along dimension `dim`: `split` is the size of each part (rank 0; the last one may be smaller) or of all parts
    (rank 1; their sum is the tensor's size). Without it each part has size 1 in that dimension, which `drop_dim` takes
    away.

    ```mlir
    %s = tenon.sequence_split %x by %n dim 0 : tensor<?x4xf32>, tensor<i64> -> !tenon.seq<tensor<?x4xf32>>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, Optional<Tenon_I64Tensor>:$split, I64Attr:$dim, UnitAttr:$drop_dim);
  let results = (outs Tenon_AnySequence:$result);
  let assemblyFormat = [{
    $operand (`by` $split^)? `dim` $dim (`drop_dim` $drop_dim^)? attr-dict `:` type($operand) (`,` type($split)^)?
    `->` type($result)
  }];
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::TypedAttr> getHostParameters();
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Optionals
//===----------------------------------------------------------------------===//

def Tenon_OptionalMakeOp : Tenon_SequenceOp<"optional"> {
  let summary = "an optional that holds the operand, or nothing";
  let description = [{
    ```mlir
    %o = tenon.optional %x : tensor<4xf32> -> !tenon.opt<tensor<4xf32>>
    ```
  }];
  let arguments = (ins Optional<AnyType>:$value);
  let results = (outs Tenon_AnyOptional:$result);
  let assemblyFormat = "($value^ `:` type($value))? attr-dict `->` type($result)";
  let hasVerifier = 1;
}

def Tenon_OptionalHasOp : Tenon_SequenceOp<"optional_has"> {
  let summary = "whether an optional holds a value";
  let description = [{
    ```mlir
    %c = tenon.optional_has %o : !tenon.opt<tensor<4xf32>> -> tensor<i1>
    ```
  }];
  let arguments = (ins Tenon_AnyOptional:$operand);
  let results = (outs RankedTensorOf<[I1]>:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
}

def Tenon_OptionalGetOp : Tenon_SequenceOp<"optional_get"> {
  let summary = "the value that an optional holds";
  let description = [{
    Without one it is a run-time error.

    ```mlir
    %x = tenon.optional_get %o : !tenon.opt<tensor<4xf32>> -> tensor<4xf32>
    ```
  }];
  let arguments = (ins Tenon_AnyOptional:$operand);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Strings
//===----------------------------------------------------------------------===//

// Functions of the library that is shipped beside the tools. Results of another type than the operand have its sizes.
class Tenon_StringOp<string mnemonic, list<Trait> traits = []>
    : Tenon_Op<mnemonic, traits # [Pure, Tenon_HostCallInterface, DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  code library = [{
    llvm::StringRef getHostLibrary() { return "tenon_host_functions"; }
  }];
  let extraClassDeclaration = library;
}

def Tenon_StringConcatOp : Tenon_StringOp<"string_concat", [SameOperandsAndResultType]> {
  let summary = "each string of one operand followed by that of the other";
  let description = [{
    ```mlir
    %y = tenon.string_concat %a, %b : tensor<?x!tenon.string>
    ```
  }];
  let arguments = (ins Tenon_StringTensor:$lhs, Tenon_StringTensor:$rhs);
  let results = (outs Tenon_StringTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs)";
}

def Tenon_StringMatchOp : Tenon_StringOp<"string_match", [SameOperandsAndResultShape]> {
  let summary = "whether a regular expression matches the whole string";
  let description = [{
    The pattern has the syntax of ECMAScript, as in C++; bytes are its characters.

    ```mlir
    %y = tenon.string_match %x pattern "[a-z]+" : tensor<?x!tenon.string> -> tensor<?xi1>
    ```
  }];
  let arguments = (ins Tenon_StringTensor:$operand, StrAttr:$pattern);
  let results = (outs RankedTensorOf<[I1]>:$result);
  let assemblyFormat = "$operand `pattern` $pattern attr-dict `:` type($operand) `->` type($result)";
  let extraClassDeclaration = library # [{
    llvm::SmallVector<mlir::TypedAttr> getHostParameters();
  }];
}

def Tenon_StringNormalizeOp : Tenon_StringOp<"string_normalize"> {
  let summary = "strings without those that are stop words, in one case";
  let description = [{
    Of a tensor of rank 1, or of rank 2 with one row. A string that is equal to a stop word is left out (letters of any
    case are equal unless `case_sensitive`), the others become `lower`, `upper` or stay (`none`). Where nothing is left
    the result is one empty string. Case is that of all letters of Unicode that map to one other letter.

    ```mlir
    %y = tenon.string_normalize "lower" %x without ["the", "a"] : tensor<4x!tenon.string> -> tensor<?x!tenon.string>
    ```
  }];
  let arguments = (ins StrAttr:$change, Tenon_StringTensor:$operand, StrArrayAttr:$stop_words, UnitAttr:$case_sensitive);
  let results = (outs Tenon_StringTensor:$result);
  let assemblyFormat = [{
    $change $operand `without` $stop_words (`case_sensitive` $case_sensitive^)? attr-dict
    `:` type($operand) `->` type($result)
  }];
  let extraClassDeclaration = library # [{
    llvm::SmallVector<mlir::TypedAttr> getHostParameters();
  }];
  let hasVerifier = 1;
}

def Tenon_StringSplitOp : Tenon_StringOp<"string_split"> {
  let summary = "the parts of each string along a new last dimension, and how many there are";
  let description = [{
    Parts are what stands between delimiters, or with delimiter "" between runs of white space. At most `max_splits`
    cuts are made from the left (all where it is negative). Missing parts at the end are empty strings.

    ```mlir
    %parts, %counts = tenon.string_split %x delimiter "," max_splits -1 : tensor<?x!tenon.string> -> tensor<?x?x!tenon.string>, tensor<?xi64>
    ```
  }];
  let arguments = (ins Tenon_StringTensor:$operand, StrAttr:$delimiter, I64Attr:$max_splits);
  let results = (outs Tenon_StringTensor:$parts, Tenon_I64Tensor:$counts);
  let assemblyFormat = [{
    $operand `delimiter` $delimiter `max_splits` $max_splits attr-dict `:` type($operand) `->` type($parts) `,` type($counts)
  }];
  let extraClassDeclaration = library # [{
    llvm::SmallVector<mlir::TypedAttr> getHostParameters();
  }];
  let hasVerifier = 1;
}

def Tenon_LookupOp : Tenon_StringOp<"lookup"> {
  let summary = "the value of each key of a table";
  let description = [{
    `keys` and `values` have rank 1 and one length; of equal keys the first counts. An element that is no key becomes
    `default`, of rank 0. Floating point keys are equal when they compare equal; NaN is equal to NaN.

    ```mlir
    %y = tenon.lookup %x, %keys, %values, %default
         : tensor<?x!tenon.string>, tensor<3x!tenon.string>, tensor<3xi64>, tensor<i64> -> tensor<?xi64>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, AnyRankedTensor:$keys, AnyRankedTensor:$values, AnyRankedTensor:$fallback);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $operand `,` $keys `,` $values `,` $fallback attr-dict
    `:` type($operand) `,` type($keys) `,` type($values) `,` type($fallback) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // TENON_DIALECT_TENON_IR_TENONHOSTCALLS

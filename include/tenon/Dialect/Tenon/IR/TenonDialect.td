//===- TenonDialect.td - The graph dialect ------------------------------===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONDIALECT
#define TENON_DIALECT_TENON_IR_TENONDIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Tenon_Dialect : Dialect {
  let name = "tenon";
  let cppNamespace = "::tenon";
  let summary = "Neural networks as graphs of tensor values";
  let description = [{
    The graph level: a small orthogonal set of operations on tensors with value semantics, explicit
    broadcasting and symbolic sizes. Integer element types without a sign are two's complement signed,
    `ui*` are unsigned. Sizes are SSA values of type `index`.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect", "::mlir::tensor::TensorDialect"];
}

class Tenon_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<Tenon_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

def Tenon_StringType : Tenon_Type<"String", "string"> {
  let summary = "A string of bytes, as an element of a tensor";
}

def Tenon_SequenceType : Tenon_Type<"Sequence", "seq"> {
  let summary = "A sequence of values of one type";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def Tenon_OptionalType : Tenon_Type<"Optional", "opt"> {
  let summary = "A value that may be absent";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

class Tenon_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Tenon_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Tenon_BlobAttr : Tenon_Attr<"Blob", "blob", [TypedAttrInterface]> {
  let summary = "The elements of a large constant, by reference into a file";
  let description = [{
    `#tenon.blob<"weights.bin", 4096, 1024, xxh3 0x8a5fd2...> : tensor<256xf32>` stands for 1024 bytes at offset 4096
    of a file, little endian, rows contiguous, sub-byte elements packed from the lowest bits. Printing, comparing and
    hashing look at this reference, never at the bytes. Files are mapped on first use and stay mapped as long as the
    context lives.

    A module's text or bytecode names files relative to its own directory, and states a checksum of the bytes
    (XXH3 of 64 bits): BlobFiles.h says who puts them there. Bytes that have another one are an error when they are
    read. Without a checksum nothing is checked.
  }];
  let parameters = (ins AttributeSelfTypeParameter<"", "::mlir::ShapedType">:$type,
                        StringRefParameter<"file">:$file, "uint64_t":$offset, "uint64_t":$bytes,
                        DefaultValuedParameter<"uint64_t", "0", "of the bytes, or 0">:$checksum);
  let assemblyFormat = "`<` $file `,` $offset `,` $bytes `` custom<Checksum>($checksum) `>`";
  let builders = [AttrBuilderWithInferredContext<(ins "::mlir::ShapedType":$type, "::llvm::StringRef":$file,
                                                      "uint64_t":$offset, "uint64_t":$bytes), [{
    return $_get(type.getContext(), type, file, offset, bytes, 0);
  }]>];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The mapped bytes, or an error that names the file.
    llvm::Expected<llvm::ArrayRef<char>> getData() const;
    /// The same bytes under another type.
    BlobAttr withType(::mlir::ShapedType type) const;
  }];
}

def Tenon_Combiner : I32EnumAttr<"Combiner", "how elements are combined", [
    I32EnumAttrCase<"sum", 0>, I32EnumAttrCase<"prod", 1>, I32EnumAttrCase<"min", 2>,
    I32EnumAttrCase<"max", 3>, I32EnumAttrCase<"mean", 4>]> {
  let cppNamespace = "::tenon";
}

// What ops compute with. Tensors of other elements (strings, `index`, wider numbers) are only moved.
def Tenon_IsNumber : CPred<"::tenon::isNumber($_self)">;
def Tenon_Number : Type<Tenon_IsNumber, "number of 64, 32, 16 or at most 8 bits">;
def Tenon_Float : Type<And<[Tenon_IsNumber, AnyFloat.predicate]>, "floating-point number of 64, 32, 16 or at most 8 bits">;
def Tenon_Integer : Type<And<[Tenon_IsNumber, AnyInteger.predicate]>, "integer of 64, 32, 16 or at most 8 bits">;

def Tenon_NumberTensor : RankedTensorOf<[Tenon_Number]>;
def Tenon_FloatTensor : RankedTensorOf<[Tenon_Float]>;
def Tenon_IntegerTensor : RankedTensorOf<[Tenon_Integer]>;

class Tenon_Op<string mnemonic, list<Trait> traits = []> : Op<Tenon_Dialect, mnemonic, traits>;

#endif // TENON_DIALECT_TENON_IR_TENONDIALECT

//===- TenonElementwise.td - One result element from one element of each operand ===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONELEMENTWISE
#define TENON_DIALECT_TENON_IR_TENONELEMENTWISE

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonDialect.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"

class Tenon_ElementwiseOp<string mnemonic, list<Trait> traits>
    : Tenon_Op<mnemonic, traits # [Pure, Elementwise, DeclareOpInterfaceMethods<Tenon_IndexingMapsInterface>]> {
  let extraClassDefinition = [{
    llvm::SmallVector<mlir::utils::IteratorType> $cppClass::getLoopIterators() {
      return parallelIterators(getOperation());
    }
    llvm::SmallVector<mlir::AffineMap> $cppClass::getOperandMaps() { return identityOperandMaps(getOperation()); }
    llvm::SmallVector<mlir::AffineMap> $cppClass::getResultMaps() { return identityResultMaps(getOperation()); }
  }];
}

class Tenon_UnaryOp<string mnemonic, string formula, Type type, string note = "">
    : Tenon_ElementwiseOp<mnemonic, [SameOperandsAndResultType]> {
  let summary = formula;
  let description = "`result[i] = " # formula # "`, element by element; the result has the operand's type. " # note
    # "\n\n```mlir\n%y = tenon." # mnemonic # " %x : tensor<?x4xf32>\n```";
  let arguments = (ins type:$operand);
  let results = (outs type:$result);
  let assemblyFormat = "$operand attr-dict `:` type($result)";
}

class Tenon_BinaryOp<string mnemonic, string formula, Type type, list<Trait> traits = [], string note = "">
    : Tenon_ElementwiseOp<mnemonic, traits # [SameOperandsAndResultType]> {
  let summary = formula;
  let description = "`result[i] = " # formula # "`, element by element; operands and result have one type. " # note
    # "\n\n```mlir\n%z = tenon." # mnemonic # " %x, %y : tensor<?x4xf32>\n```";
  let arguments = (ins type:$lhs, type:$rhs);
  let results = (outs type:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def Tenon_NegOp : Tenon_UnaryOp<"neg", "-x", Tenon_NumberTensor, "Integers wrap."> {
  let hasFolder = 1;
}
def Tenon_AbsOp : Tenon_UnaryOp<"abs", "|x|", Tenon_NumberTensor, "Integers wrap: the least value is its own.">;
def Tenon_SignOp : Tenon_UnaryOp<"sign", "sign(x)", Tenon_NumberTensor, "-1, 0 or 1; NaN gives NaN.">;
def Tenon_NotOp : Tenon_UnaryOp<"not", "~x", Tenon_IntegerTensor, "Bitwise on integers, so logical on `i1`."> {
  let hasFolder = 1;
}
def Tenon_ExpOp : Tenon_UnaryOp<"exp", "e^x", Tenon_FloatTensor>;
def Tenon_Expm1Op : Tenon_UnaryOp<"expm1", "e^x - 1", Tenon_FloatTensor>;
def Tenon_LogOp : Tenon_UnaryOp<"log", "ln(x)", Tenon_FloatTensor>;
def Tenon_Log1pOp : Tenon_UnaryOp<"log1p", "ln(1 + x)", Tenon_FloatTensor>;
def Tenon_SqrtOp : Tenon_UnaryOp<"sqrt", "sqrt(x)", Tenon_FloatTensor>;
def Tenon_RsqrtOp : Tenon_UnaryOp<"rsqrt", "1 / sqrt(x)", Tenon_FloatTensor>;
def Tenon_ReciprocalOp : Tenon_UnaryOp<"reciprocal", "1 / x", Tenon_FloatTensor>;
def Tenon_SinOp : Tenon_UnaryOp<"sin", "sin(x)", Tenon_FloatTensor>;
def Tenon_CosOp : Tenon_UnaryOp<"cos", "cos(x)", Tenon_FloatTensor>;
def Tenon_TanOp : Tenon_UnaryOp<"tan", "tan(x)", Tenon_FloatTensor>;
def Tenon_AsinOp : Tenon_UnaryOp<"asin", "asin(x)", Tenon_FloatTensor>;
def Tenon_AcosOp : Tenon_UnaryOp<"acos", "acos(x)", Tenon_FloatTensor>;
def Tenon_AtanOp : Tenon_UnaryOp<"atan", "atan(x)", Tenon_FloatTensor>;
def Tenon_SinhOp : Tenon_UnaryOp<"sinh", "sinh(x)", Tenon_FloatTensor>;
def Tenon_CoshOp : Tenon_UnaryOp<"cosh", "cosh(x)", Tenon_FloatTensor>;
def Tenon_AsinhOp : Tenon_UnaryOp<"asinh", "asinh(x)", Tenon_FloatTensor>;
def Tenon_AcoshOp : Tenon_UnaryOp<"acosh", "acosh(x)", Tenon_FloatTensor>;
def Tenon_AtanhOp : Tenon_UnaryOp<"atanh", "atanh(x)", Tenon_FloatTensor>;
def Tenon_TanhOp : Tenon_UnaryOp<"tanh", "tanh(x)", Tenon_FloatTensor>;
def Tenon_ErfOp : Tenon_UnaryOp<"erf", "erf(x)", Tenon_FloatTensor>;
def Tenon_SigmoidOp : Tenon_UnaryOp<"sigmoid", "1 / (1 + e^-x)", Tenon_FloatTensor>;
def Tenon_FloorOp : Tenon_UnaryOp<"floor", "floor(x)", Tenon_FloatTensor>;
def Tenon_CeilOp : Tenon_UnaryOp<"ceil", "ceil(x)", Tenon_FloatTensor>;
def Tenon_RoundOp : Tenon_UnaryOp<"round", "round(x)", Tenon_FloatTensor, "Ties go to the even neighbour.">;

def Tenon_AddOp : Tenon_BinaryOp<"add", "x + y", Tenon_NumberTensor, [Commutative], "Integers wrap."> {
  let hasFolder = 1;
}
def Tenon_SubOp : Tenon_BinaryOp<"sub", "x - y", Tenon_NumberTensor, [], "Integers wrap."> {
  let hasFolder = 1;
}
def Tenon_MulOp : Tenon_BinaryOp<"mul", "x * y", Tenon_NumberTensor, [Commutative], "Integers wrap."> {
  let hasFolder = 1;
}
def Tenon_DivOp : Tenon_BinaryOp<"div", "x / y", Tenon_NumberTensor, [],
  "Integers truncate; the least value by -1 wraps; by zero gives zero."> {
  let hasFolder = 1;
}
def Tenon_RemOp : Tenon_BinaryOp<"rem", "x rem y", Tenon_NumberTensor, [],
  "The sign follows x, as C's `%` and `fmod`; an integer remainder by zero is zero.">;
def Tenon_ModOp : Tenon_BinaryOp<"mod", "x mod y", Tenon_NumberTensor, [],
  "The sign follows y, as Python's `%`; an integer by zero is zero.">;
def Tenon_PowOp : Tenon_BinaryOp<"pow", "x ^ y", Tenon_NumberTensor, [],
  "IEEE `pow`; integers by repeated multiplication, wrapping; a negative exponent truncates 1 / x^|y|.">;
def Tenon_MinOp : Tenon_BinaryOp<"min", "min(x, y)", Tenon_NumberTensor, [Commutative],
  "NaN if either is NaN; -0 is below 0."> {
  let hasFolder = 1;
}
def Tenon_MaxOp : Tenon_BinaryOp<"max", "max(x, y)", Tenon_NumberTensor, [Commutative],
  "NaN if either is NaN; -0 is below 0."> {
  let hasFolder = 1;
}
def Tenon_Atan2Op : Tenon_BinaryOp<"atan2", "atan2(x, y)", Tenon_FloatTensor>;
def Tenon_AndOp : Tenon_BinaryOp<"and", "x & y", Tenon_IntegerTensor, [Commutative], "Bitwise, integers only."> {
  let hasFolder = 1;
}
def Tenon_OrOp : Tenon_BinaryOp<"or", "x | y", Tenon_IntegerTensor, [Commutative], "Bitwise, integers only."> {
  let hasFolder = 1;
}
def Tenon_XorOp : Tenon_BinaryOp<"xor", "x ^ y", Tenon_IntegerTensor, [Commutative], "Bitwise, integers only.">;
def Tenon_ShlOp : Tenon_BinaryOp<"shl", "x << y", Tenon_IntegerTensor, [], "Zero once y reaches the width.">;
def Tenon_ShrOp : Tenon_BinaryOp<"shr", "x >> y", Tenon_IntegerTensor, [],
  "Arithmetic for signed, logical for unsigned; y at or above the width fills with the sign.">;

def Tenon_Predicate : I32EnumAttr<"Predicate", "how two numbers are compared", [
    I32EnumAttrCase<"eq", 0>, I32EnumAttrCase<"ne", 1>, I32EnumAttrCase<"lt", 2>,
    I32EnumAttrCase<"le", 3>, I32EnumAttrCase<"gt", 4>, I32EnumAttrCase<"ge", 5>]> {
  let cppNamespace = "::tenon";
}

def Tenon_CompareOp : Tenon_ElementwiseOp<"compare", [SameTypeOperands, SameOperandsAndResultShape]> {
  let summary = "x predicate y";
  let description = [{
    `result[i] = lhs[i] predicate rhs[i]` as `i1`; any comparison with NaN but `ne` is false.

    ```mlir
    %c = tenon.compare lt %x, %y : tensor<?x4xf32> -> tensor<?x4xi1>
    ```
  }];
  let arguments = (ins Tenon_Predicate:$predicate, AnyRankedTensor:$lhs, AnyRankedTensor:$rhs);
  let results = (outs RankedTensorOf<[I1]>:$result);
  let assemblyFormat = "$predicate $lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)";
}

def Tenon_IsNanOp : Tenon_ElementwiseOp<"is_nan", [SameOperandsAndResultShape]> {
  let summary = "whether x is NaN";
  let description = "`result[i] = operand[i] is NaN`, as `i1`.";
  let arguments = (ins Tenon_NumberTensor:$operand);
  let results = (outs RankedTensorOf<[I1]>:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
}

def Tenon_SelectOp : Tenon_ElementwiseOp<"select", [SameOperandsAndResultShape,
    AllTypesMatch<["trueValue", "falseValue", "result"]>]> {
  let summary = "c ? x : y";
  let description = [{
    `result[i] = condition[i] ? trueValue[i] : falseValue[i]`.

    ```mlir
    %z = tenon.select %c, %x, %y : tensor<?x4xi1>, tensor<?x4xf32>
    ```
  }];
  let arguments = (ins RankedTensorOf<[I1]>:$condition, AnyRankedTensor:$trueValue, AnyRankedTensor:$falseValue);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$condition `,` $trueValue `,` $falseValue attr-dict `:` type($condition) `,` type($result)";
  let hasFolder = 1;
}

def Tenon_CastOp : Tenon_ElementwiseOp<"cast", [SameOperandsAndResultShape]> {
  let summary = "x converted to the result's element type";
  let description = [{
    Floating point to a narrower one rounds to the nearest, ties to even, overflow to infinity. Floating point to
    an integer truncates, then wraps modulo 2^n from 64 bits; NaN gives the least value. Integers wrap. To `i1`:
    whether the value is not zero. With `saturate`, values beyond the range of a narrow floating-point type give
    its largest finite value.

    ```mlir
    %y = tenon.cast %x : tensor<?x4xf32> -> tensor<?x4xi64>
    ```
  }];
  let arguments = (ins Tenon_NumberTensor:$operand, UnitAttr:$saturate);
  let results = (outs Tenon_NumberTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasFolder = 1;
}

#endif // TENON_DIALECT_TENON_IR_TENONELEMENTWISE

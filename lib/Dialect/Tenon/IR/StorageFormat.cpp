//===- StorageFormat.cpp - How elements lie in memory ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tenon;

StorageFormat::StorageFormat(Type element) {
  if (auto complex = dyn_cast<ComplexType>(element))
    bits = 2 * StorageFormat(complex.getElementType()).bits;
  else if (element.isIndex())
    bits = 64;
  else if (element.isIntOrFloat())
    bits = element.isInteger(1) ? 8 : element.getIntOrFloatBitWidth();
}

/// By number, from 0 on: https://github.com/onnx/onnx, onnx.in.proto, TensorProto.DataType.
static SmallVector<Type> elementTypes(MLIRContext *context) {
  Builder b(context);
  auto natural = [&](unsigned width) { return b.getIntegerType(width, /*isSigned=*/false); };
  return {Type(),
          b.getF32Type(),
          natural(8),
          b.getI8Type(),
          natural(16),
          b.getI16Type(),
          b.getI32Type(),
          b.getI64Type(),
          StringType::get(context),
          b.getI1Type(),
          b.getF16Type(),
          b.getF64Type(),
          natural(32),
          natural(64),
          ComplexType::get(b.getF32Type()),
          ComplexType::get(b.getF64Type()),
          b.getBF16Type(),
          Float8E4M3FNType::get(context),
          Float8E4M3FNUZType::get(context),
          Float8E5M2Type::get(context),
          Float8E5M2FNUZType::get(context),
          natural(4),
          b.getIntegerType(4),
          Float4E2M1FNType::get(context),
          Float8E8M0FNUType::get(context),
          natural(2),
          b.getIntegerType(2),
          Float6E2M3FNType::get(context),
          Float6E3M2FNType::get(context)};
}

Type tenon::typeOfDataType(int64_t dataType, MLIRContext *context) {
  SmallVector<Type> types = elementTypes(context);
  return dataType > 0 && dataType < (int64_t)types.size() ? types[dataType] : Type();
}

int32_t tenon::dataTypeOf(Type element) {
  if (element.isSignedInteger())
    element = IntegerType::get(element.getContext(), element.getIntOrFloatBitWidth());
  SmallVector<Type> types = elementTypes(element.getContext());
  auto known = llvm::find(types, element);
  return known == types.end() ? 0 : int32_t(known - types.begin());
}

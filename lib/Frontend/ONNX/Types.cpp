//===- Types.cpp - ONNX types as MLIR types ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Types.h"

#include "onnx-ml.pb.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using ::onnx::TensorProto;

Type tenon::onnx::elementTypeOf(int32_t dataType, MLIRContext *context) {
  Builder builder(context);
  auto integer = [&](unsigned bits) { return builder.getIntegerType(bits); };
  auto natural = [&](unsigned bits) { return builder.getIntegerType(bits, /*isSigned=*/false); };
  switch (dataType) {
  case TensorProto::FLOAT:
    return builder.getF32Type();
  case TensorProto::DOUBLE:
    return builder.getF64Type();
  case TensorProto::FLOAT16:
    return builder.getF16Type();
  case TensorProto::BFLOAT16:
    return builder.getBF16Type();
  case TensorProto::FLOAT8E4M3FN:
    return Float8E4M3FNType::get(context);
  case TensorProto::FLOAT8E4M3FNUZ:
    return Float8E4M3FNUZType::get(context);
  case TensorProto::FLOAT8E5M2:
    return Float8E5M2Type::get(context);
  case TensorProto::FLOAT8E5M2FNUZ:
    return Float8E5M2FNUZType::get(context);
  case TensorProto::FLOAT8E8M0:
    return Float8E8M0FNUType::get(context);
  case TensorProto::FLOAT6E2M3:
    return Float6E2M3FNType::get(context);
  case TensorProto::FLOAT6E3M2:
    return Float6E3M2FNType::get(context);
  case TensorProto::FLOAT4E2M1:
    return Float4E2M1FNType::get(context);
  case TensorProto::BOOL:
    return integer(1);
  case TensorProto::INT2:
    return integer(2);
  case TensorProto::INT4:
    return integer(4);
  case TensorProto::INT8:
    return integer(8);
  case TensorProto::INT16:
    return integer(16);
  case TensorProto::INT32:
    return integer(32);
  case TensorProto::INT64:
    return integer(64);
  case TensorProto::UINT2:
    return natural(2);
  case TensorProto::UINT4:
    return natural(4);
  case TensorProto::UINT8:
    return natural(8);
  case TensorProto::UINT16:
    return natural(16);
  case TensorProto::UINT32:
    return natural(32);
  case TensorProto::UINT64:
    return natural(64);
  case TensorProto::COMPLEX64:
    return ComplexType::get(builder.getF32Type());
  case TensorProto::COMPLEX128:
    return ComplexType::get(builder.getF64Type());
  case TensorProto::STRING:
    return StringType::get(context);
  default:
    return nullptr;
  }
}

uint64_t tenon::onnx::storedBits(Type elementType) {
  if (auto complex = dyn_cast<ComplexType>(elementType))
    return 2 * storedBits(complex.getElementType());
  if (!elementType.isIntOrFloat())
    return 0;
  unsigned bits = elementType.getIntOrFloatBitWidth();
  return bits == 1 ? 8 : bits;
}

llvm::Error tenon::onnx::checkSizes(ArrayRef<int64_t> sizes, Type elementType) {
  // Zeros don't excuse the others: their product is formed somewhere before the zero is seen.
  int64_t bits = std::max<uint64_t>(storedBits(elementType), 8);
  for (int64_t size : sizes)
    if (size > 0 && llvm::MulOverflow(bits, size, bits))
      return llvm::createStringError("the product of its dimensions overflows");
  return llvm::Error::success();
}

/// A tensor's type from the messages Tensor and SparseTensor's common form.
static llvm::Expected<Type> convertTensor(const ::onnx::TypeProto::Tensor &tensor, MLIRContext *context) {
  Type element = tenon::onnx::elementTypeOf(tensor.elem_type(), context);
  if (!element) {
    if (tensor.elem_type() == TensorProto::UNDEFINED)
      return Type();
    return llvm::createStringError("the element type %d is unknown", tensor.elem_type());
  }
  if (!tensor.has_shape())
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> sizes;
  for (const auto &dim : tensor.shape().dim()) {
    // Some exporters write -1 for a size that varies.
    bool isStatic = dim.has_dim_value() && dim.dim_value() != -1;
    if (isStatic && dim.dim_value() < 0)
      return llvm::createStringError("dimension %zu is %lld", sizes.size(), (long long)dim.dim_value());
    sizes.push_back(isStatic ? dim.dim_value() : ShapedType::kDynamic);
  }
  if (llvm::Error error = tenon::onnx::checkSizes(sizes, element))
    return std::move(error);
  return RankedTensorType::get(sizes, element);
}

llvm::Expected<Type> tenon::onnx::convertType(const ::onnx::TypeProto &type, MLIRContext *context) {
  if (type.has_tensor_type())
    return convertTensor(type.tensor_type(), context);
  if (!type.has_sequence_type() && !type.has_optional_type())
    return Type();
  llvm::Expected<Type> element = convertType(type.has_sequence_type() ? type.sequence_type().elem_type()
                                                                      : type.optional_type().elem_type(),
                                             context);
  if (!element || !*element)
    return element;
  return type.has_sequence_type() ? Type(SequenceType::get(context, *element))
                                  : OptionalType::get(context, *element);
}

ArrayAttr tenon::onnx::dimensionNames(const ::onnx::TypeProto &type, MLIRContext *context) {
  SmallVector<StringRef> names;
  for (const auto &dim : type.tensor_type().shape().dim())
    names.push_back(dim.has_dim_param() ? StringRef(dim.dim_param()) : StringRef());
  if (llvm::all_of(names, [](StringRef name) { return name.empty(); }))
    return nullptr;
  return Builder(context).getStrArrayAttr(names);
}

//===- Types.cpp - ONNX types as MLIR types ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Types.h"

#include "onnx-ml.pb.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using ::onnx::TensorProto;

llvm::Error tenon::onnx::checkSizes(ArrayRef<int64_t> sizes, Type elementType) {
  // Zeros don't excuse the others: their product is formed somewhere before the zero is seen.
  int64_t bits = std::max(StorageFormat(elementType).getBits(), 8u);
  for (int64_t size : sizes)
    if (size > 0 && llvm::MulOverflow(bits, size, bits))
      return llvm::createStringError("the product of its dimensions overflows");
  return llvm::Error::success();
}

/// A tensor's type from the messages Tensor and SparseTensor's common form.
static llvm::Expected<Type> convertTensor(const ::onnx::TypeProto::Tensor &tensor, MLIRContext *context) {
  Type element = tenon::typeOfDataType(tensor.elem_type(), context);
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
  llvm::Expected<Type> element = convertType(
      type.has_sequence_type() ? type.sequence_type().elem_type() : type.optional_type().elem_type(), context);
  if (!element || !*element)
    return element;
  return type.has_sequence_type() ? Type(SequenceType::get(context, *element)) : OptionalType::get(context, *element);
}

ArrayAttr tenon::onnx::dimensionNames(const ::onnx::TypeProto &type, MLIRContext *context) {
  SmallVector<StringRef> names;
  for (const auto &dim : type.tensor_type().shape().dim())
    names.push_back(dim.has_dim_param() ? StringRef(dim.dim_param()) : StringRef());
  if (llvm::all_of(names, [](StringRef name) { return name.empty(); }))
    return nullptr;
  return Builder(context).getStrArrayAttr(names);
}

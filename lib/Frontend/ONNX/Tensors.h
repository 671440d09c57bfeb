//===- Tensors.h - ONNX tensors as attributes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_FRONTEND_ONNX_TENSORS_H
#define TENON_LIB_FRONTEND_ONNX_TENSORS_H

#include "ExternalData.h"
#include "tenon/Dialect/Tenon/IR/ConstantFile.h"

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

namespace onnx {
class SparseTensorProto;
class TensorProto;
} // namespace onnx

namespace tenon::onnx {

/// Turns tensors into attributes: `dense` up to 1 kB, `#tenon.blob` above. A message of an error goes on from
/// the tensor's name.
class TensorReader {
public:
  /// `model` is what copyWithoutLargeConstants scanned, the content of `file`, or of no file if that is
  /// empty.
  TensorReader(llvm::ArrayRef<char> model, llvm::StringRef file, ExternalFiles external, ConstantFile &constants,
               bool inlineConstants, mlir::MLIRContext *context)
      : model(model), file(file), external(std::move(external)), constants(constants), inlineConstants(inlineConstants),
        context(context) {}

  llvm::Expected<mlir::TypedAttr> read(const ::onnx::TensorProto &tensor);
  /// Sparse tensors become dense.
  llvm::Expected<mlir::TypedAttr> read(const ::onnx::SparseTensorProto &tensor);

private:
  llvm::Expected<mlir::TypedAttr> convert(const ::onnx::TensorProto &tensor);
  llvm::Expected<mlir::TypedAttr> convert(const ::onnx::SparseTensorProto &tensor);
  /// Functions show the same tensor at each of their calls.
  template <typename Message> llvm::Expected<mlir::TypedAttr> readOnce(const Message &tensor);

  /// Elements as they lie in files: little endian, narrow ones packed.
  struct Bytes {
    llvm::ArrayRef<char> view;
    llvm::SmallVector<char> owned;
    /// Where else they are; no file if empty.
    FileRange range{"", 0, 0};
  };

  llvm::Expected<mlir::RankedTensorType> typeOf(llvm::ArrayRef<int64_t> sizes, int32_t dataType);
  llvm::Expected<mlir::TypedAttr> readStrings(const ::onnx::TensorProto &tensor, mlir::RankedTensorType type);
  /// With `viewed`, `view` is there even if the bytes are in another file.
  llvm::Error locate(const ::onnx::TensorProto &tensor, mlir::RankedTensorType type, bool viewed, Bytes &bytes);
  llvm::Error readTypedField(const ::onnx::TensorProto &tensor, mlir::RankedTensorType type, Bytes &bytes);
  llvm::Expected<mlir::TypedAttr> makeAttribute(mlir::RankedTensorType type, const Bytes &bytes);

  llvm::ArrayRef<char> model;
  llvm::StringRef file;
  ExternalFiles external;
  ConstantFile &constants;
  bool inlineConstants;
  mlir::MLIRContext *context;
  llvm::DenseMap<const void *, mlir::TypedAttr> converted;
};

} // namespace tenon::onnx

#endif // TENON_LIB_FRONTEND_ONNX_TENSORS_H

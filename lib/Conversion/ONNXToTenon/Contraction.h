//===- Contraction.h - Sums of products that several ONNX operators need ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_CONTRACTION_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_CONTRACTION_H

#include "Node.h"

namespace tenon::onnx {

/// The product of matrices with numpy's rules for vectors and batch dimensions, summed in `element`.
mlir::Value matMul(Node &node, mlir::Value a, mlir::Value b, mlir::Type element);

/// alpha * A * B + beta * C by the node's operands and attributes.
Results gemm(Node &node);

/// Strides, dilations and pads of a convolution or pooling over n spatial dimensions.
struct Windows {
  llvm::SmallVector<int64_t> strides, dilations, pads;
  /// What the operand was padded by before each spatial dimension where `auto_pad` depends on its size, beside `pads`.
  Sizes before;
  bool isPadded = false; ///< whether it was
};

/// The node's attributes, with `auto_pad` resolved; an operand whose padding depends on its size is padded
/// with `value`. Nothing after an error.
std::optional<Windows> windowsOf(Node &node, mlir::Value &operand, llvm::ArrayRef<mlir::AffineExpr> kernel,
                                 double value);

/// The spatial sizes of a filter, which are those of `kernel_shape` where the node states them. Nothing after an error.
std::optional<Sizes> kernelOf(Node &node, mlir::Value input, mlir::Value &filter);

/// The largest number, or the mean, of each window of a pool with the node's attributes. Nothing after an error.
mlir::Value largestOfWindows(Node &node, mlir::Value x);
mlir::Value meanOfWindows(Node &node, mlir::Value x);

/// A convolution with the node's attributes, without bias. Nothing after an error.
mlir::Value convolution(Node &node, mlir::Value input, mlir::Value filter);

/// `y` plus a vector along the channels, which are dimension 1; `y` where the operand is left out.
Results withBias(Node &node, mlir::Value y, size_t bias);

/// A transposed convolution with the node's attributes; with `pads` as one of its operands these, else the attribute.
Results transposedConvolution(Node &node, std::optional<size_t> pads, size_t bias);

void addConvolutionConverters(ConverterTable &table);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_CONTRACTION_H

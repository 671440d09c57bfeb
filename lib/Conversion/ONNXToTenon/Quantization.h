//===- Quantization.h - Quantised numbers that several ONNX operators need ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_QUANTIZATION_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_QUANTIZATION_H

#include "Node.h"

namespace tenon::onnx {

/// Numbers that stand for `(number - zero point) * scale`; a zero point that is null is 0.
struct Quantized {
  mlir::Value numbers, scale, zeroPoint;
};

/// The number with its zero point added, rounded already, within the range of an integer type.
mlir::Value toRange(Node &node, mlir::Value x, mlir::IntegerType target);

/// round(x / scale) + zero point within the range of the type, all in the scale's type; scale and zero point
/// are scalars or of x's sizes, the zero point may be null.
mlir::Value quantize(Node &node, mlir::Value x, mlir::Value scale, mlir::Value zeroPoint, mlir::Type target,
                     bool saturate = true);

/// All elements as ui8, by one scale and zero point that follow from their range, 0 included.
Quantized quantizeDynamically(Node &node, mlir::Value x);

/// Integers in 32 bits, or narrow floating-point numbers in f32, less their zero point: one for all, or one
/// per place of `dim`.
mlir::Value centred(Node &node, mlir::Value x, mlir::Value zeroPoint, int64_t dim);

/// The product of matrices of numbers less their zero points, exact as long as 32 bits hold the sums. Zero
/// points are scalars, or vectors of one per row of `a` and per column of `b`.
mlir::Value centredProduct(Node &node, const Quantized &a, const Quantized &b);

/// The product of scales by numpy's rule, over the result's scale if there is one, in f32.
mlir::Value combineScales(Node &node, llvm::ArrayRef<mlir::Value> scales, mlir::Value resultScale = {});

/// In f32, times a scale: a scalar, one per place of `dim`, or of a shape that is repeated by numpy's rule.
mlir::Value rescale(Node &node, mlir::Value x, mlir::Value scale, int64_t dim);

/// In f32, by one scale.
mlir::Value dequantize(Node &node, const Quantized &x);

/// A sum times its scale, which has the result's scale in it, in the result's quantisation.
mlir::Value requantize(Node &node, mlir::Value sum, mlir::Value scale, mlir::Value zeroPoint, int64_t dim);

/// A parameter of each block of `dim`, of x's rank, repeated to x's sizes; the last block may be cut.
mlir::Value repeatBlocks(Node &node, mlir::Value parameter, mlir::Value x, int64_t dim, int64_t block);

/// Numbers of 2, 4 or 8 bits out of the bytes of the last dimension, the lowest bits first or last.
mlir::Value unpack(Node &node, mlir::Value bytes, int64_t bits, bool lowFirst = true);

/// Operators of the standard that ONNX Runtime's domain has too.
Results quantizeLinear(Node &node);
Results dequantizeLinear(Node &node);
Results qLinearMatMul(Node &node);
Results qLinearConv(Node &node);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_QUANTIZATION_H

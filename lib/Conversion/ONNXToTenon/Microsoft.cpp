//===- Microsoft.cpp - ONNX Runtime's operators that can't be converted ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

using namespace tenon::onnx;

void tenon::onnx::addMicrosoftConverters(ConverterTable &table) {
  constexpr llvm::StringRef internal =
      "it is laid out for the machine that ONNX Runtime ran on; save the model with "
      "ORT_ENABLE_EXTENDED as the level of optimisation";
  table.refuse("com.microsoft.nchwc.*", internal);
  table.refuse("com.ms.internal.nhwc.*", internal);

  constexpr llvm::StringRef ordered =
      "it computes on matrices in a layout of NVIDIA's cublasLt; quantise the model anew";
  table.refuse("com.microsoft.QOrderedAttention", ordered);
  table.refuse("com.microsoft.QOrderedGelu", ordered);
  table.refuse("com.microsoft.QOrderedLayerNormalization", ordered);
  table.refuse("com.microsoft.QOrderedLongformerAttention", ordered);
  table.refuse("com.microsoft.QOrderedMatMul", ordered);
  table.refuse("com.microsoft.QuantizeWithOrder", ordered);
  table.refuse("com.microsoft.DequantizeWithOrder", ordered);

  constexpr llvm::StringRef blocks =
      "its block floating point is a format of certain accelerators, which ONNX doesn't define";
  table.refuse("com.microsoft.QuantizeBFP", blocks);
  table.refuse("com.microsoft.DequantizeBFP", blocks);

  table.refuse("com.microsoft.MatMulFpQ4",
               "its weights are in a layout of ONNX Runtime's kernels; quantise to MatMulNBits instead");
}

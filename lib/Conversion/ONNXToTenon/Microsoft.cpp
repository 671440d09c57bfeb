//===- Microsoft.cpp - ONNX Runtime's operators, and which can't be converted ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Microsoft.h"

using namespace tenon::onnx;

void tenon::onnx::addMicrosoftConverters(ConverterTable &table) {
  addMicrosoftArrayConverters(table);
  addMicrosoftExpertConverters(table);
  addMicrosoftGroupedAttentionConverters(table);
  addMicrosoftHyperConnectionConverters(table);
  addMicrosoftNGramConverters(table);
  addMicrosoftPackedStateConverters(table);
  addMicrosoftSequenceConverters(table);
  addMicrosoftSparseAttentionConverters(table);
  addMicrosoftSparseSelectionConverters(table);

  constexpr llvm::StringRef internal = "it is laid out for the machine that ONNX Runtime ran on; save the model with "
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

  constexpr llvm::StringRef search =
      "it runs a model of its own in a loop; compile that model, and search with its results";
  table.refuse("com.microsoft.BeamSearch", search);
  table.refuse("com.microsoft.GreedySearch", search);
  table.refuse("com.microsoft.Sampling", search);
  table.refuse("com.microsoft.WhisperBeamSearch", search);
  table.refuse("com.microsoft.BifurcationDetector",
               "it is a step of a search through a model's results; compile that model, and search outside of it");

  constexpr llvm::StringRef paged =
      "its cache lies in pages that a server hands out; export the model with GroupQueryAttention";
  table.refuse("com.microsoft.PagedAttention", paged);
  table.refuse("com.microsoft.SparsePagedAttention", paged);

  table.refuse("com.microsoft.GemmFloat8",
               "it is a product of NVIDIA's cublasLt; export the model with Gemm or MatMul, and "
               "DequantizeLinear of the 8-bit operands");
  constexpr llvm::StringRef packed = "its weights lie in one of ONNX Runtime's packed formats (packed_type); "
                                     "quantise to MatMulNBits and GatherBlockQuantized";
  table.refuse("com.microsoft.GatherPacked", packed);
  table.refuse("com.microsoft.MatMulPacked", packed);
  table.refuse("com.microsoft.MoEPacked",
               "its weights lie in one of ONNX Runtime's packed formats (packed_type); quantise to QMoE");

  constexpr llvm::StringRef replayed =
      "it repeats captured steps in buffers of a server; run the model again on the tokens that are kept";
  table.refuse("com.microsoft.ConvStateReplay", replayed);
  table.refuse("com.microsoft.GatedDeltaNetStateReplay", replayed);
  table.refuse("com.microsoft.SpeculativePrefixCommit", "it tells a server in its memory which tokens are kept; do so "
                                                        "outside of the model");
  table.refuse("com.microsoft.PackedSparseAttentionIndexerMerge",
               "it joins selections of a server's layers; export the model with an indexer in each");
  table.refuse("com.microsoft.Mamba2Verify",
               "it is made for one model on NVIDIA's devices; export the model with the standard's operators");
  table.refuse("com.microsoft.SparseToDenseMatMul",
               "its operand is a sparse tensor, which is no value of Tenon; export the model with dense ones");
  table.refuse("com.microsoft.AttnLSTM", "it is of a framework that is gone; export the model with LSTM and MatMul");
  table.refuse("com.microsoft.Tokenizer",
               "how it cuts strings follows RE2, of which Tenon has a part; tokenise before the model");

  constexpr llvm::StringRef foreign = "it holds what the compiler of another device made of a part of the model";
  table.refuse("com.microsoft.EPContext", foreign);
  table.refuse("com.microsoft.Snpe", foreign);
}

//===- Microsoft.h - Families of operators that ONNX Runtime adds ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_MICROSOFT_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_MICROSOFT_H

#include "Node.h"

namespace tenon::onnx {

void addMicrosoftArrayConverters(ConverterTable &table);
void addMicrosoftExpertConverters(ConverterTable &table);
void addMicrosoftGroupedAttentionConverters(ConverterTable &table);
void addMicrosoftHyperConnectionConverters(ConverterTable &table);
void addMicrosoftNGramConverters(ConverterTable &table);
void addMicrosoftPackedStateConverters(ConverterTable &table);
void addMicrosoftSequenceConverters(ConverterTable &table);
void addMicrosoftSparseAttentionConverters(ConverterTable &table);
void addMicrosoftSparseSelectionConverters(ConverterTable &table);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_MICROSOFT_H

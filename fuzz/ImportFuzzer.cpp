//===- ImportFuzzer.cpp - Whether any bytes make the ONNX importer crash ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WireMutator.h"
#include "tenon/Frontend/ONNX/Import.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cstdlib>

static std::string print(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  return text;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  unsigned diagnostics = 0;
  context.getDiagEngine().registerHandler([&](mlir::Diagnostic &) { ++diagnostics; });
  tenon::onnx::ImportOptions options;
  options.inlineConstants = true;
  llvm::ArrayRef<char> bytes(reinterpret_cast<const char *>(data), size);
  auto module = tenon::onnx::importONNXBytes(bytes, "fuzzed", "/nowhere", &context, options);
  // A failure says why, once; a success is silent.
  if (diagnostics != (module ? 0 : 1))
    std::abort();
  if (!module)
    return 0;
  // What was imported is IR that can be written and read.
  std::string text = print(*module);
  mlir::OwningOpRef<mlir::ModuleOp> read = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!read || print(*read) != text)
    std::abort();
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  std::minstd_rand random(seed);
  std::string mutated = tenon::mutateMessage(std::string(reinterpret_cast<char *>(data), size), random);
  if (mutated.size() > maxSize)
    return size;
  std::copy(mutated.begin(), mutated.end(), data);
  return mutated.size();
}

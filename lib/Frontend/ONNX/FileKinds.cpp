//===- FileKinds.cpp - What a file is that is no model ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Frontend/ONNX/Import.h"

using namespace llvm;

#define EXPORT_TO_ONNX "export the model to ONNX instead"

namespace {
struct Kind {
  StringLiteral magic;
  size_t offset;
  StringLiteral description;
};

// Signatures from the formats' own documents, or from file(1)'s list of them.
constexpr Kind kKinds[] = {
    {"version https://git-lfs", 0, "it is a pointer of Git LFS; `git lfs pull` fetches the model"},
    {"\x7f"
     "ELF",
     0, "it is a program or library; tenon-run runs models that are compiled already"},
    {"TFL3", 4, "it is a TensorFlow Lite model; tf2onnx converts it to ONNX"},
    {"ORTM", 4, "it is in ONNX Runtime's own format; give the ONNX model that it was made from"},
    {"\x1f\x8b", 0, "it is compressed by gzip; decompress it first"},
    {StringLiteral("\x28\xb5\x2f\xfd"), 0, "it is compressed by zstd; decompress it first"},
    {"\xfd"
     "7zXZ",
     0, "it is compressed by xz; decompress it first"},
    {"BZh", 0, "it is compressed by bzip2; decompress it first"},
    {"7z\xbc\xaf", 0, "it is a 7z archive; extract it first"},
    {"ustar", 257, "it is a tar archive; extract it first"},
    {"\x89HDF", 0, "it is an HDF5 file, as Keras writes; " EXPORT_TO_ONNX},
    {"GGUF", 0, "it is a GGUF file, which holds weights without a graph; " EXPORT_TO_ONNX},
    {"\x93NUMPY", 0, "it is a NumPy array"},
    {"\x80\x02", 0, "it is a pickle of Python, as torch.save writes; " EXPORT_TO_ONNX},
    {"\x80\x03", 0, "it is a pickle of Python; " EXPORT_TO_ONNX},
    {"\x80\x04", 0, "it is a pickle of Python; " EXPORT_TO_ONNX},
    {"\x80\x05", 0, "it is a pickle of Python; " EXPORT_TO_ONNX},
    {"{\"", 8, "it is a safetensors file, which holds weights without a graph; " EXPORT_TO_ONNX},
};
} // namespace

StringRef tenon::onnx::describeFileKind(StringRef content) {
  for (const Kind &kind : kKinds)
    if (content.substr(kind.offset).starts_with(kind.magic))
      return kind.description;
  StringRef head = content.take_front(1 << 16), text = head.ltrim();
  if (content.starts_with("PK\x03\x04"))
    return head.contains("data.pkl") ? "it is a PyTorch checkpoint; " EXPORT_TO_ONNX " (torch.onnx.export)"
                                     : "it is a ZIP archive; extract it, or " EXPORT_TO_ONNX;
  if (text.starts_with_insensitive("<!doctype html") || text.starts_with_insensitive("<html"))
    return "it is a web page; did the download end at a login or an error?";
  if (text.starts_with("<?xml") || text.starts_with("<net"))
    return "it is XML, as OpenVINO's models are; " EXPORT_TO_ONNX;
  if (text.starts_with("{") && !text.starts_with("{-#")) // which begins MLIR
    return "it is JSON";
  if (content.contains("saved_model_main_op") || content.contains("serving_default"))
    return "it is a SavedModel of TensorFlow; tf2onnx converts it to ONNX";
  if (text.starts_with("ir_version") || text.starts_with("<ir_version") || text.starts_with("<\n") ||
      text.starts_with("graph {"))
    return "it is a model in text form; the onnx package reads it and saves the binary form";
  return "";
}

//===- ModelFiles.cpp - Models as they lie on disks ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/ModelFiles.h"

#include "tenon/Compiler/BytecodeChecksum.h"
#include "tenon/Dialect/Tenon/IR/BlobFiles.h"
#include "tenon/Dialect/Tenon/IR/ConstantFile.h"
#include "tenon/Frontend/ONNX/Import.h"
#include "tenon/Support/OutputFile.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mlir;
namespace fs = llvm::sys::fs;

namespace {
enum class ModelForm { onnx, mlir, none };

/// Whether content that is no file of a known kind is MLIR's text: that of a model has control characters.
bool isText(StringRef content) {
  return llvm::none_of(content.take_front(4096),
                       [](char c) { return (unsigned char)c < 0x20 && !StringRef("\t\n\v\f\r").contains(c); });
}

ModelForm formOf(StringRef path, const llvm::MemoryBuffer &content) {
  if (path.ends_with(".mlir") || path.ends_with(".mlirbc") || isBytecode(content.getMemBufferRef()))
    return ModelForm::mlir;
  StringRef text = content.getBuffer();
  if (path.ends_with(".onnx") || !tenon::onnx::describeFileKind(text).empty() || !isText(text))
    return ModelForm::onnx;
  // The parser would show what it can't read, all of it.
  return path == "-" || text.contains("func.func") || text.contains("module") ? ModelForm::mlir : ModelForm::none;
}

/// A file that has a name, under which its constants are found again.
bool isNamedFile(StringRef path) {
  fs::file_status status;
  return path != "-" && !path.starts_with("/dev/") && !path.starts_with("/proc/") && !fs::status(path, status) &&
         fs::is_regular_file(status);
}

/// Whether a path is a device that has bytes without end, as /dev/zero has. A terminal ends where its user says so.
bool isEndless(StringRef path) {
  int file = path == "-" ? STDIN_FILENO : ::open(path.str().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat status;
  char byte;
  bool result = file >= 0 && ::fstat(file, &status) == 0 && S_ISCHR(status.st_mode) && ::isatty(file) == 0 &&
                ::read(file, &byte, 1) == 1;
  if (path != "-" && file >= 0)
    ::close(file);
  return result;
}

OwningOpRef<ModuleOp> parse(std::unique_ptr<llvm::MemoryBuffer> content, StringRef path, MLIRContext *context) {
  // The parser wants a NUL at the end, which what is read from a pipe has.
  llvm::SourceMgr sources;
  bool isNamed = isNamedFile(path);
  if (!isNamed)
    sources.AddNewSourceBuffer(std::move(content), llvm::SMLoc());
  OwningOpRef<ModuleOp> module =
      isNamed ? parseSourceFile<ModuleOp>(path, context) : parseSourceFile<ModuleOp>(sources, context);
  if (module)
    tenon::openBlobs(*module, path);
  return module;
}
} // namespace

OwningOpRef<ModuleOp> tenon::loadModel(StringRef path, MLIRContext *context, const LoadOptions &options) {
  Location location = FileLineColLoc::get(context, path == "-" ? "<stdin>" : path, 0, 0);
  fs::file_status status;
  if (path != "-" && !fs::status(path, status) && fs::is_directory(status)) {
    emitError(location) << "is a directory, not a model"
                        << (fs::exists(path + "/saved_model.pb")
                                ? " (it is a SavedModel of TensorFlow; tf2onnx converts it to ONNX)"
                                : "");
    return nullptr;
  }
  if (isEndless(path)) {
    emitError(location) << "is a device, not a model";
    return nullptr;
  }
  addInputFile(context, path == "-" ? "/dev/stdin" : path);
  auto opened = llvm::MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (std::error_code error = opened.getError()) {
    emitError(location) << "cannot read the model: " << error.message();
    return nullptr;
  }
  StringRef content = (*opened)->getBuffer();
  if (content.empty()) {
    emitError(location) << "is no model: it is empty";
    return nullptr;
  }
  onnx::ImportOptions importOptions;
  importOptions.allowExternalLinks = options.allowExternalLinks;
  switch (options.onlyONNX ? ModelForm::onnx : formOf(path, **opened)) {
  case ModelForm::mlir:
    if (llvm::Error error = checkBytecode(content)) {
      emitError(location) << llvm::toString(std::move(error));
      return nullptr;
    }
    return parse(std::move(*opened), path, context);
  case ModelForm::onnx:
    if (isNamedFile(path))
      return onnx::importONNX(path, context, importOptions);
    return onnx::importONNXBytes({content.data(), content.size()}, path == "-" ? "<stdin>" : path, "", context,
                                 importOptions);
  case ModelForm::none:
    emitError(location) << "is no model: it is neither ONNX nor MLIR";
    return nullptr;
  }
  llvm_unreachable("all forms are handled");
}

namespace {
class FileStream : public llvm::raw_ostream {
public:
  explicit FileStream(tenon::OutputFile &file) : file(file) {}
  ~FileStream() override { flush(); }

private:
  void write_impl(const char *data, size_t size) override { file.append(data, size); }
  uint64_t current_pos() const override { return file.size(); }

  tenon::OutputFile &file;
};

/// Writes a text, and lets `constants` appear with it.
llvm::Error writeWith(MLIRContext *context, StringRef path, tenon::ConstantFile &constants,
                      llvm::function_ref<llvm::Error(llvm::raw_ostream &)> print) {
  // The tool looks at the end whether the standard output took all.
  if (path == "-")
    return print(llvm::outs());
  if (llvm::Error error = tenon::checkOutputFile(context, path))
    return error;
  tenon::OutputFile file(path.str());
  if (!file.error().empty())
    return llvm::createStringError(file.error());
  {
    FileStream stream(file);
    if (llvm::Error error = print(stream))
      return error;
  }
  if (file.error().empty())
    if (llvm::Error error = constants.keep())
      return error;
  return file.keep() ? llvm::Error::success() : llvm::createStringError(file.error());
}
} // namespace

llvm::Error tenon::writeText(MLIRContext *context, StringRef path,
                             llvm::function_ref<void(llvm::raw_ostream &)> print) {
  ConstantFile none("", context);
  return writeWith(context, path, none, [&](llvm::raw_ostream &out) -> llvm::Error {
    print(out);
    return llvm::Error::success();
  });
}

llvm::Error tenon::writeModel(ModuleOp module, StringRef path, OpPrintingFlags flags) {
  ConstantFile constants(path.str() + ".constants", module.getContext());
  return writeWith(module.getContext(), path, constants, [&](llvm::raw_ostream &out) -> llvm::Error {
    if (llvm::Error error = closeBlobs(module, path, constants))
      return error;
    module->print(out, flags);
    out << "\n";
    return llvm::Error::success();
  });
}

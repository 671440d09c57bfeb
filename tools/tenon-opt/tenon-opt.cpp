//===- tenon-opt.cpp - Runs passes on IR of any level ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckSemanticsOptions.h"
#include "tenon/Compiler/BytecodeChecksum.h"
#include "tenon/Compiler/Diagnostics.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Compiler/Tool.h"
#include "tenon/Dialect/Tenon/IR/BlobFiles.h"
#include "tenon/Dialect/Tenon/IR/ConstantFile.h"
#include "tenon/Support/OutputFile.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;

namespace {
/// Before the first pass, names the files of constants as passes can open them. Not a pass itself: a pipeline that is
/// given as text takes the place of all that were there.
class BlobOpening : public PassInstrumentation {
public:
  explicit BlobOpening(std::string moduleFile) : moduleFile(std::move(moduleFile)) {}

  void runBeforePass(Pass *, Operation *op) override {
    if (!op->getParentOp() && !std::exchange(isDone, true))
      tenon::openBlobs(op, moduleFile);
  }

private:
  std::string moduleFile;
  bool isDone = false;
};

/// After the last one, names them as the reader of the output finds them.
class BlobClosing : public PassWrapper<BlobClosing, OperationPass<>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BlobClosing)
  explicit BlobClosing(std::string output) : output(std::move(output)) {}

  StringRef getArgument() const override { return "close-blobs"; }
  void runOnOperation() override {
    // Who reads a stream is expected to run here.
    if (output == "-")
      return;
    tenon::ConstantFile constants(output + ".constants", &getContext());
    llvm::Error error = tenon::closeBlobs(getOperation(), output, constants);
    if (!error)
      error = constants.keep();
    if (error) {
      emitError(getOperation()->getLoc()) << llvm::toString(std::move(error));
      signalPassFailure();
    }
  }

private:
  std::string output;
};

/// Lets diagnostics of models look as those of tenon-compile do, and others go on to MLIR's printer, escaped. That one
/// is registered before any dialect but `builtin` is loaded, and who comes last is asked first.
class ReadableDiagnostics : public DialectExtensionBase {
public:
  ReadableDiagnostics() : DialectExtensionBase({}) {}

  void apply(MLIRContext *context, MutableArrayRef<Dialect *>) const override {
    MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
    // Expected ones are compared as they are.
    if (config.shouldVerifyDiagnostics())
      return;
    VerbosityLevel level = config.getDiagnosticVerbosityLevel();
    context->getDiagEngine().registerHandler([level](Diagnostic &diagnostic) {
      bool isShown =
          diagnostic.getSeverity() == DiagnosticSeverity::Error ||
          (diagnostic.getSeverity() == DiagnosticSeverity::Remark ? level == VerbosityLevel::ErrorsWarningsAndRemarks
                                                                  : level != VerbosityLevel::ErrorsOnly);
      if (!isShown || !tenon::printOfModel(diagnostic, llvm::errs())) {
        escape(diagnostic);
        return failure();
      }
      for (Diagnostic &note : diagnostic.getNotes())
        if (showsOperation(note) || !tenon::printOfModel(note, llvm::errs()))
          llvm::errs() << note << "\n";
      return success();
    });
  }

  std::unique_ptr<DialectExtensionBase> clone() const override { return std::make_unique<ReadableDiagnostics>(); }

private:
  /// MLIR's note of an op is IR, in which names are escaped already.
  static bool showsOperation(const Diagnostic &note) {
    return StringRef(note.str()).starts_with("see current operation: ");
  }

  static void escape(Diagnostic &diagnostic) {
    Diagnostic escaped(diagnostic.getLocation(), diagnostic.getSeverity());
    escaped << (showsOperation(diagnostic) ? diagnostic.str() : tenon::escapeText(diagnostic.str()));
    for (Diagnostic &note : diagnostic.getNotes()) {
      escape(note);
      escaped.attachNote(note.getLocation()) << note.str();
    }
    diagnostic = std::move(escaped);
  }
};

/// Text of IR, or what is wrong with it.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readInput(StringRef path) {
  llvm::sys::fs::file_status status;
  if (path != "-" && !llvm::sys::fs::status(path, status) && llvm::sys::fs::is_directory(status))
    return llvm::createStringError("'" + path + "' is a directory");
  auto opened = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (std::error_code error = opened.getError())
    return llvm::createStringError("cannot read '" + path + "': " + error.message());
  StringRef text = (*opened)->getBuffer();
  // Text has no control characters at its beginning, bytecode begins with letters.
  if (text.starts_with("\x08"))
    return llvm::createStringError("'" + path +
                                   "' is no IR, but may be an ONNX model: tenon-translate --import-onnx "
                                   "makes IR of it");
  if (llvm::Error error = tenon::checkBytecode(text))
    return llvm::createStringError("'" + path + "' " + llvm::toString(std::move(error)));
  // Lines are shown as they are.
  auto isControl = [](unsigned char c) { return (c < 0x20 && !StringRef("\t\n\v\f\r").contains(c)) || c == 0x7f; };
  if (const char *found = llvm::find_if(text, isControl);
      !isBytecode((*opened)->getMemBufferRef()) && found != text.end())
    return llvm::createStringError("'" + path + "' is no IR: line " +
                                   std::to_string(text.take_until(isControl).count('\n') + 1) +
                                   " has the control character " + tenon::escapeText(StringRef(found, 1)) +
                                   ", which text writes as \\" + llvm::utohexstr((unsigned char)*found, false, 2));
  return std::move(*opened);
}
} // namespace

int main(int argc, char **argv) {
  tenon::Tool tool(argc, argv, "tenon-opt");
  DialectRegistry registry;
  tenon::registerUpstreamDialects(registry);
  tenon::registerDialects(registry);
  registry.addExtension(TypeID::get<ReadableDiagnostics>(), std::make_unique<ReadableDiagnostics>());
  tenon::registerUpstreamPasses();
  tenon::registerPasses();
  auto [input, output] =
      registerAndParseCLIOptions(argc, argv, "tenon-opt: run Tenon's and MLIR's passes on IR of any level\n", registry);
  if (llvm::Error error = tool.checkOptions())
    return tool.fail(llvm::toString(std::move(error)));
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects()) {
    llvm::outs() << "Available Dialects: " << llvm::join(registry.getDialectNames(), ",") << "\n";
    return 0;
  }
  if (config.shouldListPasses()) {
    printRegisteredPasses();
    return 0;
  }

  auto content = readInput(input);
  if (!content)
    return tool.fail(llvm::toString(content.takeError()));
  bool isFile = output != "-";
  if (isFile && input != "-" && llvm::sys::fs::equivalent(input, output))
    return tool.fail("the output would overwrite '" + output + "', which is the input");
  llvm::Expected<std::optional<tenon::reference::SemanticsOptions>> semantics = tenon::semanticsOptions();
  if (!semantics)
    return tool.fail(llvm::toString(semantics.takeError()));
  // Constants in files are named relative to the module's own; passes see names that can be opened.
  bool hasBlobs = (*content)->getBuffer().contains("tenon.blob");
  if (hasBlobs || *semantics) {
    MlirOptMainConfig given = config;
    config.setPassPipelineSetupFn(
        [=, semantics = *semantics, input = input, output = output](PassManager &passes) -> LogicalResult {
          if (hasBlobs)
            passes.addInstrumentation(std::make_unique<BlobOpening>(input));
          if (failed(given.setupPassPipeline(passes)))
            return failure();
          if (semantics)
            tenon::reference::checkSemantics(passes, *semantics);
          if (hasBlobs)
            passes.addPass(std::make_unique<BlobClosing>(output));
          return success();
        });
  }
  if (!isFile && !config.shouldEmitBytecode())
    return asMainReturnCode(MlirOptMain(llvm::outs(), std::move(*content), registry, config));
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (failed(MlirOptMain(stream, std::move(*content), registry, config)))
    return 1;
  tenon::sealBytecode(text);
  if (!isFile) {
    llvm::outs() << text;
    return 0;
  }
  tenon::OutputFile file(output);
  return file.append(text.data(), text.size()) && file.keep() ? 0 : tool.fail(file.error());
}

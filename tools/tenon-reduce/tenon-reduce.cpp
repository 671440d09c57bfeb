//===- tenon-reduce.cpp - Makes a model small that shows something ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Diagnostics.h"
#include "tenon/Compiler/ModelFiles.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Compiler/Tool.h"
#include "tenon/Reduce/ReduceModule.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace mlir;
namespace cl = llvm::cl;

namespace {
cl::OptionCategory category("Options");
cl::opt<std::string> input(cl::Positional, cl::desc("<model.onnx, .mlir or .mlirbc>"), cl::init("-"),
                           cl::cat(category));
cl::opt<std::string> output("o", cl::desc("Where to write; the default, '-', is the standard output"),
                            cl::value_desc("FILE"), cl::init("-"), cl::cat(category));
cl::opt<std::string> script("test",
                            cl::desc("The program that is given each candidate, as the last argument: a file in a "
                                     "directory of its own. Exit status 1 means that it is interesting"),
                            cl::value_desc("PROGRAM"), cl::Required, cl::cat(category));
cl::list<std::string> scriptArguments("test-arg", cl::desc("An argument before it; may be repeated"),
                                      cl::value_desc("ARG"), cl::cat(category));
cl::opt<unsigned> timeout("timeout",
                          cl::desc("Seconds after which a candidate is not interesting (default 60); 0 for no limit"),
                          cl::value_desc("N"), cl::init(60), cl::cat(category));
cl::opt<bool> allowExternalLinks("allow-external-links",
                                 cl::desc("Follow links of the model's external data out of its directory: for "
                                          "models that can be trusted"),
                                 cl::cat(category));

/// A directory that goes with it.
class TemporaryDirectory {
public:
  TemporaryDirectory() { error = llvm::sys::fs::createUniqueDirectory("tenon-reduce", path); }
  ~TemporaryDirectory() {
    if (!error)
      llvm::sys::fs::remove_directories(path);
  }

  std::error_code error;
  llvm::SmallString<128> path;
};

/// Writes a candidate and asks the script; an error where that can't be run.
llvm::Expected<bool> ask(StringRef program, StringRef file, ModuleOp candidate) {
  // Names of constants in files become relative to the file that they are written to.
  OwningOpRef<ModuleOp> written = candidate.clone();
  OpPrintingFlags flags;
  flags.printNameLocAsPrefix();
  if (llvm::Error error = tenon::writeModel(*written, file, flags))
    return error;
  SmallVector<StringRef> arguments = {program};
  arguments.append(scriptArguments.begin(), scriptArguments.end());
  arguments.push_back(file);
  std::string error;
  std::optional<StringRef> nowhere[] = {StringRef(), StringRef(), StringRef()};
  int status =
      llvm::sys::ExecuteAndWait(program, arguments, /*Env=*/std::nullopt, nowhere, timeout, /*MemoryLimit=*/0, &error);
  if (status == -1)
    return llvm::createStringError("can't run '" + program + "': " + error);
  return status == 1;
}

int reduce(const tenon::Tool &tool) {
  if (llvm::Error error = tool.checkOptions())
    return tool.fail(llvm::toString(std::move(error)));
  llvm::ErrorOr<std::string> program = llvm::sys::findProgramByName(script);
  if (!program || !llvm::sys::fs::can_execute(*program))
    return tool.fail("there is no program '" + script + "'");
  DialectRegistry registry;
  tenon::registerUpstreamDialects(registry);
  tenon::registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  tenon::DiagnosticPrinter printer(&context, llvm::errs());
  tenon::LoadOptions options;
  options.allowExternalLinks = allowExternalLinks;
  OwningOpRef<ModuleOp> module = tenon::loadModel(input, &context, options);
  if (!module)
    return 1;
  TemporaryDirectory directory;
  if (directory.error)
    return tool.fail("can't make a temporary directory: " + directory.error.message());
  llvm::SmallString<128> file = directory.path;
  llvm::sys::path::append(file, "candidate.mlir");
  std::string failure;
  auto report = tenon::reduceModule(module, [&](ModuleOp candidate) {
    llvm::Expected<bool> isInteresting = ask(*program, file, candidate);
    if (!isInteresting)
      failure = llvm::toString(isInteresting.takeError());
    return isInteresting && *isInteresting;
  });
  if (!failure.empty()) {
    llvm::consumeError(report.takeError());
    return tool.fail(failure);
  }
  if (!report)
    return tool.fail(llvm::toString(report.takeError()) + ": '" + script + "' doesn't exit with status 1");
  OpPrintingFlags flags;
  flags.printNameLocAsPrefix();
  if (llvm::Error error = tenon::writeModel(*module, output, flags))
    return tool.fail(llvm::toString(std::move(error)));
  llvm::errs() << "tenon-reduce: " << report->opsBefore << " ops became " << report->opsAfter << " in " << report->tests
               << " tests\n";
  return 0;
}
} // namespace

int main(int argc, char **argv) {
  tenon::Tool tool(argc, argv, "tenon-reduce");
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv,
                              "make a model small that shows something\n\n"
                              "  tenon-reduce model.onnx --test=./is-wrong.sh -o small.mlir\n\n"
                              "takes away nodes, results, inputs, sizes and attributes as long as the program given "
                              "as --test\nends with exit status 1. The result is IR of the model's level, which "
                              "tenon-compile takes.\n");
  return reduce(tool);
}

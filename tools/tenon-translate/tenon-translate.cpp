//===- tenon-translate.cpp - Between model files and IR ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Registration.h"
#include "tenon/Frontend/ONNX/Import.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace {
cl::OptionCategory category("Options");
cl::opt<bool> importONNX("import-onnx",
                         cl::desc("Read an ONNX model, write a module of the tenon_onnx dialect"),
                         cl::cat(category));
cl::opt<std::string> input(cl::Positional, cl::desc("<model>"), cl::cat(category));
cl::opt<std::string>
    output("o",
           cl::desc("Where to write; the default, '-', is the standard output. Constants above 1 kB "
                    "stay in the model's files, to which the output refers; those that need a new "
                    "place go to FILE.constants, or into the output if that is '-'"),
           cl::value_desc("FILE"), cl::init("-"), cl::cat(category));
cl::opt<bool> printLocations("locations",
                             cl::desc("Write each operation's location too, which has the node's name"),
                             cl::cat(category));

int fail(const Twine &message) {
  WithColor::error(errs(), "tenon-translate") << message << "\n";
  return 1;
}

int translate() {
  if (!importONNX)
    return fail("nothing to do: give --import-onnx (see --help)");
  if (input.empty())
    return fail("no model given (see --help)");
  mlir::DialectRegistry registry;
  tenon::registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  tenon::onnx::ImportOptions options;
  options.inlineConstants = output == "-";
  options.constantsFile = output + ".constants";
  bool hadConstants = sys::fs::exists(options.constantsFile);
  mlir::OwningOpRef<mlir::ModuleOp> module = tenon::onnx::importONNX(input, &context, options);
  if (!module)
    return 1;
  mlir::OpPrintingFlags flags;
  if (printLocations)
    flags.enableDebugInfo();
  // Through a temporary file, so that a full disk leaves nothing half written.
  Error error = writeToOutput(output, [&](raw_ostream &stream) {
    module->print(stream, flags);
    stream << "\n";
    return Error::success();
  });
  if (!error)
    return 0;
  // Without the output they serve nothing.
  if (!hadConstants)
    sys::fs::remove(options.constantsFile);
  return fail("cannot write '" + output + "': " + toString(std::move(error)));
}
} // namespace

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "translate models to IR\n\n"
      "  tenon-translate --import-onnx model.onnx -o model.mlir\n\n"
      "writes the model as it is, node by node. A model that is malformed is one error that "
      "names\nthe node, exit status 1, and no output. tenon-opt goes on from there.\n");
  return translate();
}

//===- tenon-translate.cpp - Between model files and IR ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Diagnostics.h"
#include "tenon/Compiler/ModelFiles.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Compiler/Tool.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace {
cl::OptionCategory category("Options");
cl::opt<bool> importONNX("import-onnx", cl::desc("Read an ONNX model, write a module of the tenon_onnx dialect"),
                         cl::cat(category));
cl::opt<std::string> input(cl::Positional, cl::desc("<model, - for standard input>"), cl::cat(category));
cl::opt<std::string> output("o",
                            cl::desc("Where to write; the default, '-', is the standard output. Constants above 1 kB "
                                     "stay in the model's files, to which the output refers; those that need a new "
                                     "place go to FILE.constants, or into the output if that is '-'"),
                            cl::value_desc("FILE"), cl::init("-"), cl::cat(category));
cl::opt<bool> allowExternalLinks("allow-external-links",
                                 cl::desc("Follow links of the model's external data out of its directory: for "
                                          "models that can be trusted"),
                                 cl::cat(category));
cl::opt<bool> printLocations("locations", cl::desc("Write each operation's location too, which has the node's name"),
                             cl::cat(category));

int translate(const tenon::Tool &tool) {
  if (Error error = tool.checkOptions())
    return tool.fail(toString(std::move(error)));
  if (!importONNX)
    return tool.fail("nothing to do: give --import-onnx (see --help)");
  if (input.empty())
    return tool.fail("no model given (see --help)");
  mlir::DialectRegistry registry;
  tenon::registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  tenon::DiagnosticPrinter printer(&context, errs());
  tenon::LoadOptions options;
  options.allowExternalLinks = allowExternalLinks;
  options.onlyONNX = true;
  mlir::OwningOpRef<mlir::ModuleOp> module = tenon::loadModel(input, &context, options);
  if (!module)
    return 1;
  mlir::OpPrintingFlags flags;
  flags.printNameLocAsPrefix();
  if (printLocations)
    flags.enableDebugInfo();
  if (Error error = tenon::writeModel(*module, output, flags))
    return tool.fail(toString(std::move(error)));
  return 0;
}
} // namespace

int main(int argc, char **argv) {
  tenon::Tool tool(argc, argv, "tenon-translate");
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv,
                              "translate models to IR\n\n"
                              "  tenon-translate --import-onnx model.onnx -o model.mlir\n\n"
                              "writes the model as it is, node by node. A model that is malformed is one error that "
                              "names\nthe node, exit status 1, and no output. tenon-opt goes on from there.\n");
  return translate(tool);
}

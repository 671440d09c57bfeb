//===- tenon-interpret.cpp - Runs a model in the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Runs the function `main` (or the only one) of a file of `tenon` ops, or of a program that launches kernels, on inputs
// from npy and npz files, writes or compares its results. With `--check`, runs every function without arguments and
// compares its results in pairs, and every tile program with the kernel that it computes.
//
//===----------------------------------------------------------------------===//

#include "NpzTensors.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/PassManager.h"
#include "tenon/Compiler/Diagnostics.h"
#include "tenon/Compiler/ModelFiles.h"
#include "tenon/Compiler/Pipelines.h"
#include "tenon/Compiler/Tool.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/ONNX/IR/ONNXOps.h"
#include "tenon/Dialect/Tenon/IR/BlobFiles.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"
#include "tenon/Reference/Comparison.h"
#include "tenon/Reference/HostPrograms.h"
#include "tenon/Reference/Interpreter.h"
#include "tenon/Reference/Programs.h"
#include "llvm/Support/CommandLine.h"
#include <chrono>

using namespace mlir;
using namespace tenon::reference;
using RuntimeValue = tenon::reference::Value;

namespace {
namespace cl = llvm::cl;
cl::OptionCategory category("Options of tenon-interpret");
cl::opt<std::string> model(cl::Positional, cl::desc("<model.onnx, .mlir or .mlirbc, - for standard input>"),
                           cl::init("-"), cl::cat(category));
cl::list<std::string> inputs("inputs", cl::desc("inputs by name; may be repeated"),
                             cl::value_desc("FILE.npz | NAME=FILE.npy"), cl::cat(category));
cl::opt<std::string> outputs("outputs", cl::desc("write the results"), cl::value_desc("FILE.npz"), cl::cat(category));
cl::opt<std::string> expect("expect", cl::desc("compare the results; exit code 1 if one differs"),
                            cl::value_desc("FILE.npz"), cl::cat(category));
cl::opt<double> tolerance("tolerance", cl::desc("allowed difference, relative above 1 (default 1e-4)"),
                          cl::value_desc("T"), cl::init(1e-4), cl::cat(category));
cl::opt<std::string> functionName("function", cl::desc("the function to run (default main, or the only one)"),
                                  cl::value_desc("NAME"), cl::init("main"), cl::cat(category));
cl::opt<bool>
    check("check", cl::cat(category),
          cl::desc("run each function without arguments and compare its results in pairs: 0 with 1, 2 with "
                   "3, ..., within its attribute tenon.tolerance (default 0); with the attribute "
                   "tenon.error, it must fail with these words. Programs run on random operands, at the sizes of their "
                   "attribute tenon.sizes or around their steps, and are compared with their kernels"));
cl::list<std::string> sizes("size", cl::cat(category), cl::value_desc("NAME=N"),
                            cl::desc("a size of inputs that is fixed, by the name of its symbol; may be repeated"));
cl::opt<bool> allowExternalLinks("allow-external-links", cl::cat(category),
                                 cl::desc("follow links of the model's external data out of its directory: for models "
                                          "that can be trusted"));
cl::opt<bool> showTime("time", cl::desc("print the seconds of a run"), cl::cat(category));
} // namespace

static int fail(const llvm::Twine &message) {
  llvm::errs() << "tenon-interpret: " << tenon::escapeText(message.str()) << "\n";
  return 1;
}

/// Runs a function without arguments and compares its results in pairs; `tenon.tolerance` is for its floating point.
static llvm::Error checkFunction(func::FuncOp function) {
  llvm::Expected<std::vector<RuntimeValue>> results = runProgram(function, {});
  if (!results)
    return results.takeError();
  auto allowed = function->getAttrOfType<FloatAttr>("tenon.tolerance");
  for (size_t i = 0; i + 1 < results->size(); i += 2)
    if (auto difference = findDifference((*results)[i], (*results)[i + 1], allowed ? allowed.getValueAsDouble() : 0))
      return llvm::createStringError("result " + std::to_string(i) + " " + *difference);
  return results->size() % 2 == 0 ? llvm::Error::success() : llvm::createStringError("has an odd number of results");
}

/// Runs every function without arguments but plans, and every tile program, or with `tenon.error` fails with these
/// words.
static int checkModule(ModuleOp module) {
  int failures = 0, count = 0;
  auto check = [&](SymbolOpInterface symbol, llvm::Error outcome) {
    ++count;
    std::string error = llvm::toString(std::move(outcome)), text = error.empty() ? "ok" : error;
    if (auto expected = symbol->getAttrOfType<StringAttr>("tenon.error")) {
      if (error.empty())
        text = "ends well, but expected the error '" + expected.str() + "'";
      else if (StringRef(error).contains(expected.getValue()))
        text = "ok";
    }
    llvm::outs() << symbol.getName() << ": " << text << "\n";
    failures += text != "ok";
  };
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal() && function.getNumArguments() == 0 && !function->hasAttr(tenon::host::kPlanAttr))
      check(function, checkFunction(function));
  module.walk([&](tenon::tile::ProgramOp program) { check(program, checkProgram(program)); });
  return count == 0 ? fail("there is no function without arguments, and no tile program") : failures != 0;
}

/// The arguments of a function, by name.
static llvm::Expected<std::vector<RuntimeValue>> readInputs(func::FuncOp function) {
  llvm::StringMap<tenon::npz::Array> arrays;
  if (llvm::Error error = tenon::readArrays(inputs, arrays))
    return error;
  std::vector<RuntimeValue> values;
  for (const auto &[name, type] : inputsOf(function)) {
    auto found = arrays.find(name);
    auto ranked = dyn_cast<RankedTensorType>(type);
    if (found == arrays.end())
      return llvm::createStringError("there is no input '" + name + "'");
    if (!ranked)
      return llvm::createStringError("input '" + name + "' is no tensor: only tensors can be read from files");
    llvm::Expected<Tensor> tensor = tenon::toTensor(found->second, ranked.getElementType());
    if (!tensor)
      return llvm::createStringError("input '" + name + "' " + llvm::toString(tensor.takeError()));
    values.push_back(std::move(*tensor));
    arrays.erase(found);
  }
  if (!arrays.empty())
    return llvm::createStringError("the model has no input '" + arrays.begin()->getKey().str() + "'");
  return values;
}

/// Compares results by name with those in a file; prints a line for each.
static int compareResults(func::FuncOp function, ArrayRef<RuntimeValue> results) {
  tenon::npz::Archive archive;
  std::string error;
  if (!tenon::npz::readNpz(expect, archive, error))
    return fail("can't read '" + expect + "': " + error);
  int failures = 0;
  for (auto [declared, value] : llvm::zip_equal(resultsOf(function), results)) {
    std::string name = declared.name, text = "ok";
    auto found = llvm::find_if(archive, [&](const auto &entry) { return entry.first == name; });
    if (found == archive.end()) {
      text = "is not in '" + expect + "'";
    } else {
      llvm::Expected<Tensor> tensor = tenon::toTensor(found->second, std::get<Tensor>(value).getElementType());
      if (!tensor)
        text = llvm::toString(tensor.takeError());
      else if (auto difference = findDifference(value, RuntimeValue(*tensor), tolerance))
        text = *difference;
    }
    llvm::outs() << tenon::escapeText(name) << ": " << tenon::escapeText(text) << "\n";
    failures += text != "ok";
  }
  return failures != 0;
}

static int runModel(func::FuncOp function) {
  llvm::Expected<std::vector<RuntimeValue>> arguments = readInputs(function);
  if (!arguments)
    return fail(llvm::toString(arguments.takeError()));
  auto start = std::chrono::steady_clock::now();
  llvm::Expected<std::vector<RuntimeValue>> results = runProgram(function, *arguments);
  if (!results)
    return fail(llvm::toString(results.takeError()));
  if (showTime)
    llvm::errs() << "run: " << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()
                 << " s\n";
  tenon::npz::Archive archive;
  for (auto [declared, value] : llvm::zip_equal(resultsOf(function), *results)) {
    const std::string &name = declared.name;
    const Tensor *tensor = std::get_if<Tensor>(&value);
    if (!tensor)
      return fail("result '" + name + "' is no tensor: only tensors can be written to files");
    if (!outputs.empty())
      archive.emplace_back(name, tenon::toArray(*tensor));
    if (outputs.empty() && expect.empty())
      llvm::outs() << tenon::escapeText(name) << ": " << tensor->describe() << "\n";
  }
  if (llvm::Error error = tenon::checkOutputFile(function.getContext(), outputs))
    return fail(llvm::toString(std::move(error)));
  std::string error;
  if (!outputs.empty() && !tenon::npz::writeNpz(outputs, archive, error))
    return fail("can't write '" + outputs + "': " + error);
  return expect.empty() ? 0 : compareResults(function, *results);
}

/// A model as it was imported becomes a graph, others stay.
static LogicalResult convertToGraph(ModuleOp module, const tenon::NamedSizes &fixed) {
  PassManager passes(module.getContext());
  tenon::buildConversionPipeline(passes, fixed);
  return passes.run(module);
}

int main(int argc, char **argv) {
  tenon::Tool tool(argc, argv, "tenon-interpret");
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "the reference interpreter of Tenon\n\n"
      "Runs an ONNX model, or one at the levels of graph or kernels as tenon-compile --emit=graph and\n"
      "--emit=kernels write it. Inputs and results are named by the attributes tenon.name of the function's\n"
      "arguments and results, or by the storages of a program whose buffers are placed.\n");
  if (llvm::Error error = tool.checkOptions())
    return fail(llvm::toString(std::move(error)));
  DialectRegistry registry;
  registry.insert<tenon::TenonDialect, tenon::host::HostDialect, tenon::onnx::ONNXDialect, tenon::tile::TileDialect,
                  func::FuncDialect, arith::ArithDialect, affine::AffineDialect, memref::MemRefDialect, scf::SCFDialect,
                  tensor::TensorDialect>();
  MLIRContext context(registry);
  context.printOpOnDiagnostic(false);
  tenon::DiagnosticPrinter printer(&context, llvm::errs());
  tenon::LoadOptions options;
  options.allowExternalLinks = allowExternalLinks;
  OwningOpRef<ModuleOp> module = tenon::loadModel(model, &context, options);
  auto fixed = tenon::parseNamedSizes(SmallVector<std::string>(sizes.begin(), sizes.end()));
  if (!fixed)
    return fail(llvm::toString(fixed.takeError()));
  if (!module || failed(convertToGraph(*module, *fixed)))
    return 1;
  if (check)
    return checkModule(*module);
  auto functions = module->getOps<func::FuncOp>();
  auto function = module->lookupSymbol<func::FuncOp>(functionName);
  if (!function && llvm::hasSingleElement(functions))
    function = *functions.begin();
  if (!function)
    return fail("there is no function '" + functionName + "'");
  return runModel(function);
}

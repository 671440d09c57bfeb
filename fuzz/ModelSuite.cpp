//===- ModelSuite.cpp - Mutants of ONNX models through the compiler ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Seeds are small models, such as the standard's tests of its nodes, which fuzz/node_models.py writes.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"
#include "WireMutator.h"
#include "tenon/Compiler/Compiler.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Compiler/Targets.h"
#include "tenon/Frontend/ONNX/Import.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tenon::fuzz;

namespace tenon::fuzz {
namespace {
class ModelSuite : public Suite {
public:
  ModelSuite() : context(MLIRContext::Threading::DISABLED) {
    DialectRegistry registry;
    tenon::registerUpstreamDialects(registry);
    tenon::registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.printOpOnDiagnostic(false);
  }

  std::string name() const override { return "models"; }
  std::string suffix() const override { return ".onnx"; }

  bool load(const std::vector<std::string> &paths) override {
    for (const std::string &path : findFiles(paths, ".onnx"))
      if (std::string bytes = readFile(path); bytes.size() < (1 << 20))
        seeds.push_back(std::move(bytes));
    return !seeds.empty();
  }

  Input make(Random &random) override {
    std::string model = seeds[random() % seeds.size()];
    for (unsigned round = 1 + random() % 3; round != 0; --round)
      model = tenon::mutateMessage(model, random, seeds[random() % seeds.size()]);
    // Most are refused or broken by what reads and converts, which takes a tenth of compiling: a sample goes on.
    unsigned sample = random() % 64;
    const char *end = sample < 16   ? "import"
                      : sample < 60 ? "graph"
                      : sample < 62 ? "loops"
                      : sample < 63 ? "llvm"
                                    : "artifact";
    return {model, std::string("--emit=") + end};
  }

  Outcome run(const Input &input) override {
    bool hasSpoken = false;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      hasSpoken |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
      return failure();
    });
    auto refused = [&] { return hasSpoken ? Outcome::refused : Outcome::silent; };
    tenon::onnx::ImportOptions importOptions;
    importOptions.inlineConstants = true;
    OwningOpRef<ModuleOp> module = tenon::onnx::importONNXBytes(ArrayRef(input.bytes.data(), input.bytes.size()),
                                                                "mutant.onnx", "/nowhere", &context, importOptions);
    if (!module)
      return refused();
    tenon::CompileOptions options;
    auto targets = tenon::resolveTargets(&context, "avx2");
    options.targets = std::move(*targets);
    options.runtimeLibrary = "/dev/null";
    options.modelName = "mutant";
    bool isArtifact = input.command == "--emit=artifact";
    options.emit = llvm::StringSwitch<tenon::Emit>(input.command)
                       .Case("--emit=import", tenon::Emit::import)
                       .Case("--emit=graph", tenon::Emit::graph)
                       .Case("--emit=loops", tenon::Emit::loops)
                       .Case("--emit=llvm", tenon::Emit::llvm)
                       .Default(tenon::Emit::artifact);
    tenon::CompileReport report;
    std::string output = isArtifact ? std::string(getenv("TMPDIR")) + "/mutant.so" : "-";
    return failed(tenon::compile(*module, options, output, report)) ? refused() : Outcome::accepted;
  }

private:
  MLIRContext context;
  std::vector<std::string> seeds;
};
} // namespace
} // namespace tenon::fuzz

std::unique_ptr<Suite> tenon::fuzz::makeModelSuite() { return std::make_unique<ModelSuite>(); }

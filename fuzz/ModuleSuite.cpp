//===- ModuleSuite.cpp - Mutants of IR through passes and pipelines ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Seeds are the programs of lit tests. A mutant meets a pass of Tenon alone, some of them in any order, a pipeline of a
// test, the staircase of levels, the compiler as a whole, or the reference interpreter.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"
#include "ModuleMutator.h"
#include "WireMutator.h"
#include "tenon/Compiler/Compiler.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Reference/Interpreter.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;
using namespace tenon::fuzz;

namespace tenon::fuzz {
namespace {
/// What passes of Tenon are, each where it is at home.
constexpr const char *kPasses[] = {
    "convert-onnx-to-tenon",
    "tenon-fold-constants",
    "func.func(tenon-simplify-graph)",
    "tenon-simplify-graph",
    "func.func(tenon-infer-sizes)",
    "tenon-recognize-composites",
    "tenon-decompose-composites",
    "func.func(tenon-assign-layouts)",
    "func.func(tenon-assign-layouts{to-last=100 to-first=100})",
    "func.func(tenon-lower-convolutions)",
    "func.func(tenon-count-nonzero)",
    "func.func(tenon-check-sizes)",
    "func.func(tenon-pack-contractions)",
    "func.func(tenon-assign-views)",
    "tenon-form-kernels",
    "tenon-generalize-sizes",
    "func.func(tenon-assign-aliases)",
    "func.func(tenon-place-buffers)",
    "func.func(tenon-form-host-calls)",
    "tenon-assign-devices{rules=gpu}",
    "func.func(tenon-insert-tokens)",
    "tenon-form-variants{targets=avx2}",
    "tenon-form-variants{targets=avx512,avx2}",
    "tenon_tile.variants(tenon_tile.variant(tenon-select-schedules))",
    "tenon_tile.variants(tenon_tile.variant(tenon-lower-kernels))",
    "func.func(tenon-expand-microkernels)",
    "func.func(tenon-expand-reports)",
    "tenon-convert-math",
    "tenon-convert-narrow-floats",
    "tenon-convert-narrow-masks",
    "tenon-form-kernel-entries",
    "tenon-lower-to-llvm",
    "tenon-convert-host-to-llvm",
    "canonicalize",
    "cse",
};

/// CPU time of an interpreted program.
constexpr rlim_t kInterpretSeconds = 3;
/// Instead of passes: what a program computes, as the reference interpreter says.
constexpr const char *kInterpret = "--interpret";

constexpr const char *kLevels[] = {"tenon-graph", "tenon-kernels", "tenon-variants{targets=avx2,avx512}", "tenon-loops"};

/// A module, or null after a diagnostic. The parser wants an end behind the text.
OwningOpRef<ModuleOp> parse(const std::string &bytes, MLIRContext *context) {
  return parseSourceString<ModuleOp>(StringRef(bytes), context);
}

std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, OpPrintingFlags().printGenericOpForm().assumeVerified());
  return text + "\n";
}

class ModuleSuite : public Suite {
public:
  ModuleSuite() : context(MLIRContext::Threading::DISABLED) {
    tenon::registerPasses();
    tenon::registerUpstreamPasses();
    DialectRegistry registry;
    tenon::registerUpstreamDialects(registry);
    tenon::registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.printOpOnDiagnostic(false);
  }

  std::string name() const override { return "modules"; }
  std::string suffix() const override { return ".mlir"; }

  bool load(const std::vector<std::string> &paths) override {
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    for (const std::string &path : findFiles(paths, ".mlir")) {
      std::string text = readFile(path);
      for (StringRef rest = text; !rest.empty();) {
        auto [before, after] = rest.split("pass-pipeline=");
        if (after.size() > 1 && (after[0] == '\'' || after[0] == '"')) {
          StringRef pipeline = after.drop_front().split(after[0]).first;
          if (!pipeline.contains('%'))
            pipelines.push_back(pipeline.str());
        }
        rest = after;
      }
      SmallVector<StringRef> parts;
      StringRef(text).split(parts, "// -----");
      for (StringRef part : parts) {
        texts.push_back(part.str());
        if (OwningOpRef<ModuleOp> module = parse(texts.back(), &context)) {
          mutator.learn(*module);
          modules.push_back(std::move(module));
        }
      }
    }
    return !modules.empty();
  }

  Input make(Random &random) override {
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    std::string command = chooseCommand(random);
    if (random() % 8 == 0) {
      std::string text = random() % 2 ? texts[random() % texts.size()] : print(*modules[random() % modules.size()]);
      for (unsigned round = 1 + random() % 2; round != 0; --round)
        text = mutator.mutateText(text, random);
      return {text, command};
    }
    // Mutations that leave nothing that verifies are forgotten, but were tried.
    OwningOpRef<ModuleOp> current(modules[random() % modules.size()]->clone());
    unsigned wanted = 1 + random() % 3, found = 0;
    std::string text;
    for (unsigned attempt = 0; attempt < 16 && found < wanted; ++attempt) {
      OwningOpRef<ModuleOp> mutant(current->clone());
      mutator.mutate(*mutant, random);
      text = print(*mutant);
      keep({text, ""});
      OwningOpRef<ModuleOp> parsed = parse(text, &context);
      if (!parsed)
        continue;
      current = std::move(parsed);
      ++found;
    }
    return {print(*current), command};
  }

  Outcome run(const Input &input) override {
    bool hasSpoken = false;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      hasSpoken |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
      return failure();
    });
    OwningOpRef<ModuleOp> module = parse(input.bytes, &context);
    if (!module)
      return hasSpoken ? Outcome::refused : isUnread(input.bytes) ? Outcome::unread : Outcome::silent;
    if (input.command.empty())
      return Outcome::accepted;
    LogicalResult result = input.command == kInterpret                            ? interpret(*module)
                           : StringRef(input.command).starts_with("--emit=") ? compile(*module, input.command)
                                                                              : runPasses(*module, input.command);
    if (isBroken)
      return Outcome::broken;
    if (failed(result))
      return hasSpoken ? Outcome::refused : Outcome::silent;
    return Outcome::accepted;
  }

  /// Each without some lines, of one op or of one and its region.
  std::vector<Input> reductions(const Input &input) override {
    std::vector<Input> smaller;
    std::vector<std::string> lines;
    for (StringRef rest = input.bytes; !rest.empty();) {
      auto [line, after] = rest.split('\n');
      lines.push_back(line.str() + "\n");
      rest = after;
    }
    for (size_t count = lines.size() / 2; count != 0; count /= 2)
      for (size_t at = 0; at + count <= lines.size() && smaller.size() < 200; at += count) {
        std::string text;
        for (size_t i = 0; i < lines.size(); ++i)
          if (i < at || i >= at + count)
            text += lines[i];
        smaller.push_back({text, input.command});
      }
    return smaller;
  }

  bool crashesUpstream(const Input &input, const std::string &directory) override {
    std::string path = directory + "/stock" + suffix();
    std::ofstream(path, std::ios::binary) << input.bytes;
    int status = std::system(("timeout -k 1 20 mlir-opt-22 --allow-unregistered-dialect " + path + " > /dev/null 2>&1").c_str());
    unlink(path.c_str());
    // A shell adds 128 to a signal.
    return WIFEXITED(status) && WEXITSTATUS(status) > 128;
  }

  std::string fileOf(const Input &input) const override {
    bool isCompiled = StringRef(input.command).starts_with("--emit=");
    std::string how = input.command.empty() ? "tenon-opt %s" : input.command == kInterpret ? "tenon-interpret %s" : isCompiled
                          ? "tenon-compile %s --target-cpu=avx2 " + input.command + " -o /dev/null"
                          : "tenon-opt %s --pass-pipeline='" + input.command + "'";
    return "// RUN: " + how + "\n" + input.bytes;
  }

protected:
  /// Whether MLIR's reader of bytecode refuses it, before anything is verified.
  bool isUnread(const std::string &bytes) {
    ParserConfig config(&context, /*verifyAfterParse=*/false);
    return isBytecode(llvm::MemoryBufferRef(bytes, "mutant")) && !parseSourceString<ModuleOp>(StringRef(bytes), config);
  }

  std::string chooseCommand(Random &random) const {
    auto any = [&] { return std::string(kPasses[random() % std::size(kPasses)]); };
    std::string list;
    switch (random() % 9) {
    case 8:
      return kInterpret;
    case 0:
    case 1:
      list = any();
      break;
    case 2:
      list = any() + "," + any();
      break;
    case 3:
    case 4:
      return pipelines[random() % pipelines.size()];
    case 5:
    case 6: {
      size_t first = random() % 2 ? 0 : random() % 4, last = first + random() % (4 - first);
      for (size_t i = first; i <= last; ++i)
        list += (list.empty() ? "" : ",") + std::string(kLevels[i]);
      break;
    }
    default:
      return random() % 4 ? "--emit=llvm" : "--emit=asm";
    }
    return "builtin.module(" + list + ")";
  }

  LogicalResult runPasses(ModuleOp module, StringRef command) {
    FailureOr<OpPassManager> list = parsePassPipeline(command, llvm::nulls());
    if (failed(list))
      return success(); // a test's own error
    PassManager pm(&context);
    static_cast<OpPassManager &>(pm) = std::move(*list);
    // What passes leave is verified, but not between them: so in the compiler, too.
    pm.enableVerifier(false);
    if (failed(pm.run(module)))
      return failure();
    isBroken = failed(verify(module));
    return failure(isBroken);
  }

  LogicalResult interpret(ModuleOp module) {
    // A program may run forever: that is no hang.
    std::signal(SIGXCPU, [](int) { _exit(int(Outcome::refused)); });
    rlimit time = {kInterpretSeconds, kInterpretSeconds + 1};
    setrlimit(RLIMIT_CPU, &time);
    LogicalResult result = success();
    for (auto function : module.getOps<func::FuncOp>()) {
      std::vector<tenon::reference::Value> arguments;
      for (Type type : function.getArgumentTypes())
        arguments.push_back(valueOf(type));
      if (function.isExternal())
        continue;
      llvm::Expected<std::vector<tenon::reference::Value>> results = tenon::reference::runFunction(function, arguments);
      if (results)
        continue;
      std::string message = llvm::toString(results.takeError());
      result = message.empty() ? failure() : LogicalResult(function.emitError(message));
    }
    return result;
  }

  /// Some value of a type: small numbers, few elements.
  static tenon::reference::Value valueOf(Type type) {
    using namespace tenon::reference;
    if (isa<tenon::SequenceType>(type))
      return std::make_shared<Sequence>();
    if (isa<tenon::OptionalType>(type))
      return std::make_shared<Optional>();
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      return int64_t(2);
    auto shape = llvm::map_to_vector(tensor.getShape(), [](int64_t size) { return ShapedType::isDynamic(size) ? 3 : size; });
    llvm::Expected<Tensor> value = Tensor::create(tensor.getElementType(), shape);
    if (!value) {
      llvm::consumeError(value.takeError());
      return int64_t(2);
    }
    if (value->holdsStrings()) {
      for (auto [i, text] : llvm::enumerate(value->getStrings()))
        text = std::string(i % 3, 'a');
      return *value;
    }
    int64_t count = std::min<int64_t>(value->getNumElements(), 1 << 16);
    std::fill_n(value->getData(), value->getNumBytes(), 0);
    for (int64_t i = 0; i < count; ++i) {
      if (tensor.getElementType().isF32())
        reinterpret_cast<float *>(value->getData())[i] = float(i % 7) - 2.5f;
      else if (int64_t bytes = value->getNumBytes() / value->getNumElements())
        value->getData()[i * bytes] = char(i % 3);
    }
    return *value;
  }

  LogicalResult compile(ModuleOp module, StringRef command) {
    tenon::CompileOptions options;
    options.emit = command == "--emit=llvm" ? tenon::Emit::llvm : tenon::Emit::assembly;
    if (llvm::Expected<SmallVector<tenon::cpu::TargetDescription>> targets = tenon::cpu::parseTargets("avx2"))
      options.targets = std::move(*targets);
    options.modelName = "mutant";
    tenon::CompileReport report;
    return tenon::compile(module, options, "-", report);
  }

  MLIRContext context;
  ModuleMutator mutator;
  std::vector<std::string> texts, pipelines;
  std::vector<OwningOpRef<ModuleOp>> modules;
  bool isBroken = false;
};

class BytecodeSuite : public ModuleSuite {
public:
  std::string name() const override { return "bytecode"; }
  std::string suffix() const override { return ".mlirbc"; }

  Input make(Random &random) override {
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    std::string command = random() % 4 ? "" : chooseCommand(random), bytes;
    llvm::raw_string_ostream stream(bytes);
    if (failed(writeBytecodeToFile(*modules[random() % modules.size()], stream)))
      return {};
    return {tenon::mutateBytes(bytes, random), command};
  }

  std::vector<Input> reductions(const Input &) override { return {}; }
  std::string fileOf(const Input &input) const override { return input.bytes; }
};
} // namespace
} // namespace tenon::fuzz

std::unique_ptr<Suite> tenon::fuzz::makeModuleSuite() { return std::make_unique<ModuleSuite>(); }
std::unique_ptr<Suite> tenon::fuzz::makeBytecodeSuite() { return std::make_unique<BytecodeSuite>(); }

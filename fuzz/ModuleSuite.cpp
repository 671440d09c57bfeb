//===- ModuleSuite.cpp - Mutants of IR through passes and pipelines ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Seeds are the programs of lit tests, as they are or some steps further down the staircase of levels. A mutant meets a
// pass of Tenon alone, some of them in any order, a pipeline of a test, the staircase, the compiler as a whole, or the
// reference interpreter.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"
#include "ModuleMutator.h"
#include "WireMutator.h"
#include "tenon/Compiler/Compiler.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Compiler/Targets.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"
#include "tenon/Reference/HostPrograms.h"
#include "tenon/Reference/Programs.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <fstream>
#include <map>
#include <set>
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
    "func.func(tenon-canonicalize-contractions)",
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
    "tenon_tile.variants(tenon_tile.variant(tenon-build-tiles))",
    "tenon_tile.variants(tenon_tile.variant(tenon-lower-tiles))",
    "func.func(tenon-expand-reports)",
    "tenon-convert-math",
    "tenon-convert-narrow-floats",
    "tenon-convert-narrow-moves",
    "tenon-form-kernel-entries",
    "tenon-lower-to-llvm",
    "func.func(tenon-cut-segments)",
    "tenon-outline-plan",
    "tenon-convert-host-to-llvm",
    "tenon-plans,tenon-convert-host-to-llvm",
    "canonicalize",
    "cse",
};

/// CPU time of an interpreted program.
constexpr double kInterpretSeconds = 3;
/// CPU time of reading a module: some milliseconds, unless the reader turns round and round.
constexpr double kReadSeconds = 0.2;
/// Instead of passes: what a program computes, as the reference interpreter says.
constexpr const char *kInterpret = "--interpret";

constexpr const char *kLevels[] = {"tenon-graph", "tenon-kernels", "tenon-variants{targets=avx2,avx512}",
                                   "tenon-tiles", "tenon-loops",   "tenon-plans"};

/// The staircase, pass by pass.
std::vector<std::string> readSteps() {
  std::string text;
  llvm::raw_string_ostream stream(text);
  FailureOr<OpPassManager> list = parsePassPipeline("builtin.module(" + llvm::join(ArrayRef(kLevels), ",") + ")");
  list->printAsTextualPipeline(stream);
  std::vector<std::string> steps(1);
  StringRef passes = text;
  passes.consume_front("builtin.module(");
  passes.consume_back(")");
  int depth = 0;
  for (char c : passes) {
    depth += StringRef("({").contains(c) - StringRef(")}").contains(c);
    if (c == ',' && depth == 0)
      steps.emplace_back();
    else
      steps.back() += c;
  }
  return steps;
}

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
    context.allowUnregisteredDialects();
    steps = readSteps();
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
          folders[StringRef(path).rsplit('/').first.str()].push_back(modules.size());
          modules.push_back(std::move(module));
        }
      }
    }
    reportUnseen();
    return !modules.empty();
  }

  Input make(Random &random) override {
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    context.allowUnregisteredDialects();
    std::string command = chooseCommand(random);
    ModuleOp seed = chooseSeed(random);
    if (random() % 8 == 0) {
      std::string text = random() % 2 ? texts[random() % texts.size()] : print(*modules[random() % modules.size()]);
      for (unsigned round = 1 + random() % 2; round != 0; --round)
        text = mutator.mutateText(text, random);
      return {text, command};
    }
    // Mutations that leave nothing that verifies are forgotten, but were tried.
    OwningOpRef<ModuleOp> whole(seed.clone());
    if (random() % 8 != 0)
      thin(*whole, random);
    OwningOpRef<ModuleOp> current(whole->clone());
    if (random() % 3 == 0) {
      size_t done = 1 + random() % steps.size(), last = done + random() % (steps.size() - done + 1);
      std::string before = join(0, done);
      keep({print(*current), before});
      if (succeeded(runPasses(*current, before))) {
        if (done < last && random() % 3)
          command = join(done, last);
      } else
        current = std::move(whole);
    } else if (random() % 2 && holdsProgram(*current))
      command = kInterpret;
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
    // Ops of nobody's dialect are for tools that run passes.
    bool isForPasses = !StringRef(input.command).starts_with("--");
    context.allowUnregisteredDialects(isForPasses);
    limitTime(kReadSeconds);
    OwningOpRef<ModuleOp> module = parse(input.bytes, &context);
    limitTime();
    if (!module)
      return hasSpoken ? Outcome::invalid : isUnread(input.bytes) ? Outcome::unread : Outcome::silent;
    if (input.command.empty())
      return Outcome::accepted;
    isBroken = false;
    LogicalResult result = input.command == kInterpret                       ? interpret(*module)
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
    int status =
        std::system(("timeout -k 1 20 mlir-opt-22 --allow-unregistered-dialect " + path + " > /dev/null 2>&1").c_str());
    unlink(path.c_str());
    // A shell adds 128 to a signal.
    return WIFEXITED(status) && WEXITSTATUS(status) > 128;
  }

  std::string fileOf(const Input &input) const override {
    bool isCompiled = StringRef(input.command).starts_with("--emit=");
    std::string how = input.command.empty()         ? "tenon-opt %s --allow-unregistered-dialect"
                      : input.command == kInterpret ? "tenon-interpret %s"
                      : isCompiled
                          ? "tenon-compile %s " + input.command + " -o /dev/null"
                          : "tenon-opt %s --allow-unregistered-dialect --pass-pipeline='" + input.command + "'";
    return "// RUN: " + how + "\n" + input.bytes;
  }

protected:
  /// Says which ops of Tenon's no seed has: mutants reach them only by chance.
  void reportUnseen() {
    std::set<StringRef> seen;
    for (OwningOpRef<ModuleOp> &module : modules)
      module->walk([&](Operation *op) { seen.insert(op->getName().getStringRef()); });
    SmallVector<StringRef> unseen;
    for (RegisteredOperationName name : context.getRegisteredOperations())
      if (name.getDialectNamespace().starts_with("tenon") && !seen.count(name.getStringRef()))
        unseen.push_back(name.getStringRef());
    if (!unseen.empty())
      std::printf("%s: no seed has %s\n", this->name().c_str(), llvm::join(unseen, ", ").c_str());
  }

  /// Whether MLIR's reader of bytecode refuses it, before anything is verified.
  bool isUnread(const std::string &bytes) {
    ParserConfig config(&context, /*verifyAfterParse=*/false);
    return isBytecode(llvm::MemoryBufferRef(bytes, "mutant")) && !parseSourceString<ModuleOp>(StringRef(bytes), config);
  }

  /// Any, or any of a folder: those with few get their turn.
  ModuleOp chooseSeed(Random &random) const {
    if (random() % 2)
      return *modules[random() % modules.size()];
    auto &folder = *std::next(folders.begin(), random() % folders.size());
    return *modules[folder.second[random() % folder.second.size()]];
  }

  /// Leaves one or two of a module's functions and what they name: mutants of less are tried sooner.
  static void thin(ModuleOp module, Random &random) {
    auto isUnused = [&](Operation &op) {
      return isa<SymbolOpInterface>(op) && SymbolTable::symbolKnownUseEmpty(&op, module);
    };
    SmallVector<Operation *> roots;
    for (Operation &op : *module.getBody())
      if (isUnused(op))
        roots.push_back(&op);
    llvm::shuffle(roots.begin(), roots.end(), random);
    size_t kept = 1 + random() % 2;
    if (roots.size() <= kept)
      return;
    SmallPtrSet<Operation *, 2> left(roots.begin(), roots.begin() + kept);
    for (bool isSmaller = true; isSmaller;) {
      isSmaller = false;
      for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
        if (!left.contains(&op) && isUnused(op)) {
          op.erase();
          isSmaller = true;
        }
    }
  }

  /// What the interpreter knows and passes don't: tiles, and programs that launch.
  static bool holdsProgram(ModuleOp module) {
    return module
        .walk([](Operation *op) {
          return isa<tenon::tile::ProgramOp, tenon::host::LaunchOp>(op) ? WalkResult::interrupt()
                                                                        : WalkResult::advance();
        })
        .wasInterrupted();
  }

  /// Some steps of the staircase.
  std::string join(size_t first, size_t last) const {
    return "builtin.module(" + llvm::join(steps.begin() + first, steps.begin() + last, ",") + ")";
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
      size_t levels = std::size(kLevels), first = random() % 2 ? 0 : random() % levels,
             last = first + random() % (levels - first);
      for (size_t i = first; i <= last; ++i)
        list += (list.empty() ? "" : ",") + std::string(kLevels[i]);
      break;
    }
    default:
      return std::string(random() % 4 ? "--emit=llvm" : "--emit=asm") +
             (random() % 4 ? " --target-cpu=avx2" : " --target-cpu=avx512");
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
    refuseAfter(kInterpretSeconds);
    LogicalResult result = success();
    auto report = [&](Operation *op, llvm::Error error) {
      if (!error)
        return;
      std::string message = llvm::toString(std::move(error));
      result = message.empty() ? failure() : LogicalResult(op->emitError(message));
    };
    for (auto function : module.getOps<func::FuncOp>()) {
      std::vector<tenon::reference::Value> arguments;
      for (const tenon::reference::ProgramValue &input : tenon::reference::inputsOf(function))
        arguments.push_back(valueOf(input.type));
      if (!function.isExternal())
        report(function, tenon::reference::runProgram(function, arguments).takeError());
    }
    module.walk([&](tenon::tile::ProgramOp program) { report(program, tenon::reference::checkProgram(program)); });
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
    auto shape =
        llvm::map_to_vector(tensor.getShape(), [](int64_t size) { return ShapedType::isDynamic(size) ? 3 : size; });
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
    auto [emit, target] = command.split(" --target-cpu=");
    options.emit = emit == "--emit=llvm" ? tenon::Emit::llvm : tenon::Emit::assembly;
    if (auto targets = tenon::resolveTargets(&context, target))
      options.targets = std::move(*targets);
    options.modelName = "mutant";
    tenon::CompileReport report;
    return tenon::compile(module, options, "-", report);
  }

  MLIRContext context;
  ModuleMutator mutator;
  std::vector<std::string> texts, pipelines, steps;
  std::map<std::string, std::vector<size_t>> folders; ///< which modules are in each
  std::vector<OwningOpRef<ModuleOp>> modules;
  bool isBroken = false;
};

class BytecodeSuite : public ModuleSuite {
public:
  std::string name() const override { return "bytecode"; }
  /// MLIR's reader allocates as many elements as a damaged count says.
  int memory() const override { return 1; }
  std::string suffix() const override { return ".mlirbc"; }

  bool load(const std::vector<std::string> &paths) override {
    if (!ModuleSuite::load(paths))
      return false;
    for (OwningOpRef<ModuleOp> &module : modules) {
      llvm::raw_string_ostream stream(seeds.emplace_back());
      if (failed(writeBytecodeToFile(*module, stream)))
        return false;
    }
    return true;
  }

  Input make(Random &random) override {
    std::string command = random() % 8 ? "" : chooseCommand(random);
    return {tenon::mutateBytes(seeds[random() % seeds.size()], random), command};
  }

  /// What MLIR's reader of bytecode lets in may be what no text can say, as sizes below zero: types are made without
  /// being verified. What comes of it is upstream's.
  Outcome run(const Input &input) override {
    Outcome outcome = ModuleSuite::run(input);
    if (outcome != Outcome::broken && outcome != Outcome::silent)
      return outcome;
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    OwningOpRef<ModuleOp> module = parse(input.bytes, &context);
    return module && !parse(print(*module), &context) ? Outcome::unread : outcome;
  }

  bool isReadByUpstreamAlone(const Input &input) override {
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    return isUnread(input.bytes);
  }

  std::vector<Input> reductions(const Input &) override { return {}; }
  std::string fileOf(const Input &input) const override { return input.bytes; }

private:
  std::vector<std::string> seeds;
};
} // namespace
} // namespace tenon::fuzz

std::unique_ptr<Suite> tenon::fuzz::makeModuleSuite() { return std::make_unique<ModuleSuite>(); }
std::unique_ptr<Suite> tenon::fuzz::makeBytecodeSuite() { return std::make_unique<BytecodeSuite>(); }

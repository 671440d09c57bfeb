//===- tenon-compile.cpp - From a model to an artifact ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Compiler.h"
#include "tenon/Compiler/Diagnostics.h"
#include "tenon/Compiler/ModelFiles.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Compiler/Targets.h"
#include "tenon/Compiler/Tool.h"
#include "tenon/Conversion/Passes.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"

using namespace llvm;

namespace {
/// As many as a session of the runtime may have.
constexpr unsigned kMaxThreads = 1024;

/// Made after LLVM's own options are gone: those of its libraries have some of these names. So is the
/// category that options have by themselves, without which --help doesn't know them.
struct Options {
  cl::OptionCategory category{"Options"};
  cl::opt<std::string> input{cl::Positional, cl::desc("<model.onnx or .mlir, - for standard input>"),
                             cl::cat(category)};
  cl::opt<std::string> output{"o",
                              cl::desc("Where to write: the artifact, or text ('-', the default, is the standard "
                                       "output)"),
                              cl::value_desc("FILE"), cl::cat(category)};
  // Options keep no copy of what describes them.
  const std::string targetText = "CPUs to compile for, best first: " + tenon::listTargetNames() +
                                 ",\nor @FILE with a description (default: host, or those of a module with variants)";
  cl::opt<std::string> targetCPU{"target-cpu", cl::desc(targetText), cl::value_desc("LIST"), cl::init("host"),
                                 cl::cat(category)};
  cl::opt<bool> printTarget{"print-target", cl::desc("Write what is known of the CPUs to compile for, and end"),
                            cl::cat(category)};
  cl::opt<bool> printOperators{
      "print-operators",
      cl::desc("Write the operators that models may have, each with its oldest version or the reason against it, and "
               "end"),
      cl::cat(category)};
  cl::opt<tenon::tile::Accuracy> accuracy{
      "accuracy", cl::desc("What may be given up for speed (default: what the module says, or default):"),
      cl::init(tenon::tile::Accuracy::standard),
      cl::values(clEnumValN(tenon::tile::Accuracy::strict, "strict", "nothing: the model's own arithmetic"),
                 clEnumValN(tenon::tile::Accuracy::standard, "default",
                            "less than 1e-4 of the largest value; infinities and NaN stay"),
                 clEnumValN(tenon::tile::Accuracy::fast, "fast", "all but about 12 bits")),
      cl::cat(category)};
  cl::list<std::string> devices{
      "device",
      cl::desc("Device that runs the kernels, under the name that sessions know it by, or those with the "
               "operation OP\n"
               "(tenon.contract=gpu); may be repeated, the first that applies counts (default: none)"),
      cl::value_desc("[OP=]NAME"), cl::cat(category)};
  cl::list<std::string> aliases{
      "alias", cl::desc("An output that may be bound to the buffer of an input that it begins with; may be repeated"),
      cl::value_desc("OUTPUT=INPUT"), cl::cat(category)};
  cl::list<std::string> sizes{
      "size",
      cl::desc(
          "A size of inputs that is fixed, by the name of its symbol (of dimension D of input X, where it has none: "
          "X_D); may be repeated"),
      cl::value_desc("NAME=N"), cl::cat(category)};
  cl::opt<tenon::Emit> emitKind{
      "emit", cl::desc("What to write instead of an artifact:"), cl::init(tenon::Emit::artifact),
      cl::values(clEnumValN(tenon::Emit::import, "import", "the model, node by node"),
                 clEnumValN(tenon::Emit::graph, "graph", "the graph that kernels are formed from"),
                 clEnumValN(tenon::Emit::kernels, "kernels", "kernels and the host program"),
                 clEnumValN(tenon::Emit::plans, "plans", "kernels, and the host program as segments and their plans"),
                 clEnumValN(tenon::Emit::tiles, "tiles", "kernels as tile programs"),
                 clEnumValN(tenon::Emit::loops, "loops", "kernels as loops over vectors"),
                 clEnumValN(tenon::Emit::llvm, "llvm", "LLVM IR of the kernels"),
                 clEnumValN(tenon::Emit::assembly, "asm", "assembly of the kernels")),
      cl::cat(category)};
  cl::opt<bool> explainFusion{"explain-fusion", cl::desc("Say why nodes are not computed in one kernel"),
                              cl::cat(category)};
  cl::opt<bool> allowExternalLinks{
      "allow-external-links",
      cl::desc("Follow links of a model's external data out of its directory: for models that can be trusted"),
      cl::cat(category)};
  cl::opt<std::string> cache{
      "cache", cl::desc("Directory that keeps what was compiled, for the next time; processes may share it"),
      cl::value_desc("DIR"), cl::cat(category)};
  const std::string cacheLimitText = "MB that it may hold: what was not used for longest goes first (default: " +
                                     std::to_string(tenon::kDefaultCacheLimit >> 20) + ")";
  cl::opt<uint64_t> cacheLimit{"cache-limit", cl::desc(cacheLimitText), cl::init(tenon::kDefaultCacheLimit >> 20),
                               cl::cat(category)};
  cl::opt<unsigned> threads{"threads", cl::desc("Threads to compile with (default: one per core)"), cl::init(0),
                            cl::cat(category)};
  cl::opt<bool> quiet{"quiet", cl::desc("No summary"), cl::cat(category)};
  cl::opt<std::string> runtimeLibrary{"runtime", cl::desc("The runtime library (default: beside this tool)"),
                                      cl::value_desc("FILE"), cl::cat(category)};
};

std::string findRuntime(const char *program) {
  std::string self = sys::fs::getMainExecutable(program, (void *)&findRuntime);
  SmallString<128> path(sys::path::parent_path(sys::path::parent_path(self)));
  sys::path::append(path, "lib", "libtenon_runtime.so");
  return std::string(path);
}

/// The stage at work, on one line of a terminal.
class ProgressLine {
public:
  explicit ProgressLine(bool isShown) : isShown(isShown) {}
  ~ProgressLine() { clear(); }

  void show(StringRef stage, size_t done, size_t total) {
    clear();
    if (!isShown)
      return;
    errs() << stage;
    if (total)
      errs() << " " << done << " of " << total;
    errs() << " ...";
    hasText = true;
  }

  void clear() {
    if (hasText)
      errs() << "\r\033[K"; // ECMA-48: erase to the end of the line
    hasText = false;
  }

private:
  bool isShown, hasText = false;
};

int printTargets(const tenon::Tool &tool, const Options &given) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  auto targets = tenon::resolveTargets(&context, given.targetCPU);
  if (!targets)
    return tool.fail(toString(targets.takeError()));
  for (tenon::tile::TargetAttrInterface target : *targets)
    tenon::printTarget(outs(), target);
  return 0;
}

int compileModel(const tenon::Tool &tool, const char *program, const Options &given) {
  if (Error error = tool.checkOptions())
    return tool.fail(toString(std::move(error)));
  if (given.printTarget)
    return printTargets(tool, given);
  if (given.printOperators) {
    tenon::printONNXOperators(outs());
    return 0;
  }
  if (given.input.empty())
    return tool.fail("no model given (see --help)");
  if (given.threads.getNumOccurrences() && (given.threads < 1 || given.threads > kMaxThreads))
    return tool.fail("--threads is " + Twine(given.threads) + ", it must be between 1 and " + Twine(kMaxThreads));
  tenon::CompileOptions options;
  options.emit = given.emitKind;
  options.explainFusion = given.explainFusion;
  options.devices.assign(given.devices.begin(), given.devices.end());
  for (StringRef pair : given.aliases) {
    auto [output, input] = pair.split('=');
    if (output.empty() || input.empty())
      return tool.fail("'" + pair + "' is not of the form OUTPUT=INPUT");
    options.aliases.emplace_back(output.str(), input.str());
  }
  auto sizes = tenon::parseNamedSizes(SmallVector<std::string>(given.sizes.begin(), given.sizes.end()));
  if (!sizes)
    return tool.fail(toString(sizes.takeError()));
  options.sizes = std::move(*sizes);
  if (given.accuracy.getNumOccurrences())
    options.accuracy = given.accuracy;
  options.cacheDirectory = given.cache;
  if (given.cacheLimit < 1 || given.cacheLimit > (UINT64_MAX >> 20))
    return tool.fail("--cache-limit is " + Twine(given.cacheLimit) + ", it must be between 1 and " +
                     Twine(UINT64_MAX >> 20));
  options.cacheLimit = given.cacheLimit << 20;
  bool isText = options.emit != tenon::Emit::artifact;
  std::string path = given.output.empty() && isText ? "-" : given.output.getValue();
  if (path.empty() || (path == "-" && !isText))
    return tool.fail("an artifact needs a file: give -o model.so");
  bool targetsAreGiven = given.targetCPU.getNumOccurrences() > 0;
  options.runtimeLibrary = given.runtimeLibrary.empty() ? findRuntime(program) : given.runtimeLibrary.getValue();
  options.modelName = given.input == "-" ? "model" : sys::path::stem(given.input).str();
  tenon::LoadOptions loadOptions;
  loadOptions.allowExternalLinks = given.allowExternalLinks;

  mlir::DialectRegistry registry;
  tenon::registerUpstreamDialects(registry);
  tenon::registerDialects(registry);
  DefaultThreadPool pool(tenon::threadsOf(given.threads));
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto targets = tenon::resolveTargets(&context, given.targetCPU);
  if (!targets)
    return tool.fail(toString(targets.takeError()));
  options.targets = std::move(*targets);
  if (pool.getMaxConcurrency() != 1)
    context.setThreadPool(pool);
  context.printOpOnDiagnostic(false);
  tenon::DiagnosticPrinter printer(&context, errs());
  ProgressLine progress(!given.quiet && errs().is_displayed());
  mlir::ScopedDiagnosticHandler clearingHandler(&context, [&](mlir::Diagnostic &) {
    progress.clear();
    return mlir::failure();
  });
  options.progress = [&](StringRef stage, size_t done, size_t total) { progress.show(stage, done, total); };
  mlir::DefaultTimingManager timing;
  mlir::applyDefaultTimingManagerCLOptions(timing);
  mlir::TimingScope times = timing.getRootScope();
  options.preparePasses = [&](mlir::PassManager &passes) {
    passes.enableTiming(times);
    return mlir::applyPassManagerCLOptions(passes);
  };
  progress.show("import", 0, 0);
  mlir::OwningOpRef<mlir::ModuleOp> module = tenon::loadModel(given.input, &context, loadOptions);
  if (!module)
    return 1;
  if (!targetsAreGiven && tenon::hasVariants(*module))
    options.targets.clear();
  // Linking sets all of LLVM's options back, these too.
  bool prints = !given.quiet && !isText;
  tenon::CompileReport report;
  if (failed(tenon::compile(*module, options, path, report)))
    return 1;
  progress.clear();
  if (prints)
    report.print(outs());
  return 0;
}
} // namespace

int main(int argc, char **argv) {
  // First, as this takes --help and --version away too.
  cl::ResetCommandLineParser();
  tenon::Tool tool(argc, argv, "tenon-compile");
  Options options;
  // For options that name passes.
  tenon::registerPasses();
  tenon::registerUpstreamPasses();
  mlir::registerAsmPrinterCLOptions();
  mlir::registerPassManagerCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
  cl::ParseCommandLineOptions(argc, argv, "tenon-compile: compile a model\n");
  return compileModel(tool, argv[0], options);
}

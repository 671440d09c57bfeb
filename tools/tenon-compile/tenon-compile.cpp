//===- tenon-compile.cpp - From a model to an artifact ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Compiler.h"
#include "tenon/Compiler/Registration.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/WithColor.h"

using namespace llvm;

namespace {
/// As many as a session of the runtime may have.
constexpr unsigned kMaxThreads = 1024;

/// Made after LLVM's own options are gone: those of its libraries have some of these names. So is the
/// category that options have by themselves, without which --help doesn't know them.
struct Options {
  cl::OptionCategory category{"Options"};
  cl::opt<std::string> input{cl::Positional, cl::desc("<model.onnx or .mlir>"), cl::cat(category)};
  cl::opt<std::string> output{
      "o",
      cl::desc("Where to write: the artifact, or text ('-', the default, is the standard "
               "output)"),
      cl::value_desc("FILE"), cl::cat(category)};
  cl::opt<std::string> targetCPU{"target-cpu",
                                 cl::desc("CPUs to compile for, best first: host, avx2, avx512 (default: "
                                          "host, or those of a module with variants)"),
                                 cl::value_desc("LIST"), cl::init("host"), cl::cat(category)};
  cl::list<std::string> devices{
      "device",
      cl::desc("Device that runs the kernels, under the name that sessions know it by, or those with the "
               "operation OP\n"
               "(tenon.contract=gpu); may be repeated, the first that applies counts (default: none)"),
      cl::value_desc("[OP=]NAME"), cl::cat(category)};
  cl::list<std::string> aliases{
      "alias",
      cl::desc("An output that may be bound to the buffer of an input that it begins with; may be repeated"),
      cl::value_desc("OUTPUT=INPUT"), cl::cat(category)};
  cl::opt<tenon::Emit> emitKind{
      "emit", cl::desc("What to write instead of an artifact:"), cl::init(tenon::Emit::artifact),
      cl::values(clEnumValN(tenon::Emit::import, "import", "the model, node by node"),
                 clEnumValN(tenon::Emit::graph, "graph", "the graph that kernels are formed from"),
                 clEnumValN(tenon::Emit::kernels, "kernels", "kernels and the host program"),
                 clEnumValN(tenon::Emit::loops, "loops", "kernels as loops over vectors"),
                 clEnumValN(tenon::Emit::llvm, "llvm", "LLVM IR of the kernels"),
                 clEnumValN(tenon::Emit::assembly, "asm", "assembly of the kernels")),
      cl::cat(category)};
  cl::opt<unsigned> threads{"threads", cl::desc("Threads to compile with (default: one per core)"),
                            cl::init(0), cl::cat(category)};
  cl::opt<bool> quiet{"quiet", cl::desc("No summary"), cl::cat(category)};
  cl::opt<std::string> runtimeLibrary{"runtime", cl::desc("The runtime library (default: beside this tool)"),
                                      cl::value_desc("FILE"), cl::cat(category)};
};

int fail(const Twine &message) {
  WithColor::error(errs(), "tenon-compile") << message << "\n";
  return 1;
}

std::string findRuntime(const char *program) {
  std::string self = sys::fs::getMainExecutable(program, (void *)&findRuntime);
  SmallString<128> path(sys::path::parent_path(sys::path::parent_path(self)));
  sys::path::append(path, "lib", "libtenon_runtime.so");
  return std::string(path);
}

/// Errors at a node or value of an ONNX file, which has no lines, say its name.
mlir::LogicalResult printNamed(mlir::Diagnostic &diagnostic) {
  auto name = diagnostic.getLocation()->findInstanceOf<mlir::NameLoc>();
  auto file = diagnostic.getLocation()->findInstanceOf<mlir::FileLineColLoc>();
  if (!file || file.getLine() != 0)
    return mlir::failure();
  errs() << file.getFilename().getValue() << ": ";
  WithColor::error(errs());
  if (name)
    errs() << "'" << name.getName().getValue() << "': ";
  errs() << diagnostic << "\n";
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    WithColor::note(errs()) << note << "\n";
  return mlir::success();
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

int compileModel(const char *program, const Options &given) {
  if (given.input.empty())
    return fail("no model given (see --help)");
  if (given.threads > kMaxThreads)
    return fail("--threads is " + Twine(given.threads) + ", it must be at most " + Twine(kMaxThreads));
  tenon::CompileOptions options;
  options.emit = given.emitKind;
  options.devices.assign(given.devices.begin(), given.devices.end());
  for (StringRef pair : given.aliases) {
    auto [output, input] = pair.split('=');
    if (output.empty() || input.empty())
      return fail("'" + pair + "' is not of the form OUTPUT=INPUT");
    options.aliases.emplace_back(output.str(), input.str());
  }
  bool isText = options.emit != tenon::Emit::artifact;
  std::string path = given.output.empty() && isText ? "-" : given.output.getValue();
  if (path.empty() || (path == "-" && !isText))
    return fail("an artifact needs a file: give -o model.so");
  Expected<SmallVector<tenon::cpu::TargetDescription>> targets = tenon::cpu::parseTargets(given.targetCPU);
  if (!targets)
    return fail(toString(targets.takeError()));
  options.targets = std::move(*targets);
  bool targetsAreGiven = given.targetCPU.getNumOccurrences() > 0;
  options.runtimeLibrary =
      given.runtimeLibrary.empty() ? findRuntime(program) : given.runtimeLibrary.getValue();
  options.modelName = sys::path::stem(given.input).str();

  mlir::DialectRegistry registry;
  tenon::registerUpstreamDialects(registry);
  tenon::registerDialects(registry);
  DefaultThreadPool pool(hardware_concurrency(given.threads));
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  if (given.threads != 1)
    context.setThreadPool(pool);
  context.printOpOnDiagnostic(false);
  SourceMgr sources;
  mlir::SourceMgrDiagnosticHandler handler(sources, &context, errs());
  mlir::ScopedDiagnosticHandler namedHandler(&context, printNamed);
  ProgressLine progress(!given.quiet && errs().is_displayed());
  mlir::ScopedDiagnosticHandler clearingHandler(&context, [&](mlir::Diagnostic &) {
    progress.clear();
    return mlir::failure();
  });
  options.progress = [&](StringRef stage, size_t done, size_t total) { progress.show(stage, done, total); };
  progress.show("import", 0, 0);
  mlir::OwningOpRef<mlir::ModuleOp> module = tenon::loadModel(given.input, &context);
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
  InitLLVM init(argc, argv);
  cl::ResetCommandLineParser();
  Options options;
  cl::ParseCommandLineOptions(argc, argv, "tenon-compile: compile a model\n");
  return compileModel(argv[0], options);
}

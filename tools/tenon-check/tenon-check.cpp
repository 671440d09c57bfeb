//===- tenon-check.cpp - Runs numeric tests as compiled code ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// What `tenon-interpret --check` does with a file, by compiled code: every function without arguments is compiled with
// its constants as inputs and the first of each pair of results as output, and run on operands that end at, and then
// start after, a page without access. The second of each pair, from the interpreter, is what is expected.
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Compiler.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Compiler/Targets.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Reference/Comparison.h"
#include "tenon/Reference/Interpreter.h"
#include "tenon/Runtime/tenon.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"

#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using tenon::reference::Tensor;
using RuntimeValue = tenon::reference::Value;

namespace {
namespace cl = llvm::cl;

/// Bytes between two pages without access: they end where the second one starts, or start where the first one ends.
class GuardedBuffer {
public:
  GuardedBuffer(size_t size, bool atStart) : size(size), page(sysconf(_SC_PAGESIZE)) {
    inner = llvm::alignTo(std::max<size_t>(size, 1), page);
    void *mapped = mmap(nullptr, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
      llvm::report_fatal_error("out of memory");
    base = static_cast<char *>(mapped);
    mprotect(base + page, inner, PROT_READ | PROT_WRITE);
    std::fill_n(base + page, inner, kFiller);
    data = base + page + (atStart ? 0 : inner - size);
  }
  GuardedBuffer(const GuardedBuffer &) = delete;
  ~GuardedBuffer() { munmap(base, inner + 2 * page); }

  bool isUntouchedAround() const {
    auto isFiller = [](char byte) { return byte == kFiller; };
    return std::all_of(base + page, data, isFiller) && std::all_of(data + size, base + page + inner, isFiller);
  }

  char *data;
  size_t size;

private:
  static constexpr char kFiller = 0x5a;
  char *base;
  size_t page, inner;
};

/// A function of a file, and what its results must be.
struct Case {
  OwningOpRef<ModuleOp> module;
  std::vector<Tensor> inputs, expected;
  double tolerance = 0;
};

llvm::Error failure(const llvm::Twine &message) { return llvm::createStringError(message); }

/// The function in a module of its own, constants at its top as arguments.
llvm::Expected<Case> makeCase(func::FuncOp original) {
  Case result;
  result.module = ModuleOp::create(original.getLoc());
  auto function = cast<func::FuncOp>(OpBuilder(result.module->getBodyRegion()).clone(*original));
  Block &entry = function.front();
  for (auto constant : llvm::make_early_inc_range(entry.getOps<tenon::ConstantOp>())) {
    auto type = cast<RankedTensorType>(constant.getType());
    if (!type.getElementType().isIntOrFloat())
      continue;
    llvm::Expected<Tensor> value = Tensor::fromAttribute(constant.getValue());
    if (!value)
      return value.takeError();
    result.inputs.push_back(std::move(*value));
    constant.getResult().replaceAllUsesWith(entry.addArgument(type, constant.getLoc()));
    constant.erase();
  }
  auto terminator = cast<func::ReturnOp>(entry.getTerminator());
  SmallVector<Value> results;
  for (unsigned i = 0; i < terminator.getNumOperands(); i += 2)
    results.push_back(terminator.getOperand(i));
  terminator.getOperandsMutable().assign(results);
  function.setType(FunctionType::get(function.getContext(), entry.getArgumentTypes(), ValueRange(results).getTypes()));
  function.removeResAttrsAttr();
  if (auto allowed = original->getAttrOfType<FloatAttr>("tenon.tolerance"))
    result.tolerance = allowed.getValueAsDouble();
  return result;
}

llvm::Error check(tenon_status status) {
  return status == TENON_OK ? llvm::Error::success() : failure(tenon_last_error());
}

/// One run of an artifact on guarded buffers; what is wrong, if something is.
llvm::Error runGuarded(tenon_session *session, const tenon_model *model, const Case &test, bool atStart) {
  std::vector<std::unique_ptr<GuardedBuffer>> inputs, outputs;
  auto bind = [&](bool output, unsigned i, const Tensor &tensor) {
    tenon_tensor_info info;
    if (llvm::Error error = check((output ? tenon_model_output : tenon_model_input)(model, i, &info)))
      return error;
    auto &buffer = (output ? outputs : inputs).emplace_back(new GuardedBuffer(tensor.getNumBytes(), atStart));
    if (!output)
      std::copy_n(tensor.getData(), buffer->size, buffer->data);
    tenon_value value = {};
    value.dtype = info.dtype;
    value.rank = tensor.getRank();
    value.shape = tensor.getShape().data();
    value.data = buffer->data;
    value.capacity = output ? buffer->size : 0;
    return check((output ? tenon_session_bind_output : tenon_session_bind_input)(session, i, &value));
  };
  for (auto [i, tensor] : llvm::enumerate(test.inputs))
    if (llvm::Error error = bind(false, i, tensor))
      return error;
  for (auto [i, tensor] : llvm::enumerate(test.expected))
    if (llvm::Error error = bind(true, i, tensor))
      return error;
  if (llvm::Error error = check(tenon_session_run(session)))
    return error;
  for (auto [i, expected] : llvm::enumerate(test.expected)) {
    const tenon_value *value;
    if (llvm::Error error = check(tenon_session_output(session, i, &value)))
      return error;
    llvm::Expected<Tensor> actual = Tensor::borrow(expected.getElementType(), ArrayRef(value->shape, value->rank),
                                                   ArrayRef(outputs[i]->data, outputs[i]->size));
    if (!actual)
      return actual.takeError();
    if (auto difference = tenon::reference::findDifference(RuntimeValue(*actual), expected, test.tolerance))
      return failure("result " + llvm::Twine(2 * i) + " " + *difference);
    if (!outputs[i]->isUntouchedAround())
      return failure("result " + llvm::Twine(2 * i) + " was written around");
  }
  return llvm::Error::success();
}

llvm::Error runArtifact(const char *path, const Case &test) {
  tenon_model *model = nullptr;
  tenon_session *session = nullptr;
  llvm::scope_exit close([&] {
    tenon_session_destroy(session);
    tenon_model_close(model);
  });
  tenon_options options = {};
  options.size = sizeof(options);
  options.threads = 1;
  if (llvm::Error error = check(tenon_model_open(path, &model)))
    return error;
  if (llvm::Error error = check(tenon_session_create(model, &options, &session)))
    return error;
  for (bool atStart : {false, true})
    if (llvm::Error error = runGuarded(session, model, test, atStart))
      return error;
  return llvm::Error::success();
}

llvm::Error compileAndRun(Case &test, const tenon::CompileOptions &options) {
  std::string errors;
  ScopedDiagnosticHandler handler(test.module->getContext(), [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(errors) << (errors.empty() ? "" : "; ") << diagnostic;
    return success();
  });
  SmallString<128> path;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("tenon-check", "so", path))
    return failure(error.message());
  llvm::scope_exit remove([&] { llvm::sys::fs::remove(path); });
  tenon::CompileReport report;
  if (failed(tenon::compile(*test.module, options, path, report)))
    return failure(errors);
  return runArtifact(path.c_str(), test);
}

llvm::Error checkFunction(func::FuncOp function, const tenon::CompileOptions &options) {
  llvm::Expected<Case> test = makeCase(function);
  if (!test)
    return test.takeError();
  if (function->hasAttr("tenon.error")) {
    // The words of the interpreter are its own: that there is an error is not.
    if (llvm::Error error = compileAndRun(*test, options)) {
      llvm::consumeError(std::move(error));
      return llvm::Error::success();
    }
    return failure("ends well, but expected an error");
  }
  llvm::Expected<std::vector<RuntimeValue>> results = tenon::reference::runFunction(function, {});
  if (!results)
    return results.takeError();
  for (size_t i = 1; i < results->size(); i += 2)
    test->expected.push_back(std::get<Tensor>((*results)[i]));
  return compileAndRun(*test, options);
}
} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  // Linking sets all of LLVM's options back, these too.
  cl::ResetCommandLineParser();
  cl::opt<std::string> input(cl::Positional, cl::desc("<file.mlir>"), cl::Required);
  cl::opt<std::string> target("target-cpu", cl::desc("CPU to compile for (default: host)"), cl::init("host"));
  cl::ParseCommandLineOptions(argc, argv, "tenon-check: numeric tests as compiled code\n");
  auto fail = [](const llvm::Twine &message) {
    llvm::errs() << "tenon-check: " << message << "\n";
    return 1;
  };

  tenon::CompileOptions options;
  SmallString<128> runtime(llvm::sys::fs::getMainExecutable(argv[0], (void *)&main));
  llvm::sys::path::remove_filename(runtime);
  llvm::sys::path::append(runtime, "..", "lib", "libtenon_runtime.so");
  options.runtimeLibrary = std::string(runtime);

  DialectRegistry registry;
  tenon::registerUpstreamDialects(registry);
  tenon::registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  auto targets = tenon::resolveTargets(&context, target);
  if (!targets)
    return fail(llvm::toString(targets.takeError()));
  options.targets = std::move(*targets);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(std::string(input), &context);
  if (!module)
    return 1;
  int count = 0, failures = 0;
  for (auto function : module->getOps<func::FuncOp>()) {
    if (function.isExternal() || function.getNumArguments() != 0)
      continue;
    ++count;
    llvm::Error error = checkFunction(function, options);
    failures += bool(error);
    llvm::outs() << function.getName() << ": " << (error ? llvm::toString(std::move(error)) : "ok") << "\n";
    llvm::outs().flush();
  }
  return count == 0 ? fail("there is no function without arguments") : failures != 0;
}

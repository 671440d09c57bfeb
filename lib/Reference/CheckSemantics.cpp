//===- CheckSemantics.cpp - Finds the pass that changes results ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunnableParts.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"
#include "tenon/Reference/Comparison.h"
#include "tenon/Reference/NotInterpretable.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/ADT/StringSet.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::reference;
using RuntimeValue = tenon::reference::Value;

namespace {
/// Sizes without a rule, small ones, all 1, beyond a vector, and 0.
constexpr int64_t kSizes[][6] = {{3, 5, 2, 7, 4, 6}, {1, 1, 1, 1, 1, 1}, {17, 9, 11, 8, 10, 12}, {0, 4, 2, 3, 5, 1}};

/// What a part gave when it was first run.
struct Expectation {
  struct Run {
    std::string sizes;
    NamedValues inputs;
    std::vector<RuntimeValue> results;
  };
  std::vector<Run> runs;
  double tolerance = 0;
  Attribute interface;
  SmallVector<OperationFingerPrint> state; ///< when it was last looked at
  bool isRemarked = false;
};

/// What is allowed in the results of ops that compute with the coarsest type among these.
double defaultTolerance(ArrayRef<Operation *> ops) {
  unsigned precision = 64;
  for (Operation *op : ops)
    op->walk([&](Operation *nested) {
      for (Type type : llvm::concat<const Type>(llvm::to_vector(nested->getOperandTypes()),
                                                llvm::to_vector(nested->getResultTypes())))
        if (auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type)))
          precision = std::min(precision, llvm::APFloat::semanticsPrecision(element.getFloatSemantics()));
    });
  return std::max(1e-4, std::ldexp(16.0, -int(precision)));
}

/// An error that is of the IR's level, as text; other errors stay.
std::optional<std::string> takeLevelError(llvm::Error &error) {
  if (!error.isA<NotInterpretable>())
    return std::nullopt;
  return llvm::toString(std::move(error));
}

/// The name of a pass, and the symbol that it ran on where that isn't the part that is looked at.
std::string describe(Pass *pass, Operation *passedOn, Operation *part) {
  std::string text = ("'" + (pass->getArgument().empty() ? pass->getName() : pass->getArgument()) + "'").str(), path;
  for (Operation *op = passedOn; op && passedOn != part; op = op->getParentOp())
    if (auto symbol = dyn_cast<SymbolOpInterface>(op); symbol && symbol.getNameAttr())
      path = "@" + symbol.getName().str() + (path.empty() ? "" : "::" + path);
  return path.empty() ? text : text + " on " + path;
}

class SemanticsState {
public:
  explicit SemanticsState(SemanticsOptions options) : options(std::move(options)) {}

  /// Runs what has changed; false after an error that names `after`, null before the first pass.
  bool look(ModuleOp module, Pass *after, Operation *passedOn);

  /// The last thing that it does.
  void summarize(ModuleOp module) {
    isDone = true;
    unsigned parts = llvm::count_if(expectations, [](const auto &entry) { return !entry.second.runs.empty(); });
    if (parts == 0)
      emitWarning(module.getLoc()) << "semantics were not checked: nothing of this module could be interpreted";
    else
      emitRemark(module.getLoc()) << "semantics are kept: " << parts << (parts == 1 ? " part" : " parts") << ", "
                                  << runs << (runs == 1 ? " run" : " runs") << " after " << states
                                  << (states == 1 ? " change" : " changes");
  }

private:
  void expect(const RunnablePart &part, Expectation &expectation);
  /// Expects of a variant what it gives on what runs of functions hand to it.
  void expectOfLaunches(const RunnablePart &part, Expectation &expectation);
  /// Runs a part and, of a function, keeps what it hands to variants.
  llvm::Expected<std::vector<RuntimeValue>> run(const RunnablePart &part, const NamedValues &inputs,
                                                const std::string &sizes);
  bool compare(const RunnablePart &part, Expectation &expectation, StringRef after);
  void remark(const RunnablePart &part, Expectation &expectation, const llvm::Twine &reason);

  SemanticsOptions options;
  std::map<std::string, Expectation> expectations;
  /// The first launch of each kernel with variants in each run of a function: the sizes of the run, what it hands over.
  using Launches = llvm::StringMap<std::vector<std::pair<std::string, NamedValues>>>;
  std::map<std::string, Launches> launchesOf;
  unsigned runs = 0, states = 0;
  bool isDone = false;
};

void SemanticsState::remark(const RunnablePart &part, Expectation &expectation, const llvm::Twine &reason) {
  if (!std::exchange(expectation.isRemarked, true))
    emitRemark(part.op->getLoc()) << part.name << " is not checked here: " << reason;
}

llvm::Expected<std::vector<RuntimeValue>> SemanticsState::run(const RunnablePart &part, const NamedValues &inputs,
                                                              const std::string &sizes) {
  if (!isa<func::FuncOp>(part.op))
    return part.run(inputs);
  llvm::StringSet<> seen;
  return part.run(inputs, [&](StringRef symbol, ArrayRef<RuntimeValue> arguments) {
    if (!seen.insert(symbol).second || !part.op->getParentOfType<ModuleOp>().lookupSymbol<tile::VariantsOp>(symbol))
      return;
    auto &[ofRun, handed] = launchesOf[part.name][symbol].emplace_back(sizes, NamedValues());
    for (auto [i, value] : llvm::enumerate(arguments))
      handed.emplace_back("arg" + std::to_string(i), value);
  });
}

void SemanticsState::expectOfLaunches(const RunnablePart &part, Expectation &expectation) {
  for (const auto &[function, launches] : launchesOf) {
    auto found = launches.find(part.launchedAs());
    if (found == launches.end())
      continue;
    for (const auto &[sizes, inputs] : found->second) {
      llvm::Expected<std::vector<RuntimeValue>> results = part.run(inputs);
      if (!results)
        return remark(part, expectation, llvm::toString(results.takeError()));
      expectation.runs.push_back({sizes, inputs, std::move(*results)});
    }
  }
  if (expectation.runs.empty())
    remark(part, expectation, "no run launches it");
}

void SemanticsState::expect(const RunnablePart &part, Expectation &expectation) {
  expectation.interface = part.interface();
  expectation.tolerance = options.tolerance.value_or(defaultTolerance(part.definingOps()));
  // Who launches a kernel says on what it runs: the number of elements that are not zero is no random number.
  if (!part.launchedAs().empty() && part.isWithinProgram())
    return expectOfLaunches(part, expectation);
  std::vector<SizeChoice> choices;
  for (const llvm::StringMap<int64_t> &sizes : options.sizes)
    choices.emplace_back(kSizes[0], &sizes);
  if (choices.empty())
    for (ArrayRef<int64_t> cycle : kSizes)
      choices.emplace_back(cycle);
  std::string reason;
  for (const SizeChoice &choice : choices) {
    // Integers may be positions in something small.
    for (std::optional<int64_t> limit :
         {std::optional<int64_t>(), std::optional<int64_t>(3), std::optional<int64_t>(1), std::optional<int64_t>(0)}) {
      SizeChoice sizes = choice;
      llvm::Expected<NamedValues> inputs = part.makeInputs(options, sizes, limit);
      std::string text = sizes.describe();
      if (inputs && llvm::any_of(expectation.runs, [&](const auto &run) { return run.sizes == text; }))
        break; // no sizes to choose
      llvm::Expected<std::vector<RuntimeValue>> results =
          inputs ? run(part, *inputs, text) : llvm::Expected<std::vector<RuntimeValue>>(inputs.takeError());
      if (results) {
        expectation.runs.push_back({std::move(text), std::move(*inputs), std::move(*results)});
        break;
      }
      llvm::Error error = results.takeError();
      if (std::optional<std::string> level = takeLevelError(error))
        return remark(part, expectation, *level);
      reason = llvm::toString(std::move(error));
    }
  }
  if (expectation.runs.empty())
    remark(part, expectation, reason);
}

bool SemanticsState::compare(const RunnablePart &part, Expectation &expectation, StringRef after) {
  for (const Expectation::Run &run : expectation.runs) {
    auto fail = [&](const llvm::Twine &what) {
      emitError(part.op->getLoc()) << "after pass " << after << ", " << part.name << " " << what
                                   << (run.sizes.empty() ? "" : ", at sizes ") << run.sizes;
      return false;
    };
    llvm::Expected<std::vector<RuntimeValue>> results = this->run(part, run.inputs, run.sizes);
    if (!results) {
      llvm::Error error = results.takeError();
      if (std::optional<std::string> level = takeLevelError(error)) {
        remark(part, expectation, *level);
        return true;
      }
      return fail("fails: " + llvm::toString(std::move(error)));
    }
    ++runs;
    if (results->size() != run.results.size())
      return fail("has " + llvm::Twine(results->size()) + " results, expected " + llvm::Twine(run.results.size()));
    for (auto [i, actual, expected] : llvm::enumerate(*results, run.results)) {
      const Tensor *tensor = std::get_if<Tensor>(&expected);
      llvm::Expected<RuntimeValue> value = tensor ? withElementType(actual, tensor->getElementType()) : actual;
      if (!value)
        return fail(llvm::toString(value.takeError()));
      if (auto difference = findDifference(*value, expected, expectation.tolerance))
        return fail("has another " + part.resultName(i) + ": it " + *difference);
    }
  }
  return true;
}

bool SemanticsState::look(ModuleOp module, Pass *after, Operation *passedOn) {
  if (isDone)
    return true;
  std::vector<RunnablePart> parts = RunnablePart::of(module);
  llvm::erase_if(parts, [&](const RunnablePart &part) {
    SmallVector<OperationFingerPrint> state;
    for (Operation *op : part.definingOps())
      state.emplace_back(op);
    Expectation &expectation = expectations[part.name];
    if (expectation.state == state)
      return true;
    expectation.state = std::move(state);
    launchesOf.erase(part.name);
    // A kernel that takes something else is another one.
    Attribute interface = part.interface();
    if (interface && expectation.interface && interface != expectation.interface)
      expectation.runs.clear();
    return false;
  });
  // A variant that computes something else says more than the function that launches it.
  for (const RunnablePart &part : llvm::reverse(parts))
    if (Expectation &expectation = expectations[part.name]; !expectation.runs.empty())
      if (!compare(part, expectation, describe(after, passedOn, part.op))) {
        isDone = true;
        return false;
      }
  // What functions hand to variants is known first.
  for (const RunnablePart &part : parts)
    if (Expectation &expectation = expectations[part.name]; expectation.runs.empty())
      expect(part, expectation);
  states += after && !parts.empty();
  return true;
}

class CheckingInstrumentation : public PassInstrumentation {
public:
  explicit CheckingInstrumentation(std::shared_ptr<SemanticsState> state) : state(std::move(state)) {}

  void runBeforePass(Pass *pass, Operation *op) override {
    if (isPass(pass) && depth++ == 0 && !std::exchange(hasBegun, true))
      look(nullptr, op);
  }
  void runAfterPass(Pass *pass, Operation *op) override {
    if (isPass(pass) && --depth == 0 && !look(pass, op))
      signalPassFailure(pass);
  }
  void runAfterPassFailed(Pass *pass, Operation *) override { depth -= isPass(pass); }

private:
  /// Passes that run those of a nested pipeline have no name. Within a pass the IR may be anything.
  static bool isPass(Pass *pass) { return !pass->getArgument().empty(); }

  bool look(Pass *after, Operation *op) {
    Operation *root = op;
    while (root->getParentOp())
      root = root->getParentOp();
    auto module = dyn_cast<ModuleOp>(root);
    return !module || state->look(module, after, op);
  }

  std::shared_ptr<SemanticsState> state;
  unsigned depth = 0;
  bool hasBegun = false;
};

/// Says at the end what was checked.
class SummarizeSemantics : public PassWrapper<SummarizeSemantics, OperationPass<>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SummarizeSemantics)
  explicit SummarizeSemantics(std::shared_ptr<SemanticsState> state) : state(std::move(state)) {}

  void runOnOperation() override {
    if (auto module = dyn_cast<ModuleOp>(getOperation()))
      state->summarize(module);
  }

private:
  std::shared_ptr<SemanticsState> state;
};
} // namespace

void tenon::reference::checkSemantics(PassManager &passes, SemanticsOptions options) {
  auto state = std::make_shared<SemanticsState>(std::move(options));
  passes.getContext()->disableMultithreading();
  passes.addInstrumentation(std::make_unique<CheckingInstrumentation>(state));
  passes.addPass(std::make_unique<SummarizeSemantics>(state));
}

//===- ReduceModule.cpp - Makes a module small that shows something ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Reduce/ReduceModule.h"

#include "Reductions.h"

#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::reduce;

namespace {
class Reducer {
public:
  Reducer(OwningOpRef<ModuleOp> &module, function_ref<bool(ModuleOp)> isInteresting)
      : module(module), isInteresting(isInteresting) {}

  bool test(ModuleOp candidate) {
    ++tests;
    return isInteresting(candidate);
  }

  /// Keeps what an edit makes of a copy, if that is interesting.
  bool tryEdit(function_ref<bool(ModuleOp)> edit) {
    OwningOpRef<ModuleOp> copy = module->clone();
    if (!edit(*copy))
      return false;
    eraseDeadOps(*copy);
    {
      ScopedDiagnosticHandler quiet(copy->getContext(), [](Diagnostic &) { return success(); });
      if (failed(verify(*copy)))
        return false;
    }
    std::string text;
    llvm::raw_string_ostream(text) << *copy;
    if (!seen.insert(text).second || !test(*copy))
      return false;
    module = std::move(copy);
    return true;
  }

  /// Takes away as much as it can, in halves, quarters, down to one by one (Zeller and Hildebrandt, "Simplifying and
  /// isolating failure-inducing input", 2002), from the end: what comes last has no users.
  bool reduce(const Reduction &reduction) {
    bool isReduced = false;
    for (unsigned size = reduction.count(*module); size > 0; size /= 2)
      for (unsigned end = reduction.count(*module); end > 0;) {
        unsigned begin = end > size ? end - size : 0;
        isReduced |= tryEdit([&](ModuleOp copy) { return reduction.apply(copy, begin, end); });
        end = std::min(begin, reduction.count(*module));
      }
    return isReduced;
  }

  /// Makes sizes smaller, one after the other, or with its multiples: gates of a recurrent cell stay four times as
  /// wide.
  bool reduceSizes() {
    bool isReduced = false;
    for (int64_t size : sizesIn(*module)) {
      auto tryAs = [&](int64_t smaller, bool withMultiples) {
        return smaller > 0 && smaller < size && tryEdit([&](ModuleOp copy) {
                 replaceSize(copy, size, smaller, withMultiples);
                 return true;
               });
      };
      isReduced |=
          llvm::any_of(SmallVector<int64_t>{1, 2, 3, 4, size / 8, size / 2},
                       [&](int64_t smaller) { return tryAs(smaller, false); }) ||
          llvm::any_of(SmallVector<int64_t>{1, 2, size / 2}, [&](int64_t smaller) { return tryAs(smaller, true); });
    }
    return isReduced;
  }

  unsigned tests = 0;

private:
  OwningOpRef<ModuleOp> &module;
  function_ref<bool(ModuleOp)> isInteresting;
  llvm::StringSet<> seen;
};

unsigned countOps(ModuleOp module) {
  unsigned count = 0;
  module.walk([&](Operation *) { ++count; });
  return count - 1;
}
} // namespace

llvm::Expected<ReductionReport> tenon::reduceModule(OwningOpRef<ModuleOp> &module,
                                                    function_ref<bool(ModuleOp)> isInteresting) {
  Reducer reducer(module, isInteresting);
  if (!reducer.test(*module))
    return llvm::createStringError("the module is not interesting to begin with");
  unsigned before = countOps(*module);
  for (bool isReduced = true; isReduced;) {
    // Each takes away what the measure of those before it doesn't see, so this ends.
    isReduced = reducer.reduce(outputReduction());
    isReduced |= reducer.reduce(symbolicSizeReduction());
    // Not progress by itself, but ops can be cut off where types are known.
    reducer.tryEdit(stateTypes);
    isReduced |= reducer.reduce(opToArgumentReduction());
    while (reducer.reduce(outputToOperandReduction()))
      isReduced = true;
    isReduced |= reducer.reduce(opToOperandReduction());
    isReduced |= reducer.reduce(opToZeroReduction());
    isReduced |= reducer.reduce(symbolReduction());
    isReduced |= reducer.reduce(argumentReduction());
    isReduced |= reducer.reduceSizes();
    isReduced |= reducer.reduce(constantToArgumentReduction());
    isReduced |= reducer.reduce(elementReduction());
    isReduced |= reducer.reduce(attributeReduction());
  }
  return ReductionReport{before, countOps(*module), reducer.tests};
}

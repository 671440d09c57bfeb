//===- RunnableParts.h - What of a module can be interpreted by itself ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_REFERENCE_RUNNABLEPARTS_H
#define TENON_LIB_REFERENCE_RUNNABLEPARTS_H

#include "tenon/Reference/CheckSemantics.h"
#include "tenon/Reference/HostPrograms.h"

namespace tenon::reference {

/// The inputs of a run by name, in order.
using NamedValues = std::vector<std::pair<std::string, Value>>;

/// The sizes of one run.
class SizeChoice {
public:
  explicit SizeChoice(llvm::ArrayRef<int64_t> cycle, const llvm::StringMap<int64_t> *given = nullptr)
      : cycle(cycle), given(given) {}

  /// The size of a symbol: that which was given, else the next of the cycle that the symbol may have.
  int64_t of(llvm::StringRef name, std::optional<llvm::ArrayRef<int64_t>> range, int64_t divisor);
  /// `n = 3, m = 5`, or nothing where there were no symbols.
  std::string describe() const;
  bool isEmpty() const { return chosen.empty(); }
  llvm::ArrayRef<int64_t> getCycle() const { return cycle; }

private:
  llvm::ArrayRef<int64_t> cycle;
  const llvm::StringMap<int64_t> *given;
  std::vector<std::pair<std::string, int64_t>> chosen;
};

/// A tensor under an element type of the same width: below the graph signedness lies in ops. Other values stay.
llvm::Expected<Value> withElementType(const Value &value, mlir::Type elementType);

/// A function, a kernel that nobody launches, or a variant of a kernel.
class RunnablePart {
public:
  mlir::Operation *op;
  std::string name; ///< with its kind, as in `function 'main'`

  /// Those of a module, functions first; plans of programs run with these.
  static std::vector<RunnablePart> of(mlir::ModuleOp module);

  /// The ops that decide what it computes: itself, and what it launches.
  llvm::SmallVector<mlir::Operation *> definingOps() const;

  /// Inputs for a choice of sizes. Integers are from 0 to `limit`, where there is one.
  llvm::Expected<NamedValues> makeInputs(const SemanticsOptions &options, SizeChoice &sizes,
                                         std::optional<int64_t> limit) const;
  llvm::Expected<std::vector<Value>> run(const NamedValues &inputs, LaunchObserver observer = nullptr) const;

  /// The symbol that launches name, of a variant; empty for others.
  llvm::StringRef launchedAs() const;
  /// Whether something of its module launches kernels.
  bool isWithinProgram() const;

  std::string resultName(unsigned number) const;
  /// The type of a kernel, whose interface passes may change. Null for what keeps its interface.
  mlir::Attribute interface() const;
};

} // namespace tenon::reference

#endif // TENON_LIB_REFERENCE_RUNNABLEPARTS_H

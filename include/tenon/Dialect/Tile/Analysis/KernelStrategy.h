//===- KernelStrategy.h - What a group of ops can be compiled as ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A strategy says which ops are one kernel, what loops it is made of, which schedules it has and how it becomes code.
// Forming kernels, generalising sizes, selecting schedules and lowering ask the registry and know no strategy by name.
// A dialect extension, or a plugin, adds one:
//
//   registry.addExtension(+[](MLIRContext *, tile::TileDialect *dialect) { tile::addStrategy<MyStrategy>(dialect); });
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_ANALYSIS_KERNELSTRATEGY_H
#define TENON_DIALECT_TILE_ANALYSIS_KERNELSTRATEGY_H

#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"
#include "tenon/Dialect/Tile/Analysis/ScheduleSpace.h"

#include "mlir/IR/DialectInterface.h"

#include <memory>
#include <vector>

namespace tenon::tile {
/// A size that may become a symbol of the kernel: it helps no schedule.
struct FreeSize {
  mlir::Value tensor;
  int64_t dim;
};

class KernelStrategy {
public:
  virtual ~KernelStrategy() = default;

  /// A word for a person, as tests and remarks say it.
  virtual llvm::StringRef getName() const = 0;

  /// Whether the ops have what the strategy is for. Of several strategies the one that was added last counts.
  virtual bool suits(const OpGroup &group) const = 0;

  /// Whether ops that it suits may be one kernel; else `reason`, if there is one, is told why not, in words of the
  /// model.
  virtual bool accepts(const OpGroup &group, llvm::raw_ostream *reason) const = 0;

  /// The loops and the units of work of a kernel.
  virtual KernelStructure structureOf(const OpGroup &group) const = 0;

  /// The sizes that kernels which differ in nothing else may have as symbols, by what that costs.
  virtual llvm::SmallVector<FreeSize> freeSizesOf(const OpGroup &group, const KernelStructure &structure,
                                                  const FusionPrices &prices) const {
    return {};
  }

  /// Operands from outside of the group that programs may want in forms, where launches give them constants: kernels of
  /// which they are constant aren't those of which they aren't.
  virtual llvm::SmallVector<mlir::Value> formedOperandsOf(const OpGroup &group) const { return {}; }

  /// The schedules of a kernel on a target; null where it can't be compiled for it.
  virtual std::unique_ptr<ScheduleSpace> spaceOf(KernelOp kernel, TargetAttrInterface target) const = 0;

  /// About how many instructions a vector of the op's results takes.
  virtual int64_t estimateInstructions(mlir::Operation *op) const { return 1; }

  /// Writes the kernel's tile program in front of it, by a complete schedule.
  virtual mlir::LogicalResult build(KernelOp kernel, ScheduleAttr schedule) const = 0;

protected:
  /// False, after saying why.
  template <typename... Values> static bool refuse(llvm::raw_ostream *reason, const char *format, Values &&...values) {
    if (reason)
      *reason << llvm::formatv(format, std::forward<Values>(values)...);
    return false;
  }

  /// Whether the group is one op on what other kernels computed, with elementwise ops that read its result at their own
  /// place or don't read it; behind the transpose `turned`, if there is one.
  static bool acceptsEpilogue(const OpGroup &group, mlir::Operation *anchor, llvm::raw_ostream *reason,
                              mlir::Operation *turned = nullptr);
};

/// The strategies of a context.
class KernelStrategies : public mlir::DialectInterface::Base<KernelStrategies> {
public:
  explicit KernelStrategies(mlir::Dialect *dialect) : Base(dialect) {}

  static const KernelStrategies *of(mlir::MLIRContext *context);

  void add(std::unique_ptr<KernelStrategy> strategy) { strategies.push_back(std::move(strategy)); }

  /// All, in the order in which they are asked.
  auto all() const {
    return llvm::map_range(llvm::reverse(strategies),
                           [](const std::unique_ptr<KernelStrategy> &strategy) { return strategy.get(); });
  }
  /// The strategy for the ops, null where none suits.
  const KernelStrategy *find(const OpGroup &group) const;

private:
  std::vector<std::unique_ptr<KernelStrategy>> strategies;
};

/// Adds a strategy, which is asked before those that are there.
template <typename Strategy, typename... Arguments> void addStrategy(TileDialect *dialect, Arguments &&...arguments) {
  auto *strategies = dialect->getRegisteredInterface<KernelStrategies>();
  if (!strategies)
    strategies = &dialect->addInterface<KernelStrategies>();
  strategies->add(std::make_unique<Strategy>(std::forward<Arguments>(arguments)...));
}

/// The strategy for a kernel, null where none suits it.
const KernelStrategy *strategyOf(KernelOp kernel);

} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_ANALYSIS_KERNELSTRATEGY_H

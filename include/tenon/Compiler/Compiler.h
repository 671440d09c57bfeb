//===- Compiler.h - From a model to an artifact ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_COMPILER_H
#define TENON_COMPILER_COMPILER_H

#include "tenon/Dialect/Tile/IR/Accuracy.h"
#include "tenon/Dialect/Tile/IR/TileTargets.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Threading.h"

#include <functional>
#include <vector>

namespace mlir {
class PassManager;
} // namespace mlir

namespace tenon {

/// Where compilation ends: the artifact, or the IR of a level as text.
enum class Emit { import, graph, kernels, plans, tiles, loops, llvm, assembly, artifact };

/// Bytes that a cache holds if nothing else is said.
inline constexpr uint64_t kDefaultCacheLimit = uint64_t(8) << 30;

struct CompileOptions {
  /// One variant of the kernels each, in order of preference; the first one's prices of layouts count. A module that
  /// has variants is compiled for their targets: others are an error, none are those.
  llvm::SmallVector<tile::TargetAttrInterface> targets;
  /// What may be given up for speed; nothing: what the module says, or else `standard`.
  std::optional<tile::Accuracy> accuracy;
  /// Rules of `tenon-assign-devices`: which device runs which kernels. The CPU that runs the program runs all
  /// others.
  llvm::SmallVector<std::string> devices;
  /// Outputs that may be bound to the buffer of an input that they begin with, by name: caches.
  std::vector<std::pair<std::string, std::string>> aliases; ///< output, input
  /// Sizes of inputs that are fixed, by the names of their symbols.
  std::vector<std::pair<std::string, int64_t>> sizes;
  Emit emit = Emit::artifact;
  /// Remarks say why nodes are not in one kernel; no artifact is taken out of the cache then.
  bool explainFusion = false;
  /// The prebuilt runtime library that the artifact starts with.
  std::string runtimeLibrary;
  std::string modelName;
  /// A directory that keeps artifacts and the code of kernels for the next time (CompileCache.h); none if empty. What
  /// comes out of it is, byte for byte, what compiling would give.
  std::string cacheDirectory;
  uint64_t cacheLimit = kDefaultCacheLimit; ///< bytes
  /// Called when a stage begins, and as its parts are done where it has some (`total` is 0 otherwise): from
  /// any thread of the context, one call at a time.
  std::function<void(llvm::StringRef stage, size_t done, size_t total)> progress;
  /// Asked when a stage begins: whether to give up, without a diagnostic.
  std::function<bool()> isCancelled;
  /// Called with the pass manager of each stage: for instrumentation.
  std::function<mlir::LogicalResult(mlir::PassManager &)> preparePasses;
};

/// What compilation did.
struct CompileReport {
  struct Stage {
    std::string name;
    double seconds;
  };
  struct Kernel {
    std::string name, variant;
    int64_t instructions, codeBytes;
  };
  std::vector<Stage> stages;
  std::vector<Kernel> kernels;
  int64_t launches = 0, imageBytes = 0, constantBytes = 0;
  int64_t cachedKernels = 0;     ///< of `kernels`: those whose code comes from the cache
  bool isCachedArtifact = false; ///< the rest is empty then

  void print(llvm::raw_ostream &out) const;
};

/// The threads of a pool to compile with: as many as are wanted (0: one per core) and can start.
llvm::ThreadPoolStrategy threadsOf(unsigned wanted);

/// Whether the module's kernels are variants for some targets.
bool hasVariants(mlir::ModuleOp module);

/// Compiles a module of any level up to 3 on the threads of its context and writes `output`, which appears
/// whole or not at all. Errors are diagnostics.
mlir::LogicalResult compile(mlir::ModuleOp module, const CompileOptions &options, llvm::StringRef output,
                            CompileReport &report);

} // namespace tenon

#endif // TENON_COMPILER_COMPILER_H

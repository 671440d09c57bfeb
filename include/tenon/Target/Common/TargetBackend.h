//===- TargetBackend.h - From kernels in loops to code that can be loaded ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// What a folder of Target offers to the compiler, which names no family of targets. A folder says in its CMakeLists.txt
// that it has one (tenon_register_target).
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TARGET_COMMON_TARGETBACKEND_H
#define TENON_TARGET_COMMON_TARGETBACKEND_H

#include "tenon/Dialect/Tile/IR/TileTargets.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <vector>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace tenon {

/// What a module becomes: binary code, or text.
enum class CodeKind { object, assembly, llvmIR };

/// What time is spent for when compiling: code that runs fast, or code that is there fast. Straight-line code that only
/// calls gains nothing from scheduling, whose time grows with the square of a block's length.
enum class CodeGoal { speed, compileTime };

struct NamedModule {
  std::string name;
  mlir::ModuleOp module;
  CodeGoal goal = CodeGoal::speed;
};

/// A compiled module.
struct ObjectCode {
  std::string name;
  /// An object of the target, or text.
  llvm::SmallVector<char, 0> bytes;
  /// LLVM instructions before LLVM's passes: what compile time follows.
  int64_t instructions = 0;
  /// Bytes of machine code (objects only).
  int64_t codeBytes = 0;
};

/// What an artifact holds for a target, and what the loader maps or gives to a device.
struct Image {
  std::vector<char> bytes;
  /// Offsets of the global functions.
  llvm::StringMap<int64_t> entries;
};

class TargetBackend {
public:
  virtual ~TargetBackend() = default;

  /// Whether it makes code for the target.
  virtual bool takes(tile::TargetAttrInterface target) const = 0;
  /// The target that a host program is compiled for, whatever its kernels run on; null where none can run there.
  virtual tile::TargetAttrInterface getHostProgramTarget(mlir::MLIRContext *context) const { return {}; }

  /// From loops, a module per kernel, to what `compile` takes. Runs on such a module.
  virtual void buildPipeline(mlir::OpPassManager &pm) const = 0;
  /// Compiles modules on the threads of their context, in parallel where it allows that. The result's order is that of
  /// the modules. `finished` is called with the number of modules done, from any of the threads, one call at a time.
  /// Errors are diagnostics.
  virtual mlir::FailureOr<std::vector<ObjectCode>> compile(llvm::ArrayRef<NamedModule> modules,
                                                           tile::TargetAttrInterface target, CodeKind kind,
                                                           llvm::function_ref<void(size_t)> finished) const = 0;
  /// Links objects in their order.
  virtual llvm::Expected<Image> link(llvm::ArrayRef<ObjectCode> objects) const = 0;
  /// What the loader must find on a machine before it takes code for the target: names of features.
  virtual std::vector<std::string> getRequirements(tile::TargetAttrInterface target) const = 0;
};

} // namespace tenon

#endif // TENON_TARGET_COMMON_TARGETBACKEND_H

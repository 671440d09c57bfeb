//===- TargetFamily.h - Targets of one kind, by name ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// What a folder of Codegen offers to those who name no family: descriptions of targets by their names, passes. A folder
// says in its CMakeLists.txt that it has one (tenon_register_target); how its code becomes binary is in Target.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_TARGETFAMILY_H
#define TENON_CODEGEN_COMMON_TARGETFAMILY_H

#include "tenon/Dialect/Tile/IR/TileTargets.h"

#include "llvm/Support/Error.h"

namespace tenon::codegen {

class TargetFamily {
public:
  virtual ~TargetFamily() = default;

  /// Names of targets, the usual ones first.
  virtual llvm::SmallVector<llvm::StringRef> getTargetNames() const = 0;
  /// The target of that name: null if the family has none, an error where it can't be had on this machine.
  virtual llvm::Expected<tile::TargetAttrInterface> describe(mlir::MLIRContext *context,
                                                             llvm::StringRef name) const = 0;
  /// Registers what the family adds to dialects.
  virtual void registerExtensions(mlir::DialectRegistry &) const {}
  /// Registers the passes and pipelines of the family.
  virtual void registerPasses() const = 0;
};

} // namespace tenon::codegen

#endif // TENON_CODEGEN_COMMON_TARGETFAMILY_H

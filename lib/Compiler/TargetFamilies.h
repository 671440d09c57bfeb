//===- TargetFamilies.h - What is registered ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_COMPILER_TARGETFAMILIES_H
#define TENON_LIB_COMPILER_TARGETFAMILIES_H

#include "tenon/Codegen/Common/TargetFamily.h"
#include "tenon/Target/Common/TargetBackend.h"

namespace tenon {

/// All families of targets.
llvm::ArrayRef<std::unique_ptr<codegen::TargetFamily>> targetFamilies();
/// The backend that makes code for a target; null if there is none.
const TargetBackend *findBackend(tile::TargetAttrInterface target);
/// The one that makes code of host programs, and the target that it does so for.
std::pair<const TargetBackend *, tile::TargetAttrInterface> hostProgramBackend(mlir::MLIRContext *context);

} // namespace tenon

#endif // TENON_LIB_COMPILER_TARGETFAMILIES_H

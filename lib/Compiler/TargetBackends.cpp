//===- TargetBackends.cpp - The backends that there are ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetFamilies.h"

using namespace tenon;
using namespace tenon::tile;

namespace tenon {
#define TENON_TARGET(NAME) std::unique_ptr<TargetBackend> create##NAME##TargetBackend();
#include "tenon/Target/Backend.def"
#undef TENON_TARGET
} // namespace tenon

static llvm::ArrayRef<std::unique_ptr<TargetBackend>> targetBackends() {
  static const std::vector<std::unique_ptr<TargetBackend>> backends = [] {
    std::vector<std::unique_ptr<TargetBackend>> result;
#define TENON_TARGET(NAME) result.push_back(create##NAME##TargetBackend());
#include "tenon/Target/Backend.def"
#undef TENON_TARGET
    return result;
  }();
  return backends;
}

const TargetBackend *tenon::findBackend(TargetAttrInterface target) {
  for (const auto &backend : targetBackends())
    if (backend->takes(target))
      return backend.get();
  return nullptr;
}

std::pair<const TargetBackend *, TargetAttrInterface> tenon::hostProgramBackend(mlir::MLIRContext *context) {
  for (const auto &backend : targetBackends())
    if (TargetAttrInterface target = backend->getHostProgramTarget(context))
      return {backend.get(), target};
  return {};
}

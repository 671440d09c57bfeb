//===- Backend.cpp - Code for CPUs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompileModule.h"
#include "LinkImage.h"
#include "tenon/Codegen/CPU/Passes.h"
#include "tenon/Codegen/CPU/Targets.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
class CPUBackend : public TargetBackend {
public:
  bool takes(TargetAttrInterface target) const override { return isa<CPUTargetAttr>(target); }
  TargetAttrInterface getHostProgramTarget(MLIRContext *context) const override { return cpu::baselineTarget(context); }

  void buildPipeline(OpPassManager &pm) const override { cpu::buildKernelToLLVMPipeline(pm); }
  FailureOr<std::vector<ObjectCode>> compile(ArrayRef<NamedModule> modules, TargetAttrInterface target, CodeKind kind,
                                             function_ref<void(size_t)> finished) const override {
    return cpu::compileModules(modules, cast<CPUTargetAttr>(target), kind, finished);
  }
  llvm::Expected<Image> link(ArrayRef<ObjectCode> objects) const override { return cpu::linkImage(objects); }
  std::vector<std::string> getRequirements(TargetAttrInterface target) const override {
    SmallVector<StringRef> names = cast<CPUTargetAttr>(target).getFeatureNames();
    return {names.begin(), names.end()};
  }
};
} // namespace

namespace tenon {
std::unique_ptr<TargetBackend> createCPUTargetBackend() { return std::make_unique<CPUBackend>(); }
} // namespace tenon

//===- FormVariants.cpp - Make a variant of each kernel for each target ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Dialect/Tenon/Transforms/Resolve.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace tenon::codegen {
#define GEN_PASS_DEF_FORMVARIANTSPASS
#include "tenon/Codegen/Common/Passes.h.inc"
} // namespace tenon::codegen

namespace {
class FormVariantsPass : public codegen::impl::FormVariantsPassBase<FormVariantsPass> {
public:
  explicit FormVariantsPass(TargetResolver resolver) : resolver(std::move(resolver)) {}
  FormVariantsPass(const FormVariantsPass &other) : FormVariantsPassBase(other), resolver(other.resolver) {}

  void runOnOperation() override {
    SmallVector<SymbolOpInterface> kernels;
    for (auto op : getOperation().getOps<SymbolOpInterface>())
      if (isa<KernelOp>(op) || (isa<func::FuncOp>(op) && op->hasAttr(kKernelAttr)))
        kernels.push_back(op);
    if (kernels.empty())
      return;
    FailureOr<SmallVector<TargetAttrInterface>> found = resolve(getOperation(), resolver, &getContext(), targets);
    if (failed(found))
      return signalPassFailure();
    for (SymbolOpInterface kernel : kernels) {
      // A variant is a table of symbols of its own: it finds none outside.
      if (auto uses = SymbolTable::getSymbolUses(&kernel->getRegion(0)); !uses || !uses->empty()) {
        kernel->emitError() << "'" << kernel.getName() << "' is no kernel: it names other symbols";
        return signalPassFailure();
      }
      form(kernel, *found);
    }
  }

private:
  static void form(SymbolOpInterface kernel, ArrayRef<TargetAttrInterface> targets) {
    Location loc = kernel.getLoc();
    auto schedule = kernel->getAttrOfType<ScheduleAttr>(kScheduleAttr);
    kernel->removeAttr(kScheduleAttr);
    OpBuilder builder(kernel);
    auto variants = VariantsOp::create(builder, loc, kernel.getName());
    builder.createBlock(&variants.getBody());
    for (TargetAttrInterface target : targets) {
      OpBuilder::InsertionGuard guard(builder);
      auto variant = VariantOp::create(builder, loc, target.getName(), target, schedule);
      builder.createBlock(&variant.getBody());
      builder.clone(*kernel);
    }
    kernel->erase();
  }

  TargetResolver resolver;
};
} // namespace

std::unique_ptr<Pass> codegen::createFormVariantsPass(TargetResolver resolver) {
  return std::make_unique<FormVariantsPass>(std::move(resolver));
}

void codegen::registerCodegenPasses(const TargetResolver &resolver) {
  registerPass([resolver] { return createFormVariantsPass(resolver); });
  registerPass([] { return createSelectSchedulesPass(); });
  registerPass([] { return createBuildTilesPass(); });
  registerPass([] { return createLowerTilesPass(); });
  registerPass([] { return createExpandReportsPass(); });
}

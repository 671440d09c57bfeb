//===- PlanLaunch.cpp - What launches need before they run, and after errors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What most launches do without: they have their site's plan (Launch.cpp).
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Session.h"

#include <algorithm>
#include <string.h>

using namespace tenon::artifact;
using namespace tenon::runtime;

LaunchPlan tenon_session::planLaunch(uint32_t index, const int64_t *strides, const int64_t *kernelSymbols,
                                     int64_t *numbers) {
  LaunchSite &site = launchSites[index];
  uint32_t number = model->metadata.table<LaunchRecord>(Table::Launches)[index].kernel;
  const tenon_model::Kernel &kernel = model->kernels[number];
  const KernelRecord &record = model->metadata.table<KernelRecord>(Table::Kernels)[number];
  uint32_t symbolCount = 0, strideCount = 0;
  // Most plans of models whose sizes are known read no numbers that come with a launch.
  uint32_t count = evaluatePlan(kernel.plan, kernel.wordCount, {}, numbers);
  if (count == 0) {
    symbolCount = record.symbolCount;
    strideCount = record.strideCount;
    count = evaluatePlan(kernel.plan, kernel.wordCount, {kernelSymbols, strides, symbolCount, strideCount}, numbers);
  }
  // No plan has less than no grids, which are more than there are.
  LaunchPlan plan = {count - kPlanHead, numbers, kernel.grids};
  if (count == 0 || uint64_t(numbers[0]) > kernel.gridCount || plan.count > kernel.gridCount - uint32_t(numbers[0])) {
    abort(fail(TENON_ERROR_FORMAT, "the model's code does not fit its metadata"));
    return {};
  }
  plan.grids += numbers[0];
  site.plan.count = 0;
  if (symbolCount + strideCount > LaunchSite::mostInputs || plan.count > LaunchSite::mostGrids)
    return plan;
  site.symbolCount = symbolCount;
  site.strideCount = strideCount;
  memcpy(site.inputs, kernelSymbols, symbolCount * sizeof(int64_t));
  memcpy(site.inputs + symbolCount, strides, strideCount * sizeof(int64_t));
  memcpy(site.numbers, numbers, count * sizeof(int64_t));
  return site.plan = {plan.count, site.numbers, plan.grids};
}

int32_t tenon_session::reserveScratch(const LaunchPlan &plan, tenon_kernel_args &args) {
  // What all share lies behind the workers' own.
  auto inLines = [](int64_t bytes) { return (std::clamp<int64_t>(bytes, 0, INT64_MAX - 63) + 63) & ~int64_t(63); };
  int64_t stride = inLines(plan.workgroupBytes()), shared = inLines(plan.launchBytes()), own, total;
  if (__builtin_mul_overflow(stride, int64_t(threads), &own) || __builtin_add_overflow(own, shared, &total) ||
      !hold([&] { return scratch.reserve(total); }))
    return abort(noMemory(total, "storage of a kernel, %lld bytes for each of %d threads and %lld for all,",
                          (long long)stride, threads, (long long)shared));
  args.scratch = scratch.data();
  args.scratch_stride = stride;
  args.launch_scratch = static_cast<char *>(scratch.data()) + own;
  return 0;
}

int32_t tenon_session::reportLaunch(uint32_t index) {
  tenon_error_slot *first = nullptr;
  for (tenon_error_slot &slot : errorSlots)
    if (slot.code != 0 && (!first || slot.index < first->index))
      first = &slot;
  int32_t code = check(int32_t(index), first->code, first->value, first->limit);
  memset(errorSlots.data(), 0, errorSlots.size() * sizeof(tenon_error_slot));
  return code;
}

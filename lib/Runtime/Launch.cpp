//===- Launch.cpp - Running kernels ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a launch costs apart from its kernel is what models of small tensors are made of, so nothing is looked up here
// that can be kept with the launch's site.
//
//===----------------------------------------------------------------------===//

#include "Session.h"

#include <algorithm>

using namespace tenon::runtime;

namespace {
/// Pieces of a launch: enough to balance 64 threads, few enough that taking one costs nothing. Never depends
/// on the number of threads.
constexpr int64_t kMaxPieces = 256;
/// What one worker does alone and is worth at most so many wake-ups, some 30 us, is one piece: a call costs what all
/// units of a kernel share. Longer ones look between pieces whether the run was cancelled.
constexpr int64_t kWorthOfPieces = 64;

/// A launch in flight.
struct Launch {
  tenon_kernel_args args;
  tenon_session &session;
  std::atomic<bool> failed;
  // Of the grid that runs.
  tenon_kernel kernel;
  int64_t units, piece;

  TENON_CALLS_COMPILED_CODE void run(int64_t begin, int64_t end, int32_t worker) {
    if (session.isEnding())
      return;
    int32_t code = kernel(&args, begin, end, worker);
    if (code == 0) [[likely]]
      return;
    tenon_error_slot &slot = args.error[worker];
    if (slot.code == 0)
      slot = {code, args.launch, begin, 0, 0};
    failed.store(true, std::memory_order_relaxed);
  }

  static void runPiece(void *launch, int64_t index, int32_t worker) {
    Launch &self = *static_cast<Launch *>(launch);
    int64_t begin = index * self.piece, end = begin + self.piece;
    self.run(begin, end < self.units ? end : self.units, worker);
  }
};
} // namespace

int32_t tenon_session::launch(uint32_t index, void *const *buffers, const int64_t *strides,
                              const int64_t *kernelSymbols) {
  if (int32_t code = checkCancelled())
    return code;
  LaunchSite &site = launchSites[index];
  LaunchPlan plan = site.plan;
  int64_t numbers[tenon::artifact::kMaxPlanNumbers];
  if (plan.count == 0 || !site.isFor(kernelSymbols, strides)) {
    plan = planLaunch(index, strides, kernelSymbols, numbers);
    if (plan.count == 0)
      return -1;
  }
  Launch launch = {{buffers, strides, kernelSymbols, nullptr, 0, errorSlots.data(), index,
                    model->bound.data() + site.firstBinding, nullptr},
                   *this,
                   {false},
                   nullptr,
                   0,
                   0};
  bool hasUnits = false;
  for (uint32_t i = 0; i < plan.count; ++i)
    hasUnits |= plan.units()[i] > 0;
  // Who does nothing needs no memory, whatever the other sizes are.
  if (hasUnits && std::max(plan.workgroupBytes(), plan.launchBytes()) > 0)
    if (int32_t code = reserveScratch(plan, launch.args))
      return code;
  int64_t start = profiling ? nanoseconds() : 0;
  for (uint32_t i = 0; i < plan.count; ++i) {
    launch.kernel = plan.grids[i];
    launch.units = plan.units()[i];
    if (launch.units <= 0)
      continue;
    int64_t worth = plan.workers();
    if (launch.units == 1 || (worth <= kWorthOfPieces && (threads == 1 || worth <= 1))) {
      launch.run(0, launch.units, 0);
    } else {
      launch.piece = (launch.units - 1) / kMaxPieces + 1;
      int64_t pieces = launch.piece == 1 ? launch.units : (launch.units - 1) / launch.piece + 1;
      parallel(Launch::runPiece, &launch, pieces, worth);
    }
    if (launch.failed.load(std::memory_order_relaxed) || isCancelled.load(std::memory_order_relaxed))
      break;
  }
  if (profiling && hasUnits)
    profile[index].add(nanoseconds() - start);
  return launch.failed.load(std::memory_order_relaxed) ? reportLaunch(index) : checkCancelled();
}

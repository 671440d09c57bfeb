//===- TargetDescription.h - What code generation knows about a CPU ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TARGET_CPU_TARGETDESCRIPTION_H
#define TENON_TARGET_CPU_TARGETDESCRIPTION_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace tenon::cpu {

/// A kind of CPU. Everything that schedules and code depend on is here: two equal descriptions give equal code.
struct TargetDescription {
  std::string name;
  std::string triple;
  /// What LLVM schedules for; its features are among `features`.
  std::string cpu;
  /// LLVM's names, sorted; the runtime runs the code only where all are present.
  llvm::SmallVector<std::string> features;
  unsigned vectorBytes = 0;
  unsigned vectorRegisters = 0;
  /// Bytes per core; the last level as a whole.
  int64_t level1Bytes = 0, level2Bytes = 0, level3Bytes = 0;
  /// What a core does per cycle: vector multiply-adds, vector loads, bytes from the second-level cache.
  int64_t fmasPerCycle = 0, loadsPerCycle = 0, level2BytesPerCycle = 0;
  /// Cycles until a multiply-add is done.
  int64_t fmaLatency = 0;

  bool has(llvm::StringRef feature) const;
  /// For LLVM: "+avx,+avx2,...".
  std::string featureString() const;
};

/// The CPU of this machine, by CPUID: its name says nothing under virtualisation. An error when it lacks AVX2.
llvm::Expected<TargetDescription> hostTarget();
/// Any x86-64: what the host program is compiled for.
TargetDescription baselineTarget();
/// One of `host`, `avx2` (x86-64-v3), `avx512` (x86-64-v4).
llvm::Expected<TargetDescription> parseTarget(llvm::StringRef name);
/// A comma-separated list, in order of preference: the runtime takes the first that the CPU can run.
llvm::Expected<llvm::SmallVector<TargetDescription>> parseTargets(llvm::StringRef list);

} // namespace tenon::cpu

#endif // TENON_TARGET_CPU_TARGETDESCRIPTION_H

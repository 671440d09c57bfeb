//===- TargetDescription.cpp - What code generation knows about a CPU ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Target/CPU/TargetDescription.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/Host.h"

#include <unistd.h>

using namespace tenon::cpu;

namespace {
// x86-64 psABI, "Micro-Architecture Levels": v3 and v4 over v1.
constexpr const char *kLevel3[] = {"avx",   "avx2",   "bmi",  "bmi2", "cx16",   "f16c",   "fma",   "lzcnt",
                                   "movbe", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3", "xsave"};
constexpr const char *kLevel4[] = {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"};
// What schedules may use beyond the levels.
constexpr const char *kExtensions[] = {"amx-bf16",   "amx-int8",   "amx-tile",    "avx512bf16",
                                       "avx512vbmi", "avx512vnni", "avx512vbmi2", "avxvnni"};

TargetDescription level3() {
  TargetDescription target;
  target.name = "avx2";
  target.triple = "x86_64-unknown-linux-gnu";
  target.cpu = "x86-64-v3";
  target.features.assign(std::begin(kLevel3), std::end(kLevel3));
  target.vectorBytes = 32;
  target.vectorRegisters = 16;
  target.level1Bytes = 32 << 10;
  target.level2Bytes = 512 << 10;
  target.level3Bytes = 16 << 20;
  // Skylake to Sapphire Rapids and Zen 2 to 4 agree: Intel's Optimization Reference Manual, chapter 2; Agner Fog's
  // instruction tables. The second level gives about half of its 64 bytes where accesses vary.
  target.fmasPerCycle = 2;
  target.loadsPerCycle = 2;
  target.level2BytesPerCycle = 32;
  target.fmaLatency = 4;
  return target;
}

TargetDescription level4() {
  TargetDescription target = level3();
  target.name = "avx512";
  target.cpu = "x86-64-v4";
  target.features.append(std::begin(kLevel4), std::end(kLevel4));
  llvm::sort(target.features);
  target.vectorBytes = 64;
  target.vectorRegisters = 32;
  target.level2Bytes = 1 << 20;
  return target;
}

/// What the system says, or what was assumed.
void readCache(int name, int64_t &bytes) {
  if (long value = sysconf(name); value > 0)
    bytes = value;
}
} // namespace

bool TargetDescription::has(llvm::StringRef feature) const { return llvm::is_contained(features, feature); }

std::string TargetDescription::featureString() const {
  return llvm::join(llvm::map_range(features, [](const std::string &feature) { return "+" + feature; }), ",");
}

llvm::Expected<TargetDescription> tenon::cpu::hostTarget() {
  auto present = llvm::sys::getHostCPUFeatures();
  auto hasAll = [&](llvm::ArrayRef<const char *> names) {
    return llvm::all_of(names, [&](const char *name) { return present.lookup(name); });
  };
  if (!hasAll(kLevel3))
    return llvm::createStringError("this machine's CPU lacks features of x86-64-v3 (AVX2, FMA, ...)");
  TargetDescription target = hasAll(kLevel4) ? level4() : level3();
  target.name = "host";
  for (const char *name : kExtensions)
    if (present.lookup(name) && (target.vectorBytes == 64 || llvm::StringRef(name) == "avxvnni"))
      target.features.push_back(name);
  llvm::sort(target.features);
  readCache(_SC_LEVEL1_DCACHE_SIZE, target.level1Bytes);
  readCache(_SC_LEVEL2_CACHE_SIZE, target.level2Bytes);
  readCache(_SC_LEVEL3_CACHE_SIZE, target.level3Bytes);
  return target;
}

TargetDescription tenon::cpu::baselineTarget() {
  TargetDescription target = level3();
  target.name = "baseline";
  target.cpu = "x86-64";
  target.features.clear();
  target.vectorBytes = 16;
  return target;
}

llvm::Expected<TargetDescription> tenon::cpu::parseTarget(llvm::StringRef name) {
  if (name == "host")
    return hostTarget();
  if (name == "avx2" || name == "x86-64-v3")
    return level3();
  if (name == "avx512" || name == "x86-64-v4")
    return level4();
  return llvm::createStringError("unknown target '" + name + "', expected host, avx2 or avx512");
}

llvm::Expected<llvm::SmallVector<TargetDescription>> tenon::cpu::parseTargets(llvm::StringRef list) {
  llvm::SmallVector<TargetDescription> targets;
  llvm::SmallVector<llvm::StringRef> names;
  list.split(names, ',');
  for (llvm::StringRef name : names) {
    llvm::Expected<TargetDescription> target = parseTarget(name.trim());
    if (!target)
      return target.takeError();
    if (llvm::any_of(targets, [&](const TargetDescription &other) { return other.name == target->name; }))
      return llvm::createStringError("target '" + target->name + "' is listed twice");
    targets.push_back(std::move(*target));
  }
  return targets;
}

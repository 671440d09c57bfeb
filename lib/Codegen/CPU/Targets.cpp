//===- Targets.cpp - The CPUs that there is code for ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/CPU/Targets.h"

#include "Cores.h"
#include "Instructions.h"
#include "tenon/Codegen/CPU/Passes.h"

#include "llvm/TargetParser/Host.h"

#include <unistd.h>

using namespace mlir;
using namespace tenon;
using namespace tenon::cpu;
using namespace tenon::tile;

namespace {
// x86-64 psABI, "Micro-Architecture Levels": v3 and v4 over v1.
constexpr StringLiteral kLevel3[] = {"avx",   "avx2",   "bmi",  "bmi2", "cx16",   "f16c",   "fma",   "lzcnt",
                                     "movbe", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3", "xsave"};
constexpr StringLiteral kLevel4[] = {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"};
// What schedules may use beyond the levels.
constexpr StringLiteral kExtensions[] = {"amx-bf16",   "amx-int8",   "amx-tile",    "avx512bf16",
                                         "avx512vbmi", "avx512vnni", "avx512vbmi2", "avxvnni"};

/// What the parts of an attribute are made of, before they are one.
struct Description {
  std::string name;
  const Core *core;
  StringRef cpu;
  SmallVector<StringRef> features;
  int64_t vectorBytes;
  std::array<int64_t, 3> cacheBytes;

  /// A core with its features, or a level with those of all its cores.
  explicit Description(const Core &core)
      : name(core.name), core(&core), cpu(core.vectorBytes == 64 ? "x86-64-v4" : "x86-64-v3"),
        features(ArrayRef(kLevel3)), vectorBytes(core.vectorBytes) {
    if (core.vectorBytes == 64)
      llvm::append_range(features, kLevel4);
    llvm::append_range(features, core.extensions);
    for (auto [bytes, cache] : llvm::zip(cacheBytes, core.caches))
      bytes = cache.bytes;
  }

  CPUTargetAttr build(MLIRContext *context);

private:
  SmallVector<RateAttr> rates(MLIRContext *context);
};

/// Instructions that add products, of vectors of `bytes`, with what they need.
SmallVector<RateAttr> Description::rates(MLIRContext *context) {
  Builder b(context);
  Type f32 = b.getF32Type(), f64 = b.getF64Type(), bf16 = b.getBF16Type(), i32 = b.getI32Type(), i16 = b.getI16Type(),
       i8 = b.getI8Type(), i7 = b.getIntegerType(7);
  Type ui8 = b.getIntegerType(8, /*isSigned=*/false);
  int64_t sums = vectorBytes / 4;
  struct Known {
    StringLiteral name;
    int64_t m, n, k;
    Type lhs, rhs, sum;
    Rate rate;
    SmallVector<StringLiteral> needs; ///< one of them
  };
  const Known known[] = {
      {"x86.vfmadd231ps", 1, sums, 1, f32, f32, f32, core->multiplyAdd, {}},
      {"x86.vfmadd231pd", 1, sums / 2, 1, f64, f64, f64, core->multiplyAdd, {}},
      {"x86.vdpbf16ps", 1, sums, 2, bf16, bf16, f32, core->bf16, {"avx512bf16"}},
      {"x86.vpmaddwd", 1, sums, 2, i16, i16, i32, core->int16, {}},
      {"x86.vpmaddubsw", 1, sums, 4, ui8, i7, i32, core->int7, {"avx2"}},
      {"x86.vpdpbusd", 1, sums, 4, ui8, i8, i32, core->int8, {"avx512vnni", "avxvnni"}},
      {"x86.tdpbf16ps", 16, 16, 32, bf16, bf16, f32, core->amx, {"amx-bf16"}},
      {"x86.tdpbusd", 16, 16, 64, ui8, i8, i32, core->amx, {"amx-int8"}},
  };
  SmallVector<RateAttr> result;
  for (const Known &entry : known)
    if (entry.needs.empty() ||
        llvm::any_of(entry.needs, [&](StringRef need) { return llvm::is_contained(features, need); }))
      result.push_back(RateAttr::get(context, InstructionAttr::get(context, entry.name, entry.m, entry.n, entry.k),
                                     entry.lhs, entry.rhs, entry.sum, Number{entry.rate.perCycle}, entry.rate.latency));
  return result;
}

CPUTargetAttr Description::build(MLIRContext *context) {
  llvm::sort(features);
  SmallVector<MemoryLevelAttr> memories;
  for (auto [name, cache, bytes, isShared] : llvm::zip(std::array<StringRef, 3>{"L1", "L2", "L3"}, core->caches,
                                                       cacheBytes, std::array<bool, 3>{false, false, true}))
    memories.push_back(MemoryLevelAttr::get(context, name, bytes, Number{cache.bytesPerCycle}, isShared));
  std::string featureString =
      llvm::join(llvm::map_range(features, [](StringRef feature) { return ("+" + feature).str(); }), ",");
  return CPUTargetAttr::get(context, name, core->name, "x86_64-unknown-linux-gnu", cpu, featureString, vectorBytes,
                            vectorBytes == 64 ? 32 : 16, memories, rates(context), core->layouts, core->schedules,
                            core->launches);
}

/// What the system says, or what was assumed.
void readCache(int name, int64_t &bytes) {
  if (long value = sysconf(name); value > 0)
    bytes = value;
}

llvm::Expected<CPUTargetAttr> describeHost(MLIRContext *context) {
  auto present = llvm::sys::getHostCPUFeatures();
  auto hasAll = [&](auto &&names) { return llvm::all_of(names, [&](StringRef name) { return present.lookup(name); }); };
  if (!hasAll(kLevel3))
    return llvm::createStringError("this machine's CPU lacks features of x86-64-v3 (AVX2, FMA, ...)");
  // A virtual machine may call itself what it isn't: a core counts that has no more than what is there.
  const Core *core = findCore(llvm::sys::getHostCPUName());
  bool isWide = hasAll(kLevel4);
  if (!core || (core->vectorBytes == 64) != isWide)
    core = findCore(isWide ? "avx512" : "avx2");
  Description host(*core);
  host.name = "host";
  llvm::erase_if(host.features, [&](StringRef name) { return llvm::is_contained(core->extensions, name); });
  for (StringRef name : kExtensions)
    if (present.lookup(name) && (isWide || name == "avxvnni"))
      host.features.push_back(name);
  for (auto [name, bytes] :
       llvm::zip(std::array{_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE}, host.cacheBytes))
    readCache(name, bytes);
  return host.build(context);
}

class CPUFamily : public codegen::TargetFamily {
public:
  SmallVector<StringRef> getTargetNames() const override { return targetNames(); }
  llvm::Expected<TargetAttrInterface> describe(MLIRContext *context, StringRef name) const override {
    llvm::Expected<CPUTargetAttr> target = describeTarget(context, name);
    if (!target)
      return target.takeError();
    return *target ? TargetAttrInterface(*target) : TargetAttrInterface();
  }
  void registerExtensions(DialectRegistry &registry) const override { registerInstructions(registry); }
  void registerPasses() const override {
    registerCPUCodegenPasses();
    registerCPUCodegenPipelines();
  }
};
} // namespace

llvm::Expected<CPUTargetAttr> cpu::describeTarget(MLIRContext *context, StringRef name) {
  context->loadDialect<TileDialect>();
  if (name == "host")
    return describeHost(context);
  const Core *core = findCore(name);
  return core ? Description(*core).build(context) : CPUTargetAttr();
}

SmallVector<StringRef> cpu::targetNames() {
  SmallVector<StringRef> names = {"host"};
  for (const Core &core : cores())
    names.push_back(core.name);
  return names;
}

CPUTargetAttr cpu::baselineTarget(MLIRContext *context) {
  context->loadDialect<TileDialect>();
  Description target(*findCore("avx2"));
  target.name = "baseline";
  target.cpu = "x86-64";
  target.features.clear();
  target.vectorBytes = 16;
  return target.build(context);
}

std::unique_ptr<codegen::TargetFamily> tenon::createCPUTargetFamily() { return std::make_unique<CPUFamily>(); }

//===- CpuFeatures.cpp - What this CPU can do ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuFeatures.h"

#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>

namespace {
enum Register : uint8_t { EAX, EBX, ECX, EDX };
/// Register state that the operating system must save, as bits of XCR0.
enum State : uint8_t { None = 0, Ymm = 1, Zmm = 2, Tile = 3 };
constexpr uint64_t kStates[] = {0, 0x6, 0xe6, 0x60000};

/// Leaf 0x80000001.
constexpr uint8_t kExtended = 0x81;

struct Feature {
  uint8_t leaf, subleaf : 1, reg : 2, : 1, state : 4, bit;
};

// Intel SDM volume 2A, CPUID; names as in LLVM's X86.td.
#define TENON_X86_FEATURES(F)                                                                                          \
  F("sse3", 1, 0, ECX, None, 0)                                                                                        \
  F("pclmul", 1, 0, ECX, None, 1)                                                                                      \
  F("ssse3", 1, 0, ECX, None, 9)                                                                                       \
  F("fma", 1, 0, ECX, Ymm, 12)                                                                                         \
  F("cx16", 1, 0, ECX, None, 13)                                                                                       \
  F("sse4.1", 1, 0, ECX, None, 19)                                                                                     \
  F("sse4.2", 1, 0, ECX, None, 20)                                                                                     \
  F("movbe", 1, 0, ECX, None, 22)                                                                                      \
  F("popcnt", 1, 0, ECX, None, 23)                                                                                     \
  F("aes", 1, 0, ECX, None, 25)                                                                                        \
  F("xsave", 1, 0, ECX, None, 26)                                                                                      \
  F("avx", 1, 0, ECX, Ymm, 28)                                                                                         \
  F("f16c", 1, 0, ECX, Ymm, 29)                                                                                        \
  F("rdrnd", 1, 0, ECX, None, 30)                                                                                      \
  F("fsgsbase", 7, 0, EBX, None, 0)                                                                                    \
  F("bmi", 7, 0, EBX, None, 3)                                                                                         \
  F("avx2", 7, 0, EBX, Ymm, 5)                                                                                         \
  F("bmi2", 7, 0, EBX, None, 8)                                                                                        \
  F("avx512f", 7, 0, EBX, Zmm, 16)                                                                                     \
  F("avx512dq", 7, 0, EBX, Zmm, 17)                                                                                    \
  F("rdseed", 7, 0, EBX, None, 18)                                                                                     \
  F("adx", 7, 0, EBX, None, 19)                                                                                        \
  F("avx512ifma", 7, 0, EBX, Zmm, 21)                                                                                  \
  F("avx512cd", 7, 0, EBX, Zmm, 28)                                                                                    \
  F("sha", 7, 0, EBX, None, 29)                                                                                        \
  F("avx512bw", 7, 0, EBX, Zmm, 30)                                                                                    \
  F("avx512vl", 7, 0, EBX, Zmm, 31)                                                                                    \
  F("avx512vbmi", 7, 0, ECX, Zmm, 1)                                                                                   \
  F("avx512vbmi2", 7, 0, ECX, Zmm, 6)                                                                                  \
  F("gfni", 7, 0, ECX, None, 8)                                                                                        \
  F("vaes", 7, 0, ECX, Ymm, 9)                                                                                         \
  F("vpclmulqdq", 7, 0, ECX, Ymm, 10)                                                                                  \
  F("avx512vnni", 7, 0, ECX, Zmm, 11)                                                                                  \
  F("avx512bitalg", 7, 0, ECX, Zmm, 12)                                                                                \
  F("avx512vpopcntdq", 7, 0, ECX, Zmm, 14)                                                                             \
  F("amx-bf16", 7, 0, EDX, Tile, 22)                                                                                   \
  F("avx512fp16", 7, 0, EDX, Zmm, 23)                                                                                  \
  F("amx-tile", 7, 0, EDX, Tile, 24)                                                                                   \
  F("amx-int8", 7, 0, EDX, Tile, 25)                                                                                   \
  F("avxvnni", 7, 1, EAX, Ymm, 4)                                                                                      \
  F("avx512bf16", 7, 1, EAX, Zmm, 5)                                                                                   \
  F("amx-fp16", 7, 1, EAX, Tile, 21)                                                                                   \
  F("avxvnniint8", 7, 1, EDX, Ymm, 4)                                                                                  \
  F("sahf", kExtended, 0, ECX, None, 0)                                                                                \
  F("lzcnt", kExtended, 0, ECX, None, 5)                                                                               \
  F("prfchw", kExtended, 0, ECX, None, 8)

#define TENON_NAME(name, leaf, subleaf, reg, state, bit) name "\0"
constexpr char kNames[] = TENON_X86_FEATURES(TENON_NAME); // one after the other, then an empty one
#define TENON_FEATURE(name, leaf, subleaf, reg, state, bit) {leaf, subleaf, reg, state, bit},
constexpr Feature kFeatures[] = {TENON_X86_FEATURES(TENON_FEATURE)};
// Part of every x86-64.
constexpr char kBaseline[][8] = {"64bit", "cmov", "cx8", "fxsr", "mmx", "sse", "sse2", "x87"};

uint64_t enabledStates() {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1))
    return 0;
  asm volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return uint64_t(d) << 32 | a;
}

/// Linux lends tile registers to processes that ask (Documentation/arch/x86/xstate.rst).
bool requestTiles() { return syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18) == 0; }
} // namespace

bool tenon::runtime::cpuHas(const char *feature) {
  for (const char *name : kBaseline)
    if (strcmp(name, feature) == 0)
      return true;
  const char *name = kNames;
  for (Feature f : kFeatures) {
    bool isIt = strcmp(name, feature) == 0;
    name += strlen(name) + 1;
    if (!isIt)
      continue;
    uint32_t registers[4];
    uint32_t leaf = f.leaf == kExtended ? 0x80000001 : f.leaf;
    if (!__get_cpuid_count(leaf, f.subleaf, &registers[0], &registers[1], &registers[2], &registers[3]))
      return false;
    if (!(registers[f.reg] >> f.bit & 1) || (enabledStates() & kStates[f.state]) != kStates[f.state])
      return false;
    return f.state != Tile || requestTiles();
  }
  return false;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

bool tenon::runtime::cpuHas(const char *feature) {
  struct Feature {
    char name[12];
    uint8_t word, bit;
  };
  // arch/arm64/include/uapi/asm/hwcap.h; names as in LLVM's AArch64Features.td.
  static constexpr Feature features[] = {
      {"fp-armv8", 0, 0}, {"neon", 0, 1}, {"crc", 0, 7},      {"lse", 0, 8},  {"fullfp16", 0, 9}, {"rdm", 0, 12},
      {"dotprod", 0, 20}, {"sve", 0, 22}, {"fp16fml", 0, 23}, {"sve2", 1, 1}, {"i8mm", 1, 13},    {"bf16", 1, 14},
  };
  for (const Feature &f : features)
    if (strcmp(f.name, feature) == 0)
      return getauxval(f.word == 0 ? AT_HWCAP : AT_HWCAP2) >> f.bit & 1;
  return false;
}
#else
bool tenon::runtime::cpuHas(const char *) { return false; }
#endif

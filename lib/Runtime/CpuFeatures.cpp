//===- CpuFeatures.cpp
//--------------------------------------------------------------------------------------===//

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

struct Feature {
  char name[16];
  uint32_t leaf;
  uint8_t subleaf, reg, bit, state;
};

// Intel SDM volume 2A, CPUID; names as in LLVM's X86.td.
constexpr Feature kFeatures[] = {
    {"sse3", 1, 0, ECX, 0, None},
    {"pclmul", 1, 0, ECX, 1, None},
    {"ssse3", 1, 0, ECX, 9, None},
    {"fma", 1, 0, ECX, 12, Ymm},
    {"cx16", 1, 0, ECX, 13, None},
    {"sse4.1", 1, 0, ECX, 19, None},
    {"sse4.2", 1, 0, ECX, 20, None},
    {"movbe", 1, 0, ECX, 22, None},
    {"popcnt", 1, 0, ECX, 23, None},
    {"aes", 1, 0, ECX, 25, None},
    {"xsave", 1, 0, ECX, 26, None},
    {"avx", 1, 0, ECX, 28, Ymm},
    {"f16c", 1, 0, ECX, 29, Ymm},
    {"rdrnd", 1, 0, ECX, 30, None},
    {"fsgsbase", 7, 0, EBX, 0, None},
    {"bmi", 7, 0, EBX, 3, None},
    {"avx2", 7, 0, EBX, 5, Ymm},
    {"bmi2", 7, 0, EBX, 8, None},
    {"avx512f", 7, 0, EBX, 16, Zmm},
    {"avx512dq", 7, 0, EBX, 17, Zmm},
    {"rdseed", 7, 0, EBX, 18, None},
    {"adx", 7, 0, EBX, 19, None},
    {"avx512ifma", 7, 0, EBX, 21, Zmm},
    {"avx512cd", 7, 0, EBX, 28, Zmm},
    {"sha", 7, 0, EBX, 29, None},
    {"avx512bw", 7, 0, EBX, 30, Zmm},
    {"avx512vl", 7, 0, EBX, 31, Zmm},
    {"avx512vbmi", 7, 0, ECX, 1, Zmm},
    {"avx512vbmi2", 7, 0, ECX, 6, Zmm},
    {"gfni", 7, 0, ECX, 8, None},
    {"vaes", 7, 0, ECX, 9, Ymm},
    {"vpclmulqdq", 7, 0, ECX, 10, Ymm},
    {"avx512vnni", 7, 0, ECX, 11, Zmm},
    {"avx512bitalg", 7, 0, ECX, 12, Zmm},
    {"avx512vpopcntdq", 7, 0, ECX, 14, Zmm},
    {"amx-bf16", 7, 0, EDX, 22, Tile},
    {"avx512fp16", 7, 0, EDX, 23, Zmm},
    {"amx-tile", 7, 0, EDX, 24, Tile},
    {"amx-int8", 7, 0, EDX, 25, Tile},
    {"avxvnni", 7, 1, EAX, 4, Ymm},
    {"avx512bf16", 7, 1, EAX, 5, Zmm},
    {"amx-fp16", 7, 1, EAX, 21, Tile},
    {"avxvnniint8", 7, 1, EDX, 4, Ymm},
    {"sahf", 0x80000001, 0, ECX, 0, None},
    {"lzcnt", 0x80000001, 0, ECX, 5, None},
    {"prfchw", 0x80000001, 0, ECX, 8, None},
};
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
  for (const Feature &f : kFeatures) {
    if (strcmp(f.name, feature) != 0)
      continue;
    uint32_t registers[4];
    if (!__get_cpuid_count(f.leaf, f.subleaf, &registers[0], &registers[1], &registers[2], &registers[3]))
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
      {"fp-armv8", 0, 0}, {"neon", 0, 1}, {"crc", 0, 7},      {"lse", 0, 8},
      {"fullfp16", 0, 9}, {"rdm", 0, 12}, {"dotprod", 0, 20}, {"sve", 0, 22},
      {"fp16fml", 0, 23}, {"sve2", 1, 1}, {"i8mm", 1, 13},    {"bf16", 1, 14},
  };
  for (const Feature &f : features)
    if (strcmp(f.name, feature) == 0)
      return getauxval(f.word == 0 ? AT_HWCAP : AT_HWCAP2) >> f.bit & 1;
  return false;
}
#else
bool tenon::runtime::cpuHas(const char *) { return false; }
#endif

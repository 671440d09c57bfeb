//===- Cores.cpp - What is known of x86-64 cores ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cores.h"

using namespace tenon;
using namespace tenon::cpu;

// Measured on Sapphire Rapids with AVX2: docs/decisions/0005-layouts.md and 0008-windows-in-register-tiles.md.
static constexpr LayoutPrices kLayouts = {.multiplyFirst = 0.025,
                                          .multiplyLast = 0.021,
                                          .gatherFirst = 0.36,
                                          .partLast = 1,
                                          .tapFirst = 0.25,
                                          .tapLast = 0.09,
                                          .plainTap = 1,
                                          .toLast = 0.35,
                                          .toFirst = 0.5,
                                          .turned = 0.15,
                                          .copied = 0.3,
                                          .columns = 16,
                                          .border = 1.125};
// Measured on Sapphire Rapids and Zen 3: docs/performance/models.md.
static constexpr tile::SchedulePrices kSchedules = {.loadsPerCycle = 2,
                                                    .instructionsPerCycle = 2,
                                                    .turnCycles = 8,
                                                    .manyInstructions = 16,
                                                    .tileCycles = 0.01,
                                                    .depthBlock = 768,
                                                    .turnSize = 12,
                                                    .wideRows = 2,
                                                    .fetchRows = 32,
                                                    .unitRows = 96,
                                                    .unitColumns = 32};

// Measured on Zen 5 by benchmarks/prices.py, but for the last three.
static constexpr LayoutPrices kZen5Layouts = {.multiplyFirst = 0.0083,
                                              .multiplyLast = 0.0074,
                                              .gatherFirst = 0.17,
                                              .partLast = 0.14,
                                              .tapFirst = 0.076,
                                              .tapLast = 0.03,
                                              .plainTap = 0.3,
                                              .toLast = 0.07,
                                              .toFirst = 0.073,
                                              .turned = 0.1,
                                              .copied = 0.07,
                                              .columns = 16,
                                              .border = 1.125};

// Measured on Zen 4 by benchmarks/prices.py, medians of twelve runs, but for the last three.
static constexpr LayoutPrices kZen4Layouts = {.multiplyFirst = 0.019,
                                              .multiplyLast = 0.017,
                                              .gatherFirst = 0.29,
                                              .partLast = 0.22,
                                              .tapFirst = 0.11,
                                              .tapLast = 0.057,
                                              .plainTap = 0.32,
                                              .toLast = 0.1,
                                              .toFirst = 0.1,
                                              .turned = 0.15,
                                              .copied = 0.1,
                                              .columns = 16,
                                              .border = 1.125};

// Measured on Zen 3 by benchmarks/prices.py, medians of twelve runs, but for the last three.
static constexpr LayoutPrices kZen3Layouts = {.multiplyFirst = 0.022,
                                              .multiplyLast = 0.02,
                                              .gatherFirst = 0.4,
                                              .partLast = 0.65,
                                              .tapFirst = 0.2,
                                              .tapLast = 0.087,
                                              .plainTap = 0.32,
                                              .toLast = 0.14,
                                              .toFirst = 0.15,
                                              .turned = 0.14,
                                              .copied = 0.14,
                                              .columns = 16,
                                              .border = 1.125};

/// Contractions reach 149 GFLOP/s with AVX-512 where they reach 90 with AVX2 (docs/performance/models.md,
/// Contractions).
static constexpr LayoutPrices withAVX512(LayoutPrices prices) {
  prices.multiplyFirst *= 90.0 / 149;
  prices.multiplyLast *= 90.0 / 149;
  return prices;
}

static constexpr tile::SchedulePrices withLoads(tile::SchedulePrices prices, double loadsPerCycle) {
  prices.loadsPerCycle = loadsPerCycle;
  return prices;
}

llvm::ArrayRef<Core> tenon::cpu::cores() {
  // What levels say is what Skylake to Sapphire Rapids and Zen 2 to 4 agree on: Intel's Optimization Reference Manual,
  // chapter 2; Agner Fog's instruction tables. The second level gives about half of its 64 bytes where accesses vary.
  static const std::vector<Core> cores = {
      {.name = "avx2",
       .aliases = {"x86-64-v3"},
       .vectorBytes = 32,
       .extensions = {},
       .caches = {{{32 << 10, 64}, {512 << 10, 32}, {16 << 20, 10}}},
       .layouts = kLayouts,
       .schedules = kSchedules},
      {.name = "avx512",
       .aliases = {"x86-64-v4"},
       .vectorBytes = 64,
       .extensions = {},
       .caches = {{{32 << 10, 128}, {1 << 20, 32}, {16 << 20, 10}}},
       .layouts = kLayouts,
       .schedules = kSchedules},
      // Zen 3: rates and memories as measured, 1.95 multiply-adds per cycle of 4.1 cycles, 63, 31 and 21 bytes per
      // cycle.
      {.name = "znver3",
       .aliases = {},
       .vectorBytes = 32,
       .extensions = {},
       .caches = {{{32 << 10, 64}, {512 << 10, 32}, {32 << 20, 20}}},
       .layouts = kZen3Layouts,
       .schedules = kSchedules},
      // Measured: two multiply-adds per cycle, as many of 8-bit integers, half a one of bf16, and a product of AMX in
      // 16; 108, 49 and 8.3 bytes per cycle.
      {.name = "sapphirerapids",
       .aliases = {"emeraldrapids"},
       .vectorBytes = 64,
       .extensions = {"amx-bf16", "amx-int8", "amx-tile", "avx512bf16", "avx512vbmi", "avx512vnni", "avx512vbmi2",
                      "avxvnni"},
       .caches = {{{48 << 10, 108}, {2 << 20, 49}, {64 << 20, 8.3}}},
       .multiplyAdd = {2, 4},
       .bf16 = {0.5, 8},
       .int8 = {2, 5},
       .amx = {1.0 / 16, 52},
       .layouts = withAVX512(kLayouts),
       .schedules = kSchedules},
      // Measured: 1.00 multiply-adds per cycle of 4.0 cycles (its peak is that of AVX2), as many of 8-bit integers, and
      // of bf16 of 6.0 cycles; 0.73 pairs and 0.50 runs of four by several instructions; 60, 32 and 19 to 27 bytes per
      // cycle.
      {.name = "znver4",
       .aliases = {},
       .vectorBytes = 64,
       .extensions = {"avx512bf16", "avx512vbmi", "avx512vnni", "avx512vbmi2"},
       .caches = {{{32 << 10, 64}, {1 << 20, 32}, {32 << 20, 20}}},
       .multiplyAdd = {1, 4},
       .bf16 = {1, 6},
       .int8 = {1, 4},
       .int16 = {0.73, 1},
       .int7 = {0.5, 1},
       .layouts = kZen4Layouts,
       .schedules = withLoads(kSchedules, 1)},
      // Measured: 1.99 multiply-adds per cycle of 4.0 cycles, 2.0 of 8-bit integers, 1.98 of bf16 of 6.1 cycles; 131,
      // 50 and 24 bytes per cycle.
      {.name = "znver5",
       .aliases = {},
       .vectorBytes = 64,
       .extensions = {"avx512bf16", "avx512vbmi", "avx512vnni", "avx512vbmi2", "avxvnni"},
       .caches = {{{48 << 10, 128}, {1 << 20, 50}, {32 << 20, 24}}},
       .multiplyAdd = {2, 4},
       .bf16 = {2, 6},
       .int8 = {2, 4},
       .layouts = kZen5Layouts,
       .schedules = kSchedules},
  };
  return cores;
}

const Core *tenon::cpu::findCore(llvm::StringRef name) {
  auto isCalled = [&](const Core &core) { return core.name == name || llvm::is_contained(core.aliases, name); };
  auto found = llvm::find_if(cores(), isCalled);
  return found == cores().end() ? nullptr : found;
}

//===- Cores.h - What is known of x86-64 cores ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_CPU_CORES_H
#define TENON_LIB_CODEGEN_CPU_CORES_H

#include "tenon/Dialect/Tile/IR/TileTargets.h"

#include <array>
#include <vector>

namespace tenon::cpu {

/// Of instructions, per cycle, and cycles until the result is there.
struct Rate {
  double perCycle;
  int64_t latency;
};

/// As `#tenon_tile.memory_level` has it.
struct Cache {
  int64_t bytes;
  double bytesPerCycle;
};

/// What `#tenon_tile.cpu` says of a core, or of a level of the instruction set for cores that aren't known.
struct Core {
  llvm::StringLiteral name;
  std::vector<llvm::StringLiteral> aliases; ///< cores that are alike, by LLVM's names
  int64_t vectorBytes;
  std::vector<llvm::StringLiteral> extensions; ///< of the features beyond the level, those that schedules may use
  std::array<Cache, 3> caches;
  Rate multiplyAdd = {2, 4}, bf16 = {1, 6}, int8 = {2, 5}, amx = {1.0 / 16, 52};
  Rate int16 = {1.5, 1}; ///< of pairs, by two instructions, of which a sum waits for the addition alone
  Rate int7 = {0.9, 1};  ///< of runs of four with numbers of 7 bits, by three instructions
  LayoutPrices layouts;
  tile::SchedulePrices schedules;
  tile::LaunchPrices launches = {};
};

/// All of them, the levels first.
llvm::ArrayRef<Core> cores();
/// By its name or an alias; null if there is none.
const Core *findCore(llvm::StringRef name);

} // namespace tenon::cpu

#endif // TENON_LIB_CODEGEN_CPU_CORES_H

//===- ArtifactFuzzer.cpp - Whether any bytes make the runtime crash when it opens or runs them ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactMutator.h"

#include <algorithm>
#include <cstdint>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string artifact(reinterpret_cast<const char *>(data), size);
  tenon::inspectArtifact(artifact);
  tenon::removeCode(artifact);
  tenon::inspectArtifact(artifact, /*runs=*/true);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  std::minstd_rand random(seed);
  if (random() % 4 == 0)
    size = LLVMFuzzerMutate(data, size, maxSize);
  std::string mutated = tenon::mutateArtifact(std::string(reinterpret_cast<char *>(data), size), random);
  if (random() % 2 == 0)
    tenon::repairChecksums(mutated);
  if (mutated.size() > maxSize)
    return size;
  std::copy(mutated.begin(), mutated.end(), data);
  return mutated.size();
}

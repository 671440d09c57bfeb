//===- Memory.cpp - Memory of tile programs, and who wrote it ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Memory.h"

using namespace tenon::reference;

std::optional<int64_t> Access::placeOf(llvm::ArrayRef<int64_t> at) const {
  llvm::SmallVector<int64_t, 6> place(coordinates.begin(), coordinates.end());
  for (const Gathered &one : gathered)
    place[one.dim] = one.values[at[gatheredAlong]];
  for (auto [i, dim, step] : llvm::zip(at, dims, steps))
    if (gathered.empty() || gathered.front().dim != dim)
      place[dim] += i * step;
  int64_t result = buffer->offset;
  for (auto [coordinate, size, stride] : llvm::zip(place, buffer->sizes, buffer->strides)) {
    if (coordinate < 0 || coordinate >= size)
      return std::nullopt;
    result += coordinate * stride;
  }
  return result;
}

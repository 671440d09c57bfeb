//===- CopyStrided.cpp - Strided copies of n dimensions ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CopyStrided.h"

#include <string.h>

using namespace tenon::runtime;

bool StridedCopy::prepare(void *dst, const int64_t *dstStrides, const void *src, const int64_t *srcStrides,
                          const int64_t *sizes, int64_t rank, int64_t elemBytes) {
  this->dst = static_cast<char *>(dst);
  this->src = static_cast<const char *>(src);
  this->elemBytes = elemBytes;
  this->rank = 0;
  for (int64_t i = 0; i < rank; ++i) {
    if (sizes[i] <= 0)
      return false;
    if (sizes[i] == 1)
      continue;
    int64_t d = dstStrides[i] * elemBytes, s = srcStrides[i] * elemBytes, r = this->rank;
    if (r != 0 && this->dstStrides[r - 1] == d * sizes[i] && this->srcStrides[r - 1] == s * sizes[i]) {
      this->sizes[r - 1] *= sizes[i];
      --r;
    } else {
      this->sizes[r] = sizes[i];
    }
    this->dstStrides[r] = d;
    this->srcStrides[r] = s;
    this->rank = r + 1;
  }
  if (this->rank == 0) {
    this->sizes[0] = 1;
    this->dstStrides[0] = this->srcStrides[0] = elemBytes;
    this->rank = 1;
  }
  return true;
}

int64_t StridedCopy::bytes() const {
  int64_t total = elemBytes;
  for (int64_t i = 0; i < rank; ++i)
    total *= sizes[i];
  return total;
}

int64_t StridedCopy::rowsPerPiece() const {
  // To begin a piece takes as long as half a kilobyte of it, to wake a thread longer.
  constexpr uint64_t leastBytes = 1 << 18;
  uint64_t pieces = uint64_t(bytes()) / leastBytes + 1;
  return int64_t((uint64_t(sizes[0]) - 1) / pieces) + 1;
}

namespace {
/// Bytes from `dst` on become those of `eight`, over and over.
[[gnu::noinline]] void fillRow(char *dst, int64_t bytes, uint64_t eight) {
  constexpr int64_t lineBytes = 128;
  if (eight % 256 * (~uint64_t(0) / 255) == eight) {
    memset(dst, int(eight % 256), size_t(bytes));
    return;
  }
  uint64_t line[lineBytes / 8];
  for (uint64_t &part : line)
    part = eight;
  for (; bytes >= lineBytes; bytes -= lineBytes, dst += lineBytes)
    memcpy(dst, line, lineBytes);
  memcpy(dst, line, size_t(bytes));
}

template <typename T> void copyElements(char *dst, int64_t d, const char *src, int64_t s, int64_t count) {
  constexpr int64_t few = 64;
  if (s == 0 && d == int64_t(sizeof(T)) && count * d >= few) {
    // One value for a whole row, as borders are written.
    T value;
    memcpy(&value, src, sizeof(T));
    return fillRow(dst, count * d, ~uint64_t(0) / T(-1) * value);
  }
  // Four at a time: else the steps from one to the next are what takes time.
  for (; count >= 4; count -= 4, dst += 4 * d, src += 4 * s) {
    memcpy(dst, src, sizeof(T));
    memcpy(dst + d, src + s, sizeof(T));
    memcpy(dst + 2 * d, src + 2 * s, sizeof(T));
    memcpy(dst + 3 * d, src + 3 * s, sizeof(T));
  }
  for (; count > 0; --count, dst += d, src += s)
    memcpy(dst, src, sizeof(T));
}

void copyRow(char *dst, int64_t d, const char *src, int64_t s, int64_t count, int64_t elemBytes) {
  if (d == elemBytes && s == elemBytes) {
    memcpy(dst, src, size_t(count * elemBytes));
    return;
  }
  switch (elemBytes) {
  case 1:
    return copyElements<uint8_t>(dst, d, src, s, count);
  case 2:
    return copyElements<uint16_t>(dst, d, src, s, count);
  case 4:
    return copyElements<uint32_t>(dst, d, src, s, count);
  case 8:
    return copyElements<uint64_t>(dst, d, src, s, count);
  default:
    for (; count > 0; --count, dst += d, src += s)
      memcpy(dst, src, size_t(elemBytes));
  }
}
} // namespace

void StridedCopy::run(int64_t begin, int64_t end) const {
  char *to = dst + begin * dstStrides[0];
  const char *from = src + begin * srcStrides[0];
  if (rank == 1)
    return copyRow(to, dstStrides[0], from, srcStrides[0], end - begin, elemBytes);
  int64_t position[kMaxRank] = {};
  int64_t inner = rank - 1;
  for (;;) {
    copyRow(to, dstStrides[inner], from, srcStrides[inner], sizes[inner], elemBytes);
    int64_t i = inner - 1;
    for (; i >= 0; --i) {
      to += dstStrides[i];
      from += srcStrides[i];
      if (++position[i] < (i == 0 ? end - begin : sizes[i]))
        break;
      to -= position[i] * dstStrides[i];
      from -= position[i] * srcStrides[i];
      position[i] = 0;
    }
    if (i < 0)
      return;
  }
}

//===- CopyStrided.h - N-d strided copies ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_RUNTIME_COPYSTRIDED_H
#define TENON_LIB_RUNTIME_COPYSTRIDED_H

#include <stdint.h>

namespace tenon::runtime {

inline constexpr int64_t kMaxRank = 64;

/// A copy with its dimensions merged where both sides allow; strides in bytes, innermost dimension last.
struct StridedCopy {
  char *dst;
  const char *src;
  int64_t rank, elemBytes;
  int64_t sizes[kMaxRank], dstStrides[kMaxRank], srcStrides[kMaxRank];

  /// Strides in elements. False when there is nothing to copy.
  bool prepare(void *dst, const int64_t *dstStrides, const void *src, const int64_t *srcStrides, const int64_t *sizes,
               int64_t rank, int64_t elemBytes);
  int64_t bytes() const;
  /// Of the pieces that threads share: all of them where one thread is best.
  int64_t rowsPerPiece() const;
  /// Rows [begin, end) of the outermost dimension.
  void run(int64_t begin, int64_t end) const;
};

} // namespace tenon::runtime

#endif

//===- Memory.h - Arrays and buffers without the C++ library ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_RUNTIME_MEMORY_H
#define TENON_LIB_RUNTIME_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

namespace tenon::runtime {

/// A fixed number of zero-initialised plain values.
template <typename T> class Array {
public:
  Array() = default;
  Array(const Array &) = delete;
  Array &operator=(const Array &) = delete;
  ~Array() { free(first); }

  /// False when out of memory. What was held is lost.
  [[nodiscard]] bool allocate(size_t count) {
    free(first);
    first = static_cast<T *>(calloc(count != 0 ? count : 1, sizeof(T)));
    length = first ? count : 0;
    return first != nullptr;
  }
  T &operator[](size_t i) { return first[i]; }
  const T &operator[](size_t i) const { return first[i]; }
  T *data() { return first; }
  const T *data() const { return first; }
  size_t size() const { return length; }
  T *begin() { return first; }
  T *end() { return first + length; }

private:
  T *first = nullptr;
  size_t length = 0;
};

/// What a session holds, and how much it may hold, in bytes.
struct Account {
  int64_t held = 0;
  int64_t limit = INT64_MAX;
  bool isOverLimit = false; ///< the last request that failed was one too many, not more than the system has
  int64_t refused = 0;      ///< its bytes

  /// False when it would be too much.
  [[nodiscard]] bool take(int64_t bytes) {
    isOverLimit = bytes > limit - held;
    if (isOverLimit)
      refused = bytes;
    else
      held += bytes;
    return !isOverLimit;
  }
  void give(int64_t bytes) { held -= bytes; }
  /// After `take`, when the system has refused.
  void fail(int64_t bytes) {
    held -= bytes;
    refused = bytes;
  }
};

/// Bytes for tensors, aligned to 64. Those that take pages are mappings of their own, on huge pages where there are
/// many and the system has them: what is given back goes back to the system.
class Buffer {
public:
  Buffer() = default;
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;
  ~Buffer() { release(); }

  /// What counts the bytes.
  void chargeTo(Account &newAccount) { account = &newAccount; }

  /// Makes room for `bytes`; what was held may be lost. False when there is no memory.
  [[nodiscard]] bool reserve(int64_t bytes);
  /// Like `reserve` but for what gets larger again and again: room grows by half at least, so moves are few.
  [[nodiscard]] bool reserveMore(int64_t bytes);
  /// `reserveMore` that keeps what is held, also when it fails.
  [[nodiscard]] bool grow(int64_t bytes);
  void release();

  /// From now on nothing is needed until it is asked for again.
  void startRun() { needed = 0; }
  /// Gives back what was not asked for since `startRun`; what was stays where it is.
  void tidy() { keep(needed); }
  /// Gives back what was not asked for since the last call of this, where that is the most of it.
  void trimToRecent();

  void exchange(Buffer &other);
  void *data() const { return first; }
  int64_t bytes() const { return size; }

private:
  bool allocate(int64_t bytes);
  bool moveTo(int64_t bytes);
  void keep(int64_t bytes);
  void need(int64_t bytes);

  void *first = nullptr;
  int64_t size = 0;
  int64_t needed = 0, recent = 0; ///< most bytes asked for since `startRun`, and since `trimToRecent`
  Account *account = nullptr;
};

} // namespace tenon::runtime

#endif

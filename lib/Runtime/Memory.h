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

/// Where an array is, whatever its elements are.
struct AnySpan {
  void *first = nullptr;
  size_t length = 0;
};

/// Plain values that something else owns.
template <typename T> class Span : public AnySpan {
public:
  T &operator[](size_t i) { return data()[i]; }
  const T &operator[](size_t i) const { return data()[i]; }
  T *data() { return static_cast<T *>(first); }
  const T *data() const { return static_cast<const T *>(first); }
  size_t size() const { return length; }
  T *begin() { return data(); }
  T *end() { return data() + length; }
};

/// What was held is lost.
[[nodiscard]] bool allocateArray(AnySpan &array, size_t count, size_t size);

/// A fixed number of zero-initialised plain values.
template <typename T> class Array : public Span<T> {
public:
  Array() = default;
  Array(const Array &) = delete;
  Array &operator=(const Array &) = delete;
  ~Array() { free(this->first); }

  /// False when out of memory. What was held is lost.
  [[nodiscard]] bool allocate(size_t count) { return allocateArray(*this, count, sizeof(T)); }
};

/// An array that is wanted, of zero-initialised elements of some size.
struct WantedSpan {
  AnySpan *span;
  size_t count, size;
};
template <typename T> WantedSpan want(Span<T> &span, size_t count) { return {&span, count, sizeof(T)}; }
/// Memory for all of them, in one piece that the caller frees; `bytes` are added up. Null when out of memory.
[[nodiscard]] void *allocateSpans(const WantedSpan *wanted, size_t count, int64_t &bytes);

/// The memory of spans that end with their block; null when out of memory.
struct OwnedSpans {
  template <size_t count> explicit OwnedSpans(const WantedSpan (&wanted)[count]) {
    memory = allocateSpans(wanted, count, bytes);
  }
  OwnedSpans(const OwnedSpans &) = delete;
  ~OwnedSpans() { free(memory); }

  int64_t bytes = 0;
  void *memory;
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

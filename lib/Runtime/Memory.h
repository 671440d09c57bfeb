//===- Memory.h - arrays and buffers without the C++ library
//------------------------------------------------===//
#ifndef TENON_LIB_RUNTIME_MEMORY_H
#define TENON_LIB_RUNTIME_MEMORY_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

/// Bytes for tensors, aligned to 64; large ones are on huge pages where the system has them.
class Buffer {
public:
  Buffer() = default;
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;
  ~Buffer() { free(first); }

  /// Makes room for `bytes`; what was held may be lost. False when out of memory.
  [[nodiscard]] bool reserve(int64_t bytes) {
    if (first && bytes <= size)
      return true;
    constexpr int64_t huge = int64_t(2) << 20;
    free(first);
    first = nullptr;
    size = 0;
    int64_t alignment = bytes >= 2 * huge ? huge : 64;
    if (bytes < 0 || bytes > INT64_MAX - huge)
      return false;
    int64_t rounded = (bytes + alignment - 1) / alignment * alignment;
    first = aligned_alloc(size_t(alignment), size_t(rounded != 0 ? rounded : alignment));
    if (!first)
      return false;
    size = rounded;
    if (alignment == huge)
      madvise(first, size_t(rounded), MADV_HUGEPAGE);
    return true;
  }
  /// Like `reserve` but for what gets larger again and again: room grows by half at least, so moves are few.
  [[nodiscard]] bool reserveMore(int64_t bytes) {
    if (first && bytes <= size)
      return true;
    int64_t ample = size + size / 2;
    return (bytes < ample && reserve(ample)) || reserve(bytes);
  }
  /// `reserveMore` that keeps what is held.
  [[nodiscard]] bool grow(int64_t bytes) {
    if (first && bytes <= size)
      return true;
    Buffer larger;
    larger.size = size; // what its room grows from
    if (!larger.reserveMore(bytes))
      return false;
    if (size != 0)
      memcpy(larger.first, first, size_t(size));
    exchange(larger);
    return true;
  }
  void exchange(Buffer &other) {
    void *data = first;
    int64_t bytes = size;
    first = other.first;
    size = other.size;
    other.first = data;
    other.size = bytes;
  }
  void *data() const { return first; }
  int64_t bytes() const { return size; }

private:
  void *first = nullptr;
  int64_t size = 0;
};

} // namespace tenon::runtime

#endif

//===- Memory.cpp - Where the bytes of buffers come from ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace tenon::runtime;

bool tenon::runtime::allocateArray(AnySpan &array, size_t count, size_t size) {
  free(array.first);
  array.first = calloc(count != 0 ? count : 1, size);
  array.length = array.first ? count : 0;
  return array.first != nullptr;
}

void *tenon::runtime::allocateSpans(const WantedSpan *wanted, size_t count, int64_t &bytes) {
  constexpr size_t alignment = 16;
  size_t total = 0;
  for (size_t i = 0; i < count; ++i)
    total += (wanted[i].count * wanted[i].size + alignment - 1) / alignment * alignment;
  bytes += int64_t(total);
  char *memory = static_cast<char *>(calloc(total + 1, 1)), *next = memory;
  for (size_t i = 0; i < count && memory; ++i) {
    *wanted[i].span = {next, wanted[i].count};
    next += (wanted[i].count * wanted[i].size + alignment - 1) / alignment * alignment;
  }
  return memory;
}

namespace {
/// From this size on a buffer is a mapping, as in the C library's allocator, where the limit rises as memory is freed.
constexpr int64_t kMappedBytes = 128 << 10;
constexpr int64_t kHugePage = int64_t(2) << 20;
/// What is less than this is not worth the trouble of giving it back while the session is in use.
constexpr int64_t kWorthTrimming = int64_t(1) << 20;

int64_t roundUp(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

/// How large a buffer of `bytes` is, or -1.
int64_t roomFor(int64_t bytes) {
  if (bytes < 0 || bytes > INT64_MAX - kHugePage)
    return -1;
  if (bytes < kMappedBytes)
    return bytes != 0 ? roundUp(bytes, 64) : 64;
  return roundUp(bytes, bytes >= 2 * kHugePage ? kHugePage : sysconf(_SC_PAGESIZE));
}

bool isMapped(int64_t room) { return room >= kMappedBytes; }

void *map(int64_t room) {
  int64_t spare = room >= 2 * kHugePage ? kHugePage : 0;
  void *base = mmap(nullptr, size_t(room + spare), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED)
    return nullptr;
  if (spare == 0)
    return base;
  // Huge pages need addresses that are multiples of them.
  char *start = static_cast<char *>(base), *end = start + room + spare;
  char *first = reinterpret_cast<char *>(roundUp(int64_t(base), kHugePage));
  if (first != start)
    munmap(start, size_t(first - start));
  if (first + room != end)
    munmap(first + room, size_t(end - first - room));
  madvise(first, size_t(room), MADV_HUGEPAGE);
  return first;
}
} // namespace

void Buffer::need(int64_t bytes) {
  if (bytes == 0)
    bytes = 1; // its address is in use
  if (bytes > needed)
    needed = bytes;
  if (bytes > recent)
    recent = bytes;
}

bool Buffer::allocate(int64_t bytes) {
  int64_t room = roomFor(bytes);
  if (room < 0 || (account && !account->take(room)))
    return false;
  first = isMapped(room) ? map(room) : aligned_alloc(64, size_t(room));
  if (first)
    size = room;
  else if (account)
    account->fail(room);
  return first != nullptr;
}

void Buffer::release() {
  if (!first)
    return;
  if (isMapped(size))
    munmap(first, size_t(size));
  else
    free(first);
  if (account)
    account->give(size);
  first = nullptr;
  size = 0;
}

bool Buffer::reserve(int64_t bytes) {
  // Under a limit nothing is larger than a run needs; what is no mapping can't be cut later on.
  bool isTooLarge =
      account && account->limit != INT64_MAX && !isMapped(size) && roomFor(bytes > needed ? bytes : needed) < size;
  if (!first || bytes > size || isTooLarge) {
    release();
    if (!allocate(bytes))
      return false;
  }
  need(bytes);
  return true;
}

bool Buffer::reserveMore(int64_t bytes) {
  int64_t ample = size + size / 2;
  if (first && bytes > size && bytes < ample) {
    release();
    if (allocate(ample)) {
      need(bytes);
      return true;
    }
  }
  return reserve(bytes);
}

/// Makes a buffer with room for `bytes`, more than there is, that has what is held.
bool Buffer::moveTo(int64_t bytes) {
  int64_t room = roomFor(bytes);
  // Only what it has more counts: the old one is gone in a moment.
  if (room < 0 || (account && !account->take(room - size)))
    return false;
  void *moved = nullptr;
  if (first && isMapped(size)) {
    moved = mremap(first, size_t(size), size_t(room), MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
      moved = nullptr;
  } else {
    moved = isMapped(room) ? map(room) : aligned_alloc(64, size_t(room));
    if (moved && first) {
      memcpy(moved, first, size_t(size));
      free(first);
    }
  }
  if (!moved) {
    if (account)
      account->fail(room - size);
    return false;
  }
  first = moved;
  size = room;
  return true;
}

bool Buffer::grow(int64_t bytes) {
  if (!first || bytes > size) {
    int64_t ample = size + size / 2;
    if (!(bytes < ample && moveTo(ample)) && !moveTo(bytes))
      return false;
  }
  need(bytes);
  return true;
}

/// Gives back what lies behind the first `bytes`, as far as pages end there.
void Buffer::keep(int64_t bytes) {
  if (bytes == 0)
    return release();
  int64_t room = isMapped(size) ? roomFor(bytes > kMappedBytes ? bytes : kMappedBytes) : size;
  if (room >= size)
    return;
  munmap(static_cast<char *>(first) + room, size_t(size - room));
  if (account)
    account->give(size - room);
  size = room;
}

void Buffer::trimToRecent() {
  if (size - recent >= kWorthTrimming && size / 2 >= recent)
    keep(recent);
  recent = 0;
}

void Buffer::exchange(Buffer &other) {
  auto swap = [](auto &a, auto &b) {
    auto kept = a;
    a = b;
    b = kept;
  };
  swap(first, other.first);
  swap(size, other.size);
  swap(needed, other.needed);
  swap(recent, other.recent);
}

//===- PackArena.cpp - Greedy by size, best fit ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Y. Pisarchyk, J. Lee, "Efficient Memory Management for Deep Neural Net Inference" (2020), section 5.1.
//
//===--------------------------------------------------------------------------------------------------------===//

#include "tenon/Runtime/PackArena.h"

#include <stdlib.h>
#include <string.h>

namespace {
struct Item {
  int64_t size, offset;
  int32_t first, last;
  int64_t index;
};

int bySize(const void *left, const void *right) {
  const Item *a = static_cast<const Item *>(left), *b = static_cast<const Item *>(right);
  if (a->size != b->size)
    return a->size > b->size ? -1 : 1;
  return a->index < b->index ? -1 : 1;
}
} // namespace

int64_t tenon_pack_arena(const tenon_arena_buffer *buffers, int64_t count, int64_t *offsets) {
  constexpr int64_t alignment = TENON_ARENA_ALIGNMENT;
  int64_t sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    const tenon_arena_buffer &b = buffers[i];
    if (b.size < 0 || b.first > b.last || __builtin_add_overflow(sum, b.size, &sum) ||
        __builtin_add_overflow(sum, alignment, &sum))
      return -1;
  }
  if (count <= 0)
    return 0;
  // Sorted by size; those already placed are also listed by offset.
  Item *items = static_cast<Item *>(malloc(size_t(count) * sizeof(Item)));
  Item **placed = static_cast<Item **>(malloc(size_t(count) * sizeof(Item *)));
  if (!items || !placed) {
    free(items);
    free(placed);
    return -2;
  }
  for (int64_t i = 0; i < count; ++i)
    items[i] = {(buffers[i].size + alignment - 1) / alignment * alignment, 0, buffers[i].first, buffers[i].last, i};
  qsort(items, size_t(count), sizeof(Item), bySize);

  int64_t total = 0, placedCount = 0;
  for (int64_t i = 0; i < count; ++i) {
    Item &item = items[i];
    int64_t end = 0, best = -1, bestGap = INT64_MAX;
    if (item.size == 0) {
      offsets[item.index] = 0;
      continue;
    }
    for (int64_t p = 0; p < placedCount; ++p) {
      const Item &other = *placed[p];
      if (other.last < item.first || item.last < other.first)
        continue;
      int64_t gap = other.offset - end;
      if (gap >= item.size && gap < bestGap) {
        best = end;
        bestGap = gap;
      }
      if (other.offset + other.size > end)
        end = other.offset + other.size;
    }
    item.offset = best >= 0 ? best : end;
    offsets[item.index] = item.offset;
    if (item.offset + item.size > total)
      total = item.offset + item.size;
    int64_t at = placedCount++;
    for (; at > 0 && placed[at - 1]->offset > item.offset; --at)
      placed[at] = placed[at - 1];
    placed[at] = &item;
  }
  free(items);
  free(placed);
  return total;
}

//===- Values.cpp - Strings, sequences, optionals and tensors that the runtime holds ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Values.h"
#include "CopyStrided.h"
#include "tenon/Artifact/MetadataView.h"

#include <stdlib.h>
#include <string.h>

using namespace tenon::runtime;

namespace {
constexpr int64_t kMaxElements = int64_t(1) << 48;
constexpr int kMaxDepth = 16;

thread_local Account *charged = nullptr;

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/// A box with room for a shape and, aligned, for `bytes` of data.
Box *allocate(int32_t kind, int32_t dtype, int64_t rank, const int64_t *shape, int64_t bytes) {
  int64_t start = aligned(int64_t(sizeof(Box)) + rank * 8);
  int64_t whole = start + aligned(bytes);
  if (charged && !charged->take(whole))
    return nullptr;
  auto *box = static_cast<Box *>(aligned_alloc(64, size_t(whole)));
  if (!box) {
    if (charged)
      charged->fail(whole);
    return nullptr;
  }
  auto *sizes = reinterpret_cast<int64_t *>(box + 1);
  if (rank != 0)
    memcpy(sizes, shape, size_t(rank) * 8);
  box->value = {kind, dtype, rank, sizes, nullptr, reinterpret_cast<char *>(box) + start, kHeld, 0, nullptr};
  box->references = 1;
  box->bytes = whole;
  box->account = charged;
  return box;
}

/// Calls visit(offset) for each element of a tensor in row-major order.
template <typename F> void eachOffset(const tenon_value &tensor, F visit) {
  int64_t position[kMaxRank] = {}, offset = 0, count = elementCount(tensor.rank, tensor.shape);
  for (int64_t i = 0; i < count; ++i) {
    visit(tensor.strides ? offset : i);
    for (int64_t d = tensor.rank - 1; d >= 0; --d) {
      int64_t stride = tensor.strides ? tensor.strides[d] : 0;
      offset += stride;
      if (++position[d] < tensor.shape[d])
        break;
      offset -= stride * tensor.shape[d];
      position[d] = 0;
    }
  }
}

Box *copyStrings(const tenon_value &tensor) {
  int64_t count = elementCount(tensor.rank, tensor.shape), next = 0;
  auto *gathered = static_cast<tenon_string *>(calloc(size_t(count) + 1, sizeof(tenon_string)));
  if (!gathered)
    return nullptr;
  eachOffset(tensor, [&](int64_t at) { gathered[next++] = static_cast<const tenon_string *>(tensor.data)[at]; });
  Box *box = makeStrings(tensor.rank, tensor.shape, gathered);
  free(gathered);
  return box;
}
} // namespace

void tenon::runtime::release(Box *box) {
  if (!box || --box->references != 0)
    return;
  for (int64_t i = 0; i < box->value.count; ++i)
    release(Box::of(box->value.items[i]));
  if (box->account)
    box->account->give(box->bytes);
  free(box);
}

ChargeBoxes::ChargeBoxes(Account &account) : before(charged) { charged = &account; }
ChargeBoxes::~ChargeBoxes() { charged = before; }

int64_t tenon::runtime::elementCount(int64_t rank, const int64_t *shape) {
  int64_t count = 1;
  bool overflow = false, empty = false;
  for (int64_t d = 0; d < rank; ++d) {
    if (shape[d] < 0)
      return -1;
    empty |= shape[d] == 0;
    overflow |= __builtin_mul_overflow(count, shape[d] > 0 ? shape[d] : 1, &count);
  }
  return overflow || count > kMaxElements ? -1 : empty ? 0 : count;
}

int64_t tenon::runtime::bytesOf(int32_t dtype, int64_t elements) {
  return dtype == TENON_STRING ? elements * int64_t(sizeof(tenon_string))
                               : (elements * int64_t(artifact::bitsOf(uint32_t(dtype))) + 7) / 8;
}

bool tenon::runtime::isContiguous(const tenon_value &tensor) {
  int64_t unit = 1;
  for (int64_t d = tensor.rank - 1; d >= 0 && tensor.strides; --d) {
    if (tensor.shape[d] == 0)
      return true;
    if (tensor.shape[d] != 1 && tensor.strides[d] != unit)
      return false;
    unit *= tensor.shape[d];
  }
  return true;
}

Box *tenon::runtime::makeTensor(int32_t dtype, int64_t rank, const int64_t *shape) {
  return allocate(TENON_TENSOR, dtype, rank, shape, bytesOf(dtype, elementCount(rank, shape)));
}

Box *tenon::runtime::makeStrings(int64_t rank, const int64_t *shape, const tenon_string *strings) {
  int64_t count = elementCount(rank, shape), bytes = count * int64_t(sizeof(tenon_string));
  for (int64_t i = 0; i < count; ++i)
    if (__builtin_add_overflow(bytes, int64_t(strings[i].size), &bytes))
      return nullptr;
  Box *box = allocate(TENON_TENSOR, TENON_STRING, rank, shape, bytes);
  if (!box)
    return nullptr;
  auto *to = static_cast<tenon_string *>(box->value.data);
  char *text = reinterpret_cast<char *>(to + count);
  for (int64_t i = 0; i < count; ++i) {
    to[i] = {text, strings[i].size};
    if (strings[i].size != 0)
      memcpy(text, strings[i].data, strings[i].size);
    text += strings[i].size;
  }
  return box;
}

Box *tenon::runtime::makeItems(int32_t kind, Box *const *items, int64_t count) {
  Box *box = allocate(kind, count != 0 ? items[0]->value.dtype : 0, 0, nullptr, count * int64_t(sizeof(Box *)));
  if (!box)
    return nullptr;
  auto **to = static_cast<const tenon_value **>(box->value.data);
  for (int64_t i = 0; i < count; ++i)
    to[i] = &items[i]->value;
  box->value.data = nullptr;
  box->value.items = to;
  box->value.count = count;
  return box;
}

void tenon::runtime::copyElements(const tenon_value &to, const tenon_value &from) {
  if (isContiguous(to) && isContiguous(from)) {
    if (int64_t bytes = bytesOf(from.dtype, elementCount(from.rank, from.shape)))
      memcpy(to.data, from.data, size_t(bytes));
    return;
  }
  int64_t packed[kMaxRank], unit = 1;
  for (int64_t d = from.rank - 1; d >= 0; --d) {
    packed[d] = unit;
    unit *= from.shape[d];
  }
  StridedCopy copy;
  if (copy.prepare(to.data, to.strides ? to.strides : packed, from.data, from.strides ? from.strides : packed,
                   from.shape, from.rank, bytesOf(from.dtype, 1)))
    copy.run(0, copy.sizes[0]);
}

Box *tenon::runtime::copyOf(const tenon_value &value) {
  if (value.kind == TENON_TENSOR && value.dtype == TENON_STRING)
    return copyStrings(value);
  if (value.kind == TENON_TENSOR) {
    Box *box = makeTensor(value.dtype, value.rank, value.shape);
    if (box)
      copyElements(box->value, value);
    return box;
  }
  auto **items = static_cast<Box **>(calloc(size_t(value.count) + 1, sizeof(Box *)));
  bool complete = items != nullptr;
  for (int64_t i = 0; i < value.count && complete; ++i)
    complete = (items[i] = copyOf(*value.items[i])) != nullptr;
  Box *box = complete ? makeItems(value.kind, items, value.count) : nullptr;
  if (!box && items)
    for (int64_t i = 0; i < value.count; ++i)
      release(items[i]);
  free(items);
  return box;
}

const char *tenon::runtime::problemOf(const tenon_value &value, int depth) {
  if (depth > kMaxDepth)
    return "is nested too deeply";
  if (value.kind == TENON_TENSOR) {
    if (value.dtype != TENON_STRING && artifact::bitsOf(uint32_t(value.dtype)) == 0)
      return "has an unknown dtype";
    if (value.rank < 0 || value.rank > kMaxRank || (value.rank != 0 && !value.shape))
      return "has a tensor without a shape, or of more than 64 dimensions";
    int64_t count = elementCount(value.rank, value.shape);
    if (count < 0)
      return "has a tensor with a negative size or too many elements";
    // What a session holds is copied, so that a shape alone is not enough.
    if (count != 0 && (!value.data || value.data == TENON_SHAPE_ONLY))
      return "has a tensor without data";
    if (value.dtype == TENON_STRING && count != 0) {
      const char *problem = nullptr;
      eachOffset(value, [&](int64_t at) {
        const tenon_string &text = static_cast<const tenon_string *>(value.data)[at];
        if (!text.data && text.size != 0)
          problem = "has a string without data";
      });
      return problem;
    }
    if (value.strides && bytesOf(value.dtype, 2) < 2)
      return "has strides in elements that share bytes";
    return nullptr;
  }
  if (value.kind != TENON_SEQUENCE && value.kind != TENON_OPTIONAL)
    return "has an unknown kind";
  if (value.count < 0 || (value.count != 0 && !value.items) || (value.kind == TENON_OPTIONAL && value.count > 1))
    return "has a number of items that it can't have";
  for (int64_t i = 0; i < value.count; ++i)
    if (const char *problem = value.items[i] ? problemOf(*value.items[i], depth + 1) : "has an item that is null")
      return problem;
  return nullptr;
}

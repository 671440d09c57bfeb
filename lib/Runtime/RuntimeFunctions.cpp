//===- RuntimeFunctions.cpp - Sequences, optionals, and what holds strings ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The functions that host programs call by name for values which no kernel knows. They hold, share and copy values, and
// compute nothing.
//
//===------------------------------------------------------------------------------------------------------------------===//

#include "CopyStrided.h"
#include "HostCall.h"

#include <stdlib.h>
#include <string.h>

using namespace tenon::runtime;

namespace {
int64_t integerOf(const tenon_value &scalar) { return *static_cast<const int64_t *>(scalar.data); }

/// A list of boxes that are released unless they become a value.
struct Items {
  explicit Items(int64_t capacity) : boxes(static_cast<Box **>(calloc(size_t(capacity) + 1, sizeof(Box *)))) {}
  ~Items() {
    for (int64_t i = 0; i < count; ++i)
      release(boxes[i]);
    free(boxes);
  }
  bool add(Box *box) {
    if (!boxes || !box)
      return false;
    boxes[count++] = box;
    return true;
  }
  /// Null when out of memory.
  Box *finish(int32_t kind) {
    Box *box = boxes ? makeItems(kind, boxes, count) : nullptr;
    if (box)
      count = 0;
    return box;
  }
  Box **boxes;
  int64_t count = 0;
};

/// Whether input `i` is of that kind.
bool hasKind(HostCall &call, int32_t i, int32_t kind) {
  if (i < call.input_count && call.inputs[i]->kind == kind)
    return true;
  call.error("expects %s as input %d",
             kind == TENON_TENSOR     ? "a tensor"
             : kind == TENON_SEQUENCE ? "a sequence"
                                      : "an optional",
             i);
  return false;
}

/// A position in [0, limit), from one that may count from the end.
bool positionOf(HostCall &call, int32_t input, int64_t length, int64_t limit, int64_t &position) {
  int64_t given = integerOf(*call.inputs[input]);
  position = given < 0 ? given + length : given;
  if (position >= 0 && position < limit)
    return true;
  call.error("position %lld is out of range for a sequence of length %lld", (long long)given, (long long)length);
  return false;
}

int32_t giveInteger(HostCall &call, int64_t value) {
  auto *data =
      static_cast<int64_t *>(call.set_tensor(&call, 0, TENON_I64, call.outputs[0]->rank, call.outputs[0]->shape));
  if (data)
    *data = value;
  return data ? 0 : 1;
}

int32_t identity(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  return call.give(0, call.take(call.inputs[0]));
}

int32_t shape(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  if (!hasKind(call, 0, TENON_TENSOR))
    return 1;
  const tenon_value &tensor = *call.inputs[0];
  if (call.outputs[0]->shape[0] != tensor.rank)
    return call.error("a tensor of rank %lld is expected, the value has rank %lld",
                      (long long)call.outputs[0]->shape[0], (long long)tensor.rank);
  if (tensor.rank != 0)
    memcpy(call.outputs[0]->data, tensor.shape, size_t(tensor.rank) * 8);
  return 0;
}

/// A constant: where each string ends, all their bytes, and the sizes.
int32_t strings(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  const tenon_value &ends = *call.inputs[0], &sizes = *call.inputs[2];
  auto *text = static_cast<const char *>(call.inputs[1]->data);
  auto *end = static_cast<const int64_t *>(ends.data);
  int64_t count = elementCount(ends.rank, ends.shape), start = 0;
  auto *views = static_cast<tenon_string *>(calloc(size_t(count) + 1, sizeof(tenon_string)));
  for (int64_t i = 0; views && i < count; start = end[i++])
    views[i] = {text + start, size_t(end[i] - start)};
  Box *box = views ? makeStrings(sizes.shape[0], static_cast<const int64_t *>(sizes.data), views) : nullptr;
  free(views);
  return call.give(0, box);
}

/// Elements of the other inputs, which count on from one to the next, at the places in the first.
int32_t stringsTake(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  const tenon_value &places = *call.inputs[0];
  int64_t count = elementCount(places.rank, places.shape);
  auto *views = static_cast<tenon_string *>(calloc(size_t(count) + 1, sizeof(tenon_string)));
  Box *box = nullptr;
  for (int64_t i = 0; views && i < count; ++i) {
    int64_t at = static_cast<const int64_t *>(places.data)[i];
    for (int32_t from = 1; from < call.input_count; ++from) {
      const tenon_value &tensor = *call.inputs[from];
      int64_t length = tensor.dtype == TENON_STRING ? elementCount(tensor.rank, tensor.shape) : 0;
      if (at >= 0 && at < length) {
        views[i] = static_cast<const tenon_string *>(tensor.data)[at];
        break;
      }
      at -= length;
    }
  }
  if (views)
    box = makeStrings(places.rank, places.shape, views);
  free(views);
  return call.give(0, box);
}

//===------------------------------------------------------------------------------------------------------------------===//
// Sequences
//===------------------------------------------------------------------------------------------------------------------===//

int32_t sequence(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  Items items(call.input_count);
  for (int32_t i = 0; i < call.input_count; ++i)
    if (!items.add(call.take(call.inputs[i])))
      return call.error("out of memory");
  return call.give(0, items.finish(TENON_SEQUENCE));
}

/// The sequence in input 0 without the item at `skip`, and with `extra` before item `place`.
int32_t rebuild(HostCall &call, int64_t skip, int64_t place, const tenon_value *extra) {
  const tenon_value &given = *call.inputs[0];
  Items items(given.count + 1);
  for (int64_t i = 0; i <= given.count; ++i) {
    if (i == place && !items.add(call.take(extra)))
      return call.error("out of memory");
    if (i < given.count && i != skip && !items.add(call.take(given.items[i])))
      return call.error("out of memory");
  }
  return call.give(0, items.finish(TENON_SEQUENCE));
}

int32_t sequenceInsert(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  if (!hasKind(call, 0, TENON_SEQUENCE))
    return 1;
  int64_t length = call.inputs[0]->count, place = length;
  if (call.input_count > 2 && !positionOf(call, 2, length, length + 1, place))
    return 1;
  return rebuild(call, -1, place, call.inputs[1]);
}

int32_t sequenceErase(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  if (!hasKind(call, 0, TENON_SEQUENCE))
    return 1;
  int64_t length = call.inputs[0]->count, place = length - 1;
  if (call.input_count > 1 ? !positionOf(call, 1, length, length, place) : length == 0)
    return call.text[0] ? 1 : call.error("cannot take a value from an empty sequence");
  return rebuild(call, place, -1, nullptr);
}

int32_t sequenceAt(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  int64_t place;
  if (!hasKind(call, 0, TENON_SEQUENCE) || !positionOf(call, 1, call.inputs[0]->count, call.inputs[0]->count, place))
    return 1;
  return call.give(0, call.take(call.inputs[0]->items[place]));
}

int32_t sequenceLength(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  return hasKind(call, 0, TENON_SEQUENCE) ? giveInteger(call, call.inputs[0]->count) : 1;
}

//===------------------------------------------------------------------------------------------------------------------===//
// Tensors as sequences
//===------------------------------------------------------------------------------------------------------------------===//

struct Dims {
  int64_t rank = 0, sizes[kMaxRank];
};

/// The part of `whole`, a contiguous tensor of sizes `dims`, from `offset` on along `dim`; nothing is copied.
tenon_value partOf(const tenon_value &whole, const Dims &dims, int64_t dim, int64_t offset, int64_t *strides) {
  int64_t unit = 1;
  for (int64_t d = dims.rank - 1; d >= 0; --d) {
    strides[d] = unit;
    unit *= dims.sizes[d];
  }
  tenon_value part = whole;
  part.strides = strides;
  part.data = static_cast<char *>(whole.data) + bytesOf(whole.dtype, offset * strides[dim]);
  return part;
}

/// Inputs: the dimension, whether it is new, the sequence.
int32_t sequenceConcat(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  if (!hasKind(call, 2, TENON_SEQUENCE))
    return 1;
  int64_t dim = integerOf(*call.inputs[0]), isNew = integerOf(*call.inputs[1]);
  const tenon_value &given = *call.inputs[2];
  if (given.count == 0)
    return call.error("cannot concatenate an empty sequence");
  Dims dims;
  for (int64_t i = 0; i < given.count; ++i) {
    const tenon_value &item = *given.items[i];
    if (item.kind != TENON_TENSOR || item.dtype != given.items[0]->dtype || item.rank != given.items[0]->rank ||
        item.rank + isNew > kMaxRank || dim >= item.rank + isNew || bytesOf(item.dtype, 2) < 2)
      return call.error("cannot concatenate value %lld of the sequence with the first", (long long)i);
    if (i == 0) {
      dims.rank = item.rank + isNew;
      for (int64_t d = 0; d < dims.rank; ++d)
        dims.sizes[d] = d == dim ? 0 : item.shape[d - (isNew && d > dim)];
    }
    for (int64_t d = 0; d < dims.rank; ++d) {
      int64_t size = isNew && d == dim ? 1 : item.shape[d - (isNew && d > dim)];
      if (d == dim)
        dims.sizes[d] += size;
      else if (dims.sizes[d] != size)
        return call.error("cannot concatenate sizes %lld and %lld of dimension %lld", (long long)dims.sizes[d],
                          (long long)size, (long long)d);
    }
  }
  if (elementCount(dims.rank, dims.sizes) < 0)
    return call.error("the result has too many elements");
  int32_t dtype = given.items[0]->dtype;
  Box *whole = makeTensor(dtype, dims.rank, dims.sizes);
  if (!whole)
    return call.error("out of memory");
  int64_t strides[kMaxRank], offset = 0;
  for (int64_t i = 0; i < given.count; ++i) {
    const tenon_value &item = *given.items[i];
    int64_t sizes[kMaxRank];
    memcpy(sizes, dims.sizes, sizeof(sizes));
    sizes[dim] = isNew ? 1 : item.shape[dim];
    tenon_value part = partOf(whole->value, dims, dim, offset, strides), from = item;
    part.shape = from.shape = sizes;
    part.rank = from.rank = dims.rank;
    copyElements(part, from);
    offset += sizes[dim];
  }
  if (dtype != TENON_STRING)
    return call.give(0, whole);
  // The views of strings become strings of the result's own.
  Box *strings = makeStrings(dims.rank, dims.sizes, static_cast<tenon_string *>(whole->value.data));
  release(whole);
  return call.give(0, strings);
}

/// Inputs: the dimension, whether it is dropped, the tensor, and how it is split.
int32_t sequenceSplit(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  if (!hasKind(call, 2, TENON_TENSOR))
    return 1;
  int64_t dim = integerOf(*call.inputs[0]), drops = integerOf(*call.inputs[1]);
  tenon_value tensor = *call.inputs[2];
  const tenon_value *split = call.input_count > 3 ? call.inputs[3] : nullptr;
  if (bytesOf(tensor.dtype, 2) < 2)
    return call.error("cannot split elements that share bytes");
  if (dim >= tensor.rank || tensor.rank > kMaxRank)
    return call.error("cannot split dimension %lld of rank %lld", (long long)dim, (long long)tensor.rank);
  Dims dims;
  dims.rank = tensor.rank;
  memcpy(dims.sizes, tensor.shape, size_t(tensor.rank) * 8);
  int64_t whole = dims.sizes[dim], each = split && split->rank == 0 ? integerOf(*split) : 1;
  bool isList = split && split->rank == 1;
  if (each < 1)
    return call.error("cannot split into parts of size %lld", (long long)each);
  int64_t parts = isList ? split->shape[0] : whole / each + (whole % each != 0), offset = 0;
  Items items(parts);
  for (int64_t i = 0; i < parts; ++i) {
    int64_t size = isList                  ? static_cast<const int64_t *>(split->data)[i]
                   : whole - offset < each ? whole - offset
                                           : each;
    if (size < 0 || size > whole - offset || (i + 1 == parts && size != whole - offset))
      return call.error("the parts don't make up size %lld", (long long)whole);
    int64_t strides[kMaxRank], sizes[kMaxRank];
    memcpy(sizes, dims.sizes, sizeof(sizes));
    sizes[dim] = size;
    tenon_value part = partOf(tensor, dims, dim, offset, strides);
    part.shape = sizes;
    if (drops) {
      for (int64_t d = dim; d + 1 < dims.rank; ++d) {
        sizes[d] = sizes[d + 1];
        strides[d] = strides[d + 1];
      }
      --part.rank;
    }
    if (!items.add(copyOf(part)))
      return call.error("out of memory");
    offset += size;
  }
  if (offset != whole)
    return call.error("the parts don't make up size %lld", (long long)whole);
  return call.give(0, items.finish(TENON_SEQUENCE));
}

//===------------------------------------------------------------------------------------------------------------------===//
// Optionals
//===------------------------------------------------------------------------------------------------------------------===//

int32_t optional(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  Items items(1);
  if (call.input_count != 0 && !items.add(call.take(call.inputs[0])))
    return call.error("out of memory");
  return call.give(0, items.finish(TENON_OPTIONAL));
}

int32_t optionalHas(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  if (!hasKind(call, 0, TENON_OPTIONAL))
    return 1;
  *static_cast<bool *>(call.outputs[0]->data) = call.inputs[0]->count != 0;
  return 0;
}

int32_t optionalGet(tenon_call *c) {
  HostCall &call = HostCall::of(c);
  if (!hasKind(call, 0, TENON_OPTIONAL))
    return 1;
  return call.inputs[0]->count != 0 ? call.give(0, call.take(call.inputs[0]->items[0]))
                                    : call.error("the optional holds no value");
}

constexpr char kNames[][16] = {
    "identity",       "optional",        "optional_get",   "optional_has",    "sequence",
    "sequence_at",    "sequence_concat", "sequence_erase", "sequence_insert", "sequence_length",
    "sequence_split", "shape",           "strings",        "strings_take",
};

/// All of them, in this order. A table of pointers would take the loader's time, and more room than the names.
int32_t callNumber(tenon_call *call) {
  switch (uintptr_t(call->user)) {
  case 0:
    return identity(call);
  case 1:
    return optional(call);
  case 2:
    return optionalGet(call);
  case 3:
    return optionalHas(call);
  case 4:
    return sequence(call);
  case 5:
    return sequenceAt(call);
  case 6:
    return sequenceConcat(call);
  case 7:
    return sequenceErase(call);
  case 8:
    return sequenceInsert(call);
  case 9:
    return sequenceLength(call);
  case 10:
    return sequenceSplit(call);
  case 11:
    return shape(call);
  case 12:
    return strings(call);
  default:
    return stringsTake(call);
  }
}
} // namespace

tenon_host_entry tenon::runtime::findRuntimeFunction(const char *name) {
  for (uintptr_t i = 0; i < sizeof(kNames) / sizeof(kNames[0]); ++i)
    if (strcmp(kNames[i], name) == 0)
      return {name, callNumber, reinterpret_cast<void *>(i)};
  return {name, nullptr, nullptr};
}

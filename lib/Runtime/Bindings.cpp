//===- Bindings.cpp - What is bound to inputs and outputs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Session.h"

using namespace tenon::artifact;
using namespace tenon::runtime;

static int64_t elementBits(uint32_t dtype) { return dtype == TENON_STRING ? 128 : int64_t(bitsOf(dtype)); }

tenon_status tenon_session::bind(bool output, uint32_t index, const tenon_value *value) {
  const char *role = output ? "output" : "input";
  uint32_t count = uint32_t(output ? outputs.size() : inputs.size());
  if (index >= count)
    return fail(TENON_ERROR_ARGUMENT, "%s %d does not exist: the model has %u", role, int32_t(index), count);
  const TensorRecord &tensor = output ? model->metadata.output(index) : model->metadata.input(index);
  const char *name = model->string(tensor.name);
  Slot &slot = output ? outputs[index] : inputs[index];
  slot.bound = slot.hasStrides = false;
  if (tenon_model::isHeld(tensor))
    if (tenon_status status = bindHeld(output, index, value); status != TENON_OK || tensor.kind != TENON_TENSOR)
      return status;
  if (!value)
    return TENON_OK;
  if (value->kind != TENON_TENSOR)
    return fail(TENON_ERROR_TYPE, "%s '%s' is a tensor, the value is not", role, name);
  if (value->dtype != int32_t(tensor.dtype))
    return fail(TENON_ERROR_TYPE, "%s '%s' has dtype %s, the value has %s", role, name, nameOf(tensor.dtype),
                nameOf(uint32_t(value->dtype)));
  if (value->rank != int64_t(tensor.rank))
    return fail(TENON_ERROR_SHAPE, "%s '%s' has rank %u, the value has %lld", role, name, tensor.rank,
                (long long)value->rank);
  if (value->rank != 0 && !value->shape)
    return fail(TENON_ERROR_ARGUMENT, "%s '%s': the value's shape is null", role, name);
  int64_t bits = elementBits(tensor.dtype);
  if (bits >= 8 && uintptr_t(value->data) % uintptr_t(bits / 8 < 16 ? bits / 8 : 8) != 0)
    return fail(TENON_ERROR_ARGUMENT, "%s '%s': the data at %p is not aligned to its elements of %lld bytes", role,
                name, value->data, (long long)bits / 8);

  int64_t unit = 1;
  bool isEmpty = false;
  for (int64_t d = value->rank - 1; d >= 0; --d) {
    int64_t size = value->shape[d];
    isEmpty |= size == 0;
    const DimRecord &dim = model->dim(tensor, uint32_t(d));
    if (size < 0 || (dim.kind == 0 && size != dim.value && !(output && value->capacity != 0)))
      return fail(TENON_ERROR_SHAPE, "%s '%s' has size %lld in dimension %lld, the value has %lld", role, name,
                  (long long)(dim.kind == 0 ? dim.value : -1), (long long)d, (long long)size);
    slot.shape[d] = slot.boundShape[d] = size;
    slot.strides[d] = value->strides ? value->strides[d] : unit;
    if (__builtin_mul_overflow(unit, size > 0 ? size : 1, &unit))
      return fail(TENON_ERROR_SHAPE, "%s '%s': the number of elements does not fit in 64 bits", role, name);
    if (output && slot.strides[d] <= 0 && size > 1)
      return fail(TENON_ERROR_SHAPE, "output '%s' has stride %lld in dimension %lld: outputs need positive ones", name,
                  (long long)slot.strides[d], (long long)d);
  }
  if (value->rank != 0 && slot.strides[value->rank - 1] != 1) {
    if (slot.shape[value->rank - 1] > 1)
      return fail(TENON_ERROR_SHAPE, "%s '%s' has stride %lld in its last dimension, it must be 1", role, name,
                  (long long)slot.strides[value->rank - 1]);
    slot.strides[value->rank - 1] = 1;
  }
  if (!value->data && !isEmpty)
    return fail(TENON_ERROR_ARGUMENT, "%s '%s': the value has no data", role, name);
  slot.hasStrides = value->strides != nullptr;
  slot.data = value->data;
  slot.capacity = value->capacity;
  slot.bound = true;
  return TENON_OK;
}

/// Takes a copy of what is no plain buffer.
tenon_status tenon_session::bindHeld(bool output, uint32_t index, const tenon_value *value) {
  const TensorRecord &tensor = output ? model->metadata.output(index) : model->metadata.input(index);
  const char *name = model->string(tensor.name);
  if (output)
    return value ? fail(TENON_ERROR_TYPE, "output '%s' can't be bound: sessions own strings, sequences and optionals",
                        name)
                 : TENON_OK;
  held[index].set(nullptr);
  if (!value)
    return TENON_OK;
  if (value->kind != int32_t(tensor.kind))
    return fail(TENON_ERROR_TYPE, "input '%s' is %s, the value is not", name,
                tensor.kind == TENON_TENSOR     ? "a tensor"
                : tensor.kind == TENON_SEQUENCE ? "a sequence"
                                                : "an optional");
  if (const char *problem = problemOf(*value))
    return fail(TENON_ERROR_ARGUMENT, "input '%s' %s", name, problem);
  for (const tenon_value *item = value; item->count != 0 || item->kind == TENON_TENSOR; item = item->items[0])
    if (item->kind == TENON_TENSOR) {
      if (item->dtype != int32_t(tensor.dtype))
        return fail(TENON_ERROR_TYPE, "input '%s' has dtype %s, the value has %s", name, nameOf(tensor.dtype),
                    nameOf(uint32_t(item->dtype)));
      break;
    }
  ChargeBoxes charge(account);
  Box *box = nullptr;
  if (!hold([&] { return (box = copyOf(*value)) != nullptr; }))
    return noMemory(account.refused, "the copy of input '%s'", name);
  held[index].set(box);
  // Of strings the shape is still to be looked at.
  inputs[index].bound = tensor.kind != TENON_TENSOR;
  return TENON_OK;
}

tenon_status tenon_session::bindSymbols() {
  const MetadataView &meta = model->metadata;
  auto records = meta.table<SymbolRecord>(Table::Symbols);
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].bound)
      return fail(TENON_ERROR_UNBOUND, "input '%s' is not bound", model->string(meta.input(i).name));
    inputData[i] = inputs[i].data;
  }
  for (uint32_t i = 0; i < records.count; ++i) {
    const SymbolRecord &r = records[i];
    if (r.source == 2) {
      int32_t input = model->aliases[r.input];
      symbols[i] = input >= 0 && outputs[r.input].bound && outputs[r.input].data == inputs[size_t(input)].data;
      continue;
    }
    int64_t value = r.source == 0 ? inputs[r.input].shape[r.dim] : inputs[r.input].strides[r.dim];
    symbols[i] = value;
    const char *input = model->string(meta.input(r.input).name), *name = model->string(r.name);
    if (value < r.min || value > r.max)
      return fail(TENON_ERROR_SHAPE, "input '%s' has size %lld in dimension %u, but '%s' must be between %lld and %lld",
                  input, (long long)value, r.dim, name, (long long)r.min, (long long)r.max);
    if (value % r.divisor != 0)
      return fail(TENON_ERROR_SHAPE, "input '%s' has size %lld in dimension %u, but '%s' must be a multiple of %lld",
                  input, (long long)value, r.dim, name, (long long)r.divisor);
  }
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    const TensorRecord &tensor = meta.input(i);
    for (uint32_t d = 0; d < tensor.rank; ++d) {
      const DimRecord &dim = model->dim(tensor, d);
      if (dim.kind != 1 || inputs[i].shape[d] == symbols[size_t(dim.value)])
        continue;
      const SymbolRecord &r = records[uint32_t(dim.value)];
      return fail(TENON_ERROR_SHAPE,
                  "input '%s' has size %lld in dimension %u, but '%s' is %lld (from input '%s', dimension %u)",
                  model->string(tensor.name), (long long)inputs[i].shape[d], d, model->string(r.name),
                  (long long)symbols[size_t(dim.value)], model->string(meta.input(r.input).name), r.dim);
    }
  }
  return TENON_OK;
}

/// Bytes [first, last) that a tensor touches; nothing when it is empty.
static bool touchedBytes(const Slot &slot, uint32_t rank, int64_t bits, uintptr_t &first, uintptr_t &last) {
  int64_t low = 0, high = 1;
  for (uint32_t d = 0; d < rank; ++d) {
    if (slot.shape[d] == 0)
      return false;
    int64_t reach = (slot.shape[d] - 1) * slot.strides[d];
    (reach < 0 ? low : high) += reach;
  }
  first = uintptr_t(slot.data) + uintptr_t(low * bits / 8);
  last = uintptr_t(slot.data) + uintptr_t((high * bits + 7) / 8);
  return true;
}

tenon_status tenon_session::checkOverlaps() {
  const MetadataView &meta = model->metadata;
  uintptr_t first, last, otherFirst, otherLast;
  for (uint32_t i = 0; i < inputs.size(); ++i)
    if (!tenon_model::isHeld(meta.input(i)) && inputs[i].data == TENON_SHAPE_ONLY)
      return fail(TENON_ERROR_ARGUMENT, "input '%s' has no data: it is bound for its shape only",
                  model->string(meta.input(i).name));
  for (uint32_t o = 0; o < outputs.size(); ++o) {
    if (!outputs[o].bound ||
        !touchedBytes(outputs[o], meta.output(o).rank, elementBits(meta.output(o).dtype), first, last))
      continue;
    const char *name = model->string(meta.output(o).name);
    if (outputs[o].data == TENON_SHAPE_ONLY)
      return fail(TENON_ERROR_ARGUMENT, "output '%s' has no data", name);
    for (uint32_t i = 0; i < inputs.size() + outputs.size(); ++i) {
      bool isInput = i < inputs.size();
      const Slot &other = isInput ? inputs[i] : outputs[i - inputs.size()];
      bool declared =
          isInput ? model->aliases[o] == int32_t(i) && other.data == outputs[o].data : i - inputs.size() <= o;
      if (declared || !other.bound || tenon_model::isHeld(meta.input(i)) ||
          !touchedBytes(other, meta.input(i).rank, elementBits(meta.input(i).dtype), otherFirst, otherLast) ||
          first >= otherLast || otherFirst >= last)
        continue;
      return fail(TENON_ERROR_ARGUMENT, "the buffer of output '%s' overlaps that of '%s'", name,
                  model->string(meta.input(i).name));
    }
  }
  return TENON_OK;
}

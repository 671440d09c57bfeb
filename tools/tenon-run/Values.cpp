//===- Values.cpp - Values of the runtime in NumPy's archives ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Values.h"

#include <algorithm>
#include <cstring>

using namespace tenon::npz;

char tenon::npz::kindOf(int32_t dtype) {
  switch (dtype) {
  case TENON_F32:
  case TENON_F64:
  case TENON_F16:
    return 'f';
  case TENON_U8:
  case TENON_U16:
  case TENON_U32:
  case TENON_U64:
    return 'u';
  case TENON_I8:
  case TENON_I16:
  case TENON_I32:
  case TENON_I64:
    return 'i';
  case TENON_BOOL:
    return 'b';
  case TENON_C64:
  case TENON_C128:
    return 'c';
  case TENON_STRING:
    return 'U';
  default:
    return 'V';
  }
}

const Array *tenon::npz::find(const Archive &archive, const std::string &name) {
  for (const auto &[key, array] : archive)
    if (key == name)
      return &array;
  return nullptr;
}

std::string tenon::npz::wholeOf(const std::string &name) {
  size_t dot = name.rfind('.');
  std::string end = dot == std::string::npos ? "" : name.substr(dot + 1);
  bool isPart = end == "len" || (!end.empty() && end.find_first_not_of("0123456789") == std::string::npos);
  return isPart ? name.substr(0, dot) : name;
}

//===--------------------------------------------------------------------------------------------------------===//
// Text: UTF-8 here, 4 bytes per character there
//===--------------------------------------------------------------------------------------------------------===//

std::vector<std::string> tenon::npz::textsOf(const Array &array) {
  std::vector<std::string> texts;
  for (int64_t i = 0, count = array.count(); i < count; ++i) {
    std::string &text = texts.emplace_back();
    for (int64_t at = 0; at < array.item; at += 4) {
      uint32_t point;
      std::memcpy(&point, array.data.data() + i * array.item + at, 4);
      if (point == 0)
        continue;
      int more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
      text += char(more == 0 ? point : (0xf00 >> more & 0xff) | point >> 6 * more);
      for (int k = more - 1; k >= 0; --k)
        text += char(0x80 | (point >> 6 * k & 0x3f));
    }
  }
  return texts;
}

static Array fromStrings(const tenon_value &value) {
  Array array;
  array.kind = 'U';
  array.shape.assign(value.shape, value.shape + value.rank);
  std::vector<std::vector<uint32_t>> texts;
  size_t width = 1;
  for (int64_t i = 0, count = array.count(); i < count; ++i) {
    const tenon_string &text = static_cast<const tenon_string *>(value.data)[i];
    std::vector<uint32_t> &points = texts.emplace_back();
    for (size_t at = 0; at < text.size;) {
      uint32_t point = static_cast<unsigned char>(text.data[at++]);
      int more = point < 0xc0 ? 0 : point < 0xe0 ? 1 : point < 0xf0 ? 2 : 3;
      point &= more == 0 ? 0xff : 0x3f >> more;
      for (; more > 0 && at < text.size; --more)
        point = point << 6 | (static_cast<unsigned char>(text.data[at++]) & 0x3f);
      points.push_back(point);
    }
    width = std::max(width, points.size());
  }
  array.item = int64_t(width) * 4;
  array.data.resize(texts.size() * size_t(array.item));
  for (size_t i = 0; i < texts.size(); ++i)
    if (!texts[i].empty())
      std::memcpy(array.data.data() + i * size_t(array.item), texts[i].data(), texts[i].size() * 4);
  return array;
}

//===--------------------------------------------------------------------------------------------------------===//
// Values
//===--------------------------------------------------------------------------------------------------------===//

static bool describeTensor(const Array &array, const std::string &name, int32_t dtype, Operand &operand,
                           std::string &error) {
  bool isString = dtype == TENON_STRING;
  if (array.kind != kindOf(dtype) || (!isString && array.item * 8 != std::max(tenon_dtype_bits(dtype), 8))) {
    error = "input '" + name + "' has dtype " + tenon_dtype_name(dtype) + ", the file has " + array.kind +
            std::to_string(array.item);
    return false;
  }
  operand.value.dtype = dtype;
  operand.value.rank = int64_t(array.shape.size());
  operand.value.shape = array.shape.data();
  operand.value.data = const_cast<unsigned char *>(array.data.data());
  if (!isString)
    return true;
  operand.texts = textsOf(array);
  for (const std::string &text : operand.texts)
    operand.strings.push_back({text.data(), text.size()});
  operand.value.data = operand.strings.data();
  return true;
}

bool tenon::npz::describe(const Archive &archive, const std::string &name, int32_t kind, int32_t dtype,
                          Operand &operand, std::string &error) {
  const Array *array = find(archive, name), *length = find(archive, name + ".len");
  if (kind == TENON_TENSOR)
    return array && describeTensor(*array, name, dtype, operand, error);
  int64_t count = -1;
  if (length && (length->kind != 'i' || length->item != 8 || length->count() != 1)) {
    error = "'" + name + ".len' is not one integer of 64 bits";
    return false;
  }
  if (length)
    std::memcpy(&count, length->data.data(), 8);
  if (!array && !length)
    return false;
  auto addItem = [&](const std::string &item, int32_t itemKind) {
    Operand &added = *operand.items.emplace_back(std::make_unique<Operand>());
    operand.itemValues.push_back(&added.value);
    if (describe(archive, item, itemKind, dtype, added, error))
      return true;
    if (error.empty())
      error = "'" + item + "' is not in the file";
    return false;
  };
  auto itemKind = [&](const std::string &item) { return find(archive, item) ? TENON_TENSOR : TENON_SEQUENCE; };
  if (kind == TENON_OPTIONAL && (array || count >= 0) && !addItem(name, itemKind(name)))
    return false;
  for (int64_t i = 0; kind == TENON_SEQUENCE && i < count; ++i)
    if (std::string item = name + "." + std::to_string(i); !addItem(item, itemKind(item)))
      return false;
  operand.value = {
      kind, dtype, 0, nullptr, nullptr, nullptr, 0, int64_t(operand.itemValues.size()), operand.itemValues.data()};
  return true;
}

static Array fromTensor(const tenon_value &value) {
  if (value.dtype == TENON_STRING)
    return fromStrings(value);
  Array array;
  int32_t bits = tenon_dtype_bits(value.dtype);
  array.kind = kindOf(value.dtype);
  array.item = std::max(bits / 8, 1);
  array.shape.assign(value.shape, value.shape + value.rank);
  int64_t bytes = (array.count() * std::max(bits, 1) + 7) / 8;
  if (bits < 8)
    array.shape = {bytes}; // packed
  const unsigned char *data = static_cast<const unsigned char *>(value.data);
  array.data.assign(data, data + bytes); // outputs that the session owns are contiguous
  return array;
}

void tenon::npz::add(Archive &archive, const std::string &name, const tenon_value &value) {
  if (value.kind == TENON_TENSOR) {
    archive.emplace_back(name, fromTensor(value));
  } else if (value.kind == TENON_OPTIONAL && value.count == 1) {
    add(archive, name, *value.items[0]);
  } else {
    Array length;
    length.kind = 'i';
    length.item = 8;
    length.data.resize(8);
    int64_t count = value.kind == TENON_OPTIONAL ? -1 : value.count;
    std::memcpy(length.data.data(), &count, 8);
    archive.emplace_back(name + ".len", std::move(length));
    for (int64_t i = 0; i < value.count; ++i)
      add(archive, name + "." + std::to_string(i), *value.items[i]);
  }
}

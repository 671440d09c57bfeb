//===- WireMutator.cpp - Mutations of protobuf messages ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WireMutator.h"

#include <cstdint>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

namespace {
struct Field {
  uint64_t tag;
  std::string content;
};

bool readVarint(const std::string &message, size_t &at, uint64_t &value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && at < message.size(); shift += 7) {
    uint8_t byte = message[at++];
    value |= uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80)
      return true;
  }
  return false;
}

void appendVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(char(value | 0x80));
  out.push_back(char(value));
}

bool split(const std::string &message, std::vector<Field> &fields) {
  for (size_t at = 0; at < message.size();) {
    Field field;
    uint64_t length;
    if (!readVarint(message, at, field.tag) || field.tag < 8)
      return false;
    size_t start = at;
    switch (field.tag & 7) {
    case 0:
      if (!readVarint(message, at, length))
        return false;
      length = at - start;
      break;
    case 1:
      length = 8;
      break;
    case 2:
      if (!readVarint(message, start, length))
        return false;
      break;
    case 5:
      length = 4;
      break;
    default:
      return false;
    }
    if (length > message.size() - start)
      return false;
    field.content = message.substr(start, length);
    at = start + length;
    fields.push_back(std::move(field));
  }
  return !fields.empty();
}

std::string join(const std::vector<Field> &fields) {
  std::string message;
  for (const Field &field : fields) {
    appendVarint(message, field.tag);
    if ((field.tag & 7) == 2)
      appendVarint(message, field.content.size());
    message += field.content;
  }
  return message;
}

std::string mutateBytes(std::string bytes) {
  size_t size = bytes.size();
  bytes.resize(size + 16);
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(bytes.data()), size, bytes.size()));
  return bytes;
}
} // namespace

std::string tenon::mutateMessage(const std::string &message, std::minstd_rand &random, unsigned depth) {
  std::vector<Field> fields;
  if (depth > 20 || !split(message, fields))
    return mutateBytes(message);
  size_t chosen = random() % fields.size(), other = random() % fields.size();
  Field &field = fields[chosen];
  switch (random() % 12) {
  case 0:
    fields.erase(fields.begin() + chosen);
    break;
  case 1:
    fields.push_back(field);
    break;
  case 2:
    std::swap(fields[chosen], fields[other]);
    break;
  case 3:
    field.content = fields[other].content;
    break;
  default:
    if ((field.tag & 7) == 2) {
      field.content = mutateMessage(field.content, random, depth + 1);
    } else if ((field.tag & 7) == 0) {
      static constexpr uint64_t kNumbers[] = {0,           1, 2, 7, 8, 21, 64, 1u << 20, uint64_t(1) << 40,
                                              ~uint64_t(0)};
      field.content.clear();
      appendVarint(field.content, random() % 2 ? kNumbers[random() % 10] : random() % 32);
    } else {
      size_t size = field.content.size();
      field.content = mutateBytes(field.content);
      field.content.resize(size);
    }
  }
  return join(fields);
}

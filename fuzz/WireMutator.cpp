//===- WireMutator.cpp - Mutations of protobuf messages ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WireMutator.h"

#include <cstdint>
#include <vector>

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

/// A field of the donor under the same tag; empty where it has none.
std::string fromDonor(const std::string &donor, uint64_t tag, std::minstd_rand &random) {
  std::vector<Field> fields;
  if (donor.empty() || !split(donor, fields))
    return "";
  std::erase_if(fields, [&](const Field &field) { return field.tag != tag; });
  return fields.empty() ? "" : fields[random() % fields.size()].content;
}
} // namespace

std::string tenon::mutateBytes(std::string bytes, std::minstd_rand &random) {
  for (unsigned round = 1 + random() % 3; round != 0; --round) {
    size_t at = bytes.empty() ? 0 : random() % bytes.size();
    switch (bytes.empty() ? 0 : random() % 6) {
    case 0:
      bytes.insert(at, 1, char(random()));
      break;
    case 1:
      bytes.erase(at, 1 + random() % 8);
      break;
    case 2:
      bytes[at] ^= char(1 << random() % 8);
      break;
    case 3:
      bytes[at] = char(random() % 4 ? random() % 16 : random());
      break;
    case 4:
      bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 32));
      break;
    default:
      bytes.replace(at, 4, bytes.substr(random() % bytes.size(), 4));
    }
  }
  return bytes;
}

std::string tenon::mutateMessage(const std::string &message, std::minstd_rand &random, const std::string &donor,
                                 unsigned depth) {
  std::vector<Field> fields;
  if (depth > 20 || !split(message, fields))
    return mutateBytes(message, random);
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
  case 4:
    if (std::string other = fromDonor(donor, field.tag, random); !other.empty())
      field.content = other;
    break;
  default:
    if ((field.tag & 7) == 2) {
      field.content = mutateMessage(field.content, random, fromDonor(donor, field.tag, random), depth + 1);
    } else if ((field.tag & 7) == 0) {
      static constexpr uint64_t kNumbers[] = {0, 1, 2, 7, 8, 21, 64, 1u << 20, uint64_t(1) << 40, ~uint64_t(0)};
      field.content.clear();
      appendVarint(field.content, random() % 2 ? kNumbers[random() % 10] : random() % 32);
    } else {
      size_t size = field.content.size();
      field.content = mutateBytes(field.content, random);
      field.content.resize(size);
    }
  }
  return join(fields);
}

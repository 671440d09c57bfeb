//===- WireScan.cpp - Large constants in serialised models ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WireScan.h"

using namespace llvm;
using namespace tenon::onnx;

namespace {
enum class Message { Model, Graph, Node, Attribute, Function, Tensor, SparseTensor, Other };

/// Protobuf's own limit on messages in messages.
constexpr unsigned kDeepest = 100;

// Wire types, see protobuf.dev/programming-guides/encoding.
constexpr unsigned kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

// Fields that the scan acts on itself.
constexpr uint64_t kTrainingInfo = 20, kSegment = 3, kRawData = 9;

/// The messages on the way to tensors, by field number of onnx-ml.proto.
Message childOf(Message parent, uint64_t field) {
  static constexpr struct {
    Message parent;
    uint64_t field;
    Message child;
  } kChildren[] = {
      {Message::Model, 7, Message::Graph},
      {Message::Model, 25, Message::Function},
      {Message::Graph, 1, Message::Node},
      {Message::Graph, 5, Message::Tensor},
      {Message::Graph, 15, Message::SparseTensor},
      {Message::Node, 5, Message::Attribute},
      {Message::Attribute, 5, Message::Tensor},
      {Message::Attribute, 6, Message::Graph},
      {Message::Attribute, 10, Message::Tensor},
      {Message::Attribute, 11, Message::Graph},
      {Message::Attribute, 22, Message::SparseTensor},
      {Message::Attribute, 23, Message::SparseTensor},
      {Message::SparseTensor, 1, Message::Tensor},
      {Message::SparseTensor, 2, Message::Tensor},
      {Message::Function, 7, Message::Node},
      {Message::Function, 11, Message::Attribute},
  };
  for (auto [known, number, child] : kChildren)
    if (known == parent && number == field)
      return child;
  return Message::Other;
}

void appendVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(char(value | 0x80));
  out.push_back(char(value));
}

template <typename... Arguments> Error malformed(const char *format, Arguments... arguments) {
  return createStringError((std::string("is no ONNX model, or cut off: ") + format).c_str(), arguments...);
}

class Scanner {
public:
  explicit Scanner(ArrayRef<char> model) : model(model) {}

  /// Copies the message in [at, end) to `out`.
  Error copy(Message message, size_t at, size_t end, unsigned depth, std::string &out);

private:
  Expected<uint64_t> readVarint(size_t &at, size_t end);

  ArrayRef<char> model;
};
} // namespace

Expected<uint64_t> Scanner::readVarint(size_t &at, size_t end) {
  uint64_t value = 0;
  size_t start = at;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at == end)
      return malformed("a field at byte %zu is cut off", start);
    uint8_t byte = model[at++];
    if (shift < 64)
      value |= uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80)
      return value;
  }
  return malformed("the bytes at %zu are not a number", start);
}

Error Scanner::copy(Message message, size_t at, size_t end, unsigned depth, std::string &out) {
  if (depth > kDeepest)
    return malformed("messages are nested more than %u deep", kDeepest);
  while (at < end) {
    size_t start = at;
    Expected<uint64_t> tag = readVarint(at, end);
    if (!tag)
      return tag.takeError();
    uint64_t field = *tag >> 3;
    unsigned wire = *tag & 7;
    if (field == 0 || *tag > UINT32_MAX)
      return malformed("the bytes at %zu are not a field", start);
    size_t tagEnd = at;
    uint64_t length = 0;
    if (wire == kVarint || wire == kBytes) {
      Expected<uint64_t> number = readVarint(at, end);
      if (!number)
        return number.takeError();
      length = wire == kBytes ? *number : 0;
    } else if (wire == kFixed32 || wire == kFixed64) {
      length = wire == kFixed32 ? 4 : 8;
    } else {
      return malformed("the bytes at %zu are not a field", start);
    }
    if (length > end - at)
      return malformed("a field of %llu bytes at byte %zu is cut off after %zu", (unsigned long long)length, start,
                       end - at);
    size_t content = at;
    at += length;
    if (wire == kBytes && message == Message::Model && field == kTrainingInfo)
      continue;
    if (wire == kBytes && message == Message::Tensor && field == kSegment)
      return createStringError("the tensor at byte %zu is stored in segments, which is not supported", start);
    if (wire == kBytes && message == Message::Tensor && field == kRawData && length > kLargeConstant) {
      std::string segment;
      segment.push_back(1 << 3 | kVarint);
      appendVarint(segment, content);
      segment.push_back(2 << 3 | kVarint);
      appendVarint(segment, at);
      out.push_back(kSegment << 3 | kBytes);
      appendVarint(out, segment.size());
      out += segment;
      continue;
    }
    Message child = wire == kBytes ? childOf(message, field) : Message::Other;
    if (child == Message::Other) {
      out.append(model.data() + start, at - start);
      continue;
    }
    std::string copied;
    if (Error error = copy(child, content, at, depth + 1, copied))
      return error;
    out.append(model.data() + start, tagEnd - start);
    appendVarint(out, copied.size());
    out += copied;
  }
  return Error::success();
}

Expected<std::string> tenon::onnx::copyWithoutLargeConstants(ArrayRef<char> model) {
  std::string copied;
  if (Error error = Scanner(model).copy(Message::Model, 0, model.size(), 1, copied))
    return std::move(error);
  return copied;
}

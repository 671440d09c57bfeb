//===- BytecodeChecksum.cpp - Damage of bytecode found before it is read ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/BytecodeChecksum.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/MemoryBufferRef.h"

using namespace llvm;

namespace {
constexpr StringRef kMark = "T:";
constexpr size_t kDigits = 8, kProducer = 5; ///< where the producer begins

/// Of all bytes but the seal, which has its place at the beginning of the producer.
std::string checksumOf(StringRef content) {
  uint32_t head = crc32(arrayRefFromStringRef(content.take_front(kProducer)));
  uint32_t sum = crc32(head, arrayRefFromStringRef(content.drop_front(kProducer + kMark.size() + kDigits)));
  return utohexstr(sum, /*LowerCase=*/true, kDigits);
}

bool holdsBytecode(StringRef content) {
  return content.size() > kProducer + kMark.size() + kDigits && mlir::isBytecode(MemoryBufferRef(content, ""));
}
} // namespace

void tenon::sealBytecode(MutableArrayRef<char> content) {
  StringRef text(content.data(), content.size());
  if (!holdsBytecode(text))
    return;
  size_t end = text.find('\0', kProducer), length = kMark.size() + kDigits;
  if (end == StringRef::npos || end < kProducer + length)
    return;
  std::fill(content.begin() + kProducer + length, content.begin() + end, ' ');
  copy((kMark + checksumOf(text)).str(), content.begin() + kProducer);
}

Error tenon::checkBytecode(StringRef content) {
  if (!holdsBytecode(content))
    return Error::success();
  StringRef written = content.drop_front(kProducer);
  if (!written.consume_front(kMark))
    return Error::success();
  written = written.take_front(kDigits);
  if (std::string found = checksumOf(content); found != written && all_of(written, isHexDigit))
    return createStringError("is damaged: its bytes have the checksum " + found + ", but were written with " + written);
  return Error::success();
}

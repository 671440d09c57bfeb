//===- ConstantTable.cpp - The constants of an artifact, equal ones once ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConstantTable.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/xxhash.h"

using namespace tenon;
using llvm::ArrayRef;

/// Where constants begin: a vector's alignment.
static constexpr uint64_t alignment = 64;

namespace {
/// Hashes bytes that come in pieces, whatever the pieces are: block by block.
class ContentHash {
public:
  void update(ArrayRef<char> bytes) {
    while (!bytes.empty()) {
      if (pending.empty() && bytes.size() >= blockBytes) {
        add(bytes.take_front(blockBytes));
        bytes = bytes.drop_front(blockBytes);
        continue;
      }
      ArrayRef<char> part = bytes.take_front(blockBytes - pending.size());
      pending.insert(pending.end(), part.begin(), part.end());
      bytes = bytes.drop_front(part.size());
      if (pending.size() == blockBytes)
        flush();
    }
  }

  std::pair<uint64_t, uint64_t> finish() {
    flush();
    llvm::XXH128_hash_t all = hash({reinterpret_cast<const char *>(blocks.data()), blocks.size() * sizeof(uint64_t)});
    return {all.low64, all.high64};
  }

private:
  static constexpr size_t blockBytes = 1 << 16;

  static llvm::XXH128_hash_t hash(ArrayRef<char> bytes) {
    return llvm::xxh3_128bits({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
  }
  void add(ArrayRef<char> block) {
    llvm::XXH128_hash_t value = hash(block);
    blocks.push_back(value.low64);
    blocks.push_back(value.high64);
  }
  void flush() {
    if (!pending.empty())
      add(pending);
    pending.clear();
  }

  std::vector<char> pending;
  std::vector<uint64_t> blocks;
};
} // namespace

llvm::Error ConstantTable::append(artifact::ConstantInfo &info, Producer produce) {
  uint64_t start = 0, bytes = 0;
  if (!writer.alignConstants(alignment, start))
    return llvm::createStringError(writer.error());
  llvm::Error error = produce([&](ArrayRef<char> piece) {
    bytes += piece.size();
    return writer.appendConstants(piece.data(), piece.size());
  });
  if (error && !writer.error().empty()) {
    llvm::consumeError(std::move(error));
    return llvm::createStringError(writer.error());
  }
  info.segment = 0;
  info.offset = start;
  info.bytes = bytes;
  return error;
}

llvm::Error ConstantTable::add(artifact::ConstantInfo &info, Producer produce) {
  // Few constants are there twice: each is written while it is made, and taken back if it was known.
  artifact::ArtifactWriter::ConstantsEnd end = writer.constantsEnd();
  ContentHash hash;
  artifact::ConstantInfo appended;
  if (llvm::Error error = append(appended, [&](ByteSink sink) {
        return produce([&](ArrayRef<char> piece) {
          hash.update(piece);
          return sink(piece);
        });
      }))
    return error;
  auto [it, isNew] = known.try_emplace({appended.bytes, hash.finish()}, appended);
  if (isNew)
    written += appended.bytes;
  else
    writer.takeBackTo(end);
  uint32_t devices = info.devices;
  info = it->second;
  info.devices = devices;
  return llvm::Error::success();
}

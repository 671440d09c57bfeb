//===- ConstantTable.h - The constants of an artifact, equal ones once ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_COMPILER_CONSTANTTABLE_H
#define TENON_LIB_COMPILER_CONSTANTTABLE_H

#include "ConstantBytes.h"
#include "tenon/Artifact/ArtifactWriter.h"

#include <map>

namespace tenon {

/// Writes constants to an artifact, one at a time, whoever makes them. Bytes that are there already are not written
/// again: known by their number and a hash of 128 bits, which is against accidents, as the hashes of blobs are.
class ConstantTable {
public:
  explicit ConstantTable(artifact::ArtifactWriter &writer) : writer(writer) {}

  /// Sets segment, offset and bytes of a constant whose bytes `produce` gives to a sink.
  llvm::Error add(artifact::ConstantInfo &info, llvm::function_ref<llvm::Error(ByteSink)> produce);

  /// What was written, less what lies between constants.
  uint64_t getBytes() const { return written; }

private:
  using Hash = std::pair<uint64_t, uint64_t>;
  using Producer = llvm::function_ref<llvm::Error(ByteSink)>;

  /// Writes what a producer gives at the end.
  llvm::Error append(artifact::ConstantInfo &info, Producer produce);

  artifact::ArtifactWriter &writer;
  std::map<std::pair<uint64_t, Hash>, artifact::ConstantInfo> known;
  uint64_t written = 0;
};

} // namespace tenon

#endif // TENON_LIB_COMPILER_CONSTANTTABLE_H

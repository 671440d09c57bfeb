//===- ArtifactWriter.h - Makes a model.so ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Streams a container behind the runtime library's bytes into a file that appears whole or not at all.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TENON_ARTIFACT_ARTIFACTWRITER_H
#define TENON_ARTIFACT_ARTIFACTWRITER_H

#include "tenon/Artifact/Container.h"
#include "tenon/Artifact/Metadata.h"
#include "tenon/Support/OutputFile.h"

#include <string>
#include <vector>

namespace tenon::artifact {

/// Of a new artifact, less the umask: a program may link or open it.
inline constexpr unsigned kFilePermissions = 0777;

/// Calls that fail return false, and so do all later ones; `error()` has the first reason.
class ArtifactWriter {
public:
  /// `runtime` is the runtime library's bytes (may be empty for a container alone), `machine` an ELF
  /// e_machine.
  ArtifactWriter(std::string path, const void *runtime, size_t runtimeSize, uint16_t machine = 62);

  /// The host program's image.
  bool addHostCode(const void *data, size_t size);
  /// The kernels' image of a variant.
  bool addKernelCode(uint32_t variant, const void *data, size_t size);
  /// Any other segment.
  bool addSegment(SegmentKind kind, uint32_t id, const void *data, size_t size);

  /// Starts constants segment `id`; bytes are then appended in pieces, up to the next call that isn't an
  /// append.
  bool beginConstants(uint32_t id = 0);
  bool appendConstants(const void *data, size_t size);
  /// Appends zeros up to a multiple of `alignment` from the segment's start, and gives the offset reached:
  /// where the next constant starts.
  bool alignConstants(uint64_t alignment, uint64_t &offset);
  /// Where the constants segment ends now, and what takes back all that is appended to it afterwards.
  struct ConstantsEnd {
    uint64_t position;
    Checksum sum;
  };
  ConstantsEnd constantsEnd() const { return {position, sum}; }
  void takeBackTo(const ConstantsEnd &end) { position = end.position, sum = end.sum; }

  /// Writes the metadata, the table, and the trailer, and gives the file its name.
  bool finish(const ModelMetadata &metadata);

  const std::string &error() const { return message; }

private:
  bool fail(const std::string &what);
  bool write(const void *data, size_t size);
  bool writeAt(uint64_t offset, const void *data, size_t size);
  bool padTo(uint64_t alignment);
  bool begin(SegmentKind kind, uint32_t id, uint64_t alignment);
  void end();

  OutputFile file;
  std::string message;
  uint16_t machine;
  uint64_t position = 0, containerStart = 0;
  std::vector<SegmentRecord> segments;
  Checksum sum;
  bool open = false;
};

} // namespace tenon::artifact

#endif

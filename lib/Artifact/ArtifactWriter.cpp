//===- ArtifactWriter.cpp - Makes a model.so ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Artifact/ArtifactWriter.h"
#include "tenon/Artifact/MetadataView.h"

#include <cstring>

using namespace tenon::artifact;

// Header and table are written last, into the first page of the container.
static_assert(sizeof(ContainerHeader) + kMaxSegments * sizeof(SegmentRecord) <= kPageAlignment);

ArtifactWriter::ArtifactWriter(std::string path, const void *runtime, size_t runtimeSize, uint16_t machine)
    : file(std::move(path), kFilePermissions), machine(machine) {
  write(runtime, runtimeSize) && padTo(kContainerAlignment);
  containerStart = position;
  static const char page[kPageAlignment] = {};
  write(page, sizeof(page));
}

bool ArtifactWriter::fail(const std::string &what) {
  if (message.empty())
    message = what;
  return false;
}

bool ArtifactWriter::writeAt(uint64_t offset, const void *data, size_t size) {
  return message.empty() && (file.writeAt(offset, data, size) || fail(file.error()));
}

bool ArtifactWriter::write(const void *data, size_t size) {
  if (!writeAt(position, data, size))
    return false;
  position += size;
  return true;
}

bool ArtifactWriter::padTo(uint64_t alignment) {
  static const char zeros[4096] = {};
  uint64_t missing = (alignment - position % alignment) % alignment;
  for (; missing != 0; missing -= missing < sizeof(zeros) ? missing : sizeof(zeros))
    if (!write(zeros, missing < sizeof(zeros) ? missing : sizeof(zeros)))
      return false;
  return true;
}

bool ArtifactWriter::begin(SegmentKind kind, uint32_t id, uint64_t alignment) {
  end();
  if (segments.size() == kMaxSegments)
    return fail("the artifact has too many segments");
  if (!padTo(alignment))
    return false;
  segments.push_back({uint32_t(kind), id, 0, 0, position - containerStart, 0, 0});
  sum = Checksum();
  open = true;
  return true;
}

void ArtifactWriter::end() {
  if (!open)
    return;
  open = false;
  segments.back().size = position - containerStart - segments.back().offset;
  segments.back().checksum = sum.finish();
}

bool ArtifactWriter::addSegment(SegmentKind kind, uint32_t id, const void *data, size_t size) {
  bool paged = kind == SegmentKind::HostCode || kind == SegmentKind::KernelCode || kind == SegmentKind::Constants;
  if (!begin(kind, id, paged ? kPageAlignment : 64) || !write(data, size))
    return false;
  sum.update(data, size);
  end();
  return true;
}

bool ArtifactWriter::addHostCode(const void *data, size_t size) {
  return addSegment(SegmentKind::HostCode, 0, data, size);
}
bool ArtifactWriter::addKernelCode(uint32_t variant, const void *data, size_t size) {
  return addSegment(SegmentKind::KernelCode, variant, data, size);
}

bool ArtifactWriter::beginConstants(uint32_t id) { return begin(SegmentKind::Constants, id, kPageAlignment); }

bool ArtifactWriter::appendConstants(const void *data, size_t size) {
  if (!open)
    return fail("constants are appended before a segment for them is begun");
  if (!write(data, size))
    return false;
  sum.update(data, size);
  return true;
}

bool ArtifactWriter::alignConstants(uint64_t alignment, uint64_t &offset) {
  static const char zeros[4096] = {};
  if (!open)
    return fail("constants are aligned before a segment for them is begun");
  uint64_t start = containerStart + segments.back().offset;
  uint64_t missing = (alignment - (position - start) % alignment) % alignment;
  while (missing != 0) {
    uint64_t piece = missing < sizeof(zeros) ? missing : sizeof(zeros);
    if (!appendConstants(zeros, piece))
      return false;
    missing -= piece;
  }
  offset = position - start;
  return message.empty();
}

bool ArtifactWriter::finish(const ModelMetadata &metadata) {
  end();
  for (const auto *tensors : {&metadata.inputs, &metadata.outputs})
    for (const TensorInfo &tensor : *tensors)
      if (tensor.dims.size() > kMaxTensorRank)
        return fail((tensors == &metadata.inputs ? "input '" : "output '") + tensor.name + "' has rank " +
                    std::to_string(tensor.dims.size()) + ", models may have up to " + std::to_string(kMaxTensorRank));
  std::vector<uint8_t> bytes = metadata.serialize();
  ModelMetadata checked;
  std::string problem;
  if (message.empty() && !ModelMetadata::parse(bytes.data(), bytes.size(), checked, problem))
    return fail(problem);
  if (!addSegment(SegmentKind::Metadata, 0, bytes.data(), bytes.size()) || !padTo(8))
    return false;

  ContainerHeader header = {};
  std::memcpy(header.magic, kContainerMagic, 8);
  header.version = kFormatVersion;
  header.kernelAbi = kKernelAbi;
  header.size = position - containerStart;
  header.segmentCount = uint32_t(segments.size());
  header.segmentBytes = sizeof(SegmentRecord);
  header.machine = machine;
  Checksum headerSum;
  headerSum.update(&header, sizeof(header));
  headerSum.update(segments.data(), segments.size() * sizeof(SegmentRecord));
  header.checksum = headerSum.finish();

  Trailer trailer = {};
  std::memcpy(trailer.magic, kTrailerMagic, 8);
  trailer.version = kFormatVersion;
  trailer.offset = containerStart;
  trailer.size = header.size;
  trailer.checksum = uint32_t(Checksum::of(&trailer, sizeof(trailer)));
  if (!writeAt(containerStart, &header, sizeof(header)) ||
      !writeAt(containerStart + sizeof(header), segments.data(), segments.size() * sizeof(SegmentRecord)) ||
      !write(&trailer, sizeof(trailer)))
    return false;
  // Constants that were taken back may have reached further.
  if (!file.shorten(position))
    return fail(file.error());

  return file.keep() || fail(file.error());
}

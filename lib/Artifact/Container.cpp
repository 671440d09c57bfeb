//===- Container.cpp - The file format of compiled models ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Artifact/Container.h"

#include <string.h>

using namespace tenon::artifact;

namespace {
constexpr uint64_t kPrimes[5] = {0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
                                 0x27D4EB2F165667C5};

uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }
uint64_t mixLane(uint64_t lane, uint64_t input) { return rotate(lane + input * kPrimes[1], 31) * kPrimes[0]; }
template <typename T> T load(const unsigned char *p) {
  T value;
  memcpy(&value, p, sizeof(value));
  return value;
}
} // namespace

Checksum::Checksum() : lanes{kPrimes[0] + kPrimes[1], kPrimes[1], 0, 0 - kPrimes[0]} {}

void Checksum::update(const void *data, size_t size) {
  if (size == 0)
    return;
  const unsigned char *p = static_cast<const unsigned char *>(data);
  total += size;
  if (pendingSize != 0 || size < 32) {
    size_t taken = size < 32 - pendingSize ? size : 32 - pendingSize;
    memcpy(pending + pendingSize, p, taken);
    pendingSize += taken;
    p += taken;
    size -= taken;
    if (pendingSize < 32)
      return;
    for (int i = 0; i < 4; ++i)
      lanes[i] = mixLane(lanes[i], load<uint64_t>(pending + 8 * i));
    pendingSize = 0;
  }
  for (; size >= 32; p += 32, size -= 32)
    for (int i = 0; i < 4; ++i)
      lanes[i] = mixLane(lanes[i], load<uint64_t>(p + 8 * i));
  memcpy(pending, p, size);
  pendingSize = size;
}

uint64_t Checksum::finish() const {
  uint64_t hash = kPrimes[4];
  if (total >= 32) {
    hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
    for (uint64_t lane : lanes)
      hash = (hash ^ mixLane(0, lane)) * kPrimes[0] + kPrimes[3];
  }
  hash += total;
  const unsigned char *p = pending, *end = pending + pendingSize;
  for (; end - p >= 8; p += 8)
    hash = rotate(hash ^ mixLane(0, load<uint64_t>(p)), 27) * kPrimes[0] + kPrimes[3];
  for (; end - p >= 4; p += 4)
    hash = rotate(hash ^ load<uint32_t>(p) * kPrimes[0], 23) * kPrimes[1] + kPrimes[2];
  for (; p != end; ++p)
    hash = rotate(hash ^ *p * kPrimes[4], 11) * kPrimes[0];
  hash = (hash ^ hash >> 33) * kPrimes[1];
  hash = (hash ^ hash >> 29) * kPrimes[2];
  return hash ^ hash >> 32;
}

const char *tenon::artifact::readTrailer(const void *last32, uint64_t fileSize, Trailer &trailer) {
  memcpy(&trailer, last32, sizeof(Trailer));
  if (memcmp(trailer.magic, kTrailerMagic, 8) != 0)
    return "there is no model at the end of the file (was it stripped?)";
  Trailer zeroed = trailer;
  zeroed.checksum = 0;
  if (uint32_t(Checksum::of(&zeroed, sizeof(zeroed))) != trailer.checksum)
    return "the trailer is damaged";
  if (trailer.version != kFormatVersion)
    return "the format version is not one that this runtime reads";
  if (fileSize < sizeof(Trailer) || trailer.size > fileSize - sizeof(Trailer) ||
      trailer.offset != fileSize - sizeof(Trailer) - trailer.size)
    return "the file's size is not what the trailer says (was it cut?)";
  if (trailer.offset % kContainerAlignment != 0)
    return "the container is not aligned";
  return nullptr;
}

const char *ContainerView::open(const void *data, uint64_t size) {
  base = static_cast<const unsigned char *>(data);
  if (size < sizeof(ContainerHeader))
    return "the container is too short for its header";
  const ContainerHeader &h = header();
  if (memcmp(h.magic, kContainerMagic, 8) != 0)
    return "the container does not start with its magic number";
  if (h.version != kFormatVersion)
    return "the format version is not one that this runtime reads";
  if (h.size != size)
    return "the container's size is not what its header says";
  if (h.segmentBytes != sizeof(SegmentRecord))
    return "the segment records have an unknown size";
  if (h.segmentCount > kMaxSegments || h.segmentCount > (size - sizeof(ContainerHeader)) / sizeof(SegmentRecord))
    return "the segment table does not fit";
  uint64_t tableBytes = uint64_t(h.segmentCount) * sizeof(SegmentRecord);

  ContainerHeader zeroed = h;
  zeroed.checksum = 0;
  Checksum sum;
  sum.update(&zeroed, sizeof(zeroed));
  sum.update(base + sizeof(ContainerHeader), tableBytes);
  if (sum.finish() != h.checksum)
    return "the checksum of the header is wrong";

  uint64_t payload = sizeof(ContainerHeader) + tableBytes;
  for (uint32_t i = 0; i < h.segmentCount; ++i) {
    const SegmentRecord &s = segment(i);
    if (s.offset < payload || s.offset > size || s.size > size - s.offset)
      return "a segment lies outside the container";
    bool paged = s.kind == uint32_t(SegmentKind::HostCode) || s.kind == uint32_t(SegmentKind::KernelCode) ||
                 s.kind == uint32_t(SegmentKind::Constants);
    if (s.offset % (paged ? kPageAlignment : 8) != 0)
      return "a segment is not aligned";
    if (find(SegmentKind(s.kind), s.id) != &s)
      return "two segments have the same kind and number";
  }
  if (!find(SegmentKind::Metadata))
    return "there is no metadata segment";
  if (!find(SegmentKind::HostCode))
    return "there is no host program";
  return nullptr;
}

const SegmentRecord *ContainerView::find(SegmentKind kind, uint32_t id) const {
  for (uint32_t i = 0; i < segmentCount(); ++i)
    if (segment(i).kind == uint32_t(kind) && segment(i).id == id)
      return &segment(i);
  return nullptr;
}

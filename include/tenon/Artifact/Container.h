//===- Container.h - The file format of compiled models ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `model.so` is the prebuilt runtime library, padding to a 64 KiB boundary, a container, and a 32-byte
// trailer that says where the container starts. The container is a header, a table of segments, and the
// segments. This header has the records and `ContainerView`, which checks all of them in place without
// allocating; the runtime includes it, so it needs neither LLVM nor the C++ library. Writing is in
// ArtifactWriter.h.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TENON_ARTIFACT_CONTAINER_H
#define TENON_ARTIFACT_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

namespace tenon::artifact {

inline constexpr char kContainerMagic[9] = "TENONMDL";
inline constexpr char kTrailerMagic[9] = "TENONEND";
inline constexpr uint32_t kFormatVersion = 1;
/// TENON_KERNEL_ABI of Runtime/tenon_kernel.h, which asserts it.
inline constexpr uint32_t kKernelAbi = 5;
inline constexpr uint64_t kContainerAlignment = 65536;
/// Code and constants start at multiples of this, from the start of the file.
inline constexpr uint64_t kPageAlignment = 4096;
/// As many as the first page has room for, behind the header.
inline constexpr uint32_t kMaxSegments = 100;

enum class SegmentKind : uint32_t {
  Metadata = 1,
  HostCode = 2,   ///< the host program's image
  KernelCode = 3, ///< the kernels' image of variant `id`
  Constants = 4,  ///< constants number `id`
  DeviceCode = 5, ///< PTX, SPIR-V, ...
  SymbolMap = 6,  ///< for debuggers and profilers
};

struct ContainerHeader {
  char magic[8];
  uint32_t version;
  uint32_t kernelAbi; ///< kKernelAbi of the code
  uint64_t size;      ///< of the container, trailer excluded
  uint32_t segmentCount;
  uint32_t segmentBytes; ///< sizeof(SegmentRecord)
  uint64_t machine;      ///< ELF e_machine of the code
  uint64_t reserved[2];
  uint64_t checksum; ///< of the header (this field as 0) and the segment table
};
static_assert(sizeof(ContainerHeader) == 64);

struct SegmentRecord {
  uint32_t kind;
  uint32_t id;    ///< variant or constants number
  uint32_t flags; ///< 0
  uint32_t reserved;
  uint64_t offset; ///< from the container's start
  uint64_t size;
  uint64_t checksum;
};
static_assert(sizeof(SegmentRecord) == 40);

struct Trailer {
  char magic[8];
  uint32_t version;
  uint32_t checksum; ///< low half of the checksum of the trailer with this field as 0
  uint64_t offset;   ///< of the container in the file
  uint64_t size;     ///< of the container
};
static_assert(sizeof(Trailer) == 32);

/// XXH64 (Y. Collet, xxHash specification 0.1.1, seed 0), in pieces.
class Checksum {
public:
  Checksum();
  void update(const void *data, size_t size);
  uint64_t finish() const;
  static uint64_t of(const void *data, size_t size) {
    Checksum sum;
    sum.update(data, size);
    return sum.finish();
  }

private:
  uint64_t lanes[4];
  uint64_t total = 0;
  unsigned char pending[32];
  size_t pendingSize = 0;
};

/// Checks the 32 bytes at the end of a file of `fileSize` bytes. Null, or what is wrong.
const char *readTrailer(const void *last32, uint64_t fileSize, Trailer &trailer);

/// A checked view of a container in memory.
class ContainerView {
public:
  /// Checks header and table; segments' offsets and sizes lie within the container, code and constants on
  /// page boundaries, exactly one metadata and host segment. Segment bytes are not read. Null, or what is
  /// wrong.
  const char *open(const void *data, uint64_t size);

  const ContainerHeader &header() const { return *reinterpret_cast<const ContainerHeader *>(base); }
  uint32_t segmentCount() const { return header().segmentCount; }
  const SegmentRecord &segment(uint32_t i) const {
    return reinterpret_cast<const SegmentRecord *>(base + sizeof(ContainerHeader))[i];
  }
  /// The segment of that kind and id, or null.
  const SegmentRecord *find(SegmentKind kind, uint32_t id = 0) const;
  const unsigned char *bytes(const SegmentRecord &record) const { return base + record.offset; }
  /// Whether the bytes of a segment match its checksum.
  bool verify(const SegmentRecord &record) const { return Checksum::of(bytes(record), record.size) == record.checksum; }

private:
  const unsigned char *base = nullptr;
};

} // namespace tenon::artifact

#endif

//===- ArtifactMutator.cpp - Mutations of artifacts ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactMutator.h"

#include "tenon/Artifact/Container.h"
#include "tenon/Runtime/tenon.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace tenon::artifact;

namespace {
/// The header and the segments of an artifact, where they lie in its bytes.
struct Layout {
  explicit Layout(const std::string &artifact) {
    Trailer trailer;
    if (artifact.size() < sizeof(Trailer))
      return;
    body = artifact.size() - sizeof(Trailer);
    std::memcpy(&trailer, artifact.data() + body, sizeof(trailer));
    start = trailer.offset;
    if (start > body || body - start < sizeof(ContainerHeader))
      return;
    std::memcpy(&header, artifact.data() + start, sizeof(header));
    size_t room = (body - start - sizeof(ContainerHeader)) / sizeof(SegmentRecord);
    tableBytes = std::min<size_t>(header.segmentCount, room) * sizeof(SegmentRecord);
    hasHeader = true;
  }

  SegmentRecord segment(const std::string &artifact, size_t i) const {
    SegmentRecord record;
    std::memcpy(&record, artifact.data() + segmentAt(i), sizeof(record));
    return record;
  }
  size_t segmentAt(size_t i) const { return start + sizeof(ContainerHeader) + i * sizeof(SegmentRecord); }
  size_t segmentCount() const { return tableBytes / sizeof(SegmentRecord); }
  bool holds(const SegmentRecord &record) const {
    return record.offset <= body - start && record.size <= body - start - record.offset;
  }

  bool hasHeader = false;
  size_t body = 0, start = 0, tableBytes = 0;
  ContainerHeader header = {};
};

/// A range of bytes worth changing.
std::pair<size_t, size_t> chooseRange(const std::string &artifact, std::minstd_rand &random) {
  Layout layout(artifact);
  unsigned choice = random() % 8;
  if (!layout.hasHeader || choice == 0)
    return {0, artifact.size()};
  if (choice == 1)
    return {layout.body, sizeof(Trailer)};
  if (choice == 2)
    return {layout.start, sizeof(ContainerHeader)};
  if (choice == 3)
    return {layout.start + sizeof(ContainerHeader), layout.tableBytes};
  for (size_t i = 0; i < layout.segmentCount(); ++i) {
    SegmentRecord record = layout.segment(artifact, i);
    if (record.kind == uint32_t(SegmentKind::Metadata) && layout.holds(record))
      return {layout.start + record.offset, record.size};
  }
  return {0, artifact.size()};
}

template <typename T> void put(std::string &bytes, size_t at, T value) {
  if (at <= bytes.size() && sizeof(T) <= bytes.size() - at)
    std::memcpy(bytes.data() + at, &value, sizeof(T));
}
} // namespace

std::string tenon::mutateArtifact(std::string artifact, std::minstd_rand &random) {
  if (artifact.empty())
    return std::string(1 + random() % 100, char(random()));
  static constexpr uint64_t kNumbers[] = {
      0, 1, 2, 3, 8, 63, 64, 0x7fffffff, 0x80000000, 0xffffffff, uint64_t(1) << 32, INT64_MAX, ~uint64_t(0)};
  for (unsigned round = 1 + random() % 4; round != 0; --round) {
    auto [first, size] = chooseRange(artifact, random);
    if (size == 0)
      continue;
    size_t at = first + random() % size;
    uint64_t number = random() % 2 ? kNumbers[random() % std::size(kNumbers)] : random() % 300;
    switch (random() % 9) {
    case 0:
      artifact.resize(at);
      break;
    case 1:
      artifact.insert(at, artifact, first + random() % size, random() % 64);
      break;
    case 2:
      artifact.replace(at, 8, artifact, first + random() % size, 8);
      break;
    case 3:
      artifact[at] ^= char(1 << random() % 8);
      break;
    case 4:
      artifact[at] = char(random());
      break;
    case 5:
    case 6:
      put(artifact, at / 4 * 4, uint32_t(number));
      break;
    default:
      put(artifact, at / 8 * 8, number);
    }
    if (artifact.empty())
      break;
  }
  return artifact;
}

void tenon::repairChecksums(std::string &artifact) {
  Layout layout(artifact);
  if (layout.body == 0)
    return;
  Trailer trailer = {};
  std::memcpy(trailer.magic, kTrailerMagic, 8);
  trailer.version = kFormatVersion;
  trailer.offset = layout.hasHeader ? layout.start / kContainerAlignment * kContainerAlignment : 0;
  trailer.size = layout.body - trailer.offset;
  trailer.checksum = uint32_t(Checksum::of(&trailer, sizeof(trailer)));
  put(artifact, layout.body, trailer);
  layout = Layout(artifact);
  if (!layout.hasHeader)
    return;
  for (size_t i = 0; i < layout.segmentCount(); ++i) {
    SegmentRecord record = layout.segment(artifact, i);
    if (!layout.holds(record))
      continue;
    record.checksum = Checksum::of(artifact.data() + layout.start + record.offset, record.size);
    put(artifact, layout.segmentAt(i), record);
  }
  std::memcpy(layout.header.magic, kContainerMagic, 8);
  layout.header.version = kFormatVersion;
  layout.header.size = trailer.size;
  layout.header.checksum = 0;
  Checksum sum;
  sum.update(&layout.header, sizeof(ContainerHeader));
  sum.update(artifact.data() + layout.segmentAt(0), layout.tableBytes);
  layout.header.checksum = sum.finish();
  put(artifact, layout.start, layout.header);
}

void tenon::removeCode(std::string &artifact) {
  repairChecksums(artifact);
  Layout layout(artifact);
  for (size_t i = 0; i < layout.segmentCount(); ++i) {
    SegmentRecord record = layout.segment(artifact, i);
    bool isCode = record.kind == uint32_t(SegmentKind::HostCode) || record.kind == uint32_t(SegmentKind::KernelCode);
    // Where segments overlap the checksums of the others are no longer right, so they are refused.
    if (isCode && layout.holds(record) && record.offset >= layout.segmentAt(layout.segmentCount()) - layout.start)
      artifact.replace(layout.start + record.offset, record.size, record.size, char(0xc3)); // ret
  }
  repairChecksums(artifact);
}

/// Binds small inputs, and asks for everything.
static void runSession(const tenon_model *model, tenon_session *session) {
  std::vector<std::vector<int64_t>> shapes;
  std::vector<std::vector<char>> memory;
  std::vector<tenon_string> strings(64, {"text", 4});
  for (int32_t i = 0; i < tenon_model_input_count(model); ++i) {
    tenon_tensor_info info;
    if (tenon_model_input(model, i, &info) != TENON_OK)
      std::abort();
    std::vector<int64_t> &shape = shapes.emplace_back();
    int64_t elements = 1;
    for (int32_t d = 0; d < info.rank; ++d) {
      tenon_dim dim;
      if (tenon_model_input_dim(model, i, d, &dim) != TENON_OK)
        std::abort();
      shape.push_back(dim.size >= 0 ? dim.size : 2);
      elements = elements > 1000 || shape.back() > 1000 ? 1001 : elements * shape.back();
    }
    memory.emplace_back(size_t(elements) * 16 + 64);
    tenon_value value = {info.kind, info.dtype, info.rank, shape.data(), nullptr, memory.back().data(), 0, 0, nullptr};
    if (elements > 1000)
      value.data = TENON_SHAPE_ONLY;
    else if (info.dtype == TENON_STRING && elements <= 64)
      value.data = strings.data();
    else if (info.dtype == TENON_STRING)
      continue;
    (void)tenon_session_bind_input(session, i, &value);
  }
  int64_t bytes, shape[64];
  (void)tenon_session_arena_bytes(session, &bytes);
  for (int32_t i = 0; i < tenon_model_output_count(model); ++i) {
    tenon_tensor_info info;
    if (tenon_model_output(model, i, &info) == TENON_OK)
      (void)tenon_session_output_shape(session, i, shape, info.rank);
  }
  for (int round = 0; round < 2; ++round) {
    const tenon_value *value;
    if (tenon_session_run(session) == TENON_OK)
      for (int32_t i = 0; i < tenon_model_output_count(model); ++i)
        (void)tenon_session_output(session, i, &value);
    (void)tenon_session_trim(session);
  }
}

static void inspect(const tenon_model *model) {
  size_t letters = std::strlen(tenon_model_name(model)) + std::strlen(tenon_model_variant(model));
  for (bool output : {false, true}) {
    int32_t count = output ? tenon_model_output_count(model) : tenon_model_input_count(model);
    for (int32_t i = -1; i <= count; ++i) {
      tenon_tensor_info info;
      if ((output ? tenon_model_output : tenon_model_input)(model, i, &info) != TENON_OK)
        continue;
      letters += std::strlen(info.name) + std::strlen(tenon_dtype_name(info.dtype));
      for (int32_t d = -1; d <= info.rank; ++d) {
        tenon_dim dim;
        if ((output ? tenon_model_output_dim : tenon_model_input_dim)(model, i, d, &dim) == TENON_OK && dim.symbol)
          letters += std::strlen(dim.symbol);
      }
      (output ? tenon_model_find_output : tenon_model_find_input)(model, info.name);
    }
  }
  // More letters than any mutated artifact has: what was read stays.
  if (letters > size_t(1) << 40)
    std::abort();
  (void)tenon_model_verify(model);
}

bool tenon::inspectArtifact(const std::string &artifact, bool runs) {
  int file = memfd_create("artifact", MFD_CLOEXEC);
  if (file < 0 || write(file, artifact.data(), artifact.size()) != ssize_t(artifact.size()))
    std::abort();
  std::string path = "/proc/self/fd/" + std::to_string(file);
  tenon_model *model = nullptr;
  tenon_status status = tenon_model_open(path.c_str(), &model);
  if (status == TENON_OK) {
    inspect(model);
    tenon_options options = {};
    options.size = sizeof(options);
    options.threads = 1;
    options.memory_limit = int64_t(1) << 28;
    tenon_session *session = nullptr;
    status = tenon_session_create(model, &options, &session);
    if ((status == TENON_OK) != (session != nullptr))
      std::abort();
    if (session && runs)
      runSession(model, session);
    tenon_session_destroy(session);
  }
  bool opened = model != nullptr;
  tenon_model_close(model);
  close(file);
  if (status != TENON_OK && tenon_last_error()[0] == 0)
    std::abort();
  return opened;
}

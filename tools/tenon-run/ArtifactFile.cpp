//===- ArtifactFile.cpp - An artifact as the tool opens it ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tenon::artifact;

namespace tenon::run {

ArtifactFile::~ArtifactFile() {
  if (base)
    munmap(base, size);
}

std::string ArtifactFile::open(const std::string &file) {
  path = file;
  int handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (handle < 0 || fstat(handle, &status) != 0) {
    std::string reason = std::strerror(errno);
    if (handle >= 0)
      close(handle);
    return "cannot open '" + path + "': " + reason;
  }
  std::string problem;
  Trailer trailer;
  size = size_t(status.st_size);
  if (!S_ISREG(status.st_mode))
    problem = "cannot open '" + path + "': not a regular file";
  else if (size < sizeof(Trailer))
    problem = "'" + path + "' is not a model: it is too short";
  else if ((base = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, handle, 0)) == MAP_FAILED) {
    base = nullptr;
    problem = "cannot map '" + path + "': " + std::strerror(errno);
  }
  close(handle);
  if (!problem.empty())
    return problem;

  const char *bytes = static_cast<const char *>(base),
             *wrong = readTrailer(bytes + size - sizeof(Trailer), size, trailer);
  if (!wrong)
    wrong = container.open(bytes + trailer.offset, trailer.size);
  if (wrong)
    return "'" + path + "': " + wrong;
  const SegmentRecord &record = *container.find(SegmentKind::Metadata);
  if (!container.verify(record))
    return "'" + path + "': the checksum of the metadata is wrong";
  if (!ModelMetadata::parse(container.bytes(record), record.size, model, problem))
    return "'" + path + "': " + problem;
  return "";
}

std::string ArtifactFile::verify() const {
  for (uint32_t i = 0; i < container.segmentCount(); ++i)
    if (!container.verify(container.segment(i)))
      return "'" + path + "': the checksum of segment " + std::to_string(i) + " is wrong";
  return "";
}

std::string ArtifactFile::machine() const {
  switch (container.header().machine) {
  case 62:
    return "x86-64";
  case 183:
    return "aarch64";
  }
  return "ELF machine " + std::to_string(container.header().machine);
}

} // namespace tenon::run

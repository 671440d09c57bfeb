//===- ArtifactFile.h - An artifact that is looked at, not run ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TOOLS_TENON_RUN_ARTIFACTFILE_H
#define TENON_TOOLS_TENON_RUN_ARTIFACTFILE_H

#include "tenon/Artifact/Container.h"
#include "tenon/Artifact/Metadata.h"

#include <string>

namespace tenon::run {

/// Whatever CPU it is for.
class ArtifactFile {
public:
  ArtifactFile() = default;
  ~ArtifactFile();
  ArtifactFile(const ArtifactFile &) = delete;
  ArtifactFile &operator=(const ArtifactFile &) = delete;

  /// Empty, or what is wrong.
  std::string open(const std::string &path);
  /// Compares all checksums. Empty, or what is wrong.
  std::string verify() const;
  const artifact::ModelMetadata &metadata() const { return model; }
  /// "x86-64", ...
  std::string machine() const;

private:
  void *base = nullptr;
  size_t size = 0;
  std::string path;
  artifact::ContainerView container;
  artifact::ModelMetadata model;
};

} // namespace tenon::run

#endif

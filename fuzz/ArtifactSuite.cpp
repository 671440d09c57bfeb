//===- ArtifactSuite.cpp - Mutants of artifacts through the runtime ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Seeds are artifacts, best with an empty runtime (`tenon-compile --runtime=/dev/null`). Mutants are opened and asked
// for all that they say, most of them under right checksums. An artifact is code: those that are run too only return.
//
//===----------------------------------------------------------------------===//

#include "ArtifactMutator.h"
#include "Harness.h"

using namespace tenon::fuzz;

namespace tenon::fuzz {
namespace {
class ArtifactSuite : public Suite {
public:
  std::string name() const override { return "artifacts"; }
  std::string suffix() const override { return ".so"; }

  bool load(const std::vector<std::string> &paths) override {
    for (const std::string &path : findFiles(paths, ".so"))
      seeds.push_back(readFile(path));
    return !seeds.empty();
  }

  Input make(Random &random) override {
    std::string artifact = mutateArtifact(seeds[random() % seeds.size()], random);
    if (random() % 2 == 0) {
      removeCode(artifact);
      return {artifact, "--random"};
    }
    if (random() % 10 != 0)
      repairChecksums(artifact);
    return {artifact, "--list"};
  }

  Outcome run(const Input &input) override {
    return inspectArtifact(input.bytes, /*runs=*/input.command == "--random") ? Outcome::accepted : Outcome::refused;
  }

private:
  std::vector<std::string> seeds;
};
} // namespace
} // namespace tenon::fuzz

std::unique_ptr<Suite> tenon::fuzz::makeArtifactSuite() { return std::make_unique<ArtifactSuite>(); }

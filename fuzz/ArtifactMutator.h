//===- ArtifactMutator.h - Mutations of artifacts ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FUZZ_ARTIFACTMUTATOR_H
#define TENON_FUZZ_ARTIFACTMUTATOR_H

#include <random>
#include <string>

namespace tenon {

/// Changes a few bytes of an artifact's header, segment table, metadata, trailer, or of anything, or cuts, repeats or
/// moves bytes.
std::string mutateArtifact(std::string artifact, std::minstd_rand &random);

/// Makes the trailer fit the file, and the checksums what they should be, as far as there is something to sum: else
/// nearly every change is refused before anything looks at it.
void repairChecksums(std::string &artifact);

/// Replaces all code by returns, at whatever offset it is entered, and repairs the checksums: what such an artifact
/// does is the runtime's doing.
void removeCode(std::string &artifact);

/// Opens an artifact and asks everything about it that needs none of its code; with `runs`, runs it, too, on small
/// inputs. Gives whether it was opened; a refusal without a reason ends the process, as does a crash.
bool inspectArtifact(const std::string &artifact, bool runs = false);

} // namespace tenon

#endif // TENON_FUZZ_ARTIFACTMUTATOR_H

//===- WireMutator.h - Mutations of protobuf messages ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FUZZ_WIREMUTATOR_H
#define TENON_FUZZ_WIREMUTATOR_H

#include <cstddef>
#include <random>
#include <string>

namespace tenon {

/// Changes one field of a message, or of a message in it, or drops, repeats or moves a field, and sets all
/// lengths right: most other changes make a file that is refused before anything reads its content. A field may also
/// be taken from the same place in another message, the donor.
std::string mutateMessage(const std::string &message, std::minstd_rand &random, const std::string &donor = "",
                          unsigned depth = 0);

/// Changes some bytes.
std::string mutateBytes(std::string bytes, std::minstd_rand &random);

} // namespace tenon

#endif // TENON_FUZZ_WIREMUTATOR_H

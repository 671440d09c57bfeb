//===- ControlCharacters.h - Characters that a terminal obeys ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_SUPPORT_CONTROLCHARACTERS_H
#define TENON_SUPPORT_CONTROLCHARACTERS_H

#include <cstddef>

namespace tenon {

/// How many bytes at the beginning of a text that ends in a NUL are a character in UTF-8 which isn't shown but moves
/// the cursor, begins a line or turns the direction of what follows; 0 for others, and at the end.
inline size_t sizeOfControlCharacter(const char *text) {
  auto byte = [&](int i) { return static_cast<unsigned char>(text[i]); };
  unsigned char c = byte(0);
  if (c == 0)
    return 0;
  if (c < 0x20 || c == 0x7f)
    return 1;
  if ((c == 0xc2 && byte(1) >= 0x80 && byte(1) < 0xa0) || (c == 0xd8 && byte(1) == 0x9c))
    return 2;
  bool isDirection =
      c == 0xe2 && ((byte(1) == 0x80 && (byte(2) == 0x8e || byte(2) == 0x8f || (byte(2) >= 0xa8 && byte(2) <= 0xae))) ||
                    (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9));
  return isDirection ? 3 : 0;
}

} // namespace tenon

#endif // TENON_SUPPORT_CONTROLCHARACTERS_H

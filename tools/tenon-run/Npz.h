//===- Npz.h - NumPy's files ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads and writes .npy (format 1 to 3) and .npz (zip, stored or deflated). Pickled objects are refused.
// Types that NumPy does not know travel as ml_dtypes writes them: bfloat16 as '<V2' is read as 2-byte raw
// data. Big-endian arrays are turned round. A ".." in the path that a name makes is "%2E%2E" in the file.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TENON_TOOLS_TENON_RUN_NPZ_H
#define TENON_TOOLS_TENON_RUN_NPZ_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tenon::npz {

struct Array {
  char kind = 'f';  ///< NumPy's: f, i, u, b, c, V, U, S
  int64_t item = 4; ///< bytes per element
  std::vector<int64_t> shape;
  std::vector<unsigned char> data; ///< C order, little-endian

  int64_t count() const {
    // Sizes beside one that is 0 may be of any size.
    for (int64_t size : shape)
      if (size == 0)
        return 0;
    int64_t n = 1;
    for (int64_t size : shape)
      n *= size;
    return n;
  }
};

using Archive = std::vector<std::pair<std::string, Array>>;

/// Each returns false with a text in `error`.
bool readNpy(const std::string &path, Array &array, std::string &error);
bool readNpz(const std::string &path, Archive &archive, std::string &error);
bool writeNpz(const std::string &path, const Archive &archive, std::string &error);
/// From and to the bytes of a .npy file.
bool parseNpy(const unsigned char *bytes, size_t size, Array &array, std::string &error);
std::vector<unsigned char> formatNpy(const Array &array);
/// From the bytes of a .npz file.
bool parseNpz(const unsigned char *bytes, size_t size, Archive &archive, std::string &error);

} // namespace tenon::npz

#endif

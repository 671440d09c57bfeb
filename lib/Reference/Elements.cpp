//===- Elements.cpp - Elements of any type as doubles and 64-bit integers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include <cstdlib>
#include <cstring>

using namespace mlir;
using namespace tenon::reference;

bool tenon::reference::isAvailable(int64_t bytes) {
  // Volatile, or the pair of calls would be optimised away.
  void *volatile memory = std::malloc(bytes);
  std::free(memory);
  return memory != nullptr || bytes == 0;
}

Format::Format(Type type) : kind(Kind::Signed), bits(0), type(type) {
  if (auto floating = dyn_cast<FloatType>(type)) {
    kind = Kind::Float;
    bits = floating.getWidth();
    semantics = &floating.getFloatSemantics();
    valid = bits == 64 || bits == 32 || bits == 16 || bits <= 8;
  } else if (auto integer = dyn_cast<IntegerType>(type)) {
    bits = integer.getWidth();
    kind = integer.isUnsigned() || bits == 1 ? Kind::Unsigned : Kind::Signed;
    valid = bits == 64 || bits == 32 || bits == 16 || (bits >= 1 && bits <= 8);
  } else {
    valid = false;
  }
}

bool Format::hasInfinity() const { return semantics && APFloat::semanticsHasInf(*semantics); }

uint64_t Format::loadBits(const char *data, int64_t position) const {
  if (bits >= 8 || isBool()) {
    unsigned size = isBool() ? 1 : bits / 8;
    uint64_t value = 0;
    std::memcpy(&value, data + position * size, size);
    return value;
  }
  uint64_t first = uint64_t(position) * bits, byte = first / 8, shift = first % 8;
  uint64_t value = uint8_t(data[byte]);
  if (shift + bits > 8)
    value |= uint64_t(uint8_t(data[byte + 1])) << 8;
  return (value >> shift) & ((uint64_t(1) << bits) - 1);
}

void Format::storeBits(char *data, int64_t position, uint64_t value) const {
  if (bits >= 8 || isBool()) {
    unsigned size = isBool() ? 1 : bits / 8;
    std::memcpy(data + position * size, &value, size);
    return;
  }
  uint64_t first = uint64_t(position) * bits, byte = first / 8, shift = first % 8;
  unsigned mask = ((1u << bits) - 1) << shift, word = unsigned(value) << shift & mask;
  data[byte] = char((uint8_t(data[byte]) & ~mask) | word);
  if (shift + bits > 8)
    data[byte + 1] = char((uint8_t(data[byte + 1]) & ~(mask >> 8)) | word >> 8);
}

double Format::decode(uint64_t value) const {
  // LLVM's conversion makes an infinity of the one pattern that is no number.
  if (isa<Float8E8M0FNUType>(type) && value == 255)
    return std::nan("");
  APFloat number(*semantics, APInt(bits, value));
  bool lost;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return number.convertToDouble();
}

uint64_t Format::encode(double value, bool saturate) const {
  if (type.isBF16() && !saturate) {
    // Rounding to f32 first must keep sticky bits: to odd.
    float rounded = float(value);
    uint32_t word;
    std::memcpy(&word, &rounded, 4);
    if (std::isnan(value))
      return (word >> 16) | 0x40;
    if (std::isinf(rounded) && !std::isinf(value))
      return word >> 16;
    if (double(rounded) != value) {
      if (std::fabs(double(rounded)) > std::fabs(value))
        --word;
      word |= 1;
    }
    return uint16_t((word + 0x7fff + ((word >> 16) & 1)) >> 16);
  }
  if (isa<Float8E8M0FNUType>(type)) {
    // "OCP Microscaling Formats (MX) Specification", version 1.0, 5.4.1: exponents from -127 to 127, then NaN.
    constexpr int64_t bias = 127, largest = 254, nan = 255;
    float magnitude = std::fabs(float(value));
    if (std::isnan(magnitude))
      return nan;
    if (magnitude == 0)
      return 0;
    int exponent = std::isinf(magnitude) ? largest : std::ilogb(magnitude);
    if (!std::isinf(magnitude) && std::ldexp(double(magnitude), -exponent) >= 1.5)
      ++exponent;
    int64_t biased = exponent + bias;
    return biased < 0 ? 0 : biased <= largest ? biased : saturate ? largest : nan;
  }
  bool hasNaN = APFloat::semanticsHasNaN(*semantics);
  if (std::isnan(value) && !hasNaN)
    return APFloat::getZero(*semantics, /*Negative=*/true).bitcastToAPInt().getZExtValue();
  if (std::isinf(value) && (saturate || !(hasInfinity() || hasNaN)))
    return APFloat::getLargest(*semantics, value < 0).bitcastToAPInt().getZExtValue();
  if (std::isinf(value) && !hasInfinity())
    return APFloat::getNaN(*semantics, value < 0).bitcastToAPInt().getZExtValue();
  APFloat number(value);
  bool lost;
  number.convert(*semantics, APFloat::rmNearestTiesToEven, &lost);
  bool overflow = !number.isFinite() && std::isfinite(value);
  if (overflow && (saturate || !(hasInfinity() || hasNaN)))
    number = APFloat::getLargest(*semantics, value < 0);
  return number.bitcastToAPInt().getZExtValue();
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

template <typename T, typename C> static void loadAs(const char *data, int64_t first, int64_t count, C *out) {
  data += first * sizeof(T);
  for (int64_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, data + i * sizeof(T), sizeof(T));
    out[i] = C(value);
  }
}

template <typename T, typename C> static void storeAs(char *data, int64_t first, int64_t count, const C *in) {
  data += first * sizeof(T);
  for (int64_t i = 0; i < count; ++i) {
    T value = T(in[i]);
    std::memcpy(data + i * sizeof(T), &value, sizeof(T));
  }
}

template <typename C> void Format::loadInteger(const char *data, int64_t first, int64_t count, C *out) const {
  bool isSigned = kind == Kind::Signed;
  if (bits == 64)
    return isSigned ? loadAs<int64_t>(data, first, count, out) : loadAs<uint64_t>(data, first, count, out);
  if (bits == 32)
    return isSigned ? loadAs<int32_t>(data, first, count, out) : loadAs<uint32_t>(data, first, count, out);
  if (bits == 16)
    return isSigned ? loadAs<int16_t>(data, first, count, out) : loadAs<uint16_t>(data, first, count, out);
  if (bits == 8 || isBool())
    return isSigned ? loadAs<int8_t>(data, first, count, out) : loadAs<uint8_t>(data, first, count, out);
  auto extended = [&](uint64_t value) { return isSigned ? C(int64_t(value << (64 - bits)) >> (64 - bits)) : C(value); };
  int64_t i = 0, perByte = elementsPerByte();
  uint64_t mask = (uint64_t(1) << bits) - 1;
  if (perByte != 0 && first % perByte == 0)
    for (const char *byte = data + first / perByte; i + perByte <= count; i += perByte, ++byte)
      for (int64_t j = 0; j < perByte; ++j)
        out[i + j] = extended(uint8_t(*byte) >> (j * bits) & mask);
  for (; i < count; ++i)
    out[i] = extended(loadBits(data, first + i));
}

void Format::load(const char *data, int64_t first, int64_t count, double *out) const {
  if (!isFloat())
    return loadInteger(data, first, count, out);
  if (bits == 32)
    return loadAs<float>(data, first, count, out);
  if (bits == 64)
    return loadAs<double>(data, first, count, out);
  if (type.isBF16()) {
    for (int64_t i = 0; i < count; ++i) {
      uint32_t word = uint32_t(loadBits(data, first + i)) << 16;
      float value;
      std::memcpy(&value, &word, 4);
      out[i] = value;
    }
    return;
  }
  if (bits > 8) {
    if (type.isF16())
      return loadAs<_Float16>(data, first, count, out);
    for (int64_t i = 0; i < count; ++i)
      out[i] = decode(loadBits(data, first + i));
    return;
  }
  double values[256];
  bool known[256] = {};
  for (int64_t i = 0; i < count; ++i) {
    uint64_t value = loadBits(data, first + i);
    if (!known[value]) {
      values[value] = decode(value);
      known[value] = true;
    }
    out[i] = values[value];
  }
}

/// Truncated, then wrapped from 64 bits, which may be ones without a sign; NaN gives `least`.
static int64_t truncate(double value, int64_t least, bool isUnsigned = false) {
  if (std::isnan(value))
    return least;
  if (isUnsigned && value >= 0x1p63 && value < 0x1p64)
    return int64_t(uint64_t(value));
  return value >= -0x1p63 && value < 0x1p63 ? int64_t(value) : INT64_MIN;
}

void Format::load(const char *data, int64_t first, int64_t count, int64_t *out) const {
  if (!isFloat())
    return loadInteger(data, first, count, out);
  for (int64_t i = 0; i < count; ++i) {
    double value;
    load(data, first + i, 1, &value);
    out[i] = truncate(value, INT64_MIN);
  }
}

void Format::load(const char *data, int64_t first, int64_t count, uint64_t *out) const {
  load(data, first, count, reinterpret_cast<int64_t *>(out));
}

//===----------------------------------------------------------------------===//
// Storing
//===----------------------------------------------------------------------===//

void Format::store(char *data, int64_t first, int64_t count, const double *in, bool saturate) const {
  if (!isFloat()) {
    int64_t block[64];
    for (int64_t start = 0; start < count; start += 64) {
      int64_t length = std::min<int64_t>(64, count - start);
      for (int64_t i = 0; i < length; ++i)
        block[i] =
            isBool() ? in[start + i] != 0 : truncate(in[start + i], least(), kind == Kind::Unsigned && bits == 64);
      storeInteger(data, first + start, length, block);
    }
    return;
  }
  if (bits == 64)
    return storeAs<double>(data, first, count, in);
  if (bits == 32 && !saturate)
    return storeAs<float>(data, first, count, in);
  if (type.isF16() && !saturate)
    return storeAs<_Float16>(data, first, count, in);
  for (int64_t i = 0; i < count; ++i)
    storeBits(data, first + i, encode(in[i], saturate));
}

/// Rounds to odd, so that a second rounding gives what one would.
template <typename C> static double toOdd(C value) {
  double rounded = double(value);
  bool exact = std::fabs(rounded) < 0x1p63 && C(int64_t(rounded)) == value;
  if (exact || std::fabs(rounded) <= 0x1p53)
    return rounded;
  __int128 difference = __int128(rounded) - __int128(value);
  if (difference == 0)
    return rounded;
  uint64_t word;
  std::memcpy(&word, &rounded, 8);
  if ((difference > 0) == (rounded > 0))
    --word;
  word |= 1;
  std::memcpy(&rounded, &word, 8);
  return rounded;
}

template <typename C> void Format::storeInteger(char *data, int64_t first, int64_t count, const C *in) const {
  if (isFloat()) {
    if (bits == 64)
      return storeAs<double>(data, first, count, in);
    if (bits == 32)
      return storeAs<float>(data, first, count, in);
    for (int64_t i = 0; i < count; ++i) {
      double value = toOdd(in[i]);
      store(data, first + i, 1, &value);
    }
    return;
  }
  if (bits == 64)
    return storeAs<uint64_t>(data, first, count, in);
  if (bits == 32)
    return storeAs<uint32_t>(data, first, count, in);
  if (bits == 16)
    return storeAs<uint16_t>(data, first, count, in);
  if (bits == 8)
    return storeAs<uint8_t>(data, first, count, in);
  uint64_t mask = (uint64_t(1) << bits) - 1;
  int64_t i = 0, perByte = elementsPerByte();
  // Whole bytes: element by element each would wait for the one before it.
  if (perByte != 0 && first % perByte == 0)
    for (char *byte = data + first / perByte; i + perByte <= count; i += perByte, ++byte) {
      unsigned word = 0;
      for (int64_t j = 0; j < perByte; ++j)
        word |= unsigned(uint64_t(in[i + j]) & mask) << (j * bits);
      *byte = char(word);
    }
  for (; i < count; ++i)
    storeBits(data, first + i, uint64_t(in[i]) & mask);
}

void Format::store(char *data, int64_t first, int64_t count, const int64_t *in) const {
  storeInteger(data, first, count, in);
}
void Format::store(char *data, int64_t first, int64_t count, const uint64_t *in) const {
  storeInteger(data, first, count, in);
}

//===----------------------------------------------------------------------===//
// Moving elements
//===----------------------------------------------------------------------===//

SmallVector<int64_t> tenon::reference::rowMajorStrides(ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  for (int64_t i = sizes.size() - 1; i >= 0; --i) {
    strides[i] = stride;
    stride *= std::max<int64_t>(sizes[i], 1);
  }
  return strides;
}

OffsetTables tenon::reference::stridedTables(ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
  OffsetTables tables;
  for (auto [size, stride] : llvm::zip(sizes, strides)) {
    tables.emplace_back(size);
    for (int64_t i = 0; i < size; ++i)
      tables.back()[i] = i * stride;
  }
  return tables;
}

/// The step between the offsets of a table; nothing if it isn't the same everywhere.
static std::optional<int64_t> stepOf(const std::vector<int64_t> &table) {
  if (llvm::is_contained(table, outside))
    return std::nullopt;
  int64_t step = table.size() < 2 ? 0 : table[1] - table[0];
  for (size_t i = 1; i < table.size(); ++i)
    if (table[i] - table[i - 1] != step)
      return std::nullopt;
  return step;
}

/// One table for the last dimensions, and how many are before them. Rows that are short cost more to begin than to
/// copy.
static std::pair<std::vector<int64_t>, int64_t> joinLastTables(const OffsetTables &offsets) {
  constexpr size_t mostJoined = 1024, mostEven = 1 << 16;
  std::vector<int64_t> inner = offsets.back();
  int64_t first = offsets.size() - 1;
  for (; first > 0; --first) {
    const std::vector<int64_t> &outer = offsets[first - 1];
    size_t size = outer.size() * inner.size();
    std::optional<int64_t> step = stepOf(inner);
    bool isEven = step && outer.size() > 1 && stepOf(outer) == *step * (int64_t)inner.size();
    if (size > mostJoined && inner.size() > 1 && outer.size() > 1 && !(isEven && size <= mostEven))
      break;
    std::vector<int64_t> joined;
    joined.reserve(size);
    for (int64_t from : outer)
      for (int64_t offset : inner)
        joined.push_back(from == outside || offset == outside ? outside : from + offset);
    inner = std::move(joined);
  }
  return {std::move(inner), first};
}

template <typename T> static void copyElements(const T *source, T *result, const OffsetTables &offsets, const T *fill) {
  if (offsets.empty()) {
    *result = *source;
    return;
  }
  for (const std::vector<int64_t> &table : offsets)
    if (table.empty())
      return;
  auto [inner, outerRank] = joinLastTables(offsets);
  int64_t length = inner.size();
  std::optional<int64_t> step = stepOf(inner);
  bool hasOutside = llvm::is_contained(inner, outside);
  auto copyRow = [&](const T *from, T *to, int64_t begin, int64_t end) {
    if (step == 1)
      std::copy(from + inner[begin], from + inner[begin] + (end - begin), to + begin);
    else if (step == 0)
      std::fill(to + begin, to + end, from[inner[begin]]);
    else if (!hasOutside)
      for (int64_t i = begin; i < end; ++i)
        to[i] = from[inner[i]];
    else
      for (int64_t i = begin; i < end; ++i)
        to[i] = inner[i] == outside ? *fill : from[inner[i]];
  };
  // Rows that read far apart share cache lines with the rows after them: a piece of all rows at a time.
  constexpr int64_t pieceLength = 16;
  int64_t piece = step && std::abs(*step) >= pieceLength ? pieceLength : length;
  for (int64_t begin = 0; begin < length; begin += piece) {
    int64_t end = std::min(begin + piece, length);
    SmallVector<int64_t> position(outerRank, 0);
    T *to = result;
    for (bool isDone = false; !isDone; to += length) {
      int64_t base = 0;
      bool isOutside = false;
      for (int64_t d = 0; d < outerRank; ++d) {
        int64_t offset = offsets[d][position[d]];
        isOutside = isOutside || offset == outside;
        base += isOutside ? 0 : offset;
      }
      if (isOutside)
        std::fill(to + begin, to + end, *fill);
      else
        copyRow(source + base, to, begin, end);
      int64_t d = outerRank - 1;
      for (; d >= 0 && ++position[d] == (int64_t)offsets[d].size(); --d)
        position[d] = 0;
      isDone = d < 0;
    }
  }
}

namespace {
/// An element as bytes: constants mapped from a model's file lie at any address.
template <size_t N> struct Element {
  char bytes[N];
};
} // namespace

void tenon::reference::copyByTables(const char *source, char *result, const OffsetTables &offsets, int64_t bytes,
                                    const char *fill) {
  auto copy = [&](auto element) {
    using T = decltype(element);
    copyElements(reinterpret_cast<const T *>(source), reinterpret_cast<T *>(result), offsets,
                 reinterpret_cast<const T *>(fill));
  };
  switch (bytes) {
  case 1:
    return copy(uint8_t());
  case 2:
    return copy(Element<2>());
  case 4:
    return copy(Element<4>());
  case 8:
    return copy(Element<8>());
  default: // strings
    return copy(std::string());
  }
}

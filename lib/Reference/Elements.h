//===- Elements.h - Elements of any type as doubles and 64-bit integers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Ops compute on chunks of elements in one of three types: double, int64_t and uint64_t. Loading is exact;
// storing rounds once to the element type, or wraps modulo 2^n.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_REFERENCE_ELEMENTS_H
#define TENON_LIB_REFERENCE_ELEMENTS_H

#include "tenon/Reference/Interpreter.h"
#include <cmath>

namespace tenon::reference {

enum class Kind { Float, Signed, Unsigned };

/// How an element type is stored and computed with.
struct Format {
  explicit Format(mlir::Type type);

  Kind kind;
  unsigned bits; ///< width of a value
  mlir::Type type;
  const llvm::fltSemantics *semantics = nullptr;
  bool valid = true;

  bool isFloat() const { return kind == Kind::Float; }
  bool isBool() const { return bits == 1 && !isFloat(); }
  bool isPacked() const { return bits < 8 && !isBool(); }
  /// Least and largest integer of the type.
  int64_t least() const { return kind == Kind::Signed ? int64_t(~uint64_t(0) << (bits - 1)) : 0; }
  uint64_t largest() const { return (~uint64_t(0)) >> (64 - bits + (kind == Kind::Signed)); }
  /// Whether infinity can be stored.
  bool hasInfinity() const;
  int64_t bytesFor(int64_t elements) const {
    return isBool() ? elements : bits < 8 ? (elements * bits + 7) / 8 : elements * (bits / 8);
  }

  void load(const char *data, int64_t first, int64_t count, double *out) const;
  void load(const char *data, int64_t first, int64_t count, int64_t *out) const;
  void load(const char *data, int64_t first, int64_t count, uint64_t *out) const;
  /// `saturate` is for values beyond the range of floating-point types. Doubles become integers by
  /// truncation.
  void store(char *data, int64_t first, int64_t count, const double *in, bool saturate = false) const;
  void store(char *data, int64_t first, int64_t count, const int64_t *in) const;
  void store(char *data, int64_t first, int64_t count, const uint64_t *in) const;

private:
  /// How many elements a byte holds; 0 where some lie in two.
  int64_t elementsPerByte() const { return isBool() ? 1 : 8 % bits == 0 ? 8 / bits : 0; }
  uint64_t loadBits(const char *data, int64_t position) const;
  void storeBits(char *data, int64_t position, uint64_t value) const;
  double decode(uint64_t bits) const;
  uint64_t encode(double value, bool saturate) const;
  template <typename C> void loadInteger(const char *data, int64_t first, int64_t count, C *out) const;
  template <typename C> void storeInteger(char *data, int64_t first, int64_t count, const C *in) const;
};

/// All elements of a tensor in one compute type.
template <typename C> std::vector<C> loadAll(const Tensor &tensor) {
  std::vector<C> out(tensor.getNumElements());
  Format(tensor.getElementType()).load(tensor.getData(), 0, out.size(), out.data());
  return out;
}

/// A tensor from elements in a compute type.
template <typename C>
llvm::Expected<Tensor> storeAll(mlir::Type type, llvm::ArrayRef<int64_t> shape, const std::vector<C> &elements) {
  llvm::Expected<Tensor> result = Tensor::create(type, shape);
  if (result)
    Format(type).store(result->getData(), 0, elements.size(), elements.data());
  return result;
}

/// Calls `f` with a value of the compute type of a format.
template <typename F> auto withCompute(const Format &format, F f) {
  switch (format.kind) {
  case Kind::Float:
    return f(double());
  case Kind::Signed:
    return f(int64_t());
  case Kind::Unsigned:
    break;
  }
  return f(uint64_t());
}

inline llvm::Error push(Call &call, llvm::Expected<Tensor> tensor) {
  if (!tensor)
    return call.fail(llvm::toString(tensor.takeError()));
  call.results.push_back(std::move(*tensor));
  return llvm::Error::success();
}

std::string describeShape(llvm::ArrayRef<int64_t> shape);

/// The values of a mixed list of static and dynamic sizes, whose operands start at `firstOperand`.
llvm::SmallVector<int64_t> mixedValues(const Call &call, llvm::ArrayRef<int64_t> fixed, unsigned firstOperand);

// Order of floating point with NaN above all, and -0 below 0.
template <typename C> C smaller(C a, C b) {
  if constexpr (std::is_floating_point_v<C>) {
    if (a != a || b != b)
      return a + b;
    return a < b || (a == b && std::signbit(a)) ? a : b;
  }
  return a < b ? a : b;
}
template <typename C> C larger(C a, C b) {
  if constexpr (std::is_floating_point_v<C>) {
    if (a != a || b != b)
      return a + b;
    return a > b || (a == b && !std::signbit(a)) ? a : b;
  }
  return a > b ? a : b;
}

/// `result[i0, i1, ...] = source[offsets[0][i0] + offsets[1][i1] + ...]`, or `fill` (an element; null if
/// never) where an offset is `outside`. Elements of `bytes` bytes.
constexpr int64_t outside = INT64_MIN;
using OffsetTables = llvm::SmallVector<std::vector<int64_t>>;
void copyByTables(const char *source, char *result, const OffsetTables &offsets, int64_t bytes, const char *fill);

/// The tables of a plain strided walk.
OffsetTables stridedTables(llvm::ArrayRef<int64_t> sizes, llvm::ArrayRef<int64_t> strides);
llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> sizes);

/// Whether memory of so many bytes is there: asked before a vector of them is made, which ends the process where it
/// finds none.
bool isAvailable(int64_t bytes);

/// The value of an expression; nothing if it divides by what isn't positive or overflows.
std::optional<int64_t> valueOf(mlir::AffineExpr expression, llvm::ArrayRef<int64_t> dims,
                               llvm::ArrayRef<int64_t> symbols);

void registerElementwise(Interpreter &interpreter);
void registerContraction(Interpreter &interpreter);
void registerReduction(Interpreter &interpreter);
void registerNormalization(Interpreter &interpreter);
void registerAttention(Interpreter &interpreter);
void registerDataMovement(Interpreter &interpreter);
void registerIndexing(Interpreter &interpreter);
void registerShape(Interpreter &interpreter);
void registerControlFlow(Interpreter &interpreter);
void registerSequences(Interpreter &interpreter);
void registerStrings(Interpreter &interpreter);

/// Copies the bits of an element.
inline void copyElement(const Format &format, const char *from, int64_t i, char *to, int64_t j) {
  if (!format.isPacked()) {
    int64_t bytes = format.bytesFor(1);
    std::memcpy(to + j * bytes, from + i * bytes, bytes);
    return;
  }
  Format raw(mlir::IntegerType::get(format.type.getContext(), format.bits, mlir::IntegerType::Unsigned));
  uint64_t bits;
  raw.load(from, i, 1, &bits);
  raw.store(to, j, 1, &bits);
}

} // namespace tenon::reference

#endif // TENON_LIB_REFERENCE_ELEMENTS_H

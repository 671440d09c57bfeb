//===- RawElements.h - Elements as bytes, to be moved ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Ops that move elements don't look at their values: an element is some bytes. Packed elements are spread to
// a byte each first, strings are moved as objects.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_REFERENCE_RAWELEMENTS_H
#define TENON_LIB_REFERENCE_RAWELEMENTS_H

#include "Elements.h"

namespace tenon::reference {

/// The elements of an operand.
class RawElements {
public:
  RawElements(RawElements &&) = default;
  explicit RawElements(const Tensor &tensor) {
    if (tensor.holdsStrings()) {
      bytes = sizeof(std::string);
      data = reinterpret_cast<const char *>(tensor.getStrings().data());
      return;
    }
    Format format(tensor.getElementType());
    bytes = format.isPacked() ? 1 : format.bytesFor(1);
    data = tensor.getData();
    if (!format.isPacked())
      return;
    Format raw(mlir::IntegerType::get(format.type.getContext(), format.bits, mlir::IntegerType::Unsigned));
    spread.resize(tensor.getNumElements());
    for (size_t i = 0; i < spread.size(); ++i) {
      uint64_t value;
      raw.load(tensor.getData(), i, 1, &value);
      spread[i] = char(value);
    }
    data = spread.data();
  }

  const char *data;
  int64_t bytes;

private:
  std::vector<char> spread;
};

/// A tensor that is written as such bytes.
class RawResult {
public:
  static llvm::Expected<RawResult> create(mlir::Type type, llvm::ArrayRef<int64_t> shape) {
    llvm::Expected<Tensor> tensor = Tensor::create(type, shape);
    if (!tensor)
      return tensor.takeError();
    RawResult result;
    result.tensor = std::move(*tensor);
    if (!result.tensor.holdsStrings() && Format(type).isPacked())
      result.spread.resize(result.tensor.getNumElements());
    return result;
  }

  char *data() {
    if (tensor.holdsStrings())
      return reinterpret_cast<char *>(tensor.getStrings().data());
    return spread.empty() ? tensor.getData() : spread.data();
  }

  Tensor finish() {
    if (!spread.empty()) {
      Format format(tensor.getElementType());
      Format raw(mlir::IntegerType::get(format.type.getContext(), format.bits, mlir::IntegerType::Unsigned));
      for (size_t i = 0; i < spread.size(); ++i) {
        uint64_t value = uint8_t(spread[i]);
        raw.store(tensor.getData(), i, 1, &value);
      }
    }
    return std::move(tensor);
  }

private:
  RawResult() = default;
  Tensor tensor;
  std::vector<char> spread;
};

/// Evaluates an op by one that takes its operands and gives its result with permuted dimensions: dimension i of what
/// `evaluate` sees is dimension `permutation[i]`.
llvm::Error evaluatePermuted(Call &call, llvm::ArrayRef<llvm::SmallVector<int64_t>> operandPermutations,
                             llvm::ArrayRef<int64_t> resultPermutation, Evaluate evaluate);

/// `[N, D1..Dn, C]` as `[N, C, D1..Dn]`, for n + 2 dimensions.
llvm::SmallVector<int64_t> channelsLastToFirst(int64_t rank);
} // namespace tenon::reference

#endif // TENON_LIB_REFERENCE_RAWELEMENTS_H

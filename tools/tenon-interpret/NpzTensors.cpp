//===- NpzTensors.cpp - The interpreter's tensors as NumPy's arrays ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NpzTensors.h"

#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Endian.h"
#include <cstring>

using namespace mlir;
using tenon::npz::Array;
using tenon::reference::Tensor;

/// NumPy's kind of an element type that isn't a string, and its bytes.
static std::pair<char, int64_t> kindOf(Type type) {
  int64_t bits = type.getIntOrFloatBitWidth(), bytes = bits < 8 ? 1 : bits / 8;
  if (isa<FloatType>(type))
    return {bits >= 32 || type.isF16() ? 'f' : 'u', bytes};
  return {bits == 1 ? 'b' : type.isUnsignedInteger() ? 'u' : 'i', bytes};
}

static std::string describe(char kind, int64_t bytes) { return std::string(1, kind) + std::to_string(bytes); }

llvm::Expected<Tensor> tenon::toTensor(const Array &array, Type elementType) {
  ArrayRef<char> bytes(reinterpret_cast<const char *>(array.data.data()), array.data.size());
  if (!elementType.isIntOrFloat()) {
    llvm::Expected<Tensor> tensor = Tensor::create(elementType, array.shape);
    if (!tensor)
      return tensor;
    if (array.kind != 'U')
      return llvm::createStringError("has elements of type " + describe(array.kind, array.item) +
                                     ", but strings (U) are expected");
    for (auto [i, text] : llvm::enumerate(tensor->getStrings()))
      for (int64_t at = 0; at + 4 <= array.item; at += 4) {
        llvm::UTF32 point = llvm::support::endian::read32le(bytes.data() + i * array.item + at);
        char encoded[UNI_MAX_UTF8_BYTES_PER_CODE_POINT], *end = encoded;
        if (point != 0 && llvm::ConvertCodePointToUTF8(point, end))
          text.append(encoded, end);
      }
    return tensor;
  }
  auto [kind, item] = kindOf(elementType);
  if (array.item != item || (array.kind != kind && array.kind != 'V'))
    return llvm::createStringError("has elements of type " + describe(array.kind, array.item) + ", but " +
                                   describe(kind, item) + " is expected");
  return Tensor::fromWholeBytes(elementType, array.shape, bytes);
}

Array tenon::toArray(const Tensor &tensor) {
  Array array;
  array.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  if (!tensor.holdsStrings()) {
    std::tie(array.kind, array.item) = kindOf(tensor.getElementType());
    std::vector<char> bytes = tensor.toWholeBytes();
    array.data.assign(bytes.begin(), bytes.end());
    return array;
  }
  std::vector<std::vector<llvm::UTF32>> texts;
  size_t width = 1;
  for (const std::string &text : tensor.getStrings()) {
    std::vector<llvm::UTF32> points(text.size() + 1);
    const llvm::UTF8 *from = reinterpret_cast<const llvm::UTF8 *>(text.data());
    llvm::UTF32 *to = points.data();
    llvm::ConvertUTF8toUTF32(&from, from + text.size(), &to, to + points.size(), llvm::lenientConversion);
    points.resize(to - points.data());
    width = std::max(width, points.size());
    texts.push_back(std::move(points));
  }
  array.kind = 'U';
  array.item = width * 4;
  array.data.resize(texts.size() * array.item);
  for (auto [i, points] : llvm::enumerate(texts))
    if (!points.empty())
      std::memcpy(&array.data[i * array.item], points.data(), points.size() * 4);
  return array;
}

llvm::Error tenon::readArrays(ArrayRef<std::string> files, llvm::StringMap<Array> &arrays) {
  for (StringRef input : files) {
    std::string error;
    auto [name, file] = input.split('=');
    if (file.empty()) {
      npz::Archive archive;
      if (!npz::readNpz(input.str(), archive, error))
        return llvm::createStringError("can't read '" + input.str() + "': " + error);
      for (auto &[key, array] : archive)
        arrays[key] = std::move(array);
    } else if (!npz::readNpy(file.str(), arrays[name], error)) {
      return llvm::createStringError("can't read '" + file.str() + "': " + error);
    }
  }
  return llvm::Error::success();
}

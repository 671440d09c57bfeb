//===- Tensors.cpp - ONNX tensors as attributes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tensors.h"

#include "Types.h"
#include "WireScan.h"
#include "onnx-ml.pb.h"
#include "tenon/Dialect/Tenon/IR/BlobFiles.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/MemoryBuffer.h"
#include <complex>
#include <cstring>

using namespace mlir;
using namespace tenon::onnx;
using ::onnx::SparseTensorProto;
using ::onnx::TensorProto;

/// Sparse tensors come as a few elements, so their dense size is the model's word alone.
static constexpr uint64_t kLargestSparse = uint64_t(1) << 30;

static llvm::Error mismatch(const char *what, uint64_t actual, uint64_t expected) {
  return llvm::createStringError("it has %llu %s, but its type takes %llu", (unsigned long long)actual, what,
                                 (unsigned long long)expected);
}

/// Bytes that all elements take in a file.
static uint64_t storedBytes(RankedTensorType type) {
  return tenon::StorageFormat(type.getElementType()).bytesFor(type.getNumElements());
}

llvm::Expected<RankedTensorType> TensorReader::typeOf(ArrayRef<int64_t> sizes, int32_t dataType) {
  Type element = typeOfDataType(dataType, context);
  if (!element)
    return llvm::createStringError("its element type %d is unknown", dataType);
  for (auto [i, size] : llvm::enumerate(sizes))
    if (size < 0)
      return llvm::createStringError("its dimension %zu is %lld", i, (long long)size);
  if (llvm::Error error = checkSizes(sizes, element))
    return std::move(error);
  return RankedTensorType::get(sizes, element);
}

//===----------------------------------------------------------------------===//
// Attributes from bytes
//===----------------------------------------------------------------------===//

template <typename T> static DenseElementsAttr denseComplex(RankedTensorType type, ArrayRef<char> bytes) {
  SmallVector<std::complex<T>> values(type.getNumElements());
  if (!values.empty())
    std::memcpy(values.data(), bytes.data(), bytes.size());
  return DenseElementsAttr::get(type, ArrayRef<std::complex<T>>(values));
}

static DenseElementsAttr makeDense(RankedTensorType type, ArrayRef<char> bytes) {
  Type element = type.getElementType();
  if (auto complex = dyn_cast<ComplexType>(element))
    return complex.getElementType().isF32() ? denseComplex<float>(type, bytes) : denseComplex<double>(type, bytes);
  return tenon::denseFromBlob(type, bytes);
}

llvm::Expected<TypedAttr> TensorReader::makeAttribute(RankedTensorType type, const Bytes &bytes) {
  bool hasFile = !bytes.range.file.empty();
  uint64_t size = hasFile ? bytes.range.bytes : bytes.view.size();
  bool canBeBlob = size > kLargeConstant && !isa<ComplexType>(type.getElementType());
  if (canBeBlob && hasFile)
    return BlobAttr::get(type, bytes.range.file, bytes.range.offset, size);
  if (canBeBlob && !inlineConstants) {
    llvm::Expected<uint64_t> offset = constants.append(bytes.view);
    if (!offset)
      return offset.takeError();
    return BlobAttr::get(type, constants.getPath(), *offset, size);
  }
  return makeDense(type, bytes.view);
}

//===----------------------------------------------------------------------===//
// Bytes of tensors
//===----------------------------------------------------------------------===//

namespace {
/// Appends values as the low bytes of their bits.
template <typename Values> void appendValues(const Values &values, unsigned size, SmallVectorImpl<char> &out) {
  out.reserve(values.size() * size);
  for (auto value : values) {
    const char *bytes = reinterpret_cast<const char *>(&value);
    out.append(bytes, bytes + size);
  }
}
} // namespace

/// The standard's table of which field goes with which element type; see the comments in onnx-ml.proto.
llvm::Error TensorReader::readTypedField(const TensorProto &tensor, RankedTensorType type, Bytes &bytes) {
  Type element = type.getElementType();
  uint64_t bits = StorageFormat(element).getBits();
  auto append = [&](const auto &values, unsigned valueBits, uint64_t expected) -> llvm::Error {
    if (uint64_t(values.size()) != expected)
      return mismatch("values", values.size(), expected);
    appendValues(values, valueBits / 8, bytes.owned);
    return llvm::Error::success();
  };
  uint64_t count = type.getNumElements();
  if (auto complex = dyn_cast<ComplexType>(element))
    return complex.getElementType().isF32() ? append(tensor.float_data(), 32, 2 * count)
                                            : append(tensor.double_data(), 64, 2 * count);
  if (element.isF32())
    return append(tensor.float_data(), 32, count);
  if (element.isF64())
    return append(tensor.double_data(), 64, count);
  if (element.isSignlessInteger(64))
    return append(tensor.int64_data(), 64, count);
  if (element.isUnsignedInteger(64) || element.isUnsignedInteger(32))
    return append(tensor.uint64_data(), bits, count);
  if (bits == 6) {
    // One value per entry, unlike the other narrow types.
    if (uint64_t(tensor.int32_data_size()) != count)
      return mismatch("values", tensor.int32_data_size(), count);
    bytes.owned.assign(storedBytes(type), 0);
    for (auto [i, value] : llvm::enumerate(tensor.int32_data())) {
      unsigned pair = unsigned(value & 63) << (i * 6 % 8);
      bytes.owned[i * 6 / 8] |= char(pair);
      if (pair >> 8)
        bytes.owned[i * 6 / 8 + 1] |= char(pair >> 8);
    }
    return llvm::Error::success();
  }
  return append(tensor.int32_data(), std::max<uint64_t>(bits, 8), bits < 8 ? storedBytes(type) : count);
}

llvm::Error TensorReader::locate(const TensorProto &tensor, RankedTensorType type, bool viewed, Bytes &bytes) {
  uint64_t expected = storedBytes(type);
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    llvm::Expected<FileRange> range = external.locate(tensor, expected);
    if (!range)
      return range.takeError();
    bytes.range = std::move(*range);
    if (!viewed && expected > kLargeConstant && !isa<ComplexType>(type.getElementType()))
      return llvm::Error::success();
    auto slice = llvm::MemoryBuffer::getFileSlice(bytes.range.file, expected, bytes.range.offset);
    if (std::error_code error = slice.getError())
      return llvm::createStringError(error, "cannot read '%s': %s", bytes.range.file.c_str(), error.message().c_str());
    if ((*slice)->getBufferSize() != expected)
      return mismatch("bytes", (*slice)->getBufferSize(), expected);
    bytes.owned.append((*slice)->getBufferStart(), (*slice)->getBufferEnd());
    bytes.view = bytes.owned;
    return llvm::Error::success();
  }
  if (tensor.has_segment()) {
    if (tensor.has_raw_data())
      return llvm::createStringError("it has its raw data twice");
    // Put there by the scan, which sees every tensor; checked all the same, as a read depends on it.
    uint64_t begin = tensor.segment().begin(), end = tensor.segment().end();
    if (begin > end || end > model.size())
      return llvm::createStringError("its raw data lies outside the model");
    if (end - begin != expected)
      return mismatch("bytes", end - begin, expected);
    bytes.view = model.slice(begin, end - begin);
    if (!file.empty())
      bytes.range = FileRange{file.str(), begin, end - begin};
    return llvm::Error::success();
  }
  if (tensor.has_raw_data()) {
    bytes.view = ArrayRef<char>(tensor.raw_data().data(), tensor.raw_data().size());
    return bytes.view.size() == expected ? llvm::Error::success() : mismatch("bytes", bytes.view.size(), expected);
  }
  if (llvm::Error error = readTypedField(tensor, type, bytes))
    return error;
  bytes.view = bytes.owned;
  return llvm::Error::success();
}

llvm::Expected<TypedAttr> TensorReader::readStrings(const TensorProto &tensor, RankedTensorType type) {
  if (tensor.data_location() == TensorProto::EXTERNAL || tensor.has_raw_data() || tensor.has_segment())
    return llvm::createStringError("its strings are not in string_data");
  if (tensor.string_data_size() != type.getNumElements())
    return mismatch("strings", tensor.string_data_size(), type.getNumElements());
  SmallVector<StringRef> strings(tensor.string_data().begin(), tensor.string_data().end());
  return TypedAttr(DenseStringElementsAttr::get(type, strings));
}

llvm::Expected<TypedAttr> TensorReader::convert(const TensorProto &tensor) {
  SmallVector<int64_t> sizes(tensor.dims().begin(), tensor.dims().end());
  llvm::Expected<RankedTensorType> type = typeOf(sizes, tensor.data_type());
  if (!type)
    return type.takeError();
  if (llvm::count(std::initializer_list<bool>{tensor.has_raw_data() || tensor.has_segment(),
                                              tensor.float_data_size() != 0, tensor.int32_data_size() != 0,
                                              tensor.string_data_size() != 0, tensor.int64_data_size() != 0,
                                              tensor.double_data_size() != 0, tensor.uint64_data_size() != 0},
                  true) > 1)
    return llvm::createStringError("it has values in more than one field");
  if (isa<StringType>(type->getElementType()))
    return readStrings(tensor, *type);
  Bytes bytes;
  if (llvm::Error error = locate(tensor, *type, /*viewed=*/false, bytes))
    return std::move(error);
  return makeAttribute(*type, bytes);
}

//===----------------------------------------------------------------------===//
// Sparse tensors
//===----------------------------------------------------------------------===//

/// The position of element `i` among the dense tensor's elements, or -1 if it lies outside. Indices are one
/// linear number each, or one per dimension.
static int64_t linearPosition(ArrayRef<int64_t> indices, int64_t i, bool areLinear, RankedTensorType type) {
  if (areLinear)
    return indices[i] < type.getNumElements() ? indices[i] : -1;
  int64_t position = 0, rank = type.getRank();
  for (auto [index, size] : llvm::zip(indices.slice(i * rank, rank), type.getShape())) {
    if (index < 0 || index >= size)
      return -1;
    position = position * size + index;
  }
  return position;
}

llvm::Expected<TypedAttr> TensorReader::convert(const SparseTensorProto &tensor) {
  SmallVector<int64_t> sizes(tensor.dims().begin(), tensor.dims().end());
  SmallVector<int64_t> valueSizes(tensor.values().dims().begin(), tensor.values().dims().end());
  SmallVector<int64_t> indexSizes(tensor.indices().dims().begin(), tensor.indices().dims().end());
  llvm::Expected<RankedTensorType> type = typeOf(sizes, tensor.values().data_type());
  if (!type)
    return type.takeError();
  llvm::Expected<RankedTensorType> valueType = typeOf(valueSizes, tensor.values().data_type());
  if (!valueType)
    return valueType.takeError();
  llvm::Expected<RankedTensorType> indexType = typeOf(indexSizes, tensor.indices().data_type());
  if (!indexType)
    return indexType.takeError();
  Type element = type->getElementType();
  unsigned size = StorageFormat(element).getBytes();
  if (size == 0)
    return llvm::createStringError("it is sparse, which is supported for whole bytes only");
  if (storedBytes(*type) > kLargestSparse)
    return llvm::createStringError("it is sparse and takes %llu bytes when dense, more than %llu",
                                   (unsigned long long)storedBytes(*type), (unsigned long long)kLargestSparse);
  bool areLinear = indexSizes.size() == 1;
  if (valueSizes.size() != 1 || !indexType->getElementType().isSignlessInteger(64) ||
      indexType->getNumElements() != valueSizes[0] * (areLinear ? 1 : type->getRank()) ||
      (!areLinear && (indexSizes.size() != 2 || indexSizes[0] != valueSizes[0])))
    return llvm::createStringError("it is sparse, but has not one 64-bit index per value");

  Bytes values, indices, dense;
  if (llvm::Error error = locate(tensor.values(), *valueType, /*viewed=*/true, values))
    return std::move(error);
  if (llvm::Error error = locate(tensor.indices(), *indexType, /*viewed=*/true, indices))
    return std::move(error);
  SmallVector<int64_t> positions(indexType->getNumElements());
  if (!positions.empty())
    std::memcpy(positions.data(), indices.view.data(), indices.view.size());
  dense.owned.assign(storedBytes(*type), 0);
  int64_t last = -1;
  for (int64_t i = 0; i < valueSizes[0]; ++i) {
    int64_t position = linearPosition(positions, i, areLinear, *type);
    if (position <= last)
      return llvm::createStringError("it is sparse, but its index %lld is outside or not in ascending order",
                                     (long long)i);
    last = position;
    std::memcpy(dense.owned.data() + position * size, values.view.data() + i * size, size);
  }
  dense.view = dense.owned;
  return makeAttribute(*type, dense);
}

//===----------------------------------------------------------------------===//
// Each tensor once
//===----------------------------------------------------------------------===//

template <typename Message> llvm::Expected<TypedAttr> TensorReader::readOnce(const Message &tensor) {
  if (TypedAttr known = converted.lookup(&tensor))
    return known;
  llvm::Expected<TypedAttr> value = convert(tensor);
  if (value)
    converted[&tensor] = *value;
  return value;
}

llvm::Expected<TypedAttr> TensorReader::read(const TensorProto &tensor) { return readOnce(tensor); }

llvm::Expected<TypedAttr> TensorReader::read(const SparseTensorProto &tensor) { return readOnce(tensor); }

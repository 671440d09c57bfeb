//===- ConstantBytes.cpp - The bytes of constants as kernels read them ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConstantBytes.h"

#include "tenon/Dialect/Tenon/IR/BlobFiles.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Target/Host/HostProgram.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tenon;

namespace {
constexpr size_t pieceBytes = 1 << 20;

llvm::Error sinkFailed() { return llvm::createStringError("the constants can't be written"); }

} // namespace

llvm::Expected<ArrayRef<char>> tenon::bytesOf(TypedAttr value, std::vector<char> &storage) {
  auto type = dyn_cast<ShapedType>(value.getType());
  if (!type)
    return llvm::createStringError("a constant has no shape");
  StorageFormat format(type.getElementType());
  unsigned bits = format.getBits();
  int64_t count = type.getNumElements();
  if (auto blob = dyn_cast<tenon::BlobAttr>(value))
    return blob.getData();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return llvm::createStringError("the constant '" + resource.getRawHandle().getKey() + "' has no data");
    return blob->getData();
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense) {
    std::string text;
    llvm::raw_string_ostream(text) << value.getType();
    return llvm::createStringError("a constant of type " + text + " has no elements that can be written");
  }
  if (type.getElementType().isInteger(1)) {
    storage.reserve(count);
    for (bool element : dense.getValues<bool>())
      storage.push_back(element);
    return ArrayRef<char>(storage);
  }
  ArrayRef<char> raw = dense.getRawData();
  if (format.sharesBytes()) {
    // Narrow elements stand in a byte each.
    storage.assign(format.bytesFor(count), 0);
    for (int64_t i = 0; i < count; ++i) {
      unsigned element = (unsigned char)raw[dense.isSplat() ? 0 : i] & ((1u << bits) - 1);
      storage[i * bits / 8] |= element << (i * bits % 8);
    }
    return ArrayRef<char>(storage);
  }
  if (!dense.isSplat())
    return raw;
  storage.resize(format.bytesFor(count));
  for (size_t at = 0; at < storage.size(); at += raw.size())
    std::copy(raw.begin(), raw.end(), storage.begin() + at);
  return ArrayRef<char>(storage);
}

llvm::Error tenon::writePieces(ArrayRef<char> bytes, ByteSink sink) {
  for (ArrayRef<char> rest = bytes; !rest.empty();) {
    size_t size = std::min(rest.size(), pieceBytes);
    if (!sink(rest.take_front(size)))
      return sinkFailed();
    rest = rest.drop_front(size);
  }
  return llvm::Error::success();
}

llvm::Error tenon::writeConstant(TypedAttr value, ByteSink sink) {
  std::vector<char> storage;
  llvm::Expected<ArrayRef<char>> bytes = bytesOf(value, storage);
  if (!bytes)
    return bytes.takeError();
  auto blob = dyn_cast<tenon::BlobAttr>(value);
  uint64_t done = 0;
  return writePieces(*bytes, [&](ArrayRef<char> piece) {
    bool isTaken = sink(piece);
    if (blob)
      releasePages(blob, done, done + piece.size());
    done += piece.size();
    return isTaken;
  });
}

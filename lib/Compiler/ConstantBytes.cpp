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
#include "tenon/Dialect/Tile/IR/TileOps.h"
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

namespace {
/// A matrix in panels of columns, one panel at a time.
llvm::Error writePanels(tile::PanelsAttr panels, ByteSink sink) {
  std::vector<char> storage;
  llvm::Expected<ArrayRef<char>> bytes = bytesOf(panels.getValue(), storage);
  if (!bytes)
    return bytes.takeError();
  auto matrix = cast<ShapedType>(panels.getValue().getType());
  StorageFormat format(matrix.getElementType());
  if (format.sharesBytes())
    return llvm::createStringError("panels of elements that share bytes can't be written");
  int64_t size = format.getBytes(), depth = matrix.getDimSize(panels.getDepth()),
          columns = matrix.getDimSize(1 - panels.getDepth());
  // Strides of the matrix along the panel's rows and columns.
  int64_t rowStride = panels.getDepth() == 0 ? columns * size : size;
  int64_t columnStride = panels.getDepth() == 0 ? size : depth * size;
  ArrayRef<int64_t> shape = panels.getType().getShape();
  int64_t width = shape[2];
  std::vector<char> panel(depth * width * size);
  for (int64_t j = 0; j < shape[0]; ++j) {
    int64_t valid = std::min(width, columns - j * width);
    if (valid < width)
      llvm::fill(panel, 0);
    const char *source = bytes->data() + j * width * columnStride;
    for (int64_t k = 0; k < depth; ++k) {
      char *row = panel.data() + k * width * size;
      const char *from = source + k * rowStride;
      if (columnStride == size) {
        std::copy(from, from + valid * size, row);
        continue;
      }
      for (int64_t c = 0; c < valid; ++c)
        std::copy_n(from + c * columnStride, size, row + c * size);
    }
    if (!sink(panel))
      return sinkFailed();
  }
  if (isa<tenon::BlobAttr>(panels.getValue()))
    releasePages(*bytes);
  return llvm::Error::success();
}
} // namespace

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
  if (auto panels = dyn_cast<tile::PanelsAttr>(value))
    return writePanels(panels, sink);
  std::vector<char> storage;
  llvm::Expected<ArrayRef<char>> bytes = bytesOf(value, storage);
  if (!bytes)
    return bytes.takeError();
  llvm::Error error = writePieces(*bytes, sink);
  if (isa<tenon::BlobAttr>(value))
    releasePages(*bytes);
  return error;
}

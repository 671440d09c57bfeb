//===- BlobFiles.cpp - The files that a module's constants are in ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/BlobFiles.h"

#include "BlobFilesInterface.h"
#include "tenon/Dialect/Tenon/IR/ConstantFile.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using namespace tenon;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

//===----------------------------------------------------------------------===//
// Files of a context
//===----------------------------------------------------------------------===//

BlobFiles::~BlobFiles() {
  for (int descriptor : descriptors)
    close(descriptor);
}

const BlobFiles &BlobFiles::of(MLIRContext *context) {
  return *context->getOrLoadDialect<TenonDialect>()->getRegisteredInterface<BlobFiles>();
}

llvm::Expected<StringRef> BlobFiles::map(StringRef file, uint64_t end) const {
  std::lock_guard<std::mutex> lock(mutex);
  auto &mapped = buffers[file];
  if (mapped.empty() || mapped.back()->getBufferSize() < end) {
    auto opened = llvm::MemoryBuffer::getFile(file, /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (std::error_code error = opened.getError())
      return llvm::createStringError(error, "cannot read the constants in '%s': %s", file.str().c_str(),
                                     error.message().c_str());
    // Earlier ones stay: someone may look at their bytes.
    mapped.push_back(std::move(*opened));
  }
  return mapped.back()->getBuffer();
}

llvm::Error BlobFiles::check(tenon::BlobAttr blob, ArrayRef<char> bytes) const {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (checked.contains(blob))
      return llvm::Error::success();
  }
  if (checksumOf(bytes) != blob.getChecksum())
    return llvm::createStringError(
        "'%s' has changed since the module that refers to it was written: its bytes %llu to %llu are others",
        blob.getFile().str().c_str(), (unsigned long long)blob.getOffset(),
        (unsigned long long)(blob.getOffset() + blob.getBytes()));
  std::lock_guard<std::mutex> lock(mutex);
  checked.insert(blob);
  return llvm::Error::success();
}

void BlobFiles::release(tenon::BlobAttr blob, uint64_t begin, uint64_t end) const {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = buffers.find(blob.getFile());
  if (found == buffers.end())
    return;
  uintptr_t page = sysconf(_SC_PAGESIZE);
  for (const std::unique_ptr<llvm::MemoryBuffer> &buffer : found->second) {
    // The pages of a file come again from where the system keeps it; small files are read into memory, which doesn't.
    if (buffer->getBufferKind() != llvm::MemoryBuffer::MemoryBuffer_MMap ||
        blob.getOffset() + blob.getBytes() > buffer->getBufferSize())
      continue;
    uintptr_t start = (uintptr_t)buffer->getBufferStart() + blob.getOffset();
    uintptr_t first = std::max(llvm::alignTo(start, page), llvm::alignDown(start + begin, page)),
              last = llvm::alignDown(start + end, page);
    if (first < last)
      madvise((void *)first, last - first, MADV_DONTNEED);
  }
}

void BlobFiles::addInput(StringRef file) const {
  fs::file_status status;
  if (fs::status(file, status) || !fs::is_regular_file(status))
    return;
  std::lock_guard<std::mutex> lock(mutex);
  inputs.insert(status.getUniqueID());
}

bool BlobFiles::isInput(StringRef file) const {
  fs::UniqueID id;
  if (fs::getUniqueID(file, id))
    return false;
  std::lock_guard<std::mutex> lock(mutex);
  return inputs.count(id) != 0;
}

void BlobFiles::adopt(int descriptor) const {
  std::lock_guard<std::mutex> lock(mutex);
  descriptors.push_back(descriptor);
}

uint64_t BlobFiles::checksumOf(ArrayRef<char> bytes) {
  uint64_t sum = llvm::xxh3_64bits(StringRef(bytes.data(), bytes.size()));
  // 0 stands for none.
  return sum ? sum : 1;
}

void tenon::addInputFile(MLIRContext *context, StringRef file) { BlobFiles::of(context).addInput(file); }

void tenon::keepOpen(MLIRContext *context, int descriptor) { BlobFiles::of(context).adopt(descriptor); }

llvm::Error tenon::checkOutputFile(MLIRContext *context, StringRef file) {
  if (!BlobFiles::of(context).isInput(file))
    return llvm::Error::success();
  return llvm::createStringError("the output would overwrite '%s', which the model is read from", file.str().c_str());
}

void tenon::releasePages(tenon::BlobAttr blob) { releasePages(blob, 0, blob.getBytes()); }

void tenon::releasePages(tenon::BlobAttr blob, uint64_t begin, uint64_t end) {
  BlobFiles::of(blob.getContext()).release(blob, begin, end);
}

//===----------------------------------------------------------------------===//
// From and to a module's file
//===----------------------------------------------------------------------===//

static void replaceBlobs(Operation *root, function_ref<Attribute(tenon::BlobAttr)> replacement) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](tenon::BlobAttr blob) -> std::optional<Attribute> { return replacement(blob); });
  replacer.recursivelyReplaceElementsIn(root, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/false);
}

static tenon::BlobAttr withPlace(tenon::BlobAttr blob, StringRef file, uint64_t offset, uint64_t checksum) {
  return tenon::BlobAttr::get(blob.getContext(), blob.getType(), file, offset, blob.getBytes(), checksum);
}

void tenon::openBlobs(Operation *root, StringRef moduleFile) {
  // Beside the module, or beside what it leads to if it is a link.
  SmallVector<StringRef, 2> directories = {moduleFile == "-" ? "" : path::parent_path(moduleFile)};
  SmallString<256> target;
  if (moduleFile != "-" && fs::is_symlink_file(moduleFile) && !fs::real_path(moduleFile, target))
    directories.push_back(path::parent_path(target));
  replaceBlobs(root, [&](tenon::BlobAttr blob) -> Attribute {
    SmallString<256> file(blob.getFile());
    if (path::is_relative(file))
      for (StringRef directory : directories) {
        file = directory;
        path::append(file, blob.getFile());
        if (fs::exists(file))
          break;
      }
    addInputFile(root->getContext(), file);
    return withPlace(blob, file, blob.getOffset(), blob.getChecksum());
  });
}

namespace {
/// Where a module is written.
struct Destination {
  /// The real directory that names are relative to; none in a stream, whose reader is expected to run here.
  std::string directory;
  bool isStream = false;

  explicit Destination(StringRef moduleFile) {
    SmallString<256> file(moduleFile == "-" ? StringRef("/proc/self/fd/1") : moduleFile);
    fs::file_status status;
    bool exists = !fs::status(file, status);
    isStream = moduleFile == "-" || (exists && !fs::is_regular_file(status));
    if (exists && !fs::is_regular_file(status))
      return;
    // The standard output may be a file in some directory.
    SmallString<256> real;
    if (isStream && fs::real_path(file, real))
      return;
    StringRef parent = path::parent_path(isStream ? real.str() : file.str());
    SmallString<256> realParent;
    if (!fs::real_path(parent.empty() ? "." : parent, realParent))
      directory = std::string(realParent);
  }

  std::string nameOf(StringRef file) const {
    if (directory.empty())
      return file.str();
    // The last part may be a link, which is the name that belongs to the model.
    SmallString<256> real;
    StringRef parent = path::parent_path(file);
    if (fs::real_path(parent.empty() ? "." : parent, real))
      return file.str();
    path::append(real, path::filename(file));
    StringRef inside = real;
    if (inside.consume_front(directory) && (inside.consume_front("/") || StringRef(directory).ends_with("/")))
      return inside.str();
    return std::string(real);
  }
};
} // namespace

llvm::Error tenon::closeBlobs(Operation *root, StringRef moduleFile, ConstantFile &constants) {
  Destination destination(moduleFile);
  llvm::Error error = llvm::Error::success();
  replaceBlobs(root, [&](tenon::BlobAttr blob) -> Attribute {
    bool isTemporary = ConstantFile::isTemporary(blob.getFile());
    if (error || (blob.getChecksum() && !isTemporary))
      return error ? blob : withPlace(blob, destination.nameOf(blob.getFile()), blob.getOffset(), blob.getChecksum());
    llvm::Expected<ArrayRef<char>> bytes = blob.getData();
    if (!bytes) {
      error = bytes.takeError();
      return blob;
    }
    if (isTemporary && destination.isStream)
      return denseFromBlob(blob.getType(), *bytes);
    uint64_t checksum = BlobFiles::checksumOf(*bytes), offset = blob.getOffset();
    std::string file = blob.getFile().str();
    if (isTemporary) {
      llvm::Expected<uint64_t> place = constants.append(*bytes);
      if (!place) {
        error = place.takeError();
        return blob;
      }
      offset = *place;
      file = constants.getPath().str();
    }
    releasePages(blob);
    return withPlace(blob, destination.nameOf(file), offset, checksum);
  });
  return error;
}

DenseElementsAttr tenon::denseFromBlob(ShapedType type, ArrayRef<char> bytes) {
  StorageFormat format(type.getElementType());
  if (type.getElementType().isInteger(1)) {
    SmallVector<bool> values = llvm::map_to_vector(bytes, [](char byte) { return byte != 0; });
    return DenseElementsAttr::get(type, values);
  }
  if (!format.sharesBytes())
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  unsigned bits = format.getBits();
  // MLIR keeps narrow elements in a byte each.
  SmallVector<char> values;
  for (uint64_t i = 0, end = type.getNumElements(); i < end; ++i) {
    uint64_t at = i * bits, shift = at % 8;
    unsigned pair = uint8_t(bytes[at / 8]);
    if (shift + bits > 8)
      pair |= uint8_t(bytes[at / 8 + 1]) << 8;
    values.push_back(char((pair >> shift) & ((1u << bits) - 1)));
  }
  return DenseElementsAttr::getFromRawBuffer(type, values);
}

//===----------------------------------------------------------------------===//
// The attribute
//===----------------------------------------------------------------------===//

LogicalResult tenon::BlobAttr::verify(function_ref<InFlightDiagnostic()> emitError, ShapedType type, StringRef file,
                                      uint64_t offset, uint64_t bytes, uint64_t checksum) {
  if (!type.hasStaticShape())
    return emitError() << "a blob needs a static shape, but has " << type;
  Type element = type.getElementType();
  if (!element.isIntOrFloat())
    return emitError() << "a blob holds integers or floating point, not " << element;
  uint64_t expected = StorageFormat(element).bytesFor(type.getNumElements());
  if (bytes != expected)
    return emitError() << "a blob of " << type << " takes " << expected << " bytes, not " << bytes;
  return success();
}

llvm::Expected<ArrayRef<char>> tenon::BlobAttr::getData() const {
  const BlobFiles &files = BlobFiles::of(getContext());
  uint64_t end = getOffset() + getBytes();
  llvm::Expected<StringRef> content = files.map(getFile(), end);
  if (!content)
    return content.takeError();
  if (getOffset() > content->size() || getBytes() > content->size() - getOffset())
    return llvm::createStringError(
        std::errc::result_out_of_range, "the file '%s' has %zu bytes, but a constant lies at %llu to %llu",
        getFile().str().c_str(), content->size(), (unsigned long long)getOffset(), (unsigned long long)end);
  ArrayRef<char> bytes(content->data() + getOffset(), getBytes());
  if (getChecksum())
    if (llvm::Error error = files.check(*this, bytes))
      return std::move(error);
  return bytes;
}

tenon::BlobAttr tenon::BlobAttr::withType(ShapedType type) const {
  return get(getContext(), type, getFile(), getOffset(), getBytes(), getChecksum());
}

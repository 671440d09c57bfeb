//===- CompileCache.cpp - What was compiled before ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/CompileCache.h"

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Support/OutputFile.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CachePruning.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>

using namespace mlir;
using namespace tenon;

static constexpr size_t checksumBytes = sizeof(uint64_t);

static uint64_t checksumOf(StringRef bytes) { return llvm::xxh3_64bits(bytes); }

static std::string hashOf(StringRef bytes) {
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(llvm::arrayRefFromStringRef(bytes));
  return llvm::utohexstr(hash.high64, /*LowerCase=*/true, 16) + llvm::utohexstr(hash.low64, /*LowerCase=*/true, 16);
}

/// The compiler that is running, whatever version it calls itself: a hash of the file that its code is in, and which
/// LLVM it works with. Empty where they can't be read.
static const std::string &compilerHash() {
  static const std::string hash = [] {
    auto fileOf = [](void *function) -> std::string {
      Dl_info place;
      return dladdr(function, &place) && place.dli_fname ? place.dli_fname : "";
    };
    auto self = llvm::MemoryBuffer::getFile(fileOf(reinterpret_cast<void *>(&hashOf)), /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
    struct stat library;
    if (!self || stat(fileOf(reinterpret_cast<void *>(&llvm::xxh3_128bits)).c_str(), &library) != 0)
      return std::string();
    return hashOf((*self)->getBuffer()) + std::to_string(library.st_size) + "," + std::to_string(library.st_mtime);
  }();
  return hash;
}

CompileCache::CompileCache(StringRef directory, uint64_t limit) : directory(directory.str()), limit(limit) {}

CompileCache::~CompileCache() {
  if (!isChanged)
    return;
  llvm::CachePruningPolicy policy;
  policy.Interval = std::chrono::seconds(0);
  policy.Expiration = std::chrono::seconds(0);
  policy.MaxSizePercentageOfAvailableSpace = 0;
  policy.MaxSizeBytes = std::max<uint64_t>(limit, 1);
  llvm::pruneCache(directory, policy);
}

llvm::Error CompileCache::open() {
  if (std::error_code error = llvm::sys::fs::create_directories(directory))
    return llvm::createStringError("cannot make the cache's directory '" + directory + "': " + error.message());
  if (!llvm::sys::fs::is_directory(directory))
    return llvm::createStringError("the cache '" + directory + "' is no directory");
  if (compilerHash().empty())
    return llvm::createStringError("there can be no cache: the compiler's own file can't be read");
  return llvm::Error::success();
}

std::string CompileCache::keyOf(ArrayRef<StringRef> parts) const {
  std::string all = compilerHash();
  for (StringRef part : parts) {
    all += std::to_string(part.size()) + ":";
    all += part;
  }
  return hashOf(all);
}

/// Only files of this name are removed.
std::string CompileCache::pathOf(StringRef key) const {
  SmallString<128> path(directory);
  llvm::sys::path::append(path, "llvmcache-" + key);
  return path.str().str();
}

std::optional<CompileCache::Entry> CompileCache::lookup(StringRef key) {
  std::string path = pathOf(key);
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file || (*file)->getBufferSize() < checksumBytes)
    return std::nullopt;
  StringRef bytes = (*file)->getBuffer().drop_back(checksumBytes);
  if (llvm::support::endian::read64le(bytes.end()) != checksumOf(bytes))
    return std::nullopt;
  // File systems note late or never that a file was read.
  utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  return Entry{std::move(*file), bytes};
}

void CompileCache::insert(StringRef key, StringRef bytes) {
  char checksum[checksumBytes];
  llvm::support::endian::write64le(checksum, checksumOf(bytes));
  OutputFile file(pathOf(key));
  if (file.append(bytes.data(), bytes.size()) && file.append(checksum, checksumBytes) && file.keep())
    isChanged = true;
}

llvm::Expected<std::string> tenon::contentOf(ModuleOp module) {
  OwningOpRef<ModuleOp> copy(module.clone());
  llvm::Error error = llvm::Error::success();
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](BlobAttr blob) -> std::pair<Attribute, WalkResult> {
    llvm::Expected<ArrayRef<char>> data = blob.getData();
    if (!data) {
      error = llvm::joinErrors(std::move(error), data.takeError());
      return {blob, WalkResult::skip()};
    }
    uint64_t hash = checksumOf(StringRef(data->data(), data->size()));
    return {BlobAttr::get(blob.getContext(), blob.getType(), "", 0, blob.getBytes(), hash), WalkResult::skip()};
  });
  replacer.addReplacement([](FileLineColLoc place) -> LocationAttr { return UnknownLoc::get(place.getContext()); });
  replacer.recursivelyReplaceElementsIn(*copy, /*replaceAttrs=*/true, /*replaceLocs=*/true);
  if (error)
    return std::move(error);
  std::string text;
  llvm::raw_string_ostream out(text);
  copy->print(out, OpPrintingFlags().enableDebugInfo());
  return text;
}

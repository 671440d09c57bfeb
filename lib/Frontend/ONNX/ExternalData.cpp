//===- ExternalData.cpp - Constants beside the model ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExternalData.h"

#include "onnx-ml.pb.h"
#include "tenon/Dialect/Tenon/IR/BlobFiles.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <climits>
#include <unistd.h>

using namespace llvm;
using namespace tenon::onnx;

/// The real path of a directory, with a separator at its end; empty if there is none.
static std::string treeOf(const Twine &directory) {
  SmallString<256> real;
  if (sys::fs::real_path(directory, real))
    return "";
  return real.ends_with("/") ? std::string(real) : std::string(real) + "/";
}

ExternalFiles::ExternalFiles(StringRef model, bool allowLinks, mlir::MLIRContext *context)
    : allowLinks(allowLinks), context(context) {
  auto add = [&](StringRef directory) {
    directories.push_back(directory.str());
    trees.push_back(treeOf(directory.empty() ? "." : directory));
  };
  // A link may lead to another one: data may lie beside each of them.
  SmallString<256> path(model);
  constexpr int mostLinks = 40; // as many as Linux follows
  for (int i = 0; i <= mostLinks; ++i) {
    add(sys::path::parent_path(path));
    char content[PATH_MAX];
    ssize_t length = ::readlink(path.c_str(), content, sizeof(content));
    if (length <= 0 || length == sizeof(content))
      break;
    StringRef next(content, length);
    if (sys::path::is_absolute(next))
      path = next;
    else
      sys::path::remove_filename(path), sys::path::append(path, next);
  }
  // The cache of Hugging Face's hub, NAME/snapshots/REVISION/..., has its files in NAME/blobs.
  for (const std::string &own : std::vector<std::string>(trees.begin(), trees.end()))
    for (StringRef part = own; !part.empty() && part != "/"; part = sys::path::parent_path(part))
      if (sys::path::filename(sys::path::parent_path(part)) == "snapshots")
        trees.push_back(treeOf(sys::path::parent_path(sys::path::parent_path(part)) + "/blobs"));
}

Expected<ExternalFiles::File> ExternalFiles::open(StringRef location) {
  auto known = files.find(location);
  if (known != files.end())
    return known->second;
  auto refuse = [&](const Twine &why) { return createStringError("the external data '" + location + "' " + why); };
  if (location.empty() || location.contains('\0'))
    return refuse("is not the name of a file");
  if (sys::path::is_absolute(location))
    return refuse("has an absolute path, but must lie in the model's directory");
  if (is_contained(make_range(sys::path::begin(location), sys::path::end(location)), ".."))
    return refuse("has '..' in its path, but must lie in the model's directory");

  SmallString<256> path, realPath;
  sys::fs::file_status status;
  std::error_code error;
  for (StringRef directory : directories) {
    path = directory;
    sys::path::append(path, location);
    error = sys::fs::status(path, status);
    if (error != std::errc::no_such_file_or_directory)
      break;
  }
  if (!error)
    error = sys::fs::real_path(path, realPath);
  if (error)
    return refuse("cannot be read: " + error.message());
  if (!sys::fs::is_regular_file(status))
    return refuse("is not a file");
  // Links may lead around in the directory, not out of it.
  auto isInside = [&](StringRef tree) { return !tree.empty() && realPath.starts_with(tree); };
  if (!allowLinks && none_of(trees, isInside))
    return refuse("is a link to '" + realPath +
                  "', outside the model's directory; if the model can be trusted, "
                  "allow it (--allow-external-links, in Python allow_external_links=True)");
  addInputFile(context, path);
  return files[location] = File{path.str().str(), status.getSize()};
}

Expected<FileRange> ExternalFiles::locate(const ::onnx::TensorProto &tensor, uint64_t bytes) {
  StringRef location;
  uint64_t offset = 0, length = bytes;
  for (const auto &entry : tensor.external_data()) {
    StringRef key(entry.key()), value(entry.value());
    if (key == "location")
      location = value;
    // getAsInteger fails on anything but a decimal number that fits.
    else if (key == "offset" && value.getAsInteger(10, offset))
      return createStringError("the offset '%s' of its external data is not a number", entry.value().c_str());
    else if (key == "length" && value.getAsInteger(10, length))
      return createStringError("the length '%s' of its external data is not a number", entry.value().c_str());
  }
  Expected<File> file = open(location);
  if (!file)
    return file.takeError();
  if (length != bytes)
    return createStringError("its external data has %llu bytes, but its type takes %llu", (unsigned long long)length,
                             (unsigned long long)bytes);
  if (offset > file->size)
    return createStringError("its external data lies at byte %llu of '%s', which has %llu", (unsigned long long)offset,
                             location.str().c_str(), (unsigned long long)file->size);
  if (bytes > file->size - offset)
    return createStringError("its external data lies at bytes %llu to %llu of '%s', which has %llu",
                             (unsigned long long)offset, (unsigned long long)offset + bytes, location.str().c_str(),
                             (unsigned long long)file->size);
  return FileRange{file->path, offset, bytes};
}

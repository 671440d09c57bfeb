//===- ExternalData.cpp - Constants beside the model ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExternalData.h"

#include "onnx-ml.pb.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace tenon::onnx;

Expected<ExternalFiles::File> ExternalFiles::open(StringRef location) {
  auto known = files.find(location);
  if (known != files.end())
    return known->second;
  auto refuse = [&](const char *why) {
    return createStringError("the external data '%s' %s", location.str().c_str(), why);
  };
  if (location.empty() || location.contains('\0'))
    return refuse("is not the name of a file");
  if (sys::path::is_absolute(location))
    return refuse("has an absolute path, but must lie in the model's directory");
  if (is_contained(make_range(sys::path::begin(location), sys::path::end(location)), ".."))
    return refuse("has '..' in its path, but must lie in the model's directory");

  SmallString<256> path(directory), realPath, realDirectory;
  sys::path::append(path, location);
  sys::fs::file_status status;
  std::error_code error = sys::fs::status(path, status);
  if (!error)
    error = sys::fs::real_path(path, realPath);
  if (!error)
    error = sys::fs::real_path(directory.empty() ? "." : directory, realDirectory);
  if (error)
    return refuse(("cannot be read: " + error.message()).c_str());
  if (!sys::fs::is_regular_file(status))
    return refuse("is not a file");
  // Links may lead around in the directory, not out of it.
  if (!StringRef(realDirectory).ends_with("/"))
    realDirectory += "/";
  if (!StringRef(realPath).starts_with(realDirectory))
    return refuse("is a link to a place outside the model's directory");
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
    return createStringError("its external data has %llu bytes, but its type takes %llu",
                             (unsigned long long)length, (unsigned long long)bytes);
  if (offset > file->size)
    return createStringError("its external data lies at byte %llu of '%s', which has %llu",
                             (unsigned long long)offset, location.str().c_str(),
                             (unsigned long long)file->size);
  if (bytes > file->size - offset)
    return createStringError("its external data lies at bytes %llu to %llu of '%s', which has %llu",
                             (unsigned long long)offset, (unsigned long long)offset + bytes,
                             location.str().c_str(), (unsigned long long)file->size);
  return FileRange{file->path, offset, bytes};
}

//===- OutputFile.h - Files that appear whole or not at all ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// What is written takes its name only when it is complete: until then the file has none, so that neither an error, a
// full disk nor a signal leaves anything behind. Symbolic links stay, and what they lead to is replaced. What isn't a
// regular file (a device, a pipe, an open descriptor such as /dev/stdout) is never replaced, but written to.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_SUPPORT_OUTPUTFILE_H
#define TENON_SUPPORT_OUTPUTFILE_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace tenon {

/// Opens a file without a name in the directory for temporary files: it is gone when its descriptor is closed. Below 0
/// after an error, which names the directory.
int openUnnamedFile(std::string &error);

/// Calls that fail return false, and so do all later ones; `error()` has the first reason.
class OutputFile {
public:
  /// `permissions` are those of a new file, less the umask. `isInterrupted` is asked whether to give up when a signal
  /// came while a pipe kept the file waiting.
  explicit OutputFile(std::string path, unsigned permissions = 0666, std::function<bool()> isInterrupted = {});
  /// Discards what wasn't kept.
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  /// Writes at a byte of the file.
  bool writeAt(uint64_t offset, const void *data, size_t size);
  /// Writes at the end.
  bool append(const void *data, size_t size);
  uint64_t size() const { return length; }
  /// Drops what lies behind the first `size` bytes.
  bool shorten(uint64_t size);

  /// Gives the file its name, or hands its bytes to what has that name.
  bool keep();

  const std::string &error() const { return message; }
  /// Its errno.
  int code() const { return reason; }

private:
  bool fail(const char *what, int code);
  /// Whether to try again what has failed.
  bool goesOn() const;
  void openBeside(unsigned permissions);
  void openSink();
  bool link();
  bool copyToSink();

  std::string path;      ///< as given
  std::string target;    ///< behind all links
  std::string temporary; ///< the file's name where it must have one
  std::string message;
  std::function<bool()> isInterrupted;
  int reason = 0;
  int file = -1;
  int sink = -1; ///< takes a copy in the end
  bool isDirect = false;
  uint64_t length = 0;
};

} // namespace tenon

#endif // TENON_SUPPORT_OUTPUTFILE_H

//===- OutputFile.cpp - Files that appear whole or not at all ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Support/OutputFile.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace tenon;

namespace {
constexpr int kMaxLinks = 40; // as many as Linux follows
constexpr int kAttempts = 100;

std::string directoryOf(const std::string &path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// The descriptor of this process that a path such as /dev/fd/3 stands for, or -1.
int descriptorOf(const std::string &path) {
  for (const char *prefix : {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"}) {
    size_t length = std::strlen(prefix);
    if (path.compare(0, length, prefix) != 0 || path.size() == length)
      continue;
    char *end;
    long number = std::strtol(path.c_str() + length, &end, 10);
    return *end == 0 && number >= 0 && number <= INT_MAX ? int(number) : -1;
  }
  return -1;
}

/// What a path leads to behind links, which may be nothing; links to open descriptors are as far as names go.
std::string followLinks(std::string path) {
  for (int i = 0; i < kMaxLinks && descriptorOf(path) < 0; ++i) {
    char content[PATH_MAX];
    ssize_t length = readlink(path.c_str(), content, sizeof(content));
    if (length <= 0 || length == sizeof(content))
      break;
    std::string next(content, size_t(length));
    path = next[0] == '/' ? next : directoryOf(path) + "/" + next;
  }
  return path;
}

/// A name beside `path` that nothing else is likely to have.
std::string nameBeside(const std::string &path, unsigned attempt) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t number = (uint64_t(now.tv_nsec) << 20 ^ uint64_t(getpid()) << 7 ^ attempt) * 0x9e3779b97f4a7c15;
  std::string name = path + ".";
  for (int i = 0; i < 8; ++i, number >>= 4)
    name += "0123456789abcdef"[number & 15];
  return name;
}

/// The name in /proc of a file that has none.
std::string procName(int file) { return "/proc/self/fd/" + std::to_string(file); }
} // namespace

int tenon::openUnnamedFile(std::string &error) {
  const char *given = getenv("TMPDIR");
  std::string directory = given && *given ? given : "/tmp";
  int file = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    std::string name = directory + "/tenon-XXXXXX";
    file = mkostemp(name.data(), O_CLOEXEC);
    if (file >= 0)
      unlink(name.c_str());
  }
  if (file < 0)
    error = "cannot create a temporary file in '" + directory + "'" + (given && *given ? " (TMPDIR): " : ": ") +
            std::strerror(errno);
  return file;
}

OutputFile::OutputFile(std::string path, unsigned permissions, std::function<bool()> isInterrupted)
    : path(std::move(path)), isInterrupted(std::move(isInterrupted)) {
  target = followLinks(this->path);
  int descriptor = descriptorOf(target);
  struct stat status;
  bool exists = stat(target.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) {
    fail("create", errno);
  } else if (exists && S_ISDIR(status.st_mode)) {
    fail("create", EISDIR);
  } else if (exists && descriptor >= 0 && S_ISREG(status.st_mode) && status.st_nlink == 0) {
    // Nothing else can see it: no copy is needed.
    isDirect = true;
    file = open(target.c_str(), O_RDWR | O_TRUNC | O_CLOEXEC);
    if (file < 0)
      fail("open", errno);
  } else if (descriptor >= 0 || (exists && !S_ISREG(status.st_mode))) {
    openSink();
  } else {
    openBeside(exists ? status.st_mode & 0777 : permissions);
    if (file >= 0 && exists)
      fchmod(file, status.st_mode & 0777);
    // A file may be writable in a directory that isn't.
    if (file < 0 && exists && (errno == EACCES || errno == EROFS || errno == EPERM))
      openSink();
    else if (file < 0)
      fail("create", errno);
  }
}

void OutputFile::openBeside(unsigned permissions) {
  // Without /proc such a file can't be given a name.
  if (access("/proc/self/fd", X_OK) == 0)
    file = open(directoryOf(target).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, permissions);
  else
    errno = EOPNOTSUPP;
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
    return;
  for (int i = 0; i < kAttempts && file < 0; ++i) {
    temporary = nameBeside(target, i);
    file = open(temporary.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, permissions);
    if (file < 0 && errno != EEXIST)
      break;
  }
  if (file < 0)
    temporary.clear();
}

void OutputFile::openSink() {
  int descriptor = descriptorOf(target);
  // A duplicate goes on where the descriptor is, and appends if it does.
  do
    sink = descriptor >= 0 ? fcntl(descriptor, F_DUPFD_CLOEXEC, 3) : open(target.c_str(), O_WRONLY | O_CLOEXEC);
  while (sink < 0 && goesOn());
  if (sink < 0) {
    fail("write", errno);
    return;
  }
  file = openUnnamedFile(message);
  if (file < 0)
    reason = errno;
}

OutputFile::~OutputFile() {
  if (file >= 0)
    close(file);
  if (sink >= 0)
    close(sink);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

bool OutputFile::fail(const char *what, int code) {
  if (message.empty()) {
    message = std::string("cannot ") + what + " '" + path + "': " + std::strerror(code);
    reason = code;
  }
  return false;
}

bool OutputFile::goesOn() const {
  if (errno != EINTR)
    return false;
  bool givesUp = isInterrupted && isInterrupted();
  errno = EINTR;
  return !givesUp;
}

bool OutputFile::writeAt(uint64_t offset, const void *data, size_t size) {
  // What is mapped, as weights are, is written in half of the time if it isn't handed over at once.
  constexpr size_t mostBytes = 1 << 18;
  const char *p = static_cast<const char *>(data);
  while (message.empty() && size != 0) {
    ssize_t written = pwrite(file, p, size < mostBytes ? size : mostBytes, off_t(offset));
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return fail("write", written < 0 ? errno : ENOSPC);
    p += written;
    offset += uint64_t(written);
    size -= size_t(written);
    length = offset > length ? offset : length;
  }
  return message.empty();
}

bool OutputFile::append(const void *data, size_t size) { return writeAt(length, data, size); }

bool OutputFile::shorten(uint64_t size) {
  if (!message.empty() || size >= length)
    return message.empty();
  if (ftruncate(file, off_t(size)) != 0)
    return fail("write", errno);
  length = size;
  return true;
}

bool OutputFile::copyToSink() {
  struct stat status;
  if (fstat(sink, &status) != 0 || (S_ISREG(status.st_mode) && descriptorOf(target) < 0 && ftruncate(sink, 0) != 0))
    return fail("write", errno);
  std::vector<char> piece(1 << 16);
  for (uint64_t done = 0; done < length;) {
    ssize_t size = pread(file, piece.data(), piece.size(), off_t(done));
    if (size <= 0)
      return fail("write", size < 0 ? errno : EIO);
    for (ssize_t at = 0; at < size;) {
      ssize_t written = write(sink, piece.data() + at, size_t(size - at));
      if (written < 0 && goesOn())
        continue;
      if (written <= 0)
        return fail("write", written < 0 ? errno : ENOSPC);
      at += written;
    }
    done += uint64_t(size);
  }
  int closed = close(sink);
  sink = -1;
  return closed == 0 || fail("write", errno);
}

bool OutputFile::link() {
  std::string unnamed = procName(file);
  if (temporary.empty() && linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW) == 0)
    return true;
  if (temporary.empty() && errno != EEXIST)
    return fail("create", errno);
  // Only a file that has a name can take another's place.
  for (int i = 0; i < kAttempts && temporary.empty(); ++i) {
    std::string name = nameBeside(target, i);
    if (linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0)
      temporary = name;
    else if (errno != EEXIST)
      break;
  }
  if (temporary.empty() || rename(temporary.c_str(), target.c_str()) != 0)
    return fail("create", errno);
  temporary.clear();
  return true;
}

bool OutputFile::keep() {
  if (!message.empty())
    return false;
  if (isDirect)
    return true;
  if (sink >= 0)
    return copyToSink();
  return link();
}

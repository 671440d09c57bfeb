//===- Npz.cpp - Read and write archives of arrays ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Npz.h"
#include "tenon/Support/OutputFile.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <sys/stat.h>

#include <zlib.h>

using namespace tenon::npz;

namespace {
uint64_t little(const unsigned char *p, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i)
    value |= uint64_t(p[i]) << 8 * i;
  return value;
}

void append(std::vector<unsigned char> &out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out.push_back(i < 8 ? static_cast<unsigned char>(value >> 8 * i) : 0);
}

bool readFile(const std::string &path, std::vector<unsigned char> &bytes, std::string &error) {
  std::FILE *file = std::fopen(path.c_str(), "rb");
  if (!file) {
    error = "cannot open '" + path + "': " + std::strerror(errno);
    return false;
  }
  struct stat status;
  if (fstat(fileno(file), &status) == 0 && S_ISCHR(status.st_mode)) {
    std::fclose(file);
    error = "cannot read '" + path + "': it is a device";
    return false;
  }
  unsigned char buffer[65536];
  while (size_t got = std::fread(buffer, 1, sizeof(buffer), file))
    bytes.insert(bytes.end(), buffer, buffer + got);
  bool failed = std::ferror(file);
  std::fclose(file);
  if (failed)
    error = "cannot read '" + path + "'";
  return !failed;
}

/// Of an array, whether or not they have bytes.
constexpr uint64_t kMaxElements = uint64_t(1) << 40;

/// The text behind `'key':` in the header's dictionary.
bool findField(const std::string &header, const char *key, std::string &rest) {
  size_t at = header.find(std::string("'") + key + "'");
  if (at == std::string::npos || (at = header.find(':', at)) == std::string::npos)
    return false;
  at = header.find_first_not_of(' ', at + 1);
  if (at == std::string::npos)
    return false;
  rest = header.substr(at);
  return true;
}

/// Members of an archive that lead out of where it is unpacked would be a trap: ".." in a name is written as "%2E%2E".
std::string memberOf(const std::string &name) {
  std::string member = name + ".npy";
  for (size_t at = 0; at < member.size();) {
    size_t end = member.find_first_of("/\\", at);
    if (end == std::string::npos)
      end = member.size();
    if (member.compare(at, end - at, "..") == 0) {
      member.replace(at, 2, "%2E%2E");
      end += 4;
    }
    at = end + 1;
  }
  return member;
}

std::string nameOf(std::string member) {
  if (member.size() > 4 && member.compare(member.size() - 4, 4, ".npy") == 0)
    member.resize(member.size() - 4);
  for (size_t at = 0; (at = member.find("%2E%2E", at)) != std::string::npos; at += 2) {
    bool isWhole = (at == 0 || std::strchr("/\\", member[at - 1])) &&
                   (at + 6 == member.size() || std::strchr("/\\", member[at + 6]));
    if (isWhole)
      member.replace(at, 6, "..");
  }
  return member;
}

/// Big-endian numbers become little-endian ones; `unit` bytes are a number.
void swapBytes(std::vector<unsigned char> &data, size_t unit) {
  for (size_t at = 0; at + unit <= data.size(); at += unit)
    std::reverse(data.begin() + std::ptrdiff_t(at), data.begin() + std::ptrdiff_t(at + unit));
}

/// Columns first becomes rows first.
void toRowMajor(Array &array) {
  std::vector<unsigned char> rows(array.data.size());
  size_t rank = array.shape.size(), item = size_t(array.item);
  std::vector<int64_t> position(rank, 0);
  for (int64_t to = 0, count = array.count(); to < count; ++to) {
    int64_t from = 0;
    for (size_t d = rank; d-- > 0;)
      from = from * array.shape[d] + position[d];
    std::memcpy(rows.data() + size_t(to) * item, array.data.data() + size_t(from) * item, item);
    for (size_t d = rank; d-- > 0 && ++position[d] == array.shape[d];)
      position[d] = 0;
  }
  array.data.swap(rows);
}
} // namespace

bool tenon::npz::parseNpy(const unsigned char *bytes, size_t size, Array &array, std::string &error) {
  if (size < 10 || std::memcmp(bytes, "\x93NUMPY", 6) != 0) {
    error = "not a .npy file";
    return false;
  }
  int version = bytes[6], prefix = version == 1 ? 10 : 12;
  if (version < 1 || version > 3 || size < size_t(prefix)) {
    error = "unknown version of the .npy format";
    return false;
  }
  uint64_t headerSize = little(bytes + 8, prefix - 8);
  if (headerSize > size - size_t(prefix)) {
    error = "the .npy header is cut off";
    return false;
  }
  std::string header(reinterpret_cast<const char *>(bytes) + prefix, headerSize), descr, order, shape;
  if (!findField(header, "descr", descr) || !findField(header, "fortran_order", order) ||
      !findField(header, "shape", shape) || descr.size() < 4 || descr[0] != '\'' || shape[0] != '(') {
    error = "the .npy header is not one of a plain array";
    return false;
  }
  char endian = descr[1];
  array.kind = descr[2];
  array.item = std::strtoll(descr.c_str() + 3, nullptr, 10);
  if (array.kind == 'U')
    array.item *= 4;
  if (std::strchr("fiubcVUS", array.kind) == nullptr || array.item < 0 || array.item > 1 << 20 ||
      (array.item == 0 && array.kind != 'U' && array.kind != 'S')) {
    error = "arrays of type " + descr.substr(0, descr.find('\'', 1) + 1) + " are not supported";
    return false;
  }
  array.shape.clear();
  // Texts may have no characters, but their number must make sense all the same.
  uint64_t total = uint64_t(array.item), count = 1;
  const char *p = shape.c_str() + 1;
  for (;;) {
    while (*p == ' ' || *p == ',')
      ++p;
    if (*p == ')')
      break;
    char *end;
    errno = 0;
    long long extent = std::strtoll(p, &end, 10);
    if (end == p || errno != 0 || extent < 0 || __builtin_mul_overflow(total, uint64_t(extent), &total) ||
        __builtin_mul_overflow(count, uint64_t(extent), &count) || count > kMaxElements) {
      error = "the .npy header has a shape that makes no sense";
      return false;
    }
    array.shape.push_back(extent);
    p = end;
  }
  size_t start = size_t(prefix) + headerSize;
  if (total > size - start) {
    error = "the .npy data is cut off";
    return false;
  }
  array.data.assign(bytes + start, bytes + start + total);
  if (endian == '>' && std::strchr("fiucU", array.kind))
    swapBytes(array.data, array.kind == 'U' ? 4 : size_t(array.kind == 'c' ? array.item / 2 : array.item));
  if (order.compare(0, 4, "True") == 0 && array.shape.size() > 1 && total > 0)
    toRowMajor(array);
  return true;
}

std::vector<unsigned char> tenon::npz::formatNpy(const Array &array) {
  std::string header = "{'descr': '";
  header += array.item == 1 ? '|' : '<';
  header += array.kind;
  header += std::to_string(array.kind == 'U' ? array.item / 4 : array.item) + "', 'fortran_order': False, 'shape': (";
  for (int64_t size : array.shape)
    header += std::to_string(size) + ", ";
  if (array.shape.size() > 1)
    header.resize(header.size() - 2);
  else if (array.shape.size() == 1)
    header.pop_back();
  header += "), }";
  header.append(64 - (header.size() + 11) % 64, ' ');
  header += '\n';
  std::vector<unsigned char> out = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  append(out, header.size(), 2);
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), array.data.begin(), array.data.end());
  return out;
}

bool tenon::npz::readNpy(const std::string &path, Array &array, std::string &error) {
  std::vector<unsigned char> bytes;
  if (!readFile(path, bytes, error))
    return false;
  if (parseNpy(bytes.data(), bytes.size(), array, error))
    return true;
  error = "'" + path + "': " + error;
  return false;
}

bool tenon::npz::readNpz(const std::string &path, Archive &archive, std::string &error) {
  std::vector<unsigned char> bytes;
  if (!readFile(path, bytes, error))
    return false;
  if (parseNpz(bytes.data(), bytes.size(), archive, error))
    return true;
  error = "'" + path + "': " + error;
  return false;
}

static bool inflateInto(const unsigned char *from, uint64_t fromSize, std::vector<unsigned char> &to, uint64_t size) {
  // Deflate makes at most 1032 bytes of one: a header that claims more is not worth the memory.
  if (size / 1100 > fromSize + 1 || fromSize > std::numeric_limits<uInt>::max())
    return false;
  to.resize(size);
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return false;
  stream.next_in = const_cast<unsigned char *>(from);
  stream.avail_in = uInt(fromSize);
  unsigned char spare;
  uint64_t done = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    uint64_t room = size - done < (1u << 30) ? size - done : 1u << 30;
    stream.next_out = room ? to.data() + done : &spare;
    stream.avail_out = room ? uInt(room) : 1;
    uInt before = stream.avail_out;
    status = inflate(&stream, Z_NO_FLUSH);
    if (room == 0 && stream.avail_out == 0)
      break;
    done += room ? before - stream.avail_out : 0;
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END && done == size;
}

// The zip format: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3 (64-bit sizes).
bool tenon::npz::parseNpz(const unsigned char *bytes, size_t size, Archive &archive, std::string &error) {
  auto bad = [&](const char *what) {
    error = what;
    return false;
  };
  if (size < 22)
    return bad("not a .npz file");
  size_t end = size - 22;
  while (little(bytes + end, 4) != 0x06054b50) {
    if (end == 0 || size - end > 65557)
      return bad("not a .npz file");
    --end;
  }
  uint64_t count = little(bytes + end + 10, 2), at = little(bytes + end + 16, 4);
  if ((count == 0xffff || at == 0xffffffff) && end >= 20 && little(bytes + end - 20, 4) == 0x07064b50) {
    uint64_t end64 = little(bytes + end - 12, 8);
    if (size < 56 || end64 > size - 56 || little(bytes + end64, 4) != 0x06064b50)
      return bad("the .npz directory is damaged");
    count = little(bytes + end64 + 32, 8);
    at = little(bytes + end64 + 48, 8);
  }
  for (uint64_t i = 0; i < count; ++i) {
    if (at > size || size - at < 46 || little(bytes + at, 4) != 0x02014b50)
      return bad("the .npz directory is damaged");
    const unsigned char *entry = bytes + at;
    uint64_t method = little(entry + 10, 2), crc = little(entry + 16, 4), packed = little(entry + 20, 4),
             plain = little(entry + 24, 4), nameSize = little(entry + 28, 2), extraSize = little(entry + 30, 2),
             commentSize = little(entry + 32, 2), local = little(entry + 42, 4);
    if (nameSize + extraSize + commentSize > size - at - 46)
      return bad("the .npz directory is damaged");
    std::string name(reinterpret_cast<const char *>(entry) + 46, nameSize);
    const unsigned char *extra = entry + 46 + nameSize, *extraEnd = extra + extraSize;
    while (extraEnd - extra >= 4) {
      uint64_t id = little(extra, 2), length = little(extra + 2, 2);
      extra += 4;
      if (length > uint64_t(extraEnd - extra))
        break;
      if (id == 1) {
        const unsigned char *field = extra;
        for (uint64_t *value : {&plain, &packed, &local})
          if (*value == 0xffffffff && uint64_t(field - extra) + 8 <= length) {
            *value = little(field, 8);
            field += 8;
          }
      }
      extra += length;
    }
    at += 46 + nameSize + extraSize + commentSize;

    if (local > size || size - local < 30 || little(bytes + local, 4) != 0x04034b50)
      return bad("the .npz archive is damaged");
    uint64_t start = local + 30 + little(bytes + local + 26, 2) + little(bytes + local + 28, 2);
    if (start > size || packed > size - start)
      return bad("the .npz archive is cut off");
    std::vector<unsigned char> inflated;
    const unsigned char *member = bytes + start;
    if (method == 8) {
      if (!inflateInto(member, packed, inflated, plain))
        return bad("a compressed member of the .npz archive is damaged");
      member = inflated.data();
    } else if (method != 0 || plain != packed) {
      return bad("the .npz archive uses an unknown compression");
    }
    if (crc32_z(0, member, plain) != crc)
      return bad("a member of the .npz archive has a wrong checksum");
    name = nameOf(std::move(name));
    Array array;
    if (!parseNpy(member, plain, array, error)) {
      error = "member '" + name + "': " + error;
      return false;
    }
    archive.emplace_back(std::move(name), std::move(array));
  }
  return true;
}

bool tenon::npz::writeNpz(const std::string &path, const Archive &archive, std::string &error) {
  std::vector<unsigned char> directory;
  OutputFile file(path);
  uint64_t offset = 0;
  auto write = [&](const std::vector<unsigned char> &bytes) {
    file.append(bytes.data(), bytes.size());
    offset += bytes.size();
  };
  // 64-bit sizes everywhere, as NumPy does it.
  for (const auto &[name, array] : archive) {
    std::vector<unsigned char> member = formatNpy(array), local;
    std::string fileName = memberOf(name);
    uint64_t crc = crc32_z(0, member.data(), member.size()), start = offset;
    auto common = [&](std::vector<unsigned char> &out, uint64_t extraBytes) {
      append(out, 45, 2);
      append(out, 0x800, 2); // UTF-8 names
      append(out, 0, 2);
      append(out, 0x00210000, 4); // 1 January 1980: the same bytes every time
      append(out, crc, 4);
      append(out, 0xffffffff, 4);
      append(out, 0xffffffff, 4);
      append(out, fileName.size(), 2);
      append(out, extraBytes, 2);
    };
    append(local, 0x04034b50, 4);
    common(local, 20);
    local.insert(local.end(), fileName.begin(), fileName.end());
    append(local, 1, 2);
    append(local, 16, 2);
    append(local, member.size(), 8);
    append(local, member.size(), 8);
    write(local);
    write(member);

    append(directory, 0x02014b50, 4);
    append(directory, 45, 2);
    common(directory, 28);
    append(directory, 0, 10);
    append(directory, 0xffffffff, 4);
    directory.insert(directory.end(), fileName.begin(), fileName.end());
    append(directory, 1, 2);
    append(directory, 24, 2);
    append(directory, member.size(), 8);
    append(directory, member.size(), 8);
    append(directory, start, 8);
  }
  uint64_t directoryStart = offset, directorySize = directory.size(), count = archive.size();
  write(directory);
  std::vector<unsigned char> end;
  uint64_t end64 = offset;
  append(end, 0x06064b50, 4);
  append(end, 44, 8);
  append(end, 45, 2);
  append(end, 45, 2);
  append(end, 0, 8);
  append(end, count, 8);
  append(end, count, 8);
  append(end, directorySize, 8);
  append(end, directoryStart, 8);
  append(end, 0x07064b50, 4);
  append(end, 0, 4);
  append(end, end64, 8);
  append(end, 1, 4);
  append(end, 0x06054b50, 4);
  append(end, 0, 4);
  append(end, 0xffff, 2);
  append(end, 0xffff, 2);
  append(end, 0xffffffff, 4);
  append(end, 0xffffffff, 4);
  append(end, 0, 2);
  write(end);
  if (file.keep())
    return true;
  error = file.error();
  return false;
}

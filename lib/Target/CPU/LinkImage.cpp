//===- LinkImage.cpp - From objects to a flat image ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Target/CPU/LinkImage.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace tenon::cpu;

namespace {
// Anything but code and constants in an image is a mistake of code generation.
constexpr llvm::StringLiteral kScript = R"(SECTIONS {
  . = 0;
  .image : { *(.text .text.*) *(.rodata .rodata.*) }
  /DISCARD/ : { *(.comment) *(.note*) *(.eh_frame*) *(.llvm*) }
  .unwanted : { *(.data .data.* .bss .bss.* .tdata* .tbss* .got* .init_array*) }
  ASSERT(SIZEOF(.unwanted) == 0, "the image has writable data")
}
)";

/// A directory that is gone with its files at the end.
struct TemporaryDirectory {
  llvm::SmallString<128> path;
  std::error_code create() { return llvm::sys::fs::createUniqueDirectory("tenon-link", path); }
  ~TemporaryDirectory() {
    if (!path.empty())
      llvm::sys::fs::remove_directories(path);
  }
  std::string file(const llvm::Twine &name) const {
    llvm::SmallString<128> result(path);
    llvm::sys::path::append(result, name);
    return std::string(result);
  }
};

llvm::Error writeFile(const std::string &path, llvm::StringRef bytes) {
  std::error_code error;
  llvm::raw_fd_ostream out(path, error);
  if (error)
    return llvm::createFileError(path, error);
  out << bytes;
  out.close();
  if (out.has_error()) {
    error = out.error();
    out.clear_error();
    return llvm::createFileError(path, error);
  }
  return llvm::Error::success();
}

llvm::Error runLinker(llvm::ArrayRef<std::string> arguments) {
  std::vector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  std::string messages;
  llvm::raw_string_ostream out(messages);
  // The linker keeps global state.
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  lld::Result result = lld::lldMain(pointers, out, out, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return llvm::createStringError("internal error: the image can't be linked: " +
                                   llvm::StringRef(messages).trim());
  return llvm::Error::success();
}

llvm::Expected<Image> readImage(const std::string &path) {
  auto file = llvm::object::ObjectFile::createObjectFile(path);
  if (!file)
    return file.takeError();
  auto *elf = llvm::dyn_cast<llvm::object::ELFObjectFileBase>(file->getBinary());
  if (!elf)
    return llvm::createStringError("internal error: the linked image is no ELF file");
  Image image;
  for (const llvm::object::SectionRef &section : elf->sections()) {
    llvm::Expected<llvm::StringRef> name = section.getName();
    if (!name)
      return name.takeError();
    if (section.relocations().begin() != section.relocations().end())
      return llvm::createStringError("internal error: the image has relocations in " + *name);
    if (*name != ".image")
      continue;
    llvm::Expected<llvm::StringRef> contents = section.getContents();
    if (!contents)
      return contents.takeError();
    image.bytes.assign(contents->begin(), contents->end());
  }
  for (const llvm::object::ELFSymbolRef symbol : elf->symbols()) {
    if (symbol.getBinding() != llvm::ELF::STB_GLOBAL || symbol.getELFType() != llvm::ELF::STT_FUNC)
      continue;
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    llvm::Expected<uint64_t> address = symbol.getAddress();
    if (!name)
      return name.takeError();
    if (!address)
      return address.takeError();
    image.entries[*name] = *address;
  }
  return image;
}
} // namespace

llvm::Expected<Image> tenon::cpu::linkImage(llvm::ArrayRef<ObjectCode> objects) {
  // An image is never empty, so that it can be mapped: a program of copies alone has no kernel.
  if (objects.empty())
    return Image{{'\xcc'}, {}};
  TemporaryDirectory directory;
  if (std::error_code error = directory.create())
    return llvm::createStringError(error, "no temporary directory: " + error.message());
  std::string script = directory.file("image.ld"), output = directory.file("image.elf");
  if (llvm::Error error = writeFile(script, kScript))
    return error;
  std::vector<std::string> arguments = {
      "ld.lld", "--no-undefined", "--error-limit=0", "--threads=1", "-e", "0", "-T", script, "-o", output};
  for (auto [i, object] : llvm::enumerate(objects)) {
    std::string path = directory.file(llvm::Twine(i) + ".o");
    if (llvm::Error error = writeFile(path, llvm::StringRef(object.bytes.data(), object.bytes.size())))
      return error;
    arguments.push_back(path);
  }
  if (llvm::Error error = runLinker(arguments))
    return error;
  return readImage(output);
}

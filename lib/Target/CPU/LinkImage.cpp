//===- LinkImage.cpp - From objects to a flat image ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinkImage.h"
#include "tenon/Support/Threads.h"

#include "lld/Common/Driver.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ELFObjectFile.h"

#include <atomic>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using namespace tenon;
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

llvm::Error systemError(llvm::StringRef what) {
  std::error_code error(errno, std::generic_category());
  return llvm::createStringError(error, what + ": " + error.message());
}

/// A descriptor, which others open by a name.
struct Descriptor {
  int number = -1;
  ~Descriptor() { shut(); }
  Descriptor(int number = -1) : number(number) {}
  Descriptor(Descriptor &&other) : number(std::exchange(other.number, -1)) {}
  void shut() {
    if (number >= 0)
      close(number);
    number = -1;
  }
  std::string name() const { return "/proc/self/fd/" + std::to_string(number); }
};

/// A file in memory for the linker to read.
llvm::Expected<Descriptor> makeInput(llvm::StringRef bytes) {
  Descriptor file(memfd_create("tenon-link", MFD_CLOEXEC));
  if (file.number < 0)
    return systemError("no memory for the linker's input");
  while (!bytes.empty()) {
    ssize_t written = write(file.number, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR)
      return systemError("no memory for the linker's input");
    bytes = bytes.drop_front(std::max<ssize_t>(written, 0));
  }
  return file;
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
    return llvm::createStringError("internal error: the image can't be linked: " + llvm::StringRef(messages).trim());
  return llvm::Error::success();
}

llvm::Expected<Image> readImage(llvm::StringRef bytes) {
  auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(bytes, "image"));
  if (!file)
    return file.takeError();
  auto *elf = llvm::dyn_cast<llvm::object::ELFObjectFileBase>(file->get());
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
  // Nothing is written to a disk: the linker reads files in memory, and its output comes through a pipe. The objects
  // are one archive, as each file takes a descriptor.
  std::vector<llvm::NewArchiveMember> members;
  for (const ObjectCode &object : objects)
    members.emplace_back(llvm::MemoryBufferRef(llvm::StringRef(object.bytes.data(), object.bytes.size()), object.name));
  auto archive = llvm::writeArchiveToBuffer(members, llvm::SymtabWritingMode::NoSymtab, llvm::object::Archive::K_GNU,
                                            /*Deterministic=*/true, /*Thin=*/false);
  if (!archive)
    return archive.takeError();
  llvm::Expected<Descriptor> script = makeInput(kScript), input = makeInput((*archive)->getBuffer());
  if (!script || !input)
    return llvm::joinErrors(script.takeError(), input.takeError());
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return systemError("no pipe for the linker's output");
  Descriptor source(ends[0]), output(ends[1]);
  std::vector<std::string> arguments = {
      "ld.lld", "--no-undefined", "--error-limit=0", "--threads=1", "-e", "0", "-T", script->name(),
      "-o",     output.name(),    "--whole-archive", input->name()};
  std::string linked;
  std::atomic<bool> isWritten = false;
  Thread reader;
  bool isStarted = reader.start([&] {
    // A process that was forked meanwhile keeps the pipe open: its end is then where nothing more comes.
    bool isLast;
    ssize_t size;
    do {
      char piece[1 << 16];
      pollfd waiting = {source.number, POLLIN, 0};
      isLast = isWritten && poll(&waiting, 1, 0) == 0;
      size = isLast || poll(&waiting, 1, /*milliseconds=*/10) == 0 ? -1 : read(source.number, piece, sizeof(piece));
      linked.append(piece, size_t(std::max<ssize_t>(size, 0)));
    } while (!isLast && size != 0);
  });
  if (!isStarted)
    return systemError("no thread for the linker's output");
  llvm::Error error = runLinker(arguments);
  isWritten = true;
  output.shut();
  reader.join();
  if (error)
    return error;
  return readImage(linked);
}

//===- LoadedFiles.cpp - Models in files that the process has loaded ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An artifact is a shared library, so a program may be linked to it or open it by dlopen. This finds the file again, to
// open the model in it.
//
//===------------------------------------------------------------------------------------------------------------------===//

#include "Error.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

using namespace tenon::runtime;

namespace {
/// The path of the file that is mapped at an address, as the kernel knows it: what the loader was given may be relative
/// to a directory that is no longer the current one. False where it can't be told, or the file isn't there any more.
bool findMappedFile(uintptr_t address, char (&path)[PATH_MAX]) {
  FILE *maps = fopen("/proc/self/maps", "re");
  if (!maps)
    return false;
  char line[PATH_MAX + 128];
  bool found = false;
  while (!found && fgets(line, sizeof(line), maps)) {
    unsigned long first, end;
    int start = 0;
    if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &first, &end, &start) != 2 || address < first || address >= end)
      continue;
    size_t length = strlen(line + start);
    if (length != 0 && line[start + int(length) - 1] == '\n')
      line[start + int(--length)] = 0;
    const char gone[] = " (deleted)";
    bool isGone = length >= sizeof(gone) && strcmp(line + start + length - (sizeof(gone) - 1), gone) == 0;
    if (line[start] != '/' || isGone || length >= sizeof(path))
      break;
    memcpy(path, line + start, length + 1);
    found = true;
  }
  fclose(maps);
  return found;
}

tenon_status openFile(const char *name, uintptr_t address, tenon_model **model) {
  char path[PATH_MAX];
  return tenon_model_open(findMappedFile(address, path) ? path : name, model);
}

/// The library of a name among those that are loaded.
struct Search {
  const char *name;
  char path[PATH_MAX];
  uintptr_t address;
  int count;

  static int visit(dl_phdr_info *info, size_t, void *argument) {
    Search &self = *static_cast<Search *>(argument);
    const char *loaded = info->dlpi_name, *slash = loaded ? strrchr(loaded, '/') : nullptr;
    size_t length = loaded ? strlen(loaded) : sizeof(self.path);
    if (length >= sizeof(self.path))
      return 0;
    bool isWhole = strcmp(loaded, self.name) == 0;
    if (!isWhole && strcmp(slash ? slash + 1 : loaded, self.name) != 0)
      return 0;
    for (int i = 0; i < info->dlpi_phnum; ++i)
      if (info->dlpi_phdr[i].p_type == PT_LOAD) {
        self.address = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        break;
      }
    memcpy(self.path, loaded, length + 1);
    self.count = isWhole ? 1 : self.count + 1;
    return isWhole;
  }
};
} // namespace

tenon_status tenon_model_self(tenon_model **model) {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void *>(&tenon_model_self), &info) || !info.dli_fname)
    return fail(TENON_ERROR_FILE, "cannot find the file that this code was loaded from");
  return openFile(info.dli_fname, uintptr_t(info.dli_fbase), model);
}

tenon_status tenon_model_open_loaded(const char *name, tenon_model **model) {
  if (model)
    *model = nullptr;
  if (!name || !model)
    return nullArgument(name ? "model" : "name");
  Search search = {name, "", 0, 0};
  if (name[0] != 0)
    dl_iterate_phdr(Search::visit, &search);
  if (search.count == 0)
    return fail(TENON_ERROR_FILE,
                "no library named '%s' is loaded (linkers drop those that no symbol is taken from: "
                "-Wl,--no-as-needed keeps them)",
                name);
  if (search.count > 1)
    return fail(TENON_ERROR_FILE, "%d libraries named '%s' are loaded: name one with its directory, as '%s'",
                search.count, name, search.path);
  return openFile(search.path, search.address, model);
}

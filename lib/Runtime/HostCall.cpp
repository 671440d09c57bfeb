//===- HostCall.cpp - One call of a host function, and where functions are found ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostCall.h"
#include "tenon/Artifact/MetadataView.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

using namespace tenon::runtime;

//===------------------------------------------------------------------------------------------------------------------===//
// Outputs
//===------------------------------------------------------------------------------------------------------------------===//

static HeldSlot &slotOf(tenon_value *output) { return *reinterpret_cast<HeldSlot *>(output); }

int32_t HostCall::error(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return 1;
}

/// Whether an output that has sizes can be that tensor.
static int32_t checkOutput(HostCall &call, int32_t output, const tenon_value &given) {
  const tenon_value &expected = *call.outputs[output];
  if (given.kind != TENON_TENSOR || given.dtype != expected.dtype)
    return call.error(
        "output %d has dtype %s, the value given is %s%s", output, tenon::artifact::nameOf(uint32_t(expected.dtype)),
        given.kind == TENON_TENSOR ? "" : "a sequence or optional of ", tenon::artifact::nameOf(uint32_t(given.dtype)));
  if (given.rank != expected.rank)
    return call.error("output %d has rank %lld, the tensor given has %lld", output, (long long)expected.rank,
                      (long long)given.rank);
  for (int64_t d = 0; d < given.rank; ++d)
    if (given.shape[d] != expected.shape[d])
      return call.error("output %d has size %lld in dimension %lld, the tensor given has %lld", output,
                        (long long)expected.shape[d], (long long)d, (long long)given.shape[d]);
  return 0;
}

int32_t HostCall::give(int32_t output, Box *box) {
  if (!box)
    return error("out of memory");
  if (outputs[output]->kind == TENON_UNSET) {
    slotOf(outputs[output]).set(box);
    return 0;
  }
  int32_t code = checkOutput(*this, output, box->value);
  if (code == 0)
    copyElements(*outputs[output], box->value);
  release(box);
  return code;
}

static bool hasOutput(tenon_call *call, int32_t output) {
  if (output >= 0 && output < call->output_count)
    return true;
  HostCall::of(call).error("output %d does not exist: the call has %d", output, call->output_count);
  return false;
}

static int32_t callFail(tenon_call *call, const char *text) {
  return HostCall::of(call).error("%s", text ? text : "no reason was given");
}

static void *callSetTensor(tenon_call *call, int32_t output, int32_t dtype, int64_t rank, const int64_t *shape) {
  HostCall &self = HostCall::of(call);
  tenon_value described = {TENON_TENSOR, dtype, rank, shape, nullptr, nullptr, 0, 0, nullptr};
  if (!hasOutput(call, output))
    return nullptr;
  if (rank < 0 || rank > 64 || (rank != 0 && !shape) || elementCount(rank, shape) < 0 ||
      tenon::artifact::bitsOf(uint32_t(dtype)) == 0) {
    self.error("output %d has a senseless shape or dtype", output);
    return nullptr;
  }
  if (call->outputs[output]->kind != TENON_UNSET)
    return checkOutput(self, output, described) == 0 ? call->outputs[output]->data : nullptr;
  return self.give(output, makeTensor(dtype, rank, shape)) == 0 ? call->outputs[output]->data : nullptr;
}

static int32_t callSetValue(tenon_call *call, int32_t output, const tenon_value *value) {
  HostCall &self = HostCall::of(call);
  if (!hasOutput(call, output))
    return 1;
  const char *problem = value ? problemOf(*value) : "is null";
  return problem ? self.error("the value of output %d %s", output, problem) : self.give(output, copyOf(*value));
}

static int32_t callSetStrings(tenon_call *call, int32_t output, int64_t rank, const int64_t *shape,
                              const tenon_string *strings) {
  tenon_value value = {TENON_TENSOR, TENON_STRING, rank, shape, nullptr, const_cast<tenon_string *>(strings), 0, 0,
                       nullptr};
  return callSetValue(call, output, &value);
}

static int32_t callSetItems(tenon_call *call, int32_t output, int32_t kind, const tenon_value *const *items,
                            int64_t count) {
  tenon_value value = {kind, 0, 0, nullptr, nullptr, nullptr, 0, count, items};
  return callSetValue(call, output, &value);
}

HostCall::HostCall(const tenon_host_entry &entry, const tenon_value *const *inputs, int32_t inputCount,
                   tenon_value *const *outputs, int32_t outputCount)
    : tenon_call{TENON_HOST_ABI, sizeof(tenon_call), entry.user,  entry.name, inputs,
                 outputs,        inputCount,         outputCount, callFail,   callSetTensor,
                 callSetStrings, callSetItems,       callSetValue} {}

//===------------------------------------------------------------------------------------------------------------------===//
// Libraries
//===------------------------------------------------------------------------------------------------------------------===//

static const tenon_host_entry *findEntry(const tenon_host_entry *entries, int32_t count, const char *name) {
  for (int32_t i = 0; entries && i < count; ++i)
    if (entries[i].name && entries[i].function && strcmp(entries[i].name, name) == 0)
      return &entries[i];
  return nullptr;
}

/// Looks into the library in the directory of `file`. False when there is none.
static bool searchBeside(const char *file, const char *library, const char *function, char *text, size_t textSize,
                         const tenon_host_entry *&found) {
  const char *end = strrchr(file, '/');
  char path[4096];
  int length = snprintf(path, sizeof(path), "%.*s/%s.so", end ? int(end - file) : 1, end ? file : ".", library);
  size_t used = strlen(text);
  if (length < 0 || length >= int(sizeof(path)) || access(path, F_OK) != 0) {
    snprintf(text + used, textSize - used, "%s'%s'", used ? " or " : "there is no ", path);
    return false;
  }
  // Never closed: sessions may use it as long as the process lives.
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  auto entry = handle ? reinterpret_cast<tenon_host_library_entry>(dlsym(handle, "tenon_host_library")) : nullptr;
  int32_t count = 0;
  const tenon_host_entry *entries = entry ? entry(TENON_HOST_ABI, &count) : nullptr;
  found = findEntry(entries, count, function);
  if (!handle)
    snprintf(text, textSize, "%s", dlerror());
  else if (!entry)
    snprintf(text, textSize, "'%s' is no library of host functions", path);
  else if (!entries)
    snprintf(text, textSize, "'%s' is for another version of the interface than %d", path, TENON_HOST_ABI);
  else
    snprintf(text, textSize, "'%s' does not have it", path);
  return true;
}

const tenon_host_entry *tenon::runtime::findInLibrary(const char *library, const char *function, const char *modelPath,
                                                      char *text, size_t textSize) {
  const tenon_host_entry *found = nullptr;
  text[0] = 0;
  if (library[0] == 0 || strrchr(library, '/')) {
    snprintf(text, textSize, "the application does not have it");
    return nullptr;
  }
  Dl_info info;
  bool searched = searchBeside(modelPath, library, function, text, textSize, found);
  if (!searched && dladdr(reinterpret_cast<const void *>(&tenon_version), &info) && info.dli_fname)
    searchBeside(info.dli_fname, library, function, text, textSize, found);
  return found;
}

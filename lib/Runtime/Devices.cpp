//===- Devices.cpp - What host programs ask devices for ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Session.h"

#include <dlfcn.h>
#include <new>
#include <string.h>

using namespace tenon::artifact;
using namespace tenon::runtime;

tenon_status tenon_model::constantsOn(SessionDevice &on, uint32_t number) {
  pthread_mutex_lock(&deviceMutex);
  struct Unlock {
    pthread_mutex_t *mutex;
    ~Unlock() { pthread_mutex_unlock(mutex); }
  } unlock{&deviceMutex};
  for (DeviceConstants *known = deviceConstants; known; known = known->next)
    if (known->device == on.device) {
      on.constants = known;
      return TENON_OK;
    }
  void *memory = malloc(sizeof(DeviceConstants));
  if (!memory)
    return outOfMemory();
  DeviceConstants *created = new (memory) DeviceConstants;
  auto discard = [&](tenon_status status) {
    // Copies may be under way.
    on.close();
    created->~DeviceConstants();
    free(created);
    return status;
  };
  created->device = on.device;
  size_t own = constants.size();
  if (!created->constants.allocate(own + formed.size()) || !created->bound.allocate(bound.size()))
    return discard(outOfMemory());
  const tenon_device &device = *on.device;
  for (uint32_t i = 0; i < created->constants.size(); ++i) {
    const ConstantRecord &record = i < own ? metadata.table<ConstantRecord>(Table::Constants)[i]
                                           : metadata.table<ConstantRecord>(Table::Formed)[uint32_t(i - own)];
    const void *source = i < own ? constants[i] : formed[i - own];
    if (!(record.devices & (1u << number)))
      continue;
    int64_t bytes = int64_t(record.bytes), one = 1;
    void *target = device.allocate(device.user, bytes != 0 ? bytes : 1);
    if (!target)
      return discard(fail(TENON_ERROR_MEMORY, "device '%s' has no memory for a constant of %lld bytes", device.name,
                          (long long)bytes));
    created->constants[i] = target;
    tenon_device_copy copy = {TENON_HOST_TO_DEVICE, 1, 1, target, source, &bytes, &one, &one};
    tenon_device_order order = {nullptr, 0, 0};
    tenon_error_slot error = {};
    if (device.copy(on.queue, &copy, &order) != 0 || device.wait(on.queue, nullptr, 0, &error) != 0)
      return discard(fail(TENON_ERROR_EXTERNAL, "device '%s' failed to copy a constant", device.name));
  }
  for (size_t i = 0; i < bound.size(); ++i)
    created->bound[i] = created->constants[own + bindings[i]];
  created->next = deviceConstants;
  deviceConstants = created;
  on.constants = created;
  return TENON_OK;
}

tenon_status tenon_session::openDevices(const tenon_options &options) {
  const MetadataView &meta = model->metadata;
  auto names = meta.table<StringRecord>(Table::Devices);
  size_t constantCount = model->constants.size(), segmentCount = segments.size();
  for (uint32_t d = 0; d < names.count; ++d) {
    const char *name = model->string(names[d]);
    SessionDevice &state = devices[d];
    for (int32_t i = 0; i < options.device_count && options.devices; ++i)
      if (options.devices[i] && options.devices[i]->name && strcmp(options.devices[i]->name, name) == 0)
        state.device = options.devices[i];
    if (!state.device)
      return fail(TENON_ERROR_EXTERNAL, "the model needs device '%s', which is not there", name);
    if (state.device->size < sizeof(tenon_device))
      return fail(TENON_ERROR_EXTERNAL, "device '%s' is of another version", name);
    state.account = &account;
    if (!state.arenas.allocate(segmentCount))
      return outOfMemory();
    state.queue = state.device->open(state.device->user);
    if (!state.queue)
      return fail(TENON_ERROR_EXTERNAL, "device '%s' can't be opened", name);
    if (tenon_status status = model->constantsOn(state, d))
      return status;
    for (size_t i = 0; i < constantCount; ++i)
      deviceConstants[d * constantCount + i] = state.constants->constants[i];
  }
  return TENON_OK;
}

void tenon_session::drainDevices() {
  for (SessionDevice &on : devices) {
    tenon_error_slot found = {};
    if (on.device->wait(on.queue, nullptr, 0, &found) != 0)
      broken = true;
    else if (found.code != 0 && (error.code == 0 || found.launch < error.launch))
      error = found;
  }
}

int32_t tenon_session::deviceLaunch(uint32_t index, const tenon_device_launch &launch,
                                    const tenon_device_order &order) {
  if (int32_t code = checkCancelled())
    return code;
  const tenon_device &device = *devices[index].device;
  if (device.launch(devices[index].queue, &launch, &order) == 0)
    return 0;
  return abort(fail(TENON_ERROR_EXTERNAL, "device '%s' failed to launch '%s'", device.name, launch.kernel));
}

int32_t tenon_session::deviceCopy(uint32_t index, const tenon_device_copy &copy, const tenon_device_order &order) {
  const tenon_device &device = *devices[index].device;
  if (device.copy(devices[index].queue, &copy, &order) == 0)
    return 0;
  return abort(fail(TENON_ERROR_EXTERNAL, "device '%s' failed to copy", device.name));
}

int32_t tenon_session::await(uint32_t index, const int32_t *tokens, int32_t count) {
  const tenon_device &device = *devices[index].device;
  tenon_error_slot found = {};
  if (device.wait(devices[index].queue, tokens, count, &found) != 0)
    return abort(fail(TENON_ERROR_EXTERNAL, "device '%s' failed", device.name));
  return check(int32_t(found.launch), found.code, found.value, found.limit);
}

//===--------------------------------------------------------------------------------------------------------===//
// C ABI
//===--------------------------------------------------------------------------------------------------------===//

tenon_status tenon_device_load(const char *library, const tenon_device **device) {
  if (device)
    *device = nullptr;
  if (!library || !device)
    return nullArgument(library ? "device" : "library");
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return fail(TENON_ERROR_FILE, "cannot open a device's library: %s", dlerror());
  auto entry = reinterpret_cast<const tenon_device *(*)()>(dlsym(handle, TENON_DEVICE_ENTRY));
  if (!entry)
    return fail(TENON_ERROR_FILE, "'%s' has no function " TENON_DEVICE_ENTRY, library);
  *device = entry();
  return *device ? TENON_OK : fail(TENON_ERROR_EXTERNAL, "'%s' has no device that works here", library);
}

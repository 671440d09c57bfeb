//===- Devices.h - Devices that a session uses ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_RUNTIME_DEVICES_H
#define TENON_LIB_RUNTIME_DEVICES_H

#include "Memory.h"
#include "tenon/Runtime/tenon_device.h"

namespace tenon::runtime {

/// Memory of a device, 64-byte aligned.
struct DeviceMemory {
  void *data;
  int64_t bytes;
  bool isNeeded; ///< in the run that is under way
};

struct DeviceConstants;

/// A session's queue on a device, and its arenas there, one per segment.
struct SessionDevice {
  const tenon_device *device;
  void *queue;
  Array<DeviceMemory> arenas;
  Account *account;
  const DeviceConstants *constants;

  ~SessionDevice() {
    if (!device)
      return;
    close();
    for (DeviceMemory &arena : arenas)
      release(arena);
  }

  void release(DeviceMemory &arena) {
    if (!arena.data)
      return;
    device->release(device->user, arena.data);
    account->give(arena.bytes);
    arena = {};
  }

  /// Waits for all that was asked for.
  void close() {
    if (queue)
      device->close(device->user, queue);
    queue = nullptr;
  }

  /// Makes room for `bytes` in a segment's arena; what was held may be lost. False when out of memory.
  [[nodiscard]] bool reserve(size_t segment, int64_t bytes) {
    DeviceMemory &arena = arenas[segment];
    if (bytes > arena.bytes) {
      release(arena);
      if (!account->take(bytes))
        return false;
      arena = {device->allocate(device->user, bytes), bytes, true};
      if (!arena.data) {
        account->fail(bytes);
        arena = {};
        return false;
      }
    }
    arena.isNeeded = true;
    return true;
  }
};

/// A model's constants in a device's memory, for all sessions that use it.
struct DeviceConstants {
  const tenon_device *device = nullptr;
  Array<void *> constants;   ///< the program's, then formed ones; null: not read there
  Array<const void *> bound; ///< as in the model
  DeviceConstants *next = nullptr;

  ~DeviceConstants() {
    for (void *memory : constants)
      if (memory)
        device->release(device->user, memory);
  }
};

} // namespace tenon::runtime

#endif

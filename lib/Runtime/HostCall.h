//===- HostCall.h - One call of a host function ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_RUNTIME_HOSTCALL_H
#define TENON_LIB_RUNTIME_HOSTCALL_H

#include "Values.h"

namespace tenon::runtime {

/// What a function sees, with what is behind it.
struct HostCall : tenon_call {
  HostCall(const tenon_host_entry &entry, const tenon_value *const *inputs, int32_t inputCount,
           tenon_value *const *outputs, int32_t outputCount);

  char text[512] = ""; ///< why it failed

  static HostCall &of(tenon_call *call) { return *static_cast<HostCall *>(call); }
  /// 1, once the text is there.
  [[gnu::format(printf, 2, 3), gnu::cold]] int32_t error(const char *format, ...);

  // For the runtime's own functions, whose held inputs are boxes.
  /// The output becomes this value; a reference is taken over. Null: out of memory.
  int32_t give(int32_t output, Box *box);
  /// An input, or an item of one, with a reference: held values are shared, tensors in buffers copied.
  static Box *take(const tenon_value *value) {
    return value->capacity == kHeld ? share(Box::of(value)) : copyOf(*value);
  }
};

/// A function of library `tenon_runtime`; without one there is none of that name.
tenon_host_entry findRuntimeFunction(const char *name);

/// Finds a function in `<library>.so`, in the directory of `modelPath` or that of the runtime itself. Null, with what
/// was tried or went wrong in `text`.
const tenon_host_entry *findInLibrary(const char *library, const char *function, const char *modelPath, char *text,
                                      size_t textSize);

} // namespace tenon::runtime

#endif

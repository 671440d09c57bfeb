//===- Error.h - Status codes with text ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_RUNTIME_ERROR_H
#define TENON_LIB_RUNTIME_ERROR_H

#include "tenon/Runtime/tenon.h"

namespace tenon::runtime {

/// Sets the calling thread's error text and returns `status`.
[[gnu::format(printf, 2, 3), gnu::cold]] tenon_status fail(tenon_status status, const char *format, ...);

inline tenon_status outOfMemory() { return fail(TENON_ERROR_MEMORY, "out of memory"); }
inline tenon_status nullArgument(const char *name) { return fail(TENON_ERROR_ARGUMENT, "argument '%s' is null", name); }

} // namespace tenon::runtime

#endif

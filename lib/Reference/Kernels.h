//===- Kernels.h - What only kernels have of ops ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_REFERENCE_KERNELS_H
#define TENON_LIB_REFERENCE_KERNELS_H

#include "Elements.h"

namespace tenon::reference {
/// Adds the ops that say how a kernel's operands are stored, and constants in such forms.
void registerKernels(Interpreter &interpreter);
} // namespace tenon::reference

#endif // TENON_LIB_REFERENCE_KERNELS_H

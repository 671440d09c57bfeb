//===- LinkImage.h - From objects to a flat image ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_TARGET_CPU_LINKIMAGE_H
#define TENON_LIB_TARGET_CPU_LINKIMAGE_H

#include "tenon/Target/Common/TargetBackend.h"

namespace tenon::cpu {

/// Position-independent code and its constants in one piece, to be mapped read and execute at a page boundary: no
/// relocations, no writable data, no undefined symbols. An undefined symbol is an error that names it: code generation
/// left a call.
llvm::Expected<Image> linkImage(llvm::ArrayRef<ObjectCode> objects);

} // namespace tenon::cpu

#endif // TENON_LIB_TARGET_CPU_LINKIMAGE_H

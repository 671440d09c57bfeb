//===- LinkImage.h - From objects to a flat image ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TARGET_CPU_LINKIMAGE_H
#define TENON_TARGET_CPU_LINKIMAGE_H

#include "tenon/Target/CPU/CompileModule.h"

#include "llvm/ADT/StringMap.h"

namespace tenon::cpu {

/// Position-independent code and its constants in one piece, to be mapped read and execute at a page boundary: no
/// relocations, no writable data, no undefined symbols.
struct Image {
  std::vector<char> bytes;
  /// Offsets of the global functions.
  llvm::StringMap<int64_t> entries;
};

/// Links objects in their order. An undefined symbol is an error that names it: code generation left a call.
llvm::Expected<Image> linkImage(llvm::ArrayRef<ObjectCode> objects);

} // namespace tenon::cpu

#endif // TENON_TARGET_CPU_LINKIMAGE_H

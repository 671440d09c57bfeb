//===- CpuFeatures.h - What this CPU can do ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_RUNTIME_CPUFEATURES_H
#define TENON_LIB_RUNTIME_CPUFEATURES_H

namespace tenon::runtime {

/// Whether CPU and operating system offer a feature, named as in LLVM ("avx512f"); false for unknown names.
bool cpuHas(const char *feature);

} // namespace tenon::runtime

#endif

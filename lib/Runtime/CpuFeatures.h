//===- CpuFeatures.h - what this CPU can do
//-----------------------------------------------------------------===//
#ifndef TENON_LIB_RUNTIME_CPUFEATURES_H
#define TENON_LIB_RUNTIME_CPUFEATURES_H

namespace tenon::runtime {

/// Whether CPU and operating system offer a feature, named as in LLVM ("avx512f"); false for unknown names.
bool cpuHas(const char *feature);

} // namespace tenon::runtime

#endif

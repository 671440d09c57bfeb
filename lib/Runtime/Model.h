//===- Model.h - An opened artifact ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_RUNTIME_MODEL_H
#define TENON_LIB_RUNTIME_MODEL_H

#include "Devices.h"
#include "Memory.h"
#include "tenon/Artifact/Container.h"
#include "tenon/Artifact/LaunchPlan.h"
#include "tenon/Artifact/MetadataView.h"
#include "tenon/Runtime/tenon.h"
#include "tenon/Runtime/tenon_kernel.h"

#include <atomic>
#include <pthread.h>

/// On functions that call compiled code. Clang's check of function types reads the bytes before the function, which say
/// its type where Clang compiled it; an image begins with its first function, and nothing is mapped before that.
#if defined(__clang__)
#define TENON_CALLS_COMPILED_CODE __attribute__((no_sanitize("function")))
#else
#define TENON_CALLS_COMPILED_CODE
#endif

/// Immutable once open, apart from the count.
struct tenon_model {
  ~tenon_model();

  tenon_status open(const char *path);
  void findOutputs();

  const tenon::artifact::DimRecord &dim(const tenon::artifact::TensorRecord &tensor, uint32_t i) const {
    return metadata.table<tenon::artifact::DimRecord>(tenon::artifact::Table::Dims)[tensor.firstDim + i];
  }
  const char *string(tenon::artifact::StringRecord s) const { return metadata.string(s); }
  /// Whether an input or output is no buffer, but a value that sessions hold.
  static bool isHeld(const tenon::artifact::TensorRecord &tensor) {
    return tensor.kind != TENON_TENSOR || tensor.dtype == TENON_STRING;
  }

  std::atomic<int32_t> references{1};
  char *path = nullptr;
  tenon::artifact::ContainerView container;
  tenon::artifact::MetadataView metadata;

  void *arrays = nullptr; ///< what all spans lie in
  tenon_run_entry run = nullptr;
  struct Program {
    tenon_plan_entry plan;
    tenon_execute_entry execute;
  };
  tenon::runtime::Span<Program> programs;
  /// The code of a kernel in the variant that runs here.
  struct Kernel {
    const tenon_kernel *grids; ///< of each program; null: not in an image that runs here
    const int64_t *plan;       ///< words of LaunchPlan.h
    uint32_t wordCount, gridCount;
  };
  tenon::runtime::Span<Kernel> kernels;
  tenon::runtime::Span<const void *> constants;
  tenon::runtime::Span<const void *> formed; ///< constants in the forms that variants want them in
  tenon::runtime::Span<uint32_t> variantOf;  ///< per kernel: the variant that it comes from
  /// The numbers of the formed constants that launches give their kernels, one launch after the other.
  tenon::runtime::Span<uint32_t> bindings;
  tenon::runtime::Span<uint32_t> firstBinding;  ///< per launch, in `bindings` and in `bound`
  tenon::runtime::Span<const void *> bound;     ///< what `bindings` say
  tenon::runtime::Span<int32_t> aliases;        ///< per output: input or -1
  tenon::runtime::Span<uint32_t> outputProgram; ///< per output: the segment that reserves it
  const char *variant = "";

  /// The constants that a device reads, in its memory: copied there for the first session that uses it.
  tenon_status constantsOn(tenon::runtime::SessionDevice &on, uint32_t number);

private:
  struct Mapping {
    void *base;
    size_t size;
  };
  tenon_status map(int file, uint64_t fileSize);
  tenon_status mapCode(int file, const tenon::artifact::SegmentRecord &segment, char **code);
  tenon_status findConstants(tenon::artifact::Table table, tenon::runtime::Span<const void *> &result);
  void bindConstants();
  tenon_status findKernels(int file);
  char *mapRange(int file, uint64_t offset, uint64_t size, int protection);

  tenon::runtime::Array<Mapping> mappings;
  uint32_t mappingCount = 0;
  uint64_t containerOffset = 0;
  tenon::runtime::Span<tenon_kernel> grids;
  pthread_mutex_t deviceMutex = PTHREAD_MUTEX_INITIALIZER;
  tenon::runtime::DeviceConstants *deviceConstants = nullptr;
};

#endif

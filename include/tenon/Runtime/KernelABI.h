//===- KernelABI.h - Where compiled code finds the fields of the runtime's structs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// What the passes that write code know of tenon_kernel.h and tenon.h: the number of each field, and the types of a
// struct's fields. lib/Runtime/KernelABI.cpp holds every one of them against the C structs. Needs no LLVM.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_RUNTIME_KERNELABI_H
#define TENON_RUNTIME_KERNELABI_H

#include <array>
#include <stddef.h>
#include <stdint.h>

namespace tenon::abi {

/// The type of a field.
enum class Field : uint8_t { pointer, i32, i64 };

constexpr size_t bytesOf(Field field) { return field == Field::i32 ? 4 : 8; }

/// Where a field begins: each is aligned to its own size.
template <size_t n> constexpr size_t offsetOf(const std::array<Field, n> &fields, size_t number) {
  size_t offset = 0;
  for (size_t i = 0; i < n; ++i) {
    size_t bytes = bytesOf(fields[i]);
    offset = (offset + bytes - 1) / bytes * bytes;
    if (i == number)
      return offset;
    offset += bytes;
  }
  return (offset + 7) / 8 * 8;
}

/// The size of a struct.
template <size_t n> constexpr size_t bytesOf(const std::array<Field, n> &fields) { return offsetOf(fields, n); }

/// A struct's fields as types of a compiler.
template <typename Type, size_t n>
std::array<Type, n> typesOf(const std::array<Field, n> &fields, Type pointer, Type i32, Type i64) {
  std::array<Type, n> types;
  for (size_t i = 0; i < n; ++i)
    types[i] = fields[i] == Field::pointer ? pointer : fields[i] == Field::i32 ? i32 : i64;
  return types;
}

/// `tenon_kernel_args`.
enum class KernelArgs : int32_t {
  buffers,
  strides,
  symbols,
  scratch,
  scratchStride,
  error,
  launch,
  constants,
  launchScratch
};
inline constexpr std::array kKernelArgs = {Field::pointer, Field::pointer, Field::pointer, Field::pointer, Field::i64,
                                           Field::pointer, Field::i32,     Field::pointer, Field::pointer};

/// `tenon_error_slot`.
enum class ErrorSlot : int32_t { code, launch, index, value, limit };
inline constexpr std::array kErrorSlot = {Field::i32, Field::i32, Field::i64, Field::i64, Field::i64};

/// `tenon_value`.
enum class Value : int32_t { kind, dtype, rank, shape, strides, data, capacity, count, items };
inline constexpr std::array kValue = {Field::i32,     Field::i32, Field::i64, Field::pointer, Field::pointer,
                                      Field::pointer, Field::i64, Field::i64, Field::pointer};

/// `tenon_context`: all of them pointers.
enum class Context : int32_t {
  fns,
  inputs,
  outputs,
  constants,
  symbols,
  slots,
  arenas,
  arenaOffsets,
  inputStrides,
  outputStrides,
  inputSizes,
  values,
  deviceConstants,
  deviceArenas,
  held,
  growing
};

/// `tenon_host_functions`, as a table of pointers whose first place holds version and size.
enum class HostFunction : int32_t {
  plan = 1,
  reserve,
  execute,
  launch,
  copy,
  check,
  callExternal,
  parallelFor,
  deviceLaunch,
  deviceCopy,
  await,
  grow,
  exchange
};

} // namespace tenon::abi

#endif // TENON_RUNTIME_KERNELABI_H

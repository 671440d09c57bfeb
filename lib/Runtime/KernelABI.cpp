//===- KernelABI.cpp - The structs of the runtime are those that compiled code reads ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Runtime/KernelABI.h"

#include "tenon/Runtime/tenon.h"
#include "tenon/Runtime/tenon_kernel.h"

using namespace tenon::abi;

#define FIELD(structure, member, fields, number)                                                                       \
  static_assert(offsetof(structure, member) == offsetOf(fields, size_t(number)));                                      \
  static_assert(sizeof(structure::member) == bytesOf(fields[size_t(number)]))
#define POINTER(structure, member, number) static_assert(offsetof(structure, member) == sizeof(void *) * size_t(number))

static_assert(sizeof(tenon_kernel_args) == bytesOf(kKernelArgs));
FIELD(tenon_kernel_args, buffers, kKernelArgs, KernelArgs::buffers);
FIELD(tenon_kernel_args, strides, kKernelArgs, KernelArgs::strides);
FIELD(tenon_kernel_args, symbols, kKernelArgs, KernelArgs::symbols);
FIELD(tenon_kernel_args, scratch, kKernelArgs, KernelArgs::scratch);
FIELD(tenon_kernel_args, scratch_stride, kKernelArgs, KernelArgs::scratchStride);
FIELD(tenon_kernel_args, error, kKernelArgs, KernelArgs::error);
FIELD(tenon_kernel_args, launch, kKernelArgs, KernelArgs::launch);
FIELD(tenon_kernel_args, constants, kKernelArgs, KernelArgs::constants);
FIELD(tenon_kernel_args, launch_scratch, kKernelArgs, KernelArgs::launchScratch);

static_assert(sizeof(tenon_error_slot) == bytesOf(kErrorSlot));
FIELD(tenon_error_slot, code, kErrorSlot, ErrorSlot::code);
FIELD(tenon_error_slot, launch, kErrorSlot, ErrorSlot::launch);
FIELD(tenon_error_slot, index, kErrorSlot, ErrorSlot::index);
FIELD(tenon_error_slot, value, kErrorSlot, ErrorSlot::value);
FIELD(tenon_error_slot, limit, kErrorSlot, ErrorSlot::limit);

static_assert(sizeof(tenon_value) == bytesOf(kValue));
FIELD(tenon_value, kind, kValue, Value::kind);
FIELD(tenon_value, dtype, kValue, Value::dtype);
FIELD(tenon_value, rank, kValue, Value::rank);
FIELD(tenon_value, shape, kValue, Value::shape);
FIELD(tenon_value, strides, kValue, Value::strides);
FIELD(tenon_value, data, kValue, Value::data);
FIELD(tenon_value, capacity, kValue, Value::capacity);
FIELD(tenon_value, count, kValue, Value::count);
FIELD(tenon_value, items, kValue, Value::items);

static_assert(sizeof(tenon_context) == sizeof(void *) * (size_t(Context::growing) + 1));
POINTER(tenon_context, fns, Context::fns);
POINTER(tenon_context, inputs, Context::inputs);
POINTER(tenon_context, outputs, Context::outputs);
POINTER(tenon_context, constants, Context::constants);
POINTER(tenon_context, symbols, Context::symbols);
POINTER(tenon_context, slots, Context::slots);
POINTER(tenon_context, arenas, Context::arenas);
POINTER(tenon_context, arena_offsets, Context::arenaOffsets);
POINTER(tenon_context, input_strides, Context::inputStrides);
POINTER(tenon_context, output_strides, Context::outputStrides);
POINTER(tenon_context, input_sizes, Context::inputSizes);
POINTER(tenon_context, values, Context::values);
POINTER(tenon_context, device_constants, Context::deviceConstants);
POINTER(tenon_context, device_arenas, Context::deviceArenas);
POINTER(tenon_context, held, Context::held);
POINTER(tenon_context, growing, Context::growing);

static_assert(sizeof(tenon_host_functions) == sizeof(void *) * (size_t(HostFunction::exchange) + 1));
POINTER(tenon_host_functions, plan, HostFunction::plan);
POINTER(tenon_host_functions, reserve, HostFunction::reserve);
POINTER(tenon_host_functions, execute, HostFunction::execute);
POINTER(tenon_host_functions, launch, HostFunction::launch);
POINTER(tenon_host_functions, copy, HostFunction::copy);
POINTER(tenon_host_functions, check, HostFunction::check);
POINTER(tenon_host_functions, call_external, HostFunction::callExternal);
POINTER(tenon_host_functions, parallel_for, HostFunction::parallelFor);
POINTER(tenon_host_functions, device_launch, HostFunction::deviceLaunch);
POINTER(tenon_host_functions, device_copy, HostFunction::deviceCopy);
POINTER(tenon_host_functions, await, HostFunction::await);
POINTER(tenon_host_functions, grow, HostFunction::grow);
POINTER(tenon_host_functions, exchange, HostFunction::exchange);

/*===- tenon_device.h - what a device offers ---*- C -*-===*
 *
 * Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A model compiled for a device by name runs its kernels through this table, which the embedder gives to
 * tenon_session_create. Everything that a queue is asked for is asynchronous: it starts when the tokens in
 * `order->after` have ended, and `order->token` ends with it. Tokens are small numbers; one that is named again
 * stands for the newer request, and the older one has been waited for. The structures that a call gets are read
 * during the call only. Buffers without elements may be null; a request that has nothing to do still has its order.
 * A kernel that found an error is no failure of the device: what comes after it runs all the same, and its results are
 * not used.
 *
 *===-------------------------------------------------------------------------------------------------------===*/
#ifndef TENON_RUNTIME_TENON_DEVICE_H
#define TENON_RUNTIME_TENON_DEVICE_H

#include "tenon_kernel.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_device_order {
  const int32_t *after;
  int32_t after_count;
  int32_t token;
} tenon_device_order;

typedef enum tenon_device_direction {
  TENON_WITHIN_DEVICE = 0,
  TENON_HOST_TO_DEVICE = 1,
  TENON_DEVICE_TO_HOST = 2
} tenon_device_direction;

/* An n-d strided copy; strides in elements, 0 and negative included. */
typedef struct tenon_device_copy {
  int32_t direction; /* tenon_device_direction */
  int32_t rank;
  int64_t element_bytes;
  void *destination;
  const void *source;
  const int64_t *sizes, *destination_strides, *source_strides; /* [rank] */
} tenon_device_copy;

typedef struct tenon_device_grid {
  tenon_kernel on_cpu; /* its code for this CPU, for devices that are none */
  int64_t units;
} tenon_device_grid;

/* The grids run one after the other: each sees all that the one before wrote. After an error none begins. */
typedef struct tenon_device_launch {
  const char *kernel; /* its name in the model */
  uint32_t launch;    /* for error reports */
  int32_t grid_count;
  const tenon_device_grid *grids;
  int32_t buffer_count, stride_count, symbol_count;
  void *const *buffers; /* in the device's memory */
  const int64_t *strides, *symbols;
  /* Scratch of each worker, and of all of them, which lives as long as the launch. */
  int64_t workgroup_scratch_bytes, launch_scratch_bytes;
  const void *const
      *constants; /* of tenon_kernel_args, in the device's memory; the table stays until the session ends */
} tenon_device_launch;

/* Functions that return int32_t give 0, or nonzero when the device failed. */
typedef struct tenon_device {
  size_t size; /* sizeof(tenon_device) */
  const char *name;
  void *user;
  /* Memory of the device, aligned to 64 bytes, or null when there is none left. */
  void *(*allocate)(void *user, int64_t bytes);
  void (*release)(void *user, void *memory);
  /* A queue for what one session asks for, or null. Closing it waits for all of it. */
  void *(*open)(void *user);
  void (*close)(void *user, void *queue);
  int32_t (*copy)(void *queue, const tenon_device_copy *copy, const tenon_device_order *order);
  int32_t (*launch)(void *queue, const tenon_device_launch *launch, const tenon_device_order *order);
  /* Returns when the tokens have ended, all there are when `tokens` is null. The first error of a kernel (lowest
   * launch, then lowest index) since the last call that gave one is in `error`; its code is 0 without one. */
  int32_t (*wait)(void *queue, const int32_t *tokens, int32_t count, tenon_error_slot *error);
} tenon_device;

/* What a shared library with a device exports under this name: `const tenon_device *tenon_device_entry(void)`, null
 * when the device isn't there. tenon_device_load calls it. */
#define TENON_DEVICE_ENTRY "tenon_device_entry"

#ifdef __cplusplus
}
#endif

#endif

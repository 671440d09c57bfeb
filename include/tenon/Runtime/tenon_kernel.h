/*===- tenon_kernel.h - the ABI between the runtime and compiled code ---*- C -*-===*
 *
 * Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Plain C, shared by the compiler, the runtime and hand-written images in tests. It fixes the signature of
 * kernels, the three entry points of the host program, and the table of functions through which the host
 * program reaches the runtime: images have no undefined symbols, so everything goes through `ctx`.
 *
 * The public interface for applications is tenon.h, versioned apart from this one.
 *
 *===-------------------------------------------------------------------------------------------------------===*/
#ifndef TENON_RUNTIME_TENON_KERNEL_H
#define TENON_RUNTIME_TENON_KERNEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bumped when anything in this file changes its meaning or layout; an artifact names the version it was built
 * for. */
#define TENON_KERNEL_ABI 5

/* Codes of errors that compiled code reports. 0 is success. Codes from TENON_CODE_MESSAGE on name a text in
 * the artifact's message table: code - TENON_CODE_MESSAGE is its index. */
enum {
  TENON_CODE_OK = 0,
  TENON_CODE_INDEX_OUT_OF_RANGE = 1, /* value: the index, limit: the size */
  TENON_CODE_SIZE_MISMATCH = 2,      /* value: the actual size, limit: the expected one */
  TENON_CODE_SIZE_OVERFLOW = 3,      /* a product of sizes does not fit */
  TENON_CODE_NEGATIVE_SIZE = 4,      /* value: the size */
  TENON_CODE_DIVISION_BY_ZERO = 5,
  TENON_CODE_NOT_DIVISIBLE = 6, /* value is not a multiple of limit */
  TENON_CODE_CAPACITY = 7,      /* value: what is needed, limit: what the buffer holds */
  TENON_CODE_MESSAGE = 256
};

/* Where a kernel reports an error. Each worker has its own slot, so that no atomics are needed in generated
 * code. A kernel writes when `code` is 0 or its index is below `index`; the runtime merges the slots after
 * the launch, so the error that a user sees (lowest launch, then lowest index) doesn't depend on timing. */
typedef struct tenon_error_slot {
  int32_t code;
  uint32_t launch;
  int64_t index; /* position in the launch's iteration space; any order that is the same in every run */
  int64_t value;
  int64_t limit;
} tenon_error_slot;

/* Arguments of a kernel, shared by all workers of a launch. */
typedef struct tenon_kernel_args {
  void *const *buffers;    /* inputs, then outputs; an offset is already in the pointer. What a kernel takes through
                            * `constants` only has no bytes here */
  const int64_t *strides;  /* in elements: the dynamic strides of the buffers, one after the other */
  const int64_t *symbols;  /* values of the kernel's symbols */
  void *scratch;           /* worker w owns [scratch + w * scratch_stride, + scratch_stride), 64-byte aligned */
  int64_t scratch_stride;  /* bytes */
  tenon_error_slot *error; /* one per worker: error[worker] */
  uint32_t launch;         /* index of the launch, for error reports */
  const void *const *constants; /* in the forms that the kernel's variant wants them in, of this launch */
  void *launch_scratch;         /* shared by all workers, from grid to grid; 64-byte aligned */
} tenon_kernel_args;

/* Does the units of work [begin, end) of one of a kernel's grids, which run one after the other. 0 is success; anything
 * else is the code that is also in error[worker]. The runtime chooses the cuts from the number of units only, never
 * from the number of threads. */
typedef int32_t (*tenon_kernel)(const tenon_kernel_args *args, int64_t begin, int64_t end, int32_t worker);

typedef struct tenon_context tenon_context;
struct tenon_value; /* tenon.h */

/* Entry points of the host image, by offset in the artifact's metadata. */

/* Fills the slots of a segment from its symbols. Pure. Nonzero: a code as above. */
typedef int32_t (*tenon_plan_entry)(const int64_t *symbols, int64_t *slots);
/* Launches, copies, checks. Allocates nothing. */
typedef int32_t (*tenon_execute_entry)(tenon_context *ctx, const int64_t *slots);
/* The control flow between segments: loops and branches whose sizes show only while they run. Each time that a
 * segment's turn comes it is planned, its arena reserved, its buffers that grow made large enough, and executed.
 * For a model of one segment:
 *   if (rc = ctx->fns->plan(ctx, 0, ctx->symbols)) return rc;
 *   if (rc = ctx->fns->reserve(ctx, 0)) return rc;
 *   return ctx->fns->execute(ctx, 0); */
typedef int32_t (*tenon_run_entry)(tenon_context *ctx);

typedef void (*tenon_parallel_body)(void *arg, int64_t index, int32_t worker);

/* What the host program may call. Functions that return int32_t give 0 or a code that the caller returns at
 * once; the error is already recorded. */
typedef struct tenon_host_functions {
  uint32_t version; /* TENON_KERNEL_ABI */
  uint32_t size;    /* sizeof(tenon_host_functions) */

  /* Runs plan_i on the segment's symbols, or finds the plan in the cache; packs the arena. `symbols` has the
   * number of values that the segment's record says. The slots are then ctx->slots[segment]. */
  int32_t (*plan)(tenon_context *ctx, int32_t segment, const int64_t *symbols);
  /* Gives the segment its arena and the outputs that it defines their buffers. */
  int32_t (*reserve)(tenon_context *ctx, int32_t segment);
  /* Calls execute_i. */
  int32_t (*execute)(tenon_context *ctx, int32_t segment);

  /* Runs the kernel of the launch: the grids that its plan (LaunchPlan.h) finds by the symbols and strides. The arrays
   * are read during the call only, and as long as the kernel's record says. */
  int32_t (*launch)(tenon_context *ctx, int32_t launch, void *const *buffers, const int64_t *strides,
                    const int64_t *symbols);
  /* n-d strided copy; strides in elements, 0 and negative included. Source and destination do not overlap. */
  int32_t (*copy)(tenon_context *ctx, void *dst, const int64_t *dst_strides, const void *src,
                  const int64_t *src_strides, const int64_t *sizes, int64_t rank, int64_t elem_bytes);
  /* Records an error found on the host and returns `code`; returns 0 when code is 0. `launch` is the launch
   * whose node names the message gives, or -1. Loops call it with code 0 in each iteration: like all of these functions
   * it gives something else than 0 when the run is to end. */
  int32_t (*check)(tenon_context *ctx, int32_t launch, int32_t code, int64_t value, int64_t limit);
  /* Calls external function `external` of the metadata's table. Inputs and outputs are tensors in buffers, with
   * strides, or entries of ctx->held. */
  int32_t (*call_external)(tenon_context *ctx, int32_t external, const struct tenon_value *const *inputs,
                           int32_t input_count, struct tenon_value *const *outputs, int32_t output_count);
  /* body(arg, i, worker) for each i in [0, count), on the session's threads. */
  int32_t (*parallel_for)(tenon_context *ctx, tenon_parallel_body body, void *arg, int64_t count);

  /* Asks device `device` of the metadata's table for a launch or a copy (tenon_device.h). */
  int32_t (*device_launch)(tenon_context *ctx, int32_t device, int32_t launch, void *const *buffers,
                           int32_t buffer_count, const int64_t *strides, const int64_t *symbols, const int32_t *after,
                           int32_t after_count, int32_t token);
  int32_t (*device_copy)(tenon_context *ctx, int32_t device, int32_t direction, void *dst, const int64_t *dst_strides,
                         const void *src, const int64_t *src_strides, const int64_t *sizes, int64_t rank,
                         int64_t elem_bytes, const int32_t *after, int32_t after_count, int32_t token);
  /* Waits for tokens of the device, and records the error of a kernel that ended. */
  int32_t (*await)(tenon_context *ctx, int32_t device, const int32_t *tokens, int32_t count);

  /* Makes room for `bytes` in buffer `number` of those that grow, which keeps what it holds. Room grows by a
   * factor, so that a buffer that gets a little longer in each iteration is moved a few times only. */
  int32_t (*grow)(tenon_context *ctx, int32_t number, int64_t bytes);
  /* Two buffers that grow change places. */
  int32_t (*exchange)(tenon_context *ctx, int32_t first, int32_t second);
} tenon_host_functions;

/* What the host program reads directly. Strides are in elements. Arrays of segments are indexed by segment.
 */
struct tenon_context {
  const tenon_host_functions *fns;
  void *const *inputs;                  /* [input] data */
  void *const *outputs;                 /* [output] data; valid once the segment that defines it is reserved */
  const void *const *constants;         /* [constant]; no bytes of what is stored in other forms only */
  const int64_t *symbols;               /* [symbol] those bound from inputs, in the order of the metadata */
  const int64_t *const *slots;          /* [segment][slot] of the current plan */
  void *const *arenas;                  /* [segment] 64-byte aligned */
  const int64_t *const *arena_offsets;  /* [segment][buffer] bytes from the arena's start */
  const int64_t *const *input_strides;  /* [input][dim] */
  const int64_t *const *output_strides; /* [output][dim] */
  const int64_t *const *input_sizes;    /* [input][dim] */
  int64_t *values;               /* [value] numbers that segments read and loops carry, for run() and later segments */
  void *const *device_constants; /* [device * constants + constant]; null where the device needs it not */
  void *const *device_arenas;    /* [device * segments + segment] */
  /* [input, then output, then the program's own] strings, sequences, optionals, and tensors before their sizes are
   * known */
  struct tenon_value *const *held;
  void *const *growing; /* [buffer] data of the buffers that grow; valid once grown */
};

#ifdef __cplusplus
}
#endif

#endif

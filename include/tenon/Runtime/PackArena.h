/*===- PackArena.h - offsets of buffers in a shared arena ---*- C -*-===*
 *
 * Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The one place that decides where temporary buffers live. The runtime calls it when it plans a segment, the
 * compiler when sizes are static; both get the same offsets.
 *
 *===-------------------------------------------------------------------------------------------------------===*/
#ifndef TENON_RUNTIME_PACKARENA_H
#define TENON_RUNTIME_PACKARENA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TENON_ARENA_ALIGNMENT 64

/* A buffer of `size` bytes that is live in launches [first, last]. */
typedef struct tenon_arena_buffer {
  int64_t size;
  int32_t first;
  int32_t last;
} tenon_arena_buffer;

/* Gives each buffer an offset that is a multiple of 64, so that no two buffers overlap that are live in the
 * same launch: by size, largest first, each at the best fitting gap. Returns the bytes of the arena; -1 when
 * a size is negative, an interval is empty, or the sum overflows; -2 when out of memory. */
int64_t tenon_pack_arena(const tenon_arena_buffer *buffers, int64_t count, int64_t *offsets);

#ifdef __cplusplus
}
#endif

#endif

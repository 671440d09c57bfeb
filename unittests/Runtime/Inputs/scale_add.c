/* Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What the compiler would make of y = 2 * x + c for x: [n, 4]: two kernels with a temporary between them. A row that
 * starts with 777 is an error, so that tests see one from inside a kernel. */
#include <tenon/Runtime/tenon_kernel.h>

int32_t scale(const tenon_kernel_args *a, int64_t begin, int64_t end, int32_t worker) {
  const float *x = a->buffers[0];
  float *t = a->buffers[1];
  int64_t stride = a->strides[0];
  for (int64_t row = begin; row < end; ++row) {
    if (x[row * stride] == 777.0f) {
      tenon_error_slot *slot = &a->error[worker];
      if (slot->code == 0 || row < slot->index) {
        slot->code = TENON_CODE_INDEX_OUT_OF_RANGE;
        slot->launch = a->launch;
        slot->index = row;
        slot->value = row;
        slot->limit = a->symbols[0];
      }
      return TENON_CODE_INDEX_OUT_OF_RANGE;
    }
    /* Through the worker's scratch, so that tests see workers that share one. */
    float *scratch = (float *)((char *)a->scratch + worker * a->scratch_stride);
    for (int i = 0; i < 4; ++i)
      scratch[i] = x[row * stride + i];
    for (int i = 0; i < 4; ++i)
      t[row * 4 + i] = scratch[i] * 2.0f;
  }
  return 0;
}

/* What `scale` does where there are many rows, in two grids: through the launch's scratch. */
int32_t scale_copy(const tenon_kernel_args *a, int64_t begin, int64_t end, int32_t worker) {
  const float *x = a->buffers[0];
  float *all = a->launch_scratch;
  for (int64_t row = begin; row < end; ++row) {
    for (int i = 0; i < 4; ++i)
      all[row * 4 + i] = x[row * a->strides[0] + i];
    if (all[row * 4] == 777.0f) {
      tenon_error_slot *slot = &a->error[worker];
      if (slot->code == 0 || row < slot->index)
        *slot = (tenon_error_slot){TENON_CODE_INDEX_OUT_OF_RANGE, a->launch, row, row, a->symbols[0]};
      return TENON_CODE_INDEX_OUT_OF_RANGE;
    }
  }
  return 0;
}

/* An error before all others, if it is run after one of the grid before. */
int32_t scale_all(const tenon_kernel_args *a, int64_t begin, int64_t end, int32_t worker) {
  const float *all = a->launch_scratch;
  float *t = a->buffers[1];
  for (int64_t row = begin; row < end; ++row) {
    if (all[row * 4] == 777.0f) {
      a->error[worker] = (tenon_error_slot){TENON_CODE_CAPACITY, a->launch, -1, 0, 0};
      return TENON_CODE_CAPACITY;
    }
    for (int i = 0; i < 4; ++i)
      t[row * 4 + i] = all[row * 4 + i] * 2.0f;
  }
  return 0;
}

int32_t add(const tenon_kernel_args *a, int64_t begin, int64_t end, int32_t worker) {
  const float *t = a->buffers[0], *c = a->buffers[1];
  float *y = a->buffers[2];
  for (int64_t row = begin; row < end; ++row)
    for (int i = 0; i < 4; ++i)
      y[row * a->strides[0] + i] = t[row * 4 + i] + c[i];
  return 0;
}

/* Slots: 0 rows, 1 bytes of the temporary. */
int32_t plan_0(const int64_t *symbols, int64_t *slots) {
  slots[0] = symbols[0];
  if (__builtin_mul_overflow(symbols[0], (int64_t)16, &slots[1]))
    return TENON_CODE_SIZE_OVERFLOW;
  return symbols[0] == 13 ? TENON_CODE_MESSAGE : 0;
}

int32_t execute_0(tenon_context *ctx, const int64_t *slots) {
  int32_t rc;
  void *t = (char *)ctx->arenas[0] + ctx->arena_offsets[0][0];
  void *first[] = {ctx->inputs[0], t};
  if ((rc = ctx->fns->launch(ctx, 0, first, ctx->input_strides[0], slots)))
    return rc;
  void *second[] = {t, (void *)ctx->constants[0], ctx->outputs[0]};
  return ctx->fns->launch(ctx, 1, second, ctx->output_strides[0], slots);
}

int32_t run(tenon_context *ctx) {
  int32_t rc;
  if ((rc = ctx->fns->plan(ctx, 0, ctx->symbols)))
    return rc;
  if ((rc = ctx->fns->reserve(ctx, 0)))
    return rc;
  return ctx->fns->execute(ctx, 0);
}

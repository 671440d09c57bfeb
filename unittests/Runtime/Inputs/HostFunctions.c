/* Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A library of host functions for tests: `tenon_test_functions`. */

#include "tenon/Runtime/tenon_host.h"

static int64_t count_of(const tenon_value *tensor) {
  int64_t count = 1;
  for (int64_t d = 0; d < tensor->rank; ++d)
    count *= tensor->shape[d];
  return count;
}

/* Three times each element. */
TENON_API int32_t triple(tenon_call *call) {
  const tenon_value *x = call->inputs[0];
  float *y = call->set_tensor(call, 0, TENON_F32, x->rank, x->shape);
  if (!y)
    return 1;
  for (int64_t i = 0, count = count_of(x); i < count; ++i)
    y[i] = 3 * ((const float *)x->data)[i];
  return 0;
}

/* The elements above zero: how many there are shows only now. */
static int32_t positive(tenon_call *call) {
  const tenon_value *x = call->inputs[0];
  int64_t count = count_of(x), kept = 0;
  for (int64_t i = 0; i < count; ++i)
    kept += ((const float *)x->data)[i] > 0;
  float *y = call->set_tensor(call, 0, TENON_F32, 1, &kept);
  if (!y)
    return 1;
  for (int64_t i = 0; i < count; ++i)
    if (((const float *)x->data)[i] > 0)
      *y++ = ((const float *)x->data)[i];
  return 0;
}

static int32_t broken(tenon_call *call) { return call->fail(call, "it is out of order"); }
static int32_t lazy(tenon_call *call) { return 0; }
static int32_t wide(tenon_call *call) {
  int64_t shape[] = {1, 2, 3};
  return call->set_tensor(call, 0, TENON_F32, 3, shape) ? 0 : 1;
}

static const tenon_host_entry entries[] = {
    {"triple", triple, 0}, {"positive", positive, 0}, {"broken", broken, 0}, {"lazy", lazy, 0}, {"wide", wide, 0},
};

const tenon_host_entry *tenon_host_library(uint32_t version, int32_t *count) {
  if (version != TENON_HOST_ABI)
    return 0;
  *count = sizeof(entries) / sizeof(entries[0]);
  return entries;
}

/* Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Runs a model on ones and prints where its outputs begin. */
#include <stdio.h>
#include <stdlib.h>
#include <tenon/Runtime/tenon.h>

static inline void check(tenon_status status, const char *error) {
  if (status != TENON_OK) {
    fprintf(stderr, "error %d: %s\n", status, error);
    exit(1);
  }
}

/* `last_error` is tenon_last_error of the runtime that gave the status. */
#define CHECK(call) check(call, tenon_last_error())

static inline void run_model(tenon_model *model) {
  tenon_session *session;
  CHECK(tenon_session_create(model, NULL, &session));
  int32_t inputs = tenon_model_input_count(model);
  float **data = calloc((size_t)inputs, sizeof(*data));
  for (int32_t i = 0; i < inputs; ++i) {
    tenon_tensor_info info;
    CHECK(tenon_model_input(model, i, &info));
    if (info.kind != TENON_TENSOR || info.dtype != TENON_F32) {
      fprintf(stderr, "input '%s' is no tensor of float32\n", info.name);
      exit(1);
    }
    int64_t shape[64], count = 1;
    for (int32_t d = 0; d < info.rank; ++d) {
      tenon_dim dim;
      CHECK(tenon_model_input_dim(model, i, d, &dim));
      shape[d] = dim.size >= 0 ? dim.size : 1; /* a size that the caller chooses */
      count *= shape[d];
    }
    data[i] = malloc((size_t)(count ? count : 1) * sizeof(float));
    for (int64_t e = 0; e < count; ++e)
      data[i][e] = 1.0f;
    tenon_value value = {.kind = TENON_TENSOR, .dtype = TENON_F32, .rank = info.rank, .shape = shape, .data = data[i]};
    CHECK(tenon_session_bind_input(session, i, &value));
  }
  CHECK(tenon_session_run(session));
  for (int32_t i = 0; i < tenon_model_output_count(model); ++i) {
    tenon_tensor_info info;
    const tenon_value *value;
    CHECK(tenon_model_output(model, i, &info));
    CHECK(tenon_session_output(session, i, &value));
    printf("%s %s", tenon_model_name(model), info.name);
    if (value->kind == TENON_TENSOR && value->dtype == TENON_F32) {
      int64_t count = 1;
      for (int64_t d = 0; d < value->rank; ++d)
        count *= value->shape[d];
      for (int64_t e = 0; e < count && e < 4; ++e)
        printf(" %g", ((const float *)value->data)[e]);
    }
    printf("\n");
  }
  tenon_session_destroy(session);
  for (int32_t i = 0; i < inputs; ++i)
    free(data[i]);
  free(data);
}

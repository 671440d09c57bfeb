/*===- tenon_host.h - functions that models call by name ---*- C -*-===*
 *
 * Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What a host function sees of the call, and how a shared library offers functions. A model names functions and
 * libraries; when a session is made each is looked for among the application's functions (tenon_options), then in
 * `<library>.so` beside the model, or beside the runtime's own file. Versioned apart from tenon.h.
 *
 *   static int32_t scale(tenon_call *call) {
 *     const tenon_value *x = call->inputs[0];
 *     float *y = call->set_tensor(call, 0, TENON_F32, x->rank, x->shape);
 *     if (!y)
 *       return 1;
 *     ...
 *     return 0;
 *   }
 *
 *===---------------------------------------------------------------------------------------------------------------===*/
#ifndef TENON_RUNTIME_TENON_HOST_H
#define TENON_RUNTIME_TENON_HOST_H

#include "tenon/Runtime/tenon.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TENON_HOST_ABI 1

/* Kind of an output whose type and sizes the function says, by one of the `set_` functions. Any other output is a
 * tensor with a dtype, a shape and `data` to write to: its sizes follow from those of the inputs. */
#define TENON_UNSET (-1)

/* One call. Tensors are contiguous (`strides` is null). Inputs and what they point to are valid during the call. */
struct tenon_call {
  uint32_t version; /* TENON_HOST_ABI */
  uint32_t size;    /* sizeof(tenon_call): fields may be added at the end */
  void *user;       /* of the function's entry */
  const char *function;
  const tenon_value *const *inputs;
  tenon_value *const *outputs;
  int32_t input_count, output_count;

  /* Records why the call fails; what the function then returns is 1. */
  int32_t (*fail)(tenon_call *call, const char *text);
  /* Where to write an output that is a tensor of numbers: of an output that has sizes already its data, when dtype and
   * sizes agree. Null after an error, which is recorded. */
  void *(*set_tensor)(tenon_call *call, int32_t output, int32_t dtype, int64_t rank, const int64_t *shape);
  /* Makes an output a tensor of strings, which are copied, or a sequence or optional of values, which are copied, or
   * equal to some value. 0, or 1 after an error, which is recorded. */
  int32_t (*set_strings)(tenon_call *call, int32_t output, int64_t rank, const int64_t *shape,
                         const tenon_string *strings);
  int32_t (*set_items)(tenon_call *call, int32_t output, int32_t kind, const tenon_value *const *items, int64_t count);
  int32_t (*set_value)(tenon_call *call, int32_t output, const tenon_value *value);
};

/* The symbol `tenon_host_library` of a library: its functions, `*count` of them, or null when it doesn't know the
 * version. */
typedef const tenon_host_entry *(*tenon_host_library_entry)(uint32_t version, int32_t *count);
TENON_API const tenon_host_entry *tenon_host_library(uint32_t version, int32_t *count);

#ifdef __cplusplus
}
#endif

#endif

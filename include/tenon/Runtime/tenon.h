/*===- tenon.h - run compiled models ---*- C -*-===*
 *
 * Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The whole public interface of Tenon's runtime, in C. A model is opened from a file that the compiler made;
 * a session holds what one run needs. Typical use:
 *
 *   tenon_model *model;
 *   tenon_session *session;
 *   if (tenon_model_open("model.so", &model) != TENON_OK)
 *     fail(tenon_last_error());
 *   tenon_session_create(model, NULL, &session);
 *   int64_t shape[] = {8, 784};
 *   tenon_value x = {.dtype = TENON_F32, .rank = 2, .shape = shape, .data = pixels};
 *   tenon_session_bind_input(session, 0, &x);
 *   tenon_session_run(session);
 *   const tenon_value *y;
 *   tenon_session_output(session, 0, &y);
 *
 * Functions return TENON_OK or a code; the text is in tenon_last_error() (of the calling thread). Any pointer
 * argument may be null by mistake: that is TENON_ERROR_ARGUMENT. A model may be used by many threads at a
 * time, a session by one, but for tenon_session_cancel. Sizes and strides count elements, everything else bytes.
 *
 *===-------------------------------------------------------------------------------------------------------===*/
#ifndef TENON_RUNTIME_TENON_H
#define TENON_RUNTIME_TENON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TENON_API __attribute__((visibility("default")))
#define TENON_API_VERSION 1

typedef enum tenon_status {
  TENON_OK = 0,
  TENON_ERROR_ARGUMENT = 1,      /* null, index out of range, wrong name */
  TENON_ERROR_FILE = 2,          /* the file cannot be opened or mapped */
  TENON_ERROR_FORMAT = 3,        /* it is not a model, or damaged */
  TENON_ERROR_CPU = 4,           /* no code in the file runs on this CPU */
  TENON_ERROR_MEMORY = 5,        /* out of memory, or more than the session may hold */
  TENON_ERROR_TYPE = 6,          /* a value has the wrong dtype or kind */
  TENON_ERROR_SHAPE = 7,         /* a value has the wrong rank, size, or strides */
  TENON_ERROR_UNBOUND = 8,       /* an input is not bound */
  TENON_ERROR_RUN = 9,           /* the model found an error in its data */
  TENON_ERROR_EXTERNAL = 10,     /* a function from outside is missing or failed */
  TENON_ERROR_UNKNOWN_SIZE = 11, /* an output's size depends on data: it is known after the run */
  TENON_ERROR_CANCELLED = 12     /* tenon_session_cancel has ended the run */
} tenon_status;

/* As in ONNX's TensorProto.DataType. */
typedef enum tenon_dtype {
  TENON_UNDEFINED = 0,
  TENON_F32 = 1,
  TENON_U8 = 2,
  TENON_I8 = 3,
  TENON_U16 = 4,
  TENON_I16 = 5,
  TENON_I32 = 6,
  TENON_I64 = 7,
  TENON_STRING = 8,
  TENON_BOOL = 9,
  TENON_F16 = 10,
  TENON_F64 = 11,
  TENON_U32 = 12,
  TENON_U64 = 13,
  TENON_C64 = 14,
  TENON_C128 = 15,
  TENON_BF16 = 16,
  TENON_F8E4M3FN = 17,
  TENON_F8E4M3FNUZ = 18,
  TENON_F8E5M2 = 19,
  TENON_F8E5M2FNUZ = 20,
  TENON_U4 = 21,
  TENON_I4 = 22,
  TENON_F4E2M1 = 23,
  TENON_F8E8M0 = 24,
  TENON_U2 = 25,
  TENON_I2 = 26
} tenon_dtype;

typedef enum tenon_kind {
  TENON_TENSOR = 0,
  TENON_SEQUENCE = 1, /* `items` are its elements */
  TENON_OPTIONAL = 2  /* `count` is 0 or 1 */
} tenon_kind;

/* An element of a string tensor: UTF-8 or any bytes, not zero-terminated. */
typedef struct tenon_string {
  const char *data;
  size_t size;
} tenon_string;

/* A value that a model takes or gives. The caller owns what it points to. */
typedef struct tenon_value {
  int32_t kind;  /* tenon_kind */
  int32_t dtype; /* tenon_dtype of the tensor or of the sequence's elements */
  int64_t rank;
  const int64_t *shape;   /* [rank] */
  const int64_t *strides; /* [rank], in elements, or null when the tensor is contiguous; the last one is 1 */
  void *data;             /* of the first element; types below 8 bits are packed, low bits first */
  int64_t capacity;       /* bytes at `data` when it is an output's buffer, or 0: just what the shape needs */
  int64_t count;          /* sequence, optional: number of items */
  const struct tenon_value *const *items;
} tenon_value;

typedef struct tenon_model tenon_model;
typedef struct tenon_session tenon_session;

/* The text of the calling thread's last error, never null; valid until its next call. */
TENON_API const char *tenon_last_error(void);
TENON_API const char *tenon_version(void);
TENON_API const char *tenon_dtype_name(int32_t dtype);
/* Bits of one element; 0 for strings. */
TENON_API int32_t tenon_dtype_bits(int32_t dtype);

/* ---- Models ---- */

TENON_API tenon_status tenon_model_open(const char *path, tenon_model **model);
/* Opens the model in the very file that this copy of the runtime was loaded from. In a program that is linked to
 * several models that is the first of them: all use its copy of the runtime. */
TENON_API tenon_status tenon_model_self(tenon_model **model);
/* Opens the model in a library that the process has loaded, because it is linked to it or by dlopen: "model.so", or its
 * path where there are several of that name. Programs that are linked to several need the linker's --no-as-needed. */
TENON_API tenon_status tenon_model_open_loaded(const char *name, tenon_model **model);
/* Sessions keep their model: it goes away with the last of them. Null is fine. */
TENON_API void tenon_model_close(tenon_model *model);

TENON_API int32_t tenon_model_input_count(const tenon_model *model);
TENON_API int32_t tenon_model_output_count(const tenon_model *model);

/* A size of an input or output. */
typedef struct tenon_dim {
  int64_t size;       /* or -1 when it is known only when inputs are bound */
  const char *symbol; /* the size's name, or null */
} tenon_dim;

typedef struct tenon_tensor_info {
  const char *name;
  int32_t kind, dtype;
  int32_t rank;
  int32_t alias; /* output: the input whose buffer it may share, or -1 */
} tenon_tensor_info;

TENON_API tenon_status tenon_model_input(const tenon_model *model, int32_t index, tenon_tensor_info *info);
TENON_API tenon_status tenon_model_output(const tenon_model *model, int32_t index, tenon_tensor_info *info);
TENON_API tenon_status tenon_model_input_dim(const tenon_model *model, int32_t index, int32_t dim, tenon_dim *result);
TENON_API tenon_status tenon_model_output_dim(const tenon_model *model, int32_t index, int32_t dim, tenon_dim *result);
/* A row of an output may be a dictionary, as classifiers of scikit-learn give one: its last dimension has a key for
 * each place. Others have none. */
typedef struct tenon_key {
  const char *text; /* or null: the key is the number */
  int64_t number;
} tenon_key;
/* Key number `key` of an output, counted from 0; returns 0 where there are no more, else 1. */
TENON_API int32_t tenon_model_output_key(const tenon_model *model, int32_t index, int32_t key, tenon_key *result);
/* The index of the input or output of that name, or -1. */
TENON_API int32_t tenon_model_find_input(const tenon_model *model, const char *name);
TENON_API int32_t tenon_model_find_output(const tenon_model *model, const char *name);
/* Name of the model, and of the code variant that runs on this CPU. */
TENON_API const char *tenon_model_name(const tenon_model *model);
TENON_API const char *tenon_model_variant(const tenon_model *model);
/* What the model says about itself: the entries of an ONNX model's metadata_props under their keys, such as the names
 * of classes, and "onnx.model", "onnx.producer", "onnx.producer_version", "onnx.domain", "onnx.version",
 * "onnx.description" and "onnx.graph_description", where it has them. Gives the key of number `index`, counted from 0,
 * and its value; null where there are no more. */
TENON_API const char *tenon_model_property(const tenon_model *model, int32_t index, const char **value);
/* Reads the whole file, constants too, and compares its checksums. */
TENON_API tenon_status tenon_model_verify(const tenon_model *model);

/* ---- Sessions ---- */

/* body(arg, i, worker) for each i in [0, count); worker is below `threads` of the options, and no two calls
 * at a time have the same one. Returns when all are done. */
typedef void (*tenon_parallel_for)(void *user, void (*body)(void *arg, int64_t index, int32_t worker), void *arg,
                                   int64_t count);

/* A function that models call by name (tenon_host.h): gives 0, or nonzero once the call's `fail` has the reason. */
typedef struct tenon_call tenon_call;
typedef int32_t (*tenon_host_function)(tenon_call *call);
typedef struct tenon_host_entry {
  const char *name;
  tenon_host_function function;
  void *user;
} tenon_host_entry;

struct tenon_device; /* tenon_device.h */
/* The device that a shared library offers; the library stays open. */
TENON_API tenon_status tenon_device_load(const char *library, const struct tenon_device **device);

/* Zero-initialise, set `size`, then what you need. */
typedef struct tenon_options {
  size_t size;                     /* sizeof(tenon_options); anything else is TENON_ERROR_ARGUMENT */
  int32_t threads;                 /* the caller of a run among them; 0: one per CPU that the process may use */
  tenon_parallel_for parallel_for; /* or null: threads that all sessions of as many threads share */
  void *parallel_for_user;
  const tenon_host_entry *functions;
  int32_t function_count;
  int32_t profile; /* nonzero: measure launches and copies */
  /* Devices, found by their names; they outlive the model. */
  const struct tenon_device *const *devices;
  int32_t device_count;
  /* Bytes that the session may hold, as tenon_session_memory_bytes counts them; 0: no limit. A run that needs more is
   * TENON_ERROR_MEMORY, after which the session can be used on. */
  int64_t memory_limit;
  /* Or null: called some 10 times a second while a run is in progress, on its thread and where tenon_session_cancel
   * would end it; nonzero cancels the run. For what only that thread can do, as an interpreter's handlers of signals;
   * it leaves the session alone. */
  int32_t (*poll)(void *user);
  void *poll_user;
} tenon_options;

TENON_API tenon_status tenon_session_create(tenon_model *model, const tenon_options *options, tenon_session **session);
TENON_API void tenon_session_destroy(tenon_session *session);

/* The `data` of an input that is bound to ask for the shapes of outputs, not to run. */
#define TENON_SHAPE_ONLY ((void *)64)

/* The value's description is copied, its data is used in place and must live until the run ends. Strings, sequences
 * and optionals are copied. Null unbinds. */
TENON_API tenon_status tenon_session_bind_input(tenon_session *session, int32_t index, const tenon_value *value);
/* The buffer that the output is written to. Unbound outputs are owned by the session until its next run, as strings,
 * sequences and optionals always are. */
TENON_API tenon_status tenon_session_bind_output(tenon_session *session, int32_t index, const tenon_value *value);

/* The shape that output `index` will have for what is bound now, before running: `rank` entries of `shape`.
 * TENON_ERROR_UNKNOWN_SIZE when a size depends on data; the entries are then upper bounds, -1 where there is
 * none. */
TENON_API tenon_status tenon_session_output_shape(tenon_session *session, int32_t index, int64_t *shape, int32_t rank);
/* Under TENON_ERROR_CANCELLED, as after any error, there are no outputs, and what is in bound buffers is undefined. */
TENON_API tenon_status tenon_session_run(tenon_session *session);
/* Ends the run that is in progress, soon: between launches, between pieces of a launch, in loops of the model. A kernel
 * or function of yours that is at work is waited for. May be called from any thread and from a signal handler, as long
 * as the session isn't destroyed meanwhile; sets no error text.
 * Each run ends with TENON_ERROR_CANCELLED when this was called during it, or before it and after the end of the run
 * before: so a cancel that comes just before the run starts isn't lost, and several are one. Without a run in progress
 * it's thus for the next one; who doesn't want that calls tenon_session_clear_cancel. */
TENON_API tenon_status tenon_session_cancel(tenon_session *session);
/* Forgets a cancel that no run has ended with. For the thread that uses the session, between runs, once nobody calls
 * tenon_session_cancel any more. */
TENON_API tenon_status tenon_session_clear_cancel(tenon_session *session);
/* The output of the last run; valid until the next one. */
TENON_API tenon_status tenon_session_output(tenon_session *session, int32_t index, const tenon_value **value);

/* Bytes that a run of what is bound now needs for temporary values (the arena of the first segment). */
TENON_API tenon_status tenon_session_arena_bytes(tenon_session *session, int64_t *bytes);
/* Bytes that the session holds now: arenas (those on devices, too), scratch, outputs of its own, strings and sequences,
 * plans, and what describes the session. The model's constants are not its own. */
TENON_API int64_t tenon_session_memory_bytes(const tenon_session *session);
/* Gives back what the session holds between runs: arenas, scratch, plans and the outputs of the last run that it owns,
 * which are gone. Bindings stay. The next run takes again what it needs. Without a call of this a session gives back
 * what its last 64 runs didn't need, where that is the most of what it holds. */
TENON_API tenon_status tenon_session_trim(tenon_session *session);

/* What the launches of a session cost so far, when it was created with `profile`. */
typedef struct tenon_profile_entry {
  const char *kernel;
  const char *nodes;
  int64_t count;
  int64_t nanoseconds; /* of all runs */
  int64_t fastest;     /* nanoseconds of the fastest one */
} tenon_profile_entry;

TENON_API int32_t tenon_session_profile_count(const tenon_session *session);
TENON_API tenon_status tenon_session_profile(const tenon_session *session, int32_t index, tenon_profile_entry *entry);

/* What the copies between launches cost so far: tensors that couldn't be written where they are read. */
typedef struct tenon_copy_profile {
  int64_t count; /* of copies that had elements */
  int64_t bytes;
  int64_t nanoseconds;
} tenon_copy_profile;

TENON_API tenon_status tenon_session_profile_copies(const tenon_session *session, tenon_copy_profile *copies);

#ifdef __cplusplus
}
#endif

#endif

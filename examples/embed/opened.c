/* Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Linked to the runtime, shared or static: cc opened.c -ltenon_runtime. Models are files: ./a.out one.so two.so */
#include "run_model.h"

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    tenon_model *model;
    CHECK(tenon_model_open(argv[i], &model));
    run_model(model);
    tenon_model_close(model);
  }
  return 0;
}

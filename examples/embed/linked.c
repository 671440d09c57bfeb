/* Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Linked to models: cc linked.c ./one.so ./two.so. Without arguments it runs the first one, else those that are named:
 * ./a.out one.so two.so */
#include "run_model.h"

int main(int argc, char **argv) {
  tenon_model *model;
  if (argc == 1) {
    CHECK(tenon_model_self(&model));
    run_model(model);
    tenon_model_close(model);
  }
  for (int i = 1; i < argc; ++i) {
    CHECK(tenon_model_open_loaded(argv[i], &model));
    run_model(model);
    tenon_model_close(model);
  }
  return 0;
}

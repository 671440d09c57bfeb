/* Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Linked to nothing of Tenon: cc loaded.c -ldl. The first model that it loads brings the runtime, which opens the
 * others, too: ./a.out ./one.so ./two.so */
#include <dlfcn.h>
#include <stdio.h>
#include <tenon/Runtime/tenon.h>

int main(int argc, char **argv) {
  void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  if (!library) {
    fprintf(stderr, "error: %s\n", argc > 1 ? dlerror() : "no model is named");
    return 1;
  }
  /* As many functions as the program needs. */
  tenon_status (*open_model)(const char *, tenon_model **);
  const char *(*last_error)(void), *(*name_of)(const tenon_model *);
  int32_t (*input_count)(const tenon_model *);
  void (*close_model)(tenon_model *);
  *(void **)&open_model = dlsym(library, "tenon_model_open");
  *(void **)&last_error = dlsym(library, "tenon_last_error");
  *(void **)&name_of = dlsym(library, "tenon_model_name");
  *(void **)&input_count = dlsym(library, "tenon_model_input_count");
  *(void **)&close_model = dlsym(library, "tenon_model_close");
  for (int i = 1; i < argc; ++i) {
    tenon_model *model;
    if (open_model(argv[i], &model) != TENON_OK) {
      fprintf(stderr, "error: %s\n", last_error());
      return 1;
    }
    printf("%s has %d inputs\n", name_of(model), input_count(model));
    close_model(model);
  }
  dlclose(library);
  return 0;
}

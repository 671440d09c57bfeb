//===- Error.cpp - Status codes with text ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "tenon/Support/ControlCharacters.h"

#include <stdarg.h>
#include <stdio.h>

static thread_local char lastError[1024];

tenon_status tenon::runtime::fail(tenon_status status, const char *format, ...) {
  char text[sizeof(lastError)]; // an argument may be the last text
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  // Names are the model's: none shall move a terminal's cursor, or begin a line.
  size_t size = 0;
  size_t control = 0; // bytes left of a character
  for (const char *p = text; *p != 0 && size + 5 < sizeof(lastError); ++p) {
    if (control == 0)
      control = sizeOfControlCharacter(p);
    size += size_t(snprintf(lastError + size, 5, control ? "\\x%02x" : "%c", static_cast<unsigned char>(*p)));
    control -= control != 0;
  }
  lastError[size] = 0;
  return status;
}

const char *tenon_last_error(void) { return lastError; }

//===- Error.cpp
//--------------------------------------------------------------------------------------------===//

#include "Error.h"

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
  for (const char *p = text; *p != 0 && size + 5 < sizeof(lastError); ++p) {
    unsigned char c = static_cast<unsigned char>(*p);
    bool isControl = c < 0x20 || c == 0x7f || (c == 0xc2 && (p[1] & 0xe0) == 0x80);
    size += size_t(snprintf(lastError + size, 5, isControl ? "\\x%02x" : "%c", c));
  }
  lastError[size] = 0;
  return status;
}

const char *tenon_last_error(void) { return lastError; }

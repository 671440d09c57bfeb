//===- Error.cpp
//--------------------------------------------------------------------------------------------===//

#include "Error.h"

#include <stdarg.h>
#include <stdio.h>

static thread_local char lastError[1024];

tenon_status tenon::runtime::fail(tenon_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(lastError, sizeof(lastError), format, arguments);
  va_end(arguments);
  return status;
}

const char *tenon_last_error(void) { return lastError; }

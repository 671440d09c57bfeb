//===- Gil.h - Python's lock around native code ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Whoever takes the lock once the interpreter has ended, as a daemon thread may, is unwound by pthread_exit. C++ frames
// end the whole process then (`noexcept`, `catch (...)`): such a thread waits for the end of the process instead, as it
// does from Python 3.14 on.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_PYTHON_GIL_H
#define TENON_PYTHON_GIL_H

#include <Python.h>
#include <cxxabi.h>
#include <type_traits>
#include <unistd.h>

namespace tenon::python {

/// Runs `take`, which takes the lock, or does not return.
template <typename Take> void takeGil(Take take) {
  try {
    take();
  } catch (abi::__forced_unwind &) {
    for (;;)
      pause();
  }
}

/// Calls native code while other threads run Python, and gives what it returns.
template <typename Function> auto withoutGil(Function function) {
  PyThreadState *state = PyEval_SaveThread();
  auto restore = [&] { takeGil([&] { PyEval_RestoreThread(state); }); };
  if constexpr (std::is_void_v<decltype(function())>) {
    function();
    restore();
  } else {
    auto result = function();
    restore();
    return result;
  }
}

/// Holds the lock in a function that native code calls.
class HeldGil {
public:
  HeldGil() {
    takeGil([&] { state = PyGILState_Ensure(); });
  }
  HeldGil(const HeldGil &) = delete;
  ~HeldGil() { PyGILState_Release(state); }

private:
  PyGILState_STATE state;
};

} // namespace tenon::python

#endif // TENON_PYTHON_GIL_H

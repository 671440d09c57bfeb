//===- RuntimeModule.cpp - The module tenon._runtime: loading and running models ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Gil.h"
#include "LoadedModel.h"
#include "tenon/Support/OutputFile.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cerrno>
#include <unistd.h>
#include <vector>

namespace nb = nanobind;
using namespace tenon::python;

/// Errors as the exceptions of tenon._errors.
static void translate(const std::exception_ptr &thrown, void *) {
  auto raise = [](const char *type, const std::exception &error) {
    PyErr_SetObject(nb::module_::import_("tenon._errors").attr(type).ptr(),
                    textOf(error.what(), "backslashreplace").ptr());
  };
  try {
    std::rethrow_exception(thrown);
  } catch (const InputError &error) {
    raise("InputError", error);
  } catch (const CancelledError &error) {
    raise("CancelledError", error);
  } catch (const RunError &error) {
    raise("RunError", error);
  }
}

/// Copies an artifact. By position: other threads may save at the same time.
static void save(int descriptor, const std::string &path) {
  int code = withoutGil([&] {
    tenon::OutputFile file(path, /*permissions=*/0777, [] {
      HeldGil gil;
      return PyErr_CheckSignals() != 0;
    });
    std::vector<char> piece(1 << 20);
    ssize_t size;
    while ((size = pread(descriptor, piece.data(), piece.size(), off_t(file.size()))) > 0)
      if (!file.append(piece.data(), size_t(size)))
        return file.code();
    return size < 0 ? errno : file.keep() ? 0 : file.code();
  });
  if (code == 0)
    return;
  // Interrupted by a signal whose handler raised?
  errno = code;
  if (!PyErr_Occurred())
    PyErr_SetFromErrnoWithFilename(PyExc_OSError, path.c_str());
  throw nb::python_error();
}

NB_MODULE(_runtime, m) {
  importNumPy();
  // A daemon thread that runs when the interpreter exits keeps its model.
  nb::set_leak_warnings(false);
  nb::register_exception_translator(translate);
  m.attr("__version__") = tenon_version();
  m.def("save", &save, nb::arg("descriptor"), nb::arg("path"));
  m.def("from_dlpack", &fromDLPack, nb::arg("capsule"), nb::arg("what"));
  nb::class_<LoadedModel>(m, "Model")
      .def(nb::init<const std::string &, int32_t, const std::vector<std::string> &, nb::dict, int64_t>(),
           nb::arg("path"), nb::arg("threads"), nb::arg("device_libraries"), nb::arg("functions"),
           nb::arg("memory_limit"))
      .def("run", &LoadedModel::run, nb::arg("feeds"), nb::arg("outputs").none(), nb::arg("into").none())
      .def("profile", &LoadedModel::profile, nb::arg("feeds"), nb::arg("runs"))
      .def("cancel", &LoadedModel::cancel)
      .def("trim", &LoadedModel::trim)
      .def("memory", &LoadedModel::memory)
      .def("close", &LoadedModel::close)
      .def_prop_ro("inputs", &LoadedModel::describeInputs)
      .def_prop_ro("outputs", &LoadedModel::describeOutputs)
      .def_ro("name", &LoadedModel::name)
      .def_ro("variant", &LoadedModel::variant)
      .def_ro("metadata", &LoadedModel::metadata);
}

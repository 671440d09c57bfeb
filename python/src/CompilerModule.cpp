//===- CompilerModule.cpp - The module tenon._compiler ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompileModel.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <stdexcept>

namespace nb = nanobind;
using namespace tenon::python;

namespace {
/// Becomes `tenon.CompileError`.
struct CompileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void compile(std::string path, std::optional<nb::bytes> model, std::string name, std::string target,
             unsigned threads, std::string runtimeLibrary, std::string output, std::string constantsFile) {
  CompileRequest request;
  request.path = std::move(path);
  if (model)
    request.bytes = {model->c_str(), model->size()};
  request.isInMemory = model.has_value();
  request.modelName = std::move(name);
  request.target = std::move(target);
  request.threads = threads;
  request.runtimeLibrary = std::move(runtimeLibrary);
  request.output = std::move(output);
  request.constantsFile = std::move(constantsFile);
  std::string error;
  {
    nb::gil_scoped_release release;
    error = compileModel(request);
  }
  if (!error.empty())
    throw CompileError(error);
}
} // namespace

NB_MODULE(_compiler, m) {
  nb::object error = nb::exception<CompileError>(m, "CompileError", PyExc_RuntimeError);
  error.attr("__module__") = "tenon";
  error.attr("__doc__") = "A model cannot be compiled. The text has one line for each reason.";
  m.def("compile", &compile, nb::arg("path"), nb::arg("model").none(), nb::arg("name"), nb::arg("target"),
        nb::arg("threads"), nb::arg("runtime_library"), nb::arg("output"), nb::arg("constants_file"));
}

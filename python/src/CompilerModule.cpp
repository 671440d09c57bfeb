//===- CompilerModule.cpp - The module tenon._compiler ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompileModel.h"
#include "ReferenceModel.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>

namespace nb = nanobind;
using namespace tenon::python;

namespace {
/// Becomes `tenon.CompileError`.
struct CompileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What compiling and interpreting a model have in common. The bytes are the model's own: it outlives the request.
CompileRequest requestFor(std::string path, const std::optional<nb::bytes> &model, std::string name,
                          std::string constantsFile) {
  CompileRequest request;
  request.path = std::move(path);
  if (model)
    request.bytes = {model->c_str(), model->size()};
  request.isInMemory = model.has_value();
  request.modelName = std::move(name);
  request.constantsFile = std::move(constantsFile);
  return request;
}

void compile(std::string path, std::optional<nb::bytes> model, std::string name, std::string target,
             std::vector<std::string> devices, unsigned threads, std::string runtimeLibrary, std::string output, std::string constantsFile) {
  CompileRequest request = requestFor(std::move(path), model, std::move(name), std::move(constantsFile));
  request.target = std::move(target);
  request.devices = std::move(devices);
  request.threads = threads;
  request.runtimeLibrary = std::move(runtimeLibrary);
  request.output = std::move(output);
  std::string error;
  {
    nb::gil_scoped_release release;
    error = compileModel(request);
  }
  if (!error.empty())
    throw CompileError(error);
}

using Info = std::tuple<std::string, int32_t, std::vector<int64_t>>;

std::vector<Info> describe(const std::vector<PlainInfo> &infos) {
  std::vector<Info> result;
  for (const PlainInfo &info : infos)
    result.emplace_back(info.name, info.dtype, info.shape);
  return result;
}

std::shared_ptr<ReferenceModel> loadReference(std::string path, std::optional<nb::bytes> model, std::string name,
                                              std::string constantsFile) {
  CompileRequest request = requestFor(std::move(path), model, std::move(name), std::move(constantsFile));
  auto result = std::make_shared<ReferenceModel>();
  std::string error;
  {
    nb::gil_scoped_release release;
    error = result->load(request);
  }
  if (!error.empty())
    throw CompileError(error);
  return result;
}

/// feeds: name -> (dtype, shape, bytes); gives (dtype, shape, bytes) per output. An error is a text in its place.
nb::object runReference(ReferenceModel &model, nb::dict feeds) {
  std::map<std::string, PlainTensor> plain;
  for (auto [name, value] : feeds) {
    auto [dtype, shape, bytes] = nb::cast<std::tuple<int32_t, std::vector<int64_t>, nb::bytes>>(value);
    plain[nb::cast<std::string>(name)] = {dtype, std::move(shape), std::string(bytes.c_str(), bytes.size())};
  }
  std::vector<PlainTensor> results;
  std::string error;
  {
    nb::gil_scoped_release release;
    error = model.run(plain, results);
  }
  if (!error.empty())
    return nb::cast(error);
  nb::list list;
  for (const PlainTensor &tensor : results)
    list.append(nb::make_tuple(tensor.dtype, tensor.shape, nb::bytes(tensor.bytes.data(), tensor.bytes.size())));
  return list;
}
} // namespace

NB_MODULE(_compiler, m) {
  nb::object error = nb::exception<CompileError>(m, "CompileError", PyExc_RuntimeError);
  error.attr("__module__") = "tenon";
  error.attr("__doc__") = "A model cannot be compiled. The text has one line for each reason.";
  m.def("compile", &compile, nb::arg("path"), nb::arg("model").none(), nb::arg("name"), nb::arg("target"),
        nb::arg("devices"), nb::arg("threads"), nb::arg("runtime_library"), nb::arg("output"), nb::arg("constants_file"));
  nb::class_<ReferenceModel>(m, "ReferenceModel")
      .def_prop_ro("inputs", [](ReferenceModel &model) { return describe(model.inputs); })
      .def_prop_ro("outputs", [](ReferenceModel &model) { return describe(model.outputs); })
      .def("run", &runReference, nb::arg("feeds"));
  m.def("reference", &loadReference, nb::arg("path"), nb::arg("model").none(), nb::arg("name"),
        nb::arg("constants_file"));
}

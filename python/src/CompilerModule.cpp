//===- CompilerModule.cpp - The module tenon._compiler ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompileModel.h"
#include "Interruptible.h"
#include "ReferenceModel.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <stdexcept>
#include <unistd.h>

namespace nb = nanobind;
using namespace tenon::python;

namespace {
/// Becomes `tenon.CompileError`.
struct CompileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Work that may be left to itself.
struct Work {
  std::atomic<bool> isCancelled = false;
  std::string error;
  void cancel() { isCancelled = true; }
};

struct Compilation : Work {
  CompileRequest request;
  nb::object bytes; ///< of the request
  int output = -1;  ///< open until the work is done, whether someone waits or not
  ~Compilation() { close(output); }
  std::vector<std::string> warnings;
  void run() { error = compileModel(request, warnings); }
};

struct Loading : Work {
  std::shared_ptr<ReferenceModel> model = std::make_shared<ReferenceModel>();
  CompileRequest request;
  nb::object bytes; ///< of the request
  void run() { error = model->load(request); }
};

struct Interpretation : Work {
  std::shared_ptr<ReferenceModel> model;
  std::map<std::string, PlainValue> feeds;
  std::vector<PlainValue> results;
  void run() { error = model->run(feeds, results, isCancelled); }
};

/// What compiling and interpreting a model have in common. Of a model in memory the bytes are `model`'s.
CompileRequest requestFor(std::string path, const std::optional<nb::bytes> &model, std::string name,
                          bool allowExternalLinks) {
  CompileRequest request;
  request.path = std::move(path);
  if (model)
    request.bytes = {model->c_str(), model->size()};
  request.isInMemory = model.has_value();
  request.modelName = std::move(name);
  request.allowExternalLinks = allowExternalLinks;
  return request;
}

/// Gives the warnings.
std::vector<std::string> compile(std::string path, std::optional<nb::bytes> model, std::string name, std::string target,
                                 std::string accuracy, std::vector<std::string> devices, unsigned threads,
                                 std::vector<std::pair<std::string, std::string>> aliases,
                                 std::vector<std::pair<std::string, int64_t>> sizes, std::string runtimeLibrary,
                                 int output, std::string cache, uint64_t cacheLimit, bool allowExternalLinks) {
  auto work = std::make_shared<Compilation>();
  CompileRequest &request = work->request = requestFor(std::move(path), model, std::move(name), allowExternalLinks);
  request.isCancelled = &work->isCancelled;
  if (model)
    work->bytes = *model;
  request.target = std::move(target);
  request.accuracy = std::move(accuracy);
  request.devices = std::move(devices);
  request.threads = threads;
  request.aliases = std::move(aliases);
  request.sizes = std::move(sizes);
  request.runtimeLibrary = std::move(runtimeLibrary);
  request.cache = std::move(cache);
  request.cacheLimit = cacheLimit;
  work->output = dup(output);
  request.output = "/proc/self/fd/" + std::to_string(work->output);
  runInterruptibly(work);
  if (!work->error.empty())
    throw CompileError(work->error);
  return work->warnings;
}

/// (name, element type, sizes, their names, kind, keys).
using Info = std::tuple<std::string, int32_t, std::vector<int64_t>, std::vector<std::string>, int32_t, nb::object>;

nb::object keysOf(const PlainInfo &info) {
  if (info.texts.empty() && info.numbers.empty())
    return nb::none();
  nb::list keys;
  for (const std::string &text : info.texts)
    keys.append(nb::str(text.c_str(), text.size()));
  for (int64_t number : info.numbers)
    keys.append(number);
  return nb::tuple(keys);
}

std::vector<Info> describe(const std::vector<PlainInfo> &infos) {
  std::vector<Info> result;
  for (const PlainInfo &info : infos)
    result.emplace_back(info.name, info.dtype, info.shape, info.symbols, int32_t(info.kind), keysOf(info));
  return result;
}

std::shared_ptr<ReferenceModel> loadReference(std::string path, std::optional<nb::bytes> model, std::string name,
                                              std::vector<std::pair<std::string, int64_t>> sizes,
                                              bool allowExternalLinks) {
  auto work = std::make_shared<Loading>();
  work->request = requestFor(std::move(path), model, std::move(name), allowExternalLinks);
  work->request.sizes = std::move(sizes);
  if (model)
    work->bytes = *model;
  runInterruptibly(work);
  if (!work->error.empty())
    throw CompileError(work->error);
  return work->model;
}

/// (kind, dtype, shape, bytes or strings as bytes, items).
PlainValue plainFrom(nb::handle value) {
  nb::tuple parts = nb::cast<nb::tuple>(value);
  PlainValue plain;
  plain.kind = PlainKind(nb::cast<int32_t>(parts[0]));
  plain.dtype = nb::cast<int32_t>(parts[1]);
  plain.shape = nb::cast<std::vector<int64_t>>(parts[2]);
  auto textOf = [](nb::handle bytes) {
    auto text = nb::cast<nb::bytes>(bytes);
    return std::string(text.c_str(), text.size());
  };
  if (nb::isinstance<nb::bytes>(parts[3]))
    plain.bytes = textOf(parts[3]);
  else
    for (nb::handle text : nb::cast<nb::list>(parts[3]))
      plain.strings.push_back(textOf(text));
  for (nb::handle item : nb::cast<nb::list>(parts[4]))
    plain.items.push_back(plainFrom(item));
  return plain;
}

nb::tuple fromPlain(const PlainValue &plain) {
  nb::list items, strings;
  for (const PlainValue &item : plain.items)
    items.append(fromPlain(item));
  for (const std::string &text : plain.strings)
    strings.append(nb::bytes(text.data(), text.size()));
  nb::object data = strings;
  if (plain.strings.empty())
    data = nb::bytes(plain.bytes.data(), plain.bytes.size());
  return nb::make_tuple(int32_t(plain.kind), plain.dtype, plain.shape, data, items);
}

/// A value per name; gives one per output. An error is a text in its place.
nb::object runReference(std::shared_ptr<ReferenceModel> model, nb::dict feeds) {
  auto work = std::make_shared<Interpretation>();
  work->model = std::move(model);
  for (auto [name, value] : feeds)
    work->feeds[nb::cast<std::string>(name)] = plainFrom(value);
  runInterruptibly(work);
  if (!work->error.empty())
    return nb::cast(work->error);
  nb::list list;
  for (const PlainValue &value : work->results)
    list.append(fromPlain(value));
  return list;
}

void translate(const std::exception_ptr &thrown, void *) {
  try {
    std::rethrow_exception(thrown);
  } catch (const CompileError &error) {
    // Names in a model may be any bytes.
    nb::object text =
        nb::steal(PyUnicode_DecodeUTF8(error.what(), Py_ssize_t(std::strlen(error.what())), "backslashreplace"));
    PyErr_SetObject(nb::module_::import_("tenon._errors").attr("CompileError").ptr(), text.ptr());
  }
}
} // namespace

NB_MODULE(_compiler, m) {
  nb::set_leak_warnings(false); // as in tenon._runtime
  nb::register_exception_translator(translate);
  m.def("compile", &compile, nb::arg("path"), nb::arg("model").none(), nb::arg("name"), nb::arg("target"),
        nb::arg("accuracy"), nb::arg("devices"), nb::arg("threads"), nb::arg("aliases"), nb::arg("sizes"),
        nb::arg("runtime_library"), nb::arg("output"), nb::arg("cache"), nb::arg("cache_limit"),
        nb::arg("allow_external_links"));
  nb::class_<ReferenceModel>(m, "ReferenceModel")
      .def_prop_ro("inputs", [](ReferenceModel &model) { return describe(model.inputs); })
      .def_prop_ro("outputs", [](ReferenceModel &model) { return describe(model.outputs); })
      .def_prop_ro("warnings", [](ReferenceModel &model) { return model.warnings; })
      .def("run", &runReference, nb::arg("feeds"));
  m.def("reference", &loadReference, nb::arg("path"), nb::arg("model").none(), nb::arg("name"), nb::arg("sizes"),
        nb::arg("allow_external_links"));
}

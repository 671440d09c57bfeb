//===- RuntimeModule.cpp - The module tenon._runtime: loading and running models ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <mutex>

namespace nb = nanobind;
using namespace tenon::python;

namespace {
void check(tenon_status status) {
  if (status != TENON_OK)
    throw RunError(tenon_last_error());
}

/// A loaded model with the sessions that run it: as many as there were runs at one time.
class Model {
public:
  Model(const std::string &path, int32_t threads, const std::vector<std::string> &deviceLibraries) : threads(threads) {
    for (const std::string &library : deviceLibraries)
      check(tenon_device_load(library.c_str(), &devices.emplace_back()));
    tenon_status status;
    {
      nb::gil_scoped_release release;
      status = tenon_model_open(path.c_str(), &model);
    }
    check(status);
    try {
      describe(inputs, tenon_model_input_count(model), tenon_model_input, tenon_model_input_dim);
      describe(outputs, tenon_model_output_count(model), tenon_model_output, tenon_model_output_dim);
    } catch (...) {
      tenon_model_close(model);
      throw;
    }
    for (const Tensor &tensor : inputs)
      inputNames.push_back(nb::str(tensor.name.c_str()));
    for (const Tensor &tensor : outputs)
      outputNames.push_back(nb::str(tensor.name.c_str()));
  }
  Model(const Model &) = delete;
  ~Model() {
    for (tenon_session *session : idle)
      tenon_session_destroy(session);
    tenon_model_close(model);
  }

  nb::dict run(nb::handle feeds) {
    if (!PyDict_Check(feeds.ptr()))
      throw RunError(std::string("run expects a dict from input names to arrays, got a ") +
                     Py_TYPE(feeds.ptr())->tp_name);
    std::vector<Operand> operands(inputs.size());
    std::string missing;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (PyObject *given = PyDict_GetItemWithError(feeds.ptr(), inputNames[i].ptr()))
        fromPython(given, inputs[i], operands[i]);
      else if (PyErr_Occurred())
        throw nb::python_error();
      else
        missing += (missing.empty() ? "'" : ", '") + inputs[i].name + "'";
    }
    checkNames(nb::borrow<nb::dict>(feeds));
    if (!missing.empty())
      throw RunError("no value is given for input " + missing);
    return runWith(operands);
  }

  nb::list describeInputs() const { return describe(inputs); }
  nb::list describeOutputs() const { return describe(outputs); }
  const char *name() const { return tenon_model_name(model); }
  const char *variant() const { return tenon_model_variant(model); }

private:
  /// Holds one session of the pool.
  struct Lease {
    explicit Lease(Model &owner) : owner(owner) {
      std::lock_guard lock(owner.mutex);
      if (!owner.idle.empty()) {
        session = owner.idle.back();
        owner.idle.pop_back();
      }
    }
    ~Lease() {
      if (!session)
        return;
      std::lock_guard lock(owner.mutex);
      owner.idle.push_back(session);
    }
    Model &owner;
    tenon_session *session = nullptr;
  };

  nb::dict runWith(std::vector<Operand> &operands) {
    Lease lease(*this);
    if (!lease.session) {
      tenon_options options = {};
      options.size = sizeof(options);
      options.threads = threads;
      options.devices = devices.data();
      options.device_count = int32_t(devices.size());
      tenon_status status;
      {
        nb::gil_scoped_release release;
        status = tenon_session_create(model, &options, &lease.session);
      }
      check(status);
    }
    tenon_session *session = lease.session;
    for (size_t i = 0; i < operands.size(); ++i)
      check(tenon_session_bind_input(session, int32_t(i), &operands[i].value));
    std::vector<Operand> results(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      int32_t index = int32_t(i), rank = int32_t(outputs[i].sizes.size());
      check(tenon_session_bind_output(session, index, nullptr));
      if (!isWrittenInPlace(outputs[i].dtype))
        continue;
      std::vector<int64_t> shape(outputs[i].sizes.size());
      tenon_status status = tenon_session_output_shape(session, index, shape.data(), rank);
      if (status == TENON_ERROR_UNKNOWN_SIZE)
        continue;
      check(status);
      allocate(outputs[i], shape.data(), results[i]);
    }
    for (size_t i = 0; i < outputs.size(); ++i)
      if (results[i].array.is_valid())
        check(tenon_session_bind_output(session, int32_t(i), &results[i].value));
    tenon_status status;
    {
      nb::gil_scoped_release release;
      status = tenon_session_run(session);
    }
    check(status);
    nb::dict dict;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!results[i].array.is_valid()) {
        const tenon_value *value;
        check(tenon_session_output(session, int32_t(i), &value));
        results[i].array = toPython(*value, outputs[i]);
      }
      dict[outputNames[i]] = results[i].array;
    }
    return dict;
  }

  void checkNames(const nb::dict &feeds) const {
    if (feeds.size() <= inputs.size())
      for (size_t found = 0; const nb::object &name : inputNames)
        if ((found += size_t(PyDict_Contains(feeds.ptr(), name.ptr()) == 1)) == feeds.size())
          return;
    std::string known;
    for (const Tensor &tensor : inputs)
      known += (known.empty() ? "'" : ", '") + tensor.name + "'";
    for (auto [key, value] : feeds) {
      bool exists = false;
      for (const nb::object &name : inputNames)
        exists |= name.equal(key);
      if (!exists)
        throw RunError("the model has no input " + std::string(nb::repr(key).c_str()) +
                       (known.empty() ? "" : ", it has " + known));
    }
  }

  void describe(std::vector<Tensor> &tensors, int32_t count,
                tenon_status (*query)(const tenon_model *, int32_t, tenon_tensor_info *),
                tenon_status (*queryDim)(const tenon_model *, int32_t, int32_t, tenon_dim *)) {
    for (int32_t i = 0; i < count; ++i) {
      tenon_tensor_info info;
      check(query(model, i, &info));
      Tensor &tensor = tensors.emplace_back(Tensor{info.name, info.kind, info.dtype, {}, {}, {}});
      tensor.numpyType = numpyTypeOf(info.dtype);
      for (int32_t d = 0; d < info.rank; ++d) {
        tenon_dim dim;
        check(queryDim(model, i, d, &dim));
        tensor.sizes.push_back(dim.size);
        tensor.symbols.push_back(dim.size < 0 && dim.symbol ? dim.symbol : "");
      }
    }
  }

  /// (name, dtype, shape) of each, the shape with numbers, names, and None.
  static nb::list describe(const std::vector<Tensor> &tensors) {
    nb::list result;
    for (const Tensor &tensor : tensors) {
      nb::list shape;
      for (size_t d = 0; d < tensor.sizes.size(); ++d) {
        if (tensor.sizes[d] >= 0)
          shape.append(tensor.sizes[d]);
        else if (!tensor.symbols[d].empty())
          shape.append(tensor.symbols[d].c_str());
        else
          shape.append(nb::none());
      }
      result.append(nb::make_tuple(tensor.name, tensor.numpyType, nb::tuple(shape)));
    }
    return result;
  }

  tenon_model *model = nullptr;
  int32_t threads;
  std::vector<const tenon_device *> devices;
  std::vector<Tensor> inputs, outputs;
  std::vector<nb::object> inputNames, outputNames;
  std::mutex mutex;
  std::vector<tenon_session *> idle;
};
} // namespace

NB_MODULE(_runtime, m) {
  importNumPy();
  m.attr("__version__") = tenon_version();
  nb::object error = nb::exception<RunError>(m, "RunError", PyExc_RuntimeError);
  error.attr("__module__") = "tenon";
  error.attr("__doc__") = "A model cannot be loaded, or a run failed.";
  nb::class_<Model>(m, "Model")
      .def(nb::init<const std::string &, int32_t, const std::vector<std::string> &>(), nb::arg("path"),
           nb::arg("threads"), nb::arg("device_libraries"))
      .def("run", &Model::run, nb::arg("feeds"))
      .def_prop_ro("inputs", &Model::describeInputs)
      .def_prop_ro("outputs", &Model::describeOutputs)
      .def_prop_ro("name", &Model::name)
      .def_prop_ro("variant", &Model::variant);
}

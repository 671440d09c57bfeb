//===- LoadedModel.cpp - A model with the sessions that run it ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoadedModel.h"

#include "Interruptible.h"
#include "tenon/Runtime/tenon_host.h"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstring>

namespace nb = nanobind;
using namespace tenon::python;

namespace {
void check(tenon_status status) {
  switch (status) {
  case TENON_OK:
    return;
  case TENON_ERROR_ARGUMENT:
  case TENON_ERROR_TYPE:
  case TENON_ERROR_SHAPE:
  case TENON_ERROR_UNBOUND:
    throw InputError(tenon_last_error());
  case TENON_ERROR_CANCELLED:
    throw CancelledError(tenon_last_error());
  default:
    throw RunError(tenon_last_error());
  }
}

/// Runs the handlers of signals that came meanwhile. What one raises stays raised, and ends the run.
int32_t handleSignals(void *) {
  if (!isMainThread())
    return 0;
  HeldGil gil;
  return PyErr_CheckSignals() != 0;
}

void runSession(tenon_session *session) {
  tenon_status status = withoutGil([&] { return tenon_session_run(session); });
  if (PyErr_Occurred())
    throw nb::python_error();
  check(status);
}

/// Calls a Python function with arrays, lists and None, and gives what it returns.
int32_t callPython(tenon_call *call) {
  HeldGil gil;
  try {
    nb::list arguments;
    for (int32_t i = 0; i < call->input_count; ++i)
      arguments.append(toPython(*call->inputs[i], Tensor{}));
    nb::object result = (*static_cast<const nb::object *>(call->user))(*arguments);
    bool isTuple = PyTuple_Check(result.ptr());
    if (call->output_count != (isTuple ? PyTuple_GET_SIZE(result.ptr()) : 1))
      return call->fail(call, ("it is expected to return " + std::to_string(call->output_count) + " values").c_str());
    for (int32_t i = 0; i < call->output_count; ++i) {
      Operand operand;
      nb::object value = isTuple ? nb::object(result[i]) : result;
      std::string name = "returned value " + std::to_string(i);
      if (const tenon_value *output = call->outputs[i]; output->kind == TENON_TENSOR)
        fromPython(value,
                   {name, TENON_TENSOR, output->dtype, {}, {}, numpyTypeOf(output->dtype), false, true, nb::none()},
                   operand);
      else
        fromAnyPython(value, name, operand);
      if (int32_t code = call->set_value(call, i, &operand.value))
        return code;
    }
    return 0;
  } catch (nb::python_error &error) {
    if (!error.matches(PyExc_Exception)) {
      // Ctrl-C and the like are no errors of the function.
      error.restore();
      return call->fail(call, "interrupted");
    }
    std::string type = nb::str(error.type().attr("__name__")).c_str();
    return call->fail(call, (type + ": " + nb::str(error.value()).c_str()).c_str());
  } catch (std::exception &error) {
    return call->fail(call, error.what());
  }
}

void describeTensors(const tenon_model *model, const char *role, int32_t count,
                     tenon_status (*query)(const tenon_model *, int32_t, tenon_tensor_info *),
                     tenon_status (*queryDim)(const tenon_model *, int32_t, int32_t, tenon_dim *),
                     std::vector<Tensor> &tensors, std::vector<nb::object> &names) {
  for (int32_t i = 0; i < count; ++i) {
    tenon_tensor_info info;
    check(query(model, i, &info));
    nb::object name = names.emplace_back(textOf(info.name, "surrogateescape"));
    Tensor &tensor = tensors.emplace_back();
    // As Python shows it: without control characters.
    tensor.name = std::string(role) + " " + nb::repr(name).c_str();
    tensor.kind = info.kind;
    tensor.dtype = info.dtype;
    tensor.numpyType = numpyTypeOf(info.dtype);
    for (int32_t d = 0; d < info.rank; ++d) {
      tenon_dim dim;
      check(queryDim(model, i, d, &dim));
      tensor.sizes.push_back(dim.size);
      tensor.symbols.push_back(dim.size < 0 && dim.symbol ? dim.symbol : "");
    }
  }
}

nb::list listOf(const std::vector<nb::object> &names) {
  nb::list list;
  for (const nb::object &name : names)
    list.append(name);
  return list;
}
} // namespace

nb::object tenon::python::textOf(const char *text, const char *errors) {
  PyObject *object = PyUnicode_DecodeUTF8(text, Py_ssize_t(std::strlen(text)), errors);
  if (!object)
    throw nb::python_error();
  return nb::steal(object);
}

/// Holds one session: of the pool, or one of its own that is profiled.
class LoadedModel::Lease {
public:
  explicit Lease(LoadedModel &owner, bool isProfiled = false)
      : owner(owner), model(owner.model), isProfiled(isProfiled) {
    if (!model)
      throw InputError("the model is closed");
  }
  ~Lease() {
    if (!held)
      return;
    std::unique_lock lock(owner.mutex);
    owner.running.erase(std::find(owner.running.begin(), owner.running.end(), held));
    // A cancel that came after the run's end is for no other.
    tenon_session_clear_cancel(held);
    if (!owner.isClosed && !isProfiled) {
      owner.idle.push_back(held);
      return;
    }
    lock.unlock();
    tenon_session_destroy(held);
  }

  tenon_session *session() {
    std::unique_lock lock(owner.mutex);
    tenon_session *taken;
    if (!isProfiled && !owner.idle.empty()) {
      taken = owner.idle.back();
      owner.idle.pop_back();
    } else {
      lock.unlock();
      taken = owner.createSession(model.get(), isProfiled);
      lock.lock();
    }
    owner.running.push_back(taken);
    return held = taken;
  }

private:
  LoadedModel &owner;
  std::shared_ptr<tenon_model> model;
  bool isProfiled;
  tenon_session *held = nullptr;
};

LoadedModel::LoadedModel(const std::string &path, int32_t threads, const std::vector<std::string> &deviceLibraries,
                         nb::dict given, int64_t memoryLimit)
    : threads(threads), memoryLimit(memoryLimit) {
  for (const std::string &library : deviceLibraries)
    check(tenon_device_load(library.c_str(), &devices.emplace_back()));
  for (auto [name, function] : given) {
    functionNames.push_back(nb::cast<std::string>(name));
    functions.push_back(nb::borrow(function));
  }
  for (size_t i = 0; i < functions.size(); ++i) {
    bool isAddress = PyLong_Check(functions[i].ptr());
    entries.push_back(
        {functionNames[i].c_str(),
         isAddress ? reinterpret_cast<tenon_host_function>(nb::cast<uintptr_t>(functions[i])) : callPython,
         isAddress ? nullptr : &functions[i]});
  }
  tenon_model *opened = nullptr;
  check(withoutGil([&] { return tenon_model_open(path.c_str(), &opened); }));
  model = {opened, tenon_model_close};
  findTensors();
}

void LoadedModel::findTensors() {
  tenon_model *opened = model.get();
  name = textOf(tenon_model_name(opened), "surrogateescape");
  variant = textOf(tenon_model_variant(opened), "surrogateescape");
  const char *value;
  for (int32_t i = 0; const char *key = tenon_model_property(opened, i, &value); ++i)
    if (nb::object name = textOf(key, "surrogateescape"); !metadata.contains(name))
      metadata[name] = textOf(value, "surrogateescape");
  describeTensors(opened, "input", tenon_model_input_count(opened), tenon_model_input, tenon_model_input_dim, inputs,
                  inputNames);
  describeTensors(opened, "output", tenon_model_output_count(opened), tenon_model_output, tenon_model_output_dim,
                  outputs, outputNames);
  for (int32_t i = 0; i < int32_t(outputs.size()); ++i) {
    tenon_tensor_info info;
    check(tenon_model_output(opened, i, &info));
    nb::list keys;
    tenon_key key;
    for (int32_t k = 0; tenon_model_output_key(opened, i, k, &key); ++k)
      keys.append(key.text ? textOf(key.text, "surrogateescape") : nb::int_(key.number));
    if (keys.size() != 0)
      outputs[size_t(i)].keys = nb::tuple(keys);
    if (info.alias >= 0)
      inputs[size_t(info.alias)].takesStrides = outputs[size_t(i)].takesStrides = true;
  }
}

void LoadedModel::close() {
  std::vector<tenon_session *> ended;
  {
    std::lock_guard lock(mutex);
    isClosed = true;
    ended.swap(idle);
  }
  for (tenon_session *session : ended)
    tenon_session_destroy(session);
  model.reset();
}

void LoadedModel::cancel() {
  std::lock_guard lock(mutex);
  for (tenon_session *session : running)
    tenon_session_cancel(session);
}

void LoadedModel::trim() {
  std::lock_guard lock(mutex);
  for (tenon_session *session : idle)
    check(tenon_session_trim(session));
}

int64_t LoadedModel::memory() {
  std::lock_guard lock(mutex);
  int64_t bytes = 0;
  for (const tenon_session *session : idle)
    bytes += tenon_session_memory_bytes(session);
  return bytes;
}

tenon_session *LoadedModel::createSession(tenon_model *opened, bool isProfiled) {
  tenon_options options = {};
  options.size = sizeof(options);
  options.threads = threads;
  options.devices = devices.data();
  options.device_count = int32_t(devices.size());
  options.functions = entries.data();
  options.function_count = int32_t(entries.size());
  options.profile = isProfiled;
  options.memory_limit = memoryLimit;
  options.poll = handleSignals;
  tenon_session *session = nullptr;
  check(withoutGil([&] { return tenon_session_create(opened, &options, &session); }));
  return session;
}

std::vector<Operand> LoadedModel::takeFeeds(const nb::dict &feeds) {
  std::vector<Operand> operands(inputs.size());
  size_t found = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (PyObject *given = PyDict_GetItemWithError(feeds.ptr(), inputNames[i].ptr())) {
      // Kept: making arrays runs Python, which may change the dict.
      operands[i].given = nb::borrow(given);
      ++found;
    } else if (PyErr_Occurred()) {
      throw nb::python_error();
    }
  }
  if (found != inputs.size() || feeds.size() != found)
    nb::module_::import_("tenon._values").attr("check_feeds")(feeds, listOf(inputNames));
  for (size_t i = 0; i < inputs.size(); ++i)
    fromPython(operands[i].given, inputs[i], operands[i]);
  return operands;
}

/// Gives each output that is wanted, and whose shape is known, an array of its own: where the caller gave none, and
/// where what it gave can't be written in place.
void LoadedModel::bindOutputs(tenon_session *session, std::vector<Operand> &results) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    int32_t index = int32_t(i), rank = int32_t(outputs[i].sizes.size());
    check(tenon_session_bind_output(session, index, nullptr));
    if (results[i].array.is_valid() || !results[i].isWanted || outputs[i].kind != TENON_TENSOR ||
        !isWrittenInPlace(outputs[i].dtype))
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
}

nb::dict LoadedModel::run(nb::dict feeds, nb::handle chosen, nb::handle into) {
  Lease lease(*this);
  std::vector<Operand> operands = takeFeeds(feeds);
  std::vector<Operand> results(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!chosen.is_none())
      results[i].isWanted = PySequence_Contains(chosen.ptr(), outputNames[i].ptr()) == 1;
    if (!into.is_none())
      if (PyObject *given = PyDict_GetItemWithError(into.ptr(), outputNames[i].ptr()))
        intoPython(given, outputs[i], results[i]);
  }
  tenon_session *session = lease.session();
  for (size_t i = 0; i < operands.size(); ++i)
    check(tenon_session_bind_input(session, int32_t(i), &operands[i].value));
  bindOutputs(session, results);
  runSession(session);
  nb::dict dict;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!results[i].isWanted)
      continue;
    if (!results[i].array.is_valid()) {
      const tenon_value *value;
      check(tenon_session_output(session, int32_t(i), &value));
      results[i].array = toPython(*value, outputs[i]);
    }
    if (results[i].isCopied)
      copyToGiven(outputs[i], results[i]);
    if (!results[i].given.is_valid() && !outputs[i].keys.is_none())
      results[i].array = nb::module_::import_("tenon._values").attr("dictionaries")(results[i].array, outputs[i].keys);
    dict[outputNames[i]] = results[i].given.is_valid() ? results[i].given : results[i].array;
  }
  if (chosen.is_none())
    return dict;
  nb::dict ordered;
  for (nb::handle name : nb::borrow<nb::list>(chosen))
    ordered[name] = dict[name];
  return ordered;
}

nb::tuple LoadedModel::profile(nb::dict feeds, int64_t runs) {
  Lease lease(*this, /*isProfiled=*/true);
  std::vector<Operand> operands = takeFeeds(feeds);
  tenon_session *session = lease.session();
  for (size_t i = 0; i < operands.size(); ++i)
    check(tenon_session_bind_input(session, int32_t(i), &operands[i].value));
  for (int64_t i = 0; i < runs; ++i)
    runSession(session);
  nb::list launches;
  for (int32_t i = 0; i < tenon_session_profile_count(session); ++i) {
    tenon_profile_entry entry;
    check(tenon_session_profile(session, i, &entry));
    if (entry.count != 0)
      launches.append(nb::make_tuple(textOf(entry.kernel, "backslashreplace"), textOf(entry.nodes, "backslashreplace"),
                                     entry.count, entry.nanoseconds, entry.fastest));
  }
  tenon_copy_profile copies;
  check(tenon_session_profile_copies(session, &copies));
  return nb::make_tuple(launches, nb::make_tuple(copies.count, copies.bytes, copies.nanoseconds));
}

nb::list LoadedModel::describe(const std::vector<Tensor> &tensors, const std::vector<nb::object> &names) {
  nb::list result;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor &tensor = tensors[i];
    nb::list shape;
    for (size_t d = 0; d < tensor.sizes.size(); ++d) {
      if (tensor.sizes[d] >= 0)
        shape.append(tensor.sizes[d]);
      else if (!tensor.symbols[d].empty())
        shape.append(textOf(tensor.symbols[d].c_str(), "surrogateescape"));
      else
        shape.append(nb::none());
    }
    const char *kind = tensor.kind == TENON_TENSOR ? "tensor" : tensor.kind == TENON_SEQUENCE ? "sequence" : "optional";
    result.append(nb::make_tuple(names[i], tensor.numpyType, nb::tuple(shape), kind, tensor.keys));
  }
  return result;
}

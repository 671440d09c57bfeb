//===- LoadedModel.h - A model with the sessions that run it ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_PYTHON_LOADEDMODEL_H
#define TENON_PYTHON_LOADEDMODEL_H

#include "Arrays.h"

#include <mutex>

namespace tenon::python {

/// Text of a model or of an error, which may be any bytes.
nanobind::object textOf(const char *text, const char *errors);

/// A loaded model with the sessions that run it: as many as there were runs at one time.
class LoadedModel {
public:
  /// Functions are Python's own, or addresses of functions as in tenon_host.h.
  LoadedModel(const std::string &path, int32_t threads, const std::vector<std::string> &deviceLibraries,
              nanobind::dict functions, int64_t memoryLimit);
  LoadedModel(const LoadedModel &) = delete;
  ~LoadedModel() { close(); }

  /// Runs on a dict of values. `chosen` is a list of outputs or None, `into` a dict of arrays or None.
  nanobind::dict run(nanobind::dict feeds, nanobind::handle chosen, nanobind::handle into);
  /// What launches and copies of that many runs took, in tuples.
  nanobind::tuple profile(nanobind::dict feeds, int64_t runs);
  /// Ends the runs that are in progress.
  void cancel();
  /// Bytes of the sessions that aren't running.
  int64_t memory();
  /// Gives back what sessions that aren't running hold.
  void trim();
  /// Sessions that are running go away when their runs end.
  void close();

  /// (name, dtype, shape, kind, keys) of each, the shape with numbers, names, and None.
  nanobind::list describeInputs() const { return describe(inputs, inputNames); }
  nanobind::list describeOutputs() const { return describe(outputs, outputNames); }

  nanobind::object name, variant;
  nanobind::dict metadata;

private:
  class Lease;

  void findTensors();
  tenon_session *createSession(tenon_model *model, bool isProfiled);
  std::vector<Operand> takeFeeds(const nanobind::dict &feeds);
  void bindOutputs(tenon_session *session, std::vector<Operand> &results);
  static nanobind::list describe(const std::vector<Tensor> &tensors, const std::vector<nanobind::object> &names);

  std::shared_ptr<tenon_model> model; ///< null once it is closed
  int32_t threads;
  int64_t memoryLimit;
  std::vector<const tenon_device *> devices;
  std::vector<std::string> functionNames;
  std::vector<nanobind::object> functions;
  std::vector<tenon_host_entry> entries;
  std::vector<Tensor> inputs, outputs;
  std::vector<nanobind::object> inputNames, outputNames;
  std::mutex mutex; ///< of what follows
  std::vector<tenon_session *> idle, running;
  bool isClosed = false;
};

} // namespace tenon::python

#endif // TENON_PYTHON_LOADEDMODEL_H

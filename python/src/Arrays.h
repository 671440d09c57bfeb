//===- Arrays.h - NumPy arrays as values of the runtime ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_PYTHON_ARRAYS_H
#define TENON_PYTHON_ARRAYS_H

#include "tenon/Runtime/tenon.h"

#include <nanobind/nanobind.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace tenon::python {

/// Becomes `tenon.RunError`.
struct RunError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Becomes `tenon.InputError`: the caller's mistake.
struct InputError : RunError {
  using RunError::RunError;
};

/// Becomes `tenon.CancelledError`.
struct CancelledError : RunError {
  using RunError::RunError;
};

/// An input or output as the model declares it.
struct Tensor {
  std::string name; ///< as errors call it: "input 'x'"
  int32_t kind, dtype;
  /// Sizes, -1 where they are known when inputs are bound only, and their names, empty where there is none.
  std::vector<int64_t> sizes;
  std::vector<std::string> symbols;
  /// The NumPy dtype, or None where NumPy has none.
  nanobind::object numpyType;
  /// Whether the model takes rows with gaps between them.
  bool takesStrides = false;
  /// Of values in a sequence or optional, and of what functions give, any sizes will do.
  bool hasAnySizes = false;
  /// Of an output that is a dictionary per row, a tuple.
  nanobind::object keys = nanobind::none();

  /// What a sequence or optional holds.
  Tensor element(int32_t kind) const { return {name, kind, dtype, {}, {}, numpyType, false, true, nanobind::none()}; }

  /// `float32[batch, 3, 224, 224]`.
  std::string describe() const;
};

/// What a bound value needs while a run lasts.
struct Operand {
  tenon_value value = {};
  std::vector<int64_t> shape, strides;
  std::vector<tenon_string> strings;
  std::vector<nanobind::object> encoded; ///< what strings point to that have no UTF-8 of their own
  std::vector<uint8_t> packed;
  nanobind::object array;
  nanobind::object given;                      ///< what the caller gave: for an output, to be written to
  bool isWanted = true;                        ///< outputs: the caller gets it
  bool isCopied = false;                       ///< outputs: `array` is not the memory of `given`
  std::vector<std::unique_ptr<Operand>> items; ///< of a sequence or optional
  std::vector<const tenon_value *> itemValues;
};

/// Makes NumPy's C interface usable; call it once, when the module is made.
void importNumPy();

/// The dtype of a NumPy array.
int32_t dtypeOf(const nanobind::object &array);
/// Describes whatever Python gives, by its own type: what a function returned.
void fromAnyPython(nanobind::handle given, const std::string &name, Operand &operand);

/// The NumPy dtype of `dtype`: those that NumPy lacks are of the package ml_dtypes.
nanobind::object numpyTypeOf(int32_t dtype);

/// Describes `given` as a value for `tensor`. The array is used in place when it is contiguous or the model takes its
/// strides, and copied otherwise. Throws InputError when dtype, rank or a static size differ.
void fromPython(nanobind::handle given, const Tensor &tensor, Operand &operand);

/// Describes an array that an output is to be written to: in place, or where that can't be `isCopied`. Throws
/// InputError when dtype or rank differ, and where an output that `takesStrides` would have to be copied.
void intoPython(nanobind::handle given, const Tensor &tensor, Operand &operand);
/// Copies the array of an output that `isCopied` into what the caller gave.
void copyToGiven(const Tensor &tensor, const Operand &operand);

/// A view of the memory that a DLPack capsule describes; `what` names it in errors.
nanobind::object fromDLPack(nanobind::handle capsule, const std::string &what);

/// A new array for an output of the given shape, described in `operand`.
void allocate(const Tensor &tensor, const int64_t *shape, Operand &operand);

/// Whether the runtime may write an output of that type straight into a NumPy array.
bool isWrittenInPlace(int32_t dtype);

/// A copy of a value that the session owns.
nanobind::object toPython(const tenon_value &value, const Tensor &tensor);

} // namespace tenon::python

#endif // TENON_PYTHON_ARRAYS_H

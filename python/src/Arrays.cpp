//===- Arrays.cpp - NumPy arrays as values of the runtime ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "LoadedModel.h"

#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#include <numpy/arrayobject.h>

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <cstring>

namespace nb = nanobind;
using namespace tenon::python;

namespace {
PyArrayObject *arrayOf(const nb::object &object) { return reinterpret_cast<PyArrayObject *>(object.ptr()); }

/// Takes over a new reference, or throws the Python error that is set.
nb::object owned(PyObject *object) {
  if (!object)
    throw nb::python_error();
  return nb::steal(object);
}

nb::object valuesModule() { return nb::module_::import_("tenon._values"); }

std::string describeShape(const std::vector<int64_t> &sizes, const std::vector<std::string> *symbols) {
  std::string text = "[";
  for (size_t d = 0; d < sizes.size(); ++d) {
    text += d ? ", " : "";
    if (symbols && sizes[d] < 0)
      text += (*symbols)[d].empty()
                  ? "?"
                  : nb::str(valuesModule().attr("shown")(textOf((*symbols)[d].c_str(), "surrogateescape"))).c_str();
    else
      text += std::to_string(sizes[d]);
  }
  return text + "]";
}

[[noreturn]] void mismatch(const Tensor &tensor, const std::string &actual) {
  throw InputError(tensor.name + " expects " + tensor.describe() + ", the array is " + actual);
}

std::string describeArray(const nb::object &array) {
  std::vector<int64_t> shape(PyArray_DIMS(arrayOf(array)), PyArray_DIMS(arrayOf(array)) + PyArray_NDIM(arrayOf(array)));
  nb::object type = array.attr("dtype");
  return nb::str(nb::handle(type)).c_str() + describeShape(shape, nullptr);
}

bool hasType(const nb::object &array, const Tensor &tensor) {
  return PyArray_EquivTypes(PyArray_DESCR(arrayOf(array)), reinterpret_cast<PyArray_Descr *>(tensor.numpyType.ptr()));
}

/// Any object as an array. What has a dtype keeps it; lists and numbers become what the model declares.
nb::object makeArray(nb::handle given, const Tensor &tensor) {
  if (PyArray_CheckExact(given.ptr()))
    return nb::borrow(given);
  if (PyArray_IsScalar(given.ptr(), Generic)) {
    nb::object array = owned(PyArray_FROM_O(given.ptr()));
    if (hasType(array, tensor))
      return array;
  }
  return valuesModule().attr("as_array")(given, tensor.numpyType, tensor.name, tensor.describe());
}

void describeStrings(const Tensor &tensor, Operand &operand) {
  int kind = PyArray_DESCR(arrayOf(operand.array))->kind;
  if (kind != 'O' && kind != 'U' && kind != 'S' && kind != 'T')
    mismatch(tensor, describeArray(operand.array));
  // The array of objects owns what the descriptions point to.
  operand.array = owned(PyArray_FROM_OTF(operand.array.ptr(), NPY_OBJECT, NPY_ARRAY_CARRAY_RO));
  npy_intp count = PyArray_SIZE(arrayOf(operand.array));
  auto **items = static_cast<PyObject **>(PyArray_DATA(arrayOf(operand.array)));
  operand.strings.resize(size_t(count));
  for (npy_intp i = 0; i < count; ++i) {
    Py_ssize_t size = 0;
    const char *data = nullptr;
    if (items[i] && PyUnicode_Check(items[i])) {
      data = PyUnicode_AsUTF8AndSize(items[i], &size);
      if (!data) {
        // Bytes that are no UTF-8 came as surrogates, as outputs give them.
        PyErr_Clear();
        operand.encoded.push_back(owned(PyUnicode_AsEncodedString(items[i], "utf-8", "surrogateescape")));
        data = PyBytes_AS_STRING(operand.encoded.back().ptr());
        size = PyBytes_GET_SIZE(operand.encoded.back().ptr());
      }
    } else if (items[i] && PyBytes_Check(items[i])) {
      data = PyBytes_AS_STRING(items[i]);
      size = PyBytes_GET_SIZE(items[i]);
    } else {
      throw InputError(tensor.name + " expects strings, element " + std::to_string(i) + " is a " +
                       (items[i] ? Py_TYPE(items[i])->tp_name : "null"));
    }
    operand.strings[size_t(i)] = {data, size_t(size)};
  }
  operand.value.data = operand.strings.data();
}

/// Elements of so many bits together in a byte, the first in the low bits.
void pack(Operand &operand, unsigned bits) {
  operand.array = owned(PyArray_FROM_OF(operand.array.ptr(), NPY_ARRAY_CARRAY_RO));
  npy_intp count = PyArray_SIZE(arrayOf(operand.array));
  auto *items = static_cast<const uint8_t *>(PyArray_DATA(arrayOf(operand.array)));
  npy_intp perByte = 8 / bits;
  operand.packed.assign(size_t((count + perByte - 1) / perByte), 0);
  for (npy_intp i = 0; i < count; ++i)
    operand.packed[size_t(i / perByte)] |= uint8_t((items[i] & ((1 << bits) - 1)) << (i % perByte * bits));
  operand.value.data = operand.packed.data();
}

bool isAligned(PyArrayObject *array) {
  npy_intp item = PyArray_ITEMSIZE(array);
  return reinterpret_cast<uintptr_t>(PyArray_DATA(array)) % uintptr_t(item < 8 ? item : 8) == 0;
}

/// The array's strides in elements, if its last dimension is contiguous.
bool findStrides(PyArrayObject *array, std::vector<int64_t> &strides) {
  npy_intp item = PyArray_ITEMSIZE(array);
  int rank = PyArray_NDIM(array);
  for (int d = 0; d < rank; ++d) {
    if (PyArray_STRIDE(array, d) % item != 0)
      return false;
    strides.push_back(PyArray_STRIDE(array, d) / item);
  }
  return rank == 0 || strides.back() == 1 || PyArray_DIM(array, rank - 1) < 2;
}

/// Points at the array's data, or at that of a copy where the model takes no gaps between rows.
void describeData(const Tensor &tensor, Operand &operand) {
  PyArrayObject *array = arrayOf(operand.array);
  bool inPlace = isAligned(array);
  if (inPlace && tensor.takesStrides && findStrides(array, operand.strides))
    operand.value.strides = operand.strides.data();
  else if (!inPlace || !PyArray_IS_C_CONTIGUOUS(array))
    operand.array = owned(PyArray_NewCopy(array, NPY_CORDER));
  operand.value.data = PyArray_DATA(arrayOf(operand.array));
}

const char *mlTypeName(int32_t dtype) {
  switch (dtype) {
  case TENON_BF16:
    return "bfloat16";
  case TENON_F8E4M3FN:
    return "float8_e4m3fn";
  case TENON_F8E4M3FNUZ:
    return "float8_e4m3fnuz";
  case TENON_F8E5M2:
    return "float8_e5m2";
  case TENON_F8E5M2FNUZ:
    return "float8_e5m2fnuz";
  case TENON_U4:
    return "uint4";
  case TENON_I4:
    return "int4";
  case TENON_F4E2M1:
    return "float4_e2m1fn";
  case TENON_F8E8M0:
    return "float8_e8m0fnu";
  case TENON_U2:
    return "uint2";
  case TENON_I2:
    return "int2";
  default:
    return nullptr;
  }
}

int numpyTypeNumber(int32_t dtype) {
  switch (dtype) {
  case TENON_F32:
    return NPY_FLOAT32;
  case TENON_U8:
    return NPY_UINT8;
  case TENON_I8:
    return NPY_INT8;
  case TENON_U16:
    return NPY_UINT16;
  case TENON_I16:
    return NPY_INT16;
  case TENON_I32:
    return NPY_INT32;
  case TENON_I64:
    return NPY_INT64;
  case TENON_STRING:
    return NPY_OBJECT;
  case TENON_BOOL:
    return NPY_BOOL;
  case TENON_F16:
    return NPY_FLOAT16;
  case TENON_F64:
    return NPY_FLOAT64;
  case TENON_U32:
    return NPY_UINT32;
  case TENON_U64:
    return NPY_UINT64;
  case TENON_C64:
    return NPY_COMPLEX64;
  case TENON_C128:
    return NPY_COMPLEX128;
  default:
    return -1;
  }
}

nb::object newArray(const Tensor &tensor, const int64_t *shape, size_t rank) {
  if (tensor.numpyType.is_none())
    throw RunError(tensor.name + " is of a type that NumPy doesn't have: " + tenon_dtype_name(tensor.dtype));
  std::vector<npy_intp> sizes(shape, shape + rank);
  auto *type = reinterpret_cast<PyArray_Descr *>(nb::object(tensor.numpyType).release().ptr());
  return owned(
      PyArray_NewFromDescr(&PyArray_Type, type, int(sizes.size()), sizes.data(), nullptr, nullptr, 0, nullptr));
}
} // namespace

std::string Tensor::describe() const { return tenon_dtype_name(dtype) + describeShape(sizes, &symbols); }

void tenon::python::importNumPy() {
  if (PyArray_ImportNumPyAPI() < 0)
    throw nb::python_error();
}

/// What DLPack calls an element type; 0 when the runtime has none like it.
static int32_t dtypeOf(nb::dlpack::dtype type) {
  using Code = nb::dlpack::dtype_code;
  auto bySize = [&](int32_t of8, int32_t of16, int32_t of32, int32_t of64) {
    return type.bits == 8 ? of8 : type.bits == 16 ? of16 : type.bits == 32 ? of32 : type.bits == 64 ? of64 : 0;
  };
  if (type.lanes != 1)
    return 0;
  switch (Code(type.code)) {
  case Code::Int:
    return bySize(TENON_I8, TENON_I16, TENON_I32, TENON_I64);
  case Code::UInt:
    return bySize(TENON_U8, TENON_U16, TENON_U32, TENON_U64);
  case Code::Float:
    return bySize(0, TENON_F16, TENON_F32, TENON_F64);
  case Code::Bfloat:
    return bySize(0, TENON_BF16, 0, 0);
  case Code::Bool:
    return bySize(TENON_BOOL, 0, 0, 0);
  case Code::Complex:
    return type.bits == 64 ? TENON_C64 : type.bits == 128 ? TENON_C128 : 0;
  case Code::Float8_E4M3FN:
    return TENON_F8E4M3FN;
  case Code::Float8_E4M3FNUZ:
    return TENON_F8E4M3FNUZ;
  case Code::Float8_E5M2:
    return TENON_F8E5M2;
  case Code::Float8_E5M2FNUZ:
    return TENON_F8E5M2FNUZ;
  default:
    return 0;
  }
}

template <typename View> static nb::object viewOf(const View &tensor, int flags, const std::string &what) {
  int32_t dtype = dtypeOf(tensor.dtype());
  if (dtype == 0)
    throw InputError(what + " is of a type that models don't have: DLPack's code " +
                     std::to_string(tensor.dtype().code) + " with " + std::to_string(tensor.dtype().bits) + " bits");
  auto *type = reinterpret_cast<PyArray_Descr *>(numpyTypeOf(dtype).release().ptr());
  std::vector<npy_intp> shape, strides;
  for (size_t d = 0; d < tensor.ndim(); ++d) {
    shape.push_back(npy_intp(tensor.shape(d)));
    strides.push_back(npy_intp(tensor.stride(d)) * PyDataType_ELSIZE(type));
  }
  nb::object array =
      owned(PyArray_NewFromDescr(&PyArray_Type, type, int(shape.size()), shape.data(), strides.data(),
                                 const_cast<void *>(static_cast<const void *>(tensor.data())), flags, nullptr));
  nb::capsule owner(new View(tensor), [](void *kept) noexcept { delete static_cast<View *>(kept); });
  if (PyArray_SetBaseObject(arrayOf(array), owner.release().ptr()) < 0)
    throw nb::python_error();
  return array;
}

nb::object tenon::python::fromDLPack(nb::handle capsule, const std::string &what) {
  if (nb::ndarray<> tensor; nb::try_cast(capsule, tensor))
    return viewOf(tensor, NPY_ARRAY_WRITEABLE, what);
  // Only a capsule of the protocol's version 1 says that its memory is read-only.
  if (nb::ndarray<nb::ro> tensor; nb::try_cast(capsule, tensor))
    return viewOf(tensor, 0, what);
  throw InputError(what + ": '__dlpack__' gave no capsule of DLPack");
}

nb::object tenon::python::numpyTypeOf(int32_t dtype) {
  if (int number = numpyTypeNumber(dtype); number >= 0)
    return owned(reinterpret_cast<PyObject *>(PyArray_DescrFromType(number)));
  const char *name = mlTypeName(dtype);
  if (!name)
    return nb::none();
  // Imported only for models that have such a type.
  nb::object scalar = nb::module_::import_("ml_dtypes").attr(name);
  return nb::module_::import_("numpy").attr("dtype")(scalar);
}

static std::string describeAny(nb::handle value) { return nb::str(valuesModule().attr("describe")(value)).c_str(); }

/// Lists are sequences, None is an optional without a value.
static void fromItems(nb::handle given, const Tensor &tensor, Operand &operand) {
  bool isList = PyList_Check(given.ptr()) || PyTuple_Check(given.ptr());
  std::vector<nb::object> values;
  int32_t kind = TENON_TENSOR;
  if (tensor.kind == TENON_SEQUENCE) {
    if (!isList)
      throw InputError(tensor.name + " is a sequence: it expects a list, got " + describeAny(given));
    for (nb::handle item : given)
      values.push_back(nb::borrow(item));
  } else if (!given.is_none()) {
    values.push_back(nb::borrow(given));
    kind = isList ? TENON_SEQUENCE : TENON_TENSOR;
  }
  for (const nb::object &value : values) {
    operand.items.push_back(std::make_unique<Operand>());
    fromPython(value, tensor.element(kind), *operand.items.back());
    operand.itemValues.push_back(&operand.items.back()->value);
  }
  operand.value.kind = tensor.kind;
  operand.value.dtype = tensor.dtype;
  operand.value.count = int64_t(values.size());
  operand.value.items = operand.itemValues.data();
}

int32_t tenon::python::dtypeOf(const nb::object &array) {
  PyArray_Descr *type = PyArray_DESCR(arrayOf(array));
  if (std::strchr("OUST", type->kind))
    return TENON_STRING;
  for (int32_t dtype = TENON_F32; dtype <= TENON_I2; ++dtype) {
    // Those that NumPy lacks have numbers of their own: what doesn't need them doesn't load them.
    if (dtype == TENON_STRING || (type->type_num < 256 && numpyTypeNumber(dtype) < 0))
      continue;
    nb::object known = numpyTypeOf(dtype);
    if (!known.is_none() && PyArray_EquivTypes(type, reinterpret_cast<PyArray_Descr *>(known.ptr())))
      return dtype;
  }
  throw InputError("an array of dtype " + describeArray(array) + " can't be a value of a model");
}

void tenon::python::fromAnyPython(nb::handle given, const std::string &name, Operand &operand) {
  Tensor tensor{name, TENON_TENSOR, 0, {}, {}, {}, false, true};
  nb::handle first = given;
  if (PyList_Check(given.ptr()) || PyTuple_Check(given.ptr())) {
    tensor.kind = TENON_SEQUENCE;
    if (PySequence_Size(given.ptr()) == 0) {
      operand.value.kind = TENON_SEQUENCE;
      return;
    }
    first = nb::borrow<nb::object>(given[0]);
  } else if (given.is_none()) {
    operand.value.kind = TENON_OPTIONAL;
    return;
  }
  tensor.dtype = dtypeOf(owned(PyArray_FROM_O(first.ptr())));
  tensor.numpyType = numpyTypeOf(tensor.dtype);
  fromPython(given, tensor, operand);
}

void tenon::python::fromPython(nb::handle given, const Tensor &tensor, Operand &operand) {
  if (tensor.kind != TENON_TENSOR)
    return fromItems(given, tensor, operand);
  operand.array = makeArray(given, tensor);
  PyArrayObject *array = arrayOf(operand.array);
  if (tensor.dtype != TENON_STRING) {
    auto *expected = reinterpret_cast<PyArray_Descr *>(tensor.numpyType.ptr());
    if (PyArray_ISBYTESWAPPED(array) && PyArray_TYPE(array) == expected->type_num) {
      Py_INCREF(expected);
      operand.array = owned(PyArray_FromArray(array, expected, NPY_ARRAY_CARRAY_RO));
      array = arrayOf(operand.array);
    }
    if (!hasType(operand.array, tensor))
      mismatch(tensor, describeArray(operand.array));
  }
  operand.shape.assign(PyArray_DIMS(array), PyArray_DIMS(array) + PyArray_NDIM(array));
  bool fits = tensor.hasAnySizes || operand.shape.size() == tensor.sizes.size();
  for (size_t d = 0; fits && !tensor.hasAnySizes && d < operand.shape.size(); ++d)
    fits = tensor.sizes[d] < 0 || tensor.sizes[d] == operand.shape[d];
  if (!fits)
    mismatch(tensor, describeArray(operand.array));
  operand.value.dtype = tensor.dtype;
  operand.value.rank = int64_t(operand.shape.size());
  operand.value.shape = operand.shape.data();
  if (tensor.dtype == TENON_STRING)
    describeStrings(tensor, operand);
  else if (tenon_dtype_bits(tensor.dtype) < 8)
    pack(operand, tenon_dtype_bits(tensor.dtype));
  else
    describeData(tensor, operand);
}

bool tenon::python::isWrittenInPlace(int32_t dtype) { return dtype != TENON_STRING && tenon_dtype_bits(dtype) >= 8; }

void tenon::python::intoPython(nb::handle given, const Tensor &tensor, Operand &operand) {
  if (tensor.kind != TENON_TENSOR)
    throw InputError(tensor.name + " is a sequence or optional: it can't be written into an array");
  nb::object target = valuesModule().attr("array_to_write")(given, tensor.name);
  PyArrayObject *array = arrayOf(target);
  bool isSwapped = PyArray_ISBYTESWAPPED(array);
  nb::object native = isSwapped ? target.attr("dtype").attr("newbyteorder")("=") : target.attr("dtype");
  if (tensor.numpyType.is_none() || PyArray_NDIM(array) != int(tensor.sizes.size()) ||
      !PyArray_EquivTypes(reinterpret_cast<PyArray_Descr *>(native.ptr()),
                          reinterpret_cast<PyArray_Descr *>(tensor.numpyType.ptr())))
    throw InputError(tensor.name + " is " + tensor.describe() + ", the array to write into is " +
                     describeArray(target));
  operand.given = nb::borrow(given);
  bool isInPlace = isWrittenInPlace(tensor.dtype) && !isSwapped && isAligned(array) &&
                   (tensor.takesStrides ? findStrides(array, operand.strides) : bool(PyArray_IS_C_CONTIGUOUS(array)));
  if (!isInPlace && tensor.takesStrides)
    throw InputError(tensor.name + " shares its input's memory: it needs an array that is aligned and contiguous along "
                                   "its last dimension");
  operand.isCopied = !isInPlace;
  if (!isInPlace)
    return;
  operand.array = std::move(target);
  operand.shape.assign(PyArray_DIMS(array), PyArray_DIMS(array) + PyArray_NDIM(array));
  operand.value.dtype = tensor.dtype;
  operand.value.rank = int64_t(operand.shape.size());
  operand.value.shape = operand.shape.data();
  if (tensor.takesStrides)
    operand.value.strides = operand.strides.data();
  operand.value.data = PyArray_DATA(array);
}

void tenon::python::copyToGiven(const Tensor &tensor, const Operand &operand) {
  valuesModule().attr("copy_into")(operand.given, operand.array, tensor.name);
}

void tenon::python::allocate(const Tensor &tensor, const int64_t *shape, Operand &operand) {
  operand.array = newArray(tensor, shape, tensor.sizes.size());
  operand.shape.assign(shape, shape + tensor.sizes.size());
  operand.value.dtype = tensor.dtype;
  operand.value.rank = int64_t(operand.shape.size());
  operand.value.shape = operand.shape.data();
  operand.value.data = PyArray_DATA(arrayOf(operand.array));
}

nb::object tenon::python::toPython(const tenon_value &value, const Tensor &tensor) {
  if (value.kind == TENON_SEQUENCE) {
    nb::list list;
    for (int64_t i = 0; i < value.count; ++i)
      list.append(toPython(*value.items[i], tensor));
    return list;
  }
  if (value.kind == TENON_OPTIONAL)
    return value.count == 0 ? nb::none() : toPython(*value.items[0], tensor);
  if (value.dtype != tensor.dtype)
    return toPython(value, {tensor.name, TENON_TENSOR, value.dtype, {}, {}, numpyTypeOf(value.dtype)});
  nb::object result = newArray(tensor, value.shape, size_t(value.rank));
  PyArrayObject *array = arrayOf(result);
  npy_intp count = PyArray_SIZE(array);
  if (tensor.dtype == TENON_STRING) {
    auto *strings = static_cast<const tenon_string *>(value.data);
    auto **items = static_cast<PyObject **>(PyArray_DATA(array));
    for (npy_intp i = 0; i < count; ++i) {
      PyObject *text = PyUnicode_DecodeUTF8(strings[i].data, Py_ssize_t(strings[i].size), "surrogateescape");
      if (!text)
        throw nb::python_error();
      Py_XDECREF(items[i]);
      items[i] = text;
    }
    return result;
  }
  if (tenon_dtype_bits(tensor.dtype) >= 8) {
    // Outputs that the session owns are contiguous.
    if (count)
      std::memcpy(PyArray_DATA(array), value.data, size_t(PyArray_NBYTES(array)));
    return result;
  }
  auto *from = static_cast<const uint8_t *>(value.data);
  auto *to = static_cast<uint8_t *>(PyArray_DATA(array));
  unsigned bits = tenon_dtype_bits(tensor.dtype), perByte = 8 / bits;
  bool isSigned = tensor.dtype == TENON_I4 || tensor.dtype == TENON_I2;
  for (size_t i = 0; i < size_t(count); ++i) {
    auto top = uint8_t(from[i / perByte] << (perByte - 1 - i % perByte) * bits);
    to[i] = isSigned ? uint8_t(int8_t(top) >> (8 - bits)) : top >> (8 - bits);
  }
  return result;
}

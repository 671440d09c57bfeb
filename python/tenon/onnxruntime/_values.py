"""OrtValue, and element types as ONNX Runtime names them."""

import ctypes
from collections.abc import Sequence
from typing import Any, Optional, Union

import numpy

from .. import _values
from .._errors import InputError
from ._devices import check_device

# By NumPy's name: ONNX Runtime's, and the number in TensorProto.DataType.
_TYPES = {"float32": ("float", 1), "uint8": ("uint8", 2), "int8": ("int8", 3), "uint16": ("uint16", 4), "int16": ("int16", 5),
          "int32": ("int32", 6), "int64": ("int64", 7), "object": ("string", 8), "bool": ("bool", 9), "float16": ("float16", 10),
          "float64": ("double", 11), "uint32": ("uint32", 12), "uint64": ("uint64", 13), "complex64": ("complex64", 14),
          "complex128": ("complex128", 15), "bfloat16": ("bfloat16", 16), "float8_e4m3fn": ("float8e4m3fn", 17),
          "float8_e4m3fnuz": ("float8e4m3fnuz", 18), "float8_e5m2": ("float8e5m2", 19), "float8_e5m2fnuz": ("float8e5m2fnuz", 20),
          "uint4": ("uint4", 21), "int4": ("int4", 22), "float4_e2m1fn": ("float4e2m1", 23), "float8_e8m0fnu": ("float8e8m0", 24),
          "uint2": ("uint2", 25), "int2": ("int2", 26)}


def _numbered(dtype: numpy.dtype) -> tuple[str, int]:
    return _TYPES["object" if dtype.kind in "US" else dtype.name]


def dictionaries_of(key: Union[int, str]) -> str:
    """The type of a list of dicts with such keys."""
    return f"seq(map({'string' if isinstance(key, str) else 'int64'},tensor(float)))"


def type_of(dtype: numpy.dtype, kind: str = "tensor") -> str:
    """As in "tensor(float)" or "seq(tensor(int64))"."""
    tensor = f"tensor({_numbered(dtype)[0]})"
    return {"tensor": tensor, "sequence": f"seq({tensor})", "optional": f"optional({tensor})"}[kind]


def dtype_of(element_type: Any) -> numpy.dtype:
    """Of a NumPy type, or a number of TensorProto.DataType."""
    if isinstance(element_type, (int, numpy.integer)):
        name = next((name for name, (_, number) in _TYPES.items() if number == element_type), None)
        if name is None:
            raise ValueError(f"there is no element type {element_type}")
        if not hasattr(numpy, name) and name not in ("object", "bool"):
            import ml_dtypes

            return numpy.dtype(getattr(ml_dtypes, name))
        return numpy.dtype(name)
    return numpy.dtype(element_type)


def memory_at(address: int, shape: Sequence[int], dtype: numpy.dtype) -> numpy.ndarray:
    """The array at an address, which is the caller's to keep."""
    count = int(numpy.prod(shape, dtype=numpy.int64))
    if count == 0:
        return numpy.empty(tuple(shape), dtype)
    bytes_there = (ctypes.c_ubyte * (count * dtype.itemsize)).from_address(address)
    return numpy.frombuffer(bytes_there, dtype).reshape(tuple(shape))


class OrtValue:
    """A value of a run, in the CPU's memory: a tensor, a sequence of them, or an optional one."""

    def __init__(self, value: Any):
        """`value`: an array, a list of arrays, or None. Others come from `ortvalue_from_numpy` and its like."""
        self._value = value

    @classmethod
    def ortvalue_from_numpy(cls, numpy_obj: Any, device_type: str = "cpu", device_id: int = 0, vendor_id: int = -1) -> "OrtValue":
        """A tensor that is the array's memory, not a copy."""
        check_device(device_type, device_id)
        return cls(numpy.asarray(numpy_obj))

    @classmethod
    def ortvalue_from_numpy_with_onnx_type(cls, data: numpy.ndarray, onnx_element_type: int) -> "OrtValue":
        """The array's bytes as elements of a type that NumPy may not have."""
        return cls(data.view(dtype_of(onnx_element_type)))

    @classmethod
    def ortvalue_from_shape_and_type(cls, shape: Sequence[int], element_type: Any = numpy.float32, device_type: str = "cpu",
                                     device_id: int = 0, vendor_id: int = -1) -> "OrtValue":
        """A tensor that nothing was written to yet."""
        check_device(device_type, device_id)
        return cls(numpy.empty(tuple(shape), dtype_of(element_type)))

    @classmethod
    def from_dlpack(cls, data: Any) -> "OrtValue":
        return cls(_values.from_dlpack(data, "the tensor"))

    def _tensor(self) -> numpy.ndarray:
        if not isinstance(self._value, numpy.ndarray):
            raise RuntimeError("only OrtValues that are Tensors have this")
        return self._value

    def shape(self) -> list[int]:
        return list(self._tensor().shape)

    def data_type(self) -> str:
        """As in "tensor(float)"."""
        if isinstance(self._value, list):
            if self._value and isinstance(self._value[0], dict):
                return dictionaries_of(next(iter(self._value[0]), 0))
            return type_of(self._value[0].dtype, "sequence") if self._value else "seq(tensor(float))"
        return type_of(self._tensor().dtype)

    def element_type(self) -> int:
        """A number of TensorProto.DataType."""
        return _numbered(self._tensor().dtype)[1]

    def device_name(self) -> str:
        return "cpu"

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._tensor().ctypes.data

    def tensor_size_in_bytes(self) -> int:
        return self._tensor().nbytes

    def has_value(self) -> bool:
        return self._value is not None

    def is_tensor(self) -> bool:
        return isinstance(self._value, numpy.ndarray)

    def is_tensor_sequence(self) -> bool:
        return isinstance(self._value, list) and not any(isinstance(item, dict) for item in self._value)

    def is_sparse_tensor(self) -> bool:
        return False

    def update_inplace(self, np_arr: Any) -> None:
        """Copies elements of the same type and shape into the tensor."""
        target, source = self._tensor(), numpy.asarray(np_arr)
        if target.dtype != source.dtype or target.shape != source.shape:
            raise InputError(f"the tensor is {_values.describe(target)}, what it is to hold is {_values.describe(source)}")
        target[...] = source

    def __array__(self, dtype: Optional[Any] = None, copy: Optional[bool] = None) -> numpy.ndarray:
        array = self._tensor()
        converted = array if dtype is None or array.dtype == dtype else array.astype(dtype)
        if copy is False and converted is not array:
            raise ValueError(f"a tensor of {array.dtype} is no array of {numpy.dtype(dtype)} without a copy")
        return converted.copy() if copy and converted is array else converted

    def __dlpack__(self, **options: Any) -> Any:
        return self._tensor().__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._tensor().__dlpack_device__()

    # Last, since it hides the module's name from what follows.
    def numpy(self) -> numpy.ndarray:
        """The tensor's own memory."""
        return self._tensor()


def plain(value: Union[OrtValue, Any]) -> Any:
    """What a run of Tenon's takes."""
    return value._value if isinstance(value, OrtValue) else value

"""tenon.reference: the interpreter of the graph dialect, with the interface of a compiled model."""

import os
import warnings
from collections.abc import Mapping
from typing import Any, Optional

import numpy

from . import _arguments, _values
from ._errors import CompileWarning, InputError, RunError
from ._model import Runnable, TensorInfo

# As ONNX numbers element types.
_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "object", 9: "bool", 10: "float16",
           11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16", 17: "float8_e4m3fn", 18: "float8_e4m3fnuz",
           19: "float8_e5m2", 20: "float8_e5m2fnuz", 21: "uint4", 22: "int4",
           23: "float4_e2m1fn", 24: "float8_e8m0fnu", 25: "uint2", 26: "int2"}


def _dtype(number):
    name = _DTYPES.get(number)
    if name is None:
        raise RunError(f"element type {number} can't be passed to the interpreter")
    try:
        return numpy.dtype(name)
    except TypeError:
        import ml_dtypes

        return numpy.dtype(getattr(ml_dtypes, name))


_KINDS = ["tensor", "sequence", "optional"]


def _plain(value, info, number, kind):
    """What the interpreter takes: (kind, dtype, shape, bytes or strings, items)."""
    what = f"input {info.name!r}"
    is_list = isinstance(value, (list, tuple))
    if kind == "sequence":
        if not is_list:
            raise InputError(f"{what} is a sequence: it expects a list, got {_values.describe(value)}")
        return 1, number, [], b"", [_plain(item, info, number, "tensor") for item in value]
    if kind == "optional":
        items = [] if value is None else [_plain(value, info, number, "sequence" if is_list else "tensor")]
        return 2, number, [], b"", items
    expected = info.describe() if info.kind == "tensor" else f"{info.dtype} of any shape"
    array = _values.as_array(value, info.dtype, what, expected)
    if info.dtype == object and array.dtype.kind in "USTO":
        array = array.astype(object)
        if not all(isinstance(text, (str, bytes)) for text in array.flat):
            raise InputError(f"{what} expects strings, got other objects")
        texts = [text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape") for text in array.flat]
        return 0, number, list(array.shape), texts, []
    fits = info.kind != "tensor" or (len(info.shape) == array.ndim and all(
        not isinstance(size, int) or size == actual for size, actual in zip(info.shape, array.shape)))
    if array.dtype.newbyteorder("=") != info.dtype or not fits:
        raise InputError(f"{what} expects {expected}, the array is {_values.describe(array)}")
    return 0, number, list(array.shape), numpy.ascontiguousarray(array, info.dtype).tobytes(), []


def _value(plain):
    kind, number, shape, data, items = plain
    if kind == 1:
        return [_value(item) for item in items]
    if kind == 2:
        return _value(items[0]) if items else None
    if _dtype(number) == object:
        result = numpy.empty(len(data), object)
        result[:] = [text.decode("utf-8", "surrogateescape") for text in data]
        return result.reshape(shape)
    return numpy.frombuffer(data, _dtype(number)).reshape(shape).copy()


class ReferenceModel(Runnable):
    """A model that the interpreter runs: exact formulas, one op after the other, slow, one run at a time."""

    def __init__(self, model: Any, sizes: Optional[Mapping[str, int]] = None, allow_external_links: bool = False):
        """As tenon.reference."""
        path, data = _arguments.source_of(model)

        from . import _compiler

        name = "model.onnx" if path is None else os.path.basename(path)
        self.name = os.path.splitext(name)[0]
        self._model: Optional[_compiler.ReferenceModel] = _compiler.reference(
            path=path or "",
            model=data,
            name=name,
            sizes=_arguments.sizes_of(sizes),
            allow_external_links=bool(allow_external_links),
        )
        self._numbers = [info[1] for info in self._model.inputs]
        self.inputs = [self._info(info) for info in self._model.inputs]
        self.outputs = [self._info(info) for info in self._model.outputs]

    @staticmethod
    def _info(info):
        name, dtype, sizes, symbols, kind, keys = info
        shape = tuple(size if size >= 0 else symbol or None for size, symbol in zip(sizes, symbols))
        return TensorInfo(name, _dtype(dtype), shape, _KINDS[kind], keys)

    def _run(self, feeds, outputs, into):
        if self._model is None:
            raise InputError("the model is closed")
        _values.check_feeds(feeds, [info.name for info in self.inputs])
        results = self._model.run({info.name: _plain(feeds[info.name], info, number, info.kind)
                                   for info, number in zip(self.inputs, self._numbers)})
        if isinstance(results, str):
            raise RunError(results)
        values = {info.name: _value(result) for info, result in zip(self.outputs, results)}
        for name, target in (into or {}).items():
            _values.copy_into(target, values[name], f"output {name!r}")
            values[name] = target
        for info in self.outputs:
            if info.keys is not None and info.name not in (into or {}):
                values[info.name] = _values.dictionaries(values[info.name], info.keys)
        return values if outputs is None else {name: values[name] for name in outputs}

    def close(self) -> None:
        """Gives back what the model holds. A closed model can't run; closing it again does nothing."""
        self._model = None


def reference(model: Any, *, sizes: Optional[Mapping[str, int]] = None,
              allow_external_links: bool = False) -> ReferenceModel:
    """The model as the reference interpreter runs it, to compare with; arguments as for tenon.compile.

    Raises CompileError where the model can't be read, and warns as tenon.compile does.
    """
    read = ReferenceModel(model, sizes, allow_external_links)
    assert read._model is not None
    for text in read._model.warnings:
        warnings.warn(text, CompileWarning, stacklevel=2)
    return read

"""tenon.reference: the interpreter of the graph dialect, with the interface of a compiled model."""

import os
import tempfile

import numpy

from ._compile import _source
from ._model import RunError, TensorInfo

# As ONNX numbers element types.
_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "object", 9: "bool", 10: "float16",
           11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16", 17: "float8_e4m3fn", 18: "float8_e4m3fnuz",
           19: "float8_e5m2", 20: "float8_e5m2fnuz", 21: "uint4", 22: "int4"}


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


def _plain(name, value, kind, dtype, number):
    """What the interpreter takes: (kind, dtype, shape, bytes or strings, items)."""
    is_list = isinstance(value, (list, tuple))
    if kind == "sequence":
        if not is_list:
            raise RunError(f"input {name!r} is a sequence: it expects a list, got a {type(value).__name__}")
        return 1, number, [], b"", [_plain(name, item, "tensor", dtype, number) for item in value]
    if kind == "optional":
        items = [] if value is None else [_plain(name, value, "sequence" if is_list else "tensor", dtype, number)]
        return 2, number, [], b"", items
    array = numpy.asarray(value, dtype=object if dtype == object else None)
    if array.dtype != dtype:
        raise RunError(f"input {name!r} expects {dtype}, the array is {array.dtype}")
    if dtype == object:
        texts = [text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape") for text in array.flat]
        return 0, number, list(array.shape), texts, []
    return 0, number, list(array.shape), numpy.ascontiguousarray(array).tobytes(), []


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


class ReferenceModel:
    """A model that the interpreter runs: exact formulas, one op after the other, slow."""

    def __init__(self, model):
        from . import _compiler

        path, data = _source(model)
        name = "model.onnx" if path is None else os.path.basename(path)
        self._directory = tempfile.TemporaryDirectory(prefix="tenon-")
        self._model = _compiler.reference(
            path="" if path is None else path,
            model=data,
            name=name,
            constants_file=os.path.join(self._directory.name, "constants.bin"),
        )
        self.inputs = [self._info(info) for info in self._model.inputs]
        self.outputs = [self._info(info) for info in self._model.outputs]

    @staticmethod
    def _info(info):
        name, dtype, shape, kind = info
        return TensorInfo(name, _dtype(dtype), tuple(None if size < 0 else size for size in shape), _KINDS[kind])

    def run(self, feeds):
        """Runs the model on {input name: value} and gives {output name: value}. Raises RunError with the reason."""
        known = {info.name: (info, number) for info, (_, number, _, _) in zip(self.inputs, self._model.inputs)}
        plain = {}
        for name, value in feeds.items():
            if name not in known:
                raise RunError(f"the model has no input named {name!r}")
            info, number = known[name]
            plain[name] = _plain(name, value, info.kind, info.dtype, number)
        results = self._model.run(plain)
        if isinstance(results, str):
            raise RunError(results)
        return {info.name: _value(result) for info, result in zip(self.outputs, results)}


def reference(model) -> ReferenceModel:
    """The model as the reference interpreter runs it; `model` as for tenon.compile."""
    return ReferenceModel(model)

"""tenon.reference: the interpreter of the graph dialect, with the interface of a compiled model."""

import os
import tempfile

import numpy

from ._compile import _source
from ._model import RunError, TensorInfo

# As ONNX numbers element types.
_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float16",
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
        name, dtype, shape = info
        return TensorInfo(name, _dtype(dtype), tuple(None if size < 0 else size for size in shape))

    def run(self, feeds):
        """Runs the model on {input name: array} and gives {output name: array}. Raises RunError with the reason."""
        known = {info.name: (info, number) for info, (_, number, _) in zip(self.inputs, self._model.inputs)}
        plain = {}
        for name, value in feeds.items():
            if name not in known:
                raise RunError(f"the model has no input named {name!r}")
            info, number = known[name]
            array = numpy.asarray(value)
            if array.dtype != info.dtype:
                raise RunError(f"input {name!r} expects {info.dtype}, the array is {array.dtype}")
            plain[name] = (number, list(array.shape), numpy.ascontiguousarray(array).tobytes())
        results = self._model.run(plain)
        if isinstance(results, str):
            raise RunError(results)
        return {
            info.name: numpy.frombuffer(data, _dtype(number)).reshape(shape).copy()
            for info, (number, shape, data) in zip(self.outputs, results)
        }


def reference(model) -> ReferenceModel:
    """The model as the reference interpreter runs it; `model` as for tenon.compile."""
    return ReferenceModel(model)

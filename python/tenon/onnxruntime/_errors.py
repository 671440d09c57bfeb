"""The exceptions of ONNX Runtime."""

import contextlib

from .._errors import CancelledError, CompileError, InputError, RunError


class Fail(Exception):
    """A model can't be compiled, or a run was ended."""


class InvalidArgument(Exception):
    """What is given to a run is wrong."""


class InvalidGraph(Exception):
    """Never raised: Fail has all reasons why a model can't be compiled."""


class InvalidProtobuf(Exception):
    """The bytes are no model."""


class NoSuchFile(Exception):
    """There is no such file."""


class NotImplemented(Exception):  # noqa: A001: ONNX Runtime's name
    """ONNX Runtime has this and Tenon hasn't."""


class RuntimeException(Exception):
    """A run found an error in its data, or has no memory."""


_NUMBERS = {Fail: (1, "FAIL"), InvalidArgument: (2, "INVALID_ARGUMENT"), NoSuchFile: (3, "NO_SUCHFILE"),
            RuntimeException: (6, "RUNTIME_EXCEPTION"), InvalidProtobuf: (7, "INVALID_PROTOBUF"), NotImplemented: (9, "NOT_IMPLEMENTED"),
            InvalidGraph: (10, "INVALID_GRAPH")}

for _class in _NUMBERS:
    _class.__module__ = "tenon.onnxruntime.capi.onnxruntime_pybind11_state"


def error(kind, text):
    """An exception with the text that ONNX Runtime's have in front."""
    number, name = _NUMBERS[kind]
    return kind(f"[ONNXRuntimeError] : {number} : {name} : {text}")


@contextlib.contextmanager
def as_onnxruntime():
    """Turns exceptions of Tenon's into those of ONNX Runtime."""
    try:
        yield
    except InputError as found:
        raise error(InvalidArgument, found) from found
    except CancelledError as found:
        raise error(Fail, "Exiting due to terminate flag being set to true.") from found
    except CompileError as found:
        raise error(Fail, found) from found
    except RunError as found:
        raise error(RuntimeException, found) from found

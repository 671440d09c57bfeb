"""Tenon under the names of ONNX Runtime: scripts that use `onnxruntime` run with another import.

    import tenon.onnxruntime as ort

    session = ort.InferenceSession("model.onnx")
    outputs = session.run(None, {"x": array})

A session compiles its model, or loads one that `tenon.Model.save` wrote. Everything runs on the CPU. What ONNX Runtime only
takes as a hint, such as its memory arenas and levels of optimisation, is taken and changes nothing; what would change a
result and isn't there is an error, `NotImplemented`, that says what to do instead. Options of Tenon's own are session
configuration entries: "tenon.target", "tenon.accuracy", "tenon.cache", "tenon.cache_limit" and "tenon.memory_limit", as
tenon.compile describes them.
"""

from ._devices import (ExecutionMode, ExecutionOrder, GraphOptimizationLevel, OrtAllocatorType, OrtDevice, OrtMemType,
                       get_all_providers, get_available_providers, get_build_info, get_device)
from ._options import RunOptions, SessionOptions
from ._session import InferenceSession, IOBinding, ModelMetadata, NodeArg
from ._values import OrtValue

__version__ = "1.32.0"
"""The version of ONNX Runtime whose interface this is; Tenon's own is `tenon.__version__`."""


def get_version_string() -> str:
    return __version__


def set_default_logger_severity(severity: int) -> None:
    """Takes what ONNX Runtime takes. Sessions have no log: what is wrong is an error or a warning of Python."""


def set_default_logger_verbosity(verbosity: int) -> None:
    """As set_default_logger_severity."""


def disable_telemetry_events() -> None:
    """There are none."""


def enable_telemetry_events() -> None:
    """There are none."""


__all__ = ["ExecutionMode", "ExecutionOrder", "GraphOptimizationLevel", "IOBinding", "InferenceSession", "ModelMetadata", "NodeArg",
           "OrtAllocatorType", "OrtDevice", "OrtMemType", "OrtValue", "RunOptions", "SessionOptions", "disable_telemetry_events",
           "enable_telemetry_events", "get_all_providers", "get_available_providers", "get_build_info", "get_device",
           "get_version_string", "set_default_logger_severity", "set_default_logger_verbosity"]

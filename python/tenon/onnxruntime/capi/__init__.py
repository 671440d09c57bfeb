"""Where scripts look for the exceptions of ONNX Runtime."""

from . import onnxruntime_pybind11_state

__all__ = ["onnxruntime_pybind11_state"]

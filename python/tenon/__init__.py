"""Tenon compiles neural networks to native code and runs them.

    model = tenon.compile("model.onnx")
    outputs = model.run({"x": array})
    model.save("model.so")

    model = tenon.load("model.so")      # without the compiler

    tenon.reference("model.onnx").run({"x": array})     # the interpreter, for comparison
"""

from ._compile import compile
from ._model import Model, RunError, TensorInfo, load
from ._reference import reference
from ._runtime import __version__

__all__ = ["CompileError", "Model", "RunError", "TensorInfo", "compile", "load", "reference"]


def __getattr__(name):
    # The compiler is loaded when it is first needed.
    if name == "CompileError":
        from ._compiler import CompileError

        return CompileError
    raise AttributeError(f"module 'tenon' has no attribute {name!r}")

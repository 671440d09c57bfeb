"""Tenon compiles neural networks to native code and runs them.

    model = tenon.compile("model.onnx")
    outputs = model.run({"x": array})
    model.save("model.so")

    model = tenon.load("model.so")      # without the compiler

    tenon.reference("model.onnx").run({"x": array})     # the interpreter, for comparison
"""

from ._compile import compile
from ._errors import CancelledError, CompileError, CompileWarning, InputError, RunError
from ._model import Model, TensorInfo, load
from ._profile import Copies, Launch, Profile
from ._reference import ReferenceModel, reference
from ._runtime import __version__

__all__ = ["CancelledError", "CompileError", "CompileWarning", "Copies", "InputError", "Launch", "Model", "Profile", "ReferenceModel",
           "RunError", "TensorInfo", "compile", "load", "reference"]

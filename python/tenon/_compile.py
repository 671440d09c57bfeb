"""tenon.compile: from a model to one that runs."""

import os
import tempfile
from typing import Callable, Dict, Optional, Sequence, Union

from ._model import Model, _check_threads


def _source(model):
    """(path, bytes): one of them is None."""
    if isinstance(model, (str, os.PathLike)):
        return os.fspath(model), None
    if isinstance(model, (bytes, bytearray, memoryview)):
        return None, bytes(model)
    if hasattr(model, "SerializeToString"):
        return None, model.SerializeToString()
    raise TypeError(f"a model is a path, bytes of an ONNX file, or a ModelProto, not a {type(model).__name__}")


def compile(model, *, target: str = "host", threads: Optional[int] = None,
            aliases: Optional[Dict[str, str]] = None, device: Union[str, Sequence[str]] = (),
            device_libraries: Sequence = (), functions: Optional[Dict[str, Callable]] = None) -> Model:
    """Compiles a model for `target`: "host", or a list such as "avx512,avx2", of which the best is taken where it runs.

    `model` is the path of an ONNX file, its bytes, or a ModelProto; external data is looked for beside the file, or in
    the current directory. `threads` is how many threads compiling and running may use: by default one per CPU.
    `aliases` names outputs that begin with an input and may be written into the same array, {output: input}: caches.
    Such a run appends to what is there; see Model.run.
    `device` names the device that runs the kernels, or says which kernels: "tenon.contract=gpu" those with an operation
    of this name; of several the first that applies counts. `device_libraries` are shared libraries with these devices.
    `functions` are host functions, as for tenon.load. Raises CompileError, with one line for each reason.
    """
    from . import _compiler

    _check_threads(threads)
    path, data = _source(model)
    name = "model.onnx" if path is None else os.path.basename(path)
    with tempfile.TemporaryDirectory(prefix="tenon-") as directory:
        artifact = os.path.join(directory, "model.so")
        _compiler.compile(
            path="" if path is None else path,
            model=data,
            name=name,
            target=target,
            devices=[device] if isinstance(device, str) else list(device),
            threads=threads or 0,
            aliases=list((aliases or {}).items()),
            runtime_library=os.path.join(os.path.dirname(__file__), "libtenon_runtime.so"),
            output=artifact,
            constants_file=os.path.join(directory, "constants.bin"),
        )
        # The model is mapped and keeps its file open: the name is not needed any more.
        return Model(artifact, threads, device_libraries, functions)

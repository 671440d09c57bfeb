"""tenon.compile: from a model to one that runs."""

import os
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional, Union

from . import _arguments
from ._errors import CompileWarning
from ._model import Model, _Path


def compile(model: Any, *, target: str = "host", accuracy: Optional[str] = None, threads: Optional[int] = None,
            aliases: Optional[Mapping[str, str]] = None, sizes: Optional[Mapping[str, int]] = None, device: Union[str, Sequence[str]] = (),
            device_libraries: Sequence[_Path] = (),
            functions: Optional[Mapping[str, Callable[..., Any]]] = None, memory_limit: Optional[int] = None,
            cache: Optional[_Path] = None, cache_limit: Optional[int] = None,
            allow_external_links: bool = False) -> Model:
    """Compiles a model.

    Args:
      model: the path of an ONNX file, its bytes, or a ModelProto. External data is looked for beside the file, or in
        the current directory.
      target: "host", which is the CPU at hand, or CPUs such as "avx512,avx2", of which the best is taken where it runs; "@FILE"
        is a description that tenon-compile --print-target wrote.
      accuracy: what may be given up for speed. "strict" is the model's own arithmetic, "default" keeps 1e-4 of the largest
        value and what becomes of infinities and NaN, "fast" keeps about 12 bits.
      threads: how many threads compiling and running may use, 1 to 1024: by default one per CPU of the process.
      aliases: outputs that begin with an input and may be written into the same array, {output: input}: caches. Such a
        run appends to what is there; see Model.run.
      sizes: sizes of inputs that are always the same, {symbol: size}, where the model leaves them open; a size without a
        name, of dimension d of input x, is "x_d". What is then known when compiling makes a model faster, and one can be
        compiled whose ranks follow from them.
      device: the device that runs the kernels, or rules for which kernels: "tenon.contract=gpu" those with an operation
        of this name; of several the first that applies counts.
      device_libraries: paths of shared libraries with these devices.
      functions: host functions, as for tenon.load.
      memory_limit: how many bytes each run may hold, as for tenon.load.
      cache: a directory, made where there is none, that keeps what was compiled: the same model is then there at once, and
        a changed one needs only its new kernels. Any number of processes may share it.
      cache_limit: how many bytes it may hold (by default 8 GiB); what was not used for longest goes first.
      allow_external_links: follow links of a model's external data out of its directory. Only for models that you trust:
        what such a link leads to becomes part of the compiled model.

    Raises:
      CompileError: the model can't be compiled; one line for each reason.
      TypeError, ValueError: an argument is wrong.

    Warns:
      CompileWarning: the model says something that isn't so, and is compiled as its operators are.
    """
    path, data = _arguments.source_of(model)
    target = _arguments.text(target, 'target is a str such as "host" or "avx512,avx2"')
    accuracy = _arguments.accuracy(accuracy)
    pairs = _arguments.pairs_of(aliases, "aliases is a dict from names of outputs to names of inputs")
    fixed = _arguments.sizes_of(sizes)
    devices = _arguments.devices_of(device)
    _arguments.libraries_of(device_libraries)
    _arguments.functions_of(functions)
    _arguments.memory_limit(memory_limit)
    limit = _arguments.cache_limit(cache_limit)

    from . import _compiler

    # It has no name, so that nothing stays behind, however the process ends.
    with tempfile.TemporaryFile() as file:
        found = _compiler.compile(
            path=path or "",
            model=data,
            name="model.onnx" if path is None else os.path.basename(path),
            target=target,
            accuracy=accuracy,
            devices=devices,
            threads=_arguments.number_of_threads(threads),
            aliases=pairs,
            sizes=fixed,
            runtime_library=os.path.join(os.path.dirname(__file__), "libtenon_runtime.so"),
            output=file.fileno(),
            cache="" if cache is None else _arguments.path_of(cache, "cache"),
            cache_limit=limit or 0,
            allow_external_links=bool(allow_external_links),
        )
        for text in found:
            warnings.warn(text, CompileWarning, stacklevel=2)
        # The model is mapped and keeps its file open.
        return Model(f"/proc/self/fd/{file.fileno()}", threads, device_libraries, functions, memory_limit)

"""Compiled models, loaded and run. Nothing here loads the compiler."""

import ctypes
import os
import tempfile
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy

from . import _runtime
from ._runtime import RunError


class TensorInfo(NamedTuple):
    """An input or output: a size is a number, the name of one that is known when inputs are, or None."""

    name: str
    dtype: numpy.dtype
    shape: Tuple[Union[int, str, None], ...]
    kind: str = "tensor"
    """Or "sequence", "optional"; the dtype is then that of the tensors in it."""


def _address(function):
    """Functions of ctypes as addresses; Python's own stay."""
    if isinstance(function, ctypes._CFuncPtr):
        return ctypes.cast(function, ctypes.c_void_p).value
    if not callable(function):
        raise TypeError(f"a host function is something to call, not a {type(function).__name__}")
    return function


def _check_threads(threads):
    if threads is not None and not 1 <= threads <= 1024:
        raise ValueError(f"threads is {threads}, it must be between 1 and 1024")


class Model:
    """A compiled model. Threads may run it at the same time."""

    def __init__(self, path, threads: Optional[int] = None, device_libraries: Sequence = (),
                 functions: Optional[Dict[str, Callable]] = None):
        _check_threads(threads)
        # Kept open: save() copies from it, whatever happens to the path.
        self._file = open(path, "rb")
        self._functions = functions  # what addresses point to lives as long as the model
        addresses = {name: _address(function) for name, function in (functions or {}).items()}
        libraries = [os.fspath(library) for library in device_libraries]
        self._model = _runtime.Model(os.fspath(path), threads or 0, libraries, addresses)
        self.inputs: List[TensorInfo] = [TensorInfo(*info) for info in self._model.inputs]
        self.outputs: List[TensorInfo] = [TensorInfo(*info) for info in self._model.outputs]

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def variant(self) -> str:
        """The CPU that the code which runs here was compiled for."""
        return self._model.variant

    def run(self, feeds: Dict[str, Any], into: Optional[Dict[str, numpy.ndarray]] = None) -> Dict[str, numpy.ndarray]:
        """Runs the model on {input name: array} and gives {output name: array}.

        Strings are arrays of objects or of NumPy's strings, sequences are lists, an optional without a value is None.
        Arrays must have the declared dtype; lists and numbers are converted to it. Outputs named in `into` are written
        to the arrays given there, which must have the output's shape. One that was compiled with `aliases` may be a
        longer view of its input's memory, such as `cache[:, :n + 1]` for `cache[:, :n]`: what the input holds stays
        where it is. Raises RunError when a name, dtype or shape is wrong, or when the model finds an error in its data.
        """
        return self._model.run(feeds, into)

    def __call__(self, *args, **kwargs):
        """Runs the model on inputs by position or name; gives the output, or a tuple of several."""
        if len(args) > len(self.inputs):
            raise TypeError(f"the model has {len(self.inputs)} inputs, got {len(args)}")
        feeds = {info.name: value for info, value in zip(self.inputs, args)}
        for name, value in kwargs.items():
            if name in feeds:
                raise TypeError(f"input {name!r} is given twice")
            feeds[name] = value
        outputs = tuple(self._model.run(feeds, None).values())
        return outputs[0] if len(outputs) == 1 else outputs

    def save(self, path) -> None:
        """Writes the model as a file for tenon.load, tenon-run and the C interface. It appears whole or not at all."""
        path = os.fspath(path)
        handle, temporary = tempfile.mkstemp(prefix=os.path.basename(path) + ".", dir=os.path.dirname(path) or ".")
        try:
            with os.fdopen(handle, "wb") as out:
                # By position: other threads may save at the same time.
                with open(os.dup(self._file.fileno()), "rb") as source:
                    size, offset = os.fstat(source.fileno()).st_size, 0
                    while offset < size:
                        piece = os.pread(source.fileno(), 1 << 22, offset)
                        if not piece:
                            raise OSError(f"{self._file.name} has become shorter")
                        out.write(piece)
                        offset += len(piece)
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(temporary, 0o777 & ~umask)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise

    def __repr__(self):
        def side(infos):
            return ", ".join(f"{i.name}: {i.dtype}[{', '.join('?' if s is None else str(s) for s in i.shape)}]" for i in infos)

        return f"<tenon.Model {self.name!r} ({side(self.inputs)}) -> ({side(self.outputs)})>"


def load(path, *, threads: Optional[int] = None, device_libraries: Sequence = (),
         functions: Optional[Dict[str, Callable]] = None) -> Model:
    """Opens a model that was saved, or written by tenon-compile.

    `threads` is how many threads a run may use: by default one per CPU. `device_libraries` are shared
    libraries with the devices that the model was compiled for. `functions` are host functions by name, which take and
    return arrays, or are functions of ctypes with the interface of tenon_host.h. Raises OSError when the file cannot be
    read, RunError when it is not a model.
    """
    return Model(path, threads, device_libraries, functions)

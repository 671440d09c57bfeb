"""Compiled models, loaded and run. Nothing here loads the compiler."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Optional, TypeVar, Union

import numpy

from . import _arguments, _runtime, _values
from ._profile import Profile

_Path = Union[str, "os.PathLike[str]"]
_Self = TypeVar("_Self", bound="Runnable")


class TensorInfo(NamedTuple):
    """An input or output of a model."""

    name: str
    dtype: numpy.dtype
    """Of the tensor, or of the tensors in a sequence or optional; strings are objects."""
    shape: tuple[Union[int, str, None], ...]
    """A size is a number, the name of one that is known when inputs are, or None."""
    kind: str = "tensor"
    """Or "sequence", "optional"."""
    keys: Optional[tuple[Union[str, int], ...]] = None
    """Of an output that is a list of dicts, one per row: what stands for the places of the last dimension."""

    def describe(self) -> str:
        """As in float32[batch, 3, 224, 224]."""
        return f"{self.dtype}[{', '.join('?' if size is None else _values.shown(str(size)) for size in self.shape)}]"


class Runnable:
    """What a compiled model and the interpreter have in common."""

    name: str
    """Of the model: by default its file's name without the ending."""
    inputs: list[TensorInfo]
    outputs: list[TensorInfo]
    _run: Callable[..., dict[str, Any]]

    def run(self, feeds: Mapping[str, Any], outputs: Optional[Iterable[str]] = None, *,
            into: Optional[Mapping[str, Any]] = None) -> dict[str, Any]:
        """Runs the model on {input name: value} and gives {output name: value}.

        Values: A tensor is an array of the declared dtype and shape, or anything with `__dlpack__`, `__array__` or a
        buffer that has this dtype: it is read where it lies, or copied where the model takes no gaps between its rows.
        Numbers, and lists of them, become the declared dtype where nothing is lost: integers in its range, True and
        False for bool only, no float for an integer. Python's floats are rounded to a float dtype. A tensor of strings is an
        array of objects, of NumPy's strings, or a list; a sequence is a list; an optional without a value is None. An output
        with `keys`, as classifiers have one, is a list of dicts from keys to floats (given in `into`, the array of the floats).

        Args:
          feeds: a value for each input.
          outputs: the names of the outputs to give, in this order; all when None. The model computes them all.
          into: arrays, or tensors of another library with `__dlpack__`, that outputs are written to, of their dtype and
            shape. C-contiguous ones are written in place, others through a copy. An output that was compiled with
            `aliases` may get a longer view of its input's memory, such as `cache[:, :n + 1]` for `cache[:, :n]`: what the
            input holds stays where it is.

        Raises:
          InputError: a name, dtype, shape or value is wrong, or the model is closed.
          RunError: the model found an error in its data, or has no memory.
          CancelledError: another thread called `cancel`.
          KeyboardInterrupt, or what else a signal handler raises: on the main thread, handlers run during a run, too.
        """
        if type(feeds) is dict and outputs is None and into is None:
            return self._run(feeds, None, None)
        return self._run(*_values.run_arguments(feeds, outputs, into, [info.name for info in self.outputs]))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the model on inputs by position or name; gives the output, or a tuple of several."""
        if len(args) > len(self.inputs):
            raise TypeError(f"the model has {len(self.inputs)} inputs, got {len(args)}")
        feeds = {info.name: value for info, value in zip(self.inputs, args)}
        for name, value in kwargs.items():
            if name in feeds:
                raise TypeError(f"input {name!r} is given twice")
            feeds[name] = value
        results = tuple(self._run(feeds, None, None).values())
        return results[0] if len(results) == 1 else results

    def close(self) -> None:
        """Gives back what the model holds."""
        raise NotImplementedError

    def __reduce__(self):
        raise TypeError(f"a tenon.{type(self).__name__} can't be pickled or copied: make it where it is needed, "
                        "from the model's file or the one that save() wrote")

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                 traceback: Optional[TracebackType]) -> None:
        self.close()

    def __repr__(self) -> str:
        def side(infos):
            return ", ".join(f"{_values.shown(info.name)}: {info.describe()}" for info in infos)

        return f"<tenon.{type(self).__name__} {self.name!r} ({side(self.inputs)}) -> ({side(self.outputs)})>"


class Model(Runnable):
    """A compiled model. Threads may run it at the same time, and other threads of Python go on while it runs."""

    def __init__(self, path: _Path, threads: Optional[int] = None, device_libraries: Sequence[_Path] = (),
                 functions: Optional[Mapping[str, Callable[..., Any]]] = None, memory_limit: Optional[int] = None):
        """As tenon.load."""
        name = _arguments.path_of(path)
        number = _arguments.number_of_threads(threads)
        libraries = _arguments.libraries_of(device_libraries)
        self._functions = dict(functions) if isinstance(functions, Mapping) else functions  # functions of ctypes stay alive
        addresses = _arguments.functions_of(functions)
        # Kept open: save() copies from it, whatever happens to the path.
        self._file = open(name, "rb")
        self._model = _runtime.Model(name, number, libraries, addresses, _arguments.memory_limit(memory_limit))
        self._run = self._model.run
        self.name = self._model.name
        self.inputs = [TensorInfo(*info) for info in self._model.inputs]
        self.outputs = [TensorInfo(*info) for info in self._model.outputs]

    @property
    def variant(self) -> str:
        """The CPU that the code which runs here was compiled for."""
        return self._model.variant

    @property
    def metadata(self) -> dict[str, str]:
        """What the model says about itself: the entries of an ONNX model's `metadata_props`, such as the names of classes,
        and "onnx.model", "onnx.producer", "onnx.producer_version", "onnx.domain", "onnx.version", "onnx.description" and
        "onnx.graph_description", where it has them."""
        return dict(self._model.metadata)

    @property
    def memory(self) -> int:
        """Bytes that the model holds for its next runs: for temporary values, and for outputs of unknown size. Constants,
        which are mapped from the file, and runs in progress are not counted."""
        return self._model.memory()

    def trim(self) -> None:
        """Gives `memory` back; the next run takes what it needs. Without it the memory of a large run goes once some 64
        smaller ones have followed."""
        self._model.trim()

    def cancel(self) -> None:
        """Ends the runs that other threads have in progress: they raise CancelledError. Runs that start later don't."""
        self._model.cancel()

    def profile(self, feeds: Mapping[str, Any], *, runs: int = 20) -> Profile:
        """Runs the model `runs` times on `feeds` and gives what each launch of a kernel took; raises what `run` does."""
        if runs < 1:
            raise ValueError(f"runs is {runs}, it must be at least 1")
        plain, _, _ = _values.run_arguments(feeds, None, None, [])
        return Profile.made_from(self._model.profile(plain, runs))

    def __del__(self) -> None:
        # Closing is optional: no warning of an open file.
        if hasattr(self, "_file"):
            self._file.close()

    def close(self) -> None:
        """Gives back the memory, files and threads that the model holds, when runs in progress have ended. A closed model
        can't run or be saved; closing it again does nothing."""
        self._model.close()
        self._file.close()

    def save(self, path: _Path) -> None:
        """Writes the model as a file for tenon.load, tenon-run and the C interface. It appears whole or not at
        all, and what a link leads to is replaced, not the link.

        Raises OSError when the file can't be written, ValueError when the model is closed.
        """
        _runtime.save(self._file.fileno(), _arguments.path_of(path))


def load(path: _Path, *, threads: Optional[int] = None, device_libraries: Sequence[_Path] = (),
         functions: Optional[Mapping[str, Callable[..., Any]]] = None, memory_limit: Optional[int] = None) -> Model:
    """Opens a model that was saved, or written by tenon-compile. It is code: open only files that you trust.

    Args:
      path: the file.
      threads: how many threads a run may use, 1 to 1024: by default one per CPU of the process.
      device_libraries: paths of shared libraries with the devices that the model was compiled for.
      functions: host functions by name, which take and return arrays, or are functions of ctypes with the interface of
        tenon_host.h.
      memory_limit: how many bytes each run may hold, for temporary values and outputs that are no arrays yet; one that
        needs more raises RunError.

    Raises:
      OSError: the file can't be read.
      RunError: it is not a model, is damaged, or has no code for this CPU.
      TypeError, ValueError: an argument is wrong.
    """
    return Model(path, threads, device_libraries, functions, memory_limit)

"""Sessions and bindings of ONNX Runtime, over compiled models."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy

from .. import _values as values
from .._compile import compile
from .._errors import CancelledError
from .._model import Model, TensorInfo, load
from ._devices import check_device, options_of_providers
from ._errors import (Fail, InvalidArgument, InvalidProtobuf, NoSuchFile, NotImplemented,  # noqa: A004
                      as_onnxruntime, error)
from ._options import RunOptions, SessionOptions
from ._values import OrtValue, dictionaries_of, dtype_of, memory_at, plain, type_of

_Path = Union[str, "os.PathLike[str]"]
_Feeds = Mapping[str, Any]


@dataclass(frozen=True)
class NodeArg:
    """An input or output of a model."""

    name: str
    type: str
    """As in "tensor(float)"."""
    shape: list
    """A size is a number, the name of one that is known when inputs are, or None."""


@dataclass(frozen=True)
class ModelMetadata:
    """What a model says about itself."""

    custom_metadata_map: dict[str, str]
    description: str
    domain: str
    graph_description: str
    graph_name: str
    producer_name: str
    version: int


class InferenceSession:
    """A compiled model under the interface of ONNX Runtime's. Threads may run it at the same time."""

    def __init__(self, path_or_bytes: Union[_Path, bytes], sess_options: Optional[SessionOptions] = None,
                 providers: Optional[Sequence[Any]] = None, provider_options: Optional[Sequence[dict]] = None, **kwargs: Any):
        """Compiles a model.

        Args:
          path_or_bytes: the path of an ONNX file or of a compiled model, or an ONNX model's bytes.
          sess_options: see SessionOptions; configuration entries "tenon.target", "tenon.accuracy", "tenon.cache",
            "tenon.cache_limit" and "tenon.memory_limit" are arguments of tenon.compile.
          providers: names, or pairs of a name and its options, as ONNX Runtime takes them. Everything runs on the CPU: another
            provider is a warning.
          provider_options: the options, where `providers` has names only.

        Raises:
          NoSuchFile, InvalidProtobuf: there is no such file, or it is no model.
          Fail: the model can't be compiled; one line for each reason.
          TypeError, ValueError: an argument is wrong.
        """
        self._provider_options = options_of_providers(providers, provider_options)
        self._options = sess_options or SessionOptions()
        if not isinstance(self._options, SessionOptions):
            raise TypeError(f"sess_options is a tenon.onnxruntime.SessionOptions, not {values.describe(self._options)}")
        start = time.monotonic_ns()
        self._model = self._open(path_or_bytes, self._options)
        self._profiler = _Profiler(self._options, start) if self._options.enable_profiling else None
        self._inputs = [_argument_of(info) for info in self._model.inputs]
        self._outputs = [_argument_of(info) for info in self._model.outputs]

    @staticmethod
    def _open(source, options: SessionOptions) -> Model:
        if isinstance(source, (str, os.PathLike)):
            if not os.path.isfile(source):
                raise error(NoSuchFile, f"Load model from {os.fspath(source)} failed. File doesn't exist")
            with open(source, "rb") as file:
                beginning = file.read(4)
        elif isinstance(source, bytes):
            beginning = source[:4]
        else:
            raise TypeError(f"Unable to load from type '{type(source)}'")
        arguments = _arguments_of(options)
        with as_onnxruntime():
            if beginning == b"\x7fELF" and not isinstance(source, bytes):
                extra = [name for name in arguments if name not in ("threads", "memory_limit")]
                if extra:
                    raise ValueError(f"'{os.fspath(source)}' is compiled already: {', '.join(sorted(extra))} can't be chosen any more")
                return load(source, **arguments)
            try:
                return compile(source, **arguments)
            except RuntimeError as found:
                if "is no ONNX model" in str(found):
                    raise error(InvalidProtobuf, found) from found
                raise

    # What the model is.

    def get_inputs(self) -> list[NodeArg]:
        return list(self._inputs)

    def get_outputs(self) -> list[NodeArg]:
        return list(self._outputs)

    def get_overridable_initializers(self) -> list[NodeArg]:
        """None: initializers are compiled."""
        return []

    def get_modelmeta(self) -> ModelMetadata:
        said = self._model.metadata
        own = {key: value for key, value in said.items() if not key.startswith("onnx.")}
        text = lambda key: said.get(f"onnx.{key}", "")
        return ModelMetadata(own, text("description"), text("domain"), text("graph_description"), text("model"), text("producer"),
                             int(text("version") or 2**63 - 1))

    def get_session_options(self) -> SessionOptions:
        return self._options

    def get_providers(self) -> list[str]:
        return list(self._provider_options)

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        return dict(self._provider_options)

    def set_providers(self, providers: Optional[Sequence[Any]] = None, provider_options: Optional[Sequence[dict]] = None) -> None:
        """Everything runs on the CPU: another provider is a warning."""
        self._provider_options = options_of_providers(providers, provider_options)

    def enable_fallback(self) -> None:
        """There is nothing to fall back from."""

    def disable_fallback(self) -> None:
        """There is nothing to fall back from."""

    # Runs.

    def run(self, output_names: Optional[Sequence[str]], input_feed: _Feeds, run_options: Optional[RunOptions] = None) -> list:
        """Runs the model.

        Args:
          output_names: the outputs to give, in this order; all where None or empty.
          input_feed: {input name: array, or what else Model.run takes, or OrtValue}.
          run_options: see RunOptions.

        Returns: arrays, and lists of them for sequences.

        Raises:
          InvalidArgument: a name, dtype or shape is wrong.
          ValueError: a value is missing.
          RuntimeException: the model found an error in its data, or has no memory.
          Fail: `run_options.terminate` was set.
        """
        names = self._check(output_names, input_feed)
        return self._run({name: plain(value) for name, value in input_feed.items()}, names, None, run_options)

    def run_with_ort_values(self, output_names: Optional[Sequence[str]], input_dict_ort_values: Mapping[str, OrtValue],
                            run_options: Optional[RunOptions] = None) -> list[OrtValue]:
        """As `run`, with OrtValues."""
        return [OrtValue(value) for value in self.run(output_names, input_dict_ort_values, run_options)]

    def run_async(self, output_names: Optional[Sequence[str]], input_feed: _Feeds, callback: Callable[[list, Any, str], None],
                  user_data: Any, run_options: Optional[RunOptions] = None) -> None:
        """Runs the model on another thread, which calls `callback(results, user_data, error)` at the end: the error is ""
        where there are results."""
        self._check(output_names, input_feed)

        def work():
            try:
                results, text = self.run(output_names, input_feed, run_options), ""
            except Exception as found:  # noqa: BLE001: the callback's to handle
                results, text = [], str(found)
            callback(results, user_data, text)

        threading.Thread(target=work, daemon=True).start()

    def io_binding(self) -> "IOBinding":
        return IOBinding(self)

    def run_with_iobinding(self, iobinding: "IOBinding", run_options: Optional[RunOptions] = None) -> None:
        """Runs the model on what is bound, into what is bound."""
        iobinding._run(self, run_options)

    def _check(self, output_names, feeds):
        """The outputs to give; raises where a name is wrong or a value missing."""
        known = [info.name for info in self._outputs]
        names = list(output_names or known)
        for name in names:
            if name not in known:
                raise error(InvalidArgument, f"Invalid output name:{name}, the model has {', '.join(known)}")
        missing = [info.name for info in self._inputs if info.name not in feeds and not info.type.startswith("optional")]
        if missing:
            raise ValueError(f"Required inputs ({missing}) are missing from input feed ({list(feeds)}).")
        return names

    def _run(self, feeds, names, into, options: Optional[RunOptions]) -> list:
        for info in self._inputs:
            if info.type.startswith("optional"):
                feeds.setdefault(info.name, None)
        with as_onnxruntime(), _Running(self._model, options) as running:
            while True:
                try:
                    results = self._model.run(feeds, list(dict.fromkeys(names)), into=into)
                    break
                except CancelledError:
                    # Cancelling ends all runs of the model, also those with other options. What was begun in bound memory,
                    # which may be an input's, can't be done again.
                    if running.is_ended():
                        raise
                    if into:
                        raise error(Fail, "a run of this session with other options was terminated, and this one, which writes into "
                                          "bound memory, with it: run it again") from None
            if self._profiler:
                self._profiler.measure(self._model, feeds)
        return [results[name] for name in names]

    # Profiles.

    def end_profiling(self) -> str:
        """Writes what runs took, as events of Chrome's trace format, and gives the file's name: "" without profiling."""
        return self._profiler.write() if self._profiler else ""

    def get_profiling_start_time_ns(self) -> int:
        return self._profiler.start if self._profiler else 0


class _Running:
    """A run that its options may end."""

    def __init__(self, model: Model, options: Optional[RunOptions]):
        if options is not None and not isinstance(options, RunOptions):
            raise TypeError(f"run_options is a tenon.onnxruntime.RunOptions, not {values.describe(options)}")
        self._model, self._options = model, options

    def is_ended(self) -> bool:
        return self._options is not None and self._options.terminate

    def __enter__(self) -> "_Running":
        if self._options is not None:
            with self._options._lock:
                self._options._running.append(self._model)
            if self._options.terminate:
                self.__exit__()
                raise CancelledError("the run was cancelled")
        return self

    def __exit__(self, *_: Any) -> None:
        if self._options is not None:
            with self._options._lock:
                self._options._running.remove(self._model)


class _Profiler:
    def __init__(self, options: SessionOptions, start: int):
        self.start, self._prefix, self._events, self._lock = start, options.profile_file_prefix, [], threading.Lock()
        self._add("Session", "session_initialization", start, time.monotonic_ns() - start, {})

    def _add(self, category, name, start, duration, said):
        self._events.append({"cat": category, "pid": os.getpid(), "tid": threading.get_ident(), "dur": duration // 1000,
                             "ts": (start - self.start) // 1000, "ph": "X", "name": name, "args": said})

    def measure(self, model: Model, feeds: _Feeds) -> None:
        start = time.monotonic_ns()
        launches = model.profile(feeds, runs=1).launches
        with self._lock:
            self._add("Session", "model_run", start, time.monotonic_ns() - start, {})
            for launch in launches:
                duration = int(launch.seconds * 1e9)
                self._add("Node", launch.nodes, start, duration, {"op_name": launch.kernel, "provider": "CPUExecutionProvider"})
                start += duration

    def write(self) -> str:
        name = self._prefix + time.strftime("_%Y-%m-%d_%H-%M-%S") + f"_{time.time_ns() // 1000000 % 1000:03}.json"
        with self._lock, open(name, "x") as file:
            json.dump(self._events, file)
        return name


class IOBinding:
    """Inputs and outputs of a session's runs, and where they lie."""

    def __init__(self, session: InferenceSession):
        self._session = session
        self.clear_binding_inputs()
        self.clear_binding_outputs()

    def bind_cpu_input(self, name: str, arr_on_cpu: Any) -> None:
        """The array is read when the session runs: it must hold its values then."""
        self._check(name, self._session._inputs, "input")
        self._inputs[name] = arr_on_cpu

    def bind_input(self, name: str, device_type: str, device_id: int, element_type: Any, shape: Sequence[int], buffer_ptr: int) -> None:
        """Memory at an address, which is the caller's to keep."""
        check_device(device_type, device_id)
        self.bind_cpu_input(name, memory_at(buffer_ptr, shape, dtype_of(element_type)))

    def bind_ortvalue_input(self, name: str, ortvalue: OrtValue) -> None:
        self.bind_cpu_input(name, plain(ortvalue))

    def bind_output(self, name: str, device_type: str = "cpu", device_id: int = 0, element_type: Any = None,
                    shape: Optional[Sequence[int]] = None, buffer_ptr: Optional[int] = None) -> None:
        """An output that each run makes, or, with an address, that is written there."""
        check_device(device_type, device_id)
        self._check(name, self._session._outputs, "output")
        if buffer_ptr is None:
            self._outputs[name] = None
        elif element_type is None or shape is None:
            raise ValueError("`element_type` and `shape` are to be provided if pre-allocated memory is provided")
        else:
            self._outputs[name] = memory_at(buffer_ptr, shape, dtype_of(element_type))

    def bind_ortvalue_output(self, name: str, ortvalue: OrtValue) -> None:
        """The tensor is written to."""
        self._check(name, self._session._outputs, "output")
        self._outputs[name] = ortvalue.numpy()

    def get_outputs(self) -> list[OrtValue]:
        """Of the last run, in the order of binding."""
        return [OrtValue(value) for value in self._results]

    def copy_outputs_to_cpu(self) -> list:
        """Of the last run, in the order of binding."""
        return [value.copy() if isinstance(value, numpy.ndarray) else value for value in self._results]

    def clear_binding_inputs(self) -> None:
        self._inputs: dict[str, Any] = {}

    def clear_binding_outputs(self) -> None:
        self._outputs: dict[str, Optional[numpy.ndarray]] = {}
        self._results: list = []

    def synchronize_inputs(self) -> None:
        """Nothing is copied in the background."""

    def synchronize_outputs(self) -> None:
        """Nothing is copied in the background."""

    @staticmethod
    def _check(name, arguments: list[NodeArg], role: str) -> None:
        known = [info.name for info in arguments]
        if name not in known:
            raise RuntimeError(f"Failed to find NodeArg with name: {name}: the model has {role} {', '.join(known)}")

    def _run(self, session: InferenceSession, options: Optional[RunOptions]) -> None:
        if session is not self._session:
            raise ValueError("IOBinding must be used with the session that created it.")
        if not self._outputs:
            raise RuntimeError("Error in execution: At least one output should be requested.")
        names = session._check(list(self._outputs), self._inputs)
        into = {name: array for name, array in self._outputs.items() if array is not None}
        self._results = session._run(dict(self._inputs), names, into or None, options)


def _argument_of(info: TensorInfo) -> NodeArg:
    if info.keys:
        return NodeArg(info.name, dictionaries_of(info.keys[0]), [])
    return NodeArg(info.name, type_of(info.dtype, info.kind), list(info.shape))


_ENTRIES = {"target": str, "accuracy": str, "cache": str, "cache_limit": int, "memory_limit": int}


def _arguments_of(options: SessionOptions) -> dict[str, Any]:
    """Of tenon.compile."""
    arguments: dict[str, Any] = {}
    if options.intra_op_num_threads < 0:
        raise ValueError(f"intra_op_num_threads is {options.intra_op_num_threads}, it must be at least 0")
    if options.intra_op_num_threads:
        arguments["threads"] = options.intra_op_num_threads
    if options._sizes:
        arguments["sizes"] = dict(options._sizes)
    for key, value in options._entries.items():
        if key == "session.load_model_format" and value.upper() != "ONNX":
            raise error(NotImplemented, f"Tenon reads ONNX models and its own, not those in format {value}")
        if not key.startswith("tenon."):
            continue
        name = key[len("tenon."):]
        if name not in _ENTRIES:
            raise ValueError(f"there is no configuration entry '{key}': Tenon has {', '.join(f'tenon.{name}' for name in _ENTRIES)}")
        try:
            arguments[name] = _ENTRIES[name](value)
        except ValueError as found:
            raise ValueError(f"the configuration entry '{key}' is a number, not '{value}'") from found
    return arguments

"""Options of sessions and runs."""

import operator
import os
import threading

from ._devices import ExecutionMode, ExecutionOrder, GraphOptimizationLevel
from ._errors import NotImplemented, error  # noqa: A004


class _Options:
    """Attributes with a type and a value at first; others are errors, since they would be misspelt."""

    _FIELDS: dict = {}

    def __init__(self):
        for name, value in self._FIELDS.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_entries", {})

    def __setattr__(self, name, value):
        if name not in self._FIELDS:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        wanted = type(self._FIELDS[name])
        try:
            if wanted is str and not isinstance(value, (str, os.PathLike)):
                raise TypeError
            value = os.fspath(value) if wanted is str else wanted(operator.index(value))
        except TypeError:
            raise TypeError(f"{name} is {'an' if wanted is int else 'a'} {wanted.__name__}, not {value!r}") from None
        object.__setattr__(self, name, value)

    def _add(self, key, value):
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"a configuration entry has a str as key and value, not {key!r}: {value!r}")
        self._entries[key] = value

    def _get(self, key):
        if key not in self._entries:
            raise RuntimeError(f"{type(self).__name__} does not have configuration with key: {key}")
        return self._entries[key]


class SessionOptions(_Options):
    """As of ONNX Runtime. `intra_op_num_threads` is the number of threads (0: one per CPU), `enable_profiling` measures each
    run a second time; the others are hints."""

    _FIELDS = {"enable_cpu_mem_arena": True, "enable_mem_pattern": True, "enable_mem_reuse": True, "enable_profiling": False,
               "execution_mode": ExecutionMode.ORT_SEQUENTIAL, "execution_order": ExecutionOrder.DEFAULT,
               "graph_optimization_level": GraphOptimizationLevel.ORT_ENABLE_ALL, "inter_op_num_threads": 0,
               "intra_op_num_threads": 0, "log_severity_level": -1, "log_verbosity_level": 0, "logid": "",
               "optimized_model_filepath": "", "profile_file_prefix": "onnxruntime_profile_", "use_deterministic_compute": False,
               "use_per_session_threads": True}

    def __init__(self):
        super().__init__()
        object.__setattr__(self, "_sizes", {})

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "optimized_model_filepath" and value:
            object.__setattr__(self, name, "")
            raise error(NotImplemented, "Tenon has no optimised ONNX model: tenon.compile(model).save(path) writes the compiled one, "
                                        "which InferenceSession(path) loads")

    def add_session_config_entry(self, key: str, value: str) -> None:
        self._add(key, value)

    def get_session_config_entry(self, key: str) -> str:
        return self._get(key)

    def add_free_dimension_override_by_name(self, name: str, size: int) -> None:
        """Fixes a size that the model leaves open: `sizes` of tenon.compile."""
        self._sizes[name] = size

    def add_free_dimension_override_by_denotation(self, denotation: str, size: int) -> None:
        raise error(NotImplemented, "Tenon doesn't read denotations of dimensions: use add_free_dimension_override_by_name")

    def add_initializer(self, name: str, value: object) -> None:
        raise error(NotImplemented, f"Tenon compiles the model's own initializers: put '{name}' into the model, or make it an input")

    def add_external_initializers(self, names: list, values: list) -> None:
        raise error(NotImplemented, "Tenon compiles the model's own initializers: put them into the model, or make them inputs")

    def register_custom_ops_library(self, path: str) -> None:
        raise error(NotImplemented, "Tenon calls functions from outside as host functions: tenon.compile(..., functions=...)")

    def add_provider(self, name: str, options: dict) -> None:
        raise error(NotImplemented, "Tenon has one provider: leave it out, or give providers to InferenceSession")

    def has_providers(self) -> bool:
        return False


class RunOptions(_Options):
    """As of ONNX Runtime: setting `terminate` ends the runs in progress that have these options, and those to come. Runs of the
    same session with other options begin again; where they write into bound memory they raise `Fail`. The others are hints."""

    _FIELDS = {"log_severity_level": -1, "log_verbosity_level": 0, "logid": "", "only_execute_path_to_fetches": False,
               "terminate": False}

    def __init__(self):
        super().__init__()
        object.__setattr__(self, "_lock", threading.Lock())
        object.__setattr__(self, "_running", [])

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "terminate" and value:
            with self._lock:
                models = list(self._running)
            for model in models:
                model.cancel()

    def add_run_config_entry(self, key: str, value: str) -> None:
        self._add(key, value)

    def get_run_config_entry(self, key: str) -> str:
        return self._get(key)

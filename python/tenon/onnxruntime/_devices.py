"""What ONNX Runtime names around sessions: providers, devices, and the values of options."""

import enum
import warnings
from collections.abc import Sequence

from .._runtime import __version__ as _tenon_version
from ._errors import NotImplemented, error  # noqa: A004


class GraphOptimizationLevel(enum.IntEnum):
    """A hint: Tenon compiles every model the same way."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(enum.IntEnum):
    """A hint: kernels run one after the other, each on all threads."""

    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class ExecutionOrder(enum.IntEnum):
    """A hint."""

    DEFAULT = 0
    PRIORITY_BASED = 1
    MEMORY_EFFICIENT = 2


class OrtAllocatorType(enum.IntEnum):
    INVALID = -1
    ORT_DEVICE_ALLOCATOR = 0
    ORT_ARENA_ALLOCATOR = 1


class OrtMemType(enum.IntEnum):
    CPU_INPUT = -2
    CPU_OUTPUT = -1
    CPU = -1
    DEFAULT = 0


class OrtDevice:
    """Memory of the CPU: there is no other."""

    def __init__(self, name: str, number: int):
        check_device(name, number)

    @staticmethod
    def make(ort_device_name: str, device_id: int, vendor_id: int = -1) -> "OrtDevice":
        return OrtDevice(ort_device_name, device_id)

    @staticmethod
    def cpu() -> int:
        return 0

    @staticmethod
    def default_memory() -> int:
        return 0

    def device_id(self) -> int:
        return 0

    def device_type(self) -> int:
        return 0

    def device_vendor_id(self) -> int:
        return 0

    def device_mem_type(self) -> int:
        return 0


def check_device(name, number=0):
    """Refuses memory that isn't the CPU's."""
    if not isinstance(name, str):
        raise TypeError(f"a device's name is a str such as 'cpu', not {name!r}")
    if name.lower() != "cpu" or number != 0:
        raise error(NotImplemented, f"tenon.onnxruntime has no memory on device '{name}' {number}: bind arrays on 'cpu' 0")


_PROVIDERS = ["CPUExecutionProvider"]


def get_available_providers() -> list[str]:
    return list(_PROVIDERS)


def get_all_providers() -> list[str]:
    return list(_PROVIDERS)


def get_device() -> str:
    return "CPU"


def get_build_info() -> str:
    return f"Tenon {_tenon_version}"


def options_of_providers(providers, provider_options):
    """Checks what a session gets of providers, as ONNX Runtime does, and gives the options of those that there are."""
    given = [] if providers is None else providers
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError("'providers' should be a sequence.")
    if provider_options is not None and providers is not None:
        if len(provider_options) != len(given):
            raise ValueError("'providers' and 'provider_options' should be the same length if both are given.")
        given = list(zip(given, provider_options))
    options = {}
    for provider in given:
        name, values = provider if isinstance(provider, tuple) and len(provider) == 2 else (provider, {})
        if not isinstance(name, str) or not isinstance(values, dict):
            raise ValueError("'providers' values must be either strings or (string, dict) tuples.")
        if name not in _PROVIDERS:
            warnings.warn(f"Specified provider '{name}' is not in available provider names. Available providers: "
                          f"'{', '.join(_PROVIDERS)}'", stacklevel=4)
        else:
            options[name] = {str(key): str(value) for key, value in values.items()}
    return options or {name: {} for name in _PROVIDERS}

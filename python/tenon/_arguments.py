"""Arguments of compile and load, checked before native code sees them: a sentence for each that is wrong."""

import ctypes
import operator
import os
from collections.abc import Mapping

_MODEL_SUFFIXES = (b".onnx", b".mlir", b".mlirbc", b".so")


def _kind(value):
    return "None" if value is None else f"a {type(value).__name__}"


def path_of(path, what="a path"):
    """A file's name as text."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{what} is a str or an os.PathLike, not {_kind(path)}")
    path = os.fsdecode(path)
    if "\0" in path:
        raise ValueError(f"{what} has a null character: {path!r}")
    return path


def source_of(model):
    """(path, bytes) of a model: one of them is None."""
    if isinstance(model, (str, os.PathLike)):
        return path_of(model, "the path of a model"), None
    if isinstance(model, (bytes, bytearray, memoryview)):
        data = bytes(model)
        # A ModelProto has control characters: its version has tag 8.
        if data and min(data) >= 32 and (data.endswith(_MODEL_SUFFIXES) or (len(data) < 4096 and os.path.exists(data))):
            raise TypeError(f"bytes are the contents of an ONNX file; of the file {os.fsdecode(data)!r} pass the name as a str")
        return None, data
    if hasattr(model, "SerializeToString"):
        return None, model.SerializeToString()
    raise TypeError(f"a model is a path, the bytes of an ONNX file, or a ModelProto, not {_kind(model)}")


def _number(value, what, least, most, optional=True):
    """0 where none is given."""
    if value is None and optional:
        return 0
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{what} is a whole number{' or None' if optional else ''}, not {_kind(value)}")
    number = operator.index(value)
    if not least <= number <= most:
        raise ValueError(f"{what} is {number}, it must be between {least} and {most}")
    return number


def number_of_threads(threads):
    return _number(threads, "threads", 1, 1024)


def memory_limit(limit):
    return _number(limit, "memory_limit", 1, 2**63 - 1)


def cache_limit(limit):
    return _number(limit, "cache_limit", 1, 2**63 - 1)


def text(value, what):
    if not isinstance(value, str):
        raise TypeError(f"{what}, not {_kind(value)}")
    return value


def accuracy(name):
    """Its name, empty where none is given."""
    if name is None:
        return ""
    if text(name, "accuracy is a str or None") not in ("strict", "default", "fast"):
        raise ValueError(f'accuracy is {name!r}, it must be "strict", "default" or "fast"')
    return name


def pairs_of(mapping, what):
    """The items of a dict between names."""
    if mapping is None:
        return []
    if not isinstance(mapping, Mapping):
        raise TypeError(f"{what}, not {_kind(mapping)}")
    return [(text(key, f"{what}: a key is a str"), text(value, f"{what}: a value is a str")) for key, value in mapping.items()]


def sizes_of(sizes):
    """(name, size) of the sizes that are fixed."""
    what = "sizes is a dict from names of sizes to whole numbers"
    if sizes is None:
        return []
    if not isinstance(sizes, Mapping):
        raise TypeError(f"{what}, not {_kind(sizes)}")
    return [(text(name, f"{what}: a key is a str"), _number(size, f"size {name!r}", 0, 2**63 - 1, optional=False))
            for name, size in sizes.items()]


def list_of(values, what):
    """A list that isn't the characters of one text."""
    if isinstance(values, (str, bytes, os.PathLike, Mapping)):
        raise TypeError(f"{what}, not {_kind(values)}")
    try:
        return list(values)
    except TypeError:
        raise TypeError(f"{what}, not {_kind(values)}") from None


def devices_of(device):
    what = "device is the name of a device, or a list of rules such as 'tenon.contract=gpu'"
    rules = [device] if isinstance(device, str) else list_of(device, what)
    return [text(rule, what) for rule in rules]


def libraries_of(libraries):
    return [path_of(library, "each of device_libraries") for library in list_of(libraries, "device_libraries is a list of paths")]


def functions_of(functions):
    """Host functions by name: functions of ctypes as addresses, Python's own as they are."""
    what = "functions is a dict from names to functions"
    if functions is None:
        return {}
    if not isinstance(functions, Mapping):
        raise TypeError(f"{what}, not {_kind(functions)}")
    result = {}
    for name, function in functions.items():
        if isinstance(function, ctypes._CFuncPtr):  # type: ignore[attr-defined]
            function = ctypes.cast(function, ctypes.c_void_p).value
        elif not callable(function):
            raise TypeError(f"a host function is something to call, not {_kind(function)}")
        result[text(name, f"{what}: a name is a str")] = function
    return result

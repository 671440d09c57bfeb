"""Values of a run as arrays: what is converted, and what is refused because something would be lost.

What has a dtype (arrays, buffers, DLPack) keeps it, and it must be the declared one. Numbers and lists of numbers have
none: they become the declared one where nothing is lost, except that a float is rounded as in a program's text.
"""

import operator
from collections.abc import Mapping, Sequence

import numpy

from . import _runtime
from ._errors import InputError

_MAX_RANK = 64
# What may stand for an element; whether it does depends on the dtype.
_ITEMS = (bool, int, float, complex, str, bytes, numpy.generic)


def shown(name):
    """A name of a model's, as `repr` writes it where it isn't plain."""
    return name if name.isprintable() else repr(name)[1:-1]


def describe(value):
    """What an error calls a value."""
    if value is None:
        return "None"
    if isinstance(value, numpy.ndarray):
        return f"{value.dtype}[{', '.join(map(str, value.shape))}]"
    return f"a {type(value).__name__}"


def check_names(given, names, role):
    """Each name that is given must be one of `names`."""
    known = ", ".join(map(repr, names))
    for name in given:
        if name not in names:
            raise InputError(f"the model has no {role} {name!r}" + (f", it has {known}" if known else ""))


def check_feeds(feeds, names):
    """There must be a value for each input, and for nothing else."""
    check_names(feeds, names, "input")
    missing = [repr(name) for name in names if name not in feeds]
    if missing:
        raise InputError(f"no value is given for input {', '.join(missing)}")


def dictionaries(array, keys):
    """One dict per row."""
    return [dict(zip(keys, row)) for row in array.tolist()]


def run_arguments(feeds, outputs, into, names):
    """The arguments of `run` as a dict, a list or None, and a dict or None; `names` are those of the outputs."""
    if not isinstance(feeds, Mapping):
        if isinstance(outputs, Mapping):
            # As in onnxruntime.InferenceSession.run.
            chosen = f", outputs={list(feeds)!r}" if isinstance(feeds, (list, tuple)) else ""
            raise InputError(f"run takes the inputs first and gives a dict: write run({{...}}{chosen})")
        raise InputError(f"run expects a dict from input names to arrays, got {describe(feeds)}")
    if isinstance(outputs, Mapping):
        raise InputError("outputs is a list of names; arrays to write into are given by name: run(feeds, into={...})")
    if outputs is not None:
        if isinstance(outputs, (str, bytes)) or not hasattr(outputs, "__iter__"):
            raise InputError(f"outputs is a list of names such as [{names[0] if names else 'y'!r}], not {describe(outputs)}")
        outputs = list(outputs)
        check_names(outputs, names, "output")
    if into is not None:
        if not isinstance(into, Mapping):
            raise InputError(f"into is a dict from output names to arrays, not {describe(into)}")
        check_names(into, names, "output")
        for name in into:
            if outputs is not None and name not in outputs:
                raise InputError(f"into names output {name!r}, which is not among outputs={outputs!r}")
        into = dict(into)
    return dict(feeds), outputs, into


def from_dlpack(value, what):
    """A view of the memory of a tensor of another library, on the CPU."""
    try:
        kind, _ = value.__dlpack_device__() if hasattr(value, "__dlpack_device__") else (1, 0)
        if int(kind) not in (1, 3, 11):  # CPU, and host memory that CUDA or ROCm pinned
            raise InputError(f"{what} is on another device ({kind!r}): move it to the CPU")
        try:
            capsule = value.__dlpack__(max_version=(1, 1))
        except TypeError:  # before version 1.0 of the protocol
            capsule = value.__dlpack__()
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{what}: {describe(value)} gives no DLPack: {error}") from error
    return _runtime.from_dlpack(capsule, what)


def copy_into(target, result, what):
    """Writes a result into an array of its dtype and shape, whatever its strides, or a tensor with `__dlpack__`."""
    if isinstance(result, list) or result is None:
        raise InputError(f"{what} is a sequence or optional: it can't be written into an array")
    array = array_to_write(target, what)
    if array.dtype.newbyteorder("=") != result.dtype or array.shape != result.shape:
        raise InputError(f"{what} is {describe(result)}, the array to write into is {describe(array)}")
    array[...] = result


def array_to_write(target, what):
    """The memory of what `into` gives, as an array."""
    if isinstance(target, numpy.ndarray):
        array = target
    elif hasattr(type(target), "__dlpack__"):
        array = from_dlpack(target, what)
        if array.flags.writeable and _is_immutable(target):
            array.flags.writeable = False
    else:
        raise InputError(f"{what} can be written into an array only, not {describe(target)}")
    if not array.flags.writeable:
        raise InputError(f"{what}: the array to write into is read-only")
    return array


def _is_immutable(tensor):
    """Whether a tensor of another library is read-only to NumPy: before DLPack 1.0, and from JAX, a capsule doesn't say so."""
    try:
        return not numpy.asarray(tensor).flags.writeable
    except Exception:  # such as torch's for types that NumPy doesn't have
        return False


def _is_buffer(value):
    try:
        memoryview(value).release()
        return True
    except TypeError:
        return False


def _has_dtype(value):
    return (isinstance(value, numpy.ndarray) or hasattr(type(value), "__dlpack__")
            or any(hasattr(value, name) for name in ("__array__", "__array_interface__", "__array_struct__"))
            or (not isinstance(value, bytes) and _is_buffer(value)))


def _with_dtype(value, what):
    if isinstance(value, numpy.ndarray):
        if numpy.ma.is_masked(value):
            raise InputError(f"{what} is an array with masked elements: fill them first")
        return numpy.asarray(value)
    if hasattr(type(value), "__dlpack__"):
        return from_dlpack(value, what)
    try:
        return numpy.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{what}: {describe(value)} gives no array: {error}") from error


def as_array(value, dtype, what, expected):
    """An array for `what`, such as "input 'x'", that expects `dtype` and is described as `expected`.

    What has a dtype keeps it: comparing is left to the caller. Raises InputError where a value can't be converted.
    """
    if _has_dtype(value) and not isinstance(value, numpy.generic):
        return _with_dtype(value, what)
    return _List(value, dtype, f"{what} expects {expected}").array()


class _List:
    """A number, or nested lists of them, on the way to an array."""

    def __init__(self, value, dtype, expects):
        self.dtype, self.expects = dtype, expects
        self.shape, self.items = [], []
        self.is_scalar = not self._is_list(value)
        if self.is_scalar and not isinstance(value, _ITEMS):
            self._refuse(f"got {describe(value)}")
        self._measure(value)
        self._collect(value, 0)

    def _refuse(self, what):
        raise InputError(f"{self.expects}, {what}")

    def _refuse_item(self, number, reason=""):
        item = self.items[number]
        where = "the value"
        if not self.is_scalar:
            index = numpy.unravel_index(number, self.shape)
            where = f"element [{', '.join(str(int(i)) for i in index)}]"
        shown = repr(item) if isinstance(item, (bool, int, float, complex, str, bytes)) and len(repr(item)) < 60 else describe(item)
        self._refuse(f"{where} is {shown}{reason}")

    @staticmethod
    def _is_list(value):
        return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview))

    def _opened(self, value):
        """Arrays in lists as lists, where they have the declared dtype."""
        if isinstance(value, numpy.generic) or not _has_dtype(value):
            return value
        array = _with_dtype(value, "an element of the list")
        if array.dtype.newbyteorder("=") != self.dtype:
            self._refuse(f"the list has an array of {array.dtype}")
        return array.tolist()

    def _measure(self, value):
        value = self._opened(value)
        while self._is_list(value):
            if len(self.shape) == _MAX_RANK:
                self._refuse(f"the list is nested more than {_MAX_RANK} deep")
            self.shape.append(len(value))
            if not value:
                break
            value = self._opened(value[0])

    def _collect(self, value, depth):
        value = self._opened(value)
        if self._is_list(value) != (depth < len(self.shape)) or (depth < len(self.shape) and len(value) != self.shape[depth]):
            self._refuse("the lists in the list differ in length or depth")
        if depth == len(self.shape):
            self.items.append(value)
        elif depth + 1 == len(self.shape) and all(issubclass(type, _ITEMS) for type in set(map(type, value))):
            self.items.extend(value)
        else:
            for item in value:
                self._collect(item, depth + 1)

    def array(self):
        kind = self.dtype.kind
        if self.dtype == object:
            result = self._strings()
        elif kind == "b":
            self._check_types(lambda type: issubclass(type, (bool, numpy.bool_)))
            result = numpy.array(self.items, bool)
        elif kind in "iu":
            result = self._integers(numpy.iinfo(self.dtype))
        elif kind == "c":
            result = self._floats(complex, numpy.complex128)
        elif self.dtype.name in ("int2", "uint2", "int4", "uint4"):
            import ml_dtypes

            result = self._integers(ml_dtypes.iinfo(self.dtype))
        else:
            result = self._floats(float, numpy.float64)
        return result.reshape(self.shape)

    def _check_types(self, allows):
        refused = {type for type in set(map(type, self.items)) if not allows(type)}
        if refused:
            self._refuse_item(next(number for number, item in enumerate(self.items) if type(item) in refused))

    def _strings(self):
        self._check_types(lambda type: issubclass(type, (str, bytes)))
        result = numpy.empty(len(self.items), object)
        result[:] = self.items
        return result

    def _integers(self, info):
        self._check_types(_is_integer)
        integers = list(map(operator.index, self.items))
        if integers and not (info.min <= min(integers) and max(integers) <= info.max):
            number = next(number for number, value in enumerate(integers) if not info.min <= value <= info.max)
            self._refuse_item(number, f", {self.dtype} holds {info.min} to {info.max}")
        wide = numpy.uint64 if info.max >= 2**63 else numpy.int64
        return numpy.array(integers, wide).astype(self.dtype)

    def _floats(self, python_type, wide):
        self._check_types(lambda type: _is_integer(type) or _is_float(type) or (python_type is complex and _is_complex(type)))
        lost = f", {self.dtype} can't hold it"
        values = []
        for number, item in enumerate(self.items):
            try:
                values.append(python_type(item))
            except OverflowError:
                self._refuse_item(number, lost)
        given = numpy.array(values, wide)
        with numpy.errstate(all="ignore"):
            result = given.astype(self.dtype)
            back = result.astype(wide)
        # Infinities and NaN stay what they are, and nothing else becomes one.
        for index in numpy.flatnonzero((numpy.isinf(given) != numpy.isinf(back)) | (numpy.isnan(given) != numpy.isnan(back))):
            self._refuse_item(int(index), lost)
        integers = {type for type in set(map(type, self.items)) if _is_integer(type)}
        if integers:
            for number, (item, held) in enumerate(zip(self.items, back.real.tolist())):
                if type(item) in integers and held != operator.index(item):
                    self._refuse_item(number, f", {self.dtype} can't hold it exactly: write it as a float to have it rounded")
        return result


def _is_integer(type):
    return issubclass(type, (int, numpy.integer)) and not issubclass(type, (bool, numpy.timedelta64))


def _is_float(type):
    # Those of ml_dtypes are no numpy.floating.
    return issubclass(type, (float, numpy.floating)) or (
        issubclass(type, numpy.generic) and type.__name__.startswith(("bfloat", "float")))


def _is_complex(type):
    return issubclass(type, (complex, numpy.complexfloating))

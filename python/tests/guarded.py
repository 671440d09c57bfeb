"""Runs a compiled model on buffers that touch a page which may not be accessed.

Generated code isn't instrumented by sanitizers: reading or writing one byte beyond an operand ends in a fault here,
at the operand's end or before its start, and bytes in the pages around an output must not change. The run happens in
a child process, so a fault is a failed test.
"""

import ctypes
import mmap
import os
import signal

import numpy as np
import tenon

PAGE = mmap.PAGESIZE
FILLER = 0xA5

_runtime = ctypes.CDLL(os.path.join(os.path.dirname(tenon.__file__), "libtenon_runtime.so"))
_runtime.tenon_last_error.restype = ctypes.c_char_p
_libc = ctypes.CDLL(None, use_errno=True)


class _Value(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int32), ("dtype", ctypes.c_int32), ("rank", ctypes.c_int64),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("data", ctypes.c_void_p), ("capacity", ctypes.c_int64), ("count", ctypes.c_int64),
                ("items", ctypes.c_void_p)]


class _Info(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("kind", ctypes.c_int32), ("dtype", ctypes.c_int32),
                ("rank", ctypes.c_int32), ("alias", ctypes.c_int32)]


class _Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("threads", ctypes.c_int32), ("parallel_for", ctypes.c_void_p),
                ("parallel_for_user", ctypes.c_void_p), ("functions", ctypes.c_void_p),
                ("function_count", ctypes.c_int32), ("profile", ctypes.c_int32)]


class Guarded:
    """`size` bytes between two pages without access: they end where the second one starts, or, `at_start`, start
    where the first one ends. Shared with child processes."""

    def __init__(self, size, at_start):
        inner = -(-max(size, 1) // PAGE) * PAGE
        self._map = mmap.mmap(-1, inner + 2 * PAGE, mmap.MAP_SHARED)
        self._view = (ctypes.c_ubyte * len(self._map)).from_buffer(self._map)
        base = ctypes.addressof(self._view)
        for guard in (base, base + PAGE + inner):
            if _libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(PAGE), 0) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")
        self._page, self._inner = base + PAGE, inner
        self.size = size
        self.address = self._page + (0 if at_start else inner - size)
        self.end = self.address + size
        ctypes.memset(self._page, FILLER, inner)

    def write(self, data):
        ctypes.memmove(self.address, data, self.size)

    def read(self):
        return ctypes.string_at(self.address, self.size)

    def around_is_untouched(self):
        before = ctypes.string_at(self._page, self.address - self._page)
        after = ctypes.string_at(self.end, self._page + self._inner - self.end)
        return set(before + after) <= {FILLER}


def _value(dtype, shape, buffer, capacity):
    sizes = (ctypes.c_int64 * max(len(shape), 1))(*shape)
    return _Value(0, dtype, len(shape), sizes, None, buffer.address, capacity, 0, None)


def _run(path, inputs, outputs):
    """In the child: what went wrong, or nothing. Inputs and outputs are (index, shape, buffer)."""

    def call(function, *arguments):
        if function(*arguments) != 0:
            raise RuntimeError(_runtime.tenon_last_error().decode())

    model, session, info = ctypes.c_void_p(), ctypes.c_void_p(), _Info()
    try:
        call(_runtime.tenon_model_open, path.encode(), ctypes.byref(model))
        options = _Options(size=ctypes.sizeof(_Options), threads=1)
        call(_runtime.tenon_session_create, model, ctypes.byref(options), ctypes.byref(session))
        for describe, bind, values, is_output in (
            (_runtime.tenon_model_input, _runtime.tenon_session_bind_input, inputs, False),
            (_runtime.tenon_model_output, _runtime.tenon_session_bind_output, outputs, True),
        ):
            for index, shape, buffer in values:
                call(describe, model, index, ctypes.byref(info))
                value = _value(info.dtype, shape, buffer, buffer.size if is_output else 0)
                call(bind, session, index, ctypes.byref(value))
        call(_runtime.tenon_session_run, session)
        result = ctypes.POINTER(_Value)()
        for index, shape, buffer in outputs:
            call(_runtime.tenon_session_output, session, index, ctypes.byref(result))
            actual = tuple(result.contents.shape[d] for d in range(result.contents.rank))
            if actual != tuple(shape):
                return f"output {index} has shape {actual}, expected {tuple(shape)}"
    except RuntimeError as error:
        return str(error)
    return ""


def _in_child(work):
    """The text that `work` gives in a child process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            # The default action, not pytest's fault handler: it prints pages of Python frames.
            signal.signal(signal.SIGSEGV, signal.SIG_DFL)
            signal.alarm(60)
            os.write(writer, work().encode()[:4000])
            os._exit(0)
        finally:
            os._exit(3)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return text if status == 0 else f"the run ended with {signal.Signals(-status).name if status < 0 else status}"


def check(compiled, feeds, expected):
    """Fails unless the model gives the very bytes of `expected`, a result of `compiled.run(feeds)`, and touches
    nothing around its operands."""
    path = f"/proc/self/fd/{compiled._file.fileno()}"
    for at_start in (False, True):
        inputs, outputs = [], []
        for index, info in enumerate(compiled.inputs):
            array = np.ascontiguousarray(feeds[info.name], dtype=info.dtype)
            buffer = Guarded(array.nbytes, at_start)
            buffer.write(array.tobytes())
            inputs.append((index, np.shape(feeds[info.name]), buffer))
        for index, info in enumerate(compiled.outputs):
            array = expected[info.name]
            outputs.append((index, array.shape, Guarded(array.nbytes, at_start)))
        where = "after" if at_start else "before"
        problem = _in_child(lambda: _run(path, inputs, outputs))
        assert not problem, f"operands {where} a guard page: {problem}"
        for (index, _, buffer), info in zip(outputs, compiled.outputs):
            name = info.name
            assert buffer.around_is_untouched(), f"operands {where} a guard page: bytes around '{name}' changed"
            assert buffer.read() == expected[name].tobytes(), f"operands {where} a guard page: '{name}' differs"
        for (index, _, buffer), info in zip(inputs, compiled.inputs):
            original = np.ascontiguousarray(feeds[info.name], dtype=info.dtype).tobytes()
            assert buffer.read() == original, f"input '{info.name}' was written to"

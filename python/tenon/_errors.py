"""What Tenon raises. Wrong arguments of functions other than `run` are TypeError or ValueError."""


class CompileError(RuntimeError):
    """A model cannot be compiled. The text has one line for each reason."""


class RunError(RuntimeError):
    """A model cannot be loaded, or a run failed."""


class InputError(RunError, ValueError):
    """What is given to a run is wrong: a name, a dtype, a shape, or a value that can't be converted."""


class CancelledError(RunError):
    """A run was cancelled by another thread."""


for _error in (CompileError, RunError, InputError, CancelledError):
    _error.__module__ = "tenon"

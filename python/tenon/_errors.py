"""What Tenon raises and warns of. Wrong arguments of functions other than `run` are TypeError or ValueError."""


class CompileError(RuntimeError):
    """A model cannot be compiled. The text has one line for each reason."""


class RunError(RuntimeError):
    """A model cannot be loaded, or a run failed."""


class InputError(RunError, ValueError):
    """What is given to a run is wrong: a name, a dtype, a shape, or a value that can't be converted."""


class CancelledError(RunError):
    """A run was cancelled by another thread."""


class CompileWarning(UserWarning):
    """A model compiles, but says something that isn't so: of the type of a value, for instance."""


for _class in (CompileError, RunError, InputError, CancelledError, CompileWarning):
    _class.__module__ = "tenon"

"""What Model.profile gives."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Launch:
    """A launch of a kernel, over all runs."""

    kernel: str
    nodes: str
    """The nodes of the ONNX model that it computes."""
    count: int
    seconds: float
    """Of all launches."""
    fastest: float
    """Seconds of the fastest one."""


@dataclass(frozen=True)
class Copies:
    """Tensors that couldn't be written where they are read, over all runs."""

    count: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class Profile:
    """What the runs of a model took. As text: a line for each launch, with the columns of `tenon-run --profile`."""

    launches: list[Launch]
    """In the order of the program, those that ran."""
    copies: Copies

    @classmethod
    def made_from(cls, plain):
        launches, copies = plain
        return cls([Launch(kernel, nodes, count, total / 1e9, fastest / 1e9) for kernel, nodes, count, total, fastest in launches],
                   Copies(copies[0], copies[1], copies[2] / 1e9))

    def __str__(self) -> str:
        lines = [f"{launch.seconds / launch.count * 1e6:10.3f} us  fastest {launch.fastest * 1e6:10.3f} us  "
                 f"x{launch.count:<6} {launch.kernel}  ({launch.nodes})" for launch in self.launches]
        total = sum(launch.seconds for launch in self.launches)
        return "\n".join([*lines, f"copies: {self.copies.count} of {self.copies.bytes} bytes in {self.copies.seconds * 1e3:.3f} ms",
                          f"launches: {total * 1e3:.3f} ms in all"])

#!/usr/bin/env python3
"""What layouts of images cost on this machine, as `layouts` of a target's description (docs/adding-a-target.md) has it.

    python3 benchmarks/prices.py --build build

Each price is the time of a kernel of one op, compiled with channels first or last whatever it costs, on one thread: the fastest
of many runs, less what other prices explain. `copied`, `columns` and `border` stay as they are described. It needs a machine on
which nothing else runs.
"""

import argparse
import pathlib
import re
import subprocess
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper

FIRST = ("multiply_first", "gather_first", "tap_first")
LAST = ("multiply_last", "part_last", "tap_last")


def model(op, shape, filter_shape=None, dtype=np.float32, inputs="first", results="first", **attributes):
    """One op on images; `inputs` and `results` say how they come and are wanted, channels first or last."""
    weights = [numpy_helper.from_array(np.random.default_rng(0).random(filter_shape, np.float32).astype(dtype), "w")] if filter_shape else []
    names = ["image"] + ["w"] * len(weights)
    nodes = [helper.make_node(op, names, ["result"], **attributes)]
    shape = list(shape)
    if inputs == "last":
        nodes.insert(0, helper.make_node("Transpose", ["x"], ["image"], perm=[0, 3, 1, 2]))
        shape = [shape[0], *shape[2:], shape[1]]
    else:
        nodes[0].input[0] = "x"
    if results == "last":
        nodes.append(helper.make_node("Transpose", ["result"], ["y"], perm=[0, 2, 3, 1]))
    else:
        nodes[-1].output[0] = "y"
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(nodes, op, [helper.make_tensor_value_info("x", element, shape)],
                              [helper.make_tensor_value_info("y", element, None)], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def conv(channels, results, size, taps, layout, groups=1, stride=1, turned=False, dtype=np.float32):
    return layout, model("Conv", (1, channels, size, size), (results, channels // groups, taps, taps), dtype, layout,
                         "first" if turned else layout, pads=[taps // 2] * 4, group=groups, strides=[stride] * 2)


class Machine:
    def __init__(self, build, folder):
        self.bin, self.folder = build / "bin", folder
        self.description = subprocess.run([self.bin / "tenon-compile", "--print-target"], capture_output=True, text=True,
                                          check=True).stdout

    def target(self, dear):
        """The host, with prices that leave no choice."""
        path = self.folder / f"{dear[0]}.mlir"
        text = re.sub(r"plain_tap = [0-9.e+-]+", "plain_tap = 1000000", self.description) if dear is FIRST else self.description
        path.write_text(re.sub(rf"\b({'|'.join(dear)}) = [0-9.e+-]+", r"\1 = 1000000", text))
        return f"@{path}"

    def time(self, layout, model):
        """ns of the kernels that aren't what brings images into the other layout."""
        onnx.save(model, self.folder / "model.onnx")
        target = self.target(LAST if layout == "first" else FIRST)
        artifact = self.folder / "model.so"
        subprocess.run([self.bin / "tenon-compile", self.folder / "model.onnx", "-o", artifact, "--quiet", f"--target-cpu={target}"],
                       check=True)
        profile = subprocess.run([self.bin / "tenon-run", artifact, "--random", "--threads=1", "--time=60", "--profile"],
                                 capture_output=True, text=True, check=True).stdout
        launches = re.findall(r"fastest +([0-9.]+) us +x\d+ +(\S+)", profile)
        kept = [float(time) for time, name in launches if len(launches) == 1 or not name.startswith("transpose")]
        return 1000 * sum(kept)


def measure(machine):
    prices = {}
    pointwise = 256 * 256 * 28 * 28
    for layout in ("first", "last"):
        prices[f"multiply_{layout}"] = machine.time(*conv(256, 256, 28, 1, layout)) / pointwise
        prices[f"tap_{layout}"] = machine.time(*conv(144, 144, 56, 3, layout, groups=144)) / (144 * 56 * 56 * 9)
    # A window's elements, as the first convolution of a network, one of its middle and some of few results gather them: windows
    # that caches hold cost a quarter of what others do.
    gathered = [machine.time(*conv(channels, results, size, 3, "first", stride=stride)) / (places**2 * channels * 9) -
                results * prices["multiply_first"]
                for channels, results, size, stride, places in ((3, 64, 224, 2, 112), (64, 64, 56, 1, 56), (32, 1, 224, 1, 224),
                                                                (32, 8, 224, 1, 224), (8, 8, 400, 1, 400), (64, 16, 112, 1, 112))]
    prices["gather_first"] = sum(gathered) / len(gathered)
    # Parts of three pixels of four channels, each with four vectors of 16 columns.
    parts = 112 * 112 * 3 * 4
    prices["part_last"] = machine.time(*conv(4, 64, 112, 3, "last")) / parts - 3 * 4 * 16 * prices["multiply_last"]
    prices["plain_tap"] = machine.time(*conv(32, 32, 14, 3, "first", dtype=np.float64)) / (32 * 32 * 14 * 14 * 9)
    for layout, permutation, shape in (("last", [0, 2, 3, 1], (1, 64, 56, 56)), ("first", [0, 3, 1, 2], (1, 56, 56, 64))):
        prices[f"to_{layout}"] = machine.time("first", model("Transpose", shape, perm=permutation)) / (64 * 56 * 56)
    turned = [machine.time(*conv(64, 64, 56, 3, "last", turned=is_turned)) for is_turned in (True, False)]
    prices["turned"] = (turned[0] - turned[1]) / (64 * 56 * 56)
    return prices


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(options.build, pathlib.Path(folder))
        for name, price in measure(machine).items():
            print(f"{name} = {price:.2g}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes docs/how-a-model-flows.md: the IR of one small model at each level, from the tools of a build; docs/operators.md:
the operators of ONNX and of ONNX Runtime, from what tenon-compile says of them and what measure_operators.py recorded; and the references of ops and passes, from TableGen, into
docs/reference of the build.

With --check nothing is written; exit code 1 says that a page isn't what the tools print today.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import operator_tables
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "how-a-model-flows.md"
OPERATORS = ROOT / "docs" / "operators.md"

INTRODUCTION = """# How a model flows through the levels

One layer, `relu(x * w + b)` with a symbolic batch, at each level of the compiler. This page is written by
`make docs` from what the tools print, and a test holds that it is true.
"""

LEVELS = [
    ("import", "## Level 0: import", """
`tenon-compile --emit=import`: the ONNX model node by node. Nothing is understood yet, so nothing can be lost: each node has
its name, opset version and attributes, and small weights stand in the text (large ones are references into their file).
"""),
    ("graph", "## Level 1: graph", """
`--emit=graph`: what the nodes mean. The batch is a value, broadcasting is explicit, the product is a contraction
with indexing maps.
"""),
    ("kernels", "## Level 2: kernels", """
`--emit=kernels`: one kernel with its epilogue, and the program that launches it. The weights lie in panels of 32
columns, as register tiles read them; every buffer has a place; `work` says into how many pieces the launch can be cut.
There is a variant of the kernel for each target, here one (`--print-target` shows what is cut short here), with the schedule that the cost model chose: edit it, and
compile the text.
"""),
    ("plans", "### The host program, planned", """
`--emit=plans`: the same kernel, and the host program as the runtime will run it, of which the end is shown. A function plans what a
segment needs from the size of the batch; the segment takes its results. Here there is one; a program whose sizes depend on data has several.
"""),
    ("loops", "## Level 3: loops", """
`--emit=loops`: the kernel for one target, here with vectors of 32 bytes, of which the beginning is shown. Rows are cut into
register tiles of nearly equal height; each height has its own loop.
"""),
]


def model():
    rng = np.random.default_rng(0)
    weights = numpy_helper.from_array(rng.integers(-2, 3, (2, 3)).astype(np.float32), "w")
    bias = numpy_helper.from_array(np.array([1, 2, 3], np.float32), "b")
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["h"], "dense"), helper.make_node("Relu", ["h"], ["y"], "relu")]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])
    graph = helper.make_graph(nodes, "layer", [x], [y], [weights, bias])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def emit(build, path, level):
    with tempfile.TemporaryDirectory() as directory:
        output = pathlib.Path(directory) / "out.mlir"
        subprocess.run([build / "bin" / "tenon-compile", path, f"--emit={level}", "--target-cpu=avx2", "--quiet",
                        "-o", output], check=True)
        return output.read_text()


def page(build):
    parts = [INTRODUCTION]
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "layer.onnx"
        onnx.save(model(), path)
        for level, title, text in LEVELS:
            text_of_level = re.sub(r"^(#\w+ = #tenon_tile\.cpu<name = [^,]*, core = [^,]*,).*>$", r"\1 ...>",
                                   emit(build, path, level), flags=re.MULTILINE)
            lines = text_of_level.rstrip().splitlines()
            if level == "loops" and len(lines) > 70:
                lines = lines[:70] + ["  ..."]
            if level == "plans":
                lines = ["..."] + lines[next(i for i, line in enumerate(lines) if "func.func private @plan_0" in line):]
            parts += [title, text, "```mlir", *lines, "```", ""]
    return "\n".join(parts)


DIALECTS = {"tenon": "Dialect/Tenon/IR/TenonOps.td", "tenon_onnx": "Dialect/ONNX/IR/ONNXOps.td",
            "tenon_tile": "Dialect/Tile/IR/Tile.td", "tenon_host": "Dialect/Host/IR/HostOps.td"}
TABLEGEN = ["/usr/lib/llvm-22/bin/mlir-tblgen", "-I", ROOT / "include", "-I", "/usr/lib/llvm-22/include"]


def write_references(build):
    """One page per dialect, one for all passes."""
    directory = build / "docs" / "reference"
    directory.mkdir(parents=True, exist_ok=True)
    include = ROOT / "include" / "tenon"
    for dialect, source in DIALECTS.items():
        page = subprocess.run([*TABLEGEN, "-gen-dialect-doc", f"-dialect={dialect}", include / source],
                              check=True, capture_output=True, text=True).stdout
        (directory / f"{dialect}.md").write_text(page)
    passes = [subprocess.run([*TABLEGEN, "-gen-pass-doc", source], check=True, capture_output=True, text=True).stdout
              for source in sorted(include.rglob("Passes.td"))]
    (directory / "passes.md").write_text("\n".join(passes))
    return directory


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    try:
        operators = operator_tables.page(options.build.resolve())
    except operator_tables.Stale as error:
        print(f"docs/operators.json: {error}: run `make operators`, with ONLY=REGEX for some of them")
        return 1
    pages = {PAGE: page(options.build.resolve()), OPERATORS: operators}
    if not options.check:
        for path, text in pages.items():
            path.write_text(text)
        print(f"wrote {', '.join(map(str, pages))} and {write_references(options.build.resolve())}")
        return 0
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not what the tools print: run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())

"""Generated graphs of all element types: the interpreter against compiled code, and against itself after every pass.

Graphs with odd seeds have their weights as inputs: nothing folds them.
"""

import os
import pathlib
import subprocess

import guarded
import numpy as np
import onnx
import pytest
from seeds import seeds
from typed_graphs import SIZES, TypedGraph

import tenon

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"
# Level 0 to placed programs with tile programs and plans, for short and long vectors and with launches on a device.
PIPELINES = {
    "short": "tenon-graph,tenon-kernels,tenon-variants{targets=avx2},tenon-tiles,tenon-plans",
    "long": "tenon-graph,tenon-kernels,tenon-variants{targets=avx512},tenon-tiles",
    "devices": "tenon-graph,tenon-kernels{devices=tenon.contract=gpu}",
}


def compare(graph, actual, expected, where):
    """Integers are equal; floats as near as the shortest type on their way lets them be."""
    for name, value in expected.items():
        assert actual[name].shape == value.shape, f"{where}: {name}"
        if value.dtype.kind != "f":
            np.testing.assert_array_equal(actual[name], value, f"{where}: {name}")
            continue
        tolerance = graph.outputs[name].tolerance
        np.testing.assert_allclose(actual[name].astype(np.float32), value.astype(np.float32), rtol=tolerance, atol=tolerance,
                                   err_msg=f"{where}: {name}")


@pytest.mark.parametrize("seed", seeds(range(40)))
def test_compiled_as_interpreted(seed):
    graph = TypedGraph(seed)
    interpreted = tenon.reference(graph.model)
    runs = [(feed, interpreted.run(feed)) for feed in map(graph.feed, SIZES)]
    for target in ("host", "avx2"):
        compiled = tenon.compile(graph.model, target=target, threads=1)
        for sizes, (feed, expected) in zip(SIZES, runs):
            actual = compiled.run(feed)
            compare(graph, actual, expected, f"{target}, {sizes}")
            if target == "host":
                guarded.check(compiled, feed, actual)


@pytest.mark.parametrize("seed", seeds(range(200, 208)))
def test_every_pass(seed, tmp_path):
    # Printed IR names larger constants that passes made by files of the process that is gone.
    graph = TypedGraph(seed, largest=1024)
    feed = graph.feed(SIZES[seed % len(SIZES)])
    expected = tenon.reference(graph.model).run(feed)
    onnx.save(graph.model, tmp_path / "model.onnx")
    np.savez(tmp_path / "inputs.npz", **feed)
    subprocess.run([BIN / "tenon-compile", tmp_path / "model.onnx", "--emit=import", "-o", tmp_path / "model.mlir"],
                   check=True)
    known, interpreted = set(), 0
    for name, pipeline in PIPELINES.items():
        passes = tmp_path / name
        subprocess.run([BIN / "tenon-opt", tmp_path / "model.mlir", f"--pass-pipeline=builtin.module({pipeline})",
                        "--mlir-disable-threading", "--mlir-print-ir-after-all", "--mlir-print-ir-module-scope",
                        f"--mlir-print-ir-tree-dir={passes}", "-o", passes.with_suffix(".last")], check=True, capture_output=True)
        # Variants have passes of their own, a file for each; only what all of them made can be run.
        for path in [*sorted(passes.glob("builtin_module_*/*.mlir")), *sorted(passes.glob("builtin_module_*/func_func_*/*.mlir")),
                     passes.with_suffix(".last")]:
            text = path.read_bytes()
            if text in known:
                continue
            known.add(text)
            run = subprocess.run([BIN / "tenon-interpret", path, f"--inputs={tmp_path}/inputs.npz",
                                  f"--outputs={tmp_path}/outputs.npz"], capture_output=True, text=True)
            assert run.returncode == 0, f"after {path}: {run.stderr}"
            with np.load(tmp_path / "outputs.npz") as outputs:
                compare(graph, outputs, expected, f"after {path}")
            interpreted += 1
    assert interpreted > 12

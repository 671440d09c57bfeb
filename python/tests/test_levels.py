"""Every level that `tenon-compile --emit` writes reads back and compiles to the same results."""

import os
import pathlib
import subprocess

import numpy as np
import onnx
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"


def network():
    """A convolution, its bias, a branch on data and a layer normalisation, with weights above the size of text."""
    rng = np.random.default_rng(0)
    floats = lambda name, *shape: numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32) * 0.2, name)
    arm = lambda name, op: helper.make_graph(
        [helper.make_node(op, ["a"], [name])], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["a"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("If", ["c"], ["d"], name="if", then_branch=arm("t", "Relu"), else_branch=arm("e", "Neg")),
        helper.make_node("LayerNormalization", ["d", "gamma"], ["y"], name="norm"),
    ]
    return make_model(
        nodes,
        [("x", TensorProto.FLOAT, ("n", 8, 6, 16)), ("c", TensorProto.BOOL, ())],
        [("y", TensorProto.FLOAT, ("n", 16, 6, 16))],
        [floats("w", 16, 8, 3, 3), floats("b", 16), floats("gamma", 16)],
    )


@pytest.mark.parametrize("level", ["import", "graph", "kernels", "loops"])
def test_level_reads_back(level, tmp_path):
    onnx.save(network(), tmp_path / "model.onnx")
    text, artifact = tmp_path / "level.mlir", tmp_path / "model.so"
    subprocess.run([BIN / "tenon-compile", tmp_path / "model.onnx", f"--emit={level}", "--quiet", "-o", text], check=True)
    subprocess.run([BIN / "tenon-compile", text, "--quiet", "-o", artifact], check=True)
    direct, again = tenon.compile(network(), threads=1), tenon.load(artifact)
    for n, c in ((1, True), (3, False)):
        feed = {"x": np.random.default_rng(n).standard_normal((n, 8, 6, 16)).astype(np.float32), "c": np.array(c)}
        np.testing.assert_array_equal(again.run(feed)["y"], direct.run(feed)["y"])


def test_an_artifact_is_small(add_file, tmp_path):
    subprocess.run([BIN / "tenon-compile", add_file, "--quiet", "-o", tmp_path / "model.so"], check=True)
    assert (tmp_path / "model.so").stat().st_size <= 150_000


@pytest.mark.parametrize("arguments, message", [
    (["--emit=nothing"], "emit"),
    (["--target-cpu=abacus"], "abacus"),
    (["missing.onnx"], "missing.onnx"),
])
def test_wrong_arguments(arguments, message, add_file, tmp_path):
    model = [] if arguments == ["missing.onnx"] else [add_file]
    run = subprocess.run([BIN / "tenon-compile", *model, *arguments, "-o", tmp_path / "model.so"], capture_output=True,
                         text=True)
    assert run.returncode == 1 and message in run.stderr
    assert not (tmp_path / "model.so").exists()

"""Every schedule of every strategy computes the same: random points of the spaces, against the interpreter."""

import math
import os
import pathlib
import random
import re
import subprocess

import numpy as np
import onnx
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
POINTS = 6  # random legal ones of each strategy
SPACES = "builtin.module(tenon_tile.variants(tenon_tile.variant(tenon-select-schedules{print-space})))"
SCHEDULE = re.compile(r"schedule\(([^)]*)\)")


def weights(*shape, name="w"):
    return numpy_helper.from_array(np.random.default_rng(1).standard_normal(shape).astype(np.float32), name)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, name=op, **attributes)


# By strategy: the kind of its spaces, and a model with such kernels.
MODELS = {
    "elements": ("elementwise kernels", make_model(
        [node("Exp", ["x"], ["a"]), node("Tanh", ["a"], ["b"]), node("Add", ["a", "b"], ["y"])],
        [("x", FLOAT, ("n", 37))], [("y", FLOAT, ("n", 37))])),
    "transposes": ("transposing kernels", make_model(
        [node("Transpose", ["x"], ["t"], perm=[0, 2, 1]), node("Relu", ["t"], ["y"])],
        [("x", FLOAT, (2, "n", 37))], [("y", FLOAT, (2, 37, "n"))])),
    "rows": ("kernels of rows", make_model(
        [node("Softmax", ["x"], ["s"]), node("ReduceMean", ["s"], ["y"], axes=[1])],
        [("x", FLOAT, ("n", 37, 70))], [("y", FLOAT, ("n", 1, 70))])),
    "sums": ("kernels of rows", make_model(
        [node("Mul", ["x", "x"], ["s"]), node("ReduceSum", ["s", "axes"], ["r"], keepdims=0), node("Sqrt", ["r"], ["y"]),
         node("ReduceMax", ["x"], ["z"], axes=[0], keepdims=0)],
        [("x", FLOAT, ("n", 1000))], [("y", FLOAT, ()), ("z", FLOAT, (1000,))],
        [numpy_helper.from_array(np.array([0, 1]), "axes")])),
    "contraction": ("contractions", make_model(
        [node("MatMul", ["x", "w"], ["h"]), node("Sigmoid", ["h"], ["y"])],
        [("x", FLOAT, ("n", 70))], [("y", FLOAT, ("n", 45))], [weights(70, 45)])),
    "packed": ("contractions", make_model(
        [node("DequantizeLinear", ["q", "s"], ["w"], axis=0, block_size=16), node("MatMul", ["x", "w"], ["h"]),
         node("Sigmoid", ["h"], ["y"])],
        [("x", FLOAT, ("n", 70))], [("y", FLOAT, ("n", 45))],
        [helper.make_tensor("q", TensorProto.INT4, (70, 45), np.random.default_rng(2).integers(0, 256, 1575, np.uint8).tobytes(),
                            raw=True), numpy_helper.from_array(np.random.default_rng(3).random((5, 45)).astype(np.float32) / 8, "s")],
        opset=21)),
    "batches": ("contractions", make_model(
        [node("Transpose", ["x"], ["t"], perm=[0, 2, 1]), node("MatMul", ["x", "t"], ["h"]), node("Relu", ["h"], ["y"])],
        [("x", FLOAT, ("n", 101, 20))], [("y", FLOAT, ("n", 101, 101))])),
    "matrices": ("contractions", make_model(
        [node("MatMul", ["x", "w"], ["h"]), node("Relu", ["h"], ["y"])],
        [("x", FLOAT, (3, "n", 40))], [("y", FLOAT, (3, "n", 45))], [weights(3, 40, 45)])),
    "windows": ("contractions", make_model(
        [node("Conv", ["x", "w"], ["h"], pads=[1, 1, 1, 1]), node("Relu", ["h"], ["y"])],
        [("x", FLOAT, ("n", 6, 13, 9))], [("y", FLOAT, ("n", 35, 13, 9))], [weights(35, 6, 3, 3)])),
    "ordered": ("ordered kernels", make_model(
        [node("CumSum", ["x", "axis"], ["y"])],
        [("x", FLOAT, ("n", 37))], [("y", FLOAT, ("n", 37))], [numpy_helper.from_array(np.array(1), "axis")])),
    "topk": ("ordered kernels", make_model(
        [node("TopK", ["x", "k"], ["y", "i"], axis=1)],
        [("x", FLOAT, ("n", 90))], [("y", FLOAT, ("n", 20)), ("i", INT64, ("n", 20))],
        [numpy_helper.from_array(np.array([20]), "k")])),
}


def run(tool, *arguments):
    return subprocess.run([BIN / tool, *arguments], capture_output=True, text=True)


def spaces_of(kernels: pathlib.Path):
    """Kind and knobs with their candidates, of each variant in the order of the text."""
    remarks = run("tenon-opt", kernels, f"--pass-pipeline={SPACES}", "-o", "/dev/null").stderr
    found = re.findall(r":(\d+):\d+: remark: (\d+) schedules of ([a-z ]+): (.*)", remarks)
    assert found, remarks
    result = {}
    for line, count, kind, knobs in found:
        candidates = {name: [int(value) for value in values.split(",")] for name, values in re.findall(r"(\w+) \{([^}]*)\}", knobs)}
        assert 0 < int(count) <= math.prod(map(len, candidates.values()))
        result[int(line)] = kind, candidates
    return result


def draw(kernels, spaces, choose):
    """The lines of kernels with other schedules, which need not be legal."""
    lines = kernels.read_text().splitlines()
    for number, (_, candidates) in spaces.items():
        values = ", ".join(f"{name} = {choose.choice(values)}" for name, values in candidates.items())
        lines[number - 1], count = SCHEDULE.subn(f"schedule({values})", lines[number - 1])
        assert count == 1, lines[number - 1]
    return lines


@pytest.mark.parametrize("strategy", MODELS)
def test_random_schedules(strategy, tmp_path):
    wanted, model = MODELS[strategy]
    rng, choose = np.random.default_rng(0), random.Random(strategy)
    onnx.save(model, tmp_path / "model.onnx")
    kernels = tmp_path / "kernels.mlir"
    assert run("tenon-compile", tmp_path / "model.onnx", "--emit=kernels", "--target-cpu=avx2", "-o", kernels).returncode == 0
    spaces = spaces_of(kernels)
    assert wanted in [kind for kind, _ in spaces.values()], spaces
    reference = tenon.reference(model)
    tried = refused = 0
    while tried < POINTS:
        lines = draw(kernels, spaces, choose)
        (tmp_path / "drawn.mlir").write_text("\n".join(lines))
        compiled = run("tenon-compile", tmp_path / "drawn.mlir", "-o", tmp_path / "drawn.so")
        if compiled.returncode:
            assert "can't have this schedule" in compiled.stderr, compiled.stderr
            refused += 1
            assert refused < 100 * POINTS
            continue
        tried += 1
        session = tenon.load(tmp_path / "drawn.so")
        for n in (0, 1, 9, 67):
            feed = {"x": rng.standard_normal([n if size == "n" else size for size in model_shape(model)]).astype(np.float32)}
            expected = reference.run(feed)
            for name, value in session.run(feed).items():
                np.testing.assert_allclose(value, expected[name], rtol=2e-5, atol=1e-5, err_msg=f"{name} at n = {n}")


# Contractions of more rows than one unit of work has, by what is particular about their rows.
IMAGES = {
    "pointwise": (27, [node("Conv", ["x", "w"], ["c"]), node("Relu", ["c"], ["r"]), helper.make_node("Conv", ["r", "v"], ["y"], pads=[1] * 4)],
                  [weights(16, 3, 1, 1), weights(2, 16, 3, 3, name="v")]),
    "windows": (23, [node("Conv", ["x", "w"], ["c"], pads=[1] * 4), node("Sigmoid", ["c"], ["y"])], [weights(40, 3, 3, 3)]),
    "strided": (31, [node("Conv", ["x", "w"], ["c"], strides=[2, 1], pads=[2, 1, 0, 1]), helper.make_node("Conv", ["c", "v"], ["y"])],
                [weights(17, 3, 3, 3), weights(8, 17, 1, 1, name="v")]),
    "clipped": (19, [node("Conv", ["x", "w"], ["c"], dilations=[9, 9], pads=[9] * 4), helper.make_node("Conv", ["c", "v"], ["y"])],
                [weights(16, 3, 3, 3), weights(5, 16, 1, 1, name="v")]),
    "product": (21, [node("MatMul", ["x", "w"], ["c"]), node("Tanh", ["c"], ["y"])], [weights(21, 33)]),
}


def interpret_drawn(model, lines, tmp_path, feed):
    """The programs of kernels with drawn schedules against the reference; False where there are no such programs."""
    drawn, tiles = tmp_path / "drawn.mlir", tmp_path / "tiles.mlir"
    drawn.write_text("\n".join(lines))
    compiled = run("tenon-compile", drawn, "--emit=tiles", "-o", tiles)
    if compiled.returncode:
        assert "can't have this schedule" in compiled.stderr, compiled.stderr
        return False
    np.savez(tmp_path / "inputs.npz", **feed)
    np.savez(tmp_path / "expected.npz", **tenon.reference(model).run(feed))
    checked = run("tenon-interpret", tiles, f"--inputs={tmp_path}/inputs.npz", f"--expect={tmp_path}/expected.npz")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    return True


@pytest.mark.parametrize("kind", IMAGES)
def test_random_programs_of_images(kind, tmp_path):
    """With vectors of 64 bytes, which not every machine has: by the interpreter, which sees what is outside of memory."""
    extent, nodes, constants = IMAGES[kind]
    choose = random.Random(kind)
    model = make_model(nodes, [("x", FLOAT, (1, 3, extent, extent))], [("y", FLOAT, None)], constants)
    onnx.save(model, tmp_path / "model.onnx")
    kernels = tmp_path / "kernels.mlir"
    assert run("tenon-compile", tmp_path / "model.onnx", "--emit=kernels", "--target-cpu=avx512", "-o", kernels).returncode == 0
    spaces = spaces_of(kernels)
    assert "contractions" in [kind for kind, _ in spaces.values()]
    feed = {"x": np.random.default_rng(0).standard_normal((1, 3, extent, extent)).astype(np.float32)}
    tried = refused = 0
    while tried < POINTS:
        lines = draw(kernels, spaces, choose)
        if interpret_drawn(model, lines, tmp_path, feed):
            tried += 1
        else:
            refused += 1
            assert refused < 300 * POINTS


@pytest.mark.parametrize("extent, height", [(27, 13), (29, 13), (26, 12), (31, 12), (26, 25), (28, 25), (29, 26), (30, 28)])
def test_last_units_of_images(extent, height, tmp_path):
    """Rows that hardly reach the last unit of work, or don't: its only tile begins in the unit before it."""
    _, nodes, constants = IMAGES["pointwise"]
    model = make_model(nodes, [("x", FLOAT, (1, 3, extent, extent))], [("y", FLOAT, None)], constants)
    onnx.save(model, tmp_path / "model.onnx")
    kernels = tmp_path / "kernels.mlir"
    assert run("tenon-compile", tmp_path / "model.onnx", "--emit=kernels", "--target-cpu=avx512", "-o", kernels).returncode == 0
    lines = kernels.read_text().splitlines()
    for number, (kind, candidates) in spaces_of(kernels).items():
        if kind == "contractions" and height in candidates["tile_rows"]:
            lines[number - 1] = re.sub(r"tile_rows = \d+", f"tile_rows = {height}", lines[number - 1])
            lines[number - 1] = re.sub(r"vectors = \d+", f"vectors = {1 if height > 14 else 2}", lines[number - 1])
    feed = {"x": np.random.default_rng(0).standard_normal((1, 3, extent, extent)).astype(np.float32)}
    assert interpret_drawn(model, lines, tmp_path, feed)
    assert f"tensor<{height}x" in (tmp_path / "tiles.mlir").read_text()


def model_shape(model):
    return [dim.dim_param or dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]


def test_why_nodes_are_not_fused(tmp_path):
    """In the model's names, in order, once for each pair; nothing where all is one kernel."""
    def explain(nodes, *arguments):
        onnx.save(make_model(nodes, [("x", FLOAT, ("n", 8))], [("y", FLOAT, None)], [weights(8, 8)]), tmp_path / "model.onnx")
        result = run("tenon-compile", tmp_path / "model.onnx", "-o", tmp_path / "model.so", "--explain-fusion", "--quiet", *arguments)
        assert result.returncode == 0, result.stderr
        return [line.removeprefix(f"{tmp_path}/model.onnx: remark: ") for line in result.stderr.splitlines()]

    def named(name, op, inputs, outputs, **attributes):
        return helper.make_node(op, inputs, outputs, name=name, **attributes)

    assert explain([named("e", "Exp", ["x"], ["a"]), named("n", "Neg", ["a"], ["y"])]) == []
    nodes = [named("exp", "Exp", ["x"], ["a"]), named("product2", "MatMul", ["a", "w"], ["b"]),
             named("product10", "MatMul", ["b", "w"], ["c"]), named("softmax", "Softmax", ["c"], ["y"])]
    expected = [
        "'product2': isn't in one kernel with 'exp': 'product2' reads its operands from memory, more than once",
        "'product10': isn't in one kernel with 'product2': 'product2' and 'product10' compute more than arithmetic on elements: "
        "each has a kernel of its own",
        "'softmax': isn't in one kernel with 'product10': 'product10' and 'softmax' compute more than arithmetic on elements: "
        "each has a kernel of its own",
    ]
    assert explain(nodes) == expected
    # What a cache has is explained too.
    assert explain(nodes, f"--cache={tmp_path}/cache") == expected
    assert explain(nodes, f"--cache={tmp_path}/cache") == expected


def test_kernels_that_would_need_each_other(tmp_path):
    """The second product can't go with the last sum: that needs the scan of what the first sum's kernel gives."""
    model = make_model(
        [node("MatMul", ["x", "w"], ["a"]), node("CumSum", ["a", "axis"], ["s"]), helper.make_node("MatMul", ["y", "w"], ["b"]),
         node("Add", ["a", "b"], ["p"]), helper.make_node("Add", ["s", "b"], ["q"])],
        [("x", FLOAT, (8, 8)), ("y", FLOAT, (8, 8))], [("p", FLOAT, (8, 8)), ("q", FLOAT, (8, 8))],
        [weights(8, 8), numpy_helper.from_array(np.array(1), "axis")])
    rng = np.random.default_rng(0)
    feed = {name: rng.standard_normal((8, 8)).astype(np.float32) for name in "xy"}
    expected = tenon.reference(model).run(feed)
    for name, value in tenon.compile(model).run(feed).items():
        np.testing.assert_allclose(value, expected[name], rtol=2e-5, atol=1e-5)

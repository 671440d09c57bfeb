"""Products and convolutions of f16 and bf16 in register tiles: widened as they are read, summed and fused in f32."""

import pathlib

import numpy as np
import onnx
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

F = TensorProto.FLOAT
ELEMENTS = {"f16": (TensorProto.FLOAT16, 2.0**-11), "bf16": (TensorProto.BFLOAT16, 2.0**-8)}
pytestmark = [pytest.mark.parametrize("target", ["avx2", "host"]), pytest.mark.parametrize("element", ELEMENTS)]


def halves(shape, seed):
    """Numbers of few bits: narrow types hold them."""
    return np.random.default_rng(seed).integers(-8, 9, shape).astype(np.float32) / 8


def run(nodes, element, target, x, weights):
    """The nodes lead from `a` to `b`, of the element type, between two casts; weights are constants of it."""
    kind, _ = ELEMENTS[element]
    constants = [helper.make_tensor(name, kind, value.shape, value.ravel().tolist()) for name, value in weights.items()]
    nodes = [helper.make_node("Cast", ["x"], ["a"], to=kind), *nodes, helper.make_node("Cast", ["b"], ["y"], to=F)]
    model = make_model(nodes, [("x", F, ["n", *x.shape[1:]])], [("y", F, None)], constants, opset=22)
    return tenon.compile(model, target=target, threads=1).run({"x": x})["y"]


def close(actual, expected, element, roundings=1):
    """Every result is rounded but so often, from f32."""
    error = roundings * ELEMENTS[element][1]
    np.testing.assert_allclose(actual, expected, rtol=error, atol=1e-5 * max(np.abs(expected).max(), 1))


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 101])
@pytest.mark.parametrize("depth, columns", [(1, 40), (13, 33), (70, 100), (384, 32), (784, 64), (1715, 32), (2307, 45)])
def test_products(depth, columns, rows, element, target):
    x, w = halves((rows, depth), rows), halves((depth, columns), 1)
    close(run([helper.make_node("MatMul", ["a", "w"], ["b"])], element, target, x, {"w": w}),
          x.astype(np.float64) @ w, element)


def test_questions_are_asked_of_rounded_numbers(element, target):
    """What was added in f32 has the type's bits where it is compared or becomes an integer."""
    nodes = [helper.make_node("Add", ["a", "w"], ["s"]), helper.make_node("Cast", ["s"], ["i"], to=TensorProto.INT32),
             helper.make_node("Equal", ["s", "a"], ["e"]), helper.make_node("Cast", ["e"], ["f"], to=TensorProto.INT32),
             helper.make_node("Add", ["i", "f"], ["j"]), helper.make_node("Cast", ["j"], ["b"], to=ELEMENTS[element][0])]
    # Each rounds to the next number that both types have, or back.
    x = np.float32([[255, 128, 1, 3]]) if element == "bf16" else np.float32([[2047, 1024, 1, 3]])
    w = np.float32([0.75, 0.125, 1, 0])
    expected = np.float32([[256, 129, 2, 4]]) if element == "bf16" else np.float32([[2048, 1025, 2, 4]])
    np.testing.assert_array_equal(run(nodes, element, target, x, {"w": w}), expected)


def test_products_of_two_inputs(element, target):
    x = halves((3, 50, 40), 0)
    nodes = [helper.make_node("Transpose", ["a"], ["t"], perm=[0, 2, 1]), helper.make_node("MatMul", ["a", "t"], ["b"])]
    close(run(nodes, element, target, x, {}), x.astype(np.float64) @ x.transpose(0, 2, 1), element)


def test_fused_operations_keep_bits(element, target):
    """A sum that narrow types can't hold, less nearly as much: rounding in between would give 0."""
    x = np.ones((20, 64), np.float32)
    w = np.full((64, 32), 32 + 1 / 8 if element == "f16" else 4 + 1 / 32, np.float32)
    large = np.full(32, 2048.0 if element == "f16" else 256.0, np.float32)
    nodes = [helper.make_node("MatMul", ["a", "w"], ["m"]), helper.make_node("Sub", ["m", "large"], ["b"])]
    close(run(nodes, element, target, x, {"w": w, "large": large}), x @ w - large, element)


def test_casts_of_the_graph_round(element, target):
    kind, unit = ELEMENTS[element]
    x = (1 + np.arange(16, dtype=np.float32) / 16 * unit).reshape(1, 16)
    nodes = [helper.make_node("Cast", ["a"], ["f"], to=F), helper.make_node("Add", ["f", "x"], ["s"]),
             helper.make_node("Cast", ["s"], ["b"], to=kind)]
    close(run(nodes, element, target, x, {}), np.full((1, 16), 2.0), element, roundings=0)


@pytest.mark.parametrize("attributes, channels, filters", [
    (dict(pads=[1] * 4), 3, 40),
    (dict(pads=[1] * 4, strides=[2, 2]), 16, 33),
    (dict(pads=[4] * 4, dilations=[4, 4]), 16, 32),
    (dict(pads=[1] * 4, group=4), 16, 32),
    (dict(pads=[1] * 4, group=16), 16, 16),
    (dict(), 130, 24),
    (dict(pads=[2] * 4, dilations=[2, 2]), 343, 32),
])
def test_convolutions(attributes, channels, filters, element, target):
    x = halves((2, channels, 19, 21), 0)
    w = halves((filters, channels // attributes.get("group", 1), 3, 3), 1)
    bias = halves((filters,), 2)
    nodes = [helper.make_node("Conv", ["a", "w", "bias"], ["c"], **attributes), helper.make_node("Relu", ["c"], ["b"])]
    wide = make_model([helper.make_node("Conv", ["x", "w", "bias"], ["c"], **attributes), helper.make_node("Relu", ["c"], ["y"])],
                      [("x", F, x.shape)], [("y", F, None)], [numpy_helper.from_array(w, "w"), numpy_helper.from_array(bias, "bias")])
    # Sums that are no register tiles are rounded before what follows them.
    close(run(nodes, element, target, x, {"w": w, "bias": bias}), tenon.reference(wide).run({"x": x})["y"], element,
          roundings=2 if "group" in attributes else 1)


def test_weights_stay_narrow(element, target, tmp_path):
    kind, _ = ELEMENTS[element]
    w = helper.make_tensor("w", kind, (512, 1024), halves((512, 1024), 1).ravel().tolist())
    model = make_model([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", kind, ("n", 512))], [("y", kind, None)], [w], opset=22)
    onnx.save(model, tmp_path / "model.onnx")
    tenon.compile(tmp_path / "model.onnx", target=target).save(tmp_path / "model.so")
    runtime = make_model([helper.make_node("Neg", ["x"], ["y"])], [("x", F, (1,))], [("y", F, None)])
    tenon.compile(runtime, target=target).save(tmp_path / "empty.so")
    size = lambda name: pathlib.Path(tmp_path / name).stat().st_size
    assert size("model.so") - size("empty.so") < 1.1 * 2 * 512 * 1024

"""What `accuracy` gives up, and what it doesn't."""

import math

import numpy as np
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

F = TensorProto.FLOAT
FEW = 2.0**-12


def function(op, **attributes):
    return make_model([helper.make_node(op, ["x"], ["y"], **attributes)], [("x", F, ["n"])], [("y", F, ["n"])])


@pytest.mark.parametrize("op, exact, largest", [
    ("Exp", np.exp, None),
    ("Tanh", np.tanh, 1),
    ("Erf", np.vectorize(math.erf), 1),
    ("Sigmoid", lambda x: 1 / (1 + np.exp(-x)), 1),
])
def test_fast_functions_keep_twelve_bits(op, exact, largest):
    x = np.concatenate([np.linspace(-87, 88, 20001), np.linspace(-4, 4, 20001), [0.0]]).astype(np.float32)
    expected = exact(x.astype(np.float64))
    scale = np.abs(expected) if largest is None else largest
    model = function(op)
    errors = {accuracy: np.max(np.abs(tenon.compile(model, accuracy=accuracy).run({"x": x})["y"] - expected) / scale)
              for accuracy in ("strict", "default", "fast")}
    assert errors["strict"] == errors["default"] < 1e-6 < errors["fast"] < FEW
    edges = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30], np.float32)
    result = tenon.compile(model, accuracy="fast").run({"x": edges})["y"]
    assert np.isnan(result[0])
    if largest:
        np.testing.assert_allclose(result[1:], exact(edges[1:].astype(np.float64)), atol=FEW)
    else:
        # Saturated: the largest and smallest powers.
        assert np.all(np.isfinite(result[1:])) and result[1] == result[3] > 1e38 and 0 < result[2] == result[4] < 1e-37


@pytest.mark.parametrize("dtype, bound", [(np.float32, 105), (np.float64, 750)])
def test_sigmoids_reach_denormals(dtype, bound):
    """From where results are denormal to where they are 1, within 3 ulp; a sigmoid's exponential has bounds of its own."""
    x = np.concatenate([np.linspace(-bound, bound, 40001), np.linspace(-17, 6, 100001), [0.0, -0.0, np.inf, -np.inf, np.nan]]).astype(dtype)
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-x.astype(np.longdouble)))
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    model = make_model([helper.make_node("Sigmoid", ["x"], ["y"])], [("x", element, ["n"])], [("y", element, ["n"])])
    result = tenon.compile(model).run({"x": x})["y"]
    assert np.isnan(result[-1]) and np.array_equal(result[-3:-1], [1, 0])
    errors = np.abs(result[:-3] - expected[:-3]) / np.spacing(expected[:-3].astype(dtype))
    assert np.max(errors) < 3 and 0 < result[np.argmin(np.abs(x[:40001] + 0.98 * bound))] < np.finfo(dtype).tiny


def test_fast_composites():
    """What consists of functions in the end: softmax, with what a mask hides, and GELU."""
    x = np.random.default_rng(0).standard_normal((7, 33)).astype(np.float32)
    x[:, 20:] = -np.inf
    softmax = make_model([helper.make_node("Softmax", ["x"], ["y"])], [("x", F, ["n", 33])], [("y", F, ["n", 33])])
    exact, fast = (tenon.compile(softmax, accuracy=a).run({"x": x})["y"] for a in (None, "fast"))
    assert 0 < np.max(np.abs(exact - fast)) < FEW
    np.testing.assert_allclose(fast.sum(axis=1), 1, atol=1e-6)
    gelu = make_model([helper.make_node("Gelu", ["x"], ["y"])], [("x", F, ["n"])], [("y", F, ["n"])], opset=20)
    x = np.linspace(-6, 6, 1001).astype(np.float32)
    exact, fast = (tenon.compile(gelu, accuracy=a).run({"x": x})["y"] for a in (None, "fast"))
    assert 0 < np.max(np.abs(exact - fast)) < 6 * FEW


def test_strict_multiplies_as_the_model_does():
    """A factor that is folded into weights overflows where the model's own products don't."""
    weights = numpy_helper.from_array(np.full((4, 4), 1e30, np.float32), "w")
    factor = numpy_helper.from_array(np.float32(1e20), "s")
    model = make_model([helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Mul", ["h", "s"], ["y"])],
                       [("x", F, ["n", 4])], [("y", F, ["n", 4])], [weights, factor])
    x = {"x": np.full((2, 4), 1e-30, np.float32)}
    np.testing.assert_allclose(tenon.compile(model, accuracy="strict").run(x)["y"], tenon.reference(model).run(x)["y"], rtol=1e-6)
    assert np.all(np.isinf(tenon.compile(model).run(x)["y"]))


def test_cache_tells_them_apart(tmp_path):
    x = {"x": np.linspace(-3, 3, 100).astype(np.float32)}
    for _ in range(2):
        exact, fast = (tenon.compile(function("Tanh"), accuracy=a, cache=tmp_path).run(x)["y"] for a in ("default", "fast"))
        assert 1e-6 < np.max(np.abs(exact - fast)) < FEW


@pytest.mark.parametrize("value, error", [("most", ValueError), (1, TypeError)])
def test_wrong_accuracy(value, error):
    with pytest.raises(error, match="accuracy is"):
        tenon.compile(function("Tanh"), accuracy=value)


def test_strict_rounds_as_the_model_says():
    """Between ops of f16 that compute in f32 nothing is rounded, but where a step would be seen; `strict` rounds all."""
    x = (np.random.default_rng(0).random(20000) * 200).astype(np.float16)
    c = np.float16(1.7)
    constants = [numpy_helper.from_array(np.array(c), "c")]

    def run(accuracy, *nodes):
        model = make_model(list(nodes), [("x", TensorProto.FLOAT16, ["n"])], [("y", TensorProto.FLOAT16, ["n"])], constants)
        return tenon.compile(model, accuracy=accuracy, threads=1).run({"x": x})["y"]

    scaled = helper.make_node("Mul", ["x", "c"], ["m"])
    for accuracy in ("strict", "default", "fast"):
        for op, exact in (("Floor", np.floor), ("Ceil", np.ceil), ("Round", np.round)):
            np.testing.assert_array_equal(run(accuracy, scaled, helper.make_node(op, ["m"], ["y"])), exact(x * c))
    chain = scaled, helper.make_node("Add", ["m", "c"], ["a"]), helper.make_node("Sub", ["a", "x"], ["y"])
    np.testing.assert_array_equal(run("strict", *chain), x * c + c - x)
    np.testing.assert_allclose(run("default", *chain), x.astype(np.float64) * c + c - x, rtol=2.0**-11, atol=2.0**-10)

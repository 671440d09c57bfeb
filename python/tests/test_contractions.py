"""Contractions of every kind of size: whole and ragged register tiles, panels, blocks of rows and of the summed dimension."""

import numpy as np
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

F = TensorProto.FLOAT


def floats(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def dense(depth, columns, constant):
    """relu(x @ w + b), with `w` an input or a constant."""
    weights, bias = floats((depth, columns), 1), floats((columns,), 2)
    initializers = [numpy_helper.from_array(bias, "b")]
    inputs = [("x", F, ("rows", depth))]
    if constant:
        initializers.append(numpy_helper.from_array(weights, "w"))
    else:
        inputs.append(("w", F, (depth, columns)))
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["s"]),
        helper.make_node("Relu", ["s"], ["y"]),
    ]
    return make_model(nodes, inputs, [("y", F, ("rows", columns))], initializers), weights, bias


@pytest.mark.parametrize("constant", [True, False], ids=["packed", "plain"])
@pytest.mark.parametrize("columns", [1, 31, 100])
@pytest.mark.parametrize("depth", [1, 64, 769, 2307])
def test_sizes(depth, columns, constant):
    model, weights, bias = dense(depth, columns, constant)
    compiled = tenon.compile(model, threads=1)
    for rows in (1, 5, 96, 101):
        x = floats((rows, depth), rows)
        feed = {"x": x} if constant else {"x": x, "w": weights}
        expected = np.maximum(x.astype(np.float64) @ weights + bias, 0)
        np.testing.assert_allclose(compiled.run(feed)["y"], expected, rtol=1e-5, atol=2e-7 * depth + 1e-5)

"""Transposes of every order, static and with each size known at run time only, against numpy: the same bits."""

import itertools

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper

import tenon

SHAPES = [(9, 5), (100, 3), (17, 40), (3, 2, 9), (5, 4, 9), (8, 3, 17), (2, 20, 6), (1, 33, 4), (4, 0, 6), (2, 3, 4, 9), (3, 8, 1, 12)]
ELEMENTS = {TensorProto.FLOAT: np.float32, TensorProto.INT8: np.int8, TensorProto.INT64: np.int64}


@pytest.mark.parametrize("element", ELEMENTS, ids=lambda e: ELEMENTS[e].__name__)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
def test_every_order(shape, element):
    orders = list(itertools.permutations(range(len(shape))))
    nodes = [helper.make_node("Transpose", ["x"], [f"y{i}"], perm=order) for i, order in enumerate(orders)]
    outputs = [(f"y{i}", element, [None] * len(shape)) for i in range(len(orders))]
    x = np.random.default_rng(0).integers(-100, 100, shape).astype(ELEMENTS[element])
    for declared in (shape, ("n", *shape[1:]), (*shape[:-1], "n")):
        run = tenon.compile(make_model(nodes, [("x", element, declared)], outputs), threads=1).run({"x": x})
        for i, order in enumerate(orders):
            np.testing.assert_array_equal(run[f"y{i}"], x.transpose(order), err_msg=f"{declared} {order}")

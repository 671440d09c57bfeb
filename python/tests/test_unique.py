"""Unique slices along an axis, and diagonals of Einsum, against NumPy."""

import numpy as np
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper

T = TensorProto
TYPES = {np.float32: T.FLOAT, np.int64: T.INT64, np.int8: T.INT8, np.uint8: T.UINT8, np.bool_: T.BOOL}


@pytest.mark.parametrize("sorted", [0, 1])
@pytest.mark.parametrize("shape, axis, dtype", [((6, 2), 0, np.float32), ((2, 7), 1, np.int64), ((3, 5, 2), -2, np.int8), ((8, 1), 0, np.bool_), ((2, 3, 9), 2, np.uint8),
                                                ((1, 4), 0, np.float32), ((40, 3), 0, np.int64), ((9,), 0, np.float32)])
def test_along_an_axis(shape, axis, sorted, dtype):
    x = np.random.default_rng(sum(shape)).integers(0, 2 if dtype != np.int8 else 3, shape).astype(dtype)
    names = ["y", "first", "group", "counts"]
    model = make_model([helper.make_node("Unique", ["x"], names, axis=axis, sorted=sorted)], [("x", TYPES[dtype], [f"n{i}" for i in range(x.ndim)])],
                       [(name, TYPES[dtype] if name == "y" else T.INT64, None) for name in names], opset=11)
    y, first, group, counts = np.unique(x, True, True, True, axis=axis)
    group = group.ravel()
    if not sorted:
        order = np.argsort(first)
        y, first, counts, group = np.take(y, order, axis), first[order], counts[order], np.argsort(order)[group]
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        for name, expected in zip(names, (y, first, group, counts)):
            np.testing.assert_array_equal(run({"x": x})[name], expected, err_msg=name)


def test_negative_numbers():
    x = np.array([[-1.5, 2], [0, -3], [-1.5, 2], [-1.5, -2], [np.inf, 0], [-np.inf, 0]], np.float32)
    model = make_model([helper.make_node("Unique", ["x"], ["y"], axis=0)], [("x", T.FLOAT, [6, 2])], [("y", T.FLOAT, None)], opset=11)
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        np.testing.assert_array_equal(run({"x": x})["y"], np.unique(x, axis=0))


@pytest.mark.parametrize("shape, axis, count", [((3, 0), 0, 1), ((3, 0), 1, 0), ((0, 3), 0, 0), ((0, 3), 1, 1), ((2, 0, 4), 2, 1)])
@pytest.mark.parametrize("dynamic", [False, True])
def test_slices_without_elements_are_equal(shape, axis, count, dynamic):
    model = make_model([helper.make_node("Unique", ["x"], ["y", "first", "of", "counts"], axis=axis)],
                       [("x", T.FLOAT, [f"n{d}" for d in range(len(shape))] if dynamic else shape)],
                       [("y", T.FLOAT, None), *((name, T.INT64, None) for name in ("first", "of", "counts"))], opset=11)
    size, expected = shape[axis], tuple(count if d == axis else n for d, n in enumerate(shape))
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        y = run({"x": np.zeros(shape, np.float32)})
        assert y["y"].shape == expected and y["counts"].tolist() == [size] * count and y["of"].tolist() == [0] * size


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("equation, shapes", [("ii->i", [(4, 4)]), ("ii", [(5, 5)]), ("...ii->...i", [(2, 3, 3)]), ("iij,jk->ik", [(3, 3, 4), (4, 5)]),
                                              ("iji->j", [(3, 2, 3)]), ("iii->i", [(3, 3, 3)]), ("iijj->ij", [(2, 2, 3, 3)]), ("ij,jj->ij", [(2, 3), (3, 3)]),
                                              ("ii->i", [(0, 0)]), ("bij,bjj->bi", [(2, 3, 4), (2, 4, 4)])])
def test_diagonals(equation, shapes, dynamic):
    rng = np.random.default_rng(1)
    feed = {f"x{i}": rng.standard_normal(shape).astype(np.float32) for i, shape in enumerate(shapes)}
    sizes = {name: [f"{name}_{d}" for d in range(x.ndim)] if dynamic else x.shape for name, x in feed.items()}
    model = make_model([helper.make_node("Einsum", list(feed), ["y"], equation=equation)], [(name, T.FLOAT, sizes[name]) for name in feed],
                       [("y", T.FLOAT, None)], opset=12)
    expected = np.einsum(equation, *feed.values())
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        np.testing.assert_allclose(run(feed)["y"], expected, rtol=1e-5, atol=1e-6)


def test_no_diagonal():
    model = make_model([helper.make_node("Einsum", ["x"], ["y"], equation="ii->i")], [("x", T.FLOAT, [2, 3])], [("y", T.FLOAT, None)], opset=12)
    with pytest.raises(tenon.CompileError, match="one size for a letter"):
        tenon.compile(model)
    model = make_model([helper.make_node("Einsum", ["x"], ["y"], equation="ii->i")], [("x", T.FLOAT, ["m", "n"])], [("y", T.FLOAT, None)], opset=12)
    with pytest.raises(tenon.RunError, match="diagonal"):
        tenon.compile(model, threads=1).run({"x": np.zeros((2, 3), np.float32)})

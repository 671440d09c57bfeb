"""Top-k and sorting: order of equal elements, of what is no number, rows that are the worst for some way of sorting."""

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

T = TensorProto
ELEMENTS = (T.INT8, T.UINT8, T.INT16, T.UINT16, T.INT32, T.UINT32, T.INT64, T.UINT64, T.FLOAT16, T.FLOAT, T.DOUBLE)
# Around the numbers up to which a few are kept in order, or collected before they are sorted.
LENGTHS = {1: (0, 1), 2: (2,), 15: (1, 15), 17: (16, 17), 64: (17,), 129: (5, 128), 200: (40, 50), 1000: (1, 16, 17, 250, 1000),
           5000: (16, 100, 1249, 1300)}


def top_k(element, axis=-1, k=None, **attributes):
    """A model of x [n, m] and of k, where that isn't given."""
    initializers = [] if k is None else [numpy_helper.from_array(np.int64([k]), "k")]
    inputs = [("x", element, ("n", "m"))] + ([("k", T.INT64, (1,))] if k is None else [])
    return make_model([helper.make_node("TopK", ["x", "k"], ["values", "indices"], axis=axis, **attributes)], inputs,
                      [("values", element, None), ("indices", T.INT64, None)], initializers, opset=24)


def expected(x, k, axis, largest):
    """Equal elements in order of their places, NaN above all numbers, -0 equal to 0."""
    ranks = np.unique(x, return_inverse=True)[1].reshape(x.shape).astype(np.int64)
    order = np.argsort(-ranks if largest else ranks, axis=axis, kind="stable")
    indices = np.take(order, np.arange(k), axis=axis)
    return np.take_along_axis(x, indices, axis), indices


def rows(dtype, length, rng):
    """One row of each kind that a way of sorting may not like."""
    kind, ramp = np.dtype(dtype).kind, np.arange(length)
    limits = np.finfo(dtype) if kind == "f" else np.iinfo(dtype)
    wide = rng.integers(limits.min, limits.max, length, dtype, True) if kind in "iu" else (
        rng.standard_normal(length) * 10.0 ** rng.integers(-4, 4, length)).astype(dtype)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, limits.tiny, -limits.tiny, 1.5] if kind == "f" else [
        limits.min, limits.max, 0, 1]
    few = np.array(special, np.dtype(dtype))
    up = np.sort(wide)
    result = [wide, up, up[::-1], np.full(length, 3, dtype), few[rng.integers(0, len(few), length)],
              (ramp % 7).astype(dtype), np.where(ramp % 2, up, up[::-1]), np.where(ramp < length // 2, up[::-1], up)]
    return np.stack(result).astype(dtype)


@pytest.mark.parametrize("element", ELEMENTS, ids=T.DataType.Name)
@pytest.mark.parametrize("largest", (0, 1))
def test_every_order(element, largest):
    model = tenon.compile(top_k(element, largest=largest), threads=1)
    rng = np.random.default_rng(element)
    for length, counts in LENGTHS.items():
        x = rows(helper.tensor_dtype_to_np_dtype(element), length, rng)
        for k in counts:
            values, indices = expected(x, k, -1, largest)
            result = model.run({"x": x, "k": np.int64([k])})
            np.testing.assert_array_equal(result["indices"], indices, f"{k} of {length}")
            assert result["values"].tobytes() == values.tobytes()  # zeros keep their signs


@pytest.mark.parametrize("k", (0, 1, 5, 16, 17, 300, 1000))
def test_known_counts(k):
    model = tenon.compile(top_k(T.FLOAT, k=k), threads=1)
    x = rows(np.float32, 1000, np.random.default_rng(k))
    result = model.run({"x": x})
    values, indices = expected(x, k, -1, True)
    np.testing.assert_array_equal(result["indices"], indices)
    np.testing.assert_array_equal(result["values"], values)


@pytest.mark.parametrize("k", (3, 40))
def test_across_rows(k):
    """Elements of a column are apart from each other."""
    model = tenon.compile(top_k(T.FLOAT, axis=0, largest=0), threads=1)
    x = rows(np.float32, 500, np.random.default_rng(1)).T.copy()
    values, indices = expected(x, k, 0, False)
    result = model.run({"x": x, "k": np.int64([k])})
    np.testing.assert_array_equal(result["indices"], indices)
    np.testing.assert_array_equal(result["values"], values)


def test_narrow_floats():
    cast = lambda x, y, to: helper.make_node("Cast", [x], [y], to=to)
    model = make_model([cast("x", "b", T.BFLOAT16), helper.make_node("TopK", ["b", "k"], ["v", "indices"]), cast("v", "values", T.FLOAT)],
                       [("x", T.FLOAT, ("n", "m")), ("k", T.INT64, (1,))],
                       [("values", T.FLOAT, None), ("indices", T.INT64, None)], opset=24)
    x = np.random.default_rng(0).integers(-100, 100, (3, 700)).astype(np.float32)
    x[:, ::50] = np.nan
    for k in (7, 60):
        values, indices = expected(x, k, -1, True)
        result = tenon.compile(model, threads=1).run({"x": x, "k": np.int64([k])})
        np.testing.assert_array_equal(result["indices"], indices)
        np.testing.assert_array_equal(result["values"], values)


def test_threads_have_scratch_of_their_own():
    model = tenon.compile(top_k(T.INT32), threads=2)
    x = np.random.default_rng(2).integers(0, 50, (64, 999)).astype(np.int32)
    values, indices = expected(x, 100, -1, True)
    for _ in range(10):
        result = model.run({"x": x, "k": np.int64([100])})
        np.testing.assert_array_equal(result["indices"], indices)
        np.testing.assert_array_equal(result["values"], values)

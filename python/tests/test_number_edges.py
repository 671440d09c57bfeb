"""Where arithmetic has edges: NaN in maxima, equal elements in top-k, divisions and shifts at the ends of integers, and norms
of elements whose squares overflow or vanish, beside numpy in float64."""
import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

TARGETS = ["host", "avx2"]
AXIS = numpy_helper.from_array(np.array([1], np.int64), "axes")


def run(op, inputs, constants=(), results=(TensorProto.FLOAT,), opset=18, target="host", **attributes):
    kind = helper.np_dtype_to_tensor_dtype
    names = [f"x{i}" for i in range(len(inputs))]
    node = helper.make_node(op, [*names, *(value.name for value in constants)], [f"y{i}" for i in range(len(results))],
                            **attributes)
    model = make_model([node], [(name, kind(x.dtype), x.shape) for name, x in zip(names, inputs)],
                       [(f"y{i}", element, None) for i, element in enumerate(results)], constants, opset=opset)
    return list(tenon.compile(model, target=target).run(dict(zip(names, inputs))).values())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("scale", [1, 1e30, 1e-30, 7e36, 1e-44])
def test_norms_neither_overflow_nor_vanish(scale, target):
    x = (np.random.default_rng(0).standard_normal((3, 37)) * scale).astype(np.float32)
    wide = x.astype(np.float64)
    shifted = wide - wide.max(1, keepdims=True)
    length = np.sqrt((wide * wide).sum(1, keepdims=True))
    log = np.logaddexp.reduce(wide, axis=1, keepdims=True)
    expected = {
        ("ReduceL2", "reduced"): length,
        ("LpNormalization", "kept"): wide / length,
        ("ReduceLogSumExp", "reduced"): log,
        ("Softmax", "kept"): np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True),
        ("LogSoftmax", "kept"): wide - log,
    }
    for (op, axis), values in expected.items():
        attributes = {"keepdims": 1} if axis == "reduced" else {"axis": 1}
        (y,) = run(op, [x], [AXIS] if axis == "reduced" else [], target=target, **attributes)
        np.testing.assert_allclose(y, values.astype(np.float32), rtol=1e-4, atol=1e-6 * np.abs(values).max(), err_msg=op)


@pytest.mark.parametrize("target", TARGETS)
def test_maxima_of_nan(target):
    x = np.array([[1, np.nan, 3, 2, 3, -1], [np.nan, np.nan, 0, 5, 5, 1], [1, 2, 3, 3, 2, 1]], np.float32)
    i64 = (TensorProto.INT64,)
    for op, expected in (("ReduceMax", x.max(1)), ("ReduceMin", x.min(1))):
        np.testing.assert_array_equal(run(op, [x], [AXIS], target=target, keepdims=0)[0], expected)
    for op, expected in (("ArgMax", x.argmax(1)), ("ArgMin", x.argmin(1))):
        np.testing.assert_array_equal(run(op, [x], results=i64, target=target, axis=1, keepdims=0)[0], expected)
    np.testing.assert_array_equal(run("Max", [x, x[::-1].copy()], target=target)[0], np.maximum(x, x[::-1]))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("largest, expected", [(1, [0, 2, 4, 7, 3]), (0, [1, 5, 3, 6, 0])])
def test_equal_elements_in_top_k(largest, expected, target):
    x = np.array([[3, 1, 3, 2, 3, 1, 2, 3]], np.float32)
    k = numpy_helper.from_array(np.array([5], np.int64), "k")
    _, indices = run("TopK", [x], [k], (TensorProto.FLOAT, TensorProto.INT64), target=target, axis=1, largest=largest)
    np.testing.assert_array_equal(indices, [expected])


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_divisions_at_the_ends_of_integers(dtype):
    least = np.iinfo(dtype).min
    a = np.array([7, -7, 7, -7, least, least, 5], dtype)
    b = np.array([2, 2, -2, -2, -1, 1, 3], dtype)
    results = (helper.np_dtype_to_tensor_dtype(np.dtype(dtype)),)
    np.testing.assert_array_equal(run("Div", [a, b], results=results)[0], np.array([3, -3, -3, 3, least, least, 1], dtype))
    np.testing.assert_array_equal(run("Mod", [a, b], results=results)[0], np.array([1, 1, -1, -1, 0, 0, 2], dtype))
    np.testing.assert_array_equal(run("Mod", [a, b], results=results, fmod=1)[0], np.array([1, -1, 1, -1, 0, 0, 2], dtype))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.uint64])
def test_shifts_by_more_than_there_are_bits(dtype):
    bits = np.dtype(dtype).itemsize * 8
    a, by = np.array([1, 255, 3, 3, 3], dtype), np.array([1, 1, bits, bits + 1, 200], dtype)
    results = (helper.np_dtype_to_tensor_dtype(np.dtype(dtype)),)
    left = np.array([2, 510 & (2**bits - 1), 0, 0, 0], dtype)
    np.testing.assert_array_equal(run("BitShift", [a, by], results=results, direction="LEFT")[0], left)
    np.testing.assert_array_equal(run("BitShift", [a, by], results=results, direction="RIGHT")[0],
                                  np.array([0, 127, 0, 0, 0], dtype))


@pytest.mark.parametrize("target", TARGETS)
def test_long_sums_of_halves(target):
    results = (TensorProto.FLOAT16,)
    for op, value, expected in (("ReduceMean", 0.25, 0.25), ("ReduceSum", 0.5, 35008)):
        x = np.full((2, 70000), value, np.float16)
        (y,) = run(op, [x], [AXIS], results, target=target, keepdims=0)
        np.testing.assert_array_equal(y, np.full(2, expected, np.float16))

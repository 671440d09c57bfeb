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
def test_first_of_the_largest(target):
    x = np.array([[1, 3, 3], [np.nan, 5, np.nan], [0, np.nan, 9], [-np.inf, -np.inf, -np.inf]], np.float32)
    expected = np.array([[0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]], np.float32)
    np.testing.assert_array_equal(run("Hardmax", [x], target=target, axis=1)[0], expected)
    np.testing.assert_array_equal(run("Hardmax", [x.T.copy()], target=target, axis=0)[0], expected.T)


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax", "Hardmax"])
@pytest.mark.parametrize("shape, axis, opset", [((3, 0), 1, 13), ((0, 3), 1, 13), ((3, 1, 0), 1, 7), ((0, 0), 0, 13)])
def test_rows_without_elements(op, shape, axis, opset):
    for declared in (shape, [f"n{d}" for d in range(len(shape))]):
        model = make_model([helper.make_node(op, ["x"], ["y"], axis=axis)], [("x", TensorProto.FLOAT, declared)],
                           [("y", TensorProto.FLOAT, None)], opset=opset)
        for execute in (tenon.compile(model).run, tenon.reference(model).run):
            assert execute({"x": np.zeros(shape, np.float32)})["y"].shape == shape


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


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("scale", [1e19, 1e25, 1e30, -1e32])
def test_normalizations_of_any_size(scale, target):
    """What is divided by its own size gives the same at any size that is far above epsilon."""
    x = np.random.default_rng(0).standard_normal((2, 4, 37)).astype(np.float32)
    row, channel, none = np.linspace(0.5, 1, 37, dtype=np.float32), np.linspace(0.5, 1, 4, dtype=np.float32), np.zeros(4, np.float32)
    cases = {
        "LayerNormalization": ([row], {"axis": -1}), "RMSNormalization": ([row], {"axis": -1}),
        "InstanceNormalization": ([channel, none], {}), "GroupNormalization": ([channel, none], {"num_groups": 2}),
    }
    large = (x * np.float32(scale)).astype(np.float32)
    for op, (constants, attributes) in cases.items():
        constants = [numpy_helper.from_array(value, f"c{i}") for i, value in enumerate(constants)]
        (expected,) = run(op, [x], constants, opset=23, target=target, epsilon=1e-9, **attributes)
        (y,) = run(op, [large], constants, opset=23, target=target, epsilon=1e-5, **attributes)
        np.testing.assert_allclose(y, np.sign(scale) * expected, rtol=2e-5, atol=2e-5, err_msg=op)


@pytest.mark.parametrize("epsilon", [0.0, 1e-30, 1e-12, 1e-5, 1.0, 1e6])
def test_normalizations_of_any_epsilon(epsilon):
    x = np.random.default_rng(0).standard_normal((3, 37)).astype(np.float32)
    x[2] *= 1e-3
    for op, centred in (("LayerNormalization", x - x.mean(1, keepdims=True)), ("RMSNormalization", x)):
        wide = centred.astype(np.float64)
        expected = wide / np.sqrt((wide * wide).mean(1, keepdims=True) + epsilon)
        ones = numpy_helper.from_array(np.ones(37, np.float32), "scale")
        (y,) = run(op, [x], [ones], opset=23, axis=-1, epsilon=epsilon)
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-6)


def test_scale_of_another_type():
    x, scale = np.random.default_rng(0).standard_normal((3, 37)), np.linspace(0.5, 1, 37)
    expected = x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-5) * scale
    for kind, of in ((np.float16, np.float32), (np.float32, np.float16), (np.float32, np.float64)):
        scales = numpy_helper.from_array(scale.astype(of), "scale")
        (y,) = run("RMSNormalization", [x.astype(kind)], [scales], (helper.np_dtype_to_tensor_dtype(np.dtype(of)),), opset=23, axis=-1)
        assert y.dtype == of
        np.testing.assert_allclose(y, expected, rtol=3e-3, atol=3e-3)


EDGES = np.array([0, -0.0, 0.5, -0.5, 1.5, -1.5, 127.5, 128, -128.5, -129, 255.5, 256, 257, -1, 300, 32768, -32769, 65536, 2147483520, 2147483648.0,
                  4294967296.0, -2147483904.0, 9.223372e18, 1.8446744e19, -9.3e18, -2e19, 1e30, -1e30, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("source", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("to", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.bool_])
def test_casts_beyond_the_range(source, to):
    """Truncated, then modulo 2^n from 64 bits, as `tenon.cast` says: compiled as interpreted, in vectors and behind them."""
    with np.errstate(over="ignore"):
        x = EDGES.astype(source)
    results = []
    for target in (*TARGETS, None):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(to))
        model = make_model([helper.make_node("Cast", ["x"], ["y"], to=kind)], [("x", helper.np_dtype_to_tensor_dtype(x.dtype), ("n",))],
                           [("y", kind, None)], opset=21)
        model = tenon.reference(model) if target is None else tenon.compile(model, target=target)
        results.append(model.run({"x": x})["y"])
    for y in results[:-1]:
        np.testing.assert_array_equal(y, results[-1])
    inside = np.isfinite(x) & (np.abs(x.astype(np.float64)) < 2.0**63)
    exact = [int(value) for value in x[inside]]
    expected = [bool(value) for value in x[inside]] if to == np.bool_ else [np.array(value % 2**64, np.uint64).astype(to) for value in exact]
    np.testing.assert_array_equal(results[0][inside], expected)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_divisions_by_zero(dtype):
    ends = np.iinfo(dtype)
    a, results = np.array([0, 1, 7, ends.min, ends.max] * 9, dtype), (helper.np_dtype_to_tensor_dtype(np.dtype(dtype)),)
    for op, attributes in (("Div", {}), ("Mod", {}), ("Mod", {"fmod": 1})):
        np.testing.assert_array_equal(run(op, [a, np.zeros_like(a)], results=results, **attributes)[0], np.zeros_like(a))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", [np.int32, np.uint32])
def test_means_of_integers_whose_sum_leaves_their_type(dtype, target):
    ends = np.iinfo(dtype)
    x = np.array([[ends.max, ends.max, 1], [ends.max, 0, 0], [ends.min, ends.min, ends.min]], dtype)
    (y,) = run("ReduceMean", [x], [AXIS], (helper.np_dtype_to_tensor_dtype(np.dtype(dtype)),), target=target, keepdims=0)
    assert y.tolist() == [int(sum(map(int, row)) / 3) for row in x]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_angles_of_any_size(dtype, target):
    x = np.array([2.0**45, 2.0**46, 2.0**60, 2.0**63, 1e20, 1e30, 3e38, -1e25, 1e5, 0.5], dtype)
    for op, function in (("Sin", np.sin), ("Cos", np.cos), ("Tan", np.tan)):
        kind = (helper.np_dtype_to_tensor_dtype(np.dtype(dtype)),)
        (y,) = run(op, [x], results=kind, target=target, opset=22)
        np.testing.assert_allclose(y, function(x.astype(np.longdouble)), rtol=1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("element, of_infinity, of_more", [
    ("FLOAT8E4M3FN", "nan", "nan"), ("FLOAT8E4M3FNUZ", "nan", "nan"), ("FLOAT8E5M2", "inf", "inf"), ("FLOAT8E5M2FNUZ", "nan", "nan"),
    ("BFLOAT16", "inf", "number"), ("FLOAT16", "inf", "inf")])
def test_what_is_infinite_or_no_number_in_narrow_types(element, of_infinity, of_more, target):
    x = np.array([1, -0.0, np.nan, np.inf, -np.inf, 1e9], np.float32)
    kinds = ["number", "number", "nan", of_infinity, of_infinity, of_more]
    cast = helper.make_node("Cast", ["x"], ["q"], to=getattr(TensorProto, element), **({"saturate": 0} if "8E" in element else {}))
    for op, attributes, expected in (("IsNaN", {}, [kind == "nan" for kind in kinds]), ("IsInf", {}, [kind == "inf" for kind in kinds]),
                                     ("IsInf", {"detect_negative": 0}, [kind == "inf" and value > 0 for kind, value in zip(kinds, x)])):
        model = make_model([cast, helper.make_node(op, ["q"], ["y"], **attributes)], [("x", TensorProto.FLOAT, (6,))],
                           [("y", TensorProto.BOOL, (6,))], opset=21)
        for execute in (tenon.compile(model, target=target).run, tenon.reference(model).run):
            np.testing.assert_array_equal(execute({"x": x})["y"], expected)

"""Vectors of narrow elements: rows of any length, borders and concats along them, limited casts, against the reference."""
import numpy as np
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

LENGTHS = [1, 2, 5, 15, 31, 32, 33, 64, 66, 100]
rng = np.random.default_rng(11)


def compare(nodes, feeds, outputs, constants=None, shapes=None):
    """Compiles and interprets; the sizes are known, or any by `shapes`."""
    shapes = shapes or {name: value.shape for name, value in feeds.items()}
    inputs = [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), shapes[k]) for k, v in feeds.items()]
    results = [helper.make_tensor_value_info(k, kind, None) for k, kind in outputs.items()]
    initializers = [numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()]
    model = helper.make_model(helper.make_graph(nodes, "g", inputs, results, initializers), ir_version=10,
                              opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)])
    expected = tenon.reference(model).run(feeds)
    for name, actual in tenon.compile(model, threads=1).run(feeds).items():
        np.testing.assert_array_equal(actual, expected[name], err_msg=name)


def bytes_of(*shape):
    return rng.integers(0, 256, shape, np.uint8)


MOVES = [
    helper.make_node("Clip", ["x", "low", "high"], ["clipped"]),
    helper.make_node("Pad", ["x", "pads", "low"], ["padded"]),
    helper.make_node("Pad", ["x", "pads"], ["edge"], mode="edge"),
    helper.make_node("Relu", ["h"], ["positive"]),
    helper.make_node("Concat", ["padded", "x", "edge"], ["joined"], axis=2),
    helper.make_node("Add", ["h", "h"], ["twice"]),
    helper.make_node("Cast", ["h"], ["wide"], to=TensorProto.FLOAT),
    helper.make_node("Less", ["h", "positive"], ["less"]),
]
MOVED = {"clipped": TensorProto.UINT8, "padded": TensorProto.UINT8, "edge": TensorProto.UINT8, "joined": TensorProto.UINT8,
         "positive": TensorProto.FLOAT16, "twice": TensorProto.FLOAT16, "wide": TensorProto.FLOAT, "less": TensorProto.BOOL}
LIMITS = {"low": np.uint8(20), "high": np.uint8(200), "pads": np.array([0, 0, 3, 0, 0, 2])}


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("known", [True, False])
def test_rows_of_any_length(length, known):
    shape = (3, 2, length)
    feeds = {"x": bytes_of(*shape), "h": rng.standard_normal(shape).astype(np.float16)}
    shapes = None if known else {name: ("a", "b", "c") for name in feeds}
    compare(MOVES, feeds, MOVED, LIMITS, shapes)


@pytest.mark.parametrize("length", [7, 40, 64])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_windows(length, stride):
    nodes = [helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[stride, stride]),
             helper.make_node("MaxPool", ["h"], ["z"], kernel_shape=[3, 5], pads=[1, 2, 1, 2], strides=[1, stride])]
    feeds = {"x": bytes_of(1, 2, 9, length), "h": rng.standard_normal((1, 2, 9, length)).astype(np.float16)}
    compare(nodes, feeds, {"y": TensorProto.UINT8, "z": TensorProto.FLOAT16})


@pytest.mark.parametrize("mode", ["reflect", "edge", "wrap"])
def test_borders_of_other_elements(mode):
    pads = np.array([0, 2, 4, 0, 1, 3])
    compare([helper.make_node("Pad", ["x", "p"], ["y"], mode=mode)], {"x": bytes_of(2, 5, 70)}, {"y": TensorProto.UINT8}, {"p": pads})


@pytest.mark.parametrize("to", [TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16])
def test_casts_wrap(to):
    special = [0.0, -0.0, 0.7, -0.7, 127.9, -128.9, 255.5, 300.0, -300.0, 32768.0, 65535.9, 65536.0, -65537.0, 1e6, -1e6, 2.0**31,
               -(2.0**31), 2.0**31 + 256, 2.0**33 + 512 * 3, 1e12, -1e12, 1e18, 1e30, -1e30, np.inf, -np.inf]
    x = np.array(special + list(rng.standard_normal(50) * 1e5), np.float32)
    compare([helper.make_node("Cast", ["x"], ["y"], to=to)], {"x": x}, {"y": to})


def test_casts_of_what_is_limited():
    """Sums of bytes fit 32 bits, so the limits are those of integers; ties go to even, as before."""
    scales = {"sa": np.float32(0.5), "za": np.uint8(3), "sb": np.float32(1.5), "zb": np.uint8(200), "sc": np.float32(1), "zc": np.uint8(128)}
    names = ["x", "sa", "za", "y", "sb", "zb", "sc", "zc"]
    nodes = [helper.make_node(kind, names, [kind], domain="com.microsoft") for kind in ("QLinearAdd", "QLinearMul")]
    x, y = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    compare(nodes, {"x": x.copy(), "y": y.copy()}, {"QLinearAdd": TensorProto.UINT8, "QLinearMul": TensorProto.UINT8}, scales)


SPECIAL = [np.nan, np.inf, -np.inf, 300.7, -300.7, 3e9, -3e9, 1e20, -1e20, 9.3e18]


@pytest.mark.parametrize("element", [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16])
def test_casts_of_what_has_no_value(element):
    """NaN and numbers beyond 64 bits, compiled and interpreted alike."""
    kinds = ["INT8", "UINT8", "INT16", "UINT16", "INT32", "UINT32", "INT64", "UINT64", "BOOL"]
    nodes = [helper.make_node("Cast", ["x"], [kind], to=getattr(TensorProto, kind)) for kind in kinds]
    model = make_model(nodes, [("x", element, ("n",))], [(kind, getattr(TensorProto, kind), None) for kind in kinds])
    with np.errstate(over="ignore"):
        feed = {"x": np.array(SPECIAL * 5).astype(helper.tensor_dtype_to_np_dtype(element))}
    actual, expected = tenon.compile(model, threads=1).run(feed), tenon.reference(model).run(feed)
    for kind in kinds:
        np.testing.assert_array_equal(actual[kind], expected[kind], err_msg=kind)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int16])
@pytest.mark.parametrize("scale", [0.1, 0.0298, 3.7, 2.0**-70])
def test_quotients_round_as_division_does(kind, scale):
    """Of numbers around ties, and of those that no integer holds; and what is dequantised in the same kernel."""
    info, scale = np.iinfo(kind), np.float32(scale)
    zero = kind(info.min + (info.max - info.min) // 3)
    ties = ((np.arange(info.min, info.max + 1, max(1, info.max // 500)) + 0.5) * np.float64(scale)).astype(np.float32)
    with np.errstate(over="ignore", under="ignore"):
        x = np.concatenate([ties, np.nextafter(ties, np.inf, dtype=np.float32), np.nextafter(ties, -np.inf, dtype=np.float32),
                            np.array([0, -0.0, np.inf, -np.inf, 3e38, -3e38, 1e-40], np.float32)])
        quotient = np.clip(np.round(x / scale) + np.float32(zero), info.min, info.max).astype(kind)
    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]), helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"])]
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in (("s", scale), ("z", zero))]
    model = make_model(nodes, [("x", TensorProto.FLOAT, ("n",))], [("q", element, None), ("y", TensorProto.FLOAT, None)], constants, opset=21)
    actual = tenon.compile(model, threads=1).run({"x": x})
    np.testing.assert_array_equal(actual["q"], quotient)
    np.testing.assert_array_equal(actual["y"], (quotient.astype(np.int32) - np.int32(zero)).astype(np.float32) * scale)

"""Products and convolutions of 8-bit integers: bit by bit, of all signs, zero points and ragged sizes."""

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

KINDS = {"u8": (TensorProto.UINT8, np.uint8), "i8": (TensorProto.INT8, np.int8)}
pytestmark = [pytest.mark.parametrize("target", ["avx2", "avx512", "host"]), pytest.mark.usefixtures("runnable")]


def numbers(kind, shape, seed):
    info = np.iinfo(kind)
    return np.random.default_rng(seed).integers(info.min, info.max, shape, kind, endpoint=True)


@pytest.mark.parametrize("depth, columns", [(1, 40), (3, 33), (77, 100), (512, 32), (1537, 64), (2048, 45), (2058, 32)])
@pytest.mark.parametrize("rhs", KINDS)
@pytest.mark.parametrize("lhs", KINDS)
def test_products(lhs, rhs, depth, columns, target):
    w, p, q = numbers(KINDS[rhs][1], (depth, columns), 1), numbers(KINDS[lhs][1], (), 2), numbers(KINDS[rhs][1], (columns,), 3)
    constants = [numpy_helper.from_array(array, name) for name, array in (("w", w), ("q", q))]
    model = make_model([helper.make_node("MatMulInteger", ["x", "w", "p", "q"], ["y"])],
                       [("x", KINDS[lhs][0], ("n", depth)), ("p", KINDS[lhs][0], ())], [("y", TensorProto.INT32, None)], constants)
    session = tenon.compile(model, target=target, threads=1)
    for rows in (1, 2, 5, 101):
        x = numbers(KINDS[lhs][1], (rows, depth), rows)
        expected = (x.astype(np.int64) - p) @ (w.astype(np.int64) - q)
        np.testing.assert_array_equal(session.run({"x": x, "p": p})["y"], expected)


@pytest.mark.parametrize("depth, columns", [(3, 33), (77, 100), (512, 32), (2058, 32)])
@pytest.mark.parametrize("largest", [64, 65])
def test_seven_bits(depth, columns, largest, target):
    """Extremes of weights with which pairs of products just fit 16 bits, and with which they don't."""
    w = np.random.default_rng(0).choice([-largest, largest], (depth, columns)).astype(np.int8)
    w[:, :3] = largest
    model = make_model([helper.make_node("MatMulInteger", ["x", "w"], ["y"])], [("x", TensorProto.UINT8, ("n", depth))],
                       [("y", TensorProto.INT32, None)], [numpy_helper.from_array(w, "w")])
    session = tenon.compile(model, target=target, threads=1)
    for rows in (1, 2, 5, 101):
        x = np.random.default_rng(rows).integers(250, 255, (rows, depth), np.uint8, endpoint=True)
        np.testing.assert_array_equal(session.run({"x": x})["y"], x.astype(np.int64) @ w.astype(np.int64))


@pytest.mark.parametrize("depth", [64, 258, 259])
@pytest.mark.parametrize("rhs", KINDS)
@pytest.mark.parametrize("lhs", KINDS)
def test_both_computed(lhs, rhs, depth, target):
    """The largest sums that f32 holds, and larger ones."""
    model = make_model([helper.make_node("MatMulInteger", ["x", "w", "p", "q"], ["y"])],
                       [("x", KINDS[lhs][0], (2, "n", depth)), ("w", KINDS[rhs][0], (2, depth, 20)), ("p", KINDS[lhs][0], ()),
                        ("q", KINDS[rhs][0], ())], [("y", TensorProto.INT32, None)])
    session = tenon.compile(model, target=target, threads=1)
    for extreme in (False, True):
        feed = {"x": numbers(KINDS[lhs][1], (2, 7, depth), 1), "w": numbers(KINDS[rhs][1], (2, depth, 20), 2),
                "p": numbers(KINDS[lhs][1], (), 3), "q": numbers(KINDS[rhs][1], (), 4)}
        if extreme:
            for name, kind in (("x", lhs), ("w", rhs)):
                feed[name][:] = np.iinfo(KINDS[kind][1]).max
            for name, kind in (("p", lhs), ("q", rhs)):
                feed[name] = np.array(np.iinfo(KINDS[kind][1]).min, KINDS[kind][1])
        a, b = (feed[x].astype(np.int64) - feed[p].astype(np.int64) for x, p in (("x", "p"), ("w", "q")))
        np.testing.assert_array_equal(session.run(feed)["y"], a @ b)


@pytest.mark.parametrize("zero", [None, 0, 128, 77])
def test_one_zero_point_of_weights(zero, target):
    w = numbers(np.uint8, (64, 48), 1)
    constants = [numpy_helper.from_array(w, "w")] + ([] if zero is None else [numpy_helper.from_array(np.uint8(zero), "q")])
    model = make_model([helper.make_node("MatMulInteger", ["x", "w", ""] + (["q"] if zero is not None else []), ["y"])],
                       [("x", TensorProto.UINT8, (2, "n", 64))], [("y", TensorProto.INT32, None)], constants)
    x = numbers(np.uint8, (2, 13, 64), 5)
    np.testing.assert_array_equal(tenon.compile(model, target=target, threads=1).run({"x": x})["y"], x.astype(np.int64) @ (w.astype(np.int64) - (zero or 0)))


def test_nothing_saturates(target):
    """Pairs of extremes are more than 16 bits hold, and all of them more than 24."""
    x, w = np.full((7, 4096), 255, np.uint8), np.full((4096, 40), -128, np.int8)
    model = make_model([helper.make_node("MatMulInteger", ["x", "w"], ["y"])], [("x", TensorProto.UINT8, ("n", 4096))],
                       [("y", TensorProto.INT32, None)], [numpy_helper.from_array(w, "w")])
    np.testing.assert_array_equal(tenon.compile(model, target=target, threads=1).run({"x": x})["y"], x.astype(np.int64) @ w.astype(np.int64))


@pytest.mark.parametrize("attributes, channels, filters", [
    (dict(pads=[1] * 4), 3, 40),
    (dict(pads=[1, 0, 2, 1], strides=[2, 2]), 16, 33),
    (dict(pads=[4] * 4, dilations=[4, 4]), 16, 32),
    (dict(pads=[1] * 4, group=4), 16, 32),
    (dict(pads=[1] * 4, group=16), 16, 16),
    (dict(), 130, 24),
    # Runs that aren't whole, and go on in the image.
    (dict(pads=[0, 0, 1, 1], strides=[2, 2]), 3, 40),
])
@pytest.mark.parametrize("rhs, zero", [("i8", 0), ("u8", 128), ("u8", 100)])
@pytest.mark.parametrize("lhs", KINDS)
def test_convolutions(lhs, rhs, zero, attributes, channels, filters, target):
    w = numbers(KINDS[rhs][1], (filters, channels // attributes.get("group", 1), 3, 3), 1)
    constants = [numpy_helper.from_array(w, "w"), numpy_helper.from_array(KINDS[rhs][1](zero), "q")]
    model = make_model([helper.make_node("ConvInteger", ["x", "w", "p", "q"], ["y"], **attributes)],
                       [("x", KINDS[lhs][0], (2, channels, 19, 21)), ("p", KINDS[lhs][0], ())], [("y", TensorProto.INT32, None)],
                       constants)
    feed = {"x": numbers(KINDS[lhs][1], (2, channels, 19, 21), 3), "p": numbers(KINDS[lhs][1], (), 4)}
    np.testing.assert_array_equal(tenon.compile(model, target=target, threads=1).run(feed)["y"], tenon.reference(model).run(feed)["y"])


@pytest.mark.parametrize("taps, attributes", [((3, 3), dict(pads=[1] * 4)), ((3, 3), dict(pads=[0, 1, 1, 0], strides=[2, 2])), ((5, 5), dict(pads=[2] * 4)),
                                              ((2, 3), dict()), ((1, 7), dict(pads=[0, 3, 0, 3])), ((3, 1), dict(dilations=[2, 1])), ((3, 3), dict())])
@pytest.mark.parametrize("channels", [16, 64, 70, 144])
def test_channels_by_themselves(channels, taps, attributes, target):
    """Between convolutions of points, whose channels are last: taps of one channel are multiplied several at a time."""
    constants = {"u": numbers(np.int8, (channels, 32, 1, 1), 1), "v": numbers(np.int8, (channels, 1, *taps), 2), "w": numbers(np.int8, (32, channels, 1, 1), 3),
                 "s": np.float32(0.02), "z": np.uint8(120), "ws": np.float32(0.01), "wz": np.int8(0), "ys": np.float32(0.4), "yz": np.uint8(128)}
    def conv(x, w, y, **attributes):
        return helper.make_node("QLinearConv", [x, "s", "z", w, "ws", "wz", "ys", "yz"], [y], **attributes)
    model = make_model([conv("x", "u", "a"), conv("a", "v", "b", group=channels, **attributes), conv("b", "w", "y")],
                       [("x", TensorProto.UINT8, (2, 32, 15, 13))], [("b", TensorProto.UINT8, None), ("y", TensorProto.UINT8, None)],
                       [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    feed = {"x": numbers(np.uint8, (2, 32, 15, 13), 4)}
    actual, expected = tenon.compile(model, target=target, threads=1).run(feed), tenon.reference(model).run(feed)
    for name in expected:
        np.testing.assert_array_equal(actual[name], expected[name])


@pytest.mark.parametrize("rhs", KINDS)
@pytest.mark.parametrize("group", [1, 2])
def test_zero_points_per_filter(rhs, group, target):
    w, q = numbers(KINDS[rhs][1], (8, 12 // group, 3, 2), 1), numbers(KINDS[rhs][1], (8,), 2)
    model = make_model([helper.make_node("ConvInteger", ["x", "w", "p", "q"], ["y"], pads=[1, 0, 2, 1], group=group)],
                       [("x", TensorProto.INT8, ("n", 12, 11, 13)), ("p", TensorProto.INT8, ())], [("y", TensorProto.INT32, None)],
                       [numpy_helper.from_array(w, "w"), numpy_helper.from_array(q, "q")])
    feed = {"x": numbers(np.int8, (2, 12, 11, 13), 3), "p": np.int8(-100)}
    np.testing.assert_array_equal(tenon.compile(model, target=target, threads=1).run(feed)["y"], tenon.reference(model).run(feed)["y"])


@pytest.mark.parametrize("kind", KINDS)
def test_operators_in_a_row(kind, target):
    """What is quantised is multiplied, pooled and added, and all of it is a result."""
    rng, element = np.random.default_rng(0), KINDS[kind]
    w, v = rng.integers(-127, 128, (24, 6, 3, 3)).astype(np.int8), rng.integers(-127, 128, (24, 24, 1, 1)).astype(np.int8)
    constants = {"s": np.float32(0.03), "z": element[1](11), "ws": np.float32(0.01), "wz": np.int8(0), "w": w, "v": v,
                 "t": np.float32(0.11), "u": np.float32(0.2)}
    scales = ["s", "z"]
    nodes = [helper.make_node("QuantizeLinear", ["x", *scales], ["q"]),
             helper.make_node("QLinearConv", ["q", *scales, "w", "ws", "wz", "t", "z"], ["a"], pads=[1] * 4),
             helper.make_node("DequantizeLinear", ["a", "t", "z"], ["f"]),
             helper.make_node("MaxPool", ["f"], ["m"], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4),
             helper.make_node("QuantizeLinear", ["m", "t", "z"], ["b"]),
             helper.make_node("QLinearConv", ["b", "t", "z", "v", "ws", "wz", "u", "z"], ["c"])]
    model = make_model(nodes, [("x", TensorProto.FLOAT, ("n", 6, 12, 14))], [(name, element[0], None) for name in "qabc"],
                       [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()])
    feed = {"x": rng.standard_normal((2, 6, 12, 14)).astype(np.float32) * 4}
    actual, expected = tenon.compile(model, target=target, threads=1).run(feed), tenon.reference(model).run(feed)
    for name in "qabc":
        np.testing.assert_array_equal(actual[name], expected[name])


@pytest.mark.parametrize("channels, taps, strides", [(1537, 1, 2), (515, 3, 1), (513, 3, 1)])
@pytest.mark.parametrize("lhs", KINDS)
def test_runs_with_rests(lhs, channels, taps, strides, target):
    """Deep windows whose taps run on: more products than one part of a sum has, and no whole runs."""
    w = numbers("int8", (32, channels, 1, taps), 1)
    model = make_model([helper.make_node("ConvInteger", ["x", "w"], ["y"], strides=[strides] * 2)],
                       [("x", KINDS[lhs][0], (1, channels, 8, 8))], [("y", TensorProto.INT32, None)], [numpy_helper.from_array(w, "w")])
    feed = {"x": numbers(KINDS[lhs][1], (1, channels, 8, 8), 2)}
    np.testing.assert_array_equal(tenon.compile(model, target=target, threads=1).run(feed)["y"], tenon.reference(model).run(feed)["y"])


@pytest.mark.parametrize("zero", [300, -5, 7])
def test_zero_points_that_are_no_bytes(zero, target):
    """A border of 300 is no byte, and products of numbers so far from it need not fit."""
    w = numbers("int8", (16, 8, 3, 3), 1)
    nodes = [helper.make_node("Cast", ["x"], ["xi"], to=TensorProto.INT32), helper.make_node("Sub", ["xi", "z"], ["xc"]),
             helper.make_node("Cast", ["xc"], ["xf"], to=TensorProto.FLOAT), helper.make_node("Mul", ["xf", "s"], ["xd"]),
             helper.make_node("DequantizeLinear", ["w", "ws"], ["wd"]), helper.make_node("Conv", ["xd", "wd"], ["y"], pads=[1] * 4)]
    constants = {"w": w, "z": np.int32(zero), "s": np.float32(0.01), "ws": np.float32(0.02)}
    model = make_model(nodes, [("x", TensorProto.UINT8, (1, 8, 7, 9))], [("y", TensorProto.FLOAT, None)],
                       [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    x = numbers("uint8", (1, 8, 7, 9), 2)
    padded = np.pad((x.astype(np.float64) - zero), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    expected = np.einsum("nchwij,fcij->nfhw", windows, w) * 2e-4
    np.testing.assert_allclose(tenon.compile(model, target=target, threads=1)(x), expected, rtol=1e-5, atol=1e-4)


def dequantized(name, axis=None):
    """The node that dequantises `name`."""
    return helper.make_node("DequantizeLinear", [name, f"{name}_s", f"{name}_p"], [f"{name}_f"], **({} if axis is None else {"axis": axis}))


@pytest.mark.parametrize("op", ["MatMul", "Gemm", "Conv"])
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("lhs, rhs, zero", [("u8", "i8", 0), ("i8", "i8", 0), ("u8", "u8", 128)])
def test_dequantized_operands(op, per_channel, lhs, rhs, zero, target):
    """The sum of integers is exact: what is left is the rounding of scales, which a quantiser behind hides."""
    shapes = {"MatMul": ((7, 200), (200, 40)), "Gemm": ((7, 200), (40, 200)), "Conv": ((1, 24, 9, 11), (40, 24, 3, 3))}[op]
    axis = 1 if op == "MatMul" else 0
    rng, filters = np.random.default_rng(0), shapes[1][axis]
    w, scales = numbers(KINDS[rhs][1], shapes[1], 1), (rng.random(filters if per_channel else ()) / 64 + 1e-3).astype(np.float32)
    bias = rng.standard_normal(filters).astype(np.float32)
    constants = {"w": w, "w_s": scales, "w_p": np.full(scales.shape, zero, KINDS[rhs][1]), "x_s": np.float32(0.02),
                 "x_p": KINDS[lhs][1](7), "bias": bias, "y_s": np.float32(0.5), "y_p": np.uint8(120)}
    nodes = [dequantized("x"), dequantized("w", axis=axis if per_channel else None)]
    if op == "MatMul":
        nodes += [helper.make_node(op, ["x_f", "w_f"], ["m"]), helper.make_node("Add", ["m", "bias"], ["y"])]
    else:
        attributes = {"transB": 1} if op == "Gemm" else {"pads": [1] * 4}
        nodes += [helper.make_node(op, ["x_f", "w_f", "bias"], ["y"], **attributes)]
    nodes.append(helper.make_node("QuantizeLinear", ["y", "y_s", "y_p"], ["q"]))
    model = make_model(nodes, [("x", KINDS[lhs][0], shapes[0])], [("y", TensorProto.FLOAT, None), ("q", TensorProto.UINT8, None)],
                       [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()])
    feed = {"x": numbers(KINDS[lhs][1], shapes[0], 2)}
    actual, expected = tenon.compile(model, target=target, threads=1).run(feed), tenon.reference(model).run(feed)
    np.testing.assert_allclose(actual["y"], expected["y"], rtol=2e-6, atol=2e-5)
    assert np.abs(actual["q"].astype(int) - expected["q"]).max() <= 1


@pytest.mark.parametrize("op", [None, "Round", "Floor"])
def test_casts_cut_off_what_is_no_whole_number(op, target):
    """Only what was rounded to whole numbers may be moved by 128 before it becomes a byte."""
    w = numbers(np.int8, (64, 64), 3)
    constants = [numpy_helper.from_array(array, name) for name, array in
                 (("w", w), ("lo", np.float32(-128)), ("hi", np.float32(127)), ("half", np.float32(0.5)))]
    nodes = [helper.make_node(op, ["x"], ["r"])] if op else []
    nodes += [helper.make_node("Add", ["r", "half"], ["s"])] if op == "Round" else []
    nodes += [helper.make_node("Clip", [{"Round": "s", "Floor": "r"}.get(op, "x"), "lo", "hi"], ["c"]),
              helper.make_node("Cast", ["c"], ["q"], to=TensorProto.INT8), helper.make_node("MatMulInteger", ["q", "w"], ["y"])]
    model = make_model(nodes, [("x", TensorProto.FLOAT, ("n", 64))], [("q", TensorProto.INT8, None), ("y", TensorProto.INT32, None)], constants)
    x = np.random.default_rng(0).uniform(-140, 140, (5, 64)).astype(np.float32)
    moved = {None: x, "Round": np.round(x) + np.float32(0.5), "Floor": np.floor(x)}[op]
    q = np.trunc(np.clip(moved, -128, 127)).astype(np.int8)
    results = tenon.compile(model, target=target, threads=1).run({"x": x})
    np.testing.assert_array_equal(results["q"], q)
    np.testing.assert_array_equal(results["y"], q.astype(np.int64) @ w)

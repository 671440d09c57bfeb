"""Axes, bounds, steps and amounts that are inputs of the model, against ONNX Runtime."""

import itertools

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper
from test_cases import check, floats

import tenon

F, I64 = TensorProto.FLOAT, TensorProto.INT64


def model_of(op, operands, rank, opset=18, **attributes):
    """One node; operands are names and shapes, the first one of numbers, the others of integers."""
    kinds = [F] + [I64] * (len(operands) - 1)
    inputs = [(name, kind, shape) for (name, shape), kind in zip(operands.items(), kinds)]
    shape = [f"y{i}" for i in range(rank)]
    return make_model([helper.make_node(op, list(operands), ["y"], **attributes)], inputs, [("y", F, shape)], opset=opset)


def integers(*values):
    return np.array(values, np.int64)


def agree(model, *feeds):
    """Compiled and interpreted as ONNX Runtime says, all from one artifact."""
    check(model, *feeds, tolerance=1e-4)
    compiled, reference = tenon.compile(model, threads=1), tenon.reference(model)
    for feed in feeds:
        np.testing.assert_allclose(compiled.run(feed)["y"], reference.run(feed)["y"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("op", ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_reductions(op, keepdims):
    model = model_of(op, {"x": ("n", 3, "m"), "axes": (2,)}, 3 if keepdims else 1, keepdims=keepdims)
    pairs = [(0, 1), (2, 0), (-1, 1), (-3, -1)]
    agree(model, *({"x": np.abs(floats((2, 3, 5))), "axes": integers(*pair)} for pair in pairs))


def test_one_axis_of_static_sizes():
    model = model_of("ReduceSum", {"x": (2, 3, 4), "axes": (1,)}, 2, keepdims=0)
    agree(model, *({"x": floats((2, 3, 4)), "axes": integers(axis)} for axis in range(-3, 3)))


def test_no_axes():
    for noop in (0, 1):
        model = model_of("ReduceSum", {"x": (2, 3), "axes": (0,)}, 2, keepdims=1, noop_with_empty_axes=noop)
        agree(model, {"x": floats((2, 3)), "axes": integers()})


@pytest.mark.parametrize("attributes", [{}, {"exclusive": 1}, {"reverse": 1}])
def test_cumulative_sums(attributes):
    model = model_of("CumSum", {"x": ("n", "m", 4), "axis": ()}, 3, opset=14, **attributes)
    agree(model, *({"x": floats((2, 3, 4)), "axis": np.array(axis)} for axis in range(-3, 3)))


def test_unsqueeze():
    model = model_of("Unsqueeze", {"x": ("n", 3), "axes": (2,)}, 4)
    agree(model, *({"x": floats((2, 3)), "axes": integers(*pair)} for pair in [(0, 1), (3, 1), (-1, 0), (2, 0)]))


def test_squeeze():
    model = model_of("Squeeze", {"x": ("a", "b", "c", "d"), "axes": (2,)}, 2)
    agree(
        model,
        {"x": floats((1, 2, 1, 3)), "axes": integers(0, 2)},
        {"x": floats((2, 1, 3, 1)), "axes": integers(-1, 1)},
        {"x": floats((2, 3, 1, 1)), "axes": integers(3, 2)},
    )


def test_squeeze_of_what_a_kernel_gives():
    """The output's sizes show only once the kernel has run: it writes elsewhere."""
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["p"]), helper.make_node("Squeeze", ["p", "axes"], ["y"])]
    model = make_model(nodes, [("x", F, (4, 7, 5)), ("axes", I64, (1,))], [("y", F, (None, None))], opset=18)
    agree(model, *({"x": floats((4, 7, 5)), "axes": integers(axis)} for axis in (2, -1)))


def test_slices():
    model = model_of("Slice", {"x": ("n", 6), "starts": (2,), "ends": (2,), "axes": (2,), "steps": (2,)}, 2)
    least, most = np.iinfo(np.int64).min + 1, np.iinfo(np.int64).max
    cases = [
        ((0, 1), (5, 4), (0, 1), (1, 2)),
        ((4, -1), (least, 0), (1, 0), (-1, -2)),
        ((-3, 2), (most, most), (1, 0), (1, 3)),
        ((5, 3), (2, 3), (-2, -1), (-2, 1)),
        ((100, -100), (-100, 100), (0, 1), (-4, 5)),
        ((0, 5), (most, least), (0, 1), (most, least)),
    ]
    feeds = [
        {"x": floats((7, 6)), **{name: integers(*v) for name, v in zip(("starts", "ends", "axes", "steps"), case)}}
        for case in cases
    ]
    agree(model, *feeds)


def test_slices_with_known_axes():
    model = model_of("Slice", {"x": ("n", 6), "starts": (1,), "ends": (1,)}, 2)
    agree(model, *({"x": floats((4, 6)), "starts": integers(a), "ends": integers(b)} for a, b in [(0, 3), (-2, 9), (3, 1)]))


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
def test_pads(mode):
    operands = [("x", F, ("n", 4, "m")), ("pads", I64, (4,)), ("axes", I64, (2,))]
    node = helper.make_node("Pad", ["x", "pads", "", "axes"], ["y"], mode=mode)
    model = make_model([node], operands, [("y", F, ("a", "b", "c"))], opset=18)
    x = floats((3, 4, 5))
    agree(model, *({"x": x, "pads": integers(1, 2, 0, 1), "axes": integers(*pair)} for pair in [(0, 1), (2, 1), (-1, 0)]))


@pytest.mark.parametrize("axes", [(3, 0), (-4, 0), (1, 1), (0, -3)])
def test_axes_that_are_none(axes):
    for keepdims, op in itertools.product((0, 1), ("ReduceSum", "Unsqueeze")):
        unsqueezes = op == "Unsqueeze"
        model = model_of(op, {"x": ("n",) if unsqueezes else ("n", 2, 3), "axes": (2,)}, 3 if unsqueezes or keepdims else 1,
                         **({} if unsqueezes else {"keepdims": keepdims}))
        x = floats((4,) if unsqueezes else (4, 2, 3))
        for made in (tenon.compile(model, threads=1), tenon.reference(model)):
            with pytest.raises(tenon.RunError, match="different dimensions"):
                made.run({"x": x, "axes": integers(*axes)})


def test_a_step_of_zero():
    model = model_of("Slice", {"x": ("n", 6), "starts": (1,), "ends": (1,), "axes": (1,), "steps": (1,)}, 2)
    feed = {"x": floats((4, 6)), "starts": integers(0), "ends": integers(3), "axes": integers(0), "steps": integers(0)}
    for made in (tenon.compile(model, threads=1), tenon.reference(model)):
        with pytest.raises(tenon.RunError, match="a step is 0"):
            made.run(feed)


def test_center_crop_pad():
    model = model_of("CenterCropPad", {"x": ("n", 5, "m"), "shape": (2,)}, 3, axes=[0, -1])
    agree(model, *({"x": floats((4, 5, 7)), "shape": integers(*wanted)} for wanted in [(7, 4), (1, 12), (4, 7), (0, 8)]))
    for made in (tenon.compile(model, threads=1), tenon.reference(model)):
        with pytest.raises(tenon.RunError):
            made.run({"x": floats((4, 5, 7)), "shape": integers(-1, 7)})


@pytest.mark.parametrize("element", [np.int64, np.float32])
def test_a_range_with_a_delta_of_zero(element):
    kind = TensorProto.INT64 if element == np.int64 else TensorProto.FLOAT
    graph = helper.make_graph([helper.make_node("Range", ["start", "limit", "delta"], ["y"], name="steps")], "g",
                              [helper.make_tensor_value_info(name, kind, []) for name in ("start", "limit", "delta")],
                              [helper.make_tensor_value_info("y", kind, ["n"])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    feed = {name: np.array(value, element) for name, value in (("start", 1), ("limit", 9), ("delta", 3))}
    for run in (tenon.compile(model).run, tenon.reference(model).run):
        np.testing.assert_array_equal(run(feed)["y"], [1, 4, 7])
        with pytest.raises(tenon.RunError, match="the delta is 0"):
            run({**feed, "delta": np.array(0, element)})


@pytest.mark.parametrize("given", ["", "e", "s", "set"], ids=lambda given: given or "none")
def test_bounds_far_out(given):
    """Starts and ends before, behind and far out of the dimension, forwards and backwards, each known or not."""
    far = 2**63 - 1
    inputs = [("x", F, ("n", 3)), *((name, I64, (1,)) for name in given)]
    for start, end, step in itertools.product((0, 8, -8, -far, far), (3, 9, -9, -far - 1, far), (1, 2, -1)):
        if end == far and step < 0:
            continue  # nothing, as the standard has it; ONNX Runtime takes it for the beginning
        values = {"s": start, "e": end, "a": 0, "t": step}
        constants = [numpy_helper.from_array(integers(value), name) for name, value in values.items() if name not in given]
        model = make_model([helper.make_node("Slice", ["x", "s", "e", "a", "t"], ["y"])], inputs, [("y", F, ("m", 3))], constants)
        feeds = [{"x": floats((size, 3)), **{name: integers(values[name]) for name in given}} for size in (5, 1)]
        if given == "" or (start, end, step) in ((8, -far - 1, 1), (-8, -9, -1), (far, -far - 1, -1)):
            check(model, *feeds, tolerance=0)

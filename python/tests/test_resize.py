"""Resize whose scales, sizes or region are inputs of the model, with antialiasing and with crops, against ONNX Runtime."""

import math
from fractions import Fraction

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper
from test_cases import check, floats

import tenon

F, I64 = TensorProto.FLOAT, TensorProto.INT64


def resize(shape, scales=None, sizes=None, roi=None, opset=19, **attributes):
    """Scales, sizes and region are values, or the number of them that an input has."""
    names, inputs, constants = ["x"], [("x", F, shape)], []
    for name, kind, value in (("roi", F, roi), ("scales", F, scales), ("sizes", I64, sizes)):
        names.append("" if value is None else name)
        if isinstance(value, int):
            inputs.append((name, kind, (value,)))
        elif value is not None:
            constants.append(numpy_helper.from_array(np.array(value, np.float32 if kind == F else np.int64), name))
    node = helper.make_node("Resize", names, ["y"], **attributes)
    return make_model([node], inputs, [("y", F, [f"y{i}" for i in range(len(shape))])], constants, opset=opset)


def f32(*values):
    return np.array(values, np.float32)


def agree(model, *feeds, tolerance=1e-4):
    check(model, *feeds, tolerance=tolerance)
    compiled, reference = tenon.compile(model, threads=1), tenon.reference(model)
    for feed in feeds:
        np.testing.assert_allclose(compiled.run(feed)["y"], reference.run(feed)["y"], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_scales_that_are_data(mode):
    model = resize(("n", 2, "h", "w"), scales=4, mode=mode)
    agree(
        model,
        {"x": floats((1, 2, 5, 6)), "scales": f32(1, 1, 2, 1.5)},
        {"x": floats((3, 2, 4, 9)), "scales": f32(1, 1, 0.6, 3)},
        {"x": floats((2, 2, 4, 4)), "scales": f32(1, 1, 1, 1)},
    )


def test_infinity_in_another_channel():
    x = floats((1, 2, 3, 3))
    x[0, 1] = np.inf
    y = tenon.compile(resize((1, 2, 3, 3), scales=4, mode="linear"), threads=1).run({"x": x, "scales": f32(1, 1, 2, 2)})["y"]
    assert np.isfinite(y[0, 0]).all() and not np.isfinite(y[0, 1]).any()


@pytest.mark.parametrize("policy", ["not_larger", "not_smaller"])
def test_aspect_ratio_of_sizes_that_are_data(policy):
    model = resize(("n", 1, "h", "w"), sizes=2, axes=[2, 3], mode="linear", keep_aspect_ratio_policy=policy)
    sizes = [((4, 6), (8, 9)), ((5, 5), (7, 3)), ((2, 8), (2, 8))]
    agree(model, *({"x": floats((2, 1, *shape)), "sizes": np.array(size)} for shape, size in sizes))


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("exclude_outside", [0, 1])
def test_antialias(mode, exclude_outside):
    attributes = {"mode": mode, "antialias": 1, "exclude_outside": exclude_outside}
    reference = tenon.reference(resize((1, 1, 8, 9), sizes=[1, 1, 3, 4], **attributes))
    model = resize(("n", 1, "h", "w"), sizes=2, axes=[2, 3], **attributes)
    for made in (tenon.compile(model, threads=1), tenon.reference(model)):
        y = made.run({"x": floats((1, 1, 8, 9)), "sizes": np.array([3, 4])})["y"]
        np.testing.assert_allclose(y, reference.run({"x": floats((1, 1, 8, 9))})["y"], rtol=1e-4, atol=1e-5)
        # Of a constant image every average is that constant, whatever is taken for what lies outside.
        ones = made.run({"x": np.ones((2, 1, 7, 6), np.float32), "sizes": np.array([2, 8])})["y"]
        np.testing.assert_allclose(ones, np.ones((2, 1, 2, 8)), rtol=1e-5)


def test_antialias_against_onnx():
    from onnx.reference import ReferenceEvaluator

    for mode in ("linear", "cubic"):
        model = resize((1, 1, 8, 9), sizes=[1, 1, 3, 4], mode=mode, antialias=1)
        x = floats((1, 1, 8, 9))
        (expected,) = ReferenceEvaluator(model).run(None, {"x": x})
        y = tenon.compile(model, threads=1).run({"x": x})["y"]
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_crop(mode):
    attributes = {"coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 7.0, "mode": mode}
    model = resize((1, 1, "h", "w"), sizes=[1, 1, 3, 4], roi=8, **attributes)
    regions = [(0, 0, 0.4, 0.6, 1, 1, 0.6, 0.8), (0, 0, -0.3, 0.1, 1, 1, 1.2, 0.9)]
    agree(model, *({"x": floats((1, 1, 5, 6)), "roi": f32(*region)} for region in regions))


@pytest.mark.parametrize("rounding", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
@pytest.mark.parametrize("sizes", [(20, 6), (6, 20), (10, 4), (7, 21), (9, 30), (25, 10), (14, 35)])
@pytest.mark.parametrize("dynamic", [False, True])
def test_ties_of_sizes(rounding, sizes, dynamic):
    """Where sizes state the scale, coordinates half way between two places are met, also where to / from isn't a number of f32."""
    size, to = sizes
    model = tenon.compile(resize(("n" if dynamic else size,), sizes=[to], mode="nearest", nearest_mode=rounding))
    at = [Fraction(2 * i + 1, 2) * size / to - Fraction(1, 2) for i in range(to)]
    round_to = {"round_prefer_floor": lambda v: math.ceil(v - Fraction(1, 2)), "floor": math.floor, "ceil": math.ceil,
                "round_prefer_ceil": lambda v: math.floor(v + Fraction(1, 2))}[rounding]
    expected = np.array([min(max(round_to(v), 0), size - 1) for v in at], np.float32)
    np.testing.assert_array_equal(model.run({"x": np.arange(size, dtype=np.float32)})["y"], expected)


def test_interpolation_of_elements_that_are_no_numbers():
    element = TensorProto.COMPLEX128
    model = make_model([helper.make_node("Resize", ["x", "", "s"], ["y"], name="grow", mode="linear")], [("x", element, (2, 3))],
                       [("y", element, (4, 6))], [numpy_helper.from_array(np.array([2, 2], np.float32), "s")], opset=19)
    for function in tenon.compile, tenon.reference:
        with pytest.raises(tenon.CompileError, match="grow.*only 'nearest' takes them"):
            function(model)


@pytest.mark.parametrize("shape", [(0, 0, 0, 0), (1, 2, 0, 3), (1, 2, 3, 0), (0, 2, 3, 4)])
@pytest.mark.parametrize("mode, antialias", [("nearest", 0), ("linear", 0), ("linear", 1), ("cubic", 0), ("cubic", 1)])
def test_images_without_elements(shape, mode, antialias):
    for declared in (shape, ("n", "c", "h", "w")):
        model = resize(declared, scales=[1, 1, 0.5, 2], mode=mode, **({"antialias": 1} if antialias else {}))
        expected = tuple(int(size * scale) for size, scale in zip(shape, (1, 1, 0.5, 2)))
        for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
            assert run({"x": np.zeros(shape, np.float32)})["y"].shape == expected


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_sizes_that_come_from_nothing(mode):
    message = "expects elements along axis 3 of which there can be more, but there is none"
    model = resize((1, 2, "h", "w"), sizes=[1, 2, 4, 5], mode=mode)
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        assert run({"x": floats((1, 2, 3, 1))})["y"].shape == (1, 2, 4, 5)
        with pytest.raises(tenon.RunError, match=message):
            run({"x": np.zeros((1, 2, 3, 0), np.float32)})
    with pytest.raises(tenon.CompileError, match=message):
        tenon.compile(resize((1, 2, 3, 0), sizes=[1, 2, 4, 5], mode=mode))

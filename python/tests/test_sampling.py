"""Images at coordinates that data gives: against ONNX Runtime."""

import numpy as np
import pytest
from microsoft import MS, array, check, compare, floats, model_of, node
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

F, F64, I32, I64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT32, TensorProto.INT64


def grid_sample(domain, opset, spatial=2, element=F, **attributes):
    out = tuple(f"o{i}" for i in range(spatial))
    inputs = [("x", element, ("n", 3) + tuple(f"d{i}" for i in range(spatial))), ("g", element, ("n",) + out + (spatial,))]
    return model_of([node("GridSample", ["x", "g"], ["y"], domain=domain, **attributes)], inputs,
                    [("y", element, ("n", 3) + out)], opset=opset)


def grid_feed(images, sizes, places, dtype=np.float32):
    x = floats((images, 3) + sizes).astype(dtype)
    return {"x": x, "g": (floats((images,) + places + (len(sizes),), 1) * 1.2).astype(dtype)}


@pytest.mark.parametrize("aligned", [0, 1])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["linear", "nearest", "cubic"])
def test_grid_sample(mode, padding, aligned):
    model = grid_sample("", 20, mode=mode, padding_mode=padding, align_corners=aligned)
    check(model, grid_feed(1, (5, 7), (4, 6)), grid_feed(2, (1, 3), (3, 2)) if not aligned else grid_feed(2, (2, 3), (3, 2)))


@pytest.mark.parametrize("domain, opset, mode", [(MS, 17, "bilinear"), (MS, 17, "bicubic"), ("", 16, "bilinear"), ("", 22, "linear")])
def test_forms_of_grid_sample(domain, opset, mode):
    check(grid_sample(domain, opset, mode=mode), grid_feed(2, (5, 4), (3, 3)))


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_grid_sample_in_space(mode):
    check(grid_sample("", 20, 3, mode=mode, padding_mode="reflection"), grid_feed(2, (3, 4, 5), (2, 3, 4)))


def test_grid_sample_of_doubles():
    check(grid_sample("", 20, element=F64), grid_feed(1, (5, 7), (4, 6), np.float64), tolerance=1e-12)


def test_what_is_outside_of_an_image_has_no_part_in_a_sample():
    feed = grid_feed(1, (3, 3), (8, 8))
    feed["x"][:, :, 0] = np.inf
    check(grid_sample("", 20, mode="nearest"), feed)


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("size", [(4, 5), (1, 3), (3, 1)])
def test_crop_and_resize(mode, size):
    regions = np.array([[0, 0, 1, 1], [0.2, 0.1, 0.7, 0.9], [-0.3, 0.2, 0.5, 1.4], [0.9, 0.8, 0.1, 0.3]], np.float32)
    model = model_of([node("CropAndResize", ["x", "r", "i", "s"], ["y"], mode=mode, extrapolation_value=-2.0)],
                     [("x", F, ("n", 3, "h", "w")), ("r", F, ("m", 4)), ("i", I32, ("m",))], ["y"], [array(np.array(size, np.int32), "s")])
    check(model, {"x": floats((2, 3, 7, 6)), "r": regions, "i": np.array([0, 1, 1, 0], np.int32)},
          {"x": floats((1, 3, 1, 4)), "r": regions[1:2], "i": np.array([0], np.int32)})


def test_crop_and_resize_to_a_size_that_is_given():
    model = model_of([node("CropAndResize", ["x", "r", "i", "s"], ["y"])],
                     [("x", F, ("n", 3, "h", "w")), ("r", F, ("m", 4)), ("i", I32, ("m",)), ("s", I32, (2,))], ["y"])
    feed = {"x": floats((2, 3, 7, 6)), "r": np.array([[0.1, 0.2, 0.8, 0.6]], np.float32), "i": np.array([1], np.int32)}
    check(model, *[feed | {"s": np.array(size, np.int32)} for size in ((2, 3), (1, 4))])


@pytest.mark.parametrize("aligned", [0, 1])
@pytest.mark.parametrize("spatial", [2, 3])
def test_affine_grid(spatial, aligned):
    model = model_of([node("AffineGrid", ["t", "s"], ["y"], domain="", align_corners=aligned)], [("t", F, ("n", spatial, spatial + 1)), ("s", I64, (spatial + 2,))],
                     [("y", F, ("n",) + tuple(f"o{i}" for i in range(spatial)) + (spatial,))], opset=20)
    check(model, *[{"t": floats((n, spatial, spatial + 1)), "s": np.array((n, 3) + sizes[:spatial])} for n, sizes in ((2, (4, 5, 3)), (1, (2, 7, 6)))])


@pytest.mark.parametrize("groups, offset_groups, masked, biased", [(1, 1, 0, 0), (2, 1, 1, 1), (1, 2, 1, 0), (2, 4, 0, 1)])
@pytest.mark.parametrize("attributes", [{}, {"strides": [2, 1], "pads": [1, 0, 1, 2], "dilations": [1, 2]}])
def test_deformed_convolution(groups, offset_groups, masked, biased, attributes):
    strides, pads, dilations = attributes.get("strides", [1, 1]), attributes.get("pads", [0] * 4), attributes.get("dilations", [1, 1])
    out = [(size + pads[i] + pads[i + 2] - dilations[i] * 2 - 1) // strides[i] + 1 for i, size in enumerate((7, 8))]
    shapes = {"x": (2, 4, 7, 8), "w": (6, 4 // groups, 3, 3), "o": (2, offset_groups * 18, *out), "b": (6,), "m": (2, offset_groups * 9, *out)}
    names = ["x", "w", "o", "b" if biased else "", "m" if masked else ""]
    model = model_of([node("DeformConv", names, ["y"], domain="", group=groups, offset_group=offset_groups, **attributes)],
                     [(name, F, shapes[name]) for name in names if name], [("y", F, (2, 6, *out))], opset=19)
    feed = {name: floats(shapes[name], i) for i, name in enumerate(names) if name}
    compare(model, [{"y": ReferenceEvaluator(model).run(None, feed)[0].astype(np.float32)}], [feed], 1e-4)

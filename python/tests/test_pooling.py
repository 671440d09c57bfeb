"""Places that pools find, and what is put back there or added up: against ONNX Runtime."""

import numpy as np
import pytest
from microsoft import array, check, floats, model_of, node
from onnx import TensorProto

F, I64, I8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT8

WINDOWS = [dict(kernel_shape=[2, 2], strides=[2, 2]), dict(kernel_shape=[3, 2], strides=[1, 2], pads=[1, 0, 1, 1]),
           dict(kernel_shape=[2, 3], strides=[2, 2], ceil_mode=1), dict(kernel_shape=[2, 2], dilations=[2, 1], strides=[1, 1]),
           dict(kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[1, 1]), dict(kernel_shape=[2, 2], strides=[2, 2], storage_order=1)]


@pytest.mark.parametrize("attributes", WINDOWS)
def test_places_of_the_largest(attributes):
    model = model_of([node("MaxPool", ["x"], ["y", "i"], domain="", **attributes)], [("x", F, ("n", 3, "h", "w"))],
                     [("y", F, ("n", 3, "p", "q")), ("i", I64, ("n", 3, "p", "q"))])
    # Equal ones: the first counts.
    check(model, {"x": floats((2, 3, 7, 6))}, {"x": np.round(floats((1, 3, 5, 9)))})


@pytest.mark.parametrize("shape", [(2, 3, 11), (1, 2, 5, 6, 4)])
def test_places_of_other_ranks(shape):
    spatial = len(shape) - 2
    names = tuple(f"d{i}" for i in range(spatial))
    model = model_of([node("MaxPool", ["x"], ["y", "i"], domain="", kernel_shape=[2] * spatial, strides=[2] * spatial)],
                     [("x", F, ("n", "c", *names))], [("y", F, ("n", "c", *names)), ("i", I64, ("n", "c", *names))])
    model.graph.output[0].type.tensor_type.ClearField("shape")
    model.graph.output[1].type.tensor_type.ClearField("shape")
    check(model, {"x": floats(shape)})


def test_places_of_bytes():
    model = model_of([node("MaxPool", ["x"], ["y", "i"], domain="", kernel_shape=[2, 2], pads=[1, 1, 1, 1])], [("x", I8, (1, 2, 5, 5))],
                     [("y", I8, (1, 2, 6, 6)), ("i", I64, (1, 2, 6, 6))])
    check(model, {"x": np.random.default_rng(0).integers(-128, 128, (1, 2, 5, 5)).astype(np.int8)}, {"x": np.full((1, 2, 5, 5), -128, np.int8)})


@pytest.mark.parametrize("sized", [False, True])
def test_unpooling(sized):
    """What a pool found goes back to where it was."""
    nodes = [node("MaxPool", ["x"], ["p", "i"], domain="", kernel_shape=[2, 2], strides=[2, 2]),
             node("MaxUnpool", ["p", "i", "s"][: 3 if sized else 2], ["y"], domain="", kernel_shape=[2, 2], strides=[2, 2])]
    model = model_of(nodes, [("x", F, (2, 3, 6, 8))], [("y", F, (2, 3, 7, 9) if sized else (2, 3, 6, 8))],
                     [array(np.array([2, 3, 7, 9]), "s")] if sized else [])
    x = floats((2, 3, 6, 8))
    if sized:  # ONNX Runtime takes places for those of the result
        from microsoft import compare
        from onnx.reference import ReferenceEvaluator
        plain = model_of(nodes[:1] + [node("MaxUnpool", ["p", "i"], ["y"], domain="", kernel_shape=[2, 2], strides=[2, 2])], [("x", F, (2, 3, 6, 8))],
                         [("y", F, (2, 3, 6, 8))])
        wanted = np.pad(ReferenceEvaluator(plain).run(None, {"x": x})[0], ((0, 0), (0, 0), (0, 1), (0, 1)))
        compare(model, [{"y": wanted}], [{"x": x}], 0)
    else:
        check(model, {"x": x})


@pytest.mark.parametrize("image, block, attributes", [
    ((5, 6), (2, 3), {}), ((6, 6), (2, 3), {"strides": [2, 3]}), ((7, 8), (3, 3), {"strides": [2, 1], "pads": [1, 1, 1, 1]}),
    ((7, 9), (2, 2), {"dilations": [2, 3]}), ((9,), (4,), {"strides": [2]}), ((4, 5, 6), (2, 2, 3), {"pads": [1, 0, 0, 0, 1, 0]})])
def test_adding_windows_up(image, block, attributes):
    spatial = len(image)
    strides, pads, dilations = attributes.get("strides", [1] * spatial), attributes.get("pads", [0] * 2 * spatial), attributes.get("dilations", [1] * spatial)
    count = 1
    for i in range(spatial):
        count *= (image[i] + pads[i] + pads[i + spatial] - dilations[i] * (block[i] - 1) - 1) // strides[i] + 1
    model = model_of([node("Col2Im", ["x", "image", "block"], ["y"], domain="", **attributes)], [("x", F, ("n", 2 * int(np.prod(block)), count))],
                     [("y", F, ("n", 2, *image))], [array(np.array(image), "image"), array(np.array(block), "block")], opset=18)
    check(model, {"x": floats((2, 2 * int(np.prod(block)), count))})

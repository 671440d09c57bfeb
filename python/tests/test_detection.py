"""Regions of images, and what is kept of them: against ONNX Runtime."""

import numpy as np
import pytest
from microsoft import array, check, floats, model_of, node
from onnx import TensorProto

F, I64 = TensorProto.FLOAT, TensorProto.INT64


def suppression(inputs, centred=0):
    """NonMaxSuppression of so many of its operands; numbers and thresholds are data."""
    shapes = [("boxes", F, ("n", "b", 4)), ("scores", F, ("n", "c", "b")), ("most", I64, (1,)), ("overlap", F, (1,)), ("least", F, (1,))]
    names = [name if name in inputs else "" for name, *_ in shapes]
    while not names[-1]:
        names.pop()
    return model_of([node("NonMaxSuppression", names, ["y"], domain="", center_point_box=centred)],
                    [entry for entry in shapes if entry[0] in inputs], [("y", I64, ("k", 3))], opset=11)


def boxes(images, count, seed, centred=0):
    """Some cover nothing, and corners stand in either order."""
    random = np.random.default_rng(seed)
    start, size = random.uniform(0, 10, (images, count, 2)), random.uniform(0, 4, (images, count, 2))
    size[:, ::7] = 0
    if centred:
        return np.concatenate([start, size], 2).astype(np.float32)
    pair = np.concatenate([start, start + size], 2)
    pair[:, ::3] = pair[:, ::3, [2, 3, 0, 1]]
    return pair.astype(np.float32)


@pytest.mark.parametrize("inputs", ["most", "most overlap", "most overlap least", "most least", "overlap"])
@pytest.mark.parametrize("centred", [0, 1])
def test_suppression(inputs, centred):
    given = inputs.split()
    feeds = []
    for seed, (images, classes, count, most) in enumerate([(1, 1, 40, 100), (2, 3, 33, 5), (1, 2, 1, 1), (3, 1, 17, 0)]):
        # Equal scores go by their places.
        scores = np.round(np.random.default_rng(seed).uniform(0, 1, (images, classes, count)), 1).astype(np.float32)
        data = {"boxes": boxes(images, count, seed, centred), "scores": scores, "most": np.array([most]),
                "overlap": np.array([0.3], np.float32), "least": np.array([0.25], np.float32)}
        feeds.append({name: data[name] for name in ["boxes", "scores", *given]})
    check(suppression(["boxes", "scores", *given], centred), *feeds)


def test_suppression_with_constants_in_a_detector():
    """Boxes and scores are computed, what is kept is read again."""
    nodes = [node("Neg", ["raw"], ["scores"], domain=""), node("NonMaxSuppression", ["boxes", "scores", "m", "o", "l"], ["y"], domain=""),
             node("Slice", ["y", "two", "three", "one"], ["place"], domain=""), node("Squeeze", ["place", "one"], ["at"], domain=""),
             node("Gather", ["boxes2", "at"], ["kept"], domain="")]
    constants = [array(np.array([20]), "m"), array(np.array([0.5], np.float32), "o"), array(np.array([0.4], np.float32), "l"),
                 array(np.array([2]), "two"), array(np.array([3]), "three"), array(np.array([1]), "one")]
    model = model_of(nodes, [("boxes", F, (1, "b", 4)), ("boxes2", F, ("b", 4)), ("raw", F, (1, 80, "b"))], [("kept", F, ("k", 4))], constants)
    feeds = []
    for count in (500, 3):
        places = boxes(1, count, count)
        feeds.append({"boxes": places, "boxes2": places[0], "raw": floats((1, 80, count))})
    check(model, *feeds)


REGIONS = np.array([[0, 0, 6, 6], [1.2, 0.7, 4.1, 9.3], [-3, 2, 5, 14], [5, 5, 5, 5], [3, 3, 2.5, 1], [20, 20, 30, 30]], np.float32)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("ratio", [0, 1, 2])
@pytest.mark.parametrize("opset, attributes", [(10, {}), (16, {}), (16, {"coordinate_transformation_mode": "output_half_pixel"})])
def test_roi_align(mode, ratio, opset, attributes):
    model = model_of([node("RoiAlign", ["x", "r", "i"], ["y"], domain="", mode=mode, sampling_ratio=ratio, output_height=3, output_width=2,
                           spatial_scale=0.75, **attributes)],
                     [("x", F, ("n", 3, "h", "w")), ("r", F, ("m", 4)), ("i", I64, ("m",))], [("y", F, ("m", 3, 3, 2))], opset=opset)
    # Where ends lie before starts ONNX Runtime counts samples below zero.
    regions = np.delete(REGIONS, 4, 0) if opset == 16 and not attributes else REGIONS
    images = np.array([0, 1, 1, 0, 1, 0][: len(regions)])
    check(model, {"x": floats((2, 3, 8, 7)), "r": regions, "i": images}, {"x": floats((1, 3, 1, 9)), "r": regions[:1], "i": images[:1]})


def test_max_roi_pool():
    model = model_of([node("MaxRoiPool", ["x", "r"], ["y"], domain="", pooled_shape=[3, 2], spatial_scale=0.5)],
                     [("x", F, ("n", 3, "h", "w")), ("r", F, ("m", 5))], [("y", F, ("m", 3, 3, 2))])
    regions = np.array([[0, 0, 0, 12, 12], [1, 2, 1, 9, 15], [1, 4, 4, 4, 4], [0, 3, 5, 14, 7], [0, 30, 30, 40, 40]], np.float32)
    check(model, {"x": floats((2, 3, 8, 7)), "r": regions}, {"x": floats((1, 3, 2, 9)), "r": regions[:1]})

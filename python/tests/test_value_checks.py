"""Numbers that operators take from a range: where data has others the run ends in an error that names the node, not in a clamped result."""

import numpy as np
import onnxruntime
import pytest
from conftest import make_model
from onnx import TensorProto as T, helper, numpy_helper

import tenon


def floats(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def truth(model, feed):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, feed)))


def runnables(model):
    return tenon.compile(model, threads=1), tenon.reference(model)


def recurrent(op, gates, time, **attributes):
    """Three inputs of four, to states of five, with lengths and first states."""
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    first = [("h", T.FLOAT, (directions, 2, 5)), ("c", T.FLOAT, (directions, 2, 5))][:2 if op == "LSTM" else 1]
    results = ["y", "last", "cell"][:len(first) + 1]
    node = helper.make_node(op, ["x", "w", "r", "", "lengths", *(name for name, *_ in first)], results, name="n", hidden_size=5, **attributes)
    weights = [numpy_helper.from_array(floats(directions, gates * 5, width, seed=width), name) for name, width in (("w", 4), ("r", 5))]
    return make_model([node], [("x", T.FLOAT, (time, 2, 4)), ("lengths", T.INT32, (2,)), *first],
                      [(name, T.FLOAT, None) for name in results], weights, opset=14), {name: floats(*shape) for name, _, shape in first}


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("op, gates", [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_lengths_of_sequences(op, gates, direction):
    model, states = recurrent(op, gates, "time", direction=direction)
    for lengths in ([3, 1], [0, 2], [0, 0]):
        feed = {"x": floats(3, 2, 4), "lengths": np.array(lengths, np.int32), **states}
        wanted = truth(model, feed)
        for runnable in runnables(model):
            for name, value in runnable.run(feed).items():
                np.testing.assert_allclose(value, wanted[name], rtol=1e-4, atol=1e-5, err_msg=f"{name} of lengths {lengths}")
    for lengths in ([4, 1], [-1, 2]):
        for runnable in runnables(model):
            with pytest.raises(tenon.RunError, match="n"):
                runnable.run({"x": floats(3, 2, 4), "lengths": np.array(lengths, np.int32), **states})


@pytest.mark.parametrize("op, places", [("RoiAlign", [0, 2]), ("RoiAlign", [-1, 0]), ("MaxRoiPool", [1, 5])])
def test_images_of_regions(op, places):
    regions = np.array([[0, 0, 3, 3], [1, 1, 4, 4]], np.float32)
    images = [("x", T.FLOAT, (2, 1, 6, 6)), ("r", T.FLOAT, (2, 4 if op == "RoiAlign" else 5))]
    if op == "RoiAlign":
        images.append(("i", T.INT64, (2,)))
    attributes = {"output_height": 2, "output_width": 2, "sampling_ratio": 1} if op == "RoiAlign" else {"pooled_shape": [2, 2]}
    model = make_model([helper.make_node(op, [name for name, *_ in images], ["y"], name="n", **attributes)], images, [("y", T.FLOAT, None)], opset=16)
    for numbers, fits in (([0, 1], True), (places, False)):
        rows = regions if op == "RoiAlign" else np.concatenate([np.array(numbers, np.float32)[:, None], regions], 1)
        feed = {"x": floats(2, 1, 6, 6), "r": rows} | ({"i": np.array(numbers)} if op == "RoiAlign" else {})
        for runnable in runnables(model):
            if fits:
                np.testing.assert_allclose(runnable.run(feed)["y"], truth(model, feed)["y"], rtol=1e-5, atol=1e-6)
            else:
                with pytest.raises(tenon.RunError, match="n"):
                    runnable.run(feed)


def test_no_classes():
    model = make_model([helper.make_node("Multinomial", ["x"], ["y"], name="n", sample_size=2)], [("x", T.FLOAT, ("b", "k"))], [("y", T.INT32, None)])
    compiled = tenon.compile(model)
    assert compiled.run({"x": np.zeros((3, 4), np.float32)})["y"].shape == (3, 2)
    with pytest.raises(tenon.RunError, match="'n': Multinomial expects at least one class"):
        compiled.run({"x": np.zeros((3, 0), np.float32)})


@pytest.mark.parametrize("ratio", [1.0, -0.5, np.nan])
def test_ratios_of_dropout(ratio):
    constants = [numpy_helper.from_array(np.float32(ratio), "ratio"), numpy_helper.from_array(np.bool_(True), "training")]
    model = make_model([helper.make_node("Dropout", ["x", "ratio", "training"], ["y"])], [("x", T.FLOAT, (4,))], [("y", T.FLOAT, None)], constants)
    with pytest.raises(tenon.CompileError, match="at least 0 and less than 1"):
        tenon.compile(model)


def test_memory_of_another_size():
    """What an optimiser remembers of a tensor isn't repeated."""
    node = helper.make_node("Adagrad", ["rate", "count", "x", "g", "h"], ["y", "n"], name="n", domain="ai.onnx.preview.training")
    graph = helper.make_graph([node], "test", [helper.make_tensor_value_info(name, *entry) for name, entry in {
        "rate": (T.FLOAT, ()), "count": (T.INT64, ()), "x": (T.FLOAT, ("a",)), "g": (T.FLOAT, ("b",)), "h": (T.FLOAT, ("c",))}.items()],
        [helper.make_tensor_value_info(name, T.FLOAT, (None,)) for name in "yn"])
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.preview.training", 1)])
    compiled, feed = tenon.compile(model), {"rate": np.float32(0.1), "count": np.int64(0), "x": floats(5), "g": floats(5), "h": np.ones(5, np.float32)}
    assert compiled.run(feed)["y"].shape == (5,)
    with pytest.raises(tenon.RunError, match="what belongs to a tensor to have its sizes"):
        compiled.run(feed | {"h": np.ones(1, np.float32)})

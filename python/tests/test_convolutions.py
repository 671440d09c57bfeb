"""Convolutions with channels last: register tiles read the windows out of the image."""

import os
import pathlib
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"
COMPILER, INTERPRETER = BIN / "tenon-compile", BIN / "tenon-interpret"


def convolutions(channels, taps, **attributes):
    """Three in a row, so that channels last pays: a pointwise one before and behind."""
    rng = np.random.default_rng(0)
    spatial = len(taps)
    shapes = {"w0": (channels, 8) + (1,) * spatial, "w1": (40, channels) + taps, "w2": (8, 40) + (1,) * spatial}
    weights = {n: (rng.standard_normal(s) / np.sqrt(np.prod(s[1:]))).astype(np.float32) for n, s in shapes.items()}
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["a0"]),
        helper.make_node("Relu", ["a0"], ["a"]),
        helper.make_node("Conv", ["a", "w1"], ["b0"], **attributes),
        helper.make_node("Sigmoid", ["b0"], ["b"]),
        helper.make_node("Conv", ["b", "w2"], ["y"]),
    ]
    sizes = [f"d{i}" for i in range(spatial)]
    return make_model(
        nodes,
        [("x", TensorProto.FLOAT, ("n", 8, *sizes))],
        [("y", TensorProto.FLOAT, ("n", 8) + (None,) * spatial)],
        [numpy_helper.from_array(w, n) for n, w in weights.items()],
    )


@pytest.mark.parametrize("extent", [(4, 4), (5, 5), (12, 5), (7, 2)], ids=str)
@pytest.mark.parametrize("channels", [17, 22, 26, 34])
def test_taps_of_few_rows(channels, extent):
    """Windows over the border of small images: a tap's products are no multiple of what a turn of a loop adds."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal((64, channels, 3, 3)).astype(np.float32)
    model = make_model([helper.make_node("Conv", ["x", "w"], ["y"], pads=[2] * 4, dilations=[2, 2])],
                       [("x", TensorProto.FLOAT, (1, channels, *extent))], [("y", TensorProto.FLOAT, None)], [numpy_helper.from_array(w, "w")])
    x = rng.standard_normal((1, channels, *extent)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for target in ("avx2", "host"):
        y = tenon.compile(model, threads=1, target=target)(x)
        np.testing.assert_allclose(y, session.run(None, {"x": x})[0], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "channels, taps, attributes",
    [
        (16, (3, 3), {"pads": [1, 1, 1, 1]}),
        (33, (3, 3), {"pads": [0, 2, 1, 0], "strides": [2, 1]}),
        (12, (3, 5), {"dilations": [2, 1]}),
        (50, (3, 2), {"dilations": [1, 3], "strides": [1, 2], "pads": [1, 1, 1, 1]}),
        (65, (1, 1), {"strides": [2, 3]}),
        (200, (3, 3), {"pads": [1, 1, 1, 1]}),  # more products than one block of a sum
        (300, (3, 3), {"dilations": [1, 2]}),
        # mostly border: tiles pass over it
        (16, (3, 3), {"dilations": [12, 12], "pads": [12] * 4}),
        (33, (3, 2), {"dilations": [9, 11], "strides": [2, 1], "pads": [9, 3, 8, 11]}),
        (200, (3, 3), {"dilations": [8, 8], "pads": [8] * 4}),
        (20, (3, 3), {"dilations": [20, 1], "pads": [20, 1, 20, 1]}),
        (96, (3,), {"dilations": [16], "pads": [16, 15]}),
        (16, (4,), {"pads": [2, 1]}),
        (35, (2, 3, 2), {"pads": [1, 0, 1, 0, 1, 0], "strides": [1, 2, 1]}),
    ],
)
def test_windows(channels, taps, attributes, tmp_path):
    model = convolutions(channels, taps, **attributes)
    onnx.save(model, tmp_path / "model.onnx")
    kernels = subprocess.run([COMPILER, tmp_path / "model.onnx", "--emit=kernels"], check=True, capture_output=True, text=True)
    assert "tenon_tile.window_rows" in kernels.stdout
    compiled = tenon.compile(model, threads=1)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for seed, sizes in enumerate([(12, 9, 7), (7, 15, 8), (21, 10, 13)]):
        for images in (1, 3):
            x = np.random.default_rng(seed).standard_normal((images, 8) + sizes[: len(taps)]).astype(np.float32)
            expected = session.run(None, {"x": x})[0]
            actual = compiled.run({"x": x})["y"]
            assert actual.shape == expected.shape
            np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "channels, taps, attributes",
    [
        (16, (2, 2), {"strides": [2, 2]}),
        (24, (4, 4), {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        (16, (4, 3), {"strides": [2, 1], "pads": [0, 1, 2, 0], "output_padding": [1, 0]}),
        (17, (6, 2), {"strides": [3, 2], "output_shape": [29, 17]}),
        (16, (3, 3), {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
        (16, (2, 2), {"strides": [3, 3]}),
        (16, (4, 4), {"strides": [2, 2], "dilations": [2, 1]}),
        (16, (2, 2), {"strides": [2, 2], "group": 2}),
        (16, (8,), {"strides": [4], "pads": [2, 2]}),
        (16, (2, 2, 2), {"strides": [2, 1, 2]}),
    ],
    ids=str,
)
def test_transposed(channels, taps, attributes):
    """Between convolutions that make channels last pay. What isn't finite stays where it belongs."""
    rng = np.random.default_rng(0)
    spatial, groups = len(taps), attributes.get("group", 1)
    shapes = {"w0": (channels, 8) + (1,) * spatial, "w1": (channels, 40 // groups) + taps, "w2": (8, 40) + (1,) * spatial}
    weights = {n: rng.standard_normal(s).astype(np.float32) / 8 for n, s in shapes.items()}
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["a"]),
        helper.make_node("ConvTranspose", ["a", "w1", "c"], ["b"], **attributes),
        helper.make_node("Conv", ["b", "w2"], ["y"]),
    ]
    weights["c"] = rng.standard_normal(40).astype(np.float32)
    sizes = [f"d{i}" for i in range(spatial)]
    model = make_model(nodes, [("x", TensorProto.FLOAT, ("n", 8, *sizes))],
                       [("y", TensorProto.FLOAT, ("n", 8) + (None,) * spatial)],
                       [numpy_helper.from_array(w, n) for n, w in weights.items()])
    compiled = tenon.compile(model, threads=1)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for seed, extent in enumerate([(9, 8, 5), (9, 8, 3)] if "output_shape" in attributes else [(9, 8, 5), (1, 2, 3), (13, 7, 4)]):
        x = np.random.default_rng(seed).standard_normal((2, 8) + extent[:spatial]).astype(np.float32)
        x[(1, 3) + (0,) * spatial] = np.nan
        expected = session.run(None, {"x": x})[0]
        np.testing.assert_allclose(compiled.run({"x": x})["y"], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("behind", ("Relu", "Sigmoid", "residual", "columns", "lines", "images", "concat", "both"))
@pytest.mark.parametrize("channels, filters, extent, attributes", [
    (16, 24, (13, 17), {}),
    (32, 40, (8, 12), {}),  # lines and images of whole vectors
    (20, 32, (9, 11), {}),  # one panel
    (200, 33, (7, 7), {}),  # in parts
    (16, 24, (33, 31), {"dilations": [9, 9], "pads": [9] * 4}),  # clipped
])
def test_channels_first(channels, filters, extent, attributes, behind, tmp_path):
    """The result is turned as it is written, whatever comes behind it."""
    rng = np.random.default_rng(0)
    attributes = {"pads": [1] * 4} | attributes
    weights = {"k": rng.standard_normal((filters, channels, 3, 3)).astype(np.float32) / 20,
               "b": rng.standard_normal(filters).astype(np.float32)}
    other = {"residual": ("n", filters, *extent), "columns": extent[1:], "lines": (extent[0], 1), "images": ("n", 1, 1, 1)}.get(behind)
    tail = {"concat": [helper.make_node("Concat", ["c", "x"], ["y"], axis=1)],
            "both": [helper.make_node("Transpose", ["c"], ["t"], perm=[0, 1, 3, 2]), helper.make_node("Add", ["c", "one"], ["y"])]}
    if other:
        tail[behind] = [helper.make_node("Add", ["c", "r"], ["y"])]
    weights["one"] = np.float32(1)
    outputs = ("y", "t") if behind == "both" else ("y",)
    model = make_model(
        [helper.make_node("Conv", ["x", "k", "b"], ["c"], **attributes), *tail.get(behind, [helper.make_node(behind, ["c"], ["y"])])],
        [("x", TensorProto.FLOAT, ("n", channels, *extent))] + ([("r", TensorProto.FLOAT, other)] if other else []),
        [(name, TensorProto.FLOAT, (None,) * 4) for name in outputs],
        [numpy_helper.from_array(np.asarray(w), n) for n, w in weights.items()])
    compiled = tenon.compile(model, threads=2)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    onnx.save(model, tmp_path / "model.onnx")
    subprocess.run([COMPILER, tmp_path / "model.onnx", "--emit=tiles", "--target-cpu=avx2", "-o", tmp_path / "tiles.mlir"], check=True)
    for images in (1, 3):
        feeds = {"x": rng.standard_normal((images, channels, *extent)).astype(np.float32)}
        if other:
            feeds["r"] = rng.standard_normal([images if size == "n" else size for size in other]).astype(np.float32)
        actual, wanted = compiled.run(feeds), dict(zip(outputs, session.run(None, feeds)))
        for name, expected in wanted.items():
            np.testing.assert_allclose(actual[name], expected, rtol=1e-5, atol=1e-5)
        if images > 1 or behind not in ("residual", "lines"):
            continue
        np.savez(tmp_path / "inputs.npz", **feeds)
        np.savez(tmp_path / "outputs.npz", **wanted)
        subprocess.run([INTERPRETER, tmp_path / "tiles.mlir", f"--inputs={tmp_path}/inputs.npz", f"--expect={tmp_path}/outputs.npz"],
                       check=True)


def test_images_without_places():
    """Sizes that are known to be none: nothing is computed, whatever windows reach."""
    for x, dilations, pads in (((1, 4, 0, 0), [4, 4], [4] * 4), ((1, 4, 0, 5), [1, 1], [1] * 4), ((0, 4, 5, 5), [1, 1], [1] * 4)):
        node = helper.make_node("Conv", ["x", "w"], ["y"], dilations=dilations, pads=pads)
        model = make_model([node], [("x", TensorProto.FLOAT, x)], [("y", TensorProto.FLOAT, None)], [numpy_helper.from_array(np.ones((8, 4, 3, 3), np.float32), "w")])
        assert tenon.compile(model, threads=1).run({"x": np.zeros(x, np.float32)})["y"].shape[:2] == (x[0], 8)


@pytest.mark.parametrize("constant", [True, False], ids=["constant", "input"])
@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_groups_of_points(spatial, constant):
    """Filters of one tap have as many dimensions as before where groups are one of them and there is one place."""
    rng = np.random.default_rng(spatial)
    w = rng.standard_normal((6, 2) + (1,) * spatial).astype(np.float32)
    inputs = [("x", TensorProto.FLOAT, ("n", 4) + tuple("abc"[:spatial]))]
    if not constant:
        inputs.append(("w", TensorProto.FLOAT, w.shape))
    model = make_model([helper.make_node("Conv", ["x", "w"], ["y"], group=2)], inputs, [("y", TensorProto.FLOAT, None)],
                       [numpy_helper.from_array(w, "w")] if constant else [])
    feeds = [{"x": rng.standard_normal((n, 4) + (3, 5, 2)[:spatial]).astype(np.float32)} | ({} if constant else {"w": w})
             for n in (1, 2)]
    compiled = tenon.compile(model, threads=1)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for feed in feeds:
        np.testing.assert_allclose(compiled.run(feed)["y"], session.run(None, feed)[0], rtol=1e-5, atol=1e-5)

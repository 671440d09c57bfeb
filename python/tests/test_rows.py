"""Rows of every length around whole vectors, along the last dimension, others and several, against the interpreter."""

import os
import pathlib
import subprocess

import numpy as np
import onnx
import pytest
from conftest import make_model
from onnx import TensorProto, helper

import tenon

LENGTHS = sorted({0, *(step * vectors + over for step in (4, 8, 16) for vectors in (1, 2, 4) for over in (-1, 0, 1)), 1, 130})
ELEMENTS = {TensorProto.FLOAT: 1e-5, TensorProto.FLOAT16: 2e-3, TensorProto.INT32: 0}


def reductions(axes):
    for op in ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd"):
        attributes = {} if op == "ReduceSum" else {"axes": axes}
        yield helper.make_node(op, ["x", "axes"] if op == "ReduceSum" else ["x"], [op], keepdims=axes == [2], **attributes)


@pytest.mark.parametrize("axes", [[2], [1], [0, 1], [1, 2]], ids=str)
@pytest.mark.parametrize("element", ELEMENTS, ids=TensorProto.DataType.Name)
def test_every_length(element, axes):
    nodes = list(reductions(axes))
    if element != TensorProto.INT32 and len(axes) == 1:
        nodes.append(helper.make_node("Softmax", ["x"], ["Softmax"], axis=axes[0]))
        nodes.append(helper.make_node("LogSoftmax", ["x"], ["LogSoftmax"], axis=axes[0]))
    axes_tensor = helper.make_tensor("axes", TensorProto.INT64, [len(axes)], axes)
    model = make_model(nodes, [("x", element, (2, "m", "n"))], [(node.output[0], element, None) for node in nodes],
                       [axes_tensor], opset=17)
    compiled, reference = tenon.compile(model, threads=1), tenon.reference(model)
    rng = np.random.default_rng(0)
    for n in LENGTHS:
        for m in (1, 3):
            x = rng.uniform(0.5, 1.5, (2, m, n)) if element != TensorProto.INT32 else rng.integers(-9, 9, (2, m, n))
            x = x.astype(helper.tensor_dtype_to_np_dtype(element))
            expected = reference.run({"x": x})
            for name, value in compiled.run({"x": x}).items():
                np.testing.assert_allclose(value, expected[name], rtol=ELEMENTS[element], atol=ELEMENTS[element],
                                           err_msg=f"{name} of {x.shape}")


@pytest.mark.parametrize("axes", [[2], [1], [0, 1], [1, 2]], ids=str)
@pytest.mark.parametrize("element", ELEMENTS, ids=TensorProto.DataType.Name)
def test_long_reductions(element, axes, tmp_path):
    """In parts, which give the same bits on any number of threads; and what is one row shorter than two of them."""
    nodes = [node for node in reductions(axes) if element == TensorProto.INT32 or node.op_type != "ReduceProd"]
    axes_tensor = helper.make_tensor("axes", TensorProto.INT64, [len(axes)], axes)
    shape, sizes = ((2, 3, "m"), (0, 1, 32767, 32768, 32769, 50001)) if axes == [2] else ((2, "m", 40), (0, 1, 408, 409, 817, 818, 2500))
    model = make_model(nodes, [("x", element, shape)], [(node.output[0], element, None) for node in nodes], [axes_tensor], opset=17)
    sessions = [tenon.compile(model, threads=threads) for threads in (1, 2, 3)]
    onnx.save(model, tmp_path / "model.onnx")
    tiles = tmp_path / "tiles.mlir"
    tools = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"
    subprocess.run([tools / "tenon-compile", tmp_path / "model.onnx", "--emit=tiles", "--quiet", "-o", tiles], check=True)
    assert "_in_parts" in tiles.read_text()
    rng, reference = np.random.default_rng(0), tenon.reference(model)
    for m in sizes:
        given = [m if size == "m" else size for size in shape]
        x = rng.uniform(0.5, 1.5, given) / 1000 if element != TensorProto.INT32 else rng.integers(-9, 9, given)
        feed = {"x": x.astype(helper.tensor_dtype_to_np_dtype(element))}
        first, *others = (session.run(feed) for session in sessions)
        expected = reference.run(feed)
        for name, value in first.items():
            np.testing.assert_allclose(value, expected[name], rtol=ELEMENTS[element], atol=1e-6, err_msg=f"{name} of {given}")
            for other in others:
                np.testing.assert_array_equal(other[name], value)
    # The program itself, at the last size.
    np.savez(tmp_path / "inputs.npz", **feed)
    subprocess.run([tools / "tenon-interpret", tiles, f"--inputs={tmp_path}/inputs.npz", f"--outputs={tmp_path}/outputs.npz"], check=True)
    with np.load(tmp_path / "outputs.npz") as outputs:
        for name, value in first.items():
            np.testing.assert_allclose(outputs[name], value, rtol=ELEMENTS[element], atol=1e-6)


def test_roots_and_logarithms_of_integers_are_cut_off():
    nodes = [helper.make_node(op, ["x"], [op], keepdims=0) for op in ("ReduceL2", "ReduceLogSum", "ReduceLogSumExp")]
    nodes.append(helper.make_node("Shrink", ["x"], ["Shrink"], bias=0.5, lambd=2.5))
    model = make_model(nodes, [("x", TensorProto.INT64, ("n",))], [(n.output[0], TensorProto.INT64, None) for n in nodes], opset=18)
    x = np.int64([3, 4, 7, -2, 2, -5])
    wide = x.astype(np.float64)
    expected = {"ReduceL2": np.sqrt(np.sum(wide * wide)), "ReduceLogSum": np.log(np.sum(wide)),
                "ReduceLogSumExp": np.log(np.sum(np.exp(wide))),
                "Shrink": np.where(x < -2.5, wide + 0.5, np.where(x > 2.5, wide - 0.5, 0))}
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        actual = run({"x": x})
        for name, value in expected.items():
            np.testing.assert_array_equal(actual[name], np.trunc(value).astype(np.int64), name)


@pytest.mark.parametrize("scale", [1e30, 1.0, 1e-30])
@pytest.mark.parametrize("element", [np.float32, np.float16], ids=lambda e: e.__name__)
def test_norms_neither_overflow_nor_vanish(element, scale):
    scale = scale if element == np.float32 else {1e30: 1e3, 1e-30: 1e-3}.get(scale, scale)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(element))
    nodes = [helper.make_node("ReduceL2", ["x", "axes"], ["l2"], keepdims=0),
             helper.make_node("LpNormalization", ["x"], ["unit"], axis=-1, p=2),
             helper.make_node("LpPool", ["x"], ["pool"], kernel_shape=[4], strides=[4], p=2),
             helper.make_node("GlobalLpPool", ["x"], ["global"], p=3)]
    model = make_model(nodes, [("x", kind, ("n", 2, "m"))], [(name, kind, None) for name in ("l2", "unit", "pool", "global")],
                       [helper.make_tensor("axes", TensorProto.INT64, [1], [2])], opset=18)
    x = (np.random.default_rng(1).uniform(1, 2, (3, 2, 40)) * scale).astype(element)
    wide = x.astype(np.float64)
    l2 = np.sqrt((wide ** 2).sum(2))
    expected = {"l2": l2, "unit": wide / l2[..., None], "pool": np.sqrt((wide ** 2).reshape(3, 2, 10, 4).sum(3)),
                "global": (wide ** 3).sum(2, keepdims=True) ** (1 / 3)}
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        for name, value in run({"x": x}).items():
            np.testing.assert_allclose(value.astype(np.float64), expected[name], rtol=1e-5 if element == np.float32 else 3e-3,
                                       err_msg=name)


def test_unit_vectors_of_norms_beyond_the_type():
    for element, value, p in ((np.float16, 6e4, 2), (np.float32, 1e38, 1), (np.float32, 3e38, 2)):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(element))
        model = make_model([helper.make_node("LpNormalization", ["x"], ["y"], axis=-1, p=p)], [("x", kind, ("n", 4))], [("y", kind, None)])
        y = tenon.compile(model, threads=1).run({"x": np.full((3, 4), value, element)})["y"]
        np.testing.assert_allclose(y.astype(np.float64), 0.5 if p == 2 else 0.25, rtol=1e-3)

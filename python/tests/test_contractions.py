"""Contractions of every kind of size: whole and ragged register tiles, panels, blocks of rows and of the summed dimension."""

import os
import pathlib
import re
import subprocess

import numpy as np
import pytest
import tenon
from conftest import make_model
from generated_contractions import convolve
from onnx import TensorProto, helper, numpy_helper

F = TensorProto.FLOAT


def floats(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def dense(depth, columns, constant):
    """relu(x @ w + b), with `w` an input or a constant."""
    weights, bias = floats((depth, columns), 1), floats((columns,), 2)
    initializers = [numpy_helper.from_array(bias, "b")]
    inputs = [("x", F, ("rows", depth))]
    if constant:
        initializers.append(numpy_helper.from_array(weights, "w"))
    else:
        inputs.append(("w", F, (depth, columns)))
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["s"]),
        helper.make_node("Relu", ["s"], ["y"]),
    ]
    return make_model(nodes, inputs, [("y", F, ("rows", columns))], initializers), weights, bias


@pytest.mark.parametrize("constant", [True, False], ids=["packed", "plain"])
@pytest.mark.parametrize("columns", [1, 31, 100])
@pytest.mark.parametrize("depth", [1, 64, 769, 2307])
def test_sizes(depth, columns, constant):
    model, weights, bias = dense(depth, columns, constant)
    compiled = tenon.compile(model, threads=1)
    for rows in (1, 2, 5, 96, 101):
        x = floats((rows, depth), rows)
        feed = {"x": x} if constant else {"x": x, "w": weights}
        expected = np.maximum(x.astype(np.float64) @ weights + bias, 0)
        np.testing.assert_allclose(compiled.run(feed)["y"], expected, rtol=1e-5, atol=2e-7 * depth + 1e-5)


@pytest.mark.parametrize("columns", [1, 2, 3, 5, 7, 12, 31])
@pytest.mark.parametrize("element", [np.float32, np.float16, np.int8], ids=["f32", "f16", "i8"])
def test_narrow_constants(element, columns):
    """Fewer columns than a panel has are stored as they are, and read in whole vectors, which reach into the next row."""
    depth = 100003
    random = np.random.default_rng(columns)
    is_integer = element == np.int8
    weights = random.integers(-8, 8, (depth, columns)).astype(element)
    kind = TensorProto.UINT8 if is_integer else helper.np_dtype_to_tensor_dtype(np.dtype(element))
    node = helper.make_node("MatMulInteger" if is_integer else "MatMul", ["x", "w"], ["y"])
    model = make_model([node], [("x", kind, ("rows", depth))], [("y", TensorProto.INT32 if is_integer else kind, None)],
                       [numpy_helper.from_array(weights, "w")])
    compiled = tenon.compile(model, threads=1)
    assert os.fstat(compiled._file.fileno()).st_size < weights.nbytes + 100_000
    for rows in (1, 2, 5):
        x = random.integers(0, 4, (rows, depth)).astype(np.uint8 if is_integer else element)
        expected = x.astype(np.float64) @ weights.astype(np.float64)
        # All sums are whole numbers that f32 holds.
        np.testing.assert_array_equal(compiled.run({"x": x})["y"], expected.astype(np.int32 if is_integer else element))


@pytest.mark.parametrize("target, lanes", [("avx2", 8), ("avx512", 16)])
@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("element", [np.float32, np.float16])
def test_columns_of_three_vectors(element, constant, target, lanes, runnable):
    """Columns that three vectors hold are one register tile, the last vector whole or not."""
    random = np.random.default_rng(lanes)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(element))
    for columns in (2 * lanes + 1, 2 * lanes + 5, 3 * lanes - 1, 3 * lanes):
        weights = random.integers(-8, 8, (37, columns)).astype(element)
        nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
        inputs = [("x", kind, ("rows", 37))] + ([] if constant else [("w", kind, weights.shape)])
        model = make_model(nodes, inputs, [("y", kind, None)], [numpy_helper.from_array(weights, "w")] if constant else [])
        compiled = tenon.compile(model, target=target, threads=1)
        for rows in (1, 2, 4, 5, 100):
            x = random.integers(-4, 4, (rows, 37)).astype(element)
            expected = np.maximum(x.astype(np.float64) @ weights.astype(np.float64), 0)
            given = {"x": x} if constant else {"x": x, "w": weights}
            np.testing.assert_array_equal(compiled.run(given)["y"], expected.astype(element))


@pytest.mark.parametrize("columns", [1, 3, 6, 20])
def test_narrow_constants_of_batches_and_convolutions(columns):
    weights, x = floats((3, 70, columns), 1), floats((3, 9, 70), 2)
    model = make_model([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", F, (3, "rows", 70))], [("y", F, None)],
                       [numpy_helper.from_array(weights, "w")])
    np.testing.assert_allclose(tenon.compile(model, threads=1).run({"x": x})["y"], x.astype(np.float64) @ weights, rtol=1e-5, atol=1e-5)
    filters, image = floats((columns, 16, 3, 3), 3), floats((2, 16, 11, 13), 4)
    for pads in ([0] * 4, [1] * 4):
        model = make_model([helper.make_node("Conv", ["x", "w"], ["y"], pads=pads)], [("x", F, image.shape)], [("y", F, None)],
                           [numpy_helper.from_array(filters, "w")])
        expected = convolve(image.astype(np.float64), filters.astype(np.float64), [1, 1], [1, 1], pads, 1)
        np.testing.assert_allclose(tenon.compile(model, threads=1).run({"x": image})["y"], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("depth, columns", [(5, 3), (1301, 70)])
def test_integers_without_an_instruction(depth, columns, tmp_path):
    """A target may have none that multiplies bytes or pairs: then products are those of 32 bits."""
    bin = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"
    description = subprocess.run([bin / "tenon-compile", "--print-target", "--target-cpu=avx2"], capture_output=True, text=True,
                                 check=True).stdout
    plain = re.sub(r',\s*<<"x86\.vpmaddwd"[^>]*>[^>]*>', "", description)
    assert plain != description
    (tmp_path / "plain.mlir").write_text(plain)
    # More than f32 holds.
    weights, x = np.full((depth, columns), 127, np.int8), np.full((7, depth), 255, np.uint8)
    weights[:, ::3], x[::2, ::5] = -127, 254
    model = make_model([helper.make_node("MatMulInteger", ["x", "w"], ["y"])], [("x", TensorProto.UINT8, ("rows", depth))],
                       [("y", TensorProto.INT32, None)], [numpy_helper.from_array(weights, "w")])
    compiled = tenon.compile(model, target=f"@{tmp_path}/plain.mlir", threads=1)
    np.testing.assert_array_equal(compiled.run({"x": x})["y"], x.astype(np.int64) @ weights.astype(np.int64))


@pytest.mark.parametrize("depth", [1024, 4096, 4099])
@pytest.mark.parametrize("rows", [1, 2, 7, None])
def test_deep_sums(depth, rows):
    """Sums of positive terms are added up in blocks: the error doesn't grow with all of them."""
    rng = np.random.default_rng(0)
    w, x = (rng.random(shape).astype(np.float32) for shape in ((depth, 40), (rows or 33, depth)))
    model = make_model([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", TensorProto.FLOAT, (rows or "n", depth))],
                       [("y", TensorProto.FLOAT, None)], [numpy_helper.from_array(w, "w")])
    exact = x.astype(np.float64) @ w.astype(np.float64)
    assert np.abs(tenon.compile(model, threads=1).run({"x": x})["y"] - exact).max() < 6e-7 * exact.max()

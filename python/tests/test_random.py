"""Random numbers: what a model states a seed for is the same everywhere, what it doesn't differs from run to run."""

import numpy as np
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper

DTYPES = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16, "float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}
COUNT = 1 << 14


def model_of(op, inputs, element, initializers=(), opset=22, outputs=("y",), **attributes):
    node = helper.make_node(op, [name for name, *_ in inputs] + [constant.name for constant in initializers], list(outputs), **attributes)
    results = [(name, element if name == "y" else TensorProto.BOOL, None) for name in outputs]
    return make_model([node], inputs, results, list(initializers), opset=opset)


def both(model, feed):
    """Compiled and interpreted: the same numbers, up to what logarithms and cosines are rounded to."""
    actual, expected = tenon.compile(model, threads=1).run(feed), tenon.reference(model).run(feed)
    for name, value in expected.items():
        assert actual[name].dtype == value.dtype
        np.testing.assert_allclose(actual[name].astype(np.float64), value.astype(np.float64), rtol=1e-2 if value.dtype.itemsize == 2 else 1e-5,
                                   atol=1e-3 if value.dtype.itemsize == 2 else 1e-5)
    return expected["y"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_uniform(dtype):
    model = model_of("RandomUniform", [], DTYPES[dtype], shape=[COUNT], dtype=DTYPES[dtype], seed=3.0)
    y = both(model, {}).astype(np.float64)
    np.testing.assert_array_equal(y, tenon.compile(model, threads=1).run({})["y"].astype(np.float64))
    assert 0 <= y.min() < 0.01 and 0.98 < y.max() < 1
    assert abs(y.mean() - 0.5) < 0.01 and abs(y.std() - 12**-0.5) < 0.01
    # Neighbours know nothing of each other.
    assert abs(np.corrcoef(y[1:], y[:-1])[0, 1]) < 0.03
    assert np.abs(np.histogram(y, 16, (0, 1))[0] / COUNT * 16 - 1).max() < 0.15


@pytest.mark.parametrize("dtype", DTYPES)
def test_normal(dtype):
    y = both(model_of("RandomNormal", [], DTYPES[dtype], shape=[COUNT], dtype=DTYPES[dtype], seed=3.0, mean=2.0, scale=0.5), {})
    y = (y.astype(np.float64) - 2) / 0.5
    assert abs(y.mean()) < 0.03 and abs(y.std() - 1) < 0.03
    assert abs((y**3).mean()) < 0.1 and abs((y**4).mean() - 3) < 0.3


@pytest.mark.parametrize("sizes, shape", [(["n", 3], (5, 3)), ([2, 3], (2, 3)), (["n"], (0,)), ([], ())])
@pytest.mark.parametrize("op", ["RandomUniformLike", "RandomNormalLike"])
def test_like(op, sizes, shape):
    y = both(model_of(op, [("x", TensorProto.FLOAT, sizes)], TensorProto.DOUBLE, dtype=TensorProto.DOUBLE, seed=1.0), {"x": np.zeros(shape, np.float32)})
    assert y.shape == shape


def test_known_numbers():
    """The first words of Philox4x32-10 for a counter and a key of zeros, as its authors state them: 0x6627e8d5."""
    y = both(model_of("RandomUniform", [], TensorProto.FLOAT, shape=[1], seed=0.0), {})
    assert y[0] == np.float32((0x6627E8D5 >> 8) / 2**24)


def test_seeds_differ():
    feeds = [both(model_of("RandomUniform", [], TensorProto.FLOAT, shape=[8], seed=seed), {}) for seed in (1.0, 2.0, 1.0)]
    assert (feeds[0] != feeds[1]).any() and (feeds[0] == feeds[2]).all()


def test_without_seed():
    """Each run differs, and so do two nodes; what is a tensor of numbers stays one within a run."""
    nodes = [helper.make_node("RandomUniform", [], [name], shape=[16]) for name in "ab"]
    nodes.append(helper.make_node("Add", ["a", "a"], ["c"]))
    model = make_model(nodes, [], [(name, TensorProto.FLOAT, [16]) for name in "abc"], opset=22)
    compiled = tenon.compile(model, threads=1)
    runs = [compiled.run({}), compiled.run({}), tenon.reference(model).run({})]
    for run in runs:
        assert (run["a"] != run["b"]).all()
        np.testing.assert_array_equal(run["c"], run["a"] * 2)
    assert all((a["a"] != b["a"]).all() for a, b in [(runs[0], runs[1]), (runs[0], runs[2])])


def test_in_a_loop():
    """Each iteration has numbers of its own."""
    body = helper.make_graph([helper.make_node("RandomUniform", [], ["r"], shape=[4]), helper.make_node("Identity", ["c"], ["d"])], "body",
                             [helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("c", TensorProto.BOOL, [])],
                             [helper.make_tensor_value_info("d", TensorProto.BOOL, []), helper.make_tensor_value_info("r", TensorProto.FLOAT, [4])])
    model = make_model([helper.make_node("Loop", ["n", ""], ["y"], body=body)], [("n", TensorProto.INT64, [])], [("y", TensorProto.FLOAT, None)], opset=22)
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        y = run({"n": np.array(5)})["y"]
        assert y.shape == (5, 4) and len(np.unique(y)) == 20


@pytest.mark.parametrize("dtype, given", [(None, "float32"), (TensorProto.INT32, "float64"), (TensorProto.BOOL, "float16")])
def test_bernoulli(dtype, given):
    x = np.array([0, 0.25, 0.9, 1]).repeat(COUNT // 4).astype(given)
    attributes = {"dtype": dtype} if dtype else {}
    y = both(model_of("Bernoulli", [("x", DTYPES[given], ["n"])], dtype or DTYPES[given], seed=5.0, **attributes), {"x": x})
    means = y.reshape(4, -1).astype(np.float64).mean(1)
    np.testing.assert_allclose(means, [0, 0.25, 0.9, 1], atol=0.03)
    assert means[0] == 0 and means[3] == 1


@pytest.mark.parametrize("dtype", [TensorProto.INT32, TensorProto.INT64])
def test_multinomial(dtype):
    x = np.log(np.array([[1, 0, 2, 1], [0, 5, 0, 0]], np.float32) + 1e-30)
    y = both(model_of("Multinomial", [("x", TensorProto.FLOAT, ["n", "c"])], dtype, sample_size=4000, dtype=dtype, seed=1.0), {"x": x})
    assert y.shape == (2, 4000) and (y[1] == 1).all()
    np.testing.assert_allclose(np.bincount(y[0], minlength=4) / 4000, [0.25, 0, 0.5, 0.25], atol=0.04)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("ratio", [0.0, 0.25, 0.75])
def test_dropout(ratio, training):
    x = np.random.default_rng(0).standard_normal((64, 65)).astype(np.float32)
    inputs = [("x", TensorProto.FLOAT, ["n", 65]), ("ratio", TensorProto.FLOAT, []), ("training", TensorProto.BOOL, [])]
    model = model_of("Dropout", inputs, TensorProto.FLOAT, outputs=("y", "mask"), seed=7)
    feed = {"x": x, "ratio": np.float32(ratio), "training": np.array(training)}
    both(model, feed)
    results = tenon.compile(model, threads=1).run(feed)
    kept = 1 - ratio if training else 1
    assert abs(results["mask"].mean() - kept) < 0.03
    np.testing.assert_allclose(results["y"], np.where(results["mask"], x / kept, 0), rtol=1e-6)


def test_refused():
    for op, text, attributes in [("RandomUniform", "dtype", {"shape": [2], "dtype": TensorProto.INT32}), ("RandomNormal", "'shape'", {"shape": [-1]})]:
        with pytest.raises(tenon.CompileError, match=text):
            tenon.compile(model_of(op, [], TensorProto.FLOAT, **attributes))
    with pytest.raises(tenon.CompileError, match="'dtype'"):
        tenon.compile(model_of("RandomNormalLike", [("x", TensorProto.INT64, [2])], TensorProto.FLOAT))

"""Bits of quantised models: compiled as interpreted, from the model where its products are integers, else from the graph that has them."""

import os
import pathlib
import subprocess

import numpy as np
import onnx
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto as T
from onnx import helper, numpy_helper

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"
TARGETS = ["host", "avx2"]


def interpreted_graph(model, feed, tmp_path):
    """What the interpreter gives for the graph that kernels are formed from."""
    onnx.save(model, tmp_path / "model.onnx")
    np.savez(tmp_path / "inputs.npz", **feed)
    subprocess.run([BIN / "tenon-compile", tmp_path / "model.onnx", "--emit=graph", "--quiet", "-o", tmp_path / "graph.mlir"], check=True)
    subprocess.run([BIN / "tenon-interpret", tmp_path / "graph.mlir", f"--inputs={tmp_path}/inputs.npz", f"--outputs={tmp_path}/outputs.npz"],
                   check=True)
    return dict(np.load(tmp_path / "outputs.npz"))


class Quantized:
    """A model of dequantised and quantised numbers, written node by node."""

    def __init__(self):
        self.random, self.nodes, self.constants, self.outputs = np.random.default_rng(2), [], [], []

    def constant(self, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def add(self, op, *operands, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(operands), [name], **attributes))
        return name

    def pair(self, x, scale, zero):
        """x rounded, and those numbers dequantised; the rounded ones are an output."""
        parameters = self.constant(np.float32(scale)), self.constant(zero)
        rounded = self.add("QuantizeLinear", x, *parameters)
        self.outputs.append((rounded, helper.np_dtype_to_tensor_dtype(zero.dtype), None))
        return self.add("DequantizeLinear", rounded, *parameters)

    def weights(self, *shape):
        scales = (0.01 * self.random.random(shape[0]) + 0.001).astype(np.float32)
        stored = self.random.integers(-127, 128, shape).astype(np.int8)
        return self.add("DequantizeLinear", self.constant(stored), self.constant(scales), self.constant(np.zeros(shape[0], np.int8)), axis=0)

    def bias(self, count):
        return self.constant((self.random.standard_normal(count) * 0.3).astype(np.float32))

    def model(self):
        return make_model(self.nodes, [("x", T.FLOAT, [2, 3, 33, 40])], self.outputs, self.constants)


@pytest.mark.parametrize("zero", [np.uint8(121), np.int8(3)], ids=["unsigned", "signed"])
@pytest.mark.parametrize("target", TARGETS)
def test_pairs(target, zero, tmp_path):
    """Convolutions of all kinds with biases, a residual sum and a pool: f32 between the products is rounded as often as the graph says."""
    m = Quantized()
    x = m.pair("x", 0.031, zero)
    wide = m.add("Conv", x, m.weights(24, 3, 3, 3), m.bias(24), pads=[1] * 4, strides=[2, 2])
    m.outputs.append((wide, T.FLOAT, None))
    y = m.pair(m.add("Relu", wide), 0.0273, zero)
    z = m.pair(m.add("Conv", y, m.weights(24, 1, 3, 3), m.bias(24), pads=[1] * 4, group=24), 0.0419, zero)
    z = m.pair(m.add("Conv", z, m.weights(24, 24, 1, 1), m.bias(24)), 0.0517, zero)
    total = m.add("Add", y, z)
    m.outputs.append((total, T.FLOAT, None))
    m.pair(m.add("MaxPool", m.pair(total, 0.0613, zero), kernel_shape=[2, 2], strides=[2, 2]), 0.0613, zero)
    model = m.model()
    feed = {"x": np.random.default_rng(3).standard_normal((2, 3, 33, 40)).astype(np.float32)}
    actual, expected = tenon.compile(model, threads=1, target=target).run(feed), interpreted_graph(model, feed, tmp_path)
    for name, _, _ in m.outputs:
        np.testing.assert_array_equal(actual[name], expected[name], err_msg=name)


@pytest.mark.parametrize("accuracy", ["default", "strict"])
@pytest.mark.parametrize("target", TARGETS)
def test_operators(target, accuracy):
    """Products of stored numbers, whose sums are exact, and what scales and biases make of them."""
    random = np.random.default_rng(4)
    weights = random.integers(-128, 128, (100, 40)).astype(np.int8)
    constants = {"w": weights, "wz": np.int8(5), "s": (0.001 + 0.01 * random.random(40)).astype(np.float32),
                 "b": random.standard_normal(40).astype(np.float32), "sa": np.float32(0.02), "sy": np.float32(0.37), "z": np.uint8(130)}
    nodes = [helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"]),
             helper.make_node("MatMulInteger", ["q", "w", "qz", "wz"], ["sums"]),
             helper.make_node("Cast", ["sums"], ["wide"], to=T.FLOAT), helper.make_node("Mul", ["s", "qs"], ["scales"]),
             helper.make_node("Mul", ["wide", "scales"], ["scaled"]), helper.make_node("Add", ["scaled", "b"], ["dynamic"]),
             helper.make_node("QuantizeLinear", ["x", "sa", "z"], ["a"]),
             helper.make_node("QLinearMatMul", ["a", "sa", "z", "w", "sa", "wz", "sy", "z"], ["static"])]
    model = make_model(nodes, [("x", T.FLOAT, ["n", 100])], [("q", T.UINT8, None), ("dynamic", T.FLOAT, None), ("static", T.UINT8, None)],
                       [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    for rows in (1, 37):
        feed = {"x": random.standard_normal((rows, 100)).astype(np.float32)}
        actual, expected = tenon.compile(model, threads=1, target=target, accuracy=accuracy).run(feed), tenon.reference(model).run(feed)
        for name in expected:
            np.testing.assert_array_equal(actual[name], expected[name], err_msg=name)


def test_strict_rounds_products_and_sums():
    nodes = [helper.make_node("Mul", ["x", "y"], ["p"]), helper.make_node("Add", ["p", "z"], ["sum"]), helper.make_node("Sub", ["z", "p"], ["rest"])]
    model = make_model(nodes, [(name, T.FLOAT, ["n"]) for name in "xyz"], [("sum", T.FLOAT, ["n"]), ("rest", T.FLOAT, ["n"])])
    random = np.random.default_rng(5)
    feed = {name: random.standard_normal(1000).astype(np.float32) for name in "xyz"}
    actual = tenon.compile(model, accuracy="strict").run(feed)
    np.testing.assert_array_equal(actual["sum"], feed["x"] * feed["y"] + feed["z"])
    np.testing.assert_array_equal(actual["rest"], feed["z"] - feed["x"] * feed["y"])


@pytest.mark.parametrize("target", TARGETS)
def test_quotients_are_those_of_division(target):
    """Around each tie of 8 bits; the first scales are ones by which quotients need the longer form."""
    random = np.random.default_rng(6)
    scales = np.float32([0.209932849, 0.0262758713, 0.0603759848, 1.0, *np.exp(random.uniform(-8, 8, 28))])
    ties = (np.arange(-129, 129) + 0.5).astype(np.float32)
    feeds, nodes, constants, outputs, expected = {}, [], [], [], {}
    for i, scale in enumerate(scales):
        x = ties * scale
        near = [x]
        for bound in (np.inf, -np.inf):
            for _ in range(3):
                near.append(np.nextafter(near[-1], np.float32(bound)))
            near.append(x)
        feeds[f"x{i}"] = np.concatenate(near)
        constants += [numpy_helper.from_array(scale, f"s{i}"), numpy_helper.from_array(np.int8(0), f"z{i}")]
        nodes.append(helper.make_node("QuantizeLinear", [f"x{i}", f"s{i}", f"z{i}"], [f"y{i}"]))
        outputs.append((f"y{i}", T.INT8, None))
        expected[f"y{i}"] = np.clip(np.rint(feeds[f"x{i}"] / scale), -128, 127).astype(np.int8)
    model = make_model(nodes, [(name, T.FLOAT, list(x.shape)) for name, x in feeds.items()], outputs, constants)
    actual = tenon.compile(model, threads=1, target=target).run(feeds)
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value, err_msg=name)


@pytest.mark.parametrize("zero", [np.uint8, np.int8, np.int16], ids=lambda type: type.__name__)
@pytest.mark.parametrize("target", TARGETS)
def test_scales_known_at_run_time(target, zero):
    """Quotients are those of division around ties, far beyond the range, and for scales that inverses don't hold."""
    random = np.random.default_rng(8)
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"])]
    type = helper.np_dtype_to_tensor_dtype(np.dtype(zero))
    model = make_model(nodes, [("x", T.FLOAT, ["n"]), ("s", T.FLOAT, []), ("z", type, [])], [("q", type, None)], [])
    compiled = tenon.compile(model, threads=1, target=target)
    ties = (np.arange(-300, 300) + 0.5).astype(np.float32)
    usual = np.exp(random.uniform(-20, 20, 60)).astype(np.float32)
    limits = np.float32([1e-45, 1e-40, 2.0**-126, 2.0**-61, 2.0**-60, 2.0**60, 2.0**61, 3e38, np.inf])
    for scale in np.concatenate([usual, limits, -usual[:2]]):
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            near = [np.nextafter(ties * scale, np.float32(bound)) for bound in (np.inf, -np.inf)]
            x = np.concatenate([ties * scale, *near, random.standard_normal(500).astype(np.float32) * 100 * scale,
                                np.float32([0, -0.0, 1e-45, -1e-38, 3e38, -3e38, np.inf, -np.inf])])
            x = x[~np.isnan(x) & ~np.isnan(x / scale)]
            for offset in (np.iinfo(zero).min, 3, np.iinfo(zero).max):
                wanted = np.clip(np.rint(x / scale) + np.float32(offset), np.iinfo(zero).min, np.iinfo(zero).max).astype(zero)
                actual = compiled.run({"x": x, "s": scale, "z": zero(offset)})["q"]
                np.testing.assert_array_equal(actual, wanted, err_msg=f"scale {scale}, offset {offset}")


@pytest.mark.parametrize("target", TARGETS)
def test_ranges_of_dynamic_quantisation(target):
    """NaN is found wherever it is, in parts and in what is left of vectors; infinities and zeros are numbers as others."""
    nodes = [helper.make_node("ReduceMin", ["x"], ["least"], keepdims=0), helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
             helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0)]
    model = make_model(nodes, [("x", T.FLOAT, ["n", 50])], [(name, T.FLOAT, []) for name in ("least", "most", "sum")], [])
    compiled = tenon.compile(model, target=target)
    random = np.random.default_rng(9)
    for rows in (1, 3, 40, 2000):
        for place in (None, 0, 17, 49, rows * 50 // 2, rows * 50 - 1):
            for value in (np.nan, -np.nan, np.inf, -np.inf):
                x = random.standard_normal((rows, 50)).astype(np.float32)
                if place is not None:
                    x.reshape(-1)[place % x.size] = value
                got = compiled.run({"x": x})
                np.testing.assert_array_equal(got["least"], x.min())
                np.testing.assert_array_equal(got["most"], x.max())
                np.testing.assert_allclose(got["sum"], x.sum(dtype=np.float64), rtol=1e-3, atol=1e-2)

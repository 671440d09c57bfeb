"""Operators that ONNX Runtime adds to the standard's, against ONNX Runtime."""

import numpy as np
import onnxruntime
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

F, U8 = TensorProto.FLOAT, TensorProto.UINT8
MS = "com.microsoft"


def floats(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def array(values, name):
    return numpy_helper.from_array(values, name)


def node(op, inputs, outputs, domain=MS, **attributes):
    return helper.make_node(op, inputs, outputs, domain=domain, **attributes)


def model_of(nodes, inputs, outputs, initializers=()):
    model = make_model(nodes, inputs, outputs, list(initializers))
    model.opset_import.append(helper.make_opsetid(MS, 1))
    return model


def check(model, *feeds, tolerance=1e-5):
    """The interpreter and the compiled model give what ONNX Runtime gives, from one artifact for all feeds."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    compiled, reference = tenon.compile(model, threads=1), tenon.reference(model)
    for feed in feeds:
        wanted = dict(zip((o.name for o in session.get_outputs()), session.run(None, feed)))
        for actual in (compiled.run(feed), reference.run(feed)):
            for name, expected in wanted.items():
                assert actual[name].dtype == expected.dtype
                np.testing.assert_allclose(actual[name], expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("constant", [True, False], ids=["constant", "input"])
@pytest.mark.parametrize("zeros", ["none", "packed", "float"])
@pytest.mark.parametrize("bits,block,k", [(4, 32, 96), (4, 16, 40), (4, 128, 300), (8, 32, 64), (8, 16, 40),
                                          (2, 32, 64), (2, 16, 72)])
def test_matmul_nbits(bits, block, k, zeros, constant):
    if zeros == "float" and bits == 8:
        pytest.skip("ONNX Runtime has no floating-point zero points of 8-bit weights")
    n, blocks, random = 21, -(-k // block), np.random.default_rng(k)
    packed = random.integers(0, 256, (n, blocks, block * bits // 8), np.uint8)
    values = {"w": packed, "s": floats((n, blocks), 1) * 0.1}
    if zeros == "packed":
        values["z"] = random.integers(0, 256, (n, -(-blocks * bits // 8)), np.uint8)
    elif zeros == "float":
        values["z"] = random.integers(0, 1 << bits, (n, blocks)).astype(np.float32)
    inputs = [("x", F, ("rows", "more", k))]
    initializers = []
    for name, value in values.items():
        if constant:
            initializers.append(array(value, name))
        else:
            inputs.append((name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape))
    product = node("MatMulNBits", ["x", *values], ["y"], K=k, N=n, bits=bits, block_size=block)
    model = model_of([product], inputs, [("y", F, ("rows", "more", n))], initializers)
    feeds = [{"x": floats((rows, more, k), rows)} for rows, more in ((1, 1), (2, 3), (5, 8))]
    if not constant:
        feeds = [feed | values for feed in feeds]
    check(model, *feeds, tolerance=2e-3 if bits == 8 else 1e-3)


def test_matmul_nbits_adds_a_bias():
    initializers = [
        array(np.random.default_rng(0).integers(0, 256, (8, 2, 8), np.uint8), "w"),
        array(floats((16,)), "s"),
        array(floats((8,), 1), "b"),
    ]
    product = node("MatMulNBits", ["x", "w", "s", "", "", "b"], ["y"], K=32, N=8, bits=4, block_size=16)
    check(model_of([product], [("x", F, ("n", 32))], [("y", F, ("n", 8))], initializers), {"x": floats((3, 32))},
          tolerance=1e-3)


@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
def test_fused_matmul(trans_a, trans_b):
    a, b = ((2, 5, 4) if trans_a else (2, 4, 5)), ((3, 5) if trans_b else (5, 3))
    product = node("FusedMatMul", ["a", "b"], ["y"], transA=trans_a, transB=trans_b, alpha=0.5)
    model = model_of([product], [("a", F, ("n", *a[1:])), ("b", F, b)], [("y", F, ("n", 4, 3))])
    check(model, {"a": floats(a), "b": floats(b, 1)})


@pytest.mark.parametrize("axis", [-1, 1])
def test_simplified_layer_normalization(axis):
    shape = (6,) if axis == -1 else (4, 6)
    layer = node("SimplifiedLayerNormalization", ["x", "g"], ["y"], domain="", axis=axis, epsilon=1e-3)
    model = model_of([layer], [("x", F, ("n", 4, 6))], [("y", F, ("n", 4, 6))], [array(floats(shape, 1), "g")])
    check(model, {"x": floats((3, 4, 6))})


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "plain"])
@pytest.mark.parametrize("simplified", [True, False], ids=["rms", "mean"])
@pytest.mark.parametrize("skip", [("n", 4, 8), (1, 4, 8), (4, 8)], ids=["whole", "batch", "matrix"])
def test_skip_normalization(skip, simplified, bias):
    initializers = [array(floats((8,), i + 1), name) for i, name in enumerate(("gamma", "beta", "bias"))]
    inputs = ["x", "skip", "gamma"] + ([] if simplified else ["beta"]) + (["bias"] if bias else [])
    op = "SkipSimplifiedLayerNormalization" if simplified else "SkipLayerNormalization"
    used = [initializer for initializer in initializers if initializer.name in inputs]
    layer = node(op, inputs, ["y", "", "", "sum"], epsilon=1e-3)
    model = model_of([layer], [("x", F, ("n", 4, 8)), ("skip", F, skip)],
                     [("y", F, ("n", 4, 8)), ("sum", F, ("n", 4, 8))], used)
    check(model, {"x": floats((3, 4, 8)), "skip": floats([3 if d == "n" else d for d in skip], 9)})


@pytest.mark.parametrize("op,bias", [("Gelu", False), ("BiasGelu", True), ("FastGelu", False), ("FastGelu", True),
                                     ("QuickGelu", False)])
def test_activations(op, bias):
    layer = node(op, ["x", "b"] if bias else ["x"], ["y"])
    model = model_of([layer], [("x", F, ("n", 70))], [("y", F, ("n", 70))], [array(floats((70,), 1), "b")] if bias else [])
    check(model, {"x": floats((3, 70)) * 4})


def test_quick_gelu_scales():
    model = model_of([node("QuickGelu", ["x"], ["y"], alpha=0.5)], [("x", F, ("n",))], [("y", F, ("n",))])
    check(model, {"x": floats((33,)) * 4})

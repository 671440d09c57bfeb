"""Composites in the forms that exporters write them: recognised, and the same as ONNX Runtime computes."""
import os
import pathlib
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
import tenon
from onnx import TensorProto, helper, numpy_helper

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"
B, S, H, D = 2, 7, 3, 8
WIDTH = H * D


class Graph:
    """Nodes with names of their own, and constants where numbers stand."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def value(self, value):
        if isinstance(value, str):
            return value
        name = f"c{len(self.constants)}"
        array = np.asarray(value, np.float32 if not isinstance(value, np.ndarray) else value.dtype)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def __call__(self, op, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [self.value(x) for x in inputs], [name], **attributes))
        return name


def layer_norm(g, x):
    centered = g("Sub", x, g("ReduceMean", x, np.array([-1])))
    variance = g("ReduceMean", g("Pow", centered, 2.0), np.array([-1]))
    y = g("Div", centered, g("Sqrt", g("Add", variance, 1e-5)))
    return g("Add", g("Mul", y, np.linspace(1, 2, WIDTH, dtype=np.float32)), np.linspace(-1, 1, WIDTH, dtype=np.float32))


def layer_norm_by_products(g, x):
    centered = g("Sub", x, g("ReduceMean", x, np.array([2])))
    variance = g("ReduceMean", g("Mul", centered, centered), np.array([2]))
    return g("Mul", centered, g("Reciprocal", g("Sqrt", g("Add", 1e-12, variance))))


def rms_norm(g, x):
    inverse = g("Div", 1.0, g("Sqrt", g("Add", g("ReduceMean", g("Pow", x, 2.0), np.array([-1])), 1e-6)))
    return g("Mul", g("Mul", x, inverse), np.linspace(1, 2, WIDTH, dtype=np.float32))


def softmax(g, x):
    exponential = g("Exp", g("Sub", x, g("ReduceMax", x, np.array([-1]))))
    return g("Div", exponential, g("ReduceSum", exponential, np.array([-1])))


def log_softmax(g, x):
    shifted = g("Sub", x, g("ReduceMax", x, np.array([-1])))
    return g("Sub", shifted, g("Log", g("ReduceSum", g("Exp", shifted), np.array([-1]))))


def gelu(g, x):
    return g("Mul", g("Mul", x, g("Add", g("Erf", g("Div", x, 1.4142135)), 1.0)), 0.5)


def gelu_half_first(g, x):
    return g("Mul", g("Mul", x, 0.5), g("Add", 1.0, g("Erf", g("Mul", x, 0.70710677))))


def gelu_tanh(g, x):
    inner = g("Mul", 0.7978846, g("Add", x, g("Mul", 0.044715, g("Pow", x, 3.0))))
    return g("Mul", g("Mul", 0.5, x), g("Add", 1.0, g("Tanh", inner)))


def heads(g, x, seed):
    weights = np.random.default_rng(seed).standard_normal((WIDTH, WIDTH)).astype(np.float32) / 5
    split = g("Reshape", g("MatMul", x, weights), np.array([0, -1, H, D]))
    return g("Transpose", split, perm=[0, 2, 1, 3])


def joined(g, y):
    return g("Reshape", g("Transpose", y, perm=[0, 2, 1, 3]), np.array([0, -1, WIDTH]))


def attention(g, x):
    scores = g("MatMul", heads(g, x, 1), g("Transpose", heads(g, x, 2), perm=[0, 1, 3, 2]))
    return joined(g, g("MatMul", g("Softmax", g("Div", scores, np.sqrt(D)), axis=-1), heads(g, x, 3)))


def attention_added_mask(g, x):
    mask = np.where(np.arange(S) < S - 2, 0, -10000).astype(np.float32).reshape(1, 1, 1, S)
    q = g("Mul", heads(g, x, 1), D ** -0.25)
    k = g("Mul", g("Transpose", heads(g, x, 2), perm=[0, 1, 3, 2]), D ** -0.25)
    return joined(g, g("MatMul", g("Softmax", g("Add", g("MatMul", q, k), mask), axis=-1), heads(g, x, 3)))


def attention_causal(g, x):
    scores = g("MatMul", heads(g, x, 1), g("Transpose", heads(g, x, 2), perm=[0, 1, 3, 2]))
    visible = np.tril(np.ones((1, 1, S, S), bool))
    masked = g("Where", visible, g("Mul", scores, D ** -0.5), np.float32(np.finfo(np.float32).min))
    return joined(g, g("MatMul", g("Softmax", masked, axis=-1), heads(g, x, 3)))


FORMS = {"normalize": [layer_norm, layer_norm_by_products, rms_norm], "softmax": [softmax, log_softmax],
         "gelu": [gelu, gelu_half_first, gelu_tanh], "attention": [attention, attention_added_mask, attention_causal]}


@pytest.mark.parametrize("op, form", [(op, form) for op, forms in FORMS.items() for form in forms],
                         ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("batch", [B, "batch"])
def test_is_recognised(op, form, batch, tmp_path):
    rng = np.random.default_rng(0)
    g = Graph()
    y = form(g, "x")
    graph = helper.make_graph(g.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, S, WIDTH])],
                              [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, tmp_path / "model.onnx")
    text = subprocess.run([BIN / "tenon-compile", tmp_path / "model.onnx", "--emit=graph"], capture_output=True, text=True, check=True)
    assert text.stdout.count(f"tenon.{op} ") == 1, text.stdout
    feed = {"x": (2 * rng.standard_normal((B, S, WIDTH))).astype(np.float32)}
    expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, feed)[0]
    np.testing.assert_allclose(tenon.compile(model).run(feed)[y], expected, rtol=2e-5, atol=2e-6)

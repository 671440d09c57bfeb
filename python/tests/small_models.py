"""Small models with weights, as quantisers take them: a convolutional network, dense layers, recurrent ones, attention."""

import numpy as np
from microsoft import array
from onnx import TensorProto, helper

F = TensorProto.FLOAT


class Builder:
    def __init__(self, seed=0):
        self.random, self.nodes, self.weights = np.random.default_rng(seed), [], []

    def weight(self, *shape, scale=None):
        values = self.random.standard_normal(shape) * (scale or 1 / np.sqrt(np.prod(shape[1:]) or 1))
        self.weights.append(array(values.astype(np.float32), f"w{len(self.weights)}"))
        return self.weights[-1].name

    def constant(self, values):
        self.weights.append(array(np.asarray(values), f"w{len(self.weights)}"))
        return self.weights[-1].name

    def add(self, op, *operands, results=1, **attributes):
        names = [f"{op.lower()}{len(self.nodes)}_{i}" for i in range(results)]
        self.nodes.append(helper.make_node(op, list(operands), names, name=names[0][:-2], **attributes))
        return names[-1]

    def model(self, x, y, opset=17):
        self.nodes.append(helper.make_node("Identity", [y], ["y"], name="output"))
        graph = helper.make_graph(self.nodes, "small", [helper.make_tensor_value_info("x", F, x)],
                                  [helper.make_empty_tensor_value_info("y")], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        return model


def convolutional():
    """Convolutions, a grouped one, a residual sum, pools, a gate, a concatenation and a classifier."""
    b = Builder()
    y = b.add("Relu", b.add("Conv", "x", b.weight(8, 3, 3, 3), b.weight(8, scale=0.1), pads=[1] * 4))
    z = b.add("LeakyRelu", b.add("Conv", y, b.weight(8, 1, 3, 3), pads=[1] * 4, group=8), alpha=0.2)
    y = b.add("MaxPool", b.add("Add", y, z), kernel_shape=[2, 2], strides=[2, 2])
    gate = b.add("Sigmoid", b.add("Conv", b.add("GlobalAveragePool", y), b.weight(8, 8, 1, 1)))
    y = b.add("Concat", b.add("Mul", y, gate), b.add("Clip", y, b.constant(np.float32(0)), b.constant(np.float32(2))), axis=1)
    y = b.add("Pad", y, b.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1])))
    y = b.add("AveragePool", y, kernel_shape=[3, 3], strides=[2, 2])
    y = b.add("Resize", y, "", b.constant(np.float32([1, 1, 2, 2])), mode="nearest")
    y = b.add("Flatten", b.add("Transpose", y, perm=[0, 2, 3, 1]))
    y = b.add("Gemm", y, b.weight(10, 16 * 4 * 4), b.weight(10), transB=1)
    return b.model(["n", 3, 8, 8], b.add("Softmax", y, axis=-1)), (3, 8, 8)


def dense():
    b = Builder(1)
    y = b.add("Relu", b.add("Gemm", "x", b.weight(24, 40), b.weight(40)))
    y = b.add("Add", b.add("MatMul", y, b.weight(40, 32)), b.weight(32))
    y = b.add("Tanh", b.add("Mul", y, b.add("Sigmoid", y)))
    return b.model(["n", 24], b.add("MatMul", y, b.weight(32, 5))), (24,)


def recurrent(cell):
    """Of the batch, the time goes first."""
    b = Builder(2)
    gates, hidden = {"LSTM": 4, "GRU": 3}[cell], 12
    y = b.add("Transpose", "x", perm=[1, 0, 2])
    y = b.add(cell, y, b.weight(2, gates * hidden, 8, scale=0.3), b.weight(2, gates * hidden, hidden, scale=0.3),
              b.weight(2, 2 * gates * hidden, scale=0.1), hidden_size=hidden, direction="bidirectional")
    y = b.add("Reshape", b.add("Transpose", y, perm=[0, 2, 1, 3]), b.constant(np.array([-1, 2 * hidden])))
    return b.model(["n", 6, 8], b.add("MatMul", y, b.weight(2 * hidden, 4))), (6, 8)


def attention():
    """One layer of a transformer over an embedding's rows."""
    b = Builder(3)
    heads, size, length = 4, 32, 6

    def project(x):
        return b.add("Add", b.add("MatMul", x, b.weight(size, size)), b.weight(size, scale=0.1))

    def split(x, perm):
        return b.add("Transpose", b.add("Reshape", x, b.constant(np.array([0, 0, heads, size // heads]))), perm=perm)
    q, k, v = (split(project("x"), perm) for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]))
    scores = b.add("Div", b.add("MatMul", q, k), b.constant(np.float32(np.sqrt(size // heads))))
    mask = b.constant(np.tril(np.ones((length, length), bool)))
    scores = b.add("Where", mask, scores, b.constant(np.float32([-30])))
    y = b.add("MatMul", b.add("Softmax", scores, axis=-1), v)
    y = b.add("Reshape", b.add("Transpose", y, perm=[0, 2, 1, 3]), b.constant(np.array([0, 0, size])))
    y = b.add("Add", "x", project(y))
    y = b.add("LayerNormalization", y, b.weight(size, scale=1), b.weight(size, scale=0.1), axis=-1)
    y = b.add("MatMul", y, b.weight(size, 2 * size))
    y = b.add("MatMul", b.add("Mul", y, b.add("Sigmoid", y)), b.weight(2 * size, size))
    return b.model(["n", length, size], b.add("ReduceMean", y, axes=[1], keepdims=0)), (length, size)


def embedded():
    """Rows of a table by identifiers, and layers of them."""
    b = Builder(4)
    y = b.add("Gather", b.weight(50, 48), "ids", axis=0)
    y = b.add("Tanh", b.add("MatMul", y, b.weight(48, 40)))
    b.nodes.append(helper.make_node("MatMul", [y, b.weight(40, 20)], ["y"], name="output"))
    graph = helper.make_graph(b.nodes, "embedded", [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "t"])],
                              [helper.make_tensor_value_info("y", F, ["n", "t", 20])], b.weights)
    ids = np.random.default_rng(5).integers(0, 50, (2, 7))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), {"ids": ids}


MODELS = {"convolutional": convolutional, "dense": dense, "lstm": lambda: recurrent("LSTM"), "gru": lambda: recurrent("GRU"),
          "attention": attention}

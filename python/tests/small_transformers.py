"""Small transformers as exporters write them, node by node."""

import numpy as np
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

F, I64 = TensorProto.FLOAT, TensorProto.INT64


class Graph:
    """Nodes of a model, with the names of what they give."""

    def __init__(self, opset=14):
        self.opset, self.nodes, self.constants, self.random = opset, [], {}, np.random.default_rng(0)

    def __call__(self, op, *operands, results=1, **attributes):
        names = [f"{op}_{len(self.nodes)}_{i}" for i in range(results)]
        operands = [operand if isinstance(operand, str) else self.constant(operand) for operand in operands]
        self.nodes.append(helper.make_node(op, operands, names, name=f"{op}_{len(self.nodes)}", **attributes))
        return names[0] if results == 1 else names

    def constant(self, values):
        values = np.asarray(values)
        key = (values.dtype.str, values.shape, values.tobytes())
        return self.constants.setdefault(key, (f"constant_{len(self.constants)}", values))[0]

    def weight(self, *shape, scale=0.2):
        return self.constant((self.random.standard_normal(shape) * scale).astype(np.float32))

    def dense(self, x, inputs, outputs):
        return self("Add", self("MatMul", x, self.weight(inputs, outputs)), self.weight(outputs))

    def size(self, x, dim):
        return self("Unsqueeze", self("Gather", self("Shape", x), np.int64(dim), axis=0), np.int64([0]))

    def heads(self, x, heads, depth, permutation):
        shape = self("Concat", self.size(x, 0), self.size(x, 1), np.int64([heads]), np.int64([depth]), axis=0)
        return self("Transpose", self("Reshape", x, shape), perm=permutation)

    def layer_norm(self, x, width):
        centred = self("Sub", x, self("ReduceMean", x, axes=[-1]))
        variance = self("ReduceMean", self("Pow", centred, np.float32(2)), axes=[-1])
        normal = self("Div", centred, self("Sqrt", self("Add", variance, np.float32(1e-5))))
        return self("Add", self("Mul", normal, self.weight(width, scale=1.0)), self.weight(width))

    def gelu(self, x):
        half = self("Mul", x, self("Add", self("Erf", self("Div", x, np.float32(np.sqrt(2)))), np.float32(1)))
        return self("Mul", half, np.float32(0.5))

    def model(self, inputs, outputs):
        constants = [numpy_helper.from_array(values, name) for name, values in self.constants.values()]
        return make_model(self.nodes, inputs, outputs, constants, opset=self.opset)


def bert(layers=2, width=32, heads=4, words=50):
    """Of words, segments and a mask, as PyTorch exports it."""
    g, depth = Graph(), width // heads
    places = g("Slice", np.arange(64, dtype=np.int64)[None], np.int64([0]), g.size("ids", 1), np.int64([1]))
    x = g("Add", g("Gather", g.weight(words, width), "ids"), g("Gather", g.weight(2, width), "segments"))
    x = g.layer_norm(g("Add", x, g("Gather", g.weight(64, width), places)), width)
    mask = g("Cast", g("Unsqueeze", g("Unsqueeze", "mask", np.int64([1])), np.int64([2])), to=F)
    mask = g("Mul", g("Sub", np.float32(1), mask), np.float32(-10000))
    for _ in range(layers):
        q = g.heads(g.dense(x, width, width), heads, depth, [0, 2, 1, 3])
        k = g.heads(g.dense(x, width, width), heads, depth, [0, 2, 3, 1])
        v = g.heads(g.dense(x, width, width), heads, depth, [0, 2, 1, 3])
        scores = g("Add", g("Div", g("MatMul", q, k), np.float32(np.sqrt(depth))), mask)
        y = g("Transpose", g("MatMul", g("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
        y = g("Reshape", y, g("Concat", g.size(y, 0), g.size(y, 1), np.int64([width]), axis=0))
        x = g.layer_norm(g("Add", g.dense(y, width, width), x), width)
        y = g.dense(g.gelu(g.dense(x, width, 4 * width)), 4 * width, width)
        x = g.layer_norm(g("Add", y, x), width)
    g.nodes[-1].output[0] = "y"
    return g.model([(name, I64, ("batch", "time")) for name in ("ids", "segments", "mask")], [("y", F, ("batch", "time", width))])


def bert_feed(batch, time, words=50):
    random = np.random.default_rng(time)
    lengths = random.integers(1, time + 1, (batch, 1))
    return {"ids": random.integers(0, words, (batch, time)), "segments": random.integers(0, 2, (batch, time)),
            "mask": (np.arange(time) < lengths).astype(np.int64)}


def decoder(layers=2, width=64, heads=4, kv_heads=2, words=50, packed=False, bits=4, norms=False, element=F):
    """A step of decoding as onnxruntime-genai writes it: past keys and values in, present ones out, 4-bit weights."""
    g, depth, ms = Graph(opset=21), width // heads, "com.microsoft"
    kind = helper.tensor_dtype_to_np_dtype(element)

    def product(x, inputs, outputs):
        blocks = -(-inputs // 32)
        packed_bytes = g.random.integers(0, 256, (outputs, blocks, 32 * bits // 8), np.uint8)
        scales = (g.random.random((outputs * blocks,)) * 0.02).astype(kind)
        return g("MatMulNBits", x, packed_bytes, scales, domain=ms, K=inputs, N=outputs, bits=bits, block_size=32)

    def weight(*shape):
        return g.constant((1 + 0.2 * g.random.standard_normal(shape)).astype(kind))

    angle = np.outer(np.arange(64), 100.0 ** (-np.arange(depth // 2) / (depth // 2)))
    cosines, sines = np.cos(angle).astype(kind), np.sin(angle).astype(kind)
    used = g("Cast", g("Sub", g("ReduceSum", "attention_mask", np.int64([1])), np.int64([1])), to=TensorProto.INT32)
    used = g("Squeeze", used, np.int64([1]))
    total = g("Cast", g("Gather", g("Shape", "attention_mask"), np.int64(1), axis=0), to=TensorProto.INT32)
    x = g("Gather", (g.random.standard_normal((words, width)) * 0.5).astype(kind), "input_ids")
    y = g("SimplifiedLayerNormalization", x, weight(width), axis=-1, epsilon=1e-5)
    for layer in range(layers):
        if packed:
            operands = [product(y, width, width + 2 * kv_heads * depth), "", ""]
        else:
            operands = [product(y, width, size * depth) for size in (heads, kv_heads, kv_heads)]
        past = [f"past_key_values.{layer}.{what}" for what in ("key", "value")]
        operands += past + [used, total, cosines, sines]
        if norms:
            operands += ["", "", "", "", "", weight(depth), weight(depth)]
        y = g("GroupQueryAttention", *operands, results=3, domain=ms, num_heads=heads, kv_num_heads=kv_heads, do_rotary=1,
              scale=depth**-0.5)[0]
        g.nodes[-1].output[1:] = [f"present.{layer}.{what}" for what in ("key", "value")]
        y, _, _, x = g("SkipSimplifiedLayerNormalization", x, product(y, width, width), weight(width), results=4, domain=ms,
                       epsilon=1e-5)
        gate, up = product(y, width, 2 * width), product(y, width, 2 * width)
        y = product(g("Mul", g("Mul", gate, g("Sigmoid", gate)), up), 2 * width, width)
        y, _, _, x = g("SkipSimplifiedLayerNormalization", x, y, weight(width), results=4, domain=ms, epsilon=1e-5)
    product(y, width, words)
    g.nodes[-1].output[0] = "logits"
    names = [f"{layer}.{what}" for layer in range(layers) for what in ("key", "value")]
    inputs = [("input_ids", I64, ("batch_size", "sequence_length")),
              ("attention_mask", I64, ("batch_size", "total_sequence_length"))]
    inputs += [(f"past_key_values.{name}", element, ("batch_size", kv_heads, "past_sequence_length", depth)) for name in names]
    outputs = [("logits", element, ("batch_size", "sequence_length", words))]
    outputs += [(f"present.{name}", element, ("batch_size", kv_heads, "total_sequence_length", depth)) for name in names]
    model = g.model(inputs, outputs)
    model.opset_import.append(helper.make_opsetid(ms, 1))
    return model

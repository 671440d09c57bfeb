"""What exporters and quantisers write, for operator_models: several nodes that compilers put together."""

import numpy as np
from onnx import TensorProto, numpy_helper
from operator_models import KINDS, pattern, Refused


@pattern
def linear(m):
    depth, columns = m.pick((3, 16, 33, 64, 130)), m.pick((1, 5, 32, 33, 100))
    x = m.data("f32", (*m.pick(((), (2,), (2, 3))), m.pick((1, 4, 7, 50)), depth), mode="unit")
    w = m.weights(columns, depth, scale=depth ** -0.5)
    if m.chance(0.5):
        x = m.step("MatMul", x, m.step("Transpose", w, perm=[1, 0]))
    else:
        x = m.step("MatMul", x, m.weights(depth, columns))
    if m.chance(0.7):
        bias = m.weights(columns, scale=1)
        x = m.step("Add", *(m.pick(((x, bias), (bias, x)))))
    if m.chance(0.7):
        x = m.step(m.pick(("Relu", "Tanh", "Sigmoid", "LeakyRelu", "Softplus", "Elu")), x)
    if m.chance(0.5):
        x = m.step(m.pick(("Add", "Mul", "Sub")), x, m.data("f32", x.shape, mode="unit"))
    if m.chance(0.3):
        m.step(m.pick(("Softmax", "LogSoftmax")), x, axis=-1)


@pattern
def norm_written_out(m):
    x = m.data("f32", (*m.shape(1, 2), m.pick((1, 3, 8, 33, 64))), mode="unit")
    root_mean_square = m.chance(0.4)
    axes = [m.ints(-1)] if m.opset >= 18 else []
    more = {} if m.opset >= 18 else {"axes": [-1]}
    d = x if root_mean_square else m.step("Sub", x, m.step("ReduceMean", x, *axes, keepdims=1, **more))
    square = m.step("Pow", d, 2.0) if m.chance(0.5) else m.step("Mul", d, d)
    root = m.step("Sqrt", m.step("Add", m.step("ReduceMean", square, *axes, keepdims=1, **more), 1e-2))
    y = m.step("Div", d, root) if m.chance(0.6) else m.step("Mul", d, m.step("Reciprocal", root))
    y = m.step("Mul", y, m.weights(x.shape[-1], scale=1))
    if m.chance(0.6):
        y = m.step("Add", y, m.weights(x.shape[-1], scale=1))
    if m.chance(0.4):
        m.step("Add", y, x)


@pattern
def activation_written_out(m):
    x = m.data("f32", m.shape(1, 4), mode="unit")
    which = m.pick(("gelu", "tanh", "silu", "hardswish", "mish", "softmax"))
    if which == "gelu":
        y = m.step("Mul", m.step("Mul", x, m.step("Add", m.step("Erf", m.step("Div", x, 2.0 ** 0.5)), 1.0)), 0.5)
    elif which == "tanh":
        cube = m.step("Mul", m.step("Pow", x, 3.0), 0.044715)
        inner = m.step("Mul", m.step("Add", x, cube), 0.7978845608)
        y = m.step("Mul", m.step("Mul", x, 0.5), m.step("Add", m.step("Tanh", inner), 1.0))
    elif which == "silu":
        y = m.step("Mul", x, m.step("Sigmoid", m.step("Mul", x, m.pick((1.0, 1.702)))))
    elif which == "hardswish":
        y = m.step("Mul", x, m.step("Div", m.step("Clip", m.step("Add", x, 3.0), 0.0, 6.0), 6.0))
    elif which == "mish":
        y = m.step("Mul", x, m.step("Tanh", m.step("Log", m.step("Add", m.step("Exp", x), 1.0))))
    else:
        axis = m.number(0, x.rank - 1)
        if x.shape[axis] == 0:
            raise Refused
        most = m.step("ReduceMax", x, m.ints(axis)) if m.opset >= 18 else m.step("ReduceMax", x, axes=[axis])
        e = m.step("Exp", m.step("Sub", x, most))
        y = m.step("Div", e, m.step("ReduceSum", e, m.ints(axis)) if m.opset >= 13 else m.step("ReduceSum", e, axes=[axis]))
    if m.chance(0.3):
        m.step("Transpose", y)


@pattern
def attention_written_out(m):
    batch, length, heads, size = m.number(1, 2), m.pick((1, 2, 5, 17)), m.pick((1, 2, 4)), m.pick((4, 8, 32))
    width = heads * size
    x = m.data("f32", (batch, length, width), mode="unit")
    computed = m.chance(0.5)
    turned = []
    for name in "qkv":
        y = m.step("Add", m.step("MatMul", x, m.weights(width, width)), m.weights(width, scale=0.3))
        if computed:
            shape = m.step("Shape", x)
            sizes = [m.step("Unsqueeze", m.step("Gather", shape, m.value(np.array(i, np.int64), True)), *(
                [m.ints(0)] if m.opset >= 13 else []), **({} if m.opset >= 13 else {"axes": [0]})) for i in (0, 1)]
            y = m.step("Reshape", y, m.step("Concat", *sizes, m.ints(heads), m.ints(size), axis=0))
        else:
            y = m.step("Reshape", y, m.ints(0, -1, heads, size))
        turned.append(m.step("Transpose", y, perm=[0, 2, 3, 1] if name == "k" else [0, 2, 1, 3]))
    q, k, v = turned
    if m.chance(0.5):
        q = m.step("Mul", q, size ** -0.5)
        scores = m.step("MatMul", q, k)
    else:
        scores = m.step("Div", m.step("MatMul", q, k), size ** 0.5)
    if m.chance(0.5):
        mask = m.value(np.where(m.random("bool", (batch, 1, 1, length)), np.float32(0), np.float32(-1e4)), False)
        scores = m.step("Add", scores, mask)
    y = m.step("Transpose", m.step("MatMul", m.step("Softmax", scores, axis=3), v), perm=[0, 2, 1, 3])
    m.step("Reshape", y, m.ints(0, 0, width) if m.chance(0.5) else m.ints(batch, -1, width))


@pattern
def convolutions(m):
    channels, size = m.pick((1, 3, 8, 16)), (m.pick((1, 5, 8, 13)), m.pick((3, 7, 16)))
    x = m.data("f32", (m.number(1, 2), channels, *size), mode="unit")
    for _ in range(m.number(1, 3)):
        before, channels = x, x.shape[1]
        depthwise, kernel = m.chance(0.3), m.pick((1, 3))
        outputs = channels if depthwise or m.chance(0.3) else m.pick((1, 4, 8, 17, 33))
        group = channels if depthwise else 1
        if m.chance(0.2):
            x = m.step("Pad", x, m.ints(0, 0, 1, 1, 0, 0, 1, 1)) if m.opset >= 11 else x
            pads = [0] * 4
        else:
            pads = [kernel // 2] * 4
        x = m.step("Conv", x, m.weights(outputs, channels // group, kernel, kernel, scale=(channels // group * kernel) ** -0.5),
                   *([m.weights(outputs, scale=1)] if m.chance(0.5) else []), kernel_shape=[kernel] * 2, pads=pads, group=group,
                   strides=[m.pick((1, 1, 2))] * 2)
        if m.chance(0.4):
            statistics = [m.weights(outputs, scale=1) for _ in range(3)]
            variance = m.value(np.abs(m.random("f32", (outputs,), "positive")), True)
            x = m.step("BatchNormalization", x, *statistics, variance, epsilon=1e-3)
        if m.chance(0.7):
            x = m.step(m.pick(("Relu", "Sigmoid", "LeakyRelu", "HardSigmoid")), x)
        if m.chance(0.3):
            x = m.step("Clip", x, 0.0, 6.0)
        if x.shape == before.shape and m.chance(0.7):
            x = m.step("Add", x, before)
        if m.chance(0.25) and min(x.shape) > 0:
            pooled = m.step("GlobalAveragePool", x)
            x = m.step("Mul", x, m.step("Sigmoid", pooled))
        if m.chance(0.2):
            x = m.step("Concat", x, m.step("Neg", x), axis=1)
        if m.chance(0.2) and min(x.shape[2:]) > 1:
            x = m.step(m.pick(("MaxPool", "AveragePool")), x, kernel_shape=[2, 2], strides=[2, 2])
    if m.chance(0.3):
        m.step("MatMul", m.step("Flatten", x), m.weights(int(np.prod(x.shape[1:])), m.pick((1, 10))))


@pattern
def quantised(m):
    """Scales are powers of two and numbers are small: every step is exact, also where it's computed in another order."""
    if m.opset < 13:
        raise Refused
    kind = m.pick(("u8", "i8"))

    def point(of):
        return m.value(np.array(m.number(100, 150) if of == "u8" else m.number(-20, 20), KINDS[of]), True)

    def through(x):
        scale, zero = m.value(np.array(m.pick((0.125, 0.25, 0.5)), np.float32), True), point(kind)
        return m.step("DequantizeLinear", m.step("QuantizeLinear", x, scale, zero), scale, zero)

    def packed(shape, axis):
        numbers = m.value(m.rng.integers(-8, 8, shape).astype(np.int8), True)
        if m.chance(0.5):
            scale = m.value(m.rng.choice([0.125, 0.25], shape[axis]).astype(np.float32), True)
            zero = m.value(np.zeros(shape[axis], np.int8), True)
            return m.step("DequantizeLinear", numbers, scale, zero, axis=axis)
        return m.step("DequantizeLinear", numbers, m.value(np.array(0.125, np.float32), True))

    if m.chance(0.5):
        depth, columns = m.pick((4, 16, 33, 64)), m.pick((1, 8, 33))
        y = through(m.data("f32", (*m.pick(((), (2,))), m.pick((1, 3, 17)), depth), mode="exact"))
        y = m.step("MatMul", y, packed((depth, columns), 1))
        if m.chance(0.5):
            y = m.step("Add", y, m.value((m.rng.integers(-32, 32, columns) / 8).astype(np.float32), True))
    else:
        channels, outputs, kernel = m.pick((1, 3, 8)), m.pick((1, 4, 17)), m.pick((1, 3))
        group = channels if m.chance(0.3) else 1
        outputs = channels if group > 1 else outputs
        x = through(m.data("f32", (1, channels, m.pick((3, 8)), m.pick((5, 9))), mode="exact"))
        y = m.step("Conv", x, packed((outputs, channels // group, kernel, kernel), 0), group=group,
                   pads=[m.number(0, kernel // 2)] * 4, strides=[m.number(1, 2)] * 2)
    if m.chance(0.5):
        y = m.step("Relu", y)
    y = through(y)
    if m.chance(0.4):
        y = through(m.step("Add", y, through(m.data("f32", y.shape, mode="exact"))))
    if m.chance(0.3) and y.rank == 4 and min(y.shape[2:]) > 1:
        y = through(m.step("MaxPool", y, kernel_shape=[2, 2]))
    if m.chance(0.3):
        y = through(m.step("Concat", y, y, axis=-1))
    if m.chance(0.3):
        through(m.step("Transpose", y))


@pattern
def quantised_as_it_runs(m):
    depth, columns = m.pick((4, 16, 33, 64)), m.pick((1, 8, 33, 64))
    x = m.data("f32", (*m.pick(((), (2,))), m.pick((1, 3, 17)), depth), mode="exact")
    if not x.array.size or not np.ptp(x.array):
        raise Refused
    q, scale, zero = m.step("DynamicQuantizeLinear", x, results=3)
    kind = m.pick(("u8", "i8"))
    w = m.value(m.random_bytes(kind, (depth, columns)), m.chance(0.8))
    y = m.step("MatMulInteger", q, w, zero, m.value(m.random_bytes(kind, m.pick(((), (columns,)))), True))
    y = m.step("Mul", m.step("Cast", y, to=TensorProto.FLOAT), m.step("Mul", scale, 2.0 ** -10))
    if m.chance(0.5):
        m.step("Add", y, m.weights(columns, scale=1))


@pattern
def halves(m):
    """Gates and rotations: parts of a tensor with each other."""
    half = m.pick((1, 4, 8, 33))
    x = m.data("f32", (*m.shape(1, 2), 2 * half), mode="unit")
    if m.chance(0.5):
        a, b = m.step("Split", x, *([m.ints(half, half)] if m.opset >= 13 else []), axis=-1, results=2)
    else:
        a, b = (m.step("Slice", x, m.ints(start), m.ints(end), m.ints(-1)) for start, end in ((0, half), (half, 2**63 - 1)))
    if m.chance(0.5):
        m.step("Mul", a, m.step(m.pick(("Sigmoid", "Tanh", "Relu")), b))
    else:
        turned = m.step("Concat", m.step("Neg", b), a, axis=-1)
        m.step("Add", m.step("Mul", x, m.weights(2 * half, scale=1)), m.step("Mul", turned, m.weights(2 * half, scale=1)))


@pattern
def computed_sizes(m):
    x = m.data("f32", m.shape(2, 3), mode="exact")
    sizes = m.step("Shape", x)
    first = m.step("Gather", sizes, m.value(np.array(m.number(-x.rank, x.rank - 1), np.int64), True))
    which = m.pick(("range", "fill", "mask", "expand", "double"))
    if which == "range":
        y = m.step("Range", m.value(np.array(0, np.int64), True), first, m.value(np.array(1, np.int64), True))
        m.step("Cast", y, to=TensorProto.FLOAT)
    elif which == "fill":
        m.step("ConstantOfShape", sizes, value=numpy_helper.from_array(np.array([0.5], np.float32)))
    elif which == "mask":
        rows = m.step("Range", m.value(np.array(0, np.int64), True), first, m.value(np.array(1, np.int64), True))
        column = m.step("Unsqueeze", rows, *([m.ints(1)] if m.opset >= 13 else []), **({} if m.opset >= 13 else {"axes": [1]}))
        m.step("Where", m.step("Less", rows, column), m.value(np.float32(0), True), m.value(np.float32(-1e4), True))
    elif which == "expand":
        m.step("Expand", m.value(m.random("f32", (1,)), True), sizes)
    else:
        twice = m.step("Mul", sizes, m.ints(*(2 if d == 0 else 1 for d in range(x.rank))))
        m.step("Reshape", m.step("Concat", x, x, axis=0), twice)


@pattern
def chosen_rows(m):
    x = m.data("f32", (m.pick((3, 8, 20)), m.pick((1, 5, 16))), mode="exact")
    which = m.pick(("top", "nonzero", "one-hot", "embedding"))
    if which == "top":
        scores = m.step("ReduceSum", x, m.ints(1), keepdims=0) if m.opset >= 13 else m.step("ReduceSum", x, axes=[1], keepdims=0)
        if len(np.unique(scores.array)) != scores.array.size:
            raise Refused
        _, places = m.step("TopK", scores, m.ints(m.number(1, 3)), results=2)
        m.step("Gather", x, places)
    elif which == "nonzero":
        places = m.step("Transpose", m.step("NonZero", m.step("Greater", x, 0.0)))
        m.step("GatherND", x, places)
    elif which == "one-hot":
        hot = m.step("OneHot", m.step("ArgMax", x, axis=1, keepdims=0), m.ints(x.shape[1]), m.value(np.array([0, 1], np.float32), True))
        m.step("Mul", hot, x)
    else:
        ids = m.value(m.rng.integers(0, x.shape[0], m.shape(1, 2)).astype(np.int64), False)
        m.step("LayerNormalization" if m.opset >= 17 else "Neg", m.step("Gather", x, ids),
               *([m.weights(x.shape[1], scale=1)] if m.opset >= 17 else []))

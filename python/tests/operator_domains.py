"""Operators of ai.onnx.ml and of ONNX Runtime, for operator_models.

Decisions of classical models read numbers that are exact; scales of quantised tensors are powers of two, and what rounds to one of
them is multiplied with its scale again, so that a step is within the tolerance.
"""

import numpy as np

from operator_models import Group, KINDS, pattern, Refused

ML, MICROSOFT = "ai.onnx.ml", "com.microsoft"


def rows(m, features, mode="exact"):
    return m.data("f32", (m.number(1, 9), features), mode=mode)


def numbers(m, count, exact=True):
    values = m.rng.integers(-16, 17, count) / 4 if exact else m.rng.standard_normal(count)
    return [float(np.float32(v)) for v in values]


# Classical models.


class Forest:
    """Random trees as lists of nodes and of weights of leaves."""

    def __init__(self, m, features, targets):
        names = ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
        self.m, self.features, self.targets, self.lists, self.weights = m, features, targets, {name: [] for name in names}, []
        self.modes = m.pick((("BRANCH_LEQ",), ("BRANCH_LT",), ("BRANCH_GTE", "BRANCH_GT"), ("BRANCH_LEQ", "BRANCH_EQ", "BRANCH_NEQ")))
        for tree in range(m.number(1, 4)):
            self.count = 0
            self.grow(tree, m.number(1, 4))

    def grow(self, tree, depth):
        m, number, place = self.m, self.count, len(self.lists["nodeids"])
        self.count += 1
        entry = (tree, number, m.number(0, self.features - 1), float(m.number(-16, 16) / 8), m.pick(self.modes), 0, 0)
        for values, value in zip(self.lists.values(), entry):
            values.append(value)
        if depth == 0 or (number and m.chance(0.15)):
            self.lists["modes"][place] = "LEAF"
            for target in range(self.targets):
                self.weights.append((tree, number, target, numbers(m, 1)[0]))
            return number
        self.lists["truenodeids"][place] = self.grow(tree, depth - 1)
        self.lists["falsenodeids"][place] = self.grow(tree, depth - 1)
        return number

    def attributes(self, leaf):
        columns = zip(("treeids", "nodeids", "ids", "weights"), (list(column) for column in zip(*self.weights)))
        return {f"nodes_{name}": values for name, values in self.lists.items()} | {f"{leaf}_{name}": values for name, values in columns}


@pattern
def trees(m):
    group, features, targets = Group(m), m.number(1, 6), m.number(1, 3)
    x = rows(m, features)
    if m.chance(0.6):
        more = {"base_values": numbers(m, targets)} if m.chance(0.4) else {}
        group.end(group("TreeEnsembleRegressor", x, domain=ML, n_targets=targets, aggregate_function=m.pick(("SUM", "MIN", "MAX", "AVERAGE")),
                        **Forest(m, features, targets).attributes("target"), **more), least="f32")
        return
    classes = m.number(2, 4)
    label, scores = group("TreeEnsembleClassifier", x, domain=ML, results=2, classlabels_int64s=[int(c) for c in m.rng.permutation(9)[:classes]],
                          post_transform=m.pick(("NONE", "SOFTMAX", "LOGISTIC")), **Forest(m, features, classes).attributes("class"))
    # Which of several equal scores wins isn't said.
    group.end(scores, least="f32") if m.chance(0.7) else group.end(group("Shape", label), scores, least="f32")


@pattern
def linear_model(m):
    group, features, targets = Group(m), m.number(1, 6), m.number(1, 4)
    x = rows(m, features, "unit")
    post = {"post_transform": m.pick(("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"))}
    if m.chance(0.5):
        group.end(group("LinearRegressor", x, domain=ML, coefficients=numbers(m, features * targets), targets=targets,
                        **({"intercepts": numbers(m, targets)} if m.chance(0.7) else {}), **({} if m.chance(0.5) else {"post_transform": "NONE"})),
                  least="f32")
        return
    classes = max(2, targets)
    _, scores = group("LinearClassifier", x, domain=ML, results=2, coefficients=numbers(m, features * classes, False), intercepts=numbers(m, classes, False),
                      classlabels_ints=list(range(classes)), **post)
    group.end(scores, least="f32")


@pattern
def support_vectors(m):
    group, features, count = Group(m), m.number(1, 5), m.number(1, 6)
    group.end(group("SVMRegressor", rows(m, features, "unit"), domain=ML, kernel_type=m.pick(("LINEAR", "POLY", "RBF", "SIGMOID")),
                    kernel_params=[0.5, 0.25, float(m.number(1, 3))], support_vectors=numbers(m, count * features), coefficients=numbers(m, count),
                    n_supports=count, rho=numbers(m, 1)), least="f32")


@pattern
def scalers(m):
    group, features = Group(m), m.number(1, 6)
    kind = m.pick(("f32", "f32", "f64", "i64", "i32"))
    x = m.data(kind, (m.number(1, 9), features), mode="exact")
    which = m.pick(("Scaler", "Normalizer", "Binarizer", "Imputer"))
    if which == "Scaler":
        n = m.pick((1, features))
        y = group(which, x, domain=ML, offset=numbers(m, n), scale=numbers(m, n))
    elif which == "Normalizer":
        y = group(which, x, domain=ML, norm=m.pick(("L1", "L2", "MAX")))
    elif which == "Binarizer":
        y = group(which, m.data("f32", x.shape, mode="exact"), domain=ML, threshold=m.pick((0.0, 0.25, -1.0)))
    elif kind in ("f32", "f64"):
        y = group(which, m.data("f32", x.shape, mode="special"), domain=ML, imputed_value_floats=numbers(m, m.pick((1, features))),
                  replaced_value_float=m.pick((float("nan"), 0.5)))
    else:
        y = group(which, m.data("i64", x.shape), domain=ML, imputed_value_int64s=[m.number(0, 9)], replaced_value_int64=m.number(-2, 2))
    group.end(y, least="f32")


@pattern
def encoders(m):
    group, which = Group(m), m.pick(("LabelEncoder", "OneHotEncoder", "ArrayFeatureExtractor", "FeatureVectorizer", "CategoryMapper"))
    words = [str(w) for w in ("a", "bc", "the", "0")]
    if which == "LabelEncoder":
        kind, to = m.pick(("strings", "int64s", "floats")), m.pick(("strings", "int64s", "floats"))
        lists = {"strings": words, "int64s": [int(v) for v in m.rng.permutation(9)[:4] - 3], "floats": numbers(m, 4)}
        default = {"strings": {"default_string": "none"}, "int64s": {"default_int64": -7}, "floats": {"default_float": 0.5}}[to]
        if kind == to or len(set(lists[kind])) < 4:
            raise Refused
        x = m.data({"strings": "str", "int64s": "i64", "floats": "f32"}[kind], m.shape(1, 2), mode="exact")
        y = group(which, x, domain=ML, **{f"keys_{kind}": lists[kind], f"values_{to}": lists[to]}, **(default if m.chance(0.6) else {}))
    elif which == "OneHotEncoder":
        categories = m.chance(0.5)
        x = m.data("str", (m.number(1, 5),)) if categories else m.data("i64", m.shape(1, 2))
        y = group(which, x, domain=ML, zeros=1, **({"cats_strings": words} if categories else {"cats_int64s": [0, 3, 5, -1]}))
    elif which == "CategoryMapper":
        y = group(which, m.data("str", m.shape(1, 2)), domain=ML, cats_strings=words, cats_int64s=[3, 1, 0, 9], default_int64=-1, default_string="none")
    elif which == "ArrayFeatureExtractor":
        x = m.data(m.pick(("f32", "i64", "f64")), (m.number(1, 5), m.number(1, 6)))
        y = group(which, x, m.param([m.number(0, x.shape[1] - 1) for _ in range(m.number(1, 4))]), domain=ML)
    else:
        parts = [m.data(m.pick(("f32", "i64", "f64", "i32")), (m.number(1, 1), m.number(1, 4)), mode="exact")]
        parts += [m.data("f32", (1, m.number(1, 4)), mode="exact") for _ in range(m.number(0, 2))]
        y = group(which, *parts, domain=ML, inputdimensions=[p.shape[1] for p in parts])
    group.end(y, least="f32")


# ONNX Runtime's own operators.


@pattern
def fused_activations(m):
    group, which = Group(m), m.pick(("Gelu", "FastGelu", "QuickGelu", "BiasGelu", "FastGelu"))
    x = m.data("f32", m.shape(1, 3))
    bias = [m.data("f32", x.shape[-1:], constant=0.7)] if which == "BiasGelu" or (which == "FastGelu" and m.chance(0.5)) else []
    group.end(group(which, x, *bias, domain=MICROSOFT, **({"alpha": m.pick((1.0, 1.702))} if which == "QuickGelu" else {})), least="f32")


@pattern
def norms_with_skips(m):
    group, width = Group(m), m.pick((1, 3, 8, 16, 33, 64))
    which = m.pick(("SkipLayerNormalization", "SkipSimplifiedLayerNormalization", "SimplifiedLayerNormalization"))
    x = m.data("f32", (m.number(1, 3), m.number(1, 5), width), mode="unit")
    vector = lambda: m.data("f32", (width,), mode="unit", constant=0.7)  # noqa: E731
    if which == "SimplifiedLayerNormalization":
        group.end(group(which, x, vector(), axis=-1, epsilon=1e-3), least="f32")
        return
    operands = [x, m.data("f32", x.shape, mode="unit"), vector()]
    if which == "SkipLayerNormalization":
        operands.append(vector() if m.chance(0.6) else None)
    operands.append(vector() if m.chance(0.5) else None)
    names = group(which, *operands, domain=MICROSOFT, epsilon=1e-3, results=4)
    group.nodes[-1].output[1] = group.nodes[-1].output[2] = ""
    group.end(names[0], names[3], least="f32")


@pattern
def fused_products(m):
    group, rows_, depth, columns = Group(m), *(m.pick((1, 2, 5, 17, 33)) for _ in range(3))
    a, b = m.number(0, 1), m.number(0, 1)
    batch = m.pick(((), (2,)))
    x = m.data("f32", (*batch, *((depth, rows_) if a else (rows_, depth))), mode="unit")
    w = m.data("f32", (*batch, *((columns, depth) if b else (depth, columns))), mode="unit", constant=0.7)
    which = m.pick(("FusedMatMul", "FusedGemm", "FusedConv", "TransposeMatMul"))
    activation = m.pick(("Relu", "LeakyRelu", "Tanh", "Sigmoid"))
    alpha = {"activation_alpha": 0.3} if activation == "LeakyRelu" else {}
    if which == "FusedConv":
        image = m.data("f32", (1, 3, m.number(3, 8), m.number(3, 8)), mode="unit")
        y = group(which, image, m.weights(m.pick((1, 4, 17)), 3, 3, 3), domain=MICROSOFT, activation=activation, pads=[1] * 4,
                  **({"activation_params": [0.3]} if alpha else {}))
    elif which == "FusedGemm":
        if batch:
            raise Refused
        y = group(which, x, w, *([m.weights(columns, scale=1)] if m.chance(0.6) else []), domain=MICROSOFT, transA=a, transB=b, activation=activation, **alpha)
    else:
        y = group(which, x, w, domain=MICROSOFT, transA=a, transB=b, alpha=m.pick((1.0, 0.5)))
    group.end(y, least="f32")


@pattern
def block_weights(m):
    """MatMulNBits: weights of 4 or 8 bits in bytes, with a scale per block."""
    group, bits, block = Group(m), m.pick((4, 8)), m.pick((16, 32))
    depth, columns, blocks = block * m.number(1, 3), m.pick((1, 8, 33)), 0
    blocks = depth // block
    x = m.data("f32", (*m.pick(((), (2,))), m.pick((1, 3, 9)), depth), mode="exact")
    w = m.value(m.random_bytes("u8", (columns, blocks, block * bits // 8)), True)
    scales = m.value(m.rng.choice([0.125, 0.25], (columns, blocks)).astype(np.float32), True)
    zeros = [m.value(m.random_bytes("u8", (columns, -(-blocks * bits // 8))), True)] if m.chance(0.5) else []
    group.end(group("MatMulNBits", x, w, scales, *zeros, domain=MICROSOFT, K=depth, N=columns, bits=bits, block_size=block), least="f16")


@pattern
def quantised_steps(m):
    """Element by element, on bytes."""
    group, kind = Group(m), m.pick(("u8", "i8"))
    which = m.pick(("QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearLeakyRelu", "QLinearConcat", "QLinearWhere", "QLinearGlobalAveragePool"))
    scale = lambda value: m.value(np.array(value, np.float32), True)  # noqa: E731
    zero = lambda: m.value(np.array(m.number(100, 150) if kind == "u8" else m.number(-20, 20), KINDS[kind]), True)  # noqa: E731
    x = m.value(m.random_bytes(kind, (m.number(1, 2), m.number(1, 4), m.number(1, 5), m.number(1, 5))), False)
    last, out = scale(1 / 128), zero()
    if which in ("QLinearAdd", "QLinearMul"):
        other = m.value(m.random_bytes(kind, m.broadcast(x.shape)), m.chance(0.4))
        y = group(which, x, scale(1 / 128), zero(), other, scale(1 / 64), zero(), last, out, domain=MICROSOFT)
    elif which == "QLinearConcat":
        other = m.value(m.random_bytes(kind, x.shape), m.chance(0.3))
        y = group(which, last, out, x, scale(1 / 128), zero(), other, scale(1 / 64), zero(), domain=MICROSOFT, axis=m.number(0, 3))
    elif which == "QLinearWhere":
        choice = m.value(m.random("bool", x.shape), False)
        y = group(which, choice, x, scale(1 / 128), zero(), m.value(m.random_bytes(kind, x.shape), False), scale(1 / 64), zero(), last, out, domain=MICROSOFT)
    elif which == "QLinearGlobalAveragePool":
        y = group(which, x, scale(1 / 128), zero(), last, out, domain=MICROSOFT)
    else:
        y = group(which, x, scale(1 / 64), zero(), last, out, domain=MICROSOFT, **({"alpha": 0.25} if "Leaky" in which else {}))
    group.end(group("DequantizeLinear", y, last, out), least="f16")


@pattern
def heads_of_attention(m):
    group, heads, size, batch = Group(m), m.pick((1, 2, 3)), m.pick((4, 8, 16)), m.number(1, 2)
    queries, keys, width = m.number(1, 5), m.number(1, 6), 0
    width = heads * size
    if m.chance(0.5):
        q = m.data("f32", (batch, queries, width), mode="unit")
        k, v = (m.data("f32", (batch, keys, width), mode="unit") for _ in range(2))
        bias = m.data("f32", (3 * width,), mode="unit", constant=0.7) if m.chance(0.4) else None
        mask = None
        if m.chance(0.4):
            mask = m.rng.integers(0, 2, (batch, keys)).astype(np.int32)
            mask[:, 0] = 1
            mask = m.value(mask, False)
        operands = [q, k, v, bias, mask]
        while operands[-1] is None:
            operands.pop()
        y = group("MultiHeadAttention", *operands, domain=MICROSOFT, num_heads=heads, **({"scale": 0.5} if m.chance(0.3) else {}))
    else:
        x = m.data("f32", (batch, queries, width), mode="unit")
        y = group("Attention", x, m.weights(width, 3 * width), m.weights(3 * width, scale=1), domain=MICROSOFT, num_heads=heads,
                  unidirectional=m.number(0, 1))
    group.end(y, least="f32")


@pattern
def grouped_queries(m):
    group, kv, size, batch = Group(m), m.pick((1, 2)), 16, 1
    heads, new, past = kv * m.pick((1, 2, 4)), m.number(1, 4), 0
    past = m.number(0, 5) if m.chance(0.7) else 0
    q = m.data("f32", (batch, new, heads * size), mode="unit")
    k, v = (m.data("f32", (batch, new, kv * size), mode="unit") for _ in range(2))
    before = [m.data("f32", (batch, kv, past, size), mode="unit") for _ in range(2)]
    used = m.value(np.full(batch, past + new - 1, np.int32), True)
    total = m.value(np.array(past + new, np.int32), True)
    more, tables = {}, []
    if m.chance(0.5):
        tables = [m.value(np.tanh(m.rng.standard_normal((16, size // 2))).astype(np.float32), True) for _ in range(2)]
        more = {"do_rotary": 1, "rotary_interleaved": m.number(0, 1)}
    if m.chance(0.3):
        more["local_window_size"] = m.number(1, 6)
    names = group("GroupQueryAttention", q, k, v, *before, used, total, *tables, domain=MICROSOFT, num_heads=heads, kv_num_heads=kv, results=3, **more)
    group.end(*names, least="f32")


@pattern
def other_microsoft(m):
    group = Group(m)
    which = m.pick(("CDist", "Inverse", "ExpandDims", "Trilu", "Unique", "IsAllFinite", "MurmurHash3", "Rfft", "DynamicQuantizeMatMul", "MatMulIntegerToFloat",
                    "BiasSplitGelu", "RotaryEmbedding", "NGramRepeatBlock", "Pad", "GatherND", "Range", "CropAndResize", "DynamicTimeWarping",
                    "UnfoldTensor", "TorchEmbedding", "MulInteger", "ReduceSumInteger", "NhwcMaxPool", "SampleOp", "BifurcationDetector", "QGemm", "QAttention"))
    call = lambda *operands, results=1, **more: group(which, *operands, domain=MICROSOFT, results=results, **more)  # noqa: E731
    x = m.data("f32", m.shape(2, 3), mode="exact")
    if which == "CDist":
        width = m.number(1, 6)
        y = call(rows(m, width, "unit"), rows(m, width, "unit"), metric=m.pick(("euclidean", "sqeuclidean")))
    elif which == "Inverse":
        n = m.number(1, 4)
        y = call(m.value((m.rng.standard_normal((*m.shape(0, 1), n, n)) + 4 * np.eye(n)).astype(np.float32), False))
    elif which == "ExpandDims":
        y = call(x, m.param(m.number(-x.rank - 1, x.rank), "i32"))
    elif which == "Trilu":
        y = call(x, m.param(m.number(-3, 3)), upper=m.number(0, 1))
    elif which == "Unique":
        group.end(*call(m.data("f32", (m.number(1, 9),), mode="exact"), results=3), exact=True)
        return
    elif which == "MurmurHash3":
        y = call(m.data("i32", m.shape(1, 2)), seed=m.number(0, 9), positive=m.number(0, 1))
    elif which == "DynamicQuantizeMatMul":
        depth, columns = m.pick((4, 16, 33)), m.pick((1, 8, 33))
        x = m.data("f32", (m.number(1, 5), depth), mode="exact")
        if not np.ptp(x.array):
            raise Refused
        y = call(x, m.value(m.random_bytes(m.pick(("u8", "i8")), (depth, columns)), True), m.value(np.array(2.0 ** -10, np.float32), True))
    elif which == "MatMulIntegerToFloat":
        depth, columns = m.pick((4, 16, 33)), m.pick((1, 8, 33))
        y = call(m.value(m.random_bytes("u8", (m.number(1, 5), depth)), False), m.value(m.random_bytes("u8", (depth, columns)), m.chance(0.8)),
                 m.value(np.array(2.0 ** -10, np.float32), True), m.value(np.array(0.5, np.float32), True))
    elif which == "RotaryEmbedding":
        half = m.pick((2, 4, 8))
        tables = [m.value(np.tanh(m.rng.standard_normal((16, half))).astype(np.float32), True) for _ in range(2)]
        length = m.number(1, 5)
        y = call(m.data("f32", (2, m.number(1, 3), length, 2 * half), mode="unit"),
                 m.value(m.rng.integers(0, 16, (2, length)), False), *tables, interleaved=m.number(0, 1))
    elif which == "Pad":
        y = call(x, m.param([m.number(0, 2) for _ in x.shape * 2]), m.data("f32", ()), mode="constant")
    elif which == "Range":
        y = call(*(m.param(v, "f32") for v in (0.0, float(m.number(1, 9)), 1.0)))
    elif which == "BiasSplitGelu":
        y = call(m.data("f32", (1, m.number(1, 4), 2560), mode="unit"), m.weights(2560, scale=1))
    elif which in ("DynamicTimeWarping",):
        y = call(m.data("f32", (m.number(1, 5), m.number(1, 6)), mode="unit"))
    elif which == "UnfoldTensor":
        y = call(m.data("f32", (m.number(1, 3), m.number(4, 9)), mode="exact"), dim=-1, size=m.number(1, 4), step=m.number(1, 3))
    elif which == "NGramRepeatBlock":
        y = call(m.value(m.rng.integers(0, 5, (2, m.number(3, 8))), False), m.data("f32", (2, 5), mode="unit"), ngram_size=m.number(1, 3))
    elif which == "QGemm":
        rows_, depth, columns = m.number(1, 5), m.pick((4, 16, 33)), m.pick((1, 8, 33))
        scale = m.value(np.array(2.0 ** -5, np.float32), True)
        zero = m.value(np.array(m.number(0, 255), np.uint8), True)
        y = call(m.value(m.random_bytes("u8", (rows_, depth)), False), scale, zero, m.value(m.random_bytes("u8", (depth, columns)), True), scale, zero, None)
    elif which == "CropAndResize":
        images = m.data("f32", (2, 1, m.number(3, 6), m.number(3, 6)))
        corners = np.sort(m.rng.uniform(0, 1, (2, 2, 2)), axis=1).reshape(2, 4).astype(np.float32)
        y = call(images, m.value(corners, False), m.value(np.array([1, 0], np.int32), False), m.value(np.array([m.number(2, 4), m.number(2, 4)], np.int32), True))
    elif which == "IsAllFinite":
        y = call(m.data("f32", m.shape(1, 2), mode="special"))
    elif which == "Rfft":
        y = call(m.data("f32", (m.number(1, 3), m.number(2, 16)), mode="unit"), signal_ndim=1, normalized=0, onesided=1)
    else:
        raise Refused
    group.end(y, least="f32")


@pattern
def quantised_long_memory(m):
    """LSTM with weights of bytes, and word tables of bytes."""
    if m.chance(0.5):
        ways, length, batch, inputs, hidden = m.pick((1, 2)), *(m.number(1, 4) for _ in range(4))
        scale = lambda: m.value(np.full(ways, 2.0 ** -9, np.float32), True)  # noqa: E731
        zero = lambda: m.value(np.zeros(ways, np.int8), True)  # noqa: E731
        group = Group(m)
        x = m.data("f32", (length, batch, inputs), mode="unit")
        names = group("DynamicQuantizeLSTM", x, m.value(m.random_bytes("i8", (ways, inputs, 4 * hidden)), True), m.value(m.random_bytes("i8", (ways, hidden, 4 * hidden)), True),
                      None, None, None, None, None, scale(), zero(), scale(), zero(), domain=MICROSOFT, hidden_size=hidden,
                      direction="bidirectional" if ways == 2 else "forward", results=3)
        group.end(*names, least="f16")
        return
    group, width = Group(m), m.pick((4, 8))
    ids = m.value(m.rng.integers(0, 6, (2, m.number(1, 5))).astype(np.int32), False)
    tables = [m.weights(n, width, scale=1) for n in (6, 8)]
    names = group("EmbedLayerNormalization", ids, None, tables[0], tables[1], None, m.weights(width, scale=1), m.weights(width, scale=1),
                  domain=MICROSOFT, results=2, epsilon=1e-3)
    group.end(names[0], least="f32")



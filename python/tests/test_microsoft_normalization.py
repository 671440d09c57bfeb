"""Normalisation and activation in ONNX Runtime's operators."""

import numpy as np
import pytest
from microsoft import array, check, compare, floats, model_of, node
from onnx import TensorProto, helper

F, F16, I32 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT32


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


def test_statistics_of_layer_normalization():
    """ONNX Runtime leaves them out where it fuses."""
    x, skip = floats((2, 3, 8)), floats((2, 3, 8), 1)
    s = (x + skip).astype(np.float64)
    statistics = {"mean": s.mean(-1, keepdims=True), "inverse": 1 / np.sqrt(s.var(-1, keepdims=True) + 1e-3)}
    layer = node("SkipLayerNormalization", ["x", "skip", "g"], ["y", "mean", "inverse"], epsilon=1e-3)
    inputs = [("x", F, ("n", 3, 8)), ("skip", F, ("n", 3, 8))]
    model = model_of([layer], inputs, ["mean", "inverse"], [array(floats((8,), 2), "g")])
    compare(model, [{name: value.astype(np.float32) for name, value in statistics.items()}], [{"x": x, "skip": skip}], 1e-5)
    layer = node("SimplifiedLayerNormalization", ["x", "g"], ["y", "inverse"], domain="", epsilon=1e-3)
    model = model_of([layer], inputs[:1], ["y", "inverse"], [array(floats((8,), 2), "g")])
    check(model, {"x": x})


@pytest.mark.parametrize("opset", [11, 14])
def test_layer_normalization_before_it_was_standard(opset):
    layer = node("LayerNormalization", ["x", "g", "b"], ["y"], domain="", epsilon=1e-3)
    constants = [array(floats((6,), 1), "g"), array(floats((6,), 2), "b")]
    model = model_of([layer], [("x", F, ("n", 4, 6))], ["y"], constants, opset=opset)
    check(model, {"x": floats((3, 4, 6))})


@pytest.mark.parametrize("op", ["SkipLayerNormalization", "SkipSimplifiedLayerNormalization", "SimplifiedLayerNormalization"])
def test_half_precision(op):
    operands = ["x", "g"] if op.startswith("Simplified") else ["x", "skip", "g"]
    layer = node(op, operands, ["y"], domain="" if op.startswith("Simplified") else "com.microsoft", epsilon=1e-3)
    inputs = [(name, F16, ("n", 4, 32)) for name in operands[:-1]]
    model = model_of([layer], inputs, [("y", F16, ("n", 4, 32))], [array(floats((32,), 1).astype(np.float16), "g")])
    check(model, {name: floats((3, 4, 32), i).astype(np.float16) for i, name in enumerate(operands[:-1])}, tolerance=4e-3)


@pytest.mark.parametrize("form", ["plain", "segments", "mask", "places", "all"])
def test_embed_layer_normalization(form):
    has = lambda name: form in (name, "all")
    operands = ["i", "s" * has("segments"), "w", "p", "se" * has("segments"), "g", "b", "m" * has("mask"), "pi" * has("places")]
    while not operands[-1]:
        operands.pop()
    layer = node("EmbedLayerNormalization", operands, ["y", "count", "sum"], epsilon=1e-3)
    inputs = [(name, I32, ("b", "t")) for name in ("i", "s", "m", "pi") if name in operands]
    tables = {"w": (16, 8), "p": (32, 8), "se": (2, 8), "g": (8,), "b": (8,)}
    constants = [array(floats(shape, i), name) for i, (name, shape) in enumerate(tables.items()) if name in operands]
    model = model_of([layer], inputs, ["y", "count", "sum"], constants)
    random = np.random.default_rng(0)
    limits = {"i": 16, "s": 2, "m": 2, "pi": 32}
    feeds = [{name: random.integers(0, limits[name], shape, np.int32) for name, _, _ in inputs} for shape in ((1, 5), (3, 7))]
    for feed in feeds:
        if "m" in feed:
            feed["m"] = (np.arange(feed["m"].shape[1]) < random.integers(1, 5, (len(feed["m"]), 1))).astype(np.int32)
    check(model, *feeds)


def group_norm(x, gamma, beta, groups, activation):
    """Of images with channels last."""
    n, h, w, c = x.shape
    apart = x.astype(np.float64).reshape(n, h * w, groups, c // groups)
    apart = (apart - apart.mean((1, 3), keepdims=True)) / np.sqrt(apart.var((1, 3), keepdims=True) + 1e-3)
    y = apart.reshape(x.shape) * gamma + beta
    return y / (1 + np.exp(-y)) if activation else y


@pytest.mark.parametrize("last", [1, 0], ids=["last", "first"])
@pytest.mark.parametrize("activation", [0, 1])
@pytest.mark.parametrize("skip", [None, "image", "channels"])
def test_group_norm(skip, activation, last):
    """Their kernels are CUDA's alone: against the formula."""
    n, h, w, c = shape = (2, 3, 5, 8)
    x, gamma, beta, bias = floats(shape), floats((c,), 1), floats((c,), 2), floats((c,), 3)
    added = floats(shape if skip == "image" else (n, c), 4)
    s = x + (added.reshape(n, 1, 1, c) if added.ndim == 2 else added) + bias if skip else x
    place = (lambda a: a) if last else (lambda a: a.transpose(0, 3, 1, 2))
    wanted = {"y": place(group_norm(s, gamma, beta, 4, activation)).astype(np.float32)}
    feed = {"x": place(x)}
    inputs = [("x", F, ("n", *feed["x"].shape[1:]))]
    if skip:
        wanted["s"] = place(s)
        feed["skip"] = place(added) if skip == "image" else added
        inputs.append(("skip", F, ("n", *feed["skip"].shape[1:])))
    layer = node("SkipGroupNorm" if skip else "GroupNorm", ["x", "g", "b"] + (["skip", "bias"] if skip else []), list(wanted),
                 groups=4, epsilon=1e-3, activation=activation, channels_last=last)
    constants = [array(gamma, "g"), array(beta, "b")] + ([array(bias, "bias")] if skip else [])
    compare(model_of([layer], inputs, list(wanted), constants), [wanted], [feed], 2e-5)


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype(np.float64)))


def test_gated_activations():
    """By their formulas."""
    x, up, scale, gate = floats((3, 8)), floats((3, 8), 1), floats((4,), 2), floats((3, 8), 3)
    g, l = np.minimum(x, 0.8), np.clip(up, -0.8, 0.8)
    rows = x.reshape(3, 2, 4).astype(np.float64)
    normal = (rows / np.sqrt((rows**2).mean(-1, keepdims=True) + 1e-5) * scale).reshape(3, 8)
    a, b = floats((3, 4), 4), floats((3, 4), 5)
    cases = [
        (node("SwiGLU", ["x", "up"], ["y"], limit=0.8, activation_alpha=1.5, activation_beta=1.0),
         {"y": g * sigmoid(1.5 * g) * (l + 1)}),
        (node("SwiGLU", ["x"], ["y"]), {"y": x[:, :4] * sigmoid(x[:, :4]) * x[:, 4:]}),
        (node("ScaledSiLU", ["x"], ["y"], alpha=1.5), {"y": 1.5 * x * sigmoid(1.5 * x)}),
        (node("GatedAdd", ["x", "up", "one"], ["y"]), {"y": x + up * gate[:, :1]}),
        (node("GatedRMSNorm", ["x", "scale", "gate"], ["y"]), {"y": normal * gate * sigmoid(gate)}),
        (node("LinearAttentionGate", ["a", "scale", "half", "b"], ["y", "z"]),
         {"y": 0.5 * np.log1p(np.exp(a + scale)), "z": sigmoid(b)}),
    ]
    values = {"x": x, "up": up, "gate": gate, "one": gate[:, :1], "a": a, "b": b}
    constants = {"scale": scale, "half": np.full(4, 0.5, np.float32)}
    for layer, wanted in cases:
        used = {name: value for name, value in values.items() if name in layer.input}
        model = model_of([layer], [(name, F, ("n", value.shape[1])) for name, value in used.items()], list(wanted),
                         [array(value, name) for name, value in constants.items() if name in layer.input])
        compare(model, [{name: value.astype(np.float32) for name, value in wanted.items()}], [used], 1e-5)


def test_bias_split_gelu():
    x, b = floats((2, 3, 8)), floats((8,), 1)
    from math import erf
    s = (x + b).astype(np.float64)
    wanted = s[..., :4] * (0.5 * s[..., 4:] * (1 + np.vectorize(erf)(s[..., 4:] / np.sqrt(2))))
    model = model_of([node("BiasSplitGelu", ["x", "b"], ["y"])], [("x", F, ("n", 3, 8))], ["y"], [array(b, "b")])
    compare(model, [{"y": wanted.astype(np.float32)}], [{"x": x}], 1e-5)


@pytest.mark.parametrize("bias,inner", [((1, 1, 5), 0), ((2, 1, 5), 1), ((5,), 0)])
def test_bias_softmax(bias, inner):
    x, b = floats((2, 3, 5)), floats(bias, 1)
    e = np.exp((x + b).astype(np.float64))
    model = model_of([node("BiasSoftmax", ["x", "b"], ["y"], axis=2, is_inner_broadcast=inner)],
                     [("x", F, ("n", 3, 5)), ("b", F, bias)], ["y"])
    compare(model, [{"y": (e / e.sum(-1, keepdims=True)).astype(np.float32)}], [{"x": x, "b": b}], 1e-5)


def test_sums_of_biases():
    x, b, z = floats((2, 3, 5)), floats((5,), 1), floats((2, 3, 5), 2)
    wanted = {"BiasAdd": x + b + z, "BiasDropout": x + b + z, "BitmaskBiasDropout": x + b + z, "BitmaskDropout": x}
    for op, y in wanted.items():
        layer = node(op, ["x"] if op == "BitmaskDropout" else ["x", "b", "z"], ["y"])
        inputs = [("x", F, ("n", 3, 5))] + ([("z", F, ("n", 3, 5))] if len(layer.input) == 3 else [])
        model = model_of([layer], inputs, ["y"], [array(b, "b")] if len(layer.input) == 3 else [])
        compare(model, [{"y": y}], [{"x": x, "z": z} if len(inputs) == 2 else {"x": x}], 1e-6)


def test_router_and_shared_expert():
    """ONNX Runtime has it on devices only."""
    k, router, inter = 8, 3, 5
    weights = (floats((k, router + 2 * inter), 1) * 0.5).astype(np.float16)
    layer = node("RouterGateUpProj", ["x", "w"], ["r", "a"], router_size=router, limit=0.7, activation_alpha=1.5, activation_beta=0.5)
    model = model_of([layer], [("x", F16, ("n", k))], [("r", F16, ("n", router)), ("a", F16, ("n", inter))], [array(weights, "w")])
    x = floats((4, k)).astype(np.float16)
    y = (x.astype(np.float32) @ weights.astype(np.float32)).astype(np.float16)
    gate = np.minimum(y[:, router: router + inter].astype(np.float32), 0.7)
    up = y[:, router + inter:].astype(np.float32).clip(-0.7, 0.7)
    wanted = {"r": y[:, :router], "a": (gate / (1 + np.exp(-1.5 * gate)) * (up + 0.5)).astype(np.float16)}
    compare(model, [wanted], [{"x": x}], 4e-3)


@pytest.mark.parametrize("flat", [False, True], ids=["entries", "flat"])
@pytest.mark.parametrize("places", ["first", "each"])
def test_norm_and_rotation(places, flat):
    """ONNX Runtime has it on devices only."""
    b, s, heads, stride, first, width, turned = 2, 3, 2, 12, 2, 8, 4
    layer = node("RMSNormRotary", ["x", "g", "p", "c", "s"], ["y", "n"], rotary_embedding_dim=turned, input_start=first, input_width=width,
                 epsilon=1e-3, output_fp16=1, flatten_batch=int(flat))
    angles = floats((16, turned // 2), 2)
    scale = 1 + 0.1 * floats((width,), 1)
    constants = [array(scale, "g"), array(np.cos(angles), "c"), array(np.sin(angles), "s")]
    sizes = (1, b * s, heads * width) if flat else (b, s, heads * width)
    inputs = [("x", F16, (b, s, heads, stride)), ("p", TensorProto.INT64, (1,) if places == "first" else (b, s))]
    model = model_of([layer], inputs, [("y", F16, sizes), ("n", F, (b, s, heads, width))], constants)
    x = floats((b, s, heads, stride)).astype(np.float16)
    at = np.array([5]) if places == "first" else np.array([[1, 7, 3], [0, 15, 2]])
    part = x[..., first: first + width].astype(np.float32)
    normal = part / np.sqrt(np.mean(part * part, -1, keepdims=True) + 1e-3) * scale
    own = at if places == "each" else 5 + (np.arange(b * s).reshape(b, s) if flat else np.tile(np.arange(s), (b, 1)))
    c, n = np.cos(angles)[own][:, :, None], np.sin(angles)[own][:, :, None]
    left, right = normal[..., : turned // 2], normal[..., turned // 2: turned]
    y = np.concatenate([left * c - right * n, right * c + left * n, normal[..., turned:]], -1)
    compare(model, [{"y": y.reshape(sizes).astype(np.float16), "n": normal.astype(np.float32)}], [{"x": x, "p": at}], 2e-3)

"""Mixtures of experts in ONNX Runtime's operators: against it where it has them on the CPU."""

import numpy as np
import pytest
import tenon
from microsoft import array, check, compare, floats, model_of, node, session_of
from onnx import TensorProto

F, F16, U8 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8


@pytest.mark.parametrize("form", [
    {}, {"normalize_routing_weights": 1}, {"k": 1, "activation_type": "gelu"}, {"activation_type": "silu"},
    {"activation_type": "swiglu", "swiglu_fusion": 1, "activation_alpha": 1.702, "activation_beta": 1.0, "swiglu_limit": 0.7},
    {"activation_type": "identity", "bias": False}, {"whole": True},
], ids=lambda form: "-".join(map(str, form.values())) or "plain")
def test_mixture_of_experts(form):
    attributes = {"k": 2} | {key: value for key, value in form.items() if key not in ("bias", "whole")}
    experts, width, inner = 4, 8, 16
    outer = inner * (2 if attributes.get("swiglu_fusion") else 1)
    bias = form.get("bias", True)
    constants = [array(floats((experts, outer, width), 1) * 0.4, "a"), array(floats((experts, width, inner), 2) * 0.4, "c")]
    constants += [array(floats((experts, outer), 3), "ab"), array(floats((experts, width), 4), "cb")] if bias else []
    layer = node("MoE", ["x", "r", "a", "ab" * bias, "c"] + ["cb"] * bias, ["y"], **attributes)
    shape = ("b", "s", width) if form.get("whole") else ("s", width)
    model = model_of([layer], [("x", F, shape), ("r", F, ("t", experts))], [("y", F, shape)], constants)
    feeds = [{"x": floats((2, tokens, width) if form.get("whole") else (tokens, width), 5),
              "r": floats((2 * tokens if form.get("whole") else tokens, experts), 6)} for tokens in (1, 5)]
    check(model, *feeds)


@pytest.mark.parametrize("fusion", [0, 2])
def test_gated_experts_that_are_products_of_their_own(fusion):
    """ONNX Runtime has these on CUDA alone: the numbers of interleaved ones."""
    experts, width, inner = 3, 8, 6
    gate, value, back = (floats(shape, i) for i, shape in enumerate([(experts, inner, width)] * 2 + [(experts, width, inner)]))
    both = np.stack([gate, value], 2).reshape(experts, 2 * inner, width)
    feed = {"x": floats((5, width), 5), "r": floats((5, experts), 6)}
    inputs = [("x", F, ("s", width)), ("r", F, ("s", experts))]
    attributes = {"k": 2, "activation_type": "swiglu"}
    interleaved = model_of([node("MoE", ["x", "r", "a", "", "c"], ["y"], swiglu_fusion=1, **attributes)], inputs, ["y"],
                           [array(both, "a"), array(back, "c")])
    constants = [array(gate if fusion == 0 else np.concatenate([gate, value], 1), "a"), array(back, "c"), array(value, "g")]
    layer = node("MoE", ["x", "r", "a", "", "c"] + ["", "g"] * (fusion == 0), ["y"], swiglu_fusion=fusion, **attributes)
    model = model_of([layer], inputs, ["y"], constants[:3 if fusion == 0 else 2])
    compare(model, [{"y": session_of(interleaved).run(None, feed)[0]}], [feed], 1e-4)


def pack(numbers, bits):
    """Numbers of the last dimension, the lowest bits first."""
    per_byte = 8 // bits
    padded = np.pad(numbers, [(0, 0)] * (numbers.ndim - 1) + [(0, -numbers.shape[-1] % per_byte)])
    apart = padded.reshape(*padded.shape[:-1], -1, per_byte).astype(np.uint8)
    return (apart << (np.arange(per_byte, dtype=np.uint8) * bits)).sum(-1).astype(np.uint8)


class Layer:
    """Quantised weights of all experts, and what they stand for."""

    def __init__(self, experts, rows, columns, bits, block=0, zeros=False, seed=0, dtype=np.float32):
        random = np.random.default_rng(seed)
        blocks = columns // block if block else 1
        numbers = random.integers(0, 1 << bits, (experts, rows, columns))
        scales = (random.random((experts, rows, blocks)) * 0.5 + 0.1).astype(dtype) * dtype(2.0 ** (1 - bits))
        zero = random.integers(0, 1 << bits, (experts, rows, blocks)) if zeros else np.full((experts, rows, blocks), 1 << (bits - 1))
        repeat = lambda x: np.repeat(x, columns // blocks, 2).astype(np.float32)
        self.weights = (numbers - repeat(zero)) * repeat(scales)
        self.bytes, self.scales = pack(numbers, bits), scales if block else scales[:, :, 0]
        self.zeros = None if not zeros else pack(zero if block else zero[:, :, 0], bits)


def quantized(form, dtype=np.float32, experts=4, width=32, inner=64):
    """A model of quantised experts, the same experts as plain ones, and the sizes that its inputs have."""
    form = dict(form)
    bits, block, zeros = form.pop("bits", 4), form.pop("block", 0), form.pop("zeros", False)
    bias, mixing, fc3 = form.pop("bias", True), form.pop("mixing", False), form.pop("fc3", False)
    attributes = {"k": 2, "expert_weight_bits": bits} | ({"block_size": block} if block else {}) | form
    outer = inner * (2 if attributes.get("swiglu_fusion") else 1)
    layers = [Layer(experts, outer, width, attributes.get("fc1_expert_weight_bits", bits), block, zeros, 1, dtype),
              Layer(experts, width, inner, attributes.get("fc2_expert_weight_bits", bits), block, zeros, 2, dtype)]
    layers += [Layer(experts, inner, width, bits, block, zeros, 3, dtype)] if fc3 else []
    operands, constants, plain, plain_constants = ["x", "r"], [], ["x", "r"], []
    for i, layer in enumerate(layers, 1):
        rows = floats((experts, layer.weights.shape[1]), 10 + i).astype(dtype) * dtype(0.5)
        operands += [f"w{i}", f"s{i}", f"b{i}" if bias else ""]
        plain += [f"p{i}", f"b{i}" if bias else ""]
        constants += [array(layer.bytes, f"w{i}"), array(layer.scales, f"s{i}")]
        plain_constants += [array(layer.weights.astype(dtype), f"p{i}")]
        if bias:
            constants.append(array(rows, f"b{i}"))
            plain_constants.append(array(rows, f"b{i}"))
    operands += [""] * (11 - len(operands))
    if zeros:
        operands += [f"z{i}" for i in range(1, len(layers) + 1)]
        constants += [array(layer.zeros, f"z{i}") for i, layer in enumerate(layers, 1)]
    operands += [""] * (14 - len(operands)) + ["m"] * mixing
    while not operands[-1]:
        operands.pop()
    element = F if dtype == np.float32 else F16
    inputs = [("x", element, ("t", width)), ("r", element, ("t", experts))] + ([("m", element, ("t", experts))] if mixing else [])
    model = model_of([node("QMoE", operands, ["y"], **attributes)], inputs, [("y", element, ("t", width))], constants)
    kept = {key: value for key, value in attributes.items() if "bits" not in key and key != "block_size"}
    while not plain[-1]:
        plain.pop()
    same = model_of([node("MoE", plain, ["y"], **kept | {"normalize_routing_weights": 1})], inputs[:2],
                    [("y", element, ("t", width))], plain_constants)
    feeds = [{name: floats((tokens, shape[1]), 20 + i).astype(dtype) for i, (name, _, shape) in enumerate(inputs)}
             for tokens in (1, 5)]
    for feed in feeds:
        if mixing:
            feed["m"] = np.abs(feed["m"])
    return model, same, feeds


SWIGLU = {"activation_type": "swiglu", "swiglu_fusion": 1, "activation_alpha": 1.702, "activation_beta": 1.0, "swiglu_limit": 7.0}


@pytest.mark.parametrize("form", [
    {}, {"zeros": True}, {"block": 16}, {"block": 16, "zeros": True}, {"bits": 8}, {"bits": 8, "zeros": True},
    {"bits": 2, "zeros": True}, {"normalize_routing_weights": 1}, {"activation_type": "silu", "k": 1}, SWIGLU,
    SWIGLU | {"block": 32, "bias": False, "normalize_routing_weights": 1}, {"mixing": True},
    {"mixing": True, "normalize_routing_weights": 1},
], ids=lambda form: "-".join(map(str, form.values())) or "plain")
def test_quantized_experts(form):
    model, _, feeds = quantized(form)
    check(model, *feeds, tolerance=1e-4)


@pytest.mark.parametrize("form", [
    {"bits": 8, "block": 16}, {"bits": 8, "block": 16, "zeros": True}, {"bits": 4, "fc2_expert_weight_bits": 8, "block": 16},
    {"activation_type": "swiglu", "fc3": True}, {"activation_type": "silu", "fc3": True, "block": 32, "zeros": True},
], ids=lambda form: "-".join(map(str, form.values())))
def test_quantized_experts_that_others_round_or_lack(form):
    """The same numbers as of experts that aren't quantised: kernels round activations of 8-bit blocks, and lack the others."""
    model, same, feeds = quantized(form)
    compare(model, [tenon.reference(same).run(feed) for feed in feeds], feeds, 1e-4)


def test_quantized_experts_in_half_precision():
    model, _, feeds = quantized(SWIGLU | {"block": 16}, np.float16)
    check(model, *feeds, tolerance=2e-2)


@pytest.mark.parametrize("attributes, reason", [
    ({"quant_type": "fp8"}, "weights quantised as 'fp8'"), ({"weights_prepacked": 1}, "weights_prepacked is 1"),
    ({"expert_weight_bits": 3}, "weights of 3 bits"), ({"expert_weight_bits": 5}, "expects weights of 2, 4 or 8 bits, but has 5"),
    ({"block_size": 32}, "expects a scale per row or per block of the 4 x 64 x 32 weights of fc1"),
])
def test_quantized_experts_that_are_refused(attributes, reason):
    model, _, _ = quantized({"block": 16})
    layer = model.graph.node[0]
    layer.name = "experts"
    layer.attribute.extend(node("QMoE", [], [], **attributes).attribute)
    for name in attributes:
        first = next(i for i, attribute in enumerate(layer.attribute) if attribute.name == name)
        if sum(attribute.name == name for attribute in layer.attribute) > 1:
            del layer.attribute[first]
    with pytest.raises(tenon.CompileError) as error:
        tenon.compile(model)
    assert reason in str(error.value) and "experts" in str(error.value)


@pytest.mark.parametrize("form", [{}, {"n_group": 4, "topk_group": 2}, {"n_group": 2, "group_topk": 5, "router_sentinel": -7.0}],
                         ids=lambda form: "-".join(form) or "plain")
def test_router_of_groups(form):
    layer = node("MoEGroupRouter", ["x", "b"], ["y"], top_k=3, **form)
    model = model_of([layer], [("x", F, ("b", "s", 8))], ["y"], [array(floats((8,), 1) * 0.1, "b")])
    check(model, *[{"x": floats((batch, tokens, 8))} for batch, tokens in ((1, 1), (2, 5))])


def test_router_that_gives_all_scores():
    layer = node("MoEGroupRouter", ["x", "b", "w"], ["", "s", "w2"], top_k=3)
    x, bias, weights = floats((5, 256)), floats((8,), 1), floats((8, 256), 2) * 0.1
    scores = 1 / (1 + np.exp(-(x @ weights.T)))
    model = model_of([layer], [("x", F, ("t", 256))], ["s", "w2"], [array(bias, "b"), array(weights, "w")])
    compare(model, [{"s": scores + bias, "w2": scores}], [{"x": x}], 1e-5)

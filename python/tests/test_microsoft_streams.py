"""Hyper-connections, and gates on what was remembered, in ONNX Runtime's operators: against it where it has them on the CPU."""

import numpy as np
import pytest
import tenon
from microsoft import array, check, compare, floats, model_of, node
from onnx import TensorProto

F, F16 = TensorProto.FLOAT, TensorProto.FLOAT16


def streams(is_flat):
    return ("b", "s", 24) if is_flat else ("b", "s", 3, 8)


def feed_of(shape, seed=0, **sizes):
    return floats([sizes.get(size, size) for size in shape], seed)


@pytest.mark.parametrize("scale", [None, (24,), (3, 8), (8,)], ids=str)
@pytest.mark.parametrize("is_flat", [True, False], ids=["flat", "apart"])
def test_branchwise_rms_norm(is_flat, scale):
    layer = node("BranchwiseRMSNorm", ["x", "g"] if scale else ["x"], ["y"], epsilon=1e-2, **({"num_branches": 3} if is_flat else {}))
    model = model_of([layer], [("x", F, streams(is_flat))], ["y"], [array(floats(scale, 1), "g")] if scale else [])
    check(model, {"x": feed_of(streams(is_flat), b=2, s=5)}, {"x": feed_of(streams(is_flat), b=1, s=1)})


@pytest.mark.parametrize("is_flat,gate", [(is_flat, gate) for is_flat in (True, False) for gate in
                                          (("b", "s", 3), ("b", "s", 3, 1), ("b", "s", 3, 8), ("b", "s", 24))[: 4 if is_flat else 3]], ids=str)
def test_pre_mix(is_flat, gate):
    layer = node("HyperConnectionPreMix", ["x", "g"], ["y"], reduction_scale=0.5, **({"num_branches": 3} if is_flat else {}))
    model = model_of([layer], [("x", F, streams(is_flat)), ("g", F, gate)], ["y"])
    check(model, {"x": feed_of(streams(is_flat), b=2, s=5), "g": feed_of(gate, 1, b=2, s=5)})


@pytest.mark.parametrize("mix", [True, False], ids=["mix", "identity"])
@pytest.mark.parametrize("gate", [("b", "s", 3), ("b", "s", 3, 1), ("b", "s", 3, 8)], ids=str)
@pytest.mark.parametrize("is_flat", [True, False], ids=["flat", "apart"])
def test_post_mix(is_flat, gate, mix):
    inputs = [("x", F, streams(is_flat)), ("f", F, ("b", "s", 8)), ("g", F, gate)] + ([("m", F, ("b", "s", 3, 3))] if mix else [])
    layer = node("HyperConnectionPostMix", [name for name, *_ in inputs], ["y"], **({"num_branches": 3} if is_flat else {}))
    model = model_of([layer], inputs, ["y"])
    check(model, {name: feed_of(shape, i, b=2, s=5) for i, (name, _, shape) in enumerate(inputs)})


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def low_rank_mix(x, scale, down, up, inject, block=None, gate=None, *, c, alpha, reduction, divisor, factor, epsilon, dtype):
    """What the operator's documentation says, each step rounded to the element type."""
    def rounded(value):
        return value.astype(dtype).astype(np.float32)
    x, scale, down, up, inject = (value.astype(np.float32) for value in (x, scale, down, up, inject))
    s = x.reshape(*x.shape[:-1], c, -1)
    if block is not None:
        s = rounded(s + gate.astype(np.float32)[..., None] * block.astype(np.float32)[..., None, :])
    normal = s / np.sqrt(np.mean(s.astype(np.float64) ** 2, -1, keepdims=True) + epsilon)
    normal = rounded(normal * scale.reshape(c, -1)).reshape(x.shape)
    z = rounded(alpha * rounded(normal @ down))
    hidden = rounded(z * rounded(sigmoid(z)))
    gates = rounded(sigmoid(rounded(hidden @ up)))
    pre = reduction * (normal * gates).reshape(s.shape).sum(-2)
    post = rounded(sigmoid(rounded(rounded(normal @ inject) / divisor))) * factor
    return {"pre": pre.astype(dtype), "post": post.astype(dtype), "streams": s.reshape(x.shape).astype(dtype)}


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("prologue", [True, False], ids=["prologue", "plain"])
def test_low_rank_mix(prologue, dtype):
    """ONNX Runtime has it on devices only."""
    c, h, r = 3, 8, 5
    attributes = {"num_branches": c, "silu_alpha": 1.5, "reduction_scale": 0.5, "gate_div": 2.0, "gate_mul": 3.0, "epsilon": 1e-3}
    t = F if dtype == np.float32 else F16
    weights = {"scale": (c * h,), "down": (c * h, r), "up": (r, c * h), "inject": (c * h, c)}
    weights = {name: (floats(shape, i + 1) * 0.5).astype(dtype) for i, (name, shape) in enumerate(weights.items())}
    inputs = [("x", t, ("b", "s", c * h))] + ([("f", t, ("b", "s", h)), ("g", t, ("b", "s", c))] if prologue else [])
    layer = node("HyperConnectionLowRankMix", ["x", *weights] + (["f", "g"] if prologue else []), ["pre", "post", "streams"], **attributes)
    outputs = [("pre", t, ("b", "s", h)), ("post", t, ("b", "s", c)), ("streams", t, ("b", "s", c * h))]
    model = model_of([layer], inputs, outputs, [array(value, name) for name, value in weights.items()])
    feed = {name: feed_of(shape, i + 7, b=2, s=4).astype(dtype) for i, (name, _, shape) in enumerate(inputs)}
    wanted = low_rank_mix(feed["x"], *weights.values(), feed.get("f"), feed.get("g"), c=c, alpha=1.5, reduction=0.5, divisor=2, factor=3,
                          epsilon=1e-3, dtype=dtype)
    compare(model, [wanted], [feed], 1e-5 if dtype == np.float32 else 1e-2)


@pytest.mark.parametrize("normed", [True, False], ids=["normed", "plain"])
def test_engram_gate(normed):
    inputs = [("k", F, ("b", "s", 3, 8)), ("q", F, ("b", "s", 3, 8)), ("v", F, ("b", "s", 8))]
    scales = [array(floats((3, 8), i + 1), name) for i, name in enumerate(("gk", "gq", "gc"))][: 3 if normed else 2]
    layer = node("EngramGate", ["k", "q", "v"] + [scale.name for scale in scales], ["y", "n"] if normed else ["y"], epsilon=1e-3)
    model = model_of([layer], inputs, ["y", "n"] if normed else ["y"], scales)
    check(model, {name: feed_of(shape, i, b=2, s=5) for i, (name, _, shape) in enumerate(inputs)})


@pytest.mark.parametrize("attributes,shape,message", [
    ({"num_branches": 5}, ("b", 24), "divides the last size"), ({"num_branches": -1}, ("b", 24), "positive num_branches"),
    ({}, (24,), "rank 2 or more")])
def test_streams_that_make_no_sense(attributes, shape, message):
    model = model_of([node("BranchwiseRMSNorm", ["x"], ["y"], **attributes)], [("x", F, shape)], ["y"])
    with pytest.raises(tenon.CompileError, match=message):
        tenon.compile(model)

"""States, sparse and packed sequences in ONNX Runtime's operators: against it where it has them on the CPU."""

import numpy as np
import onnxruntime
import pytest
import tenon
from microsoft import array, check, compare, floats, model_of, node, session_of
from onnx import TensorProto, helper
from test_microsoft_attention import angles, multi_head

F, I32, I64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


@pytest.mark.parametrize("form", [{}, {"past": False}, {"bias": False}, {"activation": "none"}, {"dilation": 2},
                                  {"channels_last": 1}], ids=lambda form: "-".join(form) or "plain")
def test_causal_convolution_with_a_state(form):
    attributes = {"activation": "silu"} | {key: value for key, value in form.items() if key not in ("past", "bias")}
    reach, last = 2 * form.get("dilation", 1), form.get("channels_last")
    place = lambda *shape: (shape[0], shape[2], shape[1]) if last else shape
    inputs = [("x", F, place("b", 4, "l"))] + ([("p", F, place("b", 4, reach))] if form.get("past", True) else [])
    operands = ["x", "w", "b" if form.get("bias", True) else "", "p" if form.get("past", True) else ""]
    while not operands[-1]:
        operands.pop()
    constants = [array(floats((4, 1, 3)), "w")] + ([array(floats((4,), 1), "b")] if form.get("bias", True) else [])
    model = model_of([node("CausalConvWithState", operands, ["y", "n"], **attributes)], inputs, ["y", "n"], constants)
    feeds = [{name: floats([{"b": batch, "l": length}.get(d, d) for d in shape], i) for i, (name, _, shape) in enumerate(inputs)}
             for batch, length in ((1, 1), (2, 5))]
    check(model, *feeds)


@pytest.mark.parametrize("rule", ["linear", "gated", "delta", "gated_delta"])
@pytest.mark.parametrize("form", [{}, {"heads": (4, 2)}, {"heads": (2, 4)}, {"past": False}, {"per_element": True},
                                  {"scale": 1.0}, {"symbolic": True}, {"symbolic": True, "per_element": True}], ids=lambda form: "-".join(form) or "plain")
def test_linear_attention(form, rule):
    (q, kv), depth, width = form.get("heads", (2, 2)), 8, 6
    inputs = [("q", F, ("b", "t", q * depth)), ("k", F, ("b", "t", kv * depth)), ("v", F, ("b", "t", kv * width))]
    optional = [(form.get("past", True), ("p", F, ("b", kv, depth, width))),
                ("gated" in rule, ("d", F, ("b", "t", kv * depth if form.get("per_element") else kv))),
                ("delta" in rule, ("r", F, ("b", "t", kv)))]
    operands = ["q", "k", "v"]
    for wanted, info in optional:
        inputs += [info] if wanted else []
        operands.append(info[0] if wanted else "")
    while not operands[-1]:
        operands.pop()
    attributes = {"scale": form["scale"]} if "scale" in form else {}
    layer = node("LinearAttention", operands, ["y", "n"], q_num_heads=q, kv_num_heads=kv, update_rule=rule, **attributes)
    feeds = []
    for batch, time in ((1, 1), (2, 4)):
        sizes = {"b": batch, "t": time}
        feed = {name: floats([sizes.get(d, d) for d in shape], i) * 0.5 for i, (name, _, shape) in enumerate(inputs)}
        feed.update({name: -np.abs(feed[name]) for name in "d" if name in feed})
        feed.update({name: np.abs(feed[name]) for name in "r" if name in feed})
        feeds.append(feed)
    if form.get("symbolic"):
        inputs = [(name, element, [f"{name}{d}" for d in range(len(shape))]) for name, element, shape in inputs]
    check(model_of([layer], inputs, ["y", "n"]), *feeds)


def test_sparse_attention():
    """ONNX Runtime takes past and present as one buffer only."""
    heads, kv, depth, block, room = 4, 2, 16, 16, 64
    rows = np.array([[0, 1, 3, 5, 7], [0, 1, 2, 4, 7]], np.int32)
    columns = np.array([[0, 0, 1, 1, 2, 0, 3], [0, 1, 0, 2, 1, 2, 3]], np.int32)
    inputs = [("q", F, ("b", "s", heads * depth)), ("k", F, ("b", "s", kv * depth)), ("v", F, ("b", "s", kv * depth)),
              ("pk", F, ("b", kv, "m", depth)), ("pv", F, ("b", kv, "m", depth)), ("total", I32, ()), ("used", I32, ("b",))]
    operands = ["q", "k", "v", "pk", "pv", "rows", "columns", "total", "used", "cos", "sin"]
    layer = node("SparseAttention", operands, ["y", "nk", "nv"], num_heads=heads, kv_num_heads=kv, sparse_block_size=block, do_rotary=1)
    model = model_of([layer], inputs, ["y", "nk", "nv"], [array(rows, "rows"), array(columns, "columns")] + angles(room, 8))
    session, feeds, wanted = session_of(model), [], []
    for batch, new, before in ((1, 40, 0), (2, 1, 37), (1, 1, 63)):
        sizes = {"b": batch, "s": new, "m": room}
        feed = {name: floats([sizes.get(d, d) for d in shape], i) for i, (name, _, shape) in enumerate(inputs[:5])}
        feed |= {"total": np.array(before + new, np.int32), "used": np.full(batch, before + new, np.int32)}
        binding = session.io_binding()
        caches = {name: onnxruntime.OrtValue.ortvalue_from_numpy(feed[name].copy()) for name in ("pk", "pv")}
        for name, value in feed.items():
            binding.bind_ortvalue_input(name, caches[name]) if name in caches else binding.bind_cpu_input(name, value)
        binding.bind_output("y")
        binding.bind_ortvalue_output("nk", caches["pk"])
        binding.bind_ortvalue_output("nv", caches["pv"])
        session.run_with_iobinding(binding)
        results = dict(zip(("y", "nk", "nv"), binding.copy_outputs_to_cpu()))
        feeds.append(feed)
        wanted.append(results)
    compare(model, wanted, feeds, 2e-5)


COUNTS = np.array([3, 5, 1], np.int32)


def packed(values):
    return np.concatenate([row[:count] for row, count in zip(values, COUNTS)])


def test_padding():
    """As its documentation says; CUDA alone has it."""
    x = floats((3, 5, 4))
    tokens = [b * 5 + s for b, count in enumerate(COUNTS) for s in range(count)]
    offsets = np.array(tokens + [i for i in range(15) if i not in tokens], np.int32).reshape(3, 5)
    ends = np.concatenate([[0], np.cumsum(COUNTS)]).astype(np.int32)
    model = model_of([node("RemovePadding", ["x", "c"], ["y", "o", "e", "m"]), node("RestorePadding", ["y", "o"], ["z"])],
                     [("x", F, ("b", "s", 4)), ("c", I32, ("b",))], ["y", "o", "e", "m", "z"])
    whole = np.where((np.arange(5) < COUNTS[:, None])[:, :, None], x, 0)
    wanted = {"y": packed(x), "o": offsets, "e": ends, "m": np.array([5], np.int32), "z": whole.astype(np.float32)}
    compare(model, [wanted], [{"x": x, "c": COUNTS}], 0)


@pytest.mark.parametrize("form", ["rows", "one operand", "projected"])
def test_attention_of_packed_sequences(form):
    """CUDA alone has it: the same numbers as of padded sequences with a mask."""
    heads, depth = 3, 8
    x = floats((3, 5, 24 if form != "projected" else 10))
    offsets, ends = np.zeros((3, 5), np.int32), np.concatenate([[0], np.cumsum(COUNTS)]).astype(np.int32)
    if form == "projected":
        constants = [array(floats((10, 72), 5) * 0.3, "w"), array(floats((72,), 6), "b")]
        padded = model_of([node("Attention", ["x", "w", "b", "c"], ["y"], num_heads=heads)],
                          [("x", F, ("b", "s", 10)), ("c", I32, ("b",))], ["y"], constants)
        layer = node("PackedAttention", ["x", "w", "b", "o", "e"], ["y"], num_heads=heads)
        feed, inputs, whole = {"x": packed(x)}, [("x", F, ("t", 10))], {"x": x}
    else:
        k, v, constants = floats((3, 5, 24), 1), floats((3, 5, 24), 2), [array(floats((72,), 6), "b")]
        padded = model_of([node("MultiHeadAttention", ["x", "k", "v", "b", "c"], ["y"], num_heads=heads)],
                          [(name, F, ("b", "s", 24)) for name in "xkv"] + [("c", I32, ("b",))], ["y"], constants)
        whole, rows = {"x": x, "k": k, "v": v}, {"x": packed(x), "k": packed(k), "v": packed(v)}
        if form == "rows":
            layer = node("PackedMultiHeadAttention", ["x", "k", "v", "b", "o", "e"], ["y"], num_heads=heads)
            feed, inputs = rows, [(name, F, ("t", 24)) for name in "xkv"]
        else:
            layer = node("PackedMultiHeadAttention", ["x", "", "", "b", "o", "e"], ["y"], num_heads=heads)
            feed = {"x": np.stack([value.reshape(-1, heads, depth) for value in rows.values()], 2)}
            inputs = [("x", F, ("t", heads, 3, depth))]
    wanted = packed(session_of(padded).run(None, whole | {"c": COUNTS})[0])
    model = model_of([layer], inputs + [("o", I32, (3, 5)), ("e", I32, ("n",))], ["y"], constants)
    compare(model, [{"y": wanted}], [feed | {"o": offsets, "e": ends}], 1e-4)


@pytest.mark.parametrize("bidirectional", [0, 1])
def test_relative_position_bias(bidirectional):
    """T5's formula; the table's bytes are those of the transposed one."""
    table, length, farthest = floats((8, 3)), 40, 20
    distance = np.arange(length)[None] - np.arange(length)[:, None]
    buckets, first = (4, (distance > 0) * 4) if bidirectional else (8, 0)
    distance = np.abs(distance) if bidirectional else np.maximum(-distance, 0)
    exact = buckets // 2
    far = np.log(np.maximum(distance, 1).astype(np.float32) / np.float32(exact)) / np.log(farthest / exact)
    far = exact + (far * (buckets - exact)).astype(np.int64)
    bucket = np.where(distance < exact, distance, np.minimum(far, buckets - 1)) + first
    wanted = table.reshape(3, 8)[:, bucket][None]
    layer = node("RelativePositionBias", ["t", "q", "k"], ["y"], max_distance=farthest, is_bidirectional=bidirectional)
    model = model_of([layer], [("q", I64, (1,)), ("k", I64, (1,))], ["y"], [array(table, "t")])
    compare(model, [{"y": wanted}], [{"q": np.array([length]), "k": np.array([length])}], 0)


def test_gated_relative_position_bias():
    b, s, n, h, d = 2, 5, 3, 4, 6
    shapes = [(b, s, n * h), (n * h,), (1, n, s, s), (h, d), (d,), (1, n, 1, 1)]
    q, qb, rel, w, wb, eco = (floats(shape, i) for i, shape in enumerate(shapes))
    layer = (q + qb).reshape(b, s, n, h).transpose(0, 2, 1, 3) @ w + wb
    u, r = np.split(1 / (1 + np.exp(-layer.reshape(b, n, s, 2, d // 2).sum(-1))), 2, -1)
    wanted = (u * (r * eco - 1) + 2) * rel
    model = model_of([node("GatedRelativePositionBias", ["q", "qb", "rel", "w", "wb", "eco"], ["y"], num_heads=n)],
                     [("q", F, ("b", "s", n * h)), ("rel", F, (1, n, "s", "s"))], ["y"],
                     [array(qb, "qb"), array(w, "w"), array(wb, "wb"), array(eco, "eco")])
    compare(model, [{"y": wanted.astype(np.float32)}], [{"q": q, "rel": rel}], 1e-5)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_repeated_sequences_are_blocked(size):
    model = model_of([node("NGramRepeatBlock", ["t", "s"], ["y"], ngram_size=size)], [("t", I64, ("b", "l")), ("s", F, ("b", 5))], ["y"])
    check(model, *[{"t": np.random.default_rng(l).integers(0, 4, (3, l)), "s": floats((3, 5))} for l in (1, 2, 3, 12)])


@pytest.mark.parametrize("shape", [("m", "n"), (1, "m", "n")], ids=len)
def test_dynamic_time_warping(shape):
    model = model_of([node("DynamicTimeWarping", ["x"], ["y"])], [("x", F, shape)], [("y", I32, (2, "l"))])
    feeds = [{"x": floats((1, m, n)[3 - len(shape):], m)} for m, n in ((1, 1), (1, 4), (5, 1), (4, 9), (9, 4))]
    check(model, *feeds)


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("activation,bias", [("none", False), ("silu", True)])
def test_convolution_of_packed_requests(activation, bias, dilation):
    taps, channels = 3, 5
    inputs = [("x", F, ("n", channels)), ("c", I32, (4,)), ("s", F, (3, channels, (taps - 1) * dilation)), ("k", I32, (3,))]
    constants = [array(floats((channels, 1, taps), 1), "w"), array(floats((channels,), 2), "b")]
    layer = node("VarlenCausalConvWithState", ["x", "w", "c", "b" if bias else "", "s", "k"], ["y", "n", "u"], activation=activation,
                 dilation=dilation, state_update_capacity=4)
    model = model_of([layer], inputs, ["y", "n", "u"], constants)
    check(model, *[{"x": floats((ends[-1], channels), 3), "c": np.array(ends, np.int32), "k": np.array([3, 9, 0], np.int32),
                    "s": floats((3, channels, (taps - 1) * dilation), 4)} for ends in ((0, 7, 8, 12), (0, 1, 2, 3))])


@pytest.mark.parametrize("shape", ["tokens", "entries", "ragged", "joined", "joined ragged"])
@pytest.mark.parametrize("rule,gate", [("linear", "none"), ("gated", "none"), ("gated", "softplus"), ("delta", "none"), ("gated_delta", "none"),
                                       ("gated_delta", "sigmoid"), ("gated_delta", "per key"), ("gated_delta", "softplus per key")])
def test_gated_delta_net(rule, gate, shape):
    b, s, hk, hv, dk, dv = 2, 5, 2, 4, 8, 6
    outer = (b, s) if shape == "entries" else (b * s,)
    per_key = "per key" in gate
    data = {"q": floats((*outer, hk, dk)), "k": floats((*outer, hk, dk), 1), "v": floats((*outer, hv, dv), 2), "c": np.array([0, 7, 10], np.int32),
            "d": -np.abs(floats((*outer, hv) + ((dk,) if per_key else ()), 3)), "e": np.abs(floats((*outer, hv), 4)), "s": floats((b, hv, dv, dk), 5),
            "a": floats((hv,), 6) * 0.3, "t": floats((hv, dk) if per_key else (hv,), 7) * 0.3, "n": np.array([3, 9], np.int32)}
    if "joined" in shape:
        data["q"] = np.concatenate([data[name].reshape(b * s, -1) for name in "qkv"], 1)
    has_gate = gate not in ("none", "per key")
    names = ["q", *("kv" if "joined" not in shape else ("", "")), "c" if "ragged" in shape else "", "d" if "gated" in rule else "",
             "e" if "delta" in rule else "", "s", *("at" if has_gate else ("", "")), "n"]
    layer = node("GatedDeltaNet", names, ["y", "f", "u"], update_rule=rule, gate_activation=gate.split()[0] if has_gate else "none", qk_l2_norm=1,
                 beta_activation="sigmoid" if gate == "sigmoid" else "none", state_update_capacity=4, scale=0.3 if gate == "sigmoid" else 0.0)
    types = {np.dtype(np.float32): F, np.dtype(np.int32): I32}
    model = model_of([layer], [(name, types[data[name].dtype], data[name].shape) for name in names if name], ["y", "f", "u"])
    feed = {name: data[name] for name in names if name}
    session = session_of(model)
    wanted = dict(zip(("y", "f", "u"), session.run(None, feed)))
    # What lies behind the captured tokens is unspecified.
    lengths = [7, 3] if "ragged" in shape else [s, s]
    update = wanted.pop("u")
    compare(model, [wanted], [feed], 1e-4)
    ours = tenon.compile(model).run(feed)["u"]
    first = 0
    for width in (hv * (dk if per_key else 1), hk * dk, hv * dv):
        for i, count in enumerate(min(most, length, 4) for most, length in zip((3, 9), lengths)):
            own = slice(first, first + count * width)
            np.testing.assert_allclose(ours[i, own], update[i, own], rtol=1e-4, atol=1e-4)
        first += 4 * width


def test_words():
    """Words without characters are left out: ONNX Runtime leaves their rows as they are."""
    words = np.array([[1, 2, 3, 0, 0], [4, 0, 0, 0, 0], [2, 2, 1, 4, 3], [5, 1, 0, 0, 0]], np.int32)
    constants = [array(floats(shape, i), name) for i, (name, shape) in enumerate((("w", (7, 1, 2, 4)), ("b", (7,)), ("t", (6, 4))))]
    layer = node("WordConvEmbedding", ["x", "w", "b", "t"], ["y"], embedding_size=7, conv_window_size=2, char_embedding_size=4)
    model = model_of([layer], [("x", I32, ("n", 5))], ["y"], constants)
    check(model, {"x": words}, {"x": words[1:2]})
    assert np.all(tenon.compile(model).run({"x": np.zeros((2, 5), np.int32)})["y"] == 0)

"""Operators of attention that ONNX Runtime adds to the standard's, against ONNX Runtime."""

import ml_dtypes
import numpy as np
import pytest
import tenon
from microsoft import array, check, compare, floats, model_of, node, session_of
from onnx import TensorProto, helper, numpy_helper

F, I32, I64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


def angles(places, half):
    table = np.outer(np.arange(places), 100.0 ** (-np.arange(half) / half)).astype(np.float32)
    return [array(np.cos(table), "cos"), array(np.sin(table), "sin")]


def group_query(past="p", packed=False, rotary=0, bias=False, sink=False, position_ids=False, heads=4, kv_heads=2, depth=16,
                seed=0, quantized=None, per="PER_TENSOR", query_lengths=False, scores=0, **attributes):
    """The model, and what makes a feed of (batch, new, lengths in use before, size of the past)."""
    q, kv = heads * depth, kv_heads * depth
    element, width = {None: (F, depth), 8: (TensorProto.INT8, depth), 4: (TensorProto.UINT8, depth // 2)}[quantized]
    scale = (1,) if per == "PER_TENSOR" else (1, kv_heads, 1, depth)
    inputs = [("q", F, ("b", "s", q + 2 * kv if packed else q))]
    if not packed:
        inputs += [("k", F, ("b", "s", kv)), ("v", F, ("b", "s", kv))]
    operands = ["q"] + ["" if packed else name for name in "kv"]
    if past:
        inputs += [(name, element, ("b", kv_heads, past, width)) for name in ("pk", "pv")]
    operands += ["pk", "pv"] if past else ["", ""]
    inputs += [("used", I32, ("b",)), ("total", I32, ())]
    operands += ["used", "total"] + (["cos", "sin"] if rotary else ["", ""])
    for wanted, info in ((position_ids, ("ids", I64, ("b", "s"))), (bias, ("bias", F, (1, heads, "s", "t")))):
        inputs += [info] if wanted else []
        operands.append(info[0] if wanted else "")
    operands += ["sink"] if sink else [""]
    operands += ["ks", "vs"] if quantized else ["", ""]
    operands += ["", "", "fresh"] if query_lengths else []
    inputs += [("fresh", I32, ("b",))] if query_lengths else []
    constants = angles(64, rotary) if rotary else []
    if quantized:
        constants += [array(np.abs(floats(scale, i)) * 0.02 * 2.0 ** (8 - quantized) + 0.01, name) for i, name in ((5, "ks"), (6, "vs"))]
        attributes |= {"k_quant_type": per, "v_quant_type": per, "kv_cache_bit_width": quantized}
    if sink:
        constants.append(array(floats((heads,), 77), "sink"))
    while not operands[-1]:
        operands.pop()
    names = ["y", "nk", "nv"] + (["qk"] if scores else [])
    attributes |= {"qk_output": scores} if scores else {}
    attention = node("GroupQueryAttention", operands, names, num_heads=heads, kv_num_heads=kv_heads,
                     do_rotary=int(bool(rotary)), **attributes)
    model = model_of([attention], inputs, names, constants)

    def feed(batch, new, before, size):
        shapes = {"q": (batch, new, inputs[0][2][2]), "k": (batch, new, kv), "v": (batch, new, kv),
                  "pk": (batch, kv_heads, size, depth), "pv": (batch, kv_heads, size, depth)}
        values = {name: floats(shape, seed + i) for i, (name, shape) in enumerate(shapes.items())}
        if quantized:
            kind, (low, high) = (np.int8, (-128, 128)) if quantized == 8 else (np.uint8, (0, 256))
            shape = (batch, kv_heads, size, width)
            values |= {name: np.random.default_rng(i).integers(low, high, shape).astype(kind) for i, name in enumerate(("pk", "pv"))}
        total = max(before) + new
        values["fresh"] = np.full(batch, new, np.int32)
        values["used"] = np.array(before, np.int32) + new - 1
        values["total"] = np.array(total, np.int32)
        values["ids"] = (np.array(before)[:, None] + np.arange(new)).astype(np.int64)
        values["bias"] = floats((1, heads, new, total), seed + 9)
        names = [info[0] for info in inputs]
        return {name: value for name, value in values.items() if name in names}

    return model, feed


def check_in_use(model, *feeds):
    """The interpreter and the compiled model give what ONNX Runtime gives, as far as caches are in use."""
    session, compiled, reference = session_of(model), tenon.compile(model, threads=1), tenon.reference(model)
    names = [output.name for output in session.get_outputs()]
    for feed in feeds:
        wanted = dict(zip(names, session.run(None, feed)))
        for actual in (compiled.run(feed), reference.run(feed)):
            for name, expected in wanted.items():
                given = actual[name].copy()
                assert given.dtype == expected.dtype and given.shape == expected.shape
                for entry, last in enumerate(feed["used"]):
                    if name in ("nk", "nv"):
                        given[entry, :, last + 1:] = expected[entry, :, last + 1:]
                np.testing.assert_allclose(given.astype(np.float64), expected.astype(np.float64), rtol=2e-5, atol=2e-5, err_msg=name)


# (batch, new, in use before, size of the past): a prompt, decoding step by step, more of a prompt
GROWING = [(1, 5, [0], 0), (2, 4, [0, 0], 0), (1, 1, [7], 7), (2, 1, [5, 5], 5), (1, 3, [6], 6)]
BUFFER = [(1, 5, [0], 12), (1, 1, [5], 12), (2, 1, [9, 9], 12), (1, 4, [5], 12)]


@pytest.mark.parametrize("form", [
    {}, {"packed": True}, {"rotary": 8}, {"rotary": 8, "packed": True}, {"rotary": 8, "rotary_interleaved": 1}, {"softcap": 2.0},
    {"local_window_size": 3}, {"sink": True}, {"smooth_softmax": 1}, {"scale": 0.5}, {"bias": True},
    {"rotary": 8, "position_ids": True}, {"heads": 2, "kv_heads": 2, "rotary": 8}, {"heads": 3, "kv_heads": 1},
    {"depth": 32, "rotary": 8, "local_window_size": 4, "softcap": 1.5, "sink": True, "bias": True},
], ids=lambda form: "-".join(form) or "plain")
def test_group_query_attention(form):
    model, feed = group_query(**form)
    check_in_use(model, *[feed(*case) for case in GROWING + BUFFER])


@pytest.mark.parametrize("form", [{"quantized": 8}, {"quantized": 8, "per": "PER_CHANNEL"}, {"quantized": 4},
                                  {"quantized": 4, "per": "PER_CHANNEL", "rotary": 8, "softcap": 1.5}],
                         ids=lambda form: "-".join(map(str, form.values())))
def test_group_query_attention_with_a_quantized_cache(form):
    model, feed = group_query(**form)
    check_in_use(model, *[feed(*case) for case in GROWING + BUFFER])


def test_group_query_attention_with_a_cache_of_8_bit_floats():
    """ONNX Runtime has it on CUDA alone: the same numbers as of a plain cache that holds them."""
    model, feed = group_query(quantized=8)
    (plain, _), values = group_query(), feed(1, 2, [3], 3)
    for info in list(model.graph.input):
        if info.name in ("pk", "pv"):
            info.type.tensor_type.elem_type = TensorProto.FLOAT8E4M3FN
    scales = {constant.name[0]: numpy_helper.to_array(constant) for constant in model.graph.initializer}
    wanted = {}
    for name in "kv":
        kind = ml_dtypes.float8_e4m3fn
        values["p" + name] = floats((1, 2, 3, 16), 3).astype(kind)
        fresh = (values[name].reshape(1, 2, 2, 16).transpose(0, 2, 1, 3) / scales[name]).astype(kind)
        wanted["n" + name] = np.concatenate([values["p" + name], fresh], 2)
    # Its new keys and values are those that the cache holds.
    held = {name: wanted["n" + name].astype(np.float32) * scales[name] for name in "kv"}
    before = values | {"p" + name: held[name][:, :, :3] for name in "kv"}
    before |= {name: held[name][:, :, 3:].transpose(0, 2, 1, 3).reshape(1, 2, 32) for name in "kv"}
    wanted["y"] = session_of(plain).run(["y"], before)[0]
    compare(model, [wanted], [values], 2e-5)


@pytest.mark.parametrize("scores", [1, 2])
@pytest.mark.parametrize("form", [{}, {"softcap": 1.5, "bias": True, "local_window_size": 3}, {"sink": True}],
                         ids=lambda form: "-".join(form) or "plain")
def test_group_query_attention_gives_scores(form, scores):
    model, feed = group_query(scores=scores, **form)
    check_in_use(model, *[feed(*case) for case in GROWING + BUFFER])


def resident(tokens, room, window):
    """How many tokens a cache holds that gives up as many at once as it has room for beside the window."""
    group = room - window + 1
    return tokens if tokens <= room else tokens - group * -(-(tokens - room) // group)


@pytest.mark.parametrize("form", [{}, {"rotary": 8}, {"quantized": 8}, {"bias": True, "sink": True}, {"query_lengths": True}],
                         ids=lambda form: "-".join(form) or "plain")
@pytest.mark.parametrize("room", [3, 5])
def test_group_query_attention_with_a_cache_of_the_window(room, form):
    window, short = 3, form.get("query_lengths")
    model, feed = group_query(sliding_window_cache=1, local_window_size=window, **form)
    session = session_of(model)
    feeds, wanted = [], []
    for batch, new, before in [(1, 2, [0]), (1, 7, [0]), (1, 4, [4]), (1, 1, [5]), (1, 1, [9]), (2, 1, [4, 11])]:
        values = feed(batch, new, before, room)
        fresh = np.full(batch, new, np.int32)
        if short:
            fresh = np.maximum(fresh - 1, 1).astype(np.int32)
            values |= {"fresh": fresh, "used": np.array(before, np.int32) + fresh - 1}
        results = dict(zip(("y", "nk", "nv"), session.run(None, values)))
        for entry, used in enumerate(values["used"]):  # the others are unspecified, here zero
            results["y"] = results["y"].copy()
            for name in ("nk", "nv"):
                results[name] = results[name].copy()
                results[name][entry, :, resident(used + 1, room, window):] = 0
        results["y"] = results["y"][:, :fresh.min()]
        feeds.append(values)
        wanted.append(results)
    compiled, reference = tenon.compile(model, threads=1), tenon.reference(model)
    for values, results in zip(feeds, wanted):
        for actual in (compiled.run(values), reference.run(values)):
            for name, expected in results.items():
                given = actual[name][:, :expected.shape[1]]
                np.testing.assert_allclose(given.astype(np.float64), expected.astype(np.float64), rtol=2e-5, atol=2e-5, err_msg=name)


def test_group_query_attention_without_a_cache():
    model, feed = group_query(past=None, rotary=8)
    check(model, feed(2, 5, [0, 0], 0))


def test_group_query_attention_of_sequences_of_different_lengths():
    model, feed = group_query(rotary=8, local_window_size=4)
    check_in_use(model, *[feed(3, 1, [5, 2, 4], size) for size in (5, 12)])


def decoder(heads=4, kv=2, depth=16):
    """As onnxruntime-genai writes it: lengths follow from a mask of the tokens."""
    layers = [helper.make_node("ReduceSum", ["mask", "one"], ["count"], keepdims=0), helper.make_node("Shape", ["mask"], ["shape"]),
              helper.make_node("Sub", ["count", "one"], ["last"]), helper.make_node("Gather", ["shape", "column"], ["all"]),
              helper.make_node("Cast", ["last"], ["used"], to=I32), helper.make_node("Cast", ["all"], ["total"], to=I32)]
    layers.append(node("GroupQueryAttention", ["q", "k", "v", "pk", "pv", "used", "total"], ["y", "nk", "nv"], num_heads=heads,
                       kv_num_heads=kv))
    inputs = [("q", F, ("b", "s", heads * depth)), ("k", F, ("b", "s", kv * depth)), ("v", F, ("b", "s", kv * depth)),
              ("pk", F, ("b", kv, "p", depth)), ("pv", F, ("b", kv, "p", depth)), ("mask", I64, ("b", "t"))]
    return model_of(layers, inputs, ["y", "nk", "nv"], [array(np.array([1]), "one"), array(np.array(1), "column")])


def test_group_query_attention_writes_new_keys_alone_into_a_shared_cache():
    model = decoder()
    session, compiled = session_of(model), tenon.compile(model, threads=1, aliases={"nk": "pk", "nv": "pv"})
    batch, room, used = 2, 12, 0
    caches = {name: np.full((batch, 2, room, 16), 7, np.float32) for name in ("pk", "pv")}
    past = {name: np.zeros((batch, 2, 0, 16), np.float32) for name in ("pk", "pv")}
    for step, new in enumerate((5, 1, 1)):
        fresh = {name: floats((batch, new, width), 3 * step + i) for i, (name, width) in enumerate((("q", 64), ("k", 32), ("v", 32)))}
        used += new
        fresh["mask"] = np.ones((batch, used), np.int64)
        if step and batch > 1:  # ONNX Runtime has one new token per sequence where there are several
            assert new == 1
        y, past["pk"], past["pv"] = session.run(None, fresh | past)
        results = compiled.run(fresh | caches, into={"nk": caches["pk"], "nv": caches["pv"]})
        np.testing.assert_allclose(results["y"], y, rtol=2e-5, atol=2e-5)
        for name, cache in caches.items():
            np.testing.assert_allclose(cache[:, :, :used], past[name], rtol=1e-6)
            assert np.all(cache[:, :, used:] == 7)
        # Of buffers of their own all is copied.
        apart = compiled.run(fresh | caches)
        np.testing.assert_array_equal(apart["nk"], caches["pk"])
        np.testing.assert_allclose(apart["y"], y, rtol=2e-5, atol=2e-5)


def test_group_query_attention_grows_in_a_shared_cache():
    model = decoder()
    session, compiled = session_of(model), tenon.compile(model, threads=1, aliases={"nk": "pk", "nv": "pv"})
    caches = {name: np.full((1, 2, 12, 16), 7, np.float32) for name in ("pk", "pv")}
    past = {name: np.zeros((1, 2, 0, 16), np.float32) for name in ("pk", "pv")}
    used = 0
    for step, new in enumerate((5, 1, 3)):
        fresh = {name: floats((1, new, width), 3 * step + i) for i, (name, width) in enumerate((("q", 64), ("k", 32), ("v", 32)))}
        fresh["mask"] = np.ones((1, used + new), np.int64)
        y, past["pk"], past["pv"] = session.run(None, fresh | past)
        views = {name: cache[:, :, :used] for name, cache in caches.items()}
        used += new
        into = {"n" + name[1]: cache[:, :, :used] for name, cache in caches.items()}
        results = compiled.run(fresh | views, into=into)
        np.testing.assert_allclose(results["y"], y, rtol=2e-5, atol=2e-5)
        for name, cache in caches.items():
            np.testing.assert_allclose(cache[:, :, :used], past[name], rtol=1e-6)
            assert np.all(cache[:, :, used:] == 7)


def test_group_query_attention_of_padded_prompts():
    model, feed = group_query(rotary=8)
    prompt = feed(2, 6, [0, 0], 8)
    prompt["used"] = np.array([5, 2], np.int32)
    whole = tenon.compile(model, threads=1).run(prompt)
    short = {name: value[1:] if value.ndim else value for name, value in prompt.items()}
    short.update({name: short[name][:, :3] for name in "qkv"}, total=np.array(3, np.int32))
    alone = tenon.compile(model, threads=1).run(short)
    np.testing.assert_allclose(whole["y"][1, :3], alone["y"][0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(whole["nk"][1, :, :3], alone["nk"][0, :, :3], rtol=1e-5, atol=1e-5)


def test_group_query_attention_normalizes_heads():
    """ONNX Runtime has it on CUDA alone: the same numbers as of queries and keys that are normalised before."""
    (model, feed), (plain, _) = group_query(rotary=8), group_query(rotary=8)
    weights = [floats((16,), 5), floats((16,), 6)]
    model.graph.node[0].input.extend([""] * 5 + ["qn", "kn"])
    model.graph.node[0].attribute.append(helper.make_attribute("q_norm_epsilon", 1e-2))
    model.graph.initializer.extend([array(weights[0], "qn"), array(weights[1], "kn")])
    values = feed(2, 1, [5, 5], 5)

    def normalized(x, weight, epsilon):
        heads = x.reshape(*x.shape[:2], -1, 16)
        return (heads / np.sqrt((heads**2).mean(-1, keepdims=True) + epsilon) * weight).reshape(x.shape)

    before = values | {"q": normalized(values["q"], weights[0], 1e-2), "k": normalized(values["k"], weights[1], 1e-6)}
    session = session_of(plain)
    compare(model, [dict(zip(("y", "nk", "nv"), session.run(None, before)))], [values], 2e-5)


def test_group_query_attention_that_is_not_causal():
    """By the formula: newer than the kernels of some versions."""
    model, feed = group_query(heads=2, kv_heads=1, causal=0)
    values = feed(1, 3, [2], 2)
    q = values["q"].reshape(3, 2, 16).transpose(1, 0, 2)
    k, v = (np.concatenate([values["p" + name][0, 0], values[name][0]]) for name in "kv")
    scores = np.exp(q @ k.T / 4)
    wanted = (scores / scores.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(1, 3, 32)
    compare(model, [{"y": wanted.astype(np.float32)}], [values], 2e-5)


def multi_head(form="separate", bias=False, mask=None, score_bias=False, past=False, heads=3, depth=8, value_depth=8,
               **attributes):
    """The model, and what makes a feed of (batch, queries, keys, size of the past)."""
    q, v = heads * depth, heads * value_depth
    inputs, operands = [("q", F, ("b", "s", q))], ["q", "k", "v"]
    if form == "separate":
        inputs += [("k", F, ("b", "l", q)), ("v", F, ("b", "l", v))]
    elif form == "placed":
        inputs += [("k", F, ("b", heads, "l", depth)), ("v", F, ("b", heads, "l", value_depth))]
    elif form == "packed kv":
        inputs += [("kv", F, ("b", "l", heads, 2, depth))]
        operands = ["q", "kv", ""]
    else:
        inputs = [("qkv", F, ("b", "s", heads, 3, depth))]
        operands = ["qkv", "", ""]
    masks = {"lengths": ("b",), "offsets": ("o",), "keys": ("b", "t"), "pairs": ("b", "s", "t"), None: None}
    optional = [(bias, ("bias", F, (2 * q + v,))), (mask, ("mask", I32, masks[mask])),
                (score_bias, ("sb", F, (1, heads, "s", "t")))]
    optional += [(past, (name, F, ("b", heads, "p", size))) for name, size in (("pk", depth), ("pv", value_depth))]
    for wanted, info in optional:
        inputs += [info] if wanted else []
        operands.append(info[0] if wanted else "")
    while not operands[-1]:
        operands.pop()
    names = ["y", "nk", "nv"] if past else ["y"]
    model = model_of([node("MultiHeadAttention", operands, names, num_heads=heads, **attributes)], inputs, names)

    def feed(batch, queries, keys, size=0):
        random, total = np.random.default_rng(queries + keys), keys + size
        sizes = {"b": batch, "s": queries, "l": keys, "t": total, "p": size, "o": 3 * batch + 2}
        values = {}
        for i, (name, _, shape) in enumerate(inputs):
            shape = tuple(sizes.get(d, d) for d in shape)
            values[name] = floats(shape, i)
            if name == "mask" and len(shape) == 1:
                values[name] = random.integers(1, total + 1, shape, np.int32)
            elif name == "mask":
                values[name] = random.integers(0, 2, shape, np.int32)
                values[name][..., 0] = 1
        return values

    return model, feed


@pytest.mark.parametrize("form", [
    {}, {"bias": True}, {"mask": "lengths"}, {"mask": "offsets"}, {"mask": "keys"}, {"mask": "pairs"}, {"score_bias": True},
    {"value_depth": 4, "bias": True}, {"scale": 0.7}, {"form": "placed"}, {"form": "placed", "mask": "keys"},
    {"mask": "keys", "mask_filter_value": -3.0}, {"mask": "keys", "score_bias": True, "bias": True},
], ids=lambda form: "-".join(map(str, form.values())) or "plain")
def test_multi_head_attention(form):
    model, feed = multi_head(**form)
    check(model, feed(1, 4, 4), feed(2, 3, 5), feed(2, 1, 6))


@pytest.mark.parametrize("form", [{}, {"mask": "keys"}, {"past": True}, {"past": True, "mask": "keys", "score_bias": True}],
                         ids=lambda form: "-".join(form) or "plain")
def test_unidirectional_attention(form):
    model, feed = multi_head(unidirectional=1, **form)
    sizes = (3, 0, 5) if "past" in form else (0,)
    check(model, *[feed(2, 4, 4, size) for size in sizes], feed(1, 1, 1, sizes[-1]))


@pytest.mark.parametrize("form", [{}, {"bias": True}, {"mask": "keys"}, {"mask": "pairs", "score_bias": True}],
                         ids=lambda form: "-".join(map(str, form.values())) or "plain")
def test_multi_head_attention_with_a_past(form):
    model, feed = multi_head(past=True, **form)
    check(model, feed(2, 3, 3, 4), feed(1, 1, 1, 7), feed(1, 2, 2, 0))


@pytest.mark.parametrize("form", ["packed kv", "packed qkv"])
def test_packed_multi_head_attention(form):
    """ONNX Runtime has these on CUDA alone: the same numbers as separate operands."""
    model, feed = multi_head(form=form, mask="keys")
    packed = feed(2, 4, 4)
    apart = packed["kv" if form == "packed kv" else "qkv"]
    parts = [np.ascontiguousarray(apart[:, :, :, i]).reshape(2, 4, 24) for i in range(apart.shape[3])]
    separate = dict(zip("kv" if form == "packed kv" else "qkv", parts), mask=packed["mask"])
    separate.setdefault("q", packed.get("q"))
    wanted = tenon.compile(multi_head(mask="keys")[0], threads=1).run(separate)
    compare(model, [wanted], [packed], 1e-5)


@pytest.mark.parametrize("mask", [None, "keys"])
@pytest.mark.parametrize("cross", [False, True], ids=["self", "cross"])
def test_decoder_masked_multi_head_attention(cross, mask):
    heads, depth, size, past = 3, 8, 10, 6
    inputs = [("q", F, ("b", 1, 24))]
    if cross:
        inputs += [("k", F, ("b", heads, "l", depth)), ("v", F, ("b", heads, "l", depth))]
    else:
        inputs += [("k", F, ("b", 1, 24)), ("v", F, ("b", 1, 24)), ("pk", F, ("b", heads, "m", depth)),
                   ("pv", F, ("b", heads, "m", depth)), ("past", I32, (1,))]
    operands = ["q", "k", "v", "mask" if mask else "", ""] + ([] if cross else ["pk", "pv", "past"])
    while not operands[-1]:
        operands.pop()
    inputs += [("mask", I32, ("b", "t"))] if mask else []
    sizes = {"b": 2, "l": 5, "m": size, "t": 5 if cross else past + 1}
    feed = {name: floats([sizes.get(d, d) for d in shape], i) for i, (name, _, shape) in enumerate(inputs)}
    if not cross:
        feed["past"] = np.array([past], np.int32)
    if mask:
        feed["mask"] = np.random.default_rng(3).integers(0, 2, feed["mask"].shape, np.int32)
        feed["mask"][:, 0] = 1
    names = ["y"] if cross else ["y", "nk", "nv"]
    attention = node("DecoderMaskedMultiHeadAttention", operands, names, num_heads=heads,
                     past_present_share_buffer=int(not cross))
    model = model_of([attention], inputs, names)
    if cross:
        check(model, feed)
        return
    # Its cache is one buffer: the same numbers as from what is in use of it.
    whole, small = multi_head(past=True, mask=mask), {name: feed[name] for name in ("q", "k", "v", "mask") if name in feed}
    small.update({name: feed[name][:, :, :past] for name in ("pk", "pv")})
    results = tenon.compile(whole[0], threads=1).run(small)
    unused = np.zeros((2, heads, size - past - 1, depth), np.float32)
    wanted = {"y": results["y"]} | {name: np.concatenate([results[name], unused], 2) for name in ("nk", "nv")}
    compare(model, [wanted], [feed], 1e-5)


def attention_of(mask=None, past=False, bias=True, score_bias=False, heads=3, depth=8, value_depth=8, **attributes):
    """The model, and what makes a feed of (batch, queries, size of the past)."""
    q, v = heads * depth, heads * value_depth
    inputs = [("x", F, ("b", "s", 10))]
    masks = {"lengths": ("b",), "ends": ("o",), "keys": ("b", "t"), "none": ("b", 1), "pairs": ("b", "s", "t"),
             "places": ("b", 1, 12, 12), None: None}
    optional = [(mask, ("mask", I32, masks[mask])), (past, ("past", F, (2, "b", heads, "p", depth))),
                (score_bias, ("sb", F, (1, heads, "s", "t")))]
    operands = ["x", "w", "b" if bias else ""]
    for wanted, info in optional:
        inputs += [info] if wanted else []
        operands.append(info[0] if wanted else "")
    while not operands[-1]:
        operands.pop()
    constants = [array(floats((10, 2 * q + v), 5) * 0.3, "w")] + ([array(floats((2 * q + v,), 6), "b")] if bias else [])
    if value_depth != depth:
        attributes["qkv_hidden_sizes"] = [q, q, v]
    names = ["y", "present"] if past else ["y"]
    model = model_of([node("Attention", operands, names, num_heads=heads, **attributes)], inputs, names, constants)

    def feed(batch, queries, size=0):
        random, total = np.random.default_rng(queries), queries + size
        sizes = {"b": batch, "s": queries, "t": total, "p": size, "o": 2 * batch}
        values = {}
        for i, (name, _, shape) in enumerate(inputs):
            shape = tuple(sizes.get(d, d) for d in shape)
            values[name] = floats(shape, i)
            if name == "mask":
                values[name] = random.integers(0, 2, shape, np.int32)
                values[name][..., 0] = 1
            if name == "mask" and len(shape) == 1:
                starts = random.integers(0, total // 2, batch)
                ends = random.integers(total // 2 + 1, total + 1, batch)
                values[name] = np.concatenate([ends, starts])[:shape[0]].astype(np.int32)
        return values

    return model, feed


@pytest.mark.parametrize("form", [
    {}, {"bias": False}, {"mask": "lengths"}, {"mask": "ends"}, {"mask": "keys"}, {"mask": "none"}, {"mask": "pairs"},
    {"score_bias": True}, {"value_depth": 4}, {"scale": 0.7}, {"unidirectional": 1},
    {"unidirectional": 1, "mask": "keys"}, {"mask": "lengths", "mask_filter_value": -2.0},
], ids=lambda form: "-".join(map(str, form.values())) or "plain")
def test_attention(form):
    model, feed = attention_of(**form)
    check(model, feed(1, 4), feed(2, 5))


@pytest.mark.parametrize("form", [{}, {"mask": "keys"}, {"unidirectional": 1}, {"unidirectional": 1, "mask": "keys"}],
                         ids=lambda form: "-".join(map(str, form.values())) or "plain")
def test_attention_with_a_past(form):
    model, feed = attention_of(past=True, **form)
    check(model, feed(2, 3, 4), feed(1, 1, 7), feed(1, 4, 0))


def test_attention_with_a_mask_of_all_places():
    """ONNX Runtime has it on CUDA alone: the rows of the queries."""
    (model, feed), (pairs, _) = attention_of(past=True, mask="places"), attention_of(past=True, mask="pairs")
    feeds = [feed(2, 3, 4), feed(1, 4, 0)]
    rows = [values | {"mask": np.ascontiguousarray(values["mask"][:, 0, size:size + new, :size + new])}
            for values, (new, size) in zip(feeds, ((3, 4), (4, 0)))]
    session = session_of(pairs)
    compare(model, [dict(zip(("y", "present"), session.run(None, values))) for values in rows], feeds, 1e-5)


def test_attention_whose_past_and_present_share_a_buffer():
    """ONNX Runtime has it on CUDA alone: the same numbers as from what is in use of it."""
    model, feed = attention_of(past=True, unidirectional=1, past_present_share_buffer=1)
    model.graph.node[0].input.extend(["", "used"])
    model.graph.node[0].input[3] = ""
    model.graph.input.append(helper.make_tensor_value_info("used", I32, [1]))
    values = feed(2, 3, 9)
    small = values | {"past": np.ascontiguousarray(values["past"][:, :, :, :4])}
    y, present = session_of(attention_of(past=True, unidirectional=1)[0]).run(None, small)
    present = np.concatenate([present, np.zeros((2, 2, 3, 2, 8), np.float32)], 3)
    compare(model, [{"y": y, "present": present}], [values | {"used": np.array([4], np.int32)}], 1e-5)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("form", ["flat", "heads", "part"])
@pytest.mark.parametrize("places", ["first", "all"])
def test_rotary_embedding(places, form, interleaved):
    heads, depth, half = 3, 16, 4 if form == "part" else 8
    shape = ("b", heads, "s", depth) if form == "heads" else ("b", "s", heads * depth)
    attributes = {"num_heads": heads, "rotary_embedding_dim": 2 * half} if form == "part" else {}
    rotary = node("RotaryEmbedding", ["x", "i", "cos", "sin"], ["y"], interleaved=interleaved, **attributes)
    inputs = [("x", F, shape), ("i", I64, (1,) if places == "first" else ("b", "s"))]
    model = model_of([rotary], inputs, [("y", F, shape)], angles(32, half))
    feeds = []
    for batch, length in ((1, 1), (2, 5)):
        x = floats([{"b": batch, "s": length}.get(d, d) for d in shape])
        i = np.array([7]) if places == "first" else np.random.default_rng(0).integers(0, 32, (batch, length))
        feeds.append({"x": x, "i": i.astype(np.int64)})
    check(model, *feeds)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("form", ["flat", "heads"])
def test_rotary_embedding_of_places_in_time_height_and_width(form, layout, interleaved):
    shape = ("b", 3, "s", 16) if form == "heads" else ("b", "s", 48)
    rotary = node("MRotaryEmbedding", ["x", "i", "cos", "sin"], ["y"], num_heads=3, interleaved=interleaved, mrope_layout=layout,
                  mrope_section=[4, 2, 2])
    model = model_of([rotary], [("x", F, shape), ("i", I64, (3, "b", "s"))], [("y", F, shape)], angles(32, 8))
    check(model, *[{"x": floats([{"b": batch, "s": length}.get(d, d) for d in shape]),
                    "i": np.random.default_rng(0).integers(0, 32, (3, batch, length))} for batch, length in ((1, 1), (2, 5))])


def softmax(scores):
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    return scores / scores.sum(-1, keepdims=True)


def test_longformer_attention():
    """By its documentation; CUDA alone has it."""
    heads, depth, window, batch, length = 2, 4, 2, 2, 8
    width = heads * depth
    x, mask = floats((batch, length, width)), np.where(np.arange(length) < [[8], [6]], 0, -10000).astype(np.float32)
    flags = np.zeros((batch, length), np.int32)
    flags[0, 0] = flags[1, :2] = 1
    weights = [floats((width, 3 * width), i) * 0.4 for i in (1, 2)]
    biases = [floats((3 * width,), i) for i in (3, 4)]

    def attend(i, hidden):
        q, k, v = ((x @ weights[i] + biases[i]).reshape(batch, length, 3, heads, depth).transpose(2, 0, 3, 1, 4))
        scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(depth) + mask[:, None, None]
        return (softmax(np.where(hidden, -np.inf, scores)) @ v).transpose(0, 2, 1, 3).reshape(batch, length, width)

    places = np.arange(length)
    hidden = (abs(places[:, None] - places) > window) & ~flags.astype(bool)[:, None, None]
    wanted = np.where(flags[..., None], attend(1, False), attend(0, hidden)).astype(np.float32)
    layer = node("LongformerAttention", ["x", "w", "b", "m", "gw", "gb", "g"], ["y"], num_heads=heads, window=window)
    constants = [array(weights[0], "w"), array(biases[0], "b"), array(weights[1], "gw"), array(biases[1], "gb")]
    model = model_of([layer], [("x", F, ("b", "s", width)), ("m", F, ("b", "s")), ("g", I32, ("b", "s"))], [("y", F, ("b", "s", width))], constants)
    compare(model, [{"y": wanted}], [{"x": x, "m": mask, "g": flags}], 2e-5)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize("cross", [False, True])
def test_decoder_attention(cross, past, masked):
    """By its documentation; CUDA alone has it."""
    heads, depth, batch, new, other = 2, 4, 2, 3, 5
    width = heads * depth
    query, key = floats((new, batch, width)), floats((other, batch, width), 1)
    wq, wkv, bias = floats((width, width), 2) * 0.4, floats((width, 2 * width), 3) * 0.4, floats((3 * width,), 4)
    caches = {name: floats((batch, heads, other, depth), i) for i, name in enumerate(("kc", "vc"), 5)}
    apart = lambda rows: rows.reshape(-1, batch, heads, depth).transpose(1, 2, 0, 3)
    q = apart(query @ wq + bias[:width])
    k, v = (apart(rows) for rows in np.split((key if cross else query) @ wkv + bias[width:], 2, -1))
    if past:
        k, v = ((caches[name] if cross else np.concatenate([caches[name], x], 2)) for name, x in (("kc", k), ("vc", v)))
    mask = np.random.default_rng(0).random((batch, k.shape[2])) < 0.4
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(depth) + (mask[:, None, None] * -10000 if masked else 0)
    y = (softmax(scores) @ v).transpose(2, 0, 1, 3).reshape(new, batch, width)
    flags = [array(np.array([flag]), name) for name, flag in (("cross", cross), ("past", past), ("yes", True), ("masked", masked))]
    layer = node("DecoderAttention", ["q", "k", "wq", "wkv", "b", "m", "kc", "vc", "cross", "past", "yes", "masked"], ["y", "nk", "nv"], num_heads=heads)
    inputs = [("q", F, ("s", "b", width)), ("k", F, ("l", "b", width)), ("m", TensorProto.BOOL, ("b", "t"))]
    inputs += [(name, F, ("b", heads, "p", depth)) for name in caches]
    model = model_of([layer], inputs, ["y", "nk", "nv"], flags + [array(wq, "wq"), array(wkv, "wkv"), array(bias, "b")])
    wanted = {name: x.astype(np.float32) for name, x in (("y", y), ("nk", k), ("nv", v))}
    compare(model, [wanted], [{"q": query, "k": key, "m": mask} | caches], 2e-5)


def test_gemma_rotary_embedding():
    emb = floats((2, 5, 8))
    values = {name: floats((2, 3, 5, 8), i) for i, name in enumerate(("q", "qr", "k", "kr"), 1)}
    cos, sin = np.cos(emb)[:, None], np.sin(emb)[:, None]
    wanted = {"y": values["q"] * cos + values["qr"] * sin, "z": values["k"] * cos + values["kr"] * sin}
    model = model_of([node("GemmaRotaryEmbedding", ["e", "q", "qr", "k", "kr"], ["y", "z"])],
                     [("e", F, ("b", "s", 8))] + [(name, F, ("b", 3, "s", 8)) for name in values], ["y", "z"])
    compare(model, [wanted], [{"e": emb} | values], 1e-5)

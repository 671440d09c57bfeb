"""Indexers of sparse attention, and attention to what they choose, in ONNX Runtime's operators: against numpy, as ONNX Runtime has
them on devices only."""

import numpy as np
import pytest
import tenon
from microsoft import array, compare, floats, model_of, node
from onnx import TensorProto

F, F16, I64, I32 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.INT32
HEADS, DEPTH, ANGLES = 2, 8, 2
ROOM = 64


def rms(x, weight, epsilon=1e-6):
    x = x.astype(np.float64)
    return x / np.sqrt(np.mean(x * x, -1, keepdims=True) + epsilon) * weight


def leading(x, cosine, sine):
    """Halves of the first elements, with an angle each."""
    count = len(cosine)
    a, b = x[: count // 2], x[count // 2: count]
    turned = np.concatenate([-b, a])
    return np.concatenate([x[:count] * cosine + turned * sine, x[count:]])


def trailing(x, cosine, sine):
    """Neighbours among the last elements, with one angle for two."""
    y = x.copy()
    first = len(x) - 2 * len(cosine)
    for i, (c, s) in enumerate(zip(cosine, sine)):
        a, b = x[first + 2 * i], x[first + 2 * i + 1]
        y[first + 2 * i], y[first + 2 * i + 1] = a * c - b * s, b * c + a * s
    return y


def tables(policy, batch=None):
    angles = floats((ROOM, 2 * ANGLES if policy == "qsa" else ANGLES) if batch is None else
                    (batch, ROOM, 2 * ANGLES if policy == "qsa" else ANGLES), 40)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


class Indexer:
    """One request after the other, one token after the other."""

    def __init__(self, policy, ratio, chosen, query_weight, key_weight, cosines, sines, bias=None):
        self.policy, self.ratio, self.chosen, self.bias = policy, ratio, chosen, bias
        self.query_weight, self.key_weight = query_weight, key_weight
        self.cosines, self.sines = cosines, sines
        self.turn = leading if policy == "qsa" else trailing

    def at(self, table, b, place):
        return (table if table.ndim == 2 else table[b])[min(place, ROOM - 1)]

    def query(self, x, b, place):
        return [self.turn(rms(head, self.query_weight), self.at(self.cosines, b, place), self.at(self.sines, b, place))
                for head in x.reshape(HEADS, DEPTH)]

    def key(self, x, b, place):
        return self.turn(rms(x, self.key_weight), self.at(self.cosines, b, place), self.at(self.sines, b, place))

    def order(self, scores, visible):
        """Best first, of equal ones the first."""
        return sorted(range(visible), key=lambda i: (-scores[i], i))[: self.chosen]

    def tokens(self, query, keys, visible):
        """Of a list of the visible tokens' places: those of the best blocks, then those behind the last block."""
        blocks = len(visible) // self.ratio
        scores = [sum(max(h @ keys[i], 0) for h in query) for i in range(blocks)]
        best = self.order(scores, blocks)
        result = [visible[i * self.ratio + j] for i in best for j in range(self.ratio)] + visible[blocks * self.ratio:]
        capacity = self.chosen * self.ratio + self.ratio - 1
        return result + [-1] * (capacity - len(result)), len(result)

    def entries(self, query, weights, keys, visible):
        visible = min(visible, len(keys))
        scores = [sum(w * max(h @ keys[i], 0) for h, w in zip(query, weights)) for i in range(visible)]
        best = self.order(scores, visible)
        return best + [-1] * (self.chosen - len(best)), len(best)

    def windows(self, keys, gates, held):
        """Of a buffer of `held` rows and tokens behind it: what each new window gives, and what is left."""
        r, overlap = self.ratio, self.ratio if held >= self.ratio else 0
        count = (len(keys) - overlap) // r
        result = []
        for w in range(count):
            own = slice(overlap + w * r, overlap + (w + 1) * r)
            values, logits = [keys[own, DEPTH:]], [gates[own, DEPTH:] + self.bias[:, DEPTH:]]
            if overlap or w:
                before = slice(own.start - r, own.start)
                values.insert(0, keys[before, :DEPTH])
                logits.insert(0, gates[before, :DEPTH] + self.bias[:, :DEPTH])
            values, logits = np.concatenate(values).astype(np.float64), np.concatenate(logits).astype(np.float64)
            weights = np.exp(logits - logits.max(0))
            result.append((weights * values).sum(0) / weights.sum(0))
        first = overlap + (count - 1) * r if count else 0
        return result, first


def operands(policy, ratio):
    weights = {"qw": 1 + 0.1 * floats((DEPTH,), 30), "kw": 1 + 0.1 * floats((DEPTH,), 31)}
    if policy == "csa":
        weights["bias"] = floats((ratio, 2 * DEPTH), 32)
    return weights


@pytest.mark.parametrize("packed", [False, True], ids=["apart", "packed"])
@pytest.mark.parametrize("kind", ["plain", "mask", "room", "room mask", "per entry"])
def test_choosing_tokens(kind, packed):
    ratio, chosen = 3, 2
    weights = operands("qsa", ratio)
    b, s = 2, 5
    cosines, sines = tables("qsa", b if kind == "per entry" else None)
    weights.update(cos=cosines, sin=sines)
    inputs = [("x", F, (b if kind == "per entry" else "b", "s", (HEADS + packed) * DEPTH))]
    inputs += [] if packed else [("k", F, ("b", "s", DEPTH))]
    inputs += [("past", F, ("b", "p", DEPTH))] + ([("mask", I64, ("b", "m"))] if "mask" in kind else [])
    inputs += [("n", I32, (1,))] if "room" in kind else []
    names = ["x", "" if packed else "k", "qw", "kw", "cos", "sin", "mask" if "mask" in kind else "", "past"]
    names += ["", "", "", "", "n"] if "room" in kind else []
    layer = node("SparseAttentionIndexer", names, ["i", "present"], policy_mode="qsa", compress_ratio=ratio, token_budget=chosen * ratio)
    model = model_of([layer], inputs, [("i", I32, ("b", "s", "c")), ("present", F, ("b", "t", DEPTH))],
                     [array(np.asarray(value, np.float32), name) for name, value in weights.items()])
    indexer = Indexer("qsa", ratio, chosen, weights["qw"], weights["kw"], cosines, sines)
    feeds, wanted = [], []
    for past in (14, 0, 2):
        query, key = floats((b, s, HEADS * DEPTH), past), floats((b, s, DEPTH), past + 1)
        room = past + s + (4 if "room" in kind else 0)
        old = floats((b, room if "room" in kind else past, DEPTH), past + 2)
        present = old.copy() if "room" in kind else np.concatenate([old, key], 1)
        present[:, past: past + s] = key
        mask = (np.random.default_rng(past).random((b, past + s)) < 0.7).astype(np.int64)
        mask[:, past:] = 1
        indices = np.full((b, s, chosen * ratio + ratio - 1), -1, np.int32)
        for i in range(b):
            for j in range(s):
                visible = [t for t in range(past + j + 1) if "mask" not in kind or mask[i, t]]
                keys = [indexer.key(np.mean([present[i, t] for t in visible[k * ratio: (k + 1) * ratio]], 0), i, visible[k * ratio])
                        for k in range(len(visible) // ratio)]
                indices[i, j] = indexer.tokens(indexer.query(query[i, j], i, past + j), keys, visible)[0]
        feed = {"x": np.concatenate([query, key], 2) if packed else query, "k": key, "past": old, "mask": mask, "n": np.array([past], np.int32)}
        feeds.append({name: feed[name] for name, *_ in inputs})
        wanted.append({"i": indices, "present": present})
    compare(model, wanted, feeds, 1e-6)


@pytest.mark.parametrize("kind", ["plain", "room", "per entry"])
@pytest.mark.parametrize("held", [0, 2, 3, 5])
def test_choosing_entries(held, kind):
    ratio, chosen, b, s = 3, 2, 2, 7
    weights = operands("csa", ratio)
    cosines, sines = tables("csa", b if kind == "per entry" else None)
    weights.update(cos=cosines, sin=sines)
    inputs = [("x", F, (b, "s", HEADS * DEPTH)), ("k", F, (b, "s", 2 * DEPTH)), ("past", F, (b, "p", DEPTH)), ("g", F, (b, "s", 2 * DEPTH)),
              ("w", F, (b, "s", HEADS)), ("at", I64, (b, "s")), ("buffer", F, (2, b, "l", 2 * DEPTH))]
    names = ["x", "k", "qw", "kw", "cos", "sin", "", "past", "g", "bias", "w", "at", "n" if kind == "room" else "", "buffer"]
    inputs += [("n", I32, (1,))] if kind == "room" else []
    layer = node("SparseAttentionIndexer", names, ["i", "present", "left"], policy_mode="csa", compress_ratio=ratio, index_topk=chosen, epsilon=1e-3)
    model = model_of([layer], inputs, [("i", I32, (b, "s", chosen)), ("present", F, (b, "t", DEPTH)), ("left", F, (2, b, "m", 2 * DEPTH))],
                     [array(np.asarray(value, np.float32), name) for name, value in weights.items()])
    indexer = Indexer("csa", ratio, chosen, weights["qw"], weights["kw"], cosines, sines, weights["bias"])
    feeds, wanted = [], []
    for past, s in ((2, 7), (4, 1), (0, 2)):
        feed = {name: floats([{"s": s, "p": past, "l": held}.get(size, size) for size in shape], i + past)
                for i, (name, _, shape) in enumerate(inputs)}
        feed["at"] = np.tile(np.arange(s) + past * ratio + held % ratio, (b, 1))
        if kind == "room":
            feed["n"] = np.array([past], np.int32)
            feed["past"] = floats((b, past + 4, DEPTH), past + 2)
        keys, gates = (np.concatenate([feed["buffer"][i], feed[name]], 1) for i, name in enumerate("kg"))
        indices, present, left = np.full((b, s, chosen), -1, np.int32), [], []
        for i in range(b):
            fresh, first = indexer.windows(keys[i], gates[i], held)
            fresh = [indexer.turn(rms(x, weights["kw"], 1e-3), indexer.at(cosines, i, (past + w) * ratio), indexer.at(sines, i, (past + w) * ratio))
                     for w, x in enumerate(fresh)]
            entries = [*feed["past"][i, :past], *fresh]
            for j in range(s):
                place = feed["at"][i, j]
                query = [indexer.turn(rms(head, weights["qw"], 1e-3), indexer.at(cosines, i, place), indexer.at(sines, i, place))
                         for head in feed["x"][i, j].reshape(HEADS, DEPTH)]
                indices[i, j] = indexer.entries(query, feed["w"][i, j], entries, (place + 1) // ratio)[0]
            rest = feed["past"][i, len(entries):] if kind == "room" else np.zeros((0, DEPTH))
            present.append(np.concatenate([np.reshape(entries, (-1, DEPTH)), rest]))
            left.append([keys[i, first:], gates[i, first:]])
        feeds.append(feed)
        wanted.append({"i": indices, "present": np.array(present, np.float32), "left": np.array(left, np.float32).transpose(1, 0, 2, 3)})
    compare(model, wanted, feeds, 1e-5)


def packed_model(policy, ratio, chosen, room, captured, per_entry, joined):
    weights = operands(policy, ratio)
    width = DEPTH if policy == "qsa" else 2 * DEPTH
    cosines, sines = tables(policy, 4 if per_entry else None)
    weights.update(cos=cosines, sin=sines)
    inputs = [("x", F, ("n", (HEADS + joined) * DEPTH))] + ([] if joined else [("k", F, ("n", width))])
    inputs += [("ends", I32, (5,)), ("past", I32, (4,)), ("state", F, (4, room, DEPTH)), ("buffer", F, (4, 2 * ratio - 1, width)), ("lengths", I32, (4, 2))]
    names = ["x", "" if joined else "k", "qw", "kw", "cos", "sin", "ends", "past", "", "", "", "", "state", "buffer", "", "lengths"]
    outputs = [("i", I32, ("n", "c")), ("count", I32, ("n",)), ("state2", F, (4, room, DEPTH)), ("buffer2", F, (4, 2 * ratio - 1, width)),
               ("lengths2", I32, (4, 2)), ("status", I32, (4,))]
    attributes = {"token_budget": chosen * ratio} if policy == "qsa" else {"index_topk": chosen}
    if policy == "csa":
        inputs += [("g", F, ("n", width)), ("w", F, ("n", HEADS)), ("at", I64, ("n",)), ("gates", F, (4, 2 * ratio - 1, width))]
        names[8:12], names[14] = ["g", "bias", "w", "at"], "gates"
        outputs.append(("gates2", F, (4, 2 * ratio - 1, width)))
    if captured:
        inputs += [("captures", I32, (4,)), ("active", I32, (1,))]
        names += ["captures", "active"]
        attributes["state_update_capacity"] = captured
        outputs.append(("update", F, (4, captured, DEPTH)))
    results = ["i", "count", "state2", "buffer2", "gates2" if policy == "csa" else "", "lengths2", "update" if captured else "", "", "status"]
    layer = node("PackedSparseAttentionIndexer", names, results, policy_mode=policy, compress_ratio=ratio, state_capacity=room, **attributes)
    model = model_of([layer], inputs, outputs, [array(np.asarray(value, np.float32), name) for name, value in weights.items()])
    return model, inputs, Indexer(policy, ratio, chosen, weights["qw"], weights["kw"], cosines, sines, weights.get("bias"))


@pytest.mark.parametrize("joined", [False, True], ids=["apart", "joined"])
@pytest.mark.parametrize("captured,active", [(0, 1), (4, 1), (4, 0)], ids=["plain", "captured", "inactive"])
@pytest.mark.parametrize("per_entry", [False, True], ids=["shared", "per entry"])
def test_choosing_tokens_of_packed_requests(per_entry, captured, active, joined):
    ratio, chosen, room = 3, 2, 6
    model, inputs, indexer = packed_model("qsa", ratio, chosen, room, captured, per_entry, joined)
    feeds, wanted = [], []
    # The third has no tokens; the last of the second feed has no room for another entry, of the third numbers that contradict.
    for lengths, past in (((5, 1, 0, 4), (7, 0, 3, 2)), ((1, 1, 0, 2), (8, 5, 1, 17)), ((2, 2, 0, 2), (0, 1, 2, 4))):
        n = sum(lengths)
        feed = {"x": floats((n, HEADS * DEPTH), n), "k": floats((n, DEPTH), n + 1), "ends": np.cumsum([0, *lengths]).astype(np.int32),
                "past": np.array(past, np.int32), "state": floats((4, room, DEPTH), n + 2), "buffer": floats((4, 2 * ratio - 1, DEPTH), n + 3),
                "lengths": np.array([divmod(p, ratio) for p in past], np.int32), "captures": np.array([2, 9, 3, 4], np.int32),
                "active": np.array([active], np.int32)}
        if lengths[0] == 2:
            feed["lengths"][3] = [2, 2]
        result = {"state2": feed["state"].copy(), "buffer2": feed["buffer"].copy(), "lengths2": feed["lengths"].copy(),
                  "status": np.zeros(4, np.int32), "i": np.full((n, chosen * ratio + ratio - 1), -1, np.int32), "count": np.zeros(n, np.int32)}
        if captured:
            result["update"] = np.zeros((4, captured, DEPTH), np.float32)
        for b in range(4):
            entries, held = feed["lengths"][b]
            if (entries, held) != divmod(past[b], ratio):
                result["status"][b] = 1
                continue
            if entries + (held + lengths[b]) // ratio > room:
                result["status"][b] = 2
                continue
            state, buffer, first = list(feed["state"][b, :entries]), list(feed["buffer"][b, :held]), feed["ends"][b]
            for i in range(lengths[b]):
                buffer.append(feed["k"][first + i])
                payload = buffer[-1]
                if len(buffer) == ratio:
                    payload = indexer.key(np.mean(buffer, 0), b, len(state) * ratio).astype(np.float32)
                    state.append(payload)
                    buffer = []
                if captured and active and i < min(captured, feed["captures"][b]):
                    result["update"][b, i] = payload
            for i in range(lengths[b]):
                place = past[b] + i
                query = indexer.query(feed["x"][first + i], b, place)
                result["i"][first + i], result["count"][first + i] = indexer.tokens(query, state, list(range(place + 1)))
            result["state2"][b, : len(state)] = np.reshape(state, (-1, DEPTH))
            result["buffer2"][b, : len(buffer)] = np.reshape(buffer, (-1, DEPTH))
            result["lengths2"][b] = len(state), len(buffer)
        if joined:
            feed["x"] = np.concatenate([feed["x"], feed["k"]], 1)
        feeds.append({name: feed[name] for name, *_ in inputs})
        wanted.append(result)
    compare(model, wanted, feeds, 1e-5)


@pytest.mark.parametrize("per_entry", [False, True], ids=["shared", "per entry"])
def test_choosing_entries_of_packed_requests(per_entry):
    ratio, chosen, room = 3, 2, 5
    model, inputs, indexer = packed_model("csa", ratio, chosen, room, 0, per_entry, False)
    feeds, wanted = [], []
    for lengths, held, entries in (((7, 1, 0, 4), (0, 5, 3, 4), (0, 2, 1, 3)), ((1, 2, 0, 2), (2, 3, 5, 5), (1, 0, 2, 5))):
        n = sum(lengths)
        feed = {name: floats([n if size == "n" else size for size in shape], i + n) for i, (name, _, shape) in enumerate(inputs)}
        feed["ends"], feed["past"] = np.cumsum([0, *lengths]).astype(np.int32), np.array(entries, np.int32) * ratio
        feed["lengths"] = np.array([entries, held], np.int32).T
        feed["at"] = np.concatenate([e * ratio + h % ratio + np.arange(count) for e, h, count in zip(entries, held, lengths)]).astype(np.int64)
        result = {"state2": feed["state"].copy(), "buffer2": feed["buffer"].copy(), "gates2": feed["gates"].copy(), "lengths2": feed["lengths"].copy(),
                  "status": np.zeros(4, np.int32), "i": np.full((n, chosen), -1, np.int32), "count": np.zeros(n, np.int32)}
        for b in range(4):
            own = slice(feed["ends"][b], feed["ends"][b + 1])
            keys, gates = (np.concatenate([feed[old][b, : held[b]], feed[new][own]]) for old, new in (("buffer", "k"), ("gates", "g")))
            fresh, first = indexer.windows(keys, gates, held[b])
            if entries[b] + len(fresh) > room:
                result["status"][b] = 2
                continue
            fresh = [indexer.key(x, b, (entries[b] + w) * ratio).astype(np.float32) for w, x in enumerate(fresh)]
            state = [*feed["state"][b, : entries[b]], *fresh]
            for t in range(own.start, own.stop):
                query = indexer.query(feed["x"][t], b, feed["at"][t])
                result["i"][t], result["count"][t] = indexer.entries(query, feed["w"][t], state, (feed["at"][t] + 1) // ratio)
            result["state2"][b, : len(state)] = np.reshape(state, (-1, DEPTH))
            result["buffer2"][b, : len(keys) - first], result["gates2"][b, : len(keys) - first] = keys[first:], gates[first:]
            result["lengths2"][b] = len(state), len(keys) - first
        feeds.append(feed)
        wanted.append(result)
    compare(model, wanted, feeds, 1e-5)


@pytest.mark.parametrize("change,message", [
    ({"policy_mode": "other"}, "qsa or csa"), ({"compress_ratio": 0}, "compress_ratio"), ({"token_budget": 7}, "divides token_budget"),
    ({"index_topk": 2}, "no attribute of the other"), ({"policy_mode": "csa", "token_budget": None, "index_topk": 2}, "operand 8|operand 6"),
    ({"token_budget": None}, "token_budget from 1"), ({"without": "qw"}, "expects operand 2"), ({"without": "cos"}, "expects operand 4"),
    ({"without": "past"}, "expects operand 7")])
def test_policies_that_make_no_sense(change, message):
    attributes = {"policy_mode": "qsa", "compress_ratio": 3, "token_budget": 6, **change}
    missing = attributes.pop("without", None)
    cosines, sines = tables("qsa")
    weights = operands("qsa", 3) | {"cos": cosines, "sin": sines}
    inputs = [("x", F, ("b", "s", HEADS * DEPTH)), ("k", F, ("b", "s", DEPTH if attributes["policy_mode"] != "csa" else 2 * DEPTH)), ("past", F, ("b", "p", DEPTH))]
    names = ["" if name == missing else name for name in ("x", "k", "qw", "kw", "cos", "sin", "", "past", "")]
    layer = node("SparseAttentionIndexer", names, ["i", "present"], **{name: value for name, value in attributes.items() if value is not None})
    model = model_of([layer], inputs, [("i", I32, ("b", "s", "c"))], [array(np.asarray(value, np.float32), name) for name, value in weights.items()])
    with pytest.raises(tenon.CompileError, match=message):
        tenon.compile(model)


def attention(query, keys, values, scale, sink):
    """Of one head: 0 where there is nothing to read."""
    logits = np.array([query @ key * scale for key in keys] + ([] if sink is None else [sink]))
    if not len(logits):
        return np.zeros_like(query)
    weights = np.exp(logits - logits.max())
    weights /= weights.sum()
    return sum((w * v for w, v in zip(weights, values)), np.zeros_like(query))


@pytest.mark.parametrize("features", [(), ("packed",), ("sink",), ("smooth",), ("norms", "rotary"), ("norms", "rotary", "interleaved", "offset", "places"),
                                      ("int8",), ("scale",)], ids=lambda f: "-".join(f) or "plain")
@pytest.mark.parametrize("mode", ["selected", "local", "shared"])
def test_dynamic_sparse_attention(mode, features):
    heads, shared, depth, b, s, room, other, most, window = 4, 2, 16, 2, 3, 12, 6, 4, 3
    attributes = {"num_heads": heads, "kv_num_heads": shared}
    data = {"x": floats((b, s, heads * depth)), "k": floats((b, s, shared * depth), 1), "v": floats((b, s, shared * depth), 2),
            "pk": floats((b, shared, room, depth), 3), "pv": floats((b, shared, room, depth), 4)}
    random = np.random.default_rng(5)
    used = np.array([9, 4], np.int32)
    if "packed" in features:
        data["x"] = np.concatenate([data["x"], data["k"], data["v"]], 2)
    names = ["x", "k", "v", "pk", "pv", "", "", "i", "c", "n", "t"] + [""] * 9
    if "packed" in features:
        names[1] = names[2] = ""
    reach = room if mode == "selected" else other
    data["i"] = np.stack([random.permutation(reach)[:most] for _ in range(b * s)]).astype(np.int32)
    data["c"] = np.array([0, 1, 4, 2, 3, 4], np.int32)
    data["i"][np.arange(most) >= data["c"][:, None]] = -1
    data["n"], data["t"] = used - 1, np.array([used.max()], np.int32)
    if mode != "selected":
        attributes |= {"attention_mode": "local_plus_selected", "selected_kv_source": "auxiliary", "local_window_size": window}
        data["ak"], names[5] = floats((b, shared, other, depth), 6), "ak"
        if mode == "shared":
            attributes["auxiliary_kv_shared"] = 1
        else:
            data["av"], names[6] = floats((b, shared, other, depth), 7), "av"
    scale = 1 / np.sqrt(depth)
    if "scale" in features:
        attributes["scale"] = scale = 0.3
    offset = 8 if "offset" in features else 0
    if "rotary" in features:
        attributes |= {"do_rotary": 1, "rotary_offset": offset, "rotary_interleaved": int("interleaved" in features)}
        angles = floats((32, 2), 8)
        data["cos"], data["sin"] = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
        names[11:13] = ["cos", "sin"]
    if "places" in features:
        data["at"], names[13] = random.integers(0, 32, (b, s)), "at"
    if "norms" in features:
        data["qw"], data["kw"] = 1 + 0.1 * floats((depth,), 9), 1 + 0.1 * floats((depth,), 10)
        names[14:16] = ["qw", "kw"]
    sinks = [None] * heads
    if "sink" in features:
        data["sink"], names[16] = floats((heads,), 11), "sink"
        sinks = list(data["sink"])
    if "smooth" in features:
        attributes["smooth_softmax"] = 1
        sinks = [0.0] * heads
    if "int8" in features:
        data["pk"], data["pv"] = (random.integers(-100, 100, (b, shared, room, depth)).astype(np.int8) for _ in range(2))
        data["ks"], data["vs"] = (np.abs(floats((shared * depth,), i)) * 0.02 + 0.01 for i in (12, 13))
        names[18:20] = ["ks", "vs"]

    def prepared(x, weight, b, place):
        if "norms" in features:
            x = rms(x, weight)
        x = x.astype(np.float64)
        if "rotary" in features:
            c, n = data["cos"][place], data["sin"][place]
            y, part = x.copy(), x[offset: offset + 4]
            a, z = (part[::2], part[1::2]) if "interleaved" in features else (part[:2], part[2:])
            first, second = a * c - z * n, z * c + a * n
            y[offset: offset + 4] = np.stack([first, second], 1).ravel() if "interleaved" in features else np.concatenate([first, second])
            x = y
        return x
    present = {"pk": data["pk"].copy(), "pv": data["pv"].copy()}
    queries = data["x"][..., : heads * depth].reshape(b, s, heads, depth)
    fresh = {"pk": data["k"].reshape(b, s, shared, depth), "pv": data["v"].reshape(b, s, shared, depth)}
    scales = {name: data[other].reshape(shared, depth) for name, other in (("pk", "ks"), ("pv", "vs")) if "int8" in features}
    for i in range(b):
        for j in range(s):
            place = used[i] - s + j
            for name in present:
                for h in range(shared):
                    x = fresh[name][i, j, h]
                    x = prepared(x, data.get("kw"), i, data["at"][i, j] if "places" in features else place) if name == "pk" else x
                    present[name][i, h, place] = np.clip(np.rint(x / scales[name][h]), -128, 127) if scales else x
    plain = {name: value * (scales[name][:, None] if scales else 1.0) for name, value in present.items()}
    y = np.zeros((b, s, heads, depth))
    for i in range(b):
        for j in range(s):
            place, chosen = used[i] - s + j, data["i"][i * s + j][: data["c"][i * s + j]]
            for h in range(heads):
                g = h // (heads // shared)
                query = prepared(queries[i, j, h], data.get("qw"), i, data["at"][i, j] if "places" in features else place)
                if mode == "selected":
                    keys = [(plain["pk"][i, g, t], plain["pv"][i, g, t]) for t in chosen if t <= place]
                else:
                    keys = [(plain["pk"][i, g, t], plain["pv"][i, g, t]) for t in range(max(0, place - window + 1), place + 1)]
                    keys += [(data["ak"][i, g, t], data.get("av", data["ak"])[i, g, t]) for t in chosen]
                y[i, j, h] = attention(query, [k for k, _ in keys], [v for _, v in keys], scale, sinks[h])
    while not names[-1]:
        names.pop()
    types = {np.dtype(np.float32): F, np.dtype(np.int32): I32, np.dtype(np.int64): I64, np.dtype(np.int8): TensorProto.INT8}
    inputs = [(name, types[data[name].dtype], data[name].shape) for name in names if name]
    layer = node("DynamicSparseAttention", names, ["y", "nk", "nv"], **attributes)
    cache = TensorProto.INT8 if "int8" in features else F
    outputs = [("y", F, (b, s, heads * depth)), ("nk", cache, present["pk"].shape), ("nv", cache, present["pv"].shape)]
    wanted = {"y": y.reshape(b, s, -1).astype(np.float32), "nk": present["pk"], "nv": present["pv"]}
    compare(model_of([layer], inputs, outputs), [wanted], [{name: data[name] for name in names if name}], 1e-5)

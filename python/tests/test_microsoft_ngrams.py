"""Hashes of the last tokens in ONNX Runtime's operators, against it."""

import numpy as np
import pytest
import tenon
from microsoft import array, check, model_of, node
from onnx import TensorProto

I64, I32 = TensorProto.INT64, TensorProto.INT32


def constants(dtype, reach, heads):
    random = np.random.default_rng(1)
    return {"m": (random.integers(1, 2**40 if dtype == np.int64 else 2**20, reach + 1) | 1).astype(dtype),
            "v": random.integers(7, 1000, reach * heads).astype(dtype), "o": np.arange(reach * heads, dtype=dtype) * 1000}


@pytest.mark.parametrize("segments", [False, True], ids=["whole", "segments"])
@pytest.mark.parametrize("eos", [None, 0, 1], ids=["pad", "eos", "reset"])
@pytest.mark.parametrize("past", [False, True], ids=["first", "later"])
@pytest.mark.parametrize("dtype", [np.int64, np.int32])
def test_ngram_hash_mapping(dtype, past, eos, segments):
    reach, heads, t = 3, 2, I64 if dtype == np.int64 else I32
    data = constants(dtype, reach, heads)
    if eos is not None:
        data["e"] = np.array(2, dtype)
    inputs = [("x", t, ("b", "s"))] + ([("p", t, ("b", reach))] if past else []) + ([("g", I32, ("b", "s"))] if segments else [])
    names = ["x", "m", "v", "p" if past else "", "o", "e" if eos is not None else "", "g" if segments else ""]
    while not names[-1]:
        names.pop()
    layer = node("NGramHashMapping", names, ["h", "n"], max_ngram_size=reach + 1, n_head_per_ngram=heads, pad_id=1, reset_on_eos=eos or 0)
    model = model_of([layer], inputs, ["h", "n"], [array(value, name) for name, value in data.items()])
    random = np.random.default_rng(2)
    feeds = []
    for b, s in ((2, 9), (1, 1), (3, 2)):
        feed = {"x": random.integers(0, 9, (b, s)).astype(dtype), "p": random.integers(0, 9, (b, reach)).astype(dtype),
                "g": np.sort(random.integers(0, 3, (b, s)), 1).astype(np.int32)}
        feeds.append({name: feed[name] for name, *_ in inputs})
    check(model, *feeds, tolerance=0)


@pytest.mark.parametrize("segments", [False, True], ids=["whole", "segments"])
@pytest.mark.parametrize("eos", [None, 1], ids=["pad", "reset"])
@pytest.mark.parametrize("past", [False, True], ids=["first", "later"])
def test_ngrams_of_packed_requests(past, eos, segments):
    reach, heads, dtype = 3, 2, np.int64
    data = constants(dtype, reach, heads)
    if eos is not None:
        data["e"] = np.array(2, dtype)
    inputs = [("x", I64, ("n",)), ("c", I32, (4,)), ("k", I32, (3,))] + ([("p", I64, (3, reach))] if past else [])
    inputs += [("g", I32, ("n",))] if segments else []
    inputs += [("q", I32, (3, reach))] if segments and past else []
    names = ["x", "m", "v", "c", "p" if past else "", "o", "e" if eos is not None else "", "g" if segments else "",
             "q" if segments and past else "", "k"]
    outputs = ["h", "n", "s" if segments and past else "", "u"]
    layer = node("VarlenNGramHashMapping", names, outputs, max_ngram_size=reach + 1, n_head_per_ngram=heads, pad_id=1,
                 reset_on_eos=eos or 0, state_update_capacity=4)
    model = model_of([layer], inputs, [output for output in outputs if output], [array(value, name) for name, value in data.items()])
    random = np.random.default_rng(2)
    feeds = []
    for ends in ((0, 5, 6, 11), (0, 1, 2, 3)):
        n = ends[-1]
        feed = {"x": random.integers(0, 9, n), "c": np.array(ends, np.int32), "p": random.integers(0, 9, (3, reach)),
                "k": np.array([3, 9, 0], np.int32), "g": random.integers(0, 2, n).astype(np.int32),
                "q": random.integers(0, 2, (3, reach)).astype(np.int32)}
        feeds.append({name: feed[name] for name, *_ in inputs})
    check(model, *feeds, tolerance=0)


@pytest.mark.parametrize("change,message", [
    ({"max_ngram_size": 1}, "max_ngram_size of at least 2"), ({"n_head_per_ngram": 3}, "9 vocab_sizes"),
    ({"n_head_per_ngram": 2**40}, "n_head_per_ngram"), ({"pad_id": None}, "pad_id")])
def test_ngrams_that_make_no_sense(change, message):
    attributes = {"max_ngram_size": 4, "n_head_per_ngram": 2, "pad_id": 1, **change}
    layer = node("NGramHashMapping", ["x", "m", "v"], ["h"], **{name: value for name, value in attributes.items() if value is not None})
    model = model_of([layer], [("x", I64, ("b", "s"))], ["h"], [array(value, name) for name, value in constants(np.int64, 3, 2).items()])
    with pytest.raises(tenon.CompileError, match=message):
        tenon.compile(model)

"""TfIdfVectorizer: n-grams of strings and integers, against ONNX Runtime."""

import numpy as np
import onnxruntime
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper

T = TensorProto
WORDS = np.array(["a", "bc", "def", "Ünï", "", "x y"], object)


def pool_of(rng, longest, each, isText):
    """Different n-grams of each length, one behind the other; some begin as others do."""
    starts, pool, count = [], [], 0
    for length in range(1, longest + 1):
        starts.append(len(pool))
        grams = sorted({tuple(rng.integers(0, 5, length)) for _ in range(each)})
        count += len(grams)
        pool += [token for gram in grams for token in gram]
    tokens = [str(WORDS[token]) for token in pool] if isText else [int(token) * 7 - 9 for token in pool]
    return starts, tokens, count


def model_of(isText, element, sizes, rng, longest, shortest, skips, mode, weighted, each=6):
    starts, pool, count = pool_of(rng, longest, each, isText)
    attributes = {"pool_strings" if isText else "pool_int64s": pool, "ngram_counts": starts, "ngram_indexes": [int(i) for i in rng.permutation(count)],
                  "min_gram_length": shortest, "max_gram_length": longest, "max_skip_count": skips, "mode": mode}
    if weighted:
        attributes["weights"] = [float(w) for w in rng.random(count).astype(np.float32)]
    node = helper.make_node("TfIdfVectorizer", ["x"], ["y"], **attributes)
    return make_model([node], [("x", element, sizes)], [("y", T.FLOAT, None)], opset=9)


@pytest.mark.parametrize("element, rank, longest, shortest, skips, mode, weighted", [
    (T.INT32, 2, 1, 1, 0, "TF", False), (T.INT64, 1, 2, 1, 0, "IDF", True), (T.STRING, 2, 2, 2, 5, "TFIDF", True), (T.INT64, 2, 3, 2, 1, "IDF", False),
    (T.STRING, 1, 3, 3, 0, "TFIDF", False), (T.INT64, 2, 3, 1, 2, "TF", True), (T.STRING, 2, 3, 1, 2, "IDF", True)])
def test_counts(element, rank, longest, shortest, skips, mode, weighted):
    rng, isText = np.random.default_rng(longest * 100 + skips), element == T.STRING
    model = model_of(isText, element, ["n", "c"][2 - rank:], rng, longest, shortest, skips, mode, weighted)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    compiled, reference = tenon.compile(model, threads=1), tenon.reference(model)
    for length in (1, 2, 12, 40):
        tokens = rng.integers(0, 6, (3, length)[2 - rank:])
        x = WORDS[tokens] if isText else (tokens * 7 - 9).astype(np.int32 if element == T.INT32 else np.int64)
        expected = session.run(None, {"x": x})[0]
        for actual in (compiled.run({"x": x})["y"], reference.run({"x": x})["y"]):
            assert actual.shape == expected.shape
            np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_many():
    """A pool as large as a vocabulary."""
    rng = np.random.default_rng(9)
    pool = rng.permutation(20000)
    node = helper.make_node("TfIdfVectorizer", ["x"], ["y"], pool_int64s=[int(i) for i in pool], ngram_counts=[0, 20000][:1], mode="TF", max_skip_count=0,
                            ngram_indexes=list(range(20000)), min_gram_length=1, max_gram_length=1)
    model = make_model([node], [("x", T.INT64, ["n", 50])], [("y", T.FLOAT, None)], opset=9)
    x = rng.integers(-10, 20010, (2, 50))
    expected = np.stack([[np.count_nonzero(row == token) for token in pool] for row in x])
    np.testing.assert_array_equal(tenon.compile(model, threads=1).run({"x": x})["y"], expected)


def test_no_tokens():
    rng = np.random.default_rng(1)
    for element, x in ((T.INT64, np.zeros((2, 0), np.int64)), (T.STRING, np.zeros((2, 0), object))):
        model = model_of(element == T.STRING, element, ["n", "c"], rng, 2, 1, 0, "TF", False)
        for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
            assert not run({"x": x})["y"].any()


@pytest.mark.parametrize("change, text", [({"mode": "BM25"}, "mode TF"), ({"min_gram_length": 3}, "min_gram_length"), ({"ngram_counts": [0, 5]}, "whole n-grams"),
                                          ({"ngram_indexes": [-1]}, "ngram_indexes"), ({"pool_strings": ["a"], "pool_int64s": None}, "pool_int64s for integers"),
                                          ({"weights": [1.0], "mode": "IDF"}, "weights")])
def test_refused(change, text):
    attributes = {"pool_int64s": [1, 2, 3, 4, 5, 6], "ngram_counts": [0, 2], "ngram_indexes": [0, 1, 2, 3], "min_gram_length": 1, "max_gram_length": 2,
                  "max_skip_count": 0, "mode": "TF"} | change
    node = helper.make_node("TfIdfVectorizer", ["x"], ["y"], **{name: value for name, value in attributes.items() if value is not None})
    with pytest.raises(tenon.CompileError, match=text):
        tenon.compile(make_model([node], [("x", T.INT64, [4])], [("y", T.FLOAT, None)], opset=9))

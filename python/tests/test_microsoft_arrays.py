"""Operators on arrays that ONNX Runtime adds to the standard's."""

import numpy as np
import pytest
from microsoft import array, check, compare, floats, model_of, node
from onnx import TensorProto

F, I32, I64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


def test_operators_that_became_the_standards():
    layers = [node("Trilu", ["x"], ["a"], upper=0), node("GatherND", ["x", "i"], ["b"]), node("Pad", ["x", "p", "v"], ["c"]),
              node("Range", ["zero", "four"], ["d"]), node("ExpandDims", ["x", "axis"], ["e"]), node("SampleOp", ["x"], ["f"]),
              node("UnfoldTensor", ["x"], ["g"], dim=1, size=3, step=2)]
    constants = [array(np.array([[1, 0], [0, 2]]), "i"), array(np.array([[1, 0, 0, 2]]), "p"), array(np.float32([7]), "v"),
                 array(np.float32(0), "zero"), array(np.float32(4), "four"), array(np.array([-1], np.int32), "axis")]
    check(model_of(layers, [("x", F, ("n", "m"))], list("abcdefg"), constants), {"x": floats((4, 5))}, {"x": floats((2, 8))})


@pytest.mark.parametrize("metric", ["sqeuclidean", "euclidean"])
def test_distances(metric):
    model = model_of([node("CDist", ["a", "b"], ["y"], metric=metric)], [("a", F, ("n", 5)), ("b", F, ("m", 5))], ["y"])
    check(model, {"a": floats((3, 5)), "b": floats((4, 5), 1)}, tolerance=1e-4)


@pytest.mark.parametrize("only", [None, "isinf_only", "isnan_only"])
def test_is_all_finite(only):
    layer = node("IsAllFinite", ["a", "b"], ["y"], **({only: 1} if only else {}))
    feeds = [{"a": floats((3,)), "b": np.float32([[1, bad]])} for bad in (2, np.inf, np.nan, -np.inf)]
    fine = {None: np.isfinite, "isinf_only": lambda x: ~np.isinf(x), "isnan_only": lambda x: ~np.isnan(x)}[only]
    wanted = [{"y": np.bool_(fine(feed["b"]).all())} for feed in feeds]
    compare(model_of([layer], [("a", F, ("n",)), ("b", F, (1, "m"))], ["y"]), wanted, feeds, 0)


def test_complex_products():
    a, b = floats((3, 4, 2)), floats((4, 2), 1)
    x, y = a[..., 0] + 1j * a[..., 1], b[..., 0] + 1j * b[..., 1]
    wanted = {name: np.stack([z.real, z.imag], -1).astype(np.float32) for name, z in (("p", x * y), ("q", x * y.conj()))}
    model = model_of([node("ComplexMul", ["a", "b"], ["p"]), node("ComplexMulConj", ["a", "b"], ["q"])],
                     [("a", F, ("n", 4, 2)), ("b", F, (4, 2))], ["p", "q"])
    compare(model, [wanted], [{"a": a, "b": b}], 1e-6)


def test_torch_embedding():
    table, indices = floats((7, 3)), np.array([[1, 6], [0, 3]])
    model = model_of([node("TorchEmbedding", ["t", "i"], ["y"])], [("i", I64, ("n", 2))], ["y"], [array(table, "t")])
    compare(model, [{"y": table[indices]}], [{"i": indices}], 0)

"""Operators on arrays that ONNX Runtime adds to the standard's."""

import numpy as np
import pytest
import tenon
from microsoft import MS, array, check, compare, floats, model_of, node
from onnx import TensorProto, helper

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


@pytest.mark.parametrize("shape", [("n", "n"), ("b", 3, 3), (2, "b", "n", "n")], ids=len)
def test_inverse(shape):
    model = model_of([node("Inverse", ["x"], ["y"])], [("x", F, shape)], ["y"])
    feeds = []
    for b, n in ((2, 3), (1, 1 if "n" in shape else 3), (3, 7 if "n" in shape else 3)):
        x = floats([{"b": b, "n": n}.get(d, d) for d in shape], n)
        x[..., 0, 0] = 0 if n > 1 else 2  # a pivot has to be found
        feeds.append({"x": x})
    check(model, *feeds, tolerance=1e-3)


@pytest.mark.parametrize("domain", [MS, ""], ids=["microsoft", "standard"])
@pytest.mark.parametrize("sorted", [0, 1])
def test_unique(sorted, domain):
    names = ["y", "i", "c"] if domain else ["y", "f", "i", "c"]
    layer = node("Unique", ["x"], names, domain=domain, **({} if domain else {"sorted": sorted}))
    inputs = [("x", F, ("n",) if domain else ("n", "m"))]
    shapes = [(1,), (40,)] if domain else [(1, 1), (8, 5)]
    feeds = [{"x": np.random.default_rng(0).integers(-4, 5, shape).astype(np.float32)} for shape in shapes]
    check(model_of([layer], inputs, names), *feeds)


def test_unique_of_nothing_and_of_integers():
    model = model_of([node("Unique", ["x"], ["y", "f", "i", "c"], domain="", axis=0)], [("x", I64, ("n",))], list("yfic"))
    check(model, {"x": np.array([3, 1, 1, 2, 3])})
    empty = np.zeros(0, np.int64)
    compare(model, [dict.fromkeys("yfic", empty)], [{"x": empty}], 0)


@pytest.mark.parametrize("kind", [np.int32, np.uint32, np.int64, np.uint64])
def test_murmur_hash(kind):
    """ONNX Runtime's kernel takes what NumPy's integers of that kind are."""
    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    layers = [node("MurmurHash3", ["x"], ["y"]), node("MurmurHash3", ["x"], ["z"], positive=0, seed=2**31 + 5)]
    outputs = [("y", TensorProto.UINT32, ("n",)), ("z", I32, ("n",))]
    x = np.array([0, 1, 3, 2**31 - 1, 12345], kind)
    check(model_of(layers, [("x", element, ("n",))], outputs), {"x": x if kind in (np.uint32, np.uint64) else np.append(x, -x[1:])})


@pytest.mark.parametrize("spatial, attributes", [(1, {}), (2, {"strides": [2, 1]}), (2, {"pads": [1, 0, 1, 1]}), (3, {"pads": [1] * 6})])
def test_max_pool_with_a_mask(spatial, attributes):
    layer = node("MaxpoolWithMask", ["x", "m"], ["y"], kernel_shape=[3, 2, 2][:spatial], **attributes)
    sizes = tuple("hwd"[:spatial])
    model = model_of([layer], [("x", F, ("n", 3) + sizes), ("m", I32, (1, 1) + sizes)], ["y"])
    mask = np.random.default_rng(1).random((1, 1) + (6, 5, 4)[:spatial]) < 0.7
    check(model, {"x": floats((2, 3) + (6, 5, 4)[:spatial]), "m": mask.astype(np.int32)})


@pytest.mark.parametrize("n", [2, 8, 30])
def test_spectra(n):
    """As NumPy's; CUDA alone has them."""
    model = model_of([node("Rfft", ["x"], ["y"], signal_ndim=1), node("Irfft", ["y"], ["z"], signal_ndim=1)], [("x", F, ("b", "n"))], ["y", "z"])
    x = floats((3, n))
    y = np.fft.rfft(x)
    compare(model, [{"y": np.stack([y.real, y.imag], -1).astype(np.float32), "z": x}], [{"x": x}], 1e-5)


def test_spectra_over_several_dimensions_are_refused():
    with pytest.raises(tenon.CompileError, match="a transform over 2 dimensions"):
        tenon.compile(model_of([node("Rfft", ["x"], ["y"], signal_ndim=2)], [("x", F, (4, 4))], ["y"]))


@pytest.mark.parametrize("op, attributes", [("Affine", {"alpha": 2.0, "beta": -0.5}), ("ParametricSoftplus", {"alpha": 2.0, "beta": 0.5}),
                                            ("ScaledTanh", {"alpha": 1.5, "beta": 0.5}), ("ImageScaler", {"scale": 0.5, "bias": [1.0, -2.0]}),
                                            ("Crop", {"border": [1, 0, 1, 2]}), ("Crop", {"border": [1, 2, 0, 0], "scale": [2, 3]})])
def test_operators_of_the_first_version(op, attributes):
    layer = node(op, ["x"], ["y"], domain="", **attributes)
    check(model_of([layer], [("x", F, ("n", 2, "h", "w"))], ["y"], opset=7), {"x": floats((2, 2, 5, 6))}, {"x": floats((1, 2, 4, 4))})

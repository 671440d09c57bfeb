"""Models without a single size: what an operator needs to know of them follows from its rules and from ranks, and is checked at run time."""

import numpy as np
import onnxruntime
import pytest
from conftest import make_model
from onnx import TensorProto as T, helper, numpy_helper
from test_cases import check, floats

import tenon

RANKS = "as many sizes, axes or amounts as follow from the ranks in the model"
AXES = "the axes aren't as many"


def integers(*values):
    return np.array(values, np.int64)


def number(x, dtype=np.float32):
    return np.array(x, dtype)


ELEMENTS = {np.dtype(np.float32): T.FLOAT, np.dtype(np.int64): T.INT64, np.dtype(np.int32): T.INT32, np.dtype(bool): T.BOOL,
            np.dtype(np.uint8): T.UINT8}


def model_of(op, attributes, feeds, ranks, opset, names):
    """One node whose inputs have no size; `names` of operands, "" for those that are left out."""
    inputs = [(name, ELEMENTS[value.dtype], [None] * value.ndim) for name, value in feeds.items()]
    outputs = [(f"y{i}", element, [None] * rank) for i, (element, rank) in enumerate(ranks)]
    node = helper.make_node(op, names, [name for name, _, _ in outputs], name="n", **attributes)
    return make_model([node], inputs, outputs, opset=opset)


def case(op, fitting, wrong=(), rank=None, attributes=None, opset=21, names=None, outputs=None, tolerance=1e-4, known=(), id=None):
    """Feeds are dicts; those that fit are compared with ONNX Runtime, where those in `known` are constants, the others end
    in an error with these words."""
    return pytest.param(op, attributes or {}, fitting, list(wrong), outputs or [(T.FLOAT, rank)], opset, names or list(fitting[0]),
                        tolerance, list(known), id=id or op)


def feeds_of(names, *rows):
    return [dict(zip(names, row)) for row in rows]


def f(*shape):
    return floats(shape)


REDUCE = ["x", "axes"]
X3 = f(2, 3, 4)
ROWS = [(X3, integers(1)), (f(1, 5, 2), integers(-3)), (X3, integers(2))]
TWO = [(X3, integers(0, 2)), (f(4, 1, 3), integers(-1, 1))]

RECURRENT = [
    case(op, feeds_of(
        ["x", "w", "r", "b"],
        *((f(t, b, i), f(d, gates * 3, i), f(d, gates * 3, 3), f(d, 2 * gates * 3)) for t, b, i in [(4, 2, 5), (1, 1, 2), (7, 3, 1)])),
        [({"x": f(4, 2, 5), "w": f(d, gates * 4, 5), "r": f(d, gates * 4, 4), "b": f(d, 2 * gates * 4)}, "expects weights for"),
         ({"x": f(4, 2, 5), "w": f(d, gates * 3, 5), "r": f(d, gates * 3, 3), "b": f(d, gates * 3)}, "two biases for each gate"),
         ({"x": f(4, 2, 5), "w": f(3 - d, gates * 3, 5), "r": f(3 - d, gates * 3, 3), "b": f(3 - d, 2 * gates * 3)}, "expects weights for")],
        attributes={"hidden_size": 3, "direction": "bidirectional" if d == 2 else "forward"}, opset=14, rank=4, id=f"{op}-{d}")
    for op, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)) for d in (1, 2)
]

# One operand states the batch, the others don't.
BATCHES = [
    case("LSTM", feeds_of(
        ["x", "w", "r", "b", "l", "h"],
        *((f(4, 2, i), f(1, 12, i), f(1, 12, 3), f(1, 24), np.int32([4, 1]), f(1, 2, 3)) for i in (5, 2))),
        [({"x": f(4, 3, 5), "w": f(1, 12, 5), "r": f(1, 12, 3), "b": f(1, 24), "l": np.int32([4, 1]), "h": f(1, 2, 3)},
          "one batch of sequences, lengths and states")],
        attributes={"hidden_size": 3}, opset=14, rank=4, known=[known], id="LSTM-batch-" + known)
    for known in ("l", "h")
]

CASES = [
    *(case(op, feeds_of(REDUCE, *ROWS, *TWO, (X3, integers())), [({"x": X3, "axes": integers(3)}, AXES), ({"x": X3, "axes": integers(1, 1)}, AXES)],
           rank=3, attributes={"keepdims": 1}, opset=18 if op != "ReduceSum" else 13, id=op + "-kept")
      for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceL1", "ReduceLogSumExp")),
    *(case(op, feeds_of(REDUCE, *TWO), [({"x": X3, "axes": integers(1)}, AXES), ({"x": X3, "axes": integers(1, -2)}, AXES)],
           rank=1, attributes={"keepdims": 0}, opset=18 if op != "ReduceSum" else 13, id=op + "-dropped")
      for op in ("ReduceSum", "ReduceMean", "ReduceMin", "ReduceL2")),
    case("ReduceSum", feeds_of(REDUCE, (X3, integers()), *ROWS), rank=3, attributes={"keepdims": 1, "noop_with_empty_axes": 1}, opset=13,
         id="ReduceSum-none"),
    case("ReduceMean", feeds_of(REDUCE, (integers([5, 6], [7, 9]), integers(0, 1)), (integers([1], [2]), integers(1, 0))), opset=18,
         outputs=[(T.INT64, 2)], id="ReduceMean-integers"),
    case("Slice", feeds_of(["x", "s", "e", "a", "t"], (X3, integers(1), integers(9), integers(2), integers(2)),
                           (X3, integers(-1, 0), integers(-9, 2), integers(-1, 0), integers(-1, 1)), (X3, *[integers()] * 4)),
         [({"x": X3, "s": integers(0), "e": integers(1, 2), "a": integers(0), "t": integers(1)}, "expects as many starts, ends, axes and steps"),
          ({"x": X3, "s": integers(0), "e": integers(1), "a": integers(5), "t": integers(1)}, AXES)], rank=3),
    case("Slice", feeds_of(["x", "s", "e"], (X3, integers(1), integers(9)), (X3, integers(0, -2), integers(1, 3)), (X3, integers(), integers())),
         [({"x": X3, "s": integers(0, 0, 0, 0), "e": integers(1, 1, 1, 1)}, AXES)], rank=3, id="Slice-first"),
    case("Pad", feeds_of(["x", "p"], (f(2, 3), integers(1, 0, 2, 1)), (f(4, 1), integers(0, -1, 0, 3))),
         [({"x": f(2, 3), "p": integers(1, 2)}, RANKS)], rank=2),
    case("Pad", feeds_of(["x", "p", "v", "a"], (f(2, 3), integers(1, 2), number(7), integers(1)), (f(2, 3), integers(1, 2, 0, 3), number(7), integers(1, 0))),
         [({"x": f(2, 3), "p": integers(1), "v": number(7), "a": integers(1)}, "two pads for each axis"),
          ({"x": f(2, 3), "p": integers(1, 1), "v": number(7), "a": integers(2)}, AXES)], rank=2, id="Pad-axes"),
    case("Unsqueeze", feeds_of(["x", "a"], (f(2, 3), integers(0, 3)), (f(4, 1), integers(-1, 1))),
         [({"x": f(2, 3), "a": integers(0)}, RANKS), ({"x": f(2, 3), "a": integers(0, 4)}, AXES)], rank=4),
    case("Squeeze", feeds_of(["x", "a"], (f(1, 3, 1), integers(0, 2)), (f(1, 1, 2), integers(-2, 0))),
         [({"x": f(1, 3, 1), "a": integers(0)}, RANKS), ({"x": f(2, 3, 1), "a": integers(0, 2)}, "another number of elements")], rank=1),
    case("Reshape", feeds_of(["x", "s"], (f(2, 3, 4), integers(4, -1)), (f(2, 2, 2), integers(0, 4))),
         [({"x": f(2, 3, 4), "s": integers(24)}, RANKS)], rank=2),
    case("Expand", feeds_of(["x", "s"], (f(3, 1), integers(2, 3, 4)), (f(1, 4), integers(5, 2, 1))),
         [({"x": f(3, 1), "s": integers(3, 4)}, RANKS)], rank=3),
    case("Expand", feeds_of(["x", "s"], (f(3, 1), integers(3, 4)), (f(3, 1), integers(4)), (f(2, 3), integers())),
         [({"x": f(3, 1), "s": integers(2, 3, 4)}, "the shape is longer than the rank"), ({"x": f(3, 2), "s": integers(4)}, "neither 1 nor")],
         rank=2, id="Expand-shorter"),
    case("ConstantOfShape", feeds_of(["s"], (integers(2, 3),), (integers(0, 1),)), [({"s": integers(2)}, RANKS)], rank=2),
    case("Tile", feeds_of(["x", "r"], (f(2, 3), integers(2, 1)), (f(1, 1), integers(3, 4))), [({"x": f(2, 3), "r": integers(2)}, RANKS)], rank=2),
    case("Split", feeds_of(["x", "s"], (f(5), integers(2, 3)), (f(4), integers(4, 0))), [({"x": f(5), "s": integers(5)}, RANKS)],
         outputs=[(T.FLOAT, 1)] * 2),
    case("CenterCropPad", feeds_of(["x", "s"], (f(4, 5), integers(6, 3)), (f(7, 2), integers(2, 9))), [({"x": f(4, 5), "s": integers(3)}, RANKS)],
         rank=2),
    *(case("Resize", feeds_of(["x", "s"], (f(1, 2, 4, 6), integers(1, 2, 7, 3)), (f(1, 1, 5, 5), integers(1, 1, 10, 5))),
           [({"x": f(1, 2, 4, 6), "s": integers(7, 3)}, RANKS)], rank=4, names=["x", "", "", "s"], attributes={"mode": mode}, opset=19,
           known=["s"], id="Resize-sizes-" + mode)
      for mode in ("linear", "cubic")),
    case("Resize", feeds_of(["x", "s"], (f(1, 2, 4, 6), number([1, 1, 2, 0.5])), (f(1, 1, 5, 5), number([1, 1, 0.6, 3]))),
         [({"x": f(1, 2, 4, 6), "s": number([2, 2])}, "as many scales as axes")], rank=4, names=["x", "", "s"], attributes={"mode": "linear"},
         opset=19, id="Resize-scales"),
    case("GatherND", feeds_of(["x", "i"], (f(3, 4, 2), integers([0, 1], [2, 1])), (f(3, 4, 1), integers([1, 1]))),
         [({"x": f(3, 4, 2), "i": integers([0], [2])}, "as many positions in indices")], rank=2),
    case("ScatterND", feeds_of(["x", "i", "u"], (f(5, 3), integers([1], [3]), f(2, 3)), (f(4, 1), integers([0]), f(1, 1))),
         [({"x": f(5, 3), "i": integers([1, 2]), "u": f(1, 3)}, "as many positions in indices")], rank=2),
    case("GridSample", feeds_of(["x", "g"], (f(2, 3, 4, 5), f(2, 6, 7, 2)), (f(1, 1, 3, 3), f(1, 2, 2, 2))),
         [({"x": f(2, 3, 4, 5), "g": f(2, 6, 7, 3)}, "a grid whose last dimension")], rank=4, opset=16),
    case("AffineGrid", feeds_of(["t", "s"], (f(2, 2, 3), integers(2, 1, 3, 4)), (f(1, 2, 3), integers(1, 1, 1, 5))),
         [({"t": f(2, 3, 4), "s": integers(2, 1, 3, 4)}, r"matrices \[N, 2, 3\]"), ({"t": f(2, 2, 3), "s": integers(2, 1, 3)}, RANKS)], rank=4),
    case("NonMaxSuppression",
         feeds_of(["b", "s", "m"], *((np.abs(f(n, k, 4)), np.abs(f(n, c, k)), integers(3)) for n, k, c in [(1, 6, 2), (2, 9, 1)])),
         [({"b": f(1, 6, 5), "s": f(1, 2, 6), "m": integers(3)}, r"boxes \[N, B, 4\]")], outputs=[(T.INT64, 2)], opset=11),
    case("RoiAlign", feeds_of(["x", "r", "i"], (f(2, 3, 8, 8), number([[0, 0, 4, 5], [1, 2, 7, 6]]), integers(0, 1)),
                              (f(1, 1, 6, 9), number([[1, 1, 3, 3]]), integers(0))),
         [({"x": f(1, 1, 6, 9), "r": f(1, 5), "i": integers(0)}, "rows of 4 corners")], rank=4, opset=16,
         attributes={"output_height": 2, "output_width": 2, "sampling_ratio": 2}),
    *RECURRENT,
    *BATCHES,
    *(case("Conv", feeds_of(["x", "w", "b"], (f(1, 2 * g, 9, 8), f(4, 2, 3, 2), f(4)), (f(2, g, 5, 5), f(2 * g, 1, 1, 5), f(2 * g)),
                            (f(1, 8, 20, 20), f(32, 8 // g, 4, 1), f(32))),
           [({"x": f(1, 3, 9, 8), "w": f(4, 2, 3, 2), "b": f(4)}, "another number of channels than the filters")], rank=4,
           attributes={"group": g, "pads": [1, 2, 0, 1], "strides": [2, 1]}, opset=11, id=f"Conv-{g}")
      for g in (1, 2)),
    *(case("Conv", feeds_of(["x", "w"], (f(1, 2, 9, 8), f(4, 2, 3, 2)), (f(2, 1, 5, 6), f(2, 1, 1, 5))), rank=4,
           attributes={"auto_pad": pad, "strides": [2, 1]}, opset=11, id="Conv-" + pad)
      for pad in ("SAME_UPPER", "SAME_LOWER", "VALID")),
    case("Conv", feeds_of(["x", "w"], (f(1, 2, 9, 8), f(4, 2, 3, 2)), (f(2, 1, 5, 6), f(2, 1, 3, 2))),
         [({"x": f(1, 2, 9, 8), "w": f(4, 2, 3, 3)}, r"a filter of the sizes in kernel_shape \(3, 2\)")], rank=4,
         attributes={"kernel_shape": [3, 2]}, opset=11, id="Conv-kernel_shape"),
    *(case("ConvTranspose", feeds_of(["x", "w"], (f(1, 2 * g, 5, 4), f(2 * g, 3, 3, 2)), (f(2, g, 3, 3), f(g, 1, 1, 4))),
           [({"x": f(1, 4, 5, 4), "w": f(6, 3, 3, 2)}, "as many filters as input channels")], rank=4,
           attributes={"group": g, "pads": [1, 0, 0, 1], "strides": [2, 1]}, opset=11, id=f"ConvTranspose-{g}")
      for g in (1, 2)),
    case("ConvTranspose", feeds_of(["x", "w"], (f(1, 2, 5, 4), f(2, 3, 3, 2)), (f(2, 1, 3, 3), f(1, 1, 2, 4))), rank=4,
         attributes={"auto_pad": "SAME_UPPER", "strides": [2, 2]}, opset=11, id="ConvTranspose-SAME_UPPER"),
    case("ConvInteger", feeds_of(["x", "w", "z"], *(((np.abs(f(1, 2, n, n)) * 9).astype(np.uint8), (np.abs(f(3, 2, k, k)) * 9).astype(np.uint8),
                                                      number(2, np.uint8)) for n, k in [(5, 3), (4, 1)])),
         outputs=[(T.INT32, 4)], opset=10),
    *(case("AveragePool", feeds_of(["x"], (f(1, 2, 5, 7),), (f(2, 1, 4, 4),), (f(1, 1, 9, 2),)), rank=4,
           attributes={"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": pad, "count_include_pad": counts}, opset=19,
           id=f"AveragePool-{pad}-{counts}")
      for pad in ("SAME_UPPER", "SAME_LOWER") for counts in (0, 1)),
    *(case("MaxPool", feeds_of(["x"], (f(1, 2, 5, 7),), (f(2, 1, 4, 4),), (f(1, 1, 9, 2),)), outputs=[(T.FLOAT, 4), (T.INT64, 4)],
           attributes={"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": pad}, opset=12, id="MaxPool-" + pad)
      for pad in ("SAME_UPPER", "SAME_LOWER")),
    case("Col2Im", feeds_of(["x", "i", "b"], (f(1, 12, 12), integers(5, 5), integers(2, 3)), (f(2, 4, 9), integers(4, 4), integers(2, 2)),
                            (f(1, 3, 16), integers(4, 4), integers(1, 1))),
         [({"x": f(1, 12, 11), "i": integers(5, 5), "b": integers(2, 3)}, "Col2Im has another number of windows"),
          ({"x": f(1, 13, 12), "i": integers(5, 5), "b": integers(2, 3)}, "rows for whole blocks")], rank=4, opset=18),
    case("Col2Im", feeds_of(["x", "i", "b"], (f(1, 12, 9), integers(5, 6), integers(2, 3)), (f(2, 4, 12), integers(6, 4), integers(2, 2))), rank=4,
         attributes={"strides": [2, 1], "pads": [1, 0, 1, 1], "dilations": [1, 2]}, opset=18, id="Col2Im-strides"),
]


@pytest.mark.parametrize("op, attributes, fitting, wrong, outputs, opset, names, tolerance, known", CASES)
def test_operators(op, attributes, fitting, wrong, outputs, opset, names, tolerance, known):
    model = model_of(op, attributes, fitting[0], outputs, opset, names)
    compiled = tenon.compile(model, threads=1)
    for feeds, message in wrong:
        with pytest.raises(tenon.RunError, match="node 'n': .*" + message):
            compiled.run(feeds)
    if not known:
        check(model, *fitting, tolerance=tolerance)
    for feeds in fitting if known else ():
        varying = {name: value for name, value in feeds.items() if name not in known}
        fixed = model_of(op, attributes, varying, outputs, opset, names)
        fixed.graph.initializer.extend(numpy_helper.from_array(feeds[name], name) for name in known)
        session = onnxruntime.InferenceSession(fixed.SerializeToString(), providers=["CPUExecutionProvider"])
        for actual, expected in zip(compiled.run(feeds).values(), session.run(None, varying)):
            np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def attention(opset=24, **attributes):
    names = ["q", "k", "v"]
    rank = 3 if "q_num_heads" in attributes else 4
    return model_of("Attention", attributes, dict.fromkeys(names, np.zeros((1,) * rank, np.float32)), [(T.FLOAT, rank)], opset, names)


@pytest.mark.parametrize("attributes", [{}, {"is_causal": 1}, {"softcap": 2.0}, {"scale": 0.3}], ids=str)
def test_attention_of_unknown_heads(attributes):
    model = attention(**attributes)
    # Every query's head has keys of its own, or shares them.
    feeds = [dict(q=f(b, h, s, d), k=f(b, kh, t, d), v=f(b, kh, t, e))
             for b, h, kh, s, t, d, e in [(2, 3, 3, 4, 5, 8, 7), (1, 6, 2, 3, 3, 4, 4), (1, 4, 1, 1, 9, 16, 2)]]
    compiled = check(model, *feeds, tolerance=1e-4)
    for wrong, message in [
            (dict(q=f(1, 5, 3, 4), k=f(1, 2, 3, 4), v=f(1, 2, 3, 4)), "the heads of keys to divide those of queries"),
            (dict(q=f(1, 2, 3, 4), k=f(1, 2, 3, 5), v=f(1, 2, 3, 4)), "queries and keys with heads of one size"),
            (dict(q=f(1, 2, 3, 4), k=f(1, 2, 3, 4), v=f(1, 1, 3, 4)), "as many values as keys")]:
        with pytest.raises(tenon.RunError, match="node 'n': expects " + message):
            compiled.run(wrong)


def test_attention_of_unknown_widths():
    model = attention(q_num_heads=4, kv_num_heads=2)
    feeds = [dict(q=f(b, s, 4 * d), k=f(b, t, 2 * d), v=f(b, t, 2 * e)) for b, s, t, d, e in [(2, 3, 5, 8, 7), (1, 1, 4, 2, 2)]]
    compiled = check(model, *feeds, tolerance=1e-4)
    with pytest.raises(tenon.RunError, match="node 'n': expects heads that divide the last size"):
        compiled.run(dict(q=f(1, 2, 9), k=f(1, 2, 4), v=f(1, 2, 4)))


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("rotated", [0, 4])
def test_rotation_of_unknown_heads(interleaved, rotated):
    names = ["x", "c", "s"]
    attributes = {"interleaved": interleaved, **({"rotary_embedding_dim": rotated} if rotated else {})}
    example = dict(x=f(1, 1, 1, 1), c=f(1, 1, 1), s=f(1, 1, 1))
    model = model_of("RotaryEmbedding", attributes, example, [(T.FLOAT, 4)], 23, names)
    halves = lambda depth: (rotated or depth) // 2
    feeds = [dict(x=f(b, h, s, d), c=f(b, s, halves(d)), s=f(b, s, halves(d))) for b, h, s, d in [(2, 3, 4, 8), (1, 1, 2, 6)]]
    compiled = check(model, *feeds)
    if not rotated:
        with pytest.raises(tenon.RunError, match="node 'n': expects an even size of heads"):
            compiled.run(dict(x=f(1, 1, 2, 5), c=f(1, 2, 2), s=f(1, 2, 2)))


def transform(x, n=None, axis=-2, inverse=False, onesided=False):
    signal = x[..., 0] + (1j * x[..., 1] if x.shape[-1] == 2 else 0)
    axis = axis + 1 if axis < 0 else axis
    y = (np.fft.ifft if inverse else np.fft.fft)(signal, n, axis)
    if onesided:
        y = y.take(range(y.shape[axis] // 2 + 1), axis)
    return np.stack([y.real, y.imag], -1).astype(np.float32)


@pytest.mark.parametrize("attributes", [{}, {"inverse": 1}, {"onesided": 1}], ids=str)
def test_transforms_along_axes_that_are_data(attributes):
    """Real and complex numbers, which show at run time only, as NumPy transforms them."""
    example = dict(x=f(1, 1, 1, 1), n=integers(1).reshape(()), a=integers(1).reshape(()))
    model = model_of("DFT", attributes, example, [(T.FLOAT, 4)], 20, ["x", "n", "a"])
    compiled = tenon.compile(model, threads=1)
    for shape in [(2, 5, 3, 1), (1, 4, 6, 2)]:
        for axis in (0, 1, -2, 2, -3, -4):
            for n in (4, 7):
                x = f(*shape)
                y = compiled.run({"x": x, "n": integers(n).reshape(()), "a": integers(axis).reshape(())})["y0"]
                expected = transform(x, n, axis, bool(attributes.get("inverse")), bool(attributes.get("onesided")))
                np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    for x, n, axis, message in [(f(1, 2, 3, 1), 0, 1, "a positive dft_length"), (f(1, 2, 3, 1), 4, 3, "the axes aren't as many"),
                                (f(1, 2, 3, 1), 4, -1, "the axes aren't as many"), (f(1, 2, 3, 3), 4, 1, "a last dimension of 1 or 2")]:
        with pytest.raises(tenon.RunError, match="node 'n': .*" + message):
            compiled.run({"x": x, "n": integers(n).reshape(()), "a": integers(axis).reshape(())})


def test_lengths_of_spectra():
    names = ["x", "t", "", "l"]
    example = dict(x=f(1, 1, 1), t=integers(1).reshape(()), l=integers(1).reshape(()))
    stft = tenon.compile(model_of("STFT", {}, example, [(T.FLOAT, 4)], 17, names), threads=1)
    x = f(2, 12, 1)
    y = stft.run({"x": x, "t": integers(3).reshape(()), "l": integers(4).reshape(())})["y0"]
    frames = np.stack([x[:, start:start + 4] for start in range(0, 9, 3)], 1)
    np.testing.assert_allclose(y, transform(frames, onesided=True), rtol=1e-4, atol=1e-4)
    for shape, step, length, message in [((1, 12, 1), 0, 4, "a positive frame_step"), ((1, 12, 1), 3, 0, "a positive frame_length"),
                                         ((1, 12, 2), 3, 4, "a real signal where onesided is set")]:
        with pytest.raises(tenon.RunError, match="node 'n': expects " + message):
            stft.run({"x": f(*shape), "t": integers(step).reshape(()), "l": integers(length).reshape(())})
    names = ["b", "l", "r", "low", "high"]
    example = {name: np.ones((), np.int64 if name in "blr" else np.float32) for name in names}
    mel = tenon.compile(model_of("MelWeightMatrix", {}, example, [(T.FLOAT, 2)], 17, names), threads=1)
    with pytest.raises(tenon.RunError, match="node 'n': expects a positive sample_rate"):
        mel.run({name: np.full((), n, example[name].dtype) for name, n in zip(names, (4, 16, 0, 10, 100))})


def test_one_row_of_strings():
    node = helper.make_node("StringNormalizer", ["x"], ["y"], name="n", case_change_action="UPPER")
    model = make_model([node], [("x", T.STRING, (None, None))], [("y", T.STRING, (None, None))], opset=21)
    compiled = tenon.compile(model, threads=1)
    assert compiled.run({"x": np.array([["a", "b"]], object)})["y"].tolist() == [["A", "B"]]
    with pytest.raises(tenon.RunError, match="node 'n': expects one row of strings"):
        compiled.run({"x": np.array([["a"], ["b"]], object)})


def sum_over(rank):
    return make_model([helper.make_node("ReduceSum", ["x", "a"], ["y"], name="n", keepdims=0)],
                      [("x", T.FLOAT, ("n", "m")), ("a", T.INT64, ("axes",))], [("y", T.FLOAT, rank)], opset=13)


def test_sizes_that_are_fixed():
    """Without the rank of the result a model is refused, unless the number of axes is fixed."""
    with pytest.raises(tenon.CompileError, match="fix 'axes' when compiling: --size axes=N of tenon-compile"):
        tenon.compile(sum_over(None))
    compiled = tenon.compile(sum_over(None), sizes={"axes": 1, "m": 3}, threads=1)
    assert compiled.inputs[0].shape == ("n", 3) and compiled.inputs[1].shape == (1,)
    x = f(4, 3)
    for model in (compiled, tenon.reference(sum_over(None), sizes={"axes": 1})):
        np.testing.assert_allclose(model.run({"x": x, "a": integers(-1)})["y"], x.sum(-1), rtol=1e-5)
    with pytest.raises(tenon.CompileError, match="no size of the inputs .* is named 'k', these are: 'n' .*, 'm' .*, 'axes'"):
        tenon.compile(sum_over(None), sizes={"k": 1})
    for sizes, error, message in [({"n": -1}, ValueError, "size 'n' is -1"), ({"n": "1"}, TypeError, "size 'n' is a whole number"),
                                  ({1: 1}, TypeError, "a key is a str"), ([1], TypeError, "sizes is a dict")]:
        with pytest.raises(error, match=message):
            tenon.compile(sum_over(None), sizes=sizes)


def test_sizes_without_names():
    model = make_model([helper.make_node("Neg", ["x"], ["y"])], [("x", T.FLOAT, (None, "x_0"))], [("y", T.FLOAT, (None, None))])
    compiled = tenon.compile(model, sizes={"x_0_": 2}, threads=1)
    assert compiled.inputs[0].shape == (2, "x_0")
    with pytest.raises(tenon.InputError):
        compiled.run({"x": f(3, 3)})


def test_causal_filters_of_unknown_channels():
    model = model_of("CausalConvWithState", {}, dict(x=f(1, 1, 1), w=f(1, 1, 1), b=f(1), s=f(1, 1, 1)), [(T.FLOAT, 3)] * 2, 27,
                     ["x", "w", "b", "s"])
    compiled, reference = tenon.compile(model, threads=1), tenon.reference(model)
    for batch, channels, length, taps in [(2, 3, 5, 4), (1, 1, 1, 2), (1, 20, 7, 3)]:
        x, w, b, s = f(batch, channels, length), f(channels, 1, taps), f(channels), f(batch, channels, taps - 1)
        whole = np.concatenate([s, x], 2)
        windows = np.lib.stride_tricks.sliding_window_view(whole, taps, 2)
        for run in (compiled.run, reference.run):
            results = run(dict(x=x, w=w, b=b, s=s))
            np.testing.assert_allclose(results["y0"], (windows * w[None, :, 0, None, :]).sum(3) + b[:, None], rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(results["y1"], whole[:, :, length:])
    with pytest.raises(tenon.RunError, match="'n'.*as many channels as filters"):
        compiled.run(dict(x=f(1, 3, 5), w=f(2, 1, 2), b=f(2), s=f(1, 2, 1)))


def test_flexible_attention_of_unknown_heads():
    names = ["q", "k", "v"]
    inputs = [helper.make_tensor_value_info(name, T.FLOAT, [None] * 4) for name in names]
    node = helper.make_node("FlexAttention", names, ["y"], name="n", domain="ai.onnx.preview")
    graph = helper.make_graph([node], "test", inputs, [helper.make_tensor_value_info("y", T.FLOAT, [None] * 4)])
    imports = [helper.make_opsetid("", 26), helper.make_opsetid("ai.onnx.preview", 1)]
    compiled = tenon.compile(helper.make_model(graph, opset_imports=imports, ir_version=13), threads=1)
    for b, h, kh, s, t, d, e in [(2, 3, 3, 4, 5, 8, 7), (1, 6, 2, 3, 3, 4, 4)]:
        q, k, v = f(b, h, s, d), f(b, kh, t, d), f(b, kh, t, e)
        scores = q @ np.repeat(k, h // kh, 1).swapaxes(2, 3) / np.sqrt(d)
        weights = np.exp(scores - scores.max(3, keepdims=True))
        weights /= weights.sum(3, keepdims=True)
        np.testing.assert_allclose(compiled.run(dict(q=q, k=k, v=v))["y"], weights @ np.repeat(v, h // kh, 1), rtol=1e-4, atol=1e-5)
    with pytest.raises(tenon.RunError, match="the heads of keys to divide those of queries"):
        compiled.run(dict(q=f(1, 5, 3, 4), k=f(1, 2, 3, 4), v=f(1, 2, 3, 4)))


@pytest.mark.parametrize("op, operands, wrong, message", [
    ("Conv", dict(x=f(1, 4, 5, 5), w=f(4, 2, 3, 3)), dict(w=f(5, 2, 3, 3)), "groups that divide the filters"),
    ("Conv", dict(x=f(1, 4, 5, 5), w=f(4, 2, 3, 3)), dict(w=f(1, 2, 3, 3)), "groups that divide the filters"),
    ("Conv", dict(x=f(1, 4, 5, 5), w=f(4, 2, 3, 3)), dict(w=f(4, 2, 0, 3)), "filters of one tap or more"),
    ("Conv", dict(x=f(1, 4, 5, 5), w=f(4, 2, 3, 3), b=f(4)), dict(b=f(1)), "a vector as long as dimension 1"),
    ("LinearAttention", dict(q=f(2, 5, 8), k=f(2, 5, 8), v=f(2, 5, 8), p=f(2, 2, 4, 4)), dict(p=f(2, 1, 4, 4)), "a state of keys times values"),
    ("LinearAttention", dict(q=f(2, 5, 8), k=f(2, 5, 8), v=f(2, 5, 8), p=f(2, 2, 4, 4)), dict(v=f(2, 7, 8)), "as many values as queries"),
    ("Attention", dict(q=f(2, 4, 3, 8), k=f(2, 2, 5, 8), v=f(2, 2, 5, 8), m=f(3, 5), n=integers(3, 5)), dict(n=integers(3)), "one length of keys"),
])
def test_sizes_that_are_one_elsewhere(op, operands, wrong, message):
    """A size of 1, or one that isn't divided, is not repeated where the operator says another one."""
    attributes, names, outputs, opset = {"group": 2}, list(operands), [(T.FLOAT, 4)], 21
    if op == "LinearAttention":
        attributes, outputs, opset = dict(q_num_heads=2, kv_num_heads=2, update_rule="linear"), [(T.FLOAT, 3), (T.FLOAT, 4)], 27
    elif op == "Attention":
        attributes, names, opset = {}, ["q", "k", "v", "m", "", "", "n"], 24
    model = model_of(op, attributes, operands, outputs, opset, names)
    compiled = tenon.compile(model, threads=1)
    compiled.run(operands)
    with pytest.raises(tenon.RunError, match="node 'n': expects " + message):
        compiled.run(operands | wrong)


def test_parameters_of_quantising_for_all():
    """A scale and a zero point in a vector whose size isn't known may be one each."""
    numbers = dict(x=np.array([[0, 3], [128, 255]], np.uint8), s=number([0.5]), z=number([7], np.uint8))
    check(model_of("DequantizeLinear", {"axis": 0}, numbers, [(T.FLOAT, 2)], 21, list(numbers)), numbers,
          dict(numbers, s=number([0.5, 2]), z=number([7, 9], np.uint8)))

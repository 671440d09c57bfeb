"""Generated code stays within its operands: odd sizes of many operators and element types beside guard pages.

The ONNX suite and the cases run beside guard pages too.
"""

import ctypes

import guarded
import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

T = TensorProto
SIZES = (0, 1, 2, 3, 5, 7, 8, 9, 15, 17, 31, 33, 63, 65, 100, 130)
PAIRS = ((0, 3), (1, 1), (1, 2), (3, 1), (2, 3), (5, 7), (7, 15), (4, 17), (6, 31), (9, 33), (3, 65), (13, 130))
INTEGERS = (T.INT8, T.UINT8, T.INT16, T.UINT16, T.INT32, T.UINT32, T.INT64, T.UINT64)
FLOATS = (T.FLOAT16, T.FLOAT, T.DOUBLE)


def dtype(element):
    return helper.tensor_dtype_to_np_dtype(element)


def values(element, shape, seed=0):
    rng = np.random.default_rng(seed)
    kind = dtype(element)
    if kind == bool:
        return rng.integers(0, 2, shape).astype(bool)
    if kind.kind in "iu":
        return rng.integers(1, 100, shape).astype(kind)
    return rng.uniform(0.1, 2, shape).astype(kind)


def check(model, *feeds):
    compiled = tenon.compile(model, threads=1)
    for feed in feeds:
        guarded.check(compiled, feed, compiled.run(feed))


def single(op, inputs, output, initializers=(), opset=21, **attributes):
    """A model of one node; inputs are (name, element, shape), initialisers are further inputs."""
    names = [name for name, _, _ in inputs] + [value.name for value in initializers]
    outputs = output if isinstance(output, list) else [output]
    nodes = [helper.make_node(op, names, [f"y{i}" for i in range(len(outputs))], **attributes)]
    return make_model(nodes, inputs, [(f"y{i}", element, None) for i, element in enumerate(outputs)], initializers,
                      opset=opset)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def test_the_guard_works():
    """An operand that is read one element beyond its end, or before its start, is noticed."""
    for at_start, offset in ((False, 4), (True, -4)):
        buffer = guarded.Guarded(4, at_start)
        assert guarded._in_child(lambda: ctypes.string_at(buffer.address, 4) and "") == ""
        beyond = lambda: ctypes.string_at(buffer.address + offset, 4) and ""
        assert guarded._in_child(beyond) == "the run ended with SIGSEGV"
        assert buffer.around_is_untouched()
        ctypes.memset(buffer.address - offset, 0, 1)
        assert not buffer.around_is_untouched()


@pytest.mark.parametrize("element", INTEGERS + FLOATS, ids=T.DataType.Name)
def test_elementwise(element):
    model = make_model(
        [helper.make_node("Add", ["a", "b"], ["s"]), helper.make_node("Mul", ["s", "a"], ["y"]),
         helper.make_node("Less", ["a", "b"], ["l"]), helper.make_node("Max", ["a", "b"], ["m"]),
         helper.make_node("Where", ["l", "m", "a"], ["w"])],
        [("a", element, ("n",)), ("b", element, ("n",))],
        [("y", element, ("n",)), ("l", T.BOOL, ("n",)), ("w", element, ("n",))],
    )
    check(model, *({"a": values(element, n), "b": values(element, n, 1)} for n in SIZES))


@pytest.mark.parametrize("op", "Exp Log Tanh Erf Sigmoid Sqrt Sin Atan Abs Floor Gelu Softplus".split())
@pytest.mark.parametrize("element", (T.FLOAT16, T.FLOAT), ids=T.DataType.Name)
def test_functions(op, element):
    check(single(op, [("x", element, ("n", "m"))], element), *({"x": values(element, pair)} for pair in PAIRS))


@pytest.mark.parametrize("source", INTEGERS + FLOATS + (T.BOOL,), ids=T.DataType.Name)
def test_casts(source):
    targets = INTEGERS + FLOATS + (T.BOOL,)
    nodes = [helper.make_node("Cast", ["x"], [f"y{to}"], to=to) for to in targets]
    model = make_model(nodes, [("x", source, ("n",))], [(f"y{to}", to, ("n",)) for to in targets])
    check(model, *({"x": values(source, n)} for n in SIZES))


def test_broadcasts():
    model = make_model(
        [helper.make_node("Add", ["x", "row"], ["a"]), helper.make_node("Mul", ["a", "column"], ["b"]),
         helper.make_node("Sub", ["b", "one"], ["y"])],
        [("x", T.FLOAT, ("n", "m")), ("row", T.FLOAT, ("m",)), ("column", T.FLOAT, ("n", 1)), ("one", T.FLOAT, ())],
        [("y", T.FLOAT, ("n", "m"))],
    )
    check(model, *({"x": values(T.FLOAT, (n, m)), "row": values(T.FLOAT, m), "column": values(T.FLOAT, (n, 1)),
                    "one": values(T.FLOAT, ())} for n, m in PAIRS))


PRODUCTS = ((1, 1, 1), (1, 7, 33), (2, 3, 5), (5, 1, 31), (6, 16, 32), (7, 17, 33), (13, 65, 31), (97, 3, 65), (0, 3, 4),
            (3, 0, 4))


@pytest.mark.parametrize("element", FLOATS, ids=T.DataType.Name)
@pytest.mark.parametrize("turned", ("", "A", "B", "AB"))
def test_products(element, turned):
    shapes = {"a": ("k", "m") if "A" in turned else ("m", "k"), "b": ("n", "k") if "B" in turned else ("k", "n")}
    model = single("Gemm", [(name, element, shape) for name, shape in shapes.items()], element,
                   transA=int("A" in turned), transB=int("B" in turned))
    feeds = []
    for m, k, n in PRODUCTS:
        sizes = {"m": m, "k": k, "n": n}
        feeds.append({name: values(element, [sizes[s] for s in shape]) for name, shape in shapes.items()})
    check(model, *feeds)


@pytest.mark.parametrize("columns", (1, 3, 31, 32, 33, 65))
@pytest.mark.parametrize("depth", (1, 5, 64))
def test_products_with_weights(columns, depth):
    model = make_model(
        [helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1), helper.make_node("Relu", ["h"], ["y"])],
        [("x", T.FLOAT, ("n", depth))], [("y", T.FLOAT, ("n", columns))],
        [constant("w", values(T.FLOAT, (columns, depth))), constant("b", values(T.FLOAT, columns))],
    )
    check(model, *({"x": values(T.FLOAT, (n, depth))} for n in (0, 1, 2, 5, 6, 7, 13, 97)))


def test_batched_products():
    model = single("MatMul", [("a", T.FLOAT, ("b", "h", "m", "k")), ("c", T.FLOAT, ("b", "h", "k", "n"))], T.FLOAT)
    check(model, *({"a": values(T.FLOAT, (2, 3, m, k)), "c": values(T.FLOAT, (2, 3, k, n))} for m, k, n in PRODUCTS))


def test_integer_products():
    model = single("MatMulInteger", [("a", T.UINT8, ("m", "k")), ("b", T.INT8, ("k", "n"))], T.INT32)
    check(model, *({"a": values(T.UINT8, (m, k)), "b": values(T.INT8, (k, n))} for m, k, n in PRODUCTS))


@pytest.mark.parametrize("op", "ReduceSum ReduceMax ReduceMean ReduceProd ReduceL2 ReduceLogSumExp".split())
@pytest.mark.parametrize("axes", ([0], [1], [0, 1]))
def test_reductions(op, axes):
    model = single(op, [("x", T.FLOAT, ("n", "m"))], T.FLOAT, [constant("axes", np.int64(axes))], keepdims=0)
    check(model, *({"x": values(T.FLOAT, pair)} for pair in PAIRS if 0 not in pair))


@pytest.mark.parametrize("op", ("ArgMax", "ArgMin", "Softmax", "LogSoftmax", "CumSum"))
@pytest.mark.parametrize("axis", (0, 1))
def test_along_an_axis(op, axis):
    if op == "CumSum":
        model = single(op, [("x", T.FLOAT, ("n", "m"))], T.FLOAT, [constant("axis", np.int64(axis))])
    else:
        model = single(op, [("x", T.FLOAT, ("n", "m"))], T.INT64 if "Arg" in op else T.FLOAT, axis=axis)
    check(model, *({"x": values(T.FLOAT, pair)} for pair in PAIRS if 0 not in pair))


def test_layer_normalization():
    for m in (1, 3, 8, 31, 65):
        model = single("LayerNormalization", [("x", T.FLOAT, ("n", m))], T.FLOAT,
                       [constant("g", values(T.FLOAT, m)), constant("b", values(T.FLOAT, m))])
        check(model, *({"x": values(T.FLOAT, (n, m))} for n in (1, 5)))


CONVOLUTIONS = (
    dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1]), dict(kernel_shape=[3, 3], strides=[2, 2]),
    dict(kernel_shape=[1, 1]), dict(kernel_shape=[1, 1], strides=[2, 2]),
    dict(kernel_shape=[3, 3], pads=[2, 2, 2, 2], dilations=[2, 2]), dict(kernel_shape=[5, 3], pads=[0, 2, 1, 0]),
)
PICTURES = ((1, 5, 5), (2, 7, 9), (1, 6, 17), (1, 13, 33))


@pytest.mark.parametrize("attributes", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("channels, filters, group", ((3, 5, 1), (4, 4, 4), (6, 4, 2), (1, 1, 1), (24, 20, 1)))
def test_convolutions(attributes, channels, filters, group):
    shape = (filters, channels // group, *attributes["kernel_shape"])
    model = single("Conv", [("x", T.FLOAT, ("n", channels, "h", "w"))], T.FLOAT,
                   [constant("k", values(T.FLOAT, shape))], group=group, **attributes)
    check(model, *({"x": values(T.FLOAT, (n, channels, h, w))} for n, h, w in PICTURES))


@pytest.mark.parametrize("op", ("MaxPool", "AveragePool"))
@pytest.mark.parametrize("attributes", (dict(kernel_shape=[2, 2]), dict(kernel_shape=[3, 3], strides=[2, 2]),
                                        dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1])), ids=str)
def test_pools(op, attributes):
    model = single(op, [("x", T.FLOAT, ("n", 3, "h", "w"))], T.FLOAT, **attributes)
    check(model, *({"x": values(T.FLOAT, (n, 3, h, w))} for n, h, w in PICTURES))


@pytest.mark.parametrize("element", (T.INT8, T.FLOAT16, T.FLOAT, T.INT64, T.BOOL), ids=T.DataType.Name)
def test_movement(element):
    int64 = lambda name, *numbers: constant(name, np.int64(numbers))
    model = make_model(
        [helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0]),
         helper.make_node("Concat", ["x", "x"], ["c"], axis=1),
         helper.make_node("Slice", ["c", "from", "to", "axis", "step"], ["s"]),
         helper.make_node("Slice", ["x", "last", "first", "axis", "back"], ["r"]),
         helper.make_node("Expand", ["x", "three"], ["e"]),
         helper.make_node("Tile", ["x", "twice"], ["d"])],
        [("x", element, ("n", "m"))],
        [(name, element, None) for name in "tcsred"],
        [int64("from", 1), int64("to", 1000), int64("axis", 1), int64("step", 2), int64("last", -1),
         int64("first", -1000), int64("back", -1), int64("three", 3, 1, 1), int64("twice", 2, 2)],
    )
    # A transpose turns blocks of up to 16x16 in registers.
    check(model, *({"x": values(element, pair)} for pair in (*PAIRS, (35, 40))))


@pytest.mark.parametrize("element", (T.INT8, T.FLOAT16, T.FLOAT, T.INT64, T.BOOL), ids=T.DataType.Name)
@pytest.mark.parametrize("known", (2, 3, 7, 11, 21))
def test_transposes(element, known):
    """With one size known: rows shorter than a vector, or what of them is left over by vectors."""
    for shape in ((known, "n"), ("n", known)):
        model = single("Transpose", [("x", element, shape)], element, perm=[1, 0])
        check(model, *({"x": values(element, [n if size == "n" else size for size in shape])} for n in SIZES))


@pytest.mark.parametrize("mode", ("constant", "reflect", "edge", "wrap"))
def test_pads(mode):
    model = single("Pad", [("x", T.FLOAT, ("n", "m"))], T.FLOAT, [constant("pads", np.int64([1, 2, 2, 1]))], mode=mode)
    check(model, *({"x": values(T.FLOAT, pair)} for pair in PAIRS if min(pair) >= 3))


@pytest.mark.parametrize("axis", (0, 1))
def test_gathers(axis):
    model = single("Gather", [("x", T.FLOAT, ("n", "m")), ("i", T.INT64, ("k",))], T.FLOAT, axis=axis)
    feeds = []
    for pair in PAIRS:
        size = pair[axis]
        indices = np.int64([size - 1, 0, -size, -1, size // 2][: 5 if size else 0])
        feeds.append({"x": values(T.FLOAT, pair), "i": indices})
    check(model, *feeds)


def test_scatters():
    model = single("ScatterND", [("x", T.FLOAT, ("n", "m")), ("i", T.INT64, ("k", 1)), ("u", T.FLOAT, ("k", "m"))],
                   T.FLOAT, reduction="add")
    check(model, *({"x": values(T.FLOAT, (n, m)), "i": np.int64([[n - 1], [0], [-1]]), "u": values(T.FLOAT, (3, m))}
                   for n, m in PAIRS if n))


@pytest.mark.parametrize("element", (T.INT8, T.FLOAT16, T.FLOAT, T.DOUBLE), ids=T.DataType.Name)
def test_top_k(element):
    """Few ones are kept in order, more are sorted in scratch."""
    model = single("TopK", [("x", element, ("n", "m")), ("k", T.INT64, (1,))], [element, T.INT64])
    check(model, *({"x": values(element, pair), "k": np.int64([min(k, pair[1])])} for pair in (*PAIRS, (2, 300)) for k in (2, 40)))


@pytest.mark.parametrize("mode", ("nearest", "linear"))
def test_resizes(mode):
    model = single("Resize", [("x", T.FLOAT, (1, 3, "h", "w"))], T.FLOAT, mode=mode)
    model.graph.node[0].input.extend(["", "scales"])
    model.graph.initializer.append(constant("scales", np.float32([1, 1, 2, 1.5])))
    check(model, *({"x": values(T.FLOAT, (1, 3, h, w))} for _, h, w in PICTURES))


def test_sizes_from_data():
    model = single("NonZero", [("x", T.FLOAT, ("n", "m"))], T.INT64)
    check(model, *({"x": np.round(values(T.FLOAT, pair))} for pair in PAIRS))


@pytest.mark.parametrize("element", (T.UINT8, T.INT8), ids=T.DataType.Name)
def test_quantization(element):
    zero = constant("zero", np.array(3, dtype(element)))
    model = make_model(
        [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
         helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"])],
        [("x", T.FLOAT, ("n",))], [("q", element, ("n",)), ("y", T.FLOAT, ("n",))],
        [constant("scale", np.float32(0.02)), zero], opset=21)
    check(model, *({"x": values(T.FLOAT, n)} for n in SIZES))


@pytest.mark.parametrize("source, result", ((T.INT32, T.INT8), (T.INT64, T.INT32), (T.INT64, T.INT16)), ids=T.DataType.Name)
def test_rows_of_one_in_fewer_bits(source, result):
    """One lane is stored, of as many bits as the result has."""
    model = make_model(
        [helper.make_node("Pad", ["x", "pads", "two", "axis"], ["p"]), helper.make_node("Cast", ["p"], ["y"], to=result)],
        [("x", source, ("n", 4, 1))], [("y", result, None)],
        [constant("pads", np.int64([1, 2])), constant("two", np.array(2, dtype(source))), constant("axis", np.int64([1]))], opset=21)
    check(model, *({"x": values(source, (n, 4, 1))} for n in SIZES))

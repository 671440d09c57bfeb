"""Forms of models that exporters write though the standard doesn't mean them: stated types that are wrong, placeholders, sizes
that are computed in roundabout ways or left out, against ONNX Runtime or values known beforehand."""

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, numpy_helper
from test_cases import check, floats
from test_control_flow import graph, loop_body, node, trips

import tenon

F, I64, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def model(nodes, inputs, outputs, opset=17, **constants):
    values = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    return make_model(nodes, inputs, outputs, values, opset)


def weights(*shape):
    return floats(shape, len(shape)) * np.float32(0.2)


# Stated types


def test_outputs_are_what_the_operators_give():
    nodes = [node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Unsqueeze", "n axes", "n1"),
             node("Concat", "n1 rest", "shape", axis=0), node("Reshape", "x shape", "y"), node("ReduceSum", "x", "t")]
    m = model(nodes, [("x", F, ("n", 6))], [("y", F, (1, "length")), ("t", F, ())], zero=np.int64(0), axes=[0], rest=[1, -1])
    m.graph.value_info.append(make_model([], [("n1", I64, ())], []).graph.input[0])
    check(m, {"x": floats((4, 6))})


@pytest.mark.parametrize("shape", [(2, 5), (2, 4, 1), ()])
def test_wrong_shapes_of_outputs_change_nothing(shape):
    m = make_model([node("Relu", "x", "y")], [("x", F, (2, 4))], [("y", F, shape)])
    with pytest.warns(tenon.CompileWarning, match="output 'y' has type float32"):
        y = tenon.compile(m, threads=1).run({"x": floats((2, 4))})["y"]
    assert y.dtype == np.float32 and y.shape == (2, 4)


@pytest.mark.parametrize("shape", [(2, 4), (2, 5), None])
def test_wrong_elements_of_outputs_are_refused(shape):
    m = make_model([node("Relu", "x", "y")], [("x", F, (2, 4))], [("y", I64, shape)])
    for function in (tenon.compile, tenon.reference):
        with pytest.raises(tenon.CompileError, match="output 'y' has elements of float32, but the model states int64"):
            function(m)


# Loops


def placeholder(nothing, shape=("n", 4)):
    """The second carried value is set inside, what it starts with is never read."""
    body = loop_body([node("Add", "v one", "w"), node("Mul", "w w", "new"), node("Identity", "c", "on")],
                     [("v", "w", F, shape), ("old", "new", F, shape)], constants={"one": np.float32(1)})
    return model([node("Loop", ["count", "", "x", "nothing"], "y z", body=body)], [("count", I64, ()), ("x", F, shape)],
                 [("y", F, shape), ("z", F, shape)], nothing=nothing)


@pytest.mark.parametrize("nothing", [np.float32(0), np.zeros((0,), np.float32), np.zeros((1, 1, 1), np.float32)])
def test_placeholders_take_the_type_of_what_the_loop_gives(nothing):
    m = placeholder(nothing)
    compiled = check(m, *({"count": trips(n), "x": floats((3, 4))} for n in (1, 3)))
    with pytest.raises(tenon.RunError, match="the loop has no iteration"):
        compiled.run({"count": trips(0), "x": floats((3, 4))})


def test_loop_whose_first_iteration_broadcasts():
    body = loop_body([node("Add", "sum x", "next"), node("Identity", "c", "on"), node("ReduceSum", "next", "total", keepdims=0)],
                     [("sum", "next", F, ("n", 4))], [("total", F, ())])
    m = model([node("Loop", ["count", "", "start"], "y totals", body=body)], [("count", I64, ()), ("x", F, ("n", 4))],
              [("y", F, ("n", 4)), ("totals", F, ("k",))], start=np.float32(0.5))
    check(m, *({"count": trips(n), "x": floats((3, 4))} for n in (1, 2, 5)))


def test_placeholder_in_a_nested_loop():
    inner = loop_body([node("Mul", "x half", "set"), node("Identity", "c", "on")], [("old2", "set", F, (None, 4))])
    inner.input[0].name, inner.input[1].name, inner.output[0].name = "i2", "c2", "on2"
    inner.node[1].input[0], inner.node[1].output[0] = "c2", "on2"
    body = loop_body([node("Loop", ["two", "", "nothing"], "found", body=inner), node("Add", "v found", "w"),
                      node("Identity", "c", "on")], [("v", "w", F, (None, 4)), ("old", "found", F, (None, 4))],
                     constants={"two": np.int64(2)})
    m = model([node("Loop", ["count", "", "x", "nothing"], "y z", body=body)], [("count", I64, ()), ("x", F, ("n", 4))],
              [("y", F, (None, 4)), ("z", F, (None, 4))], nothing=np.float32(0), half=np.float32(0.5))
    check(m, {"count": trips(2), "x": floats((3, 4))})


def test_one_element_is_a_scalar_where_one_is_carried():
    body = loop_body([node("Add", "v one", "w"), node("Less", "w limit", "on")], [("v", "w", F, ())],
                     constants={"one": np.ones(1, np.float32), "limit": np.full(1, 4.5, np.float32)})
    m = model([node("Loop", ["count", "go", "start"], "y", body=body)], [("count", I64, (1,)), ("go", B, ("k",))],
              [("y", F, ())], start=np.float32(0))
    compiled = tenon.compile(m, threads=1)
    assert compiled.run({"count": np.array([9]), "go": np.array([True])})["y"].item() == 5
    with pytest.raises(tenon.RunError, match="number of elements"):
        compiled.run({"count": np.array([9]), "go": np.array([True, True])})


def test_condition_of_unknown_shape():
    branches = {f"{name}_branch": graph(name, [node(op, "x", f"y_{op}")], [], [(f"y_{op}", F, (4,))])
                for name, op in [("then", "Relu"), ("else", "Neg")]}
    m = model([node("If", "c", "y", **branches)], [("c", B, ("n",)), ("x", F, (4,))], [("y", F, (4,))])
    compiled = check(m, *({"c": np.array([c]), "x": floats((4,))} for c in (True, False)))
    with pytest.raises(tenon.RunError, match="number of elements"):
        compiled.run({"c": np.array([True, False]), "x": floats((4,))})


# Squeeze


def test_squeeze_drops_what_the_stated_rank_says():
    m = model([node("Squeeze", "x", "s"), node("Sigmoid", "s", "y")], [("x", F, ("batch", 1))], [("y", F, ())], 11)
    compiled = check(m, {"x": floats((1, 1))})
    with pytest.raises(tenon.RunError):
        compiled.run({"x": floats((2, 1))})


def test_squeeze_keeps_symbolic_sizes():
    m = model([node("Squeeze", "x", "y")], [("x", F, (1, "n", 1, 5))], [("y", F, ("n", 5))])
    compiled = check(m, {"x": floats((1, 3, 1, 5))})
    with pytest.raises(tenon.RunError, match="a size is 1"):
        compiled.run({"x": floats((1, 1, 1, 5))})


def test_squeeze_finds_the_sizes_by_those_that_are_stated():
    m = model([node("Squeeze", "x", "y")], [("x", F, ("a", 5, "b"))], [("y", F, (5, "b"))])
    check(m, {"x": floats((1, 5, 3))})
    with pytest.raises(tenon.CompileError, match="which of .* have it is not known"):
        tenon.compile(model([node("Squeeze", "x", "y")], [("x", F, ("a", "b"))], [("y", F, ("b",))]))


# Sizes


SCALARS = {"Mod": (2, 3), "Max": (1, 2), "Min": (3, 2), "Pow": (2, 1), "BitShift": (4, 1), "BitwiseAnd": (3, 2)}


@pytest.mark.parametrize("op", [*SCALARS, "Neg", "Abs", "Floor", "Where", "ReduceMax", "CumSum"])
def test_sizes_by_arithmetic_on_constants(op):
    """The TorchScript exporter's unflatten: the first 2 sizes, then 3 and 4."""
    before, values = [], {}
    if op in SCALARS:
        before = [node(op, "p q", "end0", **({"direction": "RIGHT"} if op == "BitShift" else {}))]
        values = {"p": np.uint64(SCALARS[op][0]), "q": np.uint64(SCALARS[op][1])} if op == "BitShift" else \
                 {"p": SCALARS[op][0], "q": SCALARS[op][1]}
    elif op in ("Neg", "Abs"):
        before, values = [node(op, "p", "end0")], {"p": -2}
    elif op == "Floor":
        before, values = [node("Floor", "p", "f"), node("Cast", "f", "end0", to=I64)], {"p": np.float32(2.7)}
    elif op == "Where":
        before, values = [node("Less", "p q", "less"), node("Where", "less p q", "end0")], {"p": 2, "q": 3}
    elif op == "ReduceMax":
        before = [node("Range", "p q r", "list"), node("ReduceMax", "list", "end0", keepdims=0)]
        values = {"p": np.int64(0), "q": np.int64(3), "r": np.int64(1)}
    else:
        before = [node("CumSum", "list axis", "sums"), node("Gather", "sums at", "end0")]
        values = {"list": [1, 1, 1], "axis": np.int64(0), "at": np.int64(1)}
    if op == "BitShift":
        before.append(node("Cast", "end0", "end1", to=I64))
    nodes = [node("Shape", "x", "shape"), *before, node("Reshape", f"{'end1' if op == 'BitShift' else 'end0'} one", "end"),
             node("Slice", "shape zero end", "front"), node("Concat", "front tail", "sizes", axis=0),
             node("Reshape", "x sizes", "y")]
    m = model(nodes, [("x", F, ("t", "b", 12))], [("y", F, (None, None, 3, 4))], 18, one=[1], zero=[0], tail=[3, 4], **values)
    check(m, {"x": floats((2, 3, 12))})


CHANNELS = {
    "Conv": ([node("Conv", "x w", "y", pads=[1] * 4)], {"w": weights(8, 6, 3, 3)}),
    "Conv in groups": ([node("Conv", "x w", "y", group=2)], {"w": weights(8, 3, 3, 3)}),
    "ConvTranspose": ([node("ConvTranspose", "x w", "y", strides=[2, 2])], {"w": weights(6, 4, 3, 3)}),
    "BatchNormalization": ([node("BatchNormalization", "x s b m v", "n"), node("Conv", "n w", "y")],
                           {"w": weights(8, 6, 3, 3), "s": weights(6), "b": weights(6), "m": weights(6), "v": weights(6) ** 2}),
    "InstanceNormalization": ([node("InstanceNormalization", "x s b", "n"), node("Conv", "n w", "y")],
                              {"w": weights(8, 6, 3, 3), "s": weights(6), "b": weights(6)}),
}


@pytest.mark.parametrize("case", CHANNELS)
def test_channels_that_only_the_weights_say(case):
    nodes, values = CHANNELS[case]
    compiled = check(model(nodes, [("x", F, (1, "c", 7, 7))], [("y", F, None)], **values), {"x": floats((1, 6, 7, 7))}, tolerance=1e-4)
    with pytest.raises(tenon.RunError):
        compiled.run({"x": floats((1, 5, 7, 7))})


def test_depth_that_only_the_weights_say():
    m = model([node("MatMul", "x w", "h"), node("Gemm", "h v c", "y")], [("x", F, ("n", "k"))], [("y", F, None)],
              w=weights(6, 5), v=weights(5, 4), c=weights(4))
    compiled = check(m, {"x": floats((3, 6))})
    with pytest.raises(tenon.RunError):
        compiled.run({"x": floats((3, 5))})


def test_transposes_that_differ_in_a_symbolic_batch():
    """Kernels that would be one but for a symbol of one that is a number in the other."""
    nodes, outputs = [], []
    for k in "ab":
        nodes += [node("Reshape", f"x heads_{k}", f"split_{k}"), node("Transpose", f"split_{k}", f"moved_{k}", perm=[0, 2, 1, 3]),
                  node("Reshape", f"moved_{k} three", f"flat_{k}"), node("Transpose", f"flat_{k}", f"y_{k}", perm=[0, 2, 1])]
        outputs.append((f"y_{k}", F, None))
    m = model(nodes, [("x", F, ("batch", 197, 128))], outputs, heads_a=[-1, 197, 4, 32], heads_b=[1, 197, 4, 32],
              three=[-1, 197, 32])
    check(m, {"x": floats((1, 197, 128))})


@pytest.mark.parametrize("images", [1, 2, "n"])
def test_skip_of_an_image_of_symbolic_size(images):
    nodes = [node("Conv", "x wa", "a", pads=[1] * 4, strides=[2, 2]), node("Conv", "a wb", "b", pads=[1] * 4, strides=[2, 2]),
             node("ConvTranspose", "b wc", "c", strides=[2, 2], pads=[1] * 4, output_padding=[1, 1]),
             node("Concat", "c a", "y", axis=1)]
    m = model(nodes, [("x", F, (images, 3, "h", "w"))], [("y", F, None)], wa=weights(16, 3, 3, 3), wb=weights(16, 16, 3, 3),
              wc=weights(16, 16, 3, 3))
    count = 2 if images == "n" else images
    check(m, {"x": floats((count, 3, 32, 24))}, {"x": floats((count, 3, 16, 40))}, tolerance=1e-4)


def test_resize_to_the_nearest_as_tensorflow_did():
    m = model([node("Resize", ["x", "", "scales"], "y", mode="nearest", nearest_mode="floor",
                    coordinate_transformation_mode="tf_half_pixel_for_nn")],
              [("x", F, (1, 2, 5, 4))], [("y", F, None)], 11, scales=np.array([1, 1, 1.7, 2.5], np.float32))
    m.graph.node[0].input[1] = "roi"
    m.graph.initializer.append(numpy_helper.from_array(np.zeros(0, np.float32), "roi"))
    check(m, {"x": floats((1, 2, 5, 4))})

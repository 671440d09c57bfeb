"""Loops and branches whose sizes show only while they run, against ONNX Runtime or values known beforehand."""

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper
from test_cases import check, floats

import tenon

F, I64, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split() if isinstance(inputs, str) else inputs, outputs.split(), **attributes)


def graph(name, nodes, inputs, outputs, constants={}):
    return helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(*info) for info in inputs],
        [helper.make_tensor_value_info(*info) for info in outputs],
        [numpy_helper.from_array(np.array(value), key) for key, value in constants.items()],
    )


def loop_body(nodes, carried, scanned=(), constants={}, condition="on"):
    """Carried values are (in, out, type, shape), scan values (name, type, shape)."""
    return graph(
        "body",
        nodes,
        [("i", I64, ()), ("c", B, ())] + [(given, kind, shape) for given, _, kind, shape in carried],
        [(condition, B, ())] + [(after, kind, shape) for _, after, kind, shape in carried] + list(scanned),
        constants,
    )


def growing(width=3):
    """x = concat(x, tanh(last row of x))"""
    body = loop_body(
        [
            node("Identity", "c", "on"),
            node("Slice", "v last end axis", "row"),
            node("Tanh", "row", "t"),
            node("Concat", "v t", "w", axis=0),
        ],
        [("v", "w", F, (None, width))],
        constants={"last": [-1], "end": [np.iinfo(np.int64).max], "axis": [0]},
    )
    return make_model(
        [node("Loop", ["n", "", "x"], "y", body=body)],
        [("n", I64, ()), ("x", F, ("rows", width))],
        [("y", F, (None, width))],
    )


def trips(n):
    return np.array(n, np.int64)


def scalar(x):
    return np.array(x, np.float32)


def test_case_f_loop_with_a_growing_carry():
    x = floats((2, 3))
    compiled = check(growing(), *({"n": trips(n), "x": x} for n in (0, 1, 2, 7, 50)))
    check(growing(), {"n": trips(5), "x": floats((40, 3))}, compiled=compiled)
    many = compiled.run({"n": trips(1000), "x": x})["y"]
    expected = [row for row in x]
    for _ in range(1000):
        expected.append(np.tanh(expected[-1]))
    assert many.shape == (1002, 3)
    np.testing.assert_allclose(many, np.array(expected), rtol=1e-4, atol=1e-5)


def test_loop_that_swaps_growing_carries():
    body = loop_body(
        [node("Identity", "c", "on"), node("Concat", "a b", "a1", axis=0), node("Identity", "a", "b1"),
         node("ReduceSum", "a1", "s", keepdims=0), node("Add", "total s", "total1")],
        [("a", "a1", F, (None,)), ("b", "b1", F, (None,)), ("total", "total1", F, ())],
    )
    model = make_model(
        [node("Loop", ["n", "", "x", "z", "t"], "y u total2", body=body)],
        [("n", I64, ()), ("x", F, ("p",)), ("z", F, ("q",)), ("t", F, ())],
        [("y", F, (None,)), ("u", F, (None,)), ("total2", F, ())],
    )
    feeds = [{"n": trips(n), "x": floats((2,)), "z": floats((1,), 1), "t": scalar(1)} for n in (0, 1, 2, 5, 9)]
    check(model, *feeds, tolerance=1e-4)


def test_loop_without_trip_count_collects():
    """The number of iterations is data: the scan values have no bound."""
    body = loop_body(
        [node("Mul", "v v", "w"), node("Less", "w limit", "on"), node("Identity", "w", "all")],
        [("v", "w", F, ())], [("all", F, ())],
    )
    model = make_model(
        [node("Loop", ["", "go", "x"], "y steps", body=body)],
        [("go", B, ()), ("limit", F, ()), ("x", F, ())],
        [("y", F, ()), ("steps", F, (None,))],
    )
    feeds = [{"go": np.array(True), "limit": scalar(limit), "x": scalar(1.001)} for limit in (1, 10, 1e30)]
    compiled = check(model, *feeds, tolerance=1e-3)
    none = compiled.run({"go": np.array(False), "limit": scalar(1), "x": scalar(2)})
    assert none["y"] == 2 and none["steps"].shape == (0,)


def nonzero_in_loop(second="picked"):
    """Each iteration picks the elements above a limit that grows; scan values have a size that data decides."""
    body = loop_body(
        [
            node("Identity", "c", "on"),
            node("Greater", "x limit", "above"),
            node("Compress", "x above", "picked"),
            node("ReduceMax", "picked", "m", keepdims=0),
            node("Sub", "limit step", "next"),
            node("Concat", "got picked", "more", axis=0),
            node("Add", "first first", "doubled"),
        ],
        [("limit", "next", F, ()), ("got", "more", F, (None,))],
        [("m", F, ())] + ([("doubled", F, (None,))] if second == "doubled" else []),
    )
    if second == "doubled":
        body.node.insert(3, node("Compress", "x fixed", "first"))
    else:
        body.node.pop()
    outputs = "l all maxima" + (" rows" if second == "doubled" else "")
    return make_model(
        [node("Loop", ["n", "", "start", "none"], outputs, body=body)],
        [("n", I64, ()), ("x", F, ("k",)), ("start", F, ()), ("step", F, ()), ("none", F, (None,)), ("fixed", B, ("k",))],
        [("l", F, ()), ("all", F, (None,)), ("maxima", F, (None,))]
        + ([("rows", F, (None, None))] if second == "doubled" else []),
    )


@pytest.mark.parametrize("second", ["picked", "doubled"])
def test_case_g_compress_in_a_loop(second):
    x = np.abs(floats((20,))) + 0.01
    feeds = [
        {"n": trips(n), "x": x, "start": scalar(x.max() - 0.01), "step": scalar(0.2),
         "none": np.zeros(0, np.float32), "fixed": x > 0.5}
        for n in (1, 2, 6)
    ]
    compiled = check(nonzero_in_loop(second), *feeds)
    none = compiled.run({**feeds[0], "n": trips(0)})
    assert none["all"].shape == (0,) and none["maxima"].shape == (0,)


def test_scan_values_that_differ_in_size_are_an_error():
    body = loop_body(
        [node("Identity", "c", "on"), node("Range", "zero i one", "r")], [], [("r", I64, (None,))],
        {"zero": np.int64(0), "one": np.int64(1)},
    )
    model = make_model(
        [node("Loop", ["n", ""], "all", body=body, name="rows")], [("n", I64, ())], [("all", I64, (None, None))]
    )
    compiled = tenon.compile(model, threads=1)
    assert compiled.run({"n": trips(1)})["all"].shape == (1, 0)
    with pytest.raises(tenon.RunError, match="rows.*differ in size"):
        compiled.run({"n": trips(2)})
    assert compiled.run({"n": trips(0)})["all"].shape == (0, 0)


def if_of_two_sizes():
    then = graph("then", [node("Concat", "x x", "t", axis=0)], [], [("t", F, (None,))])
    other = graph("other", [node("Compress", "x keep", "k"), node("Exp", "k", "o")], [], [("o", F, (None,))])
    return make_model(
        [node("If", "c", "y", then_branch=then, else_branch=other), node("Neg", "y", "z")],
        [("c", B, ()), ("x", F, ("n",)), ("keep", B, ("n",))],
        [("y", F, (None,)), ("z", F, (None,))],
    )


def test_case_e_if_with_arms_of_two_sizes():
    x = floats((9,))
    check(if_of_two_sizes(), *({"c": np.array(c), "x": x[:n], "keep": x[:n] > 0} for c in (True, False)
                               for n in (9, 1, 4)))


def test_if_of_static_sizes_passes_on_an_outer_value():
    then = graph("then", [node("Slice", "x zero two", "t")], [], [("t", F, (2,))], {"zero": [0], "two": [2]})
    other = graph("other", [node("Identity", "x", "o")], [], [("o", F, (5,))])
    model = make_model(
        [node("If", "c", "y", then_branch=then, else_branch=other)],
        [("c", B, ()), ("x", F, (5,))],
        [("y", F, (None,))],
    )
    check(model, *({"c": np.array(c), "x": floats((5,))} for c in (True, False)))


def nested():
    """An outer loop that grows by what an inner loop made, or by a branch's choice."""
    inner = loop_body(
        [node("Identity", "c", "on2"), node("Concat", "u part", "u1", axis=0)], [("u", "u1", F, (None,))],
        condition="on2",
    )
    then = graph(
        "then", [node("Loop", ["i", "", "part"], "r", body=inner)], [], [("r", F, (None,))]
    )
    other = graph("other", [node("Compress", "v high", "e")], [], [("e", F, (None,))])
    body = loop_body(
        [
            node("Identity", "c", "on"),
            node("Mod", "i two", "odd"),
            node("Cast", "odd", "isOdd", to=B),
            node("Slice", "v zero two1", "part"),
            node("Greater", "v limit", "high"),
            node("If", "isOdd", "piece", then_branch=then, else_branch=other),
            node("Concat", "v piece", "w", axis=0),
        ],
        [("v", "w", F, (None,))],
        constants={"two": np.int64(2), "zero": [0], "two1": [2]},
    )
    body.node.extend([node("Shape", "w", "length")])
    body.output.append(helper.make_tensor_value_info("length", I64, (1,)))
    return make_model(
        [node("Loop", ["n", "", "x"], "y lengths", body=body)],
        [("n", I64, ()), ("limit", F, ()), ("x", F, ("k",))],
        [("y", F, (None,)), ("lengths", I64, (None, 1))],
    )


def test_nested_loops_and_branches():
    compiled = check(
        nested(), *({"n": trips(n), "limit": scalar(0.1), "x": floats((k,))} for n in (0, 1, 2, 5, 8) for k in (3, 7))
    )
    # The same again takes no more memory, and threads change no bit.
    feed = {"n": trips(8), "limit": scalar(0.1), "x": floats((7,))}
    threaded = tenon.compile(nested(), threads=2).run(feed)
    for name, value in compiled.run(feed).items():
        np.testing.assert_array_equal(value, threaded[name])


def test_case_h_gather_out_of_range_in_a_loop():
    body = loop_body(
        [node("Identity", "c", "on"), node("Gather", "v i", "e", name="lookup"), node("Unsqueeze", "e axis", "e1"),
         node("Concat", "w e1", "w1", axis=0)],
        [("w", "w1", F, (None,))], constants={"axis": [0]},
    )
    model = make_model(
        [node("Loop", ["n", "", "x"], "y", body=body)],
        [("n", I64, ()), ("v", F, ("k",)), ("x", F, ("m",))],
        [("y", F, (None,))],
    )
    feed = {"n": trips(4), "v": floats((4,)), "x": floats((1,))}
    compiled = check(model, feed)
    with pytest.raises(tenon.RunError, match="lookup.*4"):
        compiled.run({**feed, "n": trips(9)})
    check(model, feed, compiled=compiled)


@pytest.mark.parametrize("directions", [(0, 0), (1, 0)])
def test_scan_over_a_batch(directions):
    body = graph(
        "body",
        [node("Mul", "a b", "product"), node("Add", "s product", "sum"), node("Identity", "sum", "all")],
        [("s", F, (2,)), ("a", F, (2,)), ("b", F, (2,))],
        [("sum", F, (2,)), ("all", F, (2,))],
    )
    model = make_model(
        [node("Scan", ["", "s0", "x", "y"], "last scanned", body=body, num_scan_inputs=2, directions=directions)],
        [("s0", F, ("n", 2)), ("x", F, ("n", "t", 2)), ("y", F, ("n", "t", 2))],
        [("last", F, ("n", 2)), ("scanned", F, ("n", "t", 2))],
        opset=8,
    )
    check(model, *({"s0": floats((n, 2)), "x": floats((n, t, 2), 1), "y": floats((n, t, 2), 2)} for n, t in ((1, 3), (3, 4))))


def test_sizes_of_a_branch_alone():
    """No segment but the branches knows both sizes of the result."""
    x = ("x", F, ("a", 4))
    flat = graph("flat", [node("Flatten", "x", "t", axis=0)], [], [("t", F, None)])
    plain = graph("plain", [node("Exp", "x", "e")], [], [("e", F, None)])
    model = make_model([node("If", "c", "y", then_branch=flat, else_branch=plain), node("Relu", "y", "r")], [("c", B, ()), x], [("r", F, None)])
    for rows in (1, 3):
        for condition in (True, False):
            data = floats((rows, 4))
            wanted = np.maximum(data.reshape(1, -1) if condition else np.exp(data), 0)
            for run in (tenon.compile(model).run, tenon.reference(model).run):
                np.testing.assert_allclose(run({"x": data, "c": np.array(condition)})["r"], wanted, rtol=1e-6)

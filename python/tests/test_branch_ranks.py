"""Branches whose results differ in rank, as exporters write `squeeze`, against ONNX Runtime or values known beforehand."""

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, numpy_helper
from test_cases import check, floats
from test_control_flow import graph, loop_body, node, trips

import tenon

F, I64, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def branch(condition, then, otherwise, result, then_constants={}):
    """Two subgraphs, each of nodes and the name that it gives."""
    return node(
        "If",
        condition,
        result,
        then_branch=graph("then", then[0], [], [(then[1], F, None)], then_constants),
        else_branch=graph("else", otherwise[0], [], [(otherwise[1], F, None)]),
    )


def squeeze_if_one(x, result, prefix=""):
    """y = squeeze(x, -1) where the last size is 1, else x"""
    p = prefix
    return [
        node("Shape", x, f"{p}sizes"),
        node("Gather", f"{p}sizes {p}last", f"{p}size"),
        node("Equal", f"{p}size {p}one", f"{p}single"),
        branch(
            f"{p}single",
            ([node("Squeeze", f"{x} {p}last", f"{p}squeezed")], f"{p}squeezed"),
            ([node("Identity", x, f"{p}same")], f"{p}same"),
            result,
        ),
    ]


def constants(prefix="", **more):
    values = {f"{prefix}last": [-1], f"{prefix}one": [1], **more}
    return [numpy_helper.from_array(np.array(value), name) for name, value in values.items()]


def agree(model, *feeds):
    compiled = check(model, *feeds)
    reference = tenon.reference(model)
    for feed in feeds:
        for name, expected in compiled.run(feed).items():
            np.testing.assert_allclose(reference.run(feed)[name], expected, rtol=1e-5, atol=1e-5)


def test_what_follows_is_part_of_both_branches():
    nodes = [
        *squeeze_if_one("x", "y"),
        node("Relu", "y", "r"),
        node("Shape", "r", "ranks"),
        node("Size", "ranks", "rank"),
        node("ReduceSum", "r", "sum", keepdims=0),
    ]
    model = make_model(nodes, [("x", F, ("n", "t"))], [("sum", F, ()), ("rank", I64, ())], constants())
    agree(model, *({"x": floats((3, t))} for t in (1, 4)))


def test_a_branch_that_has_no_meaning_is_refused_at_run_time():
    nodes = [*squeeze_if_one("x", "y"), node("Gemm", "y w", "z")]
    model = make_model(nodes, [("x", F, ("n", 4, "t"))], [("z", F, ("n", 2))], constants(w=floats((4, 2), 1)))
    agree(model, {"x": floats((3, 4, 1))})
    for made in (tenon.compile(model, threads=1), tenon.reference(model)):
        with pytest.raises(tenon.RunError, match="no meaning: 'Gemm'.*"):
            made.run({"x": floats((3, 4, 2))})


def test_a_condition_that_is_data():
    nodes = [
        branch(
            "c",
            ([node("Squeeze", "x last", "squeezed")], "squeezed"),
            ([node("Identity", "x", "same")], "same"),
            "y",
        ),
        node("Gemm", "y w", "z"),
    ]
    inputs = [("x", F, ("n", 4, 1)), ("c", B, (1,))]
    model = make_model(nodes, inputs, [("z", F, ("n", 2))], constants(w=floats((4, 2), 1)))
    agree(model, {"x": floats((3, 4, 1)), "c": np.array([True])})
    for made in (tenon.compile(model, threads=1), tenon.reference(model)):
        with pytest.raises(tenon.RunError, match="no meaning: 'Gemm'.*"):
            made.run({"x": floats((3, 4, 1)), "c": np.array([False])})


def test_ranks_that_differ_beyond_the_branch_around():
    nodes = [
        branch(
            "c",
            (squeeze_if_one("x", "inner"), "inner"),
            ([node("Neg", "x", "negated")], "negated"),
            "y",
        ),
        node("Exp", "y", "e"),
        node("ReduceMean", "e", "z", keepdims=0),
    ]
    model = make_model(nodes, [("x", F, ("n", "t")), ("c", B, ())], [("z", F, ())], constants())
    agree(model, *({"x": floats((3, t)), "c": np.array(c)} for t in (1, 4) for c in (True, False)))


def test_two_branches_by_one_size():
    nodes = [
        *squeeze_if_one("x", "a"),
        *squeeze_if_one("y", "b", "other_"),
        node("Add", "a b", "sum"),
        node("ReduceMax", "sum", "z", keepdims=0),
    ]
    inputs = [("x", F, ("n", "t")), ("y", F, ("n", "t"))]
    model = make_model(nodes, inputs, [("z", F, ())], constants() + constants("other_"))
    agree(model, *({"x": floats((3, t)), "y": floats((3, t), 1)} for t in (1, 4)))


def test_in_the_body_of_a_loop():
    body = loop_body(
        [
            node("Identity", "c", "on"),
            *squeeze_if_one("x", "y"),
            node("ReduceSum", "y", "sum", keepdims=0),
            node("Add", "v sum", "w"),
        ],
        [("v", "w", F, ())],
        constants={"last": [-1], "one": [1]},
    )
    model = make_model(
        [node("Loop", ["n", "", "start"], "total", body=body)],
        [("n", I64, ()), ("start", F, ()), ("x", F, ("rows", "t"))],
        [("total", F, ())],
    )
    agree(model, *({"n": trips(3), "start": np.array(1, np.float32), "x": floats((3, t))} for t in (1, 4)))


def test_results_of_two_ranks_are_no_graph_output():
    model = make_model(squeeze_if_one("x", "y"), [("x", F, ("n", "t"))], [("y", F, None)], constants())
    with pytest.raises(tenon.CompileError, match="'If'.*of different rank"):
        tenon.compile(model)


def test_copies_are_limited():
    nodes, inputs, value = [], [("x", F, (3,))], "x"
    for i in range(10):
        grown = ([node("Unsqueeze", f"{value} zero", f"u{i}")], f"u{i}")
        kept = ([node("Identity", value, f"k{i}")], f"k{i}")
        nodes.append(branch(f"c{i}", grown, kept, f"y{i}"))
        inputs.append((f"c{i}", B, ()))
        value = f"y{i}"
    nodes.append(node("ReduceSum", value, "z", keepdims=0))
    zero = [numpy_helper.from_array(np.array([0]), "zero")]
    with pytest.raises(tenon.CompileError, match="what follows them is already there 256 times"):
        tenon.compile(make_model(nodes, inputs, [("z", F, ())], zero))

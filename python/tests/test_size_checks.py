"""Sizes that are known only at run time: where they don't fit, the run ends in an error that names the node."""

import itertools

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto as T, helper, numpy_helper

import tenon


def ones(*shape):
    return np.ones(shape, np.float32)


def numbers(*values):
    return np.array(values, np.int64)


def floats(**shapes):
    return [(name, T.FLOAT, shape) for name, shape in shapes.items()]


SHAPE = ("s", T.INT64, (2,))
NEITHER = r"node 'n': a size is neither 1 nor what it is broadcast to \(\d+ against \d+\)"
SHARED = r"node 'n': operands differ in a size that they share \(4 against 3\)"

# op, attributes, inputs, feeds that fit with the shape of the result, feeds that don't with the error.
CASES = [
    ("Add", {}, floats(a=("n",), b=("m",)),
     [((ones(5), ones(5)), (5,)), ((ones(5), ones(1)), (5,)), ((ones(1), ones(5)), (5,)), ((ones(0), ones(1)), (0,))],
     [((ones(5), ones(3)), NEITHER)]),
    ("Where", {}, [("c", T.BOOL, ("l",)), *floats(a=("n",), b=("m",))],
     [((np.ones(5, bool), ones(5), ones(5)), (5,)), ((np.ones(1, bool), ones(5), ones(1)), (5,))],
     [((np.ones(3, bool), ones(5), ones(5)), NEITHER), ((np.ones(5, bool), ones(5), ones(2)), NEITHER)]),
    *[("Pad", {"mode": mode}, floats(a=("n", "k")) + [("p", T.INT64, (4,))],
       [((ones(5, 3), numbers(1, 0, 0, 2)), (6, 5)), ((ones(0, 3), numbers(0, 0, 0, 2)), (0, 5)), ((ones(0, 0), numbers(0, 0, 0, 0)), (0, 0))],
       [((ones(0, 3), numbers(1, 0, 0, 0)), r"node 'n': expects elements along axis 0 of which there can be more, but there is none"),
        ((ones(2, 0), numbers(0, 1, 0, 1)), r"node 'n': expects elements along axis 1 of which there can be more")])
      for mode in ("edge", "reflect", "wrap")],
    ("MatMul", {}, floats(a=("n", "k"), b=("j", "m")),
     [((ones(5, 3), ones(3, 4)), (5, 4))],
     [((ones(5, 3), ones(4, 5)), SHARED)]),
    ("Gemm", {}, floats(a=("n", "k"), b=("j", "m"), c=("o",)),
     [((ones(5, 3), ones(3, 4), ones(4)), (5, 4))],
     [((ones(5, 3), ones(4, 5), ones(5)), SHARED), ((ones(5, 3), ones(3, 4), ones(3)), NEITHER)]),
    ("Concat", {"axis": 1}, floats(a=("n", "k"), b=("j", "m")),
     [((ones(5, 3), ones(5, 4)), (5, 7))],
     [((ones(5, 3), ones(4, 4)), r"node 'n': operands differ in a size that isn't concatenated")]),
    ("Reshape", {}, [*floats(a=("n", "k")), SHAPE],
     [((ones(5, 3), numbers(3, 5)), (3, 5)), ((ones(5, 3), numbers(-1, 5)), (3, 5)), ((ones(5, 4), numbers(0, -1)), (5, 4))],
     [((ones(5, 3), numbers(5, 7)), r"node 'n': the operand has another number of elements than the shape that it is given"),
      ((ones(5, 3), numbers(-1, 4)), r"node 'n': the operand has another number of elements"),
      ((ones(5, 3), numbers(-3, -5)), "negative")]),
    ("Expand", {}, [*floats(a=("n",)), SHAPE],
     [((ones(5), numbers(3, 5)), (3, 5)), ((ones(5), numbers(2, 1)), (2, 5))],
     [((ones(5), numbers(5, 7)), NEITHER), ((ones(5), numbers(-1, 5)), "negative")]),
    ("Conv", {}, floats(a=(1, "ci", "h", "w"), b=("co", "cj", 3, 3)),
     [((ones(1, 2, 5, 5), ones(3, 2, 3, 3)), (1, 3, 3, 3))],
     [((ones(1, 2, 5, 5), ones(3, 4, 3, 3)), r"node 'n': the input has another number of channels than the filters \(2 against 4\)")]),
    ("ScatterND", {}, [*floats(a=("n", "m")), ("i", T.INT64, ("j", 1)), *floats(u=("k", "l"))],
     [((ones(5, 3), numbers([1], [2]), ones(2, 3)), (5, 3))],
     [((ones(5, 3), numbers([1], [2], [3], [4]), ones(2, 3)), r"node 'n': the updates are of other sizes")]),
    ("TopK", {}, [*floats(a=("n",)), ("k", T.INT64, (1,))],
     [((ones(5), numbers(2)), (2,))],
     [((ones(5), numbers(9)), r"node 'n': there are fewer elements than are asked for \(9 against 5\)"),
      ((ones(5), numbers(-1)), "negative")]),
    ("Split", {}, [*floats(a=("n",)), SHAPE],
     [((ones(5), numbers(2, 3)), (2,))],
     [((ones(5), numbers(*sizes)), r"node 'n': the slice goes beyond its operand") for sizes in ((2, 9), (-2, 7))]),
    ("Pad", {}, [*floats(a=("n",)), SHAPE],
     [((ones(5), numbers(2, 3)), (10,)), ((ones(5), numbers(-2, -1)), (2,))],
     [((ones(5), numbers(-2, -9)), "negative")]),
    ("Tile", {}, [*floats(a=("n",)), ("s", T.INT64, (1,))],
     [((ones(5), numbers(2)), (10,)), ((ones(5), numbers(0)), (0,))],
     [((ones(5), numbers(-2)), "negative"), ((ones(5), numbers(2**62)), "more bytes than 64 bits can count")]),
    ("ConstantOfShape", {}, [SHAPE],
     [((numbers(2, 3),), (2, 3)), ((numbers(0, 3),), (0, 3))],
     [((numbers(-2, 3),), "negative"), ((numbers(2**40, 2**40),), "more bytes than 64 bits can count"),
      ((numbers(2**30, 2**20),), "out of memory")]),
    ("ArgMax", {"keepdims": 0}, floats(a=("n", "m")),
     [((ones(5, 3),), (3,)), ((ones(0, 0),), (0,))],
     [((ones(0, 3),), r"node 'n': there are no elements to choose from")]),
]


@pytest.mark.parametrize("op, attributes, inputs, fitting, wrong", CASES, ids=[case[0] for case in CASES])
def test_sizes_at_run_time(op, attributes, inputs, fitting, wrong):
    outputs = ["y", "z"] if op in ("TopK", "Split") else ["y"]
    element = {"ArgMax": T.INT64}.get(op, T.FLOAT)
    names = [name for name, _, _ in inputs]
    model = make_model([helper.make_node(op, names, outputs, name="n", **attributes)], inputs,
                       [(name, T.INT64 if name == "z" and op == "TopK" else element, None) for name in outputs], opset=21)
    compiled = tenon.compile(model, threads=1)
    for feeds, message in wrong:
        with pytest.raises(tenon.RunError, match=message):
            compiled.run(dict(zip(names, feeds)))
    # The session goes on.
    interpreted = tenon.reference(model)
    for feeds, shape in fitting:
        feed = dict(zip(names, feeds))
        actual = compiled.run(feed)["y"]
        assert actual.shape == shape
        np.testing.assert_array_equal(actual, interpreted.run(feed)["y"])


def test_in_a_branch():
    branch = lambda name, op, inputs: helper.make_graph(
        [helper.make_node(op, inputs, [name], name=op)], name, [], [helper.make_tensor_value_info(name, T.FLOAT, None)])
    model = make_model(
        [helper.make_node("If", ["c"], ["y"], then_branch=branch("t", "MatMul", ["a", "b"]),
                          else_branch=branch("e", "Identity", ["a"]))],
        [("c", T.BOOL, ()), *floats(a=("n", "k"), b=("j", "k"))], [("y", T.FLOAT, ("n", "k"))], opset=21)
    compiled = tenon.compile(model, threads=1)
    np.testing.assert_array_equal(compiled(np.array(True), ones(2, 3), ones(3, 3)), 3 * ones(2, 3))
    with pytest.raises(tenon.RunError, match="node 'MatMul': operands differ in a size that they share"):
        compiled(np.array(True), ones(2, 3), ones(4, 3))
    # What isn't taken isn't checked.
    np.testing.assert_array_equal(compiled(np.array(False), ones(2, 3), ones(4, 3)), ones(2, 3))


F = helper.make_tensor("w", T.FLOAT, (4, 1, 16), np.ones(64, np.float32))


@pytest.mark.parametrize("node, initializers", [
    (helper.make_node("Conv", ["x", "w"], ["y"], name="n"), [F]),
    (helper.make_node("MaxPool", ["x"], ["y"], name="n", kernel_shape=[16]), []),
    (helper.make_node("AveragePool", ["x"], ["y"], name="n", kernel_shape=[16]), []),
    (helper.make_node("Pad", ["x", "p"], ["y"], name="n"), [helper.make_tensor("p", T.INT64, (6,), [0, 0, -8, 0, 0, -8])]),
])
def test_inputs_that_are_too_small(node, initializers):
    model = make_model([node], floats(x=(1, 1, "n")), [("y", T.FLOAT, (1, None, None))], initializers)
    compiled = tenon.compile(model, threads=1)
    for _ in range(2):
        with pytest.raises(tenon.RunError, match="node 'n': a size of its result is negative: an input is too small"):
            compiled(ones(1, 1, 9))
        assert compiled(ones(1, 1, 20)).shape[2] in (4, 5)


@pytest.mark.parametrize("start, end", [("zero", "n+3"), ("zero", "2n"), ("n-3", "n"), ("zero", "m"), ("m-3", "m+3"), ("m", "n"), ("n-m", "n")])
def test_bounds_that_are_sums_of_sizes(start, end):
    """They may lie behind the operand, and count from its end where they are negative."""
    def sizes(x, z):
        return {"zero": 0, "n": len(x), "m": len(z), "n+3": len(x) + 3, "m+3": len(z) + 3, "n-3": len(x) - 3, "m-3": len(z) - 3,
                "n-m": len(x) - len(z), "2n": 2 * len(x)}

    nodes = [helper.make_node("Shape", ["x"], ["n"], start=0, end=1), helper.make_node("Shape", ["z"], ["m"]),
             helper.make_node("Add", ["n", "three"], ["n+3"]), helper.make_node("Add", ["m", "three"], ["m+3"]),
             helper.make_node("Sub", ["n", "three"], ["n-3"]), helper.make_node("Sub", ["m", "three"], ["m-3"]),
             helper.make_node("Sub", ["n", "m"], ["n-m"]), helper.make_node("Add", ["n", "n"], ["2n"]),
             helper.make_node("Slice", ["x", start, end, "zero"], ["y"])]
    model = make_model(nodes, floats(x=("n", 2), z=("m",)), [("y", T.FLOAT, (None, 2))],
                       [numpy_helper.from_array(numbers(value), name) for name, value in (("zero", 0), ("three", 3))])
    compiled = tenon.compile(model, threads=1)
    for n in (0, 1, 2, 5, 8):
        for m in (0, 1, 4, 5, 9):
            x, z = np.arange(2 * n, dtype=np.float32).reshape(n, 2), ones(m)
            np.testing.assert_array_equal(compiled(x, z), x[sizes(x, z)[start] : sizes(x, z)[end]], err_msg=f"n = {n}, m = {m}")


def test_tables_that_are_too_short():
    """Cut to the size of what it is added to, a table has that size: an error at the node where it is shorter."""
    nodes = [helper.make_node("Shape", ["x"], ["n"]), helper.make_node("Slice", ["table", "zero", "n", "zero"], ["t"], name="cut"),
             helper.make_node("Add", ["x", "t"], ["y"])]
    table = np.arange(6, dtype=np.float32)
    model = make_model(nodes, floats(x=("n",)), [("y", T.FLOAT, ("n",))],
                       [numpy_helper.from_array(table, "table"), numpy_helper.from_array(numbers(0), "zero")])
    compiled = tenon.compile(model, threads=1)
    for n in (0, 1, 6):
        np.testing.assert_array_equal(compiled(ones(n)), ones(n) + table[:n])
    with pytest.raises(tenon.RunError, match="node 'cut': the slice goes beyond its operand"):
        compiled(ones(7))


def test_clamped_slices_in_broadcasts():
    """A slice is as long as what it is added to only where that must be: one place is broadcast, none gives none, and places
    from the end are others."""
    shape, constants = helper.make_node("Shape", ["x"], ["n"]), {"zero": 0, "one": 1, "minus_one": -1}

    def compiled(*nodes, table="m"):
        model = make_model([shape, *nodes, helper.make_node("Add", ["x", "s"], ["y"])], floats(x=("n",), t=(table,)), [("y", T.FLOAT, (None,))],
                           [numpy_helper.from_array(numbers(value), name) for name, value in constants.items()])
        return tenon.compile(model, threads=1)

    front = compiled(helper.make_node("Slice", ["t", "zero", "n", "zero"], ["s"]))
    back = compiled(helper.make_node("Neg", ["n"], ["-n"]), helper.make_node("Sub", ["-n", "one"], ["start"]),
                    helper.make_node("Slice", ["t", "start", "minus_one", "zero"], ["s"]))
    for n in (0, 1, 2, 5):
        for m in (0, 1, 2, 5, 9):
            x, t = ones(n), np.arange(m, dtype=np.float32)
            for run, cut in ((front, t[:n]), (back, t[-n - 1 : -1])):
                if n != len(cut) and 1 not in (n, len(cut)):
                    with pytest.raises(tenon.RunError):
                        run(x, t)
                else:
                    np.testing.assert_array_equal(run(x, t), x + cut, err_msg=f"n = {n}, m = {m}")
    np.testing.assert_array_equal(compiled(helper.make_node("Slice", ["t", "zero", "n", "zero"], ["s"]), table=1)(ones(5), ones(1)), 2 * ones(5))


def test_ends_that_quotients_and_remainders_give():
    """They may lie behind the operand."""
    nodes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Gather", ["s", "one"], ["n"])]
    outputs = []
    for op in ("Mod", "Div"):
        nodes += [helper.make_node(op, ["n", "three"], [op]), helper.make_node("Unsqueeze", [op, "zero"], [op + "1"]),
                  helper.make_node("Add", [op + "1", "two"], [op + "2"]), helper.make_node("Slice", ["x", "zero", op + "2", "zero"], [op + "y"])]
        outputs.append((op + "y", T.FLOAT, (None, "b")))
    constants = {"zero": [0], "one": 1, "two": [2], "three": 3}
    model = make_model(nodes, [("x", T.FLOAT, ("a", "b"))], outputs,
                       [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in constants.items()])
    compiled, reference = tenon.compile(model), tenon.reference(model)
    for a in (0, 1, 3, 9):
        for b in (1, 3, 5, 8):
            x = np.arange(a * b, dtype=np.float32).reshape(a, b)
            for run in (compiled.run, reference.run):
                y = run({"x": x})
                np.testing.assert_array_equal(y["Mody"], x[: b % 3 + 2])
                np.testing.assert_array_equal(y["Divy"], x[: b // 3 + 2])


def test_slices_that_are_clamped_in_turn():
    """What is cut to the size of something that is cut is as long as what that is cut to, in whichever order they meet."""
    nodes = {"shape": helper.make_node("Shape", ["x"], ["n"]),
             "a": helper.make_node("Slice", ["first", "zero", "n", "zero"], ["a"], name="first_cut"),
             "of_a": helper.make_node("Shape", ["a"], ["m"]),
             "b": helper.make_node("Slice", ["second", "zero", "m", "zero"], ["b"], name="second_cut"),
             "x + a": helper.make_node("Add", ["x", "a"], ["xa"]), "a + b": helper.make_node("Add", ["a", "b"], ["ab"]),
             "x + b": helper.make_node("Add", ["x", "b"], ["xb"])}
    first, second = np.arange(6, dtype=np.float32), np.arange(4, dtype=np.float32)
    for sums in itertools.permutations(["x + a", "a + b", "x + b"]):
        model = make_model([nodes[name] for name in ("shape", "a", "of_a", "b", *sums)], floats(x=("n",)),
                           [(name, T.FLOAT, (None,)) for name in ("xa", "ab", "xb")],
                           [numpy_helper.from_array(first, "first"), numpy_helper.from_array(second, "second"),
                            numpy_helper.from_array(numbers(0), "zero")])
        compiled = tenon.compile(model, threads=1)
        for n in (0, 1, 3, 4):
            actual = compiled.run({"x": ones(n)})
            np.testing.assert_array_equal(actual["xa"], ones(n) + first[:n])
            np.testing.assert_array_equal(actual["ab"], first[:n] + second[:n])
            np.testing.assert_array_equal(actual["xb"], ones(n) + second[:n])
        for n in (5, 7):
            with pytest.raises(tenon.RunError, match="goes beyond its operand"):
                compiled.run({"x": ones(n)})


@pytest.mark.parametrize("kind", ["concat", "reshape"])
def test_checks_come_before_writes(kind):
    """What is computed for an op is written where its result will be, which has the size that the check expects."""
    if kind == "concat":
        nodes = [helper.make_node("Sigmoid", ["x"], ["s"]), helper.make_node("Sigmoid", ["y"], ["t"]),
                 helper.make_node("Concat", ["s", "t"], ["z"], name="n", axis=1)]
        model = make_model(nodes, floats(x=("n", 8), y=("m", 8)), floats(z=("m", 16)))
        feeds, shape, message = {"x": ones(50, 8), "y": ones(2, 8)}, (2, 16), "a size that isn't concatenated"
    else:
        nodes = [helper.make_node("Sigmoid", ["x"], ["s"]), helper.make_node("Squeeze", ["s"], ["z"], name="n")]
        model = make_model(nodes, floats(x=("n", 16)), floats(z=("m",)))  # so n is 1
        feeds, shape, message = {"x": ones(50, 16)}, (16,), "a size isn't 1, but the model states a result without its dimension"
    memory = np.full(4096, 7, np.float32)
    size = int(np.prod(shape))
    with pytest.raises(tenon.RunError, match=f"node 'n': .*{message}"):
        tenon.compile(model).run(feeds, into={"z": memory[:size].reshape(shape)})
    assert (memory == 7).all()


@pytest.mark.parametrize("op, opset, attributes, inputs, fitting, wrong, message", [
    ("Split", 13, {"axis": 1}, floats(x=("n", "m")), [ones(2, 6)], [ones(2, 7)],
     "expects a size that 2 results divide"),
    ("Split", 18, {}, [*floats(x=("n",)), ("s", T.INT64, (2,))], [ones(6), numbers(2, 4)], [ones(7), numbers(2, 4)],
     r"the parts add up to another size than the operand has \(6 against 7\)"),
    ("ReverseSequence", 17, {}, [*floats(x=("t", "b")), ("s", T.INT64, ("n",))], [ones(4, 3), numbers(1, 2, 4)],
     [ones(4, 3), numbers(1)], "expects as many lengths as sequences"),
    ("RotaryEmbedding", 23, {}, [*floats(x=("b", "h", "t", 8), c=("n", 4), s=("m", 4)), ("p", T.INT64, ("b", "t"))],
     [ones(2, 3, 2, 8), ones(50, 4), ones(50, 4), numbers([0, 1], [2, 49])],
     [ones(2, 3, 2, 8), ones(50, 4), ones(70, 4), numbers([0, 1], [2, 49])], "expects as many sines as cosines"),
], ids=["equal parts", "parts", "lengths", "angles"])
def test_operands_that_must_agree(op, opset, attributes, inputs, fitting, wrong, message):
    outputs = ["y", "z"] if op == "Split" else ["y"]
    names = [name for name, _, _ in inputs]
    model = make_model([helper.make_node(op, names, outputs, name="n", **attributes)], inputs,
                       [(name, T.FLOAT, None) for name in outputs], opset=opset)
    compiled, interpreted = tenon.compile(model, threads=1), tenon.reference(model)
    with pytest.raises(tenon.RunError, match=f"node 'n': {message}"):
        compiled.run(dict(zip(names, wrong)))
    feeds = dict(zip(names, fitting))
    for name, expected in interpreted.run(feeds).items():
        np.testing.assert_allclose(compiled.run(feeds)[name], expected, rtol=1e-6)

"""Strings, sequences, optionals and functions from outside, in compiled models."""

import pathlib
import shutil

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

F, I64, S = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
LIBRARY = pathlib.Path(tenon.__file__).parents[2] / "lib" / "tenon_test_functions.so"


def typed(inputs, nodes, outputs, initializers=(), opset=20):
    """A model whose inputs and outputs are (name, TypeProto)."""
    graph = helper.make_graph(
        nodes, "test", [helper.make_value_info(*i) for i in inputs], [helper.make_value_info(*o) for o in outputs],
        list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def tensor(element, shape):
    return helper.make_tensor_type_proto(element, shape)


def sequence(of):
    return helper.make_sequence_type_proto(of)


def optional(of):
    return helper.make_optional_type_proto(of)


def call(function, *, rank=1, library="tenon_test_functions", **attributes):
    nodes = [helper.make_node("CallExternal", ["x"], ["v"], "outside", domain="tenon", function=function, library=library,
                              **attributes),
             helper.make_node("Add", ["v", "v"], ["y"])]
    model = make_model(nodes, [("x", F, ("n",))], [("y", F, (None,) * rank)])
    model.graph.value_info.append(helper.make_tensor_value_info("v", F, (None,) * rank))
    model.opset_import.append(helper.make_opsetid("tenon", 1))
    return model


def installed(model, folder):
    """The model saved with the library beside it."""
    tenon.compile(model, threads=1).save(folder / "model.so")
    shutil.copy(LIBRARY, folder)
    return tenon.load(folder / "model.so", threads=1)


def test_library_beside_the_model_gives_a_tensor_of_unknown_size(tmp_path):
    model = installed(call("positive"), tmp_path)
    for values in ([1, -2, 3], [-1], [], list(range(-5, 100))):
        x = np.array(values, np.float32)
        np.testing.assert_array_equal(model.run({"x": x})["y"], 2 * x[x > 0])


@pytest.mark.parametrize("function, options, text", [
    ("broken", {}, "node 'outside': function 'broken' failed: it is out of order"),
    ("lazy", {}, "it has left output 0 unset"),
    ("wide", {"sizes_of": [0]}, "output 0 has rank 1, the tensor given has 3"),
    ("wide", {}, "a tensor of rank 1 is expected, the value has rank 3"),
])
def test_errors_of_functions(tmp_path, function, options, text):
    model = installed(call(function, **options), tmp_path)
    with pytest.raises(tenon.RunError, match=text):
        model.run({"x": np.zeros(2, np.float32)})


@pytest.mark.parametrize("library, content, text", [
    ("missing", None, "there is no .*missing.so' or .*missing.so'"),
    ("damaged", b"no library", "damaged.so"),
    ("tenon_test_functions", "copy", "'.*tenon_test_functions.so' does not have it"),
    ("../escape", None, "the application does not have it"),
])
def test_missing_functions(tmp_path, library, content, text):
    if content == "copy":
        shutil.copy(LIBRARY, tmp_path)
    elif content:
        (tmp_path / f"{library}.so").write_bytes(content)
    tenon.compile(call("nothing", library=library), threads=1).save(tmp_path / "model.so")
    with pytest.raises(tenon.RunError, match=f"function 'nothing' of library '{library}': .*{text}"):
        tenon.load(tmp_path / "model.so").run({"x": np.zeros(2, np.float32)})


def test_python_functions_give_what_they_return():
    def run(function):
        return tenon.compile(call("f"), threads=1, functions={"f": function}).run({"x": np.ones(3, np.float32)})["y"]

    np.testing.assert_array_equal(run(lambda x: x[:2] * 4), [8, 8])
    with pytest.raises(tenon.RunError, match="ZeroDivisionError"):
        run(lambda x: 1 // 0)
    with pytest.raises(tenon.RunError, match="expected to return 1 values"):
        run(lambda x: (x, x))
    with pytest.raises(tenon.RunError, match="rank 1 is expected, the value has rank 2"):
        run(lambda x: x.reshape(1, 3))
    with pytest.raises(TypeError, match="something to call"):
        tenon.compile(call("f"), functions={"f": 3})


def test_sequences_in_and_out():
    floats = sequence(tensor(F, (None,)))
    model = typed(
        [("s", floats), ("x", tensor(F, ("n",)))],
        [helper.make_node("SequenceInsert", ["s", "x", "zero"], ["t"]), helper.make_node("SequenceLength", ["t"], ["n"])],
        [("t", floats), ("n", tensor(I64, ()))], [numpy_helper.from_array(np.int64(0), "zero")])
    compiled = tenon.compile(model, threads=1)
    assert [i.kind for i in compiled.inputs] == ["sequence", "tensor"]
    x = np.arange(3, dtype=np.float32)
    for items in ([], [x[:1]], [x, x[:0], 2 * x]):
        outputs = compiled.run({"s": items, "x": x})
        assert outputs["n"] == len(items) + 1
        for actual, expected in zip(outputs["t"], [x, *items], strict=True):
            np.testing.assert_array_equal(actual, expected)
    with pytest.raises(tenon.RunError, match="expects a list, got float32"):
        compiled.run({"s": x, "x": x})
    with pytest.raises(tenon.RunError, match="expects float32"):
        compiled.run({"s": [x.astype(np.int64)], "x": x})


def test_split_and_concat_with_strings():
    model = typed(
        [("x", tensor(S, ("n", 2)))],
        [helper.make_node("SplitToSequence", ["x", "two"], ["s"], axis=0),
         helper.make_node("ConcatFromSequence", ["s"], ["y"], axis=1)],
        [("s", sequence(tensor(S, (None, 2)))), ("y", tensor(S, (None, None)))], [numpy_helper.from_array(np.int64(2), "two")])
    compiled = tenon.compile(model, threads=1)
    x = np.array([["a", "bb"], ["", "d"], ["e", "ff"], ["g", "h"]], object)
    outputs = compiled.run({"x": x})
    assert [part.tolist() for part in outputs["s"]] == [x[:2].tolist(), x[2:].tolist()]
    assert outputs["y"].tolist() == np.concatenate([x[:2], x[2:]], 1).tolist()
    with pytest.raises(tenon.RunError, match="cannot concatenate sizes 2 and 1"):
        compiled.run({"x": x[:3]})
    with pytest.raises(tenon.RunError, match="cannot concatenate an empty sequence"):
        compiled.run({"x": x[:0]})


def test_strings_move_like_numbers():
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0]),
        helper.make_node("Concat", ["t", "t"], ["c"], axis=0),
        helper.make_node("Gather", ["c", "i"], ["g"], axis=0),
        helper.make_node("Reshape", ["g", "flat"], ["y"]),
    ]
    model = make_model(nodes, [("x", S, ("n", 2)), ("i", I64, ("k",))], [("y", S, (None,))],
                       [numpy_helper.from_array(np.array([-1]), "flat")], opset=20)
    compiled = tenon.compile(model, threads=1)
    x = np.array([["a", "bb"], ["ccc", ""], ["é", "f"]], object)
    for rows in (x, x[:1], x[:0]):
        for i in ([3, 0, -1], []):
            expected = np.concatenate([rows.T, rows.T])[np.array(i, int)].reshape(-1)
            assert compiled.run({"x": rows, "i": np.array(i, np.int64)})["y"].tolist() == expected.tolist()


def constant(name, values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


MOVES = {
    "Pad": ([constant("pads", [1, 0, -1, 2])], {}), "Pad edge": ([constant("pads", [1, 0, 1, 2])], {"mode": "edge"}),
    "Compress": ([numpy_helper.from_array(np.array([True, False, True, True]), "which")], {"axis": 1}),
    "ScatterElements": ([constant("places", [[1, 0, -1]]), "updates"], {"axis": 1}),
    "ScatterND": ([constant("rows", [[2], [0]]), "rows of updates"], {}),
    "ReverseSequence": ([constant("lengths", [2, 1, 3])], {"batch_axis": 0, "time_axis": 1}),
    "CenterCropPad": ([constant("shape", [5, 2])], {}), "GatherElements": ([constant("places", [[1, 0], [3, -1]])], {"axis": 1}),
    "Tile": ([constant("repeats", [2, 1])], {}), "Expand": ([constant("sizes", [2, 1, 1])], {}),
}


@pytest.mark.parametrize("form", MOVES)
def test_strings_move_as_the_numbers_that_they_spell(form):
    extra, attributes = MOVES[form]
    feeds = {"x": np.arange(1, 13).reshape(3, 4)}
    names = ["x", *(value if isinstance(value, str) else value.name for value in extra)]
    feeds |= {name: {"updates": np.array([[21, 22, 23]]), "rows of updates": np.arange(30, 38).reshape(2, 4)}[name]
              for name in extra if isinstance(name, str)}
    results = []
    for kind in (I64, S):
        node = helper.make_node(form.split()[0], names, ["y"], **attributes)
        model = make_model([node], [(name, kind, [f"{name}{d}" for d in range(2)]) for name in feeds], [("y", kind, None)],
                           [value for value in extra if not isinstance(value, str)], opset=21)
        feed = {name: value if kind == I64 else value.astype(str).astype(object) for name, value in feeds.items()}
        results.append([run(feed)["y"] for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run)])
    for numbers, texts in zip(*results):
        expected = np.where(numbers == 0, "", numbers.astype(str))
        assert texts.shape == numbers.shape and texts.astype(str).tolist() == expected.tolist()


def test_scattered_strings_are_not_added():
    model = make_model([helper.make_node("ScatterND", ["x", "i", "u"], ["y"], reduction="add")],
                       [("x", S, (3,)), ("u", S, (1,))], [("y", S, (3,))], [constant("i", [[1]])], opset=18)
    with pytest.raises(tenon.CompileError, match="reduction of elements of type string, only 'none' takes them"):
        tenon.compile(model)


def test_constant_strings():
    nodes = [helper.make_node("Constant", [], ["one"], value_string="a"), helper.make_node("Constant", [], ["two"], value_strings=["b", ""]),
             helper.make_node("StringConcat", ["one", "two"], ["y"])]
    model = make_model(nodes, [], [("y", S, (2,)), ("one", S, ())], opset=20)
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        result = run({})
        assert result["y"].tolist() == ["ab", "a"] and result["one"].tolist() == "a"


@pytest.mark.parametrize("values", [["a", "b", "", "d"], ["é", "é", "é", "é"]])
def test_constant_strings_in_another_shape(values):
    nodes = [helper.make_node("Reshape", ["c", "shape"], ["a"]), helper.make_node("Flatten", ["c"], ["f"]),
             helper.make_node("Unsqueeze", ["c", "axes"], ["u"])]
    constants = [numpy_helper.from_array(np.array(values, object), "c"), constant("shape", [2, 2]), constant("axes", [1])]
    model = make_model(nodes, [], [(name, S, (None, None)) for name in "afu"], constants, opset=20)
    c = np.array(values, object)
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        result = run({})
        for name, shape in (("a", (2, 2)), ("f", (4, 1)), ("u", (4, 1))):
            assert result[name].tolist() == c.reshape(shape).tolist(), name



def test_mapped_sequences_have_the_types_of_the_body():
    body = helper.make_graph([helper.make_node("Neg", ["e"], ["o"])], "body", [helper.make_tensor_value_info("e", F, (None,))],
                             [helper.make_tensor_value_info("o", F, (None,))])
    nodes = [helper.make_node("SequenceConstruct", ["x", "z"], ["s"]), helper.make_node("SequenceMap", ["s"], ["t"], body=body),
             helper.make_node("ConcatFromSequence", ["t"], ["y"], axis=0)]
    model = make_model(nodes, [("x", F, ("n",)), ("z", F, ("m",))], [("y", F, (None,))], opset=20)
    x, z = np.arange(3, dtype=np.float32), np.arange(4, dtype=np.float32)
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        np.testing.assert_array_equal(run({"x": x, "z": z})["y"], -np.concatenate([x, z]))


def test_optionals():
    kind = optional(tensor(F, (None,)))
    then = helper.make_graph([helper.make_node("OptionalGetElement", ["o"], ["v"])], "then", [],
                             [helper.make_tensor_value_info("v", F, (3,))])
    other = helper.make_graph([helper.make_node("Identity", ["x"], ["w"])], "other", [],
                              [helper.make_tensor_value_info("w", F, (3,))])
    model = typed([("o", optional(tensor(F, (3,)))), ("x", tensor(F, (3,)))],
                  [helper.make_node("OptionalHasElement", ["o"], ["c"]),
                   helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other),
                   helper.make_node("Optional", ["x"], ["p"])],
                  [("y", tensor(F, (3,))), ("p", optional(tensor(F, (3,))))])
    compiled = tenon.compile(model, threads=1)
    x = np.arange(3, dtype=np.float32)
    outputs = compiled.run({"o": x + 5, "x": x})
    np.testing.assert_array_equal(outputs["y"], x + 5)
    np.testing.assert_array_equal(outputs["p"], x)
    np.testing.assert_array_equal(compiled.run({"o": None, "x": x})["y"], x)

    get = typed([("o", kind)], [helper.make_node("OptionalGetElement", ["o"], ["y"])], [("y", tensor(F, (None,)))])
    compiled = tenon.compile(get, threads=1)
    np.testing.assert_array_equal(compiled.run({"o": x})["y"], x)
    with pytest.raises(tenon.RunError, match="the optional holds no value"):
        compiled.run({"o": None})


def test_sequence_carried_by_a_loop():
    body = helper.make_graph(
        [helper.make_node("Add", ["v", "x"], ["w"]), helper.make_node("SequenceInsert", ["s", "w"], ["t"]),
         helper.make_node("Identity", ["c"], ["on"])],
        "body",
        [helper.make_tensor_value_info("i", I64, ()), helper.make_tensor_value_info("c", TensorProto.BOOL, ()),
         helper.make_tensor_value_info("v", F, ("n",)), helper.make_value_info("s", sequence(tensor(F, ("n",))))],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, ()), helper.make_tensor_value_info("w", F, ("n",)),
         helper.make_value_info("t", sequence(tensor(F, ("n",))))])
    model = typed([("x", tensor(F, ("n",))), ("trips", tensor(I64, ()))],
                  [helper.make_node("SequenceEmpty", [], ["none"], dtype=F),
                   helper.make_node("Loop", ["trips", "", "x", "none"], ["last", "all"], body=body)],
                  [("last", tensor(F, ("n",))), ("all", sequence(tensor(F, (None,))))])
    compiled = tenon.compile(model, threads=1)
    x = np.arange(4, dtype=np.float32)
    for trips in (0, 1, 3):
        outputs = compiled.run({"x": x, "trips": np.array(trips)})
        assert [v.tolist() for v in outputs["all"]] == [(x * (k + 2)).tolist() for k in range(trips)]
        np.testing.assert_array_equal(outputs["last"], x * (trips + 1))

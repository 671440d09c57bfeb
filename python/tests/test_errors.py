"""What is wrong ends in an exception that says what was expected."""

import warnings

import numpy as np
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper

ONE = np.ones((2, 4), np.float32)


@pytest.mark.parametrize(
    "feeds, message",
    [
        ({"a": ONE}, "no value is given for input 'b'"),
        ({}, "no value is given for input 'a', 'b'"),
        ({"a": ONE, "b": ONE, "d": ONE}, "the model has no input 'd', it has 'a', 'b'"),
        ({"a": ONE, "x": ONE}, "the model has no input 'x', it has 'a', 'b'"),
        ({"a": ONE, 3: ONE}, "the model has no input 3, it has 'a', 'b'"),
        (
            {"a": ONE.astype(np.float64), "b": ONE},
            r"input 'a' expects float32\[batch, 4\], the array is float64\[2, 4\]",
        ),
        ({"a": ONE[0], "b": ONE}, r"input 'a' expects float32\[batch, 4\], the array is float32\[4\]"),
        ({"a": ONE, "b": ONE[:, :3]}, r"input 'b' expects float32\[batch, 4\], the array is float32\[2, 3\]"),
        ({"a": ONE, "b": ONE[:1]}, r"input 'b' has size 1 in dimension 0, but 'batch' is 2"),
        ({"a": np.array(["x"]), "b": ONE}, r"input 'a' expects float32\[batch, 4\], the array is <U1\[1\]"),
        ([ONE, ONE], "run expects a dict from input names to arrays, got a list"),
    ],
)
def test_wrong_feeds(add, feeds, message):
    model = tenon.compile(add)
    with pytest.raises(tenon.RunError, match=message):
        model.run(feeds)
    # The model is as good as before.
    np.testing.assert_array_equal(model(ONE, ONE), 2 * ONE)


def test_lists_that_are_no_numbers(add):
    model = tenon.compile(add)
    with pytest.raises(ValueError):
        model([["x"]], ONE)
    with pytest.raises(ValueError):
        model([[1, 2], [3]], ONE)


def test_index_out_of_range_at_run_time():
    model = tenon.compile(
        make_model(
            [helper.make_node("Gather", ["x", "i"], ["y"], name="pick")],
            [("x", TensorProto.FLOAT, ("n",)), ("i", TensorProto.INT64, ("k",))],
            [("y", TensorProto.FLOAT, ("k",))],
        )
    )
    x = np.float32([1, 2, 3])
    with pytest.raises(tenon.RunError, match="node 'pick': index 7 is out of range for size 3"):
        model(x, np.int64([0, 7]))
    np.testing.assert_array_equal(model(x, np.int64([2, -1])), [3, 3])


def test_all_unsupported_nodes_are_listed():
    model = make_model(
        [
            helper.make_node("Nonsense", ["x"], ["y"], name="first"),
            helper.make_node("MoreNonsense", ["y"], ["z"], name="second"),
        ],
        [("x", TensorProto.FLOAT, ("n",))],
        [("z", TensorProto.FLOAT, ("n",))],
    )
    with pytest.raises(tenon.CompileError) as error:
        tenon.compile(model)
    text = str(error.value)
    assert "Nonsense" in text and "MoreNonsense" in text and "first" in text and "second" in text


@pytest.mark.parametrize("model", [b"", b"no model", b"\x08" * 100])
def test_bytes_that_are_no_model(model):
    with pytest.raises(tenon.CompileError):
        tenon.compile(model)


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(tenon.CompileError, match="nothing.onnx"):
        tenon.compile(tmp_path / "nothing.onnx")
    with pytest.raises(FileNotFoundError):
        tenon.load(tmp_path / "nothing.so")


def test_wrong_arguments(add):
    with pytest.raises(tenon.CompileError, match="pdp11"):
        tenon.compile(add, target="pdp11")
    for threads in (0, 1025, 10**9):
        with pytest.raises(ValueError, match=f"threads is {threads}"):
            tenon.compile(add, threads=threads)
    with pytest.raises(TypeError, match="not a int"):
        tenon.compile(3)


def test_a_rank_that_no_model_may_have_is_named():
    shape = (1,) * 200
    model = make_model([helper.make_node("Relu", ["deep"], ["y"])], [("deep", TensorProto.FLOAT, shape)],
                       [("y", TensorProto.FLOAT, shape)])
    with pytest.raises(tenon.CompileError, match="input 'deep' has rank 200, models may have up to 64"):
        tenon.compile(model)


def contradicting():
    """States another size and another name than its operators give."""
    return make_model([helper.make_node("Transpose", ["x"], ["y"], name="turn"), helper.make_node("Relu", ["x"], ["z"], name="cut")],
                      [("x", TensorProto.FLOAT, (2, 3))],
                      [("y", TensorProto.FLOAT, (2, 3)), ("z", TensorProto.FLOAT, (3, 3))])


@pytest.mark.parametrize("function", [tenon.compile, tenon.reference])
def test_warnings_are_those_of_python(function):
    with pytest.warns(tenon.CompileWarning) as found:
        model = function(contradicting())
    assert model(np.ones((2, 3), np.float32))[0].shape == (3, 2)
    assert [str(warning.message) for warning in found] == [
        "model.onnx: 'turn': output 'y' has type float32[3, 2], but the model states float32[2, 3]",
        "model.onnx: 'cut': output 'z' has type float32[2, 3], but the model states float32[3, 3]"]
    assert {warning.filename for warning in found} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error", tenon.CompileWarning)
        with pytest.raises(tenon.CompileWarning, match="'turn'"):
            function(contradicting())
        warnings.simplefilter("ignore", tenon.CompileWarning)
        function(contradicting())


QUOTIENT = """
func.func @main(%m: tensor<i64> {tenon.name = "m"}, %n: tensor<i64> {tenon.name = "n"})
    -> (tensor<?xf32> {tenon.name = "y"}) {
  %one = tenon.constant dense<1.0> : tensor<f32>
  %a = tenon.item %m at 0 : tensor<i64>
  %b = tenon.item %n at 0 : tensor<i64>
  %q = QUOTIENT loc("divide"("model.onnx":0:0))
  %y = tenon.broadcast %one dims [] sizes [%q] : tensor<f32> -> tensor<?xf32> loc("widen"("model.onnx":0:0))
  return %y : tensor<?xf32>
}
"""


@pytest.mark.parametrize("quotient", ["arith.divsi %a, %b : index",
                                      "affine.apply affine_map<()[s0, s1] -> (s0 floordiv s1)>()[%a, %b]"])
def test_a_size_divided_by_zero_names_a_node(quotient, tmp_path):
    (tmp_path / "model.mlir").write_text(QUOTIENT.replace("QUOTIENT", quotient))
    model = tenon.compile(tmp_path / "model.mlir")
    assert model(6, 2).shape == (3,)
    with pytest.raises(tenon.RunError, match="node '(divide|widen)': integer division by zero"):
        model(6, 0)
    # The smallest integer by -1, where processors trap, is no size either.
    with pytest.raises(tenon.RunError, match="node 'widen'"):
        model(-2**63, -1)


@pytest.mark.parametrize("name", ["a\x1b[31mb", "a\nb", "a\u202eb", "a\x9bb"])
def test_names_never_reach_a_terminal_as_they_are(name):
    model = make_model([helper.make_node("Gather", [name, "i"], ["y"], name=name)],
                       [(name, TensorProto.FLOAT, (name,)), ("i", TensorProto.INT64, ("k",))], [("y", TensorProto.FLOAT, None)])
    x, i = np.ones(3, np.float32), np.int64([7])
    for runnable in (tenon.compile(model), tenon.reference(model)):
        texts = [repr(runnable), runnable.inputs[0].describe()]
        for feeds in ({name: x, "i": i}, {name: x.astype(int), "i": i}, {name: [[1]], "i": i}, {name: x}, {name + name: x}):
            with pytest.raises(tenon.RunError) as error:
                runnable.run(feeds)
            texts.append(str(error.value))
        assert all(text.isprintable() and "a" in text for text in texts), texts
        assert runnable.inputs[0].name == name

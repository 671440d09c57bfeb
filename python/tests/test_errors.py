"""What is wrong ends in an exception that says what was expected."""

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

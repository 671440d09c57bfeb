"""Broken models and wrong uses of the tools: exit code 1, one clear error, and no file left behind."""

import os
import pathlib
import resource
import subprocess
import tempfile

import numpy as np
import onnx
import pytest
from conftest import make_binary, make_model
from onnx import TensorProto, helper, numpy_helper

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"
F, I64 = TensorProto.FLOAT, TensorProto.INT64


def tool(name, *arguments):
    return subprocess.run([BIN / name, *map(str, arguments)], capture_output=True, text=True, timeout=120)


def expect_refusal(run, directory, *words):
    """One error that says all of the words; what was in the directory before is all that is there."""
    assert run.returncode == 1, run.stderr
    # LLVM's parser of options says it in two lines, without that word.
    assert run.stderr.count("error:") == 1 or "command line" in run.stderr or "positional" in run.stderr, run.stderr
    assert len(run.stderr) < 1000
    for word in words:
        assert word in run.stderr, run.stderr
    assert "Stack dump" not in run.stderr and "Traceback" not in run.stderr
    assert sorted(os.listdir(directory)) == ["given"]


@pytest.fixture
def place(tmp_path):
    """A directory with a directory in it, for what a test gives; outputs go beside it."""
    (tmp_path / "given").mkdir()
    return tmp_path


def node(op, inputs, outputs=("y",), name="culprit", **attributes):
    return helper.make_node(op, inputs, list(outputs), name=name, **attributes)


def unary(op, shape=("n", 4), result=None, element=F, opset=17, initializers=(), more=(), **attributes):
    """One node on x and initialisers."""
    names = ["x", *(value.name for value in initializers), *more]
    return make_model([node(op, names, **attributes)], [("x", element, shape)], [("y", element, result)], initializers,
                      opset=opset)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def external(location, offset=0, length=64):
    tensor = TensorProto(name="w", data_type=F, dims=[16], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))
    return make_model([node("Add", ["x", "w"])], [("x", F, (16,))], [("y", F, (16,))], [tensor])


def cycle():
    nodes = [node("Relu", ["b"], ["a"], name="first"), node("Neg", ["a"], ["b"], name="second"),
             node("Add", ["x", "a"], name="third")]
    return make_model(nodes, [("x", F, (4,))], [("y", F, (4,))])


def recursive():
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    function = helper.make_function("local", "F", ["a"], ["b"], [helper.make_node("F", ["a"], ["b"], domain="local")],
                                    imports)
    graph = helper.make_graph([helper.make_node("F", ["x"], ["y"], domain="local", name="culprit")], "g",
                              [helper.make_tensor_value_info("x", F, (4,))],
                              [helper.make_tensor_value_info("y", F, (4,))])
    return helper.make_model(graph, opset_imports=imports, functions=[function], ir_version=10)


def with_dtype(number):
    model = make_binary()
    model.graph.input[0].type.tensor_type.elem_type = number
    return model


MODELS = {
    "unknown_op": (unary("Frobnicate"), ["Frobnicate", "culprit"]),
    "unknown_domain": (make_model([helper.make_node("Add", ["x", "x"], ["y"], name="culprit", domain="nowhere")],
                                  [("x", F, (4,))], [("y", F, (4,))]), ["nowhere", "culprit"]),
    "opset_too_new": (unary("Relu", opset=999), ["999"]),
    "wrong_rank_of_attribute": (unary("Transpose", perm=[0, 1, 2]), ["culprit", "perm"]),
    "attribute_not_a_permutation": (unary("Transpose", perm=[1, 1]), ["culprit", "perm"]),
    "axis_out_of_range": (unary("Softmax", axis=7), ["culprit", "axis"]),
    "negative_axis_out_of_range": (unary("Flatten", axis=-7), ["culprit", "axis"]),
    "attribute_of_another_kind": (unary("Softmax", axis="one"), ["culprit", "axis"]),
    "unknown_mode": (unary("Resize", shape=(1, 1, 4, 4), mode="magic", more=["", ""],
                           initializers=[]), ["culprit"]),
    "too_few_inputs": (unary("Add"), ["culprit"]),
    "too_many_inputs": (unary("Relu", initializers=[ints("i", 0)]), ["culprit"]),
    "wrong_dtype": (unary("MatMul", initializers=[ints("i", 1, 2, 3, 4)]), ["culprit"]),
    "wrong_dtype_of_indices": (make_model([node("Gather", ["x", "x"])], [("x", F, (4,))], [("y", F, None)]),
                               ["culprit"]),
    "wrong_dtype_of_an_output": (make_model([node("IsNaN", ["x"])], [("x", F, (4,))], [("y", F, (4,))]),
                                 ["culprit", "'y'", "bool", "float32"]),
    "sizes_do_not_broadcast": (make_model([node("Add", ["a", "b"])], [("a", F, (2, 3)), ("b", F, (2, 4))],
                                          [("y", F, None)]), ["culprit", "3", "4"]),
    "inner_sizes_differ": (make_model([node("MatMul", ["a", "b"])], [("a", F, (2, 3)), ("b", F, (4, 5))],
                                      [("y", F, None)]), ["culprit", "3", "4"]),
    "channels_differ": (make_model([node("Conv", ["a", "b"])], [("a", F, (1, 3, 8, 8)), ("b", F, (4, 2, 3, 3))],
                                   [("y", F, None)]), ["culprit", "3", "2"]),
    "concat_sizes_differ": (make_model([node("Concat", ["a", "b"], axis=0)], [("a", F, (2, 3)), ("b", F, (2, 4))],
                                       [("y", F, None)]), ["culprit", "3", "4"]),
    "reshape_to_other_number": (unary("Reshape", shape=(3, 4), initializers=[ints("s", 5, 2)]), ["culprit"]),
    "reshape_with_two_unknowns": (unary("Reshape", shape=(3, 4), initializers=[ints("s", -1, -1)]), ["culprit"]),
    "index_out_of_range": (unary("Gather", shape=(3, 4), initializers=[ints("i", 3)]), ["culprit", "3"]),
    "negative_index_out_of_range": (unary("Gather", shape=(3, 4), initializers=[ints("i", -4)]), ["culprit", "-4"]),
    "split_into_more": (make_model([node("Split", ["x", "s"], ["y", "z"])], [("x", F, (4,))],
                                   [("y", F, None), ("z", F, None)], [ints("s", 3, 2)]), ["culprit"]),
    "output_of_nothing": (make_model([node("Relu", ["x"], ["z"])], [("x", F, (2,))], [("y", F, (2,))]), ["y"]),
    "input_of_nothing": (make_model([node("Relu", ["nothing"])], [("x", F, (2,))], [("y", F, (2,))]),
                         ["nothing", "culprit"]),
    "defined_twice": (make_model([node("Relu", ["x"]), node("Neg", ["x"])], [("x", F, (2,))], [("y", F, (2,))]),
                      ["y", "twice"]),
    "cycle": (cycle(), ["first", "second"]),
    "recursive_function": (recursive(), ["culprit", "F"]),
    "unknown_dtype": (with_dtype(99), ["99"]),
    "external_missing": (external("nothing.bin"), ["nothing.bin", "w"]),
    "external_escapes": (external("../weights.bin"), ["../weights.bin", "w"]),
    "external_absolute": (external("/etc/passwd"), ["/etc/passwd", "w"]),
    "external_is_a_directory": (external("."), ["w"]),
    "external_negative_offset": (external("model.onnx", offset=-8), ["-8", "w"]),
    "external_beyond_the_end": (external("model.onnx", offset=1 << 40), ["model.onnx", "w"]),
    "external_of_other_length": (external("model.onnx", length=60), ["60", "64", "w"]),
    "absurd_size": (make_model([node("Relu", ["x"])], [("x", F, (1 << 40, 1 << 40))], [("y", F, None)]), ["x"]),
    "absurd_broadcast": (unary("Expand", shape=(1,), initializers=[ints("s", 1 << 40, 1 << 40)]), ["culprit"]),
    "absurd_padding": (unary("Pad", shape=(4,), initializers=[ints("p", 1 << 62, 1 << 62)]), ["culprit"]),
    "negative_padding_of_everything": (unary("Pad", shape=(4,), initializers=[ints("p", -3, -3)]), ["culprit"]),
    "window_larger_than_its_input": (unary("MaxPool", shape=(1, 1, 2, 2), kernel_shape=[5, 5]), ["culprit"]),
    "stride_of_zero": (unary("MaxPool", shape=(1, 1, 8, 8), kernel_shape=[2, 2], strides=[0, 1]), ["culprit"]),
    "groups_of_zero": (make_model([node("Conv", ["a", "b"], group=0)], [("a", F, (1, 3, 8, 8)), ("b", F, (3, 1, 3, 3))],
                                  [("y", F, None)]), ["culprit"]),
    "k_too_large": (make_model([node("TopK", ["x", "k"], ["y", "i"])], [("x", F, (4,))],
                               [("y", F, None), ("i", I64, None)], [ints("k", 5)]), ["culprit"]),
    "slice_step_of_zero": (unary("Slice", shape=(4,), initializers=[ints("a", 0), ints("b", 4), ints("c", 0),
                                                                     ints("d", 0)]), ["culprit"]),
}


@pytest.mark.parametrize("case", MODELS)
def test_broken_model(case, place):
    model, words = MODELS[case]
    (place / "given" / "model.onnx").write_bytes(model.SerializeToString())
    expect_refusal(tool("tenon-compile", place / "given" / "model.onnx", "-o", place / "model.so"), place, *words)


@pytest.mark.parametrize("emit", ["graph", "kernels", "tiles", "loops"])
def test_no_text_is_left_behind(emit, place):
    (place / "given" / "model.onnx").write_bytes(unary("Frobnicate").SerializeToString())
    expect_refusal(tool("tenon-compile", place / "given" / "model.onnx", f"--emit={emit}", "-o", place / "text.mlir"),
                   place, "Frobnicate")


def test_every_prefix_of_a_model_is_refused(place):
    content = make_binary().SerializeToString()
    for size in range(0, len(content) - 1, 7):
        (place / "given" / "model.onnx").write_bytes(content[:size])
        expect_refusal(tool("tenon-compile", place / "given" / "model.onnx", "-o", place / "model.so"), place,
                       "model.onnx")


@pytest.fixture
def compiled(place):
    (place / "given" / "model.onnx").write_bytes(make_binary().SerializeToString())
    run = tool("tenon-compile", place / "given" / "model.onnx", "-o", place / "given" / "model.so", "--quiet")
    assert run.returncode == 0, run.stderr
    return place / "given" / "model.so"


def test_wrong_files(compiled, place):
    given, out = place / "given", place / "model.so"
    model = given / "model.onnx"
    for arguments, words in (
        (["--frobnicate", model, "-o", out], ["--frobnicate"]),
        ([model, model, "-o", out], []),
        (["-o", out], []),
        ([given / "missing.onnx", "-o", out], ["missing.onnx"]),
        ([given / "missing.mlir", "-o", out], ["missing.mlir"]),
        ([given, "-o", out], []),
        ([compiled, "-o", out], []),
        ([model, "-o", place / "nowhere" / "model.so"], ["nowhere"]),
        ([model, "-o", given], ["given"]),
        ([model, "-o", "/dev/null/model.so"], ["/dev/null/model.so"]),
        ([model, "-o", out, "--target-cpu="], ["target"]),
        ([model, "-o", out, "--threads=1000000000"], ["threads", "1024"]),
        ([model, "-o", out, "--runtime", given / "missing.so"], ["missing.so"]),
    ):
        expect_refusal(tool("tenon-compile", *arguments), place, *words)
    for name in ("empty.onnx", "empty.mlir"):
        (given / name).write_bytes(b"")
    expect_refusal(tool("tenon-compile", given / "empty.onnx", "-o", out), place, "empty")
    expect_refusal(tool("tenon-compile", given / "empty.mlir", "-o", out), place)
    (given / "renamed.onnx").write_bytes(compiled.read_bytes())
    expect_refusal(tool("tenon-compile", given / "renamed.onnx", "-o", out), place, "renamed.onnx")


def test_an_output_that_is_there_stays_when_compiling_fails(place, compiled):
    before = compiled.read_bytes()
    (place / "given" / "model.onnx").write_bytes(unary("Frobnicate").SerializeToString())
    expect_refusal(tool("tenon-compile", place / "given" / "model.onnx", "-o", compiled), place, "Frobnicate")
    assert compiled.read_bytes() == before


def test_wrong_runs(compiled, place):
    given = place / "given"
    one = np.ones((2, 4), np.float32)
    feeds = {
        "right": {"a": one, "b": one},
        "name": {"a": one, "c": one},
        "missing": {"a": one},
        "dtype": {"a": one.astype(np.float64), "b": one},
        "rank": {"a": one[0], "b": one},
        "shape": {"a": one, "b": one[:, :3]},
        "symbol": {"a": one, "b": one[:1]},
    }
    for name, arrays in feeds.items():
        np.savez(given / f"{name}.npz", **arrays)
    assert tool("tenon-run", compiled, "--input", given / "right.npz").returncode == 0
    for name, words in (("name", ["'c'"]), ("missing", ["'b'"]), ("dtype", ["'a'", "float32"]),
                        ("rank", ["'a'", "rank"]), ("shape", ["'b'", "4", "3"]), ("symbol", ["'b'", "batch"])):
        expect_refusal(tool("tenon-run", compiled, "--input", given / f"{name}.npz", "--output", place / "y.npz"), place,
                       *words)
    (given / "text.npz").write_text("no archive")
    stripped = given / "stripped.so"
    stripped.write_bytes(compiled.read_bytes()[:65536])
    right = given / "right.npz"
    for arguments, words in (
        (["--frobnicate"], ["--frobnicate"]),
        ([], []),
        ([given / "missing.so", "--input", right], ["missing.so"]),
        ([given, "--input", right], ["given"]),
        ([given / "model.onnx", "--input", right], ["model.onnx"]),
        ([stripped, "--input", right], ["stripped"]),
        ([compiled, "--input", given / "absent.npz"], ["absent.npz"]),
        ([compiled, "--input", given / "text.npz"], ["text.npz"]),
        ([compiled, "--input", right, "--output", place / "nowhere" / "y.npz"], ["nowhere"]),
        ([compiled, "--input", right, "--threads", "none"], ["none"]),
        ([compiled, "--random", "--symbol", "channels=2"], ["channels"]),
    ):
        expect_refusal(tool("tenon-run", *arguments), place, *words)
    for size in (0, 10, 70000, compiled.stat().st_size - 1):
        (given / "cut.so").write_bytes(compiled.read_bytes()[:size])
        expect_refusal(tool("tenon-run", given / "cut.so", "--input", right), place, "cut.so")


@pytest.mark.parametrize("name, arguments", [("tenon-translate", ["--import-onnx"]), ("tenon-interpret", [])])
def test_wrong_arguments_of_other_tools(name, arguments, place):
    expect_refusal(tool(name, "--frobnicate"), place, "--frobnicate")
    expect_refusal(tool(name, *arguments, place / "given" / "missing.onnx"), place, "missing.onnx")


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_no_more_threads_than_may_start(limit):
    """Of a user that has no other process: root has no limit."""
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        place.chmod(0o777)
        (place / "model.onnx").write_bytes(make_binary().SerializeToString())
        run = subprocess.run([BIN / "tenon-compile", "model.onnx", "-o", "model.so", "--quiet", "--threads=8"], cwd=place,
                             capture_output=True, text=True, timeout=120, user=65533 if os.getuid() == 0 else None,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit)))
        if limit == 1 or os.getuid() != 0:
            assert run.returncode == 1 and "no thread for the linker's output" in run.stderr, run.stderr
            assert run.stderr.count("\n") == 1 and os.listdir(place) == ["model.onnx"]
        else:
            assert run.returncode == 0, run.stderr

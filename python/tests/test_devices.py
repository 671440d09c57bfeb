"""Case q: the same host program, its kernels on an asynchronous device with memory of its own (unittests/Device)."""

import os
import pathlib
import re
import subprocess

import numpy as np
import onnx
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

BUILD = pathlib.Path(os.environ["TENON_BUILD"])
STUB = BUILD / "test" / "lib" / "tenon_stub_device.so"
F, I64 = TensorProto.FLOAT, TensorProto.INT64


def compile(source, artifact, *options):
    subprocess.run([BUILD / "bin" / "tenon-compile", source, "--quiet", "-o", artifact, *options], check=True)


def run(artifact, feed, folder, *options):
    """The outputs, or the error."""
    np.savez(folder / "in.npz", **feed)
    command = [BUILD / "bin" / "tenon-run", artifact, "--input", folder / "in.npz", "--output", folder / "out.npz"]
    result = subprocess.run([*command, *options], capture_output=True, text=True)
    if result.returncode != 0:
        assert result.returncode == 1, result.stderr
        return result.stderr
    return dict(np.load(folder / "out.npz"))


def branches():
    """Two independent branches over one input, and their sum: relu(x w0) + tanh(x w1) + x."""
    rng = np.random.default_rng(0)
    initializers = [numpy_helper.from_array(rng.standard_normal((24, 24)).astype(np.float32), n) for n in ("w0", "w1")]
    nodes = [
        helper.make_node("MatMul", ["x", "w0"], ["a0"]),
        helper.make_node("Relu", ["a0"], ["a"]),
        helper.make_node("MatMul", ["x", "w1"], ["b0"]),
        helper.make_node("Tanh", ["b0"], ["b"]),
        helper.make_node("Add", ["a", "b"], ["s"]),
        helper.make_node("Add", ["s", "x"], ["y"]),
    ]
    return make_model(nodes, [("x", F, ("batch", 24))], [("y", F, ("batch", 24))], initializers)


def loop():
    """A trip count from data; each turn reads and writes numbers that the host decides by."""
    body = helper.make_graph(
        [
            helper.make_node("Add", ["v", "v"], ["w"]),
            helper.make_node("Identity", ["c"], ["d"]),
            helper.make_node("ReduceSum", ["w"], ["s"], keepdims=0),
        ],
        "body",
        [helper.make_tensor_value_info(n, t, s) for n, t, s in (("i", I64, ()), ("c", TensorProto.BOOL, ()), ("v", F, ("n",)))],
        [helper.make_tensor_value_info(n, t, s) for n, t, s in (("d", TensorProto.BOOL, ()), ("w", F, ("n",)), ("s", F, ()))],
    )
    nodes = [helper.make_node("Loop", ["trips", "", "x"], ["y", "sums"], body=body)]
    return make_model(nodes, [("trips", I64, ()), ("x", F, ("n",))], [("y", F, ("n",)), ("sums", F, ("k",))])


def gather():
    nodes = [helper.make_node("Gather", ["x", "i"], ["y"], name="look_up")]
    return make_model(nodes, [("x", F, ("n", 4)), ("i", I64, ("k",))], [("y", F, ("k", 4))])


def test_case_q_device_gives_the_cpus_bits(tmp_path):
    rng = np.random.default_rng(1)
    feeds = {
        branches: [{"x": rng.standard_normal((n, 24)).astype(np.float32)} for n in (1, 7, 0, 100)],
        loop: [{"trips": np.array(t), "x": rng.standard_normal(5).astype(np.float32)} for t in (0, 1, 6)],
    }
    for model, inputs in feeds.items():
        onnx.save(model(), tmp_path / "model.onnx")
        compile(tmp_path / "model.onnx", tmp_path / "cpu.so")
        compile(tmp_path / "model.onnx", tmp_path / "device.so", "--device=stub")
        cpu = tenon.load(tmp_path / "cpu.so", threads=1)
        for feed in inputs:
            outputs = run(tmp_path / "device.so", feed, tmp_path, "--device", STUB)
            assert isinstance(outputs, dict), outputs
            expected = cpu.run(feed)
            assert outputs.keys() == expected.keys()
            for name, value in expected.items():
                np.testing.assert_array_equal(outputs[name], value)


def test_case_q_every_token_counts(tmp_path):
    """The device starts the youngest request that may: without one of its tokens a program gives something else."""
    onnx.save(branches(), tmp_path / "model.onnx")
    text = tmp_path / "kernels.mlir"
    compile(tmp_path / "model.onnx", text, "--device=stub", "--emit=kernels")
    feed = {"x": np.ones((3, 24), np.float32)}

    def outputs(program):
        text.write_text(program)
        compile(text, tmp_path / "device.so")
        return run(tmp_path / "device.so", feed, tmp_path, "--device", STUB)["y"]

    program = text.read_text()
    expected = outputs(program)
    first = re.search(r"(%\w+) = tenon_host.async \{", program)[1]
    waits = re.findall(r" after\([^)]*\)", program)
    assert len(waits) >= 3
    for wait in set(waits):
        # Where another request is waited for, too, the one without its own token has a path around it.
        if wait.count("%") == 1 and first in wait:
            assert not np.array_equal(outputs(program.replace(wait, "", 1)), expected)


def test_case_q_errors(tmp_path):
    onnx.save(gather(), tmp_path / "model.onnx")
    compile(tmp_path / "model.onnx", tmp_path / "device.so", "--device=stub")
    feed = {"x": np.ones((3, 4), np.float32), "i": np.array([0, 2])}
    assert "the model needs device 'stub', which is not there" in run(tmp_path / "device.so", feed, tmp_path)
    assert run(tmp_path / "device.so", feed, tmp_path, "--device", STUB)["y"].shape == (2, 4)
    feed["i"] = np.array([0, 5, 7])
    error = run(tmp_path / "device.so", feed, tmp_path, "--device", STUB)
    assert "node 'look_up': index 5 is out of range for size 3" in error
    assert "has no function tenon_device_entry" in run(
        tmp_path / "device.so", feed, tmp_path, "--device", BUILD / "python" / "tenon" / "libtenon_runtime.so")

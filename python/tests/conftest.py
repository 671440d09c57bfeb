"""Small models for the tests, made with onnx.helper."""

import functools
import signal

import numpy as np
import onnx
import pytest
import tenon
from onnx import TensorProto, helper


def make_model(nodes, inputs, outputs, initializers=(), opset=17):
    """Inputs and outputs are (name, element type, shape)."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(*info) for info in inputs],
        [helper.make_tensor_value_info(*info) for info in outputs],
        list(initializers),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def make_binary(op="Add", element=TensorProto.FLOAT, shape=("batch", 4), opset=17):
    return make_model(
        [helper.make_node(op, ["a", "b"], ["c"], name="binary")],
        [("a", element, shape), ("b", element, shape)],
        [("c", element, shape)],
        opset=opset,
    )


@pytest.fixture
def add():
    return make_binary()


@pytest.fixture
def add_file(add, tmp_path):
    path = tmp_path / "add.onnx"
    onnx.save(add, path)
    return path


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """A shell's background jobs ignore interrupts, and so would all that the tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@functools.cache
def runs_here(target):
    """Whether this machine has the instructions of a target."""
    a = np.ones((1, 4), np.float32)
    try:
        tenon.compile(make_binary(), target=target, threads=1).run({"a": a, "b": a})
    except RuntimeError as error:
        assert "has no code for this CPU" in str(error), error
        return False
    return True


@pytest.fixture
def runnable(target):
    """For tests over targets, of which the machine may not have the instructions."""
    if not runs_here(target):
        pytest.skip(f"this machine can't run {target}")

"""Deep graphs: their host program is cut into functions of bounded length, as LLVM's time grows with the square of one."""

import os
import pathlib
import subprocess

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

TENON_OPT = pathlib.Path(os.environ["TENON_BUILD"]) / "bin" / "tenon-opt"


def chain(depth, width=4):
    """x = relu(x w + b), `depth` times, with the model's own order of dimensions."""
    rng = np.random.default_rng(0)
    nodes, weights, value = [], [], "x"
    for i in range(depth):
        # Orthogonal, so that values stay of one size.
        weights.append(numpy_helper.from_array(np.linalg.qr(rng.standard_normal((width, width)))[0].astype(np.float32), f"w{i}"))
        weights.append(numpy_helper.from_array(rng.standard_normal(width).astype(np.float32), f"b{i}"))
        nodes.append(helper.make_node("MatMul", [value, f"w{i}"], [f"m{i}"], name=f"matmul{i}"))
        nodes.append(helper.make_node("Add", [f"m{i}", f"b{i}"], [f"s{i}"], name=f"add{i}"))
        nodes.append(helper.make_node("Tanh", [f"s{i}"], [f"y{i}"], name=f"tanh{i}"))
        value = f"y{i}"
    return nodes, weights, value


def evaluate(x, weights):
    arrays = [numpy_helper.to_array(w).astype(np.float64) for w in weights]
    for w, b in zip(arrays[::2], arrays[1::2]):
        x = np.tanh(x @ w + b)
    return x


def test_deep_chain():
    nodes, weights, last = chain(400)
    model = tenon.compile(make_model(nodes, [("x", TensorProto.FLOAT, ("n", 4))], [(last, TensorProto.FLOAT, ("n", 4))], weights))
    for batch in (1, 5):
        x = np.random.default_rng(batch).standard_normal((batch, 4)).astype(np.float32)
        np.testing.assert_allclose(model.run({"x": x})[last], evaluate(x, weights), atol=1e-4)


@pytest.mark.parametrize("taken", [True, False])
def test_data_outlives_a_part(taken):
    """What is read before the first part ends decides a branch behind it."""
    nodes, weights, last = chain(300)
    arm = lambda name, op: helper.make_graph(
        [helper.make_node(op, [last], [name])], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", 4))])
    nodes.insert(0, helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0))
    nodes.insert(1, helper.make_node("Greater", ["most", "limit"], ["c"]))
    nodes.append(helper.make_node("If", ["c"], ["y"], then_branch=arm("t", "Exp"), else_branch=arm("e", "Neg")))
    weights.append(numpy_helper.from_array(np.array(10, np.float32), "limit"))
    model = tenon.compile(make_model(nodes, [("x", TensorProto.FLOAT, ("n", 4))], [("y", TensorProto.FLOAT, ("n", 4))], weights))
    x = np.random.default_rng(1).standard_normal((3, 4)).astype(np.float32)
    x[0, 0] = 11 if taken else 0
    expected = evaluate(x, weights[:-1])
    np.testing.assert_allclose(model.run({"x": x})["y"], np.exp(expected) if taken else -expected, atol=1e-4)


def convert(lines):
    """The host program of these lines of `main`, as functions of the LLVM dialect."""
    text = "func.func private @k(index)\nfunc.func @main() {\n" + "\n".join(lines) + "\nreturn\n}\n"
    return subprocess.run([TENON_OPT, "--pass-pipeline=builtin.module(func.func(tenon-cut-segments),tenon-outline-plan,tenon-convert-host-to-llvm)"], input=text,
                          capture_output=True, text=True, check=True).stdout


def test_scalar_is_kept_for_later_parts():
    lines = ['%x = tenon_host.storage input 0 "x" sizes [4] : memref<4xi64>', "%n = tenon_host.read_scalar %x at 0 : memref<4xi64> -> index"]
    lines += [f"%a{i} = tenon_host.storage arena {i} sizes [4] live [{i}, {i}] : memref<4xi64>\n"
              f"tenon_host.launch @k ins(%x : memref<4xi64>) outs(%a{i} : memref<4xi64>)" for i in range(300)]
    lines.append('tenon_host.check_equal %n, %n "sizes differ"')
    functions = convert(lines).split("llvm.func ")
    parts = [f for f in functions if "@execute_0_part_" in f.split("\n", 1)[0]]
    assert len(parts) == 2
    values = 11  # the place of `values` in tenon_context
    assert all(f"[{values}]" in part for part in parts)


def test_buffers_of_one_size_share_a_number_of_bytes():
    """A plan computes as much as there are sizes, not buffers."""
    lines = ['%m = tenon.symbol "m"', '%x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>']
    lines += [f"%a{i} = tenon_host.storage arena {i} sizes [%m] live [{i}, {i}] : memref<?xf32>" for i in range(50)]
    plan = next(f for f in convert(lines).split("llvm.func ") if f.startswith("@plan_0"))
    assert plan.count("smul.with.overflow") <= 2


def test_shared_expressions_are_computed_once():
    """Sizes that data decides are computed where they are used, what they share once: not 2^40 times."""
    lines = ['%x = tenon_host.storage input 0 "x" sizes [4] : memref<4xi64>', "%n0 = tenon_host.read_scalar %x at 0 : memref<4xi64> -> index"]
    lines += [f"%n{i + 1} = arith.addi %n{i}, %n{i} : index" for i in range(40)]
    lines.append('tenon_host.check_equal %n40, %n0 "sizes differ"')
    assert convert(lines).count("llvm.add") == 40

"""Case q: the same host program, its kernels on an asynchronous device with memory of its own (unittests/Device)."""

import ctypes
import gc
import os
import pathlib
import re
import subprocess
import tempfile
import threading

import numpy as np
import onnx
import pytest
from conftest import make_model
from onnx import helper
from test_cases import B, F, I64, floats, mlp, weights

import tenon

BUILD = pathlib.Path(os.environ["TENON_BUILD"])
STUB = BUILD / "test" / "lib" / "tenon_stub_device.so"
LATE = 0  # any other seed: at once and at random


class Stub:
    """The device, as tests see it."""

    def __init__(self):
        self.library = ctypes.CDLL(str(STUB))

    def choose(self, seed):
        self.library.stub_choose(seed)

    def fail(self, calls, count=1):
        self.library.stub_fail(ctypes.c_int64(calls), ctypes.c_int64(count))

    def counts(self):
        numbers = (ctypes.c_int64 * 6)()
        self.library.stub_count(numbers)
        return dict(zip(("queues", "blocks", "launches", "within", "to_device", "to_host"), numbers))


@pytest.fixture
def stub():
    stub = Stub()
    yield stub
    stub.choose(LATE)
    stub.fail(-1)
    gc.collect()
    counts = stub.counts()
    assert (counts["queues"], counts["blocks"]) == (0, 0), "something of the device was not given back"


def compile_for_stub(model, device="stub"):
    return tenon.compile(model, threads=1, device=device, device_libraries=[STUB])


def load_again(model):
    """The same model with sessions of its own."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "model.so"
        model.save(path)
        return tenon.load(path, threads=1, device_libraries=[STUB])


def check(stub, model, *feeds, device="stub", orders=(LATE, 1, 2)):
    """The device gives the bits that the CPU gives, in whatever order it works."""
    cpu = tenon.compile(model, threads=1)
    wanted = [cpu.run(feed) for feed in feeds]
    compiled = compile_for_stub(model, device)
    for order in orders:
        stub.choose(order)
        actual = load_again(compiled)
        for feed, want in list(zip(feeds, wanted)) * 2:
            got = actual.run(feed)
            for name, value in want.items():
                assert got[name].shape == value.shape
                assert got[name].tobytes() == value.tobytes(), f"'{name}' differs with order {order}"


def residual():
    return make_model(
        [
            helper.make_node("Gemm", ["x", "w0"], ["a"]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Gemm", ["b", "w1", "c1"], ["c"]),
            helper.make_node("Add", ["c", "x"], ["d"]),
            helper.make_node("Softmax", ["d"], ["y"], axis=1),
        ],
        [("x", F, ("batch", 24))],
        [("y", F, ("batch", 24)), ("d", F, ("batch", 24))],
        [weights("w0", (24, 40), 0), weights("w1", (40, 24), 1), weights("c1", (24,), 2)],
    )


def branches():
    return make_model(
        [
            helper.make_node("Gemm", ["x", "w0"], ["a"]),
            helper.make_node("Softmax", ["a"], ["b"], axis=1),
            helper.make_node("Gemm", ["x", "w1"], ["c"]),
            helper.make_node("Softmax", ["c"], ["d"], axis=1),
            helper.make_node("Gemm", ["b", "w2"], ["e"]),
            helper.make_node("Gemm", ["d", "w2"], ["f"]),
            helper.make_node("Concat", ["e", "f"], ["y"], axis=1),
        ],
        [("x", F, ("batch", 16))],
        [("y", F, None)],
        [weights("w0", (16, 32), 0), weights("w1", (16, 32), 1), weights("w2", (32, 8), 2)],
    )


def gather():
    nodes = [helper.make_node("Gather", ["x", "i"], ["g"], name="look_up"), helper.make_node("Exp", ["g"], ["y"])]
    return make_model(nodes, [("x", F, (10, "n")), ("i", I64, ("k",))], [("y", F, None)])


BATCHES = [{"x": floats((n, 16), n)} for n in (1, 7, 200, 0, 3)]


def test_case_q_mlp_on_a_device(stub):
    check(stub, mlp(), *({"x": floats((n, 20), n)} for n in (1, 6, 97, 0, 2)))


def test_case_q_residual_on_a_device(stub):
    check(stub, residual(), *({"x": floats((n, 24), n)} for n in (1, 6, 97, 0, 2)))


def test_case_q_two_branches_on_a_device(stub):
    check(stub, branches(), *BATCHES, orders=range(6))


def test_kernels_of_a_class_on_a_device(stub):
    for device in ("tenon.contract=stub", "tenon.softmax=stub"):
        check(stub, branches(), *BATCHES, device=device)


def test_control_flow_on_a_device(stub):
    then = helper.make_graph([helper.make_node("Mul", ["x", "x"], ["t"])], "then", [],
                             [helper.make_tensor_value_info("t", F, None)])
    other = helper.make_graph([helper.make_node("Exp", ["x"], ["e"])], "else", [],
                              [helper.make_tensor_value_info("e", F, None)])
    model = make_model(
        [helper.make_node("If", ["c"], ["i"], then_branch=then, else_branch=other), helper.make_node("Neg", ["i"], ["y"])],
        [("c", B, ()), ("x", F, ("n", 4))], [("y", F, None)])
    check(stub, model, *({"c": np.array(c), "x": floats((n, 4), n)} for c in (True, False) for n in (3, 1)))


def test_loop_on_a_device(stub):
    body = helper.make_graph(
        [
            helper.make_node("Add", ["v", "x"], ["w"]),
            helper.make_node("Tanh", ["w"], ["v_out"]),
            helper.make_node("ReduceSum", ["v_out"], ["s"], keepdims=0),
            helper.make_node("Less", ["s", "limit"], ["go_out"]),
            helper.make_node("Identity", ["v_out"], ["scan"]),
        ],
        "body",
        [helper.make_tensor_value_info("i", I64, ()), helper.make_tensor_value_info("go", B, ()),
         helper.make_tensor_value_info("v", F, ("n", 3))],
        [helper.make_tensor_value_info("go_out", B, ()), helper.make_tensor_value_info("v_out", F, ("n", 3)),
         helper.make_tensor_value_info("scan", F, ("n", 3))],
    )
    model = make_model(
        [helper.make_node("Loop", ["trip", "", "x"], ["last", "all"], body=body)],
        [("trip", I64, ()), ("x", F, ("n", 3)), ("limit", F, ())],
        [("last", F, ("n", 3)), ("all", F, None)])
    feeds = [{"trip": np.array(t), "x": np.abs(floats((n, 3), n)), "limit": np.float32(limit)}
             for t, n, limit in ((5, 2, 100), (0, 2, 100), (6, 4, 9), (1, 1, 0))]
    check(stub, model, *feeds)
    check(stub, model, *feeds, device="tenon.tanh=stub")


def test_sizes_from_data_on_a_device(stub):
    model = make_model(
        [
            helper.make_node("Exp", ["x"], ["e"]),
            helper.make_node("Floor", ["e"], ["f"]),
            helper.make_node("NonZero", ["f"], ["n"]),
            helper.make_node("Transpose", ["n"], ["t"]),
            helper.make_node("GatherND", ["x", "t"], ["y"]),
        ],
        [("x", F, ("rows", 5))], [("y", F, None)])
    check(stub, model, *({"x": floats((n, 5), n)} for n in (4, 1, 9, 0)))


def test_tensors_that_grow_beside_a_device(stub):
    """They stay with the host; what the loop computes besides goes to the device."""
    body = helper.make_graph(
        [
            helper.make_node("Gemm", ["v", "w0"], ["a"]),
            helper.make_node("Softmax", ["a"], ["b"], axis=1),
            helper.make_node("ReduceMax", ["b"], ["row"], axes=[0], keepdims=1),
            helper.make_node("Concat", ["v", "row"], ["v_out"], axis=0),
            helper.make_node("Identity", ["go"], ["go_out"]),
        ],
        "body",
        [helper.make_tensor_value_info("i", I64, ()), helper.make_tensor_value_info("go", B, ()),
         helper.make_tensor_value_info("v", F, (None, 8))],
        [helper.make_tensor_value_info("go_out", B, ()), helper.make_tensor_value_info("v_out", F, (None, 8))],
        [weights("w0", (8, 8), 0)],
    )
    model = make_model(
        [helper.make_node("Loop", ["trip", "", "x"], ["last"], body=body), helper.make_node("Exp", ["last"], ["y"])],
        [("trip", I64, ()), ("x", F, ("n", 8))], [("y", F, None)])
    before = stub.counts()["launches"]
    check(stub, model, *({"trip": np.array(t), "x": floats((n, 8), n)} for t, n in ((5, 2), (0, 3), (9, 1))))
    assert stub.counts()["launches"] > before


def test_what_is_copied(stub):
    """Constants once for a model, inputs and outputs once for a run, nothing between kernels."""
    model = compile_for_stub(residual())
    for _ in range(3):
        before = stub.counts()
        model.run({"x": floats((5, 24))})
        after = stub.counts()
        copied = {key: after[key] - before[key] for key in after}
        assert (copied["within"], copied["to_host"]) == (0, 2)
        assert copied["to_device"] == (1 + 3 if before["blocks"] == 0 else 1)
        assert copied["launches"] > 0


def test_threads_share_constants_on_a_device(stub):
    model, feeds = compile_for_stub(residual()), [{"x": floats((n, 24), n)} for n in range(1, 9)]
    cpu = tenon.compile(residual(), threads=1)
    wanted = [cpu.run(feed) for feed in feeds]
    before, wrong, start = stub.counts()["to_device"], [], threading.Barrier(4)

    def work():
        start.wait()
        for feed, want in zip(feeds, wanted):
            if model.run(feed)["y"].tobytes() != want["y"].tobytes():
                wrong.append(feed["x"].shape)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert stub.counts()["to_device"] - before == 3 + 4 * len(feeds)


def test_error_on_a_device_names_the_node(stub):
    cpu, device = tenon.compile(gather(), threads=1), compile_for_stub(gather())
    good = {"x": floats((10, 3)), "i": np.array([1, 9])}
    bad = {"x": floats((10, 3)), "i": np.array([1, 9, 10, 11])}
    for _ in range(3):
        messages = []
        for model in (cpu, device):
            with pytest.raises(tenon.RunError, match="look_up.*index 10 is out of range for size 10") as error:
                model.run(bad)
            messages.append(str(error.value))
        assert messages[0] == messages[1]
        assert device.run(good)["y"].tobytes() == cpu.run(good)["y"].tobytes()


def test_the_first_of_two_errors_counts(stub):
    """In program order, whatever runs first."""
    model = make_model(
        [helper.make_node("Gather", ["x", "i"], ["a"], name="first"), helper.make_node("Gather", ["z", "j"], ["b"], name="second")],
        [("x", F, (4, 3)), ("i", I64, ("k",)), ("z", F, (5, 3)), ("j", I64, ("m",))], [("a", F, None), ("b", F, None)])
    feed = {"x": floats((4, 3)), "i": np.array([4]), "z": floats((5, 3)), "j": np.array([0, 5])}
    compiled = compile_for_stub(model)
    for order in (LATE, 1, 2, 3, 4):
        stub.choose(order)
        with pytest.raises(tenon.RunError, match="node 'first': index 4 is out of range for size 4"):
            load_again(compiled).run(feed)


@pytest.mark.parametrize("make, feed", [(residual, {"x": floats((5, 24))}), (gather, {"x": floats((10, 3)), "i": np.array([1])})])
def test_each_call_of_a_device_may_fail(stub, make, feed):
    expected = tenon.compile(make(), threads=1).run(feed)
    calls, compiled = 0, compile_for_stub(make())
    while True:
        model = load_again(compiled)
        stub.fail(calls)
        try:
            model.run(feed)
        except tenon.RunError as error:
            assert "device 'stub'" in str(error)
        else:
            break
        # What failed once works now.
        for name, value in model.run(feed).items():
            assert value.tobytes() == expected[name].tobytes()
        calls += 1
    assert calls > 5


def test_a_session_whose_device_is_lost(stub):
    model, feed = compile_for_stub(residual()), {"x": floats((5, 24))}
    model.run(feed)
    stub.fail(3, 100)
    with pytest.raises(tenon.RunError, match="device 'stub' failed"):
        model.run(feed)
    stub.fail(-1)
    # Work may be under way in its buffers still: it doesn't run again.
    with pytest.raises(tenon.RunError, match="the session can't run again: a device failed"):
        model.run(feed)


def test_missing_device(stub, tmp_path):
    path = tmp_path / "model.so"
    compile_for_stub(mlp()).save(path)
    with pytest.raises(tenon.RunError, match="the model needs device 'stub', which is not there"):
        tenon.load(path).run({"x": floats((1, 20))})
    with pytest.raises(tenon.RunError, match="cannot open a device's library"):
        tenon.load(path, device_libraries=[tmp_path / "none.so"])
    with pytest.raises(tenon.RunError, match="has no function tenon_device_entry"):
        tenon.load(path, device_libraries=[BUILD / "lib" / "libtenon_runtime.so"])


def test_wrong_rule():
    with pytest.raises(tenon.CompileError, match="expects device rules like .* but has '=stub'"):
        tenon.compile(mlp(), device="=stub")


def test_rules_for_nothing_change_nothing(tmp_path):
    paths = [tmp_path / "a.so", tmp_path / "b.so"]
    tenon.compile(mlp()).save(paths[0])
    tenon.compile(mlp(), device=["tenon.sort=stub"]).save(paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def run_tool(tool, *arguments):
    return subprocess.run([BUILD / "bin" / tool, *map(str, arguments)], capture_output=True, text=True)


def test_tools(tmp_path):
    onnx.save(gather(), tmp_path / "model.onnx")
    x = floats((10, 3))
    np.savez(tmp_path / "in.npz", x=x, i=np.array([1, 2]))
    np.savez(tmp_path / "out.npz", y=np.exp(x[1:3]))
    done = run_tool("tenon-compile", tmp_path / "model.onnx", "-o", tmp_path / "model.so", "--device=stub", "--quiet")
    assert done.returncode == 0, done.stderr
    run = ["tenon-run", tmp_path / "model.so", "--input", tmp_path / "in.npz", "--expect", tmp_path / "out.npz"]
    done = run_tool(*run, "--device", STUB)
    assert done.returncode == 0, done.stderr
    # On level 2 it isn't too late.
    done = run_tool("tenon-compile", tmp_path / "model.onnx", "-o", tmp_path / "kernels.mlir", "--emit=kernels", "--quiet")
    assert done.returncode == 0, done.stderr
    done = run_tool("tenon-compile", tmp_path / "kernels.mlir", "-o", tmp_path / "model.so", "--device=stub", "--quiet")
    assert done.returncode == 0, done.stderr
    done = run_tool(*run, "--device", STUB)
    assert done.returncode == 0, done.stderr
    done = run_tool(*run)
    assert done.returncode == 1 and "the model needs device 'stub', which is not there" in done.stderr


def test_every_token_counts(stub, tmp_path):
    """The device starts the youngest request that may: without one of its tokens a program gives something else."""
    onnx.save(residual(), tmp_path / "model.onnx")
    program = run_tool("tenon-compile", tmp_path / "model.onnx", "--device=stub", "--emit=kernels").stdout
    cpu = tenon.compile(residual(), threads=1)

    def differs(text, seed):
        """From the right outputs for values that no other run was given: what an earlier one left in memory is wrong."""
        (tmp_path / "kernels.mlir").write_text(text)
        done = run_tool("tenon-compile", tmp_path / "kernels.mlir", "-o", tmp_path / "model.so", "--quiet")
        assert done.returncode == 0, done.stderr
        feed = {"x": floats((5, 24), seed)}
        # Closing its queue would wait for everything: the model stays.
        model = tenon.load(tmp_path / "model.so", threads=1, device_libraries=[STUB])
        actual = model.run(feed)
        return any(actual[name].tobytes() != value.tobytes() for name, value in cpu.run(feed).items())

    assert not differs(program, 0)
    waits = [match.span() for match in re.finditer(r" after\([^)]*\)", program)]
    assert len(waits) >= 4
    for i, (start, end) in enumerate(waits):
        assert differs(program[:start] + program[end:], 1 + i)
    assert differs(re.sub(r"\n *tenon_host\.await [^\n]*", "", program), 100)

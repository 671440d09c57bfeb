"""Signals while native code is at work: handlers run soon, and what they raise ends it."""

import contextlib
import os
import signal
import threading
import time

import numpy as np
import onnx
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

F = TensorProto.FLOAT
SOON = 5  # seconds: some 0.1 on a machine that has time; what is interrupted takes hours


@contextlib.contextmanager
def signal_after(seconds, number=signal.SIGINT, times=1):
    """Sends a signal to this process, as a terminal does."""
    stopped = threading.Event()

    def send():
        for _ in range(times):
            if stopped.wait(seconds):
                return
            os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def deep(layers):
    """Takes seconds to compile."""
    rng = np.random.default_rng(0)
    nodes, weights, value = [], [], "x"
    for i in range(layers):
        weights.append(numpy_helper.from_array(rng.standard_normal((16, 16)).astype(np.float32), f"w{i}"))
        nodes += [helper.make_node("MatMul", [value, f"w{i}"], [f"m{i}"]), helper.make_node("Relu", [f"m{i}"], [f"r{i}"]),
                  helper.make_node("Add", [f"r{i}", value], [f"a{i}"])]
        value = f"a{i}"
    return make_model(nodes, [("x", F, ("n", 16))], [(value, F, ("n", 16))], weights)


def endless():
    """A loop of as many steps as its input says."""
    body = helper.make_graph(
        [helper.make_node("Add", ["v", "x"], ["w"]), helper.make_node("Identity", ["c"], ["d"])], "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, ()), helper.make_tensor_value_info("c", TensorProto.BOOL, ()),
         helper.make_tensor_value_info("v", F, ("n",))],
        [helper.make_tensor_value_info("d", TensorProto.BOOL, ()), helper.make_tensor_value_info("w", F, ("n",))])
    return make_model([helper.make_node("Loop", ["trips", "", "x"], ["y"], body=body)],
                      [("trips", TensorProto.INT64, ()), ("x", F, ("n",))], [("y", F, ("n",))])


LONG = {"trips": np.int64(10**12), "x": np.ones(10, np.float32)}
SHORT = {"trips": np.int64(2), "x": np.ones(10, np.float32)}


def test_compiling(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    model = deep(1500)
    start = time.monotonic()
    with signal_after(0.3), pytest.raises(KeyboardInterrupt):
        tenon.compile(model)
    assert time.monotonic() - start < 0.3 + 2  # compiling takes several seconds
    assert os.listdir(tmp_path) == []
    # The compiler is as good as before.
    tenon.compile(deep(1))


def test_no_thread_is_left_behind():
    # A process that is forked off while another thread registers with Python may wait forever.
    model = deep(1)
    tenon.compile(model)  # the thread pools of libraries
    before = os.listdir("/proc/self/task")
    for _ in range(5):
        tenon.compile(model, threads=1)
        assert os.listdir("/proc/self/task") == before
        tenon.reference(model).run({"x": np.ones((1, 16), np.float32)})
        assert os.listdir("/proc/self/task") == before


def test_the_interpreter():
    model = tenon.reference(endless())
    start = time.monotonic()
    with signal_after(0.3), pytest.raises(KeyboardInterrupt):
        model.run(LONG)
    assert time.monotonic() - start < 0.3 + SOON
    np.testing.assert_array_equal(model.run(SHORT)["y"], 3)


@pytest.fixture(scope="module", params=[1, 2], ids=["one thread", "two threads"])
def model(request):
    return tenon.compile(endless(), threads=request.param)


def test_running(model):
    for _ in range(2):
        start = time.monotonic()
        with signal_after(0.3), pytest.raises(KeyboardInterrupt):
            model.run(LONG)
        assert time.monotonic() - start < 0.3 + SOON
        np.testing.assert_array_equal(model.run(SHORT)["y"], 3)
    with signal_after(0.3), pytest.raises(KeyboardInterrupt):
        model.profile(LONG)


def test_one_long_launch():
    # It is cut into pieces, and ends between two of them.
    model = tenon.compile(make_model([helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
                                     [("a", TensorProto.UINT8, ("n", "k")), ("b", TensorProto.UINT8, ("k", "m"))],
                                     [("c", TensorProto.INT32, ("n", "m"))]), threads=2)
    a = np.ones((2000, 2000), np.uint8)
    start = time.monotonic()
    with signal_after(0.5), pytest.raises(KeyboardInterrupt):
        while True:
            model(a, a)
    assert time.monotonic() - start < 0.5 + SOON


def test_what_a_handler_raises(model):
    class Timeout(Exception):
        pass

    def expire(number, frame):
        raise Timeout

    before = signal.signal(signal.SIGALRM, expire)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(Timeout):
            model.run(LONG)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_handlers_that_raise_nothing_go_on_with_the_run(model):
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(time.monotonic()))
    try:
        trips = 1000
        while True:  # until a run takes a while
            seen.clear()
            start = time.monotonic()
            with signal_after(0.15, signal.SIGUSR1, times=3):
                result = model.run({**SHORT, "trips": np.int64(trips)})["y"]
            end = time.monotonic()
            np.testing.assert_array_equal(result, min(trips + 1, 2**24))
            if seen and end - start > 0.5:
                break
            trips *= 4
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen[0] < end, "the handler waited for the end of the run"


def test_cancel_from_another_thread(model):
    ended = threading.Event()

    def cancel():
        while not ended.wait(0.3):  # the first may come before the run
            model.cancel()

    thread = threading.Thread(target=cancel, daemon=True)
    thread.start()
    with pytest.raises(tenon.CancelledError, match="cancelled"):
        model.run(LONG)
    ended.set()
    thread.join()
    # Nobody runs: nothing to cancel, also later.
    model.cancel()
    np.testing.assert_array_equal(model.run(SHORT)["y"], 3)


def test_other_runs_are_not_affected(model):
    ended = []

    def run_long():
        try:
            model.run(LONG)
        except tenon.CancelledError:
            ended.append(True)

    thread = threading.Thread(target=run_long, daemon=True)
    thread.start()
    with signal_after(0.3), pytest.raises(KeyboardInterrupt):
        model.run(LONG)
    time.sleep(0.2)
    assert thread.is_alive() and not ended
    # The other run is in progress: this one isn't held up by it.
    np.testing.assert_array_equal(model.run(SHORT)["y"], 3)
    while thread.is_alive():
        model.cancel()
        thread.join(1)
    assert ended == [True]


@pytest.mark.parametrize("is_read", [False, True], ids=["nobody opens it", "nobody reads it"])
def test_saving_to_a_pipe_that_keeps_it_waiting(model, tmp_path, is_read):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK) if is_read else None
    start = time.monotonic()
    with signal_after(0.3), pytest.raises(KeyboardInterrupt):
        model.save(pipe)
    assert time.monotonic() - start < 0.3 + SOON
    if is_read:
        os.close(reader)
    model.save(tmp_path / "model.so")
    np.testing.assert_array_equal(tenon.load(tmp_path / "model.so").run(SHORT)["y"], 3)


def test_interrupts_in_functions(tmp_path):
    nodes = [helper.make_node("CallExternal", ["x"], ["y"], "outside", domain="tenon", function="f", library="l")]
    model = make_model(nodes, [("x", F, ("n",))], [("y", F, ("n",))])
    model.opset_import.append(helper.make_opsetid("tenon", 1))

    def function(x):
        time.sleep(20)

    compiled = tenon.compile(model, threads=1, functions={"f": function})
    with signal_after(0.3), pytest.raises(KeyboardInterrupt):
        compiled(np.ones(3, np.float32))


def test_trim_and_limit():
    nodes = [helper.make_node("Softmax", ["x"], ["s"], axis=0), helper.make_node("MatMul", ["s", "x"], ["y"])]
    proto = make_model(nodes, [("x", F, ("n", "n"))], [("y", F, ("n", "n"))])
    model = tenon.compile(proto, threads=1)
    small, large = np.ones((2, 2), np.float32), np.ones((1000, 1000), np.float32)
    model(large)
    held = model.memory
    model.trim()
    assert model.memory < held // 4
    model(small)
    limited = tenon.compile(proto, threads=1, memory_limit=10**6)
    with pytest.raises(tenon.RunError, match="1000000 that it may hold"):
        limited(large)
    limited(small)
    for limit, error in ((0, ValueError), (-1, ValueError), (1.5, TypeError), ("1M", TypeError), (True, TypeError)):
        with pytest.raises(error, match="memory_limit is"):
            tenon.compile(proto, memory_limit=limit)

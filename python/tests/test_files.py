"""Models from files, saved and loaded."""

import errno
import os
import signal
import stat
import subprocess
import sys

import numpy as np
import onnx
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

ONE = np.ones((2, 4), np.float32)


def test_path_bytes_and_proto_give_the_same(add, add_file):
    for model in (add, add.SerializeToString(), bytearray(add.SerializeToString()), add_file, str(add_file)):
        np.testing.assert_array_equal(tenon.compile(model)(ONE, ONE), 2 * ONE)


def test_save_and_load(add_file, tmp_path):
    path = tmp_path / "add.so"
    tenon.compile(add_file).save(path)
    assert os.listdir(tmp_path) == ["add.onnx", "add.so"] or sorted(os.listdir(tmp_path)) == ["add.onnx", "add.so"]
    model = tenon.load(path)
    assert model.name == "add" and [i.name for i in model.inputs] == ["a", "b"]
    np.testing.assert_array_equal(model(ONE, ONE), 2 * ONE)
    copy = tmp_path / "copy.so"
    model.save(copy)
    assert copy.read_bytes() == path.read_bytes()


def test_load_does_not_load_the_compiler(add_file, tmp_path):
    path = tmp_path / "add.so"
    tenon.compile(add_file).save(path)
    code = f"""
import sys, numpy, tenon
one = numpy.ones((2, 4), numpy.float32)
assert (tenon.load({str(path)!r})(one, one) == 2).all()
assert "tenon._compiler" not in sys.modules
assert not any("LLVM" in line or "MLIR" in line for line in open("/proc/self/maps"))
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_saving_fails_whole(add, tmp_path):
    model = tenon.compile(add)
    with pytest.raises(FileNotFoundError):
        model.save(tmp_path / "nowhere" / "add.so")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        model.save(tmp_path / "folder")
    assert os.listdir(tmp_path) == ["folder"]


def test_damaged_file(add, tmp_path):
    path = tmp_path / "add.so"
    tenon.compile(add).save(path)
    data = path.read_bytes()
    for size in (0, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(tenon.RunError):
            tenon.load(path)


def test_same_bytes_every_time(add, tmp_path):
    for name in ("one.so", "two.so"):
        tenon.compile(add).save(tmp_path / name)
    assert (tmp_path / "one.so").read_bytes() == (tmp_path / "two.so").read_bytes()


def test_no_temporary_files_stay(add, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    model = tenon.compile(add)
    assert os.listdir(tmp_path) == []
    np.testing.assert_array_equal(model(ONE, ONE), 2 * ONE)


@pytest.mark.parametrize("external", [False, True])
def test_large_constants(tmp_path, external):
    weight = np.random.default_rng(1).standard_normal((64, 48)).astype(np.float32)
    model = make_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, ("n", 64))],
        [("y", TensorProto.FLOAT, ("n", 48))],
        [numpy_helper.from_array(weight, "w")],
    )
    x = np.random.default_rng(2).standard_normal((5, 64)).astype(np.float32)
    if external:
        onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=0)
        assert (tmp_path / "m.bin").exists()
        model = tmp_path / "m.onnx"
    np.testing.assert_allclose(tenon.compile(model)(x), x @ weight, rtol=1e-4, atol=1e-4)


def test_saving_goes_through_links_and_pipes(add, tmp_path):
    model = tenon.compile(add)
    model.save(tmp_path / "plain.so")
    plain = (tmp_path / "plain.so").read_bytes()
    os.symlink("behind.so", tmp_path / "link.so")
    for _ in range(2):  # made, then replaced
        model.save(tmp_path / "link.so")
        assert os.path.islink(tmp_path / "link.so")
        assert not os.path.islink(tmp_path / "behind.so") and (tmp_path / "behind.so").read_bytes() == plain
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE)
    model.save(tmp_path / "pipe")
    assert reader.communicate()[0] == plain and not os.path.isfile(tmp_path / "pipe")
    full = "/dev/full"
    try:  # a node of our own, where that is allowed
        os.mknod(tmp_path / "full", stat.S_IFCHR | 0o666, os.stat(full).st_rdev)
        open(tmp_path / "full", "wb").close()
        full = tmp_path / "full"
    except PermissionError:
        pass
    with pytest.raises(OSError) as error:
        model.save(full)
    assert error.value.errno == errno.ENOSPC and stat.S_ISCHR(os.stat(full).st_mode)


def test_signals_leave_nothing_and_keep_their_handlers(add_file, tmp_path):
    code = f"""
import tenon
def caught():
    return [line for line in open("/proc/self/status") if line.startswith("SigCgt")]
before = caught()
while True:
    tenon.compile({str(add_file)!r})
    assert caught() == before, (before, caught())
    print("compiled", flush=True)
"""
    for number in signal.SIGTERM, signal.SIGKILL:
        environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
        (tmp_path / "tmp").mkdir(exist_ok=True)
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
        for _ in range(3):
            assert process.stdout.readline() == b"compiled\n"
        process.send_signal(number)
        assert process.wait() == -number
        assert os.listdir(tmp_path / "tmp") == []


def test_models_as_links_of_a_cache(tmp_path):
    weight = np.random.default_rng(1).standard_normal((64, 48)).astype(np.float32)
    model = make_model([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", TensorProto.FLOAT, ("n", 64))],
                       [("y", TensorProto.FLOAT, ("n", 48))], [numpy_helper.from_array(weight, "w")])
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0123"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    onnx.save(model, blobs / "aa", save_as_external_data=True, location="model.onnx_data", size_threshold=0)
    os.rename(blobs / "model.onnx_data", blobs / "bb")
    os.symlink("../../blobs/aa", snapshot / "model.onnx")
    os.symlink("../../blobs/bb", snapshot / "model.onnx_data")
    x = np.ones((5, 64), np.float32)
    np.testing.assert_allclose(tenon.compile(snapshot / "model.onnx")(x), x @ weight, rtol=1e-4, atol=1e-4)
    # A link to the link: the data is beside the second of three files.
    os.symlink("snapshots/0123/model.onnx", tmp_path / "mine.onnx")
    os.symlink("mine.onnx", tmp_path / "again.onnx")
    for function in tenon.compile, tenon.reference:
        np.testing.assert_allclose(function(tmp_path / "again.onnx").run({"x": x})["y"], x @ weight, rtol=1e-4, atol=1e-4)
    os.symlink("round.onnx", tmp_path / "round.onnx")
    with pytest.raises(tenon.CompileError, match="Too many levels of symbolic links"):
        tenon.compile(tmp_path / "round.onnx")
    # Out of the directory only for who says so.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "model").write_bytes((blobs / "aa").read_bytes())
    os.symlink(blobs / "bb", elsewhere / "model.onnx_data")
    for function in tenon.compile, tenon.reference:
        with pytest.raises(tenon.CompileError, match="allow_external_links=True"):
            function(elsewhere / "model")
        y = function(elsewhere / "model", allow_external_links=True).run({"x": x})["y"]
        np.testing.assert_allclose(y, x @ weight, rtol=1e-4, atol=1e-4)


def test_compiling_does_not_wait_for_forked_processes(add_file):
    code = f"""
import os, signal, threading, time, tenon
done, children = threading.Event(), []
def compile():
    for _ in range(5):
        tenon.compile({str(add_file)!r})
    done.set()
thread = threading.Thread(target=compile)
thread.start()
while not done.is_set() and len(children) < 300:
    child = os.fork()
    if child == 0:
        time.sleep(100)
        os._exit(0)
    children.append(child)
    time.sleep(0.003)
ended = done.wait(60)
for child in children:
    os.kill(child, signal.SIGKILL)
assert ended
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)

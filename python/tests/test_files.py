"""Models from files, saved and loaded."""

import os
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

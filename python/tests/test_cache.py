"""The compile cache: what comes out of it is what compiling gives, whatever happened to it."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import numpy as np
import onnx
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

COMPILE = pathlib.Path(os.environ["TENON_BUILD"]) / "bin" / "tenon-compile"
F = TensorProto.FLOAT


def layers(count, scale=1.0, width=48):
    random = np.random.default_rng(0)
    weights = [numpy_helper.from_array((scale * random.standard_normal((width, width))).astype(np.float32), f"w{i}")
               for i in range(count)]
    nodes, last = [], "x"
    for i in range(count):
        nodes += [helper.make_node("MatMul", [last, f"w{i}"], [f"m{i}"], name=f"product{i}"),
                  helper.make_node(["Relu", "Tanh", "Sigmoid"][i % 3], [f"m{i}"], [f"r{i}"], name=f"act{i}")]
        last = f"r{i}"
    return make_model(nodes, [("x", F, ["n", width])], [(last, F, ["n", width])], weights)


def entries(cache):
    """All but what the pruning notes down."""
    return sorted(path for path in cache.iterdir() if path.name != "llvmcache.timestamp")


@pytest.fixture
def cached(tmp_path):
    """Compiles a model with the cache; gives the artifact's bytes and what the compiler said."""
    def run(model, *options, folder="models", name="model.onnx"):
        (tmp_path / folder).mkdir(exist_ok=True)
        onnx.save(model, tmp_path / folder / name)
        output = tmp_path / "out.so"
        said = subprocess.run([COMPILE, tmp_path / folder / name, "-o", output, *(options or [f"--cache={tmp_path / 'cache'}"])],
                              capture_output=True, text=True, check=True)
        return output.read_bytes(), said.stdout + said.stderr
    run.cache = tmp_path / "cache"
    return run


def is_whole(said):
    return "taken from the cache" in said


def test_hits_are_what_compiling_gives(cached):
    plain, _ = cached(layers(3), "--threads=1")
    first, said = cached(layers(3))
    assert not is_whole(said) and "from the cache" not in said
    second, said = cached(layers(3))
    assert is_whole(said)
    assert plain == first == second
    # Where the model lies says nothing of what it is.
    third, said = cached(layers(3), folder="elsewhere")
    assert is_whole(said) and third == plain


def test_what_differs_is_compiled(cached):
    cache = f"--cache={cached.cache}"
    base, _ = cached(layers(3))
    for model, options in [(layers(3, scale=2.0), [cache]), (layers(3), [cache, "--target-cpu=avx2,avx512"])]:
        expected, _ = cached(model, *[o for o in options if o != cache] or ["--threads=2"])
        given, said = cached(model, *options)
        assert not is_whole(said) and given == expected != base
    # The name of the model is in the artifact.
    _, said = cached(layers(3), name="other.onnx")
    assert not is_whole(said)


def test_a_changed_model_needs_its_new_kernels_only(cached):
    cached(layers(2))
    given, said = cached(layers(3))
    assert re.search(r"3 kernels \(2 from the cache\)", said)
    assert given == cached(layers(3), "--threads=2")[0]


@pytest.mark.parametrize("damage", [lambda b: b[:-20], lambda b: b"", lambda b: b[:100] + bytes([b[100] ^ 1]) + b[101:],
                                    lambda b: os.urandom(len(b))], ids=["short", "empty", "bit", "noise"])
def test_damaged_entries_are_none(cached, damage):
    expected, _ = cached(layers(2))
    for entry in entries(cached.cache):
        entry.write_bytes(damage(entry.read_bytes()))
    given, said = cached(layers(2))
    assert given == expected and "from the cache" not in said
    assert is_whole(cached(layers(2))[1])


def test_processes_share_a_cache(tmp_path):
    onnx.save(layers(4), tmp_path / "model.onnx")
    for _ in range(3):
        running = [subprocess.Popen([COMPILE, tmp_path / "model.onnx", "-o", tmp_path / f"{i}.so", "--quiet",
                                     f"--cache={tmp_path / 'cache'}"]) for i in range(4)]
        assert [process.wait() for process in running] == [0] * 4
        assert len({(tmp_path / f"{i}.so").read_bytes() for i in range(4)}) == 1


def test_a_killed_process_leaves_whole_entries(cached, tmp_path):
    onnx.save(layers(6), tmp_path / "model.onnx")
    expected, _ = cached(layers(6), "--threads=2")
    for delay in (0.02, 0.1, 0.2, 0.4):
        process = subprocess.Popen([COMPILE, tmp_path / "model.onnx", "-o", tmp_path / "a.so", "--quiet", f"--cache={cached.cache}"])
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if cached.cache.exists():
            assert all(entry.name.startswith("llvmcache-") for entry in entries(cached.cache))
    assert cached(layers(6))[0] == expected


def test_a_cache_keeps_to_its_limit(cached):
    for i in range(4):
        cached(layers(2, scale=1 + i, width=512), f"--cache={cached.cache}", "--cache-limit=4")
        assert sum(entry.stat().st_size for entry in cached.cache.iterdir()) <= 4 << 20
    assert is_whole(cached(layers(2, scale=4, width=512))[1])
    assert not is_whole(cached(layers(2, scale=1, width=512))[1])


def test_warnings_come_again(cached):
    model = layers(1)
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 47
    for _ in range(2):
        _, said = cached(model)
        assert "warning" in said and not is_whole(said)


def test_wrong_directories_are_one_error(tmp_path):
    onnx.save(layers(1), tmp_path / "model.onnx")
    (tmp_path / "file").write_text("")
    for directory in ("file", "file/below"):
        said = subprocess.run([COMPILE, tmp_path / "model.onnx", "-o", tmp_path / "a.so", f"--cache={tmp_path / directory}"],
                              capture_output=True, text=True)
        assert said.returncode == 1 and said.stderr.count("error") == 1 and directory in said.stderr
        assert not (tmp_path / "a.so").exists()


def test_python_takes_a_cache(tmp_path):
    x = np.random.default_rng(1).standard_normal((5, 48)).astype(np.float32)
    saved = []
    for _ in range(2):
        model = tenon.compile(layers(3), cache=tmp_path / "cache", cache_limit=1 << 30)
        saved.append(model.run({"x": x}))
    np.testing.assert_array_equal(*[list(s.values())[0] for s in saved])
    assert len(entries(tmp_path / "cache")) == 4  # the artifact, three kernels
    with pytest.raises(ValueError, match="cache_limit"):
        tenon.compile(layers(1), cache=tmp_path, cache_limit=0)
    with pytest.raises(TypeError):
        tenon.compile(layers(1), cache=3)

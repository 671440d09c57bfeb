"""Every level that `tenon-compile --emit` writes reads back and compiles to the same results."""

import os
import pathlib
import subprocess

import numpy as np
import onnx
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"


def network():
    """A convolution, its bias, a branch on data and a layer normalisation, with weights above the size of text."""
    rng = np.random.default_rng(0)
    floats = lambda name, *shape: numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32) * 0.2, name)
    arm = lambda name, op: helper.make_graph(
        [helper.make_node(op, ["a"], [name])], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["a"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("If", ["c"], ["d"], name="if", then_branch=arm("t", "Relu"), else_branch=arm("e", "Neg")),
        helper.make_node("LayerNormalization", ["d", "gamma"], ["y"], name="norm"),
    ]
    return make_model(
        nodes,
        [("x", TensorProto.FLOAT, ("n", 8, 6, 16)), ("c", TensorProto.BOOL, ())],
        [("y", TensorProto.FLOAT, ("n", 16, 6, 16))],
        [floats("w", 16, 8, 3, 3), floats("b", 16), floats("gamma", 16)],
    )


@pytest.mark.parametrize("level", ["import", "graph", "kernels", "plans", "tiles", "loops"])
def test_level_reads_back(level, tmp_path):
    onnx.save(network(), tmp_path / "model.onnx")
    text, artifact = tmp_path / "level.mlir", tmp_path / "model.so"
    subprocess.run([BIN / "tenon-compile", tmp_path / "model.onnx", f"--emit={level}", "--quiet", "-o", text], check=True)
    subprocess.run([BIN / "tenon-compile", text, "--quiet", "-o", artifact], check=True)
    direct, again = tenon.compile(network(), threads=1), tenon.load(artifact)
    for n, c in ((1, True), (3, False)):
        feed = {"x": np.random.default_rng(n).standard_normal((n, 8, 6, 16)).astype(np.float32), "c": np.array(c)}
        np.testing.assert_array_equal(again.run(feed)["y"], direct.run(feed)["y"])


@pytest.mark.parametrize("level", ["kernels", "plans", "tiles", "loops"])
def test_variants_keep_their_targets(level, tmp_path):
    """A module with variants is compiled for the targets that they are for, and for no others."""
    onnx.save(network(), tmp_path / "model.onnx")
    text, artifact = tmp_path / "level.mlir", tmp_path / "model.so"
    subprocess.run([BIN / "tenon-compile", tmp_path / "model.onnx", f"--emit={level}", "--target-cpu=avx512,avx2", "-o", text],
                   check=True)
    listed = subprocess.run([BIN / "tenon-compile", text, "-o", artifact], check=True, capture_output=True, text=True).stdout
    assert "(avx512): " in listed and "(avx2): " in listed and "(host): " not in listed
    direct = subprocess.run([BIN / "tenon-compile", tmp_path / "model.onnx", "--target-cpu=avx512,avx2", "-o",
                             tmp_path / "direct.so"], check=True, capture_output=True, text=True).stdout
    kernels = lambda summary: [line for line in summary.splitlines() if line.startswith("  ")]
    assert kernels(listed) == kernels(direct)
    run = subprocess.run([BIN / "tenon-compile", text, "--target-cpu=avx2", "-o", tmp_path / "none.so"],
                         capture_output=True, text=True)
    assert run.returncode == 1 and "variants for other targets (avx512,avx2)" in run.stderr
    assert not (tmp_path / "none.so").exists()


def test_schedules_by_hand(tmp_path):
    """Every schedule computes the same, and one that a target can't have ends with an error at its line."""
    rng = np.random.default_rng(0)
    weights = numpy_helper.from_array(rng.standard_normal((70, 45)).astype(np.float32), "w")
    model = make_model(
        [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Softmax", ["h"], ["s"]),
         helper.make_node("Exp", ["s"], ["y"])],
        [("x", TensorProto.FLOAT, ("n", 70))], [("y", TensorProto.FLOAT, ("n", 45))], [weights])
    onnx.save(model, tmp_path / "model.onnx")
    compile = lambda *arguments: subprocess.run([BIN / "tenon-compile", *arguments], capture_output=True, text=True)
    assert compile(tmp_path / "model.onnx", "--emit=kernels", "--target-cpu=avx2", "-o", tmp_path / "kernels.mlir").returncode == 0
    text = (tmp_path / "kernels.mlir").read_text()
    contraction = "schedule(depth_block = 768, epilogue_rows = 32, fetch_rows = 32, panel_columns = 32, resident_bytes = 262144, tile_rows = 6, turn_size = 12, unit_columns = 32, unit_rows = 96, vector_bytes = 32, vectors = 2, wide_rows = 2)"
    others = "schedule(vector_bytes = 32, vectors = 2)"
    assert contraction in text and others in text
    expected = tenon.reference(model)
    for tile, bytes, vectors, others_vectors, block, turn, resident, wide, fetch, epilogue, panel, rows, columns in (
            (6, 32, 2, 1, 768, 12, 1 << 18, 2, 32, 32, 32, 96, 32), (1, 16, 1, 2, 16, 1, 1, 100, 1, 1, 4, 1, 4),
            (14, 32, 1, 4, 17, 24, 1 << 18, 1, 1 << 40, 1, 64, 4096, 64), (2, 32, 4, 8, 35, 64, 1, 7, 1, 2, 32, 96, 512),
            (5, 16, 2, 1, 24, 7, 1 << 40, 1 << 40, 8, 1, 16, 3, 8), (6, 32, 2, 1, 32, 12, 1, 1 << 40, 1, 32, 128, 100, 16)):
        by_hand = text.replace(contraction, f"schedule(tile_rows = {tile}, vector_bytes = {bytes}, vectors = {vectors}, "
                                            f"depth_block = {block}, turn_size = {turn}, resident_bytes = {resident}, "
                                            f"wide_rows = {wide}, fetch_rows = {fetch}, epilogue_rows = {epilogue}, "
                                            f"panel_columns = {panel}, unit_rows = {rows}, unit_columns = {columns})")
        by_hand = by_hand.replace(others, f"schedule(vector_bytes = {bytes}, vectors = {others_vectors})")
        (tmp_path / "hand.mlir").write_text(by_hand)
        run = compile(tmp_path / "hand.mlir", "-o", tmp_path / "hand.so")
        assert run.returncode == 0, run.stderr
        session = tenon.load(tmp_path / "hand.so")
        for n in (0, 1, 7, 97, 200):
            feed = {"x": rng.standard_normal((n, 70)).astype(np.float32)}
            np.testing.assert_allclose(session.run(feed)["y"], expected.run(feed)["y"], rtol=2e-5, atol=1e-6)
    (tmp_path / "hand.mlir").write_text(text.replace(contraction, "schedule(tile_rows = 7, vectors = 2)"))
    run = compile(tmp_path / "hand.mlir", "-o", tmp_path / "none.so")
    line = [i for i, line in enumerate(text.splitlines(), 1) if contraction in line][0]
    assert run.returncode == 1 and f"hand.mlir:{line}:" in run.stderr and "needs 17 registers" in run.stderr
    assert not (tmp_path / "none.so").exists()
    (tmp_path / "hand.mlir").write_text(text.replace(contraction, "schedule(vector_bytes = 32, vectors = 2, panel_columns = 8)"))
    run = compile(tmp_path / "hand.mlir", "-o", tmp_path / "none.so")
    assert run.returncode == 1 and "a register tile of 16 columns is wider than a panel of the constant, which has 8" in run.stderr


def test_programs_keep_what_is_present(tmp_path):
    """A scatter in place stores what it changes; the rest of its result is what was there."""
    model = make_model(
        [helper.make_node("Neg", ["x"], ["a"]), helper.make_node("ScatterElements", ["a", "i", "u"], ["y"], axis=1, reduction="max")],
        [("x", TensorProto.FLOAT, ("n", 5)), ("i", TensorProto.INT64, ("n", 5)), ("u", TensorProto.FLOAT, ("n", 5))],
        [("y", TensorProto.FLOAT, ("n", 5))])
    onnx.save(model, tmp_path / "model.onnx")
    subprocess.run([BIN / "tenon-compile", tmp_path / "model.onnx", "--emit=tiles", "-o", tmp_path / "tiles.mlir"], check=True)
    assert "tenon_tile.present" in (tmp_path / "tiles.mlir").read_text()
    feed = {"x": np.ones((2, 5), np.float32), "i": np.full((2, 5), 3), "u": np.arange(10, dtype=np.float32).reshape(2, 5)}
    np.savez(tmp_path / "inputs.npz", **feed)
    subprocess.run([BIN / "tenon-interpret", tmp_path / "tiles.mlir", f"--inputs={tmp_path}/inputs.npz",
                    f"--outputs={tmp_path}/outputs.npz"], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "outputs.npz")["y"], [[-1, -1, -1, 4, -1], [-1, -1, -1, 9, -1]])


def test_an_artifact_is_small(add_file, tmp_path):
    subprocess.run([BIN / "tenon-compile", add_file, "--quiet", "-o", tmp_path / "model.so"], check=True)
    assert (tmp_path / "model.so").stat().st_size <= 150_000


@pytest.mark.parametrize("arguments, message", [
    (["--emit=nothing"], "emit"),
    (["--target-cpu=abacus"], "abacus"),
    (["missing.onnx"], "missing.onnx"),
])
def test_wrong_arguments(arguments, message, add_file, tmp_path):
    model = [] if arguments == ["missing.onnx"] else [add_file]
    run = subprocess.run([BIN / "tenon-compile", *model, *arguments, "-o", tmp_path / "model.so"], capture_output=True,
                         text=True)
    assert run.returncode == 1 and message in run.stderr
    assert not (tmp_path / "model.so").exists()

"""Contractions by instructions that multiply matrices, which few machines have: functions that do what they do take their place in the code."""

import ctypes
import os
import pathlib
import re
import shutil
import subprocess

import numpy as np
import onnx
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto as T
from onnx import helper, numpy_helper

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"
FEATURES = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni"
LLC = shutil.which("llc-22")

# Intel SDM volume 2B, TDPBUSD, TILELOADD, TILESTORED, in rows of 64 bytes.
INSTRUCTIONS = r"""
#include <stdint.h>
#include <string.h>
void load_tile(int16_t m, int16_t n, const char *p, int64_t stride, char *tile) {
  for (int i = 0; i < m; ++i) memcpy(tile + 64 * i, p + stride * i, n);
}
void store_tile(int16_t m, int16_t n, char *p, int64_t stride, const char *tile) {
  for (int i = 0; i < m; ++i) memcpy(p + stride * i, tile + 64 * i, n);
}
void multiply_tiles(int16_t m, int16_t n, int16_t k, int32_t *c, const uint8_t *a, const int8_t *b) {
  for (int i = 0; i < m; ++i)
    for (int l = 0; l < k / 4; ++l)
      for (int j = 0; j < n / 4; ++j)
        for (int byte = 0; byte < 4; ++byte)
          c[16 * i + j] += a[64 * i + 4 * l + byte] * b[64 * l + 4 * j + byte];
}
"""
IN_THEIR_PLACE = """
declare void @load_tile(i16, i16, ptr, i64, ptr)
declare void @store_tile(i16, i16, ptr, i64, ptr)
declare void @multiply_tiles(i16, i16, i16, ptr, ptr, ptr)
define internal <256 x i32> @tile.tilezero.internal(i16 %m, i16 %n) {
  ret <256 x i32> zeroinitializer
}
define internal <256 x i32> @tile.tileloadd64.internal(i16 %m, i16 %n, ptr %p, i64 %stride) noinline {
  %t = alloca <256 x i32>
  store <256 x i32> zeroinitializer, ptr %t
  call void @load_tile(i16 %m, i16 %n, ptr %p, i64 %stride, ptr %t)
  %r = load <256 x i32>, ptr %t
  ret <256 x i32> %r
}
define internal void @tile.tilestored64.internal(i16 %m, i16 %n, ptr %p, i64 %stride, <256 x i32> %tile) noinline {
  %t = alloca <256 x i32>
  store <256 x i32> %tile, ptr %t
  call void @store_tile(i16 %m, i16 %n, ptr %p, i64 %stride, ptr %t)
  ret void
}
define internal <256 x i32> @tile.tdpbusd.internal(i16 %m, i16 %n, i16 %k, <256 x i32> %c, <256 x i32> %a, <256 x i32> %b) noinline {
  %pc = alloca <256 x i32>
  %pa = alloca <256 x i32>
  %pb = alloca <256 x i32>
  store <256 x i32> %c, ptr %pc
  store <256 x i32> %a, ptr %pa
  store <256 x i32> %b, ptr %pb
  call void @multiply_tiles(i16 %m, i16 %n, i16 %k, ptr %pc, ptr %pa, ptr %pb)
  %r = load <256 x i32>, ptr %pc
  ret <256 x i32> %r
}
"""


def without_matrices(code):
    """The same code without the instructions."""
    lines = [line for line in code.splitlines() if not re.match(r"declare .*@llvm\.x86\.(tile|tdp)", line)]
    return re.sub(r"@llvm\.x86\.(tile|tdp)", r"@tile.\1", "\n".join(lines)).replace("x86_amx", "<256 x i32>") + IN_THEIR_PLACE


class Arguments(ctypes.Structure):  # tenon_kernel_args
    _fields_ = [("buffers", ctypes.c_void_p), ("strides", ctypes.c_void_p), ("symbols", ctypes.c_void_p), ("scratch", ctypes.c_void_p),
                ("scratch_stride", ctypes.c_int64), ("error", ctypes.c_void_p), ("launch", ctypes.c_uint32), ("constants", ctypes.c_void_p),
                ("launch_scratch", ctypes.c_void_p)]


def emitted(model, what, directory):
    onnx.save(model, directory / "model.onnx")
    subprocess.run([BIN / "tenon-compile", directory / "model.onnx", "--target-cpu=sapphirerapids", f"--emit={what}", "--quiet", "-o",
                    directory / what], check=True)
    return (directory / what).read_text()


def aligned(size):
    whole = np.zeros(size + 64, np.uint8)
    return whole[-whole.ctypes.data % 64:][:size]


def addresses(arrays):
    return (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])


@pytest.mark.skipif(not LLC, reason="needs LLVM's llc")
@pytest.mark.skipif("avx512_vnni" not in pathlib.Path("/proc/cpuinfo").read_text(), reason="runs the rest of the code, which is AVX-512 VNNI")
@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "dynamic"])
@pytest.mark.parametrize("rows, depth, columns", [(32, 64, 32), (77, 256, 100), (130, 1664, 40), (40, 128, 10)])
def test_products_of_bytes(rows, depth, columns, dynamic, tmp_path):
    """Rows that blocks overlap or, where there is no telling, are left over; deep sums in parts; columns that end within a panel."""
    random = np.random.default_rng(rows)
    x, w = random.integers(0, 256, (rows, depth), np.uint8), random.integers(-128, 128, (depth, columns), np.int8)
    model = make_model([helper.make_node("MatMulInteger", ["x", "w"], ["y"])], [("x", T.UINT8, ["m" if dynamic else rows, depth])],
                       [("y", T.INT32, None)], [numpy_helper.from_array(w, "w")])
    tiles = emitted(model, "tiles", tmp_path)
    assert "via #tdpbusd" in tiles
    assert "tdpbusd" in emitted(model, "asm", tmp_path)
    (tmp_path / "kernel.ll").write_text(without_matrices(emitted(model, "llvm", tmp_path)))
    (tmp_path / "instructions.c").write_text(INSTRUCTIONS)
    subprocess.run([LLC, "-O1", f"-mattr=+{FEATURES.replace(',', ',+')}", "-relocation-model=pic", "-filetype=obj", tmp_path / "kernel.ll",
                    "-o", tmp_path / "kernel.o"], check=True)
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", tmp_path / "kernel.so", tmp_path / "kernel.o", tmp_path / "instructions.c"],
                   check=True)
    name = re.search(r"tenon_tile.program @(\w+)", tiles)[1]
    panels = re.search(r"form @panels\(.*-> tensor<(.*)xi8>", tiles)[1].split("x")
    shape = [int(size) for size in panels]
    if len(shape) == 4:
        wide = np.zeros((depth, shape[0] * shape[2]), np.int8)
        wide[:, :columns] = w
        form = np.ascontiguousarray(wide.reshape(depth // 4, 4, shape[0], shape[2]).transpose(2, 0, 3, 1))
    else:
        form = np.zeros(shape[0], np.int8)
        form[:w.size] = w.reshape(depth // 4, 4, columns).transpose(0, 2, 1).reshape(-1)
    y, scratch = np.zeros((rows, columns), np.int32), aligned(1 << 20)
    kernel = getattr(ctypes.CDLL(tmp_path / "kernel.so"), name)
    arrays = [x, form, y]
    symbols = np.array([rows], np.int64)
    buffers, constants = addresses(arrays), addresses([form])
    arguments = Arguments(ctypes.cast(buffers, ctypes.c_void_p), None, symbols.ctypes.data, scratch.ctypes.data, 0, None, 0,
                          ctypes.cast(constants, ctypes.c_void_p), None)
    units = np.prod([int(bound) for bound in re.findall(r"= 0 to (\d+)", re.search("grid .*", tiles)[0])])
    if dynamic:
        unit = {name: int(re.search(f"unit_{name} = (\\d+)", tiles)[1]) for name in ("rows", "columns")}
        units = -(-rows // unit["rows"]) * -(-columns // unit["columns"])
    assert kernel(ctypes.byref(arguments), ctypes.c_int64(0), ctypes.c_int64(int(units)), ctypes.c_int32(0)) == 0
    np.testing.assert_array_equal(y, x.astype(np.int32) @ w.astype(np.int32))


RANDOM = np.random.default_rng(5)
PARAMETERS = {"s": np.float32(0.02), "z": np.uint8(120), "ws": np.float32(0.01), "wz": np.int8(0), "ys": np.float32(0.3), "yz": np.uint8(128)}


def weights(*shape):
    return RANDOM.integers(-127, 128, shape).astype(np.int8)


def quantized(op, x, w, y, **attributes):
    return helper.make_node(op, [x, "s", "z", w, "ws", "wz", "ys", "yz"], [y], **attributes)


# Nodes, sizes of x, weights, and instructions in the order of the programs.
MODELS = {
    "points": ([quantized("QLinearConv", "x", "u", "a", pads=[1] * 4), quantized("QLinearConv", "a", "v", "b"), quantized("QLinearConv", "b", "w", "y")],
               [2, 64, 14, 14], {"u": weights(64, 64, 3, 3), "v": weights(128, 64, 1, 1), "w": weights(64, 128, 1, 1)}, ["vpdpbusd", "tdpbusd", "tdpbusd"]),
    "lines": ([quantized("QLinearMatMul", "x", "w", "y")], [3, 40, 128], {"w": weights(128, 70)}, ["tdpbusd"]),
    "run on": ([quantized("QLinearMatMul", "x", "w", "y")], [3, 50, 128], {"w": weights(128, 70)}, ["tdpbusd"]),
    "scattered": ([helper.make_node("Slice", ["x", "low", "high", "axis"], ["a"]), quantized("QLinearMatMul", "a", "w", "y")], [3, 60, 128],
                  {"w": weights(128, 70), "low": np.array([5]), "high": np.array([55]), "axis": np.array([1])}, ["vpdpbusd"]),
    "in parts": ([quantized("QLinearMatMul", "x", "w", "y")], ["m", 1600], {"w": weights(1600, 33)}, ["vpdpbusd", "vpdpbusd", "tdpbusd", "vpdpbusd"]),
}


@pytest.mark.parametrize("kind", MODELS)
def test_programs(kind, tmp_path):
    """Programs of tiles are interpreted as the model is, with all that follows products."""
    nodes, shape, constants, instructions = MODELS[kind]
    model = make_model(nodes, [("x", T.UINT8, shape)], [("y", T.UINT8, None)],
                       [numpy_helper.from_array(np.asarray(value), name) for name, value in (PARAMETERS | constants).items()])
    tiles = emitted(model, "tiles", tmp_path)
    assert re.findall(r"via #(\w+)", tiles) == instructions
    for rows in ([70, 3] if "m" in shape else [0]):
        feed = {"x": RANDOM.integers(0, 256, [rows if size == "m" else size for size in shape], np.uint8)}
        np.savez(tmp_path / "inputs.npz", **feed)
        (tmp_path / "tiles.mlir").write_text(tiles)
        subprocess.run([BIN / "tenon-interpret", tmp_path / "tiles.mlir", f"--inputs={tmp_path}/inputs.npz", f"--outputs={tmp_path}/outputs.npz"],
                       check=True)
        np.testing.assert_array_equal(np.load(tmp_path / "outputs.npz")["y"], tenon.reference(model).run(feed)["y"])
    assert "via #tdpbusd" not in tiles or "tdpbusd" in emitted(model, "asm", tmp_path)


def test_machines_without_it_refuse_the_code(tmp_path):
    """The code says what it needs; nothing that isn't there is run."""
    if "amx_int8" in pathlib.Path("/proc/cpuinfo").read_text():
        pytest.skip("this machine has the instructions")
    nodes, shape, constants, _ = MODELS["lines"]
    model = make_model(nodes, [("x", T.UINT8, shape)], [("y", T.UINT8, None)],
                       [numpy_helper.from_array(np.asarray(value), name) for name, value in (PARAMETERS | constants).items()])
    x = RANDOM.integers(0, 256, shape, np.uint8)
    with tenon.compile(model, target="sapphirerapids,avx2") as both:
        np.testing.assert_array_equal(both.run({"x": x})["y"], tenon.reference(model).run({"x": x})["y"])
    with pytest.raises(RuntimeError, match="needs amx"):
        tenon.compile(model, target="sapphirerapids").run({"x": x})

"""Case n: a model with 3 GB of weights, in a sparse file. `make test-large`; it isn't part of `make test`.

What compiling and running hold at once is at most 1.2 GB more than the weights.
"""

import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

from conftest import make_model

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"
SIZE, LAYERS = 8192, 12
BYTES = 4 * SIZE * SIZE
LIMIT = 3 * 2**30 + int(1.2e9)

RUN = """
import sys, numpy as np, tenon
y = tenon.load(sys.argv[1], threads=1)(np.load(sys.argv[2]))
np.save(sys.argv[3], y)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def rows(layer):
    """The first and the last row of a layer's weights; all others are zero."""
    rng = np.random.default_rng(layer)
    values = rng.integers(-2, 3, (2, SIZE)).astype(np.float32) / 4
    values[:, [0, -1]] = [[1, 0.5], [-0.5, 1]]  # what the next layer reads
    return values


def write_model(directory):
    weights = []
    with open(directory / "weights.bin", "wb") as file:
        file.truncate(LAYERS * BYTES)
        for layer in range(LAYERS):
            first, last = rows(layer)
            file.seek(layer * BYTES)
            file.write(first.tobytes())
            file.seek((layer + 1) * BYTES - last.nbytes)
            file.write(last.tobytes())
            tensor = TensorProto(name=f"w{layer}", data_type=TensorProto.FLOAT, dims=(SIZE, SIZE),
                                 data_location=TensorProto.EXTERNAL)
            for key, value in ("location", "weights.bin"), ("offset", layer * BYTES), ("length", BYTES):
                tensor.external_data.add(key=key, value=str(value))
            weights.append(tensor)
    nodes = [helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"x{i + 1}"], name=f"layer{i}") for i in range(LAYERS)]
    model = make_model(nodes, [("x0", TensorProto.FLOAT, ("n", SIZE))], [(f"x{LAYERS}", TensorProto.FLOAT, ("n", SIZE))],
                       weights)
    onnx.save(model, directory / "model.onnx")


def test_case_n_peak_of_large_weights(tmp_path):
    write_model(tmp_path)
    artifact = tmp_path / "model.so"
    process = subprocess.Popen([BIN / "tenon-compile", tmp_path / "model.onnx", "-o", artifact, "--quiet"])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    compiling = usage.ru_maxrss * 1024

    x = np.random.default_rng(99).integers(-2, 3, (3, SIZE)).astype(np.float32)
    expected = x.astype(np.float64)
    for layer in range(LAYERS):
        expected = expected[:, [0, -1]] @ rows(layer).astype(np.float64)
    np.save(tmp_path / "x.npy", x)
    run = subprocess.run([sys.executable, "-c", RUN, artifact, tmp_path / "x.npy", tmp_path / "y.npy"],
                         stdout=subprocess.PIPE, text=True, check=True)
    running = int(run.stdout) * 1024
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, rtol=1e-4, atol=1e-4)

    print(f"weights {LAYERS * BYTES / 1e9:.2f} GB, peak of compiling {compiling / 1e9:.2f} GB, of running {running / 1e9:.2f} GB")
    artifact.unlink()
    assert compiling <= LIMIT and running <= LIMIT

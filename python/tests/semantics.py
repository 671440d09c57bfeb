"""Models through `tenon-opt --tenon-check-semantics`: every pass, on the same inputs, in one process."""

import os
import pathlib
import re
import subprocess

import numpy as np
import onnx

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"


def check_every_pass(model, pipeline, tmp_path, feed=(), sizes=(), tolerance=None):
    """Checks each pass of a pipeline from level 0 on. Gives the number of passes that changed something that ran.

    feed: arrays of inputs, by name; others are random. sizes: sizes of symbols by name, for each run.
    """
    onnx.save(model, tmp_path / "model.onnx")
    arguments = [f"--tenon-check-semantics-sizes={','.join(f'{name}={size}' for name, size in run.items())}" for run in sizes]
    if feed:
        np.savez(tmp_path / "inputs.npz", **feed)
        arguments.append(f"--tenon-check-semantics-inputs={tmp_path}/inputs.npz")
    if tolerance is not None:
        arguments.append(f"--tenon-check-semantics-tolerance={tolerance}")
    subprocess.run([BIN / "tenon-compile", tmp_path / "model.onnx", "--emit=import", "-o", tmp_path / "import.mlir"], check=True)
    run = subprocess.run([BIN / "tenon-opt", tmp_path / "import.mlir", f"--pass-pipeline=builtin.module({pipeline})",
                          "--tenon-check-semantics", *arguments, "-o", os.devnull], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert (said := re.search(r"semantics are kept: .* after (\d+) changes", run.stderr)), run.stderr
    return int(said[1])

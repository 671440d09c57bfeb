"""Runs a model on generated inputs and compares with numpy: check-model.py MODEL CASE. Prints what differs."""
import subprocess
import sys
import tempfile

import numpy as np


def run(model, inputs, arguments=()):
    """The outputs by name, or the text of the error."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(folder + "/in.npz", **inputs)
        command = ["tenon-run", model, "--input", folder + "/in.npz", "--output", folder + "/out.npz", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return done.stderr.strip()
        with np.load(folder + "/out.npz") as outputs:
            return dict(outputs)


def expect(actual, wanted, tolerance=0.0):
    if isinstance(actual, str):
        sys.exit("failed: " + actual)
    if actual.dtype != wanted.dtype or actual.shape != wanted.shape:
        sys.exit(f"{actual.dtype}{actual.shape} instead of {wanted.dtype}{wanted.shape}")
    worst = np.max(np.abs(actual.astype(np.float64) - wanted.astype(np.float64)), initial=0)
    if not worst <= tolerance:
        sys.exit(f"differs by {worst}")


random = np.random.default_rng(0)


def add(model):
    for size in (0, 1, 8, 1000, 100003):
        a, b = random.standard_normal((2, size)).astype(np.float32)
        expect(run(model, {"a": a, "b": b})["sum"], a + b)
    message = run(model, {"a": np.zeros(3, np.float32), "b": np.zeros(4, np.float32)})
    assert isinstance(message, str), "sizes that differ were accepted"
    print(message)


def matmul(model):
    for rows in (1, 7, 64):
        x = random.standard_normal((rows, 16)).astype(np.float32)
        w = np.arange(16 * 8, dtype=np.float32).reshape(16, 8) / 64
        expect(run(model, {"x": x})["y"], np.maximum(x @ w, 0), 1e-4)


def tiles(model):
    w, b, f = (random.standard_normal(shape).astype(np.float32) for shape in ((2, 8, 16), 32, (3, 12, 8)))
    image = random.standard_normal((5, 7, 4)).astype(np.float32)
    windows = np.array([[[image[2 * h + k, 2 * v:2 * v + 3].reshape(12) for k in range(3)] for v in range(3)] for h in range(2)])
    for rows, columns in ((1, 1), (2, 11), (3, 12), (4, 13), (7, 36), (12, 35)):
        x = random.standard_normal((rows, 8)).astype(np.float32)
        v = random.standard_normal((8, columns)).astype(np.float32)
        outputs = run(model, {"x": x, "w": w, "b": b, "v": v, "i": image, "f": f})
        if isinstance(outputs, str):
            sys.exit("failed: " + outputs)
        expect(outputs["y"], x @ np.concatenate([w[0], w[1]], 1) + b, 1e-5)
        expect(outputs["z"], x @ v, 1e-5)
        expect(outputs["o"], np.einsum("hwkr,krc->hwc", windows, f), 1e-4)


def grids(model):
    for rows in (1, 3, 4, 5, 6, 100, 4096):
        x = random.integers(-9, 9, (rows, 8)).astype(np.float32)
        for threads in ("1", "4"):
            outputs = run(model, {"x": x, "p": np.arange(rows)}, ["--threads", threads])
            if isinstance(outputs, str):
                sys.exit("failed: " + outputs)
            expect(outputs["y"], x + x.sum(1, keepdims=True)[::-1])
            expect(outputs["z"], np.array([1 if rows <= 4 else 2], np.float32))
            expect(outputs["q"], np.arange(rows))
    places = np.arange(300)
    places[[250, 70]] = -7, -5
    for threads in ("1", "4"):
        print(run(model, {"x": np.zeros((300, 8), np.float32), "p": places}, ["--threads", threads]))


def parts(model):
    x, y = (random.standard_normal(shape).astype(np.float32) for shape in ((2, 150001), (90000, 12)))
    z = random.integers(-9, 9, (3, 70000, 5)).astype(np.int32)
    one, four = (run(model, {"x": x, "y": y, "z": z}, ["--threads", threads]) for threads in "14")
    if isinstance(one, str):
        sys.exit("failed: " + one)
    expect(one["a"], np.sqrt((x.astype(np.float64) ** 2).mean(1)).astype(np.float32), 1e-5)
    expect(one["b"], y.max(0))
    expect(one["c"], z.sum((1, 2), dtype=np.int32))
    for name, value in one.items():
        expect(four[name], value)


def tile_rows(model):
    for rows, columns in ((1, 1), (2, 7), (3, 8), (8, 9), (9, 16), (17, 23)):
        x = random.standard_normal((rows, columns)).astype(np.float32)
        outputs = run(model, {"x": x, "b": np.ones((columns, rows), np.float32), "r": x[:, None]})
        if isinstance(outputs, str):
            sys.exit("failed: " + outputs)
        places = x * np.arange(1, columns + 1)
        expect(outputs["y"], x + 1)
        expect(outputs["s"], places.sum(1, keepdims=True).astype(np.float32), 1e-3)
        expect(outputs["t"], np.maximum(places.max(1, keepdims=True), 0).astype(np.float32))


def pick(model):
    table = random.standard_normal(10).astype(np.float32)
    indices = random.integers(0, 10, 1000)
    expect(run(model, {"table": table, "indices": indices})["y"], table[indices])
    indices[700] = -3
    indices[300] = 12
    for threads in ("1", "2"):
        print(run(model, {"table": table, "indices": indices}, ["--threads", threads]))


def narrow(model):
    x = random.standard_normal(1000).astype(np.float16)
    expect(run(model, {"x": x})["y"], x * x)


globals()[sys.argv[2]](sys.argv[1])
print("right")

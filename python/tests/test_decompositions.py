"""Each composite against what it decomposes to, interpreted and compiled, in f32.

Results agree within 2 ulp, of the scale at which they are computed, where no sum stands between them. Sums that are taken in
another order differ by at most half an ulp of the sum of magnitudes for each summand (Higham, Accuracy and Stability of
Numerical Algorithms, 4.2), and an argument of e^x that is rounded by half an ulp moves the result by as many as it is large.
"""

import os
import pathlib
import subprocess

import numpy as np
import pytest

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"
EPSILON = 2.0**-24  # half an ulp, at least, relative


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_bound(x):
    """Of each exponential its argument's rounding, of the sum the order: relative."""
    shift = x.max(axis=-1, keepdims=True) - x
    return softmax(x) * EPSILON * (shift + shift.max(axis=-1, keepdims=True) + x.shape[-1])


def log_softmax_bound(x):
    """The logarithm moves by the sum's relative error; it and the shifted argument are rounded where they are subtracted."""
    shift = x.max(axis=-1, keepdims=True) - x
    return EPSILON * (x.shape[-1] + 2 * shift + 2 * np.log(x.shape[-1]))


def normalize(x, epsilon=1e-5):
    centered = x - x.mean(axis=-1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(axis=-1, keepdims=True) + epsilon)


def normalize_bound(x):
    """The mean's order, of the magnitude that is summed, and the variance's, half of which its root keeps."""
    n = x.shape[-1]
    deviation = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    mean = EPSILON * n * np.abs(x).mean(axis=-1, keepdims=True) / deviation
    return mean * (1 + np.abs(normalize(x))) + EPSILON * n / 2 * np.abs(normalize(x))


def rms(x):
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5)


def gelu_scale(x):
    """1 + erf(x) cancels below zero: ulps are those of what x / 2 is multiplied with at its largest, 1."""
    return np.abs(x) / 2


SHAPE = "tensor<7x{n}xf32>"
CASES = {
    # The op, how far from the result an ulp is measured at least, and the bound beyond 2 of them.
    "softmax": (f"tenon.softmax %x dims [1] : {SHAPE}", None, softmax_bound),
    "log_softmax": (f"tenon.softmax %x dims [1] {{{{log}}}} : {SHAPE}", None, log_softmax_bound),
    "normalize": (f"tenon.normalize %x dims [1] epsilon 1.0e-5 : {SHAPE}", None, normalize_bound),
    "rms": (f"tenon.normalize %x dims [1] epsilon 1.0e-5 {{{{rms}}}} : {SHAPE}", None,
            lambda x: EPSILON * x.shape[-1] / 2 * np.abs(rms(x))),
    "gelu": (f"tenon.gelu %x : {SHAPE}", gelu_scale, None),
    "gelu_tanh": (f"tenon.gelu %x {{{{tanh}}}} : {SHAPE}", gelu_scale, None),
}
COMPOSITES = "tenon.softmax,tenon.normalize,tenon.gelu,tenon.attention"


def results_of(text, feed, tmp_path):
    """By name: both forms, interpreted and as compiled code. The decomposed form isn't recognised again on level 2."""
    np.savez(tmp_path / "inputs.npz", **feed)
    (tmp_path / "composite.mlir").write_text(text)
    run = lambda *command: subprocess.run([BIN / command[0], *command[1:]], check=True, capture_output=True)
    # Attention becomes a softmax, which becomes sums.
    decompose = f"tenon-decompose-composites{{ops={COMPOSITES}}}"
    run("tenon-opt", tmp_path / "composite.mlir", f"--pass-pipeline=builtin.module({decompose},{decompose})", "-o",
        tmp_path / "decomposed.mlir")
    assert not any(f"{op} " in (tmp_path / "decomposed.mlir").read_text() for op in COMPOSITES.split(","))
    results = {}
    for form in ("composite", "decomposed"):
        run("tenon-interpret", tmp_path / f"{form}.mlir", f"--inputs={tmp_path}/inputs.npz", f"--outputs={tmp_path}/y.npz")
        results[f"{form}, interpreted"] = np.load(tmp_path / "y.npz")["y"]
        run("tenon-opt", tmp_path / f"{form}.mlir", "--pass-pipeline=builtin.module(tenon-kernels)", "-o", tmp_path / "kernels.mlir")
        for target in ("avx2", "host"):
            run("tenon-compile", tmp_path / "kernels.mlir", f"--target-cpu={target}", "-o", tmp_path / "model.so")
            run("tenon-run", tmp_path / "model.so", "--input", tmp_path / "inputs.npz", "--output", tmp_path / "y.npz")
            results[f"{form}, {target}"] = np.load(tmp_path / "y.npz")["y"]
    return results


def hold(results, allowed):
    names = list(results)
    for i, one in enumerate(names):
        for other in names[i + 1:]:
            difference = np.abs(results[one].astype(np.float64) - results[other])
            assert np.all(difference <= allowed), f"{one} and {other}: {np.max(difference / allowed)} times what is allowed"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n", [5, 300])
def test_agrees_with_its_decomposition(case, n, tmp_path):
    op, scale, bound = CASES[case]
    kind = SHAPE.format(n=n)
    text = f"""func.func @main(%x: {kind} {{tenon.name = "x"}}) -> ({kind} {{tenon.name = "y"}}) {{
      %y = {op.format(n=n)}
      return %y : {kind}
    }}"""
    x = (3 * np.random.default_rng(n).standard_normal((7, n))).astype(np.float32)
    results = results_of(text, {"x": x}, tmp_path)
    wide = x.astype(np.float64)
    y = np.abs(results["composite, interpreted"])
    allowed = 2.0 * np.spacing(y if scale is None else np.maximum(y, scale(x)).astype(np.float32)) + (bound(wide) if bound else 0)
    hold(results, allowed)


@pytest.mark.parametrize("keys, depth", [(5, 8), (70, 32)])
def test_attention_agrees_with_its_decomposition(keys, depth, tmp_path):
    rng = np.random.default_rng(keys)
    q, k, v = (rng.standard_normal(shape).astype(np.float32) for shape in ((2, 3, 9, depth), (2, 3, keys, depth), (2, 3, keys, depth)))
    tensor = lambda a: "tensor<" + "x".join(map(str, a.shape)) + "xf32>"
    maps = ", ".join(f"affine_map<(b, h, m, e, n, k) -> ({d})>" for d in ("b, h, m, k", "b, h, n, k", "b, h, n, e", "b, h, m, e"))
    text = f"""func.func @main(%q: {tensor(q)} {{tenon.name = "q"}}, %k: {tensor(k)} {{tenon.name = "k"}},
                               %v: {tensor(v)} {{tenon.name = "v"}}) -> ({tensor(q)} {{tenon.name = "y"}}) {{
      %y = tenon.attention %q, %k, %v maps [{maps}] scale 0.25 : {tensor(q)}, {tensor(k)}, {tensor(v)} -> {tensor(q)}
      return %y : {tensor(q)}
    }}"""
    results = results_of(text, {"q": q, "k": k, "v": v}, tmp_path)
    wide = [a.astype(np.float64) for a in (q, k, v)]
    magnitude = np.einsum("bhmk,bhnk->bhmn", np.abs(wide[0]), np.abs(wide[1])) / 4
    scores = np.einsum("bhmk,bhnk->bhmn", wide[0], wide[1]) / 4
    weights = softmax(scores)
    # A score differs by the order of its sum and is rounded once more; a weight by as much, and by the sums of weights and
    # of values, which are of as many summands as there are keys.
    score = EPSILON * (depth + 2) * magnitude.max(axis=-1, keepdims=True)
    shift = EPSILON * (scores.max(axis=-1, keepdims=True) - scores.min(axis=-1, keepdims=True))
    relative = 2 * score + 2 * shift + 2 * EPSILON * keys
    allowed = 2.0 * np.spacing(np.abs(results["composite, interpreted"])) + relative * np.einsum("bhmn,bhne->bhme", weights, np.abs(wide[2]))
    hold(results, allowed)

"""Elementary functions of compiled kernels against numpy: check-math.py FUNCTION TYPE... Prints the largest error."""
import math
import subprocess
import sys
import tempfile

import numpy as np

EVERYWHERE = "everywhere"
# Where a function is tested, and its bound in ulp for f32 and f64.
FUNCTIONS = {
    "exp": (np.exp, (-760, 720), 1.1, 1.6), "exp2": (np.exp2, (-1080, 1030), 1.2, 1.6),
    "expm1": (np.expm1, (-50, 720), 2.1, 2.1), "log": (np.log, EVERYWHERE, 1.1, 1.1),
    "log2": (np.log2, EVERYWHERE, 0.6, 1.6), "log10": (np.log10, EVERYWHERE, 0.6, 2.1),
    "log1p": (np.log1p, (-1.5, 1e6), 1.6, 1.6), "tanh": (np.tanh, (-30, 30), 3.1, 3.1),
    "erf": (np.vectorize(math.erf, otypes=[np.float64]), (-8, 8), 2.1, 2.1),
    "sin": (np.sin, EVERYWHERE, 0.6, 1.1), "cos": (np.cos, EVERYWHERE, 0.6, 1.1),
    "tan": (np.tan, EVERYWHERE, 0.6, 2.6), "sinh": (np.sinh, (-720, 720), 0.6, 3.1),
    "cosh": (np.cosh, (-720, 720), 0.6, 3.1), "asin": (np.arcsin, (-1.1, 1.1), 0.6, 3.6),
    "acos": (np.arccos, (-1.1, 1.1), 0.6, 3.1), "atan": (np.arctan, EVERYWHERE, 0.6, 2.1),
    "asinh": (np.arcsinh, EVERYWHERE, 0.6, 3.1), "acosh": (np.arccosh, (0.5, 1e12), 0.6, 3.1),
    "atanh": (np.arctanh, (-1.1, 1.1), 0.6, 3.1), "cbrt": (np.cbrt, EVERYWHERE, 0.6, 1.1),
    "rsqrt": (lambda x: 1 / np.sqrt(x), EVERYWHERE, 1.6, 1.6), "powf": (np.power, EVERYWHERE, 0.6, 4.1),
    "atan2": (np.arctan2, EVERYWHERE, 0.6, 2.6), "remf": (np.fmod, EVERYWHERE, 0, 0),
}

BINARY = {"powf", "atan2", "remf"}

KERNEL = """
func.func @{name}(%a: memref<{t}>, %b: memref<{t}>, %c: memref<{t}>, %n: index, %begin: index, %end: index) -> i32
    attributes {{tenon_tile.kernel = {{buffers = 3, strides = 0, symbols = 1}},
                tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<()[s0] -> (s0 floordiv 8)>]>}} {{
  %ok = arith.constant 0 : i32
  %one = arith.constant 1 : index
  %lanes = arith.constant 8 : index
  %x = memref.reinterpret_cast %a to offset: [0], sizes: [%n], strides: [1] : memref<{t}> to memref<?x{t}>
  %y = memref.reinterpret_cast %b to offset: [0], sizes: [%n], strides: [1] : memref<{t}> to memref<?x{t}>
  %z = memref.reinterpret_cast %c to offset: [0], sizes: [%n], strides: [1] : memref<{t}> to memref<?x{t}>
  scf.for %unit = %begin to %end step %one {{
    %i = arith.muli %unit, %lanes : index
    %u = vector.load %x[%i] : memref<?x{t}>, vector<8x{t}>
    %v = vector.load %y[%i] : memref<?x{t}>, vector<8x{t}>
    %w = {dialect}.{name} {operands} : vector<8x{t}>
    vector.store %w, %z[%i] : memref<?x{t}>, vector<8x{t}>
  }}
  return %ok : i32
}}
"""
LAUNCH = """
  %{name} = tenon_host.storage output {number} "{name}" sizes [%n] : memref<?x{t}>
  tenon_host.launch @{name} symbols(%n) ins(%x{number}, %y{number} : memref<?x{t}>, memref<?x{t}>) outs(%{name} : memref<?x{t}>)
"""


def module(names, t):
    text = "".join(KERNEL.format(name=n, t=t, dialect="arith" if n == "remf" else "math", operands="%u, %v" if n in BINARY else "%u") for n in names)
    text += "func.func @main() {\n  %n = tenon.symbol \"n\" divisible 8\n"
    for i, n in enumerate(names):
        for j, letter in enumerate("xy"):
            text += f'  %{letter}{i} = tenon_host.storage input {2 * i + j} "{letter}.{n}" sizes [%n] : memref<?x{t}>\n'
    for i, n in enumerate(names):
        text += LAUNCH.format(name=n, number=i, t=t)
    return text + "  return\n}\n"


def values(where, dtype, random, count=20000):
    info = np.finfo(dtype)
    special = np.array([0, -0.0, 1, -1, np.inf, -np.inf, np.nan, info.tiny, info.smallest_subnormal, info.max, info.min,
                        0.5, -0.5, 2, 3, -3, info.eps], dtype)
    spread = np.exp2(random.uniform(info.minexp - 10, info.maxexp - 1, count)) * random.choice([-1, 1], count)
    near = random.uniform(-3, 3, count)
    if where is not EVERYWHERE:
        low, high = where
        special = special[(np.abs(special) <= 4) | ~np.isfinite(special)]
        wide = random.uniform(max(low, -float(info.max) / 2), min(high, float(info.max) / 2), count)
        spread = np.where((spread > low) & (spread < high), spread, wide)
        near = np.concatenate([near, wide])
    result = np.concatenate([special, spread.astype(dtype), near.astype(dtype)])
    return result[: len(result) // 8 * 8]


def main():
    t = sys.argv[1]
    dtype, exact = (np.float32, np.float64) if t == "f32" else (np.float64, np.longdouble)
    names = sys.argv[2:] or list(FUNCTIONS)
    random = np.random.default_rng(1)
    inputs = {}
    for n in names:
        x = values(FUNCTIONS[n][1], dtype, random)
        y = random.permutation(x) if n in ("atan2", "remf") else np.where(
            random.random(len(x)) < 0.3, random.integers(-9, 9, len(x)), random.uniform(-40, 40, len(x))).astype(dtype)
        if n == "powf":
            y[:8] = x[:8]
            y[8:200] = random.choice(x[:17], 192)
            x[17:200] = random.choice(x[:17], 183)
        inputs["x." + n], inputs["y." + n] = x, y
    size = min(len(v) for v in inputs.values())
    inputs = {k: v[:size] for k, v in inputs.items()}
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/m.mlir", "w") as file:
            file.write(module(names, t))
        subprocess.run(["tenon-compile", folder + "/m.mlir", "-o", folder + "/m.so", "--quiet"], check=True)
        np.savez(folder + "/in.npz", **inputs)
        subprocess.run(["tenon-run", folder + "/m.so", "--input", folder + "/in.npz", "--output", folder + "/out.npz"],
                       check=True)
        outputs = dict(np.load(folder + "/out.npz"))
    bad = False
    for n in names:
        function, _, *bounds = FUNCTIONS[n]
        x, y, actual = inputs["x." + n], inputs["y." + n], outputs[n]
        with np.errstate(all="ignore"):
            wide = [x.astype(exact), y.astype(exact)][: 2 if n in BINARY else 1]
            wanted = np.asarray(function(*wide), exact)
            rounded = wanted.astype(dtype)
            unit = np.spacing(np.abs(rounded)).astype(exact)
            error = np.abs(actual.astype(exact) - wanted) / unit
            same = (actual == rounded) | (np.isnan(actual) & np.isnan(rounded))
            # A result may round to infinity, or from it, within the bound.
            top = np.isinf(rounded) != np.isinf(actual)
            edge = top & (np.abs(np.where(np.isinf(actual), rounded, actual)) > np.finfo(dtype).max * (1 - 8 * np.finfo(dtype).eps))
            error = np.where(same | edge, np.where(same & np.isfinite(error), error, 0), np.where(np.isfinite(error), error, np.inf))
            signs = (rounded == 0) & (actual == 0) & (np.signbit(rounded) != np.signbit(actual))
            error = np.where(signs, np.inf, error)
        worst = int(np.argmax(error))
        bound = bounds[0] if t == "f32" else bounds[1]
        verdict = "right" if error[worst] <= bound else "WRONG"
        bad |= verdict == "WRONG"
        print(f"{n} {t}: {verdict}, {float(error[worst]):.2f} ulp of {bound} at {x[worst]!r}, {y[worst]!r}: {actual[worst]!r}, not {wanted[worst]!r}")
    sys.exit(bad)


main()

"""Constants in the forms that programs want them in: what is stored, what the loader binds, what a person may edit."""

import os
import pathlib
import re
import subprocess

import numpy as np
import onnx
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

BIN = pathlib.Path(os.environ["TENON_BUILD"]) / "bin"


def run(tool, *arguments):
    return subprocess.run([BIN / tool, *arguments], capture_output=True, text=True)


def target(name):
    result = run("tenon-compile", "--print-target", f"--target-cpu={name}")
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def typed(array, dialect="tensor"):
    element = {"float32": "f32", "int8": "i8", "int32": "i32", "uint8": "ui8", "float64": "f64"}[array.dtype.name]
    return f"{dialect}<{'x'.join(map(str, array.shape))}x{element}>"


def dense(array):
    return f"dense<{array.tolist()}> : {typed(array)}"


def program(name, wanted, number, operands=1):
    """Gives what it takes in a form, the operands [0, operands), row by row."""
    kind, (rows, lanes) = typed(wanted, "memref"), wanted.shape
    row = f"tensor<{lanes}x{kind.split('x')[-1]}"
    return f"""
    tenon_tile.program @{name}(%w: {kind} {{tenon_tile.form = @form{number}, tenon_tile.operands = {list(range(operands))}}})
        -> (%y: {kind}) {{
      grid (%i) = 0 to {rows} {{
        %0 = load %w[%i, 0] : {kind} -> {row}
        store %0, %y[%i, 0] : {row}, {kind}
      }}
    }}"""


def copying(constants, forms, targets=("avx2",), launches=1):
    """A module that gives what each variant's form makes of constants, as often as it is launched. A form is its body
    and what it must give, all under one shape."""
    variants = "\n".join(
        f"  tenon_tile.variant @{name} target {target(name)} schedule(vector_bytes = 32, vectors = 1) {{"
        f"{program('copy', wanted, i, len(constants))}\n  }}" for i, (name, (_, wanted)) in enumerate(zip(targets, forms)))
    arguments = ", ".join(f"%{'abc'[i]}: {typed(constant)}" for i, constant in enumerate(constants))
    texts = "\n".join(
        f"tenon_tile.form @form{i}({arguments}) -> {typed(wanted)} {{\n{body}\n  tenon_tile.yield %r : {typed(wanted)}\n}}"
        for i, (body, wanted) in enumerate(forms))
    wanted = forms[0][1]
    memory, shape = typed(wanted, "memref"), ", ".join(map(str, wanted.shape))
    storages = "\n".join(
        f"  %c{i} = tenon_host.storage constant {i} sizes [{', '.join(map(str, constant.shape))}] value({dense(constant)})"
        f" : {typed(constant, 'memref')}" for i, constant in enumerate(constants))
    ins = ", ".join(f"%c{i}" for i in range(len(constants)))
    types = ", ".join(typed(constant, "memref") for constant in constants)
    outputs = "\n".join(
        f"""  %y{i} = tenon_host.storage output {i} "y{i}" sizes [{shape}] : {memory}
  tenon_host.launch @copy ins({ins} : {types}) outs(%y{i} : {memory})""" for i in range(launches))
    results = ", ".join(f"%y{i}" for i in range(launches))
    return f"""{texts}
tenon_tile.variants @copy {{
{variants}
}}
func.func @main() -> ({", ".join([memory] * launches)}) {{
  %work = arith.constant {wanted.shape[0]} : index
{storages}
{outputs}
  return {results} : {", ".join([memory] * launches)}
}}
"""


def compile_text(text, path):
    (path / "model.mlir").write_text(text)
    result = run("tenon-compile", path / "model.mlir", "-o", path / "model.so")
    assert result.returncode == 0, result.stderr + text
    return tenon.load(path / "model.so"), int(re.search(r"(\d+) bytes of constants", result.stdout)[1])


W = np.random.default_rng(0).standard_normal((8, 12)).astype(np.float32)
BYTES = np.random.default_rng(1).integers(-128, 128, (8, 12)).astype(np.int8)
FILTERS = np.random.default_rng(2).standard_normal((3, 3, 5, 7)).astype(np.float32)
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)

TURNED = ("  %r = transpose %a [1, 0] : tensor<8x12xf32> -> tensor<12x8xf32>", W.T.copy())
PANELS = ("""  %zero = tenon.constant dense<0.0> : tensor<f32>
  %0 = pad constant %a, %zero low [0, 0] high [0, 4] : tensor<8x12xf32>, tensor<f32> -> tensor<8x16xf32>
  %1 = reshape %0 sizes [8, 2, 8] : tensor<8x16xf32> -> tensor<8x2x8xf32>
  %2 = transpose %1 [1, 0, 2] : tensor<8x2x8xf32> -> tensor<2x8x8xf32>
  %r = reshape %2 sizes [16, 8] : tensor<2x8x8xf32> -> tensor<16x8xf32>""",
          np.pad(W, ((0, 0), (0, 4))).reshape(8, 2, 8).transpose(1, 0, 2).reshape(16, 8))
# Four products of a column next to each other, as instructions that sum up bytes read them.
FOURS = ("""  %0 = reshape %a sizes [2, 4, 12] : tensor<8x12xi8> -> tensor<2x4x12xi8>
  %1 = transpose %0 [0, 2, 1] : tensor<2x4x12xi8> -> tensor<2x12x4xi8>
  %r = reshape %1 sizes [2, 48] : tensor<2x12x4xi8> -> tensor<2x48xi8>""",
         BYTES.reshape(2, 4, 12).transpose(0, 2, 1).reshape(2, 48))
BACKWARDS = ("  %r = slice %a offsets [7, 1] sizes [4, 5] strides [-2, 2] : tensor<8x12xf32> -> tensor<4x5xf32>",
             W[::-2, 1:11:2].copy())
COLUMN_SUMS = ("""  %0 = cast %a : tensor<8x12xi8> -> tensor<8x12xi32>
  %1 = reduce sum %0 dims [0] : tensor<8x12xi32> -> tensor<12xi32>
  %r = reshape %1 sizes [1, 12] : tensor<12xi32> -> tensor<1x12xi32>""",
               BYTES.astype(np.int32).sum(axis=0, keepdims=True, dtype=np.int32))
# G w G^T of each filter, for Winograd's F(2x2, 3x3).
WINOGRAD = ("""  %g = tenon.constant dense<[[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]]> : tensor<4x3xf32>
  %0 = contract %g, %a maps [affine_map<(i, x, c, n, k) -> (i, k)>, affine_map<(i, x, c, n, k) -> (k, x, c, n)>,
                             affine_map<(i, x, c, n, k) -> (i, x, c, n)>] : tensor<4x3xf32>, tensor<3x3x5x7xf32> -> tensor<4x3x5x7xf32>
  %1 = contract %0, %g maps [affine_map<(i, j, c, n, k) -> (i, k, c, n)>, affine_map<(i, j, c, n, k) -> (j, k)>,
                             affine_map<(i, j, c, n, k) -> (i, j, c, n)>] : tensor<4x3x5x7xf32>, tensor<4x3xf32> -> tensor<4x4x5x7xf32>
  %r = reshape %1 sizes [80, 7] : tensor<4x4x5x7xf32> -> tensor<80x7xf32>""",
            np.einsum("ik,jl,klcn->ijcn", G, G, FILTERS).reshape(80, 7).astype(np.float32))
SCALES = np.random.default_rng(3).standard_normal((8, 1)).astype(np.float32)
SCALED = ("""  %0 = reshape %b sizes [8] : tensor<8x1xf32> -> tensor<8xf32>
  %1 = broadcast %0 dims [0] sizes [8, 12] : tensor<8xf32> -> tensor<8x12xf32>
  %r = mul %a, %1 : tensor<8x12xf32>""", W * SCALES)

FORMS = {"turned": ([W], TURNED), "panels": ([W], PANELS), "fours": ([BYTES], FOURS), "backwards": ([W], BACKWARDS),
         "column_sums": ([BYTES], COLUMN_SUMS), "winograd": ([FILTERS], WINOGRAD), "of_two": ([W, SCALES], SCALED)}


@pytest.mark.parametrize("name", FORMS)
def test_forms(name, tmp_path):
    constants, form = FORMS[name]
    model, stored = compile_text(copying(constants, [form]), tmp_path)
    np.testing.assert_allclose(model.run({})["y0"], form[1], rtol=1e-6, atol=1e-6)
    # What nobody reads as it is isn't stored.
    assert stored == form[1].nbytes


def test_stored_once(tmp_path):
    """One form of one constant, for two launches and two variants."""
    model, stored = compile_text(copying([W], [TURNED, TURNED], ["avx2", "avx512"], launches=2), tmp_path)
    np.testing.assert_array_equal(model.run({})["y1"], W.T)
    assert stored == W.nbytes


def test_equal_bytes_are_stored_once(tmp_path):
    """Forms that differ may give the same bytes."""
    again = ("""  %0 = reshape %a sizes [8, 3, 4] : tensor<8x12xf32> -> tensor<8x3x4xf32>
  %1 = transpose %0 [1, 2, 0] : tensor<8x3x4xf32> -> tensor<3x4x8xf32>
  %r = reshape %1 sizes [12, 8] : tensor<3x4x8xf32> -> tensor<12x8xf32>""", W.T.copy())
    model, stored = compile_text(copying([W], [TURNED, again], ["avx2", "avx512"]), tmp_path)
    assert stored == W.nbytes
    # What each wants is stored where bytes differ.
    doubled = ("  %0 = add %a, %a : tensor<8x12xf32>\n  %r = transpose %0 [1, 0] : tensor<8x12xf32> -> tensor<12x8xf32>",
               2 * W.T)
    model, stored = compile_text(copying([W], [TURNED, doubled], ["avx2", "avx512"]), tmp_path)
    np.testing.assert_array_equal(model.run({})["y0"], W.T)
    assert stored == 2 * W.nbytes
    model, stored = compile_text(copying([W], [doubled, TURNED], ["avx2", "avx512"]), tmp_path)
    np.testing.assert_array_equal(model.run({})["y0"], 2 * W.T)


def test_read_as_it_is_too(tmp_path):
    """A constant that something else reads is stored beside its form."""
    text = copying([W], [TURNED])
    text = text.replace("  return %y0", """  %z = tenon_host.storage output 1 "z" sizes [8, 12] : memref<8x12xf32>
  tenon_host.copy %c0 to %z : memref<8x12xf32> to memref<8x12xf32>
  return %y0""").replace("return %y0 : memref<12x8xf32>", "return %y0, %z : memref<12x8xf32>, memref<8x12xf32>")
    text = text.replace("@main() -> (memref<12x8xf32>)", "@main() -> (memref<12x8xf32>, memref<8x12xf32>)")
    model, stored = compile_text(text, tmp_path)
    results = model.run({})
    np.testing.assert_array_equal(results["y0"], W.T)
    np.testing.assert_array_equal(results["z"], W)
    assert stored == 2 * W.nbytes


def test_other_levels_read_back(tmp_path):
    text = copying([W], [TURNED])
    (tmp_path / "tiles.mlir").write_text(text)
    result = run("tenon-compile", tmp_path / "tiles.mlir", "--emit=loops", "--quiet", "-o", tmp_path / "loops.mlir")
    assert result.returncode == 0, result.stderr
    model, stored = compile_text((tmp_path / "loops.mlir").read_text(), tmp_path)
    np.testing.assert_array_equal(model.run({})["y0"], W.T)
    assert stored == W.nbytes


def test_cache(tmp_path):
    """Code from the cache wants the forms that it was compiled with; another form is another artifact."""
    text = copying([W], [TURNED])
    other = text.replace("%r = transpose %a [1, 0]", "%0 = add %a, %a : tensor<8x12xf32>\n  %r = transpose %0 [1, 0]")
    for content, expected in ((text, W.T), (text, W.T), (other, 2 * W.T), (other, 2 * W.T)):
        for size in ("", "\n// another text\n"):
            (tmp_path / "model.mlir").write_text(content + size)
            result = run("tenon-compile", tmp_path / "model.mlir", f"--cache={tmp_path / 'cache'}", "-o", tmp_path / "model.so")
            assert result.returncode == 0, result.stderr
            np.testing.assert_array_equal(tenon.load(tmp_path / "model.so").run({})["y0"], expected)
            (tmp_path / "model.so").unlink()


@pytest.mark.parametrize("change, message", [
    (("ins(%c0 : memref<8x12xf32>)", "ins(%x : memref<8x12xf32>)"), "wants operand 0 in a form, with one that is no constant"),
    (("tenon_tile.operands = [0]", "tenon_tile.operands = [3]"), "wants operand 3 in form @form0, but is launched with 1"),
])
def test_errors(change, message, tmp_path):
    text = copying([W], [TURNED]).replace("  %work =", """  %x = tenon_host.storage input 0 "x" sizes [8, 12] : memref<8x12xf32>
  %work =""")
    assert change[0] in text
    (tmp_path / "model.mlir").write_text(text.replace(*change))
    result = run("tenon-compile", tmp_path / "model.mlir", "-o", tmp_path / "model.so")
    assert result.returncode == 1 and message in result.stderr, result.stderr
    assert not (tmp_path / "model.so").exists()


def compile_model(model, path, *arguments):
    onnx.save(model, path / "model.onnx")
    result = run("tenon-compile", path / "model.onnx", *arguments, "-o", path / "model.so")
    assert result.returncode == 0, result.stderr
    return tenon.load(path / "model.so"), int(re.search(r"(\d+) bytes of constants", result.stdout)[1])


def dense_layers(columns, rows="n"):
    """Two products by one weight, the second of which reads it the other way round."""
    w = np.random.default_rng(7).standard_normal((48, columns)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"], name="up"), helper.make_node("Relu", ["h"], ["r"], name="relu"),
             helper.make_node("Gemm", ["r", "w"], ["y"], name="down", transB=1)]
    return make_model(nodes, [("x", TensorProto.FLOAT, (rows, 48))], [("y", TensorProto.FLOAT, (rows, 48))],
                      [numpy_helper.from_array(w, "w")]), w


@pytest.mark.parametrize("rows", ["n", 33])
@pytest.mark.parametrize("columns", [64, 40])
def test_one_weight_for_two_products(columns, rows, tmp_path):
    model, w = dense_layers(columns, rows)
    compiled, stored = compile_model(model, tmp_path, "--target-cpu=avx2,avx512")
    x = np.random.default_rng(8).standard_normal((33, 48)).astype(np.float32)
    np.testing.assert_allclose(compiled.run({"x": x})["y"], np.maximum(x @ w, 0) @ w.T, rtol=1e-4, atol=1e-4)
    # Panels of both, each in its own order; zeros behind the last columns.
    assert stored == 4 * 48 * -(-columns // 32) * 32 + 4 * columns * 64


def test_panels_of_a_width_of_its_own_for_each_variant(tmp_path):
    """What a schedule says of panels is stored for its variant alone."""
    model, w = dense_layers(64)
    onnx.save(model, tmp_path / "model.onnx")
    x = np.random.default_rng(8).standard_normal((33, 48)).astype(np.float32)
    for targets in ("avx2,avx512", "avx512,avx2"):
        result = run("tenon-compile", tmp_path / "model.onnx", f"--target-cpu={targets}", "--emit=kernels", "--quiet", "-o",
                     tmp_path / "kernels.mlir")
        assert result.returncode == 0, result.stderr
        text = (tmp_path / "kernels.mlir").read_text()
        # The first of each two variants.
        parts = re.split(r"(?<=panel_columns = )32", text)
        assert len(parts) == 5
        text = "64".join([parts[0], parts[1] + "32" + parts[2], parts[3] + "32" + parts[4]])
        compiled, stored = compile_text(text, tmp_path)
        np.testing.assert_allclose(compiled.run({"x": x})["y"], np.maximum(x @ w, 0) @ w.T, rtol=1e-4, atol=1e-4)
        # 48 columns are 64 in panels of 32; where a panel has 64 they are stored as they are, with what a row reads behind the last.
        assert stored == 2 * 4 * 48 * 64 + 4 * 64 * 64 + 4 * (64 * 48 + 16)


def test_tied_weights(tmp_path):
    """Rows of an embedding are read as they are, the projection reads panels."""
    w = np.random.default_rng(9).standard_normal((100, 64)).astype(np.float32)
    nodes = [helper.make_node("Gather", ["w", "ids"], ["x"], name="embed"),
             helper.make_node("Transpose", ["w"], ["t"], name="turn", perm=[1, 0]),
             helper.make_node("MatMul", ["x", "t"], ["y"], name="project")]
    model = make_model(nodes, [("ids", TensorProto.INT64, ("n",))], [("y", TensorProto.FLOAT, ("n", 100))],
                       [numpy_helper.from_array(w, "w")])
    compiled, stored = compile_model(model, tmp_path)
    ids = np.array([3, 99, 0])
    np.testing.assert_allclose(compiled.run({"ids": ids})["y"], w[ids] @ w.T, rtol=1e-4, atol=1e-4)
    assert stored == w.nbytes + 4 * 128 * 64


@pytest.mark.parametrize("external", [False, True])
def test_levels_of_weights_beside(external, tmp_path):
    """Constants that are files stay where they are, at each level; their forms are made in the end."""
    model, w = dense_layers(40)
    onnx.save(model, tmp_path / "model.onnx", save_as_external_data=external, location="weights.bin", size_threshold=0)
    x = np.random.default_rng(8).standard_normal((5, 48)).astype(np.float32)
    for level in ("kernels", "tiles", "loops"):
        assert run("tenon-compile", tmp_path / "model.onnx", f"--emit={level}", "--quiet", "-o", tmp_path / "level.mlir").returncode == 0
        assert "#tenon.blob" in (tmp_path / "level.mlir").read_text()
        result = run("tenon-compile", tmp_path / "level.mlir", "-o", tmp_path / "model.so")
        assert result.returncode == 0, result.stderr
        compiled = tenon.load(tmp_path / "model.so")
        np.testing.assert_allclose(compiled.run({"x": x})["y"], np.maximum(x @ w, 0) @ w.T, rtol=1e-4, atol=1e-4)


def test_warm_cache_of_a_model(tmp_path):
    """Kernels from the cache bind the constants of another model."""
    for seed in (1, 2):
        model, w = dense_layers(64)
        w = w * np.float32(seed)
        model.graph.initializer[0].CopyFrom(numpy_helper.from_array(w, "w"))
        compiled, _ = compile_model(model, tmp_path, f"--cache={tmp_path / 'cache'}")
        x = np.random.default_rng(8).standard_normal((4, 48)).astype(np.float32)
        np.testing.assert_allclose(compiled.run({"x": x})["y"], np.maximum(x @ w, 0) @ w.T, rtol=1e-4, atol=1e-3)


def test_a_person_edits_a_form(tmp_path):
    """Programs and forms that were written out are compiled as they are."""
    model, w = dense_layers(64)
    onnx.save(model, tmp_path / "model.onnx")
    assert run("tenon-compile", tmp_path / "model.onnx", "--emit=tiles", "--quiet", "-o", tmp_path / "tiles.mlir").returncode == 0
    text = (tmp_path / "tiles.mlir").read_text()
    # The weights of the first product, and of no other, are doubled.
    form = re.search(r"tenon_tile\.form @panels\((%\w+): (tensor<48x64xf32>)[^{]*\{\n", text)
    doubled = text[:form.end()] + f"    %doubled = tenon.add {form[1]}, {form[1]} : {form[2]}\n" + \
        text[form.end():].replace(f"reshape {form[1]} ", "reshape %doubled ", 1)
    (tmp_path / "tiles.mlir").write_text(doubled)
    result = run("tenon-compile", tmp_path / "tiles.mlir", "-o", tmp_path / "model.so")
    assert result.returncode == 0, result.stderr
    x = np.random.default_rng(8).standard_normal((5, 48)).astype(np.float32)
    np.testing.assert_allclose(tenon.load(tmp_path / "model.so").run({"x": x})["y"], np.maximum(x @ (2 * w), 0) @ w.T, rtol=1e-4,
                               atol=1e-3)


def random_movement(seed):
    """A chain of ops that move elements, and what it gives."""
    rng = np.random.default_rng(seed)
    value = rng.standard_normal(tuple(rng.integers(1, 7, rng.integers(1, 4)))).astype(np.float32)
    constant, name, lines = value, "%a", ["  %zero = tenon.constant dense<0.5> : tensor<f32>"]

    def emit(text, result):
        nonlocal value, name
        new = f"%v{len(lines)}"
        lines.append(f"  {new} = {text.replace('$', name)} -> {typed(result)}")
        value, name = result, new

    for _ in range(rng.integers(1, 6)):
        kind, shape = rng.integers(4), value.shape
        if kind == 0:
            order = [int(dim) for dim in rng.permutation(len(shape))]
            emit(f"transpose $ {order} : {typed(value)}", value.transpose(order).copy())
        elif kind == 1:
            low, high = ([int(n) for n in rng.integers(0, 3, len(shape))] for _ in range(2))
            emit(f"pad constant $, %zero low {low} high {high} : {typed(value)}, tensor<f32>",
                 np.pad(value, list(zip(low, high)), constant_values=0.5))
        elif kind == 2:
            sizes = [int(rng.integers(1, size + 1)) for size in shape]
            strides = [int(rng.integers(1, (size - 1) // (n - 1) + 1)) * int(rng.choice([-1, 1])) if n > 1 else 1
                       for size, n in zip(shape, sizes)]
            offsets = [int(rng.integers(0, size - abs(s) * (n - 1))) + (abs(s) * (n - 1) if s < 0 else 0)
                       for size, n, s in zip(shape, sizes, strides)]
            places = np.ix_(*[o + s * np.arange(n) for o, s, n in zip(offsets, strides, sizes)])
            emit(f"slice $ offsets {offsets} sizes {sizes} strides {strides} : {typed(value)}", value[places].copy())
        else:
            factors = [factor for size in shape for factor in ([2, size // 2] if size % 2 == 0 else [size])]
            if len(factors) > 1 and rng.integers(2):
                at = int(rng.integers(len(factors) - 1))
                factors[at:at + 2] = [factors[at] * factors[at + 1]]
            emit(f"reshape $ sizes {factors} : {typed(value)}", value.reshape(factors))
    lanes = value.shape[-1]
    lines.append(f"  %r = reshape {name} sizes [{value.size // lanes}, {lanes}] : {typed(value)} -> {typed(value.reshape(-1, lanes))}")
    return constant, ("\n".join(lines), value.reshape(-1, lanes))


@pytest.mark.parametrize("seed", range(40))
def test_random_movement(seed, tmp_path):
    constant, form = random_movement(seed)
    model, stored = compile_text(copying([constant], [form]), tmp_path)
    np.testing.assert_array_equal(model.run({})["y0"], form[1])
    assert stored == form[1].nbytes

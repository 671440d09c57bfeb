"""Weights that are stored in fewer bits than they are multiplied in: their kernels read what is stored, and artifacts
have no more than the model. Against numbers of 64 bits; MatMulNBits against ONNX Runtime's arithmetic in f32, too."""

import numpy as np
import onnx
import onnxruntime
import pytest
import tenon
from onnx import TensorProto as T
from onnx import helper, numpy_helper


def model_of(nodes, x, columns, constants, rows=None, opset=21):
    element = helper.np_dtype_to_tensor_dtype(x.dtype)
    graph = helper.make_graph(
        nodes, "packed", [helper.make_tensor_value_info("x", element, [rows or "rows", x.shape[1]])],
        [helper.make_tensor_value_info("y", element, [rows or "rows", columns])],
        [value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(value, name)
         for name, value in constants.items()])
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def packed(numbers, bits):
    """Numbers in the bytes of the last dimension, the first in the lowest bits."""
    per_byte = 8 // bits
    missing = -numbers.shape[-1] % per_byte
    numbers = np.pad(numbers, [(0, 0)] * (numbers.ndim - 1) + [(0, missing)])
    parts = numbers.reshape(*numbers.shape[:-1], -1, per_byte).astype(np.uint8) << (bits * np.arange(per_byte, dtype=np.uint8))
    return np.bitwise_or.reduce(parts, axis=-1).astype(np.uint8)


class Blocks:
    """A matrix of weights with a scale, and perhaps a zero point, per block of each row."""

    def __init__(self, depth, columns, block, bits, zeros, type=np.float32, seed=0):
        random = np.random.default_rng(seed)
        self.depth, self.columns, self.block, self.bits = depth, columns, block, bits
        blocks = -(-depth // block)
        self.numbers = random.integers(0, 1 << bits, (columns, blocks, block))
        self.scales = ((random.random((columns, blocks)) + 0.5) / (1 << bits)).astype(type)
        middle = 1 << (bits - 1)
        self.zeros = {"none": np.full((columns, blocks), middle), "same": np.full((columns, blocks), middle - 1),
                      "block": random.integers(0, 1 << bits, (columns, blocks))}[zeros]
        self.constants = {"w": packed(self.numbers, bits), "s": self.scales.reshape(-1)}
        if zeros != "none":
            self.constants["z"] = packed(self.zeros, bits).reshape(-1)

    def matrix(self):
        wide = (self.numbers - self.zeros[..., None]) * self.scales[..., None].astype(np.float64)
        return wide.reshape(self.columns, -1)[:, :self.depth].T

    def model(self, x, rows=None):
        node = helper.make_node("MatMulNBits", ["x", *self.constants], ["y"], domain="com.microsoft", K=self.depth,
                                N=self.columns, bits=self.bits, block_size=self.block)
        return model_of([node], x, self.columns, self.constants, rows)


def error_of(y, wanted):
    return np.abs(np.asarray(y, np.float64) - wanted).max() / np.abs(wanted).max()


def output_of(model, x, **options):
    return tenon.compile(model.SerializeToString(), **options).run({"x": x})["y"]


CODE = 96 * 1024  # at most, and what stands around it


def artifact_bytes(model, directory):
    with tenon.compile(model.SerializeToString()) as compiled:
        compiled.save(directory / "model.so")
    return (directory / "model.so").stat().st_size


SHAPES = [  # depth, columns, block, bits, zero points
    (64, 64, 32, 4, "block"), (1024, 40, 32, 4, "none"), (300, 130, 16, 4, "same"), (1600, 100, 64, 4, "block"),
    (100, 5, 128, 4, "block"), (48, 256, 2048, 4, "block"), (1024, 16, 64, 8, "none"), (300, 130, 16, 8, "block"),
    (128, 64, 256, 8, "none"), (100, 100, 32, 2, "block"), (16, 1, 16, 4, "none")]


@pytest.mark.parametrize("rows", [None, 1, 3, 17])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(map(str, shape)))
def test_blocks_with_scales(shape, rows):
    weights = Blocks(*shape, seed=sum(shape[:4]))
    random = np.random.default_rng(1)
    for count in [rows] if rows else [1, 2, 4, 5, 128]:
        x = random.standard_normal((count, weights.depth)).astype(np.float32)
        model = weights.model(x, rows)
        compiled = tenon.compile(model.SerializeToString()) if count in (1, rows) else compiled
        wanted = x.astype(np.float64) @ weights.matrix()
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        theirs = error_of(session.run(None, {"x": x})[0], wanted)
        assert error_of(compiled.run({"x": x})["y"], wanted) < max(2 * theirs, 2e-6)


@pytest.mark.parametrize("options", [{"accuracy": "strict"}, {"target": "avx2"}], ids=str)
def test_blocks_by_other_options(options):
    weights = Blocks(300, 130, 32, 4, "block")
    for count in (1, 2, 17):
        x = np.random.default_rng(1).standard_normal((count, 300)).astype(np.float32)
        assert error_of(output_of(weights.model(x), x, **options), x.astype(np.float64) @ weights.matrix()) < 2e-6


@pytest.mark.parametrize("type", [np.float16])
def test_blocks_with_narrow_scales(type):
    weights = Blocks(256, 96, 32, 4, "block", type)
    for count in (1, 5):
        x = np.random.default_rng(1).standard_normal((count, 256)).astype(type)
        assert error_of(output_of(weights.model(x), x), x.astype(np.float64) @ weights.matrix()) < 2e-3


def test_artifacts_have_what_the_model_has(tmp_path):
    weights = Blocks(1024, 1024, 32, 4, "block")
    model = weights.model(np.zeros((1, 1024), np.float32))
    assert artifact_bytes(model, tmp_path) < 1.05 * model.ByteSize() + CODE


DEPTH, COLUMNS = 512, 384


def widened(kind):
    """Nodes that make f32 of a constant, the constants, and the numbers."""
    random = np.random.default_rng(2)
    def integers(low, high, *shape):
        return random.integers(low, high, shape)
    scale = (random.random((1, COLUMNS)).astype(np.float32) + 0.5) / 100
    if kind in ("f16", "f16 scaled"):
        w = (0.05 * random.standard_normal((DEPTH, COLUMNS))).astype(np.float16)
        cast = helper.make_node("Cast", ["w"], ["f"], to=T.FLOAT)
        if kind == "f16":
            return [cast], {"w": w}, w, "f"
        return [cast, helper.make_node("Mul", ["f", "s"], ["v"])], {"w": w, "s": scale}, w * scale.astype(float), "v"
    if kind == "i8 per row":
        w, rows = integers(-127, 128, DEPTH, COLUMNS).astype(np.int8), scale.T[:1] * np.ones((DEPTH, 1), np.float32)
        return ([helper.make_node("Cast", ["w"], ["f"], to=T.FLOAT), helper.make_node("Mul", ["f", "s"], ["v"])],
                {"w": w, "s": rows}, w * rows.astype(float), "v")
    if kind == "u8 per column":
        w, zeros = integers(0, 256, DEPTH, COLUMNS).astype(np.uint8), integers(100, 150, COLUMNS).astype(np.uint8)
        node = helper.make_node("DequantizeLinear", ["w", "s", "z"], ["v"], axis=1)
        return [node], {"w": w, "s": scale[0], "z": zeros}, (w - zeros.astype(float)) * scale, "v"
    if kind == "i8 for all":
        w = integers(-127, 128, DEPTH, COLUMNS).astype(np.int8)
        node = helper.make_node("DequantizeLinear", ["w", "s"], ["v"])
        return [node], {"w": w, "s": np.float32(0.02)}, w * 0.02, "v"
    # DequantizeLinear in blocks of 4 bits, along the rows that are summed.
    signed = kind == "i4 in blocks"
    w = integers(-8, 8, DEPTH, COLUMNS) if signed else integers(0, 16, DEPTH, COLUMNS)
    scales = (random.random((DEPTH // 64, COLUMNS)).astype(np.float32) + 0.5) / 100
    stored = helper.make_tensor("w", T.INT4 if signed else T.UINT4, w.shape, packed(w.reshape(-1) & 15, 4).tobytes(),
                                raw=True)
    node = helper.make_node("DequantizeLinear", ["w", "s"], ["v"], axis=0, block_size=64)
    return [node], {"w": stored, "s": scales}, w * np.repeat(scales, 64, 0).astype(float), "v"


@pytest.mark.parametrize("kind", ["f16", "f16 scaled", "i8 per row", "i8 for all", "u8 per column", "i4 in blocks",
                                  "u4 in blocks"])
def test_weights_that_graphs_widen(kind, tmp_path):
    nodes, constants, matrix, name = widened(kind)
    nodes = [*nodes, helper.make_node("MatMul", ["x", name], ["y"])]
    for count in (1, 2, 5, 40):
        x = np.random.default_rng(3).standard_normal((count, DEPTH)).astype(np.float32)
        model = model_of(nodes, x, COLUMNS, constants)
        assert error_of(output_of(model, x), x.astype(np.float64) @ matrix.astype(np.float64)) < 3e-6
    assert artifact_bytes(model, tmp_path) < 1.05 * model.ByteSize() + CODE


def test_transposed_weights():
    w = np.random.default_rng(2).integers(-127, 128, (96, 200)).astype(np.int8)
    nodes = [helper.make_node("Cast", ["w"], ["v"], to=T.FLOAT), helper.make_node("Gemm", ["x", "v"], ["y"], transB=1)]
    for count in (1, 3, 20):
        x = np.random.default_rng(3).standard_normal((count, 200)).astype(np.float32)
        assert error_of(output_of(model_of(nodes, x, 96, {"w": w}), x), x.astype(np.float64) @ w.T) < 3e-6


@pytest.mark.parametrize("rows", [None, 1, 2])
def test_infinities_stay(rows):
    """A block's sum of numbers isn't that of elements where a row isn't finite."""
    weights = Blocks(100, 40, 32, 4, "block")
    x = np.random.default_rng(1).standard_normal((4, 100)).astype(np.float32)
    x[1, 5], x[2, 97], x[3, 40] = np.inf, -np.inf, np.nan
    compiled = tenon.compile(weights.model(x, rows).SerializeToString())
    matrix = weights.matrix()
    for first in range(0, 5 - (rows or 1)):
        given = x[first:first + (rows or 1)]
        with np.errstate(invalid="ignore"):
            wanted = given.astype(np.float64) @ matrix
        np.testing.assert_allclose(compiled.run({"x": given})["y"], wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("element, zero", [(np.int16, 30000), (np.uint16, 32768), (np.uint8, 253), (np.int8, -120)])
def test_zero_points_at_the_end_of_a_range(element, zero):
    """What is left of numbers that are near it: a sum of numbers would be thousands of times as much."""
    rng = np.random.default_rng(4)
    w = np.clip(zero + rng.integers(-3, 4, (DEPTH, COLUMNS)), np.iinfo(element).min, np.iinfo(element).max).astype(element)
    constants = {"w": w, "s": np.float32(0.01), "z": element(zero)}
    nodes = [helper.make_node("DequantizeLinear", ["w", "s", "z"], ["v"]), helper.make_node("MatMul", ["x", "v"], ["y"])]
    matrix = (w.astype(np.float64) - zero) * np.float64(np.float32(0.01))
    for count in (1, 2, 40):
        x = rng.standard_normal((count, DEPTH)).astype(np.float32)
        exact, scale = x.astype(np.float64) @ matrix, np.abs(x.astype(np.float64)) @ np.abs(matrix)
        assert (np.abs(output_of(model_of(nodes, x, COLUMNS, constants), x) - exact) / scale).max() < 1e-6


@pytest.mark.parametrize("factor", [2.0**-110, 2.0**122])
def test_rows_near_the_limits(factor):
    """Products with numbers are larger than those with elements, and those at high places of a word smaller."""
    weights = Blocks(128, 40, 32, 4, "block")
    x = np.random.default_rng(1).uniform(1, 2, (2, 128)).astype(np.float32) * np.float32(factor)
    wanted = x.astype(np.float64) @ weights.matrix()
    actual = tenon.compile(weights.model(x, 2).SerializeToString()).run({"x": x})["y"]
    held = np.abs(wanted) < 3e38
    np.testing.assert_allclose(actual[held], wanted[held], rtol=0, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("rows", [None, 1, 2, 4])
@pytest.mark.parametrize("kind", ["f16 scaled", "i8 per row", "i8 for all", "bf16 scaled"])
def test_numbers_without_offsets_near_the_limits(kind, rows):
    """Products with numbers pass the largest f32 though those with scaled ones don't, and lose what is below the least."""
    random = np.random.default_rng(6)
    if kind == "bf16 scaled":
        # Its numbers are at the limits themselves.
        high = (random.uniform(1, 2, (DEPTH, COLUMNS)).astype(np.float32) * np.float32(2.0**120)).view(np.uint32) >> 16
        stored = helper.make_tensor("w", T.BFLOAT16, high.shape, high.astype(np.uint16).tobytes(), raw=True)
        nodes = [helper.make_node("Cast", ["w"], ["f"], to=T.FLOAT), helper.make_node("Mul", ["f", "s"], ["v"])]
        constants, name = {"w": stored, "s": np.full((1, COLUMNS), 2.0**-122, np.float32)}, "v"
        matrix, cases = (high << 16).view(np.float32) * 2.0**-122, [(2.0**10, 1.0)]
    else:
        nodes, constants, matrix, name = widened(kind)
        constants["s"], matrix = constants["s"] * np.float32(2.0**-8), matrix * 2.0**-8
        cases = [(2.0**122, 1.0), (2.0**-110, 2.0**60)]
        if kind == "f16 scaled":
            constants["w"], matrix = constants["w"] * np.float16(2**10), matrix * 2.0**10
    nodes = [*nodes, helper.make_node("MatMul", ["x", name], ["y"])]
    for factor, more in cases:
        model = model_of(nodes, np.zeros((1, DEPTH), np.float32), COLUMNS,
                         constants | {"s": constants["s"] * np.float32(more)}, rows)
        compiled = tenon.compile(model.SerializeToString())
        for count in [rows] if rows else (1, 2, 3):
            x = random.uniform(-1, 1, (count, DEPTH)).astype(np.float32) * np.float32(factor)
            wanted = x.astype(np.float64) @ (matrix.astype(np.float64) * more)
            assert np.abs(wanted).max() < 3e38
            assert error_of(compiled.run({"x": x})["y"], wanted) < 3e-6


def test_words_of_matrices_in_pieces():
    """A matrix whose words are made some panels at a time, the last one of which isn't full."""
    weights = Blocks(512, 1050, 32, 4, "block")
    x = np.random.default_rng(1).standard_normal((3, 512)).astype(np.float32)
    assert error_of(output_of(weights.model(x), x), x.astype(np.float64) @ weights.matrix()) < 3e-6


@pytest.mark.parametrize("kind", ["scaled", "dequantised"])
def test_rows_of_tables(kind):
    """Rows of an embedding are read before they are widened, with the model's own arithmetic."""
    rng = np.random.default_rng(5)
    q, s = rng.integers(-128, 128, (50, 24)).astype(np.int8), (rng.random((50, 1)) + 0.5).astype(np.float32)
    z = rng.integers(-5, 6, 50).astype(np.int8)
    if kind == "scaled":
        nodes, constants = [helper.make_node("Cast", ["q"], ["f"], to=T.FLOAT), helper.make_node("Mul", ["f", "s"], ["t"])], {"q": q, "s": s}
        table = q.astype(np.float32) * s
    else:
        nodes, constants = [helper.make_node("DequantizeLinear", ["q", "s", "z"], ["t"], axis=0)], {"q": q, "s": s[:, 0], "z": z}
        table = (q.astype(np.float32) - z[:, None]) * s
    graph = helper.make_graph([*nodes, helper.make_node("Gather", ["t", "i"], ["y"])], "rows",
                              [helper.make_tensor_value_info("i", T.INT64, ["batch", "rows"])],
                              [helper.make_tensor_value_info("y", T.FLOAT, ["batch", "rows", 24])],
                              [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = tenon.compile(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                                            ir_version=10).SerializeToString())
    for shape in ((2, 3), (1, 1), (7, 40), (0, 4)):
        i = rng.integers(-50, 50, shape)
        np.testing.assert_array_equal(model.run({"i": i})["y"], table[i])
    with pytest.raises(tenon.RunError, match="50"):
        model.run({"i": np.array([[3, 50]])})

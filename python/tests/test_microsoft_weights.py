"""ONNX Runtime's operators on packed weights, against ONNX Runtime, or numpy where it has no kernel for CPUs."""

import ml_dtypes
import numpy as np
import pytest
import tenon
from forms import Forms
from microsoft import array, compare, floats, model_of, node
from onnx import TensorProto as T
from onnx import helper

F16 = T.FLOAT16


def bits_of(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def numbers_of(packed, bits):
    """Numbers of few bits out of the bytes of the last dimension, the lowest bits first."""
    parts = [(packed >> shift) & ((1 << bits) - 1) for shift in range(0, 8, bits)]
    return np.stack(parts, -1).reshape(*packed.shape[:-1], -1)


@pytest.mark.parametrize("type", [np.float16, ml_dtypes.bfloat16], ids=["f16", "bf16"])
def test_matmul_nbits_in_narrow_floating_point(type):
    forms = Forms()
    rows, n, k = floats((3, 64)).astype(type), 12, 64
    packed, scales = bits_of((n, 2, 16)), (floats((n, 2), 1) * 0.02).astype(type)
    zeros, bias = bits_of((n, 1), 2), floats((n,), 3).astype(type)
    given = np.full((n, 2), 7.5, type)
    x, w, s = forms.input(rows, ("n", k)), forms.constant(packed), forms.constant(scales)
    attributes = dict(K=k, N=n, bits=4, block_size=32)
    forms.add("packed", "MatMulNBits", [x, w, s, forms.constant(zeros), "", forms.constant(bias)], **attributes)
    forms.add("given", "MatMulNBits", [x, w, s, forms.constant(given)], **attributes)
    forms.add("middle", "MatMulNBits", [x, w, s], **attributes)
    wide = numbers_of(packed, 4).astype(np.float64)

    def product(zero_points):
        weights = ((wide - zero_points[..., None]) * scales.astype(np.float64)[..., None]).astype(type)
        return rows.astype(np.float64) @ weights.reshape(n, k).astype(np.float64).T
    wanted = {"packed": product(numbers_of(zeros, 4).astype(float)) + bias.astype(float),
              "given": product(given.astype(float)), "middle": product(np.full((n, 2), 8.0))}
    forms.check({name: value.astype(type) for name, value in wanted.items()},
                tolerance=4e-3 if type == np.float16 else 3e-2)


@pytest.mark.parametrize("bits", [4, 2, 8])
def test_matmul_nbits_with_groups(bits):
    """Columns in an order of their own, as quantisers that sort by importance write them."""
    forms = Forms()
    n, k, block = 10, 72, 32
    blocks = -(-k // block)
    packed, scales = bits_of((n, blocks, block * bits // 8)), floats((n, blocks), 1) * 0.1
    zeros = bits_of((n, -(-blocks * bits // 8)), 2)
    groups = np.random.default_rng(3).integers(0, blocks, k).astype(np.int32)
    rows = floats((3, k))
    x, w, s, g = (forms.input(rows, ("n", k)), *(forms.constant(v) for v in (packed, scales, groups)))
    attributes = dict(K=k, N=n, bits=bits, block_size=block)
    forms.add("zeros", "MatMulNBits", [x, w, s, forms.constant(zeros), g], **attributes)
    forms.add("middle", "MatMulNBits", [x, w, s, "", g], **attributes)
    numbers = numbers_of(packed, bits).reshape(n, -1)[:, :k].astype(np.float64)
    unpacked = numbers_of(zeros, bits)[:, :blocks].astype(np.float64)
    wanted = {"zeros": rows @ ((numbers - unpacked[:, groups]) * scales[:, groups]).T,
              "middle": rows @ ((numbers - (1 << bits - 1)) * scales[:, groups]).T}
    forms.check({name: value.astype(np.float32) for name, value in wanted.items()}, tolerance=1e-3)


def test_matmul_nbits_without_weights():
    forms = Forms()
    x, none = forms.input(floats((3, 2, 64)), ("n", 2, 64)), forms.constant(np.zeros((0, 2, 16), np.uint8))
    scales = forms.constant(np.zeros((0, 2), np.float32))
    forms.add("zero", "MatMulNBits", [x, none, scales], K=64, N=5, bits=4, block_size=32)
    forms.add("bias", "MatMulNBits", [x, none, scales, "", "", forms.constant(floats((5,)))], K=64, N=5, bits=4, block_size=32)
    forms.check()


@pytest.mark.parametrize("kind", [0, 1], ids=["fp4", "nf4"])
def test_matmul_bnb4(kind):
    forms, wanted = Forms(), {}
    for n, k in [(20, 48), (7, 13)]:  # blocks run on over the ends of rows
        packed, scales = bits_of((-(-n * k // 2),)), floats((-(-n * k // 32),), 1) ** 2
        operands = [forms.constant(packed), forms.constant(scales)]
        attributes = dict(K=k, N=n, block_size=32, quant_type=kind)
        forms.add(f"y{n}", "MatMulBnb4", [forms.input(floats((2, 5, k)), ("n", 5, k)), *operands], **attributes)
        forms.add(f"weights{n}", "MatMulBnb4", [forms.input(np.eye(k, dtype=np.float32)), *operands], **attributes)
    wanted = forms.expected()
    for n, k in [(20, 48), (7, 13)]:  # ONNX Runtime takes the weights as they were turned here too
        rows = floats((2, 5, n))
        operands = [forms.input(rows, ("n", 5, n)), *next(node.input[1:] for node in forms.nodes if node.name == f"y{n}")]
        forms.add(f"turned{n}", "MatMulBnb4", operands, K=k, N=n, block_size=32, quant_type=kind, transB=0)
        wanted[f"turned{n}"] = rows @ wanted[f"weights{n}"].T
    forms.check(wanted, tolerance=1e-4)


INDICES = np.array([[0, 5, -1], [11, -12, 3]])


@pytest.mark.parametrize("scale_type", [np.float32, np.float16], ids=["f32", "f16"])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_gather_of_bytes(bits, scale_type):
    forms = Forms()
    for name, shape in {"matrix": (12, 72), "cube": (12, 3, 40)}.items():
        blocks = -(-shape[-1] // 16)
        data = forms.constant(bits_of((*shape[:-1], shape[-1] * bits // 8)))
        scales = forms.constant((floats((*shape[:-1], blocks), 1) * 0.1).astype(scale_type))
        zeros = forms.constant(bits_of((*shape[:-1], -(-blocks * bits // 8)), 2))
        for type in (np.int32, np.int64):
            i = forms.input(INDICES.astype(type), ("n", 3))
            attributes = dict(bits=bits, block_size=16, gather_axis=0, quantize_axis=len(shape) - 1)
            forms.add(f"{name}_{type.__name__}", "GatherBlockQuantized", [data, i, scales], **attributes)
            forms.add(f"{name}_{type.__name__}_zeros", "GatherBlockQuantized", [data, i, scales, zeros], **attributes)
    forms.add("one", "GatherBlockQuantized", [data, forms.input(np.array(3)), scales], bits=bits, block_size=16,
              quantize_axis=-1)
    forms.add("outside", "GatherBlockQuantized", [data, forms.input(np.array([12, -13, 2])), scales], bits=bits,
              block_size=16, quantize_axis=-1)
    forms.check()


@pytest.mark.parametrize("type", [T.INT4, T.UINT4], ids=["i4", "u4"])
def test_gather_of_4_bits(type):
    forms = Forms()
    random, low = np.random.default_rng(0), -8 if type == T.INT4 else 0
    for gathered, quantized in [(0, 1), (1, 0), (0, 2), (2, 0), (1, 1), (2, 2)]:
        shape = [12, 18, 20]
        data = forms.constant(random.integers(low, low + 16, shape), type)
        shape[quantized] = -(-shape[quantized] // 16)
        scales = forms.constant(floats(shape, 1) * 0.1)
        zeros = forms.constant(random.integers(low, low + 16, shape), type)
        i = forms.input(INDICES, ("n", 3))
        attributes = dict(block_size=16, gather_axis=gathered, quantize_axis=quantized)
        forms.add(f"y{gathered}{quantized}", "GatherBlockQuantized", [data, i, scales], **attributes)
        forms.add(f"zeros{gathered}{quantized}", "GatherBlockQuantized", [data, i, scales, zeros], **attributes)
    forms.check()


@pytest.mark.parametrize("type", [T.FLOAT8E4M3FN, T.FLOAT8E5M2], ids=["e4m3", "e5m2"])
def test_gather_of_floating_point(type):
    forms = Forms(opset=23)
    data = forms.constant(floats((12, 40)) * 2, type)
    for name, shape, block in [("blocks", (12, 3), 16), ("row", (12, 1), 0), ("all", (1, 1), 0), ("columns", (1, 3), 16)]:
        scales = forms.constant(floats(shape, 1))
        forms.add(name, "GatherBlockQuantized", [data, forms.input(INDICES, ("n", 3)), scales], block_size=block)
    forms.check()


@pytest.mark.parametrize("op,operands,attributes,message", [
    ("MatMulNBits", [floats((2, 32)), bits_of((3, 2, 8)), floats((6,)), None, np.zeros(3, np.int32)],
     dict(N=3, K=32, block_size=16), "expects the group of each of the 32 columns"),
    ("MatMulNBits", [floats((2, 32)), bits_of((3, 2, 8)), floats((6,))], dict(N=3, K=32, block_size=16, weight_prepacked=1),
     "CUDA kernels"),
    ("MatMulNBits", [floats((2, 32)), bits_of((3, 2, 8)), floats((6,))], dict(N=3, K=2**62, block_size=16), "at most 2^31"),
    ("MatMulBnb4", [floats((2, 32)), bits_of((48,)), floats((6,))], dict(N=3, K=32, block_size=16, quant_type=2), "NF4"),
    ("MatMulBnb4", [floats((2, 32)), bits_of((47,)), floats((6,))], dict(N=3, K=32, block_size=16, quant_type=1),
     "expects weights of"),
    ("MatMulBnb4", [floats((2, 32)), bits_of((48,)), floats((5,))], dict(N=3, K=32, block_size=16, quant_type=1),
     "expects 6 scales"),
    ("GatherBlockQuantized", [bits_of((4, 8)), np.array([1]), floats((4, 1))], dict(block_size=8), "power of 2"),
    ("GatherBlockQuantized", [bits_of((4, 8)), np.array([1]), floats((4, 1))], dict(block_size=16, bits=3), "2, 4 or 8 bits"),
    ("GatherBlockQuantized", [bits_of((4, 8)), np.array([1]), floats((4, 1))], dict(gather_axis=1), "along the first axis"),
    ("GatherBlockQuantized", [bits_of((4, 8)), np.array([1]), floats((4, 2))], dict(block_size=16), "expects 1 scales"),
    ("GatherBlockQuantized", [bits_of((4, 8)), np.array([1]), floats((4,))], dict(block_size=16), "scales of rank 2"),
])
def test_errors_name_the_node(op, operands, attributes, message):
    forms = Forms()
    names = ["" if value is None else forms.constant(value) for value in operands]
    forms.add("broken", op, names, **attributes)
    with pytest.raises(tenon.CompileError) as error:
        tenon.compile(forms.model())
    assert message in str(error.value) and "broken" in str(error.value) and op in str(error.value)


def blocked(forms, n, k, bits, block, seed):
    """Operands of weights with a scale per block, and what they stand for."""
    blocks = -(-k // block)
    packed, scales = bits_of((n, blocks, block * bits // 8), seed), np.abs(floats((n, blocks), seed)) * 0.05
    numbers = (numbers_of(packed, bits).astype(np.float64) - (1 << bits - 1)) * scales[..., None]
    return [forms.constant(packed), forms.constant(scales)], numbers.reshape(n, -1)[:, :k]


def rms(x, scale, epsilon):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * scale


@pytest.mark.parametrize("form", ["plain", "normalised", "skip"])
def test_matmul_nbits_that_share_an_operand(form):
    """By their documentation; WebGPU alone has them."""
    forms = Forms()
    n, k, attributes = 12, 64, dict(K=64, bits=4, block_size=32)
    rows, skip, scale, bias = floats((3, k)), floats((3, k), 1), floats((k,), 2), floats((n,), 3)
    x = forms.input(rows, ("n", k))
    before = [x, forms.input(skip, ("n", k)) if form == "skip" else "", forms.constant(scale) if form != "plain" else ""]
    total = rows + skip if form == "skip" else rows
    (gate, g), (up, u) = (blocked(forms, n, k, 4, 32, seed) for seed in (4, 5))
    b = forms.constant(bias)
    forms.add("mlp", "MatMulNBitsMlp", [*before, *gate, b, *up], N=n, activation="silu", epsilon=1e-3, **attributes)
    inner = total if form == "plain" else rms(total, scale, 1e-3)
    z = inner @ g.T + bias
    wanted = {"mlp": z / (1 + np.exp(-z)) * (inner @ u.T)}
    if form != "plain":
        forms.add("q", "MatMulNBitsQkv", [*before, *gate, b, *up, "", *up, b], Nq=n, Nkv=n, epsilon=1e-3, **attributes)
        wanted["q"] = z
    forms.check({name: value.astype(np.float32) for name, value in wanted.items()}, tolerance=1e-3)


def test_matmul_nbits_with_an_adapter():
    """By its documentation."""
    forms = Forms()
    n, k, rank, rows = 12, 64, 5, floats((3, 64))
    (base, w), (down, a), (up, b) = (blocked(forms, *sizes) for sizes in ((n, k, 4, 32, 1), (rank, k, 8, 32, 2), (n, rank, 8, 32, 3)))
    forms.add("y", "MatMulNBitsQLoRA", [forms.input(rows, ("n", k)), *base, *down, *up], K=k, N=n)
    forms.check({"y": (rows @ w.T + rows @ a.T @ b.T).astype(np.float32)}, tolerance=1e-3)


@pytest.mark.parametrize("narrow", [True, False], ids=["both", "weights"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "plain"])
def test_weights_of_float8(bias, narrow):
    """ONNX Runtime has it on devices only."""
    n, k, block = 6, 40, 16
    codes = np.random.default_rng(1).integers(0, 256, (n, k)).astype(np.uint8)
    codes[codes & 127 == 127] = 0  # no NaN
    weights = codes.view(ml_dtypes.float8_e4m3fn)
    scales = np.abs(floats((n, 3), 2)) * 0.01
    constants = [helper.make_tensor("w", T.FLOAT8E4M3FN, (n, k), codes.tobytes(), raw=True), array(scales, "s")]
    constants += [array(np.array(0.02, np.float32), "a")] if narrow else []
    constants += [array(floats((n,), 3).astype(np.float16), "b")] if bias else []
    names = ["x", "w", "s", "a" if narrow else "", "b" if bias else ""]
    layer = node("MatMulBlockQuantizedFp8Weight", names[: 5 if bias else 4 if narrow else 3], ["y"], block_size=block)
    model = model_of([layer], [("x", F16, ("m", 2, k))], [("y", F16, ("m", 2, n))], constants)
    x = floats((3, 2, k)).astype(np.float16)
    rows = x.astype(np.float32)
    if narrow:
        rows = (rows / np.float32(0.02)).clip(-448, 448).astype(ml_dtypes.float8_e4m3fn).astype(np.float32) * np.float32(0.02)
        rows = rows.astype(np.float16).astype(np.float32)
    full = (weights.astype(np.float32) * np.repeat(scales, block, 1)[:, :k]).astype(np.float16).astype(np.float32)
    wanted = rows @ full.T + (floats((n,), 3).astype(np.float16).astype(np.float32) if bias else 0)
    compare(model, [{"y": wanted.astype(np.float16)}], [{"x": x}], 5e-3)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "plain"])
def test_weights_of_float4(bias):
    """ONNX Runtime has it on devices only."""
    n, k, block = 6, 40, 16
    random = np.random.default_rng(1)
    packed, scales = random.integers(0, 256, (n, k // 2)).astype(np.uint8), random.integers(1, 90, (n, 3)).astype(np.uint8)
    values = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
    numbers = values[np.stack([packed & 15, packed >> 4], 2).reshape(n, k)]
    factors = scales.view(ml_dtypes.float8_e4m3fn).astype(np.float32) * np.float32(0.125)
    constants = [array(packed, "w"), array(scales, "s"), array(np.array(0.125, np.float32), "g")]
    constants += [array(floats((n,), 3).astype(np.float16), "b")] if bias else []
    layer = node("MatMulBlockQuantizedFp4Weight", ["x", "w", "s", "g"] + (["", "b"] if bias else []), ["y"], block_size=block)
    model = model_of([layer], [("x", F16, ("m", k))], [("y", F16, ("m", n))], constants)
    x = floats((3, k)).astype(np.float16)
    full = (numbers * np.repeat(factors, block, 1)[:, :k]).astype(np.float16).astype(np.float32)
    wanted = x.astype(np.float32) @ full.T + (floats((n,), 3).astype(np.float16).astype(np.float32) if bias else 0)
    compare(model, [{"y": wanted.astype(np.float16)}], [{"x": x}], 5e-3)


@pytest.mark.parametrize("op,operands,message", [
    ("MatMulBlockQuantizedFp8Weight", ["x", "f", "s"], "float8e4m3fn"), ("MatMulBlockQuantizedFp4Weight", ["x", "f", "f", "g"], "uint8"),
    ("MatMulBlockQuantizedFp4Weight", ["x", "u", "u", "g"], "a scale per block")])
def test_narrow_weights_that_make_no_sense(op, operands, message):
    constants = [array(floats((6, 20)), "f"), array(floats((6, 3)), "s"), array(np.array(1, np.float32), "g"), array(np.zeros((6, 20), np.uint8), "u")]
    model = model_of([node(op, operands, ["y"])], [("x", F16, ("m", 40))], [("y", F16, ("m", 6))],
                     [constant for constant in constants if constant.name in operands])
    with pytest.raises(tenon.CompileError, match=message):
        tenon.compile(model)

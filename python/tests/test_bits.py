"""Bits as other types (BitCast), types of two bits, and powers of two: compiled and interpreted against NumPy and the standard."""

import ml_dtypes
import numpy as np
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

T = TensorProto
NUMBERS = {"bool": T.BOOL, "int8": T.INT8, "uint8": T.UINT8, "float8_e4m3fn": T.FLOAT8E4M3FN, "float8_e8m0fnu": T.FLOAT8E8M0, "int16": T.INT16,
           "uint16": T.UINT16, "float16": T.FLOAT16, "bfloat16": T.BFLOAT16, "int32": T.INT32, "uint32": T.UINT32, "float32": T.FLOAT,
           "int64": T.INT64, "uint64": T.UINT64, "float64": T.DOUBLE, "int4": T.INT4, "uint4": T.UINT4, "float4_e2m1fn": T.FLOAT4E2M1,
           "int2": T.INT2, "uint2": T.UINT2}
PAIRS = [("float32", "int32"), ("uint32", "float32"), ("float64", "int64"), ("int64", "float64"), ("float16", "bfloat16"), ("bfloat16", "uint16"),
         ("int16", "float16"), ("float8_e4m3fn", "int8"), ("uint8", "float8_e8m0fnu"), ("int8", "uint8"), ("bool", "uint8"), ("uint8", "bool"),
         ("int32", "int32"), ("bool", "bool"), ("int4", "uint4"), ("int2", "uint2")]


def dtype_of(name):
    return np.dtype(getattr(ml_dtypes, name, None) or name)


def bits_of(array):
    return np.ascontiguousarray(array).view(np.uint8)


def check(model, feed, expected):
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        actual = run(feed)["y"]
        assert actual.dtype == expected.dtype and actual.shape == expected.shape
        np.testing.assert_array_equal(bits_of(actual), bits_of(expected))


@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (3, 37)])
@pytest.mark.parametrize("source, target", PAIRS)
def test_bitcast(source, target, shape):
    rng, bits = np.random.default_rng(1), {"bool": 1, "int4": 4, "uint4": 4, "float4_e2m1fn": 4, "int2": 2, "uint2": 2}
    width = dtype_of(source).itemsize
    raw = rng.integers(0, 256, (*shape, width)).astype(np.uint8) & ((1 << min(bits.get(source, 8), bits.get(target, 8))) - 1)

    def signed(raw, name):
        return (raw.astype(np.int8) << 8 - bits[name] >> 8 - bits[name]).view(np.uint8) if name in ("int4", "int2") else raw

    x = signed(raw, source).view(dtype_of(source)).reshape(shape)
    expected = signed(raw, target).view(dtype_of(target)).reshape(shape)
    sizes = [f"n{i}" for i in range(len(shape))]
    model = make_model([helper.make_node("BitCast", ["x"], ["y"], to=NUMBERS[target])], [("x", NUMBERS[source], sizes)], [("y", NUMBERS[target], None)], opset=26)
    model.ir_version = 13
    check(model, {"x": x}, expected)


def test_bits_of_a_result():
    """What is computed is rounded before its bits are looked at."""
    x = np.array([1, 2, 5, 7], np.float16)
    nodes = [helper.make_node("Reciprocal", ["x"], ["r"]), helper.make_node("BitCast", ["r"], ["y"], to=T.INT16)]
    model = make_model(nodes, [("x", T.FLOAT16, ["n"])], [("y", T.INT16, None)], opset=26)
    check(model, {"x": x}, (1 / x).view(np.int16))


def test_bitcast_of_another_width():
    model = make_model([helper.make_node("BitCast", ["x"], ["y"], to=T.INT64)], [("x", T.FLOAT, [2])], [("y", T.INT64, None)], opset=26)
    with pytest.raises(tenon.CompileError, match="width"):
        tenon.compile(model)


@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (7, 64), (0, 2), (2, 3, 101)])
@pytest.mark.parametrize("kind", ["int2", "uint2"])
def test_two_bits(kind, shape):
    """Read, rounded, moved, sent through: four elements to a byte."""
    low, rng, dtype = (-2 if kind == "int2" else 0), np.random.default_rng(3), dtype_of(kind)
    x, f = rng.integers(low, low + 4, shape).astype(dtype), (rng.standard_normal(shape) * 2).astype(np.float32)
    sizes = [f"n{i}" for i in range(len(shape))]
    nodes = [helper.make_node("Cast", ["x"], ["wide"], to=T.FLOAT), helper.make_node("QuantizeLinear", ["f", "scale", "zero"], ["rounded"]),
             helper.make_node("Transpose", ["x"], ["turned"]), helper.make_node("DequantizeLinear", ["rounded", "scale", "zero"], ["back"])]
    model = make_model(nodes, [("x", NUMBERS[kind], sizes), ("f", T.FLOAT, sizes)],
                       [("wide", T.FLOAT, None), ("rounded", NUMBERS[kind], None), ("turned", NUMBERS[kind], None), ("back", T.FLOAT, None)],
                       [numpy_helper.from_array(np.float32(0.5), "scale"), helper.make_tensor("zero", NUMBERS[kind], [], [1])], opset=25)
    model.ir_version = 13
    rounded = np.clip(np.rint(f / 0.5) + 1, low, low + 3)
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        results = run({"x": x, "f": f})
        np.testing.assert_array_equal(results["wide"], x.astype(np.float32))
        np.testing.assert_array_equal(results["rounded"].astype(np.float32), rounded)
        np.testing.assert_array_equal(results["turned"].astype(np.int8), x.astype(np.int8).T)
        np.testing.assert_array_equal(results["back"], (rounded - 1).astype(np.float32) * 0.5)


def exponents(x, mode, saturate):
    """By comparison with all powers: 2^-127 to 2^127, of which the least stands for all below, too."""
    powers = np.ldexp(1.0, np.arange(-127, 128))
    x = np.abs(x.astype(np.float64))
    above = np.searchsorted(powers, x, "left")
    below = np.maximum(np.searchsorted(powers, x, "right") - 1, 0)
    if mode == "nearest":
        far = powers[np.minimum(above, 254)]
        result = np.where((above > 254) & (x < 1.5 * powers[254]), 254, np.where(x - powers[below] < far - x, below, above))
    else:
        result = above if mode == "up" else below
    result = np.where(result > 254, 254 if saturate else 255, result)
    if not saturate:
        result = np.where(np.isinf(x), 255, result)
    return np.where(np.isnan(x), 255, result).astype(np.uint8)


@pytest.mark.parametrize("saturate", [0, 1])
@pytest.mark.parametrize("mode", ["up", "down", "nearest"])
def test_powers_of_two(mode, saturate):
    rng = np.random.default_rng(4)
    x = np.concatenate([np.ldexp(rng.random(500) + 0.5, rng.integers(-140, 128, 500)), np.ldexp(1.0, np.arange(-140, 128)),
                        np.ldexp(1.5, np.arange(-140, 127)), [0.0, np.inf, np.nan, 3e38, -2.5]]).astype(np.float32)
    node = helper.make_node("Cast", ["x"], ["y"], to=T.FLOAT8E8M0, round_mode=mode, saturate=saturate)
    model = make_model([node], [("x", T.FLOAT, ["n"])], [("y", T.FLOAT8E8M0, None)], opset=24)
    model.ir_version = 12
    expected = exponents(x, mode, saturate)
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        actual = run({"x": x})["y"].view(np.uint8)
        wrong = np.flatnonzero(actual != expected)
        assert not len(wrong), [(x[i], actual[i], expected[i]) for i in wrong[:5]]


@pytest.mark.parametrize("target", ["float32", "float16", "float64"])
def test_from_powers_of_two(target):
    x = np.arange(256, dtype=np.uint8).view(ml_dtypes.float8_e8m0fnu)
    model = make_model([helper.make_node("Cast", ["x"], ["y"], to=NUMBERS[target])], [("x", T.FLOAT8E8M0, [256])], [("y", NUMBERS[target], None)], opset=24)
    model.ir_version = 12
    with np.errstate(over="ignore"):
        expected = x.astype(np.float32).astype(target)
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        np.testing.assert_array_equal(run({"x": x})["y"], expected)

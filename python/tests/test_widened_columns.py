"""Products with arithmetic on constants that can't be taken apart by columns and blocks: against float64."""

import numpy as np
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

F, I32, U32 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.UINT32
random = np.random.default_rng(0)


def bytes_of(*shape):
    return random.integers(-128, 128, shape).astype(np.int8)


def run(nodes, constants, depth, outputs=("y",), **inputs):
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    for rows in (1, 4, 20):
        x = np.random.default_rng(rows).standard_normal((rows, depth)).astype(np.float32)
        model = make_model(nodes, [("x", F, ["n", depth]), *[(name, F, value.shape) for name, value in inputs.items()]], [(name, F, None) for name in outputs],
                           constants, opset=21)
        yield x.astype(np.float64), tenon.compile(model, threads=1).run({"x": x, **inputs})


node = helper.make_node
cast = lambda a, b, to=F: node("Cast", [a], [b], to=to)
product = node("MatMul", ["x", "b"], ["y"])


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_forms_of_equal_names():
    a, b, c = bytes_of(64, 40), bytes_of(64, 64), bytes_of(64, 64)
    nodes = [cast("w0", "f0"), node("MatMul", ["x", "f0"], ["y"]), cast("w1", "f1"), cast("w2", "f2"), node("Transpose", ["f2"], ["t"], perm=[1, 0]),
             node("Add", ["f1", "t"], ["s"]), node("MatMul", ["x", "s"], ["z"])]
    for x, results in run(nodes, {"w0": a, "w1": b, "w2": c}, 64, ("y", "z")):
        close(results["y"], x @ a)
        close(results["z"], x @ (b.astype(np.float64) + c.T))


def test_one_constant_in_two_forms():
    w, scale, u = bytes_of(64, 40), random.random(40).astype(np.float32), random.standard_normal((1, 40)).astype(np.float32)
    nodes = [node("DequantizeLinear", ["w", "s"], ["b"], axis=1), product, node("Gemm", ["u", "b"], ["z"], transB=1)]
    for x, results in run(nodes, {"w": w, "s": scale}, 64, ("y", "z"), u=u):
        close(results["y"], x @ (w * scale.astype(np.float64)))
        close(results["z"], u @ (w * scale.astype(np.float64)).T)


def test_blocks_along_columns():
    w, scale = bytes_of(64, 40), random.random((64, 10)).astype(np.float32)
    for x, results in run([node("DequantizeLinear", ["w", "s"], ["b"], axis=1, block_size=4), product], {"w": w, "s": scale}, 64):
        close(results["y"], x @ (w * np.repeat(scale, 4, 1).astype(np.float64)))


@pytest.mark.parametrize("case", ["quotients", "reciprocals", "truncated", "rounded", "unsigned", "wrapped", "truth"])
def test_arithmetic_that_is_not_linear(case):
    w = bytes_of(65, 40)
    if case == "quotients":
        scale = np.arange(1, 66, dtype=np.float32)[:, None]
        nodes, constants, wanted = [cast("w", "a"), node("Div", ["a", "s"], ["b"])], {"w": w, "s": scale}, w / scale.astype(np.float64)
    elif case == "reciprocals":
        w = np.abs(w // 2) + np.int8(1)
        nodes, constants, wanted = [cast("w", "a"), node("Reciprocal", ["a"], ["b"])], {"w": w}, 1 / w.astype(np.float64)
    elif case == "truncated":
        w = (4 * random.standard_normal((65, 40))).astype(np.float16)
        nodes, constants, wanted = [cast("w", "a", I32), cast("a", "b")], {"w": w}, np.trunc(w.astype(np.float64))
    elif case == "rounded":
        nodes = [cast("w", "a"), node("Mul", ["a", "k"], ["m"]), cast("m", "i", I32), cast("i", "b")]
        constants, wanted = {"w": w, "k": np.float32(0.3)}, np.trunc(w * np.float32(0.3)).astype(np.float64)
    elif case == "unsigned":
        nodes, constants, wanted = [cast("w", "a", U32), cast("a", "b")], {"w": w}, w.astype(np.int64).astype(np.uint32).astype(np.float64)
    elif case == "wrapped":
        zero = np.full(40, -2147483600, np.int32)
        nodes = [cast("w", "a", I32), node("Sub", ["a", "z"], ["m"]), cast("m", "b")]
        constants, wanted = {"w": w, "z": zero}, (w.astype(np.int32) - zero).astype(np.float64)
    else:
        w = random.integers(0, 2, (65, 40)).astype(bool)
        nodes, constants, wanted = [cast("w", "b")], {"w": w}, w.astype(np.float64)
    for x, results in run([*nodes, product], constants, 65):
        close(results["y"], x @ wanted)


def test_rows_of_a_slice_in_four_bits():
    w = random.integers(0, 16, (33, 40)).astype(np.uint8)
    packed = helper.make_tensor("w", TensorProto.UINT4, (33, 40), (w.reshape(-1)[::2] | w.reshape(-1)[1::2] << 4).tobytes(), raw=True)
    nodes = [node("DequantizeLinear", ["w", "s"], ["a"]), node("Slice", ["a", "lo", "hi", "ax"], ["b"]), product]
    constants = [packed, *[numpy_helper.from_array(np.asarray(v), k) for k, v in (("s", np.float32(0.5)), ("lo", [0]), ("hi", [20]), ("ax", [0]))]]
    x = random.standard_normal((1, 20)).astype(np.float32)
    model = make_model(nodes, [("x", F, ["n", 20])], [("y", F, None)], constants, opset=21)
    close(tenon.compile(model, threads=1).run({"x": x})["y"], x @ (w[:20] * 0.5))

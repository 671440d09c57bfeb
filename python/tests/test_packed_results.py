"""Results whose elements share bytes: what is moved and rounded, against the reference interpreter."""
import ml_dtypes
import numpy as np
import pytest
import tenon
from onnx import TensorProto, helper, numpy_helper

KINDS = {"int4": TensorProto.INT4, "uint4": TensorProto.UINT4}
rng = np.random.default_rng(5)

NODES = [
    helper.make_node("Transpose", ["x"], ["turned"], perm=[1, 0]),
    helper.make_node("Pad", ["x", "pads"], ["padded"]),
    helper.make_node("Reshape", ["x", "flat"], ["reshaped"]),
    helper.make_node("QuantizeLinear", ["f", "scale", "zero"], ["quantized"]),
    helper.make_node("Transpose", ["quantized"], ["both"], perm=[1, 0]),
]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 33), (7, 64), (5, 101)])
@pytest.mark.parametrize("kind", KINDS)
def test_moved_and_rounded(kind, shape, known):
    dtype = np.dtype(getattr(ml_dtypes, kind))
    low = -8 if kind == "int4" else 0
    feeds = {"x": rng.integers(low, low + 16, shape).astype(dtype), "f": (rng.standard_normal(shape) * 3).astype(np.float32)}
    sizes = list(shape) if known else ["m", "n"]
    zero = helper.make_tensor("zero", KINDS[kind], [], [low + 8])
    constants = {"pads": [1, 0, 0, 3], "flat": [-1], "scale": np.float32(0.7)}
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()] + [zero]
    inputs = [helper.make_tensor_value_info("x", KINDS[kind], sizes), helper.make_tensor_value_info("f", TensorProto.FLOAT, sizes)]
    results = [helper.make_tensor_value_info(node.output[0], KINDS[kind], None) for node in NODES]
    model = helper.make_model(helper.make_graph(NODES, "g", inputs, results, initializers), ir_version=11,
                              opset_imports=[helper.make_opsetid("", 23)])
    expected = tenon.reference(model).run(feeds)
    for name, actual in tenon.compile(model, threads=1).run(feeds).items():
        np.testing.assert_array_equal(actual.astype(np.int32), expected[name].astype(np.int32), err_msg=name)


def test_between_kernels():
    """Rounded to 4 bits, moved and multiplied: each step reads what the one before wrote."""
    x, w = (rng.standard_normal((3, 5)) * 3).astype(np.float32), rng.standard_normal((3, 4)).astype(np.float32)
    nodes = [helper.make_node("QuantizeLinear", ["x", "s"], ["q"], output_dtype=TensorProto.INT4), helper.make_node("Transpose", ["q"], ["t"], perm=[1, 0]),
             helper.make_node("DequantizeLinear", ["t", "s"], ["d"]), helper.make_node("MatMul", ["d", "w"], ["y"])]
    model = helper.make_model(helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["m", 5])],
                                                [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                                                [numpy_helper.from_array(np.float32(0.5), "s"), numpy_helper.from_array(w, "w")]),
                              ir_version=10, opset_imports=[helper.make_opsetid("", 21)])
    rounded = np.clip(np.rint(x / 0.5), -8, 7) * 0.5
    np.testing.assert_allclose(tenon.compile(model, threads=1).run({"x": x})["y"], rounded.T @ w, rtol=1e-5, atol=1e-5)

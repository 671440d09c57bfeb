"""How many machine instructions kernels have. Run as a program, it records them in instructions.json; test_instructions holds
them.

Code size is compile time, and what a change of a strategy, a schedule or a lowering does to it shows nowhere else.
"""

import json
import os
import pathlib
import re
import subprocess
import tempfile

import numpy as np
import onnx
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

RECORD = pathlib.Path(__file__).with_name("instructions.json")
TARGETS = ("avx2", "avx512")
F, H, I8, U8, I64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT8, TensorProto.UINT8, TensorProto.INT64


def weights(name, *shape, kind=np.float32):
    values = np.random.default_rng(0).standard_normal(shape)
    return numpy_helper.from_array((values * (10 if kind == np.int8 else 0.1)).astype(kind), name)


def numbers(name, *values):
    return numpy_helper.from_array(np.int64(values), name)


def model(nodes, inputs, constants=(), kind=F, result=F):
    """Nodes are (operator, operands, result, attributes); inputs are of one element type, or have theirs behind the shape."""
    made = [helper.make_node(op, operands.split(), results.split(), **(attributes[0] if attributes else {}))
            for op, operands, results, *attributes in nodes]
    infos = [(name, *(given or [kind]), shape) for name, shape, *given in inputs]
    return make_model(made, infos, [("y", result, None)], constants, opset=21)


def dense(*sizes, constant=True):
    """relu(x @ w + b)"""
    rows, depth, columns = sizes
    nodes = [("MatMul", "x w", "m"), ("Add", "m b", "s"), ("Relu", "s", "y")]
    if constant:
        return model(nodes, [("x", (rows, depth))], [weights("w", depth, columns), weights("b", columns)])
    return model(nodes, [("x", (rows, depth)), ("w", (depth, columns)), ("b", (columns,))])


def convolution(shape, filters, kernel, **attributes):
    group = attributes.get("group", 1)
    pads = [size // 2 for size in kernel] * 2
    return model([("Conv", "x w b", "c", {"pads": pads, **attributes}), ("Relu", "c", "y")], [("x", shape)],
                 [weights("w", filters, shape[1] // group, *kernel), weights("b", filters)])


KERNELS = {
    "exp": model([("Exp", "x", "y")], [("x", ("n",))]),
    "bias_gelu": model([("Add", "x b", "s"), ("Gelu", "s", "y")], [("x", ("n", 768))], [weights("b", 768)]),
    "add_f16": model([("Add", "x z", "y")], [("x", ("n", 768)), ("z", ("n", 768))], kind=H, result=H),
    "quantize": model([("QuantizeLinear", "x s z", "y")], [("x", ("n", 768))],
                      [numpy_helper.from_array(np.float32(0.1), "s"), numpy_helper.from_array(np.int8(3), "z")], result=I8),
    "softmax": model([("Softmax", "x", "y")], [("x", ("n", 128))]),
    "softmax_any": model([("Softmax", "x", "y")], [("x", ("n", "m"))]),
    "layer_norm": model([("LayerNormalization", "x g b", "y")], [("x", ("n", 768))], [weights("g", 768), weights("b", 768)]),
    "sum_of_rows": model([("ReduceSum", "x axes", "y")], [("x", ("n", 768))], [numbers("axes", 1)]),
    "sum_of_columns": model([("ReduceSum", "x axes", "y")], [("x", ("n", 768))], [numbers("axes", 0)]),
    "transpose": model([("Transpose", "x", "y", {"perm": [0, 2, 1]})], [("x", (2, "n", 64))]),
    "transpose_channels_last": model([("Transpose", "x", "y", {"perm": [0, 2, 3, 1]})], [("x", ("n", 64, 28, 28))]),
    "transpose_heads": model([("Transpose", "x", "y", {"perm": [0, 2, 1, 3]})], [("x", ("n", "m", 12, 64))]),
    "cumulative_sum": model([("CumSum", "x axis", "y")], [("x", ("n", 128))], [numpy_helper.from_array(np.array(1), "axis")]),
    "top_k": model([("TopK", "x k", "y i")], [("x", ("n", 1000))], [numbers("k", 5)]),
    "gather": model([("Gather", "x i", "y")], [("x", (1000, 768)), ("i", ("n",), I64)]),
    "max_pool": model([("MaxPool", "x", "y", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4})], [("x", ("n", 64, 56, 56))]),
    "contraction_static": dense(128, 768, 768),
    "contraction_static_ragged": dense(50, 100, 77),
    "contraction_dynamic_rows": dense("n", 768, 768),
    "contraction_dynamic": model([("MatMul", "x w", "y")], [("x", ("n", "k")), ("w", ("k", "m"))]),
    "contraction_dynamic_relu": dense("n", "k", "m", constant=False),
    "contraction_one_row": dense(1, 768, 768),
    "contraction_f16": model([("MatMul", "x w", "y")], [("x", ("n", 768))], [weights("w", 768, 768, kind=np.float16)], kind=H, result=H),
    "contraction_int8": model([("MatMulInteger", "x w", "y")], [("x", (128, 768))], [weights("w", 768, 768, kind=np.int8)], kind=U8,
                              result=TensorProto.INT32),
    "convolution_3x3": convolution(("n", 64, 56, 56), 64, (3, 3)),
    "convolution_3x3_static": convolution((1, 64, 56, 56), 64, (3, 3)),
    "convolution_1x1": convolution(("n", 64, 28, 28), 128, (1, 1)),
    "convolution_any_image": convolution(("n", 32, "h", "w"), 32, (3, 3)),
    "convolution_depthwise": convolution(("n", 64, 28, 28), 64, (3, 3), group=64),
    "attention_scores": model([("MatMul", "q t", "y")], [("q", ("n", 12, "m", 64)), ("t", ("n", 12, 64, "k"))]),
    "attention_values": model([("MatMul", "p v", "y")], [("p", ("n", 12, "m", "k")), ("v", ("n", 12, "k", 64))]),
    "attention": model([("MatMul", "q t", "s"), ("Softmax", "s", "p"), ("MatMul", "p v", "y")],
                       [("q", ("n", 12, "m", 64)), ("t", ("n", 12, 64, "k")), ("v", ("n", 12, "k", 64))]),
}


def count(name, target):
    """Of all kernels of a model."""
    with tempfile.TemporaryDirectory() as directory:
        source, text = pathlib.Path(directory) / "model.onnx", pathlib.Path(directory) / "model.s"
        onnx.save(KERNELS[name], source)
        subprocess.run([pathlib.Path(os.environ["TENON_BUILD"]) / "bin/tenon-compile", source, "--emit=asm", f"--target-cpu={target}",
                        "--quiet", "-o", text], check=True)
        return len(re.findall(r"^\t[a-z]", text.read_text(), re.MULTILINE))


def main():
    record = {name: {target: count(name, target) for target in TARGETS} for name in KERNELS}
    lines = (f'  "{name}": {json.dumps(counts)}' for name, counts in record.items())
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()

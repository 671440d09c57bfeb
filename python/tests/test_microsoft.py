"""Operators that ONNX Runtime adds to the standard's, against ONNX Runtime."""

import pathlib
import re

import numpy as np
import pytest
import tenon
from microsoft import array, check, floats, model_of, node
from onnx import TensorProto, helper
from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

F, U8 = TensorProto.FLOAT, TensorProto.UINT8


@pytest.mark.parametrize("constant", [True, False], ids=["constant", "input"])
@pytest.mark.parametrize("zeros", ["none", "packed", "float"])
@pytest.mark.parametrize("bits,block,k", [(4, 32, 96), (4, 16, 40), (4, 128, 300), (8, 32, 64), (8, 16, 40),
                                          (2, 32, 64), (2, 16, 72)])
def test_matmul_nbits(bits, block, k, zeros, constant):
    if zeros == "float" and bits == 8:
        pytest.skip("ONNX Runtime has no floating-point zero points of 8-bit weights")
    n, blocks, random = 21, -(-k // block), np.random.default_rng(k)
    packed = random.integers(0, 256, (n, blocks, block * bits // 8), np.uint8)
    values = {"w": packed, "s": floats((n, blocks), 1) * 0.1}
    if zeros == "packed":
        values["z"] = random.integers(0, 256, (n, -(-blocks * bits // 8)), np.uint8)
    elif zeros == "float":
        values["z"] = random.integers(0, 1 << bits, (n, blocks)).astype(np.float32)
    inputs = [("x", F, ("rows", "more", k))]
    initializers = []
    for name, value in values.items():
        if constant:
            initializers.append(array(value, name))
        else:
            inputs.append((name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape))
    product = node("MatMulNBits", ["x", *values], ["y"], K=k, N=n, bits=bits, block_size=block)
    model = model_of([product], inputs, [("y", F, ("rows", "more", n))], initializers)
    feeds = [{"x": floats((rows, more, k), rows)} for rows, more in ((1, 1), (2, 3), (5, 8))]
    if not constant:
        feeds = [feed | values for feed in feeds]
    check(model, *feeds, tolerance=2e-3 if bits == 8 else 1e-3)


def test_matmul_nbits_adds_a_bias():
    initializers = [
        array(np.random.default_rng(0).integers(0, 256, (8, 2, 8), np.uint8), "w"),
        array(floats((16,)), "s"),
        array(floats((8,), 1), "b"),
    ]
    product = node("MatMulNBits", ["x", "w", "s", "", "", "b"], ["y"], K=32, N=8, bits=4, block_size=16)
    check(model_of([product], [("x", F, ("n", 32))], [("y", F, ("n", 8))], initializers), {"x": floats((3, 32))},
          tolerance=1e-3)


def test_every_operator_is_converted_or_refused_with_a_reason():
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "operators.md").read_text()
    known = set(re.findall(r"\| `(\w+)` (?=\|)", page[page.index("ONNX Runtime's operators"):]))
    assert {schema.name for schema in get_all_operator_schema() if schema.domain == "com.microsoft"} - known == set()


@pytest.mark.parametrize("rank", [1, 3])
def test_operators_without_an_operand(rank):
    """Whatever is left out, an operator is converted or refused with an error that names it."""
    types = {"float": F, "int32": TensorProto.INT32, "int64": TensorProto.INT64, "uint8": U8, "int8": TensorProto.INT8, "bool": TensorProto.BOOL}
    for schema in get_all_operator_schema():
        if schema.domain != "com.microsoft" or not schema.inputs:
            continue
        allowed = {constraint.type_param_str: constraint.allowed_type_strs for constraint in schema.type_constraints}
        inputs = []
        for i, operand in enumerate(schema.inputs):
            known = [kind for kind in types if f"tensor({kind})" in allowed.get(operand.typeStr, [operand.typeStr])]
            inputs.append((f"i{i}", types[known[0]] if known else F, (2, 3, 4)[:rank]))
        attributes = {name: {"INT": 2, "FLOAT": 0.5, "STRING": "none"}[attribute.type.name] for name, attribute in schema.attributes.items()
                      if attribute.required and attribute.type.name in ("INT", "FLOAT", "STRING")}
        for missing in range(len(inputs) + 1):
            names = ["" if i == missing else name for i, (name, *_) in enumerate(inputs)]
            outputs = [f"o{i}" for i in range(len(schema.outputs))]
            model = model_of([node(schema.name, names, outputs, **attributes)], [given for given in inputs if given[0] in names], outputs)
            try:
                tenon.compile(model, threads=1)
            except tenon.CompileError as error:
                assert f"'{schema.name}'" in str(error)

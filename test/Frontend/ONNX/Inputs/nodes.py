"""Nodes of all forms: operands and results left out, types known and unknown, names of dimensions."""
import sys

import onnx
from onnx import TensorProto, helper

F = TensorProto.FLOAT


def value(name, dtype=F, shape=None):
    return helper.make_tensor_value_info(name, dtype, shape)


sequence = helper.make_tensor_sequence_value_info("s", F, [None, 2])
optional = helper.make_value_info("o", helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.INT64, [3])))
minus_one = value("m", TensorProto.STRING, ["n", 4])
minus_one.type.tensor_type.shape.dim[0].dim_value = -1
graph = helper.make_graph(
    [
        helper.make_node("Clip", ["x", "", "high"], ["clipped"], name="limit"),
        helper.make_node("Dropout", ["clipped"], ["", "mask"], domain="ai.onnx"),
        helper.make_node("Split", ["clipped"], ["left", "right"], name="cut", num_outputs=2),
        helper.make_node("Fancy", ["left"], ["fancy"], domain="com.example"),
    ],
    "forms",
    [value("x", shape=["batch", 8, None]), value("high", shape=[]), value("r"), sequence, optional, minus_one],
    [value("right", shape=["batch", 4, "rest"]), value("fancy"), value("mask", TensorProto.BOOL, ["batch", 8, None]),
     value("x", shape=["batch", 8, None])],
    value_info=[value("clipped", shape=["batch", 8, None])],
)
model = helper.make_model(
    graph, ir_version=8, producer_name="by hand", producer_version="1.0",
    opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("com.example", 3)])
helper.set_model_props(model, {"author": "a person"})
onnx.save(model, sys.argv[1])

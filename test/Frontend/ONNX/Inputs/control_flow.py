"""If and Loop with captured values, subgraph initializers, nesting, and nodes that are out of order."""
import sys

import onnx
from onnx import TensorProto as T, helper


def value(name, dtype=T.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, dtype, shape)


one = helper.make_tensor("one", T.FLOAT, [1], [1.0])
innermost = helper.make_graph([helper.make_node("Add", ["state", "late"], ["deep"])], "innermost", [], [value("deep")])
flat = helper.make_graph([], "flat", [], [value("state")])
body = helper.make_graph(
    [helper.make_node("If", ["more"], ["next"], name="inner_if", then_branch=innermost, else_branch=flat),
     helper.make_node("Identity", ["more"], ["again"]),
     helper.make_node("Add", ["next", "one"], ["scan"])],
    "body", [value("i", T.INT64, []), value("more", T.BOOL, []), value("state", T.FLOAT, [2])],
    [value("again", T.BOOL, []), value("next"), value("scan")], initializer=[one])
# The parser has no types for inputs of a body that states none.
body.input[0].ClearField("type")
graph = helper.make_graph(
    [helper.make_node("Loop", ["", "c", "x"], ["last", "all"], name="loop", body=body),
     helper.make_node("Relu", ["early"], ["late"], name="second"),
     helper.make_node("Neg", ["x"], ["early"], name="first")],
    "control", [value("c", T.BOOL, []), value("x", T.FLOAT, [2])], [value("last"), value("all")])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]), sys.argv[1])

"""Functions of a model: attributes by reference, defaults, nesting, overloads, own operator sets, subgraphs."""
import sys

import onnx
from onnx import AttributeProto, FunctionProto, TensorProto as T, helper


def value(name, dtype=T.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, dtype, shape)


def reference(node, name, kind, to):
    node.attribute.append(AttributeProto(name=name, type=kind, ref_attr_name=to))
    return node


def function(name, inputs, outputs, nodes, attributes=(), defaults=(), opset=21, overload=""):
    made = helper.make_function("local", name, inputs, outputs, nodes, [helper.make_opsetid("", opset)], attributes,
                                defaults)
    made.overload = overload
    return made


INT, FLOAT, GRAPH = AttributeProto.INT, AttributeProto.FLOAT, AttributeProto.GRAPH
# A default, an attribute without one, an input that calls leave out, an operator set of its own.
scale = function(
    "Scale", ["x", "bias"], ["y"],
    [reference(reference(helper.make_node("Elu", ["x"], ["e"]), "alpha", FLOAT, "a"), "beta", FLOAT, "b"),
     helper.make_node("Sum", ["e", "bias"], ["y"], name="sum")],
    ["b"], [helper.make_attribute("a", 0.25)], opset=18)
# Attributes passed on to another function; more than one result.
twice = function(
    "Twice", ["x"], ["once", "y"],
    [reference(helper.make_node("Scale", ["x", "x"], ["once"], domain="local", name="inner"), "b", FLOAT, "b"),
     helper.make_node("Scale", ["once"], ["y"], domain="local", a=2.0)], ["b"])
twice.value_info.append(value("once", shape=[2]))
# One name, two overloads.
overloads = [function("Pick", ["x"], ["y"], [helper.make_node(op, ["x"], ["y"])], overload=op) for op in ("Abs", "Neg")]
# A subgraph given by the caller, which uses the caller's values, under another name.
conditional = function(
    "Conditional", ["c", "x"], ["y"],
    [reference(reference(helper.make_node("If", ["c"], ["y"]), "then_branch", GRAPH, "yes"), "else_branch", GRAPH, "no")],
    ["yes", "no"])
branch = [helper.make_graph([helper.make_node(op, ["z"], ["r"])], op, [], [value("r")]) for op in ("Sin", "Cos")]
pick = [helper.make_node("Pick", ["z"], [f"p{i}"], domain="local", overload=o) for i, o in enumerate(("Abs", "Neg"))]
graph = helper.make_graph(
    [helper.make_node("Twice", ["x"], ["", "z"], domain="local", name="call", b=0.5)] + pick +
    [helper.make_node("Conditional", ["c", "x"], ["w"], domain="local", yes=branch[0], no=branch[1]),
     helper.make_node("Twice", ["x"], ["v"], domain="local")],
    "g", [value("x", shape=[2]), value("c", T.BOOL, [])],
    [value("z", shape=[2]), value("p0"), value("p1"), value("w"), value("v")])
onnx.save(helper.make_model(graph, functions=[scale, twice, conditional] + overloads, ir_version=10,
                            opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("local", 1)]), sys.argv[1])

"""What onnx.checker refuses, Tenon refuses, too, in its own words; but what says nothing of a result, which
ONNX Runtime takes as well. And what is stated twice is taken from where it is declared."""
import copy

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import tenon
from conftest import make_model

F, I64 = TensorProto.FLOAT, TensorProto.INT64


def relu():
    return make_model([helper.make_node("Relu", ["x"], ["y"], name="culprit")], [("x", F, (2, 3))], [("y", F, (2, 3))],
                      opset=17)


def softmax():
    return make_model([helper.make_node("Softmax", ["x"], ["y"], name="culprit", axis=1)], [("x", F, (2, 3))],
                      [("y", F, (2, 3))], opset=17)


def lstm():
    weights = [numpy_helper.from_array(np.ones(shape, np.float32), name) for name, shape in
               (("w", (1, 16, 3)), ("r", (1, 16, 4)))]
    return make_model([helper.make_node("LSTM", ["x", "w", "r"], ["y"], name="culprit", hidden_size=4)],
                      [("x", F, (5, 2, 3))], [("y", F, (5, 1, 2, 4))], weights, opset=17)


def reshape(allowzero, *sizes):
    return make_model([helper.make_node("Reshape", ["x", "s"], ["y"], name="culprit", allowzero=allowzero)],
                      [("x", F, (0, 3))], [("y", F, None)], [numpy_helper.from_array(np.array(sizes, np.int64), "s")],
                      opset=17)


def scaler():
    node = helper.make_node("Scaler", ["x"], ["y"], name="culprit", domain="ai.onnx.ml", offset=[0.0], scale=[2.0])
    model = make_model([node], [("x", F, (2, 3))], [("y", F, (2, 3))], opset=17)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    return model


def add_weights(model, tensor):
    model.graph.initializer.append(tensor)


def with_two_fields(model):
    tensor = numpy_helper.from_array(np.ones(2, np.float32), "weights")
    tensor.float_data.extend([1, 2])
    add_weights(model, tensor)


def replace_attribute(model, name, value):
    (attribute,) = [a for a in model.graph.node[0].attribute if a.name == name]
    attribute.CopyFrom(helper.make_attribute(name, value))


def set_twice(model):
    attribute = model.graph.node[0].attribute[0]
    attribute.f = 2.0


# The model, what is done to it, and words that the error has.
REFUSED = {
    "attribute_without_kind": (softmax, lambda m: m.graph.node[0].attribute[0].ClearField("type"), ["culprit", "axis"]),
    "attribute_with_two_values": (softmax, set_twice, ["culprit", "axis", "more than one"]),
    "attribute_stated_to_be_another": (
        softmax, lambda m: setattr(m.graph.node[0].attribute[0], "type", onnx.AttributeProto.FLOAT),
        ["culprit", "axis", "FLOAT", "INT"]),
    "attribute_that_nothing_reads": (lstm, lambda m: replace_attribute(m, "hidden_size", "four"),
                                     ["culprit", "hidden_size", "an integer"]),
    "attribute_of_another_domain": (scaler, lambda m: replace_attribute(m, "scale", [2]),
                                    ["culprit", "scale", "floating-point"]),
    "attribute_twice": (softmax, lambda m: m.graph.node[0].attribute.append(m.graph.node[0].attribute[0]),
                        ["culprit", "axis", "twice"]),
    "attribute_unknown": (softmax, lambda m: m.graph.node[0].attribute.append(helper.make_attribute("axes", 1)),
                          ["culprit", "axes"]),
    "attribute_unknown_in_another_domain": (
        scaler, lambda m: m.graph.node[0].attribute.append(helper.make_attribute("axes", 1)), ["culprit", "axes"]),
    "too_many_outputs": (relu, lambda m: m.graph.node[0].output.append("more"), ["culprit", "1", "2"]),
    "too_many_outputs_in_another_domain": (scaler, lambda m: m.graph.node[0].output.append("more"),
                                           ["culprit", "1", "2"]),
    "output_defined_twice": (relu, lambda m: m.graph.node.append(m.graph.node[0]), ["y", "twice"]),
    "output_that_is_an_input": (relu, lambda m: m.graph.node[0].output.__setitem__(0, "x"), ["x", "twice"]),
    "inputs_of_one_name": (relu, lambda m: m.graph.input.append(m.graph.input[0]), ["x", "twice"]),
    "values_in_two_fields": (relu, with_two_fields, ["weights", "more than one field"]),
    "values_of_no_type": (relu, lambda m: add_weights(m, TensorProto(name="weights", dims=[0])), ["weights"]),
    "no_ir_version": (relu, lambda m: m.ClearField("ir_version"), ["IR version"]),
    "no_opset": (relu, lambda m: m.ClearField("opset_import"), ["operator set"]),
    "zero_and_unknown_sizes": (lambda: reshape(1, 0, -1), lambda m: None, ["culprit", "rows of 0"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_checker_refuses(case):
    make, change, words = REFUSED[case]
    model = make()
    change(model)
    with pytest.raises(Exception):
        onnx.checker.check_model(model, full_check=True, check_custom_domain=True)
    with pytest.raises(tenon.CompileError) as error:
        tenon.compile(model)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("make", [relu, softmax, lstm, scaler])
def test_what_is_as_it_was(make):
    onnx.checker.check_model(make(), full_check=True)
    tenon.compile(make())


def metadata_twice(model):
    for value in ("first", "second"):
        entry = model.metadata_props.add()
        entry.key, entry.value = "key", value


ACCEPTED = {
    "no_name_of_the_graph": lambda m: m.graph.ClearField("name"),
    "metadata_twice": metadata_twice,
    "output_without_type": lambda m: m.graph.output[0].ClearField("type"),
    "value_stated_twice": lambda m: m.graph.value_info.append(helper.make_tensor_value_info("y", I64, (2, 3))),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_says_nothing_of_results(case):
    model = copy.deepcopy(relu())
    ACCEPTED[case](model)
    x = np.array([[-1, 2, -3], [4, -5, 6]], np.float32)
    (y,) = tenon.compile(model).run({"x": x}).values()
    np.testing.assert_array_equal(y, np.maximum(x, 0))

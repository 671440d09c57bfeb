"""FlexAttention, whose subgraphs change scores and weights, against the standard's own implementation."""

import numpy as np
import pytest
import tenon
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

T = TensorProto
PREVIEW = "ai.onnx.preview"
SHAPE = ["b", "h", "l", "s"]


def subgraph(nodes, element, initializers=()):
    return helper.make_graph(nodes, "mod", [helper.make_tensor_value_info("in", element, SHAPE)], [helper.make_tensor_value_info("out", element, SHAPE)],
                             [numpy_helper.from_array(value, name) for name, value in initializers])


def causal(element):
    """Scores of keys behind the query become -inf."""
    dtype = helper.tensor_dtype_to_np_dtype(element)
    nodes = [helper.make_node("Shape", ["in"], ["shape"]), helper.make_node("Slice", ["shape", "two", "four"], ["sizes"]),
             helper.make_node("ConstantOfShape", ["sizes"], ["ones"], value=helper.make_tensor("v", T.INT64, [1], [1])),
             helper.make_node("Trilu", ["ones"], ["lower"], upper=0), helper.make_node("Cast", ["lower"], ["seen"], to=T.BOOL),
             helper.make_node("Where", ["seen", "in", "hidden"], ["out"])]
    return subgraph(nodes, element, [("two", np.array([2])), ("four", np.array([4])), ("hidden", np.array(-np.inf, dtype))])


def scaled(element, factor):
    return subgraph([helper.make_node("Mul", ["in", "f"], ["out"])], element, [("f", np.array(factor, helper.tensor_dtype_to_np_dtype(element)))])


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("mods", ["", "score", "prob", "both"])
@pytest.mark.parametrize("element, precise, heads", [(T.FLOAT, None, (4, 4)), (T.FLOAT, T.DOUBLE, (6, 2)), (T.DOUBLE, None, (4, 1)), (T.FLOAT16, None, (4, 2))])
def test_against_reference(element, precise, heads, mods, dynamic):
    rng, dtype = np.random.default_rng(6), helper.tensor_dtype_to_np_dtype(element)
    inner = precise or (element if element == T.DOUBLE else T.FLOAT)
    attributes = {"scale": 0.3} if mods == "prob" else {}
    if precise:
        attributes["softmax_precision"] = precise
    if mods in ("score", "both"):
        attributes["score_mod"] = causal(inner)
    if mods in ("prob", "both"):
        attributes["prob_mod"] = scaled(inner, 0.5)
    queryHeads, keyHeads = heads
    shapes = {"q": (2, queryHeads, 5, 8), "k": (2, keyHeads, 7, 8), "v": (2, keyHeads, 7, 6)}
    sizes = {name: ["b", shape[1], "l" if name == "q" else "s", shape[3]] if dynamic else shape for name, shape in shapes.items()}
    node = helper.make_node("FlexAttention", ["q", "k", "v"], ["y"], domain=PREVIEW, **attributes)
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info(name, element, sizes[name]) for name in shapes],
                              [helper.make_tensor_value_info("y", element, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(PREVIEW, 1), helper.make_opsetid("", 23)], ir_version=10)
    feed = {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
    expected = ReferenceEvaluator(model).run(None, feed)[0].astype(np.float64)
    tolerance = 2e-3 if element == T.FLOAT16 else 1e-5
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        np.testing.assert_allclose(run(feed)["y"].astype(np.float64), expected, rtol=tolerance, atol=tolerance)


def test_refused():
    def compile(keyHeads=2, **attributes):
        node = helper.make_node("FlexAttention", ["q", "k", "v"], ["y"], domain=PREVIEW, **attributes)
        infos = [helper.make_tensor_value_info(name, T.FLOAT, [1, 4 if name == "q" else keyHeads, 3, 8]) for name in "qkv"]
        graph = helper.make_graph([node], "g", infos, [helper.make_tensor_value_info("y", T.FLOAT, None)])
        tenon.compile(helper.make_model(graph, opset_imports=[helper.make_opsetid(PREVIEW, 1), helper.make_opsetid("", 23)], ir_version=10))

    with pytest.raises(tenon.CompileError, match="divide those of queries"):
        compile(keyHeads=3)
    with pytest.raises(tenon.CompileError, match="softmax_precision"):
        compile(softmax_precision=T.INT32)
    wrong = helper.make_graph([helper.make_node("Cast", ["in"], ["out"], to=T.DOUBLE)], "mod", [helper.make_tensor_value_info("in", T.FLOAT, SHAPE)],
                              [helper.make_tensor_value_info("out", T.DOUBLE, SHAPE)])
    with pytest.raises(tenon.CompileError, match="subgraph 'score_mod'"):
        compile(score_mod=wrong)

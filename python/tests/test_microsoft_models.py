"""Whole models as ONNX Runtime's optimisers and onnxruntime-genai leave them."""

import collections

import numpy as np
import onnx
import onnxruntime
import pytest
import small_transformers
import tenon
from microsoft import MS, array, check, compare, floats, model_of, node, session_of
from onnx import TensorProto, helper

Level = onnxruntime.GraphOptimizationLevel
F, F16 = TensorProto.FLOAT, TensorProto.FLOAT16


def kinds(model):
    return collections.Counter(node.op_type for node in model.graph.node)


@pytest.mark.parametrize("level", ["BASIC", "EXTENDED"])
def test_models_that_onnx_runtime_saves(level, tmp_path):
    model = small_transformers.bert()
    session_of(model, getattr(Level, f"ORT_ENABLE_{level}"), save=tmp_path / "optimized.onnx")
    optimized = onnx.load(tmp_path / "optimized.onnx")
    if level == "EXTENDED":
        assert {"FusedMatMul", "BiasGelu", "LayerNormalization"} <= set(kinds(optimized))
    feeds = [small_transformers.bert_feed(batch, time) for batch, time in ((1, 5), (3, 12))]
    session = session_of(model)
    compare(optimized, [{"y": session.run(None, feed)[0]} for feed in feeds], feeds, 1e-4)


def test_convolutions_that_onnx_runtime_saves(tmp_path):
    w = [array(floats((8, 4, 3, 3), i) * 0.2, f"w{i}") for i in range(2)] + [array(floats((8, 8, 3, 3), 5) * 0.2, "w2")]
    nodes = [helper.make_node("Conv", ["x", "w0"], ["a"], pads=[1, 1, 1, 1]), helper.make_node("Relu", ["a"], ["b"]),
             helper.make_node("Conv", ["b", "w2"], ["c"], pads=[1, 1, 1, 1]),
             helper.make_node("Conv", ["x", "w1"], ["d"], pads=[1, 1, 1, 1]), helper.make_node("Add", ["c", "d"], ["e"]),
             helper.make_node("Relu", ["e"], ["f"]), helper.make_node("LeakyRelu", ["f"], ["y"])]
    model = model_of(nodes, [("x", F, ("n", 4, 8, 8))], ["y"], w)
    feed = {"x": floats((2, 4, 8, 8), 3)}
    session_of(model, Level.ORT_ENABLE_EXTENDED, save=tmp_path / "optimized.onnx")
    optimized = onnx.load(tmp_path / "optimized.onnx")
    assert "FusedConv" in kinds(optimized)
    compare(optimized, [{"y": session_of(model).run(None, feed)[0]}], [feed], 1e-4)


def test_models_laid_out_for_a_machine_are_refused(tmp_path):
    for domain in ("com.microsoft.nchwc", "com.ms.internal.nhwc"):
        conv = node("Conv", ["x", "w"], ["y"], domain=domain)
        model = model_of([conv], [("x", F, (1, 8, 4, 4))], ["y"], [array(floats((8, 8, 3, 3)), "w")])
        model.opset_import.append(helper.make_opsetid(domain, 1))
        with pytest.raises(tenon.CompileError, match="laid out for the machine .* ORT_ENABLE_EXTENDED"):
            tenon.compile(model)


def test_the_operator_set_may_be_left_out():
    model = model_of([node("FastGelu", ["x"], ["y"])], [("x", F, ("n",))], ["y"])
    del model.opset_import[1:]
    check(model, {"x": floats((5,))})


def steps(model, element, batch, prompt, count, size=None):
    """Feeds of a prompt and of steps behind it; the caches are filled by what ONNX Runtime gives."""
    session, random = session_of(model), np.random.default_rng(0)
    kind = helper.tensor_dtype_to_np_dtype(element)
    inputs = {i.name: i.shape for i in session.get_inputs()}
    caches = {name: np.zeros((batch, shape[1], size or 0, shape[3]), kind) for name, shape in inputs.items() if "past" in name}
    names, feeds, wanted, total = [o.name for o in session.get_outputs()], [], [], 0
    for new in [prompt] + [1] * count:
        total += new
        tokens = {"input_ids": random.integers(0, 50, (batch, new)), "attention_mask": np.ones((batch, total), np.int64)}
        feeds.append(tokens | caches)
        wanted.append(dict(zip(names, session.run(None, feeds[-1]))))
        caches = {name: wanted[-1][name.replace("past_key_values", "present")] for name in caches}
    return feeds, wanted


@pytest.mark.parametrize("form", [{}, {"packed": True}, {"bits": 8}], ids=lambda form: "-".join(form) or "plain")
def test_decoder(form):
    model = small_transformers.decoder(**form)
    for batch, size in ((1, None), (2, 12)):
        feeds, wanted = steps(model, F, batch, 4, 3, size)
        compare(model, wanted, feeds, 1e-3)


def test_decoder_in_half_precision():
    model = small_transformers.decoder(element=F16)
    feeds, wanted = steps(model, F16, 1, 4, 2)
    compare(model, wanted, feeds, 3e-2)

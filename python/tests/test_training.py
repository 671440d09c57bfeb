"""Steps of optimisers, against the standard's own implementation."""

import numpy as np
import pytest
import tenon
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

T = TensorProto
DOMAIN = "ai.onnx.preview.training"
KINDS = {"Adagrad": 1, "Momentum": 1, "Adam": 2}
CASES = [("Adagrad", {}), ("Adagrad", {"norm_coefficient": 0.01, "decay_factor": 0.1, "epsilon": 1e-3}), ("Adam", {}),
         ("Adam", {"norm_coefficient": 0.01, "norm_coefficient_post": 0.02, "alpha": 0.8, "beta": 0.95, "epsilon": 1e-3}),
         ("Momentum", {"norm_coefficient": 0.01, "alpha": 0.9, "beta": 0.5, "mode": "standard"}),
         ("Momentum", {"norm_coefficient": 0.0, "alpha": 0.9, "beta": 0.5, "mode": "nesterov"})]


@pytest.mark.parametrize("steps", [0, 7])
@pytest.mark.parametrize("element", [T.FLOAT, T.DOUBLE])
@pytest.mark.parametrize("op, attributes", CASES)
def test_step(op, attributes, element, steps):
    rng, dtype = np.random.default_rng(2), helper.tensor_dtype_to_np_dtype(element)
    shapes, kinds = [(3, 5), (4,)], ["x", "g", "v", "h"][:2 + KINDS[op]]
    feed = {"r": np.array(0.1, dtype), "t": np.array(steps, np.int64)}
    for kind in kinds:
        for i, shape in enumerate(shapes):
            feed[f"{kind}{i}"] = np.abs(rng.standard_normal(shape)).astype(dtype) if kind in "vh" else rng.standard_normal(shape).astype(dtype)
    names = [f"{kind}{i}_new" for kind in kinds if kind != "g" for i in range(len(shapes))]
    node = helper.make_node(op, list(feed), names, domain=DOMAIN, **attributes)
    inputs = [helper.make_tensor_value_info(name, T.INT64 if name == "t" else element,
                                            [] if name in "rt" else [f"{name}_{d}" for d in range(feed[name].ndim)]) for name in feed]
    graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info(name, element, None) for name in names])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(DOMAIN, 1), helper.make_opsetid("", 18)], ir_version=10)
    wanted = dict(zip(names, ReferenceEvaluator(model).run(None, feed)))
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        results = run(feed)
        for name, expected in wanted.items():
            assert results[name].dtype == dtype
            np.testing.assert_allclose(results[name], expected, rtol=1e-5, atol=1e-6, err_msg=name)


def test_refused():
    def compile(op, names, **attributes):
        node = helper.make_node(op, names, ["y", "z"], domain=DOMAIN, **attributes)
        infos = [helper.make_tensor_value_info(name, T.FLOAT, []) for name in dict.fromkeys(names)]
        graph = helper.make_graph([node], "g", infos, [helper.make_tensor_value_info("y", T.FLOAT, None)])
        tenon.compile(helper.make_model(graph, opset_imports=[helper.make_opsetid(DOMAIN, 1), helper.make_opsetid("", 18)], ir_version=10))

    with pytest.raises(tenon.CompileError, match="3 operands for each tensor"):
        compile("Adagrad", ["r", "t", "x", "g", "h", "h"])
    with pytest.raises(tenon.CompileError, match="mode standard or nesterov"):
        compile("Momentum", ["r", "t", "x", "g", "v"], mode="other", alpha=0.0, beta=0.0, norm_coefficient=0.0)
    with pytest.raises(tenon.CompileError, match="not differentiated"):
        compile("Gradient", ["x"], xs=["x"], y="y")

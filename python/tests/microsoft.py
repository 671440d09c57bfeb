"""Models of ONNX Runtime's operators, and what ONNX Runtime gives for them."""

import numpy as np
import onnxruntime
import tenon
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

MS = "com.microsoft"


def floats(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def array(values, name):
    return numpy_helper.from_array(np.asarray(values), name)


def node(op, inputs, outputs, domain=MS, **attributes):
    return helper.make_node(op, inputs, outputs, domain=domain, **attributes)


def model_of(nodes, inputs, outputs, initializers=(), opset=17):
    """An output that is only a name has the shape that ONNX Runtime infers."""
    known = [output for output in outputs if not isinstance(output, str)]
    model = make_model(nodes, inputs, known, list(initializers), opset=opset)
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in outputs if isinstance(name, str))
    model.opset_import.append(helper.make_opsetid(MS, 1))
    return model


def session_of(model, level=onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL, save=None):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    if save:
        options.optimized_model_filepath = str(save)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def compare(model, wanted, feeds, tolerance):
    """The interpreter and the compiled model give what is wanted of each feed, from one artifact for all feeds."""
    compiled, reference = tenon.compile(model, threads=1), tenon.reference(model)
    for feed, results in zip(feeds, wanted):
        for actual in (compiled.run(feed), reference.run(feed)):
            for name, expected in results.items():
                assert actual[name].dtype == expected.dtype
                np.testing.assert_allclose(actual[name].astype(np.float64), expected.astype(np.float64), rtol=tolerance,
                                           atol=tolerance, err_msg=name)


def check(model, *feeds, tolerance=1e-5):
    """The interpreter and the compiled model give what ONNX Runtime gives."""
    session = session_of(model)
    names = [output.name for output in session.get_outputs()]
    compare(model, [dict(zip(names, session.run(None, feed))) for feed in feeds], feeds, tolerance)

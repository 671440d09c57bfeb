"""A slice of the ONNX standard's own node tests, compiled: one or two cases for each of the usual operators.

Each runs a second time beside guard pages.
"""

import re
import warnings

import guarded
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.backend.test.case import node

import tenon

OPERATORS = """abs acos add and argmax argmin asin atan averagepool_2d batchnorm cast_FLOAT_to_FLOAT16 cast_FLOAT_to_FLOAT8 cast_no_saturate_FLOAT
cast_FLOAT8E4M3FNUZ_to cast_FLOAT8E5M2_to ceil clip concat_1d concat_2d
constantofshape conv_with cos cosh cumsum_1d depthtospace dequantizelinear div dropout elu equal erf exp expand eyelike
flatten floor gather_ gather_elements gathernd gelu gemm globalaveragepool globalmaxpool greater group_normalization gru
hardsigmoid hardswish identity instancenorm isinf isnan layer_normalization leakyrelu less log logsoftmax lstm
matmul_ matmulinteger max_ maxpool_2d mean_ min_ mish mod_ mul neg nllloss nonzero not onehot or pad_ pow prelu
quantizelinear range reciprocal reduce_l1 reduce_l2 reduce_log_sum_exp reduce_max reduce_mean reduce_min reduce_prod
reduce_sum relu reshape resize round rms_normalization scatter_elements scatternd selu shape sigmoid sign sin
sinh size slice softmax softplus softsign spacetodepth split_ sqrt squeeze sub sum_ swish tan tanh tile topk
transpose tril triu unsqueeze where xor""".split()
PER_OPERATOR = 2


# What a deployed model knows when it is compiled.
PARAMETERS = {"axes", "shape", "starts", "ends", "steps", "scales", "sizes", "roi", "k", "pads", "repeats"}


def deployed(case):
    """The model with its parameters as initialisers, and the values of the inputs that are left."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    feeds = {}
    for info, value in zip(case.model.graph.input, arrays(case)[0]):
        if info.name in PARAMETERS:
            model.graph.input.remove(info)
            model.graph.initializer.append(numpy_helper.from_array(value, info.name))
        else:
            feeds[info.name] = value
    return model, feeds


def collect():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = node.collect_testcases(None)
    chosen = []
    for operator in OPERATORS:
        pattern = re.compile(rf"test_{operator}")
        fitting = [case for case in cases if pattern.match(case.name) and usable(case)]
        chosen += [case for case in fitting if case not in chosen][:PER_OPERATOR]
    return chosen


def is_numeric(dtype):
    return dtype.kind in "fiub" or dtype.name.startswith("float8_e4m3") or dtype.name.startswith("float8_e5m2")


def arrays(case):
    """Inputs and outputs of the case; types that numpy doesn't know come as messages."""
    convert = lambda value: numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value
    return [[convert(value) for value in values] for values in case.data_sets[0]]


def usable(case):
    """Tensors of numbers only, no expanded function bodies."""
    if case.name.endswith("expanded") or "_expanded_" in case.name or case.data_sets is None:
        return False
    inputs, outputs = arrays(case)
    plain = all(isinstance(value, np.ndarray) and is_numeric(value.dtype) for value in [*inputs, *outputs])
    return plain and len(inputs) == len(case.model.graph.input)


CASES = collect()


def test_there_are_enough_cases():
    assert len(CASES) > 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_node(case):
    model, feeds = deployed(case)
    compiled = tenon.compile(model, threads=1)
    actual = compiled.run(feeds)
    guarded.check(compiled, feeds, actual)
    for info, expected in zip(case.model.graph.output, arrays(case)[1]):
        assert actual[info.name].dtype == expected.dtype
        if expected.dtype.kind not in "fiub":
            expected, actual[info.name] = expected.astype(np.float32), actual[info.name].astype(np.float32)
        np.testing.assert_allclose(actual[info.name], expected, rtol=case.rtol, atol=case.atol)

"""The interpreter from Python, against compiled code."""

import numpy as np
import pytest
from conftest import make_binary
from onnx import TensorProto
from test_cases import floats, mlp

import tenon


def test_agrees_with_compiled_code():
    feed = {"x": floats((7, 20))}
    expected = tenon.reference(mlp()).run(feed)["y"]
    np.testing.assert_allclose(tenon.compile(mlp(), threads=1).run(feed)["y"], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("element, dtype", [(TensorProto.INT64, np.int64), (TensorProto.FLOAT16, np.float16),
                                            (TensorProto.UINT8, np.uint8)])
def test_element_types(element, dtype):
    a, b = np.arange(8).reshape(2, 4).astype(dtype), np.full((2, 4), 250).astype(dtype)
    result = tenon.reference(make_binary(element=element)).run({"a": a, "b": b})["c"]
    np.testing.assert_array_equal(result, a + b)
    assert result.dtype == dtype


def test_inputs_and_errors(add):
    model = tenon.reference(add)
    assert [info.name for info in model.inputs] == ["a", "b"] and model.inputs[0].shape == ("batch", 4)
    ones = np.ones((2, 4), np.float32)
    for feeds, message in (({"a": ones}, "no value is given for input 'b'"), ({"a": ones, "b": ones, "c": ones}, "'c'"),
                           ({"a": ones, "b": ones.astype(np.int32)}, "float32"), ({"a": ones, "b": ones[0]}, "'b' expects")):
        with pytest.raises(tenon.RunError, match=message):
            model.run(feeds)

"""Small models as onnxruntime.quantization quantises them, against ONNX Runtime."""

import logging

import numpy as np
import onnx
import pytest
import tenon
from microsoft import session_of
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_bnb4_quantizer import MatMulBnb4Quantizer
from small_models import MODELS, embedded

U8, I8 = QuantType.QUInt8, QuantType.QInt8


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """The quantiser asks for shape inference that these models don't need."""
    monkeypatch.setattr(logging.root, "disabled", True)


def rows(shape, seed, count=4):
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(np.float32)


class Calibration(CalibrationDataReader):
    def __init__(self, shape):
        self.feeds = iter([{"x": rows(shape, seed)} for seed in range(4)])

    def get_next(self):
        return next(self.feeds, None)


def save(model, directory):
    onnx.save(model, directory / "float.onnx")
    return str(directory / "float.onnx"), str(directory / "quantized.onnx")


def check(model, feed, tolerance, operators=()):
    """All of ONNX Runtime's operators that are expected are there."""
    written = {node.op_type for node in model.graph.node if node.domain == "com.microsoft"}
    assert set(operators) <= written
    expected = session_of(model).run(None, feed)
    actual = tenon.compile(model, threads=1).run(feed)
    for name, wanted in zip((output.name for output in model.graph.output), expected):
        np.testing.assert_allclose(actual[name].astype(np.float64), wanted.astype(np.float64), rtol=0, atol=tolerance)


STATIC = {
    "operators": dict(quant_format=QuantFormat.QOperator, activation_type=U8, weight_type=U8),
    # Seven bits of weights: ONNX Runtime's kernels for AVX2 saturate sums of two products in 16 bits.
    "signed_operators": dict(quant_format=QuantFormat.QOperator, activation_type=I8, weight_type=I8, per_channel=True,
                             reduce_range=True),
    "own_domain": dict(quant_format=QuantFormat.QDQ, activation_type=U8, weight_type=U8,
                       extra_options={"UseQDQContribOps": True}),
    "4_bits": dict(quant_format=QuantFormat.QDQ, activation_type=U8, weight_type=QuantType.QInt4),
}
OPERATORS = {
    "convolutional": ["QGemm", "QLinearAdd", "QLinearAveragePool", "QLinearConcat", "QLinearGlobalAveragePool",
                      "QLinearLeakyRelu", "QLinearMul", "QLinearSigmoid", "QLinearSoftmax"],
    "dense": ["QGemm", "QLinearAdd", "QLinearMul", "QLinearSigmoid"],
    "attention": ["QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearSoftmax"],
}


@pytest.mark.parametrize("form", STATIC)
@pytest.mark.parametrize("name", OPERATORS)
def test_static(name, form, tmp_path):
    model, shape = MODELS[name]()
    source, result = save(model, tmp_path)
    quantize_static(source, result, Calibration(shape), **STATIC[form])
    expected = OPERATORS[name] if "operators" in form else ["QuantizeLinear", "DequantizeLinear"]
    # One step of the result of softmax.
    check(onnx.load(result), {"x": rows(shape, 9, 3)}, 4e-3 if name == "convolutional" else 1e-3, expected)


@pytest.mark.parametrize("name", MODELS)
def test_dynamic(name, tmp_path):
    model, shape = MODELS[name]()
    source, result = save(model, tmp_path)
    quantize_dynamic(source, result, weight_type=I8, per_channel=True, reduce_range=True)
    # ONNX Runtime quantises the states of a batch in as many parts as it has threads.
    check(onnx.load(result), {"x": rows(shape, 9, 3)}, 0.02 if name == "lstm" else 1e-4,
          ["DynamicQuantizeLSTM"] if name == "lstm" else [])


@pytest.mark.parametrize("kind", [MatMulBnb4Quantizer.FP4, MatMulBnb4Quantizer.NF4], ids=["fp4", "nf4"])
def test_weights_as_bitsandbytes_writes_them(kind):
    model, feed = embedded()
    quantizer = MatMulBnb4Quantizer(model, kind, block_size=16)
    quantizer.process()
    check(quantizer.model.model, feed, 1e-4, ["MatMulBnb4"])

"""Products and convolutions with what ONNX Runtime fuses into them."""

import numpy as np
import pytest
from microsoft import array, check, compare, floats, model_of, node, session_of
from onnx import TensorProto, helper

F = TensorProto.FLOAT


@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("op", ["FusedMatMul", "TransposeMatMul"])
def test_fused_matmul(op, trans_a, trans_b):
    a, b = ((2, 5, 4) if trans_a else (2, 4, 5)), ((3, 5) if trans_b else (5, 3))
    product = node(op, ["a", "b"], ["y"], transA=trans_a, transB=trans_b, alpha=0.5)
    model = model_of([product], [("a", F, ("n", *a[1:])), ("b", F, b)], [("y", F, ("n", 4, 3))])
    check(model, {"a": floats(a), "b": floats(b, 1)})


@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("batch_a,batch_b", [(1, 0), (0, 1), (1, 1)])
def test_fused_matmul_moves_batches(batch_a, batch_b, trans_a):
    """[M, B, K] as [B, M, K]."""
    a, b = np.array([2, 4, 5]), np.array([2, 5, 3])
    a = a[[0, 2, 1]] if trans_a else a
    a, b = a[[1, 0, 2]] if batch_a else a, b[[1, 0, 2]] if batch_b else b
    product = node("FusedMatMul", ["a", "b"], ["y"], transA=trans_a, transBatchA=batch_a, transBatchB=batch_b)
    model = model_of([product], [("a", F, tuple(a.tolist())), ("b", F, tuple(b.tolist()))], ["y"])
    check(model, {"a": floats(a), "b": floats(b, 1)})


ACTIVATIONS = [("Relu", {}), ("Tanh", {}), ("Sigmoid", {}), ("LeakyRelu", {"alpha": 0.3}),
               ("HardSigmoid", {"alpha": 0.3, "beta": 0.4})]


@pytest.mark.parametrize("activation,parameters", ACTIVATIONS + [("Elu", {"alpha": 0.7}), ("Softplus", {}), ("Softsign", {}),
                                                                ("ScaledTanh", {"alpha": 0.6, "beta": 0.5}),
                                                                ("ThresholdedRelu", {"alpha": 0.5})])
def test_fused_gemm(activation, parameters):
    attributes = {"activation_" + name: value for name, value in parameters.items()}
    product = node("FusedGemm", ["a", "b", "c"], ["y"], activation=activation, transB=1, alpha=0.5, beta=2.0, **attributes)
    model = model_of([product], [("a", F, ("n", 5))], ["y"], [array(floats((4, 5)), "b"), array(floats((4,), 1), "c")])
    check(model, {"a": floats((3, 5))})


@pytest.mark.parametrize("residual", [False, True], ids=["alone", "residual"])
@pytest.mark.parametrize("activation,parameters", ACTIVATIONS + [("", {}), ("Clip", {"min": -0.5, "max": 0.75})])
def test_fused_conv(activation, parameters, residual):
    attributes = {"activation": activation} if activation else {}
    if parameters:
        attributes["activation_params"] = [float(value) for value in parameters.values()]
    conv = node("FusedConv", ["x", "w", "b"] + ["z"] * residual, ["y"], pads=[1, 1, 1, 1], strides=[2, 2], **attributes)
    inputs = [("x", F, ("n", 4, "h", 9))] + [("z", F, ("n", 8, "oh", 5))] * residual
    model = model_of([conv], inputs, ["y"], [array(floats((8, 4, 3, 3)), "w"), array(floats((8,), 1), "b")])
    feed = {"x": floats((2, 4, 7, 9), 2)}
    check(model, feed | ({"z": floats((2, 8, 4, 5), 3)} if residual else {}))


def test_convolutions_with_channels_last():
    w, b, z = floats((8, 4, 3, 3)), floats((8,), 1), floats((2, 5, 6, 8), 3)
    x = floats((2, 5, 6, 4), 2)
    conv = helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=[1, 1, 1, 1])
    plain = model_of([conv], [("x", F, ("n", 4, 5, 6))], ["y"], [array(w, "w"), array(b, "b")])
    y = session_of(plain).run(None, {"x": x.transpose(0, 3, 1, 2)})[0].transpose(0, 2, 3, 1)
    for op, more, wanted in (("NhwcConv", [], y), ("NhwcFusedConv", ["z"], np.maximum(y + z, 0))):
        attributes = {"activation": "Relu"} if more else {}
        conv = node(op, ["x", "w", "b"] + more, ["y"], pads=[1, 1, 1, 1], **attributes)
        model = model_of([conv], [("x", F, ("n", 5, 6, 4))], ["y"], [array(w, "w"), array(b, "b"), array(z, "z")])
        compare(model, [{"y": wanted}], [{"x": x}], 1e-5)


def test_gemm_fast_gelu():
    x, w, b = floats((2, 3, 5)), floats((5, 4), 1), floats((4,), 2)
    y = x @ w + b
    wanted = 0.5 * y * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))
    model = model_of([node("GemmFastGelu", ["x", "w", "b"], ["y"])], [("x", F, ("n", 3, 5))], ["y"],
                     [array(w, "w"), array(b, "b")])
    compare(model, [{"y": wanted.astype(np.float32)}], [{"x": x}], 1e-5)


@pytest.mark.parametrize("constant", [True, False], ids=["constant", "input"])
def test_transposed_convolution_with_pads_as_operand(constant):
    pads = np.array([1, 0, 1, 2], np.int64)
    conv = node("ConvTransposeWithDynamicPads", ["x", "w", "p", "b"], ["y"], strides=[2, 2])
    initializers = [array(floats((4, 6, 3, 3)), "w"), array(floats((6,), 1), "b")] + [array(pads, "p")] * constant
    inputs = [("x", F, ("n", 4, 5, 6))] + [("p", TensorProto.INT64, (4,))] * (not constant)
    feed = {"x": floats((2, 4, 5, 6), 2)} | ({} if constant else {"p": pads})
    check(model_of([conv], inputs, ["y"], initializers), feed)

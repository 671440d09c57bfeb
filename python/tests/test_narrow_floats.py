"""Vectors of f16 and bf16 where the CPU has no registers for them: put together by elements, chosen, handed on by branches."""

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper

import tenon

F = TensorProto.FLOAT


def run(nodes, element, target, x):
    """The nodes lead from `a` to `b`, of the element type, between two casts."""
    nodes = [helper.make_node("Cast", ["x"], ["a"], to=element), *nodes, helper.make_node("Cast", ["b"], ["y"], to=F)]
    model = make_model(nodes, [("x", F, ["n", *x.shape[1:]])], [("y", F, None)], opset=22)
    return tenon.compile(model, target=target, threads=1).run({"x": x})["y"]


def eighths(*shape):
    return np.random.default_rng(0).integers(-16, 17, shape).astype(np.float32) / 8


@pytest.mark.parametrize("element", [TensorProto.FLOAT16, TensorProto.BFLOAT16])
@pytest.mark.parametrize("target", ["avx2", "avx512", "host"])
@pytest.mark.usefixtures("runnable")
class TestNarrowFloats:
    def test_softmax_along_columns(self, element, target):
        x = eighths(3, 4, 6)
        powers = np.exp(x.transpose(0, 2, 1))
        nodes = [helper.make_node("Transpose", ["a"], ["t"], perm=[0, 2, 1]), helper.make_node("Softmax", ["t"], ["b"], axis=1)]
        np.testing.assert_allclose(run(nodes, element, target, x), powers / powers.sum(axis=1, keepdims=True), rtol=2.0**-8)

    def test_windows_across_a_border(self, element, target):
        """Inside and across it elements are read in branches of their own."""
        x = eighths(2, 3, 4, 33)
        padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::2, ::2]
        nodes = [helper.make_node("AveragePool", ["a"], ["b"], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, count_include_pad=1)]
        np.testing.assert_allclose(run(nodes, element, target, x), windows.mean(axis=(4, 5)), rtol=2.0**-8, atol=1e-6)

    def test_scan(self, element, target):
        x = eighths(5, 3, 9)
        infos = lambda *names: [helper.make_tensor_value_info(name, element, [3, 9]) for name in names]
        body = helper.make_graph([helper.make_node("Max", ["s", "r"], ["m"]), helper.make_node("Identity", ["m"], ["o"])], "body",
                                 infos("s", "r"), infos("m", "o"))
        nodes = [helper.make_node("ReduceMin", ["a"], ["least"], keepdims=0), helper.make_node("Shape", ["a"], ["size"], start=1),
                 helper.make_node("Expand", ["least", "size"], ["start"]),
                 helper.make_node("Scan", ["start", "a"], ["last", "b"], body=body, num_scan_inputs=1)]
        np.testing.assert_array_equal(run(nodes, element, target, x), np.maximum.accumulate(x))


@pytest.mark.parametrize("element", [TensorProto.FLOAT16, TensorProto.BFLOAT16])
@pytest.mark.parametrize("size", [1, 3])
class TestDetours:
    """Numbers that are computed in f64 on their way to 16 bits: one alone, or several."""

    @pytest.mark.parametrize("operator", """Asin Acos Atan Sin Cos Tan Sinh Cosh Asinh Acosh Atanh Exp Log Erf Sqrt Tanh Sigmoid Softplus
                                            Gelu Mish Reciprocal Round Sign""".split())
    def test_functions(self, operator, element, size):
        x = np.array([[1.0], [-0.5, 0.0, 0.75]][size > 1], np.float32) + (1 if operator == "Acosh" else 0)
        narrow = run([helper.make_node(operator, ["a"], ["b"])], element, "host", x)
        model = make_model([helper.make_node(operator, ["x"], ["y"])], [("x", F, [size])], [("y", F, None)], opset=22)
        np.testing.assert_allclose(narrow, tenon.reference(model).run({"x": x})["y"], rtol=2.0**-8, atol=1e-6)

    def test_signs_of_f64(self, element, size):
        x = np.array([-7.5, 7.5, 0][:size], np.float64)
        nodes = [helper.make_node("Mod", ["x", "two"], ["m"], fmod=1), helper.make_node("Cast", ["m"], ["s"], to=F),
                 helper.make_node("Cast", ["s"], ["h"], to=element), helper.make_node("Cast", ["h"], ["y"], to=F)]
        two = helper.make_tensor("two", TensorProto.DOUBLE, [1], [2.0])
        model = make_model(nodes, [("x", TensorProto.DOUBLE, [size])], [("y", F, None)], [two], opset=22)
        np.testing.assert_array_equal(tenon.compile(model).run({"x": x})["y"], np.fmod(x, 2))

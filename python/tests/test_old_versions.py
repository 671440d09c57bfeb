"""Forms of operators from before version 7: against what they mean."""

import numpy as np
import pytest
from microsoft import array, compare, floats, model_of, node
from onnx import TensorProto

F, D = TensorProto.FLOAT, TensorProto.DOUBLE


def check(nodes, feed, wanted, initializers=(), opset=6):
    """Sizes of all that is given are fixed; of the results only the rank is stated."""
    model = model_of(nodes, [(name, F, value.shape) for name, value in feed.items()],
                     [(name, TensorProto.FLOAT if value.dtype == np.float32 else TensorProto.BOOL if value.dtype == bool else D, value.shape)
                      for name, value in wanted.items()], initializers, opset=opset)
    compare(model, [wanted], [feed], 1e-5)


@pytest.mark.parametrize("op, f", [("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply), ("Div", np.divide), ("Greater", np.greater),
                                   ("Pow", lambda a, b: np.power(np.abs(a), b))])
@pytest.mark.parametrize("axis, shape", [(1, (3, 4)), (0, (2,)), (None, (4, 5)), (None, ()), (-3, (3, 4))])
def test_broadcasting_by_axis(op, f, axis, shape):
    x, y = floats((2, 3, 4, 5)), floats(shape, 1)
    nodes = [node("Abs", ["x"], ["a"], domain=""), node(op, ["a", "y"], ["z"], domain="", broadcast=1, **({} if axis is None else {"axis": axis}))]
    first = axis if axis is not None and axis >= 0 else 1 if axis == -3 else 4 - len(shape)
    wide = y.reshape(shape + (1,) * (4 - first - len(shape)))
    check(nodes, {"x": x, "y": y}, {"z": f(np.abs(x), wide)})


def test_slopes_per_channel():
    x, slope = floats((2, 3, 4)), floats((3,), 1)
    check([node("PRelu", ["x", "s"], ["y"], domain="")], {"x": x, "s": slope}, {"y": np.where(x < 0, x * slope[:, None], x)})


@pytest.mark.parametrize("opset, attributes, training", [(6, {"is_test": 1}, False), (6, {"is_test": 0}, True), (9, {}, True), (15, {"training_mode": 1}, True)])
def test_batch_normalization(opset, attributes, training):
    x, scale, bias, mean, variance = floats((4, 3, 5)), floats((3,), 1), floats((3,), 2), floats((3,), 3), np.abs(floats((3,), 4))
    m, v = (x.mean((0, 2)), x.var((0, 2))) if training else (mean, variance)
    spread = lambda s: s[:, None]
    wanted = {"y": (x - spread(m)) / np.sqrt(spread(v) + np.float32(1e-5)) * spread(scale) + spread(bias)}
    if training:
        wanted |= {"m": mean * np.float32(0.9) + m * np.float32(0.1), "v": variance * np.float32(0.9) + v * np.float32(0.1)}
    check([node("BatchNormalization", ["x", "scale", "b", "mean", "variance"], list(wanted), domain="", **attributes)],
          {"x": x, "scale": scale, "b": bias, "mean": mean, "variance": variance}, wanted, opset=opset)


def test_statistics_per_element():
    x, scale, bias, mean, variance = floats((4, 3, 5)), floats((3, 5), 1), floats((3, 5), 2), floats((3, 5), 3), np.abs(floats((3, 5), 4))
    check([node("BatchNormalization", ["x", "scale", "b", "mean", "variance"], ["y"], domain="", is_test=1, spatial=0)],
          {"x": x, "scale": scale, "b": bias, "mean": mean, "variance": variance},
          {"y": (x - mean) / np.sqrt(variance + np.float32(1e-5)) * scale + bias})


def test_attributes_that_became_operands():
    x = floats((1, 2, 3, 4))
    nodes = [node("Pad", ["x"], ["p"], domain="", paddings=[0, 0, 1, 0, 0, 0, 0, 2], value=3.0), node("Reshape", ["p"], ["r"], domain="", shape=[1, 2, 0, -1]),
             node("Tile", ["r", "n", "a"], ["t"], domain=""), node("Upsample", ["t"], ["u"], domain="", height_scale=2.0, width_scale=1.0),
             node("Concat", ["u", "u"], ["c"], domain=""), node("Cast", ["c"], ["y"], domain="", to="DOUBLE")]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 0), (0, 2)), constant_values=3)
    big = np.repeat(np.tile(padded, (1, 3, 1, 1)), 2, 2)
    check(nodes, {"x": x}, {"y": np.concatenate([big, big], 1).astype(np.float64)},
          [array(np.array(3, np.float32), "n"), array(np.array(1, np.float32), "a")], opset=1)


def test_first_forms_of_activations():
    x = floats((3, 4))
    bend = lambda alpha: np.where(x < 0, np.expm1(x) * np.float32(alpha), x)
    for op, wanted in (("Selu", bend(1.6732) * np.float32(1.0507)), ("Elu", bend(1)), ("Clip", x), ("LeakyRelu", np.where(x < 0, x * np.float32(0.01), x))):
        check([node(op, ["x"], ["y"], domain="")], {"x": x}, {"y": wanted.astype(np.float32)}, opset=1)

"""Discrete Fourier transforms and what belongs to them: against NumPy, ONNX Runtime and the standard's reference."""

import numpy as np
import pytest
from microsoft import array, check, compare, floats, model_of, node
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

F, F64, I64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64


def check_reference(model, *feeds, tolerance=1e-5):
    names = [output.name for output in model.graph.output]
    evaluator = ReferenceEvaluator(model)
    compare(model, [dict(zip(names, evaluator.run(None, feed))) for feed in feeds], feeds, tolerance)


def transform(parts, opset=20, axis=None, length=None, shape=("n", "l"), **attributes):
    inputs, constants = ["x", "", ""], []
    if length is not None:
        inputs[1] = "length"
        constants.append(array(np.array(length), "length"))
    if opset >= 20 and axis is not None:
        inputs[2] = "axis"
        constants.append(array(np.array(axis), "axis"))
    elif axis is not None:
        attributes["axis"] = axis
    while not inputs[-1]:
        inputs.pop()
    out = tuple(f"o{i}" for i in range(len(shape)))
    return model_of([node("DFT", inputs, ["y"], domain="", **attributes)], [("x", F, (*shape, parts))], [("y", F, (*out, "p"))], constants,
                    opset=opset)


@pytest.mark.parametrize("inverse, onesided, parts", [(0, 0, 1), (0, 0, 2), (0, 1, 1), (1, 0, 2), (1, 0, 1)])
@pytest.mark.parametrize("length", [None, 6, 15])
def test_transform(inverse, onesided, parts, length):
    model = transform(parts, inverse=inverse, onesided=onesided, length=length)
    check_reference(model, {"x": floats((3, 8, parts))}, {"x": floats((1, 11, parts))})


@pytest.mark.parametrize("length", [None, 8, 9])
def test_transform_back_to_real_numbers(length):
    compare(transform(2, inverse=1, onesided=1, length=length), [{"y": np.fft.irfft(x[..., 0] + 1j * x[..., 1], length, axis=1)[..., None].astype(np.float32)}
            for x in (floats((3, 5, 2)), floats((2, 7, 2)))], [{"x": floats((3, 5, 2))}, {"x": floats((2, 7, 2))}], 1e-5)


@pytest.mark.parametrize("opset, axis", [(17, 1), (17, 0), (17, 2), (20, 0), (20, 1), (20, -2)])
def test_axes_of_a_transform(opset, axis):
    check(transform(2, opset, axis, shape=("a", "b", "c")), {"x": floats((4, 5, 6, 2))})


@pytest.mark.parametrize("length", [512, 521, 1024, 2310])
@pytest.mark.parametrize("onesided, parts", [(0, 2), (1, 1)])
def test_long_transforms(length, onesided, parts):
    """Of a length that is known, those with factors in steps; errors are those of single precision."""
    x = floats((2, length, parts))
    wanted = np.fft.fft(x[..., 0] if parts == 1 else x[..., 0] + 1j * x[..., 1], axis=1)
    wanted = wanted[:, : length // 2 + 1] if onesided else wanted
    wanted = np.stack([wanted.real, wanted.imag], -1).astype(np.float32)
    compare(transform(parts, shape=(2, length), onesided=onesided), [{"y": wanted}], [{"x": x}], 2e-6 * length**0.5 * 4)


@pytest.mark.parametrize("length, step", [(16, 5), (600, 100)])
@pytest.mark.parametrize("onesided, parts", [(1, 1), (0, 1), (0, 2)])
@pytest.mark.parametrize("windowed", [True, False])
def test_frames(length, step, onesided, parts, windowed):
    constants = [array(np.array(step), "step"), array(np.array(length), "length")]
    inputs = ["x", "step", "window" if windowed else "", "length"]
    if windowed:
        constants.append(array(np.hanning(length).astype(np.float32), "window"))
    model = model_of([node("STFT", inputs, ["y"], domain="", onesided=onesided)], [("x", F, ("n", "l", parts))], [("y", F, ("n", "f", "b", 2))], constants)
    # ONNX Runtime's own error is 1e-2 where a length is no power of two.
    check_reference(model, {"x": floats((2, length + 3 * step + 1, parts))}, {"x": floats((1, length, parts))})


def test_frames_of_a_length_that_is_data():
    model = model_of([node("STFT", ["x", "step", "window"], ["y"], domain="")], [("x", F, (1, "l", 1)), ("step", I64, ()), ("window", F, ("w",))],
                     [("y", F, (1, "f", "b", 2))])
    check(model, *[{"x": floats((1, 40, 1)), "step": np.array(step), "window": np.hanning(w).astype(np.float32)} for step, w in ((3, 9), (8, 16))])


@pytest.mark.parametrize("bands, length, rate, low, high", [(8, 16, 8192, 0, 4096), (80, 400, 16000, 0, 8000), (20, 512, 44100, 300, 12000)])
def test_mel_weights(bands, length, rate, low, high):
    constants = [array(np.array(bands), "b"), array(np.array(length), "l"), array(np.array(rate), "r")]
    model = model_of([node("MelWeightMatrix", ["b", "l", "r", "low", "high"], ["y"], domain="")], [("low", F, ()), ("high", F, ())],
                     [("y", F, ("f", bands))], constants)
    check(model, {"low": np.array(low, np.float32), "high": np.array(high, np.float32)})


@pytest.mark.parametrize("shape", [(3, 3), (2, 1, 1), (4, 2, 2), (2, 2, 6, 6)])
def test_determinant(shape):
    model = model_of([node("Det", ["x"], ["y"], domain="")], [("x", F, tuple(f"d{i}" for i in range(len(shape) - 2)) + ("n", "n"))],
                     [("y", F, tuple(f"o{i}" for i in range(len(shape) - 2)))])
    singular = floats(shape)
    singular[..., -1, :] = singular[..., 0, :]
    triangle = np.broadcast_to(np.triu(np.ones(shape[-2:], np.float32))[::-1], shape).copy()
    check_reference(model, {"x": floats(shape)}, {"x": triangle}, tolerance=1e-4)
    check_reference(model, {"x": singular}, {"x": np.zeros(shape, np.float32)}, tolerance=1e-4)

"""ONNX Runtime's operators on quantised numbers, against ONNX Runtime, or numpy where it has no kernel for CPUs."""

import itertools

import numpy as np
import pytest
import tenon
from forms import Forms
from microsoft import floats
from onnx import TensorProto as T

TYPES = {"u8": np.uint8, "i8": np.int8}


def integers(shape, dtype, seed=0):
    """All of the range, its ends too."""
    info = np.iinfo(dtype)
    values = np.random.default_rng(seed).integers(info.min, info.max + 1, shape)
    values.flat[:2] = [info.min, info.max][: values.size]
    return values.astype(dtype)


def middle(dtype, offset=0):
    """A zero point."""
    return np.asarray((128 if dtype == np.uint8 else 0) + offset, dtype)


def scalar(value):
    return np.float32(value)


@pytest.fixture(params=TYPES.values(), ids=TYPES)
def dtype(request):
    return request.param


@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
def test_sums_and_products(op, dtype):
    forms = Forms()
    scale = 0.031 if op == "QLinearAdd" else 0.7  # some results saturate
    a, row, single = (forms.input(integers(shape, dtype, i), sizes) for i, (shape, sizes) in enumerate(
        [((3, 5, 37), ("n", 5, 37)), ((5, 37), None), ((1,), None)]))
    other = forms.input(integers((3, 5, 37), dtype, 7), ("n", 5, 37))
    constant = forms.constant(integers((37,), dtype, 8))
    scales = [forms.constant(scalar(value)) for value in (0.021, 0.013, scale)]
    zeros = [forms.constant(middle(dtype, offset)) for offset in (-3, 5, 11)]
    run_time = forms.input(np.float32(0.017))
    for name, b in {"same": other, "row": row, "single": single, "constant": constant}.items():
        forms.add(name, op, [a, scales[0], zeros[0], b, scales[1], zeros[1], scales[2], zeros[2]])
        forms.add(name + "_first", op, [b, scales[0], zeros[0], a, scales[1], zeros[1], scales[2], zeros[2]])
    forms.add("run_time_scale", op, [a, run_time, zeros[0], other, scales[1], zeros[1], scales[2], zeros[2]])
    # Products and sums may be fused, which rounds once less.
    forms.check(rounded=0.01)


@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
def test_zero_points_left_out(op, dtype):
    """ONNX Runtime's schema allows it, its type inference doesn't."""
    def forms_with(zero):
        forms = Forms()
        a, b = forms.input(integers((5, 37), dtype), ("n", 37)), forms.input(integers((5, 37), dtype, 1), ("n", 37))
        scales = [forms.constant(scalar(value)) for value in (0.021, 0.013, 0.035)]
        zero = forms.constant(np.asarray(0, dtype)) if zero else ""
        forms.add("none", op, [a, scales[0], zero, b, scales[1], zero, scales[2], zero])
        forms.add("one", op, [a, scales[0], zero, b, scales[1], forms.constant(middle(dtype)), scales[2], zero])
        return forms
    forms_with(zero=False).check(forms_with(zero=True).expected(), rounded=0.01)


def test_functions(dtype):
    forms = Forms()
    x = forms.input(integers((2, 3, 7, 37), dtype), ("n", 3, "h", 37))
    scale, one, unit, zero, low = (forms.constant(value) for value in (
        scalar(0.05), scalar(1), scalar(1 / 256), middle(dtype, 3), np.asarray(np.iinfo(dtype).min, dtype)))
    vectors = [forms.constant(np.array([value], np.float32)) for value in (0.05, 1 / 256)]
    forms.add("sigmoid", "QLinearSigmoid", [x, scale, zero, unit, low])
    forms.add("sigmoid_vectors", "QLinearSigmoid", [x, vectors[0], zero, vectors[1], low])
    forms.add("sigmoid_no_zero", "QLinearSigmoid", [x, scale, "", unit, ""])
    forms.add("leaky", "QLinearLeakyRelu", [x, scale, zero, scale, zero], alpha=0.3)
    forms.add("leaky_default", "QLinearLeakyRelu", [x, scale, zero, forms.constant(scalar(0.02)), zero])
    for opset, axis in [(11, 1), (11, -1), (13, 1), (13, -1), (13, 3)]:
        forms.add(f"softmax_{opset}_{axis}", "QLinearSoftmax", [x, scale, zero, unit, low], opset=opset, axis=axis)
    forms.add("softmax_default", "QLinearSoftmax", [x, one, "", unit, low], opset=13)
    expected = forms.expected()
    if dtype == np.int8:  # ONNX Runtime wraps a probability of 1 to the least number
        for name in [name for name in expected if name.startswith("softmax")]:
            expected[name] = np.where((expected[name] == -128) & (forms_softmax(forms, name) > 0.9), 127, expected[name])
            expected[name] = expected[name].astype(np.int8)
    forms.check(expected, rounded=0.01)


def forms_softmax(forms, name):
    x = forms.feed["x0"].astype(np.float64) * (1 if name == "softmax_default" else 0.05)
    _, opset, axis = (name + "_-1").replace("default", "13").split("_")[:3]
    axes = tuple(range(int(axis) % 4, 4)) if int(opset) < 13 else int(axis)
    exponentials = np.exp(x - x.max(axes, keepdims=True))
    return exponentials / exponentials.sum(axes, keepdims=True)


def test_choice_and_concatenation(dtype):
    forms = Forms()
    x, y = forms.input(integers((2, 3, 9), dtype), ("n", 3, "m")), forms.input(integers((2, 3, 9), dtype, 1), ("n", 3, "m"))
    row = forms.input(integers((9,), dtype, 2), ("m",))
    condition = forms.input(np.random.default_rng(0).integers(0, 2, (3, 9)).astype(bool), (3, "m"))
    scales = [forms.constant(scalar(value)) for value in (0.03, 0.02, 0.04)]
    zeros = [forms.constant(middle(dtype, offset)) for offset in (-5, 4, 1)]
    of = list(zip(scales, zeros))
    forms.add("where", "QLinearWhere", [condition, x, *of[0], y, *of[1], *of[2]])
    forms.add("where_row", "QLinearWhere", [condition, x, *of[0], row, *of[1], *of[0]])
    for axis in (0, 1, -1):
        forms.add(f"concat_{axis}", "QLinearConcat", [*of[0], x, *of[0], y, *of[1], x, *of[2]], axis=axis)
    forms.add("concat_one", "QLinearConcat", [*of[1], x, *of[0]], axis=1)
    forms.check()


def test_means(dtype):
    forms = Forms()
    scales = [forms.constant(scalar(value)) for value in (0.03, 0.011)]
    zeros = [forms.constant(middle(dtype, offset)) for offset in (-5, 4)]
    parameters = [scales[0], zeros[0], scales[1], zeros[1]]
    x = forms.input(integers((2, 5, 7, 9), dtype), ("n", 5, "h", "w"))
    line = forms.input(integers((2, 5, 13), dtype, 1), ("n", 5, "t"))
    cube = forms.input(integers((2, 3, 5, 6, 7), dtype, 2))
    for name, operand in {"line": line, "image": x, "cube": cube}.items():
        for last in (0, 1):
            forms.add(f"global_{name}_{last}", "QLinearGlobalAveragePool", [operand, *parameters], channels_last=last)
    pools = {"plain": dict(), "strides": dict(strides=[2, 3]), "pads": dict(pads=[1, 0, 2, 1], strides=[2, 2]),
             "counted": dict(pads=[1, 1, 1, 1], count_include_pad=1), "ceil": dict(ceil_mode=1, strides=[2, 2]),
             "valid": dict(auto_pad="VALID")}
    for (name, attributes), last in itertools.product(pools.items(), (0, 1)):
        forms.add(f"pool_{name}_{last}", "QLinearAveragePool", [x, *parameters], kernel_shape=[3, 2], channels_last=last,
                  **attributes)
    forms.add("pool_same", "QLinearAveragePool", [cube, *parameters], kernel_shape=[2, 3, 2], auto_pad="SAME_UPPER")
    forms.add("pool_line", "QLinearAveragePool", [line, *parameters], kernel_shape=[4], strides=[3])
    forms.check(rounded=0.01)


@pytest.mark.parametrize("axes,keep", [([1], 1), ([0, 2], 0), ([-1], 1), ([0, 1, 2], 0)])
def test_mean_along_axes(dtype, axes, keep):
    forms = Forms()
    values = integers((2, 5, 13), dtype)
    x = forms.input(values, ("n", 5, "t"))
    parameters = [forms.constant(value) for value in (scalar(0.03), middle(dtype, -5), scalar(0.011), middle(dtype, 4))]
    forms.add("y", "QLinearReduceMean", [x, *parameters], axes=axes, keepdims=keep)
    mean = ((values.astype(np.float64) - float(middle(dtype, -5))) * 0.03).mean(tuple(axes), keepdims=bool(keep))
    info = np.iinfo(dtype)
    expected = np.clip(np.rint(mean / 0.011) + float(middle(dtype, 4)), info.min, info.max).astype(dtype)
    forms.check({"y": expected})


def test_channels_last(dtype):
    forms = Forms()
    x = forms.input(integers((2, 9, 8, 6), dtype), ("n", "h", 8, 6))
    for name, attributes in {"plain": dict(), "pads": dict(pads=[1, 1, 1, 1], strides=[2, 1]),
                             "dilations": dict(dilations=[2, 2])}.items():
        forms.add("max_" + name, "NhwcMaxPool", [x], kernel_shape=[3, 3], **attributes)
    # Seven bits of weights: ONNX Runtime's kernels for AVX2 saturate sums of two products in 16 bits.
    w = np.random.default_rng(1).integers(-63, 64, (10, 3, 3, 3)).astype(np.int8)
    scales = np.random.default_rng(2).uniform(0.01, 0.02, 10).astype(np.float32)
    parameters = [forms.constant(value) for value in (scalar(0.02), middle(dtype, 3), w, scales, np.zeros(10, np.int8),
                                                      scalar(0.1), middle(dtype, -3))]
    bias = forms.constant(np.arange(-500, 500, 100, dtype=np.int32))
    forms.add("conv", "QLinearConv", [x, *parameters, bias], channels_last=1, group=2, pads=[1, 1, 1, 1])
    forms.add("conv_strides", "QLinearConv", [x, *parameters], channels_last=1, group=2, strides=[2, 2])
    forms.check()


def product_operands(dtype, weights):
    random = np.random.default_rng(3)
    w = random.integers(0, 128, (24, 20)) if weights == np.uint8 else random.integers(-63, 64, (24, 20))
    return integers((6, 24), dtype), w.astype(weights)


@pytest.mark.parametrize("weights", TYPES.values(), ids=TYPES)
def test_gemm(dtype, weights):
    if dtype == np.int8 and weights == np.uint8:
        weights = np.int8
    forms = Forms()
    a, b = product_operands(dtype, weights)
    x, turned = forms.input(a, ("n", 24)), forms.input(a.T, (24, "n"))
    w, w_turned = forms.constant(b), forms.constant(np.ascontiguousarray(b.T))
    a_scale, a_zero, b_scale, b_zero = (forms.constant(v) for v in (scalar(0.02), middle(dtype, 3), scalar(0.01),
                                                                    np.asarray(2, weights)))
    columns = [forms.constant(np.linspace(0.004, 0.02, 20, dtype=np.float32)), forms.constant(np.arange(20).astype(weights))]
    y = [forms.constant(scalar(0.2)), forms.constant(middle(dtype, -3))]
    biases = {name: forms.constant(np.random.default_rng(4).integers(-900, 900, shape).astype(np.int32))
              for name, shape in {"scalar": (), "row": (20,), "matrix": (1, 20), "column": (6, 1)}.items()}
    forms.add("plain", "QGemm", [x, a_scale, a_zero, w, b_scale, b_zero, "", *y])
    forms.add("columns", "QGemm", [x, a_scale, a_zero, w, *columns, "", *y])
    forms.add("float", "QGemm", [x, a_scale, a_zero, w, b_scale, b_zero, biases["row"]])
    forms.add("float_columns", "QGemm", [x, a_scale, a_zero, w, *columns], alpha=0.5)
    forms.add("turned", "QGemm", [turned, a_scale, a_zero, w_turned, b_scale, b_zero, biases["row"], *y], transA=1, transB=1)
    forms.add("alpha", "QGemm", [x, a_scale, a_zero, w_turned, b_scale, b_zero, biases["row"], *y], alpha=1.5, transB=1)
    for name, bias in biases.items():
        forms.add("bias_" + name, "QGemm", [x, a_scale, a_zero, w, b_scale, b_zero, bias, *y])
    forms.check(rounded=0.01)


@pytest.mark.parametrize("weights", TYPES.values(), ids=TYPES)
def test_products_in_floating_point(weights):
    forms = Forms()
    a, b = product_operands(np.uint8, weights)
    x, stack = forms.input(a, ("n", 24)), forms.input(np.stack([a, a[::-1]]), (2, "n", 24))
    w = forms.constant(b)
    a_scale, a_zero, b_scale, b_zero, bias = (forms.constant(v) for v in (
        scalar(0.02), np.uint8(131), scalar(0.01), np.asarray(2, weights), floats((20,))))
    columns = [forms.constant(np.linspace(0.004, 0.02, 20, dtype=np.float32)), forms.constant(np.arange(20).astype(weights))]
    op = "MatMulIntegerToFloat"
    forms.add("plain", op, [x, w, a_scale, b_scale])
    forms.add("zeros", op, [x, w, a_scale, b_scale, a_zero, b_zero, bias])
    forms.add("columns", op, [stack, w, a_scale, columns[0], a_zero, columns[1], bias])
    forms.add("one_zero", op, [x, w, a_scale, b_scale, "", b_zero])
    rows = forms.input(floats((2, 5, 24)), (2, "rows", 24))
    op = "DynamicQuantizeMatMul"
    forms.add("dynamic", op, [rows, w, b_scale])
    forms.add("dynamic_zero", op, [rows, w, b_scale, b_zero, bias])
    forms.add("dynamic_columns", op, [rows, w, *columns])
    forms.add("of_zeros", op, [forms.input(np.zeros((3, 24), np.float32)), w, b_scale, b_zero, bias])
    forms.add("of_positives", op, [forms.input(floats((3, 24)) ** 2 + 1), w, b_scale, b_zero])
    forms.check()


def test_products_of_signed_numbers():
    forms = Forms()
    a, b = product_operands(np.int8, np.int8)
    operands = [forms.input(a, ("n", 24)), *(forms.constant(v) for v in (b, scalar(0.02), scalar(0.01), np.int8(-7)))]
    forms.add("y", "MatMulIntegerToFloat", operands)
    forms.check()


def test_arithmetic_on_integers(dtype):
    forms = Forms()
    a, b = integers((2, 3, 17), dtype), integers((17,), dtype, 1)
    x, y = forms.input(a, ("n", 3, 17)), forms.input(b)
    zeros = [np.asarray(3, dtype), np.asarray(7, dtype)]
    forms.add("mul", "MulInteger", [x, forms.constant(zeros[0]), y, forms.constant(zeros[1])])
    forms.add("mul_no_zero", "MulInteger", [x, "", y])
    forms.add("sum", "ReduceSumInteger", [x], axes=[0, 2], keepdims=0)
    forms.add("sum_kept", "ReduceSumInteger", [x], axes=[-1], keepdims=1)
    wide, result = a.astype(np.int32), np.uint32 if dtype == np.uint8 else np.int32
    forms.check({"mul": (wide - 3) * (b.astype(np.int32) - 7), "mul_no_zero": wide * b,
                 "sum": wide.sum((0, 2)).astype(result), "sum_kept": wide.sum(-1, keepdims=True).astype(result)})


def test_products_of_16_bits():
    forms = Forms()
    a = np.random.default_rng(0).integers(-300, 300, (2, 5, 24)).astype(np.int16)
    forms.add("y", "MatMulInteger16", [forms.input(a, ("n", 5, 24)), forms.constant(a[0].T.copy())])
    forms.check()


@pytest.mark.parametrize("type,size", [(T.UINT8, 255), (T.INT8, 127), (T.UINT16, 65535), (T.INT16, 32767), (T.UINT4, 15),
                                       (T.INT4, 7)], ids=["u8", "i8", "u16", "i16", "u4", "i4"])
def test_quantize_and_dequantize(type, size):
    """In ONNX Runtime's domain since before the standard had types of 16 and 4 bits."""
    forms = Forms()
    x = forms.input(floats((3, 4, 33)) * 9, ("n", 4, 33))
    one, many = np.float32(30 / size), np.linspace(10 / size, 40 / size, 4, dtype=np.float32)
    zero, zeros = (3 if size in (15, 255, 65535) else -2), [1, 2, 0, 3]
    for name, scale, offset, attributes in [("one", one, zero, {}), ("axis", many, zeros, dict(axis=1)),
                                            ("axis_back", many, zeros, dict(axis=-2))]:
        scale, offset = forms.constant(scale), forms.constant(offset, type)
        forms.add("q_" + name, "QuantizeLinear", [x, scale, offset], **attributes)
        forms.outputs.pop()
        forms.add("y_" + name, "DequantizeLinear", ["q_" + name, scale, offset], **attributes)
        forms.add("z_" + name, "DequantizeLinear", ["q_" + name, scale], **attributes)
    forms.add("u8", "QuantizeLinear", [x, forms.constant(one)])
    forms.check()


def test_dequantize_accumulators():
    forms = Forms()
    x = forms.input(np.random.default_rng(0).integers(-(2**20), 2**20, (5, 7)).astype(np.int32), ("n", 7))
    forms.add("y", "DequantizeLinear", [x, forms.constant(scalar(0.001))])
    forms.check()


def lstm_operands(forms, directions, hidden, size, dtype, columns):
    random = np.random.default_rng(5)
    low, high, zero = (0, 255, 128) if dtype == np.uint8 else (-63, 64, 0)
    shape = (directions, 4 * hidden) if columns else (directions,)
    w = forms.constant(random.integers(low, high, (directions, size, 4 * hidden)).astype(dtype))
    r = forms.constant(random.integers(low, high, (directions, hidden, 4 * hidden)).astype(dtype))
    scales = [forms.constant(random.uniform(0.002, 0.006, shape).astype(np.float32)) for _ in range(2)]
    zeros = forms.constant(np.full(shape, zero, dtype))
    return [w, r], [scales[0], zeros, scales[1], zeros]


@pytest.mark.parametrize("columns", [False, True], ids=["one", "columns"])
def test_lstm(dtype, columns):
    hidden, size = 10, 7
    forms = Forms()
    random = np.random.default_rng(6)
    x = forms.input(floats((5, 3, size)), ("t", "batch", size))
    lengths = forms.input(np.array([5, 2, 4], np.int32), ("batch",))
    for direction in ("forward", "reverse", "bidirectional"):
        d = 2 if direction == "bidirectional" else 1
        weights, parameters = lstm_operands(forms, d, hidden, size, dtype, columns)
        bias, peepholes = (forms.constant((0.1 * random.standard_normal((d, n * hidden))).astype(np.float32)) for n in (8, 3))
        states = [forms.input(floats((d, 3, hidden), i), (d, "batch", hidden)) for i in (1, 2)]
        add = lambda name, operands, **more: forms.add(f"{direction}_{name}", "DynamicQuantizeLSTM", operands,
                                                       hidden_size=hidden, direction=direction, **more)
        add("plain", [x, *weights, "", "", "", "", "", *parameters])
        add("cell", [x, *weights, bias, "", *states, peepholes, *parameters], results=3, clip=0.3)
        add("lengths", [x, *weights, bias, lengths, *states, "", *parameters], results=2)
        add("coupled", [x, *weights, bias, "", "", "", "", *parameters], input_forget=1,
            activations=["HardSigmoid", "Relu", "Softsign"] * d)
    # A state that differs in the last bits may be quantised to the next number.
    forms.check(tolerance=0.02)


@pytest.mark.parametrize("op,operands,attributes,message", [
    ("QLinearAdd", [np.float32([1]), np.float32(1), None, np.uint8([1]), np.float32(1), None, np.float32(1)], {},
     "expects integers as operand 0"),
    ("QLinearAdd", [np.uint8([1]), np.float32([1, 2]), None, np.uint8([1]), np.float32(1), None, np.float32(1)], {},
     "expects one element in operand 1"),
    ("QLinearMul", [np.uint8([1]), np.float32(1), None, np.uint8([1])], {}, "expects operand 4"),
    ("QLinearMul", [np.uint8([1, 2]), np.float32(1), None, np.uint8([1, 2, 3]), np.float32(1), None, np.float32(1)], {},
     "cannot broadcast sizes 2 and 3"),
    ("QLinearSigmoid", [np.uint8([1]), np.int32(1), None, np.float32(1)], {}, "expects a floating-point scale"),
    ("QLinearSoftmax", [np.uint8([1]), np.float32(1), None, np.float32(1), np.uint8(0)], {}, "attribute 'opset'"),
    ("QLinearConcat", [np.float32(1), np.uint8(0), np.uint8([1]), np.float32(1)], {"axis": 0}, "has 4 operands"),
    ("QGemm", [np.uint8([1]), np.float32(1), np.uint8(0), np.uint8([[1]]), np.float32(1), np.uint8(0)], {},
     "expects matrices"),
    ("QGemm", [np.uint8([[1]]), np.float32(1), np.uint8(0), np.uint8([[1]]), np.float32(1), np.uint8(0), None,
               np.float32(1)], {}, "or neither"),
    ("MatMulIntegerToFloat", [np.uint8([[1]]), np.uint8([[1]]), np.float32([1, 2]), np.float32(1)], {},
     "expects one scale of the first operand"),
    ("QLinearGlobalAveragePool", [np.uint8([[1]]), np.float32(1), np.uint8(0), np.float32(1), np.uint8(0)], {},
     "expects an operand of rank 3 or more"),
    ("DynamicQuantizeLSTM", [np.zeros((1, 1, 2), np.float32), np.zeros((1, 2, 4), np.uint8)], {}, "expects operand 2"),
    ("DynamicQuantizeLSTM", [np.zeros((1, 1, 2), np.float32), np.zeros((1, 2, 4), np.uint8), np.zeros((1, 1, 4), np.uint8),
                             None, None, None, None, None, np.float32([1, 2]), np.uint8([0]), np.float32([1]),
                             np.uint8([0])], {}, "operand 8 has"),
    ("QOrderedMatMul", [np.int8([[1]])], {}, "cublasLt"),
    ("QuantizeBFP", [np.float32([1])], {}, "ONNX doesn't define"),
    ("MatMulFpQ4", [np.float32([1])], {}, "quantise to MatMulNBits instead"),
])
def test_errors_name_the_node(op, operands, attributes, message):
    forms = Forms()
    names = ["" if value is None else forms.constant(value) for value in operands]
    forms.add("broken", op, names, **attributes)
    with pytest.raises(tenon.CompileError) as error:
        tenon.compile(forms.model())
    assert message in str(error.value) and "broken" in str(error.value) and op in str(error.value)


@pytest.mark.parametrize("weights", TYPES.values(), ids=TYPES)
def test_attention(weights):
    batch, length, heads, size, past = 2, 5, 2, 8, 3
    forms, width = Forms(), heads * size
    random = np.random.default_rng(8)
    x = forms.input(integers((batch, length, 12), np.uint8), ("batch", "length", 12))
    low, zero = (0, 60) if weights == np.uint8 else (-63, 0)
    w = forms.constant(random.integers(low, low + 127, (12, 3 * width)).astype(weights))
    bias, x_scale, x_zero = (forms.constant(v) for v in (floats((3 * width,), 1) * 0.3, scalar(0.01), np.uint8(120)))
    one = [forms.constant(scalar(0.02)), forms.constant(np.asarray(zero, weights))]
    columns = [forms.constant(random.uniform(0.01, 0.03, 3 * width).astype(np.float32)),
               forms.constant(np.full(3 * width, zero, weights))]
    lengths = forms.input(np.array([3, 5], np.int32), ("batch",))
    cache = forms.input(floats((2, batch, heads, past, size), 2), (2, "batch", heads, "past", size))
    seen = forms.input(random.integers(0, 2, (batch, past + length)).astype(np.int32), ("batch", "all"))
    for name, (scale, zeros) in {"one": one, "columns": columns}.items():
        forms.add(name, "QAttention", [x, w, bias, x_scale, scale, "", x_zero, zeros], num_heads=heads)
    forms.add("no_zeros", "QAttention", [x, w, bias, x_scale, one[0]], num_heads=heads, scale=0.2)
    forms.add("lengths", "QAttention", [x, w, bias, x_scale, one[0], lengths, x_zero, one[1]], num_heads=heads)
    forms.add("causal", "QAttention", [x, w, bias, x_scale, one[0], "", x_zero, one[1]], num_heads=heads, unidirectional=1)
    forms.add("present", "QAttention", [x, w, bias, x_scale, one[0], "", x_zero, one[1], cache], num_heads=heads,
              unidirectional=1, results=2)
    forms.add("seen", "QAttention", [x, w, bias, x_scale, one[0], seen, x_zero, one[1], cache], num_heads=heads, results=2)
    forms.outputs += ["present_0", "seen_0"]
    forms.check(tolerance=1e-4)


@pytest.mark.parametrize("segments", [True, False], ids=["segments", "plain"])
def test_embedding(dtype, segments):
    forms = Forms()
    random = np.random.default_rng(9)
    ids = forms.input(random.integers(0, 20, (2, 5)).astype(np.int32), ("batch", "length"))
    kinds = forms.input(random.integers(0, 2, (2, 5)).astype(np.int32), ("batch", "length")) if segments else ""
    mask = forms.input(np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32), ("batch", "length"))
    tables = [forms.constant(integers(shape, dtype, i)) for i, shape in enumerate([(20, 16), (8, 16), (2, 16), (16,), (16,)])]
    scales = [forms.constant(scalar(value)) for value in (0.01, 0.02, 0.03, 0.01, 0.02)]
    zeros = [forms.constant(middle(dtype, offset)) for offset in (-2, 3, 5, -7, 0)]
    if not segments:
        tables[2] = scales[2] = zeros[2] = ""
    for name, operand in {"counted": mask, "plain": ""}.items():
        forms.add(name, "QEmbedLayerNormalization", [ids, kinds, *tables, operand, *scales, *zeros], epsilon=1e-5)
        forms.nodes[-1].output.append(name + "_count")
        forms.outputs.append(name + "_count")
    forms.check(tolerance=1e-4)

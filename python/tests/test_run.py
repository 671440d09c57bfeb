"""Inputs and outputs of a run: sizes, dtypes, strides, names, threads."""

import threading

import ml_dtypes
import numpy as np
import pytest
import tenon
from conftest import make_binary, make_model
from onnx import TensorProto, helper, numpy_helper


def ramp(*shape, dtype=np.float32):
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape).astype(dtype)


def test_batch_is_dynamic(add):
    model = tenon.compile(add)
    for batch in (3, 1, 64, 0, 3):
        a = ramp(batch, 4)
        c = model.run({"a": a, "b": 2 * a})["c"]
        assert c.dtype == np.float32 and c.shape == (batch, 4)
        np.testing.assert_array_equal(c, 3 * a)


def test_describes_inputs_and_outputs(add):
    model = tenon.compile(add)
    assert model.inputs == [("a", np.float32, ("batch", 4), "tensor", None), ("b", np.float32, ("batch", 4), "tensor", None)]
    assert model.outputs == [("c", np.float32, ("batch", 4), "tensor", None)]
    assert "a: float32[batch, 4]" in repr(model)


def test_call_by_position_and_name(add):
    model = tenon.compile(add)
    a = ramp(2, 4)
    np.testing.assert_array_equal(model(a, a), 2 * a)
    np.testing.assert_array_equal(model(a, b=a), 2 * a)
    with pytest.raises(TypeError, match="'a' is given twice"):
        model(a, a=a)
    with pytest.raises(TypeError, match="has 2 inputs, got 3"):
        model(a, a, a)


def test_outputs_belong_to_the_caller(add):
    model = tenon.compile(add)
    one = np.ones((2, 4), np.float32)
    first = model(one, one)
    model(5 * one, one)
    np.testing.assert_array_equal(first, 2 * one)


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(lambda: ramp(4, 6).T, id="transposed"),
        pytest.param(lambda: ramp(12, 8)[::2, ::2], id="stepped"),
        pytest.param(lambda: ramp(6, 8)[:, 2:6], id="columns"),
        pytest.param(lambda: ramp(12, 4)[::2], id="rows"),
        pytest.param(lambda: ramp(6, 4)[::-1], id="reversed rows"),
        pytest.param(lambda: ramp(6, 4)[:, ::-1], id="reversed columns"),
        pytest.param(lambda: np.broadcast_to(ramp(4), (6, 4)), id="broadcast rows"),
        pytest.param(lambda: np.broadcast_to(ramp(6, 1), (6, 4)), id="broadcast columns"),
        pytest.param(lambda: np.frombuffer(b"x" + ramp(6, 4).tobytes(), "f4", offset=1).reshape(6, 4), id="misaligned"),
        pytest.param(lambda: ramp(6, 4).astype(">f4"), id="big endian"),
    ],
)
def test_any_strides(add, view):
    a = view()
    np.testing.assert_array_equal(tenon.compile(add)(a, np.ones((6, 4), np.float32)), a.astype(np.float32) + 1)


@pytest.mark.parametrize(
    "element, dtype",
    [
        (TensorProto.FLOAT, np.float32),
        (TensorProto.DOUBLE, np.float64),
        (TensorProto.FLOAT16, np.float16),
        (TensorProto.BFLOAT16, ml_dtypes.bfloat16),
        (TensorProto.INT8, np.int8),
        (TensorProto.INT16, np.int16),
        (TensorProto.INT32, np.int32),
        (TensorProto.INT64, np.int64),
        (TensorProto.UINT8, np.uint8),
        (TensorProto.UINT16, np.uint16),
        (TensorProto.UINT32, np.uint32),
        (TensorProto.UINT64, np.uint64),
    ],
)
def test_dtypes(element, dtype):
    model = tenon.compile(make_binary(element=element))
    a = ramp(3, 4, dtype=dtype)
    c = model(a, a)
    assert c.dtype == dtype
    np.testing.assert_array_equal(c, a + a)


def test_bool():
    a = np.array([[True, False, True, False]])
    b = np.array([[True, True, False, False]])
    c = tenon.compile(make_binary("And", TensorProto.BOOL))(a, b)
    assert c.dtype == np.bool_
    np.testing.assert_array_equal(c, a & b)


def test_lists_become_the_declared_dtype(add):
    np.testing.assert_array_equal(tenon.compile(add)([[1, 2, 3, 4]], [[1, 1, 1, 1]]), [[2, 3, 4, 5]])


def test_no_dimensions():
    model = tenon.compile(make_binary(shape=()))
    c = model(np.float32(2), 3)
    assert c.shape == () and c == 5


def test_output_is_input():
    model = tenon.compile(
        make_model(
            [helper.make_node("Identity", ["x"], ["y"])],
            [("x", TensorProto.FLOAT, ("n",))],
            [("y", TensorProto.FLOAT, ("n",))],
        )
    )
    x = ramp(5)
    y = model(x)
    assert not np.shares_memory(x, y)
    np.testing.assert_array_equal(x, y)


def test_output_size_depends_on_data():
    model = tenon.compile(
        make_model(
            [helper.make_node("NonZero", ["x"], ["y"])],
            [("x", TensorProto.FLOAT, ("n",))],
            [("y", TensorProto.INT64, (1, "k"))],
        )
    )
    for x in (np.float32([0, 1, 0, 2]), np.zeros(3, np.float32), np.ones(7, np.float32)):
        np.testing.assert_array_equal(model(x), [np.flatnonzero(x)])


def branch(name, op):
    return helper.make_graph(
        [helper.make_node(op, ["x"], [name])], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n",))]
    )


def test_if():
    model = tenon.compile(
        make_model(
            [helper.make_node("If", ["c"], ["y"], then_branch=branch("t", "Neg"), else_branch=branch("e", "Abs"))],
            [("c", TensorProto.BOOL, ()), ("x", TensorProto.FLOAT, ("n",))],
            [("y", TensorProto.FLOAT, ("n",))],
        )
    )
    x = np.float32([-1, 2])
    np.testing.assert_array_equal(model(np.bool_(True), x), [1, -2])
    np.testing.assert_array_equal(model(np.bool_(False), x), [1, 2])


def test_loop():
    body = helper.make_graph(
        [
            helper.make_node("Add", ["v", "x"], ["w"]),
            helper.make_node("Identity", ["cond"], ["cond_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, ()),
            helper.make_tensor_value_info("cond", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, ("n",)),
        ],
        [
            helper.make_tensor_value_info("cond_out", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, ("n",)),
        ],
    )
    model = tenon.compile(
        make_model(
            [helper.make_node("Loop", ["trips", "", "x"], ["y"], body=body)],
            [("trips", TensorProto.INT64, ()), ("x", TensorProto.FLOAT, ("n",))],
            [("y", TensorProto.FLOAT, ("n",))],
        )
    )
    x = np.float32([1, 2, 3])
    for trips in (0, 1, 5):
        np.testing.assert_array_equal(model(np.int64(trips), x), (trips + 1) * x)


def test_threads_run_one_model(add):
    model = tenon.compile(add, threads=1)
    wrong = []

    def work(seed):
        for i in range(50):
            a = np.full((seed + i % 3 + 1, 4), seed, np.float32)
            if not np.array_equal(model(a, a), 2 * a):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_threads_compile_at_the_same_time():
    results = {}

    def work(op):
        results[op] = tenon.compile(make_binary(op))(np.full((1, 4), 6, np.float32), np.full((1, 4), 2, np.float32))

    threads = [threading.Thread(target=work, args=(op,)) for op in ("Add", "Sub", "Mul", "Div")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {op: float(c[0, 0]) for op, c in results.items()} == {"Add": 8, "Sub": 4, "Mul": 12, "Div": 3}


def test_quantised_product():
    # One kernel gives the quantised rows and the scale, repeated for each element of the product.
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 256, (24, 40)).astype(np.uint8)
    model = tenon.compile(
        make_model(
            [
                helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
                helper.make_node("MatMulInteger", ["q", "w", "z", "wz"], ["m"]),
                helper.make_node("Cast", ["m"], ["c"], to=TensorProto.FLOAT),
                helper.make_node("Mul", ["c", "s"], ["y"]),
            ],
            [("x", TensorProto.FLOAT, ("batch", "rows", 24))],
            [("y", TensorProto.FLOAT, ("batch", "rows", 40))],
            [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(np.uint8(128), "wz")],
        )
    )
    for shape in ((2, 5, 24), (1, 1, 24), (3, 17, 24)):
        x = rng.standard_normal(shape).astype(np.float32)
        low, high = min(x.min(), 0), max(x.max(), 0)
        np.testing.assert_allclose(model(x), x @ (weight - 128.0), atol=(high - low) / 255 * 128 * 24 / 2)


def test_static_size_of_zero():
    model = tenon.compile(make_binary(shape=(3, 0, 5)))
    assert model(np.zeros((3, 0, 5), np.float32), np.zeros((3, 0, 5), np.float32)).shape == (3, 0, 5)


def test_pool_drops_windows_in_padding_at_any_size():
    # Rounded up, but a last window that starts behind the picture is none.
    model = tenon.compile(
        make_model(
            [helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1)],
            [("x", TensorProto.FLOAT, (1, 1, "h", "w"))],
            [("y", TensorProto.FLOAT, (1, 1, "i", "j"))],
        )
    )
    for size in (1, 2, 3, 4, 7):
        x = ramp(1, 1, size, size)
        np.testing.assert_array_equal(model(x), x[:, :, ::2, ::2])

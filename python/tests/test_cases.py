"""The end-to-end cases: each compiled, against ONNX Runtime or values known beforehand."""

import os
import pathlib
import re
import subprocess
import tempfile
import threading

import numpy as np
import onnxruntime
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

import tenon

F, I64, B, U8, I32 = (TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT32)


def weights(name, shape, seed, scale=0.3):
    values = np.random.default_rng(seed).standard_normal(shape).astype(np.float32) * scale
    return numpy_helper.from_array(values, name)


def floats(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def integers(values, name):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def check(model, *feeds, tolerance=1e-5, compiled=None):
    """The compiled model gives what ONNX Runtime gives, from one artifact for all feeds."""
    compiled = compiled or tenon.compile(model, threads=1)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for feed in feeds:
        actual = compiled.run(feed)
        for output, expected in zip(session.get_outputs(), session.run(None, feed)):
            assert actual[output.name].shape == expected.shape
            assert actual[output.name].dtype == expected.dtype
            np.testing.assert_allclose(actual[output.name], expected, rtol=tolerance, atol=tolerance)
    return compiled


def profile(compiled, *symbols):
    """Launches, copies and bytes copied of one run on random inputs."""
    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        compiled.save(file.name)
        runner = pathlib.Path(os.environ.get("TENON_BUILD", "build")) / "bin" / "tenon-run"
        command = [runner, file.name, "--random", "--profile"]
        for symbol in symbols:
            command += ["--symbol", symbol]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    launches = sum(int(count) for count in re.findall(r"us  x(\d+) ", text))
    copies, size = re.search(r"copies: (\d+) of (\d+) bytes", text).groups()
    return launches, int(copies), int(size)


def mlp():
    return make_model(
        [
            helper.make_node("Gemm", ["x", "w0", "b0"], ["h"], transB=1),
            helper.make_node("Relu", ["h"], ["r"]),
            helper.make_node("Gemm", ["r", "w1", "b1"], ["y"]),
        ],
        [("x", F, ("batch", 20))],
        [("y", F, ("batch", 10))],
        [weights("w0", (33, 20), 0), weights("b0", (33,), 1), weights("w1", (33, 10), 2), weights("b1", (10,), 3)],
    )


def test_case_a_mlp():
    check(mlp(), *({"x": floats((n, 20))} for n in (1, 2, 5, 6, 7, 95, 96, 97, 200)))


def test_case_b_small_cnn():
    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w1"], ["c"], pads=[1, 1, 1, 1], group=8),
        helper.make_node("Add", ["b", "c"], ["d"]),
        helper.make_node("MaxPool", ["d"], ["e"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["e", "w2"], ["f"], strides=[2, 2], pads=[1, 1, 1, 1], group=2),
        helper.make_node("GlobalAveragePool", ["f"], ["y"]),
    ]
    model = make_model(
        nodes,
        [("x", F, ("n", 3, "h", "w"))],
        [("y", F, None)],
        [weights("w0", (8, 3, 3, 3), 0), weights("b0", (8,), 1), weights("w1", (8, 1, 3, 3), 2),
         weights("w2", (12, 4, 3, 3), 3)],
    )
    check(model, {"x": floats((1, 3, 16, 16))}, {"x": floats((2, 3, 13, 21))}, {"x": floats((3, 3, 7, 7))})


def test_case_c_transformer_block():
    heads, width = 4, 32
    nodes = [helper.make_node("Shape", ["x"], ["shape"])]
    nodes += [helper.make_node("Slice", ["shape", "zero", "two"], ["lead"]),
              helper.make_node("Concat", ["lead", "split"], ["splitshape"], axis=0)]
    for name, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
        nodes += [
            helper.make_node("MatMul", ["x", "w" + name], [name + "0"]),
            helper.make_node("Reshape", [name + "0", "splitshape"], [name + "1"]),
            helper.make_node("Transpose", [name + "1"], [name], perm=order),
        ]
    nodes += [
        helper.make_node("MatMul", ["q", "k"], ["scores0"]),
        helper.make_node("Mul", ["scores0", "scale"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["p"], axis=-1),
        helper.make_node("MatMul", ["p", "v"], ["o"]),
        helper.make_node("Transpose", ["o"], ["o1"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["o1", "shape"], ["o2"]),
        helper.make_node("Add", ["o2", "x"], ["r"]),
        helper.make_node("LayerNormalization", ["r", "gamma", "beta"], ["y"]),
    ]
    model = make_model(
        nodes,
        [("x", F, ("batch", "sequence", width))],
        [("y", F, ("batch", "sequence", width))],
        [weights("wq", (width, width), 0), weights("wk", (width, width), 1), weights("wv", (width, width), 2),
         weights("gamma", (width,), 3), weights("beta", (width,), 4), integers([0], "zero"), integers([2], "two"),
         integers([heads, width // heads], "split"),
         numpy_helper.from_array(np.float32((width // heads) ** -0.5), "scale")],
    )
    check(model, *({"x": floats((b, s, width))} for b, s in ((1, 1), (1, 7), (2, 16), (3, 33), (1, 128))))


def test_case_d_decoder_step():
    nodes = [
        helper.make_node("Concat", ["past", "new"], ["present"], axis=1),
        helper.make_node("Transpose", ["present"], ["t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "t"], ["s"]),
        helper.make_node("Softmax", ["s"], ["p"], axis=-1),
        helper.make_node("MatMul", ["p", "present"], ["y"]),
    ]
    model = make_model(
        nodes,
        [("past", F, (2, "past", 16)), ("new", F, (2, 1, 16)), ("q", F, (2, 1, 16))],
        [("present", F, (2, None, 16)), ("y", F, (2, 1, 16))],
    )
    feeds = [{"past": floats((2, n, 16)), "new": floats((2, 1, 16), 1), "q": floats((2, 1, 16), 2)} for n in (0, 1, 9)]
    check(model, *feeds)


def branch(name, nodes, output, shape=None):
    return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info(output, F, shape)])


def test_case_e_if_on_data():
    then = branch("then", [helper.make_node("Neg", ["x"], ["t"])], "t", ("n",))
    other = branch("other", [helper.make_node("Exp", ["x"], ["o"])], "o", ("n",))
    model = make_model(
        [helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)],
        [("c", B, ()), ("x", F, ("n",))],
        [("y", F, ("n",))],
    )
    check(model, *({"c": np.array(c), "x": floats((n,))} for c in (True, False) for n in (1, 10)))


def test_case_f_loop_with_scan_outputs():
    body = helper.make_graph(
        [
            helper.make_node("Add", ["v", "x"], ["w"]),
            helper.make_node("ReduceMax", ["w"], ["most"], keepdims=0),
            helper.make_node("Less", ["most", "limit"], ["on"]),
            helper.make_node("Identity", ["w"], ["all"]),
        ],
        "body",
        [helper.make_tensor_value_info("i", I64, ()), helper.make_tensor_value_info("c", B, ()),
         helper.make_tensor_value_info("v", F, ("n",))],
        [helper.make_tensor_value_info("on", B, ()), helper.make_tensor_value_info("w", F, ("n",)),
         helper.make_tensor_value_info("all", F, ("n",))],
    )
    model = make_model(
        [helper.make_node("Loop", ["trips", "", "x"], ["y", "steps"], body=body)],
        [("trips", I64, ()), ("limit", F, ()), ("x", F, ("n",))],
        [("y", F, ("n",)), ("steps", F, (None, "n"))],
    )
    x = np.abs(floats((5,))) + 0.5
    check(model, *({"trips": np.array(t), "limit": np.array(limit, np.float32), "x": x}
                   for t, limit in ((1, 100), (7, 100), (50, 6))))
    none = tenon.compile(model, threads=1).run({"trips": np.array(0), "limit": np.array(1, np.float32), "x": x})
    np.testing.assert_array_equal(none["y"], x)
    assert none["steps"].shape == (0, 5)


def test_case_g_nonzero_then_gather():
    model = make_model(
        [
            helper.make_node("NonZero", ["x"], ["i"]),
            helper.make_node("Transpose", ["i"], ["t"]),
            helper.make_node("GatherND", ["x", "t"], ["v"]),
        ],
        [("x", F, ("n", 6))],
        [("i", I64, (2, None)), ("v", F, (None,))],
    )
    x = floats((4, 6))
    check(model, {"x": np.where(x > 0, x, 0)}, {"x": np.zeros((3, 6), np.float32)}, {"x": x})


def test_case_h_gather_out_of_range():
    model = make_model(
        [helper.make_node("Gather", ["x", "i"], ["y"], name="lookup")],
        [("x", F, (10, 4)), ("i", I64, ("n",))],
        [("y", F, ("n", 4))],
    )
    compiled = tenon.compile(model, threads=1)
    x = floats((10, 4))
    with pytest.raises(tenon.RunError, match="lookup.*12"):
        compiled.run({"x": x, "i": np.array([3, 12, 5])})
    np.testing.assert_array_equal(compiled.run({"x": x, "i": np.array([-1, 0])})["y"], x[[-1, 0]])


def test_case_i_split_and_concat():
    model = make_model(
        [
            helper.make_node("Split", ["x", "parts"], ["a", "b", "c"], axis=1),
            helper.make_node("Relu", ["b"], ["d"]),
            helper.make_node("Concat", ["c", "d", "a"], ["y"], axis=1),
        ],
        [("x", F, ("n", 9))],
        [("y", F, ("n", 9))],
        [integers([2, 3, 4], "parts")],
    )
    compiled = check(model, {"x": floats((1, 9))}, {"x": floats((5, 9))}, {"x": floats((0, 9))})
    # One launch writes its part of the output. The others are of the input itself: they are copied there, and nothing else.
    assert profile(compiled, "n=5") == (1, 2, 5 * (2 + 4) * 4)


def test_case_i_without_copies():
    model = make_model(
        [
            helper.make_node("Split", ["x", "parts"], ["a", "b", "c"], axis=1),
            helper.make_node("Relu", ["a"], ["d"]),
            helper.make_node("MatMul", ["b", "w"], ["e"]),
            helper.make_node("Softmax", ["c"], ["f"], axis=-1),
            helper.make_node("Concat", ["f", "e", "d"], ["g"], axis=1),
            helper.make_node("Slice", ["g", "starts", "ends", "axes"], ["h"]),
            helper.make_node("MatMul", ["h", "v"], ["y"]),
        ],
        [("x", F, ("n", 39))],
        [("y", F, ("n", 11)), ("g", F, ("n", 58))],
        [integers([2, 20, 17], "parts"), integers([5], "starts"), integers([57], "ends"), integers([1], "axes"),
         weights("w", (20, 39), 0), weights("v", (52, 11), 1)],
    )
    compiled = check(model, *({"x": floats((n, 39))} for n in (1, 5, 0, 97)))
    assert profile(compiled, "n=5") == (4, 0, 0)


def test_views_of_four_dimensions():
    # Channels of several images: parts of each, with gaps between images.
    model = make_model(
        [
            helper.make_node("Split", ["x"], ["a", "b"], axis=1),
            helper.make_node("Conv", ["a", "w"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("MaxPool", ["b"], ["d"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            helper.make_node("Concat", ["c", "d"], ["e"], axis=1),
            helper.make_node("Relu", ["d"], ["f"]),
            helper.make_node("Concat", ["e", "f"], ["g"], axis=1),
            helper.make_node("Concat", ["f", "e"], ["h"], axis=1),
            helper.make_node("ReduceMean", ["e"], ["i"], axes=[2, 3], keepdims=0),
            helper.make_node("Transpose", ["d"], ["j"], perm=[0, 2, 1, 3]),
        ],
        [("x", F, ("n", 8, 5, "w"))],
        [(name, F, None) for name in "ghij"],
        [weights("w", (6, 4, 3, 3), 0)],
    )
    check(model, *({"x": floats((n, 8, 5, w))} for n, w in ((1, 7), (3, 1), (2, 33), (0, 4))))


def test_case_l_unsigned_bytes():
    model = make_model(
        [
            helper.make_node("MatMulInteger", ["a", "b", "za", "zb"], ["m"]),
            helper.make_node("Cast", ["a"], ["f"], to=F),
            helper.make_node("MaxPool", ["p"], ["q"], kernel_shape=[2, 2]),
        ],
        [("a", U8, (3, 8)), ("b", U8, (8, 5)), ("p", U8, (1, 1, 4, 4))],
        [("m", I32, (3, 5)), ("f", F, (3, 8)), ("q", U8, (1, 1, 3, 3))],
        [numpy_helper.from_array(np.array(200, np.uint8), "za"), numpy_helper.from_array(np.array(130, np.uint8), "zb")],
    )
    rng = np.random.default_rng(0)
    data = {name: rng.integers(0, 256, shape, dtype=np.uint8)
            for name, shape in (("a", (3, 8)), ("b", (8, 5)), ("p", (1, 1, 4, 4)))}
    check(model, data)


def test_case_m_packed_int4_constant():
    values = np.array([[-8, 7, 1], [0, -1, 3]], np.int8)
    packed = helper.make_tensor("w", TensorProto.INT4, values.shape, values.flatten())
    model = make_model(
        [helper.make_node("DequantizeLinear", ["w", "scale"], ["d"]), helper.make_node("Mul", ["x", "d"], ["y"])],
        [("x", F, (2, 3))],
        [("y", F, (2, 3))],
        [packed, numpy_helper.from_array(np.float32(0.5), "scale")],
        opset=21,
    )
    x = floats((2, 3))
    np.testing.assert_allclose(tenon.compile(model, threads=1).run({"x": x})["y"], x * values * 0.5, rtol=1e-6)


def test_case_o_two_variants_agree():
    results = []
    for target in ("avx2", "x86-64-v3"):
        results.append(tenon.compile(mlp(), target=target, threads=1).run({"x": floats((7, 20))})["y"])
    both = tenon.compile(mlp(), target="avx512,avx2", threads=1).run({"x": floats((7, 20))})["y"]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_allclose(both, results[0], rtol=1e-5, atol=1e-5)


def test_case_r_zero_sizes_and_scalars():
    model = make_model(
        [
            helper.make_node("Add", ["x", "s"], ["y"]),
            helper.make_node("ReduceSum", ["x"], ["t"], keepdims=0),
            helper.make_node("MatMul", ["x", "w"], ["m"]),
        ],
        [("x", F, ("n", 4)), ("s", F, ())],
        [("y", F, ("n", 4)), ("t", F, ()), ("m", F, ("n", 3))],
        [weights("w", (4, 3), 0)],
    )
    check(model, *({"x": floats((n, 4)), "s": np.array(2, np.float32)} for n in (0, 1, 3)))


def test_case_s_threads_give_the_same_bits():
    feed = {"x": floats((513, 20))}
    one = tenon.compile(mlp(), threads=1).run(feed)["y"]
    two = tenon.compile(mlp(), threads=2).run(feed)["y"]
    np.testing.assert_array_equal(one, two)


def test_case_t_two_sessions_share_weights():
    compiled = tenon.compile(mlp(), threads=1)
    expected = {n: compiled.run({"x": floats((n, 20))})["y"] for n in (3, 40)}
    failures = []

    def work(n):
        for _ in range(50):
            if not np.array_equal(compiled.run({"x": floats((n, 20))})["y"], expected[n]):
                failures.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures

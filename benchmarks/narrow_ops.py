#!/usr/bin/env python3
"""Single operators on 8- and 16-bit elements, Tenon beside ONNX Runtime.

    narrow_ops.py [--only NAME,...] [--sizes cache,memory] [--seconds S] [--check] [--save FOLDER]

Each operator is a model of its own, at a size that stays in the second-level cache and at one that comes from memory. Both
run on one thread, in turns, with inputs bound and outputs written into arrays that are there; the ratio is that of the fastest
runs. Tenon's outputs are compared with ONNX Runtime's: integers exactly, but for one step where a quantiser rounds a tie
(`--check` compares only). `--save` keeps the models.
"""
import argparse
import pathlib
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(7)
node = helper.make_node
f16, f32, i8, u8, i16, u16, boolean = (np.dtype(t) for t in ("f2", "f4", "i1", "u1", "i2", "u2", "?"))
MS = "com.microsoft"


def values(dtype, *shape):
    if dtype == boolean:
        return rng.random(shape) < 0.5
    if dtype.kind == "f":
        return rng.standard_normal(shape, np.float32).astype(dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    return rng.integers(low, high, shape, dtype, endpoint=True)


def of(value, dtype):
    return np.array(value, dtype)


def cases():
    """name: (nodes, inputs, constants, result's type) by the size, 'cache' or 'memory'."""
    big = {"cache": 1, "memory": 32}
    # Elementwise: 512 Ki elements, or 16 Mi of them.
    n = {size: (512 * scale, 1024) for size, scale in big.items()}
    # Images: 64 channels of 64 x 64, of 16 times as many images.
    image = {size: (scale, 64, 64, 64) for size, scale in {"cache": 1, "memory": 32}.items()}
    both = lambda make: {size: make(size) for size in big}
    x = lambda dtype: lambda size: {"x": values(dtype, *n[size])}
    xy = lambda dtype: lambda size: {"x": values(dtype, *n[size]), "y": values(dtype, *n[size])}
    img = lambda dtype: lambda size: {"x": values(dtype, *image[size])}

    def case(nodes, feeds, constants=None, to=None):
        nodes = nodes if isinstance(nodes, list) else [nodes]
        return both(lambda size: (nodes, feeds(size), constants or {}, to))

    quant = {"s": of(0.02, f32), "z": of(3, i8)}
    quant_u8 = {"s": of(0.02, f32), "z": of(128, u8)}
    yield "quantize_i8", case(node("QuantizeLinear", ["x", "s", "z"], ["o"]), x(f32), quant, i8)
    yield "quantize_u8", case(node("QuantizeLinear", ["x", "s", "z"], ["o"]), x(f32), quant_u8, u8)
    yield "quantize_u16", case(node("QuantizeLinear", ["x", "s", "z"], ["o"]), x(f32),
                               {"s": of(2e-4, f32), "z": of(32768, u16)}, u16)
    yield "dequantize_i8", case(node("DequantizeLinear", ["x", "s", "z"], ["o"]), x(i8), quant, f32)
    yield "dequantize_u8", case(node("DequantizeLinear", ["x", "s", "z"], ["o"]), x(u8), quant_u8, f32)
    yield "dequantize_i16", case(node("DequantizeLinear", ["x", "s", "z"], ["o"]), x(i16),
                                 {"s": of(2e-4, f32), "z": of(0, i16)}, f32)
    channels = {"s": (0.01 + 0.001 * np.arange(1024)).astype(f32), "z": np.zeros(1024, i8)}
    yield "quantize_i8_channels", case(node("QuantizeLinear", ["x", "s", "z"], ["o"], axis=1), x(f32), channels, i8)
    yield "dynamic_quantize", case(node("DynamicQuantizeLinear", ["x"], ["o", "os", "oz"]), x(f32), to=u8)
    for a, b in ((u8, f32), (i8, f32), (f32, u8), (f32, i8), (f16, f32), (f32, f16), (u8, i16), (i16, i8), (i8, f16)):
        to = helper.np_dtype_to_tensor_dtype(b)
        feeds = (lambda t: lambda size: {"x": (100 * rng.random(n[size], np.float32)).astype(t)})(a)
        yield f"cast_{a.str[1:]}_{b.str[1:]}", case(node("Cast", ["x"], ["o"], to=to), feeds, to=b)
    q = {"sa": of(0.02, f32), "za": of(120, u8), "sb": of(0.03, f32), "zb": of(130, u8), "sc": of(0.04, f32),
         "zc": of(125, u8)}
    qs = ["x", "sa", "za", "y", "sb", "zb", "sc", "zc"]
    yield "qlinear_add_u8", case(node("QLinearAdd", qs, ["o"], domain=MS), xy(u8), q, u8)
    yield "qlinear_mul_u8", case(node("QLinearMul", qs, ["o"], domain=MS), xy(u8), q, u8)
    yield "clip_u8", case(node("Clip", ["x", "l", "h"], ["o"]), x(u8), {"l": of(20, u8), "h": of(200, u8)}, u8)
    yield "clip_i8", case(node("Clip", ["x", "l", "h"], ["o"]), x(i8), {"l": of(-20, i8), "h": of(100, i8)}, i8)
    yield "abs_i8", case(node("Abs", ["x"], ["o"]), x(i8), to=i8)
    yield "abs_i16", case(node("Abs", ["x"], ["o"]), x(i16), to=i16)
    yield "bitwise_and_u8", case(node("BitwiseAnd", ["x", "y"], ["o"]), xy(u8), to=u8)
    yield "bitwise_xor_i16", case(node("BitwiseXor", ["x", "y"], ["o"]), xy(i16), to=i16)
    yield "and_bool", case(node("And", ["x", "y"], ["o"]), xy(boolean), to=boolean)
    yield "not_bool", case(node("Not", ["x"], ["o"]), x(boolean), to=boolean)
    yield "where_u8", case(node("Where", ["c", "x", "y"], ["o"]),
                           lambda s: {"c": values(boolean, *n[s]), **xy(u8)(s)}, to=u8)
    yield "max_f16", case(node("Max", ["x", "y"], ["o"]), xy(f16), to=f16)
    yield "add_f16", case(node("Add", ["x", "y"], ["o"]), xy(f16), to=f16)
    yield "mul_f16", case(node("Mul", ["x", "y"], ["o"]), xy(f16), to=f16)
    yield "relu_f16", case(node("Relu", ["x"], ["o"]), x(f16), to=f16)
    yield "sigmoid_f16", case(node("Sigmoid", ["x"], ["o"]), x(f16), to=f16)
    yield "reduce_max_u8", case(node("ReduceMax", ["x", "axes"], ["o"], keepdims=0), x(u8),
                                {"axes": of([1], np.int64)}, u8)
    yield "reduce_max_i8_first", case(node("ReduceMax", ["x", "axes"], ["o"], keepdims=0), x(i8),
                                      {"axes": of([0], np.int64)}, i8)
    yield "max_pool_u8", case(node("MaxPool", ["x"], ["o"], kernel_shape=[3, 3], pads=[1] * 4), img(u8), to=u8)
    yield "max_pool_i8_s2", case(node("MaxPool", ["x"], ["o"], kernel_shape=[2, 2], strides=[2, 2]), img(i8), to=i8)
    yield "max_pool_f16", case(node("MaxPool", ["x"], ["o"], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4),
                               img(f16), to=f16)
    twice = {"sc": of([1, 1, 2, 2], f32)}
    small = lambda dtype: lambda s: {"x": values(dtype, image[s][0], 16, 64, 64)}
    yield "resize_nearest_u8", case(node("Resize", ["x", "", "sc"], ["o"], mode="nearest", nearest_mode="floor",
                                         coordinate_transformation_mode="asymmetric"), small(u8), twice, u8)
    yield "resize_linear_u8", case(node("Resize", ["x", "", "sc"], ["o"], mode="linear"), small(u8), twice, u8)
    yield "transpose_u8", case(node("Transpose", ["x"], ["o"], perm=[1, 0]), x(u8), to=u8)
    yield "transpose_f16", case(node("Transpose", ["x"], ["o"], perm=[1, 0]), x(f16), to=f16)
    yield "transpose_hwc_u8", case(node("Transpose", ["x"], ["o"], perm=[0, 2, 3, 1]), img(u8), to=u8)
    yield "transpose_heads_f16", case(node("Transpose", ["x"], ["o"], perm=[0, 2, 1, 3]), img(f16), to=f16)
    yield "concat_u8", case(node("Concat", ["x", "y"], ["o"], axis=1), xy(u8), to=u8)
    yield "concat_f16", case(node("Concat", ["x", "y"], ["o"], axis=0), xy(f16), to=f16)
    pads = {"p": of([0, 0, 1, 1, 0, 0, 1, 1], np.int64), "v": of(7, u8)}
    yield "pad_u8", case(node("Pad", ["x", "p", "v"], ["o"]), img(u8), pads, u8)
    yield "pad_reflect_i8", case(node("Pad", ["x", "p"], ["o"], mode="reflect"), img(i8), {"p": pads["p"]}, i8)
    cut = {"b": of([3, 5], np.int64), "e": of([10 ** 6, 1000], np.int64)}
    yield "slice_u8", case(node("Slice", ["x", "b", "e"], ["o"]), x(u8), cut, u8)
    yield "slice_f16", case(node("Slice", ["x", "b", "e"], ["o"]), x(f16), cut, f16)
    rows = lambda s: rng.integers(0, n[s][0], n[s][0])
    yield "gather_rows_u8", case(node("Gather", ["x", "i"], ["o"], axis=0), lambda s: {**x(u8)(s), "i": rows(s)},
                                 to=u8)
    yield "gather_f16", case(node("Gather", ["x", "i"], ["o"], axis=1),
                             lambda s: {**x(f16)(s), "i": rng.integers(0, 1024, 1024)}, to=f16)
    yield "expand_u8", case(node("Expand", ["x", "n"], ["o"]), lambda s: {"x": values(u8, n[s][0], 1)},
                            {"n": of([1, 1024], np.int64)}, u8)
    yield "tile_i8", case(node("Tile", ["x", "r"], ["o"]), lambda s: {"x": values(i8, n[s][0], 256)},
                          {"r": of([1, 4], np.int64)}, i8)


def model_of(nodes, feeds, constants, to):
    def info(name, dtype, shape):
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), shape)

    outputs = [info(nodes[-1].output[0], to, None)]
    if nodes[-1].op_type == "DynamicQuantizeLinear":
        outputs += [info("os", f32, []), info("oz", u8, [])]
    graph = helper.make_graph(nodes, "g", [info(k, v.dtype, v.shape) for k, v in feeds.items()], outputs,
                              [numpy_helper.from_array(v, k) for k, v in constants.items()])
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MS, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


class Peer:
    """ONNX Runtime with everything bound."""

    def __init__(self, model, feeds):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        names = [o.name for o in self.session.get_outputs()]
        self.outputs = dict(zip(names, self.session.run(names, feeds)))
        self.binding = self.session.io_binding()
        self.keep = [ort.OrtValue.ortvalue_from_numpy(v) for v in feeds.values()]
        for name, value in zip(feeds, self.keep):
            self.binding.bind_ortvalue_input(name, value)
        for name, value in self.outputs.items():
            self.keep.append(ort.OrtValue.ortvalue_from_numpy(value))
            self.binding.bind_ortvalue_output(name, self.keep[-1])

    def run(self):
        self.session.run_with_iobinding(self.binding)


def aligned(array):
    """A copy that begins with a cache line, as ONNX Runtime's own values do."""
    whole = np.empty(array.nbytes + 64, u8)
    start = -whole.ctypes.data % 64
    result = whole[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
    result[...] = array
    return result


class Ours:
    def __init__(self, model, feeds, target):
        import tenon

        self.model = tenon.compile(model, threads=1, target=target)
        self.feeds = {name: aligned(value) for name, value in feeds.items()}
        self.outputs = {name: aligned(value) for name, value in self.model.run(feeds).items()}

    def run(self):
        self.model.run(self.feeds, into=self.outputs)


def error_of(ours, theirs):
    """None, or in words how far they are from each other."""
    for name, expected in theirs.items():
        actual = ours[name]
        if actual.dtype != expected.dtype or actual.shape != expected.shape:
            return f"{name} is {actual.dtype}{list(actual.shape)}, not {expected.dtype}{list(expected.shape)}"
        if expected.dtype.kind in "iub":
            off = np.abs(actual.astype(np.int64) - expected.astype(np.int64))
            allowed = 1 if off.size and np.count_nonzero(off) < off.size / 100 else 0
            if off.size and off.max() > allowed:
                return f"{name} differs by {off.max()}, in {np.count_nonzero(off)} of {off.size}"
        elif not np.allclose(actual.astype(f32), expected.astype(f32), rtol=2e-3, atol=1e-4):
            return f"{name} differs by {np.abs(actual.astype(f32) - expected.astype(f32)).max()}"
    return None


def fastest(runners, seconds):
    best = [float("inf")] * len(runners)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for i, run in enumerate(runners):
            for _ in range(2):
                start = time.perf_counter()
                run()
                best[i] = min(best[i], time.perf_counter() - start)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME,...")
    parser.add_argument("--sizes", default="cache,memory")
    parser.add_argument("--seconds", type=float, default=0.25, help="of each operator and size")
    parser.add_argument("--target", default="host")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--save", type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()
    only = options.only.split(",") if options.only else None
    slow, wrong = [], []
    print(f"{'operator':24} {'size':8} {'Tenon us':>10} {'ORT us':>10} {'ORT / Tenon':>12}")
    for name, sizes in cases():
        if only and name not in only:
            continue
        for size in options.sizes.split(","):
            parts = sizes[size]
            model = model_of(*parts)
            if options.save:
                options.save.mkdir(parents=True, exist_ok=True)
                onnx.save(model, options.save / f"{name}_{size}.onnx")
            try:
                peer = Peer(model, parts[1])
                ours = Ours(model, parts[1], options.target)
            except Exception as error:  # the other operators are worth knowing
                print(f"{name:24} {size:8} {str(error).strip().splitlines()[0][:110]}", flush=True)
                wrong.append(f"{name} {size}")
                continue
            error = error_of(ours.outputs, peer.outputs)
            if error:
                print(f"{name:24} {size:8} WRONG: {error}", flush=True)
                wrong.append(f"{name} {size}")
            if options.check:
                continue
            mine, theirs = fastest([ours.run, peer.run], options.seconds)
            ratio = theirs / mine
            print(f"{name:24} {size:8} {mine * 1e6:10.1f} {theirs * 1e6:10.1f} {ratio:12.2f}{' <' * (ratio < 0.95)}", flush=True)
            if ratio < 0.95:
                slow.append(f"{name} {size}")
    print(f"{len(slow)} below 0.95, {len(wrong)} failed")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

"""Contractions and convolutions of random sizes, most of them next to those of register tiles, panels and units of work,
and what they are in numpy, in f64 or integers."""

import itertools

import numpy as np
from conftest import make_model
from onnx import helper, numpy_helper

# Register tiles, vectors, panels, units, sums and parts end at these or near them.
ENDS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2304)
MOST_PRODUCTS = 1 << 22


def convolve(image, filters, strides, dilations, pads, groups, border=0):
    """[N, C, D..] and [M, C / groups, K..]; `pads` are those in front, then those behind."""
    rank = image.ndim - 2
    image = np.pad(image, [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:])], constant_values=border)
    taps = filters.shape[2:]
    sizes = [(size - (tap - 1) * dilation - 1) // stride + 1
             for size, tap, dilation, stride in zip(image.shape[2:], taps, dilations, strides)]
    per_group, results = image.shape[1] // groups, filters.shape[0] // groups
    output = np.zeros((image.shape[0], filters.shape[0], *sizes), image.dtype)
    for tap in itertools.product(*map(range, taps)):
        places = tuple(slice(at * dilation, at * dilation + (size - 1) * stride + 1, stride)
                       for at, dilation, size, stride in zip(tap, dilations, sizes, strides))
        part = image[(slice(None), slice(None), *places)]
        for group in range(groups):
            output[:, group * results:(group + 1) * results] += np.einsum(
                "nc...,mc->nm...", part[:, group * per_group:(group + 1) * per_group],
                filters[(slice(group * results, (group + 1) * results), slice(None), *tap)])
    return output


class GeneratedContraction:
    """A model of one product with what may follow it. `feeds` has its inputs at a few numbers of rows or images;
    `expected(feed)` gives the result and, for floats, the sums of absolute products."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.element = self.pick(np.float32, np.float32, np.float32, np.float16, np.uint8, np.int8)
        self.is_integer = np.dtype(self.element).kind != "f"
        self.is_constant = self.pick(True, True, False)
        self.nodes, self.inputs, self.constants, self.fixed = [], [], [], {}
        self.relu = not self.is_integer and self.pick(True, False)
        self.make_convolution() if self.pick(True, False) else self.make_product()
        result = "sums"
        if self.relu:
            self.nodes.append(helper.make_node("Relu", [result], ["y"]))
        else:
            self.nodes[-1].output[0] = "y"
        element = np.int32 if self.is_integer else self.element
        self.model = make_model(self.nodes, self.inputs, [("y", helper.np_dtype_to_tensor_dtype(np.dtype(element)), None)],
                                self.constants)

    def pick(self, *choices):
        return choices[self.random.integers(len(choices))]

    def size(self, most, least=1):
        """Next to an end, or small, or anything."""
        kind = self.random.integers(4)
        if kind == 0:
            size = int(self.random.integers(1, 9))
        elif kind == 1:
            size = int(self.random.integers(1, 130))
        else:
            size = self.pick(*ENDS) + int(self.random.integers(-1, 2))
        return int(np.clip(size, least, max(most, least)))

    def values(self, shape, element=None):
        element = np.dtype(element or self.element)
        if element.kind != "f":
            limits = np.iinfo(element)
            return self.random.integers(limits.min, limits.max + 1, shape).astype(element)
        return self.random.standard_normal(shape).astype(element)

    def operand(self, name, array, is_constant):
        """A constant, or an input that is the same in all feeds."""
        if is_constant:
            self.constants.append(numpy_helper.from_array(array, name))
        else:
            self.fixed[name] = array
            self.inputs.append((name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape))
        return name

    def given(self, shape):
        self.inputs.append(("x", helper.np_dtype_to_tensor_dtype(np.dtype(self.element)), shape))

    def zero_points(self, weights, column):
        """Of x, then of weights, as names; they are subtracted before anything is multiplied."""
        self.zeros = self.values(()), self.values((), weights.dtype)
        self.weight_zeros = self.zeros[1]
        if column is not None and self.pick(True, False):
            self.weight_zeros = self.values(weights.shape[column], weights.dtype)
        return [self.operand("x_zero", self.zeros[0], True), self.operand("w_zero", self.weight_zeros, True)]

    def make_product(self):
        depth = self.size(2400)
        columns = self.size(min(1100, MOST_PRODUCTS // depth))
        most_rows = max(1, min(200, MOST_PRODUCTS // (depth * columns)))
        rows = sorted({self.size(most_rows) for _ in range(3)})
        batch = [] if self.is_integer else self.pick([], [], [], [2], [1, 3])
        has_batch = bool(batch) and self.pick(True, False)
        is_gemm = not batch and not self.is_integer and self.pick(True, False)
        turned = is_gemm and self.pick(True, False)
        is_dynamic = self.pick(True, False)
        if not is_dynamic:
            rows = rows[:1]
        weights = self.values(((batch if has_batch else []) + ([columns, depth] if turned else [depth, columns])),
                              self.pick(np.uint8, np.int8) if self.is_integer else None)
        self.given([*batch, "rows" if is_dynamic else rows[0], depth])
        names = ["x", self.operand("w", weights, self.is_constant)]
        self.text = f"{np.dtype(self.element)} {batch} {rows} x {depth} x {columns}, constant {self.is_constant}, turned {turned}"
        wide = np.int64 if self.is_integer else np.float64
        bias = np.zeros(1, wide)
        if self.is_integer:
            self.nodes.append(helper.make_node("MatMulInteger", names + self.zero_points(weights, 1), ["sums"]))
        elif is_gemm:
            bias = self.values(columns)
            self.nodes.append(helper.make_node("Gemm", [*names, self.operand("b", bias, True)], ["sums"], transB=int(turned)))
        else:
            self.nodes.append(helper.make_node("MatMul", names, ["sums"]))
        self.feeds = [{"x": self.values([*batch, count, depth]), **self.fixed} for count in rows]
        right = np.swapaxes(weights, -1, -2) if turned else weights

        def expected(feed):
            x, w = feed["x"].astype(wide), right.astype(wide)
            if self.is_integer:
                return (x - self.zeros[0]) @ (w - self.weight_zeros), None
            return x @ w + bias.astype(wide), np.abs(x) @ np.abs(w) + np.abs(bias)

        self.compute = expected

    def make_convolution(self):
        rank = self.pick(1, 2, 2, 2, 3)
        groups = self.pick(1, 1, 1, 2, 3, 8, 32)
        is_depthwise = groups > 3
        per_group = 1 if is_depthwise else self.size(130)
        results = groups * (self.pick(1, 1, 2) if is_depthwise else self.size(130))
        taps = [self.pick(1, 2, 3, 3, 5) for _ in range(rank)]
        strides, dilations = [self.pick(1, 1, 2, 3) for _ in range(rank)], [self.pick(1, 1, 2) for _ in range(rank)]
        pads = [int(self.random.integers(0, 3)) if self.pick(True, False) else 0 for _ in range(2 * rank)]
        per_place = results * per_group * int(np.prod(taps))
        most = max(2.0, (MOST_PRODUCTS / per_place) ** (1 / rank))
        least = [(tap - 1) * dilation + 1 for tap, dilation in zip(taps, dilations)]
        sizes = [self.size(min(int(most), 70), floor) for floor in least]
        images = sorted({1, self.pick(1, 2)})
        is_dynamic = self.pick(True, False)
        if is_dynamic:
            images = [1, 2]
        else:
            images = images[-1:]
        filters = self.values([results, per_group, *taps], self.pick(np.uint8, np.int8) if self.is_integer else None)
        self.given(["images" if is_dynamic else images[0], groups * per_group, *sizes])
        names = ["x", self.operand("w", filters, self.is_constant)]
        self.text = (f"{np.dtype(self.element)} {images} images {groups * per_group} x {sizes} to {results}, groups {groups}, taps {taps}, "
                     f"strides {strides}, dilations {dilations}, pads {pads}, constant {self.is_constant}")
        attributes = dict(strides=strides, dilations=dilations, pads=pads, group=groups, kernel_shape=taps)
        wide = np.int64 if self.is_integer else np.float64
        bias = np.zeros(results, wide)
        if self.is_integer:
            self.nodes.append(helper.make_node("ConvInteger", names + self.zero_points(filters, None), ["sums"], **attributes))
        else:
            if self.pick(True, False):
                bias = self.values(results)
                names.append(self.operand("b", bias, True))
            self.nodes.append(helper.make_node("Conv", names, ["sums"], **attributes))
        self.feeds = [{"x": self.values([count, groups * per_group, *sizes]), **self.fixed} for count in images]

        def expected(feed):
            x, w, b = feed["x"].astype(wide), filters.astype(wide), bias.astype(wide).reshape(-1, *[1] * rank)
            arguments = strides, dilations, pads, groups
            if self.is_integer:
                return convolve(x - self.zeros[0], w - self.weight_zeros, *arguments), None
            return convolve(x, w, *arguments) + b, convolve(np.abs(x), np.abs(w), *arguments) + np.abs(b)

        self.compute = expected

    def expected(self, feed):
        result, sizes = self.compute(feed)
        return (np.maximum(result, 0) if self.relu else result), sizes

"""Generated graphs: the interpreter against compiled code, and against itself after every pass down to tile programs.

Seeded: graph number 7 is the same graph everywhere. Weights of graphs with odd numbers are inputs: nothing folds them.
"""

import numpy as np
import pytest
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper
from seeds import seeds
from semantics import check_every_pass

import tenon

TOLERANCE = 2e-4

# What symbols stand for, run by run.
SIZES = ({"n": 3, "m": 5}, {"n": 1, "m": 2}, {"n": 17, "m": 9}, {"n": 0, "m": 4})


class Size:
    """A number times symbols."""

    def __init__(self, number, *symbols):
        self.number, self.symbols = number, tuple(sorted(symbols))

    def __eq__(self, other):
        return (self.number, self.symbols) == (other.number, other.symbols)

    def __mul__(self, other):
        return Size(self.number * other.number, *self.symbols, *other.symbols)

    @property
    def is_static(self):
        return not self.symbols


ONE = Size(1)


class Graph:
    """Grows by one node at a time; every value is bounded, so that differences are errors and not cancellation."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.constants, self.values = [], [], []
        self.weights_are_inputs, self.given = seed % 2 == 1, {}
        n, m = Size(1, "n"), Size(1, "m")
        shapes = [(n, m, Size(8)), (n, m, Size(8)), (n, Size(4), Size(6)), (n, Size(4), Size(6), Size(6))]
        self.inputs = [(f"x{i}", TensorProto.FLOAT, tuple(s.symbols[0] if s.symbols else s.number for s in shape))
                       for i, shape in enumerate(shapes)]
        self.values = [(f"x{i}", shape) for i, shape in enumerate(shapes)]
        for _ in range(14):
            self.grow()
        used = {name for node in self.nodes for name in node.input}
        outputs = [(name, TensorProto.FLOAT, None) for name, _ in self.values if name not in used and name[0] != "x"]
        read = [info for info in self.inputs if info[0] in used]
        read += [(name, TensorProto.FLOAT, array.shape) for name, array in self.given.items()]
        self.model = make_model(self.nodes, read, outputs, self.constants, opset=21)

    def feed(self, sizes):
        return self.given | {name: self.rng.standard_normal([sizes.get(s, s) for s in shape]).astype(np.float32)
                             for name, _, shape in self.inputs if any(name == i.name for i in self.model.graph.input)}

    def pick(self, options):
        return options[self.rng.integers(len(options))]

    def node(self, op, inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"{op}_{len(self.nodes)}", **attributes))
        return name

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weights(self, *shape):
        array = self.rng.standard_normal(shape).astype(np.float32) / np.float32(max(shape[0], 1) ** 0.5)
        if not self.weights_are_inputs:
            return self.constant(array)
        name = f"w{len(self.given)}"
        self.given[name] = array
        return name

    def grow(self):
        name, shape = self.pick(self.values[-6:] if self.rng.random() < 0.7 else self.values)
        while True:
            made = getattr(self, self.pick([m for m in dir(self) if m.startswith("make_")]))(name, shape)
            if made:
                self.values.append(made)
                return

    def make_unary(self, x, shape):
        return self.node(self.pick("Tanh Sigmoid Abs Neg Relu Erf Floor Cos HardSwish Softsign".split()), [x]), shape

    def make_binary(self, x, shape):
        op = self.pick("Add Sub Mul Max Min".split())
        same = [name for name, other in self.values if other == shape]
        return self.node("Tanh", [self.node(op, [x, self.pick(same)])]), shape

    def make_broadcast(self, x, shape):
        axis = int(self.rng.integers(len(shape))) if shape else None
        if axis is None or not shape[-1].is_static:
            return None
        mean = self.node("ReduceMax", [self.node("Concat", [x, x], axis=axis), self.constant(np.int64([axis]))],
                         keepdims=1) if shape[axis].is_static else self.weights(shape[-1].number)
        return self.node(self.pick(("Add", "Sub")), [x, mean]), shape

    def make_select(self, x, shape):
        other = self.node("Neg", [x])
        condition = self.node(self.pick(("Less", "GreaterOrEqual")), [x, self.constant(np.float32(0.25))])
        return self.node("Where", [condition, x, other]), shape

    def make_product(self, x, shape):
        if len(shape) < 2 or not shape[-1].is_static or shape[-1].number > 64:
            return None
        columns = int(self.pick((1, 5, 8, 33)))
        y = self.node("MatMul", [x, self.weights(shape[-1].number, columns)])
        return self.node("Tanh", [y]), (*shape[:-1], Size(columns))

    def make_products_of_values(self, x, shape):
        if len(shape) < 3 or not shape[-1].is_static:
            return None
        order = [*range(len(shape) - 2), len(shape) - 1, len(shape) - 2]
        scores = self.node("MatMul", [x, self.node("Transpose", [x], perm=order)])
        weights = self.node("Softmax", [self.node("Mul", [scores, self.constant(np.float32(0.3))])], axis=-1)
        return self.node("MatMul", [weights, x]), shape

    def make_transpose(self, x, shape):
        order = [int(i) for i in self.rng.permutation(len(shape))]
        return self.node("Transpose", [x], perm=order), tuple(shape[i] for i in order)

    def make_merge(self, x, shape):
        if len(shape) < 2:
            return None
        at = int(self.rng.integers(len(shape) - 1))
        merged = (*shape[:at], shape[at] * shape[at + 1], *shape[at + 2:])
        if sum(not size.is_static for size in merged) > 1:
            return None
        # 0 would stand for the operand's size at the same place, which is another one behind the merged dimensions.
        return self.node("Reshape", [x, self.constant(np.int64([s.number if s.is_static else -1 for s in merged]))]), merged

    def make_concat(self, x, shape):
        axis = int(self.rng.integers(len(shape))) if shape else None
        if axis is None or shape[axis].number > 32:
            return None
        fits = [(name, other) for name, other in self.values
                if len(other) == len(shape) and other[axis].symbols == shape[axis].symbols
                and all(a == b for d, (a, b) in enumerate(zip(shape, other)) if d != axis)]
        name, other = self.pick(fits)
        total = Size(shape[axis].number + other[axis].number, *shape[axis].symbols)
        return self.node("Concat", [x, name], axis=axis), (*shape[:axis], total, *shape[axis + 1:])

    def make_slice(self, x, shape):
        axes = [d for d, size in enumerate(shape) if size.is_static and size.number > 2]
        if not axes:
            return None
        axis = self.pick(axes)
        size, step = shape[axis].number, int(self.pick((1, 2, -1)))
        start, stop = (size - 1, 0) if step < 0 else (1, size)
        count = len(range(start, stop, step))
        numbers = [self.constant(np.int64([v])) for v in (start, stop, axis, step)]
        return self.node("Slice", [x, *numbers]), (*shape[:axis], Size(count), *shape[axis + 1:])

    def make_split(self, x, shape):
        axes = [d for d, size in enumerate(shape) if size.is_static and size.number % 2 == 0]
        if not axes:
            return None
        axis = self.pick(axes)
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node("Split", [x], [name, name + "b"], name=name, axis=axis, num_outputs=2))
        half = (*shape[:axis], Size(shape[axis].number // 2), *shape[axis + 1:])
        self.values.append((name + "b", half))
        return name, half

    def make_pad(self, x, shape):
        if not 1 <= len(shape) <= 3:
            return None
        pads = np.zeros(2 * len(shape), np.int64)
        axes = [d for d, size in enumerate(shape) if size.is_static]
        if not axes:
            return None
        axis = self.pick(axes)
        pads[axis], pads[axis + len(shape)] = 1, 2
        return (self.node("Pad", [x, self.constant(pads), self.constant(np.float32(0.5))]),
                (*shape[:axis], Size(shape[axis].number + 3), *shape[axis + 1:]))

    def make_reduce(self, x, shape):
        axes = [d for d, size in enumerate(shape) if size.is_static and size.number > 0]
        if not axes or len(shape) < 2:
            return None
        axis = self.pick(axes)
        op = self.pick("ReduceMean ReduceMax ReduceMin ReduceL2".split())
        keep = int(self.rng.integers(2))
        y = self.node(op, [x, self.constant(np.int64([axis]))], keepdims=keep)
        return self.node("Tanh", [y]), (*shape[:axis], *([ONE] if keep else []), *shape[axis + 1:])

    def make_softmax(self, x, shape):
        if not shape:
            return None
        return self.node("Softmax", [x], axis=int(self.rng.integers(len(shape)))), shape

    def make_normalization(self, x, shape):
        if not shape or not shape[-1].is_static or shape[-1].number < 4:
            return None
        scale, bias = self.weights(shape[-1].number), self.weights(shape[-1].number)
        # Where all of a row is equal, rounding decides: an epsilon that is felt.
        return self.node("LayerNormalization", [x, scale, bias], epsilon=0.1), shape

    def make_gather(self, x, shape):
        axes = [d for d, size in enumerate(shape) if size.is_static and size.number > 0]
        if not axes:
            return None
        axis = self.pick(axes)
        picked = self.rng.integers(-shape[axis].number, shape[axis].number, 3)
        return self.node("Gather", [x, self.constant(picked)], axis=axis), (*shape[:axis], Size(3), *shape[axis + 1:])

    def make_convolution(self, x, shape):
        if len(shape) != 4 or not all(size.is_static for size in shape[1:]):
            return None
        channels, height, width = (size.number for size in shape[1:])
        if channels > 16 or min(height, width) < 3:
            return None
        group = channels if self.rng.random() < 0.3 else 1
        filters = channels if group > 1 else 5
        y = self.node("Conv", [x, self.weights(filters, channels // group, 3, 3), self.weights(filters)], group=group,
                      pads=[1, 1, 1, 1])
        return self.node("Tanh", [y]), (shape[0], Size(filters), *shape[2:])

    def make_cast(self, x, shape):
        scaled = self.node("Mul", [x, self.constant(np.float32(8))])
        whole = self.node("Cast", [self.node("Round", [scaled])], to=TensorProto.INT32)
        return self.node("Tanh", [self.node("Cast", [whole], to=TensorProto.FLOAT)]), shape

    def make_unsqueeze(self, x, shape):
        if len(shape) > 3:
            return None
        axis = int(self.rng.integers(len(shape) + 1))
        return self.node("Unsqueeze", [x, self.constant(np.int64([axis]))]), (*shape[:axis], ONE, *shape[axis:])


@pytest.mark.parametrize("seed", seeds(range(24)))
def test_compiled_as_interpreted(seed):
    graph = Graph(seed)
    compiled, interpreted = tenon.compile(graph.model, threads=1), tenon.reference(graph.model)
    for sizes in SIZES:
        feed = graph.feed(sizes)
        actual = compiled.run(feed)
        for name, expected in interpreted.run(feed).items():
            assert actual[name].shape == expected.shape
            np.testing.assert_allclose(actual[name], expected, rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)


@pytest.mark.parametrize("seed", seeds(range(100, 112)))
def test_every_pass(seed, tmp_path):
    graph = Graph(seed)
    for pipeline in ("tenon-graph,tenon-kernels{devices=tenon.contract=gpu}",
                     "tenon-graph,tenon-kernels,tenon-plans,tenon-variants{targets=avx2,avx512},tenon-tiles"):
        changes = check_every_pass(graph.model, pipeline, tmp_path, feed=graph.given, sizes=SIZES, tolerance=TOLERANCE)
        assert changes >= 3, pipeline

"""Generated graphs of all element types that kernels compute with, for test_typed_graphs.

What makes two right results differ is kept away from what decides: comparisons, conversions to integers, maxima's places
and rounding read integers or *exact* floats, which are multiples of 1/8 within [-4, 4] and become others by exact
operations only. Other floats are bounded, and carry the tolerance of the shortest type that they went through.
"""

from typing import NamedTuple

import numpy as np
import onnx
from conftest import make_model
from onnx import TensorProto, helper, numpy_helper

OPSET = 24
CODES = {"f32": TensorProto.FLOAT, "f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16, "i8": TensorProto.INT8,
         "u8": TensorProto.UINT8, "i32": TensorProto.INT32, "i64": TensorProto.INT64, "bool": TensorProto.BOOL}
NAMES = {"f32": "tensor(float)", "f16": "tensor(float16)", "bf16": "tensor(bfloat16)", "i8": "tensor(int8)",
         "u8": "tensor(uint8)", "i32": "tensor(int32)", "i64": "tensor(int64)", "bool": "tensor(bool)"}
ARRAYS = {"f32": np.float32, "f16": np.float16, "i8": np.int8, "u8": np.uint8, "i32": np.int32, "i64": np.int64,
          "bool": np.bool_}
TOLERANCES = {"f32": 2e-4, "f16": 1e-2, "bf16": 1e-1}
FLOATS, INTEGERS = ("f32", "f16", "bf16"), ("i8", "u8", "i32", "i64")

# What symbols stand for, run by run.
SIZES = ({"n": 3, "m": 5}, {"n": 1, "m": 2}, {"n": 17, "m": 9}, {"n": 0, "m": 1})


class Value(NamedTuple):
    name: str
    type: str
    shape: tuple  # of numbers and names of symbols
    exact: bool = True
    tolerance: float = 0.0

    @property
    def static_axes(self):
        return [d for d, size in enumerate(self.shape) if isinstance(size, int) and size > 0]


def takes(op, kind):
    """Whether the standard has the operator on this element type as its first operand."""
    schema = onnx.defs.get_schema(op, OPSET)
    allowed = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}
    first = schema.inputs[0].type_str
    return NAMES[kind] in allowed.get(first, [first])


class TypedGraph:
    """Grows by one node or a few at a time. Weights beyond `largest` bytes are inputs in every graph."""

    def __init__(self, seed, steps=16, largest=1 << 20):
        self.largest = largest
        self.rng = np.random.default_rng([seed, 12])
        self.weights_are_inputs, self.given, self.constants = seed % 2 == 1, {}, []
        self.nodes, self.count, self.unknown, self.depth = [], 0, 0, 0
        # Below and above what vectors hold, and no multiple of it.
        rows, columns, width = self.pick((1, 2, 4, 7)), self.pick((1, 5, 6, 8, 17, 33)), self.pick((3, 8, 16, 20))
        shapes = {kind: ("n", "m", width) if kind in ("i8", "i64") else ("n", rows, columns) for kind in ARRAYS}
        self.inputs = [Value(f"x_{kind}", kind, shape) for kind, shape in shapes.items()]
        image = ("n", self.pick((1, 3, 8)), 6, self.pick((3, 7, 19)))
        self.inputs.append(Value("x_image", "f16" if seed % 3 == 0 else "f32", image))
        self.values = list(self.inputs)
        self.values.append(self.cast(self.inputs[0], "bf16"))
        for _ in range(steps):
            self.grow()
        used = {name for node in self.nodes for name in self.read_by(node)}
        self.outputs = {}
        for value in self.values:
            if value.name not in used and not value.name.startswith("x_"):
                if value.type == "bf16":
                    value = self.cast(value, "f32")
                self.outputs[value.name] = value
        used = {name for node in self.nodes for name in self.read_by(node)}
        read = [value for value in self.inputs if value.name in used]
        infos = [(v.name, CODES[v.type], v.shape) for v in read]
        infos += [(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape) for name, array in self.given.items()]
        self.inputs = read
        self.model = make_model(self.nodes, infos, [(v.name, CODES[v.type], None) for v in self.outputs.values()],
                                self.constants, opset=OPSET)

    @staticmethod
    def read_by(node):
        yield from node.input
        for attribute in node.attribute:
            for inner in attribute.g.node:
                yield from TypedGraph.read_by(inner)
            yield from (output.name for output in attribute.g.output)

    def feed(self, sizes):
        return self.given | {v.name: self.random(v.type, [sizes.get(s, s) for s in v.shape]) for v in self.inputs}

    def random(self, kind, shape):
        if kind == "bool":
            return self.rng.integers(0, 2, shape).astype(np.bool_)
        if kind in FLOATS:
            return (self.rng.integers(-32, 33, shape) / 8).astype(ARRAYS[kind])
        info = np.iinfo(ARRAYS[kind])
        wide = self.rng.integers(info.min, info.max, shape, ARRAYS[kind], endpoint=True)
        small = self.rng.integers(-5 if info.min else 0, 10, shape).astype(ARRAYS[kind])
        return np.where(self.rng.random(shape) < 0.4, wide, small)

    def pick(self, options):
        options = list(options)
        return options[self.rng.integers(len(options))]

    # Nodes and constants.

    def nodes_of(self, op, inputs, count, **attributes):
        names = [f"v{self.count + i}" for i in range(count)]
        self.count += count
        self.nodes.append(helper.make_node(op, [getattr(x, "name", x) for x in inputs], names,
                                           name=f"{op}_{names[0]}", **attributes))
        return names

    def node(self, op, inputs, **attributes):
        return self.nodes_of(op, inputs, 1, **attributes)[0]

    def constant(self, array, kind=None):
        """An initializer, wherever it is read."""
        name = f"c{len(self.constants)}"
        array = np.asarray(array)
        if kind == "bf16":
            tensor = helper.make_tensor(name, TensorProto.BFLOAT16, array.shape, array.astype(np.float32).ravel())
        else:
            tensor = numpy_helper.from_array(array if kind is None else array.astype(ARRAYS[kind]), name)
        self.constants.append(tensor)
        return name

    def weights(self, array, kind):
        if not self.weights_are_inputs and 8 * np.size(array) <= self.largest:
            return self.constant(array, kind)
        name = f"w{len(self.given)}"
        self.given[name] = np.asarray(array).astype(np.float32 if kind == "bf16" else ARRAYS[kind])
        return self.node("Cast", [name], to=TensorProto.BFLOAT16) if kind == "bf16" else name

    def made(self, name, kind, shape, *sources, exact=False):
        """A value: of floats that aren't exact, the tolerance is that of the shortest type on the way."""
        tolerance = max([s.tolerance for s in sources], default=0.0)
        if kind in FLOATS and not exact:
            tolerance = max([tolerance, TOLERANCES[kind]] + [TOLERANCES[s.type] for s in sources if s.type in FLOATS])
        return Value(name, kind, tuple(shape), exact or kind not in FLOATS, tolerance)

    def cast(self, x, kind):
        return self.made(self.node("Cast", [x], to=CODES[kind]), kind, x.shape, x, exact=x.exact)

    def bounded(self, name, kind, shape, *sources):
        return self.made(self.node("Tanh", [name]), kind, shape, *sources)

    def like(self, x):
        """A value of the type and shape of x."""
        return self.pick(v for v in self.values if v.type == x.type and v.shape == x.shape)

    def whole(self, x, limit):
        """x as integers within [0, limit)."""
        if x.type == "bool" or (x.type in FLOATS and x.exact):
            x = self.cast(x, "i32") if x.type != "f32" else self.cast(x, "i64")
        if x.type not in ("i32", "i64"):
            x = self.cast(x, "i64")
        return Value(self.node("Mod", [x, self.constant(limit, x.type)]), x.type, x.shape)

    def grow(self):
        recent = self.values[-6:] if self.rng.random() < 0.6 else self.values
        while True:
            x = self.pick(recent if self.rng.random() < 0.9 else self.values)
            made = getattr(self, self.pick([m for m in dir(self) if m.startswith("make_")]))(x)
            if made:
                self.values += made if isinstance(made, list) else [made]
                return

    # Elementwise.

    def make_cast(self, x):
        kind = self.pick(k for k in CODES if k != x.type)
        if x.type in FLOATS and not x.exact and kind not in FLOATS:
            return None
        if x.type in FLOATS and kind == "u8":
            x = x._replace(name=self.node("Abs", [x]))
        if x.type in INTEGERS and kind in FLOATS:
            small = self.whole(x, 13)
            eighths = self.node("Mul", [self.cast(small, kind), self.constant(0.125, kind)])
            if self.rng.random() < 0.5:
                return self.made(eighths, kind, x.shape, exact=True)
            scale = self.constant(2.0 ** -(3 if kind == "f16" else 20), kind)
            return self.bounded(self.node("Mul", [self.cast(x, kind), scale]), kind, x.shape)
        return self.cast(x, kind)

    def make_unary(self, x):
        if x.type in FLOATS:
            exact = self.rng.random() < 0.4
            if exact:
                return x._replace(name=self.node(self.pick(("Neg", "Abs", "Relu")), [x]))
            ops = [op for op in "Tanh Sigmoid Erf Cos Sin Softsign Softplus Atan HardSwish Gelu".split() if takes(op, x.type)]
            return self.made(self.node(self.pick(ops), [x]), x.type, x.shape, x)
        if x.type == "bool":
            return x._replace(name=self.node("Not", [x]))
        return x._replace(name=self.node(self.pick(op for op in "Neg Abs Sign BitwiseNot".split() if takes(op, x.type)), [x]))

    def make_rounding(self, x):
        if x.type not in FLOATS or not x.exact:
            return None
        y = x._replace(name=self.node(self.pick(("Floor", "Ceil", "Round", "Sign")), [x]))
        return y

    def make_binary(self, x):
        y = self.like(x)
        if x.type in FLOATS:
            op = self.pick("Add Sub Mul Max Min Div".split())
            if x.exact and y.exact and op in ("Add", "Sub"):
                limits = [self.constant(v, x.type) for v in (-4, 4)]
                return self.made(self.node("Clip", [self.node(op, [x, y]), *limits]), x.type, x.shape, exact=True)
            if op == "Div":
                below = self.node("Add", [self.node("Abs", [y]), self.constant(0.5, x.type)])
                return self.bounded(self.node("Div", [x, below]), x.type, x.shape, x, y)
            return self.bounded(self.node(op, [x, y]), x.type, x.shape, x, y)
        if x.type == "bool":
            return x._replace(name=self.node(self.pick(("And", "Or", "Xor")), [x, y]))
        op = self.pick("Add Sub Mul Max Min BitwiseAnd BitwiseOr BitwiseXor".split())
        return x._replace(name=self.node(op, [x, y]))

    def make_integer_division(self, x):
        if x.type not in INTEGERS:
            return None
        if self.rng.random() < 0.5:
            y = self.constant(self.pick((1, 2, 3, 7, 8, 100) + (() if x.type == "u8" else (-1, -2, -5))), x.type)
        else:
            y = self.node("BitwiseOr", [self.like(x), self.constant(1, x.type)])
        op = self.pick(("Div", "Mod", "Fmod"))
        name = self.node("Mod", [x, y], fmod=1) if op == "Fmod" else self.node(op, [x, y])
        return x._replace(name=name)

    def make_shift(self, x):
        if x.type != "u8":
            return None
        amount = self.node("BitwiseAnd", [self.like(x), self.constant(7, "u8")])
        return x._replace(name=self.node("BitShift", [x, amount], direction=self.pick(("LEFT", "RIGHT"))))

    def make_power(self, x):
        if x.type not in ("i32", "i64", "f32", "f16"):
            return None
        if x.type in FLOATS:
            y = self.node("Pow", [self.node("Abs", [x]), self.constant(self.pick((0.5, 2, 3)), x.type)])
            return self.bounded(y, x.type, x.shape, x)
        small = self.whole(x, 9)
        return small._replace(name=self.node("Pow", [small, self.constant(self.pick((0, 1, 2, 3)), small.type)]))

    def make_compare(self, x):
        y = self.like(x)
        if not x.exact or not y.exact:
            return None
        ops = ("Equal",) if x.type == "bool" else ("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual")
        other = y if self.rng.random() < 0.6 else self.constant(1, x.type)
        return Value(self.node(self.pick(ops), [x, other]), "bool", x.shape)

    def make_where(self, x):
        conditions = [v for v in self.values if v.type == "bool" and v.shape == x.shape]
        if not conditions:
            return None
        y = self.like(x)
        return self.made(self.node("Where", [self.pick(conditions), x, y]), x.type, x.shape, x, y, exact=x.exact and y.exact)

    def make_clip(self, x):
        if x.type == "bool":
            return None
        low, high = (0, 100) if x.type in INTEGERS else (-1.5, 2)
        return x._replace(name=self.node("Clip", [x, self.constant(low, x.type), self.constant(high, x.type)]))

    def make_broadcast(self, x):
        if not x.static_axes or x.type == "bool":
            return None
        axis = self.pick(x.static_axes)
        row = self.random("f32" if x.type == "bf16" else x.type, [x.shape[axis]] + [1] * (len(x.shape) - 1 - axis))
        if x.type in FLOATS:
            return self.bounded(self.node("Add", [x, self.weights(row, x.type)]), x.type, x.shape, x)
        return x._replace(name=self.node(self.pick(("Add", "Mul", "Min")), [x, self.weights(row, x.type)]))

    # Reductions and scans.

    def make_reduce(self, x):
        if not x.static_axes or len(x.shape) < 2:
            return None
        axis, keep = self.pick(x.static_axes), int(self.rng.integers(2))
        shape = (*x.shape[:axis], *([1] if keep else []), *x.shape[axis + 1:])
        ops = [op for op in "ReduceSum ReduceMax ReduceMin ReduceMean ReduceProd ReduceL1 ReduceSumSquare".split()
               if takes(op, x.type) and not (op == "ReduceMean" and x.type in INTEGERS)]
        if not ops:
            return None
        op = self.pick(ops)
        if op == "ReduceProd" and x.type in FLOATS:
            return None
        y = self.node(op, [x, self.constant(np.int64([axis]))], keepdims=keep)
        if x.type in FLOATS:
            if op in ("ReduceMax", "ReduceMin"):
                return self.made(y, x.type, shape, x, exact=x.exact)
            return self.bounded(self.node("Mul", [y, self.constant(0.125, x.type)]), x.type, shape, x)
        return Value(y, x.type, shape)

    def make_reduce_dynamic(self, x):
        """All axes, the symbolic ones too: sums of nothing are 0."""
        if x.type not in ("i32", "i64", "f32") or not x.exact:
            return None
        y = self.node("ReduceSum", [x], keepdims=1)
        if x.type == "f32":
            return self.bounded(self.node("Mul", [y, self.constant(2.0 ** -8, "f32")]), "f32", [1] * len(x.shape), x)
        return Value(y, x.type, (1,) * len(x.shape))

    def make_place(self, x):
        if not x.exact or not x.static_axes or not takes("ArgMax", x.type):
            return None
        axis, keep = self.pick(x.static_axes), int(self.rng.integers(2))
        y = self.node(self.pick(("ArgMax", "ArgMin")), [x], axis=axis, keepdims=keep, select_last_index=int(self.rng.integers(2)))
        return Value(y, "i64", (*x.shape[:axis], *([1] if keep else []), *x.shape[axis + 1:]))

    def make_top_k(self, x):
        if not x.exact or not x.static_axes or not takes("TopK", x.type):
            return None
        axis = self.pick(x.static_axes)
        k = int(self.rng.integers(1, x.shape[axis] + 1))
        values, places = self.nodes_of("TopK", [x, self.constant(np.int64([k]))], 2, axis=axis, largest=int(self.rng.integers(2)))
        shape = (*x.shape[:axis], k, *x.shape[axis + 1:])
        return [x._replace(name=values, shape=shape), Value(places, "i64", shape)]

    def make_cumulative(self, x):
        if not x.shape or not takes("CumSum", x.type):
            return None
        axis = int(self.rng.integers(len(x.shape)))
        y = self.node("CumSum", [x, self.constant(np.int64(axis))], exclusive=int(self.rng.integers(2)),
                      reverse=int(self.rng.integers(2)))
        if x.type in FLOATS:
            return self.bounded(self.node("Mul", [y, self.constant(0.0625, x.type)]), x.type, x.shape, x)
        return x._replace(name=y)

    def make_softmax(self, x):
        if x.type not in FLOATS or not x.shape:
            return None
        return self.made(self.node("Softmax", [x], axis=int(self.rng.integers(len(x.shape)))), x.type, x.shape, x)

    def make_normalization(self, x):
        if x.type not in FLOATS or not x.shape or x.shape[-1] not in range(4, 65):
            return None
        scale, bias = (self.weights(self.random("f32", [x.shape[-1]]) / 4, x.type) for _ in range(2))
        return self.made(self.node("LayerNormalization", [x, scale, bias], epsilon=0.1), x.type, x.shape, x)

    # Movement.

    def make_transpose(self, x):
        if not x.shape:
            return None
        order = [int(i) for i in self.rng.permutation(len(x.shape))]
        return x._replace(name=self.node("Transpose", [x], perm=order), shape=tuple(x.shape[i] for i in order))

    def make_merge(self, x):
        if len(x.shape) < 2:
            return None
        at = int(self.rng.integers(len(x.shape) - 1))
        if not all(isinstance(size, int) for size in x.shape[at:at + 2]) or sum(isinstance(s, str) for s in x.shape) > 1:
            return None
        shape = (*x.shape[:at], x.shape[at] * x.shape[at + 1], *x.shape[at + 2:])
        # A literal 0 is the operand's size at this place, and -1 can't be found where another size is 0.
        sizes = [0 if isinstance(s, str) and d < at else -1 if isinstance(s, str) else s for d, s in enumerate(shape)]
        return x._replace(name=self.node("Reshape", [x, self.constant(np.int64(sizes))]), shape=shape)

    def make_concat(self, x):
        if not x.static_axes:
            return None
        axis = self.pick(x.static_axes)
        y = self.pick(v for v in self.values if v.type == x.type and len(v.shape) == len(x.shape) and axis in v.static_axes
                      and all(a == b for d, (a, b) in enumerate(zip(v.shape, x.shape)) if d != axis))
        total = x.shape[axis] + y.shape[axis]
        if total > 64:
            return None
        shape = (*x.shape[:axis], total, *x.shape[axis + 1:])
        return self.made(self.node("Concat", [x, y], axis=axis), x.type, shape, x, y, exact=x.exact and y.exact)

    def make_slice(self, x):
        axes = [d for d in x.static_axes if x.shape[d] > 2]
        if not axes:
            return None
        axis = self.pick(axes)
        size, step = x.shape[axis], int(self.pick((1, 2, -1, -2)))
        start, stop = (size - 1, 0) if step < 0 else (1, size)
        numbers = [self.constant(np.int64([v])) for v in (start, stop, axis, step)]
        shape = (*x.shape[:axis], len(range(start, stop, step)), *x.shape[axis + 1:])
        return x._replace(name=self.node("Slice", [x, *numbers]), shape=shape)

    def make_pad(self, x):
        if not x.static_axes or not takes("Pad", x.type):
            return None
        axis = self.pick(x.static_axes)
        mode = self.pick(("constant", "reflect", "edge", "wrap"))
        before, after = (0, 1) if x.shape[axis] < 3 else (1, 2)
        if x.shape[axis] < 2 or len(x.shape) > 4:
            mode = "constant"
        numbers = [self.constant(np.int64([before, after])), self.constant(2, x.type) if x.type != "bool" else "",
                   self.constant(np.int64([axis]))]
        shape = (*x.shape[:axis], x.shape[axis] + before + after, *x.shape[axis + 1:])
        return x._replace(name=self.node("Pad", [x, *numbers], mode=mode), shape=shape)

    def make_split(self, x):
        axes = [d for d in x.static_axes if x.shape[d] % 2 == 0]
        if not axes:
            return None
        axis = self.pick(axes)
        half = (*x.shape[:axis], x.shape[axis] // 2, *x.shape[axis + 1:])
        return [x._replace(name=name, shape=half) for name in self.nodes_of("Split", [x], 2, axis=axis, num_outputs=2)]

    def make_unsqueeze(self, x):
        if len(x.shape) > 3:
            return None
        axis = int(self.rng.integers(len(x.shape) + 1))
        return x._replace(name=self.node("Unsqueeze", [x, self.constant(np.int64([axis]))]), shape=(*x.shape[:axis], 1, *x.shape[axis:]))

    def make_expand(self, x):
        axes = [d for d, size in enumerate(x.shape) if size == 1]
        if not axes:
            return None
        axis, size = self.pick(axes), int(self.pick((2, 3, 9)))
        target = [size if d == axis else 1 for d in range(len(x.shape))]
        return x._replace(name=self.node("Expand", [x, self.constant(np.int64(target))]), shape=(*x.shape[:axis], size, *x.shape[axis + 1:]))

    def make_triangle(self, x):
        if len(x.shape) < 2 or not takes("Trilu", x.type):
            return None
        return x._replace(name=self.node("Trilu", [x, self.constant(np.int64(self.rng.integers(-1, 2)))], upper=int(self.rng.integers(2))))

    # Places that are computed.

    def make_gather(self, x):
        sources = [v for v in self.values if v.type in INTEGERS + ("bool",) and 0 < len(v.shape) < 4]
        if not x.static_axes or len(x.shape) > 3 or not sources:
            return None
        axis = self.pick(x.static_axes)
        source = self.pick(sources)
        if len(source.shape) + len(x.shape) > 5 or sum(isinstance(s, str) for s in source.shape + x.shape) > 3:
            return None
        places = self.whole(source, x.shape[axis])
        if self.rng.random() < 0.4:
            places = places._replace(name=self.node("Sub", [places, self.constant(x.shape[axis], places.type)]))
        shape = (*x.shape[:axis], *places.shape, *x.shape[axis + 1:])
        return x._replace(name=self.node("Gather", [x, places], axis=axis), shape=shape)

    def make_gather_elements(self, x):
        if not x.static_axes:
            return None
        axis = self.pick(x.static_axes)
        sources = [v for v in self.values if v.exact and len(v.shape) == len(x.shape)
                   and all(a == b for d, (a, b) in enumerate(zip(v.shape, x.shape)) if d != axis)]
        places = self.whole(self.pick(sources), x.shape[axis]) if sources else None
        return places and x._replace(name=self.node("GatherElements", [x, places], axis=axis), shape=places.shape)

    def make_gather_nd(self, x):
        if len(x.shape) < 2 or not isinstance(x.shape[1], int) or x.shape[1] == 0:
            return None
        places = self.constant(self.rng.integers(-x.shape[1], x.shape[1], (5, 1)))
        if x.shape[0] == "n":
            moved = x._replace(name=self.node("Transpose", [x], perm=[1, 0, *range(2, len(x.shape))]),
                               shape=(x.shape[1], x.shape[0], *x.shape[2:]))
            return moved._replace(name=self.node("GatherND", [moved, places]), shape=(5, *moved.shape[1:]))
        return None

    def make_scatter_elements(self, x):
        if not x.static_axes or x.type == "bool":
            return None
        axis = self.pick(x.static_axes)
        reduction = self.pick(("none", "add", "mul", "min", "max"))
        if reduction in ("add", "mul") and x.type in FLOATS or not takes("ScatterElements", x.type):
            reduction = "none"
        y = self.like(x)
        if reduction == "none":
            # Each place once.
            order = self.rng.permutation(x.shape[axis]).reshape([-1 if d == axis else 1 for d in range(len(x.shape))])
            shape = self.node("Shape", [x])
            places = Value(self.node("Expand", [self.constant(order), shape]), "i64", x.shape)
        else:
            sources = [v for v in self.values if v.exact and v.shape == x.shape]
            if not sources:
                return None
            places = self.whole(self.pick(sources), x.shape[axis])
        name = self.node("ScatterElements", [x, places, y], axis=axis, reduction=reduction)
        return self.made(name, x.type, x.shape, x, y, exact=x.exact and y.exact)

    def make_scatter_nd(self, x):
        if len(x.shape) < 2 or not isinstance(x.shape[0], int) or x.type == "bool":
            return None
        rows = min(3, x.shape[0])
        reduction = self.pick(("none", "add", "mul", "min", "max"))
        if reduction in ("add", "mul") and x.type in FLOATS:
            reduction = "none"
        places = self.rng.permutation(x.shape[0])[:rows] if reduction == "none" else self.rng.integers(0, x.shape[0], rows)
        y = self.like(x)
        ends = [self.constant(np.int64([v])) for v in (0, rows, 0)]
        updates = self.node("Slice", [y, *ends])
        name = self.node("ScatterND", [x, self.constant(places.reshape(-1, 1)), updates], reduction=reduction)
        return self.made(name, x.type, x.shape, x, y, exact=x.exact and y.exact)

    def make_one_hot(self, x):
        if x.type not in ("i32", "i64") or len(x.shape) > 3:
            return None
        places = self.whole(x, 5)
        kind = self.pick(("f32", "i32", "i64", "f16"))
        name = self.node("OneHot", [places, self.constant(np.int64(4)), self.constant([0, 1], kind)], axis=-1)
        return Value(name, kind, (*x.shape, 4))

    def make_compress(self, x):
        """As many elements as a condition holds for."""
        if self.depth or not x.static_axes or len(x.shape) > 3 or self.unknown > 1:
            return None
        axis = self.pick(x.static_axes)
        rows = [v for v in self.values if v.type == "bool" and axis < len(v.shape) and v.shape[axis] == x.shape[axis]]
        if not rows:
            return None
        row = self.pick(rows)
        others = [d for d in range(len(row.shape)) if d != axis]
        counts = self.node("ReduceSum", [self.node("Cast", [row], to=TensorProto.INT64), self.constant(np.int64(others))], keepdims=0,
                           noop_with_empty_axes=1)
        kept = self.node("Cast", [self.node("Mod", [counts, self.constant(np.int64(2))])], to=TensorProto.BOOL)
        self.unknown += 1
        return x._replace(name=self.node("Compress", [x, kept], axis=axis), shape=(*x.shape[:axis], f"u{self.unknown}", *x.shape[axis + 1:]))

    def make_nonzero(self, x):
        if self.depth or not x.exact or not 0 < len(x.shape) < 4 or self.unknown > 1:
            return None
        self.unknown += 1
        return Value(self.node("NonZero", [x]), "i64", (len(x.shape), f"u{self.unknown}"))

    # Products.

    def make_product(self, x):
        if x.type not in ("f32", "f16", "bf16", "i32", "i64") or len(x.shape) < 2 or x.shape[-1] not in range(1, 65):
            return None
        depth, columns = x.shape[-1], int(self.pick((1, 5, 8, 33)))
        shape = (*x.shape[:-1], columns)
        weights = self.random("f32" if x.type == "bf16" else x.type, (depth, columns))
        if x.type in FLOATS:
            y = self.node("MatMul", [x, self.weights(weights / (4 * depth ** 0.5), x.type)])
            return self.bounded(y, x.type, shape, x)
        return Value(self.node("MatMul", [x, self.weights(weights, x.type)]), x.type, shape)

    def make_products_of_values(self, x):
        if x.type not in ("f32", "f16", "bf16", "i32") or len(x.shape) < 3 or x.shape[-1] not in range(1, 65):
            return None
        order = [*range(len(x.shape) - 2), len(x.shape) - 1, len(x.shape) - 2]
        scores = self.node("MatMul", [x, self.node("Transpose", [x], perm=order)])
        shape = (*x.shape[:-1], x.shape[-2])
        if x.type in FLOATS:
            return self.bounded(self.node("Mul", [scores, self.constant(0.03125, x.type)]), x.type, shape, x)
        return Value(scores, x.type, shape)

    def make_integer_product(self, x):
        if x.type not in ("i8", "u8") or len(x.shape) < 2 or x.shape[-1] not in range(1, 65):
            return None
        kind, columns = self.pick(("i8", "u8")), int(self.pick((1, 5, 16, 33)))
        weights = self.weights(self.random(kind, (x.shape[-1], columns)), kind)
        zeros = []
        if self.rng.random() < 0.6:
            zeros = [self.constant(3, x.type), self.constant(self.random(kind, [columns] if self.rng.random() < 0.5 else []), kind)]
        return Value(self.node("MatMulInteger", [x, weights, *zeros]), "i32", (*x.shape[:-1], columns))

    def make_quantized(self, x):
        if x.type in ("i8", "u8"):
            scale = self.constant(0.125, "f32")
            y = self.node("DequantizeLinear", [x, scale, self.constant(2, x.type)])
            limits = [self.constant(v, "f32") for v in (-4, 4)]
            return self.made(self.node("Clip", [y, *limits]), "f32", x.shape, exact=True)
        if x.type not in ("f32", "f16") or not x.exact:
            return None
        kind = self.pick(("i8", "u8"))
        return Value(self.node("QuantizeLinear", [x, self.constant(0.25, x.type), self.constant(5, kind)]), kind, x.shape)

    def make_convolution(self, x):
        if len(x.shape) != 4 or not all(isinstance(s, int) and s > 2 for s in x.shape[2:]) or x.shape[1] not in range(1, 17):
            return None
        channels = x.shape[1]
        group = channels if self.rng.random() < 0.3 else 1
        filters = channels if group > 1 else 5
        shape = (x.shape[0], filters, *x.shape[2:])
        if x.type in ("i8", "u8"):
            kind = self.pick(("i8", "u8"))
            weights = self.weights(self.random(kind, (filters, channels // group, 3, 3)), kind)
            return Value(self.node("ConvInteger", [x, weights, self.constant(2, x.type)], group=group, pads=[1] * 4), "i32", shape)
        if x.type not in FLOATS:
            return None
        weights = self.random("f32", (filters, channels // group, 3, 3)) / (4 * channels ** 0.5)
        return self.bounded(self.node("Conv", [x, self.weights(weights, x.type)], group=group, pads=[1] * 4), x.type, shape, x)

    def make_window(self, x):
        if len(x.shape) != 4 or not all(isinstance(s, int) and s > 2 for s in x.shape[2:]) or not takes("MaxPool", x.type):
            return None
        shape = (*x.shape[:2], *((s - 1) // 2 + 1 for s in x.shape[2:]))
        if x.type in FLOATS and self.rng.random() < 0.5:
            y = self.node("AveragePool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, count_include_pad=int(self.rng.integers(2)))
            return self.made(y, x.type, shape, x)
        return x._replace(name=self.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4), shape=shape)

    # Control flow.

    ELEMENTWISE = ("make_unary", "make_binary", "make_integer_division", "make_shift", "make_where", "make_clip",
                   "make_broadcast", "make_scatter_elements", "make_cumulative", "make_softmax")

    def body(self, x, name, trips):
        """Nodes that lead from a value called `name`, like x, to another like it; what they read besides is outside."""
        outer, self.nodes = self.nodes, []
        known = list(self.values)
        self.depth += 1
        start = x._replace(name=name)
        self.values.append(start)
        y = start
        for _ in range(int(self.rng.integers(1, 4))):
            for _ in range(8):
                made = getattr(self, self.pick(self.ELEMENTWISE))(y)
                if made and made.shape == x.shape and made.type == x.type and (made.exact or not x.exact):
                    y = made
                    self.values.append(y)
                    break
        if y is start:
            y = y._replace(name=self.node("Identity", [y]))
        self.depth -= 1
        self.values, nodes, self.nodes = known, self.nodes, outer
        return nodes, y

    def info(self, x, name=None):
        return helper.make_tensor_value_info(name or x.name, CODES[x.type], [None] * len(x.shape))

    def make_branches(self, x):
        conditions = [v for v in self.values if v.exact]
        if self.depth or not conditions:
            return None
        counted = self.whole(self.pick(conditions), 2)
        condition = self.node("Equal", [self.node("ReduceSum", [counted], keepdims=0), self.constant(int(self.rng.integers(0, 9)), counted.type)])
        arms = []
        for arm in ("then", "else"):
            nodes, y = self.body(x, x.name, 1)
            arms.append((helper.make_graph(nodes, arm, [], [self.info(y)]), y))
        name = self.node("If", [condition], then_branch=arms[0][0], else_branch=arms[1][0])
        return self.made(name, x.type, x.shape, x, arms[0][1], arms[1][1], exact=x.exact and all(y.exact for _, y in arms))

    def make_loop(self, x):
        if self.depth:
            return None
        number = self.count
        self.count += 1
        carried = x._replace(exact=x.exact, tolerance=max(x.tolerance, 0 if x.exact else TOLERANCES.get(x.type, 0)))
        nodes, y = self.body(carried, f"carried{number}", 3)
        nodes.append(helper.make_node("Identity", [f"on{number}"], [f"still{number}"]))
        info = helper.make_tensor_value_info
        body = helper.make_graph(nodes, "body", [info(f"i{number}", TensorProto.INT64, ()), info(f"on{number}", TensorProto.BOOL, ()),
                                                 self.info(x, f"carried{number}")],
                                 [info(f"still{number}", TensorProto.BOOL, ()), self.info(y)])
        known = self.rng.random() < 0.5
        if known:
            trips = self.constant(np.int64(self.rng.integers(0, 4)))
        else:
            counted = self.whole(self.pick(v for v in self.values if v.exact), 4)
            total = self.node("ReduceSum", [counted], keepdims=0)
            trips = self.node("Mod", [self.node("Cast", [total], to=TensorProto.INT64), self.constant(np.int64(4))])
        name = self.node("Loop", [trips, "", x], body=body)
        return self.made(name, x.type, x.shape, x, y, exact=x.exact and y.exact)

    def make_scan(self, x):
        """Along the first axis, with a carried tensor and what each step gives."""
        if self.depth or len(x.shape) < 2 or not x.static_axes or x.static_axes[0] != 0 or not takes("Scan", x.type):
            return None
        row = x._replace(shape=x.shape[1:])
        number = self.count
        self.count += 1
        starts = [v for v in self.values if v.type == x.type and v.shape == row.shape and v.exact == x.exact]
        if starts:
            start = self.pick(starts)
        else:
            start = row._replace(name=self.node("Gather", [x, self.constant(np.int64(0))], axis=0))
        nodes, y = self.body(start, f"state{number}", 3)
        if x.type in FLOATS or x.type == "bool":
            given = helper.make_node("Identity" if x.type == "bool" else "Neg", [f"row{number}"], [f"given{number}"])
        else:
            given = helper.make_node("BitwiseXor", [f"row{number}", y.name], [f"given{number}"])
        nodes.append(given)
        body = helper.make_graph(nodes, "body", [self.info(row, f"state{number}"), self.info(row, f"row{number}")],
                                 [self.info(y), self.info(row, f"given{number}")])
        last, rows = self.nodes_of("Scan", [start, x], 2, body=body, num_scan_inputs=1)
        return [self.made(last, x.type, row.shape, start, y, exact=start.exact and y.exact),
                self.made(rows, x.type, x.shape, x, y, exact=x.exact)]

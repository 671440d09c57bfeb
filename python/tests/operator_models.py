"""Models of a few nodes over the standard's operators, for test_operator_models: every operator that has a recipe here,
attributes at their edges, all element types, broadcasting, sizes of zero, sizes that are symbols, operands as constants
or as inputs, control flow and functions.

Seeded: model number 7 is the same model everywhere. A node is drawn with what the standard allows, and ONNX Runtime runs
it at once, alone: what it refuses is drawn again, what it gives may be an operand of later nodes. What makes two right
results differ is kept away from what decides: rounding, comparisons and places of maxima read integers or *exact* floats,
which are multiples of 1/1024 and become others by exact operations only.
"""

from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

KINDS = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "i8": np.int8, "u8": np.uint8, "i16": np.int16,
         "u16": np.uint16, "i32": np.int32, "u32": np.uint32, "i64": np.int64, "u64": np.uint64, "bool": np.bool_}
NAMES = {"float": "f32", "double": "f64", "float16": "f16", "int8": "i8", "uint8": "u8", "int16": "i16",
         "uint16": "u16", "int32": "i32", "uint32": "u32", "int64": "i64", "uint64": "u64", "bool": "bool"}
FLOATS = ("f32", "f64", "f16")
TOLERANCES = {"f32": 1e-4, "f64": 1e-7, "f16": 1e-2}
OPSETS = (24, 24, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 13, 12, 11)

# These give exact results for exact operands, as far as they are multiples of 1/1024.
EXACT = set("""Abs Neg Relu Identity Add Sub Mul Max Min Sum Where Clip Reshape Flatten Squeeze Unsqueeze Transpose Expand
Tile Concat Split Slice Pad Gather GatherElements GatherND ScatterElements ScatterND DepthToSpace SpaceToDepth
ReverseSequence Trilu EyeLike OneHot Compress Range ConstantOfShape CenterCropPad MaxPool GlobalMaxPool ReduceMax ReduceMin
ReduceSum CumSum MatMul Gemm Cast CastLike Floor Ceil Round Sign Unique TopK Dropout Scan Hardmax""".split())


# These may compute in f32 whatever their operands are.
STASHED = {"LayerNormalization", "RMSNormalization", "GroupNormalization"}


class Refused(Exception):
    """No node can be drawn here, or ONNX Runtime doesn't run it."""


class Value(NamedTuple):
    name: str
    array: np.ndarray
    role: str  # "input", "constant" or "node"
    exact: bool = False
    is_bounded: bool = True
    tolerance: float = 0.0
    is_parameter: bool = False  # its size says how many axes there are: no symbol

    @property
    def kind(self):
        return next(kind for kind, dtype in KINDS.items() if self.array.dtype == dtype)

    @property
    def shape(self):
        return self.array.shape

    @property
    def rank(self):
        return self.array.ndim


RECIPES = {}

# Recipes of several nodes, which they add themselves.
PATTERNS = set()


def recipe(operators):
    def register(function):
        RECIPES.update(dict.fromkeys(operators.split(), function))
        return function
    return register


def pattern(function):
    PATTERNS.add(function.__name__)
    RECIPES[function.__name__] = function
    return function


def session(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def is_exact(array):
    if array.dtype.kind != "f":
        return True
    wide = array.astype(np.float64)
    return bool(np.isfinite(wide).all() and (np.abs(wide) <= 1024).all() and (wide * 1024 % 1 == 0).all())


def is_bounded(array):
    return array.dtype.kind != "f" or bool(np.isfinite(array).all() and (np.abs(array) <= 128).all())


class OperatorModel:
    def __init__(self, seed, operators=None):
        self.rng = np.random.default_rng([seed, 14])
        while True:
            self.draw(seed, operators)
            try:
                self.expected = self.truth(self.given)
                return
            except Exception:  # noqa: BLE001: shapes that are fine alone may not be what ONNX Runtime infers
                continue

    def draw(self, seed, operators):
        self.opset = self.pick(OPSETS)
        self.nodes, self.values, self.count = [], [], 0
        operators = [op for op in operators or RECIPES if op in PATTERNS or self.schema(op)]
        first = operators[seed % len(operators)] if self.opset == 24 else self.pick(operators)
        wanted, tries = self.pick((1, 1, 2, 3, 4)), 0
        while len(self.nodes) < wanted and (tries < 40 or not self.nodes):
            tries += 1
            self.op = first if not self.nodes and tries < 20 else self.pick(operators)
            before = len(self.values), len(self.nodes)
            try:
                drawn = RECIPES[self.op](self)
                if drawn:
                    self.add(*self.unpack(drawn))
            except Refused:
                del self.values[before[0]:], self.nodes[before[1]:]
        self.symbols = self.pick(("none", "all", "all", "some"))
        self.in_function = self.rng.random() < 0.08
        self.model = self.make()

    # Drawing.

    def pick(self, options):
        options = list(options)
        if not options:
            raise Refused
        return options[self.rng.integers(len(options))]

    def chance(self, probability):
        return self.rng.random() < probability

    def number(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def schema(self, op):
        try:
            return onnx.defs.get_schema(op, self.opset)
        except onnx.defs.SchemaError:
            return None

    def has(self, attribute):
        return attribute in self.schema(self.op).attributes

    def kinds(self, operand=0):
        """The element types that the standard has for an operand."""
        schema = self.schema(self.op)
        formal = schema.inputs[min(operand, len(schema.inputs) - 1)]
        allowed = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}
        names = [name[7:-1] for name in allowed.get(formal.type_str, [formal.type_str]) if name.startswith("tensor(")]
        return [NAMES[name] for name in names if name in NAMES]

    def kind(self, operand=0, among=None):
        kinds = [kind for kind in self.kinds(operand) if among is None or kind in among]
        return "f32" if "f32" in kinds and self.chance(0.5) else self.pick(kinds)

    def shape(self, low=0, high=4):
        rank = self.number(low, high)
        most = {0: 1, 1: 300, 2: 70, 3: 20}.get(rank, 9)
        choices = [size for size in (1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 129, 257) if size <= most]
        if self.chance(0.04):
            choices = [0, 1, 2, 3]
        return tuple(int(self.pick(choices)) for _ in range(rank))

    def broadcast(self, shape):
        """A shape that broadcasts to another one."""
        shape = shape[self.pick((0, 0, 0, self.number(0, len(shape)))):]
        return tuple(1 if self.chance(0.25) else size for size in shape)

    def random(self, kind, shape, mode="any"):
        """`mode`: any; exact; positive; unit (within [-1, 1]); small (integers near zero); nonzero; special."""
        rng = self.rng
        if kind == "bool":
            return rng.integers(0, 2, shape).astype(np.bool_)
        if kind in FLOATS:
            exact = rng.integers(-32, 33, shape) / 8
            array = exact if mode in ("exact", "small") or (mode != "unit" and self.chance(0.4)) else rng.standard_normal(shape)
            if mode == "positive":
                array = np.abs(array) + 0.125
            elif mode == "nonzero":
                array = np.where(np.abs(array) < 0.125, 0.5, array)
            elif mode == "unit":
                array = np.tanh(array)
            array = np.asarray(array).astype(KINDS[kind])
            if mode == "special" and kind != "f16" and self.chance(0.3):
                specials = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-30, 1e30, 65504, -3e4, 1e-7], np.float64)
                with np.errstate(over="ignore"):
                    array = np.where(rng.random(shape) < 0.3, rng.choice(specials, shape).astype(KINDS[kind]), array)
            return array
        info = np.iinfo(KINDS[kind])
        array = rng.integers(-5 if info.min else 0, 10, shape).astype(KINDS[kind])
        if mode == "nonzero":
            array = np.where(array == 0, 1, array).astype(KINDS[kind])
        elif mode == "positive":
            array = (np.abs(array) + 1).astype(KINDS[kind])
        elif mode == "special" and self.chance(0.4):
            wide = rng.integers(info.min, info.max, shape, KINDS[kind], endpoint=True)
            array = np.where(rng.random(shape) < 0.5, wide, array)
        return np.asarray(array)

    # Values.

    def value(self, array, is_constant):
        array = np.asarray(array)
        self.count += 1
        value = Value(f"{'c' if is_constant else 'x'}{self.count}", array, "constant" if is_constant else "input",
                      is_exact(array), is_bounded(array))
        self.values.append(value)
        return value

    def data(self, kind=None, shape=None, low=0, high=4, mode="any", constant=0.15, operand=0):
        """An operand: a value that is there, where one fits, or a new one."""
        kind = kind or self.kind(operand)
        fits = [v for v in self.values if v.role == "node" and v.kind == kind and v.is_bounded and v.array.size < 20000
                and (v.shape == shape if shape is not None else low <= v.rank <= high)
                and (mode == "any" or (mode in ("exact", "special") and v.exact))]
        if fits and self.chance(0.8):
            return self.pick(fits)
        shape = self.shape(low, high) if shape is None else shape
        return self.value(self.random(kind, shape, mode), self.chance(constant))

    def param(self, numbers, kind="i64", constant=0.75):
        """Numbers that say what a node does: sizes, axes, places."""
        value = self.value(np.array(numbers, KINDS[kind]), self.chance(constant))._replace(is_parameter=True)
        self.values[-1] = value
        return value

    def axis(self, rank, extra=0):
        """One of `rank` axes, counted from either end."""
        if rank + extra < 1:
            raise Refused
        return self.number(-rank - extra, rank - 1 + extra)

    def axes(self, rank, low=0):
        count = self.number(min(low, rank), rank)
        chosen = sorted(int(a) for a in self.rng.permutation(rank)[:count])
        return [a - rank if self.chance(0.3) else a for a in chosen]

    def flag(self, **attributes):
        """Some of the attributes that this version has."""
        return {name: value for name, value in attributes.items()
                if self.has(name) and value is not None and self.chance(0.7)}

    # Nodes.

    def unpack(self, drawn):
        """A recipe gives operands, attributes and the number of results."""
        operands, attributes, *rest = drawn
        return operands, attributes, rest[0] if rest else 1

    def add(self, operands, attributes, results):
        op = self.op
        names = [f"v{len(self.nodes)}{'abcdefg'[i]}" if results > 1 else f"v{len(self.nodes)}" for i in range(results)]
        attributes = {name: value for name, value in attributes.items() if value != []}
        node = helper.make_node(op, [v.name if v is not None else "" for v in operands], names,
                                name=f"{op}_{len(self.nodes)}", **attributes)
        read = {v.name: v for v in operands if v is not None}
        read |= {v.name: v for v in self.values if any(v.name in inner.input for a in node.attribute for inner in a.g.node)}
        alone = self.assemble([node], read.values(), [], names, symbols="unknown")
        try:
            arrays = session(alone).run(None, {v.name: v.array for v in read.values() if v.role != "constant"})
        except Exception as error:  # noqa: BLE001: ONNX Runtime's exceptions have no common type
            self.reason = str(error)
            raise Refused from error
        if any(not isinstance(a, np.ndarray) or a.dtype not in KINDS.values() or a.size > 100000 for a in arrays):
            raise Refused
        exact = op in EXACT and all(v.exact for v in read.values()) and all(map(is_exact, arrays))
        for name, array in zip(names, arrays):
            tolerance = max([v.tolerance for v in read.values()], default=0.0)
            for value in [*read.values(), Value("", array, "")]:
                if not exact and array.dtype.kind == "f" and value.kind in TOLERANCES:
                    tolerance = max(tolerance, TOLERANCES["f32" if op in STASHED and value.kind == "f64" else value.kind])
            self.values.append(Value(name, array, "node", exact, is_bounded(array), tolerance))
        self.nodes.append(node)

    def step(self, op, *operands, results=1, **attributes):
        """A node of a pattern; numbers are constants of the first operand's element type."""
        self.op = op
        operands = [v if v is None or isinstance(v, Value) else self.value(np.array(v, operands[0].array.dtype), True)
                    for v in operands]
        self.add(operands, attributes, results)
        return self.values[-1] if results == 1 else self.values[-results:]

    def ints(self, *numbers):
        return self.value(np.array(numbers, np.int64), True)

    def weights(self, *shape, scale=None):
        """Bounded so that products with them are."""
        scale = scale or 1 / max(1, np.prod(shape[:-1])) ** 0.5
        return self.value((self.rng.standard_normal(shape) * scale).astype(np.float32), self.chance(0.8))

    # The model.

    def assemble(self, nodes, read, types, outputs, symbols, in_function=False):
        """`symbols`: unknown (shapes), none, some, all: one for each size, or for each axis of each input."""
        inputs, constants = [], []
        for v in read:
            if v.role == "constant":
                constants.append(numpy_helper.from_array(v.array, v.name))
                continue
            shape = None if symbols == "unknown" else [
                size if v.is_parameter else f"n{size}" if size > 1 and symbols == "all" else
                f"{v.name}_{d}" if symbols == "some" and hash_of(v.name, d) % 3 else size for d, size in enumerate(v.shape)]
            inputs.append(helper.make_tensor_value_info(v.name, helper.np_dtype_to_tensor_dtype(v.array.dtype), shape))
        typed = {v.name: (helper.np_dtype_to_tensor_dtype(v.array.dtype), [None] * v.rank) for v in types}
        results = [helper.make_tensor_value_info(name, *typed[name]) if name in typed else
                   onnx.ValueInfoProto(name=name) for name in outputs]
        imports = [helper.make_opsetid("", self.opset)]
        functions = []
        if in_function:
            names = [info.name for info in inputs] + [c.name for c in constants]
            functions = [helper.make_function("local", "Body", names, outputs, nodes, imports)]
            nodes = [helper.make_node("Body", names, outputs, name="call", domain="local")]
            imports = [*imports, helper.make_opsetid("local", 1)]
        graph = helper.make_graph(nodes, "test", inputs, results, constants)
        return helper.make_model(graph, opset_imports=imports, functions=functions, ir_version=10)

    def make(self):
        used = {name for node in self.nodes for name in read_by(node)}
        read = [v for v in self.values if v.role != "node" and v.name in used]
        self.results = [v for v in self.values if v.role == "node" and (v.name not in used or self.chance(0.1))]
        self.given = {v.name: v.array for v in read if v.role == "input"}
        return self.assemble(self.nodes, read, self.results, [v.name for v in self.results], self.symbols, self.in_function)

    def others(self):
        """Inputs of other sizes, where sizes are symbols: equal sizes become other equal ones. ONNX Runtime takes labels
        and windows that don't fit, and powers of integers must not be negative."""
        if any(node.op_type.endswith(("Loss", "Pool", "Pow", "MeanVarianceNormalization")) for node in self.nodes):
            return self.given
        known, arrays = {}, {}
        for name, array in self.given.items():
            declared = next(i for i in self.model.graph.input if i.name == name).type.tensor_type.shape.dim
            shape = [known.setdefault(size, max(1, size + self.number(-2, 5))) if d.dim_param else size
                     for d, size in zip(declared, array.shape)]
            if tuple(shape) == array.shape:
                arrays[name] = array
                continue
            kind = next(kind for kind, dtype in KINDS.items() if array.dtype == dtype)
            mode = "exact" if is_exact(array) else "positive" if array.size and (array > 0).all() else "unit"
            arrays[name] = self.random(kind, shape, mode)
        return arrays

    def truth(self, feed):
        """What ONNX Runtime gives, by name; raises where it doesn't run the model."""
        names = [v.name for v in self.results]
        return dict(zip(names, session(self.model).run(names, feed)))


def hash_of(name, d):
    return sum(map(ord, name)) * 7 + d


def read_by(node):
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from read_by(inner)
        yield from (output.name for output in attribute.g.output)


def compare(model, actual, expected, where):
    """Says where two results differ: integers, shapes and element types are equal, floats as near as their types allow."""
    for value in model.results:
        a, e = np.asarray(actual[value.name]), np.asarray(expected[value.name])
        if a.shape != e.shape or a.dtype != e.dtype:
            return f"{where}: {value.name} is {a.dtype}{list(a.shape)} and not {e.dtype}{list(e.shape)}"
        if e.dtype.kind != "f":
            if not np.array_equal(a, e):
                place = tuple(int(i) for i in np.argwhere(a != e)[0])
                return f"{where}: {value.name}{list(place)} is {a[place]} and not {e[place]}"
            continue
        finite = np.abs(e[np.isfinite(e)].astype(np.float64))
        limit = value.tolerance * max(1.0, float(finite.max(initial=0.0)))
        with np.errstate(invalid="ignore", over="ignore"):
            same = (a == e) | (np.isnan(a) & np.isnan(e)) | (np.abs(a.astype(np.float64) - e.astype(np.float64)) <= limit)
        if not same.all():
            place = tuple(int(i) for i in np.argwhere(~same)[0])
            return f"{where}: {value.name}{list(place)} is {a[place]} and not {e[place]} (within {limit:.2g})"
    return None


# Elementwise.


@recipe("""Abs Neg Exp Sin Cos Tan Atan Sinh Cosh Tanh Asinh Erf Sigmoid Relu Selu Softplus Softsign Mish HardSwish
Reciprocal IsNaN Not BitwiseNot Identity""")
def unary(m):
    return [m.data(mode="special")], {}


@recipe("Log Sqrt Acosh Atanh Asin Acos")
def unary_of_domains(m):
    kind = m.kind()
    mode = {"Log": "positive", "Sqrt": "positive", "Acosh": "positive"}.get(m.op, "unit")
    x = m.data(kind, mode=mode)
    return [m.value(x.array + np.asarray(1, x.array.dtype), False) if m.op == "Acosh" else x], {}


@recipe("Floor Ceil Round Sign")
def steps(m):
    return [m.data(mode="exact")], {}


@recipe("LeakyRelu Elu Celu ThresholdedRelu HardSigmoid Shrink Gelu Swish IsInf")
def unary_with_attributes(m):
    number = m.pick((0.0, 0.25, 0.5, 1.0, 2.0))
    attributes = m.flag(alpha=number or (0.5 if m.op == "Celu" else number), beta=m.pick((0.0, 0.5, -1.0)),
                        gamma=1.0, bias=number, lambd=m.pick((0.0, 0.5)), approximate=m.pick(("none", "tanh")),
                        detect_negative=m.number(0, 1), detect_positive=m.number(0, 1))
    return [m.data(mode="exact" if m.op in ("ThresholdedRelu", "Shrink") else "special")], attributes


@recipe("Clip")
def clip(m):
    kind = m.kind(among=[k for k in m.kinds() if k in KINDS])
    low, high = (m.value(np.array(v, KINDS[kind]), m.chance(0.6)) if m.chance(0.8) else None for v in (1, 4))
    return [m.data(kind, mode="special" if low and high else "any"), low, high], {}


@recipe("Cast CastLike")
def cast(m):
    source, to = m.kind(among=KINDS), m.pick(KINDS)
    if source in FLOATS and to not in FLOATS:
        x = m.data(source, mode="exact")
        if to[0] == "u" and (x.array < 0).any():
            raise Refused
    else:
        x = m.data(source, mode="any" if to in FLOATS else "special")
    if m.op == "CastLike":
        return [x, m.data(to)], {}
    return [x], {"to": helper.np_dtype_to_tensor_dtype(np.dtype(KINDS[to]))}


def two(m, mode="any", second="any", kind=None):
    kind = kind or m.kind()
    x = m.data(kind, mode=mode)
    operands = [x, m.data(kind, m.broadcast(x.shape), mode=second)]
    return operands if m.chance(0.5) else operands[::-1] if mode == second else operands


@recipe("Add Sub Mul And Or Xor BitwiseAnd BitwiseOr BitwiseXor")
def binary(m):
    return two(m, "special", "special"), {}


@recipe("Equal Less Greater LessOrEqual GreaterOrEqual")
def comparison(m):
    return two(m, "exact", "exact"), {}


@recipe("Div")
def div(m):
    return two(m, "special", "nonzero"), {}


@recipe("Mod")
def mod(m):
    kind = m.kind(among=[k for k in m.kinds() if k != "f16"])
    return two(m, "exact", "nonzero", kind), {"fmod": 1 if kind in FLOATS else m.number(0, 1)}


@recipe("Pow")
def power(m):
    kind, exponent = m.kind(), m.kind(1)
    x = m.data(kind, mode="positive")
    y = m.random(exponent, m.broadcast(x.shape), "unit")
    if exponent not in FLOATS or m.chance(0.4):
        y = m.rng.integers(0, 4, y.shape).astype(y.dtype)
    return [x, m.value(y, m.chance(0.5))], {}


@recipe("PRelu")
def prelu(m):
    x = m.data()
    return [x, m.data(x.kind, m.broadcast(x.shape), constant=0.6)], {}


@recipe("BitShift")
def shift(m):
    kind = m.kind()
    x = m.data(kind, mode="special")
    return [x, m.value(m.rng.integers(0, 8, m.broadcast(x.shape)).astype(KINDS[kind]), m.chance(0.5))], {
        "direction": m.pick(("LEFT", "RIGHT"))}


@recipe("Max Min Mean Sum")
def variadic(m):
    x = m.data(m.kind())
    return [x, *(m.data(x.kind, m.broadcast(x.shape)) for _ in range(m.number(0, 3)))], {}


@recipe("Where")
def where(m):
    kind = m.kind(1)
    x = m.data(kind)
    return [m.data("bool", m.broadcast(x.shape)), x, m.data(kind, m.broadcast(x.shape))], {}


# Reductions and orders.


@recipe("""ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
ReduceSumSquare""")
def reduce(m):
    # ONNX Runtime cuts off logarithms of integers before all is added, and products of integers don't wrap.
    floats = ("f32", "f64") if m.op in ("ReduceLogSum", "ReduceLogSumExp", "ReduceProd") else None
    x = m.data(m.kind(among=floats), mode="positive" if "Log" in m.op or m.op == "ReduceProd" else "any")
    axes, attributes, operands = m.axes(x.rank), m.flag(keepdims=m.number(0, 1)), [x]
    if m.has("axes"):
        attributes |= {"axes": axes} if axes else {}
    elif m.chance(0.8):
        operands.append(m.param(axes))
        attributes |= m.flag(noop_with_empty_axes=m.number(0, 1))
    return operands, attributes


@recipe("ArgMax ArgMin")
def places(m):
    x = m.data(mode="exact", low=1)
    return [x], m.flag(axis=m.axis(x.rank), keepdims=m.number(0, 1), select_last_index=m.number(0, 1))


@recipe("CumSum CumProd")
def running(m):
    x = m.data(low=1, mode="unit")
    return [x, m.param(m.axis(x.rank), m.pick(("i32", "i64")))], m.flag(exclusive=m.number(0, 1), reverse=m.number(0, 1))


@recipe("TopK")
def top(m):
    x = m.data(mode="exact", low=1)
    axis = m.axis(x.rank)
    return [x, m.param([m.number(0, x.shape[axis])])], {"axis": axis} | m.flag(largest=m.number(0, 1), sorted=1), 2


@recipe("Softmax LogSoftmax Hardmax")
def softmax(m):
    x = m.data(low=1, mode="exact" if m.op == "Hardmax" else "any")
    return [x], m.flag(axis=m.axis(x.rank))


@recipe("NonZero")
def nonzero(m):
    return [m.data(mode="exact", low=1)], {}


@recipe("Unique")
def unique(m):
    x = m.data(m.kind(among=("f32", "f64", "i8", "i64")), mode="exact", low=1, high=3)
    if not x.array.size:  # which ends ONNX Runtime
        raise Refused
    return [x], ({"axis": m.axis(x.rank)} if m.chance(0.5) else {}) | m.flag(sorted=m.number(0, 1)), 4


@recipe("Compress")
def compress(m):
    x = m.data(low=1)
    axis = m.axis(x.rank) if m.chance(0.7) else None
    size = x.array.size if axis is None else x.shape[axis]
    condition = m.value(m.random("bool", [m.number(0, size)]), True)
    return [x, condition], {} if axis is None else {"axis": axis}


# Normalizations.


@recipe("LayerNormalization RMSNormalization")
def norm_of_rows(m):
    kind = m.kind()
    x = m.data(kind, low=1)
    axis = m.axis(x.rank)
    scale = [m.data(kind, x.shape[axis % x.rank:], constant=0.7) for _ in range(2)]
    if m.op == "RMSNormalization" or m.chance(0.3):
        scale.pop()
    return [x, *scale], {"axis": axis} | m.flag(epsilon=1e-3)


@recipe("InstanceNormalization GroupNormalization BatchNormalization")
def norm_of_channels(m):
    kind = m.kind()
    x = m.data(kind, low=3, high=4)
    channels, attributes = x.shape[1], m.flag(epsilon=1e-3)
    vectors = 4 if m.op == "BatchNormalization" else 2
    if m.op == "GroupNormalization":
        attributes["num_groups"] = m.pick([g for g in range(1, channels + 1) if channels % g == 0])
    operands = [m.data(kind, (channels,), constant=0.7, mode="positive") for _ in range(vectors)]
    return [x, *operands], attributes


@recipe("LpNormalization MeanVarianceNormalization")
def norm_along(m):
    x = m.data(low=2, mode="positive")
    if m.op == "LpNormalization":
        return [x], m.flag(axis=m.axis(x.rank), p=m.number(1, 2))
    axes = m.axes(x.rank, 1)
    if (x.array.astype(np.float64).std(tuple(axes)) < 0.01).any():  # ONNX Runtime's variances go below zero there
        raise Refused
    return [x], {"axes": axes}


@recipe("LRN")
def lrn(m):
    return [m.data(low=3, high=4)], {"size": m.pick((1, 3, 5))} | m.flag(alpha=0.01, beta=0.5, bias=2.0)


# Shapes and moves.


@recipe("Shape")
def shape(m):
    x = m.data(m.kind(among=KINDS))
    return [x], m.flag(start=m.number(-x.rank - 1, x.rank + 1), end=m.number(-x.rank - 1, x.rank + 1))


@recipe("Size")
def size(m):
    return [m.data(m.kind(among=KINDS))], {}


@recipe("Reshape")
def reshape(m):
    x = m.data(m.kind(among=KINDS))
    total, sizes = x.array.size, []
    for _ in range(m.number(0, 3)):
        sizes.append(m.pick([d for d in range(1, max(total, 1) + 1) if total and total % d == 0][:12] or [1]))
        total //= max(sizes[-1], 1)
    sizes.append(total)
    sizes = [int(s) for s in m.rng.permutation(sizes)]
    if m.chance(0.5) and x.array.size:
        sizes[m.number(0, len(sizes) - 1)] = -1
    zeros = 0 not in sizes
    if zeros and m.chance(0.3):
        sizes = [0 if d < x.rank and s == x.shape[d] else s for d, s in enumerate(sizes)]
    return [x, m.param(sizes)], m.flag(allowzero=None if zeros else 1)


@recipe("Flatten")
def flatten(m):
    x = m.data(m.kind(among=KINDS))
    return [x], m.flag(axis=m.number(-x.rank if m.opset >= 11 else 0, x.rank))


@recipe("Squeeze Unsqueeze")
def squeeze(m):
    x = m.data(m.kind(among=KINDS), high=3)
    if m.op == "Squeeze":
        axes = [d for d, s in enumerate(x.shape) if s == 1 and m.chance(0.8)]
    else:
        axes = [int(a) for a in m.rng.permutation(x.rank + 2)[:m.number(1, 2)]]
        axes = [a for a in axes if a < x.rank + len(axes)]
    if m.op == "Squeeze" and m.chance(0.2):
        return [m.value(x.array, True)], {}  # of the sizes that are stated
    if not axes:
        raise Refused
    rank = x.rank + (len(axes) if m.op == "Unsqueeze" else 0)
    axes = [a - rank if m.chance(0.3) else a for a in axes]
    return ([x], {"axes": axes}) if m.has("axes") else ([x, m.param(axes)], {})


@recipe("Transpose")
def transpose(m):
    x = m.data(m.kind(among=KINDS), high=5)
    return [x], m.flag(perm=[int(d) for d in m.rng.permutation(x.rank)])


@recipe("Expand")
def expand(m):
    target = m.shape()
    x = m.data(m.kind(among=KINDS), m.broadcast(target))
    return [x, m.param([1 if m.chance(0.2) and s == t else t for t, s in
                        zip(target, (None,) * (len(target) - x.rank) + x.shape)])], {}


@recipe("Tile")
def tile(m):
    x = m.data(m.kind(among=KINDS))
    return [x, m.param([m.pick((0, 1, 1, 2, 3)) for _ in x.shape])], {}


@recipe("Concat")
def concat(m):
    x = m.data(m.kind(among=KINDS), low=1)
    axis = m.axis(x.rank)
    others = [m.data(x.kind, tuple(m.pick((1, 2, 5)) if d == axis % x.rank else s for d, s in enumerate(x.shape)))
              for _ in range(m.number(0, 3))]
    return [x, *others], {"axis": axis}


@recipe("Split")
def split(m):
    x = m.data(m.kind(among=KINDS), low=1)
    axis, count = m.axis(x.rank), m.number(1, 4)
    if m.has("num_outputs") and m.chance(0.5):
        return [x], {"axis": axis, "num_outputs": count}, count
    if m.chance(0.3):
        return [x], {"axis": axis} | ({"num_outputs": count} if m.has("num_outputs") else {}), count
    parts = [int(p) for p in m.rng.multinomial(x.shape[axis], np.ones(count) / count)]
    return ([x], {"axis": axis, "split": parts}, count) if m.has("split") else ([x, m.param(parts)], {"axis": axis}, count)


@recipe("Slice")
def slice_(m):
    x = m.data(m.kind(among=KINDS), low=1)
    axes = m.axes(x.rank, 1)
    far = m.pick((2**31 - 1, 2**63 - 1))
    starts, ends, steps = [], [], []
    for a in axes:
        n = x.shape[a]
        starts.append(m.pick((0, m.number(-n - 2, n + 2), -far)))
        ends.append(m.pick((n, far, m.number(-n - 2, n + 2), -far)))
        steps.append(m.pick((1, 1, 2, 3, -1, -2)))
        if steps[-1] < 0:  # ONNX Runtime takes the largest number for the end also backwards
            starts[-1], ends[-1] = m.pick((-1, far, n - 1, m.number(-n, n))), m.pick((0, -far, -n - 1, m.number(-n, n)))
    operands = [x, m.param(starts), m.param(ends)]
    if m.chance(0.9) or len(axes) < x.rank or any(a % x.rank != i for i, a in enumerate(axes)):
        operands.append(m.param(axes))
        if m.chance(0.7):
            operands.append(m.param(steps))
    return operands, {}


@recipe("Pad")
def pad(m):
    x = m.data(m.kind(among=[k for k in m.kinds() if k in KINDS]))
    mode = m.pick(("constant", "constant", "edge", "reflect") + (("wrap",) if m.opset >= 19 else ()))
    low = -1 if mode == "constant" else 0
    axes = m.axes(x.rank) if m.opset >= 18 and m.chance(0.4) else list(range(x.rank))
    pads = [m.number(low, min(3, x.shape[a] - 1 if mode == "reflect" else 3)) if x.shape[a] or mode == "constant" else 0
            for a in axes * 2]
    operands = [x, m.param(pads)]
    if mode == "constant" and m.chance(0.6):
        operands.append(m.data(x.kind, ()))
    if axes != list(range(x.rank)):
        operands += [None] * (3 - len(operands)) + [m.param(axes)]
    return operands, {"mode": mode}


def indices(m, shape, size):
    if size == 0:
        raise Refused
    return m.value(m.rng.integers(-size, size, shape).astype(m.pick((np.int32, np.int64))), m.chance(0.4))


@recipe("Gather")
def gather(m):
    x = m.data(m.kind(among=KINDS), low=1)
    axis = m.axis(x.rank)
    return [x, indices(m, m.shape(0, 2), x.shape[axis])], m.flag(axis=None) | {"axis": axis}


@recipe("GatherElements")
def gather_elements(m):
    x = m.data(m.kind(among=KINDS), low=1)
    axis = m.axis(x.rank)
    shape = tuple(m.number(0, 5) if d == axis % x.rank else m.number(min(1, s), s) for d, s in enumerate(x.shape))
    return [x, indices(m, shape, x.shape[axis])], {"axis": axis}


def tuples(m, x, batch, length):
    lead = x.shape[:batch] + m.shape(1, 2)
    if any(s == 0 for s in x.shape[batch:batch + length]):
        raise Refused
    columns = [m.rng.integers(-s, s, lead) for s in x.shape[batch:batch + length]]
    return np.stack(columns, -1).astype(np.int64)


@recipe("GatherND")
def gather_nd(m):
    x = m.data(m.kind(among=KINDS), low=1)
    batch = m.number(0, x.rank - 1) if m.has("batch_dims") and m.chance(0.4) else 0
    places = m.value(tuples(m, x, batch, m.number(1, x.rank - batch)), m.chance(0.4))
    m.values[-1] = places = places._replace(is_parameter=True)
    return [x, places], {"batch_dims": batch} if batch else {}


def reduction(m):
    return m.pick(("none", "add", "mul") + (("max", "min") if m.opset >= 18 else ())) if m.has("reduction") else "none"


@recipe("ScatterElements")
def scatter_elements(m):
    x = m.data(m.kind(among=KINDS), low=1, mode="exact")
    axis, how = m.axis(x.rank), reduction(m)
    if x.kind == "bool":
        how = "none"
    shape = tuple(min(s, m.number(0, 4)) for s in x.shape)
    n = x.shape[axis]
    if how == "none":  # which of several updates of one place stays isn't said
        order = m.rng.permuted(np.broadcast_to(np.arange(n).reshape([-1 if d == axis % x.rank else 1 for d in range(x.rank)]),
                                               x.shape), axis=axis)
        places = m.value(order[tuple(slice(0, s) for s in shape)].astype(np.int64), m.chance(0.4))
    else:
        places = indices(m, shape, n)
    return [x, places, m.data(x.kind, shape, mode="exact")], {"axis": axis} | ({"reduction": how} if how != "none" else {})


@recipe("ScatterND")
def scatter_nd(m):
    x = m.data(m.kind(among=KINDS), low=1, high=3, mode="exact")
    how = "none" if x.kind == "bool" else reduction(m)
    length = m.number(1, x.rank)
    places = tuples(m, x, 0, length)
    if how == "none":
        flat = places.reshape(-1, length) % np.array(x.shape[:length])
        if len(np.unique(flat, axis=0)) != len(flat):
            raise Refused
    updates = m.data(x.kind, places.shape[:-1] + x.shape[length:], mode="exact")
    return [x, m.value(places, m.chance(0.4)), updates], {"reduction": how} if how != "none" else {}


@recipe("DepthToSpace SpaceToDepth")
def blocks(m):
    kind, block = m.kind(among=("f32", "f64", "f16", "u8")), m.number(1, 3)
    n, c, h, w = m.number(1, 2), m.number(1, 3), m.number(1, 4), m.number(1, 4)
    if m.op == "DepthToSpace":
        return [m.data(kind, (n, c * block * block, h, w))], {"blocksize": block} | m.flag(mode=m.pick(("DCR", "CRD")))
    return [m.data(kind, (n, c, h * block, w * block))], {"blocksize": block}


@recipe("ReverseSequence")
def reverse(m):
    x = m.data(m.kind(among=KINDS), low=2)
    axis = m.number(0, 1)
    lengths = m.rng.integers(min(1, x.shape[axis]), x.shape[axis] + 1, x.shape[1 - axis])
    return [x, m.value(lengths.astype(np.int64), m.chance(0.4))], {"time_axis": axis, "batch_axis": 1 - axis}


@recipe("Trilu")
def trilu(m):
    x = m.data(m.kind(among=KINDS), low=2)
    return [x, *([m.param(m.number(-4, 6))] if m.chance(0.7) else [])], m.flag(upper=m.number(0, 1))


@recipe("EyeLike")
def eye(m):
    to = m.pick(("f32", "f64", "i32", "i64", "u64"))
    return [m.data(m.kind(), low=2, high=2)], m.flag(k=m.number(-3, 3), dtype=helper.np_dtype_to_tensor_dtype(np.dtype(KINDS[to])))


@recipe("OneHot")
def one_hot(m):
    x = m.data(m.kind(among=("i32", "i64", "f32")), high=2, mode="exact")
    depth = m.param(m.number(1, 7), m.pick(("i64", "f32")), 0.6)
    values = m.value(m.random(m.pick(("f32", "i32", "i64")), (2,)), m.chance(0.7))
    return [x, depth, values], m.flag(axis=m.axis(x.rank, 1) if x.rank else -1)


@recipe("Range")
def range_(m):
    kind = m.kind()
    start, delta = m.number(-5, 5), m.pick((1, 2, -1, -3))
    return [m.param(v, kind) for v in (start, start + delta * m.number(-1, 12), delta)], {}


@recipe("ConstantOfShape")
def filled(m):
    value = numpy_helper.from_array(m.random(m.pick(KINDS), (1,)))
    return [m.param(m.shape())], m.flag(value=value)


@recipe("CenterCropPad")
def center(m):
    x = m.data(m.kind(among=("f32", "i64", "u8")), low=1)
    axes = m.axes(x.rank, 1)
    return [x, m.param([m.number(0, x.shape[a] + 3) for a in axes])], {"axes": axes}


@recipe("Dropout")
def dropout(m):
    x = m.data(m.kind())
    return [x, m.value(np.array(0.5, np.float32), True)] if m.opset >= 12 and m.chance(0.5) else [x], {}


# Products and windows.


@recipe("MatMul")
def matmul(m):
    kind, depth = m.kind(), m.pick((1, 2, 7, 16, 33, 64))
    mode = m.pick(("exact", "unit"))
    batch, rows, columns = m.pick(((), (), (2,), (2, 3))), m.pick((1, 2, 5, 17)), m.pick((1, 3, 16, 33))
    left = (depth,) if m.chance(0.1) else (*m.broadcast(batch), rows, depth)
    right = (depth,) if m.chance(0.1) else (*m.broadcast(batch), depth, columns)
    return [m.data(kind, left, mode=mode), m.data(kind, right, mode=mode, constant=0.6)], {}


@recipe("Gemm")
def gemm(m):
    kind, (rows, depth, columns) = m.kind(), (m.pick((1, 2, 5, 17, 33)) for _ in range(3))
    a, b = m.number(0, 1), m.number(0, 1)
    operands = [m.data(kind, (depth, rows) if a else (rows, depth)),
                m.data(kind, (columns, depth) if b else (depth, columns), constant=0.6)]
    if m.chance(0.7):
        operands.append(m.data(kind, m.broadcast((rows, columns)), constant=0.6))
    return operands, m.flag(transA=a or None, transB=b or None) | {"transA": a, "transB": b} | (
        m.flag(alpha=0.5, beta=2.0) if kind in FLOATS else {})


@recipe("Einsum")
def einsum(m):
    equation = m.pick(("ij,jk->ik", "bij,bjk->bik", "ij->ji", "ii->i", "ii->", "i,j->ij", "bhqd,bhkd->bhqk", "ij,ij->", "ij,ij->i",
                       "...ij,...jk->...ik", "ijk->k", "abc,cd,de->abe", "i,i->", "bij,kj->bik", "ij,k->ijk", "iij->ij"))
    sizes, kind = {letter: m.number(1, 6) for letter in "abcdehijkq"}, m.kind(among=("f32", "f64", "i32", "i64"))
    ellipsis = m.shape(0, 2)
    operands = [m.data(kind, (*(ellipsis if "..." in part else ()), *(sizes[c] for c in part if c != ".")))
                for part in equation.split("->")[0].split(",")]
    return operands, {"equation": equation}


@recipe("MatMulInteger QLinearMatMul")
def matmul_integer(m):
    rows, depth, columns = (m.pick((1, 2, 5, 17, 33)) for _ in range(3))
    a, b = m.pick((("u8", "i8"), ("u8", "u8"), ("i8", "i8")))
    wide = lambda kind, shape, constant=0.2: m.value(m.random_bytes(kind, shape), m.chance(constant))  # noqa: E731
    x, w = wide(a, (rows, depth)), wide(b, (depth, columns), 0.7)
    zeros = [wide(a, ()), wide(b, (columns,) if m.chance(0.4) else (), 0.7)]
    if m.op == "MatMulInteger":
        return [x, w, *(zeros[:m.number(0, 2)])], {}
    scales = [m.value(np.array(s, np.float32), True) for s in (0.03, 0.02, 0.5)]
    if zeros[1].rank:
        scales[1] = m.value(m.rng.uniform(0.01, 0.03, columns).astype(np.float32), True)
    return [x, scales[0], zeros[0], w, scales[1], zeros[1], scales[2], wide(a, (), 0.7)], {}


def random_bytes(self, kind, shape):
    info = np.iinfo(KINDS[kind])
    return self.rng.integers(info.min, info.max, shape, KINDS[kind], endpoint=True)


OperatorModel.random_bytes = random_bytes


def window(m, dims, image, kernel=None):
    """A window's attributes, drawn for an image of these sizes."""
    kernel = kernel or [m.number(1, min(3, max(1, s))) for s in image]
    attributes = {"kernel_shape": kernel} | m.flag(strides=[m.number(1, 3) for _ in range(dims)])
    how = m.pick(("NOTSET", "pads", "SAME_UPPER", "SAME_LOWER", "VALID"))
    if any(k < s for k, s in zip(kernel, attributes.get("strides", [1] * dims))) and "SAME" in how:
        how = "VALID"  # ONNX Runtime crops there, and makes transposed ones smaller than the standard says
    # ONNX Runtime pads there as if windows had no gaps, and makes one window of less than a window.
    if m.chance(0.3) and "SAME" not in how and all(2 * k - 1 <= s for k, s in zip(kernel, image)):
        attributes |= m.flag(dilations=[m.number(1, 2) for _ in range(dims)])
    if how == "pads":
        attributes["pads"] = [m.number(0, k - 1) for k in kernel * 2]
    elif how != "NOTSET":
        attributes["auto_pad"] = how
    return attributes


@recipe("Conv ConvTranspose ConvInteger QLinearConv")
def conv(m):
    dims = m.pick((1, 2, 2, 2, 3))
    image = [m.number(1, 9) for _ in range(dims)]
    group = m.pick((1, 1, 2, 3))
    inputs, outputs = group * m.pick((1, 2, 4)), group * m.pick((1, 3, 8))
    if m.chance(0.2):
        group = outputs = inputs
    attributes = window(m, dims, image) | {"group": group}
    kernel, batch = attributes["kernel_shape"], m.number(1, 2)
    x, w = (batch, inputs, *image), (outputs, inputs // group, *kernel)
    if m.op == "ConvTranspose":
        w = (inputs, outputs // group, *kernel)
    if m.op in ("Conv", "ConvTranspose"):
        kind = m.kind()
        bias = [m.data(kind, (outputs,), constant=0.7)] if m.chance(0.5) else []
        return [m.data(kind, x), m.data(kind, w, constant=0.7), *bias], attributes
    wide = lambda kind, shape, constant: m.value(m.random_bytes(kind, shape), m.chance(constant))  # noqa: E731
    a, b = m.pick((("u8", "u8"),) if m.op == "ConvInteger" else (("u8", "i8"), ("u8", "u8"), ("i8", "i8")))
    x, w, zero = wide(a, x, 0.1), wide(b, w, 0.7), wide(a, (), 0.7)
    if m.op == "ConvInteger":
        return [x, w, zero][:m.number(2, 3)], attributes
    scales = [m.value(np.array(s, np.float32), True) for s in (0.03, 0.02, 0.5)]
    zeros = m.value(np.zeros((), KINDS[b]), True) if b == "i8" else wide(b, (), 1)
    bias = [m.value(m.rng.integers(-500, 500, outputs).astype(np.int32), True)] if m.chance(0.5) else []
    return [x, scales[0], zero, w, scales[1], zeros, scales[2], wide(a, (), 1), *bias], attributes


@recipe("MaxPool AveragePool LpPool")
def pool(m):
    dims = m.pick((1, 2, 2, 3))
    image = [m.number(1, 9) for _ in range(dims)]
    kind = m.kind()
    attributes = window(m, dims, image) | m.flag(ceil_mode=m.number(0, 1), count_include_pad=m.number(0, 1), p=m.number(1, 3))
    if not m.has("dilations"):
        attributes.pop("dilations", None)
    results = 2 if m.op == "MaxPool" and m.chance(0.3) else 1
    mode = "exact" if m.op == "MaxPool" else "positive" if m.op == "LpPool" else "any"
    return [m.data(kind, (m.number(1, 2), m.number(1, 3), *image), mode=mode)], attributes, results


@recipe("GlobalMaxPool GlobalAveragePool GlobalLpPool")
def global_pool(m):
    return [m.data(low=3, high=5)], m.flag(p=m.number(1, 3))


@recipe("Col2Im")
def col2im(m):
    image, block = [m.number(3, 6), m.number(3, 6)], [m.number(1, 3), m.number(1, 3)]
    places = (image[0] - block[0] + 1) * (image[1] - block[1] + 1)
    return [m.data("f32", (m.number(1, 2), 2 * block[0] * block[1], places)), m.param(image), m.param(block)], {}


@recipe("QuantizeLinear DequantizeLinear")
def quantize(m):
    x_kind, q_kind = m.pick(("f32", "f16") if m.opset >= 19 else ("f32",)), m.pick(("u8", "i8") + (("u16", "i16") if m.opset >= 21 else ()))
    if m.op == "QuantizeLinear":
        x = m.data(x_kind, low=1, mode="exact")
    else:
        x = m.value(m.random_bytes(q_kind, m.shape(1, 4)), m.chance(0.4))
    axis, form, attributes = m.axis(x.rank), m.pick(("tensor", "axis") + (("blocks",) if m.opset >= 21 else ())), {}
    n, shape = x.shape[axis], ()
    if form == "axis":
        shape, attributes = (n,), {"axis": axis}
    elif form == "blocks":
        block = m.pick((1, 2, 3, 4))
        shape = tuple(-(-n // block) if d == axis % x.rank else s for d, s in enumerate(x.shape))
        attributes = {"axis": axis, "block_size": block}
    scale = m.value(m.rng.choice([0.25, 0.5, 1.0, 0.125], shape).astype(KINDS[x_kind]), m.chance(0.6))
    zero = [m.value(m.random_bytes(q_kind, shape), m.chance(0.6))] if m.chance(0.7) or m.op == "QuantizeLinear" else []
    return [x, scale, *zero], attributes


@recipe("DynamicQuantizeLinear")
def dynamic_quantize(m):
    x = m.data("f32", low=1, mode="exact")
    if not x.array.any():  # whose scale is 0 by the standard and 1 by ONNX Runtime
        raise Refused
    return [x], {}, 3


@recipe("Resize")
def resize(m):
    x = m.data(m.kind(among=("f32", "u8", "i8")), low=3, high=4, mode="exact")
    mode = m.pick(("nearest", "linear", "cubic"))
    if mode != "nearest" and x.kind != "f32":
        x = m.data("f32", low=4, high=4)
    attributes = {"mode": mode} | m.flag(
        coordinate_transformation_mode=m.pick(("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel",
                                               "half_pixel_symmetric")),
        nearest_mode=m.pick(("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")) if mode == "nearest" else None,
        antialias=m.number(0, 1) if mode != "nearest" else None, exclude_outside=m.number(0, 1) if mode == "cubic" else None)
    lead = x.rank - 2
    if m.chance(0.5):
        # Of parts of a place, the standard's examples take the scales for corners and ONNX Runtime the places.
        scales = (1.0, 2.0, 3.0) if "corners" in attributes.get("coordinate_transformation_mode", "") else (0.5, 1.0, 1.5, 2.0, 0.6, 3.0)
        numbers = [1.0] * lead + [m.pick(scales) for _ in range(2)]
        return [x, None, m.value(np.array(numbers, np.float32), m.chance(0.7))], attributes
    sizes = [*x.shape[:lead], *(m.number(1, 2 * s + 1) for s in x.shape[lead:])]
    return [x, None, None, m.param(sizes)], attributes


@recipe("GridSample")
def grid_sample(m):
    x = m.data("f32", low=4, high=4)
    grid = m.value(m.rng.uniform(-1.2, 1.2, (x.shape[0], m.number(1, 5), m.number(1, 5), 2)).astype(np.float32), False)
    mode = m.pick(("bilinear", "bicubic") if m.opset < 20 else ("linear", "cubic"))
    return [x, grid], {"mode": mode} | m.flag(padding_mode=m.pick(("zeros", "border", "reflection")), align_corners=m.number(0, 1))


@recipe("AffineGrid")
def affine_grid(m):
    theta = m.data("f32", (m.number(1, 3), 2, 3))
    sizes = [m.number(2, 5), m.number(2, 5)]  # of one place, the standard and ONNX Runtime differ
    return [theta, m.param([theta.shape[0], 3, *sizes])], m.flag(align_corners=m.number(0, 1))


@recipe("RoiAlign")
def roi_align(m):
    x = m.data("f32", (2, m.number(1, 3), m.number(3, 9), m.number(3, 9)))
    count = m.number(0, 3)
    corners = np.sort(m.rng.uniform(0, 9, (count, 2, 2)), axis=1).reshape(count, 4).astype(np.float32)
    return [x, m.value(corners, False), m.value(m.rng.integers(0, 2, count).astype(np.int64), False)], m.flag(
        output_height=m.number(1, 3), output_width=m.number(1, 3), sampling_ratio=m.number(0, 2), spatial_scale=0.5,
        mode=m.pick(("avg", "max")), coordinate_transformation_mode=m.pick(("half_pixel", "output_half_pixel")))


@recipe("NonMaxSuppression")
def suppression(m):
    batch, count, classes = m.number(1, 2), m.number(1, 20), m.number(1, 3)
    corners = m.rng.uniform(0, 1, (batch, count, 2, 2)).astype(np.float32)
    boxes = np.concatenate([corners.min(2), corners.max(2)], -1)
    scores = m.rng.permutation(batch * classes * count).reshape(batch, classes, count).astype(np.float32) / 100
    operands = [m.value(boxes, False), m.value(scores, False), m.param([m.number(0, 5)])]
    if m.chance(0.7):
        operands.append(m.param([0.3], "f32"))
        if m.chance(0.7):
            operands.append(m.param([0.1], "f32"))
    return operands, m.flag(center_point_box=m.number(0, 1))


# Sequences in time, attention, losses, matrices.


@recipe("RNN GRU LSTM")
def recurrent(m):
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[m.op]
    direction = m.pick(("forward", "reverse", "bidirectional"))
    ways, length, batch, inputs, hidden = (2 if direction == "bidirectional" else 1), *(m.number(1, 5) for _ in range(4))
    kind = m.kind(among=("f32", "f64"))
    weights = lambda *shape: m.data(kind, shape, mode="unit", constant=0.7)  # noqa: E731
    operands = [m.data(kind, (length, batch, inputs), mode="unit"), weights(ways, gates * hidden, inputs),
                weights(ways, gates * hidden, hidden), weights(ways, 2 * gates * hidden) if m.chance(0.7) else None,
                m.value(m.rng.integers(1, length + 1, batch).astype(np.int32), False) if m.chance(0.4) else None,
                weights(ways, batch, hidden) if m.chance(0.4) else None]
    if m.op == "LSTM" and m.chance(0.4):
        operands += [weights(ways, batch, hidden), weights(ways, 3 * hidden) if m.chance(0.5) else None]
    attributes = {"direction": direction, "hidden_size": hidden} | m.flag(
        clip=0.5 if m.chance(0.3) else None, linear_before_reset=m.number(0, 1), input_forget=m.number(0, 1) if m.chance(0.2) else None)
    return operands, attributes, 3 if m.op == "LSTM" else 2


@recipe("Attention")
def attention(m):
    kind = m.kind(among=("f32",))
    batch, heads, queries, keys, size = (m.number(1, 3) for _ in range(5))
    kv = m.pick([h for h in range(1, heads + 1) if heads % h == 0])
    operands = [m.data(kind, (batch, heads, queries, 4 * size)), m.data(kind, (batch, kv, keys, 4 * size)),
                m.data(kind, (batch, kv, keys, 4 * size))]
    if m.chance(0.5):
        operands.append(m.data(m.pick((kind, "bool")), m.pick(((queries, keys), (batch, 1, queries, keys), (batch, heads, queries, keys)))))
    return operands, m.flag(is_causal=m.number(0, 1), scale=0.5, softcap=m.pick((0.0, 2.0)), qk_matmul_output_mode=None)


@recipe("RotaryEmbedding")
def rotary(m):
    batch, heads, length, half = m.number(1, 3), m.number(1, 3), m.number(1, 5), m.pick((1, 2, 4))
    tables = [m.data("f32", (8, half), mode="unit") for _ in range(2)]
    positions = m.value(m.rng.integers(0, 8, (batch, length)).astype(np.int64), m.chance(0.3))
    return [m.data("f32", (batch, heads, length, 2 * half)), *tables, positions], m.flag(interleaved=m.number(0, 1))


@recipe("SoftmaxCrossEntropyLoss NegativeLogLikelihoodLoss")
def loss(m):
    batch, classes, more = m.number(1, 4), m.number(1, 6), m.shape(0, 2)
    x = m.data("f32", (batch, classes, *more))
    labels = m.value(m.rng.integers(0, classes, (batch, *more)).astype(m.pick((np.int32, np.int64))), False)
    weights = [m.data("f32", (classes,), mode="positive")] if m.chance(0.5) else []
    return [x, labels, *weights], m.flag(reduction=m.pick(("none", "sum", "mean")), ignore_index=m.pick((0, -100)))


@recipe("Det")
def det(m):
    n = m.number(1, 5)
    return [m.data("f32", (*m.shape(0, 2), n, n))], {}


@recipe("HannWindow HammingWindow BlackmanWindow")
def windows(m):
    return [m.param(m.number(1, 20), m.pick(("i32", "i64")))], m.flag(periodic=m.number(0, 1))


@recipe("DFT")
def dft(m):
    n = m.number(1, 20)
    operands = [m.data("f32", (m.number(1, 3), n, m.number(1, 2)))]
    if m.chance(0.4):
        operands.append(m.param(m.number(1, 24)))
    return operands, m.flag(inverse=m.number(0, 1))


# Control flow.


def body(nodes, inputs, outputs):
    info = lambda v, kind, shape: helper.make_tensor_value_info(v, helper.np_dtype_to_tensor_dtype(np.dtype(KINDS[kind])), shape)  # noqa: E731
    return helper.make_graph(nodes, "body", [info(*i) for i in inputs], [info(*o) for o in outputs])


@recipe("If")
def if_(m):
    x = m.data("f32")
    m.count += 1
    branches = [body([helper.make_node(op, [x.name], [f"{name}{m.count}"], name=f"{name}{m.count}")], [],
                     [(f"{name}{m.count}", "f32", x.shape if m.chance(0.3) else None)])
                for op, name in ((m.pick(("Neg", "Tanh")), "then"), (m.pick(("Relu", "Identity")), "else"))]
    return [m.value(np.array(m.chance(0.5)), m.chance(0.2))], {"then_branch": branches[0], "else_branch": branches[1]}


@recipe("Loop")
def loop(m):
    x = m.data("f32", mode="unit")
    c = m.count = m.count + 1
    nodes = [helper.make_node("Tanh", [f"in{c}"], [f"next{c}"], name=f"tanh{c}"),
             helper.make_node("Identity", [f"go{c}"], [f"stay{c}"], name=f"go_on{c}"),
             helper.make_node("Neg", [f"next{c}"], [f"each{c}"], name=f"neg{c}")]
    graph = body(nodes, [(f"i{c}", "i64", ()), (f"go{c}", "bool", ()), (f"in{c}", "f32", None)],
                 [(f"stay{c}", "bool", ()), (f"next{c}", "f32", None), (f"each{c}", "f32", None)])
    trips = m.param(m.number(1, 4))
    return [trips, m.value(np.array(True), True) if m.chance(0.5) else None, x], {"body": graph}, 2


@recipe("Scan")
def scan(m):
    c, width = m.count + 1, m.number(1, 4)
    m.count += 1
    state, each = m.data("f32", (width,), mode="exact"), m.data("f32", (m.number(1, 5), width), mode="exact")
    nodes = [helper.make_node("Add", [f"s{c}", f"e{c}"], [f"t{c}"], name=f"add{c}"),
             helper.make_node("Identity", [f"t{c}"], [f"o{c}"], name=f"copy{c}")]
    graph = body(nodes, [(f"s{c}", "f32", None), (f"e{c}", "f32", None)], [(f"t{c}", "f32", None), (f"o{c}", "f32", None)])
    return [state, each], {"body": graph, "num_scan_inputs": 1} | m.flag(scan_input_directions=[m.number(0, 1)],
                                                                         scan_output_directions=[m.number(0, 1)]), 2


# What exporters and quantisers write: several nodes that compilers put together.


@pattern
def linear(m):
    depth, columns = m.pick((3, 16, 33, 64, 130)), m.pick((1, 5, 32, 33, 100))
    x = m.data("f32", (*m.pick(((), (2,), (2, 3))), m.pick((1, 4, 7, 50)), depth), mode="unit")
    w = m.weights(columns, depth, scale=depth ** -0.5)
    if m.chance(0.5):
        x = m.step("MatMul", x, m.step("Transpose", w, perm=[1, 0]))
    else:
        x = m.step("MatMul", x, m.weights(depth, columns))
    if m.chance(0.7):
        bias = m.weights(columns, scale=1)
        x = m.step("Add", *(m.pick(((x, bias), (bias, x)))))
    if m.chance(0.7):
        x = m.step(m.pick(("Relu", "Tanh", "Sigmoid", "LeakyRelu", "Softplus", "Elu")), x)
    if m.chance(0.5):
        x = m.step(m.pick(("Add", "Mul", "Sub")), x, m.data("f32", x.shape, mode="unit"))
    if m.chance(0.3):
        m.step(m.pick(("Softmax", "LogSoftmax")), x, axis=-1)


@pattern
def norm_written_out(m):
    x = m.data("f32", (*m.shape(1, 2), m.pick((1, 3, 8, 33, 64))), mode="unit")
    root_mean_square = m.chance(0.4)
    axes = [m.ints(-1)] if m.opset >= 18 else []
    more = {} if m.opset >= 18 else {"axes": [-1]}
    d = x if root_mean_square else m.step("Sub", x, m.step("ReduceMean", x, *axes, keepdims=1, **more))
    square = m.step("Pow", d, 2.0) if m.chance(0.5) else m.step("Mul", d, d)
    root = m.step("Sqrt", m.step("Add", m.step("ReduceMean", square, *axes, keepdims=1, **more), 1e-2))
    y = m.step("Div", d, root) if m.chance(0.6) else m.step("Mul", d, m.step("Reciprocal", root))
    y = m.step("Mul", y, m.weights(x.shape[-1], scale=1))
    if m.chance(0.6):
        y = m.step("Add", y, m.weights(x.shape[-1], scale=1))
    if m.chance(0.4):
        m.step("Add", y, x)


@pattern
def activation_written_out(m):
    x = m.data("f32", m.shape(1, 4), mode="unit")
    which = m.pick(("gelu", "tanh", "silu", "hardswish", "mish", "softmax"))
    if which == "gelu":
        y = m.step("Mul", m.step("Mul", x, m.step("Add", m.step("Erf", m.step("Div", x, 2.0 ** 0.5)), 1.0)), 0.5)
    elif which == "tanh":
        cube = m.step("Mul", m.step("Pow", x, 3.0), 0.044715)
        inner = m.step("Mul", m.step("Add", x, cube), 0.7978845608)
        y = m.step("Mul", m.step("Mul", x, 0.5), m.step("Add", m.step("Tanh", inner), 1.0))
    elif which == "silu":
        y = m.step("Mul", x, m.step("Sigmoid", m.step("Mul", x, m.pick((1.0, 1.702)))))
    elif which == "hardswish":
        y = m.step("Mul", x, m.step("Div", m.step("Clip", m.step("Add", x, 3.0), 0.0, 6.0), 6.0))
    elif which == "mish":
        y = m.step("Mul", x, m.step("Tanh", m.step("Log", m.step("Add", m.step("Exp", x), 1.0))))
    else:
        axis = m.number(0, x.rank - 1)
        if x.shape[axis] == 0:
            raise Refused
        most = m.step("ReduceMax", x, m.ints(axis)) if m.opset >= 18 else m.step("ReduceMax", x, axes=[axis])
        e = m.step("Exp", m.step("Sub", x, most))
        y = m.step("Div", e, m.step("ReduceSum", e, m.ints(axis)) if m.opset >= 13 else m.step("ReduceSum", e, axes=[axis]))
    if m.chance(0.3):
        m.step("Transpose", y)


@pattern
def attention_written_out(m):
    batch, length, heads, size = m.number(1, 2), m.pick((1, 2, 5, 17)), m.pick((1, 2, 4)), m.pick((4, 8, 32))
    width = heads * size
    x = m.data("f32", (batch, length, width), mode="unit")
    computed = m.chance(0.5)
    turned = []
    for name in "qkv":
        y = m.step("Add", m.step("MatMul", x, m.weights(width, width)), m.weights(width, scale=0.3))
        if computed:
            shape = m.step("Shape", x)
            sizes = [m.step("Unsqueeze", m.step("Gather", shape, m.value(np.array(i, np.int64), True)), *(
                [m.ints(0)] if m.opset >= 13 else []), **({} if m.opset >= 13 else {"axes": [0]})) for i in (0, 1)]
            y = m.step("Reshape", y, m.step("Concat", *sizes, m.ints(heads), m.ints(size), axis=0))
        else:
            y = m.step("Reshape", y, m.ints(0, -1, heads, size))
        turned.append(m.step("Transpose", y, perm=[0, 2, 3, 1] if name == "k" else [0, 2, 1, 3]))
    q, k, v = turned
    if m.chance(0.5):
        q = m.step("Mul", q, size ** -0.5)
        scores = m.step("MatMul", q, k)
    else:
        scores = m.step("Div", m.step("MatMul", q, k), size ** 0.5)
    if m.chance(0.5):
        mask = m.value(np.where(m.random("bool", (batch, 1, 1, length)), np.float32(0), np.float32(-1e4)), False)
        scores = m.step("Add", scores, mask)
    y = m.step("Transpose", m.step("MatMul", m.step("Softmax", scores, axis=3), v), perm=[0, 2, 1, 3])
    m.step("Reshape", y, m.ints(0, 0, width) if m.chance(0.5) else m.ints(batch, -1, width))


@pattern
def convolutions(m):
    channels, size = m.pick((1, 3, 8, 16)), (m.pick((1, 5, 8, 13)), m.pick((3, 7, 16)))
    x = m.data("f32", (m.number(1, 2), channels, *size), mode="unit")
    for _ in range(m.number(1, 3)):
        before, channels = x, x.shape[1]
        depthwise, kernel = m.chance(0.3), m.pick((1, 3))
        outputs = channels if depthwise or m.chance(0.3) else m.pick((1, 4, 8, 17, 33))
        group = channels if depthwise else 1
        if m.chance(0.2):
            x = m.step("Pad", x, m.ints(0, 0, 1, 1, 0, 0, 1, 1)) if m.opset >= 11 else x
            pads = [0] * 4
        else:
            pads = [kernel // 2] * 4
        x = m.step("Conv", x, m.weights(outputs, channels // group, kernel, kernel, scale=(channels // group * kernel) ** -0.5),
                   *([m.weights(outputs, scale=1)] if m.chance(0.5) else []), kernel_shape=[kernel] * 2, pads=pads, group=group,
                   strides=[m.pick((1, 1, 2))] * 2)
        if m.chance(0.4):
            statistics = [m.weights(outputs, scale=1) for _ in range(3)]
            variance = m.value(np.abs(m.random("f32", (outputs,), "positive")), True)
            x = m.step("BatchNormalization", x, *statistics, variance, epsilon=1e-3)
        if m.chance(0.7):
            x = m.step(m.pick(("Relu", "Sigmoid", "LeakyRelu", "HardSigmoid")), x)
        if m.chance(0.3):
            x = m.step("Clip", x, 0.0, 6.0)
        if x.shape == before.shape and m.chance(0.7):
            x = m.step("Add", x, before)
        if m.chance(0.25) and min(x.shape) > 0:
            pooled = m.step("GlobalAveragePool", x)
            x = m.step("Mul", x, m.step("Sigmoid", pooled))
        if m.chance(0.2):
            x = m.step("Concat", x, m.step("Neg", x), axis=1)
        if m.chance(0.2) and min(x.shape[2:]) > 1:
            x = m.step(m.pick(("MaxPool", "AveragePool")), x, kernel_shape=[2, 2], strides=[2, 2])
    if m.chance(0.3):
        m.step("MatMul", m.step("Flatten", x), m.weights(int(np.prod(x.shape[1:])), m.pick((1, 10))))


@pattern
def quantised(m):
    """Scales are powers of two and numbers are small: every step is exact, also where it's computed in another order."""
    if m.opset < 13:
        raise Refused
    kind = m.pick(("u8", "i8"))

    def point(of):
        return m.value(np.array(m.number(100, 150) if of == "u8" else m.number(-20, 20), KINDS[of]), True)

    def through(x):
        scale, zero = m.value(np.array(m.pick((0.125, 0.25, 0.5)), np.float32), True), point(kind)
        return m.step("DequantizeLinear", m.step("QuantizeLinear", x, scale, zero), scale, zero)

    def packed(shape, axis):
        numbers = m.value(m.rng.integers(-8, 8, shape).astype(np.int8), True)
        if m.chance(0.5):
            scale = m.value(m.rng.choice([0.125, 0.25], shape[axis]).astype(np.float32), True)
            zero = m.value(np.zeros(shape[axis], np.int8), True)
            return m.step("DequantizeLinear", numbers, scale, zero, axis=axis)
        return m.step("DequantizeLinear", numbers, m.value(np.array(0.125, np.float32), True))

    if m.chance(0.5):
        depth, columns = m.pick((4, 16, 33, 64)), m.pick((1, 8, 33))
        y = through(m.data("f32", (*m.pick(((), (2,))), m.pick((1, 3, 17)), depth), mode="exact"))
        y = m.step("MatMul", y, packed((depth, columns), 1))
        if m.chance(0.5):
            y = m.step("Add", y, m.value((m.rng.integers(-32, 32, columns) / 8).astype(np.float32), True))
    else:
        channels, outputs, kernel = m.pick((1, 3, 8)), m.pick((1, 4, 17)), m.pick((1, 3))
        group = channels if m.chance(0.3) else 1
        outputs = channels if group > 1 else outputs
        x = through(m.data("f32", (1, channels, m.pick((3, 8)), m.pick((5, 9))), mode="exact"))
        y = m.step("Conv", x, packed((outputs, channels // group, kernel, kernel), 0), group=group,
                   pads=[m.number(0, kernel // 2)] * 4, strides=[m.number(1, 2)] * 2)
    if m.chance(0.5):
        y = m.step("Relu", y)
    y = through(y)
    if m.chance(0.4):
        y = through(m.step("Add", y, through(m.data("f32", y.shape, mode="exact"))))
    if m.chance(0.3) and y.rank == 4 and min(y.shape[2:]) > 1:
        y = through(m.step("MaxPool", y, kernel_shape=[2, 2]))
    if m.chance(0.3):
        y = through(m.step("Concat", y, y, axis=-1))
    if m.chance(0.3):
        through(m.step("Transpose", y))


@pattern
def quantised_as_it_runs(m):
    depth, columns = m.pick((4, 16, 33, 64)), m.pick((1, 8, 33, 64))
    x = m.data("f32", (*m.pick(((), (2,))), m.pick((1, 3, 17)), depth), mode="exact")
    if not x.array.size or not np.ptp(x.array):
        raise Refused
    q, scale, zero = m.step("DynamicQuantizeLinear", x, results=3)
    kind = m.pick(("u8", "i8"))
    w = m.value(m.random_bytes(kind, (depth, columns)), m.chance(0.8))
    y = m.step("MatMulInteger", q, w, zero, m.value(m.random_bytes(kind, m.pick(((), (columns,)))), True))
    y = m.step("Mul", m.step("Cast", y, to=TensorProto.FLOAT), m.step("Mul", scale, 2.0 ** -10))
    if m.chance(0.5):
        m.step("Add", y, m.weights(columns, scale=1))


@pattern
def halves(m):
    """Gates and rotations: parts of a tensor with each other."""
    half = m.pick((1, 4, 8, 33))
    x = m.data("f32", (*m.shape(1, 2), 2 * half), mode="unit")
    if m.chance(0.5):
        a, b = m.step("Split", x, *([m.ints(half, half)] if m.opset >= 13 else []), axis=-1, results=2)
    else:
        a, b = (m.step("Slice", x, m.ints(start), m.ints(end), m.ints(-1)) for start, end in ((0, half), (half, 2**63 - 1)))
    if m.chance(0.5):
        m.step("Mul", a, m.step(m.pick(("Sigmoid", "Tanh", "Relu")), b))
    else:
        turned = m.step("Concat", m.step("Neg", b), a, axis=-1)
        m.step("Add", m.step("Mul", x, m.weights(2 * half, scale=1)), m.step("Mul", turned, m.weights(2 * half, scale=1)))


@pattern
def computed_sizes(m):
    x = m.data("f32", m.shape(2, 3), mode="exact")
    sizes = m.step("Shape", x)
    first = m.step("Gather", sizes, m.value(np.array(m.number(-x.rank, x.rank - 1), np.int64), True))
    which = m.pick(("range", "fill", "mask", "expand", "double"))
    if which == "range":
        y = m.step("Range", m.value(np.array(0, np.int64), True), first, m.value(np.array(1, np.int64), True))
        m.step("Cast", y, to=TensorProto.FLOAT)
    elif which == "fill":
        m.step("ConstantOfShape", sizes, value=numpy_helper.from_array(np.array([0.5], np.float32)))
    elif which == "mask":
        rows = m.step("Range", m.value(np.array(0, np.int64), True), first, m.value(np.array(1, np.int64), True))
        column = m.step("Unsqueeze", rows, *([m.ints(1)] if m.opset >= 13 else []), **({} if m.opset >= 13 else {"axes": [1]}))
        m.step("Where", m.step("Less", rows, column), m.value(np.float32(0), True), m.value(np.float32(-1e4), True))
    elif which == "expand":
        m.step("Expand", m.value(m.random("f32", (1,)), True), sizes)
    else:
        twice = m.step("Mul", sizes, m.ints(*(2 if d == 0 else 1 for d in range(x.rank))))
        m.step("Reshape", m.step("Concat", x, x, axis=0), twice)


@pattern
def chosen_rows(m):
    x = m.data("f32", (m.pick((3, 8, 20)), m.pick((1, 5, 16))), mode="exact")
    which = m.pick(("top", "nonzero", "one-hot", "embedding"))
    if which == "top":
        scores = m.step("ReduceSum", x, m.ints(1), keepdims=0) if m.opset >= 13 else m.step("ReduceSum", x, axes=[1], keepdims=0)
        if len(np.unique(scores.array)) != scores.array.size:
            raise Refused
        _, places = m.step("TopK", scores, m.ints(m.number(1, 3)), results=2)
        m.step("Gather", x, places)
    elif which == "nonzero":
        places = m.step("Transpose", m.step("NonZero", m.step("Greater", x, 0.0)))
        m.step("GatherND", x, places)
    elif which == "one-hot":
        hot = m.step("OneHot", m.step("ArgMax", x, axis=1, keepdims=0), m.ints(x.shape[1]), m.value(np.array([0, 1], np.float32), True))
        m.step("Mul", hot, x)
    else:
        ids = m.value(m.rng.integers(0, x.shape[0], m.shape(1, 2)).astype(np.int64), False)
        m.step("LayerNormalization" if m.opset >= 17 else "Neg", m.step("Gather", x, ids),
               *([m.weights(x.shape[1], scale=1)] if m.opset >= 17 else []))

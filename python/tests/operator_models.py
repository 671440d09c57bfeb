"""Models of a few nodes over the operators of the standard, of ai.onnx.ml and of ONNX Runtime, for test_operator_models:
every operator that has a recipe (the modules operator_*), attributes at their edges, all element types, strings and
sequences, broadcasting, sizes of zero, sizes that are symbols, operands as constants or as inputs, control flow and
functions. What is drawn at random when it runs (RandomNormal, Bernoulli, Multinomial, ...) has no recipe.

Seeded: model number 7 is the same model everywhere. A node is drawn with what the standard allows, and ONNX Runtime runs
it at once, alone: what it refuses is drawn again, what it gives may be an operand of later nodes. What makes two right
results differ is kept away from what decides: rounding, comparisons and places of maxima read integers or *exact* floats,
which are multiples of 1/1024 and become others by exact operations only.
"""

from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

KINDS = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "i8": np.int8, "u8": np.uint8, "i16": np.int16,
         "u16": np.uint16, "i32": np.int32, "u32": np.uint32, "i64": np.int64, "u64": np.uint64, "bool": np.bool_}
NAMES = {"float": "f32", "double": "f64", "float16": "f16", "int8": "i8", "uint8": "u8", "int16": "i16",
         "uint16": "u16", "int32": "i32", "uint32": "u32", "int64": "i64", "uint64": "u64", "bool": "bool"}
FLOATS = ("f32", "f64", "f16")
WORDS = np.array(["", "a", "bc", "BC", "d e", " f", "0", "1.5", "-3", "\u00e9t\u00e9", "a,b", "the"], object)
TOLERANCES = {"f32": 1e-4, "f64": 1e-7, "f16": 1e-2}
OPSETS = (24, 24, 24, 26, 25, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7)

# These give exact results for exact operands, as far as they are multiples of 1/1024.
EXACT = set("""Abs Neg Relu Identity Add Sub Mul Max Min Sum Where Clip Reshape Flatten Squeeze Unsqueeze Transpose Expand
Tile Concat Split Slice Pad Gather GatherElements GatherND ScatterElements ScatterND DepthToSpace SpaceToDepth
ReverseSequence Trilu EyeLike OneHot Compress Range ConstantOfShape CenterCropPad MaxPool GlobalMaxPool ReduceMax ReduceMin
ReduceSum CumSum MatMul Gemm Cast CastLike Floor Ceil Round Sign Unique TopK Dropout Scan Hardmax""".split())


DOMAINS = {"ai.onnx.ml": 3, "com.microsoft": 1}

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
        return "str" if self.array.dtype == object else next(kind for kind, dtype in KINDS.items() if self.array.dtype == dtype)

    @property
    def shape(self):
        return self.array.shape

    @property
    def rank(self):
        return self.array.ndim


# Whose operands' sizes, or numbers in them, belong together, which ONNX Runtime doesn't look at. (It broadcasts PRelu both ways.)
FITTED = ("PRelu", "RoiPool", "RoiAlign", "MaxUnpool", "TensorScatter", "ArrayFeatureExtractor", "EmbedLayerNormalization",
          "Classifier", "Regressor", "Scaler", "Imputer", "FeatureVectorizer", "RotaryEmbedding")

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
    # Beyond 2, f16 has no multiples of 1/1024 but coarser ones, to which sums are rounded.
    wide, most = array.astype(np.float64), 2 if array.dtype == np.float16 else 1024
    return bool(np.isfinite(wide).all() and (np.abs(wide) <= most).all() and (wide * 1024 % 1 == 0).all())


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
        operators = [op for op in operators or sorted(RECIPES) if op in PATTERNS or self.schema(op)]
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
        # ONNX Runtime ends where a function has an operator without a schema, as its SimplifiedLayerNormalization is.
        self.in_function = self.rng.random() < 0.08 and all(node.domain or self.schema(node.op_type) for node in self.nodes)
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
            schema = onnx.defs.get_schema(op, self.opset)
        except onnx.defs.SchemaError:
            return None
        return None if schema.deprecated else schema

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
        if kind == "str":
            return rng.choice(WORDS, shape) if shape != () else np.array(rng.choice(WORDS), object)
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

    def random_bytes(self, kind, shape):
        """Integers over the whole range of their type."""
        info = np.iinfo(KINDS[kind])
        return self.rng.integers(info.min, info.max, shape, KINDS[kind], endpoint=True)

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
        read |= {v.name: v for v in self.values if v.name in set(read_by(node))}
        self.admit([node], read, names, op in EXACT, "f32" if op in STASHED else None)

    def admit(self, nodes, read, names, is_exact_op, least=None):
        """Adds nodes that ONNX Runtime runs on their own. `least`: an element type as which they may compute at worst."""
        alone = self.assemble(nodes, read.values(), [], names, symbols="unknown")
        try:
            arrays = session(alone).run(None, {v.name: v.array for v in read.values() if v.role != "constant"})
        except Exception as error:  # noqa: BLE001: ONNX Runtime's exceptions have no common type
            self.reason = str(error)
            raise Refused from error
        if any(not isinstance(a, np.ndarray) or a.dtype not in (*KINDS.values(), object) or a.size > 100000 for a in arrays):
            raise Refused
        exact = is_exact_op and all(v.exact for v in read.values()) and all(map(is_exact, arrays))
        for name, array in zip(names, arrays):
            tolerance = max([v.tolerance for v in read.values()], default=0.0)
            for kind in [*(v.kind for v in read.values()), Value("", array, "").kind, least]:
                if not exact and array.dtype.kind == "f" and kind in TOLERANCES:
                    tolerance = max(tolerance, TOLERANCES[kind])
            self.values.append(Value(name, array, "node", exact, is_bounded(array), tolerance))
        self.nodes.extend(nodes)

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
        if domains := {domain for node in nodes for domain in domains_of(node)} - {""}:
            imports += [helper.make_opsetid(domain, DOMAINS[domain]) for domain in sorted(domains)]
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

    def fix_sizes(self):
        """All sizes are known from now on."""
        self.symbols = "none"
        read = [v for v in self.values if v.role != "node" and v.name in {name for node in self.nodes for name in read_by(node)}]
        self.model = self.assemble(self.nodes, read, self.results, [v.name for v in self.results], "none", self.in_function)

    def others(self):
        """Inputs of other sizes, where sizes are symbols: equal sizes become other equal ones. ONNX Runtime takes labels,
        windows and places that don't fit, and powers of integers must not be negative."""
        if any(node.op_type.endswith(("Loss", "Pool", "Pow", "MeanVarianceNormalization", "Compress") + FITTED) for node in self.nodes):
            return self.given
        known, arrays = {}, {}
        for name, array in self.given.items():
            declared = next(i for i in self.model.graph.input if i.name == name).type.tensor_type.shape.dim
            shape = [known.setdefault(size, max(1, size + self.number(-2, 5))) if d.dim_param else size
                     for d, size in zip(declared, array.shape)]
            if tuple(shape) == array.shape:
                arrays[name] = array
                continue
            kind = Value("", array, "").kind
            mode = "exact" if is_exact(array) else "positive" if array.size and (array > 0).all() else "unit"
            arrays[name] = self.random(kind, shape, mode)
        return arrays

    def truth(self, feed):
        """What ONNX Runtime gives, by name; raises where it doesn't run the model."""
        names = [v.name for v in self.results]
        return dict(zip(names, session(self.model).run(names, feed)))


class Group:
    """Nodes that ONNX Runtime runs together, for what isn't a tensor between them: sequences, narrow element types.

    Called as `make_node`, with values or names as operands, it gives the names of the results.
    """

    def __init__(self, model):
        model.count += 1
        self.model, self.prefix, self.nodes, self.read = model, f"t{model.count}", [], {}

    def __call__(self, op, *operands, results=1, domain="", **attributes):
        names = [f"{self.prefix}_{len(self.nodes)}{'abcdefg'[i]}" for i in range(results)]
        self.read |= {v.name: v for v in operands if isinstance(v, Value)}
        inputs = ["" if v is None else v.name if isinstance(v, Value) else v for v in operands]
        node = helper.make_node(op, inputs, names, name=f"{op}_{names[0]}", domain=domain, **attributes)
        self.read |= {v.name: v for v in self.model.values if v.name in set(read_by(node))}
        self.nodes.append(node)
        return names[0] if results == 1 else names

    def end(self, *names, exact=False, least=None):
        self.model.admit(self.nodes, self.read, list(names), exact, least)


def domains_of(node):
    yield node.domain
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from domains_of(inner)


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
        if a.shape != e.shape or (a.dtype != e.dtype and e.dtype != object):
            return f"{where}: {value.name} is {a.dtype}{list(a.shape)} and not {e.dtype}{list(e.shape)}"
        if e.dtype.kind != "f":
            if e.dtype == object:
                a, e = a.astype(str), e.astype(str)
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

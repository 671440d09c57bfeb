"""One node of an operator, for operator_models: operands and attributes that the standard allows, and the number of results."""

import numpy as np
from onnx import helper, numpy_helper
from operator_models import FLOATS, KINDS, recipe, Refused

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
    if m.op == "ReduceMean" and x.array.size == 0:
        raise Refused  # NaN as in NumPy, or 0: ONNX Runtime has both
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

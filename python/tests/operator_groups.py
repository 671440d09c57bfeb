"""Nodes that belong together, for operator_models: sequences, strings, narrow element types, control flow around many nodes."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from operator_models import Group, KINDS, pattern, recipe, Refused
from operator_recipes import body

NARROW = {"bf16": TensorProto.BFLOAT16, "i4": TensorProto.INT4, "u4": TensorProto.UINT4, "e4m3fn": TensorProto.FLOAT8E4M3FN,
          "e5m2": TensorProto.FLOAT8E5M2, "e4m3fnuz": TensorProto.FLOAT8E4M3FNUZ, "e5m2fnuz": TensorProto.FLOAT8E5M2FNUZ, "e2m1": TensorProto.FLOAT4E2M1}


def code(kind):
    return TensorProto.STRING if kind == "str" else helper.np_dtype_to_tensor_dtype(np.dtype(KINDS[kind]))


# Sequences and optionals.


@pattern
def sequences(m):
    group, kind = Group(m), m.pick((*KINDS, "f32", "str"))
    rank, axis = m.number(1, 3), 0
    shape = [m.number(1, 5) for _ in range(rank)]
    axis = m.number(-rank, rank - 1)
    stacked = m.chance(0.3)

    def tensor():
        sizes = [m.number(0, 4) if d == axis % rank and not stacked else size for d, size in enumerate(shape)]
        return m.data(kind, tuple(sizes))

    how = m.pick(("construct", "split", "split", "empty"))
    length = m.number(1, 4)
    if how == "construct":
        sequence = group("SequenceConstruct", *(tensor() for _ in range(length)))
    elif how == "empty":
        sequence, length = group("SequenceEmpty", dtype=code(kind)), 0
    else:
        x = m.data(kind, tuple(shape))
        stacked, length = False, shape[axis]
        if m.chance(0.4):
            sequence = group("SplitToSequence", x, axis=axis, keepdims=1)
        elif m.chance(0.5):
            step = m.number(1, shape[axis])
            length = -(-shape[axis] // step)
            sequence = group("SplitToSequence", x, m.param(step), axis=axis)
        else:
            parts = [int(p) for p in m.rng.multinomial(shape[axis], np.ones(3) / 3)]
            length = 3
            sequence = group("SplitToSequence", x, m.param(parts, constant=0.5), axis=axis)
    for _ in range(m.number(0 if length else 1, 3)):
        if length > 1 and m.chance(0.3):
            place = [m.param(m.number(-length, length - 1))] if m.chance(0.7) else []
            sequence, length = group("SequenceErase", sequence, *place), length - 1
        else:
            place = [m.param(m.number(-length, length))] if m.chance(0.7) else []
            sequence, length = group("SequenceInsert", sequence, tensor(), *place), length + 1
    results = []
    if m.chance(0.6):
        results.append(group("SequenceLength", sequence))
    if m.chance(0.6):
        results.append(group("SequenceAt", sequence, m.param(m.number(-length, length - 1), constant=0.4)))
    if not results or m.chance(0.6):
        new = {"new_axis": 1, "axis": m.number(-rank - 1, rank)} if stacked else {"axis": axis}
        results.append(group("ConcatFromSequence", sequence, **new))
    group.end(*results, exact=True)


@pattern
def sequence_in_a_loop(m):
    """Each trip adds a slice or a computed tensor to a sequence."""
    group, width = Group(m), m.number(1, 5)
    x, trips = m.data("f32", (width,), mode="unit"), m.number(0, 4)
    start = group("SequenceConstruct", x) if m.chance(0.5) or not trips else group("SequenceEmpty", dtype=TensorProto.FLOAT)
    c = m.count
    nodes = [helper.make_node("Cast", [f"i{c}"], [f"f{c}"], to=TensorProto.FLOAT),
             helper.make_node(m.pick(("Mul", "Add")), [x.name, f"f{c}"], [f"e{c}"]),
             helper.make_node("SequenceInsert", [f"s{c}", f"e{c}"] + ([f"zero{c}"] if m.chance(0.3) else []), [f"t{c}"]),
             helper.make_node("Identity", [f"g{c}"], [f"h{c}"]),
             helper.make_node("Constant", [], [f"zero{c}"], value=numpy_helper.from_array(np.array(0, np.int64)))]
    nodes = nodes[-1:] + nodes[:-1]
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    graph = helper.make_graph(nodes, "body",
                              [helper.make_tensor_value_info(f"i{c}", TensorProto.INT64, ()),
                               helper.make_tensor_value_info(f"g{c}", TensorProto.BOOL, ()), helper.make_value_info(f"s{c}", kind)],
                              [helper.make_tensor_value_info(f"h{c}", TensorProto.BOOL, ()), helper.make_value_info(f"t{c}", kind)])
    last = group("Loop", m.param(trips), m.value(np.array(True), True), start, body=graph)
    group.end(group("ConcatFromSequence", last, axis=0, new_axis=m.number(0, 1)), group("SequenceLength", last))


@pattern
def sequence_map(m):
    group, c = Group(m), m.count
    parts = [m.data("f32", (m.number(0, 4),)) for _ in range(m.number(1, 3))]
    graph = body([helper.make_node(m.pick(("Neg", "Relu", "Exp")), [f"e{c}"], [f"o{c}"])], [(f"e{c}", "f32", (None,))],
                 [(f"o{c}", "f32", (None,))])
    mapped = group("SequenceMap", group("SequenceConstruct", *parts), body=graph)
    group.end(group("ConcatFromSequence", mapped, axis=0))


@pattern
def optionals(m):
    group, x = Group(m), m.data(m.pick(("f32", "i64", "bool")), high=3)
    kind = helper.make_optional_type_proto(helper.make_tensor_type_proto(code(x.kind), None))
    some = group("Optional", x) if m.chance(0.7) else group("Optional", type=kind.optional_type.elem_type)
    results = [group("OptionalHasElement", some)]
    if group.nodes[0].input:
        results.append(group("OptionalGetElement", some))
    group.end(*results, exact=True)


# Strings.


@recipe("StringConcat")
def joined(m):
    x = m.data("str", m.shape(0, 3))
    return [x, m.data("str", m.broadcast(x.shape))], {}


@recipe("StringSplit")
def pieces(m):
    return [m.data("str", m.shape(0, 2))], m.flag(delimiter=m.pick((" ", ",", "")), maxsplit=m.number(0, 2)), 2


@recipe("StringNormalizer")
def normalized(m):
    x = m.data("str", (m.number(1, 6),))
    return [x], {"case_change_action": m.pick(("LOWER", "UPPER", "NONE")), "locale": "C.UTF-8"} | m.flag(
        is_case_sensitive=m.number(0, 1), stopwords=[str(w) for w in ("a", "the", "BC")[:m.number(1, 3)]])


@recipe("RegexFullMatch")
def full_match(m):
    return [m.data("str", m.shape(0, 2))], {"pattern": m.pick(("[a-z]*", ".*", "(a|bc)+", "-?\\d+(\\.\\d+)?", "\\w \\w"))}


@recipe("TfIdfVectorizer")
def ngrams(m):
    length, kind = m.number(1, 8), m.pick(("i64", "i32", "str"))
    x = m.data(kind, (length,) if m.chance(0.5) else (m.number(1, 3), length))
    pool = [int(v) for v in m.rng.permutation(8)[:4]] if kind != "str" else ["a", "bc", "BC", "the"]
    counts, largest = [0, 2], m.number(1, 2)
    pool += pool[1:3]
    weights = {"weights": [0.5, 1.0, 2.0]} if m.chance(0.5) else {}
    return [x], {"mode": m.pick(("TF", "IDF", "TFIDF")), "min_gram_length": 1, "max_gram_length": largest,
                 "max_skip_count": m.number(0, 2), "ngram_counts": counts, "ngram_indexes": [0, 1, 2],
                 "pool_strings" if kind == "str" else "pool_int64s": pool[:4]} | weights


@pattern
def strings_that_move(m):
    x = m.data("str", m.shape(1, 3))
    axis = m.number(0, x.rank - 1)
    for _ in range(m.number(1, 3)):
        if x.kind != "str" or x.rank < 1:
            break
        axis, n = m.number(0, x.rank - 1), 0
        n = x.shape[axis]
        which = m.pick(("Transpose", "Concat", "Gather", "Tile", "Slice", "Where", "Reshape", "Equal", "Expand", "Pad",
                        "GatherElements", "ScatterElements", "Compress", "Flatten", "GatherND", "ScatterND", "Split", "Identity"))
        flags = m.value(m.random("bool", x.shape), m.chance(0.3))
        places = lambda *shape: m.value(m.rng.integers(0, max(n, 1), shape), m.chance(0.4))  # noqa: E731
        if which in ("Gather", "GatherElements", "ScatterElements", "GatherND", "ScatterND", "Split") and n < 1:
            raise Refused
        if which == "Where":
            x = m.step(which, flags, x, m.data("str", x.shape))
        elif which == "Concat":
            x = m.step(which, x, m.data("str", x.shape), axis=axis)
        elif which == "Gather":
            x = m.step(which, x, places(m.number(0, 4)), axis=axis)
        elif which == "Tile":
            x = m.step(which, x, m.ints(*(m.number(0, 2) for _ in x.shape)))
        elif which == "Slice":
            x = m.step(which, x, m.ints(m.number(-n, n)), m.ints(m.pick((n, 2**31, -1))), m.ints(axis), m.ints(m.pick((1, 2, 1))))
        elif which == "Reshape":
            x = m.step(which, x, m.ints(-1) if x.array.size else m.ints(0))
        elif which == "Equal":
            x = m.step(which, x, m.data("str", m.broadcast(x.shape)))
        elif which == "Expand":
            x = m.step(which, x, m.ints(2, *x.shape))
        elif which == "Pad":
            x = m.step(which, x, m.ints(*(m.number(0, 2) for _ in x.shape * 2)), m.value(np.array("p", object), True))
        elif which == "GatherElements":
            x = m.step(which, x, places(*x.shape), axis=axis)
        elif which == "ScatterElements":
            order = np.argsort(m.rng.random(x.shape), axis=axis)
            x = m.step(which, x, m.value(order, False), m.data("str", x.shape), axis=axis)
        elif which == "GatherND":
            x = m.step(which, x, m.value(m.rng.integers(0, x.shape[0], (m.number(1, 3), 1)), True)) if x.shape[0] else x
        elif which == "ScatterND":
            count = m.number(1, x.shape[0]) if x.shape[0] else 0
            order = m.rng.permutation(x.shape[0])[:count].reshape(-1, 1)
            x = m.step(which, x, m.value(order, False), m.data("str", (count, *x.shape[1:])))
        elif which == "Split":
            if axis > 0:  # ONNX Runtime loses strings there
                raise Refused
            first = m.number(0, n)
            x = m.step(which, x, m.ints(first, n - first), axis=axis, results=2)[0]
        elif which == "Compress":
            x = m.step(which, x, m.value(m.random("bool", (n,)), True), axis=axis)
        else:
            x = m.step(which, x)


# Narrow element types, between tensors of wider ones.


@pattern
def narrow_floats(m):
    group, kind = Group(m), m.pick(("bf16", "bf16", "bf16", "e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz"))
    x = m.data("f32", mode="exact", high=3)
    extra = {"saturate": m.number(0, 1)} if kind != "bf16" and m.opset >= 19 and m.chance(0.5) else {}
    y = group("Cast", x, to=NARROW[kind], **extra)
    for _ in range(m.number(0, 3)):
        op = m.pick(("Identity", "Transpose", "Reshape", "Neg", "Relu", "Abs", "Add", "Sqrt", "Where"))
        if op == "Reshape":
            y = group(op, y, m.ints(-1) if x.array.size else m.ints(0))
        elif op == "Add":
            y = group(op, y, y)
        elif op == "Where":
            y = group(op, m.value(np.array(m.chance(0.5)), False), y, y)
        else:
            y = group(op, y)
    group.end(group("Cast", y, to=m.pick((TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.FLOAT16))))


@pattern
def narrow_quantized(m):
    kind = m.pick(("i4", "i4", "u4", "u4", "e4m3fn", "e5m2", "e2m1"))
    group, x = Group(m), m.data("f32", low=1, high=3, mode="exact")
    axis = m.axis(x.rank)
    blocked = m.chance(0.4) and m.opset >= 21
    shape = () if m.chance(0.4) else (x.shape[axis],)
    more = {"axis": axis} if shape else {}
    if blocked:
        block = m.pick((2, 3, 16))
        shape = tuple(-(-s // block) if d == axis % x.rank else s for d, s in enumerate(x.shape))
        more = {"axis": axis, "block_size": block}
    scale = m.value(m.rng.choice([0.25, 0.5, 1.0], shape).astype(np.float32), m.chance(0.6))
    if kind[0] in "iu" and m.chance(0.6):
        numbers = m.rng.integers(0, 2 ** int(kind[1]), shape) - (2 ** (int(kind[1]) - 1) if kind[0] == "i" else 0)
        zero = group("Cast", m.value(numbers.astype(np.int32), True), to=NARROW[kind])
    else:
        zero = group("Cast", m.value(np.zeros(shape, np.float32), True), to=NARROW[kind])
    q = group("QuantizeLinear", x, scale, zero, **more)
    if m.chance(0.3):
        q = group("Identity", q)
    group.end(group("DequantizeLinear", q, scale, zero, **more))


@pattern
def packed_weights(m):
    """Weights of 4 bits, of which blocks have scales, in a product."""
    if m.opset < 21:
        raise Refused
    group, depth, columns = Group(m), m.pick((16, 32, 64)), m.pick((1, 8, 33))
    x = m.data("f32", (*m.pick(((), (2,))), m.pick((1, 3, 17)), depth), mode="exact")
    kind, block = m.pick(("i4", "u4")), m.pick((16, depth))
    low = -8 if kind == "i4" else 0
    w = group("Cast", m.value(m.rng.integers(low, low + 16, (depth, columns)).astype(np.int8), True), to=NARROW[kind])
    scale = m.value(m.rng.choice([0.125, 0.25], (depth // block, columns)).astype(np.float32), True)
    zero = [group("Cast", m.value(m.rng.integers(low, low + 16, scale.shape).astype(np.int8), True), to=NARROW[kind])]
    w = group("DequantizeLinear", w, scale, *(zero if m.chance(0.5) else []), axis=0, block_size=block)
    group.end(group("MatMul", x, w))


# Control flow.

UNARY = ("Neg", "Tanh", "Relu", "Sigmoid", "Abs", "Identity")


def many(m, x, name, count):
    """Nodes that lead from one tensor to another of its shape, and may read `x` outside."""
    nodes, c = [], m.count
    for i in range(count):
        to = f"{name}_{c}_{i}"
        if m.chance(0.3):
            nodes.append(helper.make_node(m.pick(("Add", "Mul", "Sub", "Max")), [name if i == 0 else f"{name}_{c}_{i - 1}", x], [to]))
        else:
            nodes.append(helper.make_node(m.pick(UNARY), [name if i == 0 else f"{name}_{c}_{i - 1}"], [to]))
    return nodes, f"{name}_{c}_{count - 1}"


@pattern
def branches_that_differ(m):
    """In sizes and how much they compute; one within the other."""
    x = m.data("f32", low=1, high=3, mode="unit")
    m.count += 1
    c = m.count

    def branch(label, depth):
        nodes, last = many(m, x.name, f"{label}{c}", m.number(1, 3))
        nodes.insert(0, helper.make_node(m.pick(UNARY), [x.name], [f"{label}{c}"]))
        how = m.pick(("same", "concat", "transpose", "reduce", "inner"))
        out = f"{label}out{c}"
        if how == "concat":
            nodes.append(helper.make_node("Concat", [last, last], [out], axis=0))
        elif how == "transpose":
            nodes.append(helper.make_node("Transpose", [last], [out]))
        elif how == "reduce":
            nodes.append(helper.make_node("ReduceMax", [last], [out], keepdims=1))
        elif how == "inner" and depth:
            nodes.append(helper.make_node("If", [inner.name], [out], then_branch=branch(label + "p", depth - 1),
                                          else_branch=branch(label + "q", depth - 1)))
        else:
            nodes.append(helper.make_node("Identity", [last], [out]))
        return helper.make_graph(nodes, label, [], [helper.make_tensor_value_info(out, TensorProto.FLOAT, None)])

    inner = m.value(np.array(m.chance(0.5)), False)
    condition = m.value(np.array(m.chance(0.5)), m.chance(0.1))
    m.step("If", condition, then_branch=branch("then", 1), else_branch=branch("else", 1))


@pattern
def loop_until(m):
    """Ends where what is computed says so, after one trip or more, as ONNX Runtime gives what no trip adds another rank; a carried
    value may grow."""
    m.count += 1
    c, grows = m.count, m.chance(0.4)
    x = m.data("f32", (m.number(1, 4), m.number(1, 4)), mode="unit")
    nodes, last = many(m, x.name, f"a{c}", m.number(1, 3))
    limit = m.number(0, 6)
    nodes += [helper.make_node("Constant", [], [f"l{c}"], value=numpy_helper.from_array(np.array(limit, np.int64))),
              helper.make_node("Less", [f"i{c}", f"l{c}"], [f"go{c}"]),
              helper.make_node("Concat" if grows else "Identity", [last, x.name] if grows else [last], [f"b{c}"],
                               **({"axis": 0} if grows else {})),
              helper.make_node("ReduceMax", [last], [f"each{c}"], keepdims=m.number(0, 1))]
    graph = body(nodes, [(f"i{c}", "i64", ()), (f"g{c}", "bool", ()), (f"a{c}", "f32", None)],
                 [(f"go{c}", "bool", ()), (f"b{c}", "f32", None), (f"each{c}", "f32", None)])
    trips = m.param(m.number(1, 5)) if m.chance(0.7) else None
    m.step("Loop", trips, m.value(np.array(True), m.chance(0.3)), x, body=graph, results=2)


@pattern
def branch_in_a_loop(m):
    m.count += 1
    c = m.count
    x = m.data("f32", m.shape(1, 2), mode="unit")
    then = helper.make_graph([helper.make_node(m.pick(UNARY), [f"a{c}"], [f"p{c}"])], "then", [],
                             [helper.make_tensor_value_info(f"p{c}", TensorProto.FLOAT, None)])
    other = helper.make_graph([helper.make_node("Add", [f"a{c}", x.name], [f"q{c}"])], "else", [],
                              [helper.make_tensor_value_info(f"q{c}", TensorProto.FLOAT, None)])
    nodes = [helper.make_node("Constant", [], [f"two{c}"], value=numpy_helper.from_array(np.array(2, np.int64))),
             helper.make_node("Mod", [f"i{c}", f"two{c}"], [f"m{c}"]), helper.make_node("Cast", [f"m{c}"], [f"odd{c}"], to=TensorProto.BOOL),
             helper.make_node("If", [f"odd{c}"], [f"b{c}"], then_branch=then, else_branch=other),
             helper.make_node("Identity", [f"g{c}"], [f"h{c}"])]
    graph = body(nodes, [(f"i{c}", "i64", ()), (f"g{c}", "bool", ()), (f"a{c}", "f32", None)], [(f"h{c}", "bool", ()), (f"b{c}", "f32", None)])
    m.step("Loop", m.param(m.number(0, 5), constant=0.4), m.value(np.array(True), True), x, body=graph)


# Operators that operator_recipes doesn't have.


@recipe("Upsample")
def upsample(m):
    x = m.data("f32", low=4, high=4)
    scales = [1.0, 1.0, m.pick((1.0, 2.0, 3.0)), m.pick((1.0, 2.0))]
    mode = {"mode": m.pick(("nearest", "linear"))}
    if m.has("scales"):
        return [x], mode | {"scales": scales}
    return [x, m.value(np.array(scales, np.float32), m.chance(0.7))], mode


@recipe("MaxUnpool")
def unpool(m):
    shape = (m.number(1, 2), m.number(1, 3), 2 * m.number(1, 3), 2 * m.number(1, 3))
    y, places = m.step("MaxPool", m.data("f32", shape, mode="exact"), results=2, kernel_shape=[2, 2], strides=[2, 2])
    m.op = "MaxUnpool"
    return [y, places, *([m.param(shape)] if m.chance(0.3) else [])], {"kernel_shape": [2, 2], "strides": [2, 2]}


@recipe("MaxRoiPool")
def roi_pool(m):
    x = m.data("f32", (2, m.number(1, 3), m.number(3, 9), m.number(3, 9)))
    count = m.number(1, 3)
    corners = np.sort(m.rng.integers(0, 9, (count, 2, 2)), axis=1).reshape(count, 4)
    rois = np.concatenate([m.rng.integers(0, 2, (count, 1)), corners], 1).astype(np.float32)
    return [x, m.value(rois, False)], {"pooled_shape": [m.number(1, 3), m.number(1, 3)]} | m.flag(spatial_scale=0.5)


@recipe("DeformConv")
def deform(m):
    group, kernel, dims = m.pick((1, 2)), m.number(1, 3), [m.number(3, 6), m.number(3, 6)]
    inputs, outputs = 2 * group, group * m.number(1, 3)
    places = [s - kernel + 1 for s in dims]
    batch, offsets = m.number(1, 2), m.pick((1, 2))
    operands = [m.data("f32", (batch, inputs, *dims)), m.data("f32", (outputs, inputs // group, kernel, kernel), constant=0.7),
                m.data("f32", (batch, offsets * 2 * kernel * kernel, *places), mode="unit")]
    bias = m.data("f32", (outputs,)) if m.chance(0.5) else None
    mask = [m.data("f32", (batch, offsets * kernel * kernel, *places), mode="unit")] if m.chance(0.5) else []
    return [*operands, bias, *mask][:5 if mask else 4 if bias else 3], {"group": group, "offset_group": offsets,
                                                                      "kernel_shape": [kernel, kernel]}


@recipe("STFT")
def short_time(m):
    length, step, frame = m.number(8, 30), m.number(1, 5), m.number(2, 8)
    window = m.data("f32", (frame,), mode="positive") if m.chance(0.6) else None
    return [m.data("f32", (m.number(1, 2), length, 1)), m.param(step), window, m.param(frame)], m.flag(onesided=m.number(0, 1))


@recipe("MelWeightMatrix")
def mel(m):
    return [m.param(v, k) for v, k in ((m.number(1, 8), "i64"), (m.pick((16, 64)), "i64"), (8000, "i64"), (0.0, "f32"), (4000.0, "f32"))], {}


@recipe("TensorScatter")
def tensor_scatter(m):
    batch, room, new = m.number(1, 3), m.number(3, 8), m.number(1, 3)
    past = m.data("f32", (batch, 2, room, 3))
    circular = m.chance(0.4)
    starts = m.value(m.rng.integers(0, room if circular else room - new + 1, batch), False)
    return [past, m.data("f32", (batch, 2, new, 3)), *([starts] if circular or m.chance(0.7) else [])], {
        "axis": 2, "mode": "circular" if circular else "linear"}


@recipe("BitCast")
def bit_cast(m):
    same = {"f32": ("i32", "u32"), "i32": ("f32", "u32"), "i64": ("f64", "u64"), "i16": ("u16", "f16"), "u8": ("i8",)}
    kind = m.pick(same)
    return [m.data(kind)], {"to": code(m.pick(same[kind]))}


@recipe("Scatter")
def scatter(m):
    x = m.data(m.kind(among=KINDS), low=1, mode="exact")
    axis = m.number(0, x.rank - 1)
    order = np.argsort(m.rng.random(x.shape), axis=axis)
    return [x, m.value(order, m.chance(0.4)), m.data(x.kind, x.shape, mode="exact")], {"axis": axis}


@recipe("Constant")
def constant(m):
    kind = m.pick(KINDS)
    choices = [{"value": numpy_helper.from_array(m.random(kind, m.shape()))}, {"value_float": 0.5}, {"value_int": -3},
               {"value_floats": [0.5, -1.0]}, {"value_ints": [2, 0]}, {"value_string": "a"}, {"value_strings": ["a", "b c"]}]
    return [], m.pick(choices if m.opset >= 12 else choices[:1])

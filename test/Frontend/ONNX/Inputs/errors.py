"""Malformed models. Runs the importer on each and prints what it says: errors.py DIRECTORY."""
import os
import subprocess
import sys

from onnx import AttributeProto, ModelProto, TensorProto as T, helper

directory = sys.argv[1]
os.makedirs(directory, exist_ok=True)


def value(name, dtype=T.FLOAT, shape=(2,)):
    return helper.make_tensor_value_info(name, dtype, shape)


def node(op, inputs, outputs, name="", **attributes):
    return helper.make_node(op, inputs, outputs, name=name, **attributes)


def model(nodes=(), initializers=(), inputs=None, outputs=None, functions=(), value_info=(), version=21):
    graph = helper.make_graph(nodes, "g", [value("x")] if inputs is None else inputs,
                              [value("x")] if outputs is None else outputs, initializers, value_info=value_info)
    return helper.make_model(graph, functions=functions, opset_imports=[helper.make_opsetid("", version)],
                             ir_version=10)


def function(name, nodes, inputs=("a",), outputs=("b",), attributes=()):
    return helper.make_function("local", name, inputs, outputs, nodes, [helper.make_opsetid("", 21)], attributes)


def call(name, inputs=("x",), outputs=("y",), **attributes):
    return node(name, inputs, outputs, "call", domain="local", **attributes)


def tensor(name="w", dims=(2,), dtype=T.FLOAT, **fields):
    return T(name=name, dims=dims, data_type=dtype, **fields)


def sparse(values, indices, dims, index_dims=None, dtype=T.FLOAT):
    return helper.make_sparse_tensor(
        T(name="w", dims=[len(values)], data_type=dtype, float_data=values),
        T(name="i", dims=index_dims or [len(indices)], data_type=T.INT64, int64_data=indices), dims)


def with_sparse(*arguments, **keywords):
    made = model()
    made.graph.sparse_initializer.append(sparse(*arguments, **keywords))
    return made


def check(name, content):
    path = f"{directory}/{name}.onnx"
    if isinstance(content, ModelProto):
        content = content.SerializeToString()
    if content is not None:
        with open(path, "wb") as file:
            file.write(content)
    done = subprocess.run(["tenon-translate", "--import-onnx", path, "-o", f"{directory}/out.mlir"],
                          capture_output=True, text=True, errors="replace")
    left = sorted(file for file in os.listdir(directory) if not file.endswith(".onnx"))
    print(f"{name}: exit {done.returncode}, left {left}\n  {done.stderr.strip()}")


# Files
whole = model([node("Relu", ["x"], ["y"])], [tensor(dims=[1000], raw_data=bytes(4000))])
check("absent", None)
check("empty", b"")
check("text", b"just some text\n")
check("lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
check("cut_in_tensor", whole.SerializeToString()[:2000])
check("cut_in_number", b"\x08\x80")
check("group", b"\x0b\x0c")
check("field_zero", b"\x02\x00")
# Subgraphs in each other: graph.node (1) .attribute (5) .g (6), around and around.
deep = b""
for field in [6, 5, 1] * 35 + [7]:
    size = len(deep)
    deep = bytes([field << 3 | 2, size & 0x7f | 0x80, size >> 7]) + deep
check("deep", deep)

# The model
check("no_graph", ModelProto(ir_version=10))
newer = model()
newer.ir_version = 15
check("ir_version", newer)
no_opset = model()
del no_opset.opset_import[:]
check("no_opset", no_opset)
check("opset_zero", model(version=0))
check("no_domain", model([node("Scaler", ["x"], ["y"], "scale", domain="ai.onnx.ml")]))
check("no_outputs", model(outputs=[]))
check("missing_output", model(outputs=[value("x"), value("y")]))
check("no_type", model(inputs=[helper.make_empty_tensor_value_info("x")]))
check("map_input", model(inputs=[helper.make_value_info("x", helper.make_map_type_proto(
    T.INT64, helper.make_tensor_type_proto(T.FLOAT, [])))]))
check("unknown_type", model(inputs=[value("x", 99)]))
check("negative_size", model(inputs=[value("x", shape=[2, -3])]))
check("huge_size", model(inputs=[value("x", shape=[2**40, 0, 2**40])]))
check("huge_value_info", model(value_info=[value("v", shape=[2**62, 2])]))
check("unnamed_input", model(inputs=[value("")]))

# Names
check("undefined", model([node("Relu", ["nowhere"], ["y"], "relu")]))
check("undefined_in_subgraph", model([node("If", ["x"], ["y"], "if", then_branch=helper.make_graph(
    [node("Relu", ["nowhere"], ["r"], "deep")], "s", [], [value("r")]))]))
check("subgraph_output", model([node("If", ["x"], ["y"], "if", then_branch=helper.make_graph(
    [], "s", [], [value("r")]))]))
check("no_subgraph_leak", model([node("If", ["x"], ["y"], "if", then_branch=helper.make_graph(
    [node("Relu", ["x"], ["r"])], "s", [], [value("r")])), node("Neg", ["r"], ["z"], "neg")]))
check("cycle", model([node("Relu", ["x"], ["before"], "before"), node("Add", ["before", "c"], ["a"], "first"),
                      node("Neg", ["a"], ["b"], "second"), node("Neg", ["b"], ["c"], "third"),
                      node("Neg", ["c"], ["after"], "after")]))
check("self", model([node("Neg", ["a"], ["a"], "alone")]))
check("two_nodes", model([node("Relu", ["x"], ["y"], "one"), node("Neg", ["x"], ["y"], "other")]))
check("two_results", model([node("Split", ["x"], ["y", "y"], "split")]))
check("two_inputs", model(inputs=[value("x"), value("x")]))
check("two_initializers", model(initializers=[tensor(float_data=[1, 2])] * 2))
check("input_again", model([node("Relu", ["x"], ["x"], "relu")]))
check("no_op_type", model([node("", ["x"], ["y"], "blank")]))

# Attributes
two = node("Elu", ["x"], ["y"], "elu", alpha=1.0)
two.attribute.add(name="alpha", f=2.0, type=AttributeProto.FLOAT)
check("attribute_twice", model([two]))


def with_attribute(**fields):
    made = node("Elu", ["x"], ["y"], "elu")
    made.attribute.add(**fields)
    return model([made])


check("attribute_unnamed", with_attribute(f=1.0, type=AttributeProto.FLOAT))
check("attribute_no_tensor", with_attribute(name="t", type=AttributeProto.TENSOR))
check("attribute_no_kind", with_attribute(name="t"))
check("attribute_reference", with_attribute(name="t", type=AttributeProto.INT, ref_attr_name="k"))
check("attribute_tensor", with_attribute(name="t", type=AttributeProto.TENSOR, t=tensor(float_data=[1])))

# Tensors
for name, bad in {
    "dtype": tensor(dtype=77, raw_data=b""), "dtype_missing": T(name="w", dims=[1]),
    "negative_dim": tensor(dims=[-2], float_data=[1, 2]), "huge_dims": tensor(dims=[2**31, 2**31, 2], raw_data=b""),
    "few_bytes": tensor(raw_data=bytes(7)), "many_bytes": tensor(raw_data=bytes(2000)),
    "no_data": tensor(), "few_values": tensor(float_data=[1]), "wrong_field": tensor(dtype=T.INT64, int32_data=[1, 2]),
    "few_strings": tensor(dtype=T.STRING, string_data=[b"a"]), "raw_strings": tensor(dtype=T.STRING, raw_data=b"ab"),
    "packed_count": tensor(dims=[3], dtype=T.INT4, int32_data=[1]), "unnamed": tensor("", float_data=[1, 2]),
    "segment": tensor(segment=T.Segment(begin=0, end=4), raw_data=bytes(4)),
}.items():
    check("tensor_" + name, model(initializers=[bad]))
check("sparse_order", with_sparse([1, 2], [3, 1], [4]))
check("sparse_outside", with_sparse([1, 2], [0, 4], [4]))
check("sparse_outside_2d", with_sparse([1], [0, 2], [2, 2], [1, 2]))
check("sparse_count", with_sparse([1, 2], [0], [4]))
check("sparse_huge", with_sparse([1], [0], [2**30]))
check("sparse_narrow", with_sparse([1], [0], [4], dtype=T.INT4))

# Functions
loop = [function("F", [call("G", ["a"], ["b"])]), function("G", [call("F", ["a"], ["b"])])]
check("recursion", model([call("F")], functions=loop))
plain = function("F", [node("Relu", ["a"], ["b"])])
check("function_twice", model([call("F")], functions=[plain, plain]))
check("function_inputs", model([call("F", ["x", "x"])], functions=[plain]))
check("function_attribute", model([call("F", k=1)], functions=[plain]))
check("function_output", model([call("F")], functions=[function("F", [node("Relu", ["a"], ["c"])])]))
check("function_sees", model([call("F")], functions=[function("F", [node("Add", ["a", "x"], ["b"])])]))
bad_reference = node("Elu", ["a"], ["b"], "inner")
bad_reference.attribute.add(name="alpha", type=AttributeProto.FLOAT, ref_attr_name="k")
check("function_reference", model([call("F")], functions=[function("F", [bad_reference])]))
chain = [function(f"F{i}", [call(f"F{i + 1}", ["a"], ["b"])]) for i in range(300)]
check("function_depth", model([call("F0")], functions=chain + [function("F300", [node("Relu", ["a"], ["b"])])]))
many = [function(f"F{i}", [call(f"F{i + 1}", ["a"], [c]) for c in "bcdefghi"]) for i in range(10)]
check("function_growth", model([call("F0")], functions=many + [function("F10", [node("Relu", ["a"], ["b"])])]))

"""One node with attributes of every kind."""
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

X = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
tensor_type = helper.make_tensor_type_proto(TensorProto.FLOAT, [2, None])
sparse = helper.make_sparse_tensor(
    helper.make_tensor("values", TensorProto.FLOAT, [2], [5.0, 7.0]),
    helper.make_tensor("indices", TensorProto.INT64, [2, 2], [0, 1, 2, 0]), [3, 2])
attributes = {
    "f": 0.5, "i": -3, "s": "text", "bytes": b"\x00\xff",
    "floats": [1.0, 2.5], "ints": [1, -2], "strings": ["a", "b"],
    "t": numpy_helper.from_array(numpy.array([1, 2], numpy.int32)),
    "tensors": [numpy_helper.from_array(numpy.array([x], numpy.uint8)) for x in (1, 2)],
    "large": numpy_helper.from_array(numpy.arange(1000, dtype=numpy.int64)),
    "tp": tensor_type, "type_protos": [tensor_type, helper.make_sequence_type_proto(tensor_type)],
    "sparse": sparse, "sparses": [sparse],
}
node = helper.make_node("Everything", ["x"], ["y"], domain="test", **attributes)
node.attribute.append(helper.make_attribute("no_ints", [], attr_type=onnx.AttributeProto.INTS))
zero = node.attribute.add(name="zero", type=onnx.AttributeProto.INT)
# As files of IR version 1, which this one is, have it: only the field says what it is.
node.attribute.add(name="untyped").ints.extend([4, 5])
graph = helper.make_graph([node], "g", [X], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("test", 1)], ir_version=1), sys.argv[1])

"""Initializers of every element type, as raw bytes and in typed fields."""
import struct
import sys

import onnx
from onnx import TensorProto as T, helper


def raw(name, dtype, dims, data):
    return helper.make_tensor(name, dtype, dims, data, raw=True)


def typed(name, dtype, dims, field, values):
    tensor = T(name=name, data_type=dtype, dims=dims)
    getattr(tensor, field).extend(values)
    return tensor


f6 = (1 | 2 << 6 | 3 << 12 | 33 << 18).to_bytes(3, "little")
initializers = [
    raw("f32", T.FLOAT, [2], struct.pack("<2f", 1.5, -2)),
    raw("f64", T.DOUBLE, [1], struct.pack("<d", 0.1)),
    raw("f16", T.FLOAT16, [2], struct.pack("<2e", 1.5, 65504)),
    raw("bf16", T.BFLOAT16, [2], b"\x80\x3f\x00\xc0"),
    raw("f8e4m3fn", T.FLOAT8E4M3FN, [2], b"\x38\xb8"),
    raw("f8e4m3fnuz", T.FLOAT8E4M3FNUZ, [2], b"\x40\xc0"),
    raw("f8e5m2", T.FLOAT8E5M2, [2], b"\x3c\xbc"),
    raw("f8e5m2fnuz", T.FLOAT8E5M2FNUZ, [2], b"\x40\xc0"),
    raw("f8e8m0", T.FLOAT8E8M0, [2], b"\x7f\x80"),
    raw("f6e2m3", T.FLOAT6E2M3, [4], f6),
    raw("f6e3m2", T.FLOAT6E3M2, [4], f6),
    raw("f4e2m1", T.FLOAT4E2M1, [3], b"\x21\x0f"),
    raw("bool", T.BOOL, [3], b"\x01\x00\x02"),
    raw("i2", T.INT2, [5], b"\xe4\x03"),
    raw("ui2", T.UINT2, [5], b"\xe4\x03"),
    raw("i4", T.INT4, [3], b"\x8f\x07"),
    raw("ui4", T.UINT4, [3], b"\x8f\x07"),
    raw("i8", T.INT8, [2], b"\x01\xff"),
    raw("ui8", T.UINT8, [2], b"\x01\xff"),
    raw("i16", T.INT16, [2], struct.pack("<2h", 1, -2)),
    raw("ui16", T.UINT16, [2], struct.pack("<2H", 1, 65535)),
    raw("i32", T.INT32, [2], struct.pack("<2i", 1, -2)),
    raw("ui32", T.UINT32, [2], struct.pack("<2I", 1, 2**32 - 1)),
    raw("i64", T.INT64, [2], struct.pack("<2q", 1, -2)),
    raw("ui64", T.UINT64, [2], struct.pack("<2Q", 1, 2**64 - 1)),
    raw("complex64", T.COMPLEX64, [1], struct.pack("<2f", 1, -2)),
    raw("complex128", T.COMPLEX128, [1], struct.pack("<2d", 1, -2)),
    raw("empty", T.FLOAT, [0, 3], b""),
    raw("scalar", T.FLOAT, [], struct.pack("<f", 4)),
    raw("large", T.INT8, [1025], bytes(1025)),
    raw("not_large", T.INT8, [1024], bytes(1024)),
    raw("large_i4", T.INT4, [2051], bytes(1026)),
    raw("large_bool", T.BOOL, [33, 33], bytes(1089)),
    typed("typed_f32", T.FLOAT, [2], "float_data", [1.5, -2]),
    typed("typed_f64", T.DOUBLE, [1], "double_data", [0.1]),
    typed("typed_f16", T.FLOAT16, [2], "int32_data", [0x3e00, 0x7bff]),
    typed("typed_bf16", T.BFLOAT16, [2], "int32_data", [0x3f80, 0xc000]),
    typed("typed_f8", T.FLOAT8E5M2, [2], "int32_data", [0x3c, 0xbc]),
    typed("typed_f6", T.FLOAT6E2M3, [4], "int32_data", [1, 2, 3, 33]),
    typed("typed_f4", T.FLOAT4E2M1, [3], "int32_data", [0x21, 0x0f]),
    typed("typed_bool", T.BOOL, [2], "int32_data", [1, 0]),
    typed("typed_i2", T.INT2, [5], "int32_data", [0xe4, 3]),
    typed("typed_i4", T.INT4, [3], "int32_data", [0x8f, 7]),
    typed("typed_i8", T.INT8, [2], "int32_data", [1, -1]),
    typed("typed_ui16", T.UINT16, [2], "int32_data", [1, 65535]),
    typed("typed_i32", T.INT32, [2], "int32_data", [1, -2]),
    typed("typed_ui32", T.UINT32, [2], "uint64_data", [1, 2**32 - 1]),
    typed("typed_i64", T.INT64, [2], "int64_data", [1, -2]),
    typed("typed_ui64", T.UINT64, [2], "uint64_data", [1, 2**64 - 1]),
    typed("typed_complex64", T.COMPLEX64, [1], "float_data", [1, -2]),
    typed("typed_complex128", T.COMPLEX128, [1], "double_data", [1, -2]),
    typed("strings", T.STRING, [3], "string_data", [b"a", "\u00e9".encode(), b""]),
    typed("typed_large", T.FLOAT, [300], "float_data", range(300)),
]
sparse = helper.make_sparse_tensor(
    helper.make_tensor("sparse", T.INT8, [2], [5, 7]), helper.make_tensor("i", T.INT64, [2], [1, 4]), [2, 3])
y = helper.make_tensor_value_info("y", T.FLOAT, None)
y.name = "f32"
# Before IR version 4, initializers are inputs too.
x = helper.make_tensor_value_info("f32", T.FLOAT, [2])
graph = helper.make_graph([], "g", [x], [y], initializers, sparse_initializer=[sparse])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)]), sys.argv[1])

"""Arguments from Python: what is converted, and what is refused with a sentence of ours."""

import array
import ast
import collections
import copy
import ctypes
import decimal
import fractions
import os
import pathlib
import pickle
import subprocess
import sys
import types

import ml_dtypes
import numpy as np
import pytest
import tenon
from conftest import make_model
from onnx import TensorProto, helper
from tenon import _compiler, _runtime

ONE = np.ones((2, 4), np.float32)


def identity(element, shape=("n",)):
    return make_model([helper.make_node("Identity", ["x"], ["y"])], [("x", element, shape)], [("y", element, shape)])


@pytest.fixture(scope="module")
def models():
    """By element type and rank, compiled when they are asked for; compiled code and the interpreter must agree."""
    made = {}

    def get(element, rank=1):
        if (element, rank) not in made:
            model = identity(element, ("n", "m")[:rank])
            made[element, rank] = tenon.compile(model, threads=1), tenon.reference(model)
        return made[element, rank]

    return get


F32, F64, F16, BF16 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16
I8, U8, I32, I64, U64 = TensorProto.INT8, TensorProto.UINT8, TensorProto.INT32, TensorProto.INT64, TensorProto.UINT64
BOOL, STRING, C64 = TensorProto.BOOL, TensorProto.STRING, TensorProto.COMPLEX64


@pytest.mark.parametrize("element, given, expected", [
    (F32, [1, 2.5, -3], np.float32([1, 2.5, -3])),
    (F32, [0.1, 1 / 3], np.float32([0.1, 1 / 3])),
    (F32, [np.float64(0.1), np.float16(2), np.int64(3)], np.float32([0.1, 2, 3])),
    (F32, [ml_dtypes.bfloat16(1.5)], np.float32([1.5])),
    (F32, [float("inf"), float("nan"), -0.0], np.float32([np.inf, np.nan, -0.0])),
    (F32, [1e-60], np.float32([0])),
    (F32, (2**24, 2**100), np.float32([2**24, 2.0**100])),
    (F32, [], np.float32([])),
    (F64, [2**53, 0.1], np.float64([2**53, 0.1])),
    (F16, [65504, 0.1], np.float16([65504, 0.1])),
    (BF16, [256, 0.1], np.array([256, 0.1], ml_dtypes.bfloat16)),
    (I64, [-(2**63), 2**63 - 1], np.int64([-(2**63), 2**63 - 1])),
    (U64, [2**64 - 1, np.uint8(3)], np.uint64([2**64 - 1, 3])),
    (I32, range(3), np.int32([0, 1, 2])),
    (U8, collections.deque([1, 255]), np.uint8([1, 255])),
    (BOOL, [True, np.bool_(False)], np.array([True, False])),
    (F32, array.array("f", [1, 2]), np.float32([1, 2])),
    (U8, bytearray(b"ab"), np.uint8([97, 98])),
    (U8, memoryview(b"ab"), np.uint8([97, 98])),
    (STRING, ["a", b"b"], np.array(["a", "b"], object)),
    (STRING, np.array(["a", "bc"]), np.array(["a", "bc"], object)),
    (STRING, np.array([b"a", b"bc"]), np.array(["a", "bc"], object)),
])
def test_converts(models, element, given, expected):
    for model in models(element):
        result = model.run({"x": given})["y"]
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)


def test_strings_of_any_bytes_come_back(models):
    for model in models(STRING):
        result = model.run({"x": [b"\xff\x00", "\u00e9"]})["y"]
        assert list(result) == [b"\xff\x00".decode("utf-8", "surrogateescape"), "\u00e9"]
        np.testing.assert_array_equal(model.run({"x": result})["y"], result)
        with pytest.raises(UnicodeEncodeError):
            model.run({"x": ["\ud800"]})


@pytest.mark.parametrize("element, given, expected", [
    (F32, 2, 2), (F32, 1 / 3, np.float32(1 / 3)), (F32, np.float64(1 / 3), np.float32(1 / 3)), (F32, np.array(2, np.float32), 2),
    (I64, 7, 7), (I64, np.int32(7), 7), (BOOL, True, True), (F32, np.array(2, ">f4"), 2), (STRING, "text", "text"),
])
def test_converts_scalars(models, element, given, expected):
    for model in models(element, 0):
        result = model.run({"x": given})["y"]
        assert result.shape == () and result == expected


def test_converts_nested_lists(models):
    for given in ([[1, 2], [3, 4]], ((1, 2), [3.0, 4]), [np.float32([1, 2]), [3, 4]], [range(1, 3), range(3, 5)]):
        for model in models(F32, 2):
            np.testing.assert_array_equal(model.run({"x": given})["y"], [[1, 2], [3, 4]])
    for model in models(F32, 2):
        assert model.run({"x": [[], []]})["y"].shape == (2, 0)


@pytest.mark.parametrize("element, given, text", [
    (F32, None, r"input 'x' expects float32\[n\], got None"),
    (F32, [1.0, None], r"input 'x' expects float32\[n\], element \[1\] is a? ?None"),
    (F32, "3", "got a str|is '3'"),
    (F32, b"3", "got a bytes|is b'3'"),
    (F32, ["3"], r"element \[0\] is '3'"),
    (F32, [True], r"element \[0\] is True"),
    (F32, [np.bool_(True)], "is a bool"),
    (F32, [1j], "is 1j"),
    (F32, [2**24 + 1], "16777217, float32 can't hold it exactly"),
    (F32, [1e39], "float32 can't hold it"),
    (F32, [10**400], "float32 can't hold it"),
    (F16, [65520.0], "float16 can't hold it"),
    (BF16, [257], "bfloat16 can't hold it exactly"),
    (F64, [2**53 + 1], "float64 can't hold it exactly"),
    (F32, [decimal.Decimal("0.5")], "is a Decimal"),
    (F32, [fractions.Fraction(1, 2)], "is a Fraction"),
    (F32, {1.0}, "got a set"),
    (F32, {"a": 1.0}, "got a dict"),
    (F32, (value for value in [1.0]), "got a generator"),
    (F32, np.array([1.0]), "the array is float64"),
    (F32, np.array([1.0], object), "the array is object"),
    (F32, [np.array([1.0])], "the list has an array of float64"),
    (F32, np.ma.masked_array(np.float32([1, 2]), [False, True]), "masked"),
    (I64, [1.5, 2], r"element \[0\] is 1.5"),
    (I64, [1.0], r"element \[0\] is 1.0"),
    (I64, [True, False], r"element \[0\] is True"),
    (I64, [2**63], "int64 holds -9223372036854775808 to 9223372036854775807"),
    (I64, np.array([1, 2], np.int32), "the array is int32"),
    (I64, [np.timedelta64(1, "s")], "timedelta64"),
    (I64, np.array([1], "m8[s]"), "timedelta64"),
    (U8, [1.9], "is 1.9"),
    (U8, [-1], "uint8 holds 0 to 255"),
    (U8, [256], "uint8 holds 0 to 255"),
    (I8, [128], "int8 holds -128 to 127"),
    (BOOL, [1, 0], r"element \[0\] is 1"),
    (STRING, [1], r"element \[0\] is 1"),
    (STRING, [None], "None"),
    (STRING, np.array([1.0], object), "strings"),
])
def test_refuses(models, element, given, text):
    for model in models(element):
        with pytest.raises(tenon.InputError, match=text):
            model.run({"x": given})


@pytest.mark.parametrize("given", [[[1, 2], [3]], [[1, 2], 3], [1, [2, 3]], [[[1]], [2]], [np.float32([1, 2]), np.float32([1])]])
def test_refuses_ragged_lists(models, given):
    for model in models(F32, 2):
        with pytest.raises(tenon.InputError, match="differ in length or depth"):
            model.run({"x": given})


def test_refuses_a_list_in_itself(models):
    endless = []
    endless.append(endless)
    for model in models(F32, 2):
        with pytest.raises(tenon.InputError, match="more than 64 deep"):
            model.run({"x": endless})


def test_small_integers():
    model = tenon.compile(make_model([helper.make_node("Cast", ["x"], ["y"], to=TensorProto.INT8)],
                                     [("x", TensorProto.INT4, ("n",))], [("y", I8, ("n",))], opset=21), threads=1)
    np.testing.assert_array_equal(model([-8, 7, 0]), [-8, 7, 0])
    with pytest.raises(tenon.InputError, match="int4 holds -8 to 7"):
        model([8])


class Tensor:
    """A tensor of another library, with nothing but DLPack: of version 1, or before."""

    def __init__(self, values, device=(1, 0), versioned=True):
        self.values, self.device, self.versioned = values, device, versioned

    def __dlpack__(self, **options):
        if not self.versioned and options:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device


@pytest.mark.parametrize("versioned", [True, False])
def test_dlpack(models, versioned):
    for model in models(F32, 2):
        for values in (np.arange(6, dtype=np.float32).reshape(2, 3), np.arange(6, dtype=np.float32).reshape(3, 2).T,
                       np.zeros((0, 3), np.float32)):
            np.testing.assert_array_equal(model.run({"x": Tensor(values, versioned=versioned)})["y"], values)
        with pytest.raises(tenon.InputError, match=r"expects float32\[n, m\]"):
            model.run({"x": Tensor(np.zeros((2, 2)))})
        with pytest.raises(tenon.InputError, match="input 'x' is on another device"):
            model.run({"x": Tensor(np.zeros((2, 2), np.float32), device=(2, 0))})
        target = np.zeros((2, 3), np.float32)
        given = Tensor(target)
        assert model.run({"x": np.ones((2, 3), np.float32)}, into={"y": given})["y"] is given
        np.testing.assert_array_equal(target, 1)


def test_dlpack_is_not_copied():
    values = np.arange(6, dtype=np.float32)[::-2]
    view = _runtime.from_dlpack(values.__dlpack__(max_version=(1, 1)), "it")
    assert np.shares_memory(view, values) and view.flags.writeable
    values.flags.writeable = False
    view = _runtime.from_dlpack(values.__dlpack__(max_version=(1, 1)), "it")
    assert np.shares_memory(view, values) and not view.flags.writeable
    # The view keeps what it shows.
    view = _runtime.from_dlpack(np.full(1000, 7.0).__dlpack__(), "it")
    np.testing.assert_array_equal(view, 7)
    with pytest.raises(tenon.InputError, match="it: '__dlpack__' gave no capsule"):
        _runtime.from_dlpack(3, "it")


class DLTensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2), ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8),
                ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("byte_offset", ctypes.c_uint64)]


class DLManagedTensor(ctypes.Structure):
    _fields_ = [("tensor", DLTensor), ("manager", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


class RawTensor:
    """What a library that NumPy doesn't know exports: any code, offsets, strides or none."""

    def __init__(self, values, code, bits, shape=None, strides=None, lanes=1, offset=0):
        self.values = values
        shape = values.shape if shape is None else shape
        numbers = ctypes.c_int64 * max(len(shape), 1)
        self.shape, self.strides = numbers(*shape), strides and numbers(*strides)
        self.managed = DLManagedTensor(DLTensor(values.ctypes.data, (1, 0), len(shape), code, bits, lanes, self.shape, self.strides,
                                                offset))

    def __dlpack__(self):
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(ctypes.addressof(self.managed), b"dltensor", None)


@pytest.mark.parametrize("element, dtype, code, bits", [
    (BF16, ml_dtypes.bfloat16, 4, 16), (F16, np.float16, 2, 16), (F64, np.float64, 2, 64), (I8, np.int8, 0, 8), (U64, np.uint64, 1, 64),
    (BOOL, np.bool_, 6, 8), (TensorProto.FLOAT8E4M3FN, ml_dtypes.float8_e4m3fn, 10, 8),
    (TensorProto.FLOAT8E5M2, ml_dtypes.float8_e5m2, 12, 8)])
def test_dlpack_of_every_type(models, element, dtype, code, bits):
    values = np.array([[0, 1, 2], [1, 0, 1]]).astype(dtype)
    size = bits // 8
    for model in models(element, 2):
        for given, expected in ((RawTensor(values, code, bits), values),
                                (RawTensor(values, code, bits, (3, 2), (1, 3)), values.T),
                                (RawTensor(values, code, bits, (1, 3), offset=3 * size), values[1:])):
            result = model.run({"x": given})["y"]
            assert result.dtype == dtype
            np.testing.assert_array_equal(result, expected)
        target = np.zeros_like(values)
        model.run({"x": values}, into={"y": RawTensor(target, code, bits)})
        np.testing.assert_array_equal(target, values)


def test_dlpack_of_unknown_types(models):
    for model in models(F32, 2):
        for options in ({"code": 3, "bits": 64}, {"code": 2, "bits": 32, "lanes": 4}, {"code": 2, "bits": 128}):
            with pytest.raises(tenon.InputError, match="input 'x' is of a type that models don't have"):
                model.run({"x": RawTensor(np.zeros((2, 2)), **options)})


def test_dlpack_errors_are_told(models):
    class Refusing(Tensor):
        def __dlpack__(self, **options):
            raise BufferError("this tensor requires a gradient")

    for model in models(F32, 2):
        with pytest.raises(tenon.InputError, match="input 'x'.*requires a gradient"):
            model.run({"x": Refusing(ONE)})


def test_array_protocols(models):
    values = np.float32([[1, 2], [3, 4]])
    interface = types.SimpleNamespace(__array_interface__=values.__array_interface__)

    class Array:
        def __array__(self, dtype=None, copy=None):
            return values

    for given in (interface, Array(), memoryview(values), values.view(np.matrix)):
        for model in models(F32, 2):
            np.testing.assert_array_equal(model.run({"x": given})["y"], values)


def test_array_protocols_that_fail(models):
    class Nothing:
        def __array__(self, dtype=None, copy=None):
            return 3

    class Refusing:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("this tensor requires a gradient")

    for given in (Nothing(), Refusing(), types.SimpleNamespace(__array_interface__={})):
        for model in models(F32, 2):
            with pytest.raises(tenon.InputError, match="input 'x': a .* gives no array: "):
                model.run({"x": given})


@pytest.mark.parametrize("feeds", [types.MappingProxyType({"a": ONE, "b": ONE}), collections.OrderedDict(a=ONE, b=ONE),
                                   collections.ChainMap({"a": ONE}, {"b": ONE}), collections.UserDict(a=ONE, b=ONE)])
def test_any_mapping(add, feeds):
    for model in (tenon.compile(add, threads=1), tenon.reference(add)):
        np.testing.assert_array_equal(model.run(feeds)["c"], 2 * ONE)


@pytest.fixture(scope="module")
def split():
    model = make_model([helper.make_node("Neg", ["x"], ["n"]), helper.make_node("Abs", ["x"], ["a"])],
                       [("x", F32, ("k", 3))], [("n", F32, ("k", 3)), ("a", F32, ("k", 3))])
    return tenon.compile(model, threads=1), tenon.reference(model)


def test_chosen_outputs(split):
    x = np.float32([[1, -2, 3]])
    for model in split:
        assert list(model.run({"x": x})) == ["n", "a"]
        assert list(model.run({"x": x}, ["a"])) == ["a"]
        assert list(model.run({"x": x}, outputs=("a", "n"))) == ["a", "n"]
        assert model.run({"x": x}, outputs=[]) == {}
        np.testing.assert_array_equal(model.run({"x": x}, outputs={"a"})["a"], np.abs(x))


@pytest.mark.parametrize("arguments, options, text", [
    ((None, {"x": 1}), {}, r"run takes the inputs first and gives a dict: write run\(\{\.\.\.\}\)"),
    ((["a"], {"x": 1}), {}, r"write run\(\{\.\.\.\}, outputs=\['a'\]\)"),
    (({"x": 1}, {"n": 1}), {}, r"run\(feeds, into=\{\.\.\.\}\)"),
    (({"x": 1}, "a"), {}, r"outputs is a list of names such as \['n'\], not a str"),
    (({"x": 1}, 3), {}, "outputs is a list of names such as .*, not a int"),
    (({"x": 1}, ["z"]), {}, "the model has no output 'z', it has 'n', 'a'"),
    (({"x": 1}, [3]), {}, "the model has no output 3"),
    ((None,), {}, "run expects a dict from input names to arrays, got None"),
    ((ONE,), {}, "run expects a dict from input names to arrays, got float32"),
    (({"x": 1},), {"into": [1]}, "into is a dict from output names to arrays, not a list"),
    (({"x": 1},), {"into": {"z": ONE}}, "the model has no output 'z'"),
    (({"x": 1}, ["a"]), {"into": {"n": ONE}}, "into names output 'n', which is not among outputs"),
    (({},), {}, "no value is given for input 'x'"),
    (({"x": 1, "z": 2},), {}, "the model has no input 'z', it has 'x'"),
])
def test_wrong_calls(split, arguments, options, text):
    for model in split:
        with pytest.raises(tenon.InputError, match=text):
            model.run(*arguments, **options)


@pytest.mark.parametrize("target", [
    np.zeros((2, 3), np.float32, order="F"), np.zeros((2, 7), np.float32)[:, ::2][:, :3], np.zeros((4, 3), np.float32)[::2],
    np.zeros((2, 3), ">f4"), np.zeros((2, 3), np.float32)[::-1], np.frombuffer(bytearray(25), np.float32, 6, 1).reshape(2, 3),
    np.zeros((2, 3), np.float32),
])
def test_into_any_strides(split, target):
    x = np.float32([[1, -2, 3], [-4, 5, -6]])
    for model in split:
        target[...] = 0
        results = model.run({"x": x}, into={"n": target})
        assert results["n"] is target and list(results) == ["n", "a"]
        np.testing.assert_array_equal(target, -x)


@pytest.mark.parametrize("target, text", [
    (np.zeros((2, 3)), r"output 'n' is float32\[.*, the array to write into is float64\[2, 3\]"),
    (np.zeros((3, 2), np.float32).T[:1], "1, 3"),
    (np.zeros((1, 3), np.float32), "1"),
    (np.zeros((2, 3, 1), np.float32), r"float32\[2, 3, 1\]"),
    (np.broadcast_to(np.float32(0), (2, 3)), "read-only"),
    ([[0.0] * 3] * 2, "can be written into an array only, not a list"),
    (None, "can be written into an array only, not None"),
])
def test_into_what_does_not_fit(split, target, text):
    for model in split:
        with pytest.raises(tenon.InputError, match=text):
            model.run({"x": np.zeros((2, 3), np.float32)}, into={"n": target})


def test_into_tensors_that_are_immutable(split):
    """As JAX has them: a capsule of DLPack that says nothing, and an array that is read-only."""

    class Immutable:
        def __init__(self):
            self.memory = np.zeros((2, 3), np.float32)

        def __dlpack__(self):
            return self.memory.__dlpack__()

        def __array__(self, dtype=None, copy=None):
            view = self.memory.view()
            view.flags.writeable = False
            return view

    for model in split:
        target = Immutable()
        with pytest.raises(tenon.InputError, match="output 'n': the array to write into is read-only"):
            model.run({"x": np.ones((2, 3), np.float32)}, into={"n": target})
        np.testing.assert_array_equal(target.memory, 0)
        np.testing.assert_array_equal(model.run({"x": target})["n"], 0)


def test_into_strings():
    model = identity(STRING)
    target = np.array(["", ""], object)
    for model in (tenon.compile(model, threads=1), tenon.reference(model)):
        model.run({"x": ["a", "b"]}, into={"y": target})
        assert list(target) == ["a", "b"]


@pytest.mark.parametrize("options, error, text", [
    ({"target": None}, TypeError, 'target is a str such as "host" or "avx512,avx2", not None'),
    ({"target": ["avx2"]}, TypeError, "not a list"),
    ({"target": b"avx2"}, TypeError, "not a bytes"),
    ({"threads": 1.5}, TypeError, "threads is a whole number or None, not a float"),
    ({"threads": "2"}, TypeError, "threads is a whole number or None, not a str"),
    ({"threads": True}, TypeError, "not a bool"),
    ({"threads": -1}, ValueError, "threads is -1, it must be between 1 and 1024"),
    ({"aliases": ["c"]}, TypeError, "aliases is a dict from names of outputs to names of inputs, not a list"),
    ({"aliases": {"c": 1}}, TypeError, "aliases is a dict .*: a value is a str, not a int"),
    ({"device": 3}, TypeError, "device is the name of a device, .* not a int"),
    ({"device": [3]}, TypeError, "device is the name of a device, .* not a int"),
    ({"device_libraries": "lib.so"}, TypeError, "device_libraries is a list of paths, not a str"),
    ({"device_libraries": [3]}, TypeError, "each of device_libraries is a str or an os.PathLike, not a int"),
    ({"functions": [print]}, TypeError, "functions is a dict from names to functions, not a list"),
    ({"functions": {"f": 3}}, TypeError, "a host function is something to call, not a int"),
    ({"functions": {3: print}}, TypeError, "a name is a str, not a int"),
])
def test_wrong_options(add, options, error, text):
    with pytest.raises(error, match=text):
        tenon.compile(add, **options)


@pytest.mark.parametrize("function, given, error, text", [
    (tenon.compile, b"m.onnx", TypeError, "bytes are the contents of an ONNX file; of the file 'm.onnx' pass the name as a str"),
    (tenon.compile, None, TypeError, "a model is a path, the bytes of an ONNX file, or a ModelProto, not None"),
    (tenon.compile, [1], TypeError, "not a list"),
    (tenon.compile, "a\0b", ValueError, "the path of a model has a null character"),
    (tenon.reference, 3, TypeError, "not a int"),
    (tenon.load, b"\0\1", TypeError, "a path is a str or an os.PathLike, not a bytes"),
    (tenon.load, 3, TypeError, "not a int"),
    (tenon.load, None, TypeError, "not None"),
    (tenon.load, "a\0b", ValueError, "a path has a null character"),
])
def test_wrong_models(function, given, error, text):
    with pytest.raises(error, match=text):
        function(given)


def test_bytes_that_name_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").touch()
    with pytest.raises(TypeError, match="of the file 'model' pass the name as a str"):
        tenon.compile(b"model")


def test_numbers_of_numpy_are_numbers(add):
    np.testing.assert_array_equal(tenon.compile(add, threads=np.int64(1))(ONE, ONE), 2 * ONE)


def test_path_like_of_bytes(add_file, tmp_path):
    class Path(os.PathLike):
        def __init__(self, path):
            self.path = path

        def __fspath__(self):
            return os.fsencode(self.path)

    model = tenon.compile(Path(add_file), threads=1)
    model.save(Path(tmp_path / "m.so"))
    np.testing.assert_array_equal(tenon.load(Path(tmp_path / "m.so"))(ONE, ONE), 2 * ONE)


def test_errors_of_the_compiler_are_plain(add_file):
    for function in (tenon.compile, tenon.reference):
        model = make_model([helper.make_node("Nonsense", ["x"], ["y"], name="first")], [("x", F32, ("n",))], [("y", F32, ("n",))])
        with pytest.raises(tenon.CompileError) as error:
            function(model)
        assert "loc(" not in str(error.value) and "first" in str(error.value)


def test_dir():
    assert set(tenon.__all__) <= set(dir(tenon))
    for name in tenon.__all__:
        thing = getattr(tenon, name)
        assert thing.__module__.split(".")[0] == "tenon" and thing.__doc__
    for kind in (tenon.Model, tenon.ReferenceModel):
        for name in dir(kind):
            assert name.startswith("_") or getattr(kind, name).__doc__, name


def test_errors_can_be_pickled():
    for kind in (tenon.CompileError, tenon.RunError, tenon.InputError, tenon.CancelledError):
        error = pickle.loads(pickle.dumps(kind("why")))
        assert type(error) is kind and str(error) == "why"


def test_models_say_why_they_are_not_pickled(add):
    for model in (tenon.compile(add, threads=1), tenon.reference(add)):
        for action in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="can't be pickled or copied"):
                action(model)


def test_close(add, tmp_path):
    for model in (tenon.compile(add, threads=1), tenon.reference(add)):
        with model as same:
            assert same is model
            model(ONE, ONE)
        model.close()
        assert [info.name for info in model.inputs] == ["a", "b"] and "a: float32[batch, 4]" in repr(model)
        with pytest.raises(tenon.InputError, match="the model is closed"):
            model(ONE, ONE)
    model = tenon.compile(add, threads=1)
    model.close()
    with pytest.raises(ValueError, match="closed"):
        model.save(tmp_path / "m.so")
    assert not list(tmp_path.iterdir()) and model.memory == 0


def test_close_gives_back_files_and_memory(add, tmp_path):
    path = str(tmp_path / "m.so")

    def held():
        links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
        return sum(os.path.islink(link) and os.readlink(link) == path for link in links), any(
            path in line for line in open("/proc/self/maps"))

    tenon.compile(add, threads=1).save(path)
    models = [tenon.load(path, threads=1) for _ in range(5)]
    for model in models:
        model(ONE, ONE)
    assert held() == (5, True)
    for model in models:
        model.close()
    assert held() == (0, False)


def test_profile(add):
    model = tenon.compile(add, threads=1)
    profile = model.profile({"a": ONE, "b": ONE}, runs=3)
    launch, = profile.launches
    assert launch.count == 3 and launch.nodes == "binary" and 0 < launch.fastest <= launch.seconds < 10
    assert profile.copies.bytes == 0
    first, *_, last = str(profile).splitlines()
    assert "x3" in first and "(binary)" in first and last.startswith("launches: ")
    with pytest.raises(ValueError, match="runs is 0"):
        model.profile({"a": ONE, "b": ONE}, runs=0)
    with pytest.raises(tenon.InputError, match="no value is given for input 'b'"):
        model.profile({"a": ONE})


def test_memory(add):
    model = tenon.compile(add, threads=1)
    assert model.memory == 0
    model(ONE, ONE)
    assert 0 < model.memory < 10**6


def test_reference_is_like_a_model(add_file):
    model, compiled = tenon.reference(add_file), tenon.compile(add_file, threads=1)
    assert model.inputs == compiled.inputs and model.outputs == compiled.outputs and model.name == compiled.name == "add"
    assert repr(model).replace("Reference", "") == repr(compiled)
    np.testing.assert_array_equal(model([[1, 2, 3, 4]], b=[[1, 1, 1, 1]]), [[2, 3, 4, 5]])
    with pytest.raises(TypeError, match="has 2 inputs, got 3"):
        model(ONE, ONE, ONE)


def test_exit_while_a_daemon_thread_runs(add_file, tmp_path):
    script = """
import sys, threading, time, numpy as np, tenon
model = tenon.compile(sys.argv[1], threads=2)
a = np.ones((2000, 4), np.float32)
started = threading.Event()
def work():
    while True:
        model(a, a)
        started.set()
threading.Thread(target=work, daemon=True).start()
started.wait()
"""
    done = subprocess.run([sys.executable, "-c", script, add_file], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_warnings_of_models_that_are_not_closed(add_file):
    script = """
import sys, numpy as np, tenon
model = tenon.compile(sys.argv[1], threads=1)
model(np.ones((1, 4), np.float32), np.ones((1, 4), np.float32))
del model
try:
    tenon.load(__import__("tenon").__file__)
except tenon.RunError:
    pass
last = tenon.compile(sys.argv[1], threads=1)
"""
    done = subprocess.run([sys.executable, "-X", "dev", "-c", script, add_file], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def stub_names(body):
    return {node.name if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else node.target.id
            for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AnnAssign))}


@pytest.mark.parametrize("module", [_runtime, _compiler])
def test_stubs_agree_with_the_modules(module):
    body = ast.parse(pathlib.Path(tenon.__file__).with_name(module.__name__.split(".")[-1] + ".pyi").read_text()).body
    public = {name for name in dir(module) if not name.startswith("_")}
    assert stub_names(body) - {"__version__"} == public
    functions = [(node, getattr(module, node.name)) for node in body if isinstance(node, ast.FunctionDef)]
    for node in body:
        if isinstance(node, ast.ClassDef):
            kind = getattr(module, node.name)
            assert stub_names(node.body) - {"__init__"} == {name for name in dir(kind) if not name.startswith("_")}
            functions += [(method, getattr(kind, method.name)) for method in node.body if isinstance(method, ast.FunctionDef)]
    for node, function in functions:
        # As nanobind describes it: "def run(self, feeds: dict, outputs: object | None) -> dict".
        signature, = (overload[0] for overload in function.__nb_signature__)
        described = ast.parse(signature.replace("\\", "") + ": ...").body[0]
        assert [a.arg for a in node.args.args] == [a.arg for a in described.args.args], node.name

"""tenon.onnxruntime: what scripts do with ONNX Runtime, done with both."""

import ctypes
import json
import threading
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import tenon
import tenon.onnxruntime
from conftest import make_model
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as their_errors
from tenon.onnxruntime.capi import onnxruntime_pybind11_state as our_errors
from test_interrupts import LONG, SHORT, endless

F = TensorProto.FLOAT
A = np.arange(6, dtype=np.float32).reshape(2, 3)
B = np.full((2, 3), 10, np.float32)


@pytest.fixture(params=[onnxruntime, tenon.onnxruntime], ids=["theirs", "ours"])
def ort(request):
    return request.param


@pytest.fixture
def errors(ort):
    return their_errors if ort is onnxruntime else our_errors


def affine():
    model = make_model([helper.make_node("Mul", ["a", "b"], ["p"], name="mul"), helper.make_node("Add", ["p", "a"], ["s"], name="add")],
                       [("a", F, ("N", 3)), ("b", F, ("N", 3))], [("p", F, ("N", 3)), ("s", F, ("N", 3))])
    model.producer_name, model.domain, model.model_version, model.doc_string = "someone", "com.example", 7, "it multiplies"
    helper.set_model_props(model, {"names": "{0: 'cat'}", "task": "detect"})
    return model


@pytest.fixture
def session(ort):
    return ort.InferenceSession(affine().SerializeToString(), providers=["CPUExecutionProvider"])


def test_load_and_predict(ort, tmp_path):
    onnx.save(affine(), tmp_path / "model.onnx")
    session = ort.InferenceSession(tmp_path / "model.onnx")
    name = session.get_inputs()[0].name
    result, = session.run(["s"], {name: A, "b": B})
    np.testing.assert_array_equal(result, A * B + A)
    both = session.run(None, {"a": A, "b": B})
    assert isinstance(both, list) and [r.dtype for r in both] == [np.float32] * 2
    np.testing.assert_array_equal(session.run([], {"a": A, "b": B})[1], result)
    np.testing.assert_array_equal(session.run(["s", "p"], {"a": A.tolist(), "b": B})[1], A * B)


def test_arguments(session):
    assert [(a.name, a.type, a.shape) for a in session.get_inputs()] == [("a", "tensor(float)", ["N", 3]), ("b", "tensor(float)", ["N", 3])]
    assert [(a.name, a.type, a.shape) for a in session.get_outputs()] == [("p", "tensor(float)", ["N", 3]), ("s", "tensor(float)", ["N", 3])]
    assert str(session.get_inputs()[0]) == "NodeArg(name='a', type='tensor(float)', shape=['N', 3])"
    assert session.get_overridable_initializers() == []


@pytest.mark.parametrize("element, shown", [(TensorProto.DOUBLE, "double"), (TensorProto.FLOAT16, "float16"), (TensorProto.INT64, "int64"),
                                            (TensorProto.UINT8, "uint8"), (TensorProto.BOOL, "bool"), (TensorProto.STRING, "string")])
def test_types(ort, element, shown):
    model = make_model([helper.make_node("Identity", ["x"], ["y"])], [("x", element, (2,))], [("y", element, (2,))])
    session = ort.InferenceSession(model.SerializeToString())
    assert session.get_inputs()[0].type == session.get_outputs()[0].type == f"tensor({shown})"


def test_metadata(session):
    said = session.get_modelmeta()
    assert said.custom_metadata_map == {"names": "{0: 'cat'}", "task": "detect"}
    assert (said.producer_name, said.domain, said.version, said.description) == ("someone", "com.example", 7, "it multiplies")
    assert said.graph_name == "test" and said.graph_description == ""


def test_a_saved_model_keeps_its_metadata(tmp_path):
    model = tenon.compile(affine())
    assert model.metadata["names"] == "{0: 'cat'}" and model.metadata["onnx.producer"] == "someone"
    model.save(tmp_path / "model.so")
    session = tenon.onnxruntime.InferenceSession(str(tmp_path / "model.so"))
    assert session.get_modelmeta().custom_metadata_map["task"] == "detect"
    np.testing.assert_array_equal(session.run(["p"], {"a": A, "b": B})[0], A * B)
    options = tenon.onnxruntime.SessionOptions()
    options.add_session_config_entry("tenon.target", "avx2")
    with pytest.raises(ValueError, match="compiled already: target"):
        tenon.onnxruntime.InferenceSession(tmp_path / "model.so", options)


def test_wrong_runs(session, errors):
    feeds = {"a": A, "b": B}
    with pytest.raises(ValueError, match=r"Required inputs \(\['b'\]\) are missing from input feed \(\['a'\]\)"):
        session.run(None, {"a": A})
    for names, given in ((["z"], feeds), (None, {**feeds, "z": A}), (None, {**feeds, "a": A.astype(float)}), (None, {**feeds, "a": A[0]}),
                         (None, {**feeds, "a": A[:, :2]})):
        with pytest.raises(errors.InvalidArgument, match="INVALID_ARGUMENT"):
            session.run(names, given)
    np.testing.assert_array_equal(session.run(["p"], feeds)[0], A * B)


def test_errors_in_data(ort):
    model = make_model([helper.make_node("Gather", ["x", "i"], ["y"], name="pick")], [("x", F, (3,)), ("i", TensorProto.INT64, ("n",))],
                       [("y", F, ("n",))])
    session = ort.InferenceSession(model.SerializeToString())
    with pytest.raises(Exception, match=r"\[ONNXRuntimeError\] : \d+ : .*pick"):
        session.run(None, {"x": A[0], "i": np.array([7])})


def test_wrong_models(ort, errors, tmp_path):
    with pytest.raises(errors.NoSuchFile, match="nothing.onnx"):
        ort.InferenceSession(str(tmp_path / "nothing.onnx"))
    with pytest.raises(errors.InvalidProtobuf):
        ort.InferenceSession(b"nonsense")
    with pytest.raises(TypeError, match="Unable to load from type"):
        ort.InferenceSession(12)
    with pytest.raises(Exception, match="Fancy"):
        ort.InferenceSession(make_model([helper.make_node("Fancy", ["x"], ["y"])], [("x", F, (2,))], [("y", F, (2,))]).SerializeToString())


def test_providers(ort):
    assert "CPUExecutionProvider" in ort.get_available_providers() and ort.get_device() == "CPU"
    model = affine().SerializeToString()
    with pytest.warns(UserWarning, match="'CUDAExecutionProvider' is not in available provider names"):
        session = ort.InferenceSession(model, providers=["CUDAExecutionProvider", "CPUExecutionProvider"])
    assert session.get_providers() == ["CPUExecutionProvider"]
    session = ort.InferenceSession(model, providers=[("CPUExecutionProvider", {"use_arena": 1})])
    assert list(session.get_provider_options()) == ["CPUExecutionProvider"]
    ort.InferenceSession(model, providers=["CPUExecutionProvider"], provider_options=[{}])
    for wrong in ({"providers": ["CPUExecutionProvider"], "provider_options": []}, {"providers": [3]}):
        with pytest.raises(ValueError, match="provider"):
            ort.InferenceSession(model, **wrong, enable_fallback=0)


def test_session_options(ort):
    options = ort.SessionOptions()
    assert options.graph_optimization_level == ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_mem_pattern = options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    with pytest.raises(RuntimeError, match="does not have configuration with key: other"):
        options.get_session_config_entry("other")
    options.add_free_dimension_override_by_name("N", 2)
    session = ort.InferenceSession(affine().SerializeToString(), options)
    assert session.get_inputs()[0].shape == [2, 3]
    np.testing.assert_array_equal(session.run(["p"], {"a": A, "b": B})[0], A * B)
    with pytest.raises(AttributeError):
        options.intra_op_threads = 2
    with pytest.raises(TypeError):
        options.intra_op_num_threads = "2"
    options.intra_op_num_threads, options.enable_mem_reuse = np.int64(2), 1
    assert options.intra_op_num_threads == 2 and options.enable_mem_reuse is True


def test_bound_arrays(ort, session):
    binding = session.io_binding()
    with pytest.raises(RuntimeError, match="At least one output"):
        session.run_with_iobinding(binding)
    binding.bind_cpu_input("a", A)
    binding.bind_cpu_input("b", B)
    binding.bind_output("s")
    session.run_with_iobinding(binding)
    result, = binding.copy_outputs_to_cpu()
    np.testing.assert_array_equal(result, A * B + A)
    np.testing.assert_array_equal(binding.get_outputs()[0].numpy(), result)
    with pytest.raises(RuntimeError, match="z"):
        binding.bind_cpu_input("z", A)
    binding.clear_binding_outputs()
    # Memory of one's own, by address.
    given, made = np.ascontiguousarray(A + 1), np.zeros((2, 3), np.float32)
    binding.bind_input("a", "cpu", 0, np.float32, given.shape, given.ctypes.data)
    binding.bind_output("p", "cpu", 0, np.float32, made.shape, made.ctypes.data)
    session.run_with_iobinding(binding)
    np.testing.assert_array_equal(made, given * B)
    with pytest.raises(ValueError, match="session that created it"):
        ort.InferenceSession(affine().SerializeToString()).run_with_iobinding(binding)
    binding.bind_output("p", "cpu", 0, np.float32, (1, 3), made.ctypes.data)
    with pytest.raises(Exception, match="p"):
        session.run_with_iobinding(binding)


def test_values(ort, session):
    value = ort.OrtValue.ortvalue_from_numpy(A.copy())
    assert (value.shape(), value.data_type(), value.element_type(), value.device_name()) == ([2, 3], "tensor(float)", F, "cpu")
    assert value.is_tensor() and value.has_value() and not value.is_tensor_sequence() and not value.is_sparse_tensor()
    assert value.tensor_size_in_bytes() == 24 and ctypes.c_float.from_address(value.data_ptr() + 4).value == 1
    results = session.run_with_ort_values(["p"], {"a": value, "b": ort.OrtValue.ortvalue_from_numpy(B)})
    np.testing.assert_array_equal(results[0].numpy(), A * B)
    value.update_inplace(A + 1)
    np.testing.assert_array_equal(np.asarray(value), A + 1)
    np.testing.assert_array_equal(np.from_dlpack(value), A + 1)
    with pytest.raises(Exception):  # noqa: B017: RuntimeError or ValueError
        value.update_inplace(A[:1])
    made = ort.OrtValue.ortvalue_from_shape_and_type([2, 3], np.float32)
    binding = session.io_binding()
    binding.bind_ortvalue_input("a", value)
    binding.bind_ortvalue_input("b", ort.OrtValue.ortvalue_from_numpy(B))
    binding.bind_ortvalue_output("p", made)
    session.run_with_iobinding(binding)
    np.testing.assert_array_equal(made.numpy(), (A + 1) * B)


def test_async(session):
    ended, seen = threading.Event(), []

    def callback(results, user_data, error):
        seen.append((results, user_data, error))
        ended.set()

    session.run_async(["p"], {"a": A, "b": B}, callback, "mine")
    assert ended.wait(60)
    (results, user_data, error), = seen
    np.testing.assert_array_equal(results[0], A * B)
    assert user_data == "mine" and not error


def test_terminated_runs(ort, session, errors):
    options = ort.RunOptions()
    session.run(None, {"a": A, "b": B}, options)
    options.terminate = True
    with pytest.raises(errors.Fail, match="terminate flag"):
        session.run(None, {"a": A, "b": B}, options)


def test_terminating_ends_runs_with_these_options_only():
    session = tenon.onnxruntime.InferenceSession(endless().SerializeToString())
    options, others, seen = tenon.onnxruntime.RunOptions(), tenon.onnxruntime.RunOptions(), []
    long = {**SHORT, "trips": np.int64(10**7)}
    without = threading.Thread(target=lambda: seen.append(session.run(None, long)[0][0]), daemon=True)
    without.start()

    def run(which):
        try:
            session.run(None, LONG, which)
        except our_errors.Fail:
            seen.append(which)

    threads = [threading.Thread(target=run, args=[which], daemon=True) for which in (options, others)]
    for thread in threads:
        thread.start()
    for which, thread in zip((options, others), threads):
        which.terminate = True
        while thread.is_alive():
            which.terminate = True  # the first may come before the run
            thread.join(0.2)
        assert seen[-1] is which
    np.testing.assert_array_equal(session.run(None, SHORT)[0], 3)
    without.join(60)
    assert seen[2:] == [10**7 + 1]  # it was begun again


def test_profiles(ort, tmp_path):
    options = ort.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(tmp_path / "profile")
    session = ort.InferenceSession(affine().SerializeToString(), options)
    for _ in range(2):
        np.testing.assert_array_equal(session.run(["p"], {"a": A, "b": B})[0], A * B)
    assert session.get_profiling_start_time_ns() > 0
    name = session.end_profiling()
    assert name.startswith(str(tmp_path / "profile_"))
    events = json.load(open(name))
    assert sum(event["name"] == "model_run" for event in events) == 2
    assert any(event["cat"] == "Node" and "mul" in event["name"] and event["ph"] == "X" for event in events)


def test_sequences_and_optionals(ort):
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(F, None))
    graph = helper.make_graph([helper.make_node("SequenceConstruct", ["a", "a"], ["s"])], "g", [helper.make_tensor_value_info("a", F, ("n",))],
                              [helper.make_value_info("s", kind)])
    session = ort.InferenceSession(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10).SerializeToString())
    assert session.get_outputs()[0].type == "seq(tensor(float))"
    result, = session.run(None, {"a": A[0]})
    assert isinstance(result, list) and len(result) == 2
    np.testing.assert_array_equal(result[1], A[0])


def test_strings():
    value = tenon.onnxruntime.OrtValue.ortvalue_from_numpy(np.array(["a", "b"]))
    assert value.data_type() == "tensor(string)" and value.element_type() == TensorProto.STRING


@pytest.mark.parametrize("labels", [{"classlabels_int64s": [3, 5]}, {"classlabels_strings": ["cat", "dog"]}], ids=["numbers", "names"])
def test_dictionaries(ort, labels):
    model = make_model([helper.make_node("ZipMap", ["x"], ["z"], domain="ai.onnx.ml", **labels)], [("x", F, ("n", 2))], [])
    key = "int64" if "classlabels_int64s" in labels else "string"
    kind = onnx.TypeProto()
    kind.sequence_type.elem_type.map_type.key_type = TensorProto.INT64 if key == "int64" else TensorProto.STRING
    kind.sequence_type.elem_type.map_type.value_type.tensor_type.elem_type = F
    model.graph.output.append(helper.make_value_info("z", kind))
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    session = ort.InferenceSession(model.SerializeToString())
    output, = session.get_outputs()
    assert (output.type, output.shape) == (f"seq(map({key},tensor(float)))", [])
    result, = session.run(None, {"x": A[:, :2]})
    first, second = next(iter(labels.values()))
    assert result == [{first: 0, second: 1}, {first: 3, second: 4}]
    value, = session.run_with_ort_values(None, {"x": ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(A[:, :2]))})
    assert not value.is_tensor() and value.data_type() == output.type


def test_what_has_the_name_of_onnx_runtime_and_is_not_there():
    ort = tenon.onnxruntime
    options = ort.SessionOptions()
    for call in (lambda: options.add_initializer("w", None), lambda: options.register_custom_ops_library("a.so"),
                 lambda: setattr(options, "optimized_model_filepath", "a.onnx"), lambda: ort.OrtDevice.make("cuda", 0),
                 lambda: options.add_free_dimension_override_by_denotation("BATCH", 1)):
        with pytest.raises(our_errors.NotImplemented, match="NOT_IMPLEMENTED"):
            call()
    options.add_session_config_entry("tenon.speed", "11")
    with pytest.raises(ValueError, match="there is no configuration entry 'tenon.speed': Tenon has tenon.target"):
        ort.InferenceSession(affine().SerializeToString(), options)


def test_options_of_tenon(tmp_path):
    options = tenon.onnxruntime.SessionOptions()
    for key, value in (("accuracy", "strict"), ("cache", str(tmp_path / "cache")), ("memory_limit", "1000000")):
        options.add_session_config_entry(f"tenon.{key}", value)
    session = tenon.onnxruntime.InferenceSession(affine().SerializeToString(), options)
    np.testing.assert_array_equal(session.run(["p"], {"a": A, "b": B})[0], A * B)
    assert list((tmp_path / "cache").iterdir())


def test_names():
    """What is there is what ONNX Runtime has under the name."""
    ours = {name for name in dir(tenon.onnxruntime) if not name.startswith("_")} - {"capi"}
    assert ours <= set(dir(onnxruntime)), ours - set(dir(onnxruntime))
    for name in ("InferenceSession", "IOBinding", "OrtValue", "SessionOptions", "RunOptions", "ModelMetadata", "NodeArg"):
        public = {member for member in dir(getattr(tenon.onnxruntime, name)) if not member.startswith("_")}
        public |= set(getattr(getattr(tenon.onnxruntime, name), "_FIELDS", ()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = set(dir(getattr(onnxruntime, name)))
        assert public <= theirs, (name, public - theirs)

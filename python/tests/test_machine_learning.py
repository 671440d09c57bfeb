"""Classical models, the operators of domain ai.onnx.ml: against ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
import pytest
import tenon
from microsoft import array, compare, floats
from onnx import TensorProto, helper

F, D, I64, S, U8 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.STRING, TensorProto.UINT8
ML = "ai.onnx.ml"
MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]


def model_of(op, inputs, outputs, version=3, **attributes):
    node = helper.make_node(op, [name for name, *_ in inputs], [name for name, *_ in outputs], domain=ML, **attributes)
    graph = helper.make_graph([node], "test", [helper.make_tensor_value_info(*entry) for entry in inputs],
                              [helper.make_tensor_value_info(*entry) for entry in outputs])
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(ML, version)])


def check(model, *feeds, tolerance=1e-5):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    wanted = [dict(zip(names, session.run(None, feed))) for feed in feeds]
    if all(value.dtype != object for results in wanted for value in results.values()):
        return compare(model, wanted, feeds, tolerance)
    compiled, reference = tenon.compile(model, threads=1), tenon.reference(model)
    for feed, results in zip(feeds, wanted):
        for actual in (compiled.run(feed), reference.run(feed)):
            for name, expected in results.items():
                if expected.dtype == object:
                    assert [str(x) for x in np.asarray(actual[name]).ravel()] == [str(x) for x in expected.ravel()]
                else:
                    np.testing.assert_allclose(actual[name], expected, rtol=tolerance, atol=tolerance)


class Forest:
    """Random trees as lists of nodes and of weights; leaves have a weight for each of the targets that `weighs` gives of a tree."""

    def __init__(self, trees, depth, features, weighs, modes=MODES[:1], seed=0, positive=False, missing=False):
        self.random = np.random.default_rng(seed)
        self.lists = {name: [] for name in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")}
        self.missing, self.weights = [], []
        for tree in range(trees):
            self.count, self.targets = 0, weighs(tree)
            self.features, self.modes, self.positive, self.tracks = features, modes, positive, missing
            self.grow(tree, depth)

    def grow(self, tree, depth):
        number, place = self.count, len(self.lists["nodeids"])
        self.count += 1
        isLeaf = depth == 0 or self.random.random() < 0.1
        entry = {"treeids": tree, "nodeids": number, "featureids": int(self.random.integers(self.features)),
                 "values": float(np.round(self.random.standard_normal() * 2) / 2), "modes": str(self.random.choice(self.modes)), "truenodeids": 0,
                 "falsenodeids": 0}
        for name, value in entry.items():
            self.lists[name].append(value)
        self.missing.append(int(self.tracks and self.random.integers(2)))
        if isLeaf:
            self.lists["modes"][place] = "LEAF"
            for target in self.targets:
                weight = float(np.float32(self.random.random() if self.positive else self.random.standard_normal()))
                self.weights.append((tree, number, target, weight))
            return number
        self.lists["truenodeids"][place] = self.grow(tree, depth - 1)
        self.lists["falsenodeids"][place] = self.grow(tree, depth - 1)
        return number

    def attributes(self, leaf):
        trees, nodes, targets, weights = (list(column) for column in zip(*self.weights))
        result = {f"nodes_{name}": values for name, values in self.lists.items()}
        result |= {f"{leaf}_treeids": trees, f"{leaf}_nodeids": nodes, f"{leaf}_ids": targets, f"{leaf}_weights": weights}
        return result | ({"nodes_missing_value_tracks_true": self.missing} if self.tracks else {})


def rows(count, features, seed=0):
    """With numbers that are equal to those of nodes."""
    return (np.round(np.random.default_rng(seed).standard_normal((count, features)) * 4) / 4).astype(np.float32)


@pytest.mark.parametrize("aggregate", ["SUM", "AVERAGE", "MIN", "MAX"])
@pytest.mark.parametrize("targets, transform", [(1, "NONE"), (3, "NONE"), (3, "SOFTMAX"), (2, "LOGISTIC"), (3, "SOFTMAX_ZERO")])
def test_regressor(aggregate, targets, transform):
    forest = Forest(7, 5, 6, lambda tree: range(targets))
    model = model_of("TreeEnsembleRegressor", [("x", F, ("n", 6))], [("y", F, ("n", targets))], aggregate_function=aggregate, n_targets=targets,
                     post_transform=transform, base_values=[0.25] * targets, **forest.attributes("target"))
    check(model, {"x": rows(33, 6)}, {"x": rows(1, 6, 1)})


@pytest.mark.parametrize("modes", [[mode] for mode in MODES] + [MODES])
def test_branches(modes):
    model = model_of("TreeEnsembleRegressor", [("x", F, ("n", 4))], [("y", F, ("n", 1))], n_targets=1,
                     **Forest(5, 6, 4, lambda tree: [0], modes, missing=True).attributes("target"))
    x = rows(40, 4)
    x[::5, 1] = np.nan
    check(model, {"x": x})


@pytest.mark.parametrize("dtype, element", [(np.float64, D)])
def test_other_numbers(dtype, element):
    # ONNX Runtime has no integers here.
    model = model_of("TreeEnsembleRegressor", [("x", element, ("n", 4))], [("y", F, ("n", 1))], n_targets=1, **Forest(5, 4, 4, lambda tree: [0]).attributes("target"))
    check(model, {"x": (rows(20, 4) * 3).astype(dtype)})


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX"])
@pytest.mark.parametrize("classes, weighs, positive, base", [
    (3, lambda tree: [tree % 3], False, []), (4, lambda tree: range(4), True, [0.1, 0.2, 0.3, 0.4]), (2, lambda tree: [0], False, []), (2, lambda tree: [0], True, []),
    (2, lambda tree: [1], False, []), (2, lambda tree: [1], True, []), (2, lambda tree: [0, 1], True, []), (2, lambda tree: [0], False, [0.5])])
def test_classifier(transform, classes, weighs, positive, base):
    forest = Forest(6, 4, 5, weighs, positive=positive)
    attributes = forest.attributes("class") | ({"base_values": base} if base else {})
    model = model_of("TreeEnsembleClassifier", [("x", F, ("n", 5))], [("label", I64, ("n",)), ("y", F, ("n", classes))], post_transform=transform,
                     classlabels_int64s=[10 * i for i in range(classes)] if classes > 2 else [0, 1], **attributes)
    check(model, {"x": rows(30, 5)}, {"x": rows(1, 5, 1)})


def test_classifier_with_names():
    forest = Forest(6, 4, 5, lambda tree: [tree % 3])
    model = model_of("TreeEnsembleClassifier", [("x", F, ("n", 5))], [("label", S, ("n",)), ("y", F, ("n", 3))], classlabels_strings=["a", "b", "c"],
                     **forest.attributes("class"))
    check(model, {"x": rows(30, 5)})


def test_trees_of_version_5():
    tensor = lambda name, element, values: helper.make_tensor(name, element, (len(values),), values)
    model = model_of("TreeEnsemble", [("x", F, ("n", 1))], [("y", F, ("n", 4))], version=5, n_targets=4, aggregate_function=1,
                     membership_values=tensor("m", F, [1.2, 3.7, 8, 9, np.nan, 12, 7, np.nan]), nodes_modes=tensor("mode", U8, [0, 6, 6]),
                     nodes_splits=tensor("s", F, [11, 232344.0, np.nan]), nodes_featureids=[0, 0, 0], nodes_truenodeids=[1, 0, 1], nodes_trueleafs=[0, 1, 1],
                     nodes_falsenodeids=[2, 2, 3], nodes_falseleafs=[1, 0, 1], tree_roots=[0], leaf_targetids=[0, 1, 2, 3],
                     leaf_weights=tensor("w", F, [1, 10, 1000, 100]))
    check(model, {"x": np.array([1.2, 3.4, -0.12, np.nan, 12, 7, 8], np.float32)[:, None]})


@pytest.mark.parametrize("classes, scored, transform", [(3, 3, "NONE"), (3, 3, "SOFTMAX"), (3, 3, "LOGISTIC"), (2, 2, "NONE"), (2, 2, "SOFTMAX"),
                                                        (2, 2, "LOGISTIC"), (2, 1, "NONE"), (2, 1, "LOGISTIC")])
def test_linear_classifier(transform, classes, scored):
    model = model_of("LinearClassifier", [("x", F, ("n", 5))], [("label", I64, ("n",)), ("y", F, ("n", classes))], version=1, post_transform=transform,
                     coefficients=floats((scored * 5,)).tolist(), intercepts=floats((scored,), 1).tolist(), classlabels_ints=[3 * i + 1 for i in range(classes)])
    check(model, {"x": floats((7, 5))}, {"x": floats((1, 5))})


def test_linear_regressor():
    model = model_of("LinearRegressor", [("x", F, ("n", 5))], [("y", F, ("n", 2))], version=1, targets=2, coefficients=floats((10,)).tolist(),
                     intercepts=[0.5, -1.0])
    check(model, {"x": floats((7, 5))})


@pytest.mark.parametrize("op, attributes, element", [
    ("Binarizer", {"threshold": 0.25}, F), ("Scaler", {"offset": [0.5], "scale": [2.0]}, F), ("Scaler", {"offset": [0.5, 1, 2, 3], "scale": [2.0, 1, 0.5, 3]}, I64),
    ("Normalizer", {"norm": "L1"}, F), ("Normalizer", {"norm": "L2"}, F), ("Normalizer", {"norm": "MAX"}, F),
    ("Imputer", {"imputed_value_floats": [1.0, 2, 3, 4], "replaced_value_float": float("nan")}, F),
    ("Imputer", {"imputed_value_int64s": [7], "replaced_value_int64": 1}, I64)])
def test_features(op, attributes, element):
    x = np.abs(rows(6, 4)) if attributes.get("norm") == "MAX" else rows(6, 4)
    if op == "Imputer" and element == F:
        x[::2, 1] = np.nan
    out = I64 if op == "Imputer" and element == I64 else F
    model = model_of(op, [("x", element, ("n", 4))], [("y", out, ("n", 4))], version=1, **attributes)
    check(model, {"x": x if element == F else (x * 3).astype(np.int64)})


def test_columns_and_categories():
    check(model_of("ArrayFeatureExtractor", [("x", F, ("n", 4)), ("c", I64, (2,))], [("y", F, ("n", 2))], version=1), {"x": rows(5, 4), "c": np.array([3, 1])})
    check(model_of("FeatureVectorizer", [("x", F, ("n", 3)), ("z", F, ("n", 2))], [("y", F, ("n", 5))], version=1, inputdimensions=[3, 2]),
          {"x": rows(5, 3), "z": rows(5, 2)})
    check(model_of("OneHotEncoder", [("x", I64, ("n", 2))], [("y", F, ("n", 2, 3))], version=1, cats_int64s=[1, 5, 7]), {"x": np.array([[1, 7], [2, 5]])})
    check(model_of("OneHotEncoder", [("x", S, ("n",))], [("y", F, ("n", 3))], version=1, cats_strings=["a", "bb", "c"]),
          {"x": np.array(["bb", "a", "none"], object)})


def test_many_nodes_as_tensors():
    """Long lists come as blobs. Leaves are the numbers of their places."""
    count = 300
    tensor = lambda element, values: helper.make_tensor("t", element, (len(values),), values)
    model = model_of("TreeEnsemble", [("x", F, ("n", 1))], [("y", F, ("n", 1))], version=5, n_targets=1, nodes_modes=tensor(U8, [0] * count),
                     nodes_splits=tensor(F, np.linspace(0, 1, count, dtype=np.float32)), nodes_featureids=[0] * count, nodes_truenodeids=list(range(count)),
                     nodes_trueleafs=[1] * count, nodes_falsenodeids=list(range(1, count + 1)), nodes_falseleafs=[0] * (count - 1) + [1], tree_roots=[0],
                     leaf_targetids=[0] * (count + 1), leaf_weights=tensor(F, np.arange(count + 1, dtype=np.float32)))
    x = np.random.default_rng(0).random((9, 1), np.float32)
    compare(model, [{"y": np.searchsorted(np.linspace(0, 1, count, dtype=np.float32), x).astype(np.float32)}], [{"x": x}], 0)


def test_classes_without_a_score_are_no_candidates():
    check(model_of("TreeEnsembleClassifier", [("x", F, ("n", 1))], [("label", I64, ("n",)), ("y", F, ("n", 3))], nodes_treeids=[0] * 3, nodes_nodeids=[0, 1, 2],
                   nodes_featureids=[0] * 3, nodes_values=[0.5, 0, 0], nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"], nodes_truenodeids=[1, 0, 0],
                   nodes_falsenodeids=[2, 0, 0], class_treeids=[0, 0], class_nodeids=[1, 2], class_ids=[1, 2], class_weights=[-0.1, -0.2],
                   classlabels_int64s=[7, 8, 9]), {"x": np.array([[0], [1]], np.float32)})


def test_widths_of_features():
    for widths in ([2, 1], [5, 3]):
        check(model_of("FeatureVectorizer", [("x", F, ("n", 3)), ("z", F, ("n", 3))], [("y", F, ("n", sum(widths)))], version=1, inputdimensions=widths),
              {"x": rows(4, 3), "z": rows(4, 3, 1)})


class Vectors:
    """Attributes of random models of support vectors."""

    def __init__(self, classes, kernel, proba, seed):
        rng, pairs = np.random.default_rng(seed), classes * (classes - 1) // 2
        each = [int(count) for count in rng.integers(1, 5, classes)]
        vectors = sum(each)
        self.attributes = {"vectors_per_class": each, "support_vectors": numbers(rng.standard_normal(vectors * 4) * 0.5), "kernel_type": kernel,
                           "coefficients": numbers(rng.standard_normal((classes - 1) * vectors)), "rho": numbers(rng.standard_normal(pairs) * 0.3),
                           "kernel_params": [0.3, 0.5, 3.0]}
        if proba:
            self.attributes |= {"prob_a": numbers(-rng.random(pairs) - 0.2), "prob_b": numbers(rng.standard_normal(pairs) * 0.3)}


def numbers(array):
    return [float(x) for x in np.asarray(array, np.float32)]


@pytest.mark.parametrize("kernel, proba, classes, post, labels", [
    ("LINEAR", False, 2, "NONE", "ints"), ("RBF", False, 2, "LOGISTIC", "strings"), ("POLY", False, 2, "SOFTMAX", "ints"), ("RBF", True, 2, "NONE", "ints"),
    ("SIGMOID", False, 3, "NONE", "strings"), ("RBF", True, 3, "NONE", "ints"), ("LINEAR", True, 4, "LOGISTIC", "strings"), ("POLY", True, 3, "SOFTMAX", "ints"),
    ("RBF", False, 4, "SOFTMAX_ZERO", "ints")])
def test_support_vectors(kernel, proba, classes, post, labels):
    names = list(range(5, 5 + classes)) if labels == "ints" else [chr(97 + i) for i in range(classes)]
    attributes = Vectors(classes, kernel, proba, classes).attributes | {f"classlabels_{labels}": names, "post_transform": post}
    model = model_of("SVMClassifier", [("x", F, ["n", 4])], [("y", I64 if labels == "ints" else S, None), ("z", F, None)], version=1, **attributes)
    check(model, *({"x": rows(count, 4, count)} for count in (1, 7, 33)), tolerance=1e-4)


@pytest.mark.parametrize("one_class", [0, 1])
@pytest.mark.parametrize("kernel", ["LINEAR", "RBF", "POLY", "SIGMOID", None])
def test_support_vector_regression(kernel, one_class):
    rng = np.random.default_rng(3)
    attributes = {"coefficients": numbers(rng.standard_normal(6 if kernel else 4)), "rho": [0.1], "one_class": one_class, "n_supports": 6 if kernel else 0,
                  "support_vectors": numbers(rng.standard_normal(24)), "kernel_type": kernel or "LINEAR", "kernel_params": [0.3, 0.5, 2.0]}
    model = model_of("SVMRegressor", [("x", F, ["n", 4])], [("y", F, None)], version=1, **attributes)
    check(model, *({"x": rows(count, 4, count)} for count in (1, 7, 33)), tolerance=1e-4)


@pytest.mark.parametrize("classes, change, text", [(3, {"rho": [0.1]}, "3 numbers in rho"), (2, {"kernel_type": "OTHER"}, "kernel_type LINEAR"),
                                                   (2, {"prob_a": [0.1, 0.2]}, "prob_a"), (2, {"support_vectors": [1.0]}, "support vectors")])
def test_refused_support_vectors(classes, change, text):
    attributes = Vectors(classes, "RBF", False, classes).attributes | {"classlabels_ints": list(range(classes))} | change
    model = model_of("SVMClassifier", [("x", F, ["n", 4])], [("y", I64, None), ("z", F, None)], version=1, **attributes)
    with pytest.raises(tenon.CompileError, match=text):
        tenon.compile(model)


def test_category_mapper():
    lists = {"cats_strings": ["a", "b", "ü"], "cats_int64s": [3, 1, -7]}
    there = model_of("CategoryMapper", [("x", S, ["n", 2])], [("y", I64, None)], version=1, default_int64=-5, **lists)
    check(there, {"x": np.array([["a", "ü"], ["c", "b"]], object)})
    back = model_of("CategoryMapper", [("x", I64, ["n"])], [("y", S, None)], version=1, default_string="?", **lists)
    check(back, {"x": np.array([3, -7, 2, 1])})


def test_label_encoder_of_version_1():
    model = model_of("LabelEncoder", [("x", S, ["n"])], [("y", I64, None)], version=1, classes_strings=["a", "b", "c"], default_int64=9)
    for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
        np.testing.assert_array_equal(run({"x": np.array(["c", "x", "a"], object)})["y"], [2, 9, 0])


def test_one_score_of_two_classes():
    """What there is nothing to compare with stays, as in ONNX Runtime."""
    for post in ("SOFTMAX", "SOFTMAX_ZERO", "NONE", "LOGISTIC"):
        model = model_of("LinearClassifier", [("x", F, ["n", 3])], [("y", I64, None), ("z", F, None)], version=1, coefficients=[0.5, -1.0, 2.0], intercepts=[0.1],
                         classlabels_ints=[4, 7], post_transform=post)
        check(model, {"x": rows(9, 3)})


def test_no_category():
    """zeros = 0 makes a value that is no category an error."""
    model = model_of("OneHotEncoder", [("x", I64, ["n"])], [("y", F, None)], version=1, cats_int64s=[3, 1, 3], zeros=0)
    compiled = tenon.compile(model, threads=1)
    np.testing.assert_array_equal(compiled.run({"x": np.array([1, 3])})["y"], [[0, 1, 0], [1, 0, 1]])
    with pytest.raises(tenon.RunError, match="no category"):
        compiled.run({"x": np.array([1, 2])})
    with pytest.raises(tenon.RunError, match="no category"):
        tenon.reference(model).run({"x": np.array([1, 2])})


@pytest.mark.parametrize("keys", [{"classlabels_strings": ["cat", "dog", "bird"]}, {"classlabels_int64s": [7, -1, 2**40]}], ids=["texts", "numbers"])
@pytest.mark.parametrize("shape", [(4, 3), (0, 3), (3,)])
def test_dictionaries(keys, shape, tmp_path):
    """A dict per row, as ONNX Runtime gives it; where an array is given to write to, the floats."""
    node = helper.make_node("ZipMap", ["x"], ["y"], domain=ML, **keys)
    y = onnx.helper.make_value_info("y", onnx.helper.make_sequence_type_proto(onnx.helper.make_map_type_proto(
        S if "classlabels_strings" in keys else I64, onnx.helper.make_tensor_type_proto(F, []))))
    graph = helper.make_graph([node], "test", [helper.make_tensor_value_info("x", F, ["rows", 3][-len(shape):])], [y])
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(ML, 1)])
    x = floats(shape)
    [wanted] = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})
    compiled = tenon.compile(model, threads=1)
    compiled.save(tmp_path / "model.so")
    for runnable in (compiled, tenon.load(tmp_path / "model.so"), tenon.reference(model)):
        assert runnable.outputs[0].keys == tuple(*keys.values())
        actual = runnable.run({"x": x})["y"]
        assert actual == wanted
        into = np.empty((len(wanted), 3), np.float32)
        assert runnable.run({"x": x}, into={"y": into})["y"] is into
        np.testing.assert_array_equal(into, x.reshape(into.shape))


@pytest.mark.parametrize("change, text", [({}, "expects classlabels_strings or classlabels_int64s"), ({"classlabels_int64s": [1, 2]}, "a column for each of its keys"),
                                          ({"classlabels_int64s": [1], "classlabels_strings": ["a"]}, "has both")])
def test_refused_dictionaries(change, text):
    node = helper.make_node("ZipMap", ["x"], ["y"], domain=ML, **change)
    y = onnx.helper.make_value_info("y", onnx.helper.make_sequence_type_proto(onnx.helper.make_map_type_proto(I64, onnx.helper.make_tensor_type_proto(F, []))))
    graph = helper.make_graph([node], "test", [helper.make_tensor_value_info("x", F, ["n", 3])], [y])
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(ML, 1)])
    with pytest.raises((tenon.CompileError, tenon.RunError), match=text):
        tenon.compile(model).run({"x": floats((2, 3))})

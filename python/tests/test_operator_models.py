"""Generated models over the standard's operators: compiled code and the interpreter against ONNX Runtime, at the sizes
that the model was drawn with and at others.
"""

import warnings

import guarded
import numpy as np
import operator_domains  # noqa: F401: registers its recipes
import operator_groups  # noqa: F401: registers its recipes
import operator_patterns  # noqa: F401: registers its recipes
import operator_recipes  # noqa: F401: registers its recipes
import pytest
from conftest import runs_here
from operator_models import OperatorModel, compare
from seeds import seeds

import tenon


def describe(model):
    nodes = "; ".join(f"{node.op_type}({', '.join(node.input)})" for node in model.nodes)
    return f"{nodes}, opset {model.opset}, symbols: {model.symbols}"


@pytest.mark.parametrize("seed", seeds(range(96)))
def test_as_onnx_runtime(seed):
    model = OperatorModel(seed)
    target = "avx2" if seed % 4 == 3 and runs_here("avx2") else "host"

    def compile_model():
        return tenon.compile(model.model, target=target, threads=1 + seed % 2, accuracy="strict" if seed % 3 == 0 else "default")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compiled = compile_model()
        except tenon.CompileError as error:
            # What a compiler has to know, as sizes of heads, the model then states.
            assert "not known when compiling" in str(error) and model.symbols != "none", f"{describe(model)}: {error}"
            model.fix_sizes()
            compiled = compile_model()
        reference = tenon.reference(model.model)
    runs = [(model.given, model.expected, "as drawn")]
    if model.symbols != "none":
        feed = model.others()
        try:
            runs.append((feed, model.truth(feed), "at other sizes"))
        except Exception:  # noqa: BLE001, S110: the model is not for these sizes
            pass
    for feed, expected, where in runs:
        actual = compiled.run(feed)
        difference = compare(model, actual, expected, f"compiled for {target}, {where}") or compare(
            model, reference.run(feed), expected, f"interpreted, {where}")
        assert not difference, f"{describe(model)}: {difference}"
        # Strings lie where the runtime puts them.
        if seed % 5 == 0 and all(np.asarray(value).dtype.kind not in "OUS" for value in (*feed.values(), *actual.values())):
            guarded.check(compiled, feed, actual)

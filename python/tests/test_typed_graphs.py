"""Generated graphs of all element types: the interpreter against compiled code, and against itself after every pass.

Graphs with odd seeds have their weights as inputs: nothing folds them.
"""

import guarded
import numpy as np
import pytest
from seeds import seeds
from semantics import check_every_pass
from typed_graphs import SIZES, TypedGraph

import tenon

# Level 0 to placed programs with tile programs and plans, for short and long vectors and with launches on a device.
PIPELINES = {
    "short": "tenon-graph,tenon-kernels,tenon-variants{targets=avx2},tenon-tiles,tenon-plans",
    "long": "tenon-graph,tenon-kernels,tenon-variants{targets=avx512},tenon-tiles",
    "devices": "tenon-graph,tenon-kernels{devices=tenon.contract=gpu}",
}


def compare(graph, actual, expected, where):
    """Integers are equal; floats as near as the shortest type on their way lets them be."""
    for name, value in expected.items():
        assert actual[name].shape == value.shape, f"{where}: {name}"
        if value.dtype.kind != "f":
            np.testing.assert_array_equal(actual[name], value, f"{where}: {name}")
            continue
        tolerance = graph.outputs[name].tolerance
        np.testing.assert_allclose(actual[name].astype(np.float32), value.astype(np.float32), rtol=tolerance, atol=tolerance,
                                   err_msg=f"{where}: {name}")


@pytest.mark.parametrize("seed", seeds(range(40)))
def test_compiled_as_interpreted(seed):
    graph = TypedGraph(seed)
    interpreted = tenon.reference(graph.model)
    runs = [(feed, interpreted.run(feed)) for feed in map(graph.feed, SIZES)]
    for target in ("host", "avx2"):
        compiled = tenon.compile(graph.model, target=target, threads=1)
        for sizes, (feed, expected) in zip(SIZES, runs):
            actual = compiled.run(feed)
            compare(graph, actual, expected, f"{target}, {sizes}")
            if target == "host":
                guarded.check(compiled, feed, actual)


@pytest.mark.parametrize("seed", seeds(range(200, 216)))
def test_every_pass(seed, tmp_path):
    graph = TypedGraph(seed)
    feed = graph.feed(SIZES[seed % len(SIZES)])
    tolerance = max(output.tolerance for output in graph.outputs.values())
    for pipeline in PIPELINES.values():
        assert check_every_pass(graph.model, pipeline, tmp_path, feed, tolerance=tolerance) >= 3, pipeline

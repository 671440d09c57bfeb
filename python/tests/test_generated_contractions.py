"""Generated contractions and convolutions, compiled for both kinds of targets, with one thread and two, against numpy."""

import guarded
import numpy as np
import pytest
import tenon
from generated_contractions import GeneratedContraction
from seeds import seeds

TARGETS = ("host", "avx2")


def check(case, actual, feed, where):
    expected, absolute = case.expected(feed)
    assert actual.shape == expected.shape, where
    if absolute is None:
        np.testing.assert_array_equal(actual, expected.astype(np.int32), where)
        return
    # A few roundings of sums of f32, and that of the result.
    error = 4 * np.finfo(np.float32).eps * absolute + np.finfo(actual.dtype).eps * np.abs(expected) + np.finfo(actual.dtype).tiny
    wrong = ~(np.abs(actual.astype(np.float64) - expected) <= error)
    place = np.argwhere(wrong)[:1].tolist()
    assert not wrong.any(), f"{where}: {wrong.sum()} of {wrong.size} are wrong, the first at {place}"


@pytest.mark.parametrize("seed", seeds(range(40)))
def test_products(seed):
    case = GeneratedContraction(seed)
    for target in TARGETS:
        artifacts = [tenon.compile(case.model, target=target, threads=threads) for threads in (1, 2)]
        for feed in case.feeds:
            one, two = (artifact.run(feed)["y"] for artifact in artifacts)
            where = f"{target}, {case.text}, {feed['x'].shape}"
            check(case, one, feed, where)
            assert one.tobytes() == two.tobytes(), f"{where}: two threads give other bits"
            if target == "host":
                guarded.check(artifacts[0], feed, {"y": one})

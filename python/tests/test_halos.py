"""Borders of images: written around what a kernel writes in its place, in every run."""

import numpy as np
import tenon
from conftest import make_model
from onnx import helper
from test_cases import F, I64, B, check, floats, integers, profile, weights
from test_devices import check as check_on_device, stub  # noqa: F401

SIZES = [(2, 9, 7), (1, 12, 16), (3, 5, 5), (1, 2, 1), (2, 30, 11)]


def conv(x, y, name, channels, taps, **attributes):
    """A convolution's node and its weights."""
    node = helper.make_node("Conv", [x, f"{name}_w"], [y], name=name, **attributes)
    return node, weights(f"{name}_w", (channels[1], channels[0]) + taps, len(name) + channels[0], 0.15)


def model_of(convs, others, outputs=("y",)):
    """Nodes in the order of their names; pointwise convolutions at both ends make channels last pay."""
    nodes = sorted([node for node, _ in convs] + others, key=lambda node: node.name)
    return make_model(nodes, [("x", F, ("n", 8, "h", "w"))], [(name, F, None) for name in outputs], [w for _, w in convs])


def residual_block():
    same = dict(pads=[1, 1, 1, 1])
    return model_of(
        [
            conv("x", "a", "c0", (8, 16), (1, 1)),
            conv("b", "c", "c2", (16, 16), (3, 3), **same),
            conv("d", "e", "c4", (16, 16), (3, 3), **same),
            conv("f", "g", "c6", (16, 32), (3, 3), pads=[0, 2, 1, 0], strides=[2, 2]),
            conv("f", "h", "c7", (16, 32), (1, 1), strides=[2, 2]),
            conv("i", "y", "c9", (32, 8), (1, 1)),
        ],
        [
            helper.make_node("Relu", ["a"], ["b"], "c1"),
            helper.make_node("Relu", ["c"], ["d"], "c3"),
            helper.make_node("Add", ["e", "b"], ["f"], "c5"),
            helper.make_node("ReduceMean", ["h"], ["j"], "c8", axes=[2, 3]),
            helper.make_node("Add", ["g", "j"], ["i"], "c85"),
        ],
    )


def feeds():
    return [{"x": floats((n, 8, h, w), h)} for n, h, w in SIZES]


def checked(model):
    """Right, and compiled with prices of layouts that are the same on each machine."""
    return check(model, *feeds(), compiled=tenon.compile(model, threads=1, target="avx2"))


def test_residual_block():
    compiled = checked(residual_block())
    launches, copies, size = profile(compiled, "n=2", "h=12", "w=10")
    # Three images with borders of 1, 1, and 0, 2, 1, 0; no launch of a pad.
    assert size == 2 * 16 * 4 * (2 * (14 * 12 - 12 * 10) + (13 * 12 - 12 * 10))
    assert copies == 4 + 4 + 2
    assert launches == 6 + 1  # convolutions, the mean


def test_borders_are_written_in_every_run():
    """Whatever is left of another run in the buffers: here, nothing but NaN."""
    compiled = tenon.compile(residual_block(), threads=1)
    other = tenon.compile(residual_block(), threads=2)
    clean = [other.run(feed)["y"] for feed in feeds()]
    for n, h, w in ((3, 20, 20), (1, 9, 9)):
        for feed, expected in zip(feeds(), clean):
            poison = compiled.run({"x": np.full((n, 8, h, w), np.nan, np.float32)})["y"]
            assert np.isnan(poison).all()
            assert compiled.run(feed)["y"].tobytes() == expected.tobytes()


def test_several_threads():
    models = [tenon.compile(residual_block(), threads=threads) for threads in (1, 3)]
    for feed in feeds():
        one, three = [model.run(feed)["y"].tobytes() for model in models]
        assert one == three


def test_on_a_device(stub):  # noqa: F811
    check_on_device(stub, residual_block(), *feeds()[:3], orders=(0,))
    check_on_device(stub, residual_block(), *feeds()[:2], device="tenon.contract=stub", orders=(1,))


def test_other_values_than_zero():
    """A border of its own before a convolution without one."""
    nodes = [
        conv("x", "a", "c0", (8, 16), (1, 1)),
        conv("b", "c", "c2", (16, 16), (3, 3)),
        conv("c", "y", "c3", (16, 8), (1, 1)),
    ]
    pad = helper.make_node("Pad", ["a", "pads", "value"], ["b"], "c1")
    model = model_of(nodes, [pad])
    model.graph.initializer.extend([integers([0, 0, 2, 1, 0, 0, 1, 3], "pads"),
                                    helper.make_tensor("value", F, (), [-1.5])])
    compiled = checked(model)
    assert profile(compiled, "n=1", "h=4", "w=4") == (3, 4, 16 * 4 * (7 * 8 - 4 * 4))


def test_two_borders_of_one_image():
    nodes = [
        conv("x", "a", "c0", (8, 16), (1, 1)),
        conv("a", "b", "c1", (16, 16), (3, 3), pads=[1, 1, 1, 1]),
        conv("a", "c", "c2", (16, 16), (3, 3), pads=[2, 2, 2, 2], dilations=[2, 2]),
        conv("d", "y", "c4", (16, 8), (1, 1)),
    ]
    compiled = checked(model_of(nodes, [helper.make_node("Add", ["b", "c"], ["d"], "c3")]))
    # One of them is moved.
    launches, copies, _ = profile(compiled, "n=1", "h=4", "w=4")
    assert (launches, copies) == (5, 4)


def test_parts_of_a_concat():
    """As in networks with skips: what is computed for a concat goes within its border, and into none of its own."""
    nodes = [
        conv("x", "a", "c0", (8, 16), (1, 1)),
        conv("a", "b", "c1", (16, 12), (3, 3), pads=[1, 1, 1, 1]),
        conv("d", "y", "c3", (28, 8), (3, 3), pads=[1, 1, 1, 1]),
    ]
    compiled = checked(model_of(nodes, [helper.make_node("Concat", ["b", "a"], ["d"], "c2", axis=1)]))
    launches, copies, size = profile(compiled, "n=2", "h=4", "w=4")
    assert (launches, copies, size) == (1 + 3, 4, 2 * 28 * 4 * (6 * 6 - 4 * 4))


def test_returned_image():
    """What is returned has no border."""
    nodes = [conv("x", "a", "c0", (8, 16), (1, 1)), conv("a", "y", "c1", (16, 8), (3, 3), pads=[1, 1, 1, 1])]
    checked(model_of(nodes, [], ("a", "y")))


def test_within_a_loop():
    nodes = [conv("v", "a", "c0", (8, 16), (1, 1)), conv("b", "c", "c2", (16, 16), (3, 3), pads=[1, 1, 1, 1]),
             conv("c", "v_out", "c3", (16, 8), (1, 1))]
    body = helper.make_graph(
        [nodes[0][0], helper.make_node("Relu", ["a"], ["b"]), nodes[1][0], nodes[2][0],
         helper.make_node("Identity", ["go"], ["go_out"])],
        "body",
        [helper.make_tensor_value_info("i", I64, ()), helper.make_tensor_value_info("go", B, ()),
         helper.make_tensor_value_info("v", F, ("n", 8, "h", "w"))],
        [helper.make_tensor_value_info("go_out", B, ()), helper.make_tensor_value_info("v_out", F, ("n", 8, "h", "w"))],
    )
    model = make_model(
        [helper.make_node("Loop", ["trips", "", "x"], ["y"], body=body)],
        [("trips", I64, ()), ("x", F, ("n", 8, "h", "w"))], [("y", F, ("n", 8, "h", "w"))], [w for _, w in nodes])
    check(model, *(dict(feed, trips=np.array(trips)) for trips, feed in zip((3, 0, 1, 2, 4), feeds())))

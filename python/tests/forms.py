"""Many forms of an operator as outputs of one model, so that a test compiles once."""

import numpy as np
import tenon
from microsoft import MS, array, model_of, session_of
from onnx import helper


class Forms:
    def __init__(self, opset=21):
        self.opset = opset
        self.nodes, self.inputs, self.initializers, self.outputs, self.feed = [], [], [], [], {}

    def input(self, values, sizes=None):
        """A model's input with these values; `sizes` names those that are dynamic."""
        values, name = np.asarray(values), f"x{len(self.inputs)}"
        self.inputs.append((name, helper.np_dtype_to_tensor_dtype(values.dtype), sizes or values.shape))
        self.feed[name] = values
        return name

    def constant(self, values, type=None):
        """With a type, one that numpy doesn't have: values are converted."""
        name = f"c{len(self.initializers)}"
        tensor = helper.make_tensor(name, type, np.shape(values), np.ravel(values)) if type else array(values, name)
        self.initializers.append(tensor)
        return name

    def add(self, label, op, operands, domain=MS, results=1, **attributes):
        """`label` names the last result, the only one that is used."""
        names = [f"{label}_{i}" for i in range(results - 1)] + [label]
        self.nodes.append(helper.make_node(op, operands, names, name=label, domain=domain, **attributes))
        self.outputs.append(label)

    def model(self):
        return model_of(self.nodes, self.inputs, self.outputs, self.initializers, opset=self.opset)

    def expected(self):
        return dict(zip(self.outputs, session_of(self.model()).run(self.outputs, self.feed)))

    def check(self, expected=None, tolerance=1e-5, rounded=0.0):
        """The interpreter and the compiled model give what ONNX Runtime gives, or what is stated; `rounded` is the share
        of integers that may be the next."""
        expected = expected or self.expected()
        model = self.model()
        for run in (tenon.compile(model, threads=1).run, tenon.reference(model).run):
            actual = run(self.feed)
            for name, wanted in expected.items():
                compare(actual[name], wanted, name, tolerance, rounded)


def compare(actual, wanted, name, tolerance, rounded):
    assert actual.dtype == wanted.dtype and actual.shape == wanted.shape, name
    if wanted.dtype.kind in "iu":
        difference = np.abs(actual.astype(np.int64) - wanted.astype(np.int64))
        assert difference.max(initial=0) <= (1 if rounded else 0), f"{name}: off by {difference.max()}"
        assert np.mean(difference != 0) <= rounded, f"{name}: {np.mean(difference != 0):.3f} are off by one"
    else:
        np.testing.assert_allclose(actual.astype(np.float64), wanted.astype(np.float64), rtol=tolerance, atol=tolerance,
                                   err_msg=name)

#!/usr/bin/env python3
"""Runs ONNX's operators, compiled, and writes which gave right results to docs/operators.json, of which `make docs` makes the
tables of docs/operators.md. Some ten minutes on two cores.

What runs, of each operator:
- the standard's own cases (those of the installed onnx package) with the sizes that they state, and with all sizes of inputs
  as symbols: against the results of the standard;
- one of them at each older version, where it is valid there or onnx's version converter makes it so: against ONNX Runtime, or
  the standard's reference where that has no form of the operator;
- at the newest version, one of them with each other element type that the standard allows for the first operand: against
  Tenon's interpreter.

A version is named by the operator set that it came with, an element type is that of the first operand (of the first result
where there is none).
"""
import argparse
import collections
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import warnings

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "operators.json"

# Of an operator at an older version, or with another element type.
CASES_PER_FORM = 1
MOST_TRIES = 6
RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}


# The standard.

def key_of(domain, name):
    return f"{domain}.{name}" if domain not in ("", "ai.onnx") else name


def schemas():
    """By operator, its versions that a model may have, oldest first."""
    known = collections.defaultdict(list)
    for schema in sorted(onnx.defs.get_all_schemas_with_history(), key=lambda schema: schema.since_version):
        if not schema.deprecated:
            known[key_of(schema.domain, schema.name)].append(schema)
    return known


def taken(build):
    """By operator, the oldest version that is converted, as `tenon-compile` says."""
    lines = subprocess.run([build / "bin" / "tenon-compile", "--print-operators"], check=True, capture_output=True, text=True).stdout
    return {name: int(version) for name, version in re.findall(r"^(\S+) (\d+)$", lines, re.MULTILINE)}


def type_text(info):
    """Of a tensor, or of the tensors in a sequence or an optional."""
    while not info.HasField("tensor_type"):
        which = info.WhichOneof("value")
        if which not in ("sequence_type", "optional_type"):
            return None
        info = getattr(info, which).elem_type
    return TensorProto.DataType.Name(info.tensor_type.elem_type).lower()


def types_of_first_operand(schema):
    operand = (list(schema.inputs) + list(schema.outputs))[0]
    allowed = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}.get(operand.type_str, [operand.type_str])
    return {match[1] for name in allowed if (match := re.search(r"tensor\((\w+)\)", name))}


# Cases.

class Case:
    """A model, what it is given and should give by name, None where another stack is to say it."""

    def __init__(self, model, feeds, expected, rtol=1e-3, atol=1e-7, truth=None, is_random=False):
        self.data, self.feeds, self.expected = model.SerializeToString(), feeds, expected
        self.rtol, self.atol, self.truth, self.is_random = rtol, atol, truth, is_random

    @property
    def model(self):
        return onnx.load_from_string(self.data)


def array_of(value):
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, np.generic) else value


def standard_cases():
    """(operator, its node, case)."""
    from onnx.backend.test.case import node
    warnings.simplefilter("ignore")
    for case in node.collect_testcases(None):
        if "_expanded" in case.name or case.data_sets is None:
            continue
        [(inputs, outputs)] = case.data_sets
        graph = case.model.graph
        tested = graph.node[0]
        feeds = {info.name: array_of(value) for info, value in zip(graph.input, inputs)}
        expected = {info.name: array_of(value) for info, value in zip(graph.output, outputs)}
        is_random = tested.op_type in RANDOM or case.name.startswith("test_training_dropout") and "zero" not in case.name
        yield tested, Case(case.model, feeds, expected, case.rtol, case.atol, is_random=is_random)


def version_of(model, node):
    opset = next(o.version for o in model.opset_import if o.domain in (node.domain, "ai.onnx" if not node.domain else node.domain))
    return onnx.defs.get_schema(node.op_type, opset, node.domain).since_version


def element_of(model, node):
    """The element type that a case counts for."""
    types = {info.name: type_text(info.type) for info in [*model.graph.input, *model.graph.output]}
    types |= {tensor.name: TensorProto.DataType.Name(tensor.data_type).lower() for tensor in model.graph.initializer}
    return next((types[name] for name in [*node.input, *node.output] if types.get(name)), None)


def with_symbols(case):
    """All sizes of inputs have names; those of results, which would give them away, are gone."""
    model = case.model
    def dims(info):
        while not info.HasField("tensor_type"):
            which = info.WhichOneof("value")
            if which not in ("sequence_type", "optional_type"):
                return []
            info = getattr(info, which).elem_type
        return info.tensor_type.shape.dim
    for count, dim in enumerate(dim for info in model.graph.input for dim in dims(info.type)):
        if dim.HasField("dim_value"):
            dim.dim_param = f"size_{count}"
    for info in model.graph.output:
        for dim in dims(info.type):
            dim.ClearField("dim_value")
    del model.graph.value_info[:]
    return Case(model, case.feeds, case.expected, case.rtol, case.atol, is_random=case.is_random)


def with_constants(case):
    """All operands but the first are constants: older versions have some of them as attributes."""
    model, feeds = case.model, dict(case.feeds)
    for info in list(model.graph.input)[1:]:
        if isinstance(feeds[info.name], np.ndarray):
            model.graph.initializer.append(numpy_helper.from_array(feeds.pop(info.name), info.name))
            model.graph.input.remove(info)
    return model, feeds


def at_opset(model, domain, version):
    model.ir_version = 10
    for opset in model.opset_import:
        if opset.domain == domain:
            opset.version = version
    return model


def with_attributes(case, schema):
    """The model with constants where the version has attributes of the operands' names."""
    model, feeds = case.model, dict(case.feeds)
    [node] = model.graph.node
    newest = onnx.defs.get_schema(node.op_type, domain=node.domain)
    for i, formal in reversed(list(enumerate(newest.inputs))):
        if i < len(node.input) and formal.name in schema.attributes and isinstance(feeds.get(node.input[i]), np.ndarray):
            value = feeds.pop(node.input[i])
            kind = schema.attributes[formal.name].type.name
            node.attribute.append(helper.make_attribute(formal.name, value.item() if kind in ("INT", "FLOAT") else value.tolist()))
            model.graph.input.remove(next(info for info in model.graph.input if info.name == node.input[i]))
            del node.input[i]
    if model.graph.node[0] == case.model.graph.node[0]:
        raise ValueError("no operand became an attribute")
    return model, feeds


def at_older_versions(case, node, schema, version):
    """The model as it stands at another operator set, with operands as attributes, and as the version converter makes it."""
    yield at_opset(case.model, node.domain, version), case.feeds
    try:
        model, feeds = with_attributes(case, schema)
        yield at_opset(model, node.domain, version), feeds
    except ValueError:
        pass
    if not node.domain:
        for model, feeds in ((case.model, case.feeds), with_constants(case)):
            try:
                converted = onnx.version_converter.convert_version(model, version)
            except Exception:  # noqa: BLE001: there is no way down
                continue
            converted.ir_version = 10
            yield converted, feeds


def as_type(array, name):
    """The numbers in another type, as far as it has them."""
    dtype = helper.tensor_dtype_to_np_dtype(TensorProto.DataType.Value(name.upper()))
    if name == "string":
        return np.array([str(x) for x in array.flat], object).reshape(array.shape)
    if array.dtype == object:
        raise TypeError("no numbers")
    wide = array.astype(np.float64) if array.dtype.kind != "c" else array.real.astype(np.float64)
    if dtype == np.bool_:
        return wide > 0
    if name.startswith(("int", "uint")):
        info = ml_dtypes.iinfo(dtype)
        return np.clip(np.nan_to_num(wide), float(info.min), min(float(info.max), 2.0**62)).astype(np.int64).astype(dtype)
    if name == "float8e8m0":
        wide = np.abs(wide) + 0.5
    return wide.astype(np.float32).astype(dtype) if array.dtype.kind != "f" or dtype.kind == "V" else wide.astype(dtype)


def with_type(case, node, schema, name):
    """The model with another type for all operands that share the first one's. Types of results follow."""
    model, feeds = case.model, dict(case.feeds)
    formal = list(schema.inputs)
    of = lambda names, formals: {name: formals[min(i, len(formals) - 1)].type_str for i, name in enumerate(names) if formals}
    types = of(node.input, formal) | of(node.output, list(schema.outputs))
    first = (formal or list(schema.outputs))[0].type_str
    for info in [*model.graph.input, *model.graph.output]:
        if types.get(info.name) == first:
            if not info.type.HasField("tensor_type"):
                raise TypeError("no tensor")
            info.type.tensor_type.elem_type = TensorProto.DataType.Value(name.upper())
            if info.name in feeds:
                feeds[info.name] = as_type(feeds[info.name], name)
    outputs, shapes = list(model.graph.output), {}
    for info in outputs:
        shapes[info.name] = onnx.TensorShapeProto.FromString(info.type.tensor_type.shape.SerializeToString())
        info.ClearField("type")
    known = {info.name: info for info in onnx.shape_inference.infer_shapes(model, strict_mode=True).graph.output}
    if not all(known[info.name].type.WhichOneof("value") for info in outputs):
        raise TypeError("a result has no type")
    for name, info in known.items():
        # What no rule says, the case does.
        if info.type.HasField("tensor_type") and not info.type.tensor_type.HasField("shape"):
            info.type.tensor_type.shape.CopyFrom(shapes[name])
    del model.graph.output[:]
    model.graph.output.extend(known[info.name] for info in outputs)
    return Case(model, feeds, None, truth="interpreter", is_random=node.op_type in RANDOM)


# Running.

def same(actual, expected, case):
    """Whether results are the expected ones: element types, sizes, numbers within the case's tolerance."""
    if expected is None or actual is None:
        return actual is None and expected is None
    if isinstance(expected, list):
        return isinstance(actual, list) and len(actual) == len(expected) and all(map(same, actual, expected, [case] * len(expected)))
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape:
        return False
    if expected.dtype.kind in "OSU":
        return [str(x) for x in actual.flat] == [str(x) for x in expected.flat]
    if actual.dtype != expected.dtype:
        return False
    if case.is_random:
        return True
    if expected.dtype.kind in "iub":
        return np.array_equal(actual, expected)
    # Where the truth is another stack, narrow types are rounded at other places.
    narrow = 2.0**-6 if case.truth and expected.dtype.itemsize < 4 else 0
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    return np.allclose(actual.astype(wide), expected.astype(wide), max(case.rtol, narrow), max(case.atol, narrow, 1e-6), equal_nan=True)


def truth_of(case):
    """What another stack gives; None where none runs the model."""
    names = [info.name for info in case.model.graph.output]
    if case.truth == "interpreter":
        import tenon
        return tenon.reference(case.data).run(case.feeds)
    try:
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.log_severity_level, options.intra_op_num_threads = 4, 1
        session = onnxruntime.InferenceSession(case.data, options, providers=["CPUExecutionProvider"])
        return dict(zip(names, session.run(names, case.feeds)))
    except Exception:  # noqa: BLE001: its exceptions have no common type
        import onnx.reference
        return dict(zip(names, onnx.reference.ReferenceEvaluator(case.model).run(None, case.feeds)))


def reason_of(error):
    text = str(error).strip().splitlines()[0]
    text = re.sub(r"^\S*\.onnx: ", "", text)
    text = re.sub(r"^(?:node )?'[^']*': ", "", text)
    return re.sub(r"^'\w+' \(opset \d+\) is not supported: ", "", text)


def run(case):
    """None where the results are right, "" where the case is none, else what is wrong."""
    import tenon
    warnings.simplefilter("ignore")
    expected = case.expected
    if expected is None:
        try:
            onnx.checker.check_model(case.data)
            expected = truth_of(case)
        except Exception as error:  # noqa: BLE001: whatever keeps a stack from running it
            # What the interpreter doesn't run is no case only where compiling says why not.
            if case.truth != "interpreter" or not isinstance(error, tenon.CompileError):
                return ""
            return reason_of(error)
    try:
        actual = tenon.compile(case.data, threads=1).run(case.feeds)
    except Exception as error:  # noqa: BLE001: a refusal is a result
        return reason_of(error)
    wrong = [name for name, value in expected.items() if not same(actual[name], value, case)]
    return f"{', '.join(wrong)} differ" if wrong else None


def forms(build, pattern):
    """(operator, version, element type or None, kind of run, cases of which the first ones that are any count)."""
    known, oldest = schemas(), taken(build)
    by_operator = collections.defaultdict(list)
    for node, case in standard_cases():
        by_operator[key_of(node.domain, node.op_type)].append((node, case))
    for operator, cases in sorted(by_operator.items()):
        if operator not in oldest or not re.search(pattern, operator):
            continue
        for node, case in cases:
            version, element = version_of(case.model, node), element_of(case.model, node)
            yield operator, version, element, "stated", [case]
            yield operator, version, element, "symbolic", [with_symbols(case)]
        single = [(node, case) for node, case in cases if len(case.model.graph.node) == 1]
        versions, newest = known[operator], known[operator][-1]
        for schema, following in zip(versions, versions[1:]):
            yield operator, schema.since_version, None, "stated", older_cases(single, schema, following)
        newest_cases = [(node, case) for node, case in single if version_of(case.model, node) == newest.since_version]
        seen = {element_of(case.model, node) for node, case in newest_cases}
        for name in sorted(types_of_first_operand(newest) - seen):
            yield operator, newest.since_version, name, "stated", typed_cases(newest_cases, newest, name)


def older_cases(single, schema, following):
    for node, case in single:
        if version_of(case.model, node) != schema.since_version:
            for model, feeds in at_older_versions(case, node, schema, following.since_version - 1):
                yield Case(model, feeds, None, truth="stack", is_random=case.is_random)


def typed_cases(cases, schema, name):
    for node, case in cases:
        try:
            yield with_type(case, node, schema, name)
        except (TypeError, ValueError, OverflowError, onnx.shape_inference.InferenceError):
            continue


def run_form(form):
    """(element type, what is wrong or None) of the first cases that are any. Many cases of a form are none: it is given up."""
    _, _, element, _, cases = form
    results = []
    for case in itertools.islice(cases, MOST_TRIES):
        result = run(case)
        if result != "":
            results.append((element or element_of(case.model, case.model.graph.node[-1]), result))
        if len(results) == CASES_PER_FORM:
            break
    return results


def measure_part(build, part, parts, pattern):
    """Every so many-th operator, a line of JSON for each of its versions."""
    sys.path.insert(0, str(build / "python"))
    for number, (operator, of_operator) in enumerate(itertools.groupby(forms(build, pattern), key=lambda form: form[0])):
        if number % parts != part:
            continue
        results = {}
        for form in of_operator:
            _, version, _, kind, _ = form
            outcomes = run_form(form)
            if not outcomes:
                continue
            entry = results.setdefault(version, {"types": set(), "stated": [0, 0], "symbolic": [0, 0], "not": set()})
            for element, problem in outcomes:
                entry[kind][0] += problem is None
                entry[kind][1] += 1
                if problem:
                    where = ", sizes at run time" if kind == "symbolic" else ""
                    entry["not"].add(f"{element or 'no tensor'}{where}: {problem}")
                elif kind == "stated" and element:
                    entry["types"].add(element)
        for version, entry in sorted(results.items()):
            print(json.dumps({"operator": operator, "version": version,
                              **{k: sorted(v) if isinstance(v, set) else v for k, v in entry.items()}}), flush=True)


def measure(build, jobs, pattern):
    parts = [subprocess.Popen([sys.executable, __file__, "--build", build, "--only", pattern, "--part", f"{i}/{jobs}"],
                              stdout=subprocess.PIPE, text=True) for i in range(jobs)]
    rows = [json.loads(line) for part in parts for line in part.stdout]
    if any(part.wait() for part in parts):
        sys.exit("a process that runs operators has ended early")
    return with_untried(build, rows, pattern)


def with_untried(build, rows, pattern):
    """A row for each version that is converted, in order."""
    found, oldest = {(row["operator"], row["version"]): row for row in rows}, taken(build)
    for operator, versions in schemas().items():
        for schema in versions:
            if re.search(pattern, operator) and schema.since_version >= oldest.get(operator, 2**31):
                found.setdefault((operator, schema.since_version), {"operator": operator, "version": schema.since_version, "types": [],
                                                                    "stated": [0, 0], "symbolic": [0, 0], "not": []})
    return [row for _, row in sorted(found.items())]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", metavar="REGEX", help="only operators in whose name it is found: the results of others stay")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        return measure_part(options.build, *map(int, options.part.split("/")), options.only)
    rows = measure(options.build.resolve(), options.jobs, options.only)
    if options.only:
        kept = [row for row in json.loads(RESULTS.read_text()) if not re.search(options.only, row["operator"])]
        rows = sorted(kept + rows, key=lambda row: (row["operator"], row["version"]))
    text = "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"
    RESULTS.write_text(text)
    print(f"wrote {RESULTS.relative_to(ROOT)}: {len(rows)} versions of {len({row['operator'] for row in rows})} operators")


if __name__ == "__main__":
    main()

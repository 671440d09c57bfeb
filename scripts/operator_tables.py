"""The text of docs/operators.md: which operators a model may have, at which versions, with which element types, and whether
their sizes may be known only at run time. Operators are those that `tenon-compile --print-operators` prints, results those
that measure_operators.py recorded in docs/operators.json.
"""

import json
import re
import subprocess

import measure_operators

INTRODUCTION = """# Operators

What a model may consist of. A form of an operator that isn't converted, and any other operator, is an error that names the node,
the reason and often a way out. `tenon-compile --print-operators` prints the list with the oldest version of each. This page is
written by `make docs`, and a test holds that it is true: operators are those that the tool prints, results those of runs that
`make operators` repeats and records in `docs/operators.json`.

- **Versions** are named by the operator set that they came with. Each ran and gave what the standard, or ONNX Runtime, says; of
  those in parentheses the record has no right result: there was no case, or it differed, which is listed below.
- **Element types** of the first operand (of the first result where there is none), at the newest version, that ran and gave the
  results of the standard or of the reference interpreter; *all* are those of the standard.
- **Sizes at run time**: of the standard's cases those that are right too when no size of an input is known before the model runs.
"""

MICROSOFT = """
## ONNX Runtime's operators

What ONNX Runtime's optimisers and quantisers, its tools for transformers and onnxruntime-genai write beside the standard's
operators: domain `com.microsoft`, version 1, which a model needn't import.

- `SimplifiedLayerNormalization` and, at any version, `LayerNormalization` stand in the standard's domain.
- Numbers are those of ONNX Runtime on the CPU, where it has the operator there; else those of its documentation's formulas.
- Caches of `GroupQueryAttention` may grow or be buffers with room: what isn't in use stays as it is, and must be finite where sequences of
  a batch differ in length. Past and present may be one buffer (`aliases`), where only new keys and values are written.
- `MoE` and `QMoE` compute all experts.
- Models saved at a level above `ORT_ENABLE_EXTENDED` are laid out for the machine that saved them, and are refused.

"""

# Operators of no domain that no operator set of the standard has any more, or ever had.
FORMER = """
## Beside the standard

Of the first operator sets, or written by tools into the standard's domain: {}.
"""

TITLES = {"": "ONNX's operators", "ai.onnx.ml": "Classical models: `ai.onnx.ml`", "ai.onnx.preview": "`ai.onnx.preview`",
          "ai.onnx.preview.training": "Optimisers: `ai.onnx.preview.training`"}

SHORT = {"float": "f32", "double": "f64", "float16": "f16", "bfloat16": "bf16", "complex64": "c64", "complex128": "c128", "float8e4m3fn": "f8e4m3fn",
         "float8e4m3fnuz": "f8e4m3fnuz", "float8e5m2": "f8e5m2", "float8e5m2fnuz": "f8e5m2fnuz", "float8e8m0": "f8e8m0", "float4e2m1": "f4e2m1"}


def short(name):
    return SHORT.get(name) or re.sub(r"^(u?)int", r"\1i", name)


def order(name):
    return next(i for i, start in enumerate(("f", "b", "c", "i", "u", "s", "")) if name.startswith(start)), len(name), name


def listed(names):
    return ", ".join(sorted(map(short, names), key=order))


def operators(build):
    """What tenon-compile says: oldest versions by name, reasons against others by name."""
    lines = subprocess.run([build / "bin" / "tenon-compile", "--print-operators"], check=True, capture_output=True, text=True).stdout
    return measure_operators.taken(build), dict(re.findall(r"^(\S+): (.*)$", lines, re.MULTILINE))


class Stale(Exception):
    """What was recorded isn't of the operators that are converted."""


def problems_of(name, version, entry):
    """A line for each reason, with the types that it is of."""
    types = {}
    for text in entry["not"]:
        element, _, reason = text.partition(": ")
        types.setdefault((reason.replace(element, "_"), element.partition(",")[2]), []).append(element.partition(",")[0])
    for (reason, where), elements in types.items():
        yield f"| `{name}` {version} | {listed(elements)}{where}: {reason.replace('|', chr(92) + '|')} |"


def row(operator, versions, results):
    for schema in versions:
        if schema.since_version not in results:
            raise Stale(f"nothing is recorded of version {schema.since_version} of {operator}")
    newest = results[versions[-1].since_version]
    ran = [f"{schema.since_version}" if results[schema.since_version]["stated"][0] else f"({schema.since_version})"
           for schema in reversed(versions)]
    allowed, right = measure_operators.types_of_first_operand(versions[-1]), set(newest["types"])
    types = "all" if allowed <= right else listed(right)
    if len(allowed) == 1 or not types:
        types = listed(right) or "-"
    good, count = map(sum, zip(*(entry["symbolic"] for entry in results.values())))
    return f"| `{operator.rpartition('.')[2]}` | {', '.join(ran)} | {types} | {f'{good} of {count}' if count else '-'} |"


def page(build):
    known, (oldest, refused) = measure_operators.schemas(), operators(build)
    recorded = {}
    for entry in json.loads(measure_operators.RESULTS.read_text()):
        recorded.setdefault(entry["operator"], {})[entry["version"]] = entry
    if unknown := set(recorded) - set(oldest):
        raise Stale(f"{', '.join(sorted(unknown))} is recorded, but not converted")
    parts, problems = [INTRODUCTION], []
    for domain, title in TITLES.items():
        names = sorted(name for name in known if name.rpartition(".")[0] == domain and name in oldest)
        parts.append(f"\n## {title}\n\n| operator | versions | element types | sizes at run time |\n|---|---|---|---|")
        for name in names:
            versions = [schema for schema in known[name] if schema.since_version >= oldest[name]]
            results = recorded.get(name, {})
            if unknown := set(results) - {schema.since_version for schema in versions}:
                raise Stale(f"version {min(unknown)} of {name} is recorded, but not converted")
            parts.append(row(name, versions, results))
            problems += [line for version, entry in sorted(results.items()) for line in problems_of(name, version, entry)]
    if problems:
        parts.append("\n### Forms that are refused, or differ\n\n| operator, version | first operand, reason |\n|---|---|\n" + "\n".join(problems))
    former = sorted(name for name in oldest if name not in known and "." not in name)
    parts.append(FORMER.format(", ".join(f"`{name}`" for name in former)))
    names = sorted(name.rpartition(".")[2] for name in oldest if name.startswith("com.microsoft."))
    rows = [names[i:i + 3] + [""] * (3 - len(names[i:i + 3])) for i in range(0, len(names), 3)]
    parts.append(MICROSOFT + "| | | |\n|---|---|---|\n" +
                 "\n".join("| " + " | ".join(f"`{name}`" if name else "" for name in row) + " |" for row in rows))
    parts.append("\n## Refused\n\n| operator | reason |\n|---|---|\n" +
                 "\n".join(f"| `{name.removeprefix('com.microsoft.')}` | {reason} |" for name, reason in sorted(refused.items())) + "\n")
    return "\n".join(parts)

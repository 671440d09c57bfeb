#!/usr/bin/env python3
"""Writes lib/Conversion/ONNXToTenon/Signatures.inc: which element types each operator of ONNX takes, which attributes of
which kinds it has and how many results it gives, from the schemas of the installed onnx package. With --check nothing is written; exit code 1 says that the file isn't what the schemas give.
"""
import argparse
import pathlib
import re
import sys

import onnx

FILE = pathlib.Path(__file__).resolve().parent.parent / "lib/Conversion/ONNXToTenon/Signatures.inc"

HEADER = """\
//===- Signatures.inc - What ONNX lets operators take and give ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Written by scripts/update_signatures.py. A set has a bit for each number of `TensorProto.DataType`; an operator has a set
// for each operand, of all its versions, the last one also for those that follow. Signatures hold from a version on: how
// many results there are at most, and the names of attributes, each behind a letter for its kind. Operators of other domains
// than ai.onnx stand behind their domain, and take what their converters do.

"""

# Letters of the kinds of attributes, as Signatures.cpp reads them.
KINDS = {
    "FLOAT": "f", "INT": "i", "STRING": "s", "TENSOR": "t", "GRAPH": "g", "FLOATS": "F", "INTS": "I", "STRINGS": "S",
    "TENSORS": "T", "GRAPHS": "G", "SPARSE_TENSOR": "x", "SPARSE_TENSORS": "X", "TYPE_PROTO": "p", "TYPE_PROTOS": "P",
}


def element_types(schema, operand):
    """The types of an operand's tensors; nothing where it may be no tensor."""
    names = {operand.type_str}
    for constraint in schema.type_constraints:
        if constraint.type_param_str == operand.type_str:
            names = set(constraint.allowed_type_strs)
    return {match[1] for name in names if (match := re.fullmatch(r"(?:optional\()?tensor\((\w+)\)+", name))}


def operand_types():
    """By operator, a set of type names per operand. A variadic one stands for all that other versions have behind it."""
    versions = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if not schema.domain:
            versions.setdefault(schema.name, []).append(schema)
    types = {}
    for name, schemas in versions.items():
        known = types[name] = [set() for _ in range(max(len(schema.inputs) for schema in schemas))]
        for schema in schemas:
            operands = list(schema.inputs)
            if operands and operands[-1].option == onnx.defs.OpSchema.FormalParameterOption.Variadic:
                operands += [operands[-1]] * (len(known) - len(operands))
            for types_of_operand, operand in zip(known, operands):
                types_of_operand |= element_types(schema, operand)
    return types


def signatures():
    """By operator and first version, the most results and the kinds and names of attributes, where they change."""
    found = {}
    for schema in sorted(onnx.defs.get_all_schemas_with_history(), key=lambda schema: schema.since_version):
        versions = found.setdefault(f"{schema.domain}::{schema.name}" if schema.domain else schema.name, {})
        attributes = " ".join(KINDS[a.type.name] + name for name, a in sorted(schema.attributes.items()))
        signature = min(schema.max_output, 2**31 - 1), attributes
        if not versions or list(versions.values())[-1] != signature:
            versions[schema.since_version] = signature
    return found


def text():
    numbers = {onnx.TensorProto.DataType.Name(n).lower(): n for n in onnx.TensorProto.DataType.values()}
    types = operand_types()
    sets = sorted({tuple(sorted(s, key=numbers.get)) for operands in types.values() for s in operands})
    lines = [HEADER]
    for i, names in enumerate(sets):
        lines.append(f"// {i}: {', '.join(names) or 'no tensors'}\n")
        lines.append(f"ELEMENT_SET(0x{sum(1 << numbers[name] for name in names):08X})\n")
    lines.append("\n")
    for name, operands in sorted(types.items()):
        if operands:
            indices = [str(sets.index(tuple(sorted(s, key=numbers.get)))) for s in operands]
            while len(indices) > 1 and indices[-1] == indices[-2]:
                indices.pop()
            lines.append(f'OPERAND_SETS("{name}", {", ".join(indices)})\n')
    lines.append("\n")
    for name, versions in sorted(signatures().items()):
        for since, (results, attributes) in versions.items():
            lines.append(f'SIGNATURE("{name}", {since}, {results}, "{attributes}")\n')
    return "".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        return int(FILE.read_text() != text())
    FILE.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())

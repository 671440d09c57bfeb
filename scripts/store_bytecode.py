#!/usr/bin/env python3
"""Stores bytecode of each dialect, as this build writes it, and the text that it must be read as.

Every op of a dialect is in its file: the modules of the tests in test/Dialect/<dialect> that go through bytecode. Later builds
must go on reading it, so a file of a released version is never written again: see CONTRIBUTING.md.

With --check nothing is written; exit code 1 says that an op is in no stored file, or that a file isn't read as its text.
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMESPACES = {"Tenon": "tenon", "Tile": "tenon_tile", "Host": "tenon_host", "ONNX": "tenon_onnx"}


def version_of(dialect):
    """The version that the dialect's bytecode has today."""
    for source in (ROOT / "lib/Dialect" / dialect / "IR").glob("*.cpp"):
        if found := re.search(r"addInterface<VersionedBytecode>\(/\*current=\*/(\d+)\)", source.read_text()):
            return int(found[1])
    raise SystemExit(f"no version of dialect {dialect} in its sources")


def op_names(dialect):
    """The names of the ops that the dialect's TableGen files define."""
    names = set()
    for source in (ROOT / "include/tenon/Dialect" / dialect / "IR").glob("*.td"):
        names.update(re.findall(r'^def \w+\s*:\s*\w+Op<"(\w+)"', source.read_text(), re.MULTILINE))
    return names


def run(opt, path):
    # From the standard input, so that files of constants keep the names that they have in the text.
    with open(path, "rb") as file:
        return subprocess.run([*opt, "--mlir-print-local-scope"], stdin=file, stdout=subprocess.PIPE, text=True, check=True).stdout


def combined(opt, dialect):
    """One module with a module for each test of the dialect that goes through bytecode."""
    modules = []
    for test in sorted((ROOT / "test/Dialect" / dialect).glob("*.mlir")):
        if "--emit-bytecode" in test.read_text():
            modules.append(run(opt, test).replace("module {", f"module @{test.stem.replace('-', '_')} {{", 1))
    return "module {\n" + "\n".join(modules) + "}\n"


def check(opt, dialect):
    """What is wrong with the dialect's stored files, in words."""
    problems, stored_ops = [], set()
    for stored in sorted((ROOT / "test/Dialect" / dialect / "Inputs").glob("*.mlirbc")):
        expected = stored.with_suffix(".mlir").read_text()
        with open(stored, "rb") as file:
            read = subprocess.run([*opt, "--mlir-print-local-scope"], stdin=file, capture_output=True, text=True)
        if read.returncode:
            problems.append(f"{stored.relative_to(ROOT)} can't be read: {read.stderr.strip()}")
            continue
        if read.stdout != expected:
            problems.append(f"{stored.relative_to(ROOT)} is not read as the text beside it")
        # Some ops are printed without their dialect's name.
        stored_ops.update(re.findall(rf'"{NAMESPACES[dialect]}\.(\w+)"', run([*opt, "--mlir-print-op-generic"], stored)))
    if missing := sorted(op_names(dialect) - stored_ops):
        problems.append(f"no stored bytecode of dialect {NAMESPACES[dialect]} has {', '.join(missing)}: give them a test that goes "
                        "through bytecode, and run scripts/store_bytecode.py")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opt", default=str(ROOT / "build/bin/tenon-opt"), help="the program that reads and writes, with its options")
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    opt = options.opt.split()
    problems = []
    for dialect in NAMESPACES:
        if options.check:
            problems += check(opt, dialect)
            continue
        path = ROOT / "test/Dialect" / dialect / "Inputs" / f"{NAMESPACES[dialect]}-v{version_of(dialect)}.mlir"
        path.parent.mkdir(exist_ok=True)
        path.write_text(combined(opt, dialect))
        path.write_text(run(opt, path))
        # From the standard input too, so that no location names a machine's folders.
        with open(path, "rb") as text, open(path.with_suffix(".mlirbc"), "wb") as bytecode:
            subprocess.run([*opt, "--emit-bytecode"], stdin=text, stdout=bytecode, check=True)
        print(f"wrote {path.relative_to(ROOT)} and its bytecode")
    for problem in problems:
        print(problem, file=sys.stderr)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())

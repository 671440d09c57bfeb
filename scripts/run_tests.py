#!/usr/bin/env python3
"""Runs the test suites of a build and ends with one line, `N passed, N failed`, over all of them.

Exit code 1 when a test failed, or when a suite ran none.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
LICENCE = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
LIMIT = 300  # seconds that a test, or a binary of unit tests, may take: one that hangs is a failure with a name (the slowest take 5)


def run_format(build, results):
    """Whether all sources are as `make format` leaves them, and state the licence."""
    folders = ("cmake", "examples", "fuzz", "include", "lib", "python", "test", "tools", "unittests")
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*")) if file.suffix in (".cpp", ".h", ".c", ".td")]
    formatted = [file for file in files if file.suffix != ".td"]
    said = subprocess.run(["clang-format-22", "--dry-run", "-Werror", *formatted], capture_output=True, text=True).stderr
    for name in sorted({line.split(":")[0] for line in said.splitlines() if ": error:" in line}):
        print(f"format: {pathlib.Path(name).relative_to(ROOT)} is not as `make format` leaves it")
    bare = [file for file in files if LICENCE not in file.read_text(errors="replace")[:1000]]
    for file in bare:
        print(f"format: {file.relative_to(ROOT)} doesn't state the licence")
    return int(not said) + int(not bare), int(bool(said)) + int(bool(bare))


def run_unit(build, results):
    """GoogleTest binaries, one after the other."""
    passed = failed = 0
    for binary in sorted((build / "bin").glob("tenon-*-tests")):
        report = results / f"{binary.name}.json"
        try:
            code = subprocess.run([binary, f"--gtest_output=json:{report}", "--gtest_brief=1"], timeout=LIMIT).returncode
        except subprocess.TimeoutExpired:
            code = f"no result in {LIMIT} seconds"
        if not report.exists():
            print(f"unit: {binary.name} ended with {code} and left no report")
            failed += 1
            continue
        counts = json.loads(report.read_text())
        bad = counts["failures"] + counts["errors"]
        cases = [case for suite in counts["testsuites"] for case in suite["testsuite"]]
        skipped = sum(case["result"] == "SKIPPED" for case in cases)
        passed += counts["tests"] - bad - counts["disabled"] - skipped
        failed += max(bad, int(code != 0))
    return passed, failed


def run_lit(build, results):
    """The lit tests, under tenon-opt and under stock mlir-opt with the plugin."""
    lit = pathlib.Path(sys.executable).parent / "lit"
    passed = failed = 0
    for name, options in (("tenon-opt", []), ("plugin", ["--param", "plugin=1", "--filter", "Dialect|Conversion|Codegen"])):
        report = results / f"lit-{name}.json"
        subprocess.run([lit, "-q", f"--timeout={LIMIT}", *options, "--output", report, build / "test"])
        if not report.exists():
            return passed, failed + 1
        for test in json.loads(report.read_text())["tests"]:
            passed += test["code"] in ("PASS", "XFAIL", "FLAKYPASS")
            failed += test["code"] in ("FAIL", "XPASS", "UNRESOLVED", "TIMEOUT")
    return passed, failed


def run_python(build, results):
    """The Python package's tests, a worker per core: each takes a file at a time, whose tests share what they make. A
    test that hangs prints where, and ends its worker.
    """
    report = results / "pytest.xml"
    environment = dict(os.environ, PYTHONPATH=str(build / "python"), TENON_BUILD=str(build))
    subprocess.run([sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", "-p", "no:cacheprovider",
                    "-o", f"faulthandler_timeout={LIMIT}", "-o", "faulthandler_exit_on_timeout=true", "--max-worker-restart=0",
                    "-n", str(len(os.sched_getaffinity(0))), "--dist=loadfile", ROOT / "python" / "tests"], env=environment)
    if not report.exists():
        return 0, 1
    suite = next(xml.parse(report).getroot().iter("testsuite"))
    bad = int(suite.get("failures")) + int(suite.get("errors"))
    return int(suite.get("tests")) - bad - int(suite.get("skipped")), bad


SUITES = {"format": run_format, "unit": run_unit, "lit": run_lit, "python": run_python}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--suites", default=",".join(SUITES), help="which of: " + ", ".join(SUITES))
    options = parser.parse_args()
    totals = [0, 0]
    with tempfile.TemporaryDirectory() as directory:
        for name in options.suites.split(","):
            passed, failed = SUITES[name](options.build.resolve(), pathlib.Path(directory))
            if passed + failed == 0:
                print(f"{name}: no test ran")
                failed = 1
            print(f"{name}: {passed} of {passed + failed}", flush=True)
            totals[0] += passed
            totals[1] += failed
    print(f"{totals[0]} passed, {totals[1]} failed")
    return int(totals[1] != 0)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Compiles models with Tenon and compares what they compute with what is expected.

    check_models.py FOLDER [--only NAME,...] [--threads N] [--make]

FOLDER receives the models of models/make_models.py that are not there yet. Each is compiled, run at both of its sizes
where it has two, and compared with ONNX Runtime's outputs within the model's tolerance. Ends with one line,
`N passed, N failed`.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
from peers import largest_error

MAKER = pathlib.Path(__file__).parent / "models" / "make_models.py"


def make_missing(folder, only):
    listed = subprocess.run([sys.executable, MAKER, "--list"], check=True, capture_output=True, text=True).stdout
    names = [line.split()[0] for line in listed.splitlines()]
    unknown = sorted(set(only or ()) - set(names))
    if unknown:
        sys.exit(f"no model named {', '.join(unknown)}")
    names = only or names
    missing = [name for name in names if not (folder / name / "meta.json").exists()]
    if missing:
        print(f"making {len(missing)} models in {folder}", flush=True)
        subprocess.run([sys.executable, MAKER, folder, "--only", ",".join(missing)], check=False)
    return names


def check(folder, threads):
    """Compiles and runs one model; prints one line."""
    import tenon

    tolerance = json.loads((folder / "meta.json").read_text())["tolerance"]
    start = time.perf_counter()
    model = tenon.compile(folder / "model.onnx", threads=threads)
    seconds = time.perf_counter() - start
    errors = []
    for suffix in ("", "_alt"):
        if (folder / f"inputs{suffix}.npz").exists():
            outputs = model.run(dict(np.load(folder / f"inputs{suffix}.npz")))
            errors.append(largest_error(outputs, dict(np.load(folder / f"expected{suffix}.npz"))))
    right = max(errors) <= tolerance
    print(f"{folder.name:24} {'ok' if right else 'WRONG':6} compiled in {seconds:6.1f} s, error "
          f"{' and '.join(f'{e:.1e}' for e in errors)}, tolerance {tolerance:.0e}", flush=True)
    return right


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", metavar="NAME,...")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--make", action="store_true", help="make the models that are missing and stop")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return 0 if check(options.folder, options.threads) else 1
    names = make_missing(options.folder, options.only.split(",") if options.only else None)
    passed = failed = 0
    for name in [] if options.make else names:
        # Each in a process of its own: what one breaks, the others don't see.
        command = [sys.executable, __file__, "--one", options.folder / name]
        command += ["--threads", str(options.threads)] if options.threads else []
        result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        passed += result.returncode == 0
        failed += result.returncode != 0
        if result.returncode not in (0, 1) or (result.returncode == 1 and result.stderr):
            reason = (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
            print(f"{name:24} FAILED {reason[:300]}", flush=True)
    if not options.make:
        print(f"{passed} passed, {failed} failed")
    return int(failed != 0)


if __name__ == "__main__":
    sys.exit(main())

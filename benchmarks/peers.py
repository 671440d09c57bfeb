#!/usr/bin/env python3
"""Time one or more ONNX models on several inference stacks, side by side.

    peers.py MODEL_DIR... [--backends ort,openvino,iree,tvm,tenon] [--threads 1]
             [--rounds 7] [--seconds 0.5] [--json OUT.json]

A MODEL_DIR holds `model.onnx`, `inputs.npz` (input name -> array) and
`expected.npz` (output name -> array, from a float32 reference run); where the
model has dynamic sizes also `inputs_alt.npz` and `expected_alt.npz`, which the
same loaded model must get right too; `meta.json` gives the `tolerance`.

Method. Every backend lives in its own process, loads (or compiles) the model
once, checks its outputs against `expected.npz`, and warms up. Then the
backends take turns, round by round, each running for `--seconds`; a round
yields one median latency per backend. What is printed is the median over the
rounds, and the ratio `peer / tenon` computed round by round (its median), so
that a machine whose speed drifts does not favour anyone. A ratio above 1
means that Tenon is faster.

Tenon is reached through its Python package, as a user reaches it:
    import tenon
    m = tenon.compile("model.onnx", threads=N)    # returns a callable model
    outputs = m.run({"name": array, ...})         # dict of output arrays

Columns: load_s = time to a runnable model (compilation included), rss_mb =
peak resident memory of that backend's process, err = largest normalised error
against what is expected at both sizes (max |a-b| / (max |b| + 1e-6)); `!` marks
an error above the model's tolerance: such a peer is fast for the wrong reason.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ALL = ["ort", "openvino", "iree", "tvm", "tenon"]


# --------------------------------------------------------------------------
# One loader per backend: (model path, feeds, threads) -> callable -> {name: array}
# --------------------------------------------------------------------------
def load_ort(path, feeds, threads):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return lambda arrays=feeds: dict(zip(names, session.run(names, arrays)))


def load_openvino(path, feeds, threads):
    import openvino as ov

    core = ov.Core()
    config = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": str(threads),
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": "NO",
    }
    model = core.read_model(path)
    compiled = core.compile_model(model, "CPU", config)
    request = compiled.create_infer_request()

    def run(arrays=feeds):
        request.infer(arrays, share_inputs=True, share_outputs=True)
        return {
            name: request.get_output_tensor(i).data
            for i, port in enumerate(compiled.outputs) for name in port.get_names()
        }

    return run


def load_iree(path, feeds, threads):
    import iree.runtime as rt

    work = tempfile.mkdtemp()
    mlir, vmfb = f"{work}/m.mlir", f"{work}/m.vmfb"
    tools = pathlib.Path(sys.executable).parent
    subprocess.run([str(tools / "iree-import-onnx"), path, "-o", mlir, "--opset-version", "17"],
                   check=True, capture_output=True, text=True)
    subprocess.run([str(tools / "iree-compile"), mlir, "-o", vmfb,
                    "--iree-hal-target-device=local", "--iree-hal-local-target-device-backends=llvm-cpu",
                    "--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3"],
                   check=True, capture_output=True, text=True)
    driver = "local-sync" if threads == 1 else "local-task"
    if threads > 1:
        rt.flags.parse_flags(f"--task_topology_group_count={threads}")
    config = rt.Config(driver)
    context = rt.SystemContext(config=config)
    context.add_vm_module(rt.VmModule.mmap(context.instance, vmfb))
    module = [m for n, m in context.modules.items() if n not in ("hal", "vm_runtime")][0]
    name = [f for f in module.vm_module.function_names if not f.startswith("__") and not f.endswith("$async")][0]
    function = module[name]
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    initial = {i.name for i in graph.initializer}
    order = [i.name for i in graph.input if i.name not in initial]
    outputs = [o.name for o in graph.output]
    def run(arrays=None):
        result = function(*(device_feeds if arrays is None else to_device(arrays)))
        if not isinstance(result, (tuple, list)):
            result = [result]
        return {n: r.to_host() for n, r in zip(outputs, result)}

    return run


def load_tvm(path, feeds, threads):
    os.environ["TVM_NUM_THREADS"] = str(threads)
    import onnx
    import tvm
    from tvm import relax
    from tvm.relax.frontend.onnx import from_onnx

    model = onnx.load(path)
    module = from_onnx(model, shape_dict={k: list(v.shape) for k, v in feeds.items()}, keep_params_in_input=False)
    target = tvm.target.Target({"kind": "llvm", "mcpu": host_cpu(), "num-cores": threads})
    with target:
        module = relax.get_pipeline("zero")(module)
        executable = tvm.compile(module, target=target)
    vm = relax.VirtualMachine(executable, tvm.cpu())
    initial = {i.name for i in model.graph.initializer}
    order = [i.name for i in model.graph.input if i.name not in initial]
    outputs = [o.name for o in model.graph.output]
    to_arguments = lambda arrays: [tvm.runtime.tensor(arrays[n]) for n in order]
    arguments = to_arguments(feeds)

    def run(arrays=None):
        result = vm["main"](*(arguments if arrays is None else to_arguments(arrays)))
        if hasattr(result, "numpy"):
            result = [result]
        return {n: r.numpy() for n, r in zip(outputs, result)}

    return run


def load_tenon(path, feeds, threads):
    import tenon

    model = tenon.compile(path, threads=threads)
    return lambda arrays=feeds: model.run(arrays)


def host_cpu():
    out = subprocess.run(["/usr/lib/llvm-22/bin/llc", "--version"], capture_output=True, text=True).stdout
    return next((l.split(":")[1].strip() for l in out.splitlines() if "Host CPU" in l), "x86-64-v3")


# --------------------------------------------------------------------------
# Worker: one backend, one model; obeys 'go SECONDS' lines on standard input
# --------------------------------------------------------------------------
def worker(backend, model_dir, threads):
    import numpy as np

    directory = pathlib.Path(model_dir)
    feeds = dict(np.load(directory / "inputs.npz"))
    expected = dict(np.load(directory / "expected.npz"))
    reply = lambda d: print("@" + json.dumps(d), flush=True)
    start = time.perf_counter()
    try:
        run = globals()[f"load_{backend}"](str(directory / "model.onnx"), feeds, threads)
        outputs = {k: np.array(v) for k, v in run().items()}
    except BaseException as error:  # the report must name any failure of a backend
        detail = getattr(error, "stderr", "") or str(error)
        reply({"error": f"{type(error).__name__}: {detail[:300]}"})
        return
    load_s = time.perf_counter() - start
    worst = largest_error(outputs, expected)
    try:
        if (directory / "inputs_alt.npz").exists():
            other = {k: np.array(v) for k, v in run(dict(np.load(directory / "inputs_alt.npz"))).items()}
            worst = max(worst, largest_error(other, dict(np.load(directory / "expected_alt.npz"))))
    except BaseException as error:
        worst = float("inf")
        print(f"at the other size: {error}", file=sys.stderr)
    meta = directory / "meta.json"
    tolerance = json.loads(meta.read_text())["tolerance"] if meta.exists() else 1e-4
    once = time.perf_counter()
    run()
    once = time.perf_counter() - once
    for _ in range(min(50, int(0.3 / max(once, 1e-6)) + 1)):
        run()
    reply({"load_s": load_s, "err": worst, "right": worst <= tolerance})
    for line in sys.stdin:
        word, _, value = line.partition(" ")
        if word != "go":
            break
        samples, end = [], time.perf_counter() + float(value)
        while not samples or time.perf_counter() < end:
            t = time.perf_counter()
            run()
            samples.append(time.perf_counter() - t)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        reply({"median_ms": statistics.median(samples) * 1e3, "n": len(samples), "rss_mb": peak})


def largest_error(outputs, expected):
    import numpy as np

    worst = 0.0
    for name, want in expected.items():
        got = outputs.get(name)
        if got is None or got.shape != want.shape:
            return float("inf")
        if want.size:
            want = want.astype(np.float64)
            error = float(np.abs(got.astype(np.float64) - want).max() / (np.abs(want).max() + 1e-6))
            worst = max(worst, error if error == error else float("inf"))
    return worst


def read_reply(process, timeout):
    import select

    end = time.time() + timeout
    while True:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, end - time.time()))
        if not ready:
            return {"error": f"no answer in {timeout} s"}
        line = process.stdout.readline()
        if not line:
            return {"error": f"process ended, exit code {process.wait()}"}
        if line.startswith("@"):
            return json.loads(line[1:])


def measure(model_dir, backends, threads, rounds, seconds, load_timeout):
    rows, live = {}, {}
    for backend in backends:
        process = subprocess.Popen(
            [sys.executable, __file__, "--worker", backend, str(model_dir), str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        answer = read_reply(process, load_timeout)
        rows[backend] = answer
        if "error" in answer:
            process.kill()
        else:
            live[backend] = process
            answer["rounds"] = []
    for _ in range(rounds):
        for backend, process in list(live.items()):
            process.stdin.write(f"go {seconds}\n")
            process.stdin.flush()
            answer = read_reply(process, seconds * 20 + 120)
            if "error" in answer:
                rows[backend]["error"] = answer["error"]
                del live[backend]
                continue
            rows[backend]["rounds"].append(answer["median_ms"])
            rows[backend]["rss_mb"] = answer["rss_mb"]
    for backend, process in live.items():
        process.stdin.close()
        process.wait()
        rows[backend]["ms"] = statistics.median(rows[backend]["rounds"])
    mine = rows.get("tenon", {})
    for backend, row in rows.items():
        if "ms" in row and "ms" in mine:
            row["vs_tenon"] = statistics.median(p / t for p, t in zip(row["rounds"], mine["rounds"]))
    return rows


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--worker":
        worker(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--backends", default=",".join(ALL))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--load-timeout", type=float, default=300)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    report = {}
    print(f"{'model':28} {'backend':9} {'ms':>9} {'/tenon':>7} {'load_s':>7} {'rss_mb':>7} {'err':>8}")
    for model_dir in args.models:
        rows = measure(model_dir, args.backends.split(","), args.threads, args.rounds, args.seconds, args.load_timeout)
        report[model_dir.name] = rows
        for backend, row in rows.items():
            if "ms" not in row:
                print(f"{model_dir.name:28} {backend:9} FAILED {row.get('error', '')[:150]!r}", flush=True)
                continue
            print(f"{model_dir.name:28} {backend:9} {row['ms']:9.3f} {row.get('vs_tenon', float('nan')):7.2f} "
                  f"{row['load_s']:7.2f} {row['rss_mb']:7.0f} {row['err']:8.1e}{'' if row['right'] else ' !'}", flush=True)
        if args.json:
            args.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()

"""Where tools write, and what stays of it when they can't or are ended: outputs.py DIRECTORY."""
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import threading

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

directory = sys.argv[1]
os.makedirs(directory)
os.chdir(directory)
os.mkdir("tmp")
os.environ["TMPDIR"] = os.path.abspath("tmp")


def value(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


weights = numpy_helper.from_array(numpy.arange(1024, dtype=numpy.float32).reshape(32, 32), "w")
small = numpy_helper.from_array(numpy.ones(32, numpy.float32), "b")
graph = helper.make_graph(
    [helper.make_node("Identity", ["w"], ["v"]), helper.make_node("Neg", ["v"], ["n"]),
     helper.make_node("MatMul", ["x", "n"], ["p"]), helper.make_node("Add", ["p", "b"], ["y"])],
    "g", [value("x", "rows", 32)], [value("y", "rows", 32)], [weights, small])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
onnx.save(model, "model.onnx")
onnx.save(model, "outside.onnx", save_as_external_data=True, location="outside.bin", size_threshold=0)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def listing():
    return sorted(os.listdir(".")), os.listdir("tmp")


def succeeds(*command, **options):
    result = run(*command, **options)
    assert result.returncode == 0, (command, result)
    return result


def fails(words, *command, status=1, **options):
    """One line of error, and nothing is left."""
    before = listing()
    result = run(*command, **options)
    assert result.returncode == status, (command, result)
    assert words in result.stderr and result.stderr.count("\n") == 1, (command, result.stderr)
    assert listing() == before, (command, listing())


succeeds("tenon-compile", "model.onnx", "-o", "model.so")
succeeds("tenon-compile", "model.onnx", "--emit=graph", "-o", "graph.mlir")
assert "#tenon.blob" in open("graph.mlir").read() and os.path.exists("graph.mlir.constants")
succeeds("tenon-translate", "--import-onnx", "model.onnx", "-o", "model.mlir")
so = open("model.so", "rb").read()
writers = {
    "model.so": ["tenon-compile", "model.onnx", "-o"],
    "graph.mlir": ["tenon-compile", "model.onnx", "--emit=graph", "-o"],
    "model.mlir": ["tenon-translate", "--import-onnx", "model.onnx", "-o"],
    "again.mlir": ["tenon-opt", "model.mlir", "-o"],
}

# A device, as a node of our own where that is allowed.
full = "/dev/full"
try:
    os.mknod("full", stat.S_IFCHR | 0o666, os.stat(full).st_rdev)
    open("full", "wb").close()
    full = "full"
except PermissionError:
    pass

# A limit of the process on the size of files.
limited = dict(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.getrlimit(resource.RLIMIT_FSIZE)[1])))
fails("File too large", "tenon-compile", "model.onnx", "-o", "limited.so", **limited)
fails("File too large", "tenon-compile", "model.onnx", "--emit=asm", "--quiet", "-o", "limited.s", **limited)
fails("File too large", "tenon-run", "model.so", "--random", "--symbol", "rows=100", "--output", "limited.npz", **limited)

for name, command in writers.items():
    # Links stay, what they lead to is replaced, or made.
    os.mkdir("links")
    os.symlink("../behind-" + name, "links/" + name)
    for _ in "made", "replaced":
        succeeds(*command, "links/" + name)
        assert os.path.islink("links/" + name) and not os.path.islink("behind-" + name)
        assert os.path.getsize("behind-" + name) > 100
    shutil.rmtree("links")
    # A pipe takes all of it.
    os.mkfifo("pipe")
    taken = []
    reader = threading.Thread(target=lambda: taken.append(open("pipe", "rb").read()))
    reader.start()
    succeeds(*command, "pipe")
    reader.join()
    assert stat.S_ISFIFO(os.stat("pipe").st_mode) and len(taken[0]) > 100
    assert name != "model.so" or taken[0] == so
    os.remove("pipe")
    # So does the standard output by another name, which goes on where it is.
    with open("appended", "wb") as out:
        out.write(b"before")
        out.flush()
        assert subprocess.run([*command, "/dev/stdout", *(["--quiet"] if name == "model.so" else [])],
                              stdout=out).returncode == 0
    assert open("appended", "rb").read(6) == b"before" and os.path.getsize("appended") > 100
    os.remove("appended")
    # A device is written to.
    fails("No space left on device", *command, full)
    assert stat.S_ISCHR(os.stat(full).st_mode)
    # What can't be written.
    fails("No such file or directory", *command, "absent/" + name)
    fails("Is a directory", *command, "tmp")

# The input, and what it refers to, is never overwritten.
with open("square.mlir", "w") as text:
    text.write("func.func @main() -> tensor<2xf32> {\n  %0 = tenon.constant dense<4.0> : tensor<2xf32>\n"
               "  return %0 : tensor<2xf32>\n}\n")
for target in "model.onnx", "./model.onnx":
    fails("would overwrite", "tenon-compile", "model.onnx", "-o", target)
    fails("would overwrite", "tenon-translate", "--import-onnx", "model.onnx", "-o", target)
for target in "outside.onnx", "outside.bin":
    fails("would overwrite", "tenon-compile", "outside.onnx", "-o", target)
    fails("would overwrite", "tenon-translate", "--import-onnx", "outside.onnx", "-o", target)
fails("would overwrite", "tenon-compile", "graph.mlir", "-o", "graph.mlir.constants")
fails("would overwrite", "tenon-compile", "graph.mlir", "--emit=kernels", "-o", "graph.mlir")
fails("would overwrite", "tenon-opt", "graph.mlir", "-o", "graph.mlir")
fails("would overwrite", "tenon-interpret", "square.mlir", "--outputs", "square.mlir")
with open("model.onnx") as stdin:
    fails("would overwrite", "tenon-compile", "-", "-o", "model.onnx", stdin=stdin)

# A standard output that takes nothing.
for command in (["tenon-compile", "model.onnx", "--emit=graph"], ["tenon-compile", "model.onnx", "-o", "model.so"],
                ["tenon-translate", "--import-onnx", "model.onnx"], ["tenon-opt", "graph.mlir"],
                ["tenon-interpret", "ones.mlir"],
                *([tool, option] for tool in ("tenon-compile", "tenon-opt", "tenon-translate", "tenon-interpret")
                  for option in ("--help", "--version"))):
    with open("ones.mlir", "w") as text:
        text.write("func.func @main() -> tensor<2xf32> {\n  %0 = tenon.constant dense<1.0> : tensor<2xf32>\n"
                   "  return %0 : tensor<2xf32>\n}\n")
    for closed in False, True:
        out = os.open("/dev/full", os.O_WRONLY)
        if closed:
            os.close(out)
            pipe, out = os.pipe()
            os.close(pipe)
        result = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True)
        os.close(out)
        words = "Broken pipe" if closed else "No space left on device"
        assert result.returncode == 1, (command, result)
        assert result.stderr == f"{command[0]}: error: cannot write to the standard output: {words}\n", result
os.remove("ones.mlir")

# A directory for temporary files is needed for constants that are computed, and for pipes.
os.environ["TMPDIR"] = os.path.abspath("absent")
fails("cannot create a temporary file in '" + os.path.abspath("absent") + "' (TMPDIR): No such file or directory",
      "tenon-compile", "model.onnx", "-o", "other.so")
os.environ["TMPDIR"] = os.path.abspath("tmp")

# Ended by a signal while it waits for a pipe's reader: nothing is left, and the status says which signal.
os.mkfifo("pipe")
for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL:
    for command in writers.values():
        before = listing()
        # What runs the tests may ignore some.
        process = subprocess.Popen([*command, "pipe"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   preexec_fn=lambda: signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None)
        while "pipe_w" not in (wait := open(f"/proc/{process.pid}/wchan").read()) and "fifo" not in wait:
            syscall = open(f"/proc/{process.pid}/syscall").read().split()
            if syscall[0] in ("257", "2") and open(f"/proc/{process.pid}/stat").read().split()[2] == "S":
                break
        process.send_signal(number)
        assert process.wait(timeout=60) == -number, (command, number, process.returncode)
        assert listing() == before, listing()
print("ok")

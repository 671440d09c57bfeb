"""Models as they lie on disks: modules and the files of their constants, links, pipes, any name: model_files.py DIRECTORY."""
import os
import re
import shutil
import subprocess
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

directory = sys.argv[1]
os.makedirs(directory)
os.chdir(directory)
ones = numpy.ones((3, 32), numpy.float32)
numpy.savez("x.npz", x=ones)


def make(factor, producer=""):
    weights = numpy_helper.from_array(factor * numpy.eye(32, dtype=numpy.float32), "w")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 32])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 32])
    # Neg of the weights is computed when compiling: such a constant has no file yet.
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Neg", ["w"], ["n"]),
             helper.make_node("MatMul", ["p", "n"], ["y"])]
    return helper.make_model(helper.make_graph(nodes, "g", [x], [y], [weights]), producer_name=producer,
                             opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def succeeds(*command, **options):
    result = run(*command, **options)
    assert result.returncode == 0, (command, result)
    return result.stdout


def fails(words, *command, **options):
    result = run(*command, **options)
    assert result.returncode == 1 and words in result.stderr, (command, result)
    return result.stderr


def check(model, factor, cwd=".", **options):
    """Compiles a model and interprets it: both give -factor * factor."""
    here = os.path.abspath(".")
    so, out = here + "/checked.so", here + "/out.npz"
    succeeds("tenon-compile", model, "-o", so, "--quiet", cwd=cwd, **options)
    succeeds("tenon-run", so, "--input", here + "/x.npz", "--output", out)
    numpy.testing.assert_array_equal(numpy.load(out)["y"], -factor * factor * ones)
    os.remove(so)
    if "stdin" in options:
        options["stdin"].seek(0)
    succeeds("tenon-interpret", model, "--inputs", here + "/x.npz", "--outputs", out, cwd=cwd, **options)
    numpy.testing.assert_array_equal(numpy.load(out)["y"], -factor * factor * ones)


# A module finds its constants from everywhere, and after a move together with them.
os.makedirs("a/deep")
onnx.save(make(2), "a/model.onnx")
for level in "import", "graph":
    os.mkdir("b")
    succeeds("tenon-compile", "a/model.onnx", "--emit=" + level, "-o", "a/model.mlir")
    names = set(re.findall(r'blob<"([^"]*)"', open("a/model.mlir").read()))
    assert names == ({"model.onnx", "model.mlir.constants"} if level == "graph" else {"model.onnx"}), names
    check("a/model.mlir", 2)
    check("../model.mlir", 2, cwd="a/deep")
    # Bytecode and what passes make of it are alike.
    succeeds("tenon-opt", "a/model.mlir", "--emit-bytecode", "-o", "a/copy.mlirbc")
    check("a/copy.mlirbc", 2)
    for passes in "--canonicalize", "--pass-pipeline=builtin.module(canonicalize)":
        succeeds("tenon-opt", passes, "a/copy.mlirbc", "-o", "b/other.mlir")
        check("b/other.mlir", 2)
    shutil.rmtree("b")
    os.rename("a", "moved")
    check("moved/model.mlir", 2)
    os.rename("moved", "a")
# Through a pipe it needs nothing but the model's own file; in a file that the shell opened, neither.
text = succeeds("tenon-compile", "a/model.onnx", "--emit=graph")
with open("piped.mlir", "w") as file:
    file.write(text)
assert set(re.findall(r'blob<"([^"]*)"', text)) == {"a/model.onnx"}
with open("piped.mlir") as stdin:
    check("-", 2, stdin=stdin)
with open("a/redirected.mlir", "w") as out:
    subprocess.run(["tenon-compile", "a/model.onnx", "--emit=graph"], stdout=out, check=True)
check("a/redirected.mlir", 2)

# Data that has changed is an error, whether its place is another or only its bytes.
succeeds("tenon-translate", "--import-onnx", "a/model.onnx", "-o", "a/model.mlir")
for changed in make(2, "another producer"), make(3):
    onnx.save(changed, "a/model.onnx")
    fails("a/model.onnx' has changed since the module that refers to it was written", "tenon-compile", "a/model.mlir", "-o", "no.so")
    fails("has changed since", "tenon-interpret", "a/model.mlir", "--inputs", "x.npz")
onnx.save(make(2), "a/model.onnx")
check("a/model.mlir", 2)
os.rename("a/model.onnx", "model.onnx")
fails("cannot read the constants in 'a/model.onnx': No such file", "tenon-compile", "a/model.mlir", "-o", "no.so")
with open("model.onnx", "r+b") as file:
    file.truncate(1000)
os.rename("model.onnx", "a/model.onnx")
fails("has 1000 bytes, but a constant lies at", "tenon-compile", "a/model.mlir", "-o", "no.so")

# Any name, and the standard input.
onnx.save(make(2), "model.onnx")
for name in "model.ONNX", "model", "model.onnx.bak", "model.pb":
    shutil.copy("model.onnx", name)
    check(name, 2)
for name in "-", "/dev/stdin", "/dev/fd/0":
    with open("model.onnx", "rb") as stdin:
        check(name, 2, stdin=stdin)
    piped = subprocess.run(["tenon-translate", "--import-onnx", name], input=open("model.onnx", "rb").read(), capture_output=True, check=True)
    assert b"tenon_onnx.node" in piped.stdout
onnx.save(make(2), "outside.onnx", save_as_external_data=True, location="outside.bin", size_threshold=0)
with open("outside.onnx", "rb") as stdin:
    check("-", 2, stdin=stdin)

# The layout of Hugging Face's cache: the model and its data are links to files named by their hashes.
os.makedirs("hub/models--o--n/blobs")
for folder in "", "onnx/":
    snapshot = f"hub/models--o--n/snapshots/0123/{folder}"
    up = "../../" + "../" * (folder != "")
    os.makedirs(snapshot, exist_ok=True)
    shutil.copy("outside.onnx", "hub/models--o--n/blobs/aaaa")
    shutil.copy("outside.bin", "hub/models--o--n/blobs/bbbb")
    os.symlink(up + "blobs/aaaa", snapshot + "model.onnx")
    os.symlink(up + "blobs/bbbb", snapshot + "outside.bin")
    check(snapshot + "model.onnx", 2)
    check("model.onnx", 2, cwd=snapshot)
    # Also when one of both is a file.
    os.remove(snapshot + "model.onnx")
    shutil.copy("outside.onnx", snapshot + "model.onnx")
    check(snapshot + "model.onnx", 2)
    shutil.rmtree(snapshot)

# A model that is reached through a link has its data beside what the link leads to; a directory may be one too.
os.makedirs("real/inside")
for name in "outside.onnx", "outside.bin":
    shutil.copy(name, "real/inside/" + name)
os.remove("outside.bin")
os.symlink("real/inside/outside.onnx", "linked.onnx")
os.symlink("real/inside", "linked")
check("linked.onnx", 2)
check("linked/outside.onnx", 2)

# Links out of that are for models that can be trusted.
os.makedirs("archive")
shutil.copy("outside.onnx", "archive/outside.onnx")
os.symlink("../real/inside/outside.bin", "archive/outside.bin")
for command in (["tenon-compile", "-o", "trusted.so"], ["tenon-translate", "--import-onnx"],
                ["tenon-interpret", "--inputs", "x.npz"]):
    error = fails("'outside.bin' is a link to '", *command, "archive/outside.onnx")
    assert "outside the model's directory; if the model can be trusted, allow it (--allow-external-links" in error
    succeeds(*command, "archive/outside.onnx", "--allow-external-links")
print("ok")

"""What README and docs tell people to type: every fenced block in sh, python or c is run as it stands.

The blocks of a page are run in order, in a directory that has `build`, `include` and `examples` as the source tree has them
once it is built, and model.onnx. A block of C is written to the file that its fence names (```c app.c); one of Python goes
on with the names of those before it. Blocks in other languages (text, mlir, ...) are not run.
"""

import pathlib
import re
import subprocess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import tenon

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(tenon.__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*) ?(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks_of(page):
    """(language, name, text, line number)."""
    text = page.read_text()
    for match in FENCE.finditer(text):
        if match[1] in ("sh", "python", "c"):
            yield match[1], match[2], match[3], text[: match.start()].count("\n") + 2


PAGES = [page for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
         if any(blocks_of(page))]


def digits():
    """Ten numbers for pictures of 28 by 28 pixels, any number at a time; the weights are above 1 kB."""
    rng = np.random.default_rng(0)
    weights = [numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32) / 28, name)
               for name, shape in (("w", (784, 32)), ("v", (32, 10)))]
    nodes = [helper.make_node("MatMul", ["pixels", "w"], ["h"], "hidden"), helper.make_node("Relu", ["h"], ["r"], "relu"),
             helper.make_node("MatMul", ["r", "v"], ["s"], "scores"), helper.make_node("Softmax", ["s"], ["digits"], "softmax")]
    graph = helper.make_graph(nodes, "digits", [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ("batch", 784))],
                              [helper.make_tensor_value_info("digits", TensorProto.FLOAT, ("batch", 10))], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run(page, tmp_path, monkeypatch):
    for name, target in (("build", BUILD), ("include", ROOT / "include"), ("examples", ROOT / "examples")):
        (tmp_path / name).symlink_to(target)
    onnx.save(digits(), tmp_path / "model.onnx")
    monkeypatch.chdir(tmp_path)
    names = {}
    for language, name, text, line in blocks_of(page):
        if language == "c":
            assert name, f"{page.name}:{line}: a block of C needs a name"
            (tmp_path / name).write_text(text)
        elif language == "python":
            exec(compile("\n" * (line - 1) + text, page, "exec"), names)
        else:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, f"{page.name}:{line}: {done.stdout[-2000:]}{done.stderr[-2000:]}"


def test_links_lead_somewhere():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"

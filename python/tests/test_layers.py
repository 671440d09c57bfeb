"""No library includes what stands above it, as the picture in docs/decisions/0004-layers.md says."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALLOWED = {
    "Support": set(),
    "Artifact": {"Support"},
    "Runtime": {"Artifact", "Support"},
    "Dialect/Bytecode": set(),
    "Dialect/Tenon": {"Dialect/Bytecode", "Support"},
    "Dialect/ONNX": {"Dialect/Bytecode", "Dialect/Tenon"},
    "Dialect/Host": {"Dialect/Bytecode", "Dialect/Tenon"},
    "Dialect/Tile": {"Dialect/Bytecode", "Dialect/Host", "Dialect/Tenon"},
    "Reference": {"Dialect/Tenon", "Dialect/Host", "Dialect/Tile"},
    "Frontend/ONNX": {"Dialect/ONNX", "Dialect/Tenon"},
    "Conversion": {"Dialect/ONNX", "Dialect/Tenon"},
    "Codegen/Common": {"Dialect/Tenon", "Dialect/Tile", "Runtime"},  # of Runtime only the kernel ABI
    "Codegen/CPU": {"Codegen/Common", "Dialect/Tile", "Runtime"},
    "Target/Common": {"Dialect/Tile"},
    "Target/CPU": {"Codegen/CPU", "Support", "Target/Common"},
    "Target/Host": {"Artifact", "Dialect/Host", "Dialect/Tenon", "Runtime"},
    "HostFunctions": {"Runtime"},
    # Nothing but tools, what is theirs, and Python stands above; which families there are is generated.
    "Compiler": {"Artifact", "Codegen/Common", "Conversion", "Dialect/Host", "Dialect/ONNX", "Dialect/Tenon", "Dialect/Tile",
                 "Frontend/ONNX", "Reference", "Runtime", "Support", "Target/Backend.def", "Target/Common", "Target/Family.def",
                 "Target/Host"},
    # A tool's: it asks whether models convert.
    "Reduce": {"Compiler", "Dialect/ONNX", "Dialect/Tenon"},
}
GROUPS = {"Dialect", "Frontend", "Codegen", "Target"}


def layer_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] in GROUPS else parts[0]


def sources():
    for top in ("include/tenon", "lib"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in {".cpp", ".h", ".td"}:
                yield path, layer_of(str(path.relative_to(ROOT / top)))


@pytest.mark.parametrize("layer", ALLOWED)
def test_includes_go_down(layer):
    found = 0
    for path, own in sources():
        if own != layer:
            continue
        found += 1
        for name in re.findall(r'include "tenon/([^"]+)"', path.read_text()):
            other = layer_of(name)
            assert other == layer or other in ALLOWED[layer], f"{path.relative_to(ROOT)} includes {name}"
            if own.startswith("Codegen/") and other == "Runtime":
                assert name in {"Runtime/tenon_kernel.h", "Runtime/KernelABI.h"}
    assert found


def test_every_source_has_a_layer():
    assert {layer for _, layer in sources()} == set(ALLOWED)


@pytest.mark.parametrize("layer", ["Support", "Artifact", "Runtime"])
def test_no_llvm_below_the_compiler(layer):
    for path, own in sources():
        if own == layer:
            assert not re.search(r'#include "(llvm|mlir)', path.read_text()), path


def test_no_family_of_targets_above_its_folders():
    """A family is a folder of Codegen and of Target, which registers itself: what compiles names none."""
    families = {path.name for top in ("Codegen", "Target") for path in (ROOT / "lib" / top).iterdir() if path.is_dir()}
    families -= {"Common", "Host"}
    assert "CPU" in families
    named = re.compile("|".join(rf"\b{family.lower()}::|\b(Codegen|Target)/{family}\b|\b{family}TargetAttr\b|Tenon{family}"
                                for family in families))
    assert named.search("cpu::describe()") and named.search("TenonCPUTarget")
    found = 0
    for top in ("include/tenon/Compiler", "lib/Compiler", "tools", "python", "fuzz"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in {".cpp", ".h", ".td", ".txt", ".pyi"} or (path.suffix == ".py" and path.name != "test_layers.py"):
                found += 1
                assert not named.search(path.read_text()), path.relative_to(ROOT)
    assert found

"""Programs in C that use compiled models: linked to one or several, by dlopen, with the runtime, by CMake. They are those of
examples/embed, built with the system's compiler and CMake against an installed runtime."""
import os
import pathlib
import shutil
import subprocess

import pytest
from onnx import TensorProto, helper

import tenon

BUILD = pathlib.Path(os.environ["TENON_BUILD"])
EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "embed"


def multiply(path, factor):
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "factor"], ["y"])], path.stem,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor("factor", TensorProto.FLOAT, [], [factor])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    source = path.with_suffix(".onnx")
    source.write_bytes(model.SerializeToString())
    tenon.compile(source).save(path)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """An installed runtime."""
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run(["cmake", "--install", BUILD, "--component", "runtime", "--prefix", prefix], check=True,
                   stdout=subprocess.DEVNULL)
    return prefix


@pytest.fixture
def here(tmp_path):
    """A directory with two models, each also under a name that -l finds."""
    for name, factor in (("one", 1.0), ("two", 2.0)):
        multiply(tmp_path / f"{name}.so", factor)
        shutil.copy(tmp_path / f"{name}.so", tmp_path / f"lib{name}.so")
    return tmp_path


@pytest.fixture
def cc(prefix, here):
    def cc(program, *words):
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", f"-I{prefix}/include", EXAMPLE / program, *words, "-o", "app"],
                       cwd=here, check=True)
    return cc


def outputs_of(*command, cwd, **options):
    run = subprocess.run(command, cwd=cwd, capture_output=True, text=True, **options)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


ONE, TWO = "one y 1 1 1", "two y 2 2 2"


def test_a_program_is_linked_to_a_model(cc, here):
    cc("linked.c", "./two.so")
    assert outputs_of("./app", cwd=here) == [TWO]
    assert any(line.split()[0] == "./two.so" for line in outputs_of("ldd", "./app", cwd=here))
    cc("linked.c", here / "two.so")
    assert outputs_of(here / "app", cwd="/") == [TWO]
    cc("linked.c", "two.so", "-Wl,-rpath,$ORIGIN")
    assert outputs_of(here / "app", cwd="/") == [TWO]
    cc("linked.c", "-L.", "-ltwo", "-Wl,-rpath,$ORIGIN")
    assert outputs_of(here / "app", cwd="/") == [TWO]
    assert f"libtwo.so => {here}/libtwo.so" in "".join(outputs_of("ldd", here / "app", cwd="/"))
    cc("linked.c", "-L.", "-ltwo")
    assert outputs_of("./app", cwd=here, env={"LD_LIBRARY_PATH": "."}) == [TWO]


def test_a_program_is_linked_to_several_models(cc, here):
    for models in (["./one.so", "./two.so"], ["one.so", "two.so", "-Wl,-rpath,$ORIGIN"]):
        cc("linked.c", "-Wl,--no-as-needed", *models)
        assert outputs_of("./app", "two.so", "one.so", "two.so", cwd=here) == [TWO, ONE, TWO]
        assert outputs_of("./app", cwd=here) == [ONE]
    cc("linked.c", "-Wl,--no-as-needed", "-L.", "-ltwo", "-lone", "-Wl,-rpath,$ORIGIN")
    assert outputs_of(here / "app", "libone.so", "libtwo.so", cwd="/") == [ONE, TWO]


def test_a_model_that_is_not_loaded_is_named(cc, here):
    cc("linked.c", "-Wl,--as-needed", "./one.so", "./two.so")
    run = subprocess.run(["./app", "two.so"], cwd=here, capture_output=True, text=True)
    assert run.returncode == 1
    assert "no library named 'two.so' is loaded" in run.stderr and "--no-as-needed" in run.stderr


def test_models_of_the_same_file_name(cc, here):
    (here / "other").mkdir()
    shutil.copy(here / "one.so", here / "other" / "two.so")
    cc("linked.c", "-Wl,--no-as-needed", "./two.so", "./other/two.so")
    assert outputs_of("./app", "./other/two.so", "./two.so", cwd=here) == [ONE, TWO]
    run = subprocess.run(["./app", "two.so"], cwd=here, capture_output=True, text=True)
    assert run.returncode == 1 and "2 libraries named 'two.so' are loaded" in run.stderr


def test_no_other_file_is_taken_for_a_model(cc, here, prefix):
    """Whatever lies beside it under the runtime's name."""
    cc("linked.c", "./two.so", "-Wl,-rpath,$ORIGIN")
    os.symlink("one.so", here / "libtenon_runtime.so")
    assert outputs_of("./app", cwd=here, env={"LD_LIBRARY_PATH": "."}) == [TWO]
    dynamic = subprocess.run(["readelf", "-d", "two.so"], cwd=here, check=True, capture_output=True, text=True).stdout
    assert "NEEDED" in dynamic and "SONAME" not in dynamic


def test_a_renamed_model_is_found(cc, here):
    (here / "two.so").rename(here / "renamed.so")
    cc("linked.c", "./renamed.so")
    assert outputs_of("./app", "renamed.so", cwd=here) == [TWO]


def test_models_are_opened_by_dlopen(cc, here):
    cc("loaded.c", "-ldl")
    assert outputs_of("./app", "./one.so", "./two.so", cwd=here) == ["one has 1 inputs", "two has 1 inputs"]


def test_the_runtime_opens_models(cc, here, prefix):
    cc("opened.c", f"-L{prefix}/lib", "-ltenon_runtime", f"-Wl,-rpath,{prefix}/lib")
    assert outputs_of("./app", "one.so", "two.so", cwd=here) == [ONE, TWO]
    cc("opened.c", f"{prefix}/lib/libtenon_runtime.a", "-pthread", "-ldl")
    assert outputs_of("./app", "one.so", "two.so", cwd=here) == [ONE, TWO]
    assert outputs_of(prefix / "bin" / "tenon-run", "one.so", "--list", cwd=here)[0] == "input x: float32[n, 3]"


def test_pkg_config_names_the_runtime(cc, here, prefix):
    words = outputs_of("pkg-config", "--cflags", "--libs", "tenon", cwd=here,
                       env={**os.environ, "PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig"})[0].split()
    cc("opened.c", *words, f"-Wl,-rpath,{prefix}/lib")
    assert outputs_of("./app", "one.so", cwd=here) == [ONE]


def test_cmake_finds_the_runtime_and_links_models(here, prefix):
    shutil.copytree(EXAMPLE, here / "source")
    (here / "libone.so").unlink()
    models = f"{here}/one.so;{here}/libtwo.so"
    for command in (["cmake", "-S", "source", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DMODELS={models}"],
                    ["cmake", "--build", "build"]):
        run = subprocess.run(command, cwd=here, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
    build = here / "build"
    assert outputs_of(build / "linked", "one.so", "libtwo.so", cwd="/") == [ONE, TWO]
    assert outputs_of(build / "linked", cwd="/") == [ONE]
    assert outputs_of(build / "opened", here / "one.so", cwd="/") == [ONE]
    assert outputs_of(build / "opened_static", here / "two.so", cwd="/") == [TWO]
    assert outputs_of(build / "loaded", here / "two.so", cwd="/") == ["two has 1 inputs"]

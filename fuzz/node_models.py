"""Writes the models of the standard's tests of its nodes into a folder: seeds of `tenon-fuzz models`."""
import pathlib
import sys

from onnx.backend.test.case.node import collect_testcases


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for case in collect_testcases(None):
        if case.model is not None:
            (folder / f"{case.name}.onnx").write_bytes(case.model.SerializeToString())


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

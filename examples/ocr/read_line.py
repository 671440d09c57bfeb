#!/usr/bin/env python3
"""Reads pictures of one line of text each:  read_line.py [picture.png ...]

Compiles a trained text reader (PP-OCRv4) with Tenon, runs it on the pictures, and prints what they say and how long
each step took.
"""
import hashlib
import importlib.util
import pathlib
import sys
import time

import numpy as np
import onnx
import tenon
from PIL import Image

MODEL = "ch_PP-OCRv4_rec_infer.onnx"
SHA256 = "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"
HEIGHT = 48


def find_model():
    """The model file in the package that requirements.txt names; nothing of the package is executed."""
    spec = importlib.util.find_spec("rapidocr_onnxruntime")
    if spec is None:
        sys.exit("the model is not installed: pip install --no-deps --require-hashes -r examples/ocr/requirements.txt")
    path = pathlib.Path(spec.submodule_search_locations[0]) / "models" / MODEL
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        sys.exit(f"{path} is not the file that this example was written for")
    return path


def to_tensor(picture):
    """A picture of any size as [1, 3, 48, width], blue first, from -1 to 1."""
    width = max(1, round(picture.width * HEIGHT / picture.height))
    pixels = np.asarray(picture.convert("RGB").resize((width, HEIGHT), Image.Resampling.BILINEAR), np.float32)
    return np.ascontiguousarray((pixels[:, :, ::-1].transpose(2, 0, 1)[None] / 255 - 0.5) / 0.5)


def to_text(probabilities, alphabet):
    """The best character of each column: repeated ones are one, number 0 is none."""
    best = probabilities[0].argmax(-1)
    return "".join(alphabet[c - 1] for c, before in zip(best, [0, *best[:-1]]) if c and c != before)


def main():
    pictures = sys.argv[1:] or [pathlib.Path(__file__).with_name("line.png")]
    path = find_model()
    properties = {p.key: p.value for p in onnx.load(path).metadata_props}
    alphabet = properties["character"].splitlines() + [" "]

    start = time.perf_counter()
    reader = tenon.compile(path)
    print(f"compiled {path.name} ({path.stat().st_size / 1e6:.1f} MB) in {time.perf_counter() - start:.1f} s")
    for name in pictures:
        tensor = to_tensor(Image.open(name))
        reader(tensor)  # the first run at a size plans its memory
        start = time.perf_counter()
        probabilities = reader(tensor)
        milliseconds = (time.perf_counter() - start) * 1e3
        print(f"{name}: \"{to_text(probabilities, alphabet).strip()}\" (run in {milliseconds:.1f} ms)")


if __name__ == "__main__":
    main()

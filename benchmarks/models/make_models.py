#!/usr/bin/env python3
"""Make the set of models into a folder.

    make_models.py OUT [--only NAME,...] [--list] [--verify] [--table]

Each model becomes OUT/NAME/ with `model.onnx`, `inputs.npz`, `expected.npz` and
`meta.json`; models with dynamic dimensions also get `inputs_alt.npz` and
`expected_alt.npz`, the same model at other sizes. See README.md.
"""
import sys

from builder import Graph, calibrate  # noqa: F401  the builder is this script's public part
from language import language
from modelset import main
from others import others
from pretrained import pretrained
from vision import vision

SET = vision.entries | language.entries | others.entries | pretrained.entries

if __name__ == "__main__":
    sys.exit(main(SET, __doc__))

"""Writes files that are no models, and a model with names that no terminal should see: unknown_files.py DIRECTORY."""
import gzip
import os
import pathlib
import pickle
import sys
import zipfile

from onnx import TensorProto, helper

directory = pathlib.Path(sys.argv[1])
os.makedirs(directory / "saved_model")
files = {
    "model.tflite": b"\x1c\0\0\0TFL3" + bytes(40),
    "model.ort": b"\x1c\0\0\0ORTM" + bytes(40),
    "model.onnx.gz": gzip.compress(b"model"),
    "model.onnx.zst": b"\x28\xb5\x2f\xfd" + bytes(20),
    "old.pt": pickle.dumps({"weight": 1}, protocol=2),
    "model.safetensors": (20).to_bytes(8, "little") + b'{"w":{"dtype":"F32"}}',
    "model.gguf": b"GGUF\x03\0\0\0" + bytes(20),
    "model.h5": b"\x89HDF\r\n\x1a\n" + bytes(20),
    "model.xml": b'<?xml version="1.0"?><net name="m"></net>',
    "model.json": b'{"graph": {}}',
    "page.onnx": b"<!DOCTYPE html><html></html>",
    "model.so": b"\x7fELF" + bytes(60),
    "saved_model/saved_model.pb": b"\x08\x01\x12\x10\x0aserving_default",
    "empty.onnx": b"",
    "notes.txt": b"Some words.\n",
}
for name, content in files.items():
    (directory / name).write_bytes(content)
with zipfile.ZipFile(directory / "new.pt", "w") as archive:
    archive.writestr("archive/data.pkl", b"\x80\x02}q\0.")

x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
name = "red \x1b[31m\nmodel.onnx: error: forged\r\x07\x7f é \u202ereversed\u200b\x9b \U0001f600"
graph = helper.make_graph([helper.make_node("Nonsense", ["x"], ["y"], name=name)], "g", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
text = model.SerializeToString()
assert "é ".encode() in text
(directory / "names.onnx").write_bytes(text.replace("é ".encode(), b"\xff \xc3"))

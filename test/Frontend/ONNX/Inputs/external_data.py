"""A model with external data, good and bad, in a directory of its own: external_data.py DIRECTORY."""
import os
import sys

import onnx
from onnx import TensorProto as T, helper

directory = sys.argv[1]
os.makedirs(directory + "/model/deep", exist_ok=True)
for name, size in ("model/weights.bin", 8192), ("model/deep/w.bin", 4), ("outside.bin", 4096):
    with open(f"{directory}/{name}", "wb") as file:
        file.write(bytes(i // 4 % 250 if i % 4 == 0 else 0 for i in range(size)))
for link, target in ("inside.bin", "weights.bin"), ("leaving.bin", "../outside.bin"), ("leaving", ".."):
    if not os.path.lexists(f"{directory}/model/{link}"):
        os.symlink(target, f"{directory}/model/{link}")


def tensor(name, dims, dtype=T.INT32, **entries):
    made = T(name=name, dims=dims, data_type=dtype, data_location=T.EXTERNAL)
    for key, entry in entries.items():
        made.external_data.add(key=key, value=str(entry))
    return made


def save(name, *tensors):
    y = helper.make_tensor_value_info(tensors[0].name, tensors[0].data_type, None)
    model = helper.make_model(helper.make_graph([], "g", [], [y], tensors), opset_imports=[helper.make_opsetid("", 21)])
    with open(f"{directory}/model/{name}.onnx", "wb") as file:
        file.write(model.SerializeToString())


save("good", tensor("all", [2048], location="weights.bin"),
     tensor("part", [512], location="weights.bin", offset=4096, length=2048),
     tensor("small", [2], location="weights.bin", offset=8, length=8),
     tensor("deep", [1], location="deep/w.bin", length=4, checksum="ab"),
     tensor("link", [512], location="inside.bin"))
save("nowhere", tensor("w", [4]))
save("absent", tensor("w", [4], location="no.bin"))
save("absolute", tensor("w", [4], location=os.path.abspath(directory) + "/model/weights.bin"))
save("parent", tensor("w", [4], location="../outside.bin"))
save("around", tensor("w", [4], location="deep/../weights.bin"))
save("link", tensor("w", [4], location="leaving.bin"))
save("link_directory", tensor("w", [4], location="leaving/outside.bin"))
save("directory", tensor("w", [4], location="deep"))
save("length", tensor("w", [4], location="weights.bin", length=15))
save("number", tensor("w", [4], location="weights.bin", offset="-1"))
save("number_length", tensor("w", [4], location="weights.bin", length="1e3"))
save("end", tensor("w", [512], location="weights.bin", offset=6148))
save("far", tensor("w", [512], location="weights.bin", offset=2**64 - 1))
save("strings", tensor("w", [4], T.STRING, location="weights.bin"))

"""Imports damaged copies of a model: cut off at every 97th byte, and with bits flipped. A copy may still be a model,
or is one error; anything else is printed. robustness.py MODEL."""
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

with open(sys.argv[1], "rb") as file:
    model = file.read()
chance = random.Random(1)


def flipped():
    damaged = bytearray(model)
    for _ in range(chance.choice([1, 1, 4])):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


copies = {f"cut{n}": model[:n] for n in range(0, len(model), 97)}
copies |= {f"flip{n}": flipped() for n in range(30)}


def run(name):
    path = f"{sys.argv[1]}.{name}"
    with open(path, "wb") as file:
        file.write(copies[name])
    done = subprocess.run(["tenon-translate", "--import-onnx", path], stdin=subprocess.DEVNULL, capture_output=True)
    errors = done.stderr.count(b"error:")
    # The name of a node may have the word in it, but not when bits of these models flip.
    right = (done.returncode == 0 and errors == 0) or (done.returncode == 1 and errors == 1 and not done.stdout)
    return None if right else f"{path}: exit {done.returncode}: {done.stderr.decode(errors='replace')}"


with ThreadPoolExecutor(2) as pool:
    wrong = [message for message in pool.map(run, copies) if message]
print(f"{len(copies)} copies, {len(wrong)} wrong", *wrong, sep="\n")

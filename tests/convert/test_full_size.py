"""Files of VGG-16's and VGG-19's full size, there and back, in bounded memory; each part in a process of its own."""

import json

import pytest

GIB = 2 ** 30

NETWORK = """
from dataclasses import replace
import numpy as np
import formats
from lsd_repro.network.layers import FULL, GROUPS
from lsd_repro.network.random_weights import random_network

network = random_network(np.random.default_rng(7), **FULL, groups=GROUPS[{depth}])
if {oxfords}:
    network = formats.oxfords(network)
if {kind!r} == "brain":
    network = replace(network, weights=[*map(formats.brain, network.weights)], biases=[*map(formats.brain, network.biases)])
"""
WRITE = NETWORK + "formats.write_{kind}({path!r}, network, **{options!r})"
CONVERT = """
import json
from lsd_repro.bench.worker import memory
from lsd_repro.cli.main import main
assert main(["convert", {path!r}, "--out", {mat!r}]) == 0
print(json.dumps(memory()["peak"]))
"""
COMPARE = NETWORK + """
from lsd_repro.network import matconvnet
found = matconvnet.read({mat!r})
assert found.parameter_count == {{16: 138_357_544, 19: 143_667_240}}[{depth}]
# Torchvision's first layer is folded; that is held against another formula in test_reader.py.
first = 0 if {oxfords} else 1
assert all(np.array_equal(a, b) for a, b in zip(found.weights[first:], network.weights[first:]))
assert all(np.array_equal(a, b) for a, b in zip(found.biases[first:], network.biases[first:]))
# MATLAB's file has names of its own; the others are taken to know ILSVRC's classes.
assert found.descriptions[980] == (network.descriptions[980] if {kind!r} == "matlab" else "volcano")
"""


@pytest.mark.slow
@pytest.mark.parametrize("depth, kind, options, oxfords", [
    (16, "keras", {}, True), (16, "caffe", {"version": 1}, True),
    (19, "caffe", {"version": 2}, True), (16, "npz", {}, True), (16, "torch", {}, False), (16, "torch", {"legacy": True}, False),
    (16, "safetensors", {}, False), (19, "safetensors", {"tops": "timm"}, False),
    (16, "keras", {"layout": "Keras 3, nested"}, True), (16, "johnsons", {}, True), (16, "brain", {}, True),
    (16, "matlab", {}, True)])
def test_a_full_size_file_comes_back_within_1_5_gib(tmp_path, python, depth, kind, options, oxfords):
    libraries = {"keras": "h5py", "matlab": "h5py", "caffe": "google.protobuf", "torch": "torch", "johnsons": "torch",
                 "safetensors": "safetensors", "brain": "safetensors"}
    pytest.importorskip(libraries.get(kind, "numpy"))
    path, mat = tmp_path / ("vgg.npz" if kind == "npz" else "vgg"), tmp_path / "vgg.mat"
    fill = dict(depth=depth, kind=kind, options=options, oxfords=oxfords, path=str(path), mat=str(mat))
    run(python, WRITE.format(**fill))
    assert path.stat().st_size > GIB // 4  # bfloat16 has half as many bytes, and MATLAB compresses
    output = run(python, CONVERT.format(**fill))
    path.unlink()
    print(output)
    assert ("this is Oxford's" if oxfords else "another training") in output
    run(python, COMPARE.format(**fill))
    mat.unlink()
    assert json.loads(output.splitlines()[-1]) < 1536


def run(python, code):
    done = python(code)
    assert done.returncode == 0, done.stderr
    return done.stdout

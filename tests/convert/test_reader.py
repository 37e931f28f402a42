"""Files of every format, written by the format's own library, come out as the network that went in."""

import io
import os
import pickle
import struct
import tracemalloc
import zipfile
import zlib
from dataclasses import replace

import formats
import numpy as np
import pytest
import reference
import scipy.io
from small_network import small_network

from lsd_repro.cli.main import main
from lsd_repro.convert import colours, hdf5, library, reader
from lsd_repro.errors import InputError
from lsd_repro.network import ilsvrc, matconvnet, matfile
from lsd_repro.network.known import OXFORD, recognised
from lsd_repro.program2015 import VGG16_GROUPS, VGG19_GROUPS

# Without a library, its formats aren't tried.
NEEDS = {"keras": "h5py", "matlab": "h5py", "caffe": "google.protobuf", "torch": "torch", "johnsons": "torch",
         "safetensors": "safetensors", "brain": "safetensors"}

WAYS = {
    "keras, weights": ("keras", {}),
    "keras, weights of 2016": ("keras", {"layout": "weights of 2016"}),
    "keras, model": ("keras", {"layout": "model"}),
    "keras 3, weights": ("keras", {"layout": "Keras 3"}),
    "caffe, first messages": ("caffe", {"version": 1}),
    "caffe, second messages": ("caffe", {"version": 2}),
    "caffe, double": ("caffe", {"version": 2, "double": True}),
    "npz": ("npz", {}),
    "npz, compressed": ("npz", {"save": np.savez_compressed}),
    "torch": ("torch", {}),
    "torch until 2020": ("torch", {"legacy": True}),
    "safetensors": ("safetensors", {}),
    "safetensors, timm": ("safetensors", {"tops": "timm"}),
}
# The same in a larger model or a checkpoint, and others' ports.
MORE_WAYS = {
    "keras, nested": ("keras", {"layout": "nested"}),
    "keras 3, nested": ("keras", {"layout": "Keras 3, nested"}),
    "torch, Johnson's": ("johnsons", {}),
    "torch, first names": ("torch", {"tops": "first"}),
    "torch, checkpoint": ("torch", {"checkpoint": lambda tensors: {"state_dict": tensors, "epoch": 3, "best": [0.5]}}),
    "torch, data parallel": ("torch", {"prefix": "module."}),
    "torch, data parallel in part": ("torch", {"checkpoint": lambda tensors: {
        "arch": "vgg16", "state_dict": {name.replace("features.", "features.module."): each for name, each in tensors.items()}}}),
    "torch, both, legacy": ("torch", {"prefix": "module.vgg.", "checkpoint": lambda tensors: {"model": tensors}, "legacy": True}),
    "safetensors, in a model": ("safetensors", {"prefix": "backbone."}),
}


def network_of(groups=VGG16_GROUPS, classes=1000, **widths):
    return small_network(np.random.default_rng(5), groups=groups, classes=classes, **widths)


def write(path, network, kind, **options):
    pytest.importorskip(NEEDS.get(kind, "numpy"))
    getattr(formats, f"write_{kind}")(path, network, **options)
    return path


def written(folder, network, way):
    kind, options = {**WAYS, **MORE_WAYS}[way]
    return write(folder / (f"vgg.{kind}" if kind != "npz" else "vgg.npz"), network, kind, **options)


@pytest.mark.parametrize("way", [*WAYS, *MORE_WAYS])
@pytest.mark.parametrize("groups", [VGG16_GROUPS, VGG19_GROUPS], ids=["16", "19"])
def test_oxfords_weights_are_the_same_out_of_every_format(tmp_path, groups, way):
    network = formats.oxfords(network_of(groups))
    found, findings = reader.read(written(tmp_path, network, way))
    assert found.groups == groups
    for own, expected in zip(found.weights + found.biases, network.weights + network.biases):
        np.testing.assert_array_equal(own, expected)
        assert own.dtype == np.float32 and own.flags.c_contiguous
    assert f"this is Oxford's VGG-{len(network.weights)} of 2014" in findings[0]
    # What 2015's program then subtracts.
    assert found.mean == pytest.approx(np.mean([123.68, 116.779, 103.939]))
    assert found.descriptions[980] == "volcano" and found.names[980] == "n09472597"
    assert (found.names, found.descriptions) == ilsvrc.read()


@pytest.mark.parametrize("way", WAYS)
def test_another_training_is_called_so(tmp_path, way):
    found, findings = reader.read(written(tmp_path, network_of(classes=20), way))
    assert "another training of VGG-16 and not Oxford's" in findings[0]
    assert any("20 classes and not the 1000" in finding for finding in findings)
    assert found.descriptions[3] == "class 3" and found.names == ()


def test_oxfords_weights_trained_further_are_not_called_oxfords(tmp_path):
    _, findings = reader.read(write(tmp_path / "a.npz", formats.oxfords(network_of(classes=20)), "npz"))
    assert "its classes are others: trained further" in findings[0]


@pytest.mark.parametrize("kind, flipped", [("npz", True), ("safetensors", True), ("safetensors", False)])
def test_known_entries_decide_the_order_of_colours_whatever_is_usual(tmp_path, kind, flipped):
    network = formats.oxfords(network_of())
    path = write(tmp_path / "a.npz", formats.bgr(network) if flipped else network, kind)
    found, findings = reader.read(path)
    np.testing.assert_array_equal(found.weights[0], network.weights[0])
    # And they take grey levels, in torchvision's kind of file too.
    assert not any("0..1" in finding for finding in findings)


def test_half_precision_is_recognised(tmp_path):
    network = formats.oxfords(network_of())
    path = tmp_path / "half.npz"
    write(path, network, "npz", save=lambda path, **arrays: np.savez(
        path, **{name: array.astype(np.float16) for name, array in arrays.items()}))
    found, findings = reader.read(path)
    assert "this is Oxford's" in findings[0]
    np.testing.assert_allclose(found.weights[5], network.weights[5], rtol=1e-3, atol=1e-6)


def test_brain_floats_are_read_exactly_and_recognised(tmp_path):
    network = formats.oxfords(network_of())
    found, findings = reader.read(write(tmp_path / "a.safetensors", network, "brain"))
    assert "this is Oxford's" in findings[0]
    for own, expected in zip(found.weights + found.biases, network.weights + network.biases):
        np.testing.assert_array_equal(own, formats.brain(expected))


def near_oxfords(factor):
    """Oxford's first layer but for a factor, in single precision and cut to bfloat16."""
    known = OXFORD[16]
    weights, biases = np.zeros((8, 3, 3, 3), np.float32), np.float32(factor) * np.float32(known.biases)
    weights[0, 2] = np.float32(factor) * np.float32(known.blue).reshape(3, 3)
    return [recognised(w, b, 16) for w, b in ((weights, biases), (formats.brain(weights), formats.brain(biases)))]


def test_few_bits_make_no_other_training_oxfords():
    assert near_oxfords(1) == ["RGB", "RGB"]
    # What single precision tells apart isn't taken for rounding.
    assert near_oxfords(1.002)[0] is None and near_oxfords(1.02) == [None, None]


def test_class_logits_of_a_torchvision_network_are_pytorchs(tmp_path):
    torch = pytest.importorskip("torch")
    from lsd_repro.network import pytorch

    network = network_of(classes=20)
    found, findings = reader.read(write(tmp_path / "a.pth", network, "torch"))
    assert any("0..1" in finding for finding in findings)
    picture = np.random.default_rng(6).uniform(0, 255, (192, 192, 3))
    means, deviations = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    with torch.no_grad():
        normalised = torch.from_numpy(((picture / 255 - means) / deviations).transpose(2, 0, 1)[None])
        expected = pytorch.build(network).double()(normalised)[0].numpy()
    difference = np.abs(reference.logits(found, picture) - expected) / np.abs(expected).max()
    assert expected.shape == (20, 5, 5)
    # Where the picture's border is far; nearer to it, the padding's other grey is felt.
    assert difference[:, 2, 2].max() < 0.02 and difference.max() < 0.2


def test_folded_first_layer_is_exact_but_at_the_border():
    rng = np.random.default_rng(7)
    weights, biases = rng.standard_normal((8, 3, 3, 3)).astype(np.float32), rng.standard_normal(8).astype(np.float32)
    picture = rng.uniform(0, 255, (20, 30, 3))
    expected = reference.correlate(
        ((picture / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).transpose(2, 0, 1), weights, biases, pad=1)
    folded, moved, average = colours.fold(weights, biases)
    assert average.shape == (1, 1, 3) and np.ptp(average) == 0
    found = reference.correlate(picture.transpose(2, 0, 1) - float(average.mean()), folded, moved, pad=1)
    difference = np.abs(found - expected)
    assert difference[:, 1:-1, 1:-1].max() < 1e-5 * np.abs(expected).max()
    assert (difference[:, 0].max(), difference[:, :, -1].max()) > (0.1, 0.1)
    # Said otherwise: the padding stands for that grey, in every colour.
    padded = np.pad(picture, ((1, 1), (1, 1), (0, 0)), constant_values=float(average.mean()))
    in_padding = reference.correlate(
        ((padded / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).transpose(2, 0, 1), weights, biases, pad=0)
    np.testing.assert_allclose(found, in_padding, atol=1e-5 * np.abs(expected).max())


def test_command_writes_what_frames_and_scipy_read(tmp_path, capsys):
    network = formats.oxfords(network_of())
    write(tmp_path / "a.npz", network, "npz")
    assert main(["convert", str(tmp_path / "a.npz"), "--out", str(tmp_path / "a.mat")]) == 0
    said = capsys.readouterr().out
    assert "this is Oxford's VGG-16 of 2014" in said and f"--weights {tmp_path / 'a.mat'}" in said
    before = (tmp_path / "a.npz").read_bytes()
    assert main(["convert", str(tmp_path / "a.npz"), "--out", str(tmp_path / "a.npz")]) == 2
    assert "name another" in capsys.readouterr().err and (tmp_path / "a.npz").read_bytes() == before
    again = matconvnet.read(tmp_path / "a.mat")
    np.testing.assert_array_equal(again.weights[0], network.weights[0])
    np.testing.assert_array_equal(again.average_image.ravel(), np.float32([123.68, 116.779, 103.939]))
    assert main(["classes", "--weights", str(tmp_path / "a.mat")]) == 0
    assert " 980 volcano\n" in capsys.readouterr().out


def test_converting_does_not_wait_for_theano(tmp_path, python):
    path = write(tmp_path / "a.npz", network_of(classes=20), "npz")
    done = python(f"import sys; from lsd_repro.cli.main import main\nmain(['convert', {str(path)!r}, '--out', 'a.mat'])\n"
                  "print([name for name in ('theano', 'torch', 'h5py') if name in sys.modules])")
    assert done.stdout.endswith("[]\n"), done.stderr


# What is refused.

def refused(path, *words):
    """The message of a file that is refused: one line that names it."""
    with pytest.raises(InputError) as caught:
        reader.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    for word in words:
        assert word in message
    return message


@pytest.mark.parametrize("way", ["keras, weights", "keras 3, weights"])
def test_file_without_top_is_refused_with_what_is_missing(tmp_path, way):
    kind, options = WAYS[way]
    refused(write(tmp_path / "a.h5", network_of(), kind, top=False, **options), "fc6, fc7 and fc8 are missing", "notop")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_a_cut_off_file_is_refused(tmp_path, way, share):
    path = written(tmp_path, network_of(classes=20), way)
    whole = path.read_bytes()
    path.write_bytes(whole[:int(share * len(whole))])
    refused(path)


@pytest.mark.parametrize("way", [way for way in WAYS if "keras" not in way])
def test_a_damaged_file_is_refused_or_read(tmp_path, way):
    path = written(tmp_path, network_of(classes=20, widths=(2,) * 5, fc=3), way)
    whole, rng = path.read_bytes(), np.random.default_rng(8)
    for _ in range(40):
        broken = bytearray(whole)
        # Where the format itself is: at either end.
        for place in rng.integers(0, min(len(whole), 3000), 3) * rng.choice([1, -1]):
            broken[place] = rng.integers(256)
        path.write_bytes(broken)
        try:
            reader.read(path)
        except InputError as error:
            assert "\n" not in str(error)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_pickles_are_not_executed(tmp_path):
    bomb = tmp_path / "bomb"
    assert pickle.loads(pickle.dumps(Bomb(bomb))) is None and bomb.exists()  # it works
    bomb.rmdir()
    (tmp_path / "a.pth").write_bytes(pickle.dumps({"features.0.weight": Bomb(bomb)}))
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Bomb(bomb), protocol=0))
    np.save(tmp_path / "c.npy", np.array({"conv1_1": Bomb(bomb)}), allow_pickle=True)
    np.savez(tmp_path / "d.npz", conv1_1_W=np.array([Bomb(bomb)], object), conv1_1_b=np.zeros(3, np.float32))
    arrays = {name: np.zeros(2) for name in ("conv1_1_b", "x")}
    np.savez(tmp_path / "e.npz", **arrays)
    with zipfile.ZipFile(tmp_path / "e.npz", "a") as archive:
        archive.writestr("conv1_1_W.npy", pickle.dumps(Bomb(bomb)))
    for name in "abcde":
        refused(next(tmp_path.glob(f"{name}.*")))
    assert not bomb.exists()


@pytest.mark.parametrize("legacy", [False, True])
def test_pickles_in_pytorchs_files_are_not_executed(tmp_path, legacy):
    torch = pytest.importorskip("torch")
    torch.save({"features.0.weight": torch.zeros(2), "more": Bomb(tmp_path / "bomb")}, tmp_path / "a.pth",
               _use_new_zipfile_serialization=not legacy)
    refused(tmp_path / "a.pth", "could run code", "state_dict")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "b.pth", _use_new_zipfile_serialization=not legacy)
    refused(tmp_path / "b.pth", "could run code", "state_dict")
    torch.save([torch.zeros(2)], tmp_path / "c.pth", _use_new_zipfile_serialization=not legacy)
    refused(tmp_path / "c.pth", "list")
    assert not (tmp_path / "bomb").exists()


def test_compressed_pytorch_archive_is_refused(tmp_path):
    pytest.importorskip("torch")
    with zipfile.ZipFile(tmp_path / "a.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10 ** 8))
    assert (tmp_path / "a.pth").stat().st_size < 10 ** 6
    refused(tmp_path / "a.pth", "compressed")


def test_compressed_hdf5_is_refused(tmp_path):
    # A chunk of it can unfold to any size, whatever size it says it has.
    refused(write(tmp_path / "a.h5", network_of(classes=20), "keras", compression="gzip"), "compressed")


def npy(shape, kind="<f4"):
    """A .npy of a few bytes that says it has this shape."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"shape": shape, "fortran_order": False, "descr": kind})
    return stream.getvalue()


@pytest.mark.parametrize("shape, word", [
    ((3, 3, 3, 10 ** 14), "100000000000000"), ((10 ** 9, 3, 3, 8), "1000000000x3"),
    ((3, 3, 3), "have shape (3, 3, 3)"), ((0, 3, 3, 8), "shape"), ((), "shape ()"), ((2, 10 ** 14), "")])
def test_absurd_shapes_are_refused_before_anything_of_that_size_is_made(tmp_path, shape, word):
    def save(path, **arrays):
        with zipfile.ZipFile(path, "w") as archive:
            for name, array in arrays.items():
                archive.writestr(f"{name}.npy", npy(shape if name == "conv1_1_W" else array.shape))

    refused(write(tmp_path / "a.npz", network_of(), "npz", save=save), word)


def test_more_parameters_than_any_vgg_has_are_not_read(tmp_path):
    wide = network_of(widths=(8, 8, 8, 8, 8), fc=8, classes=8)

    def save(path, **arrays):
        shapes = {**{name: array.shape for name, array in arrays.items()},
                  "fc6_W": (32, 10 ** 9), "fc6_b": (10 ** 9,), "fc7_W": (10 ** 9, 8)}
        with zipfile.ZipFile(path, "w") as archive:
            for name, shape in shapes.items():
                archive.writestr(f"{name}.npy", npy(shape))

    refused(write(tmp_path / "a.npz", wide, "npz", save=save), "parameters", "not read")


def test_zip_bomb_is_not_unpacked(tmp_path):
    # 1 GiB of zeros behind an array that is as small as it should be.
    def save(path, **arrays):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, np.zeros_like(array))
                    if name == "conv1_1_W":
                        for _ in range(1024):
                            member.write(bytes(2 ** 20))

    path = write(tmp_path / "a.npz", network_of(classes=20), "npz", save=save)
    tracemalloc.start()
    try:
        reader.read(path)
    except InputError:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * 2 ** 20


def test_integers_are_refused(tmp_path):
    refused(write(tmp_path / "a.npz", network_of(), "npz", save=lambda path, **arrays: np.savez(
        path, **{name: array.astype(np.int32) for name, array in arrays.items()})), "conv1_1: weights are of type int32")


def test_hdf5_that_points_to_other_files_is_not_followed(tmp_path):
    h5py = pytest.importorskip("h5py")
    path, other = tmp_path / "a.h5", tmp_path / "other.h5"
    write(other, network_of(), "keras")
    kernel = "block1_conv1/block1_conv1/kernel:0"

    def changed(change, *words):
        write(path, network_of(), "keras")
        with h5py.File(path, "a") as file:
            shape = file[kernel].shape
            del file[kernel]
            change(file, shape)
        refused(path, *words)

    def external(file, shape):
        file.create_dataset(kernel, shape, np.float32, external=[(str(other), 0, h5py.h5f.UNLIMITED)])

    def virtual(file, shape):
        layout = h5py.VirtualLayout(shape, np.float32)
        layout[:] = h5py.VirtualSource(str(other), kernel, shape)
        file.create_virtual_dataset(kernel, layout)

    changed(lambda file, shape: file.__setitem__(kernel, h5py.ExternalLink(str(other), kernel)), "conv1_1: 0 arrays")
    changed(lambda file, shape: file.__setitem__(kernel, h5py.SoftLink("/" + kernel)), "conv1_1: 0 arrays")
    changed(external, "another file")
    changed(virtual, "another file")


def test_hdf5_that_goes_round_in_circles_or_has_no_end_is_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = write(tmp_path / "a.h5", network_of(), "keras")
    with h5py.File(path, "a") as file:
        file["block1_conv1/block1_conv1/again"] = file["block1_conv1"]
    refused(path, "'block1_conv1/block1_conv1/again' leads", "circles")
    with h5py.File(path, "w") as file:
        for i in range(hdf5.MOST_MEMBERS):
            file[f"vgg/{i}"] = file["/"]
    refused(path, "circles")
    write(path, network_of(), "keras")
    with h5py.File(path, "a") as file:
        del file["fc1/fc1/kernel:0"]
        file.create_dataset("fc1/fc1/kernel:0", (96, 10 ** 12), np.float32, chunks=(96, 10))
    refused(path, "fc6")


# Larger files.

def merged(path, *prefixed):
    """One HDF5 file of others, each below a prefix."""
    import h5py

    with h5py.File(path, "w") as file:
        for other, prefix in prefixed:
            with h5py.File(other) as part:
                for name in part:
                    part.copy(name, file.require_group(prefix))
    return path


def test_of_two_vggs_neither_is_taken_and_of_a_whole_one_and_a_part_the_whole(tmp_path):
    network = network_of(classes=20)
    whole = write(tmp_path / "whole.h5", network, "keras")
    part = write(tmp_path / "part.h5", network_of(), "keras", top=False)
    refused(merged(tmp_path / "a.h5", (whole, "model_weights/teacher"), (whole, "model_weights/student")),
            "holds 2 VGGs ('student', 'teacher')", "in a file of its own")
    refused(merged(tmp_path / "d.h5", (whole, "/"), (whole, "student")), "holds 2 VGGs (the top level, 'student')")
    found, findings = reader.read(merged(tmp_path / "b.h5", (part, "eyes"), (whole, "new\nline")))
    np.testing.assert_array_equal(found.weights[3], network.weights[3])
    assert any(r"the part 'new\nline' of the file" in finding for finding in findings)
    refused(merged(tmp_path / "c.h5", (part, "eyes")), "fc6, fc7 and fc8 are missing")


def test_of_two_vggs_among_tensors_neither_is_taken(tmp_path):
    pytest.importorskip("torch")
    network, other = network_of(classes=20), formats.state_dict(network_of())
    path = write(tmp_path / "a.pth", network, "torch", checkpoint=lambda tensors: {"model": tensors, "ema": dict(other)})
    refused(path, "holds 2 VGGs ('model.', 'ema.')", "in a file of its own")
    features = {f"loss.{name}": tensor for name, tensor in other.items() if name.startswith("features")}
    found, _ = reader.read(write(path, network, "torch", checkpoint=lambda tensors: {**features, **tensors}))
    np.testing.assert_array_equal(found.weights[3], network.weights[3])
    refused(write(path, network, "torch", checkpoint=lambda tensors: features), "fc6, fc7 and fc8 are missing")
    refused(write(path, network, "torch", checkpoint=lambda tensors: {
        "state_dict": {**tensors, "features.1.running_mean": tensors["features.0.bias"]}}), "batch normalisation")


def test_a_checkpoint_that_holds_itself_or_code_ends(tmp_path):
    pytest.importorskip("torch")

    def circle(tensors):
        whole = {"state_dict": tensors, "x" * 10 ** 6: dict(tensors)}
        whole["state_dict"]["again"] = whole["again"] = whole
        return whole

    path = tmp_path / "a.pth"
    assert "it is the part 'state_dict' of the file" in reader.read(
        write(path, network_of(classes=20), "torch", checkpoint=circle))[1]
    write(path, network_of(classes=20), "torch", checkpoint=lambda tensors: {"state_dict": tensors, "x": Bomb(tmp_path / "x")})
    refused(path, "could run code", "state_dict")
    assert not (tmp_path / "x").exists()


# MATLAB 7.3.

def in_8_bits(path, network):
    matconvnet.write(path, network, bits=6)


def in_coefficients(path, network):
    fc6 = np.zeros_like(network.weights[-3])
    matconvnet.write(path, replace(network, weights=(*network.weights[:-3], fc6, *network.weights[-2:])), bits=6,
                     fc6=[(len(fc6), np.eye(fc6.shape[2], 1, dtype=np.float32))])


def of_the_oldest_layout(path, network):
    """Filters and biases in the layers, as doubles; what is said of the network beside them."""
    def layer(spec):
        about = {"name": spec.name, "type": spec.kind}
        if spec.kind == "conv":
            weights, biases = parameters[spec.name]
            about.update(filters=weights.transpose(2, 3, 1, 0).astype(float), biases=biases[None].astype(float), opts=[])
        return about

    parameters = {name: arrays for name, *arrays in formats.named(network)}
    layers = matfile.cell_of([layer(spec) for spec in network.layers])
    scipy.io.savemat(path, {
        "layers": layers, "normalization": {"averageImage": network.average_image},
        "classes": {"name": matfile.cell_of(network.names), "description": matfile.cell_of(network.descriptions)}})


@pytest.mark.parametrize("save, options", [
    (matconvnet.write, {}), (in_8_bits, {"compression": "gzip"}),
    (in_coefficients, {"compression": "gzip", "shuffle": True, "fletcher32": True}),
    (of_the_oldest_layout, {"compression": "gzip", "compression_opts": 0})])
def test_matlab_7_3_holds_what_its_older_versions_do(tmp_path, save, options):
    pytest.importorskip("h5py")
    older = tmp_path / "older.mat"
    save(older, formats.oxfords(network_of(classes=1)) if save == matconvnet.write else network_of(classes=1))
    formats.write_matlab73(tmp_path / "a.mat", scipy.io.loadmat(older, appendmat=False), **options)
    expected = matconvnet.read(older)
    found, findings = reader.read(tmp_path / "a.mat")
    for own, other in zip((*found.weights, *found.biases), (*expected.weights, *expected.biases)):
        np.testing.assert_array_equal(own, other)
        assert own.dtype == np.float32 and own.flags.c_contiguous
    np.testing.assert_array_equal(found.average_image, expected.average_image)
    assert (found.names, found.descriptions) == (expected.names, expected.descriptions)
    assert len(findings) == 1 and ("trained further" if save == matconvnet.write else "another training") in findings[0]
    with pytest.raises(InputError, match="is a MATLAB 7.3 file: 'lsd-repro convert'"):
        matconvnet.read(tmp_path / "a.mat")


def in_its_place(file, what):
    """The reference to filters of the first layer, as an array that can be written to, and what it refers to."""
    layer = file[file["layers"][0, 0]]
    return layer["weights"], file[layer["weights"][what, 0]]


def put_in_its_place(file, path, **options):
    import h5py

    cell, _ = in_its_place(file, 0)
    made = file.create_dataset(f"#refs#/{path}", **options)
    made.attrs["MATLAB_class"] = np.bytes_("single")
    cell[0, 0] = made.ref
    return h5py, made


def circle_of_cells(file, _):
    cell, _ = in_its_place(file, 0)
    cell[0, 0] = cell.ref


def circle_of_structs(file, _):
    layer = file[file["layers"][0, 0]]
    del layer["weights"]
    layer["weights"] = layer


def nothing(file, _):
    import h5py

    in_its_place(file, 0)[0][0, 0] = h5py.Reference()


def no_end(file, _):
    put_in_its_place(file, "x", shape=(8, 3, 3, 10 ** 14), dtype=np.float32, chunks=(8, 3, 3, 10))


def endless_cell(file, _):
    import h5py

    del file["layers"]
    file.create_dataset("layers", (10 ** 12, 1), h5py.ref_dtype, chunks=(1000, 1)).attrs["MATLAB_class"] = np.bytes_("cell")


def endless_text(file, _):
    name = file[file["layers"][0, 0]]
    del name["type"]
    name.create_dataset("type", (10 ** 9, 1), np.uint16, chunks=(1000, 1)).attrs["MATLAB_class"] = np.bytes_("char")


def bomb(file, _, size=2 ** 26):
    _, made = put_in_its_place(file, "x", shape=(8, 3, 3, 3), dtype=np.float32, chunks=(8, 3, 3, 3), compression="gzip")
    made.id.write_direct_chunk((0, 0, 0, 0), zlib.compress(bytes(size)), 0)


def small_bomb(file, path):
    bomb(file, path, 2 ** 20)


def large_chunks(file, _):
    put_in_its_place(file, "x", shape=(8, 3, 3, 3), dtype=np.float32, chunks=(8, 3, 3, 2 ** 23), maxshape=(8, 3, 3, None))


def no_chunk(file, _):
    put_in_its_place(file, "x", shape=(8, 3, 3, 3), dtype=np.float32, chunks=(8, 3, 3, 3), compression="gzip")


def other_compression(file, _):
    put_in_its_place(file, "x", data=np.zeros((8, 3, 3, 3), np.float32), compression="lzf")


def in_another_file(file, path):
    (path.parent / "other").write_bytes(bytes(4 * 8 * 27))
    put_in_its_place(file, "x", shape=(8, 3, 3, 3), dtype=np.float32, external=[(str(path.parent / "other"), 0, 4 * 8 * 27)])


def linked_to(file, path):
    import h5py

    del file["meta"]
    file["meta"] = h5py.ExternalLink(str(path), "meta")


def fewer_layers(file, _):
    layers = file["layers"][:-3]
    del file["layers"]
    file.create_dataset("layers", data=layers).attrs["MATLAB_class"] = np.bytes_("cell")


def no_class(file, _):
    del file["layers"].attrs["MATLAB_class"]


@pytest.mark.parametrize("change, words", [
    (circle_of_cells, "go on without end"), (circle_of_structs, "go on without end"), (nothing, "points to nothing"),
    (no_end, "entries"), (endless_cell, "entries"), (endless_text, "entries"), (bomb, "too long"),
    (small_bomb, "another length"), (large_chunks, "chunks of"), (no_chunk, "missing"),
    (other_compression, "otherwise than by gzip"), (in_another_file, "in another file"),
    (linked_to, "normalization is missing"), (fewer_layers, "is missing"), (no_class, "no readable variable 'layers'")])
def test_hostile_matlab_7_3_is_refused_in_little_memory(tmp_path, change, words):
    h5py = pytest.importorskip("h5py")
    path = write(tmp_path / "a.mat", network_of(classes=20), "matlab")
    head = path.read_bytes()[:128]
    with h5py.File(path, "a") as file:
        change(file, path)
    assert path.read_bytes()[:128] == head
    tracemalloc.start()
    refused(path, words)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2 ** 20


@pytest.mark.parametrize("share", [0.05, 0.5, 0.999])
def test_a_cut_off_matlab_7_3_is_refused(tmp_path, share):
    path = write(tmp_path / "a.mat", network_of(classes=20), "matlab")
    whole = path.read_bytes()
    path.write_bytes(whole[:int(share * len(whole))])
    refused(path)


def field(number, data):
    """A field of a protocol buffer."""
    def varint(value):
        return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])
    return varint(number << 3 | 2) + varint(len(data)) + data


def test_caffe_file_that_is_nested_deeply_or_endless_is_refused(tmp_path):
    path, nested = tmp_path / "a.caffemodel", b""
    for _ in range(5000):
        nested = field(2, nested)
    for content in (nested, field(2, b"\x10\x01" * 50_000), b"\x0a" + b"\xff" * 30, field(100, field(7, field(5, b"1234")))):
        path.write_bytes(content)
        refused(path, "none of the formats")


def test_safetensors_of_absurd_header_is_refused(tmp_path):
    pytest.importorskip("safetensors")
    for head in (struct.pack("<Q", 2 ** 39) + b"{", struct.pack("<Q", 60_001) + b"{" + b"[" * 60_000,
                 struct.pack("<Q", 84) + b'{"features.0.weight":{"dtype":"F32","shape":[9999999999],"data_offsets":[0,4]}}    '):
        (tmp_path / "a.safetensors").write_bytes(head + bytes(8))
        refused(tmp_path / "a.safetensors")


def test_what_is_no_vgg_is_said(tmp_path):
    pytest.importorskip("safetensors")
    from safetensors.numpy import save_file

    arrays = formats.torchvision_arrays(network_of())
    save_file({**arrays, "features.1.running_mean": arrays["features.0.bias"]}, tmp_path / "a.safetensors")
    refused(tmp_path / "a.safetensors", "batch normalisation")
    del arrays["features.28.weight"]
    save_file(arrays, tmp_path / "b.safetensors")
    refused(tmp_path / "b.safetensors", "conv5_3 not found")
    arrays["features.28.weight"] = np.zeros((*arrays["features.26.weight"].shape,), np.int64)
    save_file(arrays, tmp_path / "b.safetensors")
    refused(tmp_path / "b.safetensors", "'features.28.weight' has numbers of type I64", "BF16, F16, F32, F64 are read")
    matconvnet.write(tmp_path / "c.mat", network_of())
    refused(tmp_path / "c.mat", "already", "weights=")
    refused(tmp_path / "absent.h5", "cannot be opened: No such file")
    refused(tmp_path, "cannot be opened: Is a directory")


def test_a_missing_library_is_one_line_that_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(library.importlib, "import_module", absent)
    assert main(["convert", str(tmp_path / "a.h5"), "--out", str(tmp_path / "a.mat")]) == 2
    message = capsys.readouterr().err
    assert "h5py" in message and "pip install 'h5py" in message and message.count("\n") == 1
    assert not (tmp_path / "a.mat").exists()

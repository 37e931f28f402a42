"""Files of every format, written by the format's own library, come out as the network that went in."""

import io
import os
import pickle
import struct
import tracemalloc
import zipfile

import formats
import numpy as np
import pytest
import reference
from small_network import small_network

from lsd_repro.cli.main import main
from lsd_repro.convert import colours, library, reader
from lsd_repro.errors import InputError
from lsd_repro.network import ilsvrc, matconvnet
from lsd_repro.program2015 import VGG16_GROUPS, VGG19_GROUPS

# Without a library, its formats aren't tried.
NEEDS = {"keras": "h5py", "caffe": "google.protobuf", "torch": "torch", "safetensors": "safetensors"}

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
    "safetensors, timm": ("safetensors", {"timm": True}),
}


def network_of(groups=VGG16_GROUPS, classes=1000, **widths):
    return small_network(np.random.default_rng(5), groups=groups, classes=classes, **widths)


def write(path, network, kind, **options):
    pytest.importorskip(NEEDS.get(kind, "numpy"))
    getattr(formats, f"write_{kind}")(path, network, **options)
    return path


def written(folder, network, way):
    kind, options = WAYS[way]
    return write(folder / (f"vgg.{kind}" if kind != "npz" else "vgg.npz"), network, kind, **options)


@pytest.mark.parametrize("way", WAYS)
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
    refused(path, "conv1_1")
    write(path, network_of(), "keras")
    with h5py.File(path, "a") as file:
        del file["fc1/fc1/kernel:0"]
        file.create_dataset("fc1/fc1/kernel:0", (96, 10 ** 12), np.float32, chunks=(96, 10))
    refused(path, "fc6")


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


def test_brain_floats_are_refused_with_what_is_read(tmp_path):
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file({name: torch.from_numpy(array).bfloat16() for name, array in
                           formats.torchvision_arrays(network_of(classes=20)).items()}, tmp_path / "a.safetensors")
    refused(tmp_path / "a.safetensors", "BF16", "F16, F32, F64 are read")


def test_what_is_no_vgg_is_said(tmp_path):
    pytest.importorskip("safetensors")
    from safetensors.numpy import save_file

    arrays = formats.torchvision_arrays(network_of())
    save_file({**arrays, "features.1.running_mean": arrays["features.0.bias"]}, tmp_path / "a.safetensors")
    refused(tmp_path / "a.safetensors", "batch normalisation")
    del arrays["features.28.weight"]
    save_file(arrays, tmp_path / "b.safetensors")
    refused(tmp_path / "b.safetensors", "conv5_3 not found")
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

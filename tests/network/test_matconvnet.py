"""The .mat reader and writer, against files that scipy writes and reads."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from small_network import small_network

from lsd_repro.errors import InputError
from lsd_repro.network import matfile
from lsd_repro.network.layers import FULL, vgg_layers
from lsd_repro.network.matconvnet import NetworkWeights, read, write
from lsd_repro.network.random_weights import random_network
from lsd_repro.program2015 import VGG16_GROUPS, VGG19_GROUPS

VGG16_LAYERS = tuple((layer.name, layer.kind) for layer in vgg_layers(VGG16_GROUPS))


@pytest.fixture
def network():
    return small_network(np.random.default_rng(0))


def as_cell(values):
    cell = np.empty((1, len(values)), object)
    cell[0, :] = [None] * len(values)
    for i, value in enumerate(values):
        cell[0, i] = value
    return cell


def matlab_layers(network, oldest=False, bias_shape=(1, -1), weights_first=False, drop=None):
    """The layers as MatConvNet has them; `drop` leaves a field out of all."""
    arrays = iter(zip(network.weights, network.biases))
    layers = []
    for name, kind in VGG16_LAYERS + (("prob", "softmax"),):
        layer = {"name": name, "type": kind}
        if kind == "conv":
            weights, biases = next(arrays)
            filters, biases = weights.transpose(2, 3, 1, 0), biases.reshape(bias_shape)
            own = {"filters": filters, "biases": biases} if oldest else {"weights": as_cell([filters, biases])}
            own.update(pad=np.ones((1, 4)), stride=np.ones((1, 2)))
            layer = {**own, **layer} if weights_first else {**layer, **own}
        layer.pop(drop, None)
        layers.append(layer)
    return layers


def about(network, nested, classes_first=False):
    parts = {"normalization": {"averageImage": network.average_image, "interpolation": "bicubic"},
             "classes": {"name": as_cell(network.names), "description": as_cell(network.descriptions)}}
    if classes_first:
        parts = {key: dict(reversed(fields.items())) for key, fields in reversed(parts.items())}
    return {"meta": parts} if nested else parts


def save_layers(path, network, layers, **kwargs):
    scipy.io.savemat(path, {"layers": as_cell(layers), **about(network, nested=True)}, **kwargs)


def assert_same(ours, expected):
    for own, theirs in zip(ours.weights + ours.biases, expected.weights + expected.biases):
        np.testing.assert_array_equal(own, theirs)
        assert own.dtype == np.float32 and own.flags.c_contiguous and own.flags.owndata and own.flags.writeable
    np.testing.assert_array_equal(ours.average_image, expected.average_image)
    assert ours.descriptions == expected.descriptions and ours.names == expected.names


LAYOUTS = {
    "oldest": dict(layers=dict(oldest=True), nested=False),
    "of 2015": dict(layers=dict(weights_first=True), nested=False),
    "today's": dict(layers=dict(), nested=True),
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("permuted", [False, True])
@pytest.mark.parametrize("bias_shape", [(1, -1), (-1, 1)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_reads_each_layout_by_name(tmp_path, network, layout, bias_shape, permuted, compressed):
    given = LAYOUTS[layout]
    layers = matlab_layers(network, bias_shape=bias_shape, **given["layers"])
    if permuted:
        layers = [dict(reversed(layer.items())) for layer in layers]
    scipy.io.savemat(tmp_path / "net.mat", {**about(network, given["nested"], permuted), "layers": as_cell(layers)},
                     do_compression=compressed)
    assert_same(read(tmp_path / "net.mat"), network)


def test_vgg19_comes_back_with_its_nineteen_layers(tmp_path):
    network = small_network(np.random.default_rng(1), groups=VGG19_GROUPS)
    write(tmp_path / "net.mat", network)
    found = scipy.io.loadmat(tmp_path / "net.mat", simplify_cells=True)["layers"]
    # 43 in the file of 2014: 16 + 3 convolutions, 18 ReLUs, 5 max-pools, softmax.
    assert len(found) == 43 and [layer["name"] for layer in found if layer["type"] == "pool"] == [
        "pool1", "pool2", "pool3", "pool4", "pool5"]
    assert [layer["name"] for layer in found if layer["type"] == "conv"][8:13] == [
        "conv4_1", "conv4_2", "conv4_3", "conv4_4", "conv5_1"]
    assert_same(read(tmp_path / "net.mat"), network)
    assert read(tmp_path / "net.mat").groups == (2, 2, 4, 4, 4)


def test_vgg19_without_its_last_layer_is_told_from_a_vgg16(tmp_path):
    network = small_network(np.random.default_rng(1), groups=VGG19_GROUPS)
    write(tmp_path / "net.mat", network)
    layers = scipy.io.loadmat(tmp_path / "net.mat")["layers"]
    scipy.io.savemat(tmp_path / "net.mat", {"layers": layers[:, :-2], **about(network, nested=True)})
    with pytest.raises(InputError, match="no VGG-19: fc8 is missing"):
        read(tmp_path / "net.mat")


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 8, 3), (5, 7, 3)])
def test_reads_average_image_of_either_shape(tmp_path, network, shape):
    image = np.random.default_rng(2).uniform(0, 255, shape).astype(np.float32)
    write(tmp_path / "net.mat", replace(network, average_image=image))
    np.testing.assert_array_equal(read(tmp_path / "net.mat").average_image, image)


def test_reads_layers_without_types_names_and_class_names(tmp_path, network):
    layers = matlab_layers(network)
    for layer in layers:
        del layer["type"], layer["name"]
    layers = [layer or {"precious": 0.0} for layer in layers]
    save_layers(tmp_path / "net.mat", replace(network, names=()), layers)
    assert_same(read(tmp_path / "net.mat"), replace(network, names=()))


def test_dropout_layers_change_nothing(tmp_path, network):
    layers = matlab_layers(network)
    layers[-2:-2] = [{"name": "drop7", "type": "dropout", "rate": 0.5}]
    save_layers(tmp_path / "net.mat", network, layers)
    assert_same(read(tmp_path / "net.mat"), network)


def test_reads_whole_numbers_that_matlab_stores_as_integers_or_doubles(tmp_path, network):
    layers = matlab_layers(network)
    layers[0]["weights"][0, 1] = np.arange(8, dtype=np.uint8)
    layers[2]["weights"][0, 1] = np.full((1, 8), 0.25, np.float64)
    save_layers(tmp_path / "net.mat", network, layers)
    biases = read(tmp_path / "net.mat").biases
    np.testing.assert_array_equal(biases[0], np.arange(8, dtype=np.float32))
    np.testing.assert_array_equal(biases[1], np.full(8, 0.25, np.float32))


def test_filters_of_one_output_lose_their_last_dimension_in_matlab(tmp_path):
    network = small_network(np.random.default_rng(3), classes=1)
    layers = matlab_layers(network)
    assert layers[-2]["weights"][0, 0].shape == (1, 1, 32, 1)
    layers[-2]["weights"][0, 0] = layers[-2]["weights"][0, 0][..., 0]
    save_layers(tmp_path / "net.mat", network, layers)
    assert_same(read(tmp_path / "net.mat"), network)


def test_filter_element_lands_where_lasagne_looks_for_it(tmp_path, network):
    layers = matlab_layers(network)
    filters = np.zeros((3, 3, 8, 8), np.float32)
    filters[2, 1, 5, 7] = 1  # row 2, column 1, from channel 5 to channel 7
    layers[2]["weights"][0, 0] = filters
    save_layers(tmp_path / "net.mat", network, layers)
    weights = read(tmp_path / "net.mat").weights[1]
    assert weights[7, 5, 2, 1] == 1 and weights.sum() == 1


def test_mean_is_one_scalar_and_survives_the_file_to_the_last_bit(tmp_path, network):
    image = np.random.default_rng(4).uniform(0, 255, (50, 70, 3)).astype(np.float32)
    network = replace(network, average_image=image)
    write(tmp_path / "net.mat", network)
    mean = read(tmp_path / "net.mat").mean
    assert isinstance(mean, float) and mean == network.mean == np.float32(mean)
    assert mean == pytest.approx(math.fsum(image.ravel().tolist()) / image.size, rel=1e-6)


def test_real_widths_have_as_many_parameters_as_vgg16():
    shapes = [(out, into, size, size) for out, into, size in
              zip([64] * 2 + [128] * 2 + [256] * 3 + [512] * 6 + [4096, 4096, 1000],
                  [3, 64, 64, 128, 128, 256, 256, 256] + [512] * 6 + [4096] * 2, [3] * 13 + [7, 1, 1])]
    nothing = np.zeros((), np.float32)
    network = NetworkWeights(tuple(np.broadcast_to(nothing, shape) for shape in shapes),
                             tuple(np.broadcast_to(nothing, shape[:1]) for shape in shapes), nothing, ())
    assert network.parameter_count == 138_357_544


# The writer.

def test_what_is_written_reads_back_bit_for_bit(tmp_path, network):
    network = replace(network, descriptions=("café, Ω",) + network.descriptions[1:])
    write(tmp_path / "net.mat", network)
    assert_same(read(tmp_path / "net.mat"), network)
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.mat"]


def test_scipy_sees_todays_layout(tmp_path, network):
    write(tmp_path / "net.mat", network)
    found = scipy.io.loadmat(tmp_path / "net.mat")
    layers = [layer[0, 0] for layer in found["layers"][0]]
    assert found["layers"].shape == (1, 37)
    assert layers[0].dtype.names[:3] == ("name", "type", "weights")
    assert [(layer["name"].item(), layer["type"].item()) for layer in layers] == \
        list(VGG16_LAYERS) + [("prob", "softmax")]
    convolutions = [i for i, layer in enumerate(layers) if layer["type"].item() == "conv"]
    assert convolutions == [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28, 31, 33, 35]
    for i, weights, biases in zip(convolutions, network.weights, network.biases):
        filters, offsets = layers[i]["weights"][0]
        assert filters.dtype == offsets.dtype == np.float32
        np.testing.assert_array_equal(filters, weights.transpose(2, 3, 1, 0))
        np.testing.assert_array_equal(offsets.ravel(), biases)
        np.testing.assert_array_equal(layers[i]["pad"], [[int(i < 31)] * 4])
        np.testing.assert_array_equal(layers[i]["size"], [filters.shape])
    pool = layers[4]
    assert pool["method"].item() == "max" and pool["pool"].tolist() == pool["stride"].tolist() == [[2, 2]]
    meta = found["meta"][0, 0]
    normalization, classes = meta["normalization"][0, 0], meta["classes"][0, 0]
    np.testing.assert_array_equal(normalization["averageImage"], network.average_image)
    np.testing.assert_array_equal(normalization["imageSize"], [[64, 64, 3]])
    assert [text.item() for text in classes["description"][0]] == list(network.descriptions)
    assert [text.item() for text in classes["name"][0]] == list(network.names)


def test_above_eight_bits_are_significant_ones(tmp_path, network):
    write(tmp_path / "rounded.mat", network, bits=10)
    rounded = read(tmp_path / "rounded.mat")
    for own, exact in zip(rounded.weights, network.weights):
        assert not (own.view(np.uint32) & 0x3FFF).any()
        assert (np.abs(own - exact) <= np.abs(exact) * 2.0 ** -10).all()
    assert_same(replace(rounded, weights=network.weights), network)


@pytest.mark.parametrize("bits", [2, 7, 8])
def test_up_to_eight_bits_are_integers_with_a_scale_that_scipy_sees(tmp_path, network, bits):
    write(tmp_path / "few.mat", network, bits=bits)
    layers = [layer[0, 0] for layer in scipy.io.loadmat(tmp_path / "few.mat")["layers"][0]]
    convolutions = [layer for layer in layers if layer["type"].item() == "conv"]
    ours = read(tmp_path / "few.mat")
    for layer, own, exact, offsets in zip(convolutions, ours.weights, network.weights, network.biases):
        codes, biases = layer["weights"][0]
        scale = layer["scale"]
        assert codes.dtype == np.int8 and scale.dtype == biases.dtype == np.float32
        assert scale.shape == biases.shape == (len(exact), 1)
        assert np.abs(codes.astype(int)).max() <= 2 ** (bits - 1) - 1
        np.testing.assert_array_equal(biases[:, 0], offsets)
        # A second way: in doubles, from the scales in the file alone.
        most, step = 2 ** (bits - 1) - 1, scale.astype(float)[:, 0]
        nearest = np.clip(np.rint(exact.transpose(2, 3, 1, 0) / step), -most, most)
        assert (np.abs(codes - nearest) <= 1).all() and np.mean(codes != nearest) < 1e-3
        np.testing.assert_allclose(own, (codes * step).transpose(3, 2, 0, 1), rtol=1e-6)
    assert_same(replace(ours, weights=network.weights), network)
    for own in ours.weights:
        assert own.dtype == np.float32 and own.flags.c_contiguous and own.flags.owndata and own.flags.writeable


def test_eight_bits_of_the_real_trunk_fit_a_repository(tmp_path):
    rng = np.random.default_rng(6)
    network = random_network(rng, **{**FULL, "fc": 256, "classes": 200})
    write(tmp_path / "trunk.mat", network, bits=8)
    assert network.parameter_count > 21_000_000
    assert (tmp_path / "trunk.mat").stat().st_size < 20_000_000
    for own, exact in zip(read(tmp_path / "trunk.mat").weights, network.weights):
        assert np.linalg.norm(own - exact) < 0.01 * np.linalg.norm(exact)


def test_twenty_four_bits_are_all_of_single_precision(tmp_path, network):
    write(tmp_path / "net.mat", network, bits=24)
    assert_same(read(tmp_path / "net.mat"), network)


@pytest.mark.parametrize("bits", [0, 1, 25, 8.5])
def test_other_numbers_of_bits_are_refused(tmp_path, network, bits):
    with pytest.raises(InputError, match="must be 2 to 24"):
        write(tmp_path / "net.mat", network, bits=bits)
    assert not list(tmp_path.iterdir())


def test_ten_bits_write_three_and_a_half_million_parameters_into_eight_megabytes(tmp_path):
    rng = np.random.default_rng(5)
    network = small_network(rng, widths=(16, 32, 96, 160, 256), fc=640, classes=100)
    network = replace(network, average_image=rng.uniform(90, 140, (64, 64, 3)).astype(np.float32), weights=tuple(
        rng.standard_normal(array.shape, np.float32) * np.float32(0.05) for array in network.weights))
    write(tmp_path / "rounded.mat", network, bits=10)
    assert network.parameter_count > 3_480_000
    assert (tmp_path / "rounded.mat").stat().st_size < 8_000_000


def test_failed_write_leaves_the_old_file_and_no_other(tmp_path, network, monkeypatch):
    write(tmp_path / "net.mat", network)
    before = (tmp_path / "net.mat").read_bytes()

    def full_disk(stream, *args, **kwargs):
        stream.write(b"begun")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scipy.io.savemat", full_disk)
    with pytest.raises(InputError, match=r"net\.mat: No space left"):
        write(tmp_path / "net.mat", network)
    assert (tmp_path / "net.mat").read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.mat"]


def test_writer_refuses_what_the_reader_would(tmp_path, network):
    with pytest.raises(InputError, match=r"net\.mat: no VGG-16: conv1_2 takes 8 channels, but conv1_1 has 7"):
        write(tmp_path / "net.mat", replace(
            network, weights=(network.weights[0][:7],) + network.weights[1:],
            biases=(network.biases[0][:7],) + network.biases[1:]))
    assert not list(tmp_path.iterdir())


# No VGG-16.

def index(name):
    return [layer for layer, _ in VGG16_LAYERS].index(name)


def change_filters(layers, name, change):
    cell = layers[index(name)]["weights"]
    cell[0, 0] = change(cell[0, 0].copy())


def poison(where, value):
    def change(array):
        array.flat[where] = value
        return array
    return change


@pytest.mark.parametrize("change, message", [
    (lambda layers: change_filters(layers, "conv3_2", poison(-1, np.nan)), "conv3_2: weights hold NaN"),
    (lambda layers: change_filters(layers, "fc7", poison(5, -np.inf)), "fc7: weights hold NaN or infinity"),
    (lambda layers: layers[index("fc8")]["weights"][0, 1].fill(np.nan), "fc8: biases hold NaN"),
    (lambda layers: change_filters(layers, "conv2_2", lambda f: f[:2, :2]), "conv2_2 has 2x2 filters and not 3x3"),
    (lambda layers: change_filters(layers, "conv4_1", lambda f: f[:, :, 1:]),
     "conv4_1 takes 15 channels, but conv3_3 has 16"),
    (lambda layers: change_filters(layers, "conv1_1", lambda f: f[:, :, :1]),
     "conv1_1 takes 1 channels, but the RGB picture has 3"),
    (lambda layers: change_filters(layers, "fc6", lambda f: f[:1]), "fc6 has 1x2 filters and not 1x1"),
    (lambda layers: change_filters(layers, "fc7", lambda f: f.astype(complex)), "fc7: filters is missing"),
    (lambda layers: change_filters(layers, "fc8", lambda f: f[..., :9]), "fc8: 9 filters but biases of shape"),
    (lambda layers: change_filters(layers, "conv5_1", lambda f: f[None]), "conv5_1: filters have shape"),
    (lambda layers: layers[index("conv5_2")].pop("weights"), "conv5_2: filters is missing"),
    (lambda layers: layers[index("conv5_2")].update(weights=as_cell([np.zeros(3)])), "conv5_2: 'weights' is not"),
    (lambda layers: layers.pop(index("pool2")), r"layer 10 \(conv3_1\) is a 'conv' layer, and 'pool' \(pool2\)"),
    (lambda layers: layers.pop(index("relu6")), r"layer 33 \(fc7\) is a 'conv' layer, and 'relu' \(relu6\)"),
    (lambda layers: layers.insert(6, {"name": "norm1", "type": "lrn"}), r"layer 7 \(norm1\) is a 'lrn' layer"),
    (lambda layers: layers[index("pool4")].update(method="avg"), r"\(pool4\) is not a max-pool"),
    (lambda layers: layers.__delitem__(slice(index("fc8"), None)), "fc8 is missing"),
    (lambda layers: layers.append(dict(layers[0])), r"\(conv1_1\) comes after fc8"),
    (lambda layers: layers.__delitem__(slice(0, None)), "conv1_1 is missing"),
    (lambda layers: layers.__setitem__(3, "relu"), "layer 4 of 37 is missing or no struct"),
])
def test_what_is_no_vgg16_is_named_with_its_layer(tmp_path, network, change, message):
    layers = matlab_layers(network)
    change(layers)
    save_layers(tmp_path / "other.mat", network, layers)
    with pytest.raises(InputError, match=r"other\.mat: .*" + message):
        read(tmp_path / "other.mat")


def eight_bits(layers, name, **changes):
    """Replace a layer's filters by codes with a scale."""
    layer = layers[index(name)]
    layer["weights"][0, 0] = np.rint(layer["weights"][0, 0] * 50).astype(np.int8)
    layer.update({"scale": np.full((layer["weights"][0, 1].size, 1), 0.02, np.float32), **changes})


def test_layers_in_8_bits_and_others_mix_in_one_file(tmp_path, network):
    layers = matlab_layers(network)
    eight_bits(layers, "conv2_1", scale=np.full((1, 12), 2, np.uint8))  # as MATLAB stores whole numbers
    codes = layers[index("conv2_1")]["weights"][0, 0].transpose(3, 2, 0, 1)
    save_layers(tmp_path / "net.mat", network, layers)
    weights = list(network.weights)
    weights[2] = np.ascontiguousarray(codes * np.float32(2))
    assert_same(read(tmp_path / "net.mat"), replace(network, weights=tuple(weights)))


@pytest.mark.parametrize("name, scale, message", [
    ("conv1_1", None, "conv1_1: filters are int8, but there is no readable 'scale'"),
    ("conv1_1", np.ones(8, complex), "conv1_1: filters are int8, but there is no readable 'scale'"),
    ("fc8", "0.02", "fc8: scale is missing or holds no real numbers"),
    ("conv3_2", np.ones((3, 1)), "conv3_2: 16 filters but 3 scales"),
    ("conv3_2", np.zeros((0, 0)), "conv3_2: 16 filters but 0 scales"),
    ("conv3_2", np.float32(1), "conv3_2: 16 filters but 1 scales"),
    ("conv5_3", np.r_[np.ones(23), -1e-9], "conv5_3: a scale is negative"),
    ("conv5_3", np.r_[np.nan, np.ones(23)], "conv5_3: a scale is negative, NaN"),
    ("conv5_3", np.r_[np.inf, np.ones(23)], "conv5_3: a scale is .*too large"),
    ("conv5_3", np.r_[3e36, np.ones(23)], "conv5_3: a scale is .*too large"),
])
def test_filters_in_8_bits_need_a_scale_that_fits(tmp_path, network, name, scale, message):
    layers = matlab_layers(network)
    eight_bits(layers, name, scale=scale)
    if scale is None:
        del layers[index(name)]["scale"]
    save_layers(tmp_path / "bits.mat", network, layers)
    with pytest.raises(InputError, match=r"bits\.mat: .*" + message):
        read(tmp_path / "bits.mat")


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8])
def test_a_scale_beside_other_filters_is_refused(tmp_path, network, dtype):
    layers = matlab_layers(network)
    eight_bits(layers, "conv4_1")
    change_filters(layers, "conv4_1", lambda f: f.astype(dtype))
    save_layers(tmp_path / "bits.mat", network, layers)
    with pytest.raises(InputError, match=r"bits\.mat: conv4_1: there is a 'scale', but filters are not int8"):
        read(tmp_path / "bits.mat")


@pytest.mark.parametrize("change, message", [
    (lambda codes: codes[:2, :2], "conv2_2 has 2x2 filters and not 3x3"),
    (lambda codes: codes[:, :, 1:], "conv2_2 takes 11 channels, but conv2_1 has 12"),
    (lambda codes: codes[None], "conv2_2: filters have shape"),
])
def test_codes_of_the_wrong_shape_are_refused(tmp_path, network, change, message):
    layers = matlab_layers(network)
    eight_bits(layers, "conv2_2")
    change_filters(layers, "conv2_2", change)
    save_layers(tmp_path / "bits.mat", network, layers)
    with pytest.raises(InputError, match=r"bits\.mat: .*" + message):
        read(tmp_path / "bits.mat")


# fc6 as coefficients.

def slow_cosines(size, frequencies, inside):
    """As columns, with rows of zeros up to size `inside`."""
    phase = np.pi * (np.arange(size) + 0.5) / size
    return np.pad(np.cos(np.outer(phase, np.arange(frequencies))), [((inside - size) // 2,) * 2, (0, 0)]).astype(np.float32)


@pytest.fixture
def in_groups():
    """A network whose fc6 is of 20 channels of 7x7 and 12 of 5x5, and the two bases."""
    rng = np.random.default_rng(13)
    network = small_network(rng, fc6=7)
    bases = slow_cosines(7, 3, inside=7), slow_cosines(5, 2, inside=7)
    fc6 = [np.einsum("oikl,yk,xl->oiyx", rng.standard_normal((out, 24, *[basis.shape[1]] * 2)), basis, basis)
           for out, basis in zip((20, 12), bases)]
    weights = list(network.weights)
    weights[-3] = np.concatenate(fc6).astype(np.float32)
    return replace(network, weights=tuple(weights)), list(zip((20, 12), bases))


def test_fc6_as_coefficients_of_two_groups_that_scipy_sees(tmp_path, in_groups):
    network, groups = in_groups
    write(tmp_path / "net.mat", network, bits=8, fc6=groups)
    layer = scipy.io.loadmat(tmp_path / "net.mat")["layers"][0, index("fc6")][0, 0]
    codes, biases = layer["weights"][0]
    assert [group.shape for group in codes[0]] == [(3, 3, 24, 20), (2, 2, 24, 12)]
    assert {group.dtype for group in codes[0]} == {np.dtype(np.int8)}
    np.testing.assert_array_equal(layer["size"], [[7, 7, 24, 32]])
    np.testing.assert_array_equal(biases[:, 0], network.biases[-3])
    for basis, (_, given) in zip(layer["basis"][0], groups):
        np.testing.assert_array_equal(basis, given)
    # From what the file holds, in doubles.
    scales = layer["scale"].astype(float)[:, 0]
    assert layer["scale"].shape == (32, 1) and layer["scale"].dtype == np.float32
    expected = np.concatenate([np.einsum("klio,yk,xl->oiyx", group * scale, basis, basis) for group, scale, basis in
                               zip(codes[0], np.split(scales, [20]), layer["basis"][0].tolist())])
    ours = read(tmp_path / "net.mat")
    np.testing.assert_allclose(ours.weights[-3], expected, rtol=1e-5, atol=1e-6)
    assert np.linalg.norm(ours.weights[-3] - network.weights[-3]) < 0.01 * np.linalg.norm(network.weights[-3])
    # All else is as without.
    write(tmp_path / "plain.mat", network, bits=8)
    plain = read(tmp_path / "plain.mat")
    assert_same(ours, replace(plain, weights=plain.weights[:-3] + ours.weights[-3:-2] + plain.weights[-2:]))


@pytest.mark.parametrize("bits", [None, 12])
def test_coefficients_are_written_in_few_bits_or_not_at_all(tmp_path, in_groups, bits):
    network, groups = in_groups
    with pytest.raises(InputError, match="fc6 as coefficients: they are stored in 2 to 8 bits"):
        write(tmp_path / "net.mat", network, bits, groups)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("change, message", [
    (lambda groups: groups[:1], r"groups of \[20\] channels, and fc6 has 32"),
    (lambda groups: [], r"groups of \[\] channels"),
    (lambda groups: groups + [(0, groups[0][1])], r"groups of \[20, 12, 0\]"),
    (lambda groups: [(32, groups[0][1])], "no sums of the basis's 3 functions"),
])
def test_groups_that_are_not_fc6s_are_refused(tmp_path, in_groups, change, message):
    network, groups = in_groups
    with pytest.raises(InputError, match=r"net\.mat: .*" + message):
        write(tmp_path / "net.mat", network, 8, change(groups))
    assert not list(tmp_path.iterdir())


def in_coefficients(layer, groups=1, functions=2, size=7, channels=32, into=24):
    """Fields of fc6 whose coefficients are all 1."""
    layer["weights"][0, 0] = as_cell([np.ones((functions, functions, into, channels // groups), np.int8)] * groups)
    layer["basis"] = as_cell([np.ones((size, functions), np.float32)] * groups)
    layer["scale"] = np.ones((channels, 1), np.float32)


def change_group(layer, field, change):
    cell = layer["basis"] if field == "basis" else layer["weights"][0, 0]
    cell[0, -1] = change(cell[0, -1])


@pytest.mark.parametrize("change, message", [
    (lambda fc6: fc6.pop("scale"), "fc6: scale is missing"),
    (lambda fc6: fc6.update(scale=np.ones((31, 1))), "fc6: 32 filters but 31 scales"),
    (lambda fc6: fc6["scale"].fill(np.nan), "fc6: a scale is negative, NaN"),
    (lambda fc6: fc6.update(basis=fc6["basis"][0, 0]), "fc6: filters and 'basis' are not cells of as many"),
    (lambda fc6: fc6.update(basis=fc6["basis"][:, :1]), "fc6: filters and 'basis' are not cells of as many"),
    (lambda fc6: fc6["weights"].itemset((0, 0), fc6["weights"][0, 0][0, 0]), "fc6: filters and 'basis' are not cells"),
    (lambda fc6: fc6.pop("basis"), "fc6: there is a 'scale', but filters are not int8"),
    (lambda fc6: change_group(fc6, "weights", lambda codes: codes.astype(np.int16)), "coefficients are not int8"),
    (lambda fc6: change_group(fc6, "weights", lambda codes: "codes"), "coefficients are not int8"),
    (lambda fc6: change_group(fc6, "weights", lambda codes: codes[None]), "fc6: filters have shape"),
    (lambda fc6: change_group(fc6, "weights", lambda codes: codes[:1]), "coefficients of 1 x 2 functions and 24 ch"),
    (lambda fc6: change_group(fc6, "weights", lambda codes: codes[:, :, 1:]), "coefficients of 2 x 2 functions and 23 ch"),
    (lambda fc6: change_group(fc6, "basis", lambda basis: basis[1:]), r"a basis has shape \(6, 2\) and not 7 x "),
    (lambda fc6: change_group(fc6, "basis", lambda basis: basis[..., None]), r"a basis has shape \(7, 2, 1\)"),
    (lambda fc6: change_group(fc6, "basis", lambda basis: np.zeros((7, 0))), r"a basis has shape \(7, 0\)"),
    (lambda fc6: change_group(fc6, "basis", lambda basis: np.ones((7, 8))), r"a basis has shape \(7, 8\)"),
    (lambda fc6: change_group(fc6, "basis", lambda basis: basis * np.nan), "a basis holds NaN"),
    (lambda fc6: change_group(fc6, "basis", lambda basis: basis * 1e30), "fc6: weights hold NaN or infinity"),
    (lambda fc6: change_group(fc6, "basis", lambda basis: "cosines"), "fc6: basis is missing or holds no real numbers"),
    (lambda fc6: in_coefficients(fc6, into=23), "fc6 takes 23 channels, but conv5_3 has 24"),
    # 32 x 24 filters of 366 x 366 are the first square beyond the limit.
    (lambda fc6: in_coefficients(fc6, functions=1, size=366), "366x366 filters from 24 channels to 32: more than 102,7"),
    (lambda fc6: in_coefficients(fc6, functions=1, size=10 ** 5), "more than 102,760,448 weights"),
])
def test_coefficients_that_make_no_fc6_are_refused(tmp_path, network, change, message):
    layers = matlab_layers(network)
    in_coefficients(layers[index("fc6")], groups=2)
    change(layers[index("fc6")])
    save_layers(tmp_path / "bits.mat", network, layers, do_compression=True)
    with pytest.raises(InputError, match=r"bits\.mat: .*" + message):
        read(tmp_path / "bits.mat")


def test_only_fc6_may_be_coefficients(tmp_path, network):
    layers = matlab_layers(network)
    in_coefficients(layers[index("conv5_3")], size=3, channels=24)
    save_layers(tmp_path / "bits.mat", network, layers)
    with pytest.raises(InputError, match=r"bits\.mat: conv5_3: there is a 'basis', which only fc6 may have"):
        read(tmp_path / "bits.mat")


@pytest.mark.parametrize("changes, message", [
    (dict(average_image=np.zeros((8, 8), np.float32)), r"average image has shape \(8, 8\)"),
    (dict(average_image=np.full((8, 8, 3), np.nan)), "average image hold NaN"),
    (dict(descriptions=("one", "two")), "fc8 has 20 classes, but 2 are described"),
    (dict(names=("one", "two")), "fc8 has 20 classes, but 2 are named"),
    (dict(descriptions=(1.0,) * 20), "classes.description: entry 0 is no string"),
])
def test_what_stands_beside_the_layers_is_checked_too(tmp_path, network, changes, message):
    save_layers(tmp_path / "other.mat", replace(network, **changes), matlab_layers(network))
    with pytest.raises(InputError, match=r"other\.mat: .*" + message):
        read(tmp_path / "other.mat")


# No .mat file, or a damaged one.

@pytest.mark.parametrize("content, message", [
    (None, "cannot be opened: No such file"),
    (b"", "is empty; download it again"),
    (b"<html><body>404 Not Found</body></html>" * 20, "is not a .mat file; the file wanted is"),
    (b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n", "is a MATLAB 7.3 .*'lsd-repro convert'"),
    (b"\x89HDF\r\n\x1a\n" + bytes(600), "is an HDF5 file.*'lsd-repro convert'"),
])
def test_other_files_are_named_with_the_mend(tmp_path, content, message):
    if content is not None:
        (tmp_path / "net.mat").write_bytes(content)
    with pytest.raises(InputError, match=r"net\.mat: " + message):
        read(tmp_path / "net.mat")


def test_a_folder_is_no_network(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        read(tmp_path)


@pytest.mark.parametrize("variables, message", [
    ({"x": np.arange(9.0)}, "no readable variable 'layers'"),
    ({"layers": np.arange(9.0)}, "'layers' is no cell"),
    ({"layers": as_cell(["conv"])}, "layer 1 of 1 is missing or no struct"),
])
def test_other_mat_files_are_no_networks(tmp_path, variables, message):
    scipy.io.savemat(tmp_path / "other.mat", variables)
    with pytest.raises(InputError, match=r"other\.mat: .*" + message):
        read(tmp_path / "other.mat")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("length", [1, 60, 127, 128, 132, 136, 0.1, 0.5, 0.9, 0.99, -8, -1])
def test_a_truncated_file_is_refused(tmp_path, network, length, compressed):
    save_layers(tmp_path / "net.mat", network, matlab_layers(network), do_compression=compressed)
    whole = (tmp_path / "net.mat").read_bytes()
    (tmp_path / "net.mat").write_bytes(whole[:int(length * len(whole)) if isinstance(length, float) else length])
    with pytest.raises(InputError, match=r"net\.mat: is (truncated: it has|not a \.mat)"):
        read(tmp_path / "net.mat")


def test_a_file_cut_between_two_variables_is_refused(tmp_path, network):
    save_layers(tmp_path / "net.mat", network, matlab_layers(network), do_compression=False)
    whole = (tmp_path / "net.mat").read_bytes()
    first = 136 + int.from_bytes(whole[132:136], "little")
    (tmp_path / "net.mat").write_bytes(whole[:first])
    with pytest.raises(InputError, match="normalization is missing.*download it again"):
        read(tmp_path / "net.mat")


# Not ru_maxrss, which counts what the process that started this one held.
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak of one program")
def test_reading_the_real_size_stays_under_1_3_gib(tmp_path, python):
    rng = np.random.default_rng(7)
    network = small_network(rng, **FULL)
    network = replace(network, average_image=rng.uniform(90, 140, (224, 224, 3)).astype(np.float32))
    write(tmp_path / "large.mat", network)
    result = python("""
        import json
        from lsd_repro.bench.worker import memory
        from lsd_repro.network.matconvnet import read
        network = read("large.mat")
        print(json.dumps([network.parameter_count, float(network.weights[13][4095, 511, 6, 5]),
                          memory()["peak"] / 1024]))
        """.replace("\n        ", "\n"))
    (tmp_path / "large.mat").unlink()
    assert result.returncode == 0, result.stderr
    count, weight, peak_gib = json.loads(result.stdout)
    assert count == 138_357_544 and weight == network.weights[13][4095, 511, 6, 5]
    assert peak_gib < 1.3


def test_outline_names_what_lies_where(tmp_path):
    path = tmp_path / "network.mat"
    write(path, small_network(np.random.default_rng(0)))
    lines = matfile.outline(matfile.load(path)["layers"], "layers", entries=1)
    assert lines[0] == "layers: cell of 37"
    assert "    {1}: struct" in lines and "        name: 'conv1_1'" in lines
    assert "            {1}: 3 x 3 x 3 x 8 float32" in lines
    assert lines[-1] == "    ..."

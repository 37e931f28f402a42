import numpy as np
import pytest
import reference
from graphs import KINDS, compile_graph, fused_ops
from small_network import small_network

from lsd_repro.errors import InputError
from lsd_repro.network import vgg16
from lsd_repro.network.layers import FULL
from lsd_repro.program2015 import VGG19_GROUPS
from lsd_repro.runtime.load import T, lasagne, theano


def compiled(network, dtype, graph="plain"):
    with theano.config.change_flags(floatX=dtype):
        layers = vgg16.build(network)
        x = T.TensorType(dtype, (True, False, False, False))()
        function = compile_graph(graph, [x], vgg16.class_logits(layers, x, network.mean), givens=vgg16.fixed_filters(layers))
    # A 3x3 layer each, the max-pools in them.
    assert len(fused_ops(function)) == (len(layers) - 9 if graph == "fused" else 0)
    return layers, function


def picture(rng, height, width):
    return rng.uniform(0, 255, (height, width, 3))


@pytest.mark.parametrize("graph", KINDS)
def test_logits_are_those_of_numpy_also_at_odd_sizes(graph):
    rng = np.random.default_rng(1)
    network = small_network(rng)
    _, logits = compiled(network, "float64", graph)
    for height, width in ((64, 64), (101, 135)):
        x = picture(rng, height, width)
        expected = reference.logits(network, x)
        found = logits(x.transpose(2, 0, 1)[None])[0]
        assert found.shape[1:] == expected.shape[1:] == vgg16.map_size(height, width, 2)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("graph", KINDS)
def test_vgg19_has_numpys_logits_too(graph):
    network = small_network(np.random.default_rng(3), groups=VGG19_GROUPS)
    layers, logits = compiled(network, "float64", graph)
    assert len(layers) == 1 + 16 + 5 + 3
    x = picture(np.random.default_rng(4), 101, 135)
    expected = reference.logits(network, x)
    np.testing.assert_allclose(logits(x.transpose(2, 0, 1)[None])[0], expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_layers_are_lasagnes_and_named_as_in_the_paper():
    layers = vgg16.build(small_network(np.random.default_rng(0)))
    assert list(layers)[:4] == ["input", "conv1_1", "conv1_2", "pool1"] and list(layers)[-1] == "fc8"
    assert len(layers) == 1 + 13 + 5 + 3
    assert all(isinstance(layer, lasagne.layers.Layer) for layer in layers.values())
    assert len(lasagne.layers.get_all_params(layers["fc8"])) == 32


def test_too_small_a_picture_is_refused_with_the_least_size():
    with pytest.raises(InputError, match="840x223 .* at least 224x224"):
        vgg16.map_size(223, 840, 7)


@pytest.mark.slow
def test_full_width_has_the_published_parameter_count_and_numpys_logits():
    rng = np.random.default_rng(2)
    network = small_network(rng, **FULL)
    layers, logits = compiled(network, "float32", "fused")
    assert lasagne.layers.count_params(layers["fc8"]) == network.parameter_count == 138_357_544
    x = picture(rng, 224, 224).astype(np.float32)
    found = logits(x.transpose(2, 0, 1)[None])
    assert found.shape == (1, 1000, 1, 1)
    expected = reference.logits(network, x)
    assert np.abs(found[0] - expected).max() < 1e-4 * np.abs(expected).max()

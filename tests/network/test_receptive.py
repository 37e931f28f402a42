"""Sizes and receptive fields, against the graph itself."""

from dataclasses import replace

import numpy as np
import pytest
from small_network import small_network

from lsd_repro.network import vgg16
from lsd_repro.network.layers import FULL
from lsd_repro.network.receptive import as_text, layer_table, seen, side_within
from lsd_repro.runtime.load import lasagne
from lsd_repro.step.probe import compile_logit_gradient

HEIGHT, WIDTH = 300, 331


@pytest.fixture(scope="module")
def network():
    """All weights positive, so that every pixel that can reach a logit does."""
    network = small_network(np.random.default_rng(0), widths=(2, 2, 2, 2, 2), fc=3, classes=4)
    return replace(network, weights=tuple(np.abs(weights) + np.float32(1e-3) for weights in network.weights),
                   biases=tuple(np.abs(bias) for bias in network.biases),
                   average_image=np.zeros_like(network.average_image))


@pytest.fixture(scope="module")
def gradient(network):
    return compile_logit_gradient(network)


def test_maps_have_the_sizes_of_the_graphs(network):
    layers = vgg16.build(network)
    for layer in layer_table(network, HEIGHT, WIDTH):
        _, *shape = lasagne.layers.get_output_shape(layers[layer.name], {layers["input"]: (1, 3, HEIGHT, WIDTH)})
        assert shape == [layer.channels, layer.rows, layer.columns]


def test_sight_of_the_full_vgg16_is_that_of_the_literature():
    # By the usual recursion, as in Araujo, Norris and Sim, "Computing receptive fields of convolutional
    # neural networks", Distill 2019: 212 pixels at pool5.
    rng = np.random.default_rng(0)
    thin = small_network(rng, widths=(1, 1, 1, 1, 1), fc=1, classes=1, fc6=FULL["fc6"])
    layers = {layer.name: layer for layer in layer_table(thin, 472, 840)}
    assert (layers["pool5"].field, layers["pool5"].stride) == (212, 32)
    assert layers["fc8"].field == 212 + 6 * 32
    assert (layers["fc8"].rows, layers["fc8"].columns) == vgg16.map_size(472, 840, 7)


def test_parameters_add_up(network):
    assert sum(layer.parameters for layer in layer_table(network, HEIGHT, WIDTH)) == network.parameter_count


@pytest.mark.parametrize("row, column", [(4, 4), (0, 8)])
def test_a_logit_depends_on_its_field(network, gradient, row, column):
    picture = np.random.default_rng(1).uniform(1, 255, (HEIGHT, WIDTH, 3))
    # A max passes the gradient to one pixel of four; over several pictures all get some.
    reached = sum(np.abs(gradient(np.roll(picture, shift, axis=(0, 1)), 2, row, column)).sum(axis=2)
                  for shift in range(12)) > 0
    top, left, bottom, right = seen(layer_table(network, HEIGHT, WIDTH)[-1], row, column)
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[max(top, 0):bottom, max(left, 0):right] = True
    assert not reached[~inside].any()
    rows, columns = np.nonzero(reached.any(axis=1))[0], np.nonzero(reached.any(axis=0))[0]
    allowance = 32  # the corner pixels need the maximum of every pool to fall on them
    assert rows[0] - max(top, 0) <= allowance and min(bottom, HEIGHT) - 1 - rows[-1] <= allowance
    assert columns[0] - max(left, 0) <= allowance and min(right, WIDTH) - 1 - columns[-1] <= allowance


def test_half_of_a_uniform_gradient_lies_in_half_the_area():
    gradient = np.ones((100, 100, 3))
    assert side_within(gradient, (0, 0, 100, 100), 0.5) == pytest.approx(100 / np.sqrt(2), abs=2)
    assert side_within(gradient, (0, 0, 100, 100), 1.0) == 100


def test_text_has_a_line_for_every_layer(network):
    layers = layer_table(network, HEIGHT, WIDTH)
    lines = as_text(layers).splitlines()
    assert len(lines) == 1 + len(layers) == 22
    assert lines[1].split() == ["conv1_1", "3x3", "2", "x", "300", "x", "331", "1", "3x3", "56"]

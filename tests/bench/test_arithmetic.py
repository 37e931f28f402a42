"""Counts of operations, against the published one and against those that a computation in numpy makes."""

import numpy as np
import reference
from small_network import small_network

from lsd_repro.bench import problem
from lsd_repro.bench.arithmetic import network_operations, prior_operations
from lsd_repro.material import shipped
from lsd_repro.network.random_weights import FULL, weight_shapes
from lsd_repro.prior import store
from lsd_repro.program2015 import STREAM

# Multiplications with additions in one pass of VGG-16 over 224x224 pixels.
VGG16_MACS = 15_470_264_320


def test_vgg16_has_its_well_known_count():
    shapes = weight_shapes(**FULL)
    assert sum(np.prod(shape) + shape[0] for shape in shapes) == 138_357_544
    assert network_operations(shapes, (224, 224)) == 2 * 2 * VGG16_MACS


def test_network_operations_are_those_that_numpy_makes(monkeypatch):
    counts = []
    correlate = reference.correlate

    def counting(maps, weights, biases, pad):
        response = correlate(maps, weights, biases, pad)
        counts.append(response.size * weights[0].size)
        return response

    monkeypatch.setattr(reference, "correlate", counting)
    network = small_network(np.random.default_rng(0))
    reference.logits(network, np.zeros((75, 101, 3)))
    assert network_operations([weight.shape for weight in network.weights], (101, 75)) == 2 * 2 * sum(counts)


def test_prior_operations_are_those_that_numpy_makes():
    prior = store.load_kind(shipped.path(shipped.PRIORS), "student")
    picture = np.zeros((50, 75, 3))
    positions = sum(len(reference.deviations(prior, reference.mean_pool(picture, scale))) for scale in (1, 4))
    assert prior_operations((192, 3, 8, 8), (75, 50), (1, 4)) == 2 * 2 * 192 * 192 * positions


def test_the_whole_is_the_sum_of_its_parts():
    size = STREAM.width, STREAM.height
    for width in problem.WIDTHS:
        parts = [problem.operations(part, width, size) for part in ("network", "prior", "whole")]
        assert parts[0] + parts[1] == parts[2]

"""Counts of operations, against the published one and numpy's; matrix products of the libraries at hand."""

import numpy as np
import pytest
import reference
from small_network import small_network

from lsd_repro.bench import problem
from lsd_repro.bench.problem import network_operations, prior_operations
from lsd_repro.material import shipped
from lsd_repro.network.layers import FULL, vgg_layers
from lsd_repro.network.random_weights import weight_shapes
from lsd_repro.prior import store
from lsd_repro.program2015 import STREAM

# Multiplications with additions in one pass of VGG-16 over 224x224 pixels.
VGG16_MACS = 15_470_264_320


def test_vgg16_has_its_well_known_count():
    shapes = weight_shapes(**FULL)
    assert sum(np.prod(shape) + shape[0] for shape in shapes) == 138_357_544
    assert network_operations(vgg_layers(), (224, 224)) == 2 * 2 * VGG16_MACS


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
    assert network_operations(network.layers, (101, 75)) == 2 * 2 * sum(counts)


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


@pytest.fixture(params=problem.LIBRARIES)
def library(request, monkeypatch):
    if request.param == "PyTorch":
        pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[bench]'")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return request.param


def test_products_are_whole_and_in_single_precision(library):
    a, b = (np.random.default_rng(0).integers(-9, 9, shape).astype(np.float32) for shape in ((5, 7), (7, 3)))
    product = np.asarray(problem.multiplication(library)(a, b))
    assert product.dtype == np.float32
    # As Fortran has it, a product of the transposes is the transpose.
    np.testing.assert_array_equal(product.T if library == "scipy" else product, np.einsum("ik,kj", a, b))


def test_rate_is_the_largest_of_all_shapes(library, monkeypatch):
    ticks = iter([0, 2, 10, 11])
    monkeypatch.setattr(problem, "SHAPES", ((2, 3, 4), (5, 6, 7)))
    monkeypatch.setattr(problem.time, "perf_counter", lambda: next(ticks))
    assert problem.sgemm(library)() == 2 * 5 * 6 * 7

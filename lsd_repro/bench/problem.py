"""What every contender computes: the same network, prior, picture and classes."""

import numpy as np

from lsd_repro.bench import arithmetic
from lsd_repro.film.start import load_start
from lsd_repro.material import shipped
from lsd_repro.network import matconvnet
from lsd_repro.network.random_weights import FULL, random_network, weight_shapes
from lsd_repro.prior import store
from lsd_repro.program2015 import STREAM

WIDTHS = "shipped", "full"
CLASSES = 3, 5  # of the bottom and the top half; any would do
SEED = 2015


def network(width):
    """The small network that ships, or one of the vlfeat file's widths with random weights."""
    if width == "shipped":
        return matconvnet.read(shipped.path(shipped.SMALL))
    return random_network(np.random.default_rng(SEED), **FULL)


def prior():
    """The Student-t prior that ships."""
    return store.load_kind(shipped.path(shipped.PRIORS), "student")


def picture(size):
    """A photo of (width, height) pixels: (height, width, 3) float32 in 0..255."""
    return load_start(size=size).astype(np.float32)


def operations(part, width, size):
    """Floating-point operations of a part ("network", "prior" or "whole"); see `arithmetic`."""
    total = 0
    if part != "prior":
        shapes = weight_shapes(**FULL) if width == "full" else [weight.shape for weight in network(width).weights]
        total += arithmetic.network_operations(shapes, size)
    if part != "network":
        filters = prior().filters.transpose(3, 2, 0, 1)
        total += arithmetic.prior_operations(filters.shape, size, STREAM.prior_scales)
    return total

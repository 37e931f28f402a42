"""A VGG-16 of small widths with seeded random weights, for tests."""

from functools import partial

from lsd_repro.network.random_weights import random_network

# The widths can be overridden by name.
small_network = partial(random_network, widths=(8, 12, 16, 24, 24), fc=32, classes=20, fc6=2)

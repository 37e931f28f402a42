"""What every contender computes, the same for all, and what that takes at least.

Floating-point operations are counted by the shapes of the layers, and of convolutions
alone: one multiplication and one addition per weight and position, as a computation by
matrix products does them.  An algorithm with fewer multiplications (Winograd's) can be
faster than this count, at the rate of matrix products (`sgemm`), allows.
"""

import os
import time
from collections.abc import Sequence
from typing import Callable, Optional

import numpy as np

from lsd_repro.film.start import load_start
from lsd_repro.hints import Floats
from lsd_repro.material import shipped
from lsd_repro.network import matconvnet
from lsd_repro.network.layers import FULL, LayerSpec, vgg_layers
from lsd_repro.network.random_weights import random_network
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.prior import store
from lsd_repro.program2015 import STREAM

WIDTHS = "shipped", "full"
CLASSES = 3, 5  # of the bottom and the top half; any would do
SEED = 2015

# A convolution, and its gradient with respect to what it was applied to.
FORWARD_AND_BACK = 2

# Whose matrix products are measured; scipy's BLAS is the one that Theano links against.
LIBRARIES = "scipy", "numpy", "PyTorch"
# (m, k, n): squares, and the products that VGG-16's convolutions come to.
SHAPES = (1024, 1024, 1024), (2048, 2048, 2048), (256, 2304, 6195), (512, 4608, 1534)


def network(width: Optional[str]) -> NetworkWeights:
    """The small network that ships, or one of the vlfeat file's widths with random weights."""
    if width == "shipped":
        return matconvnet.read(shipped.path(shipped.SMALL))
    return random_network(np.random.default_rng(SEED), **FULL)


def prior() -> store.PatchPrior:
    """The Student-t prior that ships."""
    return store.load_kind(shipped.path(shipped.PRIORS), "student")


def picture(size: tuple[int, int]) -> Floats:
    """A photo of (width, height) pixels: (height, width, 3) float32 in 0..255."""
    return load_start(size=size).astype(np.float32)


def operations(part: str, width: Optional[str], size: tuple[int, int]) -> int:
    """Floating-point operations of a part ("network", "prior" or "whole"); of convolutions alone."""
    total = 0
    if part != "prior":
        total += network_operations(vgg_layers() if width == "full" else network(width).layers, size)
    if part != "network":
        filters = prior().filters.transpose(3, 2, 0, 1)
        total += prior_operations(filters.shape, size, STREAM.prior_scales)
    return total


def network_operations(layers: Sequence[LayerSpec], size: tuple[int, int]) -> int:
    """Operations of the class logits and of a gradient with respect to the picture.

    Parameters
    ----------
    layers : sequence of LayerSpec
    size : (width, height)
        Of the picture.

    Returns
    -------
    int
    """
    columns, rows = size
    total = 0
    for layer in layers:
        columns, rows = layer.map_side(columns), layer.map_side(rows)
        if layer.kind == "conv":
            total += _operations((layer.channels, layer.into, layer.kernel, layer.kernel), rows, columns)
    return FORWARD_AND_BACK * total


def prior_operations(shape: tuple[int, ...], size: tuple[int, int], scales: Sequence[int]) -> int:
    """Operations of the patch prior's energy over scales and of its gradient.

    Parameters
    ----------
    shape : (components, channels, height, width)
        Of the filters.
    size : (width, height)
        Of the picture.
    scales : sequence of int
        Mean-pooling factors.

    Returns
    -------
    int
    """
    return FORWARD_AND_BACK * sum(
        _operations(shape, size[1] // scale - shape[2] + 1, size[0] // scale - shape[3] + 1) for scale in scales)


def _operations(shape, rows, columns):
    """Of a convolution that makes a map of `rows` x `columns`."""
    out, channels, height, width = shape
    return 2 * out * channels * height * width * rows * columns


def sgemm(library: str) -> Callable[[], float]:
    """Prepare products of every shape.

    Parameters
    ----------
    library : {"scipy", "numpy", "PyTorch"}
        Whose BLAS; one of `LIBRARIES`.

    Returns
    -------
    function
        Multiplies each shape once, and returns the largest rate in operations a second.
    """
    rng = np.random.default_rng(0)
    pairs = [(rng.standard_normal((m, k), np.float32), rng.standard_normal((k, n), np.float32)) for m, k, n in SHAPES]
    multiply = multiplication(library)

    def largest_rate():
        rates = []
        for (m, k, n), pair in zip(SHAPES, pairs):
            begin = time.perf_counter()
            multiply(*pair)
            rates.append(2 * m * k * n / (time.perf_counter() - begin))
        return max(rates)

    return largest_rate


def multiplication(library: str) -> Callable[[Floats, Floats], Floats]:
    """A function that multiplies two matrices (m, k) and (k, n); scipy's returns the transpose."""
    if library == "PyTorch":
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        return lambda a, b: torch.mm(torch.from_numpy(a), torch.from_numpy(b))
    if library == "numpy":
        return np.matmul
    from scipy.linalg import blas

    # The transposes are in Fortran's order, which BLAS takes without a copy.
    return lambda a, b: blas.sgemm(1.0, b.T, a.T)

"""The rate of single-precision matrix products: the limit of all that is computed by them."""

import os
import time

import numpy as np

LIBRARIES = "scipy", "numpy", "PyTorch"
# (m, k, n): squares, and the products that VGG-16's convolutions come to.
SHAPES = (1024, 1024, 1024), (2048, 2048, 2048), (256, 2304, 6195), (512, 4608, 1534)


def make(library):
    """Prepare products of every shape.

    Parameters
    ----------
    library : {"scipy", "numpy", "PyTorch"}
        Whose BLAS; scipy's is the one that Theano links against.

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


def multiplication(library):
    """A function that multiplies two matrices (m, k) and (k, n); scipy's returns the transpose."""
    if library == "PyTorch":
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        return lambda a, b: torch.mm(torch.from_numpy(a), torch.from_numpy(b))
    if library == "numpy":
        return np.matmul
    from scipy.linalg.blas import sgemm

    # The transposes are in Fortran's order, which BLAS takes without a copy.
    return lambda a, b: sgemm(1.0, b.T, a.T)

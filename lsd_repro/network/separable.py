"""Filters that are sums of few separable functions, as their coefficients (no Theano).

==================  ========================================================
`expand`            coefficients and basis -> filters
`project`           filters that lie in a basis -> their coefficients
==================  ========================================================

A filter is ``sum over k, l of coefficients[k, l] * outer(basis[:, k], basis[:, l])``: with
three slow cosines in each direction 9 numbers in place of 49.
"""

from typing import Optional

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats

# Of the largest weight, what the basis may miss. Single precision misses far less.
TOLERANCE = 1e-4

# Output channels at a time, whose doubles the processor's caches hold.
BLOCK = 16


def expand(coefficients: Floats, basis: Floats, out: Optional[Floats] = None) -> Floats:
    """Sum a basis's functions into filters.

    In doubles and in an order of its own, so that the result is the same to the last bit on every machine;
    a BLAS, or numpy's einsum, may sum otherwise.

    Parameters
    ----------
    coefficients : array
        float32, (out, in, functions, functions): of rows, then of columns.
    basis : array
        float32, (size, functions).
    out : array, optional
        float32, (out, in, size, size): where to put the filters. Default: a new array, in C order.

    Returns
    -------
    array
        `out`; infinite where a sum is too large for float32.
    """
    size = len(basis)
    basis = basis.astype(np.float64)
    filters = np.empty((*coefficients.shape[:2], size, size), np.float32) if out is None else out
    for first in range(0, len(filters), BLOCK):
        block = slice(first, first + BLOCK)
        # Functions of columns, functions of rows, out, in: whole planes are added up.
        columns = coefficients[block].transpose(3, 2, 0, 1).astype(np.float64, order="C")
        rows = np.stack([_combined(basis, column) for column in columns])
        with np.errstate(over="ignore"):
            filters[block] = _combined(basis, rows).transpose(2, 3, 1, 0)
    return filters


def project(filters: Floats, basis: Floats) -> Floats:
    """Find the coefficients of filters, by least squares.

    Parameters
    ----------
    filters : array
        float32, (out, in, size, size).
    basis : array
        float32, (size, functions).

    Returns
    -------
    array
        float32, (out, in, functions, functions).

    Raises
    ------
    InputError
        If the basis doesn't fit or isn't finite, or its sums miss a weight by more than `TOLERANCE` of
        the largest.
    """
    if basis.ndim != 2 or filters.shape[2:] != (len(basis),) * 2:
        raise InputError(f"a basis of shape {basis.shape} doesn't fit filters of "
                         f"{' x '.join(map(str, filters.shape[2:]))}")
    if not np.isfinite(basis).all():
        raise InputError("a basis holds NaN or infinity")
    inverse = np.linalg.pinv(basis.astype(np.float64))
    coefficients = (inverse @ filters @ inverse.T).astype(np.float32)
    missed, largest = np.abs(expand(coefficients, basis) - filters).max(), np.abs(filters).max()
    if not missed <= TOLERANCE * largest:
        raise InputError(f"filters are no sums of the basis's {basis.shape[1]} functions: these miss a weight by "
                         f"{missed:.2g}, the largest is {largest:.2g}")
    return coefficients


def _combined(basis, parts):
    """Sum over functions of basis[:, function] times parts[function], size first."""
    total = np.zeros((len(basis), *parts.shape[1:]))
    for function, part in zip(basis.T, parts):
        total += np.multiply.outer(function, part)
    return total

"""Weights in few bits, for a small file (no Theano).

====================  ======================================================
`quantise`            filters -> 8-bit codes, and a scale for each output channel
`dequantise`          codes and scales -> filters
`significant`         single precision with fewer significant bits
====================  ======================================================
"""

import numpy as np

from lsd_repro.hints import Floats, Integers

# Of a channel's largest magnitude, what the largest code may stand for.  At 8 bits
# little is gained below 1, at 2 bits a Gaussian channel wants about 0.3.
CLIPPINGS = np.linspace(1, 0.2, 33, dtype=np.float32)


def quantise(weights: Floats, bits: int) -> tuple[Integers, Floats]:
    """Round each output channel to multiples of a scale of its own.

    Parameters
    ----------
    weights : array
        float32, (out, in, height, width).
    bits : int
        2 to 8: codes lie within +-(2 ** (bits - 1) - 1).

    Returns
    -------
    codes : array
        int8, of the same shape: the nearest ones.
    scale : array
        float32, (out,): that of `CLIPPINGS` with the least squared error.
    """
    most = np.float32(2 ** (bits - 1) - 1)
    channels = weights.reshape(len(weights), -1)
    widest = np.maximum(channels.max(axis=1), -channels.min(axis=1))[:, None] / most
    units = channels / _divisor(widest)
    clipping, least = np.ones_like(widest), np.inf
    for candidate in CLIPPINGS:
        missed = units - candidate * _nearest(units, candidate, most)
        error = np.einsum("oi,oi->o", missed, missed)[:, None]
        clipping = np.where(error < least, candidate, clipping)
        least = np.minimum(error, least)
    scale = clipping * widest
    codes = _nearest(channels, _divisor(scale), most).astype(np.int8)
    return codes.reshape(weights.shape), scale[:, 0]


def dequantise(codes: Integers, scale: Floats) -> Floats:
    """Multiply codes by their scales.

    Parameters
    ----------
    codes : array
        int8, (out, in, height, width), in any memory order.
    scale : array
        float32, (out,).

    Returns
    -------
    array
        float32, in C order.
    """
    return np.multiply(codes, scale[:, None, None, None], order="C")


def significant(array: Floats, bits: int) -> Floats:
    """Round to fewer significant bits, to even on a tie.

    Parameters
    ----------
    array : array
        float32, of any shape.
    bits : int
        Up to 24, which changes nothing.

    Returns
    -------
    array
        float32.
    """
    mantissa, exponent = np.frexp(array)
    return np.ldexp(np.rint(mantissa * 2.0 ** bits) / 2.0 ** bits, exponent).astype(np.float32)


def _divisor(scale):
    # A channel of zeros has scale 0; divided by anything it stays 0.
    return np.where(scale > 0, scale, np.float32(1))


def _nearest(values, scale, most):
    codes = values / scale
    np.rint(codes, out=codes)
    return np.clip(codes, -most, most, out=codes)

"""Is this the network of 2014? Known by entries of its first layer (no Theano).

===================  =======================================================
`OXFORD`             entries of the VGG-16 and VGG-19 that Oxford published
`recognised`         whether a first layer is Oxford's, and its order of colours
`AVERAGE_COLOUR`     of the pictures that they were trained on
===================  =======================================================

Whoever retrains the same architecture gets the same shapes and other numbers; the
files of the 2014 weights in all formats have these, in one order of colours or the other.
"""

from typing import NamedTuple, Optional

import numpy as np

from lsd_repro.hints import Floats

# Mean colour of the training pictures of both (Simonyan & Zisserman 2014), RGB, in grey levels. The
# network's input is centred by the mean of the three, as in 2015.
AVERAGE_COLOUR = 123.68, 116.779, 103.939


class Known(NamedTuple):
    """Entries of a published network.

    Attributes
    ----------
    name : str
    blue : tuple of 9 float
        The plane for blue of the first filter of conv1_1, row by row.
    biases : tuple of 5 float
        The first of conv1_1.
    """

    name: str
    blue: tuple[float, ...]
    biases: tuple[float, ...]


# By depth. As Keras's files have them, whose first layer takes BGR.
OXFORD = {
    16: Known(
        "Oxford's VGG-16 of 2014",
        (0.42947057, 0.373467, -0.061360113, 0.27476987, 0.038680777, -0.36722335, -0.05746817, -0.26224968, -0.35009676),
        (0.73429835, 0.093403675, 0.06775674, 0.8862966, 0.25994542)),
    19: Known(
        "Oxford's VGG-19 of 2014",
        (0.341195, 0.339992, -0.0448442, 0.232159, 0.0897821, -0.303314, -0.0726092, -0.246675, -0.336833),
        (0.7301776, 0.06493629, 0.03428847, 0.8260386, 0.2578029))}


def recognised(weights: Floats, biases: Floats, depth: int) -> Optional[str]:
    """Find out whether this is the first layer of Oxford's network.

    Parameters
    ----------
    weights : array
        (out, 3, 3, 3), of conv1_1.
    biases : array
        (out,).
    depth : int
        How many layers with parameters the network has.

    Returns
    -------
    order : {"BGR", "RGB", None}
        In which order the layer takes the colours, by where its plane for blue stands;
        None if it is not Oxford's: another training.
    """
    known = OXFORD[depth]
    if not _alike(biases[:5], known.biases):
        return None
    return next((order for order, blue in (("BGR", 0), ("RGB", 2)) if _alike(weights[0, blue].ravel(), known.blue)), None)


def _alike(found, known):
    # Half precision keeps three digits; bfloat16, the upper half of single precision, fewer than that.
    lower = np.ascontiguousarray(found, np.float32).view(np.uint32) & 0xffff
    return len(found) == len(known) and np.allclose(found, known, rtol=1e-3 if lower.any() else 4e-3, atol=1e-6)

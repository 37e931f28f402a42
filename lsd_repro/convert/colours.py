"""A first layer for 0..1, normalised colour by colour -> one for grey levels minus one scalar, as in 2015."""

import numpy as np

from lsd_repro.hints import Floats

# What torchvision's networks have subtracted from 0..1, and what they divide it by; RGB.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def fold(weights: Floats, biases: Floats) -> tuple[Floats, Floats, Floats]:
    """Fold torchvision's normalisation of the input into conv1_1.

    With r = x / 255, the layer computes W (r - m) / s + b, with m and s for each colour.  Of
    grey levels minus one scalar mu this is W' (x - mu) + b' with W' = W / (255 s) and
    b' = b - sum of W' (255 m - mu).  That is exact where all nine pixels lie in the picture.
    Outside of it, both pad with zeros: with the mean of each colour there, with mu here.  So the
    outermost row of pixels on each side of conv1_1's map differs.

    Parameters
    ----------
    weights : array, shape (out, 3, 3, 3)
        RGB.
    biases : array, shape (out,)

    Returns
    -------
    weights, biases : array
        float32; computed in float64.
    average_image : array
        float32, (1, 1, 3): mu three times.
    """
    means = 255 * np.array(MEAN)
    centre = np.float32(means.mean())
    folded = weights.astype(np.float64) / (255 * np.array(STD))[:, None, None]
    moved = biases - np.einsum("oihw,i->o", folded, means - centre)
    return folded.astype(np.float32), moved.astype(np.float32), np.full((1, 1, 3), centre, np.float32)

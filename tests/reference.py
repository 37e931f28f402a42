"""VGG-16, VGG-19 and the patch responses once more, in plain numpy, to hold the graph against."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

GROUPS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def correlate(maps, weights, biases, pad):
    """Cross-correlation of (in, h, w) maps with (out, in, k, k) weights."""
    maps = np.pad(maps, ((0, 0), (pad, pad), (pad, pad)))
    windows = sliding_window_view(maps, weights.shape[2:], axis=(1, 2))
    response = np.tensordot(weights, windows, axes=((1, 2, 3), (0, 3, 4)))
    return response + biases[:, None, None]


def max_pool(maps):
    channels, height, width = maps.shape
    cropped = maps[:, :height // 2 * 2, :width // 2 * 2]
    return cropped.reshape(channels, height // 2, 2, width // 2, 2).max(axis=(2, 4))


def mean_pool(picture, factor):
    """Of an (h, w, 3) picture."""
    height, width = (side // factor for side in picture.shape[:2])
    cropped = picture[:height * factor, :width * factor]
    return cropped.reshape(height, factor, width, factor, 3).mean(axis=(1, 3))


def logits(network, picture):
    """Logit map (classes, rows, columns) of an (h, w, 3) picture in 0..255."""
    maps = picture.transpose(2, 0, 1) - network.mean
    parameters = zip(network.weights, network.biases)
    for count in GROUPS[len(network.weights)]:
        for _ in range(count):
            maps = np.maximum(correlate(maps, *next(parameters), pad=1), 0)
        maps = max_pool(maps)
    for _ in range(2):
        maps = np.maximum(correlate(maps, *next(parameters), pad=0), 0)
    return correlate(maps, *next(parameters), pad=0)


def deviations(prior, picture):
    """z - mu of every patch of an (h, w, 3) picture: (positions, 192)."""
    patches = sliding_window_view(picture - 128.0, (8, 8), axis=(0, 1)).transpose(0, 1, 3, 4, 2)
    flipped = prior.filters[::-1, ::-1].reshape(-1, 192).astype(float)
    return patches.reshape(-1, 192) @ flipped - prior.mean

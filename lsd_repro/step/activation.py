"""A layer's activation, to be raised in place of a class: the objectives of DeepDream (none is of 2015's stream).

=============  ==============================================================
`read`         ``layer:conv5_2``, ``layer:conv5_2:87``, with a guide or without
`scores`       what is raised, at each place of the layer's map
`value`        the one number that it comes to
=============  ==============================================================

================  ===========================================================
norm of a layer   root mean square of its map: its gradient has the direction of
                  DeepDream's, but it is as large as an activation, as a logit is, so
                  that a prior of the same strength can hold it
one channel       its mean response before the ReLU, so that one that nothing
                  has excited yet has a gradient, too
guide             mean product of each place's activations with those of the place of
                  another picture that matches best, in units of the guide's root mean square
================  ===========================================================

References
----------
.. [1] A. Mordvintsev, C. Olah and M. Tyka, Inceptionism: Going Deeper into Neural
   Networks, and its notebook (google/deepdream), 2015.
"""

from collections import OrderedDict
from typing import Any, Callable, Optional, TypeVar, Union

import numpy as np

from lsd_repro.errors import InputError, OptionError
from lsd_repro.hints import Floats, Picture
from lsd_repro.network import vgg16
from lsd_repro.network.receptive import layer_named
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.runtime.load import T, TensorVariable, theano
from lsd_repro.step.target import CLASSES, GUIDED, Channel, Guide, Layer, Target

CLASS = "class"
# Every place is compared with every place of the guide: twice as fine a layer needs 16 times the memory.
TOO_FINE = ("conv1", "pool1", "conv2")
# Keeps the gradient of a root finite where there are no activations; their squares are far larger where there are any.
SQRT_EPSILON = 1e-12

Score = TypeVar("Score", float, TensorVariable)


def read(text: str, network: NetworkWeights, guide: Optional[Picture] = None) -> Target:
    """Read an objective.

    Parameters
    ----------
    text : str
        ``class``, ``layer:NAME`` or ``layer:NAME:CHANNEL``.
    network : NetworkWeights
    guide : ndarray, shape (height, width, 3), optional
        With ``class``, the layer is `GUIDED`.

    Returns
    -------
    Target
        `CLASSES` for ``class`` without a guide.

    Raises
    ------
    InputError
        If it is none of these, or the network has no such layer or channel.
    """
    if text == CLASS:
        if guide is None:
            return CLASSES
        text = f"layer:{GUIDED}"
    kind, _, rest = text.partition(":")
    name, colon, channel = rest.partition(":")
    if kind != "layer" or not name:
        raise OptionError("objective", f"{text[:60]}: must be class, layer:NAME or layer:NAME:CHANNEL, such as layer:conv5_2:87")
    # Whether a picture is large enough is looked at when there is one.
    try:
        channels = layer_named(network, name, 1 << 20, 1 << 20).channels
    except InputError as error:
        raise OptionError("objective", f"{text[:60]}: {error}") from None
    if not colon:
        if guide is None:
            return Layer(name)
        _check_guide(name, network, guide)
        return Guide(guide, name)
    if guide is not None:
        raise InputError(f"guide= compares all channels of a layer: with it, objective=layer:{name} names no channel")
    if not (channel.isascii() and channel.isdigit() and int(channel[:9]) < channels):
        raise OptionError("objective", f"{text[:60]}: {name} of this network has channels 0 to {channels - 1}")
    return Channel(name, int(channel))


def _check_guide(name, network, guide):
    if name.startswith(TOO_FINE):
        raise InputError(f"guide= compares every place with every place of the guide, and {name} has too many: "
                         "choose objective=layer:conv3_1 or a later layer")
    try:
        layer_named(network, name, *guide.shape[:2])
    except InputError as error:
        raise InputError(f"guide=: {error}") from None


def scores(target: Union[Layer, Channel, Guide], network: NetworkWeights, layers: OrderedDict[str, Any],
           shown: Optional[Floats] = None) -> Callable[[TensorVariable], TensorVariable]:
    """What is raised, at each place.

    Parameters
    ----------
    target : Layer, Channel or Guide
        A channel's number may be symbolic.
    network : NetworkWeights
    layers : OrderedDict
        From `lsd_repro.network.vgg16.build`.
    shown : ndarray, shape (channels, rows, columns), optional
        The layer's map of a guide's picture.

    Returns
    -------
    function
        From a symbolic picture (1, 3, height, width) to a symbolic map (rows, columns); `value` of its mean
        is what is raised.
    """
    def maps(x, rectified=True):
        return vgg16.layer_map(layers, target.layer, x, network.mean, rectified)[0]

    if isinstance(target, Channel):
        return lambda x: maps(x, rectified=False)[target.number]
    if isinstance(target, Layer):
        return lambda x: T.mean(maps(x) ** 2, axis=0)
    map_shown: Any = shown  # given for a guide
    patterns = T.constant(map_shown.reshape(len(map_shown), -1))  # (channels, places)
    unit = float(np.sqrt(np.mean(map_shown.astype(np.float64) ** 2) + SQRT_EPSILON))

    def matched(x):
        here = maps(x)
        best = T.argmax(T.dot(here.flatten(2).T, patterns), axis=1)
        return T.mean(here * patterns[:, best].reshape(here.shape), axis=0) / np.asarray(unit, theano.config.floatX)

    return matched


def is_root(target: Target) -> bool:
    """Whether scores are squares."""
    return isinstance(target, Layer)


def value(target: Target, mean_score: Score) -> Score:
    """The activation that a mean of `scores` stands for; symbolic, or numbers."""
    return (mean_score + SQRT_EPSILON) ** 0.5 if is_root(target) else mean_score

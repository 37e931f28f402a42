"""Adam as the 2015 program had it, as updates of shared variables; and others to compare it with.

==================  ========================================================
`adam2015`          the update of the 2015 program: the default everywhere
`adam_published`    Adam as Kingma and Ba give it
`plain_gradient`    gradient descent without moments
==================  ========================================================

All take the same arguments, so any can be the ``update`` of a
`lsd_repro.step.gradient.GradientStep`.
"""

from collections import OrderedDict
from typing import Callable, NamedTuple

from lsd_repro.program2015 import BETA1, BETA2, EPSILON
from lsd_repro.runtime.load import T, TensorVariable

GREY_LEVELS = 0.0, 255.0


class Moments(NamedTuple):
    """What Adam remembers: first and second moment, and the number of the next step."""

    m: TensorVariable
    v: TensorVariable
    t: TensorVariable


# From the gradient, x, the moments and the learning rate to the new values of shared variables.
Update = Callable[..., OrderedDict[TensorVariable, TensorVariable]]


def adam2015(gradient: TensorVariable, x: TensorVariable, moments: Moments, learning_rate: float,
             beta1: float = BETA1, beta2: float = BETA2, epsilon: float = EPSILON,
             limits: tuple[float, float] = GREY_LEVELS) -> OrderedDict[TensorVariable, TensorVariable]:
    """Updates for one step of Adam in which the betas weigh the NEW gradient.

    2015 quirk: betas the other way round.  With 0.9 and 0.999, which were meant for the old
    moments, this is today's Adam with betas (0.1, 0.001): close to a sign step of size
    `learning_rate`.

    2015 quirk: clip outside the step.  The picture is clipped to `limits`, and the moments
    know nothing of it.

    Parameters
    ----------
    gradient : symbolic tensor
        Of the loss with respect to `x`.
    x : shared variable
        The picture, in 0..255.
    moments : Moments
        Shared variables m, v (like `x`, starting at 0) and t (scalar, starting at 1).
    learning_rate : symbolic scalar or float
        In grey levels.
    limits : (float, float)
        Smallest and largest value after the step; infinite limits clip nothing.

    Returns
    -------
    OrderedDict of shared variable to symbolic expression

    References
    ----------
    .. [1] D. Kingma and J. Ba, Adam: A Method for Stochastic Optimization, 2014.
    """
    m, v, t = moments
    m_new = beta1 * gradient + (1 - beta1) * m
    v_new = beta2 * gradient ** 2 + (1 - beta2) * v
    m_hat = m_new / (1 - (1 - beta1) ** t)
    v_hat = v_new / (1 - (1 - beta2) ** t)
    x_new = x - learning_rate * m_hat / (T.sqrt(v_hat) + epsilon)
    return OrderedDict([(m, m_new), (v, v_new), (t, t + 1), (x, T.clip(x_new, *limits))])


def adam_published(gradient: TensorVariable, x: TensorVariable, moments: Moments, learning_rate: float,
                   limits: tuple[float, float] = GREY_LEVELS) -> OrderedDict[TensorVariable, TensorVariable]:
    """Updates for one step of Adam as published: the betas weigh the OLD moments.

    Parameters and result are those of `adam2015`.
    """
    return adam2015(gradient, x, moments, learning_rate, 1 - BETA1, 1 - BETA2, limits=limits)


def plain_gradient(gradient: TensorVariable, x: TensorVariable, moments: Moments, learning_rate: float,
                   limits: tuple[float, float] = GREY_LEVELS) -> OrderedDict[TensorVariable, TensorVariable]:
    """Updates for one step of `learning_rate` times the negative gradient; the moments stay.

    Parameters and result are those of `adam2015`, but `learning_rate` is in grey levels
    per unit of the gradient.
    """
    _, _, t = moments
    return OrderedDict([(t, t + 1), (x, T.clip(x - learning_rate * gradient, *limits))])

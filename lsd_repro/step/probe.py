"""What single logits see: the network examined, not dreamt with."""

from typing import Callable

import numpy as np

from lsd_repro.hints import Floats
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.ops.compiling import compile_function
from lsd_repro.runtime.load import T
from lsd_repro.step.evaluate import compile_logits, from_graph
from lsd_repro.step.objective import Aim, Objective, everywhere


def compile_logit_gradient(network: NetworkWeights) -> Callable[..., Floats]:
    """Compile the gradient of one logit.

    Parameters
    ----------
    network : NetworkWeights

    Returns
    -------
    function
        From a picture (height, width, 3) in 0..255, a class, and a row and a column of the
        logit map, to an array (height, width, 3).
    """
    place = index, row, column = T.iscalars("index", "row", "column")
    gradient = compile_logits(network, lambda logits, x: T.grad(logits[0, index, row, column], x), place)
    return lambda picture, *at: from_graph(gradient(picture, *at))


def push(objective: Objective, logits: Floats, classes: int) -> Floats:
    """How hard an objective pushes the logit of its class at a single place, with all other logits 0.

    Parameters
    ----------
    objective : function
        From `lsd_repro.step.objective`.
    logits : array (n,)
        Values of that logit.
    classes : int
        How many the network has.

    Returns
    -------
    array (n,)
        Minus the derivative of the loss.
    """
    vector = T.dvector()
    loss = objective(vector.dimshuffle("x", 0, "x", "x"), Aim(everywhere, lambda scores: scores[0, 0].mean(), None))
    function = compile_function([vector], -T.grad(loss, vector)[0])
    return np.array([function(np.concatenate([[logit], np.zeros(classes - 1)])) for logit in logits])

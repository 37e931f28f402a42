"""What single logits see: the network looked at, not dreamt with."""

import numpy as np

from lsd_repro.dream.step import compile_logits, from_graph
from lsd_repro.ops.compiling import compile_function
from lsd_repro.runtime.load import T


def compile_logit_gradient(network):
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


def push(objective, logits, classes):
    """How hard an objective pushes the logit of its class, at a single place, all other logits being 0.

    Parameters
    ----------
    objective : function
        From `lsd_repro.dream.objective`.
    logits : array (n,)
        Values of that logit to ask at.
    classes : int
        Of the network.

    Returns
    -------
    array (n,)
        Minus the derivative of the loss.
    """
    vector = T.dvector()
    loss = objective(vector.dimshuffle("x", 0, "x", "x"), lambda scores: scores[0, 0].mean())
    function = compile_function([vector], -T.grad(loss, vector)[0])
    return np.array([function(np.concatenate([[logit], np.zeros(classes - 1)])) for logit in logits])

"""A group of channels out of a read-out that was trained before, to stand beside new ones."""

import numpy as np
import torch

from lsd_repro.errors import InputError
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.train.features import CHANNELS
from lsd_repro.train.head import FC6_SIZE, Group, Readout, cosines

# Of a read-out whose filters are sums of slow cosines, what rounding to 8 bits may have added.
ROUNDING = 0.02


def adopt(network: NetworkWeights, classifier: tuple[torch.Tensor, torch.Tensor], seed: int = 7) -> Readout:
    """Take over a network's fc6 and fc7, to learn the classes from them: fc8 alone is new.

    Parameters
    ----------
    network : NetworkWeights
        With an fc6 of 7x7 whose filters are sums of few slow cosines.
    classifier : pair of tensor
        The teacher's last layer.
    seed : int

    Returns
    -------
    Readout
        Whose fc6 and fc7 stay as they are when it is trained.

    Raises
    ------
    InputError
        If fc6 is none of 7x7, or its filters are no such sums.
    """
    (weight6, weight7), (bias6, bias7) = network.weights[13:15], network.biases[13:15]
    if weight6.shape[1:] != (CHANNELS, FC6_SIZE, FC6_SIZE):
        raise InputError(f"fc6 has filters of {' x '.join(map(str, weight6.shape[1:]))}; they must be of "
                         f"{CHANNELS} x {FC6_SIZE} x {FC6_SIZE}")
    frequencies, coefficients = _slow(weight6)
    model = Readout(Group("earlier", "classes", FC6_SIZE, frequencies, len(weight6), len(weight7), 0.0, seed), 1.0, classifier)
    with torch.no_grad():
        model.fc6.weight.copy_(torch.from_numpy(coefficients.reshape(len(weight6), -1)))
        model.fc7.weight.copy_(torch.from_numpy(weight7[:, :, 0, 0]))
        for norm, bias in ((model.norm6, bias6), (model.norm7, bias7)):
            # Its biases; beside them it does nothing.
            norm.bias.copy_(torch.from_numpy(bias))
            norm.running_var.fill_(1 - norm.eps)
    for layer in (model.fc6, model.norm6, model.fc7, model.norm7):
        layer.requires_grad_(False)
    return model


def _slow(filters):
    """The number of cosines each way whose sums filters are, and their coefficients."""
    for frequencies in range(1, FC6_SIZE):
        basis = cosines(FC6_SIZE, frequencies)
        coefficients = basis @ filters.astype(np.float64) @ basis.T
        missed = np.linalg.norm(basis.T @ coefficients @ basis - filters)
        if missed <= ROUNDING * np.linalg.norm(filters):
            return frequencies, coefficients.astype(np.float32)
    raise InputError("fc6's filters are no sums of fewer than 7 slow cosines each way")

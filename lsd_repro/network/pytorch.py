"""The network in PyTorch (extras ``train`` and ``bench``): an independent implementation, to hold ours against."""

import torch
from torch import nn

from lsd_repro.network.weights import NetworkWeights


def build(network: NetworkWeights, memory_format: torch.memory_format = torch.channels_last) -> nn.Sequential:
    """The network of a .mat file in PyTorch: convolutions, ReLUs and max-pools alone.

    Parameters
    ----------
    network : NetworkWeights
    memory_format : torch.memory_format
        Of the weights; PyTorch then keeps the maps in it, too.

    Returns
    -------
    torch.nn.Sequential
        Takes (n, 3, h, w), grey levels minus their mean.
    """
    layers = []
    parameters = zip(network.weights, network.biases)

    def conv(padding):
        weight, bias = map(torch.from_numpy, next(parameters))
        layer = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], padding=padding)
        layer.load_state_dict({"weight": weight, "bias": bias})
        layers.extend([layer, nn.ReLU(inplace=True)])

    for count in network.groups:
        for _ in range(count):
            conv(padding=1)
        layers.append(nn.MaxPool2d(2))
    for _ in range(3):
        conv(padding=0)
    return nn.Sequential(*layers[:-1]).to(memory_format=memory_format)

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
    make = {"conv": lambda spec: nn.Conv2d(spec.into, spec.channels, spec.kernel, spec.stride, spec.pad),
            "relu": lambda spec: nn.ReLU(inplace=True),
            "pool": lambda spec: nn.MaxPool2d(spec.kernel, spec.stride)}
    layers = [make[spec.kind](spec) for spec in network.layers]
    filtering = (layer for layer in layers if isinstance(layer, nn.Conv2d))
    for layer, weight, bias in zip(filtering, network.weights, network.biases):
        layer.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    return nn.Sequential(*layers).to(memory_format=memory_format)

"""VGG-16 with batch normalisation for training, folded into plain convolutions after."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from lsd_repro.hints import Floats
from lsd_repro.program2015 import VGG16_GROUPS

# Brings grey levels to the order of 1, for the first layer's sake.
INPUT_SCALE = 64.0
DROPOUT = 0.2


class Scale(nn.Module):
    """Multiplication by a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def build(widths: Sequence[int], fc_width: int, classes: int, fc6_size: int = 2) -> nn.Sequential:
    """The 16 weight layers of VGG-16, each but the last with batch normalisation.

    Parameters
    ----------
    widths : sequence of five int
        Channels of the five groups of 3x3 convolutions.
    fc_width : int
        Channels of fc6 and fc7.
    classes : int
        Channels of fc8.
    fc6_size : int
        Kernel size of fc6: 2 for 64-pixel pictures.

    Returns
    -------
    torch.nn.Sequential
        With dropout in front of fc7 and fc8.  Takes (n, 3, h, w), grey levels minus
        their mean; gives class logits (n, classes, h', w').
    """
    layers, channels = [Scale(1 / INPUT_SCALE)], 3

    def conv(width, size, padding=0):
        nonlocal channels
        layers.extend([nn.Conv2d(channels, width, size, padding=padding, bias=False),
                       nn.BatchNorm2d(width), nn.ReLU(inplace=True)])
        channels = width

    for count, width in zip(VGG16_GROUPS, widths):
        for _ in range(count):
            conv(width, 3, padding=1)
        layers.append(nn.MaxPool2d(2))
    conv(fc_width, fc6_size)
    layers.append(nn.Dropout(DROPOUT))
    conv(fc_width, 1)
    layers.append(nn.Dropout(DROPOUT))
    layers.append(nn.Conv2d(channels, classes, 1))
    return nn.Sequential(*layers)


def fold(model: nn.Sequential) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """Fold batch normalisation and the input scale into weights and biases.

    Parameters
    ----------
    model : torch.nn.Sequential
        From `build`.

    Returns
    -------
    weights, biases : tuple of ndarray
        Sixteen each, (out, in, h, w) and (out,) float32, for a network of plain
        convolutions that takes grey levels minus their mean.
    """
    weights, biases = [], []
    layers = list(model.eval())
    for layer, follower in zip(layers, layers[1:] + [None]):
        if not isinstance(layer, nn.Conv2d):
            continue
        if isinstance(follower, nn.BatchNorm2d):
            weight, bias = folded(layer.weight, follower)
        else:
            weight, bias = layer.weight.detach(), layer.bias.detach()
        weights.append(weight.float().numpy())
        biases.append(bias.float().numpy())
    weights[0] = weights[0] / np.float32(INPUT_SCALE)
    return tuple(weights), tuple(biases)


def folded(weight: Tensor, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """A layer's weight (out, in, ...) and the batch normalisation after it, as one weight and bias in float64."""
    scale = norm.weight.detach().double() / (norm.running_var.double() + norm.eps).sqrt()
    weight = weight.detach().double()
    return (weight * scale.reshape(-1, *[1] * (weight.ndim - 1)),
            norm.bias.detach() - scale * norm.running_mean)

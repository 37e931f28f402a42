"""The read-out of the trunk: fc6, fc7 and fc8, trained on pool5 maps."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lsd_repro.train.model import Scale, folded

FC6_SIZE = 7


class SmoothConv(nn.Module):
    """A convolution whose filters are sums of the lowest spatial frequencies.

    A few thousand pictures are too few to fit all 7 x 7 weights of a channel; an object's outline
    needs no more than the slow cosines.

    Parameters
    ----------
    into, out, size : int
        Channels, and side of the filters.
    frequencies : int
        Cosines in each direction.
    """

    def __init__(self, into: int, out: int, size: int, frequencies: int) -> None:
        super().__init__()
        phase = np.pi * (np.arange(size) + 0.5) / size
        cosines = np.cos(phase * np.arange(frequencies)[:, None])
        cosines /= np.linalg.norm(cosines, axis=1, keepdims=True)
        basis = np.einsum("ky,lx->klyx", cosines, cosines).reshape(-1, size, size)
        self.register_buffer("basis", torch.tensor(basis, dtype=torch.float32))
        self.coefficients = nn.Parameter(torch.randn(out, into, len(basis)) * (2 / (into * len(basis))) ** 0.5)

    @property
    def weight(self) -> torch.Tensor:
        return torch.einsum("oik,kyx->oiyx", self.coefficients, self.basis)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # First the few products with the cosines, then the many with the coefficients.
        return torch.einsum("nik,oik->no", torch.einsum("niyx,kyx->nik", x, self.basis), self.coefficients)


def build(width: int, classes: int, frequencies: int, dropout: float, unit: float) -> nn.Sequential:
    """fc6 to fc8 with batch normalisation.

    Parameters
    ----------
    width, classes : int
        Channels of fc6 and fc7, and of fc8.
    frequencies : int
        Of fc6; see `SmoothConv`.
    dropout : float
        In front of fc7 and fc8; half as much for whole channels of pool5.
    unit : float
        The order of pool5's values.

    Returns
    -------
    torch.nn.Sequential
        Takes pool5 maps (n, 512, 7, 7); gives class logits (n, classes).
    """
    return nn.Sequential(
        Scale(1 / unit), nn.Dropout2d(dropout / 2),
        SmoothConv(512, width, FC6_SIZE, frequencies), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(width, classes))


def train(model: nn.Sequential, maps: torch.Tensor, targets: torch.Tensor, epochs: int, batch: int,
          learning_rate: float, weight_decay: float, generator: torch.Generator) -> None:
    """Train on random crops of pool5 maps towards soft targets.

    Parameters
    ----------
    model : torch.nn.Sequential
        From `build`; left in evaluation mode.
    maps : float16 tensor, shape (n, 512, 8, 8)
    targets : tensor, shape (n, classes)
        Distributions over the classes.
    epochs, batch : int
    learning_rate : float
        Peak of the one-cycle schedule.
    weight_decay : float
    generator : torch.Generator
        Of crops and order.
    """
    optimiser = torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=weight_decay)
    steps = len(maps) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=epochs * steps, pct_start=0.1)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        order = torch.randperm(len(maps), generator=generator)
        for chosen in order[:steps * batch].split(batch):
            loss = F.cross_entropy(model(crop(maps[chosen].float(), generator)), targets[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{epochs}: loss {total / steps:.4f}", flush=True)
    model.eval()


def crop(maps: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """The part of pool5 maps (n, 512, 8, 8) that fc6 sees, at random."""
    top, left = torch.randint(0, maps.shape[2] - FC6_SIZE + 1, (2,), generator=generator).tolist()
    return maps[:, :, top:top + FC6_SIZE, left:left + FC6_SIZE]


def fold(model: nn.Sequential) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Fold batch normalisation and the unit of pool5 into weights and biases.

    Returns
    -------
    weights, biases : list of ndarray
        Of fc6, fc7 and fc8, (out, in, h, w) and (out,) float32.
    """
    unit, _, fc6, norm6, _, _, fc7, norm7, _, _, fc8 = model.eval()
    pairs = [folded(fc6.weight * unit.factor, norm6), folded(fc7.weight, norm7), (fc8.weight.detach(), fc8.bias.detach())]
    weights = [weight.float().reshape(*weight.shape[:2], *weight.shape[2:] or (1, 1)).numpy() for weight, _ in pairs]
    return weights, [bias.float().numpy() for _, bias in pairs]

"""The read-out of the trunk: fc6, fc7 and fc8, trained on pool5 maps."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from lsd_repro.train.model import folded

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
        Cosines a direction.
    """

    def __init__(self, into, out, size, frequencies):
        super().__init__()
        phase = np.pi * (np.arange(size) + 0.5) / size
        cosines = np.cos(phase * np.arange(frequencies)[:, None])
        cosines /= np.linalg.norm(cosines, axis=1, keepdims=True)
        basis = np.einsum("ky,lx->klyx", cosines, cosines).reshape(-1, size, size)
        self.register_buffer("basis", torch.tensor(basis, dtype=torch.float32))
        self.coefficients = nn.Parameter(torch.randn(out, into, len(basis)) * (2 / (into * len(basis))) ** 0.5)

    @property
    def weight(self):
        return torch.einsum("oik,kyx->oiyx", self.coefficients, self.basis)

    def forward(self, x):
        # First the few products with the cosines, then the many with the coefficients.
        return torch.einsum("nik,oik->no", torch.einsum("niyx,kyx->nik", x, self.basis), self.coefficients)


def build(width, classes, frequencies, dropout):
    """fc6 to fc8 on pool5 maps (n, 512, 7, 7), with batch normalisation: class logits (n, classes)."""
    return nn.Sequential(
        nn.Dropout2d(dropout / 2), SmoothConv(512, width, FC6_SIZE, frequencies), nn.BatchNorm1d(width), nn.ReLU(),
        nn.Dropout(dropout), nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(),
        nn.Dropout(dropout), nn.Linear(width, classes))


def train(model, maps, targets, epochs, batch, learning_rate, weight_decay, generator, report=print):
    """Train on random crops of pool5 maps towards soft targets.

    Parameters
    ----------
    model : from `build`
    maps : float16 tensor, shape (n, 512, 8, 8)
        In units in which they are of the order of 1.
    targets : tensor, shape (n, classes)
        Distributions over the classes.
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
        report(f"epoch {epoch + 1}/{epochs}: loss {total / steps:.4f}")
    model.eval()


def crop(maps, generator):
    """The part of pool5 maps (n, 512, 8, 8) that fc6 sees, at random."""
    top, left = torch.randint(0, maps.shape[2] - FC6_SIZE + 1, (2,), generator=generator).tolist()
    return maps[:, :, top:top + FC6_SIZE, left:left + FC6_SIZE]

"""The read-out of the trunk, fc6 to fc8: groups of channels, each trained by itself on places of pool5.

Gradients of one read-out are its own to a good part; those of several that were trained towards different
targets agree on what the picture would need. So fc6 and fc7 hold several groups side by side, and their
logits are added.
"""

from collections.abc import Sequence
from typing import NamedTuple, Optional

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lsd_repro.hints import Floats
from lsd_repro.train.features import CHANNELS, Features
from lsd_repro.train.model import folded
from lsd_repro.train.targets import TEMPERATURE, Places, distributions, places

FC6_SIZE = 7
# How many windows of each canvas of a batch are trained on at once.
ROWS, COLUMNS = 3, 4


class Group(NamedTuple):
    """How a group of channels is made and trained.

    Attributes
    ----------
    name : str
    learns : {"embedding", "classes"}
        The teacher's embedding at a place, with the teacher's own classifier as fc8; or the classes
        themselves, half from labels where there are any.
    size : int
        Side of fc6's filters: 7, or less, for filters with a border of zeros.
    frequencies : int
        Cosines in each direction in fc6.
    width : int
        Channels of fc6.
    hidden : int
        Channels of fc7, of a group that learns classes; an embedding brings its own.
    dropout : float
        In front of fc7 and, for classes, fc8, and half as much for whole channels of pool5.
    seed : int
    """

    name: str
    learns: str
    size: int
    frequencies: int
    width: int
    hidden: int
    dropout: float
    seed: int


def cosines(size: int, frequencies: int) -> Floats:
    """The slowest cosines of unit length: (frequencies, size) float64.

    Some thousands of pictures are too few to fit all 7 x 7 weights of a channel; an object's outline needs
    no more than a few.
    """
    phase = np.pi * (np.arange(size) + 0.5) / size
    found = np.cos(phase * np.arange(frequencies)[:, None])
    return found / np.linalg.norm(found, axis=1, keepdims=True)


class Readout(nn.Module):
    """A group while it is trained.

    Parameters
    ----------
    group : Group
    unit : float
        The order of pool5's values.
    classifier : pair of tensor
        The teacher's last layer: weight (classes, channels) and bias (classes,).
    """

    def __init__(self, group: Group, unit: float, classifier: tuple[torch.Tensor, torch.Tensor]) -> None:
        super().__init__()
        self.group, self.unit = group, unit
        self.register_buffer("basis", torch.tensor(cosines(group.size, group.frequencies), dtype=torch.float32))
        into = CHANNELS * group.frequencies ** 2
        self.fc6 = nn.Linear(into, group.width, bias=False)
        nn.init.normal_(self.fc6.weight, std=(2 / into) ** 0.5)
        self.norm6 = nn.BatchNorm1d(group.width)
        self.dropout = nn.Dropout(group.dropout)
        classes, channels = classifier[0].shape
        if group.learns == "embedding":
            self.fc7 = nn.Linear(group.width, channels)
            self.register_buffer("weight8", classifier[0])
            self.register_buffer("bias8", classifier[1])
        else:
            self.fc7 = nn.Linear(group.width, group.hidden, bias=False)
            self.norm7 = nn.BatchNorm1d(group.hidden)
            self.fc8 = nn.Linear(group.hidden, classes)

    def train(self, mode: bool = True) -> "Readout":
        """As any module; but a normalisation that isn't learned keeps its statistics, too."""
        super().train(mode)
        for norm in (layer for layer in self.modules() if isinstance(layer, nn.BatchNorm1d)):
            norm.train(mode and norm.weight.requires_grad)
        return self

    def project(self, maps: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Windows of pool5 maps (n, 512, h, w) as products with the cosines: (n * rows * columns, fc6's inputs)."""
        down, across = (torch.zeros(len(starts), len(self.basis), length) for starts, length in
                        zip((rows, columns), maps.shape[2:]))
        for matrix, starts in ((down, rows), (across, columns)):
            for window, start in zip(matrix, starts.tolist()):
                window[:, start:start + self.group.size] = self.basis
        found = torch.einsum("nchw,ikh,jlw->nijckl", maps / self.unit, down, across)
        return found.reshape(-1, self.fc6.in_features)

    def forward(self, windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """fc7's output and the logits of projected windows."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = self.fc6(windows)
        found = self.dropout(F.relu(self.norm6(found.float())))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = self.fc7(found)
        if self.group.learns == "embedding":
            found = F.relu(found.float())
            return found, F.linear(found, self.weight8, self.bias8)
        found = F.relu(self.norm7(found.float()))
        return found, self.fc8(self.dropout(found))


def loss(model: Readout, seen: Places, classifier: tuple[torch.Tensor, torch.Tensor],
         variances: tuple[float, float]) -> torch.Tensor:
    """How far a group is from what it is taught, on places.

    Parameters
    ----------
    model : Readout
    seen : Places
    classifier : pair of tensor
        The teacher's last layer.
    variances : pair of float
        Of the teacher's embeddings and logits over places, which squared errors are divided by.

    Returns
    -------
    tensor
        A number.
    """
    maps = F.dropout2d(seen.maps, model.group.dropout / 2, model.training)
    found, logits = model(model.project(maps, seen.rows, seen.columns)[seen.fresh])
    embedding, label = seen.embedding[seen.fresh], seen.label[seen.fresh]
    if model.group.learns == "classes":
        return F.cross_entropy(logits, distributions(F.linear(embedding, *classifier), label))
    # What is far from the teacher at every place may still be near it on average, which is what the objective takes.
    canvas = torch.arange(len(seen.maps)).repeat_interleave(len(seen.rows) * len(seen.columns))[seen.fresh]
    return (_distance(found, embedding, logits, classifier, variances)
            + _distance(_means(found, canvas), _means(embedding, canvas), _means(logits, canvas), classifier, variances))


def _distance(found, embedding, logits, classifier, variances):
    """Squared errors of embeddings and logits, and how much distributions over the classes differ."""
    wanted = F.linear(embedding, *classifier)
    divergence = F.kl_div(F.log_softmax(logits / TEMPERATURE, 1), F.log_softmax(wanted / TEMPERATURE, 1),
                          log_target=True, reduction="batchmean")
    return (F.mse_loss(found, embedding) / variances[0] + F.mse_loss(logits, wanted) / variances[1]
            + divergence)


def _means(values, group):
    """Means of the rows of each group that has any."""
    counts = torch.bincount(group)
    sums = values.new_zeros(len(counts), values.shape[1]).index_add(0, group, values)
    return sums[counts > 0] / counts[counts > 0, None]


def train(group: Group, features: Features, classifier: tuple[torch.Tensor, torch.Tensor], epochs: int, batch: int,
          learning_rate: float, weight_decay: float, kept: Optional[torch.Tensor] = None,
          model: Optional[Readout] = None) -> Readout:
    """Train a group.

    Parameters
    ----------
    group : Group
    features : Features
    classifier : pair of tensor
        The teacher's last layer.
    epochs : int
        Of `ROWS` x `COLUMNS` places a canvas.
    batch : int
        Canvases.
    learning_rate : float
        Peak of the one-cycle schedule.
    weight_decay : float
    kept : bool tensor, shape (classes,), optional
        Classes to keep for testing: windows with anything of theirs are left out.
    model : Readout, optional
        To go on with. Default: a new one.

    Returns
    -------
    Readout
        In evaluation mode.
    """
    torch.manual_seed(group.seed)
    generator = torch.Generator().manual_seed(group.seed)
    cells = features.label.shape[1]
    first = np.arange(min(1000, len(features.label)))
    unit = float(np.sqrt(np.mean(np.square(features.pool5[first], dtype=np.float32))))
    every = torch.arange(cells - group.size + 1)
    usual = places(features, first, group.size, every, every).embedding
    variances = usual.var(0).mean().item(), F.linear(usual, *classifier).var(0).mean().item()

    model = model or Readout(group, unit, classifier)
    optimiser = torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=weight_decay)
    steps = len(features.label) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=epochs * steps, pct_start=0.1)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        order = torch.randperm(len(features.label), generator=generator)
        for chosen in order[:steps * batch].split(batch):
            rows, columns = (torch.randperm(len(every), generator=generator)[:count] for count in (ROWS, COLUMNS))
            seen = places(features, np.sort(chosen.numpy()), group.size, rows, columns, kept)
            found = loss(model, seen, classifier, variances)
            optimiser.zero_grad()
            found.backward()
            optimiser.step()
            schedule.step()
            total += found.item()
        print(f"{group.name}, epoch {epoch + 1}/{epochs}: loss {total / steps:.4f}", flush=True)
    return model.eval()


def fold(models: Sequence[Readout], shares: Sequence[float]) -> tuple[list[Floats], list[Floats]]:
    """Lay groups side by side as fc6 to fc8.

    Groups that learned the embedding share fc7's channels for it, where their outputs are averaged. The logits' mean
    over the classes is taken away: a softmax doesn't see it, but the 2015 objective has it as a term.

    Parameters
    ----------
    models : sequence of Readout
        Those that learned the embedding first.
    shares : sequence of float
        By which the logits of a group count: of all embeddings' together the first one's.

    Returns
    -------
    weights, biases : list of ndarray
        Of fc6, fc7 and fc8, (out, in, h, w) and (out,) float32.
    """
    learners = [model for model in models if model.group.learns == "embedding"]
    six, seven, eight = [], [], []
    for model, share in zip(models, shares):
        weight, bias = folded(model.fc6.weight.reshape(len(model.fc6.weight), CHANNELS, *[len(model.basis)] * 2), model.norm6)
        # No product of float32 sums here: what is stored are the coefficients.
        basis = padded(model.basis.double())
        six.append((torch.einsum("oikl,ky,lx->oiyx", weight / model.unit, basis, basis), bias))
        if model.group.learns == "embedding":
            seven.append((model.fc7.weight.double() / len(learners), model.fc7.bias.double() / len(learners)))
        else:
            seven.append(folded(model.fc7.weight, model.norm7))
        if model is (learners[0] if learners else None):
            eight.append((share * model.weight8.double(), share * model.bias8.double()))
        elif model.group.learns == "classes":
            eight.append((share * model.fc8.weight.double(), share * model.fc8.bias.double()))
    own = seven[len(learners):]
    embedding = [(torch.cat([weight for weight, _ in seven[:len(learners)]], 1),
                  sum(bias for _, bias in seven[:len(learners)]))] if learners else []
    weight8, bias8 = torch.cat([weight for weight, _ in eight], 1), sum(bias for _, bias in eight)
    pairs = [(torch.cat([weight for weight, _ in six]), torch.cat([bias for _, bias in six])),
             (torch.block_diag(*(weight for weight, _ in embedding + own)), torch.cat([bias for _, bias in embedding + own])),
             (weight8 - weight8.mean(0), bias8 - bias8.mean())]
    weights = [weight.detach().float().reshape(*weight.shape[:2], *weight.shape[2:] or (1, 1)).numpy() for weight, _ in pairs]
    return weights, [bias.detach().float().numpy() for _, bias in pairs]


def padded(basis: torch.Tensor) -> torch.Tensor:
    """Cosines with zeros around them, to fc6's size: (frequencies, FC6_SIZE)."""
    border = (FC6_SIZE - basis.shape[1]) // 2
    return F.pad(basis, (border, border))

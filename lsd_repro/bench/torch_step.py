"""The contender in PyTorch: the same step, written as one writes it there (extra ``bench``)."""

import os
from typing import Callable, Optional

import torch
from torch.nn import functional as F

from lsd_repro.bench import problem
from lsd_repro.network import pytorch
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import BETA1, BETA2, EPSILON, GREY_OFFSET, STREAM, STUDENT_SCALE

Term = Callable[[torch.Tensor], torch.Tensor]
LAYOUTS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


def make(part: str, width: Optional[str], size: tuple[int, int], network_layout: str,
         prior_layout: str) -> Callable[[], float]:
    """Build a part of the stream's step; see `lsd_repro.bench.theano_step.make`.

    Parameters
    ----------
    part, width, size
        As there.
    network_layout, prior_layout : {"NCHW", "channels_last"}
        How maps lie in memory.
    """
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    x = torch.from_numpy(problem.picture(size)).permute(2, 0, 1)[None].contiguous()
    term = term_of(part, width, network_layout, prior_layout)
    return adam_step(term, x) if part == "whole" else lambda: value_and_gradient(term, x)[0].item()


def term_of(part: str, width: Optional[str], network_layout: str, prior_layout: str) -> Term:
    """The part's term of the loss, as a function of a picture (1, 3, height, width)."""
    terms = []
    if part != "prior":
        terms.append(class_term(problem.network(width), LAYOUTS[network_layout]))
    if part != "network":
        terms.append(prior_term(problem.prior(), LAYOUTS[prior_layout]))
    return lambda x: sum(term(x) for term in terms)


def class_term(network: NetworkWeights, layout: torch.memory_format) -> Term:
    """Mean of all logits minus the mean of those that are aimed at, each over its half of the map."""
    layers = pytorch.build(network, layout).requires_grad_(False)
    mean, (bottom, top) = network.mean, problem.CLASSES

    def term(x):
        logits = layers((x - mean).contiguous(memory_format=layout))[0]
        middle = logits.shape[1] // 2
        halves = logits[bottom, middle:], logits[top, :middle]
        return logits.mean() - sum(half.mean() for half in halves if half.numel())

    return term


def prior_term(prior: PatchPrior, layout: torch.memory_format) -> Term:
    """Prior strength times the mean Student-t energy over scales."""
    # True convolution: the filters are flipped.
    filters = torch.tensor(prior.filters[::-1, ::-1].transpose(3, 2, 0, 1).copy(), dtype=torch.float32)
    filters = filters.contiguous(memory_format=layout)
    minus_mean = torch.tensor(-prior.mean, dtype=torch.float32)

    def term(x):
        energies = []
        for scale in STREAM.prior_scales:
            pooled = (F.avg_pool2d(x, scale) - GREY_OFFSET).contiguous(memory_format=layout)
            deviations = F.conv2d(pooled, filters, minus_mean)
            energies.append(torch.log1p(deviations ** 2 / STUDENT_SCALE).mean())
        return STREAM.prior_strength * sum(energies) / len(energies)

    return term


def value_and_gradient(term: Term, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A term of the loss and its gradient with respect to the picture."""
    x = x.detach().requires_grad_()
    value = term(x)
    value.backward()
    return value.detach(), x.grad


def adam_step(term: Term, x: torch.Tensor) -> Callable[[], float]:
    """A function that takes one step of the Adam of 2015 on `x`, in place, and returns the loss before."""
    m, v, t = torch.zeros_like(x), torch.zeros_like(x), 0

    def step():
        nonlocal t
        loss, gradient = value_and_gradient(term, x)
        t += 1
        m.mul_(1 - BETA1).add_(gradient, alpha=BETA1)
        v.mul_(1 - BETA2).addcmul_(gradient, gradient, value=BETA2)
        m_hat, v_hat = m / (1 - (1 - BETA1) ** t), v / (1 - (1 - BETA2) ** t)
        x.sub_(STREAM.learning_rate * m_hat / (v_hat.sqrt() + EPSILON)).clamp_(0, 255)
        return loss.item()

    return step

"""The contender in PyTorch computes what ours does."""

import itertools

import numpy as np
import pytest

from lsd_repro.bench import problem, theano_step

torch = pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[bench]'")

SIZE = 264, 256
LAYOUTS = list(itertools.product(("NCHW", "channels_last"), repeat=2))


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.parametrize("part", ["network", "prior"])
def test_terms_and_gradients_are_ours(part):
    from lsd_repro.bench import torch_step

    value, ours = theano_step.value_and_gradient(part, "shipped", SIZE)()
    picture = torch.from_numpy(problem.picture(SIZE).transpose(2, 0, 1)[None].copy())
    # Where a ReLU or a max-pool is near a tie, rounding decides which way the gradient goes.
    limit = {"network": 0.1, "prior": 1e-4}[part]
    for layouts in LAYOUTS:
        term, gradient = torch_step.value_and_gradient(torch_step.term_of(part, "shipped", *layouts), picture)
        assert term.item() == pytest.approx(float(value), rel=1e-5)
        assert np.sqrt(np.mean((gradient.numpy() - ours) ** 2) / np.mean(ours ** 2)) < limit


def test_the_whole_is_the_sum_of_its_parts():
    from lsd_repro.bench import torch_step

    network, prior, whole = (torch_step.make(part, "shipped", SIZE, "NCHW", "NCHW")()
                             for part in ("network", "prior", "whole"))
    assert whole == pytest.approx(network + prior, rel=1e-6)


def test_steps_are_those_of_2015():
    from lsd_repro.bench import torch_step

    rng = np.random.default_rng(1)
    start, goal = rng.uniform(0, 255, (2, 1, 3, 4, 5))
    x = torch.from_numpy(start.copy())
    step = torch_step.adam_step(lambda x: ((x - torch.from_numpy(goal)) ** 2 / 2).sum(), x)

    picture, m, v = start, 0, 0
    for t in range(1, 5):
        assert step() == pytest.approx(((picture - goal) ** 2).sum() / 2)
        g = picture - goal
        m, v = 0.9 * g + 0.1 * m, 0.999 * g ** 2 + 0.001 * v
        picture = np.clip(picture - 5 * m / (1 - 0.1 ** t) / (np.sqrt(v / (1 - 0.001 ** t)) + 1e-8), 0, 255)
        np.testing.assert_allclose(x.numpy(), picture, atol=1e-5)

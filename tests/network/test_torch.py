"""The network against an independent implementation: PyTorch (extra ``train``)."""

import numpy as np
import pytest
from small_network import small_network

from lsd_repro.network import vgg16
from lsd_repro.network.layers import FULL
from lsd_repro.program2015 import VGG16_GROUPS, VGG19_GROUPS
from lsd_repro.runtime.load import T, theano

torch = pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")


def relative(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("groups", [VGG16_GROUPS, VGG19_GROUPS], ids=["16", "19"])
def test_logits_and_gradient_of_small_widths_are_pytorchs(groups):
    from lsd_repro.network import pytorch

    network = small_network(np.random.default_rng(7), groups=groups)
    picture = np.random.default_rng(8).uniform(0, 255, (1, 3, 101, 135))
    found, gradient = compute("float64", network, picture)
    theirs, their_gradient = compute_in_torch(pytorch.build(network).double(), network.mean, torch.from_numpy(picture))
    assert relative(found, theirs) < 1e-9
    assert relative(gradient, their_gradient) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("height, width", [(224, 224), (260, 300)])
def test_logits_and_gradient_are_pytorchs(height, width):
    from lsd_repro.network import pytorch

    network = small_network(np.random.default_rng(7), **FULL)
    picture = np.random.default_rng(8).uniform(0, 255, (1, 3, height, width)).astype(np.float32)
    found, gradient = compute("float32", network, picture)
    theirs, their_gradient = compute_in_torch(pytorch.build(network), network.mean, torch.from_numpy(picture))
    assert found.shape == theirs.shape == (1, 1000, *vgg16.map_size(height, width, 7))
    assert relative(found, theirs) < 1e-4
    # Where a ReLU or a max-pool is near a tie, rounding decides which way the gradient
    # goes: in float32 a few pixels differ by percents, between any two computations.
    assert np.sqrt(np.mean((gradient - their_gradient) ** 2) / np.mean(their_gradient ** 2)) < 0.02

    found, gradient = compute("float64", network, picture)
    theirs, their_gradient = compute_in_torch(pytorch.build(network).double(), network.mean,
                                              torch.from_numpy(picture).double())
    assert relative(found, theirs) < 1e-9
    assert relative(gradient, their_gradient) < 1e-9


def compute(dtype, network, picture):
    """Logits, and the gradient of a class term, through Theano."""
    with theano.config.change_flags(floatX=dtype):
        x = T.TensorType(dtype, (True, False, False, False))()
        logits = vgg16.class_logits(vgg16.build(network), x, network.mean)
        aimed = logits[0, 3].mean() - logits.mean()
        return theano.function([x], [logits, T.grad(aimed, x)])(picture.astype(dtype))


def compute_in_torch(model, mean, picture):
    picture.requires_grad_()
    logits = model(picture - mean)
    (logits[0, 3].mean() - logits.mean()).backward()
    return logits.detach().numpy(), picture.grad.numpy()

"""The full-width network against an independent implementation: PyTorch (extra ``train``)."""

import numpy as np
import pytest
from small_network import FULL, small_network

from lsd_repro.network import vgg16
from lsd_repro.stack import T, theano

torch = pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

pytestmark = pytest.mark.slow


def relative(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("height, width", [(224, 224), (260, 300)])
def test_logits_and_gradient_are_pytorchs(height, width):
    from lsd_repro.train.model import plain

    network = small_network(np.random.default_rng(7), **FULL)
    picture = np.random.default_rng(8).uniform(0, 255, (1, 3, height, width)).astype(np.float32)
    with theano.config.change_flags(floatX="float32"):
        x = T.TensorType("float32", (True, False, False, False))()
        logits = vgg16.class_logits(vgg16.build(network), x, network.mean)
        aimed = logits[0, 3].mean() - logits.mean()
        found, gradient = theano.function([x], [logits, T.grad(aimed, x)])(picture)

    theirs = torch.from_numpy(picture).requires_grad_()
    expected = plain(network)(theirs - network.mean)
    (expected[0, 3].mean() - expected.mean()).backward()
    assert found.shape == expected.shape == (1, 1000, *vgg16.map_size(height, width, 7))
    assert relative(found, expected.detach().numpy()) < 1e-4
    assert relative(gradient, theirs.grad.numpy()) < 1e-4

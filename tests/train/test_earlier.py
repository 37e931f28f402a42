from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install -e '.[train]'")

from lsd_repro.errors import InputError  # noqa: E402
from lsd_repro.network.random_weights import random_network  # noqa: E402
from lsd_repro.train import head  # noqa: E402
from lsd_repro.train.earlier import adopt  # noqa: E402
from lsd_repro.train.features import Features  # noqa: E402

CLASSIFIER = torch.zeros(2, 4), torch.zeros(2)


@pytest.fixture(scope="module")
def network():
    """Filters of fc6 that are sums of cosines 0 and 1 each way."""
    rng = np.random.default_rng(0)
    trunk = random_network(rng, (2, 2, 2, 2, 512), 32, 5, 7)
    basis = head.cosines(7, 2)
    filters = (basis.T @ rng.normal(0, 0.01, (32, 512, 2, 2)) @ basis).astype(np.float32)
    biases = [rng.standard_normal(bias.shape).astype(np.float32) for bias in trunk.biases[13:]]
    return replace(trunk, weights=(*trunk.weights[:13], filters, *trunk.weights[14:]), biases=(*trunk.biases[:13], *biases))


def test_an_earlier_read_out_keeps_fc6_and_fc7_and_learns_fc8(network):
    rng = np.random.default_rng(1)
    kinds = np.arange(64) % 2
    pool5 = rng.random((64, 512, 10, 10)).astype(np.float16)
    pool5[kinds == 1, ::2] += 1
    features = Features(pool5, np.zeros((64, 10, 10, 4), np.float16),
                        np.broadcast_to(kinds[:, None, None], (64, 10, 10)).astype(np.int16))
    model = adopt(network, CLASSIFIER)
    model = head.train(model.group, features, CLASSIFIER, epochs=10, batch=16, learning_rate=3e-2, weight_decay=0.01, model=model)

    weights, biases = head.fold([model], [1.0])
    for found, kept in zip((*weights[:2], *biases[:2]), (*network.weights[13:15], *network.biases[13:15])):
        np.testing.assert_allclose(found, kept, rtol=1e-4, atol=1e-4 * np.abs(kept).max())
    with torch.no_grad():
        _, logits = model(model.project(torch.from_numpy(pool5).float(), torch.tensor([1]), torch.tensor([1])))
    assert (logits.argmax(1).numpy() == kinds).mean() > 0.95


def test_filters_that_are_no_slow_sums_are_refused(network):
    rough = np.random.default_rng(2).standard_normal(network.weights[13].shape).astype(np.float32)
    with pytest.raises(InputError, match="no sums of fewer than 7"):
        adopt(replace(network, weights=(*network.weights[:13], rough, *network.weights[14:])), CLASSIFIER)
    with pytest.raises(InputError, match="512 x 7 x 7"):
        adopt(replace(network, weights=(*network.weights[:13], rough[:, :, 1:, 1:], *network.weights[14:])), CLASSIFIER)

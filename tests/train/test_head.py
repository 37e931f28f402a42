from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install -e '.[train]'")

from lsd_repro.network import matconvnet  # noqa: E402
from lsd_repro.network.random_weights import random_network  # noqa: E402
from lsd_repro.train import head  # noqa: E402
from lsd_repro.train.features import Features  # noqa: E402
from lsd_repro.train.head import Group  # noqa: E402

CHANNELS, CLASSES = 4, 5
GROUPS = (Group("one", "embedding", 5, 2, 6, 0, 0.1, 0), Group("two", "embedding", 7, 3, 3, 0, 0.1, 1),
          Group("three", "classes", 7, 1, 2, 3, 0.1, 2))
SHARES = 0.5, 0.5, 2.0


@pytest.fixture(scope="module")
def models():
    """Groups as training might leave them."""
    torch.manual_seed(0)
    classifier = torch.randn(CLASSES, CHANNELS), torch.randn(CLASSES)
    models = [head.Readout(group, 7.0, classifier) for group in GROUPS]
    for layer in (layer for model in models for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm1d)):
        for array in (layer.running_mean, layer.bias.data):
            array.normal_()
        for array in (layer.running_var, layer.weight.data):
            array.uniform_(0.5, 2)
    return [model.eval() for model in models]


def test_folded_layers_are_the_groups_side_by_side(models):
    maps = 10 * torch.rand(3, 512, 7, 7)
    weights, biases = head.fold(models, SHARES)
    assert [weight.shape for weight in weights] == [(11, 512, 7, 7), (CHANNELS + 3, 11, 1, 1), (CLASSES, CHANNELS + 3, 1, 1)]
    x = maps.double().numpy()
    for weight, bias, last in zip(weights, biases, (False, False, True)):
        x = np.tensordot(x, weight, ((1, 2, 3), (1, 2, 3))) + bias
        x = (x if last else np.maximum(x, 0))[:, :, None, None]

    # The models themselves, one after the other; embeddings are averaged before their rectifier.
    with torch.no_grad():
        sixes = []
        for model in models:
            start = torch.tensor([(7 - model.group.size) // 2])
            sixes.append(torch.relu(model.norm6(model.fc6(model.project(maps, start, start)))))
        embedding = torch.relu((models[0].fc7(sixes[0]) + models[1].fc7(sixes[1])) / 2)
        hidden = torch.relu(models[2].norm7(models[2].fc7(sixes[2])))
        expected = (SHARES[0] * (embedding @ models[0].weight8.T + models[0].bias8)
                    + SHARES[2] * models[2].fc8(hidden)).numpy()
    np.testing.assert_allclose(x[:, :, 0, 0], expected - expected.mean(1, keepdims=True), rtol=1e-3, atol=1e-3)


def test_filters_of_fc6_are_slow_and_can_be_stored_as_coefficients(models, tmp_path):
    from scipy.fft import dctn

    weights, biases = head.fold(models, SHARES)
    for first, last, size, frequencies in ((0, 6, 5, 2), (6, 9, 7, 3), (9, 11, 7, 1)):
        border = (7 - size) // 2
        assert np.count_nonzero(weights[0][first:last]) == (last - first) * 512 * size ** 2
        inner = weights[0][first:last, :, border:7 - border, border:7 - border]
        spectrum = np.abs(dctn(inner, axes=(2, 3), norm="ortho"))
        largest = spectrum.max()
        assert spectrum[:, :, frequencies:].max() < 1e-5 * largest > spectrum[:, :, :, frequencies:].max()
    trunk = random_network(np.random.default_rng(0), (2, 2, 2, 2, 512), 4, CLASSES, 7)
    network = replace(trunk, weights=(*trunk.weights[:13], *weights), biases=(*trunk.biases[:13], *biases))
    matconvnet.write(tmp_path / "a.mat", network, bits=8,
                     fc6=[(model.group.width, head.padded(model.basis).numpy().T) for model in models])
    read = matconvnet.read(tmp_path / "a.mat").weights[13]
    assert np.abs(read - weights[0]).max() < 0.02 * np.abs(weights[0]).max()


@pytest.mark.parametrize("learns", ["embedding", "classes"])
def test_training_tells_two_kinds_apart(learns):
    rng = np.random.default_rng(0)
    kinds = np.arange(64) % 2
    pool5 = rng.random((64, 512, 10, 10)).astype(np.float16)
    pool5[kinds == 1, :20] += 1
    teacher = np.broadcast_to(np.eye(2, CHANNELS)[kinds][:, None, None], (64, 10, 10, CHANNELS)).astype(np.float16)
    features = Features(pool5, teacher, np.broadcast_to(kinds[:, None, None], (64, 10, 10)).astype(np.int16))
    classifier = 4 * torch.eye(2, CHANNELS), torch.zeros(2)
    model = head.train(Group("any", learns, 5, 1, 8, 8, 0.1, 0), features, classifier, epochs=8, batch=16, learning_rate=1e-2,
                       weight_decay=0.01)
    with torch.no_grad():
        middle = torch.tensor([2])
        _, logits = model(model.project(torch.from_numpy(pool5).float(), middle, middle))
    assert (logits.argmax(1).numpy() == kinds).mean() > 0.95

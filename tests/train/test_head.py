import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install -e '.[train]'")

from lsd_repro.train import head  # noqa: E402


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = head.build(6, 5, frequencies=3, dropout=0.4, unit=7.0)
    # Statistics and affine parts as training would leave them.
    for layer in model:
        if isinstance(layer, torch.nn.BatchNorm1d):
            for array in (layer.running_mean, layer.bias.data):
                array.normal_()
            for array in (layer.running_var, layer.weight.data):
                array.uniform_(0.5, 2)
    return model.eval()


def test_folded_layers_are_the_model(model):
    maps = 10 * torch.rand(3, 512, 7, 7)
    weights, biases = head.fold(model)
    assert [weight.shape for weight in weights] == [(6, 512, 7, 7), (6, 6, 1, 1), (5, 6, 1, 1)]
    x = maps.numpy().astype(np.float64)
    for weight, bias, last in zip(weights, biases, (False, False, True)):
        x = np.tensordot(x, weight, ((1, 2, 3), (1, 2, 3))) if x.shape[2:] == weight.shape[2:] else None
        x = (x + bias)[:, :, None, None]
        x = x if last else np.maximum(x, 0)
    with torch.no_grad():
        expected = model(maps).numpy()
    np.testing.assert_allclose(x[:, :, 0, 0], expected, rtol=1e-4, atol=1e-4)


def test_filters_of_fc6_are_slow(model):
    # Of the discrete cosine transform of every filter only the 3 x 3 lowest frequencies are left.
    from scipy.fft import dctn

    spectrum = np.abs(dctn(model[2].weight.detach().numpy(), axes=(2, 3), norm="ortho"))
    assert spectrum[:, :, 3:, :].max() < 1e-6 and spectrum[:, :, :, 3:].max() < 1e-6
    assert spectrum[:, :, 2, 2].max() > 1e-3


def test_training_tells_two_kinds_apart():
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    kinds = torch.arange(64) % 2
    maps = torch.rand(64, 512, 8, 8, generator=generator)
    maps[kinds == 1, :20] += 1
    model = head.build(8, 2, frequencies=1, dropout=0.1, unit=1.0)
    head.train(model, maps.half(), torch.eye(2)[kinds], epochs=8, batch=16, learning_rate=3e-3, weight_decay=0.01,
               generator=generator)
    with torch.no_grad():
        assert (model(maps[:, :, :7, 1:]).argmax(1) == kinds).float().mean() > 0.95

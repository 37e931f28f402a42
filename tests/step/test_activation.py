"""DeepDream's objectives against numpy, and against PyTorch."""

import numpy as np
import pytest
import reference
from skimage import data
from small_network import small_network

from lsd_repro.errors import InputError
from lsd_repro.prior.energy import total_variation
from lsd_repro.step import activation
from lsd_repro.step.gradient import GradientStep
from lsd_repro.step.target import CLASSES, Channel, Classes, Guide, Layer

NETWORK = small_network(np.random.default_rng(3))
PHOTO = data.astronaut()[40:104, 180:256]
GUIDE = data.coffee()[100:148, 200:264]
TARGETS = {"norm": Layer("conv3_2"), "pooled": Layer("pool2"), "channel": Channel("conv4_1", 5), "guide": Guide(GUIDE, "conv3_1")}


def map_of(network, name, picture, rectified=True):
    """Map (channels, rows, columns) of a layer, in numpy."""
    maps = picture.transpose(2, 0, 1) - network.mean
    parameters = zip(network.weights, network.biases)
    for spec in network.layers:
        layer = spec.name
        if spec.kind == "conv":
            maps = reference.correlate(maps, *next(parameters), pad=0 if layer.startswith("fc") else 1)
            if layer == name and not rectified:
                return maps
            maps = maps if layer == "fc8" else np.maximum(maps, 0)
        elif spec.kind == "pool":
            maps = reference.max_pool(maps)
        if layer == name:
            return maps


def raised(target, picture):
    """What a target comes to, in numpy."""
    maps = map_of(NETWORK, target.layer, picture, not isinstance(target, Channel))
    if isinstance(target, Channel):
        return maps[target.number].mean()
    if isinstance(target, Layer):
        return np.sqrt(np.mean(maps ** 2))
    guide = map_of(NETWORK, target.layer, GUIDE.astype(float))
    products = np.tensordot(maps, guide, axes=(0, 0)).reshape(-1, guide[0].size)
    return products.max(axis=1).mean() / len(maps) / np.sqrt(np.mean(guide ** 2))


@pytest.fixture(scope="module")
def steps():
    return {name: GradientStep(NETWORK, total_variation, PHOTO, 5.0, 0.0, (1, 2), "float64", target=target)
            for name, target in TARGETS.items()}


@pytest.mark.parametrize("name", TARGETS)
def test_activation_is_that_of_numpy_and_its_gradient_that_of_finite_differences(steps, name):
    target = TARGETS[name]

    def expected(picture):
        return np.mean([raised(target, reference.mean_pool(picture, scale)) for scale in (1, 2)])

    terms, gradient, shown = steps[name].evaluate(target)
    assert terms.target == pytest.approx(expected(PHOTO.astype(float)), rel=1e-9)
    assert terms.class_term == -terms.target
    np.testing.assert_allclose(shown[0], map_of(NETWORK, target.layer, PHOTO.astype(float)), rtol=1e-9, atol=1e-9)
    direction = np.random.default_rng(0).normal(size=PHOTO.shape)
    there, back = (expected(PHOTO + nudge * direction) for nudge in (1e-5, -1e-5))
    assert (gradient * direction).sum() == pytest.approx((back - there) / 2e-5, rel=1e-5)


def test_a_channel_needs_no_other_step(steps):
    for target in (Channel("conv4_1", 0), Channel("conv4_1", 23)):
        expected = np.mean([raised(target, reference.mean_pool(PHOTO.astype(float), scale)) for scale in (1, 2)])
        assert steps["channel"].evaluate(target)[0].target == pytest.approx(expected, rel=1e-9)
    for other in (Channel("conv4_2", 0), Layer("conv4_1"), Classes(0, 0)):
        with pytest.raises(ValueError, match="can't raise"):
            steps["channel"].evaluate(other)


def test_steps_raise_the_activation(steps):
    for name, step in steps.items():
        targets = [step.step(TARGETS[name]).target for _ in range(6)]
        assert targets[-1] > targets[0], name


@pytest.mark.parametrize("name", TARGETS)
def test_gradient_is_pytorchs(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")
    from lsd_repro.network import pytorch

    target = TARGETS[name]
    kinds = [layer.kind for layer in NETWORK.layers]
    names = [layer.name for layer in NETWORK.layers]
    # Before the ReLU for a channel, behind it else, which comes right after the layer.
    count = names.index(target.layer) + 1
    if kinds[count] == "relu" and not isinstance(target, Channel):
        count += 1
    model = pytorch.build(NETWORK).double()[:count]
    for module in model:
        if isinstance(module, torch.nn.ReLU):
            module.inplace = False

    def maps(picture):
        return model(picture - NETWORK.mean)[0].flatten(1)

    def as_torch(picture):
        return torch.from_numpy(picture.astype(float).transpose(2, 0, 1)[np.newaxis].copy())

    x = as_torch(PHOTO).requires_grad_()
    seen = maps(x)
    # DeepDream hands the network a gradient, and has no objective as such: x for the norm, and for the
    # guide whatever of it fits best.
    if isinstance(target, Channel):
        upstream = torch.zeros_like(seen)
        upstream[target.number] = 1
    elif isinstance(target, Layer):
        upstream = seen.detach()
    else:
        guide = maps(as_torch(GUIDE)).detach()
        upstream = guide[:, (seen.detach().T @ guide).argmax(1)]
    seen.backward(upstream)
    theirs = x.grad[0].numpy().transpose(1, 2, 0)
    step = GradientStep(NETWORK, total_variation, PHOTO, 5.0, 0.0, (1,), "float64", target=target)
    terms, ours, _ = step.evaluate(target)
    lengths = {"channel": seen[0].numel(), "norm": seen.numel() * terms.target, "pooled": seen.numel() * terms.target}
    if name in lengths:
        np.testing.assert_allclose(-ours * lengths[name], theirs, rtol=1e-9, atol=1e-9 * abs(theirs).max())
    ours, theirs = (gradient / np.linalg.norm(gradient) for gradient in (-ours, theirs))
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_objectives_are_read_and_those_that_the_network_lacks_refused():
    def read(text, guide=None):
        return activation.read(text, NETWORK, guide)

    assert read("class") == CLASSES
    assert read("layer:conv5_2") == Layer("conv5_2")
    assert read("layer:fc8:19") == Channel("fc8", 19) and read("layer:fc8:19").name == "fc8, channel 19"
    assert read("class", GUIDE).layer == "conv4_3" and read("layer:pool3", GUIDE).picture is GUIDE
    for text, guide, words in (
            ("layer", None, "must be class"), ("layer:", None, "must be class"), ("neuron:conv1_1", None, "must be class"),
            ("layer:conv6_1", None, "no layer 'conv6_1': it has conv1_1"), ("layer:conv1_1:8", None, "channels 0 to 7"),
            ("layer:conv1_1:", None, "channels 0 to 7"), ("layer:conv1_1:-1", None, "channels 0 to 7"),
            ("layer:conv1_1:²", None, "channels 0 to 7"), ("layer:conv1_1:" + "9" * 5000, None, "channels 0 to 7"),
            ("layer:conv4_1:3", GUIDE, "names no channel"), ("layer:conv2_2", GUIDE, "layer:conv3_1 or a later"),
            ("layer:pool5", GUIDE[:20], "guide=: a 64x20 picture is too small for pool5")):
        with pytest.raises(InputError, match=words):
            read(text, guide)


def test_a_layer_needs_a_smaller_picture_than_a_class_but_not_none():
    tiny = PHOTO[:20, :24]
    step = GradientStep(NETWORK, total_variation, tiny, 5.0, 0.0, "any", target=Layer("conv5_1"))
    assert step.step(Layer("conv5_1")).target > 0
    with pytest.raises(InputError, match="12x10 picture is too small for conv5_1 of this network: it needs at least 16x16"):
        step.network_scale = 2
    with pytest.raises(InputError, match="24x20 picture is too small"):
        GradientStep(NETWORK, total_variation, tiny, 5.0, 0.0)

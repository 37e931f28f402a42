"""A step in tiles is the step of the whole picture, to rounding: there are no seams to be seen."""

import numpy as np
import pytest
from skimage import data
from small_network import small_network

from lsd_repro.errors import InputError
from lsd_repro.material import shipped
from lsd_repro.network.layers import least_side
from lsd_repro.network.receptive import layer_named
from lsd_repro.prior import store
from lsd_repro.prior.energy import multiscale, patch_energy, total_variation
from lsd_repro.step.adam import adam_published
from lsd_repro.step.gradient import GradientStep
from lsd_repro.step.objective import log_likelihood_term
from lsd_repro.step.target import Channel, Classes, Guide, Layer
from lsd_repro.step.tiles import grid, spans

NETWORK = small_network(np.random.default_rng(3))
# Several tiles long and wide, and no multiple of anything.
PHOTO = data.astronaut()[:333, 100:333]
TILE, PRIOR_SCALES = 320, (1, 4)
PRIOR = store.load_kind(shipped.path(shipped.PRIORS), "student")
GUIDE = data.coffee()[100:148, 200:264]
NORM = dict(target=Layer("conv4_2"))
CASES = [
    pytest.param({}, id="classes"), pytest.param(NORM, id="norm"),
    # At half the size the halves are cut where 2015 would, in the whole map.
    pytest.param(dict(network_scales=(1, 2)), id="stills", marks=pytest.mark.slow),
    pytest.param(dict(network_scales="any"), id="octaves", marks=pytest.mark.slow),
    pytest.param(dict(objective=log_likelihood_term, update=adam_published), id="likelihood", marks=pytest.mark.slow),
    pytest.param(dict(target=Channel("conv5_1", 3)), id="channel", marks=pytest.mark.slow),
    pytest.param(dict(target=Guide(GUIDE, "pool4"), network_scales=(1, 2)), id="guide", marks=pytest.mark.slow)]


ENERGY = multiscale(patch_energy(PRIOR), PRIOR_SCALES)


def tiled_step(**options):
    return GradientStep(NETWORK, ENERGY, PHOTO, 5.0, 3.0, dtype="float64", patch_size=8, tile=TILE, **options)


@pytest.mark.parametrize("options", CASES)
def test_gradient_and_step_in_tiles_are_those_of_the_whole_picture(options):
    whole = GradientStep(NETWORK, ENERGY, PHOTO, 5.0, 3.0, dtype="float64", **options)
    tiled = tiled_step(**options)
    if options.get("network_scales") == "any":
        whole.network_scale = tiled.network_scale = 2
    target = options.get("target", Classes(7, 3))
    terms, gradient, shown = whole.evaluate(target)
    in_tiles, gradient_in_tiles, shown_in_tiles = tiled.evaluate(target)
    np.testing.assert_allclose(shown_in_tiles, shown, rtol=1e-10, atol=1e-11 * abs(shown).max())
    np.testing.assert_allclose(in_tiles, terms, rtol=1e-10)
    np.testing.assert_allclose(gradient_in_tiles, gradient, rtol=0, atol=1e-11 * abs(gradient).max())
    for _ in range(2):  # the first does not depend on the moments
        tiled.step(target)
        whole.step(target)
    np.testing.assert_allclose(tiled.picture, whole.picture, atol=1e-3)


@pytest.mark.slow
def test_gradient_in_tiles_is_pytorchs_of_the_whole_picture():
    torch = pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")
    from lsd_repro.network import pytorch

    tiled = tiled_step()
    tiled.prior_strength = 0.0
    # Of equal values, such as a photo's white, PyTorch's max-pool passes the gradient to one alone.
    picture = np.random.default_rng(4).uniform(0, 255, PHOTO.shape)
    tiled.picture = picture
    _, gradient, _ = tiled.evaluate(7, 3)
    x = torch.from_numpy(picture.transpose(2, 0, 1)[np.newaxis].copy()).requires_grad_()
    logits = pytorch.build(NETWORK).double()(x - NETWORK.mean)[0]
    middle = logits.shape[1] // 2
    (logits.mean() - logits[7, middle:].mean() - logits[3, :middle].mean()).backward()
    theirs = x.grad[0].numpy().transpose(1, 2, 0)
    np.testing.assert_allclose(gradient, theirs, rtol=0, atol=1e-11 * abs(theirs).max())


def test_a_step_in_tiles_goes_on_from_its_state_and_that_of_a_whole_one():
    tiled, whole = tiled_step(**NORM), GradientStep(NETWORK, total_variation, PHOTO, 5.0, 0.0, dtype="float64", **NORM)
    tiled.learning_rate, tiled.prior_strength = 4.0, 0.0
    tiled.step(NORM["target"])
    saved = tiled.state()
    assert {name: array.shape for name, array in saved.items()} == {
        name: array.shape for name, array in whole.state().items()}
    tiled.step(NORM["target"])
    expected = tiled.picture
    tiled.reset_moments()
    tiled.restore(saved)
    tiled.step(NORM["target"])
    np.testing.assert_array_equal(tiled.picture, expected)
    whole.learning_rate = 4.0
    whole.restore(saved)
    whole.step(NORM["target"])
    np.testing.assert_allclose(whole.picture, expected, atol=1e-3)


@pytest.mark.parametrize("name", ["fc8", "fc6", "conv5_3", "pool3", "conv1_1"])
def test_tiles_hold_what_their_entries_see_and_every_entry_is_in_one(name):
    least = least_side(NETWORK.layers, name)
    for side in (*range(least, least + 70), 700, 1111):
        layer = layer_named(NETWORK, name, side, side)
        for tile in (256, 300, 512):
            found = spans(side, layer.rows, layer.stride, layer.start, layer.field, tile)
            assert [entry for span in found for entry in range(span.first, span.last)] == list(range(layer.rows))
            for span in found:
                assert span.stop - span.start <= tile and span.start % layer.stride == 0 and span.stop <= side
                assert span.start <= max(layer.start + span.first * layer.stride, 0)
                assert span.stop >= min(layer.start + (span.last - 1) * layer.stride + layer.field, side)
                assert span.entries == layer_named(NETWORK, name, span.stop - span.start, 999).rows
                assert 0 <= span.first - span.offset and span.last - span.offset <= span.entries


def test_a_tile_too_small_for_a_single_place_is_refused():
    with pytest.raises(InputError, match="tile=255: .* receptive field of 256 pixels"):
        grid((400, 400), (9, 9), 32, -90, 244, 255)
    assert len(grid((400, 400), (9, 9), 32, -90, 244, 256)) == 81

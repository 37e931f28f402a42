import numpy as np
import pytest
import reference
from scipy.special import log_softmax
from skimage import data
from small_network import small_network

from lsd_repro.errors import InputError
from lsd_repro.material import shipped
from lsd_repro.prior import store
from lsd_repro.prior.energy import multiscale, patch_energy
from lsd_repro.step.adam import plain_gradient
from lsd_repro.step.evaluate import compile_energies, compile_energy_map
from lsd_repro.step.gradient import GradientStep
from lsd_repro.step.objective import log_likelihood_term

NETWORK = small_network(np.random.default_rng(3))
PHOTO = data.astronaut()[40:136, 180:280]
PRIOR_SCALES, NETWORK_SCALES, STRENGTH = (1, 4), (1,), 10.0


def prior():
    return store.load(shipped.path(shipped.PRIORS))["student"]


@pytest.fixture(scope="module", params=["float32", "float64"])
def step(request):
    return GradientStep(NETWORK, multiscale(patch_energy(prior()), PRIOR_SCALES), PHOTO, 5.0, STRENGTH,
                        NETWORK_SCALES, request.param)


@pytest.fixture(autouse=True)
def afresh(step):
    step.picture = PHOTO
    step.prior_strength = STRENGTH
    step.reset_moments()


def energy(picture):
    return np.mean([np.log(1 + reference.deviations(prior(), reference.mean_pool(picture, scale)) ** 2 / 0.665248).mean()
                    for scale in PRIOR_SCALES])


def test_terms_are_those_of_numpy(step):
    logits = reference.logits(NETWORK, PHOTO.astype(float))
    middle = logits.shape[1] // 2
    aimed = logits[7, middle:].mean() + logits[3, :middle].mean()
    terms = step.step(7, 3)
    assert terms.class_term == pytest.approx(logits.mean() - aimed, rel=1e-4)
    assert terms.prior_term == pytest.approx(STRENGTH * energy(PHOTO.astype(float)), rel=1e-5)
    assert terms.loss == pytest.approx(terms.class_term + terms.prior_term, rel=1e-5)
    assert terms.target == pytest.approx(aimed / 2, rel=1e-4)


def test_gradient_is_that_of_finite_differences(step):
    if step.dtype != "float64":
        pytest.skip("finite differences want float64")
    _, gradient, _ = step.evaluate(7, 3)
    for row, column, channel in ((0, 0, 0), (50, 60, 1), (95, 99, 2)):
        losses = []
        for nudge in (1e-4, -1e-4):
            picture = PHOTO.astype(float)
            picture[row, column, channel] += nudge
            step.picture = picture
            losses.append(step.evaluate(7, 3)[0].loss)
        assert gradient[row, column, channel] == pytest.approx((losses[0] - losses[1]) / 2e-4, rel=1e-4)


def test_evaluating_compiles_once(step, monkeypatch):
    one, gradient, logits = step.evaluate(7, 3)
    assert gradient.shape == PHOTO.shape and logits.shape[:2] == (1, 20)
    monkeypatch.setattr("lsd_repro.step.whole.compile_function", None)
    other, _, _ = step.evaluate(3, 7)
    assert one.prior_term == other.prior_term and one.class_term != other.class_term


def test_steps_lower_the_loss_and_stay_within_the_grey_levels(step):
    losses = [step.step(5, 5).loss for _ in range(8)]
    assert losses[-1] < losses[0]
    assert 0 <= step.picture.min() and step.picture.max() <= 255
    assert step.picture.dtype == step.dtype and step.picture.shape == PHOTO.shape


def test_restored_state_goes_on_to_the_bit(step):
    for _ in range(2):
        step.step(5, 5)
    state = step.state()
    for _ in range(2):
        step.step(5, 5)
    uninterrupted = step.picture
    step.picture = PHOTO
    step.reset_moments()
    step.restore(state)
    for _ in range(2):
        step.step(5, 5)
    np.testing.assert_array_equal(step.picture, uninterrupted)


def test_reset_moments_make_the_next_step_a_sign_step(step):
    for _ in range(3):
        step.step(5, 5)
    step.picture = np.full_like(PHOTO, 128)
    step.reset_moments()
    step.step(5, 5)
    moved = np.abs(step.picture - 128)
    assert np.median(moved) == pytest.approx(5.0, abs=1e-3)


def test_energies_of_one_scale_each(step):
    found = compile_energies(patch_energy(prior()), PRIOR_SCALES, "float64")(PHOTO)
    assert np.mean(found) == pytest.approx(energy(PHOTO.astype(float)), rel=1e-12)


def test_energy_map_is_that_of_numpy():
    found = compile_energy_map(prior(), "float64")(PHOTO)
    expected = np.log(1 + reference.deviations(prior(), PHOTO.astype(float)) ** 2 / 0.665248).mean(axis=1)
    np.testing.assert_allclose(found, expected.reshape(89, 93), rtol=1e-10)


def test_learning_rate_can_be_changed_between_steps(step):
    before = step.picture
    step.learning_rate = 0.5
    step.step(1, 2)
    assert step.learning_rate == 0.5
    # The first step is a sign step.
    assert np.abs(step.picture - before).max() == pytest.approx(0.5, rel=1e-3)


def test_prior_strength_can_be_changed_between_steps(step):
    before, _, _ = step.evaluate(7, 3)
    step.prior_strength = 3 * STRENGTH
    after, _, _ = step.evaluate(7, 3)
    assert step.prior_strength == 3 * STRENGTH
    assert after.prior_term == pytest.approx(3 * before.prior_term, rel=1e-6)
    assert after.class_term == before.class_term


def test_a_picture_too_small_for_a_network_scale_is_refused():
    with pytest.raises(InputError, match="33x32 picture is too small"):
        GradientStep(NETWORK, patch_energy(prior()), PHOTO, 5.0, STRENGTH, (3,))


def test_a_network_scale_at_which_nothing_is_seen_is_refused(step):
    with pytest.raises(InputError, match="50x48 picture is too small"):
        step.network_scale = 2


def test_another_objective_and_another_update_take_their_place():
    step = GradientStep(NETWORK, patch_energy(prior()), PHOTO, 2.0, 0.0, dtype="float64",
                        objective=log_likelihood_term, update=plain_gradient)
    terms, gradient, logits = step.evaluate(7, 3)
    middle, log_p = logits.shape[2] // 2, log_softmax(logits[0], axis=0)
    assert terms.loss == pytest.approx(-log_p[7, middle:].mean() - log_p[3, :middle].mean())
    step.step(7, 3)
    np.testing.assert_allclose(step.picture, np.clip(PHOTO - 2 * gradient, 0, 255))

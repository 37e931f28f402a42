"""One network scale after the other; only the class term counts here."""

import numpy as np
import pytest
import reference
from skimage import data
from small_network import small_network

from lsd_repro.prior.energy import total_variation
from lsd_repro.step.gradient import GradientStep

NETWORK = small_network(np.random.default_rng(3))
PHOTO = data.astronaut()[40:232, 180:380]


def test_the_network_scale_can_be_changed_between_steps():
    step = GradientStep(NETWORK, total_variation, PHOTO, 5.0, 0.0, "any", "float64")
    # Of 1, 2 and 5 rows: the one in the middle counts in both halves.
    for scale, top, bottom in ((3, 1, 0), (2, 1, 1), (1, 3, 2)):
        step.network_scale = scale
        logits = reference.logits(NETWORK, reference.mean_pool(PHOTO.astype(float), scale))
        aimed = logits[7, bottom:].mean() + logits[3, :top].mean()
        terms, _, _ = step.evaluate(7, 3)
        assert step.network_scale == scale
        assert terms.class_term == pytest.approx(logits.mean() - aimed, rel=1e-9)
        assert terms.target == pytest.approx(aimed / 2, rel=1e-9)


def test_gradient_at_a_network_scale_is_that_of_a_step_made_for_it():
    # Of one row 2015's cut leaves the top half alone, which is then all there is: half the loss.
    free, fixed = (GradientStep(NETWORK, total_variation, PHOTO, 5.0, 0.0, scales, "float64",
                                objective=lambda logits, aim: -aim(logits)) for scales in ("any", (3,)))
    free.network_scale = 3
    np.testing.assert_allclose(free.evaluate(5, 5)[1], 2 * fixed.evaluate(5, 5)[1], rtol=1e-9, atol=1e-15)

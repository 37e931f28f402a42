"""`compile_logit_gradient` is tested along with the receptive fields, in tests/network/test_receptive.py."""

import numpy as np
from scipy.special import expit

from lsd_repro.runtime.load import theano
from lsd_repro.step.objective import class_term, log_likelihood_term, probability_term
from lsd_repro.step.probe import push


def test_push_on_two_classes_is_that_of_logistic_regression():
    logits = np.linspace(-6, 6, 7)
    p = expit(logits)
    with theano.config.change_flags(mode="FAST_COMPILE"):  # in Python: three small graphs that nothing else needs
        np.testing.assert_allclose(push(class_term, logits, 2), 0.5)  # 1 for the logit, less its share of the mean
        np.testing.assert_allclose(push(probability_term, logits, 2), p * (1 - p), rtol=1e-6)
        np.testing.assert_allclose(push(log_likelihood_term, logits, 2), 1 - p, rtol=1e-6)

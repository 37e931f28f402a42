import numpy as np

from lsd_repro.dream.adam import adam2015
from lsd_repro.dream.step import Moments
from lsd_repro.stack import T, theano


def stepper(start, learning_rate):
    x = theano.shared(start.copy())
    moments = Moments(theano.shared(np.zeros_like(start)), theano.shared(np.zeros_like(start)), theano.shared(1.0))
    gradient = T.dvector()
    with theano.config.change_flags(floatX="float64"):
        return x, theano.function([gradient], updates=adam2015(gradient, x, moments, learning_rate))


def test_steps_are_those_of_numpy_with_the_new_gradient_weighing_most():
    rng = np.random.default_rng(0)
    start = rng.uniform(100, 150, 5)
    x, step = stepper(start, 5.0)
    expected, m, v = start.copy(), np.zeros(5), np.zeros(5)
    for t in range(1, 6):
        gradient = rng.normal(size=5)
        step(gradient)
        # Today's Adam, with betas (0.1, 0.001).
        m = 0.1 * m + 0.9 * gradient
        v = 0.001 * v + 0.999 * gradient ** 2
        expected -= 5.0 * (m / (1 - 0.1 ** t)) / (np.sqrt(v / (1 - 0.001 ** t)) + 1e-8)
        np.testing.assert_allclose(x.get_value(), expected, rtol=1e-12)


def test_first_step_is_a_sign_step():
    x, step = stepper(np.array([100.0, 100.0, 100.0]), 5.0)
    step(np.array([1e-3, -40.0, 0.0]))
    np.testing.assert_allclose(x.get_value(), [95.0, 105.0, 100.0], atol=1e-4)


def test_the_picture_is_clipped():
    x, step = stepper(np.array([2.0, 253.0]), 5.0)
    step(np.array([1.0, -1.0]))
    np.testing.assert_array_equal(x.get_value(), [0.0, 255.0])

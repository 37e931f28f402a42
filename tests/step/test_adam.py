import numpy as np

from lsd_repro.runtime.load import T, lasagne, theano
from lsd_repro.step.adam import Moments, adam2015, adam_published, plain_gradient

UNLIMITED = -np.inf, np.inf
# In Python: what counts is what the graph says.  Compiled, it is held against 2015's in tests/compare/test_parity.py.
PYTHON = "FAST_COMPILE"


def stepper(start, learning_rate, update=adam2015, **options):
    x = theano.shared(start.copy())
    moments = Moments(theano.shared(np.zeros_like(start)), theano.shared(np.zeros_like(start)), theano.shared(1.0))
    gradient = T.dvector()
    with theano.config.change_flags(floatX="float64"):
        updates = update(gradient, x, moments, learning_rate, **options)
        return x, theano.function([gradient], updates=updates, mode=PYTHON)


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


def test_without_limits_nothing_is_clipped():
    x, step = stepper(np.array([2.0, 253.0]), 5.0, limits=UNLIMITED)
    step(np.array([1.0, -1.0]))
    np.testing.assert_allclose(x.get_value(), [-3.0, 258.0])


def test_adam_as_published_is_lasagnes():
    rng = np.random.default_rng(1)
    start = rng.uniform(100, 150, 5)
    x, step = stepper(start, 5.0, adam_published)
    theirs, gradient = theano.shared(start.copy()), T.dvector()
    with theano.config.change_flags(floatX="float64"):
        updates = lasagne.updates.adam([gradient], [theirs], 5.0)
        step_theirs = theano.function([gradient], updates=updates, mode=PYTHON)
    for _ in range(8):
        now = rng.normal(size=5)
        step(now)
        step_theirs(now)
        # Lasagne adds epsilon before it corrects the second moment for its start at 0.
        np.testing.assert_allclose(x.get_value(), theirs.get_value(), rtol=1e-7)
    assert np.abs(x.get_value() - start).min() > 0.1


def test_plain_gradient_goes_straight_down_and_stops_at_the_limits():
    x, step = stepper(np.array([100.0, 3.0]), 2.0, plain_gradient)
    for _ in range(2):
        step(np.array([-7.0, 1.0]))
    np.testing.assert_array_equal(x.get_value(), [128.0, 0.0])

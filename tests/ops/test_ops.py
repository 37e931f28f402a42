"""What Theano asks of every Op."""

import threading
import time

import numpy as np
import pytest

from lsd_repro.ops.compiled import CompiledOp
from lsd_repro.ops.convolution import RectifiedCorrelation, RectifiedCorrelationGradient, WinogradFilters
from lsd_repro.ops.patch_energy import PatchEnergy
from lsd_repro.runtime.load import T, theano

CHANNELS_LAST = (True, False, False, False)
LAYERS = RectifiedCorrelation, RectifiedCorrelationGradient


def two_layers(x, seed=0):
    """A layer, and one with a max-pool behind it, of a picture with its channels last."""
    rng = np.random.default_rng(seed)
    for window, columns, rows in ((1, 3, 9), (2, 9, 5)):
        filters = WinogradFilters()(rng.normal(0, 0.3, (rows, columns, 3, 3)).astype(x.dtype))
        x, bits = RectifiedCorrelation(window)(x, filters, rng.normal(0, 0.1, rows).astype(x.dtype))
    return x, bits


def prior_of(x):
    rng = np.random.default_rng(1)
    return PatchEnergy("student")(x.dimshuffle(0, 3, 1, 2), rng.normal(size=(7, 3, 4, 4)).astype(x.dtype),
                                  rng.normal(size=7).astype(x.dtype))


def picture(height=7, width=10):
    return np.random.default_rng(2).normal(size=(1, height, width, 3))


def test_debug_mode_finds_nothing():
    x, weight, bias = T.TensorType("float64", CHANNELS_LAST)("x"), T.dtensor4("weight"), T.dvector("bias")
    channels_first = T.TensorType("float64", CHANNELS_LAST)("channels_first")
    upstream = T.TensorType("float64", CHANNELS_LAST)("upstream")
    y, _ = RectifiedCorrelation(2)(x, WinogradFilters()(weight), bias)
    outputs = [y, T.grad(None, x, known_grads={y: upstream}), *PatchEnergy("student")(channels_first, weight, bias)]
    # Outputs of the call before are handed over in every layout; there is no Python to hold the C++ against.
    mode = theano.compile.debugmode.DebugMode(optimizer=None, check_py_code=False,
                                              check_preallocated_output=("c_contiguous", "strided", "wrong_size"))
    function = theano.function([x, weight, bias, upstream, channels_first], outputs, mode=mode)
    used = {type(node.op) for node in function.maker.fgraph.apply_nodes if isinstance(node.op, CompiledOp)}
    assert used == {WinogradFilters, *LAYERS, PatchEnergy}
    rng = np.random.default_rng(3)
    results = function(picture(), rng.normal(size=(9, 3, 3, 3)), np.ones(9), rng.normal(size=(1, 3, 5, 9)),
                       picture().transpose(0, 3, 1, 2))
    assert [result.shape for result in results] == [(1, 3, 5, 9), (1, 7, 10, 3), (), (1, 3, 7, 10)]


def test_gradient_through_layers_is_numeric():
    theano.gradient.verify_grad(lambda x: two_layers(T.patternbroadcast(x, CHANNELS_LAST))[0], [picture()],
                                rng=np.random.RandomState(0))


def test_gradients_that_there_are_not_say_what_to_do():
    x = T.TensorType("float64", CHANNELS_LAST)("x")
    weight, bias = T.dtensor4("weight"), T.dvector("bias")
    y, _ = RectifiedCorrelation()(x, WinogradFilters()(weight), bias)
    energy, slope = prior_of(x)
    for cost, wrt in ((y.sum(), weight), (y.sum(), bias), (T.grad(y.sum(), x).sum(), weight), (slope.sum(), x)):
        with pytest.raises(TypeError, match="take T.grad of the plain expressions"):
            T.grad(cost, wrt)
    assert T.grad(y.sum() + energy, x).type == x.type


def test_bits_and_sizes_have_no_gradient():
    x = T.TensorType("float64", CHANNELS_LAST)("x")
    _, bits = two_layers(x)
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(bits.sum().astype("float64"), x)


def test_shapes_are_inferred_without_computing():
    x = T.TensorType("float64", CHANNELS_LAST)("x")
    y, bits = two_layers(x)
    function = theano.function([x], [y.shape, bits.shape, T.grad(y.sum(), x).shape])
    assert not [node for node in function.maker.fgraph.apply_nodes if isinstance(node.op, LAYERS)]
    assert [list(shape) for shape in function(picture(11, 9))] == [[1, 5, 4, 5], [1, 3, 3, 5], [1, 11, 9, 3]]


def test_other_threads_go_on_meanwhile():
    x = T.TensorType("float64", CHANNELS_LAST)("x")
    function = theano.function([x], prior_of(x)[0])
    large = picture(1500, 1500)
    span = []

    def compute():
        span.append(time.monotonic())
        function(large)
        span.append(time.monotonic())

    thread = threading.Thread(target=compute)
    thread.start()
    seen = []
    while thread.is_alive():
        seen.append(time.monotonic())
        time.sleep(1e-3)
    begin, end = span
    # Held back, this thread would see the two ends alone.
    within = [moment for moment in seen if begin + 0.2 * (end - begin) < moment < end - 0.2 * (end - begin)]
    assert len(within) > 5

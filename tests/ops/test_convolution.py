from collections import Counter

import numpy as np
import pytest
import small_network
from scipy.signal import correlate

from lsd_repro.network import vgg16
from lsd_repro.ops import CONVOLUTION
from lsd_repro.ops.compiling import compile_function
from lsd_repro.ops.convolution import RectifiedCorrelation, RectifiedCorrelationGradient, WinogradFilters
from lsd_repro.runtime.load import T, lasagne, theano

PICTURE_DIMS = (True, False, False, False)
OPS = RectifiedCorrelation, RectifiedCorrelationGradient
LIMITS = {"float32": 3e-6, "float64": 1e-14}


def layer(height, width, columns, rows, dtype="float64", seed=0):
    """A picture, filters and biases, channels first."""
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 1, (1, columns, height, width)).astype(dtype),
            rng.normal(0, columns ** -0.5 / 3, (rows, columns, 3, 3)).astype(dtype),
            rng.normal(0, 0.1, rows).astype(dtype))


def symbolic_layer(dtype):
    return T.TensorType(dtype, PICTURE_DIMS)("x"), T.tensor4("weight", dtype), T.vector("bias", dtype)


def plain_layer(x, weight, bias):
    response = T.nnet.conv2d(x, weight, filter_shape=(None, None, 3, 3), border_mode=1, filter_flip=False)
    return lasagne.nonlinearities.rectify(response + bias.dimshuffle("x", 0, "x", "x"))


def compiled(inputs, outputs, *excluding):
    return compile_function(inputs, outputs, mode=theano.compile.get_default_mode().excluding(*excluding))


def fused(function):
    return [node.op for node in function.maker.fgraph.toposort() if isinstance(node.op, OPS)]


# Fewer pixels than a tile, tiles cut off, more tiles than are taken at once; channels that fill vectors and don't.
SHAPES = [(1, 1, 3, 5), (3, 2, 1, 2), (4, 4, 16, 16), (9, 14, 3, 40), (33, 50, 7, 33), (130, 90, 32, 3), (16, 20, 130, 65)]


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("shape", SHAPES)
def test_layer_is_a_rectified_correlation(shape, dtype):
    x, weight, bias = layer(*shape, dtype)
    function = compiled(*(lambda *v: (v, plain_layer(*v)))(*symbolic_layer(dtype)))
    assert fused(function) == [RectifiedCorrelation()]
    padded = np.pad(x[0].astype(float), ((0, 0), (1, 1), (1, 1)))
    response = [correlate(padded, one.astype(float), "valid")[0] + shift for one, shift in zip(weight, bias)]
    result = function(x, weight, bias)
    assert result.dtype == dtype
    np.testing.assert_allclose(result[0], np.maximum(response, 0), rtol=0, atol=LIMITS[dtype] * np.abs(response).max())


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_is_that_of_the_plain_layer(shape, dtype):
    inputs = symbolic_layer(dtype)
    y = plain_layer(*inputs)
    upstream = y.type("upstream")
    gradient = T.grad(None, inputs[0], known_grads={y: upstream})
    fast = compiled([*inputs, upstream], gradient)
    plain = compiled([*inputs, upstream], gradient, CONVOLUTION)
    assert RectifiedCorrelationGradient() in fused(fast) and not fused(plain)
    x, weight, bias = layer(*shape, dtype)
    up = np.random.default_rng(1).normal(size=(1, shape[3], *shape[:2])).astype(dtype)
    expected = plain(x, weight, bias, up)
    np.testing.assert_allclose(fast(x, weight, bias, up), expected, rtol=0, atol=LIMITS[dtype] * np.abs(expected).max())


@pytest.mark.parametrize("height, width", [(6, 8), (7, 5), (2, 2), (3, 1), (33, 50)])
def test_max_pool_is_part_of_the_layer(height, width):
    x, weight, bias = symbolic_layer("float64")
    y = T.signal.pool.pool_2d(plain_layer(x, weight, bias), (2, 2), ignore_border=True)
    upstream = y.type("upstream")
    inputs, outputs = [x, weight, bias, upstream], [y, T.grad(None, x, known_grads={y: upstream})]
    fast, plain = compiled(inputs, outputs), compiled(inputs, outputs, CONVOLUTION)
    assert fused(fast) == [RectifiedCorrelation(2), RectifiedCorrelationGradient(2)] and not fused(plain)
    rng = np.random.default_rng(0)
    # Small numbers: full of ties, but never 0 before rectification, where the slope would be one half.
    arrays = [rng.integers(-1, 2, shape).astype(float) for shape in ((1, 3, height, width), (20, 3, 3, 3))]
    arrays.append(np.full(20, 0.5))
    gradient = rng.normal(size=(1, 20, height // 2, width // 2))
    for ours, expected in zip(fast(*arrays, gradient), plain(*arrays, gradient)):
        assert ours.shape == expected.shape
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


def test_what_is_in_front_of_a_max_pool_can_be_had_as_well():
    inputs = symbolic_layer("float64")
    y = plain_layer(*inputs)
    pooled = T.signal.pool.pool_2d(y, (2, 2), ignore_border=True)
    outputs = [y, pooled, T.grad((y ** 2).sum() + (pooled ** 3).sum(), inputs[0])]
    fast, plain = compiled(inputs, outputs), compiled(inputs, outputs, CONVOLUTION)
    assert {RectifiedCorrelation(1), RectifiedCorrelation(2), RectifiedCorrelationGradient(1)} <= set(fused(fast))
    arrays = layer(13, 18, 5, 20)
    for ours, expected in zip(fast(*arrays), plain(*arrays)):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("dtype, limit", [("float64", 1e-12), ("float32", 1e-4)])
def test_whole_network_is_fused(dtype, limit):
    network = small_network.small_network(np.random.default_rng(0))
    with theano.config.change_flags(floatX=dtype):
        layers = vgg16.build(network)
        x = T.TensorType(dtype, PICTURE_DIMS)("x")
        logits = vgg16.class_logits(layers, x, network.mean)
        outputs = [logits, T.grad(logits[0, 1].mean(), x)]
        fast = compile_function([x], outputs, givens=vgg16.fixed_filters(layers))
        plain = compiled([x], outputs, CONVOLUTION)
    assert Counter(fused(fast)) == {op(window): count for op in OPS for window, count in ((1, 8), (2, 5))}
    assert not fused(plain)
    # The filters were made once and for all, and between the layers no axes are exchanged.
    nodes = fast.maker.fgraph.toposort()
    assert not [node for node in nodes if isinstance(node.op, WinogradFilters)]
    first, *_, last = (i for i, node in enumerate(nodes) if isinstance(node.op, RectifiedCorrelation))
    assert not [node for node in nodes[first:last]
                if isinstance(node.op, T.elemwise.DimShuffle) and node.inputs[0].owner
                and isinstance(node.inputs[0].owner.op, OPS)]
    picture = np.random.default_rng(0).uniform(0, 255, (1, 3, 250, 230)).astype(dtype)
    for ours, expected in zip(fast(picture), plain(picture)):
        assert np.quantile(np.abs(ours - expected), 0.9) <= limit * np.abs(expected).max()


@pytest.mark.parametrize("dtype, limit", [("float64", 1e-12), ("float32", 1e-5)])
def test_responses_to_flat_pictures_share_the_maximum(dtype, limit):
    def gradient(dtype, *excluded):
        x, weight, bias = symbolic_layer(dtype)
        y = T.signal.pool.pool_2d(plain_layer(x, weight, bias), (2, 2), ignore_border=True)
        upstream = y.type("upstream")
        return compiled([x, weight, bias, upstream], T.grad(None, x, known_grads={y: upstream}), *excluded)

    # In float32 a BLAS can round equal sums to unequal numbers.
    fast, plain = gradient(dtype), gradient("float64", CONVOLUTION)
    noise, filters, shifts = layer(24, 20, 3, 30, dtype)
    up = np.random.default_rng(1).normal(size=(1, 30, 12, 10)).astype(dtype)
    flat, upright, level = noise.copy(), noise.copy(), noise.copy()
    flat[:, :, 5:17, 3:15] = 0.7
    upright[:] = upright[:, :, :1]
    level[:] = level[..., :1]
    for picture in (noise, flat, upright, level):
        expected = plain(picture, filters, shifts, up)
        ours = fast(picture, filters, shifts, up)
        np.testing.assert_allclose(ours, expected, rtol=0, atol=limit * np.abs(expected).max())


@pytest.mark.parametrize("dtype", LIMITS)
def test_no_gradient_stays_none_at_all(dtype):
    inputs = symbolic_layer(dtype)
    y = plain_layer(*inputs)
    upstream = y.type("upstream")
    gradient = compiled([*inputs, upstream], T.grad(None, inputs[0], known_grads={y: upstream}))
    up = np.zeros((1, 20, 19, 22), dtype)
    up[0, 3, 7, 9] = 1
    result = gradient(*layer(19, 22, 6, 20, dtype)[:2], np.full(20, 9, dtype), up)
    reached = np.zeros((19, 22), bool)
    reached[6:9, 8:11] = True
    np.testing.assert_array_equal((result != 0).any(axis=(0, 1)), reached)


@pytest.mark.slow
def test_number_of_threads_changes_no_bit(python):
    code = """
import hashlib, theano
import numpy as np
from lsd_repro.ops.convolution import RectifiedCorrelation, RectifiedCorrelationGradient, WinogradFilters
from lsd_repro.runtime.load import T
rng = np.random.default_rng(0)
x, up = rng.normal(size=(2, 1, 61, 90, 20)).astype("float32")
filters = WinogradFilters()(rng.normal(size=(20, 20, 3, 3)).astype("float32"))
y, bits = RectifiedCorrelation()(x, filters, np.zeros(20, "float32"))
gradient = RectifiedCorrelationGradient()(up, bits, filters, np.array([61, 90]))
function = theano.function([], [y, gradient], mode="FAST_COMPILE")
print(hashlib.sha256(b"".join(array.tobytes() for array in function())).hexdigest())
"""
    code = code.replace("import hashlib, theano", "import hashlib; from lsd_repro.runtime.load import theano")
    flags = f"base_compiledir={theano.config.base_compiledir}"
    runs = [python(code, OMP_NUM_THREADS=str(threads), THEANO_FLAGS=flags) for threads in (1, 2, 5)]
    assert len(runs[0].stdout) == 65, runs[0].stderr
    assert runs[0].stdout == runs[1].stdout == runs[2].stdout


def test_what_is_no_number_stays_visible():
    function = compiled(*(lambda *v: (v, plain_layer(*v)))(*symbolic_layer("float32")))
    x, weight, bias = layer(20, 20, 4, 8, "float32")
    x[0, 2, 10, 10] = np.nan
    result = function(x, weight, bias)
    assert np.isnan(result[0, :, 10, 10]).all() and np.isfinite(result[0, :, 0, 0]).all()


def test_other_layers_stay_as_they_are():
    x, weight, bias = symbolic_layer("float32")
    shift = bias.dimshuffle("x", 0, "x", "x")
    batch = T.tensor4("batch", "float32")

    def conv(x, kernel=3, **kwargs):
        return T.nnet.conv2d(x, weight, filter_shape=(None, None, kernel, kernel), **{
            "border_mode": 1, "filter_flip": False, **kwargs})

    others = [conv(x) + shift, *(lasagne.nonlinearities.rectify(response + shift) for response in (
        conv(x, 5), conv(x, border_mode=0), conv(x, filter_flip=True), conv(x, subsample=(2, 2)),
        conv(x, filter_dilation=(2, 2)), conv(batch)))]
    others += [T.signal.pool.pool_2d(x, (3, 3), ignore_border=True),
               T.signal.pool.pool_2d(x, (2, 2), ignore_border=False),
               T.signal.pool.pool_2d(x, (2, 2), ignore_border=True, stride=(1, 1)),
               T.signal.pool.pool_2d(x, (2, 2), ignore_border=True, mode="average_inc_pad")]
    assert not fused(compiled([x, weight, bias, batch], others))


def test_gradient_with_respect_to_weights_is_left_to_theano():
    inputs = symbolic_layer("float64")
    gradient = T.grad(plain_layer(*inputs).sum(), inputs[1])
    arrays = layer(8, 9, 3, 4)
    np.testing.assert_allclose(compiled(inputs, gradient)(*arrays),
                               compiled(inputs, gradient, CONVOLUTION)(*arrays), rtol=1e-10)


def test_wrong_inputs_are_named():
    x, weight, bias = symbolic_layer("float32")
    with pytest.raises(TypeError, match="dimensions"):
        RectifiedCorrelation()(x, bias, bias)
    with pytest.raises(TypeError, match="float64"):
        RectifiedCorrelation()(x, weight.astype("float64"), bias)
    function = compiled([x, weight, bias], plain_layer(x, weight, bias))
    picture, filters, shifts = layer(9, 9, 3, 4, "float32")
    with pytest.raises(ValueError, match=r"\(1, 9, 9, 2\)"):
        function(picture[:, :2], filters, shifts)
    with pytest.raises(ValueError, match="do not fit"):
        function(picture, filters, np.zeros(30, "float32"))
    with pytest.raises(ValueError, match="window"):
        RectifiedCorrelation(3)


def test_wrong_inputs_of_the_gradient_are_named():
    up, bits, weight = T.TensorType("float32", PICTURE_DIMS)(), T.TensorType("int32", PICTURE_DIMS)(), T.ftensor4()
    with pytest.raises(TypeError, match="bits"):
        RectifiedCorrelationGradient()(up, up, weight, [9, 9])
    size = T.lvector()
    gradient = RectifiedCorrelationGradient(2)(up, bits, WinogradFilters()(weight), size)
    function = theano.function([up, bits, weight, size], gradient)
    arrays = np.zeros((1, 4, 4, 5), "float32"), np.zeros((1, 3, 3, 5), "int32"), np.zeros((5, 2, 3, 3), "float32")
    assert function(*arrays, [9, 9]).shape == (1, 9, 9, 2)
    for wrong in ([9], [10, 9], [9, 13]):
        with pytest.raises(ValueError, match="do not fit"):
            function(*arrays, wrong)

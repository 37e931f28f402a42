import numpy as np
import pytest
from skimage import data
from small_network import small_network

from lsd_repro.network import vgg16
from lsd_repro.ops import PATCH_ENERGY, fuse
from lsd_repro.ops.compiling import compile_function
from lsd_repro.ops.patch_energy import PatchEnergy
from lsd_repro.prior.energy import mean_pool, multiscale, patch_energy
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import STUDENT_SCALE
from lsd_repro.runtime.load import T, theano

PICTURE_DIMS = (True, False, False, False)


def some_prior(kind, size, seed=0):
    rng = np.random.default_rng(seed)
    components = 3 * size ** 2
    filters = rng.normal(0, 0.2 / size, (size, size, 3, components)).astype(np.float32)
    return PatchPrior(kind, filters, rng.normal(0, 1, components).astype(np.float32))


def photo(height, width):
    return data.coffee()[50:50 + height, 100:100 + width].astype(float).transpose(2, 0, 1)[None]


def compiled(outputs, dtype, *excluding):
    """A function of a picture, of what `outputs` makes of a symbolic one."""
    with theano.config.change_flags(floatX=dtype):
        x = T.TensorType(dtype, PICTURE_DIMS)("x")
        function = compile_function([x], outputs(x), mode=theano.compile.get_default_mode().excluding(*excluding))
    return function


def energy_and_gradient(energy):
    def outputs(x):
        value = energy(x)
        return [value, T.grad(3 * value, x)]
    return outputs


def fused(function):
    return [node for node in function.maker.fgraph.toposort() if isinstance(node.op, PatchEnergy)]


@pytest.mark.parametrize("dtype, energy_limit, gradient_limit", [("float64", 1e-13, 1e-13), ("float32", 1e-6, 3e-6)])
@pytest.mark.parametrize("kind", ["student", "gaussian"])
@pytest.mark.parametrize("size", [8, 5])
def test_fused_and_plain_are_the_same(kind, size, dtype, energy_limit, gradient_limit):
    outputs = energy_and_gradient(multiscale(patch_energy(some_prior(kind, size)), (1, 2, 5)))
    fast, plain = compiled(outputs, dtype), compiled(outputs, dtype, PATCH_ENERGY)
    # One pass for both value and gradient at each scale; none in the plain graph.
    assert (len(fused(fast)), len(fused(plain))) == (3, 0)
    for shape in ((61, 83), (40, 47), (130, 40), (41, 401)):
        (energy, gradient), (expected, expected_gradient) = (f(photo(*shape).astype(dtype)) for f in (fast, plain))
        assert energy.dtype == gradient.dtype == dtype
        assert energy == pytest.approx(expected, rel=energy_limit)
        np.testing.assert_allclose(gradient, expected_gradient, rtol=0,
                                   atol=gradient_limit * np.abs(expected_gradient).max())


@pytest.mark.parametrize("kind", ["student", "gaussian"])
def test_gradient_is_numeric(kind):
    prior = some_prior(kind, 4)
    filters, mean = prior.filters.transpose(3, 2, 0, 1).astype(float), prior.mean.astype(float)
    theano.gradient.verify_grad(lambda x: PatchEnergy(kind)(T.patternbroadcast(x, PICTURE_DIMS), filters, mean)[0],
                                [photo(9, 11) - 128], rng=np.random.RandomState(0))


def test_shape_is_inferred():
    x = T.TensorType("float64", PICTURE_DIMS)("x")
    energy, gradient = PatchEnergy("student")(x, np.zeros((5, 3, 4, 4)), np.zeros(5))
    function = theano.function([x], [energy.shape, gradient.shape])
    assert not fused(function)
    shapes = function(photo(9, 11))
    assert [list(shape) for shape in shapes] == [[], [1, 3, 9, 11]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_repeated_runs_are_the_same_to_the_bit(dtype):
    function = compiled(energy_and_gradient(multiscale(patch_energy(some_prior("student", 8)), (1, 4))), dtype)
    picture = photo(150, 200).astype(dtype)
    first = function(picture)
    for _ in range(10):
        for again, once in zip(function(picture), first):
            assert again.tobytes() == once.tobytes()


@pytest.mark.slow
def test_number_of_threads_changes_no_bit(python):
    code = """
import hashlib
from lsd_repro.material import shipped
from lsd_repro.step.evaluate import compile_gradient
from lsd_repro.prior import store
from lsd_repro.prior.energy import patch_energy
from skimage import data
gradient = compile_gradient(patch_energy(store.load(shipped.path(shipped.PRIORS))["student"]))
print(hashlib.sha256(gradient(data.coffee()[:150, :200])).hexdigest())
"""
    flags = f"base_compiledir={theano.config.base_compiledir}"
    runs = [python(code, OMP_NUM_THREADS=str(threads), THEANO_FLAGS=flags) for threads in (1, 2, 5)]
    assert len(runs[0].stdout) == 65, runs[0].stderr
    assert runs[0].stdout == runs[1].stdout == runs[2].stdout


def test_gradient_alone_is_fused():
    energy = patch_energy(some_prior("student", 8))
    assert len(fused(compiled(lambda x: T.grad(energy(x), x), "float32"))) == 1


def test_what_is_no_mean_energy_stays_as_it_is():
    prior = some_prior("student", 8)
    assert not fused(compiled(lambda x: patch_energy(prior)(x, axis=1), "float32"))

    def of_another_scale(x):
        filters = prior.filters.transpose(3, 2, 0, 1).astype(np.float32)
        responses = T.nnet.conv2d(x - 128.0, T.constant(filters), filter_shape=filters.shape)
        deviations = responses - T.constant(prior.mean.astype(np.float32)).dimshuffle("x", 0, "x", "x")
        return T.log(1.0 + deviations ** 2 / (2 * STUDENT_SCALE)).mean()

    assert not fused(compiled(of_another_scale, "float32"))


def test_filters_of_the_network_are_no_priors():
    network = small_network(np.random.default_rng(0))
    x = T.TensorType("float64", PICTURE_DIMS)("x")
    with theano.config.change_flags(floatX="float64"):
        layers = vgg16.build(network)
        logits = theano.clone(vgg16.class_logits(layers, x, network.mean), vgg16.fixed_filters(layers))
        nodes = theano.graph.basic.io_toposort([x], [logits, patch_energy(some_prior("student", 4))(x)])
    found = list(fuse.patterns(nodes))
    assert {pattern.filters.data.shape for pattern in found} == {(48, 3, 4, 4)}


def test_priors_in_one_graph_are_kept_apart():
    priors = some_prior("student", 8, 0), some_prior("student", 8, 1), some_prior("gaussian", 8, 0)
    energies = [patch_energy(prior) for prior in priors]

    def outputs(x):
        return [T.grad(energy(mean_pool(x, scale)), x) for energy in energies for scale in (1, 3)]

    fast, plain = compiled(outputs, "float64"), compiled(outputs, "float64", PATCH_ENERGY)
    assert len(fused(fast)) == 6
    for ours, expected in zip(fast(photo(40, 50)), plain(photo(40, 50))):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


def test_large_and_undefined_values_go_through():
    function = compiled(energy_and_gradient(patch_energy(some_prior("student", 8))), "float32")
    plain = compiled(energy_and_gradient(patch_energy(some_prior("student", 8))), "float32", PATCH_ENERGY)
    large = photo(40, 50).astype("float32") * np.float32(1e12)
    assert function(large)[0] == pytest.approx(plain(large)[0], rel=1e-6)
    large[0, 1, 20, 30] = np.nan
    energy, gradient = function(large)
    assert np.isnan(energy)
    assert np.isnan(gradient[0, :, 20, 30]).all() and np.isfinite(gradient[0, :, 0, 0]).all()


def test_wrong_inputs_are_named():
    x = T.TensorType("float32", PICTURE_DIMS)("x")
    with pytest.raises(ValueError, match="'laplace'"):
        PatchEnergy("laplace")
    with pytest.raises(TypeError, match="float32.*float64.*float64"):
        PatchEnergy("student")(x, np.zeros((5, 3, 4, 4)), np.zeros(5))
    with pytest.raises(TypeError, match="one picture|dimensions"):
        PatchEnergy("student")(T.tensor4(dtype="float64"), np.zeros((5, 3, 4, 4)), np.zeros(5))
    function = compiled(patch_energy(some_prior("student", 8)), "float32")
    with pytest.raises(ValueError, match=r"\(1, 3, 7, 20\), \(192, 3, 8, 8\) and \(192,\)"):
        function(photo(7, 20).astype("float32"))

import math

import numpy as np
import pytest


def test_numpy_itself_stays_what_it_is(python):
    result = python("""if True:
        import sys
        import warnings
        import numpy
        warnings.simplefilter("ignore")  # numpy 1.23 has some of the names, and says that they go
        names = "int", "bool", "complex", "cast", "product", "sctype2char", "core", "ComplexWarning", "distutils"
        before = {name: getattr(numpy, name, None) for name in names}
        from lsd_repro.runtime.load import theano
        print([name for name in names if before[name] is not getattr(numpy, name, None)])
        print(getattr(sys.modules.get("numpy.distutils"), "__file__", "") is not None)
        """)
    assert result.stdout == "[]\nTrue\n", result.stderr


@pytest.mark.parametrize("name, slope", [
    ("arcsin", 1 / math.sqrt(1 - 0.3 ** 2)), ("arctan", 1 / (1 + 0.3 ** 2)), ("exp2", 2 ** 0.3 * math.log(2))])
def test_gradients_that_cast_a_number_are_right(name, slope):
    from lsd_repro.runtime.load import T

    x = T.dscalar()
    assert T.grad(getattr(T, name)(x), x).eval({x: 0.3}) == pytest.approx(slope, rel=1e-6)


def test_functions_of_integers_are_right():
    from lsd_repro.runtime.load import T, theano

    # Without C, where Theano looks for numpy's loop by the letter of a type, and multiplies by np.product.
    x = T.lvector()
    f = theano.function([x], [T.sqrt(x), T.mul(x, x, x)], mode=theano.Mode(linker="py", optimizer=None))
    root, cube = f(np.array([4, 9]))
    assert root.dtype == "float64" and root.tolist() == [2, 3] and cube.tolist() == [64, 729]


def test_mixed_complex_numbers_are_right():
    from lsd_repro.runtime.load import T, theano

    x, y = T.dscalars(2)
    f = theano.function([x, y], T.complex(x, y) / T.complex(y, x), mode=theano.Mode(linker="py", optimizer=None))
    assert f(3, 4) == (3 + 4j) / (4 + 3j)


@pytest.mark.parametrize("floatx, number, dtype", [
    ("float64", 0.1, "float64"), ("float64", 0.5, "float32"), ("float32", 0.1, "float32"), ("float64", 1e300, "float64"),
    ("float32", 3, "int8"), ("float32", 300, "int16"), ("float32", -2 ** 15 - 1, "int32"), ("float32", 2 ** 40, "int64")])
def test_numbers_become_the_smallest_type_that_holds_them(floatx, number, dtype):
    from lsd_repro.runtime.load import T, theano

    with theano.config.change_flags(floatX=floatx):
        constant = T.as_tensor_variable(number) if isinstance(number, int) else T.constant(number)
    assert constant.dtype == dtype
    assert constant.data == (np.float32(number) if dtype == floatx == "float32" else number)


@pytest.mark.parametrize("floatx, dtype", [("float64", "float64"), ("float32", "float32")])
def test_number_beside_a_float32_array_loses_nothing_that_floatx_keeps(floatx, dtype):
    from lsd_repro.runtime.load import T, theano

    x = T.fscalar()
    with theano.config.change_flags(floatX=floatx):
        product = (x * 0.1).eval({x: np.float32(3)})
    assert product.dtype == dtype
    assert product == np.array(3, dtype) * np.array(0.1, dtype)

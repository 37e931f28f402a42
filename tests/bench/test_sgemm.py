"""Matrix products of the libraries at hand."""

import numpy as np
import pytest

from lsd_repro.bench import sgemm


@pytest.fixture(params=sgemm.LIBRARIES)
def library(request, monkeypatch):
    if request.param == "PyTorch":
        pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[bench]'")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return request.param


def test_products_are_whole_and_in_single_precision(library):
    a, b = (np.random.default_rng(0).integers(-9, 9, shape).astype(np.float32) for shape in ((5, 7), (7, 3)))
    product = np.asarray(sgemm.multiplication(library)(a, b))
    assert product.dtype == np.float32
    # As Fortran has it, a product of the transposes is the transpose.
    np.testing.assert_array_equal(product.T if library == "scipy" else product, np.einsum("ik,kj", a, b))


def test_rate_is_the_largest_of_all_shapes(library, monkeypatch):
    ticks = iter([0, 2, 10, 11])
    monkeypatch.setattr(sgemm, "SHAPES", ((2, 3, 4), (5, 6, 7)))
    monkeypatch.setattr(sgemm.time, "perf_counter", lambda: next(ticks))
    assert sgemm.make(library)() == 2 * 5 * 6 * 7

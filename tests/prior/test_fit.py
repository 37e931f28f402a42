"""The fit of both priors, against known parameters, scipy and numpy."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.signal import convolve
from scipy.stats import multivariate_t
from skimage import data

from lsd_repro.errors import InputError
from lsd_repro.prior import store
from lsd_repro.prior.em import student_t_em
from lsd_repro.prior.fit import fit_folder, fit_gaussian, fit_student, scale_matrix, whitening_prior
from lsd_repro.prior.patches import sample_patches

SHIPPED = Path(__file__).resolve().parents[2] / "data" / "priors.npz"


def t_samples(n, d, nu, seed):
    """Samples of a t with a mean and scale matrix of its own: a Gaussian over root chi-square."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 5, d)
    root = np.tril(rng.normal(size=(d, d)) / np.sqrt(d)) + 1.5 * np.eye(d)
    x = rng.normal(size=(n, d)) @ root.T / np.sqrt(rng.chisquare(nu, n) / nu)[:, None] + mean
    return x, mean, root @ root.T


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        Image.fromarray(getattr(data, name)()).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def patches(folder):
    return sample_patches(sorted(folder.iterdir()), 12_000, np.random.default_rng(1)).patches


@pytest.fixture(scope="module")
def gaussian(patches):
    return fit_gaussian(patches)


@pytest.fixture(scope="module")
def student(patches):
    return fit_student(patches)


@pytest.mark.parametrize("nu", [0.5, 3, 10])
@pytest.mark.parametrize("d, n", [(3, 20_000), (24, 20_000)])
def test_em_recovers_mean_scale_and_nu(nu, d, n):
    x, mean, scale = t_samples(n, d, nu, seed=d)
    fit = student_t_em(x, tolerance=1e-9)
    spread = np.sqrt(np.diag(scale))
    assert fit.degrees_of_freedom == pytest.approx(nu, rel=0.06)
    # Five standard errors, about; the scale matrix in units of its own diagonal.
    np.testing.assert_array_less(np.abs(fit.mean - mean) / spread, 0.06)
    np.testing.assert_array_less(np.abs(fit.scale - scale) / np.outer(spread, spread), 0.1)
    assert np.linalg.slogdet(fit.scale)[1] / d == pytest.approx(np.linalg.slogdet(scale)[1] / d, abs=0.06)


@pytest.mark.parametrize("nu", [0.5, 10])
def test_log_likelihood_is_scipys_and_never_falls(nu):
    x, _, _ = t_samples(5_000, 6, nu, seed=2)
    fit = student_t_em(x, tolerance=1e-11)
    expected = multivariate_t.logpdf(x, fit.mean, fit.scale, df=fit.degrees_of_freedom).mean()
    assert fit.log_likelihoods[-1] == pytest.approx(expected, rel=1e-12)
    assert len(fit.log_likelihoods) > 4
    assert np.diff(fit.log_likelihoods).min() > -1e-12


def test_em_ends_at_a_maximum():
    x, _, _ = t_samples(4_000, 4, 2, seed=3)
    fit = student_t_em(x, tolerance=1e-13)

    def value(mean, scale, nu):
        return multivariate_t.logpdf(x, mean, scale, df=nu).mean()

    best = value(fit.mean, fit.scale, fit.degrees_of_freedom)
    rng = np.random.default_rng(4)
    for _ in range(10):
        root = np.eye(4) + 0.01 * rng.normal(size=(4, 4))
        assert value(fit.mean, root @ fit.scale @ root.T, fit.degrees_of_freedom) < best
        assert value(fit.mean + 0.01 * rng.normal(size=4), fit.scale, fit.degrees_of_freedom) < best
    for factor in (0.98, 1.02):
        assert value(fit.mean, fit.scale, factor * fit.degrees_of_freedom) < best
        assert value(fit.mean, factor * fit.scale, fit.degrees_of_freedom) < best


def test_em_says_why_it_stopped_and_reports_progress():
    x, _, _ = t_samples(2_000, 3, 1, seed=5)
    seen = []
    fit = student_t_em(x, tolerance=0, max_iterations=2, progress=lambda *values: seen.append(values))
    assert "2 iterations" in fit.stopped and "not converged" in fit.stopped
    assert [values[0] for values in seen] == [1, 2]
    assert seen[-1][1:] == (fit.log_likelihoods[-1], fit.degrees_of_freedom)
    assert "less than 0.01" in student_t_em(x, tolerance=0.01).stopped


def test_gaussian_samples_give_a_t_close_to_the_gaussian():
    x = np.random.default_rng(6).normal(size=(5_000, 3)) * [1, 2, 3]
    fit = student_t_em(x)
    assert fit.degrees_of_freedom > 50
    np.testing.assert_allclose(fit.scale, np.cov(x.T), atol=0.4)


def test_gaussian_fit_equals_numpys(patches, gaussian):
    x = patches.reshape(len(patches), -1).astype(np.float64)
    expected = np.cov(x.T)
    np.testing.assert_allclose(scale_matrix(gaussian), expected, atol=1e-4 * expected.max())
    filters = gaussian.filters[::-1, ::-1].reshape(192, 192)
    np.testing.assert_allclose(gaussian.mean, filters.T @ (x.mean(axis=0) - 128), atol=1e-3)


def respond(prior, patch):
    """z - mu as the program computes it: channels transposed first, convolved, summed."""
    filters = prior.filters.transpose(3, 2, 0, 1)
    grey_free = patch.astype(np.float64).transpose(2, 0, 1) - 128
    return np.array([sum(convolve(channel, part, "valid")[0, 0] for channel, part in zip(grey_free, bank))
                     for bank in filters.astype(np.float64)]) - prior.mean


def test_convolved_filters_whiten_the_patches_as_they_stand(patches, gaussian):
    x = patches.reshape(len(patches), -1).astype(np.float64)
    centred = patches[0].ravel() - x.mean(axis=0)
    z = respond(gaussian, patches[0])
    # Their squared sum is the Mahalanobis distance, computed here without filters.
    assert z @ z == pytest.approx(centred @ np.linalg.solve(np.cov(x.T), centred), rel=1e-4)
    upside_down = respond(gaussian, patches[0, ::-1, ::-1])
    assert abs(upside_down @ upside_down / (z @ z) - 1) > 1e-3


def test_gaussian_responses_are_uncorrelated_with_unit_variance(patches, gaussian):
    filters = gaussian.filters[::-1, ::-1].reshape(192, 192)
    z = (patches.reshape(len(patches), -1) - 128.0) @ filters - gaussian.mean
    np.testing.assert_allclose(np.cov(z.T), np.eye(192), atol=2e-3)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=2e-3)


def test_filters_are_orthogonal_and_sorted_as_in_2015(gaussian, student):
    for prior, falling in ((gaussian, True), (student, False)):
        filters = prior.filters.reshape(192, 192).astype(np.float64)
        norms = np.linalg.norm(filters, axis=0)
        assert np.all(np.diff(norms if not falling else -norms) >= 0)
        np.testing.assert_allclose((filters / norms).T @ (filters / norms), np.eye(192), atol=1e-5)
        dc = filters[:, -1 if falling else 0].reshape(64, 3)
        assert np.all(dc > 0), "the direction of least precision is the brightness"
        assert prior.filters.dtype == prior.mean.dtype == np.float32


def test_student_fit_beats_the_gaussian_in_likelihood(patches, student, gaussian):
    x = patches.reshape(len(patches), -1).astype(np.float64)
    as_t = multivariate_t.logpdf(x, x.mean(axis=0), scale_matrix(student), df=student.degrees_of_freedom)
    covariance = scale_matrix(gaussian)
    centred = x - x.mean(axis=0)
    distances = np.einsum("ij,ji->i", centred, np.linalg.solve(covariance, centred.T))
    as_gaussian = -0.5 * (distances + np.linalg.slogdet(2 * np.pi * covariance)[1])
    assert 0.1 < student.degrees_of_freedom < 3
    assert as_t.mean() > as_gaussian.mean() + 30


def test_other_patch_sizes_fit_as_well():
    x = np.random.default_rng(7).normal(128, 20, (2_000, 3, 3, 3))
    assert fit_gaussian(x).filters.shape == (3, 3, 3, 27)


def test_fit_folder_is_seeded_and_tells_its_numbers(folder):
    photos, iterations = [], []
    priors, provenance, skipped = fit_folder(folder, count=3_000, seed=8, on_photo=lambda *of: photos.append(of),
                                             on_iteration=lambda *values: iterations.append(values))
    assert priors["student"].kind == "student" and priors["gaussian"].kind == "gaussian" and skipped == []
    nu = priors["student"].degrees_of_freedom
    for part in ("3000 patches", "4 photos", "seed 8", f"nu {nu:.4f}", "stopped"):
        assert part in provenance
    assert str(folder) not in provenance
    assert photos == [(0, 4), (1, 4), (2, 4), (3, 4)] and iterations[-1][2] == nu
    again, _, _ = fit_folder(folder, count=3_000, seed=8, kinds=["student"])
    assert list(again) == ["student"]
    np.testing.assert_array_equal(again["student"].filters, priors["student"].filters)
    other, _, _ = fit_folder(folder, count=3_000, seed=9, kinds=["gaussian"])
    assert list(other) == ["gaussian"]
    assert not np.array_equal(other["gaussian"].filters, priors["gaussian"].filters)


def test_fit_folder_takes_another_patch_size_and_survives_broken_photos(folder, tmp_path):
    for photo in folder.iterdir():
        (tmp_path / photo.name).write_bytes(photo.read_bytes())
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    priors, provenance, skipped = fit_folder(tmp_path, count=3_000, patch_size=4)
    assert priors["student"].filters.shape == (4, 4, 3, 48)
    assert "4 photos (1 skipped)" in provenance and "broken.jpg" in skipped[0] and len(skipped) == 1


def test_too_few_patches_are_an_error():
    few = np.random.default_rng(0).normal(128, 20, (300, 8, 8, 3))
    for fit in (fit_gaussian, fit_student):
        with pytest.raises(InputError, match="300 patches are too few for 192"):
            fit(few)


def test_patches_without_all_dimensions_are_an_error():
    grey = np.repeat(np.random.default_rng(0).normal(128, 20, (1_000, 8, 8, 1)), 3, axis=3)
    for fit in (fit_gaussian, fit_student):
        with pytest.raises(InputError, match="singular"):
            fit(grey)


@pytest.mark.parametrize("shrunk", [0, 1e-100])
def test_coinciding_samples_are_an_error(shrunk):
    x = np.random.default_rng(0).normal(size=(4_000, 3))
    x[:2_500] *= shrunk
    with pytest.raises(InputError, match="run to 0.*dither"):
        student_t_em(x, tolerance=0)


def test_most_samples_in_a_plane_are_an_error():
    x = np.random.default_rng(0).normal(size=(4_000, 3))
    x[:3_900, 2] = 0
    with pytest.raises(InputError, match="singular|run to 0"):
        student_t_em(x, tolerance=0)


def test_samples_that_are_not_finite_are_an_error():
    x = np.random.default_rng(0).normal(size=(100, 3))
    x[50, 1] = np.nan
    with pytest.raises(InputError, match="not finite"):
        student_t_em(x)


def test_singular_scale_is_an_error():
    with pytest.raises(InputError, match="singular"):
        fit_gaussian(np.full((1_000, 8, 8, 3), 7.0))
    with pytest.raises(InputError, match="singular"):
        whitening_prior("gaussian", np.zeros(12), np.diag([0.0] + [1.0] * 11))


def test_grey_patches_are_the_luma_of_the_photos(folder):
    priors, provenance, _ = fit_folder(folder, 5_000, seed=3, kinds=["gaussian"], channels=1)
    assert priors["gaussian"].filters.shape == (8, 8, 1, 64) and "5000 patches of 8x8 grey" in provenance
    grey = sample_patches(sorted(folder.iterdir()), 5_000, np.random.default_rng(3), channels=1).patches
    colour = sample_patches(sorted(folder.iterdir()), 5_000, np.random.default_rng(3)).patches
    assert grey.mean() == pytest.approx((colour.mean(axis=(0, 1, 2)) @ [0.299, 0.587, 0.114]), abs=2)
    expected = np.cov(grey.reshape(len(grey), -1).T.astype(np.float64))
    np.testing.assert_allclose(scale_matrix(priors["gaussian"]), expected, atol=1e-3 * expected.max())


def test_shipped_scale_matrices_resemble_2015s(of_2015):
    ours, theirs = store.load(SHIPPED), store.load(of_2015("priors"))
    for kind, at_least in (("student", 0.95), ("gaussian", 0.9)):
        # With red and blue swapped the Student-t's correlation is 0, with rows mistaken
        # for channels either's is below 0.3.
        a, b = scale_matrix(ours[kind]), scale_matrix(theirs[kind])
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > at_least

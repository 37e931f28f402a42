"""Priors on disk."""

import os
from pathlib import Path

import numpy as np
import pytest

from lsd_repro.errors import InputError
from lsd_repro.prior import store
from lsd_repro.prior.store import PatchPrior

HERE = Path(__file__).resolve()
GOLDEN = HERE.parents[1] / "golden" / "stream.npz"
SHIPPED = HERE.parents[2] / "data" / "priors.npz"


def prior(kind, nu=None):
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(192, 192)))[0]
    norms = np.geomspace(0.001, 5, 192)
    if kind == "gaussian":
        norms = norms[::-1]
    filters = (directions * norms).reshape(8, 8, 3, 192).astype(np.float32)
    return PatchPrior(kind, filters, rng.normal(size=192).astype(np.float32), nu)


@pytest.fixture
def fields():
    """A valid file's fields, for a test to spoil one."""
    student, gaussian = prior("student"), prior("gaussian")
    return {"student_prior_filters": student.filters, "student_prior_mean": student.mean,
            "prior_filters": gaussian.filters, "prior_mean": gaussian.mean,
            "student_degrees_of_freedom": np.float64(0.3), "format_version": np.int64(1)}


def assert_same(one, other):
    assert one.kind == other.kind
    np.testing.assert_array_equal(one.filters, other.filters)
    np.testing.assert_array_equal(one.mean, other.mean)
    assert one.degrees_of_freedom == other.degrees_of_freedom


def test_round_trip(tmp_path):
    path = tmp_path / "priors.npz"
    student, gaussian = prior("student", 0.31), prior("gaussian")
    store.save(path, student, gaussian, "150 photos, seed 1 \u2014 \u00fc")
    loaded = store.load(path)
    assert set(loaded) == {"student", "gaussian"}
    assert_same(loaded["student"], student)
    assert_same(loaded["gaussian"], gaussian)
    assert store.read_provenance(path) == "150 photos, seed 1 \u2014 \u00fc"


def test_a_grey_prior_is_read_as_one_and_as_no_other(tmp_path):
    path = tmp_path / "grey.npz"
    directions = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 64)))[0]
    grey = PatchPrior("student", (directions * np.geomspace(0.001, 5, 64)).reshape(8, 8, 1, 64).astype(np.float32),
                      np.zeros(64, np.float32), 0.7)
    store.save(path, grey, None, "")
    assert_same(store.load(path, channels=1)["student"], grey)
    with pytest.raises(InputError, match="student_prior_filters are for grey patches, RGB ones are .*of such patches"):
        store.load(path)
    with pytest.raises(InputError, match="prior_filters are for RGB patches, grey ones are needed here; .*of such patches"):
        store.load(SHIPPED, channels=1)


def test_names_and_types_are_those_of_the_golden_files(tmp_path):
    path = tmp_path / "priors"  # also: no suffix is added
    store.save(path, prior("student", 1), prior("gaussian"), "")
    with np.load(path) as archive:
        for name, shape in (("student_prior_filters", (8, 8, 3, 192)), ("student_prior_mean", (192,)),
                            ("prior_filters", (8, 8, 3, 192)), ("prior_mean", (192,))):
            assert archive[name].shape == shape and archive[name].dtype == np.float32
        assert archive["format_version"] == 1
        assert archive["student_degrees_of_freedom"] == 1


def test_one_kind_alone(tmp_path):
    path = tmp_path / "one.npz"
    store.save(path, None, prior("gaussian"), "")
    assert list(store.load(path)) == ["gaussian"]
    store.save(path, prior("student"), None, "")
    assert list(store.load(path)) == ["student"]
    assert store.load(path)["student"].degrees_of_freedom is None


def test_a_failed_save_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "priors.npz"
    store.save(path, prior("student"), None, "old")

    def full_disk(part, data):
        part.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "write_bytes", full_disk)
    with pytest.raises(InputError, match="priors.npz: No space"):
        store.save(path, None, prior("gaussian"), "new")
    assert store.read_provenance(path) == "old"
    assert os.listdir(tmp_path) == ["priors.npz"]


def test_save_refuses_what_load_would(tmp_path):
    path = tmp_path / "priors.npz"
    with pytest.raises(InputError, match="nothing to save"):
        store.save(path, None, None, "")
    with pytest.raises(InputError, match="student_degrees_of_freedom"):
        store.save(path, prior("student", -1.0), None, "")
    with pytest.raises(InputError, match="prior_filters must go from the largest"):
        store.save(path, None, prior("student"), "")
    with pytest.raises(InputError, match="priors.npz: No such file.*folder that exists"):
        store.save(tmp_path / "nowhere" / "priors.npz", prior("student"), None, "")
    assert not path.exists()


def test_folder_with_2015s_files(tmp_path):
    student, gaussian = prior("student"), prior("gaussian")
    np.save(tmp_path / "student_prior_filters.npy", student.filters.astype(np.float64))
    np.save(tmp_path / "student_prior_mean.npy", student.mean.astype(np.float64))
    loaded = store.load(tmp_path)
    assert list(loaded) == ["student"]
    assert_same(loaded["student"], student)
    np.save(tmp_path / "prior_filters.npy", gaussian.filters)
    with pytest.raises(InputError, match="prior_mean is missing"):
        store.load(tmp_path)
    np.save(tmp_path / "prior_mean.npy", gaussian.mean)
    assert_same(store.load(tmp_path)["gaussian"], gaussian)
    (tmp_path / "prior_mean.npy").write_bytes(b"cut")
    with pytest.raises(InputError, match=r"prior_mean\.npy: not a readable"):
        store.load(tmp_path)


def test_folder_without_them(tmp_path):
    with pytest.raises(InputError, match="holds no prior"):
        store.load(tmp_path)


def with_nan(array):
    array = array.copy()
    array.flat[7] = np.nan
    return array


def with_zero_first(array):
    array = array.copy()
    array[..., 0] = 0
    return array


@pytest.mark.parametrize("field, spoil, message", [
    ("student_prior_filters", with_nan, "not finite"),
    ("student_prior_filters", with_zero_first, "all zero"),
    ("prior_mean", with_nan, "not finite"),
    ("prior_filters", lambda a: a[..., :-1], r"shape \(8, 8, 3, 191\), expected \(8, 8, 3, 192\)"),
    ("student_prior_mean", lambda a: a[None], r"shape \(1, 192\), expected \(192,\)"),
    ("prior_filters", lambda a: a.astype(np.int32), "int32, expected floating"),
    ("prior_filters", lambda a: a[..., ::-1], "largest norm to the smallest"),
    ("student_prior_filters", lambda a: a[..., ::-1], "smallest norm to the largest"),
    ("student_degrees_of_freedom", lambda a: -a, "above 0"),
    ("student_degrees_of_freedom", lambda a: np.float64(np.inf), "not finite"),
    ("format_version", lambda a: a + 1, "is 2, this program reads 1"),
])
def test_a_wrong_field_is_named(tmp_path, fields, field, spoil, message):
    path = tmp_path / "wrong.npz"
    np.savez(path, **fields)
    store.load(path)
    fields[field] = spoil(fields[field])
    np.savez(path, **fields)
    with pytest.raises(InputError, match=f"wrong.npz: {field}.*{message}"):
        store.load(path)


def test_a_missing_field_is_named(tmp_path, fields):
    path = tmp_path / "part.npz"
    del fields["student_prior_mean"]
    np.savez(path, **fields)
    with pytest.raises(InputError, match="part.npz: student_prior_mean is missing"):
        store.load(path)
    np.savez(path, something=np.zeros(3))
    with pytest.raises(InputError, match="part.npz: holds no prior"):
        store.load(path)


@pytest.mark.parametrize("content", [b"", b"some text", b"PK\x03\x04 cut short"])
def test_files_that_are_no_npz(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="bad.npz: not a readable .npz"):
        store.load(path)


def test_other_files_of_numpys(tmp_path, fields):
    path = tmp_path / "bad.npz"
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match="not a readable .npz"):
        store.load(path)
    fields["prior_mean"] = np.array([{"a": 1}], object)  # would have to be unpickled
    np.savez(path, **fields)
    with pytest.raises(InputError, match="bad.npz: not a readable .npz"):
        store.load(path)


def test_a_file_cut_short_and_one_that_is_not_there(tmp_path, fields):
    path = tmp_path / "cut.npz"
    np.savez(path, **fields)
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(InputError, match="cut.npz: not a readable"):
        store.load(path)
    with pytest.raises(InputError, match="none.npz: no such file"):
        store.load(tmp_path / "none.npz")


@pytest.mark.skipif(not GOLDEN.exists(), reason="tests/golden/stream.npz is not here")
def test_a_golden_file_is_a_prior():
    loaded = store.load(GOLDEN)
    assert set(loaded) == {"student", "gaussian"}
    assert loaded["student"].degrees_of_freedom is None
    assert store.read_provenance(GOLDEN) == ""


def test_2015s_own_files(of_2015):
    folder = of_2015("priors")
    loaded = store.load(folder)
    for kind, name in (("student", "student_prior"), ("gaussian", "prior")):
        np.testing.assert_array_equal(loaded[kind].filters, np.load(folder / f"{name}_filters.npy").astype(np.float32))
    assert np.linalg.norm(loaded["student"].filters[..., 0]) == pytest.approx(0.00116, rel=0.01)
    assert np.linalg.norm(loaded["gaussian"].filters[..., -1]) == pytest.approx(0.00135, rel=0.01)


def test_the_shipped_priors_load_and_say_where_they_come_from():
    loaded = store.load(SHIPPED)
    assert set(loaded) == {"student", "gaussian"}
    assert 0 < loaded["student"].degrees_of_freedom < 3
    text = store.read_provenance(SHIPPED)
    assert "150 photos" in text and "seed" in text and "/" not in text

"""Photos -> patches."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from lsd_repro.errors import InputError
from lsd_repro.prior.patches import is_flat, sample_patches


def save(picture, path, **options):
    Image.fromarray(picture).save(path, **options)
    return path


@pytest.fixture
def photos(tmp_path):
    return [save(getattr(data, name)(), tmp_path / f"{name}.png") for name in ("astronaut", "coffee", "chelsea")]


def is_part(patch, photo):
    """Whether the (dithered) patch stands in the photo, as it is."""
    windows = np.lib.stride_tricks.sliding_window_view(photo, (8, 8, 3))[:, :, 0]
    whole = np.rint(patch)
    corner = windows[..., 0, 0, :] == whole[0, 0]
    return any((windows[y, x] == whole).all() for y, x in np.argwhere(corner.all(axis=-1)))


def test_patches_stand_in_the_photos_upright_and_dithered(photos):
    sample = sample_patches(photos[:1], 30, np.random.default_rng(0))
    patches = sample.patches
    assert patches.shape == (30, 8, 8, 3) and patches.dtype == np.float32
    assert all(is_part(patch, data.astronaut()) for patch in patches)
    dither = patches - np.rint(patches)
    assert np.abs(dither).max() <= 0.5
    assert dither.std() == pytest.approx(12 ** -0.5, rel=0.03)


def test_patches_come_evenly_from_all_photos(tmp_path):
    # Each photo has a red of its own, by which its patches are known.
    rng = np.random.default_rng(0)
    paths = []
    for red in (10, 60, 110, 160, 210):
        picture = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
        picture[..., 0] = red
        paths.append(save(picture, tmp_path / f"{red}.png"))
    sample = sample_patches(paths, 502, np.random.default_rng(1))
    reds, counts = np.unique(np.rint(sample.patches[:, 0, 0, 0]), return_counts=True)
    assert list(reds) == [10, 60, 110, 160, 210]
    assert sorted(counts) == [100, 100, 100, 101, 101]
    assert sample.photos_used == 5


def test_positions_cover_the_photo_and_none_comes_twice(tmp_path):
    rows, columns = np.mgrid[:20, :30]
    picture = np.stack([8 * rows, 8 * columns, rows + columns], axis=-1).astype(np.uint8)
    sample = sample_patches([save(picture, tmp_path / "ramp.png")], 13 * 23, np.random.default_rng(0))
    corners = {tuple(corner) for corner in np.rint(sample.patches[:, 0, 0, :2])}
    assert corners == {(8.0 * y, 8.0 * x) for y in range(13) for x in range(23)}


def test_same_seed_same_patches(photos):
    first, again, other = (sample_patches(photos, 50, np.random.default_rng(seed)).patches for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_flat_means_no_channel_spans_more_than_two_levels():
    patches = np.full((3, 8, 8, 3), 255, np.uint8)
    patches[1, 2, 3, 0] = 253
    patches[2, 2, 3, 0] = 252
    np.testing.assert_array_equal(is_flat(patches), [True, True, False])


def test_flat_patches_are_left_out_and_counted(tmp_path):
    picture = np.full((64, 128, 3), 200, np.uint8)
    picture[:, 64:] = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    path = save(picture, tmp_path / "half.png")
    sample = sample_patches([path], 200, np.random.default_rng(0))
    assert len(sample.patches) == 200
    assert sample.patches.std(axis=(1, 2)).max(axis=-1).min() > 2
    # Patches wholly in the left part: 57 columns of 121.
    assert sample.flat / (200 + sample.flat) == pytest.approx(57 / 121, abs=0.12)


def test_share_of_a_flat_photo_goes_to_the_others(photos, tmp_path):
    white = save(np.full((50, 50, 3), 255, np.uint8), tmp_path / "white.png")
    seeds_where_white_is_not_last = [seed for seed in range(6) if np.random.default_rng(seed).permutation(4)[-1] != 0]
    for seed in seeds_where_white_is_not_last:
        sample = sample_patches([white] + photos, 400, np.random.default_rng(seed))
        assert len(sample.patches) == 400 and sample.photos_used == 3
        assert len(sample.skipped) == 1 and "white.png" in sample.skipped[0] and "flat" in sample.skipped[0]


def test_broken_and_small_photos_are_skipped_and_named(photos, tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    whole = save(data.rocket(), tmp_path / "rocket.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[:len(whole) // 3])
    (tmp_path / "empty.png").write_bytes(b"")
    save(data.rocket()[:7], tmp_path / "low.png")
    bad = [tmp_path / name for name in ("text.jpg", "cut.jpg", "empty.png", "low.png")]
    sample = sample_patches(bad + photos, 300, np.random.default_rng(0))
    assert sample.photos_used == 3
    assert len(sample.skipped) == 4
    for path in bad:
        assert any(path.name in line for line in sample.skipped)
    with pytest.raises(InputError, match="none of the 4 photos"):
        sample_patches(bad, 300, np.random.default_rng(0))


def test_count_must_be_positive(photos):
    with pytest.raises(InputError, match="at least 1, got 0"):
        sample_patches(photos, 0, np.random.default_rng(0))


def test_more_photos_than_patches_gives_one_each(photos):
    sample = sample_patches(photos * 10, 7, np.random.default_rng(0))
    assert len(sample.patches) == 7 and sample.photos_used == 7


def test_progress_counts_every_photo(photos, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"")
    seen = []
    sample_patches(photos + [tmp_path / "broken.jpg"], 40, np.random.default_rng(0),
                   progress=lambda *numbers: seen.append(numbers))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4)]

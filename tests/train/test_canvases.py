import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lsd_repro.errors import InputError
from lsd_repro.train.canvases import CELL, CELLS, centre, draw, find, kind_of

WNIDS = "n00000001", "n01443537"
# Of one colour each, so that a pixel tells which picture it is of.
COLOURS = {"n01443537": (250, 0, 0), "ant": (0, 0, 250)}


@pytest.fixture
def pictures(tmp_path):
    for kind, colour in COLOURS.items():
        for i in range(4):
            save(tmp_path / kind / f"{i}.png", colour)
    save(tmp_path / "ant" / "tiny.png", (0, 250, 0), 40)
    (tmp_path / "ant" / "broken.png").write_bytes(b"no picture")
    return find({tmp_path / "n01443537": 1, tmp_path / "ant": 3}, WNIDS)


def save(path, colour, side=90):
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (side + 20, side), colour).save(path)


@pytest.mark.parametrize("path, kind", [
    ("train/n01443537/n01443537_0.JPEG", "n01443537"), ("train/n01443537/ILSVRC2012_val_1.JPEG", "n01443537"),
    ("n09472597_volcano.JPEG", "n09472597"), ("caltech/ant/image_0001.jpg", "ant")])
def test_kind_is_a_wordnet_id_or_the_folder(path, kind):
    assert kind_of(Path(path)) == kind


def test_pictures_have_labels_and_shares(pictures):
    assert sorted(pictures.labels) == [-1] * 6 + [1] * 4
    shares = np.diff(pictures.shares, prepend=0)
    np.testing.assert_allclose(shares / shares[0], [1] * 4 + [3] * 6)
    assert pictures.shares[-1] == pytest.approx(1)


def test_no_pictures_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no .jpg"):
        find({tmp_path: 1}, WNIDS)


def test_parts_fill_a_canvas_and_say_what_they_show(pictures, capsys):
    rng = random.Random(0)
    seen = set()
    for _ in range(30):
        canvas, parts = draw(pictures, rng)
        assert canvas.shape == (CELLS * CELL, CELLS * CELL, 3) and canvas.dtype == np.uint8
        cover = np.zeros((CELLS, CELLS), int)
        for part in parts:
            cover[part.rows, part.columns] += 1
            shown = canvas[part.rows.start * CELL:part.rows.stop * CELL, part.columns.start * CELL:part.columns.stop * CELL]
            colour = shown.reshape(-1, 3).mean(0)
            assert (np.argmax(colour) == 0) == (part.label == 1)
            # Never the one of 40 pixels; and the teacher sees colours as they were.
            assert tuple(part.view[0, 0]) == COLOURS["n01443537" if part.label == 1 else "ant"]
            assert np.prod(part.view.shape[:2]) == pytest.approx(224 ** 2, rel=0.25)
        assert (cover == 1).all()
        seen.add(len(parts))
    assert seen == {1, 4}
    assert "broken.png" in capsys.readouterr().out


def test_draws_the_same_for_the_same_seed(pictures):
    first, second = (draw(pictures, random.Random(3))[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_centre_is_the_middle_square(tmp_path):
    stripes = np.zeros((60, 120, 3), np.uint8)
    stripes[:, 30:90] = 200
    Image.fromarray(stripes).save(tmp_path / "a.png")
    found = centre(tmp_path / "a.png", 64)
    assert found.shape == (64, 64, 3)
    assert (found[:, 4:-4] == 200).all()

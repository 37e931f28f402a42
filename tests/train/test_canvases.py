from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lsd_repro.errors import InputError
from lsd_repro.train.canvases import Canvas, draw, kind_of, plan


@pytest.fixture
def folder(tmp_path):
    """Forty pictures of a WordNet id, thirty of a name, and one that is called by its id."""
    for name, count, side in (("n01443537", 40, 64), ("ant", 30, 90)):
        for i in range(count):
            save(tmp_path / name / f"{i}.png", (i, 0, 200), side)
    save(tmp_path / "n09472597_volcano.JPEG", (200, 0, 0), 90)
    return tmp_path


def save(path, colour, side):
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (side + 20, side), colour).save(path)


@pytest.mark.parametrize("path, kind", [
    ("train/n01443537/n01443537_0.JPEG", "n01443537"), ("train/n01443537/ILSVRC2012_val_1.JPEG", "n01443537"),
    ("n09472597_volcano.JPEG", "n09472597"), ("caltech/ant/image_0001.jpg", "ant")])
def test_kind_is_a_wordnet_id_or_the_folder(path, kind):
    assert kind_of(Path(path)) == kind


def test_no_picture_is_trained_on_and_held_out(folder):
    train, held_out = plan([folder], 0)
    trained = [path for canvas in train for path in canvas.paths]
    assert len(trained) == len(set(trained))
    assert not set(trained) & {path for canvas in held_out for path in canvas.paths}
    assert len(trained) + len(held_out) == 71
    assert {canvas.kind for canvas in held_out} == {"n01443537", "ant"}


def test_mosaics_are_of_a_kind(folder):
    train, _ = plan([folder], 0)
    assert {len(canvas.paths) for canvas in train} == {1, 4}
    assert all(kind_of(path) == canvas.kind for canvas in train for path in canvas.paths)
    assert {canvas.small for canvas in train if canvas.kind == "n01443537"} == {True}
    assert {canvas.small for canvas in train if canvas.kind == "ant"} == {False}


def test_the_beginning_of_a_plan_has_every_kind(folder):
    train, _ = plan([folder], 0)
    assert {canvas.kind for canvas in train[:3]} == {"n01443537", "ant", "n09472597"}


def test_a_seed_decides(folder):
    assert plan([folder], 1) == plan([folder], 1)
    assert plan([folder], 1) != plan([folder], 2)


def test_without_pictures_an_error(tmp_path):
    with pytest.raises(InputError, match="no .jpg"):
        plan([tmp_path], 0)


def test_a_mosaic_has_its_pictures_in_the_quarters(folder):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
    paths = tuple(folder / f"{i}.png" for i in range(4))
    for path, colour in zip(paths, colours):
        save(path, colour, 64)
    canvas = draw(Canvas(paths, "ant", True, 0))
    assert canvas.shape == (256, 256, 3) and canvas.dtype == np.uint8
    centres = canvas[64::128, 64::128].reshape(4, 3)
    assert centres.tolist() == [list(colour) for colour in colours]


def test_sharp_pictures_are_blurred_now_and_then(folder):
    path = folder / "checks.png"
    checks = np.indices((128, 128)).sum(axis=0) % 2 * 255
    Image.fromarray(checks.astype(np.uint8)).convert("RGB").save(path)
    # Checks of a pixel vanish in a picture of 64.
    contrast = [draw(Canvas((path,), "ant", False, seed))[64:192, 64:192].std() for seed in range(30)]
    assert 3 < sum(value < 40 for value in contrast) < 20

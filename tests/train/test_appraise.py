import json

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs pip install -e '.[train]'")

from lsd_repro.errors import InputError  # noqa: E402
from lsd_repro.train import appraise  # noqa: E402


def looks_for_squares(side):
    """A judge that is sure of class 7 where a white square of this side fills a window, and less so as it doesn't."""

    def look(windows):
        white = torch.as_tensor(windows[:, 0] / 255.0).double().sum((1, 2))
        pixels = windows.shape[2] * windows.shape[3]
        found = (white / pixels) * (white / side ** 2)
        probability = ((1 - found) / 999 + 1e-9)[:, None].repeat(1, 1000)
        probability[:, 7] = found + 1e-9
        return probability.log()

    return look


@pytest.mark.parametrize("width, side, expected", [(840, 113, 113), (840, 293, 293), (420, 146, 293)])
def test_an_object_is_as_large_as_the_smallest_window_that_shows_it(width, side, expected):
    picture = np.zeros((472 * width // 840, width, 3), np.uint8)
    top, left = appraise.corners(picture.shape[0], side)[1], appraise.corners(width, side)[1]
    picture[top:top + side, left:left + side] = 255
    assert appraise.sizes(looks_for_squares(side), picture, [7]) == [expected]
    assert appraise.sizes(looks_for_squares(side), picture, [8]) == []


def test_each_object_counts_once():
    picture = np.zeros((472, 840, 3), np.uint8)
    for index in (1, 10):
        top, left = appraise.corners(472, 113)[3], appraise.corners(840, 113)[index]
        picture[top:top + 113, left:left + 113] = 255
    assert appraise.sizes(looks_for_squares(113), picture, [7]) == [113, 113]


def test_windows_cover_a_length_and_overlap_by_half():
    starts = appraise.corners(472, 91)
    assert starts[0] == 0 and starts[-1] == 472 - 91
    assert np.diff(starts).max() <= 46
    assert appraise.corners(472, 472).tolist() == [0]


def test_frames_are_those_of_a_run_or_those_published(tmp_path):
    scenes = [[3, 3, "lion"], [4, 5, "pizza & gondola"]]
    (tmp_path / "run.json").write_text(json.dumps({"parameters": {"scenes": scenes}}))
    assert appraise.dreamt(tmp_path) == [(tmp_path / "frames" / "frame0001.png", ("lion",)),
                                         (tmp_path / "frames" / "frame0002.png", ("pizza", "gondola"))]
    (tmp_path / "run.json").unlink()
    with pytest.raises(InputError, match="neither a run nor"):
        appraise.dreamt(tmp_path)
    (tmp_path / "result5920.png").touch()
    assert appraise.dreamt(tmp_path) == [(tmp_path / "result5920.png", ("analog clock", "wood rabbit"))]


def test_a_frame_is_measured_and_summed_up(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (236, 420, 3)).astype(np.uint8)
    picture[:, :42] = 0
    Image.fromarray(picture).save(tmp_path / "a.png")

    def look(windows):
        logits = torch.zeros(len(windows), 1000)
        logits[:, 291] = 20
        return logits

    rows = appraise.appraise([(tmp_path / "a.png", ("lion",)), (tmp_path / "a.png", ("pizza",))],
                             lambda shown: np.array([1.0, 2.0, 3.0, 4.0]), look)
    assert [row["judge agrees"] for row in rows] == [True, False] and rows[0]["judge"] == "lion"
    assert rows[0]["clipped, %"] == pytest.approx(10 + 90 * 2 / 256, abs=0.2)
    assert rows[1]["object size"] is None
    found = appraise.summary(rows)
    assert found["energies"] == [1, 2, 3, 4] and found["judge agrees"] == 1 and found["frames with objects"] == 1
    assert "| lions | 1.00 | 2.00 | 3.00 | 4.00 |" in appraise.table({"lions": found})

"""The author's frames as numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from lsd_repro.compare import genuine, report
from lsd_repro.compare.statistics import FREQUENCIES, QUANTILES, judge
from lsd_repro.material import fetch
from lsd_repro.program2015 import BEFORE_1850, PUBLISHED, STREAM

STORED = Path(__file__).parents[2] / "data" / "gallery" / "frames-2015.json"


@pytest.fixture(scope="module")
def stored():
    return genuine.read(STORED)


def test_all_that_can_be_fetched_are_there(stored):
    assert [frame.name for frame in stored] == sorted(Path(file.name).stem for file in fetch.SETS["frames"])
    assert {frame.name for frame in stored} > {BEFORE_1850, *(f"result{number:04d}" for number, _ in PUBLISHED.values())}
    assert {(frame.width, frame.height) for frame in stored} == {(STREAM.width, STREAM.height)}


def test_clipped_values_are_those_that_the_appraisal_found(stored):
    appraised = json.loads((STORED.parent / "dreams.json").read_bytes())["frames"]["the author's twelve"]
    found = {frame.name: frame.vectors["clipped to 0"][0] + frame.vectors["clipped to 255"][0] for frame in stored
             if frame.name.startswith("result")}
    assert found == pytest.approx({Path(one["frame"]).stem: one["clipped, %"] for one in appraised}, abs=0.006)


def test_the_network_sees_in_them_what_they_were_dreamt_for(stored):
    seen = {frame.name: frame.classes for frame in stored}
    # The bee is taken for a dragonfly, and one half of the kit fox for a grey fox.
    for name in set(PUBLISHED) - {"bee", "kit-fox", "rabbit-clock"}:
        named = name.replace("-", " ")
        assert seen[f"result{PUBLISHED[name][0]:04d}"] == (named, named)
    assert seen["result5920"] == ("analog clock", "wood rabbit")
    assert seen[BEFORE_1850] == ("pizza", "pizza")


def test_spectra_and_quantiles_are_whole(stored):
    assert all(len(frame.vectors["power spectrum"]) == len(FREQUENCIES) for frame in stored)
    assert all(len(frame.vectors["chroma"]) == len(QUANTILES) for frame in stored)
    assert all(np.all(np.diff(frame.vectors["lightness L"]) >= 0) for frame in stored)


def test_they_serve_as_the_yardstick(stored):
    numbers = report.judged(stored[:3], stored)
    assert {one["verdict"] for one in numbers["statistics"].values()} <= {"close", "within"}


def test_leaving_out_a_neighbour_moves_the_yardstick_less_than_leaving_out_any_other(stored):
    def furthest(frames):
        vectors = (np.array([frame.vectors[name] for frame in frames]) for name in of_the_picture)
        return np.array([judge(one, one).theirs.max() for one in vectors])

    of_the_picture = [name for name in stored[0].vectors if "best class" not in name]
    whole = furthest(stored)
    moved = {left_out.name: np.abs(furthest([frame for frame in stored if frame is not left_out]) / whole - 1).mean()
             for left_out in stored}
    assert min(moved, key=moved.get) == BEFORE_1850


def test_what_is_read_is_what_was_written(stored, tmp_path):
    genuine.write(tmp_path / "again.json", stored)
    assert json.loads((tmp_path / "again.json").read_bytes()) == json.loads(STORED.read_bytes())

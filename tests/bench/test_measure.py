"""All races, their file, and going on with it."""

import json

import pytest
from trivial_contenders import contender

from lsd_repro.bench import contenders, film, measure
from lsd_repro.errors import InputError
from lsd_repro.ops import CONVOLUTION, PATCH_ENERGY

SIZES = [(264, 256)]


@pytest.fixture(autouse=True)
def trivial(monkeypatch):
    monkeypatch.setattr(contenders, "for_step", lambda part, width, size, apart: [
        contender("ours", "steady", value=1.0), contender("plain Theano", "broken")])
    monkeypatch.setattr(contenders, "for_sgemm", lambda: [contender("scipy", "steady", value=1e9)])


def read(out):
    return json.loads((out / "bench.json").read_text())


def test_every_part_is_raced_at_every_size_and_width(tmp_path):
    result = measure.measure(tmp_path, [(840, 472), (264, 256)], ["shipped", "full"], 2, 1)
    assert [(one["part"], one["width"], tuple(one["size"])) for one in result["races"]] == [
        (part, width, size) for size in ((264, 256), (840, 472)) for part, width in (
            ("prior", None), ("network", "shipped"), ("whole", "shipped"), ("network", "full"), ("whole", "full"))]
    assert read(tmp_path) == result
    for one in result["races"]:
        assert one["rounds"] == 2 and len(one["contenders"]["ours"]["seconds"]) == 2
        assert one["contenders"]["plain Theano"]["failed"] == "ValueError: no such thing"
        assert one["sgemm"]["scipy"]["values"] == [1e9, 1e9]


def test_an_interrupted_measurement_goes_on(tmp_path):
    def interrupt(text):
        if text == "network shipped 264x256: ours, round 2 of 3":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure.measure(tmp_path, SIZES, ["shipped"], 3, 1, report=interrupt)
    broken = read(tmp_path)
    assert [one["rounds"] for one in broken["races"]] == [3, 1]
    result = measure.measure(tmp_path, SIZES, ["shipped", "full"], 3, 1, resume=True)
    assert [one["rounds"] for one in result["races"]] == [3] * 5
    assert result["races"][0] == broken["races"][0]
    with pytest.raises(InputError, match="other repeats"):
        measure.measure(tmp_path, SIZES, ["shipped"], 2, 1, resume=True)


def test_a_file_of_something_else_is_not_resumed(tmp_path):
    (tmp_path / "bench.json").write_text("[" * 200_000)
    with pytest.raises(InputError, match="no measurements to resume"):
        measure.measure(tmp_path, SIZES, ["shipped"], 2, 1, resume=True)


def test_the_file_names_neither_machine_nor_folders(tmp_path):
    import platform

    measure.measure(tmp_path, SIZES, ["shipped"], 1, 1)
    text = (tmp_path / "bench.json").read_text()
    assert str(tmp_path) not in text and json.dumps(platform.node()) not in text


def test_plain_theano_is_without_our_rewrites(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("THEANO_FLAGS", "floatX=float32")
    monkeypatch.setattr(contenders, "has_torch", lambda: True)
    found = {one.name: one for one in contenders.for_step("whole", "full", (840, 472), apart=True)}
    assert list(found)[:4] == ["ours", "plain Theano", "fused prior only", "fast convolutions only"]
    assert found["ours"].environment == {}
    for name, excluded in (("plain Theano", {PATCH_ENERGY, CONVOLUTION}), ("fused prior only", {CONVOLUTION}),
                           ("fast convolutions only", {PATCH_ENERGY})):
        users, ours = found[name].environment["THEANO_FLAGS"].split(",")
        assert users == "floatX=float32"
        assert set(ours.removeprefix("optimizer_excluding=").split(":")) == excluded


def test_film_contenders_write_their_frames():
    for one in film.contenders(3):
        assert film.make(**one.arguments)() == 3

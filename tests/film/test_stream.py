"""The loop with a step that only looks like the real one: cheap, and as deterministic."""

import json
from dataclasses import replace

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from small_network import small_network

from lsd_repro.errors import InputError
from lsd_repro.film import run, stream
from lsd_repro.film.caption import draw_caption
from lsd_repro.film.schedule import Scene
from lsd_repro.film.zoom import between, to_uint8, zoom_picture
from lsd_repro.material import files
from lsd_repro.presets import DEMO, Preset
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import STREAM
from lsd_repro.step.gradient import Terms
from lsd_repro.step.target import Classes

START = np.random.default_rng(0).integers(0, 256, (36, 48, 3)).astype(np.uint8)
SCENES = [Scene(Classes(1, 1), "bee"), Scene(Classes(1, 1), "bee"), Scene(Classes(2, 3), "volcano & bubble")]
PROGRAM = replace(STREAM, width=48, height=36, video_width=64, video_height=48,
                  steps_per_frame=2, video_frames_per_frame=3)


class Interrupted(BaseException):
    """Stands for Ctrl-C, or kill -9, at a chosen step."""


class Step:
    """Moves the picture by a momentum that depends on class and history."""

    def __init__(self, break_at=None):
        self.picture = START.astype(np.float32)
        self.momentum = np.zeros_like(self.picture)
        self.steps, self.break_at = 0, break_at

    network_scale = 1

    def reset_moments(self):
        self.momentum = np.zeros_like(self.picture)

    def step(self, target):
        if self.steps == self.break_at:
            raise Interrupted
        self.steps += 1
        self.momentum = 0.5 * self.momentum + np.sin(self.picture + target.bottom - target.top)
        self.picture = np.clip(self.picture + self.momentum, 0, 255).astype(np.float32)
        return Terms(1.0, 2.0, 3.0, 4.0)

    def state(self):
        return {"x": self.picture, "m": self.momentum}

    def restore(self, state):
        self.picture, self.momentum = state["x"], state["m"]


def parameters(**changes):
    network = small_network(np.random.default_rng(0), widths=(1, 1, 1, 1, 1), fc=2, classes=4)
    prior = PatchPrior("student", np.zeros((8, 8, 3, 192), np.float32), np.zeros(192, np.float32))
    return {**run.parameters(PROGRAM, SCENES, START, network, prior, "float32", 0), **changes}


def test_a_disk_without_room_is_found_out_before_the_first_step(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 10_000})
    monkeypatch.setattr(run.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match="the run needs about .* GB and the disk has 1e-05 GB free"):
        stream.make_film(tmp_path / "run", SCENES, PROGRAM, lambda: pytest.fail("a step was made"), parameters())


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    stream.make_film(out, SCENES, PROGRAM, Step, parameters())
    return out


def test_a_run_leaves_frames_film_contact_sheet_and_record(whole):
    found = contents(whole)
    assert {f"frames/frame{i:04d}.png" for i in range(4)} <= set(found)
    assert {"film.mp4", "contact.png", "run.json"} <= set(found)
    assert not [name for name in found if name.endswith(".part")]
    record = json.loads(found["run.json"])
    assert record["parameters"]["prior_strength"] == 10 and record["parameters"]["seed"] == 0
    assert len(record["parameters"]["network"]) == 64
    assert {"Python", "numpy", "Theano-PyMC"} <= set(record["versions"])
    count, _ = imageio_ffmpeg.count_frames_and_secs(str(whole / "film.mp4"))
    assert count == 3 * 3
    np.testing.assert_array_equal(np.array(Image.open(whole / "frames" / "frame0000.png")), np.clip(START, 0, 255))


def test_frames_are_zoomed_then_stepped(whole):
    step = Step()
    for index, scene in enumerate(SCENES, 1):
        step.picture = zoom_picture(step.picture, 3)
        step.reset_moments()
        for _ in range(2):
            step.step(scene.target)
        np.testing.assert_array_equal(np.load(whole / "state" / f"frame{index:04d}.npy"), step.picture)


def test_without_resets_and_zoom_the_moments_live_on():
    stills = replace(PROGRAM, reset_moments=False, video_frames_per_frame=0)
    ours, expected, seen = Step(), Step(), []
    for _ in range(2):
        stream.optimise_frame(ours, SCENES[0], stills, seen.append)
    for _ in range(4):
        expected.step(SCENES[0].target)
    np.testing.assert_array_equal(ours.picture, expected.picture)
    assert len(seen) == 4


def test_octaves_are_taken_in_their_order():
    class Noting(Step):
        seen = []

        def step(self, target):
            self.seen.append(self.network_scale)
            return super().step(target)

    stream.optimise_frame(Noting(), SCENES[0], replace(Preset.of(PROGRAM), steps_per_frame=6, octaves=((3, 1), (2, 2), (1, 3))),
                          lambda terms: None)
    assert Noting.seen == [3, 2, 2, 1, 1, 1]


def test_octaves_that_do_not_add_up_are_no_program():
    with pytest.raises(ValueError, match="do not add up to 5"):
        replace(Preset.of(PROGRAM), steps_per_frame=5, octaves=((3, 1), (2, 2)))


def test_video_frames_lie_between_their_optimised_frames(whole):
    frames = run.Frames(whole, 4, START.shape[:2])
    plain = [scene._replace(caption="") for scene in SCENES]
    film = list(stream.video_frames(frames, plain, PROGRAM, plain=True))
    expected = to_uint8(between(frames[1], frames[2], 4, 3, 6, (48, 64)))
    np.testing.assert_array_equal(film[4][30:], expected[30:])  # below the caption's box


def test_video_frames_have_their_captions_and_are_scikit_images_within_a_grey_level(whole):
    frames = run.Frames(whole, 4, START.shape[:2])
    ours, plain = (np.array(list(stream.video_frames(frames, SCENES, PROGRAM, plain=plain))) for plain in (False, True))
    assert ours.shape == (9, 48, 64, 3)
    assert np.abs(ours.astype(int) - plain).max() <= 1
    np.testing.assert_array_equal(ours[0], draw_caption(ours[0], "bee"))
    np.testing.assert_array_equal(ours[8], draw_caption(ours[8], "volcano & bubble"))


@pytest.mark.parametrize("break_at", [0, 1, 2, 5])
def test_an_interrupted_run_resumes_to_the_same_bytes(whole, tmp_path, break_at):
    out = tmp_path / "run"
    with pytest.raises(Interrupted):
        stream.make_film(out, SCENES, PROGRAM, lambda: Step(break_at), parameters())
    assert not (out / "film.mp4").exists()
    resumed = []
    stream.make_film(out, SCENES, PROGRAM, lambda: resumed.append(Step()) or resumed[0], parameters(), resume=True)
    assert resumed[0].steps == 6 - break_at // 2 * 2, "finished frames are not computed again"
    assert contents(out) == contents(whole)


@pytest.mark.parametrize("name", ["frame0002.npy", "frame0002.png", "latest.npz"])
def test_a_full_disk_loses_at_most_the_frame_at_hand(whole, tmp_path, monkeypatch, name):
    out = tmp_path / "run"
    replace_file, seen = files.os.replace, []

    def full(part, path):
        seen.append(path.name)
        if path.name == name and (name != "latest.npz" or seen.count(name) == 3):
            raise OSError(28, "No space left on device")
        replace_file(part, path)

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(InputError, match=f"{name}.*No space left"):
        stream.make_film(out, SCENES, PROGRAM, Step, parameters())
    monkeypatch.undo()
    stream.make_film(out, SCENES, PROGRAM, Step, parameters(), resume=True)
    assert contents(out) == contents(whole)


def test_a_finished_run_is_not_computed_again(whole):
    before = contents(whole)

    def no_step():
        raise AssertionError("nothing is left to compute")

    stream.make_film(whole, SCENES, PROGRAM, no_step, parameters(), resume=True)
    assert contents(whole) == before


def test_resuming_with_other_parameters_names_the_difference(whole):
    with pytest.raises(InputError, match="prior_strength was 10.0, is 2.0") as caught:
        stream.make_film(whole, SCENES, PROGRAM, Step, parameters(prior_strength=2.0), resume=True)
    assert "seed" not in str(caught.value)


def test_an_existing_folder_is_not_written_into(whole, tmp_path):
    with pytest.raises(InputError, match="resume=True"):
        stream.make_film(whole, SCENES, PROGRAM, Step, parameters())
    (tmp_path / "empty").mkdir()
    run.open_record(tmp_path / "empty", parameters(), resume=False)


@pytest.mark.parametrize("record", [None, "", "{}", "[]", '{"parameters": 3}'])
def test_a_folder_without_a_run_is_not_resumed(tmp_path, record):
    if record is not None:
        (tmp_path / "run.json").write_text(record)
    with pytest.raises(InputError, match="leave out resume=True"):
        run.open_record(tmp_path, parameters(), resume=True)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    class Exploding(Step):
        def step(self, target):
            return super().step(target)._replace(loss=np.nan)

    with pytest.raises(InputError, match="frame 1: the loss is nan"):
        stream.make_film(tmp_path, SCENES, PROGRAM, Exploding, parameters())


def test_contact_sheet_shows_the_end_of_every_scene_or_the_course_of_a_single_one(whole, monkeypatch):
    shown = []
    monkeypatch.setattr(stream.write, "contact_sheet", lambda pictures, captions: shown.append((len(pictures), captions)))
    frames = run.Frames(whole, 4, START.shape[:2])
    stream.contact_sheet(frames, SCENES)
    stream.contact_sheet(frames, SCENES[:2])
    assert shown == [(2, ["bee", "volcano & bubble"]), (2, ["bee, frame 1", "bee, frame 2"])]


def test_captions_lead_by_a_frame_in_the_stream_and_not_in_the_demo(whole, monkeypatch):
    drawn = []
    monkeypatch.setattr(stream, "draw_caption", lambda frame, text: drawn.append(text))
    for program in (PROGRAM, replace(PROGRAM, caption_leads=False)):
        list(stream.video_frames(run.Frames(whole, 4, START.shape[:2]), SCENES, replace(program, video_frames_per_frame=1)))
    assert STREAM.caption_leads and not DEMO.caption_leads
    assert drawn == ["bee", "volcano & bubble", "volcano & bubble", "bee", "bee", "volcano & bubble"]

import imageio_ffmpeg
import numpy as np
import pytest
from stage import Step

from lsd_repro.errors import InputError
from lsd_repro.film.schedule import Scene
from lsd_repro.film.write import as_still
from lsd_repro.live import journal, saving
from lsd_repro.live.journal import Journal, Segment
from lsd_repro.step.target import Classes

SCENE = Scene(Classes(1, 2), "@ann: bee")
PARAMETERS = {"seed": 0}


def dreamt(out, count, keep=50):
    run, step = Journal(out, PARAMETERS, False, keep), Step()
    run.begin(step, SCENE)
    for index in range(1, count + 1):
        step.step(SCENE.target)
        run.add(step, Segment(index, 3, 1.0, SCENE.caption), SCENE)
    return run, step


def test_a_run_goes_on_after_its_last_finished_frame(tmp_path):
    _, step = dreamt(tmp_path / "run", 3)
    again = Journal(tmp_path / "run", PARAMETERS, True, 50)
    assert again.done == 3 and again.saved["scene"] == SCENE
    np.testing.assert_array_equal(again.saved["state"]["x"], step.picture)
    np.testing.assert_array_equal(journal.read_frame(tmp_path / "run", 3), as_still(step.picture))


@pytest.mark.parametrize("end", ['[4, 3, 1.0, "a"]\n', '[4, 3, 1', "[4]\n", "\n"])
def test_a_frame_that_was_being_saved_is_forgotten(tmp_path, end):
    dreamt(tmp_path / "run", 3)
    with open(tmp_path / "run" / "journal.jsonl", "a") as file:
        file.write(end)
    again = Journal(tmp_path / "run", PARAMETERS, True, 50)
    again.add(Step(), Segment(4, 5, 1.0, "b"), SCENE)
    assert [segment.index for segment in journal.read_segments(tmp_path / "run")] == [1, 2, 3, 4]
    assert journal.read_segments(tmp_path / "run")[-1].k == 5


def test_a_run_of_the_first_version_goes_on(tmp_path):
    dreamt(tmp_path / "run", 3)
    (tmp_path / "run" / "state" / "latest.npz").rename(tmp_path / "run" / "latest.npz")
    (tmp_path / "run" / "state").rmdir()
    assert Journal(tmp_path / "run", PARAMETERS, True, 50).done == 3


def test_only_the_last_frames_are_kept(tmp_path):
    run, _ = dreamt(tmp_path / "run", 6, keep=3)
    assert [path.name for path in sorted((tmp_path / "run" / "frames").iterdir())] == [f"frame{i:06d}.png" for i in range(3, 7)]
    assert [segment.index for segment in run.segments] == [4, 5, 6]


def test_other_parameters_or_a_folder_in_use_are_refused(tmp_path):
    dreamt(tmp_path / "run", 1)
    with pytest.raises(InputError, match="seed was 0, is 1"):
        Journal(tmp_path / "run", {"seed": 1}, True, 50)
    with pytest.raises(InputError, match="resume=True"):
        Journal(tmp_path / "run", PARAMETERS, False, 50)
    (tmp_path / "run" / "state" / "latest.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match="latest.npz"):
        Journal(tmp_path / "run", PARAMETERS, True, 50)


def test_the_film_has_every_video_frame_of_the_kept_segments_up_to_the_last(tmp_path):
    dreamt(tmp_path / "run", 6, keep=4)
    shares = []
    path = saving.save(tmp_path / "run", 5, (64, 48), shares.append)
    # Frames 2 to 6 are kept, so the segments to 3, 4 and 5 are there.
    assert imageio_ffmpeg.count_frames_and_secs(str(path))[0] == 9
    assert shares[-1] == 1 and path == saving.film_file(tmp_path / "run", 5)


def test_the_zooms_speed_moves_the_film_and_not_its_blend(tmp_path):
    dreamt(tmp_path / "run", 1)
    a, b = (journal.read_frame(tmp_path / "run", index) for index in (0, 1))

    def film(speed):
        return np.array(list(journal.video_frames(a, b, Segment(1, 4, speed, ""), (36, 48)))).astype(int)

    # Without zoom and turn, the first frame is `a` and the middle one the mean.
    np.testing.assert_array_equal(film(0)[0], a)
    assert np.abs(film(0)[2] - (a.astype(int) + b) / 2).max() <= 1
    assert np.abs(film(4)[3] - film(1)[3]).mean() > 1

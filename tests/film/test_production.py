"""What is decided before a run begins."""

import pytest

from lsd_repro.errors import InputError
from lsd_repro.film import production
from lsd_repro.presets import DEMO
from lsd_repro.program2015 import STILLS, STREAM


def test_a_presets_octaves_that_do_not_fit_leave_their_steps_to_the_finest():
    octaves = (4, 3), (2, 2), (1, 6)
    for side, expected in ((900, octaves), (500, ((2, 2), (1, 9))), (300, ((1, 11),)), (200, ((1, 11),))):
        assert production.fitting(octaves, side, least=224) == expected
    assert production.fitting((), 300, least=224) == ()


def test_an_adjusted_program_keeps_what_is_not_named():
    changed = production.adjusted(STREAM, prior_strength=3.0, frames_per_class=None)
    assert changed.prior_strength == 3.0
    assert changed == production.adjusted(changed) and changed.frames_per_class == STREAM.frames_per_class


def test_octaves_bring_their_steps_and_steps_or_scales_end_octaves():
    assert production.adjusted(STREAM, octaves=[(3, 2), (1, 5)]).steps_per_frame == 7
    assert production.adjusted(DEMO, steps_per_frame=3).octaves == ()
    by_scales = production.adjusted(DEMO, network_scales=[1, 2])
    assert by_scales.octaves == () and by_scales.network_scales == (1, 2)
    assert by_scales.steps_per_frame == DEMO.steps_per_frame
    with pytest.raises(InputError, match="leave out --network-scales and --steps"):
        production.adjusted(STREAM, [(1, 2)], [1], 2)


def test_a_run_takes_the_size_of_the_start_image_but_a_film_as_large_as_its_picture_keeps_its_own(tmp_path):
    from PIL import Image

    path = tmp_path / "start.png"
    Image.new("RGB", (300, 280)).save(path)
    stream = production.prepare(STREAM, weights="small", start=path, prior_kind="tv")
    demo = production.prepare(DEMO, weights="small", start=path)
    assert (stream.program.width, stream.program.height, stream.program.video_width) == (300, 280, STREAM.video_width)
    assert (demo.program.width, demo.program.height, demo.program.video_width) == (DEMO.width, DEMO.height, DEMO.video_width)
    assert len(stream.scenes) == STREAM.frames_per_class and stream.parameters["prior kind"] == "tv"


def test_a_picture_larger_than_memory_is_refused_before_it_is_made():
    with pytest.raises(InputError, match="GiB of memory"):
        production.prepare(STILLS, weights="small", size=(1 << 20, 1 << 20))

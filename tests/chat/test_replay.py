"""A log against film time."""

from dataclasses import replace

import pytest

from lsd_repro.chat.messages import Message
from lsd_repro.chat.replay import scenes
from lsd_repro.chat.vocabulary import vocabulary
from lsd_repro.errors import InputError
from lsd_repro.program2015 import STILLS, STREAM

WORDS = vocabulary(["bee", "tree frog", "volcano", "gondola"])
TEN_SECONDS = replace(STREAM, video_frames_per_frame=250)


def captions(*messages, **options):
    return [scene.caption for scene in scenes(messages, WORDS, TEN_SECONDS, **{"seed": 1, **options})]


def test_a_frame_takes_what_was_said_up_to_its_time_in_the_film():
    # At 0 s, 10 s, ...; held from 10 s until 70 s.
    assert captions(Message(0, "ann", "hello"), Message(10, "bob", "gondola"), Message(11, "cy", "bee"), Message(70, "di", "lol"),
                    frames=10) == [""] + 6 * ["@bob: gondola"] + 3 * ["@cy: bee"]
    shown = captions(Message(0, "ann", "hello"), Message(10.1, "bob", "gondola"), frames=4)
    assert shown == ["", "", "@bob: gondola", "@bob: gondola"]


def test_the_film_lasts_until_the_last_message_has_been_held():
    assert len(captions(Message(0, "ann", "bee"), Message(31, "bob", "gondola"))) == 10


def test_the_same_log_and_seed_give_the_same_film_and_another_seed_another():
    messages = [Message(5 * index, "ann", name) for index, name in enumerate(["bee", "gondola", "volcano", "tree+frog"] * 30)]
    films = [captions(*messages, seed=seed) for seed in (1, 1, 2)]
    assert films[0] == films[1] != films[2]


def test_a_film_of_weeks_is_asked_back():
    with pytest.raises(InputError, match="frames="):
        captions(Message(0, "ann", "bee"), Message(1e9, "bob", "bee"))
    with pytest.raises(InputError, match="film"):
        scenes([Message(0, "ann", "bee")], WORDS, STILLS, 0)

"""An exported chat, replayed in film time: `scenes`."""

import math
from collections.abc import Sequence
from typing import Optional

from lsd_repro.chat.messages import Message
from lsd_repro.chat.picking import Chat
from lsd_repro.chat.vocabulary import Vocabulary
from lsd_repro.errors import InputError
from lsd_repro.film.schedule import Scene
from lsd_repro.program2015 import FRAMES_PER_SECOND, HOLD_SECONDS, Program

MOST_FRAMES = 100_000  # a week of the stream


def scenes(messages: Sequence[Message], words: Vocabulary, program: Program, seed: int,
           frames: Optional[int] = None) -> list[Scene]:
    """One scene for each optimised frame, as the chat in a log would have chosen them.

    Parameters
    ----------
    messages : sequence of Message
        In the order of their times, the first at 0, which is where the film begins.
    words : Vocabulary
    program : Program
        Sets how much film each frame makes.
    seed : int
        For all draws.
    frames : int, optional
        By default enough for the last message to be heard and, if it is chosen, held for 60 s.

    Returns
    -------
    list of Scene
        The same for the same arguments.

    Raises
    ------
    InputError
        For a program without film, or a log too long for a film.
    """
    if not program.video_frames_per_frame:
        raise InputError("a chat is replayed against the time of a film, and there is none here")
    seconds = program.video_frames_per_frame / FRAMES_PER_SECOND
    if frames is None:
        frames = math.ceil((messages[-1].time + HOLD_SECONDS) / seconds)
        if frames > MOST_FRAMES:
            raise InputError(f"the chat's times span {messages[-1].time:.0f} s, which would make {frames} frames: "
                             "say with frames= how many to take")
    chat, coming, planned = Chat(words, seed), iter(messages), []
    message = next(coming, None)
    for index in range(frames):
        now = index * seconds
        while message and message.time <= now:
            chat.hear(message)
            message = next(coming, None)
        planned.append(chat.turn(now)[0])
    return planned

"""What is shown when.

A *query* names one class or two, ``king penguin`` or ``king penguin+gondola``: of two,
the first is aimed at the bottom half of the picture and the second at the top, as in
the chat of 2015.  `parse_classes` reads a list of queries, `read_schedule` a file of
them; `plan` says for how many optimised frames each is shown.  `scenes` chooses between
what the user named, either way, and what the program shows by default.
"""

from collections.abc import Sequence
from typing import NamedTuple, Optional, Union

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.film.caption import caption
from lsd_repro.material.files import PathLike
from lsd_repro.material.regular import read_bytes
from lsd_repro.network.classes import caption_name, resolve, terms
from lsd_repro.program2015 import Program
from lsd_repro.step.target import Classes, Target

# The stream would take three months for as many.
MOST_FRAMES = 1_000_000
LARGEST_SCHEDULE = 16 << 20  # bytes


class Scene(NamedTuple):
    """What is dreamt of for one optimised frame or more.

    Attributes
    ----------
    target : Target
    caption : str
    """

    target: Target
    caption: str

    def as_list(self) -> list[Union[int, str]]:
        """A list for JSON: two numbers, which for a channel are the same and for a layer 0, and the caption."""
        first, second, *_ = *self.target.numbers * 2, 0, 0
        return [first, second, self.caption]


def scenes(queries: Optional[Sequence[str]], path: Optional[PathLike], program: Program, descriptions: Sequence[str],
           seed: int) -> list[Scene]:
    """One scene for each optimised frame: the user's, or else the program's.

    Parameters
    ----------
    queries : sequence of str
        As in `parse_classes`; empty or None if the user named none.
    path : str, Path or None
        A schedule file, see `read_schedule`.
    program : Program
        Whose classes are shown if neither is given, as far as the network knows them.  If
        none is left, one is drawn at random, as when the stream of 2015 started.
    descriptions : sequence of str
        The network's class descriptions.
    seed : int
        For the draw.

    Returns
    -------
    list of Scene

    Raises
    ------
    InputError
        As `parse_classes`, `read_schedule` and `plan`; or if classes and a schedule
        file are given.
    """
    if queries and path:
        raise InputError(f"give classes or the schedule {path}, not both")
    if path:
        return read_schedule(path, descriptions, program.frames_per_class)
    # The small network that ships has no volcano, the class of 2015's stills.
    known = {term for description in descriptions for term in terms(description)}
    chosen = parse_classes(queries or [name for name in program.classes if name in known], descriptions)
    if not chosen:
        drawn = int(np.random.default_rng(seed).integers(len(descriptions)))
        chosen = [Scene(Classes(drawn, drawn), caption([_term("", descriptions[drawn])]))]
    return plan(chosen, program.frames_per_class)


def parse_classes(queries: Sequence[str], descriptions: Sequence[str]) -> list[Scene]:
    """Scenes for a list of queries, such as the classes that `lsd_repro.dream` is given.

    2015 quirk: bottom before top.

    Parameters
    ----------
    queries : sequence of str
        Each one class, or two joined by ``+``: first the bottom half, then the top.
    descriptions : sequence of str
        The network's class descriptions, such as ``spider web, spider's web``.

    Returns
    -------
    list of Scene

    Raises
    ------
    InputError
        No class or more than two in a query, or an unknown class.
    """
    return [_scene(query, descriptions) for query in queries]


def plan(scenes_in_order: Sequence[Scene], frames_per_class: int) -> list[Scene]:
    """One scene for each optimised frame.

    Parameters
    ----------
    scenes_in_order : sequence of Scene
    frames_per_class : int
        For how many optimised frames each scene is held.

    Returns
    -------
    list of Scene
        ``len(scenes_in_order) * frames_per_class`` long.

    Raises
    ------
    InputError
        If there would be no frame.
    """
    if frames_per_class < 1:
        raise InputError(f"frames per class must be at least 1, not {frames_per_class}")
    if not scenes_in_order:
        raise InputError("no classes: name at least one")
    if len(scenes_in_order) * frames_per_class > MOST_FRAMES:
        raise InputError(f"too many frames: a run has {MOST_FRAMES} at most")
    return [scene for scene in scenes_in_order for _ in range(frames_per_class)]


def read_schedule(path: PathLike, descriptions: Sequence[str], frames_per_class: int) -> list[Scene]:
    """Read a schedule file: one scene for each optimised frame.

    One query a line, shown for `frames_per_class` frames unless a number follows::

        # an evening on the lake
        spider web
        king penguin+gondola | 12     # gondolas above, for twelve frames

    Parameters
    ----------
    path : str or Path
        UTF-8 text.
    descriptions : sequence of str
        The network's class descriptions.
    frames_per_class : int
        For lines that give no number.

    Returns
    -------
    list of Scene

    Raises
    ------
    InputError
        Naming the file, and the line if one is at fault.
    """
    try:
        lines = read_bytes(path, LARGEST_SCHEDULE).decode("utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"can't read the schedule {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"the schedule {path} is not UTF-8 text") from None
    planned = []
    for number, line in enumerate(lines, start=1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        query, bar, count = line.partition("|")
        try:
            frames = _frames(count) if bar else frames_per_class
            planned += plan([_scene(query, descriptions)], frames)
        except InputError as error:
            raise InputError(f"{path}, line {number}: {error}") from None
        if len(planned) > MOST_FRAMES:
            raise InputError(f"the schedule {path} has more than {MOST_FRAMES} frames")
    if not planned:
        raise InputError(f"the schedule {path} names no class")
    return planned


def _frames(text):
    try:
        return int(text)
    except ValueError:
        raise InputError(f"a number of frames belongs after the '|', not "
                         f"'{text.strip()[:60]}'") from None


def _scene(query, descriptions):
    parts = [part.strip() for part in query.split("+")]
    if len(parts) > 2:
        raise InputError(f"'{query.strip()[:60]}' names {len(parts)} classes; at most two can be "
                         f"shown, bottom+top")
    if not all(parts):
        raise InputError(f"'{query.strip()[:60]}' lacks the name of a class")
    classes = [resolve(part, descriptions) for part in parts]
    names = [_term(part, descriptions[index]) for part, index in zip(parts, classes)]
    if classes[0] == classes[-1]:
        names = names[:1]
    return Scene(Classes(classes[0], classes[-1]), caption(names))


def _term(query, description):
    """What to call the class: the term that was asked for, or its first."""
    asked = [term for term in terms(description) if term.casefold() == query.casefold()]
    return asked[0] if asked else caption_name(description)

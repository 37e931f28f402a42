"""The arms of the transition: 2015's way to take the steps of a frame, and ways that differ from it in a single thing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from lsd_repro.errors import InputError, OptionError
from lsd_repro.film.schedule import Scene, parse_classes
from lsd_repro.network.classes import terms
from lsd_repro.program2015 import STREAM, Program

TARGET = "pizza"
# Of other kinds: a bird, a thing of threads, a mammal, an animal that is a texture, an insect.
WRONG = "king penguin", "spider web", "lion", "brain coral", "bee"
CEILING = "ceiling"


class Arm(NamedTuple):
    """A way to take the steps of a frame.

    Attributes
    ----------
    scene : Scene
    program : Program
        Whose zoom, steps, learning rate and prior count.
    kind : {"student", "gaussian"}
        Of prior.
    update : str
        Key of `lsd_repro.compare.transition.UPDATES`.
    halves : str
        Key of `lsd_repro.compare.transition.HALVES`: where the class is aimed at.
    dithered : bool
        Whether to start from the picture before with noise of half a grey level.
    """

    scene: Scene
    program: Program = STREAM
    kind: str = "student"
    update: str = "2015"
    halves: str = "both"
    dithered: bool = False

    @property
    def compiled(self) -> tuple[str, str, str]:
        """What another arm must share to be taken by the same compiled step."""
        return self.kind, self.update, self.halves

    def changed(self, **constants) -> "Arm":
        """The arm with other constants of its program."""
        return self._replace(program=replace(self.program, **constants))


def quick_arms(descriptions: Sequence[str], target: str = TARGET, wrong: Sequence[str] = WRONG,
               program: Program = STREAM) -> dict[str, Arm]:
    """The target, a start that is dithered, and wrong classes; by what the tables call them.

    Parameters
    ----------
    descriptions : sequence of str
        The network's class descriptions.
    target : str
        As in `lsd_repro.film.schedule.parse_classes`.
    wrong : sequence of str
    program : Program

    Returns
    -------
    dict of str to Arm
        The target comes first.

    Raises
    ------
    InputError
        If the network lacks a class, or a wrong one is the target.
    """
    aimed, = _scenes("target", [target], descriptions)
    others = _scenes("wrong", wrong, descriptions)
    arm = Arm(aimed, program)
    found = {aimed.caption: arm, CEILING: arm._replace(dithered=True)}
    for scene in others:
        if scene.caption in found or scene.target in [one.scene.target for one in found.values()]:
            raise OptionError("wrong", f"{scene.caption}: it is there already; name classes that differ from each other and from "
                             f"{aimed.caption}")
        found[scene.caption] = arm._replace(scene=scene)
    return found


def default_wrong(descriptions: Sequence[str], target: str = TARGET) -> list[str]:
    """`WRONG`, and in place of those that a network lacks, or that are aimed at, its first other classes, by their indices."""
    names = {term.casefold() for description in descriptions for term in terms(description)}
    aimed, *found = _scenes("target", [target, *(name for name in WRONG if name in names)], descriptions)
    wrong = [scene for scene in found if scene.target.bottom not in aimed.target.numbers]
    taken = {*aimed.target.numbers, *(scene.target.bottom for scene in wrong)}
    others = [str(index) for index in range(len(descriptions)) if index not in taken]
    return [scene.caption for scene in wrong] + others[:len(WRONG) - len(wrong)]


def all_arms(descriptions: Sequence[str], target: str = TARGET, wrong: Sequence[str] = WRONG,
             program: Program = STREAM) -> dict[str, Arm]:
    """Those of `quick_arms`, and the target with each of 2015's constants changed; those that share a compiled step together."""
    found = quick_arms(descriptions, target, wrong, program)
    arm = next(iter(found.values()))
    steps, rate, strength, k = (program.steps_per_frame, program.learning_rate, program.prior_strength,
                                program.video_frames_per_frame)
    few, many = max(1, steps // 2), 2 * steps
    found["no prior"] = arm.changed(prior_strength=0.0)
    for other in (0.3 * strength, 3 * strength):
        found[f"prior strength {other:g}"] = arm.changed(prior_strength=other)
    for other in (few, many):
        found[f"{other} steps"] = arm.changed(steps_per_frame=other)
    for other in (rate / 2, 2 * rate):
        found[f"learning rate {other:g}"] = arm.changed(learning_rate=other)
    for other in (few, many):
        reach = steps * rate / other
        found[f"{other} steps of {reach:g}"] = arm.changed(steps_per_frame=other, learning_rate=reach)
    for other in (k - 1, k + 1):
        found[f"k = {other}"] = arm.changed(video_frames_per_frame=other)
    found["Gaussian prior"] = arm._replace(kind="gaussian")
    found["Adam as published"] = arm._replace(update="published")
    found["no clip"] = arm._replace(update="no clip")
    found["bottom half alone"] = arm._replace(halves="bottom")
    found["top half alone"] = arm._replace(halves="top")
    return found


def _scenes(option, names, descriptions):
    try:
        return parse_classes(names, descriptions)
    except InputError as error:
        raise InputError(f"{option}=: {error}") from error

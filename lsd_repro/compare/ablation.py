"""The same dreams under different priors: an experiment in blocks.

A *block* is a class and a noise to start from; an *arm* is a prior: its kind, the scales at which
it looks, and its strength. Every arm dreams in every block, so that arms can be compared within
blocks. Blocks are dreamt one after the other: a study that is broken off has fewer, but whole ones.

What the dreams are worth is measured from their pictures, by `lsd_repro.compare.ablation_measures`.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from lsd_repro.errors import InputError
from lsd_repro.film.run import open_record
from lsd_repro.film.schedule import Scene
from lsd_repro.film.start import load_start, noise
from lsd_repro.film.stream import frames
from lsd_repro.film.write import as_still, write_png
from lsd_repro.hints import Picture, Pixels
from lsd_repro.material import files
from lsd_repro.material.arrays import digest
from lsd_repro.material.lock import one_at_a_time
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.prior.energy import Energy, check_scales, multiscale, patch_energy, total_variation
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import STREAM, Program
from lsd_repro.runtime.progress import tqdm
from lsd_repro.step.evaluate import compile_gradient
from lsd_repro.step.gradient import GradientStep

# The smallest picture that has a patch at the coarsest of the stream's scales; two frames, so
# that the second begins, as in the stream, with a dream that was zoomed.
PROGRAM = replace(STREAM, width=256, height=256, video_frames_per_frame=25, frames_per_class=2)
KINDS = "gaussian", "student", "tv"
ONE, ALL = "one scale", "all scales"
CLASSES = "king penguin", "ladybug", "goldfish"
STRENGTHS = 10.0, 30.0, 100.0  # the first is the stream's


class Arm(NamedTuple):
    """A prior to dream under.

    Attributes
    ----------
    kind : {"none", "gaussian", "student", "tv"}
    scales : {"one scale", "all scales"}
        The finest of the program's, or all of them.
    strength : float
        In the units of the Student-t at all scales; see `relative_weights`.
    """

    kind: str
    scales: str = ONE
    strength: float = 0.0

    @property
    def name(self) -> str:
        return "none" if self.kind == "none" else f"{self.kind}, {self.scales}, strength {self.strength:g}"

    @property
    def file_name(self) -> str:
        return self.name.replace(", ", "-").replace(" ", "-") + ".png"


class Block(NamedTuple):
    """What a dream is of, and the seed of the noise that it starts from."""

    scene: Scene
    seed: int

    @property
    def folder_name(self) -> str:
        words = re.sub(r"\W+", "-", self.scene.caption.lower()).strip("-")
        return f"{self.scene.target.numbers[0]:03d}-{words}-seed{self.seed}"


NONE = Arm("none")


def arms(kinds: Sequence[str] = KINDS, scales: Sequence[str] = (ONE, ALL),
         strengths: Sequence[float] = STRENGTHS) -> list[Arm]:
    """No prior, then each kind at each choice of scales and each strength."""
    return [NONE] + [Arm(kind, some, strength) for kind in kinds for some in scales for strength in strengths]


def blocks(scenes: Sequence[Scene], seeds: int) -> list[Block]:
    """All classes with the first seed, then all with the second, and so on."""
    return [Block(scene, seed) for seed in range(seeds) for scene in scenes]


def energies(priors: dict[str, PatchPrior]) -> dict[str, Energy]:
    """From the kind of a prior to its energy at one scale."""
    return {**{kind: patch_energy(prior) for kind, prior in priors.items()}, "tv": total_variation}


def relative_weights(priors: dict[str, PatchPrior], picture: Picture, scales: dict[str, Sequence[int]],
                     families: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """By what energies must be multiplied to push as hard as the Student-t at all scales.

    Energies have units of their own, and the mean over scales gives the finest of five a fifth of
    what it has alone. To compare like with like, each is scaled so that its gradient at one
    picture has the same root mean square.

    Parameters
    ----------
    priors : dict
        From "student" and "gaussian" to PatchPrior.
    picture : ndarray, shape (height, width, 3)
        What is pushed; a photo is neutral, being what all of them are there to keep.
    scales : dict of str to sequence of int
        From `ONE` and `ALL` to mean-pooling factors.
    families : sequence of (kind, name of the scales)

    Returns
    -------
    dict of (kind, name of the scales) to float
    """
    unit = "student", ALL
    push = {(kind, name): np.sqrt(np.mean(
        compile_gradient(multiscale(energies(priors)[kind], scales[name]))(picture) ** 2))
        for kind, name in {unit, *families}}
    return {family: float(push[unit] / push[family]) for family in families}


class Study(NamedTuple):
    """The dreams of a study, on the disk.

    Attributes
    ----------
    out : Path
    blocks : list of Block
    arms : list of Arm
    weights : dict of (kind, name of the scales) to float
        From `relative_weights`.
    """

    out: Path
    blocks: list[Block]
    arms: list[Arm]
    weights: dict[tuple[str, str], float]

    def path(self, block: Block, arm: Arm) -> Path:
        """Where a dream is kept."""
        return self.out / "pictures" / block.folder_name / arm.file_name

    def picture(self, block: Block, arm: Arm) -> Pixels:
        """A dream: (height, width, 3) uint8 array."""
        return read(self.path(block, arm))


def read(path: Path) -> Pixels:
    with Image.open(path) as file:
        return np.asarray(file)


@one_at_a_time
def dream_all(out: files.PathLike, network: NetworkWeights, priors: dict[str, PatchPrior], scenes: Sequence[Scene], seeds: int,
              kinds: Sequence[str] = KINDS, scales: Sequence[str] = (ONE, ALL), strengths: Sequence[float] = STRENGTHS,
              program: Program = PROGRAM, resume: bool = False) -> Study:
    """Dream every block under every arm; each dream is kept in `out` as soon as it is done.

    Parameters
    ----------
    out : path
        Folder; must be empty or absent, unless resuming.
    network : NetworkWeights
    priors : dict
        From "student" and "gaussian" to PatchPrior.
    scenes : sequence of Scene
        The classes to dream of.
    seeds : int
        How many noises to start from.
    kinds, scales, strengths : sequence
        See `arms`.
    program : Program
        Sets size, steps, frames, zoom and scales.
    resume : bool
        Go on with what `out` holds, and with classes or seeds that it lacks.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        As `lsd_repro.film.stream.open_record`; if the picture is too small for the scales, or a scene has two classes.
    """
    for scene in scenes:
        if len(set(scene.target.numbers)) > 1:
            raise InputError(f"'{scene.caption}': the study compares dreams of one class each; name them apart")
    out = Path(out)
    check_scales(program.height, program.width, program.prior_scales)
    sets: dict[str, Sequence[int]] = {ONE: program.prior_scales[:1], ALL: program.prior_scales}
    # Neither blocks nor arms: more of them may be asked for later, and change no dream.
    open_record(out, {
        **asdict(program), "network": network.digest,
        "priors": {kind: digest(prior.filters, prior.mean) for kind, prior in sorted(priors.items())}}, resume)
    study = Study(out, blocks(scenes, seeds), arms(kinds, scales, strengths),
                  kept_weights(out / "weights.json", priors, program, sets, [(kind, some) for kind in kinds for some in scales]))
    files.write_json(out / "classes.json",
                     {block.folder_name: network.descriptions[block.scene.target.numbers[0]] for block in study.blocks})
    steps = Steps(network, priors, sets, program)
    with tqdm(total=len(study.blocks) * len(study.arms), unit="dream", desc="dreaming") as bar:
        for block in study.blocks:
            files.make_folder(study.path(block, NONE).parent)
            for arm in study.arms:
                if not study.path(block, arm).exists():
                    bar.set_postfix_str(f"{block.scene.caption} {block.seed}: {arm.name}")
                    write_png(study.path(block, arm), as_still(dream(steps, block, arm, study.weights, program)))
                bar.update()
    return study


def kept_weights(path: Path, priors: dict[str, PatchPrior], program: Program, sets: dict[str, Sequence[int]],
                 families: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """`relative_weights` at the photo that ships, from a file as far as it has them; the others are added to it."""
    found = files.read_tables(path)
    missing = [(kind, scales) for kind, scales in families if scales not in found.get(kind, {})]
    if missing:
        start = load_start(size=(program.width, program.height))
        for (kind, scales), weight in relative_weights(priors, start, sets, missing).items():
            found.setdefault(kind, {})[scales] = weight
        files.write_json(path, found)
    return {(kind, scales): found[kind][scales] for kind, scales in families}


class Steps:
    """Gradient steps, one for each kind of prior and choice of scales, compiled when first asked for."""

    def __init__(self, network: NetworkWeights, priors: dict[str, PatchPrior], sets: dict[str, Sequence[int]],
                 program: Program) -> None:
        self._made: dict[tuple[str, str], GradientStep] = {}
        self._network, self._energies, self._sets, self._program = network, energies(priors), sets, program

    def at(self, arm: Arm, start: Picture, weights: dict[tuple[str, str], float]) -> GradientStep:
        """The step of an arm, at a start."""
        # No prior is any prior of strength 0; always the same one, the fastest, so that nothing depends on the order.
        kind, scales = ("tv", ONE) if arm.kind == "none" else (arm.kind, arm.scales)
        if (kind, scales) not in self._made:
            self._made[kind, scales] = GradientStep(
                self._network, multiscale(self._energies[kind], self._sets[scales]), start,
                self._program.learning_rate, 0.0, self._program.network_scales)
        step = self._made[kind, scales]
        step.prior_strength = arm.strength * weights.get((kind, scales), 0.0)
        step.picture = start
        step.reset_moments()
        return step


def dream(steps: Steps, block: Block, arm: Arm, weights: dict[tuple[str, str], float], program: Program) -> Picture:
    """One dream, as the stream would have it: zoom, then steps, frame after frame.

    Returns
    -------
    ndarray, shape (height, width, 3)
    """
    step = steps.at(arm, noise((program.width, program.height), block.seed), weights)
    try:
        for _ in frames(step, [(block.scene, program)] * program.frames_per_class):
            pass
    except InputError as error:
        raise InputError(f"{arm.name}: {error}") from error
    return step.picture

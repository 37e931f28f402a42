"""The same dream under different priors: what each does, and what one scale lacks."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from lsd_repro.dream.step import GradientStep, compile_energies, compile_gradient
from lsd_repro.film.run import check_finite, digest, open_record
from lsd_repro.film.stream import optimise_frame
from lsd_repro.film.write import as_still, write_png
from lsd_repro.material import files
from lsd_repro.prior.energy import multiscale, patch_energy, total_variation
from lsd_repro.program2015 import STREAM

# Large enough for all scales of the stream, and done in minutes with the small network.
PROGRAM = replace(STREAM, width=384, height=256, video_frames_per_frame=25, frames_per_class=3)
STRENGTHS = 2.0, 10.0  # the second is the stream's
KINDS = "gaussian", "student", "tv"


class Variant(NamedTuple):
    """One dream of the ablation.

    Attributes
    ----------
    kind : {"none", "gaussian", "student", "tv"}
    scales : tuple of int
    strength : float
        In the Student-t's units; see `relative_weights`.
    """

    kind: str
    scales: tuple
    strength: float

    @property
    def name(self):
        scales = "all scales" if len(self.scales) > 1 else "one scale"
        return "none" if self.kind == "none" else f"{self.kind}, {scales}, strength {self.strength:g}"

    @property
    def file_name(self):
        return self.name.replace(", ", "-").replace(" ", "-")


class Dream(NamedTuple):
    """The result of a variant.

    Attributes
    ----------
    picture : float32 array, shape (height, width, 3)
    logit : float
        Mean logit of the class over the picture.
    energy : float
        Multi-scale energy under the Student-t, whatever the variant's own prior.
    weight : float
        What the variant's own energy was multiplied by.
    """

    picture: np.ndarray
    logit: float
    energy: float
    weight: float


def variants(scales, strengths=STRENGTHS):
    """No prior, then each kind of prior at one scale and at all, at each strength."""
    return [Variant("none", tuple(scales), 0.0)] + [
        Variant(kind, some, strength)
        for strength in strengths for some in (tuple(scales[:1]), tuple(scales)) for kind in KINDS]


def energies(priors):
    """From the kind of a prior to its energy at one scale."""
    return {**{kind: patch_energy(prior) for kind, prior in priors.items()}, "tv": total_variation}


def relative_weights(priors, start, scales):
    """The factor by which each energy pushes as hard as the Student-t's.

    Energies have units of their own.  To compare like with like, each is scaled so that
    its gradient at the start image has the same root mean square as the Student-t's,
    both over all scales.

    Returns
    -------
    dict of str to float
    """
    push = {kind: np.sqrt(np.mean(compile_gradient(multiscale(energy, scales))(start) ** 2))
            for kind, energy in energies(priors).items()}
    return {kind: float(push["student"] / push[kind]) for kind in push}


def ablate(out, network, priors, start, scene, strengths=STRENGTHS, program=PROGRAM, resume=False):
    """Dream each variant; each is kept in `out` as soon as it is done.

    Parameters
    ----------
    out : path
        Folder; must be empty or absent, unless resuming.
    network : NetworkWeights
    priors : dict
        From "student" and "gaussian" to PatchPrior.
    start : ndarray, shape (height, width, 3)
    scene : Scene
        The class to dream of.
    strengths : sequence of float
    program : Program
        Sets steps, frames, zoom and scales.
    resume : bool
        Continue with what `out` holds.

    Returns
    -------
    dict of Variant to Dream

    Raises
    ------
    InputError
        As `lsd_repro.film.run.open_record`.
    """
    out = Path(out)
    open_record(out, {
        **asdict(program), "scene": list(scene), "strengths": list(strengths), "start": digest(start),
        "network": digest(*network.weights, *network.biases, network.average_image),
        "priors": {kind: digest(prior.filters, prior.mean) for kind, prior in sorted(priors.items())}}, resume)
    for folder in ("state", "pictures"):
        files.make_folder(out / folder)
    todo = variants(program.prior_scales, strengths)
    steps = program.frames_per_class * program.steps_per_frame
    dreams = {}
    judge, weights = None, None
    with tqdm(total=len(todo) * steps, unit="step", desc="dreaming") as bar:
        for variant in todo:
            kept = out / "state" / f"{variant.file_name}.npz"
            if kept.exists():
                dreams[variant] = load(kept)
                bar.update(steps)
                continue
            if judge is None:
                judge = compile_energies(multiscale(patch_energy(priors["student"]), program.prior_scales), [1])
                weights = {**relative_weights(priors, start, program.prior_scales), "none": 0.0}
            bar.set_postfix_str(variant.name)
            dreams[variant] = dream(variant, weights[variant.kind], network, priors, start, scene, program,
                                    judge, bar.update)
            write_png(out / "pictures" / f"{variant.file_name}.png", as_still(dreams[variant].picture))
            files.write_arrays(kept, **dreams[variant]._asdict())
    return dreams


def dream(variant, weight, network, priors, start, scene, program, judge, on_step):
    """Dream one variant, as the stream would: zoom, then steps, frame after frame."""
    energy = energies(priors).get(variant.kind, total_variation)
    step = GradientStep(network, multiscale(energy, variant.scales), start, program.learning_rate,
                        weight * variant.strength, program.network_scales)

    def after(terms):
        check_finite(terms.loss, variant.name)
        on_step()

    for _ in range(program.frames_per_class):
        optimise_frame(step, scene, program, after)
    picture = step.picture
    # A step reports on the picture before it.
    terms = step.step(scene.c0, scene.c1)
    return Dream(picture, terms.target, float(judge(picture)[0]), weight * variant.strength)


def load(path):
    """A Dream from its file."""
    with np.load(path) as kept:
        return Dream(kept["picture"], float(kept["logit"]), float(kept["energy"]), float(kept["weight"]))

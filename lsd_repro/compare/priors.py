"""Priors compared with each other, in numbers."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import numpy as np
from scipy.stats import mannwhitneyu

from lsd_repro.compare.pictures import crops, degradations
from lsd_repro.errors import InputError
from lsd_repro.hints import Floats, Picture
from lsd_repro.material.files import PathLike
from lsd_repro.material.photos import photo_paths
from lsd_repro.prior import density, store
from lsd_repro.prior.energy import Energy, patch_energy
from lsd_repro.prior.fit import scale_matrix
from lsd_repro.prior.patches import sample_patches
from lsd_repro.program2015 import PATCH_SIZE, STREAM
from lsd_repro.runtime.progress import tqdm
from lsd_repro.step.evaluate import compile_energies

# Crops hold a patch at each of the stream's scales but the coarsest, at which few
# photos would give any.
SCALES = STREAM.prior_scales[:-1]
CROP = SCALES[-1] * PATCH_SIZE
HELD_OUT_PATCHES = 20_000
# Units of the prior's own scale.
HISTOGRAM_LIMIT = 60.0
HISTOGRAM_BINS = 241


class Entry(NamedTuple):
    """A prior to compare, and the name it goes by in figures and numbers."""

    label: str
    prior: store.PatchPrior


def entries(paths: Sequence[str]) -> list[Entry]:
    """All priors in files and folders, with distinct names.

    Parameters
    ----------
    paths : sequence of str
        ``.npz`` files or folders, see `lsd_repro.prior.store.load`; ``NAME=F`` gives one
        a name other than its own.

    Returns
    -------
    list of Entry

    Raises
    ------
    InputError
        As `store.load`, or if two would have the same name.
    """
    found = []
    for path in map(str, paths):
        name, named, file = path.partition("=")
        # A path may have an = of its own.
        if not named or Path(path).exists():
            name, file = Path(path).resolve().stem, path
        found += [Entry(f"{name} {kind}", prior) for kind, prior in store.load(file).items()]
    labels = [entry.label for entry in found]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise InputError(f"two priors are called '{twice[0]}': give one another name, as in NAME=FILE")
    return found


def held_out_patches(folder: Optional[PathLike], patch_size: int, count: int = HELD_OUT_PATCHES,
                     seed: int = 0) -> Floats:
    """Dithered patches of photos that the prior was not fitted on; see `photo_paths`."""
    return sample_patches(photo_paths(folder), count, np.random.default_rng(seed), patch_size).patches


class Fit(NamedTuple):
    """How a prior fits held-out patches.

    Attributes
    ----------
    nu : float or None
        Degrees of freedom of a Student-t: the prior's own, or if it has none the likeliest ones.
    own_nu : bool
    nats_per_pixel : float
        Mean log-density, per pixel of three channels.
    edges, heights : float array
        Histogram of all components of (z - mu), as a density.
    beyond : dict
        From a number of scale units to the fractions beyond it: observed, model.
    """

    nu: Optional[float]
    own_nu: bool
    nats_per_pixel: float
    edges: Floats
    heights: Floats
    beyond: dict[float, tuple[float, float]]


def held_out_fit(prior: store.PatchPrior, patches: Floats, tails: Sequence[float] = (5, 20)) -> Fit:
    """How well a prior's density describes patches; see `Fit`."""
    nu = density.degrees_of_freedom(prior, patches) if prior.kind == "student" else None
    z = density.deviations(prior, patches).ravel()
    edges = np.linspace(-HISTOGRAM_LIMIT, HISTOGRAM_LIMIT, HISTOGRAM_BINS + 1)
    counts, _ = np.histogram(z, edges)
    model = density.marginal(prior, nu)
    beyond = {tail: (float(np.mean(np.abs(z) > tail)), float(2 * model.sf(tail))) for tail in tails}
    return Fit(nu, prior.degrees_of_freedom is not None,
               density.mean_log_likelihood(prior, patches, nu) / prior.patch_size ** 2,
               edges, counts / len(z) / np.diff(edges), beyond)


def scale_correlations(found: Sequence[Entry]) -> Floats:
    """Pearson correlations between the entries of all scale matrices, (n, n).

    NaN between priors of different patch sizes.
    """
    matrices = [scale_matrix(entry.prior).ravel() for entry in found]
    return np.array([[np.corrcoef(a, b)[0, 1] if len(a) == len(b) else np.nan for b in matrices] for a in matrices])


def spectrum(prior: store.PatchPrior) -> Floats:
    """Roots of the scale matrix's eigenvalues, falling, in grey levels."""
    return np.sort(1 / np.linalg.norm(density.whitening(prior), axis=0))[::-1]


def auc(natural: Floats, degraded: Floats) -> float:
    """Probability that a natural picture has less energy than a degraded one.

    Parameters
    ----------
    natural, degraded : float array
        Energies.

    Returns
    -------
    float
        Area under the ROC curve: 1 all ranked right, 0.5 chance, 0 all wrong.
    """
    return float(mannwhitneyu(degraded, natural).statistic / (len(natural) * len(degraded)))


def energy_table(energies: Mapping[str, Energy],
                 sets: Mapping[str, Union[Picture, Sequence[Picture]]]) -> dict[tuple[str, str], Floats]:
    """Energies of sets of pictures, at each of `SCALES`.

    Parameters
    ----------
    energies : dict of str to function
        From name to an energy; see `lsd_repro.prior.energy`.
    sets : dict of str to sequence of pictures

    Returns
    -------
    dict of (energy name, set name) to float array (pictures, scales)
    """
    table = {}
    total = len(energies) * sum(map(len, sets.values()))
    with tqdm(total=total, desc="energies", unit="picture") as bar:
        for name, energy in energies.items():
            function = compile_energies(energy, SCALES)
            for kind, pictures in sets.items():
                values = []
                for picture in pictures:
                    values.append(function(picture))
                    bar.update()
                table[name, kind] = np.array(values)
    return table


def picture_sets(folder: Optional[PathLike] = None, dreams: Sequence[Path] = (),
                 seed: int = 0) -> dict[str, Picture]:
    """Held-out crops, degraded copies of them, and crops of dreams."""
    natural = crops(photo_paths(folder), CROP)
    sets = {"photos": natural, **degradations(natural, seed)}
    if dreams:
        sets["dreams"] = crops(dreams, CROP)
    return sets


def rankings(table: dict[tuple[str, str], Floats], names: Iterable[str],
             sets: Iterable[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """AUC of photos against each other set, by the mean over scales and by each scale.

    Returns
    -------
    dict of name to dict of set to {"all scales": float, "by scale": list of float}
    """
    return {name: {kind: {
        "all scales": auc(table[name, "photos"].mean(axis=1), table[name, kind].mean(axis=1)),
        "by scale": [auc(*pair) for pair in zip(table[name, "photos"].T, table[name, kind].T)]}
        for kind in sets if kind != "photos"} for name in names}


def energies_of(found: Sequence[Entry]) -> dict[str, Energy]:
    """Name to energy of each entry."""
    return {entry.label: patch_energy(entry.prior) for entry in found}

"""What the dreams of an ablation are worth, by judges that the prior was not fitted for.

A judge is a function from a picture and the description of its class to a number. Those here need
nothing but the package; ``python -m lsd_repro.train.judge_ablation DIR`` adds EfficientNet-lite0, which needs PyTorch.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Callable, NamedTuple, Optional

import numpy as np
from scipy.special import log_softmax

from lsd_repro.compare import statistics
from lsd_repro.compare.ablation import Study, energies
from lsd_repro.compare.pictures import crops
from lsd_repro.hints import Floats, Picture
from lsd_repro.material import files
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.prior.energy import patch_energy
from lsd_repro.prior.store import PatchPrior
from lsd_repro.runtime.progress import tqdm
from lsd_repro.step.evaluate import compile_energies, compile_logits

FILE = "measures.json"
JUDGED = "judged.json"  # what the command in `lsd_repro.train.judge_ablation` writes
LOGIT = "logit, dreaming network"

# From a picture and the class that was dreamt of to a number; None where a judge doesn't know the class.
Sees = Callable[[Picture, int], Optional[float]]


class Judge(NamedTuple):
    """What a number means.

    Attributes
    ----------
    label : str
    better : {1, -1}
        Whether more of it is better, or less.
    """

    label: str
    better: int


# In the order of tables and figures. Energies are under priors that may be the dream's own.
JUDGES = {
    "EfficientNet-lite0": Judge("class evidence by EfficientNet-lite0 (nats)", 1),
    "other network": Judge("class evidence by a VGG-16 that did not dream it (nats)", 1),
    "spectrum": Judge("distance of the power spectrum from photos' (dB)", -1),
    "kurtosis": Judge("distance of the bands' kurtosis from photos'", -1),
    "clipped": Judge("values at 0 or 255 (%)", -1),
    "energy, gaussian": Judge("energy under the Gaussian", -1),
    "energy, tv": Judge("total variation (grey levels)", -1),
    "energy, student": Judge("energy under the Student-t", -1),
    "energy, other": Judge("energy under a Student-t that no dream was under", -1),
}


def judges(network: NetworkWeights, descriptions: dict[int, str], other: Optional[NetworkWeights], priors: dict[str, PatchPrior],
           scales: Sequence[int], side: int, photos: Sequence[Path],
           judge_prior: Optional[PatchPrior] = None) -> dict[str, Sees]:
    """The judges that need no PyTorch.

    Parameters
    ----------
    network : NetworkWeights
        That dreamt.
    descriptions : dict of int to str
        What the classes that were dreamt of are, by their index in it.
    other : NetworkWeights or None
        That did not.
    priors : dict of str to PatchPrior
    scales : sequence of int
        At which energies are taken, and averaged.
    side : int
        Of the crops of photos that dreams are compared with.
    photos : sequence of path
    judge_prior : PatchPrior, optional
        That no dream was under.

    Returns
    -------
    dict of str to function
        From a picture (height, width, 3) and a class index to a float.
    """
    known = energies(priors)
    if judge_prior is not None:
        known["other"] = patch_energy(judge_prior)
    found = {
        LOGIT: _compiled(partial(compile_logits, network), _target),
        **photo_judges(crops(photos, side)),
        "clipped": lambda picture, c: 100 * np.mean((picture == 0) | (picture == 255)),
        **{f"energy, {kind}": _compiled(partial(compile_energies, energy, scales), _mean)
           for kind, energy in known.items()},
    }
    if other is not None:
        index = {c: other.descriptions.index(text) for c, text in descriptions.items() if text in other.descriptions}
        evidence = _compiled(partial(compile_logits, other), log_probability)
        found["other network"] = lambda picture, c: evidence(picture, index[c]) if c in index else None
    return found


def _compiled(compile_function, read):
    """A judge whose function is compiled at the first picture: a study that was measured needs none."""
    made: list[Callable[[Picture], Floats]] = []

    def judge(picture, c):
        if not made:
            made.append(compile_function())
        return read(made[0](picture), c)

    return judge


def _target(logits, c):
    return logits[c].mean()


def _mean(energies_by_scale, _):
    return energies_by_scale.mean()


def photo_judges(photos: Picture) -> dict[str, Sees]:
    """Distances from photos: of the power spectrum, and of the kurtosis of its bands.

    Parameters
    ----------
    photos : array, shape (n, height, width, 3)

    Returns
    -------
    dict of str to function
        As `judges`.
    """
    power = np.mean([spectrum(photo) for photo in photos], axis=0)
    kurtosis = np.median([statistics.band_kurtosis(luma(photo)) for photo in photos], axis=0)
    return {"spectrum": lambda picture, c: np.sqrt(np.mean((spectrum(picture) - power) ** 2)),
            "kurtosis": lambda picture, c: np.mean(np.abs(statistics.band_kurtosis(luma(picture)) - kurtosis))}


def luma(picture: Picture) -> Floats:
    """Brightness in 0..255."""
    return picture.astype(np.float64) @ (0.2125, 0.7154, 0.0721)


def spectrum(picture: Picture) -> Floats:
    """Power at each of `statistics.FREQUENCIES`, in dB."""
    return 10.0 * np.log10(statistics.radial_spectrum(luma(picture)))


def log_probability(logits: Floats, c: int) -> float:
    """Mean over a map (classes, rows, columns) of the log of a class's softmax."""
    return log_softmax(logits, axis=0)[c].mean()


def measure(study: Study, found: dict[str, Sees]) -> dict[str, Floats]:
    """Measure every dream of a study by every judge, and keep the numbers.

    Parameters
    ----------
    study : Study
    found : dict of str to function
        From `judges`.

    Returns
    -------
    dict of str to float array, shape (blocks, arms)
        NaN where a judge does not know the class.
    """
    path = study.out / FILE
    known = files.read_tables(path)
    cells = {(block, arm): f"{block.folder_name}/{arm.file_name}" for block in study.blocks for arm in study.arms}
    try:
        for (block, arm), key in tqdm(cells.items(), desc="measuring", unit="dream"):
            missing = [name for name in found if name not in known.get(key, {})]
            if missing:
                picture = study.picture(block, arm)
                known.setdefault(key, {}).update(
                    {name: _plain(found[name](picture, block.scene.target.bottom)) for name in missing})
    finally:
        files.write_json(path, known)
    extra = files.read_tables(study.out / JUDGED)
    names = [*found, *({name for values in extra.values() for name in values})]
    return {name: np.array([[_number({**known[cells[block, arm]], **extra.get(cells[block, arm], {})}.get(name))
                             for arm in study.arms] for block in study.blocks]) for name in names}


def _plain(value):
    return None if value is None else float(value)


def _number(value):
    return np.nan if value is None else value

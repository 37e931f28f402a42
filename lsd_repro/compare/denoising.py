"""How well priors denoise, on the pictures that the field compares on; what ``lsd-repro prior denoise`` leaves behind.

Noise is white, Gaussian and neither clipped nor rounded; a result is clipped to 0..255, but not rounded, before it is
compared with the picture (PSNR with a peak of 255).  Every method gets the same noise.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np
from scipy import stats

from lsd_repro.errors import InputError
from lsd_repro.film.run import open_record
from lsd_repro.hints import Floats, Picture
from lsd_repro.material import arrays, fetch, files, photos, shipped
from lsd_repro.material.arrays import digest
from lsd_repro.material.files import PathLike
from lsd_repro.material.lock import one_at_a_time
from lsd_repro.prior import denoise, density, store
from lsd_repro.prior.patches import sample_patches
from lsd_repro.runtime.progress import tqdm

SIGMAS = 15, 25, 50
# Sets of `lsd_repro.material.fetch`, by the number of channels.
SETS = {1: "bsd68", 3: "cbsd68"}
# Mean PSNR in dB on the same 68 pictures: Zhang, Zuo, Chen, Meng & Zhang, "Beyond a Gaussian denoiser", IEEE Trans. Image
# Processing 26 (2017), whose figures stand in the README of cszn/DnCNN, too.
PUBLISHED = {"EPLL, a mixture of 200 Gaussians": {15: 31.21, 25: 28.68, 50: 25.67}, "BM3D": {15: 31.07, 25: 28.57, 50: 25.62}}
# For the degrees of freedom of a prior that comes without them, as 2015's.
PATCHES = 20_000


class Method(NamedTuple):
    """A way to denoise: "mean", the average over all overlapping patches' posterior means, or EPLL's rounds.

    Attributes
    ----------
    label : str
    kind : {"gaussian", "student"}
        The prior it needs.
    rule : callable
        From `lsd_repro.prior.denoise`.
    schedule : sequence of float or None
        As for `lsd_repro.prior.denoise.denoise`.
    """

    label: str
    kind: str
    rule: denoise.Rule
    schedule: Optional[tuple[float, ...]]


METHODS = {
    "gaussian": Method("Gaussian, mean", "gaussian", denoise.wiener, None),
    "gaussian-epll": Method("Gaussian, EPLL", "gaussian", denoise.wiener, denoise.EPLL),
    "2015": Method("2015's energy, mean", "student", denoise.component_mean, None),
    "2015-epll": Method("2015's energy, mode, EPLL", "student", denoise.component_mode, denoise.EPLL),
    "student": Method("joint Student-t, mean", "student", denoise.joint_mean, None),
    "student-mode": Method("joint Student-t, mode, EPLL", "student", denoise.joint_mode, denoise.EPLL),
    "student-epll": Method("joint Student-t, EPLL", "student", denoise.joint_scale, denoise.EPLL)}
# Which is better, picture by picture.
PAIRS = (("student", "gaussian"), ("2015", "gaussian"), ("student", "2015"), ("student-epll", "2015-epll"),
         ("student-epll", "student"), ("gaussian-epll", "gaussian"))


@one_at_a_time
def page(out: PathLike, colour: bool = False, prior: Optional[PathLike] = None, pictures: Optional[PathLike] = None,
         sigmas: Sequence[int] = SIGMAS, methods: Optional[Sequence[str]] = None, seed: int = 0,
         resume: bool = False) -> str:
    """Denoise pictures by each method; keep every PSNR (``denoising.json``), a table and a figure.

    Parameters
    ----------
    out : path
        Folder; must be empty or absent, unless resuming.
    colour : bool
        Whether in RGB; else grey.
    prior : path, optional
        See `lsd_repro.prior.store.load`; default: the one of that kind that ships.
    pictures : path, optional
        Folder; default: the set of `SETS` that was fetched.
    sigmas : sequence of int
        Standard deviations of the noise, in grey levels.
    methods : sequence of str, optional
        Keys of `METHODS`; default: all.
    seed : int
        Of the noise.
    resume : bool
        Go on with what `out` holds.

    Returns
    -------
    str
        The table, in Markdown.

    Raises
    ------
    InputError
        If there are no pictures (the message says how to get them), no prior of the kind, or as `open_record`.
    """
    from lsd_repro.figures import denoising as figures
    from lsd_repro.figures import drawing

    out, channels = Path(out), 3 if colour else 1
    chosen = {name: METHODS[name] for name in methods or METHODS}
    path = prior or shipped.path(shipped.PRIORS if colour else shipped.GREY_PRIORS)
    found = store.load(path, channels)
    missing = sorted({method.kind for method in chosen.values()} - set(found))
    if missing:
        raise InputError(f"{path}: holds no {missing[0]} prior; fit both kinds with 'lsd-repro prior fit', or choose "
                         "other methods=")
    nu = degrees_of_freedom(found, channels)
    paths = picture_paths(channels, pictures)
    open_record(out, {
        "pictures": [one.name for one in paths], "sigmas": list(sigmas), "methods": list(chosen), "seed": seed, "nu": nu,
        "priors": {kind: digest(one.filters, one.mean) for kind, one in sorted(found.items())}}, resume)
    values = measured(out / "values.json", paths, found, chosen, sigmas, seed, nu)
    numbers = {
        "pictures": [one.name for one in paths], "channels": channels, "degrees of freedom": nu, "seed": seed,
        "prior": store.read_provenance(path), "noisy": mean_of(values, "noisy", sigmas),
        "mean PSNR": {name: mean_of(values, name, sigmas) for name in chosen},
        "differences, mean and 95 % interval": {
            f"{a} - {b}": {sigma: difference(values, a, b, sigma) for sigma in sigmas}
            for a, b in PAIRS if a in chosen and b in chosen},
        "published": PUBLISHED if pictures is None and channels == 1 else {}, "PSNR": values}
    text = table(numbers, chosen, sigmas)
    files.write_json(out / "denoising.json", numbers, files.DIGITS)
    files.write_bytes(out / "denoising.md", (text + "\n").encode())
    shown = example(found, chosen, channels, nu, paths[0] if pictures else None)
    drawing.save(out / "denoising.png", figures.denoising(numbers, chosen, sigmas, shown))
    return text


def picture_paths(channels: int, folder: Optional[PathLike] = None) -> list[Path]:
    """Paths of the test pictures of one or three channels; InputError, with the command that gets them, if they aren't here."""
    if folder is not None:
        return photos.find_photos(folder)
    place = fetch.fetched(SETS[channels])
    if place is None:
        raise InputError(f"the test pictures are not here: 'lsd-repro fetch {SETS[channels]}' downloads them, "
                         "or name a folder of others, pictures=")
    return [place / file.name for file in fetch.SETS[SETS[channels]]]


def degrees_of_freedom(found: dict[str, store.PatchPrior], channels: int) -> Optional[float]:
    """Those of the Student-t in a file, from photos that ship with scikit-image if it doesn't say; None without one."""
    if "student" not in found:
        return None
    prior = found["student"]
    if prior.degrees_of_freedom is not None:
        return prior.degrees_of_freedom
    sample = sample_patches(photos.photo_paths(), PATCHES, np.random.default_rng(0), prior.patch_size, channels=channels)
    return density.degrees_of_freedom(prior, sample.patches)


def measured(kept: Path, paths: Sequence[Path], found: dict[str, store.PatchPrior], methods: dict[str, Method],
             sigmas: Sequence[int], seed: int, nu: Optional[float]) -> dict[str, dict[str, list[float]]]:
    """PSNR by method, sigma and picture; kept in a file as soon as a picture is done, and taken from there.

    Returns
    -------
    dict
        ``values[name][str(sigma)]``: a list in the order of `paths`, for each of `methods` and "noisy".
    """
    names = "noisy", *methods
    values = read(kept, names, sigmas) or {name: {str(sigma): [] for sigma in sigmas} for name in names}
    done = len(values["noisy"][str(sigmas[-1])])
    channels = next(iter(found.values())).channels
    with tqdm(total=len(paths), initial=done, unit="picture", desc="denoising") as bar:
        for index in range(done, len(paths)):
            clean = photos.read_photo(paths[index], channels).astype(np.float32)
            # The same draw at each level of noise.
            draw = np.random.default_rng((seed, index)).standard_normal(clean.shape, np.float32)
            for sigma in sigmas:
                noisy = clean + np.float32(sigma) * draw
                # Here not clipped: what 20 log10(255 / sigma) is for.
                values["noisy"][str(sigma)].append(psnr(clean, noisy))
                for name, method in methods.items():
                    estimate = denoise.denoise(noisy, sigma, found[method.kind], method.rule, method.schedule, nu)
                    values[name][str(sigma)].append(psnr(clean, np.clip(estimate, 0, 255)))
            files.write_json(kept, values)
            bar.update()
    return values


def read(kept: Path, names: Sequence[str], sigmas: Sequence[int]) -> Optional[dict[str, dict[str, list[float]]]]:
    """The values in a file of `measured`; None if there is none."""
    values = files.read_tables(kept)
    if not values:
        return None
    try:
        if len({len(values[name][str(sigma)]) for name in names for sigma in sigmas}) > 1:
            raise ValueError("not all lists are of the same length")
        return values
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{kept}: can't be read ({arrays.reason(error)}); delete it, and resume=True makes it anew") from error


def psnr(clean: Picture, estimate: Floats) -> float:
    """Peak signal-to-noise ratio in dB, with a peak of 255."""
    return float(20 * np.log10(255) - 10 * np.log10(np.mean((np.asarray(estimate, np.float64) - clean) ** 2)))


def mean_of(values: dict[str, dict[str, list[float]]], name: str, sigmas: Sequence[int]) -> dict[int, float]:
    return {sigma: float(np.mean(values[name][str(sigma)])) for sigma in sigmas}


def difference(values: dict[str, dict[str, list[float]]], a: str, b: str, sigma: int) -> list[Optional[float]]:
    """By how many dB method `a` is better than `b` on the same pictures: mean, and its 95 % interval by Student's t."""
    pairs = np.subtract(values[a][str(sigma)], values[b][str(sigma)])
    if len(pairs) < 2:
        return [float(pairs.mean()), None, None]
    error = stats.sem(pairs) * stats.t.ppf(0.975, len(pairs) - 1)
    return [float(pairs.mean()), float(pairs.mean() - error), float(pairs.mean() + error)]


def table(numbers: dict[str, Any], methods: dict[str, Method], sigmas: Sequence[int]) -> str:
    """Mean PSNR of each method, and published ones, as Markdown."""
    rows = [("", *(f"sigma {sigma}" for sigma in sigmas)), ("---", *("---:" for _ in sigmas))]
    rows.append(("noisy picture", *(f"{numbers['noisy'][sigma]:.2f}" for sigma in sigmas)))
    rows += [(method.label, *(f"{numbers['mean PSNR'][name][sigma]:.2f}" for sigma in sigmas))
             for name, method in methods.items()]
    rows += [(f"{name} (published)", *(f"{known[sigma]:.2f}" if sigma in known else "" for sigma in sigmas))
             for name, known in numbers["published"].items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def example(found: dict[str, store.PatchPrior], methods: dict[str, Method], channels: int, nu: Optional[float],
            path: Optional[Path] = None, sigma: int = 25, side: int = 160) -> dict[str, Picture]:
    """Part of a picture, clean, noisy and denoised: dict of title to picture (height, width, 3), `side` at the most.

    Without a path, of a photo that scikit-image ships: the Berkeley pictures are not ours to show.
    """
    if path is None:
        photo = photos.read_photo(photos.photo_paths()[0], channels)[40:40 + side, 140:140 + side].astype(np.float32)
    else:
        photo = photos.read_photo(path, channels).astype(np.float32)
        top, left = (max(0, length - side) // 2 for length in photo.shape[:2])
        photo = photo[top:top + side, left:left + side]
    noisy = photo + sigma * np.random.default_rng(0).standard_normal(photo.shape, np.float32)
    shown = {"clean": photo, f"noise of sigma {sigma}\n{psnr(photo, noisy):.2f} dB": noisy}
    for method in methods.values():
        estimate = np.clip(denoise.denoise(noisy, sigma, found[method.kind], method.rule, method.schedule, nu), 0, 255)
        shown[f"{method.label}\n{psnr(photo, estimate):.2f} dB"] = estimate
    return {title: np.broadcast_to(picture, (*photo.shape[:2], 3)) for title, picture in shown.items()}

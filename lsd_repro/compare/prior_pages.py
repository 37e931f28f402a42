"""What ``lsd-repro prior show`` and ``compare`` leave behind: figures, and a JSON of every number."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np

from lsd_repro.compare import priors
from lsd_repro.compare.pictures import crops
from lsd_repro.figures import drawing
from lsd_repro.figures import priors as figures
from lsd_repro.film.start import load_start
from lsd_repro.hints import Floats, Picture
from lsd_repro.material import files
from lsd_repro.material.photos import photo_paths
from lsd_repro.prior import density, store
from lsd_repro.prior.energy import check_scales, total_variation
from lsd_repro.runtime.progress import tqdm
from lsd_repro.step.evaluate import compile_energy_map
from lsd_repro.step.sampling import sample_picture

TILES = 64  # patches on a sheet
SAMPLE_SIDE = 224
SAMPLE_MARGIN = 16  # pixels at the border lie in fewer patches, and are left out
SAMPLE_STEPS = 200


def show(path: files.PathLike, out: files.PathLike, photos: Optional[files.PathLike] = None, seed: int = 0) -> dict[str, Any]:
    """Figures and numbers of the priors in one file.

    Parameters
    ----------
    path : path
        A prior file or folder; see `lsd_repro.prior.store.load`.
    out : path
        Folder for ``prior-filters-KIND.png``, ``prior-samples.png``, ``prior-tails.png``
        and ``prior-show.json``.
    photos : path, optional
        Folder of photos that the priors were not fitted on; see `photo_paths`.
    seed : int

    Returns
    -------
    dict
        The numbers.
    """
    found = dict(sorted(store.load(path).items()))
    files.make_folder(out)
    patch_size = next(iter(found.values())).patch_size
    rng = np.random.default_rng(seed)
    patches = priors.held_out_patches(photos, patch_size, seed=seed)
    fits = {kind: priors.held_out_fit(prior, patches) for kind, prior in found.items()}

    for kind, prior in found.items():
        label = drawing.NAMES[kind] + " prior"
        drawing.save(Path(out) / f"prior-filters-{kind}.png", figures.prior_filters(
            kind, label, density.whitening(prior), priors.spectrum(prior), density.mean_patch(prior)))
    drawing.save(Path(out) / "prior-tails.png", figures.prior_tails(
        fits, {kind: density.marginal(prior, fits[kind].nu) for kind, prior in found.items()}))

    sampled_patches = {kind: density.sample_patches(prior, TILES, rng, fits[kind].nu) for kind, prior in found.items()}
    sampled = sample_pictures(found, seed)
    natural = crops(photo_paths(photos), SAMPLE_SIDE)
    drawing.save(Path(out) / "prior-samples.png", figures.prior_samples(
        patches[rng.choice(len(patches), TILES, replace=False)], sampled_patches, natural[0], sampled))

    numbers = {"photos": [photo.name for photo in photo_paths(photos)], "patches": len(patches)}
    for kind, prior in found.items():
        fit, values = fits[kind], priors.spectrum(prior)
        numbers[kind] = {
            "root eigenvalues": {"largest": values[0], "smallest": values[-1]},
            "nats per pixel": fit.nats_per_pixel, "bits per pixel": fit.nats_per_pixel / np.log(2),
            "degrees of freedom": fit.nu, "degrees of freedom are the prior's own": fit.own_nu,
            "responses beyond, observed and by the model": fit.beyond}
    files.write_json(Path(out) / "prior-show.json", numbers, files.DIGITS)
    return numbers


def sample_pictures(found: dict[str, store.PatchPrior], seed: int) -> dict[tuple[str, str], Picture]:
    """Pictures drawn from each prior at one scale, and from the Student-t at all that fit."""
    side = SAMPLE_SIDE + 2 * SAMPLE_MARGIN
    wanted: list[tuple[str, tuple[int, ...]]] = [(kind, (1,)) for kind in found]
    if "student" in found:
        wanted.append(("student", priors.SCALES))
    sampled: dict[tuple[str, str], Picture] = {}
    with tqdm(total=len(wanted) * SAMPLE_STEPS, desc="sampling", unit="step") as bar:
        for kind, scales in wanted:
            check_scales(side, side, scales, found[kind].patch_size)
            picture = sample_picture(found[kind], (side, side), scales, SAMPLE_STEPS, seed, bar.update)
            caption = "one scale" if len(scales) == 1 else f"scales {', '.join(map(str, scales))}"
            sampled[kind, caption] = picture[SAMPLE_MARGIN:-SAMPLE_MARGIN, SAMPLE_MARGIN:-SAMPLE_MARGIN]
    return sampled


def compare(paths: Sequence[str], out: files.PathLike, image: Optional[files.PathLike] = None,
            photos: Optional[files.PathLike] = None, dreams: Sequence[Path] = (), seed: int = 0) -> dict[str, Any]:
    """Several priors side by side, in four figures, and their numbers.

    Parameters
    ----------
    paths : sequence of str
        Prior files or folders, ``NAME=F`` to name one; see `lsd_repro.compare.priors.entries`.
    out : path
        Folder for ``prior-compare-{filters,energies,ranking,maps}.png`` and ``prior-compare.json``.
    image : path, optional
        Whose energy maps are shown (default: a photo that scikit-image ships).
    photos : path, optional
        Folder of photos that no prior was fitted on; see `photo_paths`.
    dreams : sequence of path
        Dreamt pictures, to rank as well.
    seed : int

    Returns
    -------
    dict
        The numbers.

    Raises
    ------
    InputError
        As `store.load` and `crops`, or if the image is too small.
    """
    found = priors.entries(paths)
    names = [entry.label for entry in found]
    photo = load_start(image)
    files.make_folder(out)
    for entry in found:
        check_scales(photo.shape[0], photo.shape[1], priors.SCALES, entry.prior.patch_size)
        check_scales(priors.CROP, priors.CROP, priors.SCALES, entry.prior.patch_size)
    sets = priors.picture_sets(photos, dreams, seed)
    table = priors.energy_table({**priors.energies_of(found), "total variation": total_variation}, sets)
    judged = [*names, "total variation"]
    ranked = priors.rankings(table, judged, sets)
    correlations = priors.scale_correlations(found)

    maps = {}
    for entry in tqdm(found, desc="energy maps", unit="prior"):
        function = compile_energy_map(entry.prior)
        maps[entry.label] = [function(pooled(photo, scale)) for scale in priors.SCALES]
    energies = {name: {kind: table[name, kind].mean(axis=0) for kind in sets} for name in judged}
    for name, figure in {
            "filters": figures.compared_filters(names, [density.whitening(entry.prior) for entry in found],
                                                [priors.spectrum(entry.prior) for entry in found], correlations),
            "energies": figures.compared_energies(energies, priors.SCALES),
            "ranking": figures.compared_rankings(
                {name: {kind: ranked[name][kind]["all scales"] for kind in ranked[name]} for name in judged}),
            "maps": figures.energy_maps(photo, maps, priors.SCALES)}.items():
        drawing.save(Path(out) / f"prior-compare-{name}.png", figure)
    numbers = {
        "priors": names, "scales": list(priors.SCALES),
        "pictures": {kind: len(pictures) for kind, pictures in sets.items()}, "crop": priors.CROP,
        "scale matrix correlations": {a: dict(zip(names, row)) for a, row in zip(names, correlations.tolist())},
        "mean energy by scale": {name: {kind: values.tolist() for kind, values in energies[name].items()} for name in judged},
        "auc, photos below": ranked,
        "root eigenvalues": {entry.label: {"largest": values[0], "smallest": values[-1]}
                             for entry, values in zip(found, map(priors.spectrum, (e.prior for e in found)))}}
    files.write_json(Path(out) / "prior-compare.json", numbers, files.DIGITS)
    return numbers


def pooled(picture: Picture, scale: int) -> Floats:
    """A picture mean-pooled as the energies see it."""
    height, width = (side // scale for side in picture.shape[:2])
    blocks = picture[:height * scale, :width * scale].reshape(height, scale, width, scale, 3)
    return blocks.mean(axis=(1, 3))

"""What priors look like, one by one and side by side."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from lsd_repro.figures.drawing import COLOURS, NAMES, bare, colour, show, table, tiles
from lsd_repro.hints import Floats, Integers, Picture

GRID_COLUMNS = 16
ENERGY_COLUMNS = 3


def filter_tiles(whitening: Floats, columns: int = GRID_COLUMNS, chosen: Optional[Integers] = None) -> Floats:
    """Filters on one sheet, from the most precise to the least, each over its own range.

    Parameters
    ----------
    whitening : array, shape (d, d)
        A filter per column.
    columns : int
    chosen : array of int, optional
        Ranks to show (default: all).
    """
    order = np.argsort(-np.linalg.norm(whitening, axis=0), kind="stable")
    filters = whitening[:, order if chosen is None else order[chosen]].T
    size = int(round((filters.shape[1] / 3) ** 0.5))
    filters = filters / np.abs(filters).max(axis=1, keepdims=True)
    return tiles(filters.reshape(-1, size, size, 3) / 2 + 0.5, columns)


def prior_filters(kind: str, label: str, whitening: Floats, spectrum: Floats, mean_patch: Floats) -> Figure:
    """The filters of a prior, the spectrum of its scale matrix, and its mean patch."""
    figure = Figure((11, 6.2), layout="constrained")
    grid, side = figure.subplots(1, 2, width_ratios=(1.9, 1))
    figure.suptitle(f"{label}: each filter measures one direction in which patches vary, "
                    "divided by how much they do")
    bare(grid, f"{len(spectrum)} filters, from the most precise (top left) to brightness (bottom right)", fontsize=10)
    grid.imshow(filter_tiles(whitening), interpolation="nearest")
    side.semilogy(spectrum, color=COLOURS[kind], lw=2)
    side.set_xlabel("component, from brightness to the finest detail")
    side.set_ylabel(("root eigenvalue of the scale matrix" if kind == "student" else "standard deviation")
                    + " (grey levels)")
    side.set_title(f"Spectrum: {spectrum[0]:.0f} down to {spectrum[-1]:.2g} grey levels", fontsize=10)
    side.grid(alpha=0.3)
    inset = side.inset_axes((0.66, 0.7, 0.28, 0.28))
    show(inset, mean_patch, "mean patch", fontsize=8)
    return figure


def prior_samples(natural_patches: Floats, sampled_patches: dict[str, Floats], natural: Picture,
                  sampled: Mapping[tuple[str, str], Picture]) -> Figure:
    """Patches and whole pictures drawn from priors, beside photos.

    Parameters
    ----------
    natural_patches : array (n, size, size, 3)
    sampled_patches : dict of kind to array (n, size, size, 3)
    natural : array (height, width, 3)
    sampled : dict of (kind, caption) to array (height, width, 3)
    """
    columns = max(1 + len(sampled_patches), 1 + len(sampled))
    figure = Figure((3.1 * columns, 7), layout="constrained")
    axes = figure.subplots(2, columns)
    figure.suptitle("Drawn from the priors alone: to the Gaussian all patches are equally rough, to the Student-t most are\n"
                    "flat and a few strong, as in photos. Neither knows of objects; these are the network's to add")
    for one in axes.ravel():
        one.axis("off")
    everything = [("patches of photos", natural_patches)] + [
        (f"patches drawn from the {NAMES[kind]}", patches) for kind, patches in sampled_patches.items()]
    for one, (title, patches) in zip(axes[0], everything):
        one.imshow(tiles(np.clip(patches, 0, 255) / 255, 8), interpolation="nearest")
        one.set_title(title, fontsize=10)
    for one, (title, picture) in zip(axes[1], [("part of a photo", natural)] + [
            (f"{NAMES[kind]}, {caption}", picture) for (kind, caption), picture in sampled.items()]):
        show(one, picture, title, fontsize=10)
    return figure


def prior_tails(fits: dict[str, Any], densities: dict[str, Any]) -> Figure:
    """Histograms of filter responses to held-out photos, against the priors' own densities.

    Parameters
    ----------
    fits : dict of kind to lsd_repro.compare.priors.Fit
    densities : dict of kind to frozen distribution
    """
    figure = Figure((11, 5), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(fits), sharey=True))
    figure.suptitle("Filter responses to held-out photos: rarely large, and then very. To a Gaussian that is\n"
                    "unthinkable, to a Student-t ordinary (it even expects more)")
    for one, (kind, fit) in zip(axes, fits.items()):
        centres = (fit.edges[1:] + fit.edges[:-1]) / 2
        shown = fit.heights > 0
        one.semilogy(centres[shown], fit.heights[shown], ".", ms=4, color="#555555", label="photos")
        fine = np.linspace(fit.edges[0], fit.edges[-1], 1001)
        name = NAMES[kind] + (f", nu = {fit.nu:.2f}" if kind == "student" else "")
        one.semilogy(fine, densities[kind].pdf(fine), color=COLOURS[kind], lw=2, label=name)
        beyond = ";  ".join(f"> {limit}: {observed:.1g}, model {model:.1g}"
                            for limit, (observed, model) in fit.beyond.items())
        one.set_title(f"{NAMES[kind]}: {fit.nats_per_pixel:.2f} nats per pixel\n"
                      f"share of responses {beyond}", fontsize=10)
        one.set_xlabel("filter response in units of the prior's own scale")
        one.set_ylim(1e-7, 2)
        one.grid(alpha=0.3)
        one.legend(fontsize=9, loc="upper left")
    axes[0].set_ylabel("density")
    return figure


def compared_filters(labels: Sequence[str], whitenings: Sequence[Floats], spectra: Sequence[Floats],
                     correlations: Any) -> Figure:
    """Filters of several priors, the spectra of their scale matrices, and how these correlate.

    Parameters
    ----------
    labels : list of str
        One per prior.
    whitenings, spectra : list of array
        One per prior.
    correlations : array (n, n)
        Between scale matrices.
    """
    n = len(labels)
    figure = Figure((max(3.2 * n, 9), 7.4), layout="constrained")
    figure.suptitle(_headline(
        "Filters run from the finest chequers to brightness whatever the prior; how precise they are differs: "
        f"the finest direction has {_range([values[-1] for values in spectra])} grey levels", figure), fontsize=12)
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.05))
    for one, label, whitening in zip(np.atleast_1d(top.subplots(1, n)), labels, whitenings):
        chosen = np.linspace(0, len(whitening) - 1, 64).astype(int)
        one.imshow(filter_tiles(whitening, 8, chosen), interpolation="nearest")
        bare(one, label, fontsize=11)
    lines, matrix = bottom.subplots(1, 2)
    for index, (label, values) in enumerate(zip(labels, spectra)):
        lines.semilogy(np.linspace(0, 1, len(values)), values, lw=1.8, color=colour(index, n), label=label)
    lines.set_xlabel("rank of the component (0: brightness, 1: finest)")
    lines.set_ylabel("root eigenvalue (grey levels)")
    lines.legend(fontsize=9)
    lines.grid(alpha=0.3)
    table(matrix, correlations, labels, labels, "correlation of the scale matrices", 0.5, 1)
    return figure


def compared_energies(energies: dict[str, dict[str, Floats]], scales: Sequence[int]) -> Figure:
    """Mean energies of sets of pictures at each scale, by each prior.

    Parameters
    ----------
    energies : dict of str to dict of str to array (scales,)
        By prior and set; photos among the sets.
    scales : sequence of int
    """
    n = len(energies)
    rows = -(-n // ENERGY_COLUMNS)
    figure = Figure((12, 3.4 * rows + 0.8), layout="constrained")
    sets = [kind for kind in next(iter(energies.values())) if kind != "photos"]
    finest = {kind: [by_set[kind][0] / by_set["photos"][0] for by_set in energies.values()] for kind in sets}
    below = [kind for kind in sets if max(finest[kind]) < 1]
    above = [kind for kind in sets if min(finest[kind]) > 1]
    figure.suptitle(_headline("Energies at each scale, over that of photos. At the finest, by every prior, below photos: "
                              f"{', '.join(below) or 'none'}; above: {', '.join(above) or 'none'}", figure), fontsize=12)
    axes = figure.subplots(rows, ENERGY_COLUMNS, squeeze=False).ravel()
    for one, (label, by_set) in zip(axes, energies.items()):
        one.axhline(1, color="black", lw=1.8, label="photos")
        for index, kind in enumerate(sets):
            one.plot(scales, by_set[kind] / by_set["photos"], "o-", ms=4, lw=1.6, label=kind, color=colour(index, len(sets)))
        one.set_xscale("log", base=2)
        one.set_xticks(scales, [str(scale) for scale in scales])
        one.set_yscale("log")
        # Within two decades, ticks at powers of ten alone would be too few.
        low, high = one.get_ylim()
        one.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 200 else (1,)))
        one.yaxis.set_major_formatter("{x:g}")
        one.yaxis.set_minor_formatter(NullFormatter())
        one.set_title(label, fontsize=11)
        one.set_xlabel("pooled by")
        one.grid(alpha=0.3)
    for one in axes[n:]:
        one.axis("off")
    for one in axes[::ENERGY_COLUMNS]:
        one.set_ylabel("energy over photos'")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(sets) + 1, fontsize=10)
    return figure


def compared_rankings(aucs: dict[str, dict[str, float]]) -> Figure:
    """How well each prior tells photos from what is no photo.

    Parameters
    ----------
    aucs : dict of str to dict of str to float
        By prior and set.
    """
    kinds = list(next(iter(aucs.values())))
    figure = Figure((9, 1.6 + 0.55 * len(aucs)), layout="constrained")
    least = {kind: min(values[kind] for values in aucs.values()) for kind in kinds}
    best, worst = max(kinds, key=least.__getitem__), min(kinds, key=least.__getitem__)
    most = max(values[worst] for values in aucs.values())
    figure.suptitle(_headline(f"Every prior tells photos from {best} (AUC at least {least[best]:.2f}), "
                              f"from {worst} at most with {most:.2f}: "
                              "chance that a photo has less energy, mean over scales", figure), fontsize=12)
    table(figure.subplots(), [[values[kind] for kind in kinds] for values in aucs.values()], list(aucs), kinds, "", 0, 1)
    return figure


def energy_maps(photo: Picture, maps: dict[str, list[Floats]], scales: Sequence[int]) -> Figure:
    """Where in a picture the energy is, scale by scale.

    Parameters
    ----------
    photo : array (height, width, 3)
    maps : dict of str to list of array
        By prior, one per scale.
    scales : sequence of int
    """
    n = len(maps)
    figure = Figure((12.5, 1.0 + 1.75 * n), layout="constrained")
    shares = {label: _strongest(by_scale[0]) for label, by_scale in maps.items()}
    figure.suptitle(_headline(
        f"Where in a photo the energy is: at the finest scale the strongest tenth of positions has {min(shares.values()):.0%} "
        f"to {max(shares.values()):.0%} of it (each map from its own 1st to 99th percentile)", figure), fontsize=12)
    axes = figure.subplots(n, len(scales) + 1, squeeze=False)
    for one, scale in zip(axes[0, 1:], scales):
        one.set_title(f"pooled by {scale}", fontsize=11)
    for row, (label, by_scale) in zip(axes, maps.items()):
        show(row[0], photo)
        row[0].set_ylabel(f"{label}\n({shares[label]:.0%})", fontsize=11)
        for one, values in zip(row[1:], by_scale):
            low, high = np.percentile(values, (1, 99))
            one.imshow(values, cmap="magma", vmin=low, vmax=high, interpolation="nearest", aspect="auto")
            bare(one)
    return figure


def _strongest(values):
    """Share of a map's sum that its strongest tenth has."""
    ordered = np.sort(values, axis=None)[::-1]
    return ordered[:len(ordered) // 10].sum() / ordered.sum()


def _headline(text, figure):
    """Wrapped to a figure's width."""
    return textwrap.fill(text, int(11 * figure.get_figwidth()))


def _range(values):
    low, high = f"{min(values):.2g}", f"{max(values):.2g}"
    return low if low == high else f"{low} to {high}"

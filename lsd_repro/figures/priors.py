"""What priors look like, and what they do to a dream."""

import numpy as np
from matplotlib.figure import Figure

from lsd_repro.figures.drawing import COLOURS, NAMES, bare, colour, show, table, tiles

GRID_COLUMNS = 16


def filter_tiles(whitening, columns=GRID_COLUMNS, chosen=None):
    """Filters on one sheet, from the most precise to the least, each over its own range.

    Parameters
    ----------
    whitening : array, shape (d, d)
        A filter per column.
    columns : int
    chosen : sequence of int, optional
        Ranks to show (default: all).
    """
    order = np.argsort(-np.linalg.norm(whitening, axis=0), kind="stable")
    filters = whitening[:, order if chosen is None else order[chosen]].T
    size = int(round((filters.shape[1] / 3) ** 0.5))
    filters = filters / np.abs(filters).max(axis=1, keepdims=True)
    return tiles(filters.reshape(-1, size, size, 3) / 2 + 0.5, columns)


def prior_filters(kind, label, whitening, spectrum, mean_patch):
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


def prior_samples(natural_patches, sampled_patches, natural, sampled):
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


def prior_tails(fits, densities):
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


def prior_comparison(labels, whitenings, spectra, correlations, scales, energies, aucs, photo, maps):
    """One page on several priors.

    Parameters
    ----------
    labels : list of str
        One per prior.
    whitenings, spectra : list of array
        One per prior.
    correlations : array (n, n)
        Between scale matrices.
    scales : sequence of int
    energies : dict of label to dict of set to array (scales,)
        Mean energies.
    aucs : dict of label to dict of set to float
    photo : array (height, width, 3)
    maps : dict of label to list of array
        Energy maps of the photo, one per scale.
    """
    n = len(labels)
    figure = Figure((14, 9.2 + 2.1 * n), layout="constrained")
    figure.suptitle("Patch priors side by side", fontsize=15)
    top, middle, bottom = figure.subfigures(3, 1, height_ratios=(3.4, 5.4, 0.6 + 2.1 * n))

    axes = top.subplots(1, n + 1, width_ratios=[1] * n + [1.25])
    top.suptitle("Filters, from the most precise to brightness, and the spectra of the scale matrices")
    for one, label, whitening in zip(axes, labels, whitenings):
        chosen = np.linspace(0, len(whitening) - 1, 64).astype(int)
        one.imshow(filter_tiles(whitening, 8, chosen), interpolation="nearest")
        bare(one, label, fontsize=10)
    lines = axes[-1]
    for index, (label, values) in enumerate(zip(labels, spectra)):
        lines.semilogy(np.linspace(0, 1, len(values)), values, lw=1.8, color=colour(index, n), label=label)
    lines.set_xlabel("rank of the component (0: brightness)")
    lines.set_ylabel("root eigenvalue (grey levels)")
    lines.legend(fontsize=8)
    lines.grid(alpha=0.3)

    middle.suptitle("Energy of pictures at each scale, and how well it tells photos from what is no photo")
    rows = middle.subfigures(2, 1, height_ratios=(1, 1))
    axes = np.atleast_1d(rows[0].subplots(1, n))
    sets = list(energies[labels[0]])
    for one, label in zip(axes, labels):
        for index, name in enumerate(sets):
            one.plot(scales, energies[label][name], "o-", ms=4, lw=1.5, label=name,
                     color="black" if name == "photos" else colour(index - 1, len(sets) - 1))
        one.set_xscale("log", base=2)
        one.set_xticks(scales, [str(scale) for scale in scales])
        one.set_yscale("log")
        one.set_title(label, fontsize=10)
        one.set_xlabel("pooled by")
        one.grid(alpha=0.3)
    axes[0].set_ylabel("mean energy")
    axes[-1].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    left, right = rows[1].subplots(1, 2)
    table(left, [[aucs[label][name] for name in aucs[labels[0]]] for label in aucs], list(aucs), list(aucs[labels[0]]),
           "AUC: chance that a photo has less energy (all scales)", 0, 1)
    table(right, correlations, labels, labels, "correlation of the scale matrices", 0.5, 1)

    axes = bottom.subplots(n, len(maps[labels[0]]) + 1, squeeze=False)
    bottom.suptitle("Where in a picture the energy is, scale by scale (each map from its own 1st to 99th percentile)")
    for row, label in enumerate(labels):
        show(axes[row, 0], photo)
        axes[row, 0].set_ylabel(label, fontsize=10)
        for one, scale, values in zip(axes[row, 1:], scales, maps[label]):
            low, high = np.percentile(values, (1, 99))
            one.imshow(values, cmap="magma", vmin=low, vmax=high, interpolation="nearest", aspect="auto")
            bare(one, f"pooled by {scale}" if row == 0 else None, fontsize=10)
    return figure


def ablation(class_name, start, dreams, strengths):
    """A grid of the same dream under different priors.

    Parameters
    ----------
    class_name : str
    start : array (height, width, 3)
    dreams : dict of Variant to Dream
        As `lsd_repro.compare.ablation.ablate` returns.
    strengths : sequence of float
    """
    kinds = [kind for kind in ("gaussian", "student", "tv") if any(v.kind == kind for v in dreams)]
    none = next(variant for variant in dreams if variant.kind == "none")
    columns = 2 * len(strengths)
    figure = Figure((3.4 * columns, 2.95 * (len(kinds) + 1)), layout="constrained")
    axes = figure.subplots(len(kinds) + 1, columns)
    figure.suptitle(f"The same dream of '{class_name}' under different priors\n"
                    "logit: how sure the network is; E: energy under the Student-t, all scales (low is natural)")

    def place(one, variant, title):
        dream = dreams[variant]
        show(one, dream.picture, title, fontsize=10)
        one.set_xlabel(f"logit {dream.logit:.1f},  E {dream.energy:.2f}", fontsize=9)

    for one in axes[0]:
        one.axis("off")
    axes[0, 0].axis("on")
    axes[0, 1].axis("on")
    show(axes[0, 0], start, "the start", fontsize=10)
    place(axes[0, 1], none, NAMES["none"])
    for row, kind in enumerate(kinds, 1):
        column = 0
        for strength in strengths:
            for several in (False, True):
                variant = next(v for v in dreams if v.kind == kind and v.strength == strength
                               and (len(v.scales) > 1) == several)
                place(axes[row, column], variant,
                      f"{NAMES[kind]}, {'all scales' if several else 'one scale'}, strength {strength:g}")
                column += 1
    return figure

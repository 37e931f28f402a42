"""The patch prior at many scales."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lsd_repro.figures.drawing import bare, colour, curves, lesson, show
from lsd_repro.hints import Floats, Picture


def penalty(z: Floats, energies: dict[str, Floats], forces: dict[str, Floats]) -> Figure:
    """What an energy charges for a filter response, and how hard it pushes back.

    Parameters
    ----------
    z : array (n,)
        Response, in units of the prior's scale.
    energies, forces : dict of str to array (n,)
        By prior: the energy of that response, and its derivative.
    """
    strongest = {name: z[np.argmax(force)] for name, force in forces.items()}
    figure, (axes,) = lesson(3.4, "The push of the energy is strongest " + ", ".join(
        f"at {where:.2g} under the {name}" + (" (the end of the axis)" if where == z[-1] else "")
        for name, where in strongest.items()), ncols=2)
    for one, lines, title in zip(axes, (energies, forces), ("energy", "its derivative: the push back to 0")):
        curves(one, z, lines, title, "filter response (units of the prior's scale)", "")
        one.set_ylim(0, 1.05 * max(lines["Student-t"].max(), np.median(lines["Gaussian"])))
    axes[0].legend(fontsize=9)
    return figure


def pyramid(pooled: dict[int, Floats], maps: dict[int, Floats], patch_size: int) -> Figure:
    """A picture as the prior sees it at each scale, and where its energy is.

    Parameters
    ----------
    pooled : dict of int to array (height, width, 3)
        By scale.
    maps : dict of int to array
        Energy at each position, by scale.
    patch_size : int
    """
    scales = list(pooled)
    first, last = scales[0], scales[-1]
    figure, axes = lesson(3.7, f"From scale {first} to {last} the same filters cover {patch_size * first} to "
                               f"{patch_size * last} pixels, and the mean energy goes from {maps[first].mean():.2f} to "
                               f"{maps[last].mean():.2f}", nrows=2, ncols=len(scales))
    for column, scale in enumerate(scales):
        show(axes[0, column], pooled[scale], f"pooled by {scale}" if scale > 1 else "not pooled", fontsize=10)
        axes[1, column].imshow(maps[scale], cmap="magma", interpolation="nearest", aspect="auto")
        axes[1, column].set_box_aspect(pooled[first].shape[0] / pooled[first].shape[1])
        bare(axes[1, column], f"energy {maps[scale].min():.1f} to {maps[scale].max():.1f}", fontsize=10)
    return figure


def disturbances(pictures: Mapping[int, Picture], scales: Sequence[int], rises: dict[int, Floats]) -> Figure:
    """What each scale's energy says of disturbances of different sizes.

    Parameters
    ----------
    pictures : dict of int to array (height, width, 3)
        By size of the disturbance, in pixels.
    scales : sequence of int
    rises : dict of int to array (scales,)
        By size: the energy at each scale, minus that of the undisturbed picture.
    """
    figure, axes = lesson(4.4, "Energy rises most: " + "; ".join(
        f"noise of {size} px at scale {scales[int(np.argmax(values))]}" for size, values in rises.items()),
        nrows=2, ncols=len(pictures), height_ratios=(1, 2))
    for one, (size, picture) in zip(axes[0], pictures.items()):
        show(one, picture, f"noise of {size} px", fontsize=10)
    grid = axes[1, 0].get_gridspec()
    for one in axes[1]:
        one.remove()
    below = figure.add_subplot(grid[1, :])
    for index, (size, values) in enumerate(rises.items()):
        below.plot(range(len(scales)), values, "o-", color=colour(index, len(rises)), label=f"noise of {size} px")
    below.axhline(0, color="black", lw=0.8)
    below.set_xticks(range(len(scales)), [str(scale) for scale in scales])
    below.set_xlabel("scale: pooled by")
    below.set_ylabel("rise of the energy")
    below.grid(alpha=0.3)
    below.legend(fontsize=9)
    return figure


def energy_by_scale(scales: Sequence[int], energies: dict[str, Floats]) -> Figure:
    """Energies of pictures at each scale.

    Parameters
    ----------
    scales : sequence of int
    energies : dict of str to array (scales,)
    """
    names = list(energies)
    lowest = [min(names, key=lambda name: energies[name][index]) for index in range(len(scales))]
    where = {name: ", ".join(str(scale) for scale, best in zip(scales, lowest) if best == name) for name in names}
    figure, axes = lesson(3.4, "Least energy: " + "; ".join(
        f"{name}, at {where[name]}" for name in names if where[name]))
    axes = axes[0, 0]
    curves(axes, range(len(scales)), energies, None, "scale: pooled by", "energy (low is natural)", marker="o")
    axes.set_xticks(range(len(scales)), [str(scale) for scale in scales])
    axes.legend(fontsize=9)
    return figure

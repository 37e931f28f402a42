"""What a VGG-16 sees, and where."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lsd_repro.figures.drawing import bare, lesson, show
from lsd_repro.hints import Floats, Picture
from lsd_repro.network.receptive import Layer, seen, side_within


def receptive_fields(picture: Picture, layers: list[Layer], row: int, column: int) -> Figure:
    """The receptive fields of one logit, and of the units of the pools beneath it, in a picture.

    Parameters
    ----------
    picture : array (height, width, 3)
    layers : list of lsd_repro.network.receptive.Layer
        For this picture.
    row, column : int
        Of the logit.
    """
    logit = layers[-1]
    shared = 1 - logit.stride / logit.field
    figure, axes = lesson(3.6, f"A logit depends on {logit.field}x{logit.field} pixels, and its neighbour on as many "
                               f"{logit.stride} further on: they share {shared:.0%} of what they see")
    axes = axes[0, 0]
    show(axes, picture)
    box = seen(logit, row, column)
    middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    pools = [layer for layer in layers if layer.name.startswith("pool")]
    for index, layer in enumerate(pools):
        nearest = np.rint((middle - layer.field / 2 - layer.start) / layer.stride).astype(int)
        shade = colormaps["cool"](index / len(pools))
        _outline(axes, seen(layer, *nearest), shade, f"{layer.name}: {layer.field} pixels")
    _outline(axes, box, "white", f"the logit: {logit.field} pixels")
    _crop(axes, picture)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=10, facecolor="#555555", labelcolor="white")
    return figure


def _outline(axes, box, shade, label):
    """The frame of a box (top, left, bottom, right)."""
    top, left, bottom, right = box
    axes.add_patch(Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False, ec=shade, lw=2,
                             label=label))


def _crop(axes, picture):
    """Show no more than the picture: beyond it is padding."""
    axes.set_xlim(-0.5, picture.shape[1] - 0.5)
    axes.set_ylim(picture.shape[0] - 0.5, -0.5)


def logit_sight(picture: Picture, gradient: Floats, box: tuple[int, int, int, int],
                shares: Sequence[float] = (0.5, 0.9)) -> Figure:
    """How much each pixel matters to a logit: the size of its gradient.

    Parameters
    ----------
    picture, gradient : array (height, width, 3)
    box : (top, left, bottom, right)
        The logit's receptive field.
    shares : sequence of float
        Of the gradient's sum of squares, in concentric squares that are drawn.
    """
    sides = [side_within(gradient, box, share) for share in shares]
    figure, (axes,) = lesson(3.6, f"{shares[0]:.0%} of this logit's gradient lies in the middle "
                                  f"{sides[0]:.0f}x{sides[0]:.0f} pixels of the {box[2] - box[0]}x{box[3] - box[1]} "
                                  "that it can see", ncols=2)
    size = np.sqrt((gradient ** 2).sum(axis=2))
    show(axes[0], picture, "the picture, and the logit's receptive field", fontsize=10)
    axes[1].imshow(np.log10(size + size.max() * 1e-4), cmap="magma", interpolation="nearest")
    bare(axes[1], "size of the gradient (logarithmic, over four decades)", fontsize=10)
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for one in axes:
        _outline(one, box, "white", "can be seen")
        for index, (share, side) in enumerate(zip(shares, sides)):
            square = [middle[0] - side / 2, middle[1] - side / 2, middle[0] + side / 2, middle[1] + side / 2]
            _outline(one, square, colormaps["cool"](index / len(shares)), f"{share:.0%} of the gradient")
        _crop(one, picture)
    axes[0].legend(loc="lower left", fontsize=9, facecolor="#555555", labelcolor="white")
    return figure


def logit_maps(picture: Picture, maps: dict[str, Floats], layer: Layer) -> Figure:
    """Maps of logits, each entry over the middle of what it sees.

    Parameters
    ----------
    picture : array (height, width, 3)
    maps : dict of str to array (rows, columns)
        By class.
    layer : lsd_repro.network.receptive.Layer
        That of the logits.
    """
    names = list(maps)
    highest = max(names, key=lambda name: maps[name].max())
    row, column = np.unravel_index(maps[highest].argmax(), maps[highest].shape)
    figure, (axes,) = lesson(2.3, f"Of {', '.join(names)} the largest logit is {maps[highest][row, column]:.1f}, "
                                  f"of {highest}, in row {row + 1} and column {column + 1} of the map",
                             ncols=1 + len(maps))
    show(axes[0], picture, "the picture", fontsize=10)
    low = layer.start + (layer.field - layer.stride) / 2 - 0.5
    extent = low, low + layer.columns * layer.stride, low + layer.rows * layer.stride, low
    values = np.stack(list(maps.values()))
    for one, (name, logits) in zip(axes[1:], maps.items()):
        one.imshow(np.clip(picture, 0, 255).mean(axis=2), cmap="gray", vmin=0, vmax=255)
        image = one.imshow(logits, extent=extent, cmap="inferno", alpha=0.7, vmin=values.min(), vmax=values.max(),
                           interpolation="nearest")
        _crop(one, picture)
        bare(one, f"{name}: up to {logits.max():.1f}", fontsize=10)
    figure.colorbar(image, ax=axes[-1], label="logit", shrink=0.6)
    return figure
